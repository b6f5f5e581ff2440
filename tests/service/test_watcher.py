"""The service over a driven clock and a modelled world: what is looked at, believed, recorded and told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from probe.engine.observe import Progress
from probe.engine.plan import Plan
from probe.model import vocabulary as v
from probe.model.attempts import Attempt, Outcome
from probe.model.refusals import Refusal
from probe.model.runs import Run
from probe.service import concluding
from probe.service.judging import judged
from probe.service.looks import Look, LookKey, Topic
from probe.service.parts import EstatePart
from tests.service.driven import START, driven
from tests.service.world import down, estate_text, telling, url_of

DOWN = f"contoso-crm: {url_of(0)} refused the connection"


async def test_an_estate_where_nothing_changes_is_told_of_nothing(tmp_path: Path) -> None:
    """Of an estate where everything works and nothing changes, nobody is told anything in two days."""
    service = driven(tmp_path, estate_text(2, 2))
    await service.run(START + timedelta(days=2))
    assert service.titles() == []
    assert service.world.held["ews-anonymous", url_of(0), None] == 2 * 24 * 12
    assert service.schedule.missed == 0


async def test_a_server_that_goes_down_is_told_of_once_with_its_mailboxes_and_once_when_it_is_back(tmp_path: Path) -> None:
    """A server that goes down is told of once, by one message for all its mailboxes, and its recovery once."""
    service = driven(tmp_path, estate_text(2, 300))
    service.clock.at(START + timedelta(hours=2), lambda: service.world.change(url_of(0), down()))
    service.clock.at(START + timedelta(hours=5), lambda: service.world.restore(url_of(0)))
    await service.run(START + timedelta(hours=8))
    began, over = (message for _, message in service.told)
    assert (began.title, over.title) == (f"[WARNING] {DOWN}", f"[RECOVERED] {DOWN}")
    assert began.thread == over.thread
    for message in (began, over):
        lines = [(line.label, line.text) for line in message.lines]
        assert [text for label, text in lines if label == "Cause"] == ["the server refused the connection"]
        (mailboxes,) = [text for label, text in lines if label == "Mailboxes"]
        assert mailboxes.startswith("300: m0@p0.contoso.test, ")
        assert "p1" not in mailboxes
        assert [text for label, text in lines if label == "In the server's words"] == ["the connection was refused"]


async def test_an_account_that_is_refused_is_told_of_where_no_endpoint_is_looked_at(tmp_path: Path) -> None:
    """With `quick = "off"` nothing waits for a look at an endpoint: an account that is refused is told of, and that it is accepted again."""
    service, canary = driven(tmp_path, estate_text(1, 2, '[schedule]\nquick = "off"\n')), "m0@p0.contoso.test"
    for change in (telling(v.AUTH_ACCEPTED, False), telling(v.AUTH_REFUSAL, (Refusal.BAD_CREDENTIALS,), "401 Unauthorized")):
        service.clock.at(START + timedelta(hours=3), partial(service.world.change, canary, change))
    service.clock.at(START + timedelta(hours=6), lambda: service.world.restore(canary))
    await service.run(START + timedelta(hours=9))
    assert [title.partition("]")[0] for title in service.titles()] == ["[CRITICAL", "[RECOVERED"]
    assert service.world.held["ews-anonymous", url_of(0), None] == 0


async def test_a_bug_in_one_part_costs_the_others_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A part whose judgement fails is logged by its place alone; the others are judged, today's date and all, and told of."""
    service = driven(tmp_path, estate_text(3, 1))

    def failing(part: EstatePart, *arguments: Any) -> Run:
        if part.number == 1 and service.clock.now() > START + timedelta(hours=1):
            raise RuntimeError("Correct-Horse-7")
        return judged(part, *arguments)

    monkeypatch.setattr("probe.service.concluding.judged", failing)
    service.clock.at(START + timedelta(hours=2), lambda: service.world.change(url_of(2), down()))
    await service.run(START + timedelta(hours=13))
    assert len(service.told) == 1
    assert url_of(2) in service.titles()[0]
    days = {number: part.known.judged_at for number, part in service.watcher.shown.now.parts.items()}
    assert days == {0: START.date() + timedelta(days=1), 1: START.date(), 2: START.date() + timedelta(days=1)}
    assert "Correct-Horse-7" not in caplog.text
    assert "bug" in caplog.messages


async def test_a_blip_is_told_to_nobody(tmp_path: Path) -> None:
    """What one look finds, and the next does not, is told to nobody."""
    service = driven(tmp_path, estate_text(1, 1))
    service.clock.at(START + timedelta(hours=2), lambda: service.world.change_once(url_of(0), down()))
    await service.run(START + timedelta(hours=4))
    assert service.titles() == []
    assert service.watcher.unconfirmed == 1


async def test_a_build_that_changes_is_drift_and_told_once(tmp_path: Path) -> None:
    """A change of what a server is made of is told once, with what it was and what it is."""
    service = driven(tmp_path, estate_text(1, 3))
    service.clock.at(
        START + timedelta(hours=2), lambda: service.world.change(url_of(0), telling(v.AUTH_SCHEMES, ("NTLM",), "WWW-Authenticate: NTLM"))
    )
    await service.run(START + timedelta(hours=4))
    assert len(service.told) == 1


async def test_a_server_that_comes_back_as_another_is_told_of_as_that_too(tmp_path: Path) -> None:
    """What changed while a server did not answer is drift: its recovery says nothing of it, so that both are told."""
    service = driven(tmp_path, estate_text(1, 3))

    def come_back() -> None:
        service.world.restore(url_of(0))
        service.world.change(url_of(0), telling(v.AUTH_SCHEMES, ("NTLM",), "WWW-Authenticate: NTLM"))

    service.clock.at(START + timedelta(hours=2), lambda: service.world.change(url_of(0), down()))
    service.clock.at(START + timedelta(hours=5), come_back)
    await service.run(START + timedelta(hours=8))
    assert [title.split("]")[0] for title in service.titles()] == ["[WARNING", "[RECOVERED", "[INFORMATION"]
    _, drift = service.told[-1]
    assert "auth.schemes changed" in drift.title
    labels = [line.label for line in drift.lines]
    assert "What changed" in labels
    assert "In the server's words" not in labels


@pytest.mark.parametrize(("seconds", "minutes"), [(2700.0, 45), (None, 15)])
async def test_a_server_that_asks_for_a_pause_has_it(tmp_path: Path, seconds: float | None, minutes: int) -> None:
    """A server that says for how long it wants to be left alone is neither looked at nor signed in to until then; without a word of that, for a quarter of an hour."""
    service = driven(tmp_path, estate_text(2, 1))

    def busy(attempt: Attempt) -> Attempt:
        return replace(down(Outcome.THROTTLED, "the server asks for patience: HTTP 503")(attempt), pause_seconds=seconds)

    looks: dict[str, list[datetime]] = {url_of(0): [], url_of(1): []}
    hold = service.world.hold

    async def holding(plan: Plan, stop: asyncio.Event, progress: Progress | None = None) -> tuple[Attempt, ...]:
        for url in {one.endpoint.url for one in plan.conversations if one.not_held is None}:
            looks[url].append(service.clock.now())
        return await hold(plan, stop, progress)

    service.world.hold = holding  # type: ignore[method-assign]
    service.clock.at(START + timedelta(hours=1), lambda: service.world.change_once(url_of(0), busy))
    await service.run(START + timedelta(hours=3))
    apart = {url: max(second - first for first, second in pairwise(times)) for url, times in looks.items()}
    assert timedelta(minutes=minutes) <= apart[url_of(0)] <= timedelta(minutes=minutes + 5)
    assert apart[url_of(1)] <= timedelta(minutes=6)


async def test_a_look_that_comes_while_a_part_is_judged_counts_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mailbox behind an endpoint that is believed to be up while it is judged without is not judged as if the endpoint had been looked at and said nothing."""
    service = driven(tmp_path, estate_text(1, 1))
    service.clock.until = START + timedelta(minutes=6)
    async with service.begun() as watcher:
        await watcher.run(service.clock.stop)
        known, key = watcher._known, LookKey(Topic.ENDPOINT, url_of(0))
        at_endpoint = known.look(key)
        assert at_endpoint is not None
        del known.believed[key]

        def judged_meanwhile(part: EstatePart, looks: Iterable[Look], *rest: Any) -> Run:
            run = judged(part, looks, *rest)
            known.believe(at_endpoint)
            return run

        monkeypatch.setattr(concluding, "judged", judged_meanwhile)
        watcher.concluded.judge([0], known, {}, watcher._bare, service.clock.now())
    assert key in known.believed
    assert watcher.concluded.wrong[0].unlooked == {"m0@p0.contoso.test"}
