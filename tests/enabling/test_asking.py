"""What goes wrong while Dynamics is asked: nothing is asked for twice, and each ending is told."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from probe import app
from probe.config import load_estate
from probe.enabling import Audit, Books, Job, Patience, Pressed, Wish, choose
from probe.gate import Accept
from probe.memory import Folder
from probe.simulation.dynamics.faults import Fault, loses_answer, loses_request
from probe.simulation.dynamics.metadata import MAILBOX
from probe.simulation.web import Response
from tests.enabling.world import PASSWORD, World, address, organized


async def pressed(world: World, monkeypatch: pytest.MonkeyPatch, *, between: Callable[[], None] = lambda: None, **patience: Any) -> Pressed:
    """What comes of all mailboxes of a world; `between` is done once the gate has answered."""
    monkeypatch.setenv("CRM_PASSWORD", PASSWORD)
    monkeypatch.setenv("EWS_PASSWORD", "Correct-Horse-7")
    monkeypatch.setattr("probe.enabling.asking.DOUBT", timedelta(seconds=1))
    estate = load_estate(world.folder / "estate.toml")
    options = app.Options(ca_file=world.folder / "ca.pem", tls="none")
    gated = await app.gate(estate, estate.mailboxes, options, frozenset({Accept.NOT_SIGNED_IN}))
    assert gated is not None
    between()
    assert estate.dynamics is not None
    assert estate.dynamics.organization is not None
    job = Job(
        estate=estate,
        choice=choose(estate, gated, {}, Wish()),
        wish=Wish(),
        patience=replace(Patience(pause=0, first_read=0.1, last_read=0.3, wait=20), **patience),
        batch="b",
        organization=estate.dynamics.organization.id,
        who="somebody",
        host="here",
    )
    folder = Folder(world.state)
    with Audit(folder, app.now) as audit:
        return await app.enable(job, options, audit, Books(folder), lambda sentence: None, asyncio.Event())


async def test_a_change_that_did_not_arrive_is_told_and_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row stays as it was for a minute, here a second; within one call it is not sent again."""
    async with organized(tmp_path, 2) as world:
        world.server.faults.append(loses_request("mailboxes(", method="PATCH"))
        came = await pressed(world, monkeypatch)
        assert world.sent == [world.id_of(1)]
        assert len(world.server.changes_asked) == 2  # the lost one among them
    assert "did not reach Dynamics" in came.not_asked[address(0)]
    assert came.enabled.keys() == {address(1)}
    assert '"answered": "not-sent"' in world.audit


async def test_dynamics_may_be_away_while_it_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads that fail are made again, over a connection that is signed in anew; changes are not."""
    async with organized(tmp_path, 2, pace=0.02) as world:
        world.server.faults.append(loses_answer("mailboxes?", method="GET", after=4, times=3))
        came = await pressed(world, monkeypatch)
        assert len(world.server.changes_asked) == 2
    assert {form["state"] for form in came.enabled.values()} == {"done"}
    assert came.notes == ()


async def test_a_row_that_has_changed_meanwhile_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Since the gate compared it, somebody took the approval away, enabled it, or asked for a test."""
    async with organized(tmp_path, 3, pace=0.02) as world:
        every = dict.fromkeys(("enabledforincomingemail", "enabledforoutgoingemail"), True)

        def meanwhile() -> None:
            world.organization.update(MAILBOX, world.id_of(0), {"emailrouteraccessapproval": 3})
            world.organization.update(MAILBOX, world.id_of(1), every)
            world.organization.update(MAILBOX, world.id_of(2), {"testemailconfigurationscheduled": True})

        came = await pressed(world, monkeypatch, between=meanwhile)
        assert world.server.changes_asked == []
    assert "approval" in came.not_asked[address(0)]
    assert came.not_asked[address(1)] == "it is enabled already in every direction that is used"
    assert came.enabled[address(2)]["scheduled_by_another"]


async def test_without_a_record_nothing_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full before the second change: it does not leave, and what is under way is told as pending."""
    async with organized(tmp_path, 3, pace=10) as world:
        fsync, written = os.fsync, []

        def fills_up(descriptor: int) -> None:
            written.append(descriptor)
            if len(world.sent) == 1 and world.audit.count("sent"):
                raise OSError(28, "No space left on device")
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", fills_up)
        came = await pressed(world, monkeypatch)
        assert len(world.server.changes_asked) == 1
    assert {one: form["state"] for one, form in came.enabled.items()} in ({}, {address(0): "pending"})
    assert "No space left" in came.notes[0]
    assert address(2) in came.not_asked


async def test_what_a_503_hid_shows_in_the_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server says "not now" and has taken it all the same: the row, read before it is sent again, says so, and it is ours."""
    async with organized(tmp_path, 1, pace=0.02) as world:

        def carried_out(response: Response) -> Response:
            return replace(response, status=503, headers=(("Retry-After", "0"), ("Content-Length", "0")))

        world.server.faults.append(Fault("mailboxes(", "PATCH", send=carried_out))
        came = await pressed(world, monkeypatch)
        assert len(world.server.changes_asked) == 1
    assert came.enabled[address(0)]["scheduled_by_another"] is False
    assert '"answered": "sent"' in world.audit


async def test_a_server_that_is_gone_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Dynamics cannot be reached at all, nobody waits for it."""
    async with organized(tmp_path, 2) as world:
        port = world.server.port
        text = (tmp_path / "estate.toml").read_text()
        assert f":{port}/" in text

        def gone() -> None:
            world.server.faults.append(loses_answer("WhoAmI", times=None))

        came = await pressed(world, monkeypatch, between=gone)
        assert world.server.changes_asked == []
    assert came.not_asked.keys() == {address(0), address(1)}
    assert "cannot be read any more" in came.notes[0]
