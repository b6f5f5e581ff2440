"""A service that is ended and begun again knows what it knew, and an estate that changes loses nothing of what stays."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from probe.alerts import AlertBook
from probe.config import read_estate
from probe.engine.observe import Progress
from probe.engine.plan import Plan
from probe.history import open_history
from probe.memory import Folder
from probe.model import vocabulary as v
from probe.model.attempts import Attempt
from probe.model.facts import Fact, Missing, Why
from probe.model.provenance import Observed
from probe.model.rules import SignedIn
from probe.model.runs import Run
from probe.service import rename_in
from probe.service.judging import judged
from probe.service.looks import Look
from probe.service.parts import EstatePart
from tests.service.driven import START, again, driven, run_now
from tests.service.world import down, estate_text, url_of

TEXT = estate_text(2, 2)
HOUR = timedelta(hours=1)


async def test_what_was_known_is_known_after_a_restart(tmp_path: Path) -> None:
    """After a restart every verdict is there before anything is looked at, and nothing is told anew."""
    service = driven(tmp_path, TEXT)
    await service.run(START + 3 * HOUR)
    held = service.world.held.total()
    verdicts = {one.mailbox: (one.support, one.readiness, one.signed_in) for one in run_now(service.watcher).assessments}
    assert verdicts["m0@p0.contoso.test"][2] is SignedIn.YES
    service = again(tmp_path, service, TEXT)
    service.clock.until = service.clock.now()
    async with service.begun() as watcher:
        service.clock.stop.set()
        await watcher.run(service.clock.stop)
    assert {one.mailbox: (one.support, one.readiness, one.signed_in) for one in run_now(watcher).assessments} == verdicts
    assert service.world.held.total() == held
    await service.run(START + 6 * HOUR)
    assert service.told == []


async def test_what_lasts_over_a_restart_is_told_once(tmp_path: Path) -> None:
    """A server that is down before and after a restart is told of once; when it is back, so is that."""
    service = driven(tmp_path, TEXT)
    service.clock.at(START + HOUR, lambda: service.world.change(url_of(0), down()))
    await service.run(START + 2 * HOUR)
    assert len(service.told) == 1
    service = again(tmp_path, service, TEXT)
    await service.run(START + 3 * HOUR)
    assert service.told == []
    service.world.restore(url_of(0))
    service = again(tmp_path, service, TEXT)
    await service.run(START + 4 * HOUR)
    assert [title.partition("]")[0] for title in service.titles()] == ["[RECOVERED"]


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_what_the_estate_has_no_more_is_not_told_as_over(tmp_path: Path, *, is_restarted: bool) -> None:
    """A server that is down, and is taken out of the estate, is told as watched no more, be it while the service runs or before it is started anew."""
    service, smaller = driven(tmp_path, TEXT), estate_text(1, 2)
    service.clock.at(START + HOUR, lambda: service.world.change(url_of(1), down()))
    if not is_restarted:
        service.clock.at(START + 2 * HOUR, lambda: service.reload_with(read_estate(smaller, "estate.toml")))
    await service.run(START + 3 * HOUR)
    titles = service.titles()
    if is_restarted:
        service = again(tmp_path, service, smaller)
        await service.run(START + 4 * HOUR)
        titles += service.titles()
    assert [title.partition("]")[0] for title in titles] == ["[WARNING", "[NO LONGER WATCHED"]
    assert url_of(1) in titles[1]


@pytest.mark.parametrize("profiles", [1, 2], ids=["theirs alone", "shared"])
async def test_what_lasts_is_not_over_while_another_endpoint_is_new(tmp_path: Path, profiles: int) -> None:
    """Where mailboxes get another incoming server, the outgoing one that is down lasts: it is neither told as over nor anew, be it theirs alone or not."""
    text = estate_text(profiles, 1).replace('authentication = "ntlm"', f'outgoing = "{url_of(8)}"\nauthentication = "ntlm"')
    service = driven(tmp_path, text)
    service.clock.at(START + HOUR, lambda: service.world.change(url_of(8), down()))
    moved = read_estate(text.replace("//ex0.", "//ex7."), "estate.toml")
    service.clock.at(START + 2 * HOUR, lambda: service.reload_with(moved))
    await service.run(START + 4 * HOUR)
    (title,) = service.titles()
    assert url_of(8) in title


async def test_a_deployment_that_was_renamed_goes_on_as_it_was(tmp_path: Path) -> None:
    """Under the new name of its deployment a service tells nothing anew, signs in to nobody sooner, and tells the end of what began under the old one."""
    service = driven(tmp_path, TEXT)
    service.clock.at(START + HOUR, lambda: service.world.change(url_of(0), down()))
    await service.run(START + 2 * HOUR)
    assert len(service.told) == 1
    async with open_history(Folder(tmp_path), "fabrikam") as history:
        assert await history.rename("contoso-crm", "fabrikam")
    rename_in(Folder(tmp_path), "contoso-crm", "fabrikam")
    service = again(tmp_path, service, TEXT.replace('"contoso-crm"', '"fabrikam"'))
    service.clock.at(START + 3 * HOUR, lambda: service.world.restore(url_of(0)))
    await service.run(START + 4 * HOUR)
    assert [title.partition("]")[0] for title in service.titles()] == ["[RECOVERED"]
    with AlertBook(Folder(tmp_path), None).opened() as page:
        assert page.incidents() == []
    of_canary = [at for at, _, _, mailbox in service.world.times if mailbox == "m0@p1.contoso.test"]
    assert len(of_canary) >= 3
    assert all(later - sooner >= HOUR for sooner, later in pairwise(of_canary))


async def test_what_came_while_nobody_watched_is_told_after_it(tmp_path: Path) -> None:
    """A server that goes down while the service is stopped is told of once it is back."""
    service = driven(tmp_path, TEXT)
    await service.run(START + HOUR)
    service.world.change(url_of(1), down())
    service = again(tmp_path, service, TEXT)
    await service.run(START + 2 * HOUR)
    assert len(service.told) == 1
    assert url_of(1) in service.titles()[0]


async def test_an_estate_that_grows_keeps_what_is_known(tmp_path: Path) -> None:
    """An estate that is reloaded with one more server keeps what is known of the others, and tells nothing of it."""
    service = driven(tmp_path, TEXT)
    service.clock.until = START + 4 * HOUR
    async with service.begun() as watcher:
        grown = read_estate(estate_text(3, 2), "estate.toml")
        service.clock.at(START + 2 * HOUR, lambda: service.reload_with(grown))
        await watcher.run(service.clock.stop)
    assert len(run_now(service.watcher).assessments) == 6
    assert service.told == []


async def test_what_is_kept_over_a_reload_is_named_as_the_new_estate_names_it(tmp_path: Path) -> None:
    """Where an estate gets a mailbox before others, no two attempts of the state share a name, and evidence names the attempt that it is from."""
    service = driven(tmp_path, estate_text(2, 2))
    await service.run(START + 2 * HOUR)
    service = again(tmp_path, service, estate_text(2, 3))
    async with service.begun() as watcher:
        service.clock.stop.set()
        await watcher.run(service.clock.stop)
    run = run_now(watcher)
    attempts = {one.id: one for one in run.attempts}
    assert len(attempts) == len(run.attempts)
    cited = [
        (evidence.attempt, reading)
        for reading in run.readings
        if isinstance(reading, Fact) and isinstance(reading.provenance, Observed)
        for evidence in reading.provenance.evidence
    ]
    assert len(cited) > 50
    for name, reading in cited:
        assert (attempts[name].subject, attempts[name].mailbox) in ((reading.subject, reading.mailbox), (reading.subject, reading.subject))


@pytest.mark.parametrize("restarts", [0, 1, 2])
async def test_another_account_is_not_known_by_what_the_old_one_saw(tmp_path: Path, restarts: int) -> None:
    """Under another way to sign in, what was seen by the old one does not count: once the estate is changed, and after as many restarts as there are."""
    service = driven(tmp_path, TEXT)
    other = TEXT.replace('authentication = "ntlm"', 'authentication = "basic"')
    if not restarts:
        service.clock.at(START + 3 * HOUR, lambda: service.reload_with(read_estate(other, "estate.toml")))
    await service.run(START + 3 * HOUR)
    for _ in range(max(restarts, 1)):
        service = again(tmp_path, service, other)
        async with service.begun() as watcher:
            service.clock.stop.set()
            await watcher.run(service.clock.stop)
            stale = [
                reading
                for reading in run_now(watcher).readings
                if isinstance(reading, Missing) and reading.why is Why.STALE and reading.key == v.AUTH_ACCEPTED
            ]
        assert {reading.mailbox for reading in stale} >= {"m0@p0.contoso.test"}


async def test_the_next_day_is_judged_by_its_date(tmp_path: Path) -> None:
    """At midnight everything is judged for the new day, without a look."""
    service = driven(tmp_path, estate_text(1, 1))
    await service.run(START + 14 * HOUR)
    assert run_now(service.watcher).judged_at == (START + 14 * HOUR).date()


async def test_an_estate_that_changes_while_it_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reload waits for a judgement that is under way: no part of the old estate is judged into the new one, and nothing is told of either."""
    service = driven(tmp_path, estate_text(3, 2))
    is_judging, goes_on = threading.Event(), threading.Event()

    def slowly(part: EstatePart, looks: Sequence[Look], *arguments: Any) -> Run:
        if part.number == 2 and looks:
            is_judging.set()
            assert goes_on.wait(20)
        return judged(part, looks, *arguments)

    monkeypatch.setattr("probe.service.concluding.judged", slowly)
    service.clock.until = START + HOUR
    async with service.begun() as watcher, asyncio.TaskGroup() as group:
        group.create_task(watcher.run(service.clock.stop))
        assert await asyncio.to_thread(is_judging.wait, 20)
        reloading = group.create_task(watcher.reload(read_estate(TEXT, "estate.toml")))
        await asyncio.wait([reloading], timeout=0.5)
        goes_on.set()
    assert [one.mailbox for one in run_now(watcher).assessments] == [box.address for box in watcher.estate.mailboxes]
    assert len(watcher.estate.mailboxes) == 4
    assert url_of(1) in {attempt.subject for attempt in run_now(watcher).attempts}
    assert url_of(2) not in {attempt.subject for attempt in run_now(watcher).attempts}
    assert service.told == []


async def test_an_estate_that_is_taken_up_brings_whom_it_names_with_it(tmp_path: Path) -> None:
    """What is found of it is told to its own targets from its first judgement on; those that only the estate before named hear no more."""
    service = driven(tmp_path, estate_text(1, 1, '[alerts]\nto = ["env:BEFORE"]\n'))
    at, other = START + HOUR, read_estate(estate_text(2, 1, '[alerts]\nto = ["env:AFTER"]\n'), "estate.toml")
    service.world.change(url_of(1), down())
    service.clock.at(at - HOUR / 2, lambda: service.world.change(url_of(0), down()))
    service.clock.at(at, lambda: service.reload_with(other))
    await service.run(at + HOUR)
    before = {target for (when, _), target in zip(service.told, service.targets, strict=True) if when < at}
    after = {target for (when, _), target in zip(service.told, service.targets, strict=True) if when >= at}
    assert before == {"env:BEFORE", "log"}
    assert after == {"env:AFTER", "log"}


async def test_a_look_under_way_while_the_estate_changes_tells_what_it_asked(tmp_path: Path) -> None:
    """What an account signed in by NTLM says nothing of it once the estate wants Basic, and its attempts have the names of the new plan."""
    service = driven(tmp_path, estate_text(2, 2))
    other = read_estate(estate_text(2, 3).replace('authentication = "ntlm"', 'authentication = "basic"'), "estate.toml")
    hold, changed = service.world.hold, False

    async def hold_while_it_changes(plan: Plan, stop: asyncio.Event, progress: Progress | None = None) -> tuple[Attempt, ...]:
        nonlocal changed
        attempts = await hold(plan, stop, progress)
        if not changed and any(one.login is not None and one.not_held is None for one in plan.conversations):
            changed = True
            await service.watcher.reload(other)
            service.clock.until = service.clock.now()
        return attempts

    service.world.hold = hold_while_it_changes  # type: ignore[method-assign]
    service.clock.until = START + 30 * HOUR
    async with service.begun() as watcher:
        await watcher.run(service.clock.stop)
    assert changed
    run = run_now(watcher)
    assert not [one for one in run.readings if isinstance(one, Fact) and one.key == v.AUTH_ACCEPTED]
    names = [attempt.id for attempt in run.attempts]
    assert len(names) == len(set(names))
    assert all(one.signed_in is not SignedIn.YES for one in run.assessments)


async def test_a_check_has_what_is_judged_of_an_estate_that_was_just_taken_up(tmp_path: Path) -> None:
    """Right after a reload nothing is judged; who asks then waits for that."""
    service = driven(tmp_path, TEXT)
    service.clock.until = START + HOUR
    async with service.begun() as watcher, asyncio.TaskGroup() as group:
        group.create_task(watcher.run(service.clock.stop))
        await watcher.judged_of(url_of(0))
        await watcher.reload(read_estate(estate_text(3, 2), "estate.toml"))
        assert [len((await watcher.judged_of(url_of(number))).assessments) for number in range(3)] == [2, 2, 2]
