"""Tests of what is told, once, over driven time."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest

from probe.alerts import AlertBook, AlertCondition, Alerts, Approaching, DeliveryEnding, DeliveryState, Happened, Notice, Severity
from probe.alerts.book import AlertDelivery, OpenBook
from probe.alerts.quoting import Style
from probe.alerts.retrying import GIVEN_UP_AFTER, LONGEST_PAUSE, REFUSED_AFTER
from probe.alerts.wording import Message, body_of
from probe.memory.folder import Folder, MemoryUnavailable
from probe.model.watching import AlertSettings
from probe.net.alert_request import Delivered
from tests.alerts.scripted import DEPLOYMENT, START, World, condition, notice, recipients


async def test_a_condition_is_told_when_it_begins_and_when_it_ends(tmp_path: Path) -> None:
    """A condition is told once when it begins, not again while it lasts, and once when it ends."""
    world = World(tmp_path)
    world.settle(condition())
    assert await world.marks() == ["CRITICAL"]
    world.pass_time(hours=1)
    world.settle(condition())
    assert await world.marks() == []
    world.settle()
    (ended,) = await world.told()
    assert (ended.mark, ended.about) == ("RECOVERED", "mail is down")
    assert "lasted for 1 h 0 min" in ended.message.lines[0].text
    assert await world.marks() == []


async def test_what_nobody_looks_for_any_more_is_not_told_as_over(tmp_path: Path) -> None:
    """The end of a condition that is not watched any more says so, also where it is told later; one that comes back and ends is over."""
    world = World(tmp_path)
    world.settle(condition())
    await world.told()
    world.is_maintenance = True
    world.alerts.settle([], world.now, unwatched=lambda gone: gone == condition())
    world.alerts = world.opened()
    world.is_maintenance = False
    world.settle()
    (ended,) = await world.told()
    assert (ended.mark, ended.about, ended.message.is_over) == ("NO LONGER WATCHED", "mail is down", True)
    assert ended.message.lines[0].text.startswith("It is not watched any more. It began on ")
    world.settle(condition())
    world.settle()
    assert await world.marks() == ["CRITICAL", "RECOVERED"]


async def test_counts_that_change_are_no_new_trouble(tmp_path: Path) -> None:
    """Of a condition whose mailboxes change nothing more is told, and its end has the last of them."""
    world = World(tmp_path)
    world.settle(condition(mailboxes=("a@contoso.test",)))
    await world.told()
    many = condition(mailboxes=tuple(f"m{number}@contoso.test" for number in range(300)))
    world.settle(many)
    assert await world.marks() == []
    world.settle()
    (ended,) = await world.told()
    (line,) = [line.text for line in ended.message.lines if line.label == "Mailboxes"]
    assert line.startswith("300: m0@contoso.test, m1@contoso.test")
    assert line.endswith("m19@contoso.test, and 280 more")


async def test_what_becomes_worse_is_told_though_it_was_acknowledged(tmp_path: Path) -> None:
    """A condition that becomes worse is told again once; one that becomes better is not."""
    world = World(tmp_path)
    world.settle(condition(severity=Severity.WARNING))
    assert await world.marks() == ["WARNING"]
    with AlertBook(Folder(tmp_path), None).opened() as page:
        assert page.acknowledge(1, world.now)
    world.settle(condition(severity=Severity.CRITICAL))
    assert await world.marks() == ["WORSE, CRITICAL"]
    world.settle(condition(severity=Severity.WARNING))
    world.settle(condition(severity=Severity.CRITICAL))
    assert await world.marks() == []


async def test_a_condition_that_lasts_is_told_again_until_somebody_acknowledges_it(tmp_path: Path) -> None:
    """After each `remind` a condition that lasts is told again; not once it was acknowledged; its end is told all the same."""
    world = World(tmp_path)
    world.settle(condition())
    await world.told()
    for _ in range(2):
        world.pass_time(hours=23)
        assert await world.marks() == []
        world.pass_time(hours=1)
        assert world.alerts.next_due(world.now) == world.now
        assert await world.marks() == ["REMINDER, CRITICAL"]
    with AlertBook(Folder(tmp_path), None).opened() as page:
        assert page.acknowledge(1, world.now)
    world.pass_time(hours=48)
    assert await world.marks() == []
    world.settle()
    assert await world.marks() == ["RECOVERED"]


async def test_an_undecided_incident_is_left_as_it_is(tmp_path: Path) -> None:
    """While nobody knows whether a condition is still there, its incident neither ends nor is told again."""
    world = World(tmp_path)
    world.settle(condition())
    await world.told()
    world.pass_time(hours=30)
    world.settle(undecided=[condition().key])
    assert await world.marks() == []
    world.settle()
    assert await world.marks() == ["RECOVERED"]


async def test_what_comes_and_goes_is_told_as_unsteady_once(tmp_path: Path) -> None:
    """At its fourth beginning within an hour a condition is told as unsteady, then not at all until it stays as it is for half an hour."""
    world = World(tmp_path)
    seen = []
    for _ in range(10):
        world.settle(condition())
        seen += await world.marks()
        world.pass_time(minutes=4)
        world.settle()
        seen += await world.marks()
        world.pass_time(minutes=4)
    assert seen == ["CRITICAL", "RECOVERED"] * 3 + ["UNSTEADY, CRITICAL"]
    world.settle(condition())
    world.pass_time(minutes=29)
    assert await world.marks() == []
    world.pass_time(minutes=1)
    assert world.alerts.next_due(world.now) == world.now
    assert await world.marks() == ["CRITICAL"]
    world.settle()
    assert await world.marks() == ["RECOVERED"]


async def test_what_was_unsteady_and_is_gone_is_told_as_over(tmp_path: Path) -> None:
    """An unsteady condition that stays away for half an hour is told as over, once."""
    world = World(tmp_path)
    for _ in range(4):
        world.settle(condition())
        world.settle()
        world.pass_time(minutes=1)
    await world.told()
    world.pass_time(minutes=30)
    assert await world.marks() == ["RECOVERED"]
    world.pass_time(hours=2)
    assert await world.marks() == []


async def test_nothing_is_told_during_maintenance(tmp_path: Path) -> None:
    """What begins during maintenance is told after it where it still lasts; what also ended is never told; what happened is told after it."""
    world = World(tmp_path)
    world.settle(condition("before"))
    await world.told()
    world.is_maintenance = True
    world.settle(condition("lasts"), condition("passes"))
    world.alerts.notify([notice("changed")], world.now)
    world.pass_time(minutes=10)
    world.settle(condition("lasts"))
    world.pass_time(hours=30)
    assert await world.told() == []
    assert world.alerts.next_due(world.now) == world.now + timedelta(seconds=30)
    world.is_maintenance = False
    assert sorted((one.mark, one.about) for one in await world.told()) == [
        ("CRITICAL", "lasts"),
        ("INFORMATION", "changed"),
        ("RECOVERED", "before"),
    ]


async def test_what_happened_is_told_once(tmp_path: Path) -> None:
    """A notice is told once by its key, also after a restart."""
    world = World(tmp_path)
    world.alerts.notify([notice("build 1"), notice("build 2")], world.now)
    assert [one.about for one in await world.told()] == ["build 1", "build 2"]
    world.alerts = world.opened()
    world.alerts.notify([notice("build 1"), notice("build 3")], world.now)
    assert [one.about for one in await world.told()] == ["build 3"]


async def test_what_happened_is_told_with_the_time_at_which_it_was_seen(tmp_path: Path) -> None:
    """A notice that could be handed in hours later only says when it was seen; one of a clock that was set back since, when it is told."""
    world = World(tmp_path)
    world.alerts.notify([notice("late", since=START - timedelta(hours=3)), notice("ahead", since=START + timedelta(hours=1))], world.now)
    assert [one.message.lines[0].text for one in await world.told()] == [
        "Seen on 2026-11-30 09:00+00:00.",
        "Seen on 2026-11-30 12:00+00:00.",
    ]


async def test_an_end_is_told_once_at_each_stage(tmp_path: Path) -> None:
    """What ends is told once at each stage of `ahead_days`; the stages that were passed before it was known are not made up for."""
    world = World(tmp_path)
    end = Approaching(
        what="certificate-expired", subject="smtp://mail:587", day=START.date() + timedelta(days=40), title="A certificate ends"
    )
    told: dict[int, list[str]] = {}
    for _ in range(42 * 3):
        world.alerts.approaching([end], world.now)
        if seen := await world.told():
            told[(end.day - world.now.date()).days] = [one.about for one in seen]
        world.pass_time(hours=8)
    assert list(told) == [30, 14, 7, 1]
    assert told[14] == [f"A certificate ends: in 14 days, on {end.day}"]
    assert told[1] == [f"A certificate ends: tomorrow, on {end.day}"]
    late = Approaching(
        what="certificate-expired", subject="pop3://mail:110", day=world.now.date() + timedelta(days=5), title="Another ends"
    )
    world.alerts.approaching([late], world.now)
    assert [one.about for one in await world.told()] == [f"Another ends: in 5 days, on {late.day}"]
    moved = Approaching(what=end.what, subject=end.subject, day=world.now.date() + timedelta(days=30), title=end.title)
    world.alerts.approaching([moved], world.now)
    assert len(await world.told()) == 1


async def test_owners_are_told_in_place_of_the_default(tmp_path: Path) -> None:
    """What concerns a profile goes to its owners; what concerns several to each owner once; the rest, and profiles without owners, to the default."""
    world = World(tmp_path, recipients=recipients("env:A", corp="env:B", branch="env:C"))
    world.settle(
        condition("everybody"),
        condition("corp", profiles=("corp",)),
        condition("both", profiles=("corp", "branch")),
        condition("unowned", profiles=("lab", "corp")),
    )
    told = await world.told()
    assert sorted((one.about, one.target) for one in told) == [
        ("both", "env:B"),
        ("both", "env:C"),
        ("corp", "env:B"),
        ("everybody", "env:A"),
        ("unowned", "env:A"),
        ("unowned", "env:B"),
    ]
    assert len({one.event for one in told}) == 4


async def test_whoever_heard_of_it_hears_of_its_end(tmp_path: Path) -> None:
    """The end of an incident is told to the targets that were told of it, though its profiles changed; not to targets that are gone."""
    world = World(tmp_path, recipients=recipients("env:A", corp="env:B"))
    world.settle(condition(profiles=("corp",)))
    await world.told()
    world.settle(condition(profiles=("lab",)))
    world.recipients = recipients("env:A", "env:D", corp="env:B")
    world.reload()
    world.settle()
    assert [(one.mark, one.target) for one in await world.told()] == [("RECOVERED", "env:B")]


async def test_who_is_named_later_hears_of_what_lasts(tmp_path: Path) -> None:
    """A target that the estate names for an incident only after that was told hears of it once, as a reminder, and of its end; not where somebody acknowledged it."""
    world = World(tmp_path, recipients=recipients("env:A"), settings=AlertSettings(remind=None))
    both = (condition("lasts", profiles=("corp",)), condition("known", profiles=("corp",)))
    world.settle(*both)
    await world.told()
    with AlertBook(Folder(tmp_path), None).opened() as page:
        assert page.acknowledge(2, world.now)
    world.recipients = recipients("env:A", corp="env:B")
    world.reload()
    world.settle(*both)
    (told,) = await world.told()
    assert (told.mark, told.about, told.target) == ("REMINDER, CRITICAL", "lasts", "env:B")
    world.settle(*both)
    world.reload()
    world.settle(*both)
    assert await world.told() == []
    world.settle()
    assert sorted((one.about, one.target) for one in await world.told()) == [("known", "env:A"), ("lasts", "env:A"), ("lasts", "env:B")]


async def test_who_is_named_over_a_restart_hears_of_what_lasts(tmp_path: Path) -> None:
    """A target that stands in the place of one that could not be reached hears of what lasts, once that is known again and maintenance is over."""
    world = World(tmp_path, endings={"env:A": lambda: DeliveryEnding.NOT_TAKEN}, settings=AlertSettings(remind=None))
    world.settle(condition())
    await world.told()
    world.recipients, world.is_maintenance = recipients("env:B"), True
    world.alerts = world.opened()
    world.settle(undecided=[condition().key])
    assert await world.told() == []
    world.is_maintenance = False
    world.settle(undecided=[condition().key])
    assert await world.told() == []
    world.settle(condition())
    assert [(one.mark, one.target) for one in await world.told()] == [("REMINDER, CRITICAL", "env:B")]
    world.settle()
    assert [(one.mark, one.target) for one in await world.told()] == [("RECOVERED", "env:B")]


async def test_a_delivery_is_tried_again_with_longer_pauses(tmp_path: Path) -> None:
    """A target that cannot take it is tried after 30 seconds, each further time after twice the pause, up to an hour; other targets do not wait."""
    world = World(tmp_path, recipients=recipients("env:A", "env:B"), endings={"env:A": lambda: DeliveryEnding.NOT_TAKEN})
    world.settle(condition())
    pauses: list[float] = []
    assert [one.target for one in await world.told()] == ["env:B"]
    while (due := world.alerts.next_due(world.now)) is not None and len(pauses) < 9:
        pauses.append((due - world.now).total_seconds())
        world.now = due
        await world.told()
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    world.endings.clear()
    world.now = world.alerts.next_due(world.now) or world.now
    assert [(one.mark, one.is_repetition) for one in await world.told()] == [("CRITICAL", False)]


async def test_a_delivery_that_fails_for_good_is_shown(tmp_path: Path) -> None:
    """After a day a delivery has failed for good; after a quarter of an hour, where the target refuses it; both are kept with the reason."""
    endings = {"env:A": lambda: DeliveryEnding.NOT_TAKEN, "env:B": lambda: DeliveryEnding.REFUSED}
    world = World(tmp_path, recipients=recipients("env:A", "env:B"), settings=AlertSettings(remind=None), endings=endings)
    world.settle(condition())
    while (due := world.alerts.next_due(world.now)) is not None:
        world.now = due
        await world.told()
    with AlertBook(Folder(tmp_path), None).opened() as page:
        failed = {one.target: one for one in page.unsent()}
    assert {one.state for one in failed.values()} == {DeliveryState.FAILED}
    assert failed["env:A"].why == "so the test wants it"
    assert GIVEN_UP_AFTER <= failed["env:A"].at - START <= GIVEN_UP_AFTER + LONGEST_PAUSE
    assert REFUSED_AFTER <= failed["env:B"].at - START <= 2 * REFUSED_AFTER


async def test_what_is_behind_a_failure_keeps_its_order(tmp_path: Path) -> None:
    """A target gets its events in order: an end never before its beginning."""
    world = World(tmp_path, endings={"env:A": lambda: DeliveryEnding.NOT_TAKEN})
    world.settle(condition())
    await world.told()
    world.settle()
    assert len(world.tries) == 1
    await world.told()
    assert len(world.tries) == 1
    world.endings.clear()
    world.pass_time(minutes=1)
    assert await world.marks() == ["CRITICAL", "RECOVERED"]


async def test_what_may_have_arrived_is_sent_again_as_possibly_a_repetition(tmp_path: Path) -> None:
    """Where a target gave no clear answer, the same event is sent again and says that it is possibly a repetition."""
    world = World(tmp_path, endings={"env:A": lambda: DeliveryEnding.UNSEEN})
    world.settle(condition())
    await world.told()
    world.endings.clear()
    world.pass_time(minutes=1)
    (again,) = await world.told()
    assert again.is_repetition
    assert world.tries[0] == world.tries[1]


async def test_part_of_a_target_is_not_told_twice(tmp_path: Path) -> None:
    """Where some recipients of a target took it, it is not sent again, and shown as failed."""
    world = World(tmp_path, endings={"env:A": lambda: DeliveryEnding.PARTLY})
    world.settle(condition())
    await world.told()
    with AlertBook(Folder(tmp_path), None).opened() as page:
        assert [one.state for one in page.unsent()] == [DeliveryState.FAILED]


@pytest.mark.parametrize("is_taken", [True, False])
async def test_a_program_that_is_killed_while_it_sends_sends_again_with_a_mark(tmp_path: Path, is_taken: bool) -> None:
    """What was being sent when the program was killed is sent again by the next, with the same id and the mark."""
    world = World(tmp_path / "first", killed_copy=tmp_path / "killed", killed_before_it_is_taken=not is_taken)
    world.settle(condition())
    await world.told()
    world.folder = tmp_path / "killed"
    world.alerts = world.opened()
    (again,) = await world.told()
    assert again.is_repetition
    assert {event for _, event in world.tries} == {again.event}
    world.settle(condition())
    assert await world.told() == []


async def test_what_is_broken_off_is_sent_again_as_possibly_a_repetition(tmp_path: Path) -> None:
    """Where delivering is cancelled, as by the end of the program, what was being sent is sent again with the mark."""
    world, sending = World(tmp_path), asyncio.Event()

    async def hang(target: str, message: Message, event: str, is_repetition: bool) -> Delivered:
        sending.set()
        await asyncio.Event().wait()
        raise AssertionError

    hanging = Alerts(Folder(tmp_path), DEPLOYMENT, hang, world.telling)
    hanging.settle([condition()], world.now)
    task = asyncio.ensure_future(hanging.deliver(world.now))
    await sending.wait()
    # A call in between passes over the target that is being served.
    await hanging.deliver(world.now)
    assert hanging.next_due(world.now) == world.now + timedelta(days=1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    world.pass_time(minutes=1)
    (again,) = await world.told()
    assert again.is_repetition


async def test_a_delivery_that_fails_leaves_the_loop_to_others(tmp_path: Path) -> None:
    """While another program holds the book as a sending fails, the loop goes on, so that what let it go on is heard; how it ended is written down then."""
    world = World(tmp_path)
    world.settle(condition())
    with closing(sqlite3.connect(tmp_path / "alerts.sqlite", isolation_level=None)) as other:

        async def fail(target: str, message: Message, event: str, is_repetition: bool) -> Delivered:
            other.execute("BEGIN IMMEDIATE")
            # Only a loop that goes on comes to it.
            asyncio.get_running_loop().call_later(0.1, other.execute, "ROLLBACK")
            raise RuntimeError("a bug")

        failing = Alerts(Folder(tmp_path), DEPLOYMENT, fail, world.telling)
        with pytest.raises(ExceptionGroup) as failed:
            await failing.deliver(world.now)
    assert failed.group_contains(RuntimeError, match="a bug")
    with AlertBook(Folder(tmp_path), DEPLOYMENT).opened() as page:
        (delivery,) = page.unsent()
    assert (delivery.state, delivery.is_repetition) == (DeliveryState.WAITING, True)


async def test_a_failure_whose_ending_cannot_be_written_down_is_the_failure(tmp_path: Path) -> None:
    """Where neither the target takes an event nor the book that it did not, what failed first is raised, and the ending is written down later."""
    world = World(tmp_path)

    async def fail(target: str, message: Message, event: str, is_repetition: bool) -> Delivered:
        tmp_path.chmod(0o777)
        raise RuntimeError("a bug")

    failing = Alerts(Folder(tmp_path), DEPLOYMENT, fail, world.telling)
    failing.settle([condition()], world.now)
    with pytest.raises(ExceptionGroup) as failed:
        await failing.deliver(world.now)
    assert failed.group_contains(RuntimeError, match="a bug")
    tmp_path.chmod(0o700)
    await failing.deliver(world.now)
    with AlertBook(Folder(tmp_path), DEPLOYMENT).opened() as page:
        (delivery,) = page.unsent()
    assert (delivery.state, delivery.is_repetition) == (DeliveryState.WAITING, True)


async def test_a_delivery_that_nobody_began_to_send_is_no_repetition(tmp_path: Path) -> None:
    """Where delivering is cancelled after a delivery was taken up and before it was sent, it is sent later, without the mark."""
    world, is_claimed, may_go_on = World(tmp_path), threading.Event(), threading.Event()
    claimed = world.alerts._claimed

    def claim(target: str, now: datetime) -> AlertDelivery | None:
        found = claimed(target, now)
        is_claimed.set()
        assert may_go_on.wait(30)
        return found

    world.settle(condition())
    with patch.object(world.alerts, "_claimed", claim):
        task = asyncio.ensure_future(world.alerts.deliver(world.now))
        assert await asyncio.to_thread(is_claimed.wait, 30)
        task.cancel()
        await asyncio.sleep(0)
        may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert world.tries == []
    world.alerts = world.opened()
    (sent,) = await world.told()
    assert not sent.is_repetition


async def test_delivering_leaves_the_loop_to_others(tmp_path: Path) -> None:
    """No transaction of the book is held on the loop's own thread while alerts are delivered, however many wait and however fast their target is."""
    world, threads = World(tmp_path), set[threading.Thread]()
    world.settle(*(condition(f"server {number} is down") for number in range(20)))
    opened = AlertBook.opened

    def noted(book: AlertBook) -> AbstractContextManager[OpenBook]:
        threads.add(threading.current_thread())
        return opened(book)

    with patch.object(AlertBook, "opened", noted):
        assert len(await world.told()) == 20
    assert threads
    assert threading.current_thread() not in threads


async def test_a_target_that_is_gone_from_the_estate_is_not_told(tmp_path: Path) -> None:
    """What waits for a target that the estate no longer names fails for good, and says so."""
    world = World(tmp_path, endings={"env:A": lambda: DeliveryEnding.NOT_TAKEN})
    world.settle(condition())
    await world.told()
    world.recipients = recipients("env:B")
    world.reload()
    world.pass_time(hours=1)
    await world.told()
    with AlertBook(Folder(tmp_path), None).opened() as page:
        assert [(one.target, one.why) for one in page.unsent()] == [("env:A", "the estate no longer names it")]


async def test_words_without_end_are_kept_in_part(tmp_path: Path) -> None:
    """Of a server that says a million characters neither the book nor an alert holds more than a few hundred."""
    world = World(tmp_path)
    world.settle(condition(words="\u202e" * 1_000_000))
    (told,) = await world.told()
    assert len(body_of(told.message, Style.TEXT, event="e1", is_repetition=False, most=16_000)) < 1000
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 200_000


async def test_an_alert_says_where_to_look(tmp_path: Path) -> None:
    """With `link` an alert names the page about its subject; without, or without such a page, the command that shows it."""
    world = World(tmp_path, settings=AlertSettings(link="https://probe.contoso.test:8025/"))
    world.settle(condition("with a page", path="/e/1a2b3c4d5e6f"), condition("without one"))
    where = {one.about: next(line.text for line in one.message.lines if line.label == "Where to look") for one in await world.told()}
    assert where == {
        "with a page": "https://probe.contoso.test:8025/e/1a2b3c4d5e6f",
        "without one": "probe history ESTATE.toml smtp://mail.contoso.test:587",
    }


async def test_the_digest_is_sent_once_a_day_where_something_changed(tmp_path: Path) -> None:
    """The digest tells at its time, in the zone of the service, what began, ended and happened since the last; a day without changes has none."""
    world = World(tmp_path, settings=AlertSettings(digest=time(7), remind=None))
    await world.told()
    world.settle(condition("ends"), condition("lasts"))
    world.alerts.notify([notice("a new build")], world.now)
    world.pass_time(minutes=5)
    world.settle(condition("lasts"))
    await world.told()
    assert world.alerts.next_due(world.now) == datetime(2026, 12, 1, 7, tzinfo=START.tzinfo)
    world.now = datetime(2026, 12, 1, 7, tzinfo=START.tzinfo)
    (told,) = await world.told()
    text = [f"{line.label} {line.text}".strip() for line in told.message.lines]
    assert told.mark == "DIGEST"
    assert text[1:] == [
        *("Began 2", "- ends", "- lasts"),
        *("Ended 1", "- ends"),
        *("Happened 1", "- a new build"),
        *("Lasts 1", "- lasts"),
    ]
    assert await world.told() == []
    world.pass_time(days=1)
    assert await world.told() == []


async def test_a_digest_of_a_day_that_the_program_slept_through_is_sent_late(tmp_path: Path) -> None:
    """A digest whose time passed while the program did not run is sent once when it runs again."""
    world = World(tmp_path, settings=AlertSettings(digest=time(7), remind=None))
    await world.told()
    world.settle(condition())
    await world.told()
    world.alerts = world.opened()
    world.pass_time(days=3)
    assert await world.marks() == ["DIGEST"]
    assert await world.marks() == []


async def test_a_digest_that_comes_due_in_maintenance_is_sent_right_after_it(tmp_path: Path) -> None:
    """A digest whose time passes during maintenance is due within half a minute of its end, though nothing else waits or lasts."""
    world = World(tmp_path, settings=AlertSettings(digest=time(7), remind=None))
    await world.told()
    world.alerts.notify([notice("a new build")], world.now)
    await world.told()
    world.now, world.is_maintenance = datetime(2026, 12, 1, 7, tzinfo=START.tzinfo), True
    assert await world.told() == []
    assert world.alerts.next_due(world.now) == world.now + timedelta(seconds=30)
    world.is_maintenance = False
    assert await world.marks() == ["DIGEST"]
    assert world.alerts.next_due(world.now) == world.now + timedelta(days=1)


async def test_a_clock_that_is_set_back_takes_nothing_from_the_digest(tmp_path: Path) -> None:
    """What was told between a digest and the moment at which the clock was set back stands in the next digest."""
    world = World(tmp_path, settings=AlertSettings(digest=time(7), remind=None), now=datetime(2026, 12, 1, 7, tzinfo=START.tzinfo))
    await world.told()
    world.pass_time(minutes=30)
    world.alerts.notify([notice("a new build")], world.now)
    await world.told()
    world.pass_time(hours=-1)
    await world.told()
    world.pass_time(hours=1)
    (told,) = await world.told()
    assert told.mark == "DIGEST"
    assert "- a new build" in [line.text for line in told.message.lines]


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
async def test_the_digest_keeps_its_hour_when_clocks_change(tmp_path: Path, day: date) -> None:
    """On days of 23 and of 25 hours the digest comes once, at its local time."""
    zone = ZoneInfo("Europe/Berlin")
    world = World(
        tmp_path, settings=AlertSettings(digest=time(7), remind=None), now=datetime(day.year, day.month, day.day - 2, 12, tzinfo=zone)
    )
    world.alerts.reload(replace(world.telling, zone=zone))
    await world.told()
    digests = []
    for hour in range(96):
        world.now = (world.now.astimezone(START.tzinfo) + timedelta(hours=1)).astimezone(zone)
        world.alerts.notify([notice(f"change {hour}")], world.now)
        digests += [one.at for one in await world.told() if one.mark == "DIGEST"]
    assert [(at.day - day.day, at.astimezone(zone).hour) for at in digests] == [(-1, 7), (0, 7), (1, 7), (2, 7)]


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_jumps_tells_nothing_new(tmp_path: Path, hours: int) -> None:
    """A clock that is set forward or back by an hour makes no alert, and what waits is sent within its pause."""
    world = World(tmp_path, endings={"env:A": lambda: DeliveryEnding.NOT_TAKEN})
    world.settle(condition())
    await world.told()
    world.pass_time(hours=hours)
    world.settle(condition())
    world.endings.clear()
    world.pass_time(hours=1, minutes=1)
    assert await world.marks() == ["CRITICAL"]
    world.settle()
    assert await world.marks() == ["RECOVERED"]


async def test_what_cannot_be_written_down_can_be_handed_in_again(tmp_path: Path) -> None:
    """Where the book cannot be written, nothing is told and nothing is forgotten: the same, handed in again, is told once."""
    world = World(tmp_path)
    world.settle()
    tmp_path.chmod(0o777)
    with pytest.raises(MemoryUnavailable):
        world.settle(condition())
    with pytest.raises(MemoryUnavailable):
        world.alerts.notify([notice("a new build")], world.now)
    with pytest.raises(MemoryUnavailable):
        await world.alerts.deliver(world.now)
    tmp_path.chmod(0o700)
    world.settle(condition())
    world.alerts.notify([notice("a new build")], world.now)
    assert await world.marks() == ["CRITICAL", "INFORMATION"]


async def test_an_ending_that_cannot_be_written_down_is_not_sent_again(tmp_path: Path) -> None:
    """Where the book cannot be written after a target took an event, that is written later, and the event is not sent again."""
    world = World(tmp_path)

    def taken() -> DeliveryEnding:
        tmp_path.chmod(0o777)
        return DeliveryEnding.TAKEN

    world.endings["env:A"] = taken
    world.settle(condition())
    with pytest.raises(MemoryUnavailable):
        await world.alerts.deliver(world.now)
    tmp_path.chmod(0o700)
    del world.endings["env:A"]
    world.pass_time(hours=2)
    assert await world.told() == []
    assert len(world.tries) == 1


async def test_what_happened_is_told_and_counts_as_read_together(tmp_path: Path) -> None:
    """What a condition and what happened beside it have to tell, and how far that was read, is written down as one: a program that ends in it has told nothing."""
    world = World(tmp_path)

    def happened(notices: Callable[[Sequence[AlertCondition]], Iterable[Notice]]) -> Happened:
        return Happened(source="changes", until=7, notices=notices)

    def ends(news: Sequence[AlertCondition]) -> Iterable[Notice]:
        raise RuntimeError("the program ends here")

    with pytest.raises(RuntimeError):
        world.alerts.settle([condition()], world.now, happened=happened(ends))
    assert world.alerts.read_until("changes") is None
    assert await world.told() == []
    world.alerts.settle([condition()], world.now, happened=happened(lambda news: [notice(f"beside {one.title}") for one in news]))
    assert [one.about for one in await world.told()] == ["mail is down", "beside mail is down"]
    assert world.opened().read_until("changes") == 7
    world.alerts.settle([condition()], world.now, happened=happened(lambda news: [notice("alone")] if not news else []))
    assert [one.about for one in await world.told()] == ["alone"]


async def test_conditions_repeated_as_they_were_cost_no_write(tmp_path: Path) -> None:
    """Handing in the same conditions again does not open the book, so that a look that finds nothing new costs nothing here."""
    world = World(tmp_path)
    world.settle(condition())
    tmp_path.chmod(0o777)
    for _ in range(100):
        world.pass_time(seconds=1)
        world.settle(condition())
    tmp_path.chmod(0o700)


async def test_two_deployments_in_one_folder_know_nothing_of_each_other(tmp_path: Path) -> None:
    """Incidents, notices and deliveries belong to a deployment."""
    world = World(tmp_path)
    world.settle(condition())
    world.alerts.notify([notice("a new build")], world.now)
    await world.told()
    other = Alerts(Folder(tmp_path), f"other-{DEPLOYMENT}", world._send, world.telling)
    other.settle([], world.now)
    other.notify([notice("a new build")], world.now)
    await other.deliver(world.now)
    assert [one.mark for one in world.received] == ["CRITICAL", "INFORMATION", "INFORMATION"]


async def test_what_is_long_past_is_forgotten(tmp_path: Path) -> None:
    """After ninety days nothing is left of an incident that ended; an open one keeps those who heard of it."""
    world = World(tmp_path, settings=AlertSettings(remind=None))
    world.settle(condition("past"), condition("lasts"))
    await world.told()
    world.settle(condition("lasts"))
    await world.told()
    world.pass_time(days=91)
    await world.told()
    with AlertBook(Folder(tmp_path), None).opened() as page:
        assert page._database.execute("SELECT count(*) FROM incident").fetchone() == (1,)
    world.settle()
    assert [(one.mark, one.about) for one in await world.told()] == [("RECOVERED", "lasts")]
