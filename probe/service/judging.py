"""What is known, judged: one run out of the looks that are believed, whenever each was held. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from probe import __version__
from probe.engine.again import still_known
from probe.engine.judge import Judgement, Ruleset, judge_estate
from probe.engine.plan import Plan
from probe.engine.run import about
from probe.model.estate import Estate, Mailbox
from probe.model.facts import Reading
from probe.model.runs import Run
from probe.service.looks import Look, LookKey


def run_of(
    plan: Plan,
    looks: Mapping[LookKey, Look],
    of_dynamics: Sequence[Reading],
    ruleset: Ruleset,
    at: datetime,
    host: str,
) -> Run:
    """All that is known of an estate at a time, as one run.

    `plan` is that of the whole estate. What no look has found yet was not attempted.
    """
    assert plan.estate is not None
    attempts = tuple(attempt for look in looks.values() for attempt in look.attempts)
    observed = (*(reading for look in looks.values() for reading in look.readings), *of_dynamics)
    judgement = judge_estate(plan.estate, observed, plan.mailboxes, ruleset, at.date(), at, plan.asked.allow)
    return Run(
        id="",
        probe=__version__,
        host=host,
        started=min((attempt.at for attempt in attempts), default=at),
        finished=at,
        judged_at=at.date(),
        estate=plan.estate,
        asked=plan.asked,
        attempts=attempts,
        readings=judgement.readings,
        assessments=judgement.assessments,
    )


def under(estate: Estate, looks: Iterable[Look], before: Run) -> dict[LookKey, Look]:
    """The looks as far as they still tell something under another estate than that of the run `before`."""
    return {look.key: replace(look, readings=tuple(still_known(replace(before, readings=look.readings), estate))) for look in looks}


def run_about(whole: Run, mailboxes: Sequence[Mailbox], run_id: str) -> Run:
    """The part of the state that is about some mailboxes, as a run of its own."""
    assert whole.estate is not None
    addresses = {mailbox.address for mailbox in mailboxes}
    chosen = tuple(one for one in whole.assessments if one.mailbox in addresses)
    part = about(Judgement(readings=whole.readings, assessments=chosen), whole.estate, mailboxes)
    others = {mailbox.address for mailbox in whole.estate.mailboxes} - addresses
    subjects = {endpoint.url for mailbox in mailboxes for endpoint in whole.estate.endpoints_of(mailbox)} | addresses
    return replace(
        whole,
        id=run_id,
        asked=replace(whole.asked, mailboxes=tuple(mailbox.address for mailbox in mailboxes)),
        attempts=tuple(one for one in whole.attempts if one.subject in subjects and one.mailbox not in others),
        readings=tuple(one for one in part.readings if one.subject not in others and one.mailbox not in others),
        assessments=chosen,
    )
