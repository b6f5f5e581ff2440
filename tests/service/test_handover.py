"""What services leave for one another where one of them hangs, is killed, or is of another version."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from probe.alerts import Alerts
from probe.history import HandoverKey, HandoverRow, History, HistoryUnavailable, WatchedByAnother, open_history, packed, unpacked
from probe.memory import Folder
from probe.model.estate import Secret
from probe.service import handover
from probe.service.delivering import Delivering
from probe.service.handover import Handover
from probe.service.keeping import KeptLooks
from probe.service.looks import LookKey, Topic
from tests.alerts.scripted import DEPLOYMENT, World, condition
from tests.history.looks import look, product
from tests.servers.postgresql import PostgreSql
from tests.service.driven import START, Driven, DrivenClock, driven, run_now
from tests.service.world import down, estate_text, url_of


@pytest.fixture
def database(postgresql: PostgreSql) -> Secret:
    return Secret(postgresql.new_schema())


@pytest.fixture
async def history(database: Secret) -> AsyncIterator[History]:
    """A history that several services share, and nobody has used."""
    async with open_history(database, DEPLOYMENT) as opened:
        yield opened


class Service:
    """The alerts of a service with a folder of its own, and what it takes over and leaves."""

    def __init__(self, folder: Path, history: History) -> None:
        self.world = World(folder)
        self.clock = DrivenClock(self.world.now)
        self.has_lost = False
        self.handover = Handover(history, KeptLooks(Folder(folder), DEPLOYMENT), self.world.alerts, self.clock, self._lost)

    def pass_time(self, time: timedelta) -> None:
        self.world.now += time
        self.clock.set_by(time)

    def _lost(self) -> None:
        self.has_lost = True

    async def tell(self, *names: str) -> list[str]:
        """Have it that this is wrong, and nothing else; what is told."""
        self.world.settle(*map(condition, names))
        await self.handover.leave_told()
        told = [f"{one.mark} {one.about}" for one in await self.world.told()]
        await self.handover.leave_told()
        return told


async def test_who_has_lost_its_claim_leaves_and_records_nothing_more(tmp_path: Path, history: History) -> None:
    """It hung while another took over: what that one left stands, so that a third tells nothing again; and it is told that it has lost."""
    one, other, third = (Service(tmp_path / name, history) for name in ("one", "other", "third"))
    await one.handover.take_over()
    assert await one.tell("mail is down") == ["CRITICAL mail is down"]
    await other.handover.take_over()
    assert await other.tell("mail is down") == []
    one.world.settle()
    await one.handover.leave_told()
    assert one.has_lost
    with pytest.raises(HistoryUnavailable, match="another service watches this deployment now"):
        await one.handover.record([look(0, *product())])
    assert await history.subjects() == ()
    assert not other.has_lost
    await third.handover.take_over()
    assert await third.tell("mail is down") == []


class Killed(Exception):
    """The process is gone."""


async def test_a_service_that_is_killed_while_it_takes_over_does_so_anew(
    tmp_path: Path, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what it has of both it tells nothing; and the one before, which writes nothing meanwhile, goes on with what it knows where it is begun first."""
    one, other = (Service(tmp_path / name, history) for name in ("one", "other"))
    await one.handover.take_over()
    assert await one.tell("mail is down") == ["CRITICAL mail is down"]
    with monkeypatch.context() as patched:
        patched.setattr(Alerts, "take_over", killed)
        with pytest.raises(Killed):
            await other.handover.take_over()
    one.world.settle(condition("mail is down"), condition("mail is late"))
    with pytest.raises(WatchedByAnother):
        await one.handover.record([])
    again = Service(tmp_path / "one", history)
    await again.handover.take_over()
    # It knows what it could not leave any more.
    assert {one.title for one in again.world.alerts.standing()} == {"mail is down", "mail is late"}
    with pytest.raises(WatchedByAnother):
        await history.hand_over({}, "whoever was killed")
    await again.tell("mail is down")
    third = Service(tmp_path / "other", history)
    await third.handover.take_over()
    assert await third.tell("mail is down") == []


def killed(*_: object) -> None:
    raise Killed


@pytest.mark.parametrize("fails_at", [1, 2])
async def test_how_far_an_earlier_version_told_is_known_until_the_take_over_is_done(
    fails_at: int, tmp_path: Path, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The history cannot be written at the first or the last step of the first take-over: it is done again, and nothing that was not told counts as told."""
    one = Service(tmp_path, history)
    one.world.alerts.note_read("changes", 0, one.world.now, in_place_of="")
    await history.record([look(0, *product())])
    watch_as, count = History.watch_as, 0

    async def unavailable_once(history: History, *arguments: Any) -> None:
        nonlocal count
        count += 1
        if count == fails_at:
            raise HistoryUnavailable("the database is read-only")
        await watch_as(history, *arguments)

    monkeypatch.setattr(History, "watch_as", unavailable_once)
    with pytest.raises(HistoryUnavailable):
        await one.handover.take_over()
    source = await one.handover.take_over()
    assert one.world.alerts.read_until(source) == 0
    assert await history.last_written() > 0
    assert one.world.alerts.read_until("changes") is None


async def test_what_was_left_though_that_seemed_to_fail_is_dropped_later(
    tmp_path: Path, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is lost after the commit: the rows of an event that is sent, and of an incident that is over by then, do not stay for ever."""
    one = Service(tmp_path, history)
    await one.handover.take_over()
    hand_over = History.hand_over

    async def written_unseen(history: History, *arguments: Any) -> None:
        await hand_over(history, *arguments)
        raise HistoryUnavailable("the connection was lost")

    one.world.settle(condition("mail is down"))
    with monkeypatch.context() as patched:
        patched.setattr(History, "hand_over", written_unseen)
        await one.handover.leave_told()
    assert len(await history.handed_over("event")) == 1
    await one.world.told()
    one.pass_time(timedelta(minutes=15))
    await one.tell()
    one.pass_time(timedelta(minutes=15))
    await one.tell()
    assert [dict(await history.handed_over(kind)) for kind in ("event", "incident")] == [{}, {}]


@pytest.mark.parametrize(("may_send", "sent"), [([], []), ([True, True], ["CRITICAL"])], ids=["before the first", "between two"])
async def test_who_stands_by_begins_to_send_nothing(may_send: list[bool], sent: list[str], tmp_path: Path, history: History) -> None:
    """Whether it was to send before it stood by, or finds that it does between two deliveries."""
    one, wake = Service(tmp_path, history), asyncio.Event()
    await one.handover.take_over()
    one.world.settle(condition("mail is down"), condition("mail is late"))
    delivering = Delivering(one.world.alerts, one.handover, one.clock, wake, lambda: bool(may_send and may_send.pop()))
    delivering.want()
    task = asyncio.ensure_future(delivering.run())
    await wake.wait()
    task.cancel()
    assert [received.mark for received in one.world.received] == sent


VALUES = {
    "incident": ("present", "told", "began", "changed", "at", "severity", "acknowledged", "condition", "heard"),
    "event": ("number", "kind", "at", "incident", "subject", "heading", "message", "targets"),
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in VALUES.items() for name in names])
@pytest.mark.parametrize("wrong", [None, "other", 7.5], ids=["missing", "a text", "a number"])
async def test_a_row_of_another_version_is_passed_over(kind: str, name: str, wrong: object, tmp_path: Path) -> None:
    """One value of it is missing, or of another kind: the rest is taken over all the same."""
    one, other = World(tmp_path / "one"), World(tmp_path / "other")
    one.settle(condition("mail is down"), condition("mail is late"))
    rows, _ = one.alerts.handed_over("changes")
    spoiled = next(row for row in rows if row.kind == kind and "down" in str(row.form))
    del spoiled.form[name]
    if wrong is not None:
        spoiled.form[name] = wrong
    other.alerts.take_over(rows, "changes", 0, other.now)
    await other.told()
    assert "mail is late" in {one.title for one in other.alerts.standing()}


async def test_whatever_one_row_says_the_others_are_taken_over(tmp_path: Path, history: History) -> None:
    """Who was told of together, until when, and a row that is no JSON at all: none of it keeps a service from watching, or has told again what was."""
    one = Service(tmp_path / "one", history)
    await one.handover.take_over()
    await one.tell("mail is down")
    (key,) = await history.handed_over("incident")
    wrong = {
        HandoverKey("cohort", "0|a"): packed({"key": "a", "number": 0, "start": "2026", "mailboxes": []}),
        HandoverKey("cohort", "1|a"): packed({"key": "a", "number": 0, "began": "2026-11-01", "mailboxes": None}),
        HandoverKey("read", ""): packed(["until"]),
        HandoverKey("event", "torn"): b"no JSON of ours",
    }
    await history.hand_over({key: HandoverRow(one.world.now, body) for key, body in wrong.items()})
    assert "began" in unpacked((await history.handed_over("incident"))[key].body)
    other = Service(tmp_path / "other", history)
    await other.handover.take_over()
    assert await other.tell("mail is down") == []


async def test_a_database_that_hangs_does_not_hold_the_conclusions(
    tmp_path: Path, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taking over ends after a time, and can be done again."""
    one = Service(tmp_path, history)

    async def hangs(_: History) -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(handover, "_TAKE_OVER_SECONDS", 0.05)
        patched.setattr(History, "watched_as", hangs)
        with pytest.raises(HistoryUnavailable, match="not read in time"):
            await one.handover.take_over()
    await one.handover.take_over()


async def test_what_is_believed_while_a_service_takes_over_stays(tmp_path: Path, database: Secret, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has an endpoint looked at then: it was seen later than what the last service left."""
    before = driven(tmp_path / "one", estate_text(1, 1))
    before = Driven(tmp_path / "one", before.estate, before.clock, before.world, database)
    await before.run(START + timedelta(hours=1))
    other = Driven(tmp_path / "other", before.estate, before.clock, before.world, database)
    take_over = Handover.take_over

    async def looked_at_meanwhile(one: Handover) -> str:
        source = await take_over(one)
        other.world.change(url_of(0), down())
        for _ in range(2):
            await other.watcher.look([LookKey(Topic.ENDPOINT, url_of(0))])
        return source

    monkeypatch.setattr(Handover, "take_over", looked_at_meanwhile)
    other.clock.until, other.clock.stop = other.clock.now(), asyncio.Event()
    async with other.begun(stands_by=True) as watcher:
        await watcher.stand_by(False)
        other.clock.stop.set()
        await watcher.run(other.clock.stop)
    assert {one.outcome for one in run_now(watcher).attempts if one.subject == url_of(0) and one.mailbox is None} >= {"refused"}
