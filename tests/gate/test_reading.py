"""Reading Dynamics for the gate: whatever goes wrong, it is told, and nothing is made of half a listing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from probe import app
from probe.gate import NOT_DECLARED, DynamicsRecords, Unread, read_records
from probe.gate import reading as reading_module
from probe.model.estate import Authentication, DynamicsAccess, OrganizationUrl, SecretReference
from probe.simulation.dynamics import faults
from probe.simulation.dynamics.faults import Fault
from probe.simulation.dynamics.organization import Organization, SystemUser
from probe.simulation.dynamics.signing_in import Windows
from probe.simulation.dynamics.web_api import DynamicsServer
from tests.gate.rows import an_estate_of
from tests.simulation.dynamics.world import HOST, PASSWORD, READER

ADDRESSES = ["a@contoso.test", "b@contoso.test"]


async def read(
    tmp_path: Path,
    *,
    user: SystemUser = READER,
    fault: Fault | None = None,
    addresses: list[str] = ADDRESSES,
    stopped: bool = False,
    password: str = PASSWORD,
    reference: SecretReference | None = None,
) -> tuple[DynamicsRecords | Unread, DynamicsServer]:
    """What is read of an organization with two mailboxes and one profile, in clear."""
    organization = Organization()
    profile = organization.add_profile("corp", incomingserverlocation="https://mail.contoso.test/EWS/Exchange.asmx")
    for address in ADDRESSES:
        organization.add_mailbox(address, profile, lastsyncerrormachinename="CRM-ASYNC-1")
    file = tmp_path / "password"
    file.write_text(password)
    file.chmod(0o600)
    async with DynamicsServer(organization, None, users=(user,), windows=Windows(host=HOST)) as server:
        server.faults += [fault] if fault is not None else []
        declared = DynamicsAccess(
            url=OrganizationUrl.parse(f"http://127.0.0.1:{server.port}/Contoso"),
            authentication=Authentication.NTLM,
            username=user.name,
            password=reference or SecretReference("file", str(file)),
            plain_http=True,
        )
        estate = replace(an_estate_of(), dynamics=declared)
        stop = asyncio.Event()
        if stopped:
            stop.set()
        async with app.Probing(app.Options(timeout=10, state=tmp_path / "state")) as probing:
            found = await read_records(estate, addresses, probing._context(stop), probing._network_to(declared))
        assert list(organization.writes) == []
        return found, server


async def test_rows_profiles_and_machines_are_read(tmp_path: Path) -> None:
    """Of the mailboxes that were asked for, and of no other; that it went in clear is told."""
    found, _ = await read(tmp_path, addresses=["B@contoso.test"])
    assert isinstance(found, DynamicsRecords)
    assert [row.address for row in found.rows] == ["b@contoso.test"]
    assert [profile.name for profile in found.profiles.values()] == ["corp"]
    assert (found.pending, found.machines, found.notes) == ({}, ("CRM-ASYNC-1",), ())
    assert found.risk is not None


async def test_of_many_the_whole_table_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One listing takes fewer requests than asking for each; it gives the same rows."""
    few, _ = await read(tmp_path)
    monkeypatch.setattr(reading_module, "FEW", 1)
    many, server = await read(tmp_path)
    assert isinstance(few, DynamicsRecords)
    assert isinstance(many, DynamicsRecords)
    assert few.rows == many.rows
    assert not any("emailaddress" in request.query.partition("filter")[2] for request in server.requests)


async def test_what_the_account_may_not_read_beside_the_rows_is_told(tmp_path: Path) -> None:
    """Each in a sentence that names the privilege, and the rows are there."""
    found, _ = await read(tmp_path, user=replace(READER, lacks=frozenset({"prvReadActivity", "prvReadTraceLog"})))
    assert isinstance(found, DynamicsRecords)
    assert (len(found.rows), found.pending) == (2, None)
    assert ["prvReadActivity" in found.notes[0], "prvReadTraceLog" in found.notes[1]] == [True, True]


@pytest.mark.parametrize("privilege", ["prvReadMailbox", "prvReadEmailServerProfile", "prvReadEntity"])
async def test_without_the_rows_there_is_nothing(tmp_path: Path, privilege: str) -> None:
    """The privilege that is missing is named."""
    found, _ = await read(tmp_path, user=replace(READER, lacks=frozenset({privilege})))
    assert isinstance(found, Unread)
    assert privilege in found.reason


@pytest.mark.parametrize(
    "fault",
    [
        faults.cuts_short("mailboxes"),
        faults.ends_early_in_json("mailboxes"),
        faults.counts(7, "mailboxes"),
        faults.is_huge("mailboxes"),
        faults.fails("emailserverprofiles"),
        faults.shows_sign_in_page("mailboxes"),
    ],
)
async def test_a_listing_that_is_not_whole_is_none(tmp_path: Path, fault: Fault) -> None:
    """Never fewer rows: then nothing was read, and the reason is a sentence."""
    found, _ = await read(tmp_path, fault=fault)
    assert isinstance(found, Unread)
    assert found.is_asked
    assert len(found.reason) > 10


async def test_a_password_that_is_wrong_leaves_once(tmp_path: Path) -> None:
    """However often it is asked: the ledger remembers the refusal."""
    logons: list[tuple[str, bool]] = []
    for _ in range(20):
        found, server = await read(tmp_path, password="Wrong-Lantern-6")
        assert isinstance(found, Unread)
        assert "Wrong-Lantern-6" not in found.reason
        logons += server.door.logons
    assert logons == [(READER.name, False)]


async def test_a_secret_that_cannot_be_had_is_told(tmp_path: Path) -> None:
    """Nobody is asked then."""
    found, server = await read(tmp_path, reference=SecretReference("env", "PROBE_TEST_NOT_SET"))
    assert isinstance(found, Unread)
    assert "environment variable" in found.reason
    assert list(server.requests) == []


async def test_a_run_that_is_stopped_reads_nothing_more(tmp_path: Path) -> None:
    """And says so."""
    found, _ = await read(tmp_path, stopped=True)
    assert found == Unread("it was interrupted")


async def test_an_estate_that_names_no_organization_asks_nobody() -> None:
    """That is told, and is no failure."""
    async with app.Probing(app.Options()) as probing:
        context = probing._context(asyncio.Event())
        found = await read_records(an_estate_of(), ADDRESSES, context, context.network)
    assert found is NOT_DECLARED
