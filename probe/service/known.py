"""What the service takes to be so: of each look what two in a row agreed on. Pure, and driven by what comes in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum

from probe.service.looks import Look, LookKey, Topic
from probe.service.sharing import SharedWords


class Taken(StrEnum):
    """What a look was taken for."""

    REPEATED = "repeated"
    """It says what is known."""
    DOUBTED = "doubted"
    """It says something else, and another look is to confirm it before anybody is told."""
    BELIEVED = "believed"
    """It says something else, and that is known from now on."""


class KnownLooks:
    """The newest believed look of each kind, and those that wait to be confirmed."""

    def __init__(self, believed: Iterable[Look] = (), shared: SharedWords | None = None, unconfirmed: int = 0) -> None:
        """`shared`: what the looks that are believed before have in common with others."""
        self.shared = shared or SharedWords()
        self._believed = {look.key: look for look in believed}
        self._doubted: dict[LookKey, Look] = {}
        self.unconfirmed = unconfirmed
        """How often a second look did not find what the first had."""

    @property
    def believed(self) -> Mapping[LookKey, Look]:
        return self._believed

    def take(self, look: Look) -> Taken:
        """Take in a look. A failure, and what contradicts what is known, is believed once a second look finds something other than what is known, too."""
        before = self._believed.get(look.key)
        if before is not None and look.says_what(before):
            if self._doubted.pop(look.key, None) is not None:
                self.unconfirmed += 1
            return Taken.REPEATED
        if before is not None and look.has_failed and (look.key.topic is Topic.TLS or self._is_hidden(look)):
            # That the server is gone is found by the look at the endpoint; what it takes of TLS, and whom it lets in, is known from before.
            return Taken.DOUBTED
        doubted = self._doubted.get(look.key)
        if doubted is not None and look.is_of_the_sign_in_of(doubted):
            return Taken.DOUBTED
        self._doubted.pop(look.key, None)
        if doubted is None and not _is_believed_at_once(look, before):
            self._doubted[look.key] = look
            return Taken.DOUBTED
        # What both found was so when the first found it.
        since = doubted.since if doubted is not None and look.says_what(doubted) else look.since
        self._believed[look.key] = self.shared.look(replace(look, since=since))
        return Taken.BELIEVED

    def _is_hidden(self, look: Look) -> bool:
        """Whether a look at an account says nothing, because a server of it does not answer anybody."""
        if look.key.topic not in (Topic.ACCOUNT, Topic.ROUND_TRIP) or look.is_refusal:
            return False
        ends = (LookKey(Topic.ENDPOINT, attempt.subject) for attempt in look.attempts)
        return any((at_end := self._believed.get(end) or self._doubted.get(end)) is not None and at_end.has_failed for end in ends)


def _is_believed_at_once(look: Look, before: Look | None) -> bool:
    """Whether no second look is needed, or none would tell more."""
    if look.key.topic is Topic.TLS:
        # A posture takes hundreds of hellos, and asks again by itself what was not answered clearly.
        return True
    if look.key.topic is Topic.ACCOUNT:
        # A refusal is remembered, and the account not tried again: a second look would find nothing.
        return not look.has_failed or look.is_refusal
    return before is None and not look.has_failed
