"""What changed is told once, however the service ends; what changes back and forth is told as that."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from probe.alerts import Alerts
from probe.history import History, HistoryChange, HistoryUnavailable
from probe.memory import MemoryUnavailable
from probe.model import vocabulary as v
from probe.service.keeping import KeptLooks
from tests.service.driven import START, Driven, DrivenClock, again, driven
from tests.service.world import down, estate_text, telling, url_of

TEXT = estate_text(1, 2)
HOUR = timedelta(hours=1)
NTLM = telling(v.AUTH_SCHEMES, ("NTLM",), "WWW-Authenticate: NTLM")
OTHER_KEY = telling(v.CERTIFICATE_KEY, "rsa-4096")


def about(service: Driven) -> list[str]:
    """What was told, without place and subject."""
    return [title.replace("contoso-crm: ", "").replace(f"{url_of(0)}: ", "") for title in service.titles()]


def words(service: Driven, number: int) -> str:
    return next(line.text for line in service.told[number][1].lines if line.label == "What changed")


def swap(service: Driven, begin: timedelta, minutes: int, times: int) -> None:
    """From then on, every so many minutes, the endpoint is the other of two."""
    for number in range(times):
        do = partial(service.world.restore, url_of(0)) if number % 2 else partial(service.world.change, url_of(0), NTLM)
        service.clock.at(START + begin + number * timedelta(minutes=minutes), do)


async def test_wherever_the_service_is_killed_each_change_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever of what was found, recorded and told is on the disk when it is killed: begun again, it tells each change once, and none that was not."""
    service = driven(tmp_path / "state", TEXT)
    killed: list[tuple[Path, list[str]]] = []

    def kill_before(owner: type, name: str) -> None:
        work = getattr(owner, name)

        def killed_there(*arguments: Any, **named: Any) -> Any:
            if service.clock.now() > START + HOUR and not killed_again:
                copy = tmp_path / f"killed-{len(killed)}"
                shutil.copytree(tmp_path / "state", copy)
                killed.append((copy, about(service)))
            return work(*arguments, **named)

        monkeypatch.setattr(owner, name, killed_there)

    killed_again: list[bool] = []
    for owner, name in ((History, "record"), (KeptLooks, "keep"), (Alerts, "settle"), (Alerts, "deliver")):
        kill_before(owner, name)
    service.clock.at(START + HOUR, lambda: service.world.change(url_of(0), NTLM))
    await service.run(START + HOUR + timedelta(minutes=8))
    assert about(service) == ["[INFORMATION] auth.schemes changed"]
    killed_again.append(True)
    assert len(killed) > 3
    service.world.change(url_of(0), OTHER_KEY)
    for copy, told in killed:
        restarted = Driven(copy, service.estate, DrivenClock(START + HOUR + timedelta(minutes=10)), service.world)
        await restarted.run(START + HOUR + timedelta(minutes=25))
        keys = Counter(
            key for title in (*told, *about(restarted)) for key in title.removeprefix("[INFORMATION] ").removesuffix(" changed").split(", ")
        )
        assert keys == {"auth.schemes": 1, "certificate.key": 1}, copy


async def test_what_changes_back_and_forth_is_told_once_and_once_when_it_stays(tmp_path: Path) -> None:
    """Of servers of two kinds behind one name the first change is told, then that they alternate, and at last between what, how often, and that it is over."""
    service = driven(tmp_path, TEXT)
    swap(service, HOUR, minutes=10, times=13)
    await service.run(START + 6 * HOUR)
    assert about(service) == [
        "[INFORMATION] auth.schemes changed",
        "[INFORMATION] auth.schemes changed back and forth",
        "[RECOVERED] auth.schemes changed back and forth",
    ]
    between = "auth.schemes: has changed between Negotiate, NTLM, Basic and NTLM"
    assert words(service, 1).startswith(f"{between} 2 times since 2026-11-30 13:")
    assert words(service, 2).startswith(f"{between} 13 times since 2026-11-30 13:")
    last_swap, over = START + 3 * HOUR, service.told[2][0]
    assert HOUR <= over - last_swap <= HOUR + timedelta(minutes=10)


async def test_what_changes_back_and_forth_is_told_once_over_a_restart(tmp_path: Path) -> None:
    """A service that is begun again knows what alternates, and tells neither that nor a change of it anew."""
    service = driven(tmp_path, TEXT)
    swap(service, HOUR, minutes=10, times=8)
    await service.run(START + HOUR + timedelta(minutes=35))
    assert len(service.told) == 2
    service = again(tmp_path, service, TEXT)
    await service.run(START + 5 * HOUR)
    assert about(service) == ["[RECOVERED] auth.schemes changed back and forth"]
    assert "8 times since" in words(service, 0)


async def test_what_alternated_before_a_start_is_over_once_it_was_watched_for_as_long(tmp_path: Path) -> None:
    """A service that was not there for hours does not know that nothing changed meanwhile: it watches for an hour before it tells so."""
    service = driven(tmp_path, TEXT)
    swap(service, HOUR, minutes=10, times=4)
    await service.run(START + HOUR + timedelta(minutes=45))
    assert len(service.told) == 2
    service = Driven(tmp_path, service.estate, DrivenClock(START + 6 * HOUR), service.world)
    await service.run(START + 9 * HOUR)
    ((at, _),) = service.told
    assert about(service) == ["[RECOVERED] auth.schemes changed back and forth"]
    assert 7 * HOUR <= at - START <= 7 * HOUR + timedelta(minutes=5)


async def test_what_else_changes_is_told_all_the_same(tmp_path: Path) -> None:
    """A value that was not there before is news, and so is another key, though something of the endpoint alternates."""
    service = driven(tmp_path, TEXT)
    swap(service, HOUR, minutes=10, times=4)
    at = START + HOUR + timedelta(minutes=40)
    service.clock.at(
        at, lambda: service.world.change(url_of(0), telling(v.AUTH_SCHEMES, ("Negotiate", "NTLM"), "WWW-Authenticate: Negotiate"))
    )
    service.clock.at(at, lambda: service.world.change(url_of(0), OTHER_KEY))
    await service.run(START + 2 * HOUR)
    assert about(service) == [
        "[INFORMATION] auth.schemes changed",
        "[INFORMATION] auth.schemes changed back and forth",
        "[INFORMATION] certificate.key, auth.schemes changed",
    ]


async def test_what_changed_waits_for_the_history_and_what_is_wrong_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the history cannot be read, what is wrong is told all the same, and what changed once it can be."""
    service = driven(tmp_path, estate_text(2, 1))
    changes = History.changes

    async def changes_but_for_an_hour(history: History, **wanted: Any) -> tuple[HistoryChange, ...]:
        if 2 * HOUR <= service.clock.now() - START < 3 * HOUR:
            raise HistoryUnavailable("the database is locked")
        return await changes(history, **wanted)

    monkeypatch.setattr(History, "changes", changes_but_for_an_hour)
    service.clock.at(START + 2 * HOUR, lambda: service.world.change(url_of(0), down()))
    service.clock.at(START + 2 * HOUR, lambda: service.world.change(url_of(1), NTLM))
    await service.run(START + 4 * HOUR)
    wrong, drift = service.told
    assert url_of(0) in wrong[1].title
    assert wrong[0] - START < 2 * HOUR + timedelta(minutes=10)
    assert drift[1].title == f"[INFORMATION] contoso-crm: {url_of(1)}: auth.schemes changed"
    assert timedelta(0) <= drift[0] - START - 3 * HOUR < timedelta(minutes=3)


async def test_a_change_back_after_an_hour_is_a_change(tmp_path: Path) -> None:
    """Servers that were changed, and hours later back, are two changes."""
    service = driven(tmp_path, TEXT)
    swap(service, HOUR, minutes=90, times=2)
    await service.run(START + 4 * HOUR)
    assert about(service) == ["[INFORMATION] auth.schemes changed"] * 2


async def test_what_changes_back_and_is_not_told_before_a_restart_is_told_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change back that stands in the history, and that nobody was told of when the service ended, is told by the next."""
    service = driven(tmp_path, TEXT)
    swap(service, HOUR, minutes=20, times=2)

    def unwritable(*_given: Any, **_more: Any) -> Any:
        raise MemoryUnavailable("alerts.sqlite cannot be used")

    service.clock.at(START + HOUR + timedelta(minutes=15), lambda: monkeypatch.setattr(Alerts, "settle", unwritable))
    await service.run(START + HOUR + timedelta(minutes=50))
    assert about(service) == ["[INFORMATION] auth.schemes changed"]
    monkeypatch.undo()
    service = again(tmp_path, service, TEXT)
    await service.run(START + 2 * HOUR)
    assert about(service) == ["[INFORMATION] auth.schemes changed back and forth"]
