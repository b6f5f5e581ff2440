"""From readings to assessments: pure in the estate, the facts and the date, so that a stored run can be judged again.

Each key has one reading for a subject and mailbox, as `Facts.read` gives it. Judging is idempotent: given its own readings, also from
a stored document, it gives the same. Inferred facts are inferred again, by the present inferences and for the date of judgement.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime

from probe.engine.declare import declared_by, declared_of_endpoints
from probe.engine.reasoning import Reasoning
from probe.engine.remembered import DayOfJudging, DaysOfJudging
from probe.model import vocabulary as v
from probe.model.estate import DEPLOYMENT_SUBJECT, Effect, Endpoint, Estate, Mailbox, profile_subject
from probe.model.facts import Fact, Facts, Reading
from probe.model.inferences import Inference, InferenceScope
from probe.model.provenance import Inferred
from probe.model.rules import Assessment, Case, Rule
from probe.model.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruleset:
    """The inferences and rules that a run is judged by."""

    inferences: Mapping[str, Inference]
    rules: Mapping[str, Rule]
    _days: DaysOfJudging = field(default_factory=DaysOfJudging, repr=False, compare=False)

    def on(self, day: date) -> DayOfJudging:
        """What they said before, judging for a day."""
        return self._days.on(day)


Book = Ruleset
"""The name under which scripts outside of this repository know it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What follows from the readings of a run."""

    readings: tuple[Reading, ...]
    """The readings themselves, what was declared, and what was inferred."""
    assessments: tuple[Assessment, ...]


def infer_endpoints(
    endpoints: Iterable[Endpoint], observed: Iterable[Reading], ruleset: Ruleset, on: date, at: datetime
) -> tuple[Reading, ...]:
    """The readings of some endpoints, with what was declared of them and inferred from it: all that a look needs."""
    reasoning = Reasoning(ruleset.inferences, on, at, ruleset.on(on))
    told: list[Reading] = []
    # One endpoint at a time, so that the intermediate structures of thousands are not held at once.
    for subject, readings in _of_subjects((*_not_inferred(observed, ruleset), *declared_of_endpoints(endpoints, at))).items():
        known = _settled(readings)
        of_all = [reading for reading in known if reading.mailbox is None]
        told += _settled([*known, *reasoning.inferred(InferenceScope.ENDPOINT, Facts(subject, of_all))]) if of_all else known
    return tuple(told)


def judge_estate(
    estate: Estate,
    observed: Iterable[Reading],
    mailboxes: Iterable[Mailbox],
    ruleset: Ruleset,
    on: date,
    at: datetime,
    allowed: frozenset[Effect] = frozenset(),
) -> Judgement:
    """Infer over the whole estate and assess some of its mailboxes. `allowed` are effects that the call allowed beyond the estate."""
    seen = (reading for reading in observed if reading.key.name not in _OF_THE_ESTATE)
    everything = _settled((*_not_inferred(seen, ruleset), *declared_by(estate, at, allowed)))
    known = _KnownFacts(estate, everything, on)
    day = ruleset.on(on)
    reasoning = Reasoning(ruleset.inferences, on, at, day)
    inferred: list[Reading] = []

    def conclude(subject: str, found: list[Reading]) -> None:
        known.facts[subject] = known.facts[subject].with_more(found)
        inferred.extend(found)

    for url in (endpoint.url for endpoint in estate.endpoints):
        conclude(url, reasoning.inferred(InferenceScope.ENDPOINT, known.facts[url]))

    # What spans mailboxes is derived from the whole estate, even when one mailbox is judged.
    for mailbox in estate.mailboxes:
        conclude(mailbox.address, reasoning.of_mailbox(known.case_of(mailbox), known.own(mailbox)))
    # An inference sees mailboxes and endpoints of the cases alone, of which nothing more is concluded.
    everywhere = tuple(map(known.case_of, estate.mailboxes))
    cases: dict[str, list[Case]] = {profile.name: [] for profile in estate.profiles}
    for mailbox, case in zip(estate.mailboxes, everywhere, strict=True):
        cases[mailbox.profile].append(case)
    for name, of_profile in cases.items():
        subject = profile_subject(name)
        conclude(subject, reasoning.inferred(InferenceScope.PROFILE, known.facts[subject], tuple(of_profile)))
    conclude(DEPLOYMENT_SUBJECT, reasoning.inferred(InferenceScope.DEPLOYMENT, known.facts[DEPLOYMENT_SUBJECT], everywhere))

    from probe.engine.assessing import Assessor  # loads what rules share, which a look does not need

    assessor = Assessor(ruleset.rules, day)
    assessments = tuple(assessor.assess(mailbox, known.case_of(mailbox), known.accounts_of(mailbox)) for mailbox in mailboxes)
    return Judgement(readings=_settled((*everything, *inferred)), assessments=assessments)


class _KnownFacts:
    """What is known of each subject of an estate, and of the accounts of mailboxes at endpoints."""

    def __init__(self, estate: Estate, readings: Iterable[Reading], on: date) -> None:
        self._on = on
        self._estate = estate
        self._known_urls: dict[tuple[str, Endpoint | None], tuple[str, str]] = {}
        of_subjects: list[Reading] = []
        self._of_accounts: dict[tuple[str, str], list[Reading]] = {}
        for reading in readings:
            if reading.mailbox is None:
                of_subjects.append(reading)
            else:
                self._of_accounts.setdefault((reading.subject, reading.mailbox), []).append(reading)
        self.facts = {subject: Facts(subject, group) for subject, group in _of_subjects(of_subjects).items()}

    def case_of(self, mailbox: Mailbox) -> Case:
        """A mailbox with all that surrounds it, as far as it is known by now."""
        incoming, outgoing = self._urls(mailbox)
        receives = self._at(incoming, mailbox)
        return Case(
            deployment=self.facts[DEPLOYMENT_SUBJECT],
            profile=self.facts[profile_subject(mailbox.profile)],
            mailbox=self.facts[mailbox.address],
            incoming=receives,
            outgoing=receives if outgoing == incoming else self._at(outgoing, mailbox),
            date=self._on,
        )

    def own(self, mailbox: Mailbox) -> Hashable:
        """Everything that distinguishes a mailbox from others of its profile, except its address."""
        accounts = tuple(tuple(map(_less_address, account)) for account in self.accounts_of(mailbox))
        return mailbox.profile, mailbox.ews_url, tuple(map(_less_address, self.facts[mailbox.address])), accounts

    def accounts_of(self, mailbox: Mailbox) -> tuple[Sequence[Reading], ...]:
        """What was read of its account at the incoming endpoint, and at the outgoing one."""
        return tuple(self._of_accounts.get((url, mailbox.address), ()) for url in self._urls(mailbox))

    def _urls(self, mailbox: Mailbox) -> tuple[str, str]:
        """Those of its endpoints; thousands of mailboxes have the same."""
        which = mailbox.profile, mailbox.ews_url
        if which not in self._known_urls:
            incoming, outgoing = self._estate.endpoints_of(mailbox)
            self._known_urls[which] = incoming.url, outgoing.url
        return self._known_urls[which]

    def _at(self, url: str, mailbox: Mailbox) -> Facts:
        """Facts of an endpoint, and of a mailbox's account there. Mailboxes whose account has none share one object."""
        facts, own = self.facts[url], self._of_accounts.get((url, mailbox.address))
        return facts.with_more(own) if own else facts


def _less_address(reading: Reading) -> Hashable:
    """A reading without its subject and mailbox."""
    if isinstance(reading, Fact):
        return reading.key.name, reading.value, reading.provenance, reading.at, reading.attempt
    return reading.key.name, reading.why, reading.detail, tuple(map(_less_address, reading.claims))


_OF_THE_ESTATE = frozenset(
    key.name
    for key in (
        *(v.MAILBOX_INCOMING, v.MAILBOX_OUTGOING, v.MAILBOX_APPOINTMENTS, v.MAILBOX_DOMAIN, v.MAILBOX_OWN_ACCOUNT),
        *(v.ENDPOINT_SERVICE, v.ENDPOINT_SECURITY, v.ENDPOINT_HOST, v.SERVER_BY_WORD),
    )
)
"""What only the estate says, whoever else claims it."""


def _not_inferred(readings: Iterable[Reading], ruleset: Ruleset) -> Iterator[Reading]:
    """The readings without the facts and gaps of inferences, which give a reading for each of their keys again."""
    inferable = {key.name for inference in ruleset.inferences.values() for key in inference.gives}
    for reading in readings:
        if isinstance(reading, Fact):
            is_inferred = isinstance(reading.provenance, Inferred)
        elif reading.claims:
            is_inferred = any(isinstance(fact.provenance, Inferred) for fact in reading.claims)
        else:
            is_inferred = reading.key.name in inferable
        if not is_inferred:
            yield reading


def _settled(readings: Iterable[Reading]) -> tuple[Reading, ...]:
    """One reading for each key of a subject and mailbox: one fact where all agree, or the gap that tells most."""
    grouped: dict[tuple[str, str | None, str], Reading | list[Reading]] = {}
    for reading in readings:
        place = (reading.subject, reading.mailbox, reading.key.name)
        before = grouped.setdefault(place, reading)
        if isinstance(before, list):
            before.append(reading)
        elif before is not reading:
            grouped[place] = [before, reading]
    return tuple(map(_as_one, grouped.values()))


def _as_one(group: Reading | list[Reading]) -> Reading:
    if isinstance(group, list):
        return Facts(group[0].subject, group).read(group[0].key)
    if isinstance(group, Fact) or not group.claims:
        return group
    return Facts(group.subject, (group,)).read(group.key)


def _of_subjects(readings: Iterable[Reading]) -> dict[str, list[Reading]]:
    grouped: dict[str, list[Reading]] = {}
    for reading in readings:
        grouped.setdefault(reading.subject, []).append(reading)
    return grouped
