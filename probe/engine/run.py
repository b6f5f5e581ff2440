"""One pass: what to try, trying it, judging it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from probe import __version__
from probe.engine.judge import Book, infer_endpoints, judge_estate
from probe.engine.observe import Terms, observe
from probe.engine.select import Conversation, users_of_endpoints
from probe.engine.struck import struck
from probe.model.attempts import Attempt
from probe.model.estate import Endpoint, Estate, Mailbox
from probe.model.facts import Declared, Fact, Reading
from probe.model.rules import Assessment
from probe.model.runs import Asked, Run


@dataclass(frozen=True, slots=True)
class Identity:
    """What a run is called, and where it was made."""

    id: str
    host: str


async def check(
    identity: Identity,
    estate: Estate,
    mailboxes: Sequence[Mailbox],
    conversations: Sequence[Conversation],
    book: Book,
    on: date,
    asked: Asked,
    terms: Terms,
) -> Run:
    """One run over an estate, or over some of its mailboxes."""
    started = terms.clock()
    attempts, interrupted = await observe(conversations, terms)
    finished = terms.clock()
    judgement = judge_estate(estate, _readings(attempts), mailboxes, book, on, finished, asked.allow)
    run = Run(
        id=identity.id,
        probe=__version__,
        host=identity.host,
        started=started,
        finished=finished,
        judged_at=on,
        estate=estate,
        asked=asked,
        attempts=attempts,
        readings=about(judgement.readings, estate, mailboxes, judgement.assessments),
        assessments=judgement.assessments,
        interrupted=interrupted,
    )
    return struck(run, terms.redactor)


async def look(
    identity: Identity,
    endpoints: Sequence[Endpoint],
    conversations: Sequence[Conversation],
    book: Book,
    on: date,
    asked: Asked,
    terms: Terms,
) -> Run:
    """Facts of some endpoints, nothing judged."""
    started = terms.clock()
    attempts, interrupted = await observe(conversations, terms)
    finished = terms.clock()
    return Run(
        id=identity.id,
        probe=__version__,
        host=identity.host,
        started=started,
        finished=finished,
        judged_at=on,
        estate=None,
        asked=asked,
        attempts=attempts,
        readings=infer_endpoints(endpoints, _readings(attempts), book, on, finished),
        assessments=(),
        interrupted=interrupted,
    )


def about(
    readings: Sequence[Reading], estate: Estate, mailboxes: Sequence[Mailbox], assessments: Sequence[Assessment]
) -> tuple[Reading, ...]:
    """The readings less those of endpoints that serve none of these mailboxes: nobody asked there, so there is nothing to tell.

    What a finding rests on stays, but for what the URL says: that stands in the estate.
    """
    used = {endpoint.url for endpoint in users_of_endpoints(estate, mailboxes)}
    unused = {endpoint.url for profile in estate.profiles for endpoint in (profile.incoming, profile.outgoing)} - used
    cited = {
        (reading.subject, reading.key)
        for assessment in assessments
        for finding in assessment.findings
        for reading in finding.because
        if not (isinstance(reading, Fact) and isinstance(reading.provenance, Declared))
    }
    return tuple(reading for reading in readings if reading.subject not in unused or (reading.subject, reading.key) in cited)


def _readings(attempts: Sequence[Attempt]) -> tuple[Reading, ...]:
    return tuple(reading for attempt in attempts for reading in attempt.readings)
