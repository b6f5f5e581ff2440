"""A mailbox as its page shows it: the verdict as a tree of reasons, and Dynamics' own state beside ours. Pure in the state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from probe.document.index import JsonObject
from probe.document.telling.blocks import READINESS_WORDS, SUPPORT_WORDS, blocks_of
from probe.document.telling.causes import Questions
from probe.document.telling.explanations import Consequence, Deciding, explanations_of, verdicts_by_default
from probe.document.telling.groups import is_advice
from probe.document.telling.known import Known
from probe.model import vocabulary as v
from probe.model.estate import Mailbox
from probe.model.kinds import Flags, Outcomes
from probe.model.rules import Assessment, By, Direction, Otherwise, Readiness, Result, Support
from probe.web.documents import mailbox_document, signed_in_at, urls_of
from probe.web.state import EstateState

Explanation = Questions | Consequence | Deciding

_WAYS = {
    Direction.INCOMING: "incoming",
    Direction.OUTGOING: "outgoing",
    Direction.APPOINTMENTS: "appointments",
}
_ANSWERS = {
    Readiness.NOT_READY: "NO",
    Readiness.UNDETERMINED: "UNKNOWN",
    Readiness.READY: "YES",
    Support.UNSUPPORTED: "NO",
    Support.NOT_LISTED: "NO",
    Support.UNDETERMINED: "UNKNOWN",
    Support.SUPPORTED: "YES",
}


class Branch(NamedTuple):
    """A question of the verdict, with all that decided it."""

    answer: str
    """YES, NO or UNKNOWN; ADVICE for what decides nothing."""
    question: str
    explanations: Sequence[Explanation]
    by_default: Sequence[str]
    """Verdicts that no finding decided, each as a sentence."""
    hold: Sequence[JsonObject]
    """The findings that hold."""


class BesideDynamics(NamedTuple):
    """One direction, as we predict it and as Dynamics has it."""

    way: str
    ours: str
    enabled: bool | None
    status: str | None


class MailboxView:
    """What the page shows of one mailbox."""

    def __init__(self, state: EstateState, mailbox: Mailbox, assessment: Assessment) -> None:
        estate = state.names.estate
        self.mailbox, self.assessment = mailbox, assessment
        self.profile = estate.profile_of(mailbox)
        self.urls = urls_of(estate, mailbox)
        self.on = state.run.judged_at
        document = mailbox_document(state, mailbox, assessment)
        self.known = Known(document)
        (self.block,) = blocks_of(document["assessments"], self.known)
        self._findings = list(self.known.findings(document["assessments"][0]))
        self.attempts = [one for one in document["attempts"] if one["mailbox"] == mailbox.address and one["outcome"] != "not-scheduled"]
        self.signed_in_at = signed_in_at(document)
        self.branches = list(self._branches()) if self.block.support is not Support.NOT_ASSESSED else []

    def _branches(self) -> Iterator[Branch]:
        told = list(explanations_of(self.block))
        defaults = dict(verdicts_by_default(self.block))
        served = {way: ready for way, ready in self.assessment.directions.items() if ready is not None}
        of_readiness = [one for one in told if _otherwise(one) is Otherwise.NOT_READY]
        by_way: dict[tuple[Readiness, tuple[int, ...]], list[Direction]] = {}
        for way, ready in served.items():
            decided = tuple(number for number, one in enumerate(of_readiness) if self._decides(one, way))
            by_way.setdefault((ready, decided), []).append(way)
        for (ready, decided), ways in by_way.items():
            hold = [f for f in self._findings if f["result"] == Result.HOLDS and f["by"] == By.READINESS and self._holds(f["rule"], ways)]
            yield Branch(
                _ANSWERS[ready],
                f"{', '.join(_WAYS[way] for way in ways)}: {READINESS_WORDS[ready].removeprefix('readiness ')}",
                [of_readiness[number] for number in decided],
                [defaults["UNKNOWN"]] if ready is Readiness.UNDETERMINED and "UNKNOWN" in defaults and not decided else [],
                hold,
            )
        support = self.block.support
        yield Branch(
            _ANSWERS[support],
            f"Microsoft's page on supported configurations: {SUPPORT_WORDS[support].removeprefix('support ')}",
            [one for one in told if _otherwise(one) in (Otherwise.UNSUPPORTED, Otherwise.NOT_LISTED)],
            [defaults["NOT LISTED"]] if "NOT LISTED" in defaults else [],
            [f for f in self._findings if f["result"] == Result.HOLDS and f["by"] == By.MICROSOFT],
        )
        advice = [one for one in told if _otherwise(one) is Otherwise.ADVICE]
        if advice:
            yield Branch("ADVICE", "what decides nothing, and should be known", advice, [], [])

    def _decides(self, one: Explanation, way: Direction) -> bool:
        """Whether what is told decided a direction; what no direction has alone decided all."""
        rules = {finding["rule"] for finding in (one.findings if isinstance(one, Questions) else [one.finding])}
        results = {f.directions.get(way) for f in self.assessment.findings if f.rule.id in rules and f.directions}
        return not results or bool(results & {Result.FAILS, Result.UNKNOWN})

    def _holds(self, rule: str, ways: Sequence[Direction]) -> bool:
        of_it = next((f.directions for f in self.assessment.findings if f.rule.id == rule), {})
        return any(of_it.get(way) is Result.HOLDS for way in ways)

    def dynamics(self) -> Mapping[str, Any] | None:
        """Dynamics' own state beside ours; None where nothing is known of it."""
        facts = self.known.of(self.mailbox.address)
        flags: Flags = facts.value(v.DYNAMICS_ENABLED) or ()
        outcomes: Outcomes = facts.value(v.DYNAMICS_STATUS) or ()
        enabled, status = dict(flags), dict(outcomes)
        if not (enabled or status):
            return None
        ways = [
            BesideDynamics(_WAYS[way], READINESS_WORDS[ready], enabled.get(way.value), status.get(way.value))
            for way, ready in self.assessment.directions.items()
            if ready is not None
        ]
        return {
            "ways": ways,
            "last_success": facts.value(v.DYNAMICS_LAST_SUCCESS),
            "last_attempt": facts.value(v.DYNAMICS_LAST_ATTEMPT),
            "last_error": facts.value(v.DYNAMICS_LAST_ERROR),
            "last_error_at": facts.value(v.DYNAMICS_LAST_ERROR_AT),
            "pending": facts.value(v.DYNAMICS_PENDING_SEND),
            "approved": facts.value(v.DYNAMICS_APPROVED),
        }


def _otherwise(one: Explanation) -> Otherwise:
    """What the failure of what is told means. Questions with one cause may be of both kinds; readiness comes first."""
    findings = one.findings if isinstance(one, Questions) else [one.finding]
    kinds = {Otherwise(finding["otherwise"]) for finding in findings}
    if Otherwise.NOT_READY in kinds:
        return Otherwise.NOT_READY
    return Otherwise.ADVICE if not isinstance(one, Questions) and is_advice(one.finding) else next(iter(kinds))
