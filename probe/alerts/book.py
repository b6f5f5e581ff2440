"""The book of alerts: incidents, events, and their deliveries, in `alerts.sqlite` of the state folder.

Each change is one transaction, on the disk before anything follows from it. What is in it may be hostile (the words of servers) and names
people (addresses of mailboxes), but no secret: a target stands there by the name of its reference.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from probe.alerts.conditions import AlertCondition, AlertKind, Severity
from probe.alerts.handover import EVENT, INCIDENT, BookRow, rows_of, take_over
from probe.alerts.quoting import MOST_KEPT
from probe.alerts.wording import MOST_NAMED, EventKind, Message, message_of, message_text
from probe.memory.folder import Folder
from probe.memory.state_file import StateFile, drop_rows, strike
from probe.model.named_address import NamedAddress
from probe.model.values import dataclass

if TYPE_CHECKING:
    import sqlite3

KEPT = timedelta(days=90)
"""How long incidents that ended and events that were delivered are kept."""
TOLD_KEPT = timedelta(days=400)
"""How long it is known that a notice was told: longer than from the first stage before an end to the end."""
_TABLES = """
CREATE TABLE incident (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    deployment TEXT NOT NULL,
    key TEXT NOT NULL,          -- of its condition
    present INTEGER NOT NULL,   -- whether the condition is there now
    told TEXT NOT NULL,         -- what its recipients know: nothing, begun, unsteady
    began TEXT NOT NULL,        -- when it was first there; times are in UTC
    changed TEXT NOT NULL,      -- when it came or went last
    at TEXT NOT NULL,           -- when it was told of last
    severity TEXT NOT NULL,     -- as it was told last
    acknowledged TEXT,          -- when somebody did
    ended TEXT,                 -- when it was over, and its recipients knew; NULL: it is open
    condition TEXT NOT NULL     -- as JSON
) STRICT;
CREATE UNIQUE INDEX open_incident ON incident (deployment, key) WHERE ended IS NULL;
CREATE TABLE beginning (        -- of conditions, to find those that come and go
    deployment TEXT NOT NULL,
    key TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (deployment, key, at)
) STRICT, WITHOUT ROWID;
CREATE TABLE told (             -- notices
    deployment TEXT NOT NULL,
    key TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (deployment, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,    -- as it stands in the message
    deployment TEXT NOT NULL,
    kind TEXT NOT NULL,
    at TEXT NOT NULL,
    incident INTEGER,
    subject TEXT NOT NULL,
    heading TEXT NOT NULL,      -- for digests
    message TEXT NOT NULL       -- as JSON
) STRICT;
CREATE TABLE delivery (
    event INTEGER NOT NULL REFERENCES event (number),
    target TEXT NOT NULL,       -- the name of its reference
    state TEXT NOT NULL,        -- waiting, sending, sent, failed
    tries INTEGER NOT NULL,
    due TEXT NOT NULL,          -- when it may be sent next
    is_repetition INTEGER NOT NULL,  -- whether the target may have it already
    why TEXT NOT NULL,          -- how the last try ended
    at TEXT NOT NULL,           -- of the last change
    PRIMARY KEY (event, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX open_delivery ON delivery (target, event) WHERE state IN ('waiting', 'sending');
CREATE TABLE mark (
    deployment TEXT NOT NULL,
    name TEXT NOT NULL,         -- digest, sweep, or of something that is read in order, as changes
    at TEXT NOT NULL,
    event INTEGER NOT NULL,     -- number of the last event until then; of what is read elsewhere in order, of the last that was told
    PRIMARY KEY (deployment, name)
) STRICT, WITHOUT ROWID;
"""
_STORED = StateFile(name="alerts.sqlite", version=1, tables=_TABLES, most_bytes=None, wal=True)


class Told(StrEnum):
    """What the recipients of an incident know of it."""

    NOTHING = "nothing"
    BEGUN = "begun"
    UNSTEADY = "unsteady"


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    SENDING = "sending"
    """It may have been sent: after a crash it counts as a possible repetition."""
    SENT = "sent"
    FAILED = "failed"
    """For good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A condition over time: from when it is there until its recipients know that it is over."""

    id: int
    deployment: str
    present: bool
    told: Told
    began: datetime
    changed: datetime
    at: datetime
    severity: Severity
    acknowledged: datetime | None
    ended: datetime | None
    condition: AlertCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDelivery:
    """One event on its way to one target."""

    event: int
    """Number of the event: the order in which a target is told."""
    event_id: str
    kind: EventKind
    event_at: datetime
    target: str
    state: DeliveryState
    tries: int
    due: datetime
    is_repetition: bool
    why: str
    at: datetime
    message: Message


class AlertBook:
    """The book of one deployment, or of all (`deployment` None). Each `opened` is one transaction; every method may be called in any thread."""

    def __init__(self, folder: Folder, deployment: str | None, patience: float | None = None) -> None:
        """`patience` is as of `StateFile.opened`."""
        self._folder = folder
        self._deployment = deployment
        self._patience = patience
        self.written = 0
        """How many rows were written here. It stays as it is as long as the book does."""

    @contextmanager
    def opened(self) -> Iterator[OpenBook]:
        """The book in one transaction. Raises MemoryUnavailable."""
        with _STORED.opened(self._folder, self._patience) as database:
            yield OpenBook(database, self._deployment)
            self.written += database.total_changes

    def erase(self, address: NamedAddress) -> int:
        """Erase a mailbox, of whichever deployment, from the file too: what is about it alone, told or not, and its address in all else.

        Gives how many rows that were. Raises MemoryUnavailable.
        """
        return _STORED.erase(self._folder, lambda database: _erased(database, address))

    def rename(self, old: str, new: str) -> int:
        """Give a deployment another name, so that what is open under the old one ends under the new; as `StateFile.rename`."""
        return _STORED.rename(self._folder, ("incident", "beginning", "told", "event", "mark"), old, new)


class OpenBook:
    """The book, open in a transaction."""

    def __init__(self, database: sqlite3.Connection, deployment: str | None) -> None:
        self._database = database
        self._deployment = deployment

    def incidents(self, current: Mapping[str, AlertCondition] = MappingProxyType({})) -> list[Incident]:
        """Those that are open, the oldest first. A condition that is written down as one of the current ones would be is that very object."""
        rows = self._database.execute(
            f"SELECT {_INCIDENT} FROM incident WHERE ended IS NULL AND deployment = coalesce(?, deployment) ORDER BY id",  # noqa: S608
            (self._deployment,),
        )
        return [_incident(row, current) for row in rows]

    def begin(self, condition: AlertCondition, now: datetime) -> None:
        """Open an incident."""
        began = _moment(min(condition.since or now, now))
        self._database.execute(
            "INSERT INTO incident (deployment, key, present, told, began, changed, at, severity, condition) VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?)",
            (
                self._deployment,
                condition.key,
                Told.NOTHING,
                began,
                _moment(now),
                _moment(now),
                condition.severity,
                _condition_text(condition),
            ),
        )
        self.note_beginning(condition.key, now)

    def change(self, incident: int, **values: object) -> None:
        """Change an incident: its columns by name, as values of the model."""
        names = ", ".join(f"{name} = ?" for name in values)
        self._database.execute(f"UPDATE incident SET {names} WHERE id = ?", (*map(_stored, values.values()), incident))  # noqa: S608

    def note_beginning(self, key: str, now: datetime) -> None:
        """Remember that a condition came."""
        self._database.execute("INSERT OR IGNORE INTO beginning VALUES (?, ?, ?)", (self._deployment, key, _moment(now)))

    def beginnings(self, key: str, since: datetime, until: datetime) -> int:
        """How often a condition came in a time."""
        row = self._database.execute(
            "SELECT count(*) FROM beginning WHERE deployment = ? AND key = ? AND at > ? AND at <= ?",
            (self._deployment, key, _moment(since), _moment(until)),
        ).fetchone()
        return int(row[0])

    def forget_beginnings(self, key: str) -> None:
        """Count from nothing how often a condition comes."""
        self._database.execute("DELETE FROM beginning WHERE deployment = ? AND key = ?", (self._deployment, key))

    def is_new(self, key: str, now: datetime) -> bool:
        """Whether a notice was not told yet; from now on it counts as told."""
        return self._database.execute("INSERT OR IGNORE INTO told VALUES (?, ?, ?)", (self._deployment, key, _moment(now))).rowcount > 0

    def tell(
        self,
        kind: EventKind,
        event: str,
        message: Message,
        targets: Iterable[str],
        now: datetime,
        *,
        incident: int | None = None,
        subject: str = "",
        heading: str = "",
    ) -> None:
        """Write an event down, with a delivery for each target."""
        number = self._database.execute(
            "INSERT INTO event (id, deployment, kind, at, incident, subject, heading, message) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (event, self._deployment, kind, _moment(now), incident, subject, heading, message_text(message)),
        ).lastrowid
        self._database.executemany(
            "INSERT INTO delivery VALUES (?, ?, 'waiting', 0, ?, 0, '', ?)",
            [(number, target, _moment(now), _moment(now)) for target in targets],
        )

    def take_up_again(self, now: datetime) -> None:
        """Let what was being sent when the program ended wait again, as a possible repetition."""
        self._database.execute(
            "UPDATE delivery SET state = 'waiting', is_repetition = 1, at = ?, due = ? WHERE state = 'sending' AND event IN "
            "(SELECT number FROM event WHERE deployment = ?)",
            (_moment(now), _moment(now), self._deployment),
        )

    def first_open(self, target: str | None = None) -> list[AlertDelivery]:
        """The delivery that each target gets next, the one being sent included; or that of one target."""
        rows = self._database.execute(
            f"SELECT {_DELIVERY} FROM delivery JOIN event ON number = event WHERE (target, event) IN (SELECT target, min(event) FROM delivery "  # noqa: S608
            "JOIN event ON number = event WHERE state IN ('waiting', 'sending') AND deployment = ? AND target = coalesce(?, target) GROUP BY target)",
            (self._deployment, target),
        )
        return [_delivery(row) for row in rows]

    def settle(self, delivery: AlertDelivery, state: DeliveryState, now: datetime, **values: object) -> None:
        """Change a delivery: its columns by name."""
        names = "".join(f", {name} = ?" for name in values)
        self._database.execute(
            f"UPDATE delivery SET state = ?, at = ?{names} WHERE event = ? AND target = ?",  # noqa: S608
            (state, _moment(now), *map(_stored, values.values()), delivery.event, delivery.target),
        )

    def heard_of(self, incident: int) -> list[str]:
        """The targets that were told of an incident, or will be."""
        rows = self._database.execute(
            "SELECT DISTINCT target FROM delivery JOIN event ON number = event WHERE incident = ? ORDER BY target", (incident,)
        )
        return [target for (target,) in rows]

    def heard_of_open(self) -> dict[int, set[str]]:
        """The same of each incident that is open, by its id; one that nobody was told of is left out."""
        heard: dict[int, set[str]] = {}
        for incident, target in self._database.execute(
            "SELECT DISTINCT incident, target FROM delivery JOIN event ON number = event WHERE incident IN "
            "(SELECT id FROM incident WHERE ended IS NULL AND deployment = ?)",
            (self._deployment,),
        ):
            heard.setdefault(incident, set()).add(target)
        return heard

    def unsent(self) -> list[AlertDelivery]:
        """Deliveries that wait, are under way, or failed for good, the oldest first."""
        rows = self._database.execute(
            f"SELECT {_DELIVERY} FROM delivery JOIN event ON number = event WHERE state != 'sent' AND deployment = coalesce(?, deployment) "  # noqa: S608
            "ORDER BY event, target",
            (self._deployment,),
        )
        return [_delivery(row) for row in rows]

    def told_since(self, name: str) -> list[tuple[EventKind, str]]:
        """Kind and heading of each event since something was marked, the oldest first."""
        rows = self._database.execute(
            "SELECT kind, heading FROM event WHERE deployment = ? AND number > (SELECT event FROM mark WHERE deployment = ? AND name = ?) ORDER BY number",
            (self._deployment, self._deployment, name),
        )
        return [(EventKind(kind), heading) for kind, heading in rows]

    def marked(self, name: str) -> datetime | None:
        """When something was marked as done last."""
        row = self._database.execute("SELECT at FROM mark WHERE deployment = ? AND name = ?", (self._deployment, name)).fetchone()
        return None if row is None else datetime.fromisoformat(row[0])

    def mark(self, name: str, now: datetime) -> None:
        """Mark something as done."""
        self._database.execute(
            "INSERT OR REPLACE INTO mark VALUES (?, ?, ?, (SELECT coalesce(max(number), 0) FROM event))",
            (self._deployment, name, _moment(now)),
        )

    def read_until(self, source: str) -> int | None:
        """The number of the last that was read of something that is read in order; None where nothing was."""
        row = self._database.execute("SELECT event FROM mark WHERE deployment = ? AND name = ?", (self._deployment, source)).fetchone()
        return None if row is None else int(row[0])

    def note_read(self, source: str, until: int, now: datetime) -> None:
        """Write down which was read last."""
        self._database.execute("INSERT OR REPLACE INTO mark VALUES (?, ?, ?, ?)", (self._deployment, source, _moment(now), until))

    def forget_read(self, source: str) -> None:
        """Forget which was read last."""
        self._database.execute("DELETE FROM mark WHERE deployment = ? AND name = ?", (self._deployment, source))

    def handed_over(self) -> list[BookRow]:
        """As `handover.rows_of`."""
        assert self._deployment is not None
        return list(rows_of(self._database, self._deployment))

    def take_over(self, rows: Iterable[BookRow], targets: Iterable[str], local: Iterable[str], now: datetime) -> None:
        """As `handover.take_over`; what another version has written otherwise is left out."""
        assert self._deployment is not None
        take_over(self._database, self._deployment, filter(_is_readable, rows), targets, local, _moment(now))

    def acknowledge(self, incident: int, now: datetime) -> bool:
        """Mark an incident as known to somebody; whether it is open."""
        return (
            self._database.execute(
                "UPDATE incident SET acknowledged = coalesce(acknowledged, ?) WHERE id = ? AND ended IS NULL", (_moment(now), incident)
            ).rowcount
            > 0
        )

    def sweep(self, now: datetime) -> None:
        """Forget what is past its time."""
        old = _moment(now - KEPT)
        done = (
            "SELECT number FROM event WHERE at < ? AND number NOT IN (SELECT event FROM delivery WHERE state IN ('waiting', 'sending')) "
            # Who was told of an open incident is told of its end.
            "AND coalesce(incident, 0) NOT IN (SELECT id FROM incident WHERE ended IS NULL)"
        )
        self._database.execute(f"DELETE FROM delivery WHERE event IN ({done})", (old,))  # noqa: S608 - our own words
        self._database.execute("DELETE FROM event WHERE at < ? AND number NOT IN (SELECT event FROM delivery)", (old,))
        self._database.execute("DELETE FROM incident WHERE ended < ?", (old,))
        self._database.execute("DELETE FROM beginning WHERE at < ?", (old,))
        self._database.execute("DELETE FROM told WHERE at < ?", (_moment(now - TOLD_KEPT),))


def _erased(database: sqlite3.Connection, address: NamedAddress) -> int:
    # A key names what its condition, or notice, is about.
    incidents = [(number,) for number, key in database.execute("SELECT id, key FROM incident").fetchall() if address.is_in(key)]
    database.executemany("DELETE FROM incident WHERE id = ?", incidents)
    count = len(incidents) + sum(drop_rows(database, table, "key", address.is_in) for table in ("beginning", "told"))
    database.executemany("DELETE FROM event WHERE incident = ?", incidents)
    count += drop_rows(database, "event", "subject", address.is_it)
    database.execute("DELETE FROM delivery WHERE event NOT IN (SELECT number FROM event)")
    return count + sum(strike(database, table, address) for table in ("incident", "event", "delivery"))


_INCIDENT = "id, key, deployment, present, told, began, changed, at, severity, acknowledged, ended, condition"
_DELIVERY = "event.number, event.id, event.kind, event.at, target, state, tries, due, is_repetition, why, delivery.at, message"


def _incident(row: Sequence[Any], current: Mapping[str, AlertCondition]) -> Incident:
    number, key, deployment, present, told, began, changed, at, severity, acknowledged, ended, written = row
    known = current.get(key)
    return Incident(
        id=number,
        deployment=deployment,
        present=bool(present),
        told=Told(told),
        began=datetime.fromisoformat(began),
        changed=datetime.fromisoformat(changed),
        at=datetime.fromisoformat(at),
        severity=Severity(severity),
        acknowledged=None if acknowledged is None else datetime.fromisoformat(acknowledged),
        ended=None if ended is None else datetime.fromisoformat(ended),
        # Thousands may last: to write one takes less than to read it, and it is not held twice.
        condition=known if known is not None and _condition_text(known) == written else _condition(written),
    )


def _delivery(row: Sequence[Any]) -> AlertDelivery:
    number, event, kind, event_at, target, state, tries, due, is_repetition, why, at, message = row
    return AlertDelivery(
        event=number,
        event_id=event,
        kind=EventKind(kind),
        event_at=datetime.fromisoformat(event_at),
        target=target,
        state=DeliveryState(state),
        tries=tries,
        due=datetime.fromisoformat(due),
        is_repetition=bool(is_repetition),
        why=why,
        at=datetime.fromisoformat(at),
        message=message_of(message),
    )


def _condition_text(condition: AlertCondition) -> str:
    """A condition as JSON: the mailboxes that are named, and the number of the others."""
    form = {name: getattr(condition, name) for name in ("key", "kind", "severity", "subject", "title", "cause", "remedy", "path")}
    since = None if condition.since is None else _moment(condition.since)
    named = condition.mailboxes[:MOST_NAMED]
    more = len(condition.mailboxes) - len(named) + condition.more_mailboxes
    form["words"] = condition.words[:MOST_KEPT]
    if condition.is_unwatched:
        form["is_unwatched"] = True
    return json.dumps({**form, "mailboxes": named, "more_mailboxes": more, "profiles": condition.profiles, "since": since})


def _condition(text: str) -> AlertCondition:
    form = json.loads(text)
    since = form.pop("since")
    return AlertCondition(
        **form
        | {
            "kind": AlertKind(form["kind"]),
            "severity": Severity(form["severity"]),
            "mailboxes": tuple(form["mailboxes"]),
            "profiles": tuple(form["profiles"]),
            "since": None if since is None else datetime.fromisoformat(since),
        }
    )


def _is_readable(row: BookRow) -> bool:
    """Whether every value that is read of it is what its column wants."""
    form = row.form
    try:
        if row.kind == INCIDENT:
            Told(form["told"])
            Severity(form["severity"])
            condition = _condition(json.dumps(form["condition"]))
            texts = [condition.key, condition.subject, condition.title, *form["heard"]]
            times = [form["began"], form["changed"], form["at"], *filter(None, [form["acknowledged"]])]
            numbers = [form["present"]]
        elif row.kind == EVENT:
            EventKind(form["kind"])
            texts = [form["subject"], form["heading"], message_of(json.dumps(form["message"])).title, *form["targets"]]
            texts += filter(None, [form["incident"]])
            times, numbers = [form["at"]], [form["number"]]
        else:
            return True
        are_times = all(_moment(datetime.fromisoformat(one)) == one for one in times)
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    return are_times and all(isinstance(one, str) for one in texts) and all(isinstance(one, int) for one in numbers)


def _stored(value: object) -> object:
    """A value as its column holds it."""
    match value:
        case datetime():
            return _moment(value)
        case AlertCondition():
            return _condition_text(value)
        case bool():
            return int(value)
    return value


def _moment(at: datetime) -> str:
    """A time so that the order of texts is that of times."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
