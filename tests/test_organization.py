"""Reading Dynamics' own state: whatever goes wrong, it is told, and nothing is made of half a listing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from probe import app
from probe.dynamics import MailboxRow, Option, state_reading
from probe.dynamics.state import AskedPause, StateRecords
from probe.gate import records_of
from probe.model.estate import Authentication, DynamicsAccess, Estate, OrganizationUrl, SecretReference
from probe.model.facts import Why
from probe.net.failures import Throttled
from probe.organization import NotRead, read_state
from probe.simulation.dynamics import faults
from probe.simulation.dynamics.faults import Fault
from probe.simulation.dynamics.organization import Organization, SystemUser
from probe.simulation.dynamics.signing_in import Windows
from probe.simulation.dynamics.web_api import DynamicsServer
from tests.gate.rows import an_estate_of
from tests.simulation.dynamics.world import HOST, PASSWORD, READER

ADDRESSES = ["a@contoso.test", "b@contoso.test"]


@asynccontextmanager
async def organized(
    tmp_path: Path,
    *,
    user: SystemUser = READER,
    fault: Fault | None = None,
    addresses: list[str] = ADDRESSES,
    second: str | None = None,
    twice: int = 0,
    password: str = PASSWORD,
    reference: SecretReference | None = None,
    **served: Any,
) -> AsyncIterator[tuple[Estate, app.Probing, DynamicsServer]]:
    """An organization with two mailboxes and one profile, in clear, and an estate that has them; it may name the second by its id too.

    `served` are values of the rows of both.
    """
    organization = Organization()
    profile = organization.add_profile("corp", incomingserverlocation="https://mail.contoso.test/EWS/Exchange.asmx")
    ids = [organization.add_mailbox(address, profile, lastsyncerrormachinename="CRM-ASYNC-1", **served) for address in ADDRESSES]
    for number in range(twice):
        organization.add_mailbox(ADDRESSES[0], profile, mailboxid=f"00000000-0000-0000-0000-{number:012}")
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
        estate = an_estate_of()
        mailboxes = tuple(replace(estate.mailboxes[0], address=address) for address in addresses)
        if second is not None:
            mailboxes = (*mailboxes, replace(estate.mailboxes[0], address=second, id=ids[1]))
        async with app.Probing(app.Options(timeout=10, state=tmp_path / "state")) as probing:
            yield replace(estate, dynamics=declared, mailboxes=mailboxes), probing, server
        assert list(organization.writes) == []


async def read(tmp_path: Path, *, stopped: bool = False, **more: Any) -> tuple[StateRecords | NotRead, DynamicsServer]:
    """What is read of the mailboxes of the estate."""
    stop = asyncio.Event()
    if stopped:
        stop.set()
    async with organized(tmp_path, **more) as (estate, probing, server):
        assert estate.dynamics is not None
        context, network = probing._context(stop), probing._network_to(estate.dynamics)
        return await read_state(estate, estate.mailboxes, context, network, every_alert=True), server


async def test_rows_profiles_and_machines_are_read(tmp_path: Path) -> None:
    """Of the mailboxes that were asked for, and of no other; that it went in clear is told."""
    found, _ = await read(tmp_path, addresses=["B@contoso.test"])
    assert isinstance(found, StateRecords)
    assert [row.address for row in found.rows.values()] == ["b@contoso.test"]
    assert [profile.name for profile in found.profiles] == ["corp"]
    assert found.risk is not None
    gates = records_of(found)
    assert (gates.pending, gates.machines, gates.notes) == ({}, ("CRM-ASYNC-1",), ())


@pytest.mark.parametrize("few", [200, 1])
async def test_an_id_goes_before_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """A mailbox of the estate that names its id has that row, whatever its address is now, and no other mailbox has it."""
    monkeypatch.setattr(state_reading, "FEW", few)
    found, _ = await read(tmp_path, addresses=["a@contoso.test", "b@contoso.test"], second="renamed@contoso.test")
    assert isinstance(found, StateRecords)
    assert {address: row.address for address, row in found.rows.items()} == {
        "a@contoso.test": "a@contoso.test",
        "renamed@contoso.test": "b@contoso.test",
    }


async def test_an_address_of_several_mailboxes_is_told(tmp_path: Path) -> None:
    """Where none of them goes before the others; the one with the smallest id is taken, each time."""
    found, _ = await read(tmp_path, twice=2)
    assert isinstance(found, StateRecords)
    assert found.rows["a@contoso.test"].id == "00000000-0000-0000-0000-000000000000"
    assert len(found.notes) == 1
    assert found.notes[0].startswith("3 mailboxes of Dynamics have the address a@contoso.test, and 00000000-")


async def test_alerts_of_an_outage_are_asked_for_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of so many that failed no more are asked about than take a few requests; without failures, of the first ones."""
    monkeypatch.setattr(state_reading, "MOST_ALERTED", 1)
    failed = Option(2, "Failure")
    rows = {address: MailboxRow(id=address, address=address, appointments_status=failed) for address in ADDRESSES}
    assert state_reading._alerted(rows, every=False) == ADDRESSES[:1]
    assert state_reading._alerted(rows, every=True) == ADDRESSES
    assert state_reading._alerted({}, every=True) == []


async def test_of_many_the_whole_table_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One listing takes fewer requests than asking for each; it gives the same rows."""
    few, _ = await read(tmp_path)
    monkeypatch.setattr(state_reading, "FEW", 1)
    many, server = await read(tmp_path)
    assert isinstance(few, StateRecords)
    assert isinstance(many, StateRecords)
    assert few.rows == many.rows
    assert not any("emailaddress" in request.query.partition("filter")[2] for request in server.requests)


async def test_what_the_account_may_not_read_beside_the_rows_is_told(tmp_path: Path) -> None:
    """Each in a sentence that names the privilege, and the rows are there."""
    found, _ = await read(tmp_path, user=replace(READER, lacks=frozenset({"prvReadActivity", "prvReadTraceLog"})))
    assert isinstance(found, StateRecords)
    assert (len(found.rows), found.pending) == (2, None)
    assert {"prvReadActivity", "prvReadTraceLog"} == {word for note in found.notes for word in re.findall(r"prv[A-Za-z]+", note)}


@pytest.mark.parametrize("privilege", ["prvReadMailbox", "prvReadEmailServerProfile", "prvReadEntity"])
async def test_without_the_rows_there_is_nothing(tmp_path: Path, privilege: str) -> None:
    """The privilege that is missing is named."""
    found, _ = await read(tmp_path, user=replace(READER, lacks=frozenset({privilege})))
    assert isinstance(found, NotRead)
    assert privilege in found.detail


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
    assert isinstance(found, NotRead)
    assert len(found.detail) > 10


@pytest.mark.parametrize(
    ("fault", "pause"),
    [
        (faults.is_throttled("mailboxes", retry_after="3600"), AskedPause(3600)),
        (faults.is_unavailable("mailboxes", retry_after="7200"), AskedPause(7200)),
        (faults.is_throttled("emailserverprofiles", retry_after="9999999"), AskedPause(86_400)),
        (faults.is_throttled("WhoAmI", retry_after="3600"), AskedPause(3600)),
        (faults.fails("mailboxes"), None),
    ],
    ids=["429", "503", "months", "while signing in", "500"],
)
async def test_a_server_that_asks_for_a_long_pause_is_left_alone(tmp_path: Path, fault: Fault, pause: AskedPause | None) -> None:
    """It is not waited for; nothing was read, the reason says so, and beside it stands for how long, at most a day."""
    found, server = await read(tmp_path, fault=fault)
    assert isinstance(found, NotRead)
    assert found.pause == pause
    assert found.why is (Why.OFF_PROTOCOL if pause is None else Why.THROTTLED)
    assert fault.on.lower() in list(server.requests)[-1].path.lower()


async def test_a_server_that_asks_for_a_pause_beside_the_rows_is_asked_for_nothing_more(tmp_path: Path) -> None:
    """The rows are there; of what was not asked for any more the reason is told, and for how long it wants to be left alone."""
    found, server = await read(tmp_path, fault=faults.is_throttled("tracelogs", retry_after="3600"))
    assert isinstance(found, StateRecords)
    assert (len(found.rows), found.alerts, found.pending, found.pause) == (2, (), None, AskedPause(3600))
    reason = "could not be read: the server asks for patience: HTTP 429, Retry-After: 3600"
    assert found.notes == (f"the alerts {reason}", f"the mails that wait to be sent {reason}")
    assert not any(request.path.endswith("/emails") for request in server.requests)


async def test_mailboxes_that_the_estate_does_not_have_are_found(tmp_path: Path) -> None:
    """Of those that are served, whatever the case of their address; where the records cannot be read nothing is found, and not that there are none."""
    served: dict[str, Any] = {"incomingemaildeliverymethod": 2}
    async with organized(tmp_path, addresses=["A@contoso.test"], **served) as (estate, probing, _):
        assert await probing.unlisted_mailboxes(estate) == ("b@contoso.test",)
    async with organized(tmp_path, fault=faults.fails("mailboxes"), **served) as (estate, probing, _):
        assert await probing.unlisted_mailboxes(estate) is None


async def test_a_pause_is_handed_on_to_whoever_asks_again(tmp_path: Path) -> None:
    """Beside the readings of the state, and in place of a listing."""
    async with organized(tmp_path, fault=faults.is_throttled("mailboxes", retry_after="3600", times=None)) as (estate, probing, _):
        assert (await probing.state_of_dynamics(estate, asyncio.Event())).pause == AskedPause(3600)
        with pytest.raises(Throttled) as asked:
            await probing.unlisted_mailboxes(estate)
        assert asked.value.pause_seconds == 3600


async def test_a_password_that_is_wrong_leaves_once(tmp_path: Path) -> None:
    """However often it is asked: the ledger remembers the refusal."""
    logons: list[tuple[str, bool]] = []
    for _ in range(20):
        found, server = await read(tmp_path, password="Wrong-Lantern-6")
        assert isinstance(found, NotRead)
        assert "Wrong-Lantern-6" not in found.detail
        logons += server.door.logons
    assert logons == [(READER.name, False)]


async def test_a_secret_that_cannot_be_had_is_told(tmp_path: Path) -> None:
    """Nobody is asked then."""
    found, server = await read(tmp_path, reference=SecretReference("env", "PROBE_TEST_NOT_SET"))
    assert isinstance(found, NotRead)
    assert "environment variable" in found.detail
    assert list(server.requests) == []


async def test_a_run_that_is_stopped_reads_nothing_more(tmp_path: Path) -> None:
    """And says so."""
    found, _ = await read(tmp_path, stopped=True)
    assert isinstance(found, NotRead)
    assert found.why is Why.INTERRUPTED
