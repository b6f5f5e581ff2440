"""Looks: the parts of a plan that are held together, again and again, each on its own time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from probe.engine.plan import Conversation, Plan
from probe.history import sighting
from probe.model import vocabulary as v
from probe.model.attempts import Attempt, Outcome, reading_named_by
from probe.model.estate import Endpoint
from probe.model.facts import Fact, Facts, Missing, Reading, Why
from probe.model.values import dataclass
from probe.probing import Prober, Scope
from probe.tables.mail_texts import shown_by


class Topic(StrEnum):
    """What a look is about."""

    ENDPOINT = "endpoint"
    """The conversation with an endpoint, without an account, and its certificate."""
    TLS = "tls"
    """What an endpoint takes of TLS."""
    ACCOUNT = "account"
    """A mailbox: what is found of it with its account, and without."""
    ROUND_TRIP = "round-trip"
    """A test mail through a mailbox."""


class LookKey(NamedTuple):
    """Which look it is."""

    topic: Topic
    subject: str
    """URL of the endpoint, or address of the mailbox."""


_TOPICS = {
    Scope.ENDPOINT: Topic.ENDPOINT,
    Scope.TLS: Topic.TLS,
    Scope.MAILBOX: Topic.ACCOUNT,
    Scope.LOGIN: Topic.ACCOUNT,
    Scope.ROUND_TRIP: Topic.ROUND_TRIP,
}


def key_of(conversation: Conversation, probers: Mapping[str, Prober]) -> LookKey:
    """The look that a conversation belongs to."""
    topic = _TOPICS[probers[conversation.prober].scope]
    if topic in (Topic.ENDPOINT, Topic.TLS):
        return LookKey(topic, conversation.endpoint.url)
    # What would sign in and is not allowed to may be told once, of the endpoint.
    return LookKey(topic, conversation.mailbox or conversation.endpoint.url)


def sorted_by_look(
    attempts: Iterable[Attempt], conversations: Iterable[Conversation], probers: Mapping[str, Prober]
) -> dict[LookKey, list[Attempt]]:
    """Attempts at some conversations, by the look that they belong to."""
    of_name = {one.name: key_of(one, probers) for one in conversations}
    found: dict[LookKey, list[Attempt]] = {}
    for attempt in attempts:
        found.setdefault(of_name[attempt.id], []).append(attempt)
    return found


def names_of(plan: Plan) -> dict[tuple[str, str, str | None], str]:
    """The names that a plan gives to attempts, by prober, subject and mailbox."""
    return {(one.prober, one.told_of, one.mailbox): one.name for one in plan.conversations}


def looks_of(plan: Plan, probers: Mapping[str, Prober]) -> dict[LookKey, tuple[Conversation, ...]]:
    """The conversations of a plan by look, in the order of the plan."""
    found: dict[LookKey, list[Conversation]] = {}
    for conversation in plan.conversations:
        found.setdefault(key_of(conversation, probers), []).append(conversation)
    return {key: tuple(of_look) for key, of_look in found.items()}


_OF_TLS = frozenset({v.CERTIFICATE_NOT_AFTER, v.CERTIFICATE_SUBJECT, v.CERTIFICATE_KEY, v.CERTIFICATE_SIGNATURE, v.TLS_NEGOTIATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What came of holding the conversations of a look once."""

    key: LookKey
    attempts: tuple[Attempt, ...]
    """Without their readings, which stand beside them."""
    readings: tuple[Reading, ...]
    since: datetime
    """When it was first found so."""

    @staticmethod
    def of(key: LookKey, attempts: Sequence[Attempt], now: datetime) -> Look:
        """The look that some attempts are."""
        readings = tuple(reading for attempt in attempts for reading in attempt.readings)
        began = min((attempt.at for attempt in attempts if attempt.outcome is not Outcome.NOT_SCHEDULED), default=now)
        return Look(key=key, attempts=tuple(replace(attempt, readings=()) for attempt in attempts), readings=readings, since=began)

    @property
    def has_failed(self) -> bool:
        """Whether some conversation of it did not come to its end."""
        return any(attempt.outcome not in (Outcome.COMPLETED, Outcome.NOT_SCHEDULED) for attempt in self.attempts)

    @property
    def was_interrupted(self) -> bool:
        """Whether the end of the service cut it short, so that it says nothing."""
        return any(attempt.outcome is Outcome.INTERRUPTED for attempt in self.attempts)

    @property
    def asks_for_a_pause(self) -> bool:
        """Whether the server said: not now, or not so many."""
        return any(attempt.outcome is Outcome.THROTTLED for attempt in self.attempts)

    @property
    def pause(self) -> timedelta | None:
        """For how long the server asked to be left alone; None where it did not say, or did so once."""
        pauses = [one.pause_seconds for one in self.attempts if one.outcome is Outcome.THROTTLED]
        said = [pause for pause in pauses if pause is not None]
        return timedelta(seconds=max(said)) if said and len(said) == len(pauses) else None

    @property
    def is_refusal(self) -> bool:
        """Whether an account was refused."""
        return any(map(_is_refused, self.readings))

    @property
    def signed_in_at(self) -> datetime | None:
        """When it signed in, be it for somebody else before; None where it did not."""
        return max((one.at for one in self.attempts if one.connections and "://" in one.subject), default=None)

    def is_of_the_sign_in_of(self, other: Look) -> bool:
        """Whether it has the answer of the very sign-in that another look at the account has: whoever asks within 15 minutes is given that again."""
        mine, others = (
            {(one.prober, one.subject, one.at.replace(microsecond=0)) for one in look.attempts if "://" in one.subject and one.connections}
            for look in (self, other)
        )
        return self.key.topic is Topic.ACCOUNT and not mine.isdisjoint(others)

    @property
    def seconds(self) -> float | None:
        """What its first conversation took; None where it did not come to its end."""
        first = next(iter(self.attempts), None)
        return None if first is None or first.outcome is not Outcome.COMPLETED else first.seconds

    def speaks_other_tls(self, other: Look) -> bool:
        """Whether certificate, version or suite are others, so that what the server takes of TLS is asked again. Of a look that saw none nothing follows."""
        mine = self._tls
        return bool(mine) and mine != other._tls

    @property
    def _tls(self) -> frozenset[object]:
        return frozenset((one.key.name, one.value) for one in self.readings if isinstance(one, Fact) and one.key in _OF_TLS)

    def named_by(self, names: Mapping[tuple[str, str, str | None], str]) -> Look:
        """The same with the names that another plan gives to its attempts; one that the plan does not have is left out."""
        new = {one.id: name for one in self.attempts if (name := names.get((one.prober, one.subject, one.mailbox))) is not None}
        if all(new.get(one.id) == one.id for one in self.attempts):
            return self
        attempts = tuple(replace(one, id=new[one.id]) for one in self.attempts if one.id in new)
        return replace(self, attempts=attempts, readings=tuple(reading_named_by(reading, new) for reading in self.readings))

    def says_what(self, other: Look) -> bool:
        """Whether it says the same as another look at the same, noise apart."""
        return self.quickly == other.quickly or (_lasting(self) == _lasting(other) and _shown(self) == _shown(other))

    @property
    def quickly(self) -> int:
        """A number that is the same as long as outcomes and values are, word for word."""
        outcomes = tuple((attempt.prober, attempt.outcome) for attempt in self.attempts)
        said = (
            (reading.subject, reading.mailbox, reading.key.name, hashable(reading.value) if isinstance(reading, Fact) else reading.why)
            for reading in self.readings
        )
        return hash((outcomes, *said))


def is_unanswered(attempts: Sequence[Attempt]) -> bool:
    """Whether the attempts of a look at an account say nothing of it: it was to sign in and did not, as where it did so a moment ago for somebody else.

    What a server refused says something, whatever else was not tried after it.
    """
    is_refused = any(_is_refused(reading) for attempt in attempts for reading in attempt.readings)
    return not is_refused and any(
        attempt.outcome is Outcome.NOT_SCHEDULED
        and any(isinstance(reading, Missing) and reading.why is Why.NOT_ATTEMPTED for reading in attempt.readings)
        for attempt in attempts
    )


def _is_refused(reading: Reading) -> bool:
    return isinstance(reading, Fact) and reading.key == v.AUTH_ACCEPTED and reading.value is False


def hashable(value: object) -> object:
    """The value, or its words where it has no hash."""
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


def _lasting(look: Look) -> set[tuple[str, str | None, int]]:
    """What the history would compare."""
    return {
        (subject, mailbox, sighting(subject, mailbox, look.since, readings, attempts).digest())
        for (subject, mailbox), (readings, attempts) in by_subject(look.readings, look.attempts).items()
    }


def _shown(look: Look) -> frozenset[tuple[str, str | None]]:
    """The products that a mail server's words show: of a greeting, which may be another each time, the history compares nothing else."""
    if look.key.topic is not Topic.ENDPOINT:
        return frozenset()
    url = look.key.subject
    return shown_by(Endpoint.parse(url).service, Facts(url, (one for one in look.readings if (one.subject, one.mailbox) == (url, None))))


SubjectAndAccount = tuple[str, str | None]
"""A subject, and the account at it."""


def whose(attempt: Attempt) -> SubjectAndAccount:
    """What an attempt is of. What one without an account finds for a mailbox has the mailbox as its subject."""
    return attempt.subject, None if attempt.subject == attempt.mailbox else attempt.mailbox


def by_subject(readings: Iterable[Reading], attempts: Iterable[Attempt]) -> dict[SubjectAndAccount, tuple[list[Reading], list[Attempt]]]:
    """Readings and attempts by subject and account."""
    found: dict[SubjectAndAccount, tuple[list[Reading], list[Attempt]]] = {}
    for reading in readings:
        found.setdefault((reading.subject, reading.mailbox), ([], []))[0].append(reading)
    for attempt in attempts:
        found.setdefault(whose(attempt), ([], []))[1].append(attempt)
    return found
