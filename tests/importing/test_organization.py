"""An import of the simulated organization, through the client."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from probe.config import read_estate
from probe.dynamics import OtherOrganization, SignInFailed
from probe.model.estate import BoundOrganization
from probe.probing.proofs import NotClaimed
from probe.simulation.dynamics.demonstration import Demonstration
from tests.importing.world import access, draft_of, estate_text, merged, read


async def test_the_simulated_estate_comes_back(tmp_path: Path) -> None:
    """Each profile and mailbox out of which the organization was made is as it was, but for how TLS begins; nothing is written there."""
    async with Demonstration.start() as demonstration:
        way = access(demonstration, tmp_path)
        records = await read(demonstration, way)
        draft = draft_of(records, way)
        hosts = frozenset(host for profile in draft.profiles for host in profile.hosts)
        text = estate_text(draft, hosts, demonstration.url)
        estate, ours = read_estate(text, "estate.toml"), demonstration.simulation.estate
        theirs = {profile.name: profile for profile in estate.profiles}
        for profile in ours.profiles:
            found = theirs[profile.name]
            for wanted, end in zip((profile.incoming, profile.outgoing), (found.incoming, found.outgoing), strict=True):
                assert wanted is not None
                assert end is not None
                assert (end.service, end.host, end.port, end.path) == (wanted.service, wanted.host, wanted.port, wanted.path)
            keys = ("server_type", "autodiscover", "authentication", "credentials", "impersonation", "username", "has_credentials")
            assert [getattr(found, key) for key in keys] == [getattr(profile, key) for key in keys]
        by_address = {mailbox.address: mailbox for mailbox in estate.mailboxes}
        for mailbox in (one for one in ours.mailboxes if one.is_served):
            same = ("profile", "incoming", "outgoing", "appointments", "has_credentials")
            assert [getattr(by_address[mailbox.address], key) for key in same] == [getattr(mailbox, key) for key in same]
        assert not {mailbox.address for mailbox in ours.mailboxes if not mailbox.is_served} & set(by_address)
        assert [sentence.split(" ", 2)[2] for sentence in draft.told] == ["(without address) has no address, and was left out"]
        again = draft_of(await read(demonstration, way), way)
        assert list(merged(text, again).lines()) == []
        everything = draft_of(records, way, everything=True)
        assert {mailbox.address for mailbox in ours.mailboxes} <= {table.name for table in everything.mailboxes}


async def test_a_wrong_password_is_tried_once(tmp_path: Path) -> None:
    """A refusal is remembered: the second import sends nothing."""
    async with Demonstration.start() as demonstration:
        way = access(demonstration, tmp_path)
        (tmp_path / "password").write_text("Wrong-Password-1")
        with pytest.raises(SignInFailed):
            await read(demonstration, way, tmp_path / "state")
        with pytest.raises(NotClaimed, match="refused"):
            await read(demonstration, way, tmp_path / "state")
        assert [taken for _, taken in demonstration.server.logons] == [False]


async def test_another_organization_is_not_read(tmp_path: Path) -> None:
    """An estate is bound to the one that it was imported from."""
    async with Demonstration.start() as demonstration:
        way = access(demonstration, tmp_path)
        bound = BoundOrganization.parse("5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11 Contoso")
        with pytest.raises(OtherOrganization):
            await read(demonstration, replace(way, access=replace(way.access, organization=bound)))
