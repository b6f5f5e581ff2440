"""What there is to be told: conditions, which last; notices, which happened once; ends that approach."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum

from probe.model.secrets import SecretReference
from probe.model.values import dataclass


class Severity(StrEnum):
    """How much it matters."""

    CRITICAL = "critical"
    """Mail is not processed."""
    WARNING = "warning"
    """Mail will not be processed, or may not be."""
    INFORMATION = "information"
    """Something to know of."""

    @property
    def rank(self) -> int:
        """The higher, the worse."""
        return _RANKS[self]


_RANKS = {Severity.INFORMATION: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


class AlertKind(StrEnum):
    """What an alert is about."""

    VERDICT = "verdict"
    """What was judged of a mailbox or an endpoint."""
    DRIFT = "drift"
    """Something of a server that is otherwise than before."""
    AHEAD = "ahead"
    """An end that approaches."""
    DYNAMICS = "dynamics"
    """Dynamics' own state."""
    SERVICE = "service"
    """The program itself, as where it cannot keep its schedule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCondition:
    """Something that lasts, as it is now."""

    key: str
    """Its identity, as `verdict|server-unreachable|smtp://mail:587`: the same as long as it is the same trouble, whatever its counts."""
    kind: AlertKind
    severity: Severity
    subject: str
    """An endpoint's URL, a mailbox's address, `profile:NAME`, `deployment`."""
    title: str
    """One line. As cause and remedy it is written by us, and holds no words of a peer."""
    cause: str = ""
    words: str = ""
    """What a server, or Dynamics, said: anything, hostile text too."""
    remedy: str = ""
    path: str = ""
    """Of the page about it, as `/e/1a2b…`."""
    mailboxes: tuple[str, ...] = ()
    """Addresses of the mailboxes that it affects."""
    more_mailboxes: int = 0
    """How many more it affects, which are not named."""
    profiles: tuple[str, ...] = ()
    """Server profiles, whose owners are told; none: everybody who is told by default."""
    since: datetime | None = None
    """When it began, where that is known; else it began when it was first told of."""
    is_unwatched: bool = False
    """Of one that ended: whether that is because nobody looks any more, as where the estate names its subject no more."""


class Notice(AlertCondition):
    """Something that happened once, as drift. Its key holds when: another change back and forth is another notice."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approaching:
    """Something that ends on a day. What, of which subject, and the day are its identity."""

    what: str
    """What ends, as `certificate-expired`."""
    subject: str
    """As of a condition."""
    day: date
    title: str
    """What ends, in one line; how many days are left is added."""
    severity: Severity = Severity.WARNING
    cause: str = ""
    words: str = ""
    remedy: str = ""
    path: str = ""
    mailboxes: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()

    def notice(self, today: date, stages: Iterable[int]) -> Notice | None:
        """What is told of it today: by the nearest stage (a number of days) that is reached; None before the first, and past the end."""
        left = (self.day - today).days
        reached = [stage for stage in stages if 0 <= left <= stage]
        if not reached:
            return None
        days = {0: "today", 1: "tomorrow"}.get(left, f"in {left} days")
        return Notice(
            key=f"{AlertKind.AHEAD}|{self.what}|{self.subject}|{self.day}|{min(reached)}",
            kind=AlertKind.AHEAD,
            severity=self.severity,
            subject=self.subject,
            title=f"{self.title}: {days}, on {self.day}",
            cause=self.cause,
            words=self.words,
            remedy=self.remedy,
            path=self.path,
            mailboxes=self.mailboxes,
            profiles=self.profiles,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipients:
    """Who is told of what: the references of the estate."""

    default: tuple[SecretReference, ...] = ()
    by_profile: tuple[tuple[str, tuple[SecretReference, ...]], ...] = ()
    """Profiles whose owners are told in place of `default`."""
    local: tuple[str, ...] = ()
    """Logs of this machine that everything is written to, by name."""

    def of(self, profiles: Iterable[str]) -> tuple[str, ...]:
        """Names of the targets that are told of something that concerns these profiles; each once."""
        owners, named = dict(self.by_profile), tuple(profiles)
        found = [reference for profile in named or ("",) for reference in owners.get(profile, self.default)]
        return tuple(dict.fromkeys([*map(name_of, found), *self.local]))

    @property
    def everybody(self) -> tuple[str, ...]:
        """Names of all targets."""
        return self.of(("", *(profile for profile, _ in self.by_profile)))


def name_of(reference: SecretReference) -> str:
    """How a target is called everywhere: its reference as the estate writes it, never what is found there."""
    return f"{reference.kind}:{reference.locator}"
