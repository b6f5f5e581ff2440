"""What Test & Enable will do besides testing, in numbers, and where the probing machine stands. Pure in what was read of Dynamics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from probe.dynamics import TraceLog
from probe.dynamics.comparing import Rows
from probe.dynamics.state import claimed_elsewhere
from probe.model.estate import Delivery, Mailbox
from probe.model.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What Test & Enable of a mailbox will do; None is what could not be read."""

    sends_test_mail: bool
    """Whether a message goes out, from the mailbox to itself."""
    pending_send: int | None
    """Mails that wait for the mailbox to be enabled, and leave then."""
    oldest_pending: datetime | None
    backlog: int | None
    """Messages in the mailbox that are newer than `backlog_since`, and would be pulled."""
    backlog_since: datetime | None
    primary_organization: str | None
    """`this` where this organization is the one that synchronizes the mailbox's appointments, `other` where an open alert says that another is."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Mails of one mailbox that wait to be sent."""

    count: int
    oldest: datetime | None


def will_do(
    mailbox: Mailbox, rows: Rows | None, pending: Pending | None, alerts: Sequence[TraceLog] = (), backlog: int | None = None
) -> Will:
    """`pending` is None where it could not be read, `backlog` where it could not be counted; `alerts` are those of the mailbox."""
    since = None if rows is None else rows.processes_mail_since
    primary = None
    if rows is not None:
        is_elsewhere = rows.mailbox.id in claimed_elsewhere(alerts)
        primary = "other" if is_elsewhere else "this" if rows.mailbox.is_primary_organization else None
    return Will(
        sends_test_mail=mailbox.outgoing is Delivery.SERVER_SIDE,
        pending_send=None if pending is None else pending.count,
        oldest_pending=None if pending is None else pending.oldest,
        backlog=backlog,
        backlog_since=since if mailbox.incoming is Delivery.SERVER_SIDE else None,
        primary_organization=primary,
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """Which machine probed, and which ones Dynamics names as those of its asynchronous service."""

    host: str
    servers: tuple[str, ...]

    @property
    def is_there(self) -> bool | None:
        """Whether it was probed from where server-side synchronization runs; None where Dynamics names no machine."""
        return _short(self.host) in map(_short, self.servers) if self.servers else None


def standing_of(host: str, machines: Iterable[str | None]) -> Standing:
    """Of the machine names that rows and alerts hold, each once."""
    by_short = {_short(name): name for name in machines if name}
    return Standing(host, tuple(sorted(by_short.values())))


def _short(name: str) -> str:
    """A machine's name without its domain: Windows names a machine without, a resolver with it."""
    return name.partition(".")[0].lower()
