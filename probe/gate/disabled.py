"""The mailboxes that an outage disabled: what `--disabled-since` asks for. Pure in the rows and the moment."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from probe.dynamics.comparing import Difference
from probe.dynamics.found import is_approved
from probe.dynamics.meanings import APPOINTMENTS_DELIVERY, MAIL_DELIVERY
from probe.gate.records import DynamicsRecords
from probe.model.estate import Delivery, Mailbox
from probe.model.rules import Direction
from probe.model.values import dataclass

BEFORE = timedelta(hours=24)
"""How long before the outage a mailbox must have been synchronized at the latest."""
_TIME = re.compile(r"(\d{1,2}):(\d\d)")
_HOURS = re.compile(r"(\d{1,4})h")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disabled:
    """A mailbox that is not enabled in a direction that server-side synchronization serves."""

    mailbox: Mailbox
    directions: tuple[Direction, ...]
    """In which it is not enabled."""
    last_success: datetime | None
    last_error: datetime | None
    lacks: tuple[str, ...]
    """What does not fit an outage at that moment, each in a few words; nothing where all does."""


def moment_of(text: str, now: datetime, in_local_time: Callable[[datetime], datetime]) -> datetime:
    """The moment that `HH:MM` (today), a date and time, or `6h` (ago) names. Raises ValueError with one sentence.

    `now` is in local time, and `in_local_time` gives a time without a zone the one of its day, which in summer is another.
    """
    if found := _HOURS.fullmatch(text):
        return now - timedelta(hours=int(found[1]))
    try:
        if found := _TIME.fullmatch(text):
            named = now.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0, tzinfo=None)
        else:
            named = datetime.fromisoformat(text)
            if len(text) <= len("2026-11-29"):
                raise ValueError
        named = in_local_time(named) if named.tzinfo is None else named
        named.astimezone(UTC)
    except (ValueError, OverflowError):
        # Near the years 1 and 9999 a time may lie beyond them in UTC.
        raise ValueError(f"{text!r} is no moment; write it as 08:30 (today), 2026-11-29T08:30 or 6h") from None
    if named > now:
        raise ValueError(f"{text!r} lies ahead; it is {now.strftime('%Y-%m-%d %H:%M')}")
    return named


def disabled_since(mailboxes: Sequence[Mailbox], records: DynamicsRecords, when: datetime) -> tuple[Disabled, ...]:
    """Those that are disabled and fit an outage at that moment, wholly (`lacks` is empty) or in part; others are not among them."""
    return tuple(_disabled(mailboxes, records, when))


def _disabled(mailboxes: Sequence[Mailbox], records: DynamicsRecords, when: datetime) -> Iterator[Disabled]:
    for mailbox in mailboxes:
        rows = records.of(mailbox)
        if isinstance(rows, Difference):
            continue
        row = rows.mailbox
        served = {
            Direction.INCOMING: (MAIL_DELIVERY, row.incoming_delivery, row.incoming_enabled),
            Direction.OUTGOING: (MAIL_DELIVERY, row.outgoing_delivery, row.outgoing_enabled),
            Direction.APPOINTMENTS: (APPOINTMENTS_DELIVERY, row.appointments_delivery, row.appointments_enabled),
        }
        directions = tuple(
            direction
            for direction, (words, method, is_enabled) in served.items()
            if method is not None and words.get(method.value) == Delivery.SERVER_SIDE and is_enabled is False
        )
        was_well = row.last_success is not None and when - BEFORE <= row.last_success <= when
        went_wrong = row.last_error_at is not None and row.last_error_at > when
        if directions and (was_well or went_wrong):
            lacks = {
                "it is not approved": is_approved(row),
                "its last success does not lie within 24 hours before": was_well,
                "its last error does not lie after": went_wrong,
            }
            yield Disabled(
                mailbox=mailbox,
                directions=directions,
                last_success=row.last_success,
                last_error=row.last_error_at,
                lacks=tuple(words for words, fits in lacks.items() if not fits),
            )
