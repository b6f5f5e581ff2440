"""The day ahead: what would be done when, and what it costs each server. Reckoned from the slots alone; nothing is held or kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo

from probe.model.values import dataclass
from probe.model.watching import Hours
from probe.schedule.slots import Slots
from probe.schedule.tasks import Task, TaskKind

_ALL_DAY = Hours(start=datetime.min.time(), end=datetime.min.time())
_HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KindAhead:
    """What of one kind is done on the day."""

    kind: TaskKind
    tasks: int
    """How many there are."""
    interval: timedelta
    runs: int
    """How often something is done, by all of them together."""
    first: datetime | None
    """The first and the last time, in UTC; None where it is not done on that day."""
    last: datetime | None
    busiest_hour: int
    """The most that is done in an hour of the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAhead:
    """What the day costs one server."""

    url: str
    connections: int
    most_connections: int
    """In its busiest hour."""
    sign_ins: int
    most_sign_ins: int
    """In its busiest hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayAhead:
    """A day of the schedule. What is confirmed by a second look, and the question about TLS that is asked where something differs, come on top."""

    day: date
    kinds: tuple[KindAhead, ...]
    servers: tuple[ServerAhead, ...]
    """The busiest first."""


def day_ahead(tasks: Iterable[Task], deployment: str, day: date, zone: tzinfo | None = None) -> DayAhead:
    """What the tasks of a deployment do on a local day, as every day once each was done; `zone` is None for the system's."""
    span = _ALL_DAY.span_on(day, zone)
    assert span is not None
    start, end = span[0].timestamp(), span[1].timestamp()
    by_kind: dict[TaskKind, list[tuple[Task, list[float]]]] = {}
    connections: dict[str, Counter[int]] = {}
    sign_ins: dict[str, Counter[int]] = {}
    for task in tasks:
        times = _times(Slots.of(task, deployment, zone), start, end)
        by_kind.setdefault(task.kind, []).append((task, times))
        hours = Counter(int((at - start) // _HOUR) for at in times)
        for url, load in task.loads.items():
            at_server, signing_in = connections.setdefault(url, Counter()), sign_ins.setdefault(url, Counter())
            for hour, runs in hours.items():
                at_server[hour] += runs * load.connections
                signing_in[hour] += runs * load.sign_ins
    servers = [
        ServerAhead(
            url=url,
            connections=at_server.total(),
            most_connections=max(at_server.values(), default=0),
            sign_ins=sign_ins[url].total(),
            most_sign_ins=max(sign_ins[url].values(), default=0),
        )
        for url, at_server in connections.items()
    ]
    return DayAhead(
        day=day,
        kinds=tuple(_kind(kind, by_kind[kind], start) for kind in TaskKind if kind in by_kind),
        servers=tuple(sorted(servers, key=lambda server: (-server.connections, server.url))),
    )


def _times(slots: Slots, start: float, end: float) -> list[float]:
    times: list[float] = []
    # A slot at the very start belongs to the day.
    at = slots.after(start - 1e-6)
    while at is not None and at < end:
        times.append(at)
        at = slots.after(at)
    return times


def _kind(kind: TaskKind, tasks: Sequence[tuple[Task, list[float]]], start: float) -> KindAhead:
    times = [at for _, of_task in tasks for at in of_task]
    hours = Counter(int((at - start) // _HOUR) for at in times)
    return KindAhead(
        kind=kind,
        tasks=len(tasks),
        interval=tasks[0][0].interval,
        runs=len(times),
        first=datetime.fromtimestamp(min(times), UTC) if times else None,
        last=datetime.fromtimestamp(max(times), UTC) if times else None,
        busiest_hour=max(hours.values(), default=0),
    )


_WORDS = {
    TaskKind.QUICK: ("endpoint, looked at", "endpoints, looked at"),
    TaskKind.POSTURE: ("endpoint, all of its TLS", "endpoints, all of their TLS"),
    TaskKind.CANARY: ("canary mailbox", "canary mailboxes"),
    TaskKind.LOGINS: ("mailbox", "mailboxes"),
    TaskKind.ROUNDTRIP: ("test mail", "test mails"),
    TaskKind.DYNAMICS: ("organization of Dynamics, its records", "organizations of Dynamics, their records"),
}


def lines_of(ahead: DayAhead, zone: tzinfo | None = None) -> list[str]:
    """The day for a person, a line each: what is done, then what it costs each server. Times are local."""
    lines = [f"{ahead.day:%a %Y-%m-%d}, local time"]
    if not ahead.kinds:
        return [*lines, "  nothing is due: every interval is off, or nothing is allowed"]
    for one in ahead.kinds:
        what = f"{one.tasks:,} {_WORDS[one.kind][one.tasks != 1]}, each {_length(one.interval)}"
        if one.first is None or one.last is None:
            lines.append(f"  {one.kind:<10} {what}: not on this day")
            continue
        between = f"{one.first.astimezone(zone):%H:%M} to {one.last.astimezone(zone):%H:%M}"
        lines.append(f"  {one.kind:<10} {what}: {_times_of(one.runs)}, {between}, at most {one.busiest_hour:,} an hour")
    lines.append("")
    lines.append("What it costs each server")
    for server in ahead.servers:
        sign_ins = f"; {server.sign_ins:,} sign-ins, at most {server.most_sign_ins:,} an hour" if server.sign_ins else "; no sign-in"
        lines.append(f"  {server.url}")
        lines.append(f"    {server.connections:,} connections, at most {server.most_connections:,} an hour{sign_ins}")
    lines.append("")
    lines.append("A second look that confirms a change or a failure, and the question about FIPS after a change of TLS, come on top.")
    lines.append("No connection was made.")
    return lines


def _times_of(runs: int) -> str:
    return "once" if runs == 1 else f"{runs:,} times"


def _length(interval: timedelta) -> str:
    """As an estate has it: `5m`."""
    seconds = int(interval.total_seconds())
    return next(f"{seconds // size}{unit}" for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)) if seconds % size == 0)
