"""What the service shows: the pages and the API say of its parts what they would say of the whole run, whatever changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from probe import app
from probe.config import read_estate
from probe.model.runs import Run
from probe.outlook import Coming
from probe.service import parts
from probe.service.resting import RestingRun
from probe.service.showing import ShownState
from probe.web import WatchedState
from probe.web.ahead import joined
from probe.web.documents import SignInTimes, endpoint_detail, judged_mailbox, mailbox_detail, mailbox_line, summary
from probe.web.monitoring import of_the_estate
from probe.web.pages.estate import EstateView, Wanted
from probe.web.parts import OpenParts, PartState, PublishedPart
from probe.web.state import EstateNames, EstateState
from tests.runs import a_checked_run
from tests.service.driven import START, Driven, driven, run_now
from tests.service.world import down, estate_text, url_of

MAINTENANCE = '[schedule]\nmaintenance = ["Mon 13:00-14:00"]\n'


def state_of(watched: WatchedState) -> EstateState:
    assert watched.whole.estate is not None
    return EstateState(watched, EstateNames(watched.whole.estate), [part for _, part in sorted(watched.parts.items())], OpenParts())


def part_of(run: Run) -> PartState:
    """A run as the only part of an estate."""
    return PartState(RestingRun(run), PublishedPart.of(run))


def as_one(whole: Run, run: Run) -> EstateState:
    """The state of which all that is known is one part."""
    return state_of(WatchedState(whole=whole, parts={0: part_of(run)}))


def told(state: EstateState) -> dict[str, Any]:
    """All that is told of a state, by the API, by the page and as metrics."""
    view, names = EstateView(state), state.names
    found = [judged_mailbox(state, mailbox.address) for mailbox in names.estate.mailboxes]
    lines, _, total = view.found(Wanted(q="@"), 1)
    return {
        "summary": summary(state),
        "lines": [mailbox_line(state.in_short(mailbox) or {}, mailbox) for mailbox, _ in found],
        "mailboxes": [
            mailbox_detail(state, mailbox, assessment, (), None, SignInTimes(None, lambda at: at)) for mailbox, assessment in found
        ],
        "endpoints": [endpoint_detail(state, endpoint, None, (), ()) for endpoint in names.endpoints.values()],
        "page": (view.summary, view.causes, view.advice, view.endpoints, lines, total),
        "metrics": sorted(of_the_estate(state).splitlines()),
    }


@pytest.mark.parametrize("few", [50, 0], ids=["at hand", "resting"])
async def test_parts_are_told_of_as_the_whole_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """After looks, after a server went down, after the estate was taken up anew with maintenance in it, and on the next day."""
    monkeypatch.setattr(parts, "_FEW_PARTS", few)
    service = driven(tmp_path, estate_text(3, 2))
    shown: list[tuple[WatchedState, Run]] = []

    def at(minutes: float, do: Callable[[], None]) -> None:
        service.clock.at(START + timedelta(minutes=minutes), do)

    def look() -> None:
        shown.append((service.watcher.shown.now, run_now(service.watcher)))

    at(10, look)
    at(11, lambda: service.world.change(url_of(1), down()))
    at(25, look)
    at(26, lambda: service.reload_with(read_estate(estate_text(4, 3, MAINTENANCE), "estate.toml")))
    at(40, look)
    at(12 * 60 + 30, look)
    await service.run(START + timedelta(hours=13))
    assert [len(state.parts) for state, _ in shown] == [3, 3, 4, 4]
    assert shown[-1][0].whole.judged_at > shown[0][0].whole.judged_at
    before: dict[str, Any] = {}
    for watched, run in shown:
        now = told(state_of(watched))
        assert now == told(as_one(watched.whole, run))
        assert now["summary"]["mailboxes"] == now["page"][-1] == len(run.assessments)
        assert now["summary"]["unjudged"] == 0
        assert now["summary"] != before
        before = now["summary"]


async def test_only_what_changed_is_another_part(tmp_path: Path) -> None:
    """The rest is the same object, so that it is not drawn again."""
    service = driven(tmp_path, estate_text(3, 2, '[schedule]\nposture = "off"\n', allow="[]"))
    shown: list[WatchedState] = []
    service.clock.at(START + timedelta(minutes=10), lambda: shown.append(service.watcher.shown.now))
    service.clock.at(START + timedelta(minutes=11), lambda: service.world.change(url_of(1), down()))
    service.clock.at(START + timedelta(minutes=25), lambda: shown.append(service.watcher.shown.now))
    await service.run(START + timedelta(minutes=26))
    before, after = shown
    assert [number for number in after.parts if after.parts[number] is not before.parts[number]] == [1]
    assert after.whole.finished > before.whole.finished


@pytest.mark.parametrize("few", [50, 0], ids=["at hand", "resting"])
async def test_what_is_kept_is_shown_before_the_first_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """After a restart, as soon as it is judged."""
    monkeypatch.setattr(parts, "_FEW_PARTS", few)
    first = driven(tmp_path, estate_text(2, 2))
    await first.run(START + timedelta(minutes=20))
    again = Driven(tmp_path, first.estate, first.clock, first.world)
    held = again.world.held.total()
    async with again.begun() as watcher:
        assert watcher.shown.now.parts == {}
        again.clock.stop = asyncio.Event()
        again.clock.stop.set()
        await watcher.run(again.clock.stop)
        now = told(state_of(watcher.shown.now))
    assert again.world.held.total() == held
    assert all(line["up"] for line in now["endpoints"])
    assert now == told(as_one(watcher.shown.now.whole, run_now(watcher)))


async def test_as_much_as_is_judged_is_shown_in_the_beginning_alone() -> None:
    """Later the state before is shown until all of the new one is judged."""
    run = a_checked_run()
    whole = replace(run, attempts=(), readings=(), assessments=())
    shown, judging, known = ShownState(whole), asyncio.get_running_loop().create_future(), {0: part_of(run)}
    showing = asyncio.ensure_future(shown.show_while(judging, whole, known, 2))
    await shown.otherwise(shown.now)
    assert [*shown.now.parts] == [0]
    assert state_of(shown.now).unjudged == 0
    known[1] = part_of(run)
    judging.set_result(None)
    await showing
    shown.show(whole, known)
    later = shown.now
    never = asyncio.get_running_loop().create_future()
    assert run.estate is not None
    for another in (whole, replace(whole, estate=replace(run.estate))):
        await shown.show_while(never, another, {}, 2)
    assert shown.now is later


async def test_what_comes_of_parts_is_what_comes_of_the_whole(tmp_path: Path) -> None:
    """The same ends on the same days, for the same mailboxes."""
    service = driven(tmp_path, estate_text(2, 2))
    await service.run(START + timedelta(minutes=10))
    run, known = run_now(service.watcher), service.watcher.shown.now.parts.values()
    until = run.judged_at + timedelta(days=400)

    def comparable(coming: list[Coming]) -> set[object]:
        return {(one.day, one.rule, one.words, frozenset(one.endpoints), frozenset(one.mailboxes)) for one in coming}

    whole = app.outlook(run, until)
    assert whole
    assert comparable(joined(one for part in known for one in app.outlook(part.known.run(), until))) == comparable(whole)
