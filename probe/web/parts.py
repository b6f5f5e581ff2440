"""A part of the newest state, indexed and drawn: what pages, the API and metrics tell of it. Made once of each judgement of the part. Pure in the run.

Nothing of the run is copied; of its document only what a list shows of its mailboxes is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from probe.document import publish
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
from probe.model.rules import Assessment, Readiness
from probe.model.runs import Run
from probe.outlook import representatives

JsonForm = dict[str, Any]

_BROKEN = (Readiness.NOT_READY, Readiness.UNDETERMINED)


class DrawnBlock(NamedTuple):
    """Mailboxes with the same result, as lists tell of them."""

    block: Block
    """With all its mailboxes, and without its findings."""
    cause: tuple[str, ...]
    beside: str
    step: str
    """The first thing to do; empty where all is well."""
    advice: Sequence[tuple[str, str]]


class PartState:
    """A part of the estate's newest state."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._attempts: dict[str, list[Attempt]] = {}
        for attempt in run.attempts:
            self._attempts.setdefault(attempt.subject, []).append(attempt)
        self._readings: dict[str, list[Reading]] = {}
        for reading in run.readings:
            self._readings.setdefault(reading.subject, []).append(reading)
        self.assessments: Mapping[str, Assessment] = {assessment.mailbox: assessment for assessment in run.assessments}
        self.blocks, self.unread = _drawn(run)
        urls = (
            []
            if run.estate is None
            else [end.url for end in run.estate.endpoints if end.url in self._readings or end.url in self._attempts]
        )
        facts = {url: self.facts_of(url) for url in urls}
        self.endpoints = {url: endpoint_in_short(url, self.attempts_with(url), facts[url]) for url in urls}
        """Each endpoint in short, by URL."""
        self.verdicts = Counter((one.profile, one.support.value, one.readiness.value) for one in run.assessments)
        """How many mailboxes have which verdict, by profile, support and readiness."""
        outcomes = {url: [attempt.outcome.value for attempt in self.attempts_with(url)] for url in urls}
        self.samples = tuple(map(samples_of, endpoints(outcomes, facts)))
        """The metrics of its endpoints as text: of each family its samples."""

    @property
    def subjects(self) -> Iterator[str]:
        """All of which something is known here."""
        yield from self._readings
        yield from self._attempts
        yield from self.assessments

    def attempts_with(self, subject: str) -> Sequence[Attempt]:
        """The last attempts with a subject, those of accounts there among them, in the order of the plan."""
        return self._attempts.get(subject, ())

    def readings_of(self, subject: str) -> Sequence[Reading]:
        """What is known and missing of a subject and of accounts there."""
        return self._readings.get(subject, ())

    def facts_of(self, subject: str) -> Facts:
        """What is known of a subject itself."""
        return Facts(subject, [reading for reading in self.readings_of(subject) if reading.mailbox is None])


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


def _drawn(run: Run) -> tuple[tuple[DrawnBlock, ...], str]:
    """The mailboxes of a run in blocks; and that Dynamics' own records could not be read, where they could not."""
    if run.estate is None:
        return (), ""
    alike, small = representatives(run)
    document, on = publish(small), run.judged_at
    known = Known(document)
    drawn: list[DrawnBlock] = []
    for block in blocks_of(document["assessments"], known):
        advice = advice_in(block, on)
        step = step_for(block, block.addresses[0], known, on) if block.readiness in _BROKEN else ""
        # Each stood for all that share its findings.
        addresses = [address for one in block.addresses for address in alike[one]]
        bare = Block(block.support, block.readiness, block.signed_in, block.profile, [], [], [], addresses, block.directions)
        drawn.append(DrawnBlock(bare, *cause_of(block, on), step, advice))
    return tuple(drawn), dynamics_unread(known)
