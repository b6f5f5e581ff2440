"""What is packed until somebody asks for it: it is what it was, whoever asks, and few values stay unpacked."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from probe.model import vocabulary as v
from probe.model.runs import Run
from probe.service import parts
from probe.service.resting import Resting, RestingPlace, RestingRun
from tests.runs import a_checked_run, a_fact, an_attempt
from tests.service.driven import START, driven, run_now
from tests.service.world import down, estate_text, url_of


def resting(run: Run) -> RestingRun:
    """A run that is packed."""
    place = RestingPlace(most_awake=0)
    return RestingRun(run, place)


def test_a_run_is_what_it_was() -> None:
    """Each attempt with its transcript, each reading with its provenance, each finding with its rule: equal, and keys and rules the same objects."""
    run = a_checked_run()
    again = resting(run).run()
    assert again == run
    assert again.readings[0] is not run.readings[0]
    assert [list(one.transcript) for one in again.attempts] == [list(one.transcript) for one in run.attempts]
    assert all(one.key is other.key for one, other in zip(again.readings, run.readings, strict=True))
    findings = [[f.rule for a in one.assessments for f in a.findings] for one in (again, run)]
    assert findings[0]
    assert all(one is other for one, other in zip(*findings, strict=True))
    assert (resting(run).finished, resting(run).judged_at) == (run.finished, run.judged_at)


async def test_what_a_service_knows_is_what_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service of which all rests tells what one tells of which nothing does, after servers went down, certificates changed and a restart."""
    runs: list[Run] = []
    for few in (50, 0):
        monkeypatch.setattr(parts, "_FEW_PARTS", few)
        service = driven(tmp_path / str(few), estate_text(3, 2))
        service.clock.at(START + timedelta(minutes=11), lambda service=service: service.world.change(url_of(1), down()))  # type: ignore[misc]
        await service.run(START + timedelta(hours=2))
        runs.append(run_now(service.watcher))
        await service.run(START + timedelta(hours=3))
        runs.append(run_now(service.watcher))
    assert runs[:2] == runs[2:]
    assert runs[0] != runs[1]


def test_the_one_that_was_unpacked_first_is_packed_again() -> None:
    """As many as may be are the very objects that were put there; asked for again, another is let go of."""
    place = RestingPlace(most_awake=2)
    values = [[f"value {number}"] for number in range(3)]
    one, two, three = (Resting(value, place) for value in values)
    assert one.get() is not values[0]
    assert one.get() == values[0]
    assert three.get() is values[2]
    assert two.get() is not values[1]
    assert Resting(values[0]).get() is values[0]


def test_what_is_alike_takes_little_room() -> None:
    """A second value that differs from the first in a word takes a tenth of it; where all differ, each is packed beside one of few all the same."""
    place = RestingPlace()

    def attempt(server: str) -> Any:
        return an_attempt(
            1, f"pop3s://{server}:995", said=[f"+OK {server} ready.", *(f"+OK this is line {n} of {n * n}" for n in range(40))]
        )

    first, second = (len(place.packed(attempt(server))[0]) for server in ("one.contoso.test", "two.fabrikam.test"))
    assert second * 10 < first
    other = random.Random(1)
    beside = [place.packed(other.randbytes(3000))[1] for _ in range(300)]
    assert 3 <= len(set(beside)) <= 6  # each of these stays as long as those that are packed beside it


def test_what_cannot_be_packed_stays_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """A value of a kind that nobody thought of costs room, is told, and nothing else is lost."""
    fact = a_fact(v.SERVER_PRODUCT, "Dovecot")
    unpackable: tuple[object, Callable[[], None]] = (fact, lambda: None)
    place = RestingPlace(most_awake=0)
    with caplog.at_level(logging.ERROR):
        one = Resting(unpackable, place)
    assert one.get() is unpackable
    assert "a bug in probe" in caplog.text


def test_any_thread_may_ask() -> None:
    """Threads that ask for more values than stay unpacked each have what they asked for."""
    place = RestingPlace(most_awake=2)
    held = [Resting([number] * 50, place) for number in range(20)]
    wrong: list[int] = []

    def ask(step: int) -> None:
        for turn in range(2000):
            number = turn * step % len(held)
            if held[number].get() != [number] * 50:
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(step,)) for step in (1, 3, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
