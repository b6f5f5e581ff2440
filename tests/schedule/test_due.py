"""What is due when, over a clock that is driven."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from probe.memory import Folder, MailboxSignIn, MemoryUnavailable, SignIns
from probe.model.watching import Hours, Load
from probe.schedule import Ended, Task, TaskKind
from probe.schedule.slots import fraction_of
from probe.schedule.tasks import SIGN_INS_AT_ONCE
from tests.schedule.world import BERLIN, HOUR, MORNING, World, look, sign_in

MINUTES = timedelta(minutes=1)
SECONDS = timedelta(seconds=1)
MAIL = "imaps://mail.contoso.test:993"
NIGHT = Hours(start=time(1), end=time(5))


def settled(path: Path, *tasks: Task, now: datetime = MORNING) -> World:
    """A world in which each task was done at least once, so that it is in its slots."""
    world = World(path, tasks, now)
    world.run(2 * HOUR)
    return world


def gaps(begun: list[tuple[datetime, Task]]) -> set[float]:
    """The seconds between one begin and the next, of one task."""
    times = [at for at, _ in begun]
    return {(later - sooner).total_seconds() for sooner, later in pairwise(times)}


def test_a_task_is_done_once_in_each_interval(tmp_path: Path) -> None:
    """Look by look, an interval apart, none missed and none late."""
    world = settled(tmp_path, look())
    begun = world.run(HOUR)
    assert (len(begun), gaps(begun)) == (12, {300.0})
    assert (world.schedule.missed, world.schedule.lag(world.now), world.schedule.running) == (0, timedelta(0), 0)


def test_what_is_under_way_is_told_with_its_begin(tmp_path: Path) -> None:
    """The longest first; what has ended is not among it."""
    world = settled(tmp_path, look(), look("imaps://other.contoso.test:993"))
    assert world.schedule.under_way() == []
    begun: list[tuple[Task, datetime]] = []
    for _ in range(300):
        world.wait(SECONDS)
        begun += [(task, world.now) for task in world.due()]
    assert len(begun) == 2
    assert world.schedule.under_way() == begun
    world.schedule.ended(begun[0][0], world.now, Ended.AS_EXPECTED)
    assert world.schedule.under_way() == begun[1:]


def test_the_next_sign_in_of_a_mailbox_is_told(tmp_path: Path) -> None:
    """The earliest of its tasks; not within 15 minutes of the last, whoever signed in; while one runs, that after it."""
    world = settled(tmp_path, sign_in(), sign_in("b@contoso.test", every=2 * HOUR), look())
    assert world.schedule.next_sign_in("nobody@contoso.test", None, world.now) is None
    assert world.schedule.next_sign_in(MAIL, None, world.now) is None
    for address in ("a@contoso.test", "b@contoso.test"):
        told = world.schedule.next_sign_in(address, None, world.now)
        assert told is not None
        assert world.schedule.next_sign_in(address, told - MINUTES, world.now) == told + 14 * MINUTES
        begun = [at for at, task in world.run(2 * HOUR + MINUTES) if task.subject == address]
        assert told - MINUTES < begun[0] <= told + MINUTES
    while not (running := [task for task in world.due() if task.subject == "a@contoso.test"]):
        world.wait_until_due(world.now + HOUR)
    told = world.schedule.next_sign_in("a@contoso.test", world.now, world.now)
    assert told is not None
    world.end(running[0])
    assert told == world.schedule.next_sign_in("a@contoso.test", world.now, world.now)


def test_a_first_start_fires_nothing_at_once(tmp_path: Path) -> None:
    """A thousand endpoints are looked at for the first time spread over an interval, a daily posture over an hour."""
    tasks = [look(f"imaps://host{number}:993") for number in range(1000)]
    tasks += [look(f"imaps://host{number}:993", TaskKind.POSTURE, timedelta(days=1)) for number in range(1000)]
    world = World(tmp_path, tasks)
    begun = world.run(HOUR)
    first: dict[tuple[str, str], datetime] = {}
    for at, task in begun:
        first.setdefault((task.kind, task.subject), at)
    assert len(first) == 2000
    looks = Counter((at - MORNING) // SECONDS for (kind, _), at in first.items() if kind == TaskKind.QUICK)
    assert max(looks) < 300
    assert max(looks.values()) < 15
    assert Counter(kind for kind, _ in first)[TaskKind.POSTURE] == 1000


@pytest.mark.parametrize("down", [timedelta(seconds=1), timedelta(minutes=2), timedelta(days=3)])
def test_a_restart_fires_nothing_at_once_and_loses_no_slot(tmp_path: Path, down: timedelta) -> None:
    """After a kill, however long ago, what is overdue is spread over its interval, and the rest is in its own slots again."""
    tasks = [look(f"imaps://host{number}:993") for number in range(300)]
    world = settled(tmp_path, *tasks)
    world.wait(down)
    world.restart()
    assert len(world.due()) <= 3
    begun = world.run(timedelta(minutes=5))
    assert {task.subject for _, task in begun} == {task.subject for task in tasks}
    assert max(Counter(at.replace(microsecond=0) for at, _ in begun).values()) < 12
    after = world.run(5 * MINUTES)
    world.restart()
    assert Counter(task.subject for _, task in after) == Counter(task.subject for task in tasks)


def test_a_service_that_is_killed_soon_after_each_start_comes_round_to_everything(tmp_path: Path) -> None:
    """Where no life lasts 30 seconds, each endpoint is looked at within an interval all the same: what is spread keeps its place."""
    tasks = [look(f"imaps://host{number}:993") for number in range(300)]
    world = World(tmp_path, tasks)
    begun = []
    for _ in range(16):
        begun += world.due()
        begun += [task for _, task in world.run(20 * SECONDS)]
        world.restart()
    assert {task.subject for task in begun} == {task.subject for task in tasks}


def test_a_slot_is_the_same_after_a_restart(tmp_path: Path) -> None:
    """The moments of a task do not depend on when the process began."""
    world = settled(tmp_path / "one", look())
    (tmp_path / "other").mkdir()
    other = settled(tmp_path / "other", look(), now=MORNING + timedelta(seconds=97))
    first = {at for at, _ in world.run(HOUR)}
    assert len(first & {at for at, _ in other.run(HOUR)}) >= 11


def test_a_second_look_confirms_a_failure_or_a_change_once(tmp_path: Path) -> None:
    """Within a minute once more; what is the same then waits for its slot, and so does what fails for good."""
    for how in (Ended.FAILED, Ended.CHANGED):
        world = settled(tmp_path, look())
        (first,) = world.run(5 * MINUTES)[:1]
        world.wait_until_due(world.now + HOUR)
        (task,) = world.due()
        slot = world.now
        world.end(task, how)
        assert world.wait_until_due(world.now + MINUTES)
        (second,) = world.due()
        assert (second.subject, world.now - slot <= MINUTES) == (first[1].subject, True)
        world.end(second, how)
        assert world.schedule.next_due() == slot + 5 * MINUTES


def test_an_interval_of_seconds_is_kept_with_its_second_look(tmp_path: Path) -> None:
    """A second look at what is looked at each two seconds comes no later than the next slot."""
    world = settled(tmp_path, look(every=2 * SECONDS))
    world.wait_until_due(world.now + HOUR)
    (task,) = world.due()
    world.end(task, Ended.FAILED)
    due = world.schedule.next_due()
    assert due is not None
    assert due <= world.now + 2 * SECONDS


def test_a_sign_in_is_never_confirmed_by_a_second_one(tmp_path: Path) -> None:
    """What failed with an account waits for its interval."""
    world = settled(tmp_path, sign_in())
    world.wait_until_due(world.now + HOUR)
    (task,) = world.due()
    world.end(task, Ended.FAILED)
    assert world.schedule.next_due() == world.now + HOUR


@pytest.mark.parametrize(
    ("asked", "rests"), [(None, 15 * MINUTES), (7 * MINUTES, 7 * MINUTES), (timedelta(days=3650), HOUR), (-HOUR, 0 * MINUTES)]
)
def test_a_server_that_asks_for_a_pause_gets_it(tmp_path: Path, asked: timedelta | None, rests: timedelta) -> None:
    """Nothing goes to that server until then, an hour at most; others go on."""
    other = look("imaps://other.contoso.test:993")
    world = settled(tmp_path, look(), look(kind=TaskKind.POSTURE, every=10 * MINUTES), sign_in(every=15 * MINUTES), other)
    slowed = None
    while slowed is None:
        world.wait_until_due(world.now + HOUR)
        for task in world.due():
            if task == look() and slowed is None:
                slowed = world.now
                world.schedule.ended(task, world.now, Ended.SLOW_DOWN, None if asked is None else world.now + asked)
            else:
                world.end(task)
    world.schedule.flush()
    world.restart()
    begun = world.run(2 * HOUR)
    assert min(at for at, task in begun if MAIL in task.loads) >= slowed + rests
    assert {task.kind for at, task in begun if MAIL in task.loads and at < slowed + rests + 31 * MINUTES} == {"quick", "posture", "canary"}
    assert len([at for at, task in begun if task == other]) >= 24


@pytest.mark.parametrize(("asked", "rests"), [(None, 15 * MINUTES), (3 * HOUR, 3 * HOUR), (timedelta(days=3650), 24 * HOUR)])
def test_dynamics_that_asks_for_a_pause_gets_it(tmp_path: Path, asked: timedelta | None, rests: timedelta) -> None:
    """Its state is not read until then, a day at most, after a restart too; others go on."""
    reading = Task(
        kind=TaskKind.DYNAMICS,
        subject="deployment",
        interval=5 * MINUTES,
        loads={"https://crm.contoso.test": Load(connections=1, sign_ins=1)},
    )
    world = settled(tmp_path, reading, look())
    begun: list[Task] = []
    while reading not in begun:
        world.wait_until_due(world.now + HOUR)
        begun = world.due()
        for task in begun:
            if task != reading:
                world.end(task)
    slowed = world.now
    world.schedule.ended(reading, slowed, Ended.SLOW_DOWN, None if asked is None else slowed + asked)
    world.schedule.flush()
    world.restart()
    later = world.run(rests + HOUR)
    first = min(at for at, task in later if task == reading)
    assert slowed + rests <= first <= slowed + rests + 5 * MINUTES
    assert len([at for at, task in later if task == look() and at < first]) >= rests // (5 * MINUTES) - 1


def test_a_run_that_overruns_is_late_and_never_piled_up(tmp_path: Path) -> None:
    """While it runs it is late, then its missed slots are counted, and the next run is in the next slot."""
    world = settled(tmp_path, look())
    world.wait_until_due(world.now + HOUR)
    (task,) = world.due()
    slot = world.now
    world.wait(17 * MINUTES)
    assert world.due() == []
    assert world.schedule.lag(world.now) == 12 * MINUTES
    world.end(task)
    assert world.schedule.missed == 3
    assert world.schedule.next_due() == slot + 20 * MINUTES
    assert world.schedule.lag(world.now) == timedelta(0)


def test_one_look_at_an_endpoint_at_a_time(tmp_path: Path) -> None:
    """A look whose endpoint is looked at waits, is late and counted as waiting, and begins once the other ends."""
    world = World(tmp_path, [look(), look(kind=TaskKind.POSTURE, every=5 * MINUTES)])
    first: list[Task] = []
    while not first:
        world.wait_until_due(world.now + HOUR)
        first = world.due()
    world.wait(10 * MINUTES)
    assert world.due() == []
    world.wait(30 * SECONDS)
    assert (world.schedule.running, world.schedule.next_due()) == (1, None) or world.schedule.waiting <= 1
    world.end(first[0])
    world.run(10 * MINUTES)
    assert world.schedule.waiting == 0


def test_one_sign_in_of_an_account_at_a_time_and_three_at_an_endpoint(tmp_path: Path) -> None:
    """Of mailboxes of one account one is signed in to, of those with their own three; the one that waited longest is next."""
    shared = [sign_in(f"shared{number}@contoso.test", account="svc") for number in range(10)]
    own = [sign_in(f"own{number}@contoso.test") for number in range(10)]
    world = World(tmp_path, [*shared, *own])
    running: list[Task] = []
    for _ in range(360):
        world.wait(10 * SECONDS)
        running += world.due()
        assert sum("svc" in task.accounts for task in running) <= 1
        assert len(running) <= 3
    assert len(running) == 3
    assert world.schedule.waiting > 10
    begun: list[str] = [task.subject for task in running]
    while world.schedule.waiting:
        world.end(running.pop(0))
        running += (next_ := world.due())
        begun += [task.subject for task in next_]
    assert set(begun) == {task.subject for task in (*shared, *own)}


def test_of_thousands_of_mailboxes_that_are_owed_some_are_signed_in_to_at_a_time(tmp_path: Path) -> None:
    """However many endpoints there are; the next begins as one ends, and looks wait for none of them."""
    mailboxes = [sign_in(f"m{number}@contoso.test", url=f"imaps://host{number}:993") for number in range(200)]
    world = World(tmp_path, [*mailboxes, *(look(f"imaps://host{number}:993") for number in range(5))])
    running: list[Task] = []
    for _ in range(400):
        world.wait(10 * SECONDS)
        for task in world.due():
            if task.is_of_a_mailbox:
                running.append(task)
            else:
                world.end(task)
    assert (len(running), world.schedule.waiting) == (SIGN_INS_AT_ONCE, 200 - SIGN_INS_AT_ONCE)
    assert world.schedule.missed == 0
    begun = [task.subject for task in running]
    while world.schedule.waiting:
        world.end(running.pop(0))
        running += (next_ := [task for task in world.due() if task.is_of_a_mailbox])
        begun += [task.subject for task in next_]
        assert len(running) <= SIGN_INS_AT_ONCE
    assert set(begun) == {task.subject for task in mailboxes}


def test_sign_ins_are_spread_over_the_night(tmp_path: Path) -> None:
    """Each mailbox once a night, within the hours, evenly, in local time."""
    tasks = [sign_in(f"m{number}@contoso.test", TaskKind.LOGINS, timedelta(days=1), between=NIGHT) for number in range(400)]
    world = World(tmp_path, tasks, zone=BERLIN)
    begun = world.run(timedelta(days=2))
    assert Counter(task.subject for _, task in begun) == {task.subject: 2 for task in tasks}
    hours = Counter(at.astimezone(BERLIN).hour for at, _ in begun)
    assert set(hours) == {1, 2, 3, 4}
    assert min(hours.values()) > 150


def test_the_last_sign_in_of_the_night_may_begin_late(tmp_path: Path) -> None:
    """Whoever looks at the schedule a minute late still signs in to the mailbox whose slot is the last, and misses none."""
    last = max((f"user{number}@contoso.test" for number in range(5000)), key=lambda name: fraction_of("contoso-crm", TaskKind.LOGINS, name))
    night = Hours(start=time(1), end=time(5))
    world = World(tmp_path, [sign_in(last, TaskKind.LOGINS, timedelta(days=1), between=night)])
    assert world.wait_until_due(MORNING + timedelta(days=1))
    world.wait(timedelta(seconds=59))
    (task,) = world.due()
    world.end(task)
    assert world.schedule.missed == 0


def test_what_waits_beyond_the_end_of_the_night_is_done_in_the_next(tmp_path: Path) -> None:
    """A sign-in that came to no turn by 05:00 is missed, and counted."""
    tasks = [sign_in(f"m{number}@contoso.test", TaskKind.LOGINS, timedelta(days=1), "svc", between=NIGHT) for number in range(30)]
    world = World(tmp_path, tasks)
    begun = world.run(timedelta(days=1), takes=15 * MINUTES)
    assert all(1 <= at.hour < 5 for at, _ in begun)
    assert len(begun) + world.schedule.missed == 30
    assert world.schedule.missed > 10


def test_a_sign_in_is_on_the_disk_before_it_begins(tmp_path: Path) -> None:
    """A process that is killed while it signs in does not sign in again within the interval."""
    world = settled(tmp_path, sign_in())
    world.wait_until_due(world.now + HOUR)
    assert [task.kind for task in world.due()] == [TaskKind.CANARY]
    began = world.now
    for _ in range(5):
        world.restart()
        world.wait(MINUTES)
    (again, _), *_ = world.run(3 * HOUR)
    assert began + HOUR <= again <= began + 2 * HOUR


def test_nobody_signs_in_while_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks go on, sign-ins wait, and why is told; once the disk takes something they are done."""
    world = World(tmp_path, [look(), sign_in(), sign_in("b@contoso.test")])
    world.schedule.flush()
    (tmp_path / "schedule.sqlite").rename(tmp_path / "aside.sqlite")
    (tmp_path / "schedule.sqlite").mkdir()
    assert {task.kind for _, task in world.run(2 * HOUR)} == {TaskKind.QUICK}
    assert "schedule.sqlite" in (world.schedule.trouble or "")
    assert world.schedule.running == 0
    with pytest.raises(MemoryUnavailable, match="irectory"):
        world.schedule.flush()
    (tmp_path / "schedule.sqlite").rmdir()
    (tmp_path / "aside.sqlite").rename(tmp_path / "schedule.sqlite")
    begun = world.run(2 * MINUTES)
    assert {task.subject for _, task in begun if task.is_of_a_mailbox} == {"a@contoso.test", "b@contoso.test"}
    assert world.schedule.trouble is None


def test_sign_ins_of_one_mailbox_are_a_quarter_of_an_hour_apart(tmp_path: Path) -> None:
    """Whichever task signs in, the next for that mailbox waits; after a restart too."""
    tasks = [sign_in(every=20 * MINUTES), sign_in(kind=TaskKind.ROUNDTRIP, every=20 * MINUTES, account="other")]
    world = World(tmp_path, tasks)
    begun = world.run(6 * HOUR)
    world.restart()
    begun += world.run(6 * HOUR)
    assert min(gaps(begun)) >= 900
    assert Counter(task.kind for _, task in begun)[TaskKind.ROUNDTRIP] > 15


def test_a_sign_in_that_somebody_else_made_delays_a_task_by_no_more_than_it_must(tmp_path: Path) -> None:
    """A gate by hand in another process: the canary of that mailbox comes 15 minutes after it, and another mailbox's when it is due."""
    world = settled(tmp_path, sign_in(), sign_in("b@contoso.test"))
    # A part of the hour in which both are due later.
    due = {task.subject: at for at, task in world.run(HOUR)}
    world.wait(max(due.values()) + MINUTES - world.now)
    next_of = {subject: at + HOUR for subject, at in due.items()}
    asked = next_of["a@contoso.test"] - 5 * MINUTES
    asking = MailboxSignIn(mailbox="A@contoso.test", endpoints=(MAIL,), prober="imap-login")
    assert SignIns(Folder(tmp_path)).begin(b"who", b"account", asking, b"gate", asked, MINUTES) is None
    found = {task.subject: at for at, task in world.run(max(next_of.values()) + 20 * MINUTES - world.now)}
    assert found == {"a@contoso.test": asked + 15 * MINUTES, "b@contoso.test": next_of["b@contoso.test"]}


def test_nobody_signs_in_while_it_cannot_be_read_who_did(tmp_path: Path) -> None:
    """Looks go on and sign-ins wait, with the reason; once the table is there again they are done."""
    world = World(tmp_path, [look(), sign_in()])
    (tmp_path / "signins.sqlite").mkdir()
    assert {task.kind for _, task in world.run(2 * HOUR)} == {TaskKind.QUICK}
    assert "signins.sqlite" in (world.schedule.trouble or "")
    (tmp_path / "signins.sqlite").rmdir()
    assert "a@contoso.test" in {task.subject for _, task in world.run(2 * MINUTES)}
    assert world.schedule.trouble is None


def test_a_clock_that_is_set_back_lets_nothing_stand_still(tmp_path: Path) -> None:
    """What is due comes in its slots of the hour that comes again; a sign-in keeps its distance in time that passes."""
    world = settled(tmp_path, look(), sign_in())
    while not [task for _, task in world.run(MINUTES) if task.kind is TaskKind.CANARY]:
        pass
    passed = world.passed - 60
    world.wait(10 * MINUTES)
    world.set_clock(-HOUR)
    assert world.due() == []
    begun = world.run(5 * MINUTES)
    assert [task.kind for _, task in begun] == [TaskKind.QUICK]
    while not [task for _, task in world.run(MINUTES) if task.kind is TaskKind.CANARY]:
        assert world.passed < passed + 2 * 3600
    assert world.passed >= passed + 3600


def test_a_clock_that_is_set_forward_lets_no_storm_go(tmp_path: Path) -> None:
    """What became due by it is spread over its interval."""
    world = settled(tmp_path, *(look(f"imaps://host{number}:993") for number in range(300)))
    world.set_clock(HOUR)
    assert len(world.due()) < 70
    assert world.schedule.missed >= 300 * 11
    assert len({task.subject for _, task in world.run(5 * MINUTES)}) > 230


def test_a_machine_that_slept_lets_no_storm_go(tmp_path: Path) -> None:
    """Time in which nobody asked is missed; each task is done once, spread."""
    world = settled(tmp_path, *(look(f"imaps://host{number}:993") for number in range(300)))
    world.wait(8 * HOUR)
    assert len(world.due()) < 70
    assert len({task.subject for _, task in world.run(5 * MINUTES)}) > 230


def test_a_changed_estate_leaves_the_rest_in_its_place(tmp_path: Path) -> None:
    """What stays is due as before, what is new is spread, what is gone does not come, what has another interval comes in its slots."""
    kept, changed, gone = look("imaps://kept:993"), look("imaps://changed:993"), look("imaps://gone:993")
    world = settled(tmp_path, kept, changed, gone)
    before = {at for at, task in world.run(10 * MINUTES) if task == kept}
    faster = look("imaps://changed:993", every=MINUTES)
    world.schedule.reload([kept, faster, *(look(f"imaps://new{number}:993") for number in range(50))], world.now)
    assert len(world.due()) <= 2
    begun = world.run(10 * MINUTES)
    assert {at for at, task in begun if task == kept} == {at + 10 * MINUTES for at in before}
    assert gone not in [task for _, task in begun]
    assert len([at for at, task in begun if task == faster]) in (10, 11)
    assert len({task.subject for _, task in begun}) == 52


def test_what_goes_while_it_runs_ends_quietly(tmp_path: Path) -> None:
    """A task that the estate loses while it runs holds its place until it ends; where it comes back meanwhile, it is not begun twice."""
    world = settled(tmp_path, look(), look(kind=TaskKind.POSTURE))
    running: list[Task] = []
    while not running:
        world.wait_until_due(world.now + HOUR)
        running = world.due()
    world.schedule.reload([], world.now)
    assert world.schedule.running == 1
    world.schedule.reload([look(), look(kind=TaskKind.POSTURE)], world.now)
    world.wait(10 * MINUTES)
    assert world.due() == []
    world.schedule.reload([], world.now)
    world.end(running[0])
    assert (world.schedule.running, world.schedule.next_due()) == (0, None)


def test_a_posture_is_hastened_where_somebody_says_so(tmp_path: Path) -> None:
    """What is wanted soon is done within a minute, once; what runs, right after; a mailbox never."""
    posture = look(kind=TaskKind.POSTURE, every=timedelta(days=1))
    world = settled(tmp_path, posture, sign_in(every=timedelta(days=1)))
    world.schedule.hasten(TaskKind.POSTURE, MAIL, world.now)
    world.schedule.hasten(TaskKind.CANARY, "a@contoso.test", world.now)
    world.schedule.hasten(TaskKind.POSTURE, "imaps://unknown:993", world.now)
    assert world.wait_until_due(world.now + MINUTES)
    assert posture in world.due()
    world.schedule.hasten(TaskKind.POSTURE, MAIL, world.now)
    world.end(posture)
    assert posture in [task for _, task in world.run(MINUTES)]
    assert posture not in [task for _, task in world.run(8 * HOUR)]


def test_two_deployments_share_a_folder(tmp_path: Path) -> None:
    """What one has begun says nothing of the other."""
    world = settled(tmp_path, sign_in())
    other = World(tmp_path, [sign_in()], world.now, name="other")
    assert other.schedule.next_due() != world.schedule.next_due()
    assert len(other.run(HOUR)) == 1


def test_what_is_gone_for_long_is_forgotten(tmp_path: Path) -> None:
    """A mailbox that comes back within a day is not signed in to sooner for it; rows of what is gone for longer are dropped."""
    world = settled(tmp_path, sign_in())
    began = max(at for at, _ in world.run(HOUR))
    world.tasks = []
    world.restart()
    world.tasks = [sign_in()]
    world.schedule.reload(world.tasks, world.now)
    assert min(at for at, _ in world.run(2 * HOUR)) >= began + HOUR
    world.tasks = []
    world.restart()
    world.wait(timedelta(days=2))
    world.restart()
    kept, _ = world.schedule._book.read()
    assert kept == {}


def test_times_are_told_as_moments_in_utc(tmp_path: Path) -> None:
    """Whoever sleeps until the next moment finds it due, to the microsecond."""
    world = World(tmp_path, [look(f"imaps://host{number}:993", every=timedelta(seconds=7)) for number in range(50)])
    for _ in range(500):
        due = world.schedule.next_due()
        assert due is not None
        assert due.tzinfo is UTC
        assert world.wait_until_due(world.now + HOUR)
        begun = world.due()
        assert begun
        for task in begun:
            world.end(task)
