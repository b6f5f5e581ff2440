"""What is known, judged: a run out of the looks that are believed, whenever each was held. EstatePart by part of the estate, and pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain

from probe import __version__
from probe.engine.again import StillKnown
from probe.engine.judge import Judgement, Ruleset, judge_estate
from probe.engine.plan import Plan
from probe.engine.run import about
from probe.model.attempts import Attempt
from probe.model.estate import DEPLOYMENT_SUBJECT, Mailbox
from probe.model.facts import Reading
from probe.model.runs import Run
from probe.service.looks import Look, names_of
from probe.service.parts import EstatePart


def bare_run(plan: Plan, at: datetime, host: str) -> Run:
    """A run of which nothing is known yet."""
    return Run(
        id="",
        probe=__version__,
        host=host,
        started=at,
        finished=at,
        judged_at=at.date(),
        estate=plan.estate,
        asked=plan.asked,
        attempts=(),
        readings=(),
        assessments=(),
    )


def judged(part: EstatePart, looks: Iterable[Look], of_dynamics: Iterable[Reading], ruleset: Ruleset, bare: Run) -> Run:
    """All that is known of a part of an estate, as one run. What no look has found yet was not attempted."""
    attempts: list[Attempt] = []
    readings = list(of_dynamics)
    # In the order of the plan, which named the attempts.
    for look in sorted(looks, key=lambda look: min(map(_place, look.attempts), default=0)):
        attempts += look.attempts
        readings += look.readings
    judgement = judge_estate(part.estate, readings, part.mailboxes, ruleset, bare.judged_at, bare.finished, bare.asked.allow)
    # Of what stands in for other parts nothing is told.
    own = {*part.subjects, DEPLOYMENT_SUBJECT}
    return replace(
        bare,
        started=min((attempt.at for attempt in attempts), default=bare.started),
        estate=part.estate,
        attempts=tuple(sorted(attempts, key=_place)),
        readings=tuple(reading for reading in judgement.readings if reading.subject in own),
        assessments=judgement.assessments,
    )


def _place(attempt: Attempt) -> int:
    return int(attempt.id.removeprefix("a"))


def joined(runs: Sequence[Run], bare: Run) -> Run:
    """The runs of all parts as one. Of the deployment they say the same."""
    if not runs:
        return bare
    of_deployment = [reading for reading in runs[0].readings if reading.subject == DEPLOYMENT_SUBJECT]
    rest = (reading for run in runs for reading in run.readings if reading.subject != DEPLOYMENT_SUBJECT)
    of_mailbox = {assessment.mailbox: assessment for run in runs for assessment in run.assessments}
    assert bare.estate is not None
    return replace(
        bare,
        started=min(run.started for run in runs),
        attempts=tuple(chain.from_iterable(run.attempts for run in runs)),
        readings=(*of_deployment, *rest),
        assessments=tuple(of_mailbox[mailbox.address] for mailbox in bare.estate.mailboxes if mailbox.address in of_mailbox),
    )


def under(plan: Plan, looks: Iterable[Look], before: Run) -> Iterator[Look]:
    """The looks as far as they still tell something under the estate of a plan, which may be another than that of the run `before`."""
    assert plan.estate is not None
    estate, names = plan.estate, names_of(plan)
    known = StillKnown(before.estate, estate)
    still = (replace(look, readings=tuple(known.of(look.readings))) for look in looks)
    return (look.named_by(names) for look in still)


def run_about(whole: Run, mailboxes: Sequence[Mailbox], run_id: str) -> Run:
    """The part of the state that is about some mailboxes, as a run of its own."""
    assert whole.estate is not None
    addresses = {mailbox.address for mailbox in mailboxes}
    chosen = tuple(one for one in whole.assessments if one.mailbox in addresses)
    told = about(Judgement(readings=whole.readings, assessments=chosen), whole.estate, mailboxes)
    others = {mailbox.address for mailbox in whole.estate.mailboxes} - addresses
    subjects = {endpoint.url for mailbox in mailboxes for endpoint in whole.estate.endpoints_of(mailbox)} | addresses
    return replace(
        whole,
        id=run_id,
        asked=replace(whole.asked, mailboxes=tuple(mailbox.address for mailbox in mailboxes)),
        attempts=tuple(one for one in whole.attempts if one.subject in subjects and one.mailbox not in others),
        readings=tuple(one for one in told.readings if one.subject not in others and one.mailbox not in others),
        assessments=chosen,
    )


def as_asked(run: Run, asked: datetime, now: datetime, signed_in_at: Callable[[Attempt], datetime | None]) -> Run:
    """A run that somebody asked for: it began then, and an attempt that signed in has the time at which the account did so last, as far as that is known.

    In the state an attempt has the time at which what it says was first found.
    """
    attempts = tuple(replace(one, at=signed_in_at(one) or one.at) for one in run.attempts)
    return replace(run, started=asked, finished=max(run.finished, now), attempts=attempts)
