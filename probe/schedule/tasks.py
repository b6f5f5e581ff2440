"""What is to be done again and again for an estate: one task for each endpoint, mailbox and profile, with what it must not run beside. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from probe.memory import LONGEST_REST
from probe.model.estate import DEPLOYMENT_SUBJECT, Estate, Mailbox, ServerProfile
from probe.model.values import dataclass
from probe.model.watching import Hours, Load, MailboxWork, PlannedWork, ScheduleSettings

SIGN_INS_AT_A_PLACE = 3
"""Mailboxes that are signed in to at one endpoint at a time: as many as there are connections to one port (`probe/net/limits.py`)."""
SIGN_INS_AT_ONCE = 60
"""Mailboxes that are signed in to at a time, wherever: each takes memory, and where many endpoints are overdue thousands may be owed at once. Where every
server lets them wait for a minute, a night of four hours is long enough for 14,000."""
POSTURE_CONNECTIONS = 38
"""What a full TLS posture of a common server takes, as measured with joint elimination."""
THE_OWN_ACCOUNT = "the account that runs this program"
_LONGEST_REST_OF_DYNAMICS = timedelta(days=1)
"""The longest pause that Dynamics may ask for: nobody's mail waits for its records to be read, and what they said is told as old after an hour."""


class Ended(StrEnum):
    """How a run of a task ended."""

    AS_EXPECTED = "as-expected"
    CHANGED = "changed"
    """It found something else than before, which a second look shall confirm."""
    FAILED = "failed"
    """It came to no end, likewise."""
    SLOW_DOWN = "slow-down"
    """The server asked to be left alone."""


class TaskEnding(NamedTuple):
    """How a run of a task ended, and until when the server asked to be left alone, if it did and said so."""

    how: Ended
    until: datetime | None = None

    @staticmethod
    def slowed(seconds: float | None, now: datetime) -> TaskEnding:
        """That the server asked to be left alone, for so many seconds from now; None where it did not say."""
        return TaskEnding(Ended.SLOW_DOWN, None if seconds is None else now + timedelta(seconds=seconds))


class TaskKind(StrEnum):
    """What is done. The words are those of `[schedule]`."""

    QUICK = "quick"
    """An endpoint: its conversation and its certificate."""
    POSTURE = "posture"
    """An endpoint: everything that it takes of TLS."""
    CANARY = "canary"
    """The one mailbox of a profile that is signed in to between the nights."""
    LOGINS = "logins"
    """Any other mailbox."""
    ROUNDTRIP = "roundtrip"
    """A test mail through the canary of a profile."""
    DYNAMICS = "dynamics"
    """Dynamics' own state."""


OF_MAILBOXES = frozenset({TaskKind.CANARY, TaskKind.LOGINS, TaskKind.ROUNDTRIP})
"""What is held for a mailbox, and may sign in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing that is done again and again."""

    kind: TaskKind
    subject: str
    """URL of an endpoint, address of a mailbox, or `deployment`."""
    interval: timedelta
    loads: Mapping[str, Load]
    """What it costs, by the URL of each server that it reaches."""
    accounts: frozenset[str] = frozenset()
    """Accounts that it signs in with, each of which signs in once at a time."""
    between: Hours | None = None
    """The hours in which it is done; None for all day."""
    never: tuple[Hours, ...] = ()
    """Hours in which it is not done."""

    @property
    def is_of_a_mailbox(self) -> bool:
        """Whether it is held for a mailbox. Such a task is never done sooner than its interval allows."""
        return self.kind in OF_MAILBOXES

    @property
    def longest_rest(self) -> timedelta:
        """For how long its servers are left alone at most, whatever they ask for."""
        return _LONGEST_REST_OF_DYNAMICS if self.kind is TaskKind.DYNAMICS else LONGEST_REST

    @property
    def claims(self) -> tuple[str, ...]:
        """What it holds while it runs, of each of which there are `room_of` at a time."""
        where = _MAILBOXES_AT if self.is_of_a_mailbox else _LOOK_AT
        own = (*(f"{where}{url}" for url in sorted(self.loads)), *(f"account {name}" for name in sorted(self.accounts)))
        return (*own, _MAILBOXES) if self.is_of_a_mailbox else own


# A look does not keep sign-ins from an endpoint, nor they it: thousands of mailboxes may stand behind one.
_LOOK_AT = "look at "
_MAILBOXES_AT = "mailboxes at "
_MAILBOXES = "mailboxes"


def room_of(claim: str) -> int:
    """How many tasks may hold a claim at a time: one look at an endpoint, one sign-in of an account, a few mailboxes at an endpoint, some wherever."""
    if claim == _MAILBOXES:
        return SIGN_INS_AT_ONCE
    return SIGN_INS_AT_A_PLACE if claim.startswith(_MAILBOXES_AT) else 1


def tasks_of(estate: Estate, work: PlannedWork) -> tuple[Task, ...]:
    """Every task of an estate. `work` is what a plan of all its mailboxes holds, so what the estate does not allow is no task."""
    schedule = estate.schedule
    return (*_of_endpoints(estate, work), *_of_mailboxes(estate, work, schedule), *_of_dynamics(estate, schedule.dynamics))


def _of_endpoints(estate: Estate, work: PlannedWork) -> Iterator[Task]:
    for endpoint in estate.endpoints:
        url = endpoint.url
        if estate.schedule.quick is not None and url in work.endpoints:
            yield Task(kind=TaskKind.QUICK, subject=url, interval=estate.schedule.quick, loads={url: work.endpoints[url]})
        if estate.schedule.posture is not None:
            posture = Load(connections=POSTURE_CONNECTIONS)
            yield Task(kind=TaskKind.POSTURE, subject=url, interval=estate.schedule.posture, loads={url: posture})


def _of_mailboxes(estate: Estate, work: PlannedWork, schedule: ScheduleSettings) -> Iterator[Task]:
    canaries = frozenset(canary.address for canary in canaries_of(estate, work).values())
    for address, held in work.mailboxes.items():
        if address in canaries and schedule.canary is not None:
            yield _of_mailbox(TaskKind.CANARY, address, schedule.canary, held, schedule)
        if address in canaries and schedule.roundtrip is not None and held.round_trip:
            yield _of_mailbox(TaskKind.ROUNDTRIP, address, schedule.roundtrip, held, schedule)
        is_covered = (
            address in canaries and schedule.canary is not None and schedule.logins is not None and schedule.canary <= schedule.logins
        )
        if schedule.logins is not None and not is_covered:
            yield _of_mailbox(TaskKind.LOGINS, address, schedule.logins, held, schedule)


def _of_mailbox(kind: TaskKind, address: str, interval: timedelta, held: MailboxWork, schedule: ScheduleSettings) -> Task:
    return Task(
        kind=kind,
        subject=address,
        interval=interval,
        # The sign-ins that a round trip waits for are held with it.
        loads=_together(held.places, held.round_trip) if kind is TaskKind.ROUNDTRIP else held.places,
        accounts=held.accounts,
        between=schedule.logins_between if kind is TaskKind.LOGINS else None,
        never=schedule.maintenance,
    )


def canaries_of(estate: Estate, work: PlannedWork) -> dict[str, Mailbox]:
    """The mailbox of each profile that is signed in to for all of it, by the profile's name: the one that the profile names, or its first.

    A profile with no mailbox that can be signed in to has none.
    """
    able = [mailbox for mailbox in estate.mailboxes if mailbox.address in work.mailboxes and work.mailboxes[mailbox.address].accounts]
    found: dict[str, Mailbox] = {}
    for mailbox in able:
        if _may_be_canary(estate.profile_of(mailbox), mailbox):
            found.setdefault(mailbox.profile, mailbox)
    return found


def _may_be_canary(profile: ServerProfile, mailbox: Mailbox) -> bool:
    return profile.canary is None or profile.canary.casefold() == mailbox.address.casefold()


def _together(one: Mapping[str, Load], other: Mapping[str, Load]) -> dict[str, Load]:
    nothing = Load(connections=0)
    return {
        url: Load(
            connections=one.get(url, nothing).connections + other.get(url, nothing).connections,
            sign_ins=one.get(url, nothing).sign_ins + other.get(url, nothing).sign_ins,
        )
        for url in (*one, *(url for url in other if url not in one))
    }


def _of_dynamics(estate: Estate, interval: timedelta | None) -> Iterator[Task]:
    if estate.dynamics is not None and interval is not None:
        yield Task(
            kind=TaskKind.DYNAMICS,
            subject=DEPLOYMENT_SUBJECT,
            interval=interval,
            loads={str(estate.dynamics.url): Load(connections=1, sign_ins=1)},
            accounts=frozenset({(estate.dynamics.username or THE_OWN_ACCOUNT).lower()}),
        )
