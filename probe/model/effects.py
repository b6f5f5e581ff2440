"""What a conversation does to the peer, and what of it may be allowed."""

from __future__ import annotations

from enum import StrEnum


class Effect(StrEnum):
    """What a conversation does to the peer, from nothing to lasting change."""

    READS = "reads"
    PROVOKES = "provokes"
    """Leaves a mark, such as a failed logon in the peer's log, or tests for a weakness."""
    LOGS_IN = "logs-in"
    SENDS_MAIL = "sends-mail"
    CHANGES = "changes"


ALLOWABLE = (Effect.PROVOKES, Effect.LOGS_IN, Effect.SENDS_MAIL)
"""What an estate or a call may allow. Reading is always allowed. A change in Dynamics is confirmed each time, and cannot be allowed in advance."""
