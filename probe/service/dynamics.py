"""Dynamics' own state beside what was found at the servers: what somebody must hear of both together. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from probe.alerts import AlertCondition, AlertKind, Severity
from probe.document.telling.words import count
from probe.model import vocabulary as v
from probe.model.estate import DEPLOYMENT_SUBJECT, Delivery, Estate, profile_subject
from probe.model.facts import Fact, Reading
from probe.model.rules import Direction, Readiness, SignedIn
from probe.model.runs import Run
from probe.web.places import page_of

STUCK_AFTER = timedelta(hours=1)
"""How long mail of a mailbox waits to be sent until somebody is told. Dynamics sends every few minutes."""
PENDING = "mail-pending"


def enabling_again(run: Run, mailboxes: Sequence[str], since: Mapping[str, datetime]) -> str | None:
    """What to do for mailboxes that Dynamics disabled after an error, where everything is ready again; None where it is not.

    `since` has the time since which an account is as it is.
    """
    wanted = frozenset(mailboxes)
    ready = [
        one.mailbox
        for one in run.assessments
        if one.mailbox in wanted and one.readiness is Readiness.READY and one.signed_in is SignedIn.YES
    ]
    failed_at = [
        reading.value
        for reading in run.readings
        if isinstance(reading, Fact) and reading.key == v.DYNAMICS_LAST_ERROR_AT and reading.subject in wanted
    ]
    if not ready or not failed_at:
        return None
    # The command takes local time, as whoever types it has it.
    first = (min(failed_at) - timedelta(minutes=1)).astimezone()
    again = [since[address] for address in ready if address in since]
    accepted = f" since {_shown(max(again))}" if again else ""
    return (
        f"Disabled from {_shown(min(failed_at))} on. The servers let the accounts of {count(len(ready), 'mailbox', 'mailboxes')} in{accepted}; enable them again: "
        f"probe gate ESTATE.toml --disabled-since {first:%Y-%m-%dT%H:%M} --enable"
    )


class _WaitingSince(NamedTuple):
    """Mail of a mailbox that waits."""

    began: datetime
    """When it was first seen to."""
    seen: datetime
    """When it was last seen to."""
    number: int


class WaitingMail:
    """Since when mail of each mailbox has been waiting to be sent, by what Dynamics says each time."""

    def __init__(self) -> None:
        self._waiting: dict[str, _WaitingSince] = {}
        self._first: datetime | None = None
        """When Dynamics was read first, and last; None: never."""
        self._last: datetime | None = None

    def take(self, readings: Iterable[Reading], now: datetime) -> None:
        """Take in what Dynamics says now. A mailbox of which it says nothing is as it was, and so are all where it could not be read."""
        said = tuple(readings)
        if not any(reading.key is v.DYNAMICS_ORGANIZATION_ID and isinstance(reading, Fact) for reading in said):
            # What it said before may stand there still: of what waits now that says nothing.
            return
        self._first, self._last = self._first or now, now
        for reading in said:
            if reading.key is v.DYNAMICS_PENDING_SEND and isinstance(reading, Fact):
                if reading.value == 0:
                    self._waiting.pop(reading.subject, None)
                else:
                    known = self._waiting.get(reading.subject)
                    self._waiting[reading.subject] = _WaitingSince(now if known is None else known.began, now, reading.value)

    @property
    def is_undecided(self) -> bool:
        """Whether it is not known yet which mail has been waiting for long, so shortly after Dynamics was first read."""
        return self._first is None or self._last is None or self._last - self._first < STUCK_AFTER + timedelta(minutes=15)

    def conditions(self, estate: Estate) -> list[AlertCondition]:
        """A condition for each profile of whose mailboxes mail was seen to wait for too long."""
        stuck: dict[str, list[str]] = {}
        waiting: Counter[str] = Counter()
        since: dict[str, datetime] = {}
        for mailbox in estate.mailboxes:
            known = self._waiting.get(mailbox.address)
            if known is not None and known.seen - known.began >= STUCK_AFTER:
                stuck.setdefault(mailbox.profile, []).append(mailbox.address)
                waiting[mailbox.profile] += known.number
                since[mailbox.profile] = min(known.began, since.get(mailbox.profile, known.began))
        return [
            AlertCondition(
                key=f"{AlertKind.DYNAMICS}|{PENDING}|{profile_subject(name)}",
                kind=AlertKind.DYNAMICS,
                severity=Severity.WARNING,
                subject=profile_subject(name),
                title=f"profile {name}: mail waits to be sent for more than an hour",
                cause=f"{count(waiting[name], 'mail', 'mails')} of {count(len(addresses), 'mailbox', 'mailboxes')} in Pending Send",
                remedy=(
                    "See whether the outgoing direction of these mailboxes is enabled in Dynamics, and whether their server takes mail: "
                    "the page of each says both."
                ),
                path=page_of(addresses[0]) if len(addresses) == 1 else "/",
                mailboxes=tuple(addresses),
                profiles=(name,),
                since=since[name],
            )
            for name, addresses in stuck.items()
        ]


UNLISTED = "not-in-the-estate"


def unlisted(addresses: Sequence[str]) -> list[AlertCondition]:
    """The condition that server-side synchronization serves mailboxes that the estate does not have, where it does."""
    if not addresses:
        return []
    return [
        AlertCondition(
            key=f"{AlertKind.DYNAMICS}|{UNLISTED}|{DEPLOYMENT_SUBJECT}",
            kind=AlertKind.DYNAMICS,
            severity=Severity.INFORMATION,
            subject=DEPLOYMENT_SUBJECT,
            title=f"{count(len(addresses), 'mailbox that Dynamics serves is', 'mailboxes that Dynamics serves are')} not in the estate",
            cause="Dynamics' own records have server-side delivery for them, and nothing here watches them.",
            remedy="Add them to the estate: probe import dynamics URL --output ESTATE.toml --update",
            path="/",
            mailboxes=tuple(addresses),
        )
    ]


def states(run: Run) -> Mapping[tuple[str, str], int]:
    """How many mailboxes that a run judges Dynamics has in which state, by profile: `enabled`, `disabled` (in a direction that it serves) or `unknown`."""
    if run.estate is None or run.estate.dynamics is None:
        return {}
    enabled = {
        reading.subject: dict(reading.value) for reading in run.readings if isinstance(reading, Fact) and reading.key == v.DYNAMICS_ENABLED
    }
    found: Counter[tuple[str, str]] = Counter()
    # Besides, a part of an estate has mailboxes that stand in for other parts.
    judged = {assessment.mailbox for assessment in run.assessments}
    for mailbox in run.estate.mailboxes:
        used = [way for way in Direction if getattr(mailbox, way) is Delivery.SERVER_SIDE]
        if used and mailbox.address in judged:
            told = enabled.get(mailbox.address)
            found[mailbox.profile, "unknown" if told is None else "enabled" if all(told[way] for way in used) else "disabled"] += 1
    return found


def _shown(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
