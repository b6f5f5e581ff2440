"""The book of alerts as one service leaves it for the next, whose own book is another file: what recipients know, and what is on its way to them.

A target stands there under a hash of its name: where it is kept is no business of whoever reads that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from probe.alerts.conditions import Severity
from probe.alerts.wording import EventKind, Message, message_text, new_event_id
from probe.model.kinds import Json

if TYPE_CHECKING:
    import sqlite3

INCIDENT, EVENT, NOTICE = "incident", "event", "notice"
"""An incident that is open, by the key of its condition; an event that not all of its targets have, by its id; a notice that is not told again, by its key."""
BOOK_KINDS = (INCIDENT, EVENT, NOTICE)
_COLUMNS = ("present", "told", "began", "changed", "at", "severity", "acknowledged")
"""Of an incident, as they are."""
_ANOTHER = "another service has taken over, and tells it"
_TOLD_AHEAD = "ahead|%"
"""Keys of the notices that are found again each day. Of drift it is known up to which change it was told."""


class BookRow(NamedTuple):
    """A row of the book, as it is left."""

    kind: str
    """`incident`, `event` or `notice`."""
    key: str
    form: Json


def rows_of(database: sqlite3.Connection, deployment: str) -> Iterator[BookRow]:
    """All that whoever takes over is to know."""
    heard: dict[int, list[str]] = {}
    for incident, target in database.execute(
        "SELECT DISTINCT incident, target FROM delivery JOIN event ON number = event WHERE incident IN "
        "(SELECT id FROM incident WHERE deployment = ? AND ended IS NULL)",
        (deployment,),
    ):
        heard.setdefault(incident, []).append(_hash(target))
    for number, key, condition, *values in database.execute(
        f"SELECT id, key, condition, {', '.join(_COLUMNS)} FROM incident WHERE deployment = ? AND ended IS NULL",  # noqa: S608 - our own words
        (deployment,),
    ):
        columns = dict(zip(_COLUMNS, values, strict=True))
        yield BookRow(INCIDENT, key, {**columns, "condition": json.loads(condition), "heard": sorted(heard.get(number, ()))})
    targets: dict[int, list[str]] = {}
    for number, target in database.execute("SELECT event, target FROM delivery WHERE state IN ('waiting', 'sending')"):
        targets.setdefault(number, []).append(_hash(target))
    for number, event, kind, at, incident, subject, heading, message in database.execute(
        "SELECT number, event.id, kind, event.at, incident.key, subject, heading, message FROM event "
        "LEFT JOIN incident ON incident.id = incident AND ended IS NULL WHERE event.deployment = ? "
        "AND number IN (SELECT event FROM delivery WHERE state IN ('waiting', 'sending'))",
        (deployment,),
    ):
        form = {"number": number, "kind": kind, "at": at, "incident": incident, "subject": subject, "heading": heading}
        yield BookRow(EVENT, event, {**form, "message": json.loads(message), "targets": sorted(targets.get(number, ()))})
    for (key,) in database.execute("SELECT key FROM told WHERE deployment = ? AND key LIKE ?", (deployment, _TOLD_AHEAD)):
        yield BookRow(NOTICE, key, {})


def take_over(
    database: sqlite3.Connection, deployment: str, rows: Iterable[BookRow], targets: Iterable[str], local: Iterable[str], now: str
) -> None:
    """Put what another service left in the place of what is open here.

    `targets` are all that are named now. What was on its way to them may have arrived, and is a possible repetition. What stands in the logs of
    another machine does not stand in those of this one: the ends of its incidents go to `local` all the same.
    """
    by_hash, all_rows = {_hash(target): target for target in targets}, list(rows)
    database.execute(
        "UPDATE incident SET present = 0, told = 'nothing', ended = ? WHERE deployment = ? AND ended IS NULL", (now, deployment)
    )
    database.execute(
        "UPDATE delivery SET state = 'failed', why = ?, at = ? WHERE state IN ('waiting', 'sending') AND event IN "
        "(SELECT number FROM event WHERE deployment = ?)",
        (_ANOTHER, now, deployment),
    )
    numbers: dict[str, int] = {}
    for _, key, form in sorted((row for row in all_rows if row.kind == INCIDENT), key=lambda row: str(row.form["began"])):
        numbers[key] = _begin(database, deployment, key, form)
        knowing = [*(by_hash[one] for one in form["heard"] if one in by_hash), *local]
        _write_event(database, _known_event(deployment, form, numbers[key]), dict.fromkeys(knowing), now, state="sent")
    for _, event, form in sorted((row for row in all_rows if row.kind == EVENT), key=lambda row: int(row.form["number"])):
        values = {name: form[name] for name in ("kind", "at", "subject", "heading")}
        written = {"id": event, "deployment": deployment, "incident": numbers.get(form["incident"]), "message": json.dumps(form["message"])}
        left = [by_hash[one] for one in form["targets"] if one in by_hash]
        _write_event(database, {**values, **written}, dict.fromkeys(left), now, state="waiting")
    notices = ((deployment, row.key, now) for row in all_rows if row.kind == NOTICE)
    database.executemany("INSERT OR IGNORE INTO told VALUES (?, ?, ?)", notices)


def _begin(database: sqlite3.Connection, deployment: str, key: str, form: Json) -> int:
    values = {"deployment": deployment, "key": key, "condition": json.dumps(form["condition"]), **{name: form[name] for name in _COLUMNS}}
    return _inserted(database, "INSERT INTO incident", values)


def _known_event(deployment: str, form: Json, incident: int) -> dict[str, object]:
    """An event that stands for all by which recipients came to know of an incident elsewhere."""
    title, severity, subject = (form["condition"][name] for name in ("title", "severity", "subject"))
    return {
        "id": new_event_id(),
        "deployment": deployment,
        "kind": EventKind.BEGAN,
        "at": form["at"],
        "incident": incident,
        "subject": subject,
        "heading": title,
        "message": message_text(Message(title=title, severity=Severity(severity), is_over=False, lines=())),
    }


def _write_event(database: sqlite3.Connection, values: Mapping[str, object], targets: Iterable[str], now: str, *, state: str) -> None:
    """Write an event, or take up the one with its id, with its deliveries."""
    known = database.execute("SELECT number FROM event WHERE id = ?", (values["id"],)).fetchone()
    number = _inserted(database, "INSERT INTO event", values) if known is None else known[0]
    rows = [(number, target, state, now, state != "sent", now) for target in targets]
    database.executemany("INSERT OR REPLACE INTO delivery VALUES (?, ?, ?, 0, ?, ?, '', ?)", rows)


def _inserted(database: sqlite3.Connection, insert: str, values: Mapping[str, object]) -> int:
    """The number of the row that is inserted with these values, by column."""
    names, places = ", ".join(values), ", ".join("?" * len(values))
    number = database.execute(f"{insert} ({names}) VALUES ({places})", tuple(values.values())).lastrowid
    assert number is not None
    return number


def _hash(target: str) -> str:
    return hashlib.blake2b(target.encode(), digest_size=8).hexdigest()
