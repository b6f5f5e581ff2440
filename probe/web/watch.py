"""What the listener may ask of the service that it shows. The service implements it; nothing else of the service is known here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from probe.model.estate import Endpoint, Estate, Mailbox
from probe.model.runs import Run
from probe.model.values import dataclass

if TYPE_CHECKING:
    from probe.enabling import Pressed, RecordedRequest
    from probe.gate import Gated
    from probe.history import History
    from probe.web.parts import PartState


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedState:
    """What is known of an estate at one time, in parts that are judged by themselves."""

    whole: Run
    """The estate and the time at which all of this is so; without attempts, readings and assessments, which its parts have."""
    parts: Mapping[int, PartState]
    """By number; each is the same object as long as nothing of it is new. What they say of the deployment is the same. A part that was not judged yet
    is not among them."""


@dataclass(frozen=True, slots=True)
class LastLook:
    """The last look at an endpoint."""

    at: datetime
    """When it ended, in UTC."""
    seconds: float
    """What the conversation took; 0 where it did not come to its end."""


@dataclass(frozen=True, slots=True)
class Standby:
    """Whether the service keeps its schedule."""

    is_ready: bool
    words: str
    """One sentence: why not; where it is ready, what it keeps."""
    stands_by: bool = False
    """Whether another service keeps it, so that what this one knows of the estate is of the time when it did."""


@dataclass(frozen=True, slots=True)
class LookUnderWay:
    """Something that the schedule has done now."""

    kind: str
    """The key of `[schedule]` by which it is done."""
    subject: str
    """URL of an endpoint, address of a mailbox, or `deployment`."""
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EnableOrder:
    """That somebody wants Test & Enable of the one mailbox that an answer of the gate is about."""

    id: str
    """By which the audit knows it: letters and digits."""
    who: str
    """Who wants it, as the audit has it."""
    takes_over: bool
    """Whether this organization may become the one that synchronizes the mailbox's appointments."""


class CannotCheck(Exception):
    """A check, an answer of the gate or Test & Enable that somebody asked for and that is not held; the message is one sentence that names no secret."""


class Watch(Protocol):
    """The service, as far as it is shown. Every method is called on the service's loop; those that are not coroutines return at once."""

    @property
    def estate(self) -> Estate:
        """The estate as it is now; another object once it was reloaded."""

    @property
    def started(self) -> datetime:
        """When the service began, in UTC."""

    @property
    def history(self) -> History:
        """What was seen before. Its methods raise HistoryUnavailable."""

    def state(self) -> WatchedState:
        """What is known of the whole estate: the last attempts and readings of every endpoint, and an assessment of every mailbox that is judged.

        Its estate is that of `estate`, or, as long as a new one is not judged yet, the one before. Attempts with one subject are in the order of the
        plan. It is the same object as long as nothing of it changed.
        """

    async def changed(self, known: WatchedState | None) -> None:
        """Return once `state` gives another than this."""

    def last_look(self, endpoint: str) -> LastLook | None:
        """The last look at an endpoint, by its URL; None where there was none since the estate has it."""

    def standby(self) -> Standby:
        """Whether the schedule is kept, as `/readyz` tells."""

    def lag(self) -> timedelta:
        """How late the latest due task is; zero where none is late, and where another service does them."""

    def under_way(self) -> Sequence[LookUnderWay]:
        """What the schedule has done now, the longest first."""

    def attempts(self) -> Mapping[tuple[str, str], int]:
        """How many attempts ended since the service began, by prober and outcome. A number never falls."""

    def dynamics(self) -> Mapping[tuple[str, str], int]:
        """How many mailboxes Dynamics has in which state, by profile and state; empty where Dynamics is not read."""

    def signed_in(self, mailbox: str) -> datetime | None:
        """When the account of a mailbox, by its address, signed in last and found what `run` tells of it; None where that is not known."""

    def next_sign_in(self, mailbox: str, last: datetime | None) -> datetime | None:
        """When the schedule has somebody sign in for a mailbox next, by its address, if nothing delays that; None where it does not. `last`: when anybody did."""

    async def look(self, endpoint: Endpoint) -> None:
        """Look at an endpoint of the estate, so that `state` and `last_look` tell of it.

        Nothing is done where the last look is younger than `estate.schedule.quick`; who asks while a look goes on waits for that one. A server that is down is
        no failure: its attempts say so. Cancelling the caller leaves the look to go on for the others. Raises CannotCheck.
        """

    async def check(self, subject: Mailbox | Endpoint, run_id: str, say: Callable[[str], None]) -> Run:
        """Check a mailbox or an endpoint of the estate now, and give the run, which has this id and is in the history as a document when this returns.

        It waits until no other run is held at its endpoints, and keeps to the budget of sign-ins: an account that signed in for a mailbox at an endpoint less
        than 15 minutes ago does not sign in again, and the run has the last answer with its time, which lies before `started`.

        `say` is told now and then how far it is. Raises CannotCheck.
        """

    async def gate(self, mailbox: Mailbox, run_id: str, say: Callable[[str], None]) -> Gated:
        """The gate's answer for a mailbox of the estate, as `probe gate` gives it without `--enable`; its run is kept as that of `check`, and has the answer of
        a sign-in of the last 15 minutes as that one does.

        `say` is told now and then how far it is. Raises CannotCheck.
        """

    async def enable(self, gated: Gated, order: EnableOrder, say: Callable[[str], None]) -> Pressed:
        """Ask Dynamics for Test & Enable of the one mailbox of an answer, wait, and tell what came of it, as `probe gate --enable` does.

        Nothing is asked where the answer is no go, the estate is another than that of the answer, or does not allow it, or somebody else asks meanwhile.
        Cancelled, it leaves in the audit what is needed to find the outcome later. Raises CannotCheck where nothing was asked.
        """

    async def enabling(self) -> Mapping[str, RecordedRequest]:
        """What was asked of Dynamics by `enable`, by the id of the order, the oldest first, as the audit has it. Raises CannotCheck where that cannot be read."""
