"""What the listener may ask of the service that it shows. The service implements it; nothing else of the service is known here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from probe.model.estate import Endpoint, Estate, Mailbox
from probe.model.runs import Run
from probe.model.values import dataclass

if TYPE_CHECKING:
    from probe.gate import Gated
    from probe.history import History


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


class CannotCheck(Exception):
    """A check or an answer of the gate that is not held; the message is one sentence that names no secret."""


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

    def run(self) -> Run:
        """The newest state of the whole estate as one run: the last attempts and readings of every endpoint, and an assessment of every mailbox.

        Its `estate` is that of `estate`. Attempts with one subject are in the order of the plan. It is the same object as long as nothing of it changed,
        so that what is drawn from it is drawn once.
        """

    def last_look(self, endpoint: str) -> LastLook | None:
        """The last look at an endpoint, by its URL; None where there was none since the estate has it."""

    def standby(self) -> Standby:
        """Whether the schedule is kept, as `/readyz` tells."""

    def lag(self) -> timedelta:
        """How late the latest due task is; zero where none is late."""

    def attempts(self) -> Mapping[tuple[str, str], int]:
        """How many attempts ended since the service began, by prober and outcome. A number never falls."""

    def dynamics(self) -> Mapping[tuple[str, str], int]:
        """How many mailboxes Dynamics has in which state, by profile and state; empty where Dynamics is not read."""

    def signed_in(self, mailbox: str) -> datetime | None:
        """When the account of a mailbox, by its address, signed in last and found what `run` tells of it; None where that is not known."""

    async def look(self, endpoint: Endpoint) -> None:
        """Look at an endpoint of the estate, so that `run` and `last_look` tell of it.

        Nothing is done where the last look is younger than `estate.schedule.quick`; who asks while a look goes on waits for that one. A server that is down is
        no failure: its attempts say so. Cancelling the caller leaves the look to go on for the others. Raises CannotCheck.
        """

    async def check(self, subject: Mailbox | Endpoint, run_id: str) -> Run:
        """Check a mailbox or an endpoint of the estate now, and give the run, which has this id and is in the history as a document when this returns.

        It waits until no other run is held at its endpoints, and keeps to the budget of sign-ins: an account that signed in for a mailbox at an endpoint less
        than 15 minutes ago does not sign in again, and the run has the last answer with its time, which lies before `started`. Raises CannotCheck.
        """

    async def gate(self, mailbox: Mailbox, run_id: str) -> Gated:
        """The gate's answer for a mailbox of the estate, as `probe gate` gives it without `--enable`; its run is kept as that of `check`, and has the answer of
        a sign-in of the last 15 minutes as that one does. Raises CannotCheck."""
