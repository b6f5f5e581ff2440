"""Finds one message in an inbox over EWS and deletes it: what runs in the child process, and what goes in and comes out."""

from __future__ import annotations

from typing import Literal

from probe.model.values import dataclass
from probe.net.ews_session import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """Which message, and how to come to it."""

    order: Order
    subject: str
    """Its whole subject; a message with any other is not touched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of it."""

    state: Literal["absent", "removed", "kept", "refused", "broken"]
    """`kept`: it was found, and the server would not delete it; `refused`: nobody was let in, or the server would not search;
    `broken`: no answer that can be read."""
    detail: str = ""
    """Exchange's code or the status, where there is one."""
    trouble: str = ""
    """As in `probe.net.ews_session.Trouble`."""
    status: int | None = None
    """HTTP status of the last answer."""
    logons: int = 0
    """As in `probe.net.ews_session.Seen`."""

    @property
    def is_let_in(self) -> bool:
        """Whether it was EWS that answered, which it does for nobody who was not let in."""
        return self.state != "broken" and self.status in (200, 500)


def take_message(taking: Taking) -> Taken:
    """One FindItem for the subject, and one DeleteItem for what has exactly that; on one logon. Blocks; raises nothing for what a peer does."""
    from probe.net import ews_protocol

    return ews_protocol.take_message(taking)
