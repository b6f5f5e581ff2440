"""A part of the newest state, indexed and drawn: what pages, the API and metrics tell of it. Made once of each judgement of the part. Pure in the run.

What a list, a count or a metric tells is kept; all else that is known of a part is indexed when somebody asks for it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, Protocol
from weakref import WeakKeyDictionary

from probe.document import conclusion_form, publish
from probe.document.telling.blocks import Block, blocks_of
from probe.document.telling.groups import advice_in, cause_of, step_for
from probe.document.telling.known import Known
from probe.document.telling.metrics import endpoints, samples_of
from probe.document.telling.summaries import dynamics_unread
from probe.history.telling import as_time
from probe.model import vocabulary as v
from probe.model.attempts import Attempt, Outcome
from probe.model.endpoints import endpoint_id
from probe.model.facts import Facts, Reading
from probe.model.rules import Assessment, Result, Support
from probe.model.runs import Run
from probe.outlook import representatives

JsonForm = dict[str, Any]

_MOST_OPEN = 64
"""Parts. An estate of fewer has all of them open; one of thousands is asked for few of them."""

FEW_MAILBOXES = 50
"""Of a part that is soon unpacked and opened."""


class DrawnBlock(NamedTuple):
    """Mailboxes with the same result, as lists tell of them."""

    block: Block
    """With all its mailboxes, and without its findings."""
    cause: tuple[str, ...]
    beside: str
    step: str
    """The first thing to do; empty where all is well."""
    advice: Sequence[tuple[str, str]]
    deciding: Sequence[tuple[str, str]]
    """The rules that its verdict hangs on, and those that advise, each with its result."""


class WatchedPart(Protocol):
    """What is known of a part of an estate, as of one judgement."""

    @property
    def finished(self) -> datetime:
        """As of its run."""

    @property
    def judged_at(self) -> date:
        """As of its run."""

    @property
    def in_dynamics(self) -> Mapping[tuple[str, str], int]:
        """How many of its mailboxes Dynamics has in which state, by profile and state."""

    def run(self) -> Run:
        """What is known, as a run; it may take a millisecond, and be another object each time. Any thread may call it."""


class PublishedPart(NamedTuple):
    """A run of a part of an estate as it is told: its document, with one mailbox for all that are alike."""

    run: Run
    alike: Mapping[str, Sequence[str]]
    """By the mailbox that stands for them, the addresses of all."""
    document: JsonForm
    known: Known

    @staticmethod
    def of(run: Run) -> PublishedPart:
        """The run, told."""
        alike, small = representatives(run)
        document = publish(small)
        return PublishedPart(run, alike, document, Known(document))


class PartState:
    """A part of the estate's newest state, as lists, counts and metrics tell of it."""

    def __init__(self, known: WatchedPart, told: PublishedPart) -> None:
        self.known = known
        run, opened = told.run, OpenPart(told.run)
        assert run.estate is not None
        self.subjects = tuple(opened.subjects)
        """All of which something is known here."""
        self.mailboxes = {one.mailbox: _in_short(one) for one in run.assessments}
        """Each mailbox that is judged, as lists tell of it, by address; the same object for all of which the same is told."""
        self.blocks, self.unread = _drawn(told)
        urls = [end.url for end in run.estate.endpoints if opened.knows(end.url)]
        facts = {url: opened.facts_of(url) for url in urls}
        self.endpoints = {url: endpoint_in_short(url, opened.attempts_with(url), facts[url]) for url in urls}
        """Each endpoint in short, by URL."""
        self.verdicts = Counter((one.profile, one.support.value, one.readiness.value) for one in run.assessments)
        """How many mailboxes have which verdict, by profile, support and readiness."""
        outcomes = {url: [attempt.outcome.value for attempt in opened.attempts_with(url)] for url in urls}
        self.samples = tuple(map(samples_of, endpoints(outcomes, facts)))
        """The metrics of its endpoints as text: of each family its samples."""

    @property
    def is_large(self) -> bool:
        """Whether it takes a while to open."""
        return len(self.mailboxes) > FEW_MAILBOXES


class OpenPart:
    """All that is known of a part, indexed by subject."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._attempts: dict[str, list[Attempt]] = {}
        for attempt in run.attempts:
            self._attempts.setdefault(attempt.subject, []).append(attempt)
        self._readings: dict[str, list[Reading]] = {}
        for reading in run.readings:
            self._readings.setdefault(reading.subject, []).append(reading)
        self.assessments: Mapping[str, Assessment] = {assessment.mailbox: assessment for assessment in run.assessments}

    @property
    def subjects(self) -> Iterable[str]:
        """All of which something is known."""
        return dict.fromkeys((*self._readings, *self._attempts, *self.assessments))

    @cached_property
    def attempts(self) -> Mapping[str, Attempt]:
        """Each attempt by its id."""
        return {attempt.id: attempt for attempt in self.run.attempts}

    def knows(self, subject: str) -> bool:
        """Whether something is known of a subject."""
        return subject in self._readings or subject in self._attempts

    def attempts_with(self, subject: str) -> Sequence[Attempt]:
        """The last attempts with a subject, those of accounts there among them, in the order of the plan."""
        return self._attempts.get(subject, ())

    def readings_of(self, subject: str) -> Sequence[Reading]:
        """What is known and missing of a subject and of accounts there."""
        return self._readings.get(subject, ())

    def facts_of(self, subject: str) -> Facts:
        """What is known of a subject itself."""
        return Facts(subject, [reading for reading in self.readings_of(subject) if reading.mailbox is None])


class OpenParts:
    """The parts that were asked for last, open. Any thread may use it."""

    def __init__(self) -> None:
        self._open: WeakKeyDictionary[PartState, OpenPart] = WeakKeyDictionary()

    def of(self, part: PartState) -> OpenPart:
        """All that is known of a part."""
        found = self._open.get(part)
        if found is None:
            found = OpenPart(part.known.run())
            if len(self._open) >= _MOST_OPEN:
                # Another dictionary: a thread may be reading the old one.
                self._open = WeakKeyDictionary()
            self._open[part] = found
        return found


def endpoint_in_short(url: str, attempts: Iterable[Attempt], facts: Facts) -> JsonForm:
    """An endpoint in short, by what is known of it."""
    outcomes = {attempt.outcome for attempt in attempts if attempt.mailbox is None} - {Outcome.NOT_SCHEDULED}
    ends = facts.value(v.CERTIFICATE_NOT_AFTER)
    return {
        "id": endpoint_id(url),
        "subject": url,
        "up": Outcome.COMPLETED in outcomes if outcomes else None,
        "product": facts.value(v.SERVER_PRODUCT),
        "certificate_ends": None if ends is None else as_time(ends),
    }


def _in_short(assessment: Assessment) -> JsonForm:
    """A mailbox as lists tell of it, but for whose mailbox it is."""
    form = conclusion_form(assessment)
    of = {result: [f.rule.id for f in assessment.findings if f.result is result] for result in (Result.FAILS, Result.UNKNOWN)}
    told = {**form, "fails": of[Result.FAILS], "unknown": of[Result.UNKNOWN]}
    del told["mailbox"], told["profile"]
    return _shared(json.dumps(told))


@lru_cache(4096)
def _shared(form: str) -> JsonForm:
    """The same object for all mailboxes of which the same is told."""
    told: JsonForm = json.loads(form)
    return told


def _drawn(told: PublishedPart) -> tuple[tuple[DrawnBlock, ...], str]:
    """The mailboxes of a part in blocks; and that Dynamics' own records could not be read, where they could not."""
    known, on = told.known, told.run.judged_at
    drawn: list[DrawnBlock] = []
    for block in blocks_of(told.document["assessments"], known):
        advice = advice_in(block, on)
        is_well = block.is_good or block.support is Support.NOT_ASSESSED
        step = "" if is_well else step_for(block, block.addresses[0], known, on)
        # Each stood for all that share its findings.
        addresses = [address for one in block.addresses for address in told.alike[one]]
        bare = Block(block.support, block.readiness, block.signed_in, block.profile, [], [], [], addresses, block.directions)
        deciding = _the_same(tuple((finding["rule"], finding["result"]) for finding in (*block.decided, *block.listed)))
        drawn.append(DrawnBlock(bare, *cause_of(block, on), step, advice, deciding))
    return tuple(drawn), dynamics_unread(known)


@lru_cache(4096)
def _the_same(rules: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The same object for all blocks that the same rules decide."""
    return rules
