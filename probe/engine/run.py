"""One pass: hold the conversations of a plan, then judge what was learnt."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from probe import __version__
from probe.engine.judge import Judgement, Ruleset, infer_endpoints, judge_estate
from probe.engine.observe import RunContext, observe
from probe.engine.plan import Plan
from probe.engine.select import users_of_endpoints
from probe.engine.struck import struck
from probe.model.estate import Estate, Mailbox
from probe.model.facts import Fact, Reading
from probe.model.provenance import Declared, Inferred
from probe.model.runs import Run
from probe.model.values import dataclass

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """What a run is called, and where it was made."""

    id: str
    host: str


async def nothing_beside() -> tuple[Reading, ...]:
    """What is learnt beside the conversations of a plan, where that is nothing."""
    return ()


async def run(
    identity: RunIdentity,
    plan: Plan,
    ruleset: Ruleset,
    context: RunContext,
    beside: Callable[[], Awaitable[tuple[Reading, ...]]] = nothing_beside,
) -> Run:
    """One run: a check of an estate or of some of its mailboxes, or a look at some endpoints, of which nothing is judged.

    `beside` learns more while the conversations are held, as from Dynamics' own records. It ends by itself where the run does, and fails at nothing.
    """
    started = context.clock()
    _log.info("run begins", extra={"run": identity.id, "conversations": len(plan.conversations)})
    async with asyncio.TaskGroup() as group:
        more = group.create_task(_awaited(beside))
        attempts, interrupted = await observe(plan, context)
    finished = context.clock()
    observed = (*(reading for attempt in attempts for reading in attempt.readings), *more.result())
    if plan.estate is None:
        judgement = Judgement(readings=infer_endpoints(plan.endpoints, observed, ruleset, plan.on, finished), assessments=())
    else:
        judgement = judge_estate(plan.estate, observed, plan.mailboxes, ruleset, plan.on, finished, plan.asked.allow)
        judgement = about(judgement, plan.estate, plan.mailboxes)
    told = Run(
        id=identity.id,
        probe=__version__,
        host=identity.host,
        started=started,
        finished=finished,
        judged_at=plan.on,
        estate=plan.estate,
        asked=plan.asked,
        attempts=attempts,
        readings=judgement.readings,
        assessments=judgement.assessments,
        interrupted=interrupted,
    )
    _log.info("run ends", extra={"run": identity.id, "attempts": len(attempts), "interrupted": interrupted})
    return struck(told, context.redactor)


async def _awaited(beside: Callable[[], Awaitable[tuple[Reading, ...]]]) -> tuple[Reading, ...]:
    return await beside()


def was_seen(fact: Fact[Any]) -> bool:
    """Whether a fact is of a conversation or of Dynamics' records: neither what the operator declared, nor what was inferred."""
    return not isinstance(fact.provenance, Inferred) and fact.provenance != Declared("operator")


def about(judgement: Judgement, estate: Estate, mailboxes: Sequence[Mailbox]) -> Judgement:
    """The judgement without readings of endpoints that serve none of these mailboxes, where nothing was asked.

    Readings that a finding cites stay, except what a URL says, which stands in the estate.
    """
    used = {endpoint.url for endpoint in users_of_endpoints(estate, mailboxes)}
    unused = {endpoint.url for endpoint in estate.endpoints} - used
    if unused:  # a run asks nothing of them, but facts that somebody hands over may tell of one
        unused -= {reading.subject for reading in judgement.readings if isinstance(reading, Fact) and was_seen(reading)}
    if not unused:
        return judgement
    cited = {
        (reading.subject, reading.key)
        for assessment in judgement.assessments
        for finding in assessment.findings
        for reading in finding.because
        if not (isinstance(reading, Fact) and isinstance(reading.provenance, Declared))
    }
    return Judgement(
        readings=tuple(r for r in judgement.readings if r.subject not in unused or (r.subject, r.key) in cited),
        assessments=judgement.assessments,
    )
