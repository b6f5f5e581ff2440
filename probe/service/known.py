"""What the service takes to be so: of each look what two in a row agreed on. Pure, and driven by what comes in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from enum import StrEnum

from probe.model.facts import Fact
from probe.service.looks import Look, LookKey, Topic
from probe.service.resting import Resting, RestingPlace
from probe.service.sharing import SharedWords


class Taken(StrEnum):
    """What a look was taken for."""

    REPEATED = "repeated"
    """It says what is known."""
    DOUBTED = "doubted"
    """It says something else, and another look is to confirm it before anybody is told."""
    BELIEVED = "believed"
    """It says something else, and that is known from now on."""


class BelievedLook:
    """A look that is believed, with what of it is asked for each time that it is held again."""

    __slots__ = ("has_failed", "look", "quickly")

    def __init__(self, look: Look, place: RestingPlace | None) -> None:
        self.look = Resting(look, place)
        self.quickly = look.quickly
        self.has_failed = look.has_failed


class KnownLooks:
    """The newest believed look of each kind, and those that wait to be confirmed."""

    def __init__(
        self,
        believed: Iterable[Look] = (),
        shared: SharedWords | None = None,
        unconfirmed: int = 0,
        rests: Callable[[LookKey], bool] = lambda key: False,
    ) -> None:
        """`shared`: what the looks that are believed before have in common with others. `rests`: whether a look is packed until it is asked for."""
        self.shared = shared or SharedWords()
        self._places = {topic: RestingPlace() for topic in Topic}
        self._rests = rests
        self.believed: dict[LookKey, BelievedLook] = {}
        self._doubted: dict[LookKey, Look] = {}
        self.unconfirmed = unconfirmed
        """How often a second look did not find what the first had."""
        for look in believed:
            self.believe(look)

    def believe(self, look: Look) -> None:
        """Take a look to be so."""
        self.believed[look.key] = (
            BelievedLook(look, self._places[look.key.topic]) if self._rests(look.key) else BelievedLook(self.shared.look(look), None)
        )

    def look(self, key: LookKey) -> Look | None:
        """The look that is believed."""
        believed = self.believed.get(key)
        return None if believed is None else believed.look.get()

    def otherwise_than(self, said: Mapping[LookKey, int]) -> frozenset[LookKey]:
        """The looks that do not say any more what they said, by the numbers (`Look.quickly`) of then."""
        return frozenset(key for key, number in said.items() if (one := self.believed.get(key)) is not None and one.quickly != number)

    def is_told_by_the_endpoint(self, url: str, key: str) -> bool:
        """Whether the look at an endpoint, without an account, tells a key: then what accounts see of it there is no news."""
        look = self.look(LookKey(Topic.ENDPOINT, url))
        return look is not None and any(isinstance(one, Fact) and one.key.name == key for one in look.readings)

    def calls_for_posture(self, url: str, before: BelievedLook | None) -> bool:
        """Whether it is to be asked what an endpoint takes of TLS: that was not asked yet, or something of TLS is otherwise than `before`."""
        after = self.believed.get(LookKey(Topic.ENDPOINT, url))
        if after is None or after.has_failed:
            return False
        is_other = before is not None and before is not after and after.look.get().speaks_other_tls(before.look.get())
        return is_other or LookKey(Topic.TLS, url) not in self.believed

    def take(self, look: Look) -> Taken:
        """Take in a look. A failure, and what contradicts what is known, is believed once a second look finds something other than what is known, too."""
        before = self.believed.get(look.key)
        if before is not None and (look.quickly == before.quickly or look.says_what(before.look.get())):
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
        if doubted is None and not _is_believed_at_once(look, is_first=before is None):
            self._doubted[look.key] = look
            return Taken.DOUBTED
        # What both found was so when the first found it.
        since = doubted.since if doubted is not None and look.says_what(doubted) else look.since
        self.believe(replace(look, since=since))
        return Taken.BELIEVED

    def _is_hidden(self, look: Look) -> bool:
        """Whether a look at an account says nothing, because a server of it does not answer anybody."""
        if look.key.topic not in (Topic.ACCOUNT, Topic.ROUND_TRIP) or look.is_refusal:
            return False
        ends = (LookKey(Topic.ENDPOINT, attempt.subject) for attempt in look.attempts)
        return any((at_end := self.believed.get(end) or self._doubted.get(end)) is not None and at_end.has_failed for end in ends)


def _is_believed_at_once(look: Look, *, is_first: bool) -> bool:
    """Whether no second look is needed, or none would tell more."""
    if look.key.topic is Topic.TLS:
        # A posture takes hundreds of hellos, and asks again by itself what was not answered clearly.
        return True
    if look.key.topic is Topic.ACCOUNT:
        # A refusal is remembered, and the account not tried again: a second look would find nothing.
        return not look.has_failed or look.is_refusal
    return is_first and not look.has_failed
