"""An answer of the gate as its page shows it, and what came of Test & Enable. Pure in the answer, the job and the audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from probe.document.index import JsonObject
from probe.document.telling.blocks import blocks_of
from probe.document.telling.known import Known
from probe.enabling import TAKES_OVER, Wish, choose
from probe.gate import GateAnswer, Gated, Predicted, published
from probe.gate.telling_enabled import ToldTrouble, alerts_of, last_error_of, result_of, word_of
from probe.gate.wording import MOST_CAUSES, WORDS, PredictedCause, alert_like, cause_told, found_ago, numbers_of, place_in_words, ways_of
from probe.model.estate import Estate, Mailbox
from probe.model.rules import Assessment, Direction
from probe.web.enabled import AskedEnabling

FRESH_SECONDS = 900.0
"""For which an answer of the gate counts: what was found may be otherwise later."""
_TONES = {GateAnswer.GO: "good", GateAnswer.NO_GO: "bad", GateAnswer.CANNOT_TELL: "doubtful"}
_PREDICTED = {Predicted.SUCCESS: "good", Predicted.FAILURE: "bad", Predicted.UNKNOWN: "doubtful"}
_ENDINGS = {"FAILED": "bad", "ENABLED": "good"}


class ToldWay(NamedTuple):
    """Directions of which the same is predicted, for the same cause."""

    word: str
    tone: str
    directions: str
    told: PredictedCause
    """Why; empty for a success of this run."""
    finding: JsonObject | None
    alert: str | None
    """What Dynamics would say, or the like."""


class GateView:
    """What the page shows of an answer for one mailbox."""

    def __init__(self, gated: Gated) -> None:
        estate, (verdict,) = gated.run.estate, gated.verdicts
        assert estate is not None
        # An estate may have fifty thousand mailboxes, and the answer is about one.
        own = replace(estate, mailboxes=tuple(one for one in estate.mailboxes if one.address == verdict.mailbox))
        document = published(replace(gated, run=replace(gated.run, estate=own)))
        self.known = Known(document["run"])
        (self.block,) = blocks_of(document["run"]["assessments"], self.known)
        (assessment,) = document["run"]["assessments"]
        self.findings = {finding["rule"]: finding for finding in self.known.findings(assessment)}
        self.titles = {rule: finding["title"] for rule, finding in self.findings.items()}
        (self.form,) = document["mailboxes"]
        self.dynamics: Mapping[str, Any] = document["dynamics"]
        self.place = place_in_words(self.dynamics)
        self.word, self.tone = WORDS[verdict.answer], _TONES[verdict.answer]
        self.run = gated.run
        self.ways = [self._way(*way) for way in ways_of(self.form)]
        self.of_support = [
            (self.findings[reason["rule"]], reason["is_known"]) for reason in self.form["reasons"] if reason["direction"] is None
        ]
        self.numbers = [*numbers_of([self.form], is_read=self.dynamics["read"])]
        self.mends = [*dict.fromkeys(difference["mend"] for difference in self.form["differs"])]
        error = last_error_of(self.form)
        self.last_error = None if error is None else _cut(error)
        self.attempts = [attempt for attempt in document["run"]["attempts"] if attempt["outcome"] != "not-scheduled"]

    def _way(self, directions: Sequence[str], how: Predicted, rule: str | None) -> ToldWay:
        finding = self.findings.get(rule or "")
        told = cause_told(how, finding, found_ago([self.form], directions, how, self.known))
        alert = alert_like(finding["rule"]) if finding is not None and how is Predicted.FAILURE else None
        return ToldWay(how.upper(), _PREDICTED[how], ", ".join(directions), told, finding, alert)


class EnableOffer(NamedTuple):
    """Whether somebody may have Test & Enable run after an answer."""

    why_not: str
    """In a sentence without its full stop; empty where it may be."""
    takes_over: bool
    """Whether this organization would become the one that synchronizes the mailbox's appointments, which has to be said yes to."""


def offer_of(estate: Estate, gated: Gated, age: float) -> EnableOffer:
    """What may follow an answer that is so many seconds old."""
    (verdict,) = gated.verdicts
    if verdict.answer is not GateAnswer.GO:
        return EnableOffer("only after a go", takes_over=False)
    if estate.dynamics is None or estate.dynamics.organization is None:
        return EnableOffer(
            "the estate binds no organization: `probe import dynamics URL --update --output ESTATE.toml` writes it", takes_over=False
        )
    if gated.run.estate != estate:
        return EnableOffer("the estate was changed after the gate had answered; ask it again", takes_over=False)
    if not 0 <= age <= FRESH_SECONDS:
        return EnableOffer("the answer is older than 15 minutes; ask the gate again", takes_over=False)
    takes_over = choose(estate, gated, {}, Wish()).not_asked.get(verdict.mailbox) == TAKES_OVER
    why_not = choose(estate, gated, {}, Wish(takes_over=takes_over)).not_asked.get(verdict.mailbox, "")
    return EnableOffer(why_not, takes_over)


class EnablingView:
    """What the page shows of Test & Enable of one mailbox: how far it is, and what came of it beside what was predicted."""

    def __init__(self, asked: AskedEnabling, mailbox: Mailbox | None, now: datetime) -> None:
        self.asked = asked
        self.is_known = mailbox is not None
        self.is_left, self.goes_on = asked.is_left(now), asked.goes_on(now)
        self.came = asked.came
        form: JsonObject = {"enabled": self.came, "last_error": None, "answer": GateAnswer.GO}
        self.word = word_of(form)
        self.tone = _ENDINGS.get(self.word or "", "doubtful")
        self.result = "" if self.came is None else result_of(form)
        self.alerts: Sequence[ToldTrouble] = () if self.came is None else [_cut(alert) for alert in alerts_of([form])]

    @property
    def ways(self) -> list[tuple[str, str, str]]:
        """Each direction that is used, what was predicted of it, and what Dynamics reports."""
        reported = {} if self.came is None else self.came["outcome"]
        told = ((str(way), self.asked.predicted.get(way), reported.get(way)) for way in Direction)
        return [(way, predicted, came or "not-run") for way, predicted, came in told if predicted is not None]


def _cut(trouble: ToldTrouble) -> ToldTrouble:
    return replace(trouble, causes=trouble.causes[:MOST_CAUSES])


def titles_of(assessment: Assessment | None) -> Mapping[str, str]:
    """The titles of rules, by id, as the newest findings of a mailbox have them."""
    return {} if assessment is None else {finding.rule.id: finding.rule.title for finding in assessment.findings}
