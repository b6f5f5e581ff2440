"""The newest state, and what is drawn of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
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


@asynccontextmanager
async def followed(folder: Path, draw: Callable[[EstateState], str]) -> AsyncIterator[tuple[RunWatch, States, Drawn[str]]]:
    """The states of a watch, followed, and what is drawn of them."""
    async with open_history(Folder(folder / "state"), "contoso-crm") as history:
        watch = RunWatch(a_checked_run(), history, DrivenTime(), app.Options())
        states = States(watch)
        drawing = states.drawn(draw)
        await states.begin()
        following = asyncio.ensure_future(states.follow())
        yield watch, states, drawing
        following.cancel()


async def test_what_is_shown_is_drawn_before_anybody_asks(tmp_path: Path) -> None:
    """Once for each state, however many ask."""
    drawn: list[str] = []

    def draw(state: EstateState) -> str:
        drawn.append(state.run.id)
        return state.run.id

    async with followed(tmp_path, draw) as (watch, _, drawing):
        assert drawn == ["run-1"]
        assert await asyncio.gather(*(drawing.newest() for _ in range(5))) == ["run-1"] * 5
        await watch.show(replace(a_checked_run(), id="run-2"))
        assert await asyncio.gather(*(drawing.newest() for _ in range(5))) == ["run-2"] * 5
        assert drawn == ["run-1", "run-2"]


async def test_while_a_newer_state_is_drawn_the_one_before_is_shown(tmp_path: Path) -> None:
    """Nobody waits for it longer than they want to."""
    go = threading.Event()

    def draw(state: EstateState) -> str:
        assert state.run.id == "run-1" or go.wait(30)
        return state.run.id

    async with followed(tmp_path, draw) as (watch, states, drawing):
        showing = asyncio.ensure_future(watch.show(replace(a_checked_run(), id="run-2")))
        assert await asyncio.gather(*(drawing.newest(0.01) for _ in range(5))) == ["run-1"] * 5
        assert (await states.newest(0)).run.id == "run-1"
        go.set()
        await showing
        assert await drawing.newest(0) == "run-2"


async def test_a_state_that_cannot_be_drawn_costs_no_more_than_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What was drawn before is shown, the log says so, and the next state is drawn."""

    def draw(state: EstateState) -> str:
        if state.run.id == "run-2":
            raise ValueError("once")
        return state.run.id

    async with followed(tmp_path, draw) as (watch, _, drawing):
        await watch.show(replace(a_checked_run(), id="run-2"))
        assert await drawing.newest(0) == "run-1"
        assert "the newest state is not drawn" in caplog.text
        await watch.show(replace(a_checked_run(), id="run-3"))
        assert await drawing.newest(0) == "run-3"


async def test_a_part_in_which_nothing_is_new_is_not_drawn_again(tmp_path: Path) -> None:
    """As long as its run is the same object."""
    async with followed(tmp_path, lambda state: state.run.id) as (watch, states, _):
        before = await states.newest()
        await watch.show(replace(watch.run()))
        after = await states.newest()
        assert after is not before
        assert after.parts[0] is not before.parts[0]
        watch.show_state(replace(watch.state()))
        await states.after(after)
        assert (await states.newest()).parts[0] is after.parts[0]


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
