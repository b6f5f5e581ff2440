"""The newest state, and what is drawn of it."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from probe import app
from probe.history import open_history
from probe.memory.folder import Folder
from probe.model.endpoints import endpoint_id
from probe.web.state import Drawn, EstateNames, EstateState, States
from tests.runs import EWS, POP, a_checked_run, a_mailbox, an_estate
from tests.web.world import DrivenTime, RunWatch


async def test_a_large_drawing_holds_up_nobody(tmp_path: Path) -> None:
    """Whoever asks first waits for it; who asks while it is drawn of the next state has that of the one before, and then the new one."""
    go, drawn = threading.Event(), []
    go.set()

    def draw(state: EstateState) -> str:
        drawn.append(state.run.id)
        assert go.wait(30)
        return state.run.id

    async with open_history(Folder(tmp_path / "state"), "contoso-crm") as history:
        watch = RunWatch(a_checked_run(), history, DrivenTime(), app.Options())
        drawing = Drawn(States(watch), draw)
        assert await asyncio.gather(*(drawing.newest() for _ in range(5))) == ["run-1"] * 5
        go.clear()
        watch.show(replace(a_checked_run(), id="run-2"))
        assert await asyncio.gather(*(drawing.newest(0.01) for _ in range(5))) == ["run-1"] * 5
        go.set()
        assert await drawing.newest(30) == "run-2"
        assert drawn == ["run-1", "run-2"]


async def test_a_drawing_that_fails_is_tried_again(tmp_path: Path) -> None:
    """Its failure is that of whoever waits for it."""
    failures = [ValueError("once")]

    def draw(state: EstateState) -> str:
        if failures:
            raise failures.pop()
        return state.run.id

    async with open_history(Folder(tmp_path / "state"), "contoso-crm") as history:
        drawing = Drawn(States(RunWatch(a_checked_run(), history, DrivenTime(), app.Options())), draw)
        with pytest.raises(ValueError, match="once"):
            await drawing.newest()
        assert await drawing.newest() == "run-1"


async def test_what_is_not_drawn_yet_may_be_done_without(tmp_path: Path) -> None:
    """A page that has more to show does not wait for it; it is drawn all the same, once."""
    go, drawn = threading.Event(), []

    def draw(state: EstateState) -> str:
        drawn.append(state.run.id)
        assert go.wait(30)
        return state.run.id

    async with open_history(Folder(tmp_path / "state"), "contoso-crm") as history:
        drawing = Drawn(States(RunWatch(a_checked_run(), history, DrivenTime(), app.Options())), draw)
        assert await drawing.at_hand(0) is None
        go.set()
        assert await drawing.newest() == "run-1"
        assert await drawing.at_hand(0) == "run-1"
        assert drawn == ["run-1"]


async def test_what_takes_long_rests_in_between(tmp_path: Path) -> None:
    """Of an estate that changes all the time not every state is drawn."""
    async with open_history(Folder(tmp_path / "state"), "contoso-crm") as history:
        watch = RunWatch(a_checked_run(), history, DrivenTime(), app.Options())
        drawing = Drawn(States(watch), lambda state: state.run.id, rests=1_000_000_000)
        assert await drawing.newest() == "run-1"
        watch.show(replace(a_checked_run(), id="run-2"))
        assert await drawing.newest(30) == "run-1"


async def test_a_state_is_indexed_once_and_anew_with_another_estate(tmp_path: Path) -> None:
    """As long as neither the run nor the estate is another object."""
    async with open_history(Folder(tmp_path / "state"), "contoso-crm") as history:
        watch = RunWatch(a_checked_run(), history, DrivenTime(), app.Options())
        states = States(watch)
        first = await states.newest()
        assert await states.newest() is first
        watch.show(replace(watch.run(), estate=replace(watch.estate)))
        second = await states.newest()
        assert second is not first
        assert second.names.estate is watch.estate


def test_what_an_estate_names_is_found_by_each_of_its_names() -> None:
    """An endpoint by id and subject, a mailbox by address and id in Dynamics; nothing by a part of them."""
    guid = "8c1e2f3a-0b4c-4d5e-9f60-718293a4b5c6"
    names = EstateNames(an_estate(replace(a_mailbox("Sales@branch.test"), id=guid), a_mailbox("info@contoso.test", "corp")))
    assert names.endpoint(POP) is names.endpoint(endpoint_id(POP)) is not None
    assert names.served == {EWS: 1, POP: 1, "smtp://smtp.branch.test:587": 1}
    for name in ("sales@branch.test", "SALES@BRANCH.TEST", guid, guid.upper()):
        found = names.mailbox(name)
        assert found is not None
        assert found.address == "Sales@branch.test"
    for name in ("", "sales", guid[:8], POP.upper(), endpoint_id(POP)[:11], "pop.branch.test"):
        assert names.endpoint(name) is None
        assert names.mailbox(name) is None
