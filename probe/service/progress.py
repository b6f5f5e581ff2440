"""How far conversations are that somebody waits for, in words. Pure."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

from probe.document.telling.words import bounded, count
from probe.engine.plan import Conversation

_MOST_NAMED = 3
_MOST_NAME = 100
"""Characters of the name of an endpoint or a mailbox."""


def how_far(left: Collection[Conversation], of: int) -> str:
    """How many of some conversations have ended, and which are waited for, as a clause."""
    told = f"{of - len(left):,} of {count(of, 'conversation has', 'conversations have')} ended"
    if not left:
        return told
    names = [f"{one.prober} with {bounded(one.told_of, _MOST_NAME)}" for one in islice(left, _MOST_NAMED)]
    more = [f"{len(left) - len(names):,} more"] if len(left) > len(names) else []
    return f"{told}; {', '.join((*names, *more))} {'is' if len(left) == 1 else 'are'} waited for"
