"""The answer for each mailbox: what Test & Enable will report in each direction, and whether it may be pressed. Pure in the run and what was compared.

Test & Enable does not know what is supported, so that a prediction rests on readiness and on a sign-in of this run, or on one within 15 minutes before it
whose answer the run has; the answer rests on support too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum

from probe.document.telling.roots import ROOTS
from probe.dynamics.comparing import Difference
from probe.model import vocabulary as v
from probe.model.estate import Endpoint, Mailbox
from probe.model.facts import Fact, Missing
from probe.model.rules import Assessment, By, Direction, Finding, Otherwise, Readiness, Result, Rule, SignedIn, Support
from probe.model.runs import Run
from probe.model.values import dataclass


class Predicted(StrEnum):
    """What Test & Enable will report of a direction."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNKNOWN = "unknown"


class GateAnswer(StrEnum):
    """Whether Test & Enable may be pressed for a mailbox; of several mailboxes the earlier member counts."""

    NO_GO = "no-go"
    CANNOT_TELL = "cannot-tell"
    GO = "go"


class Accept(StrEnum):
    """What a caller may let pass."""

    NOT_LISTED = "not-listed"
    UNSUPPORTED = "unsupported"
    SUPPORT_UNDETERMINED = "support-undetermined"
    NOT_SIGNED_IN = "not-signed-in"
    """That a direction is ready as far as seen, and nobody could or might sign in to see more."""


_ACCEPTED_SUPPORT = {
    Support.NOT_LISTED: Accept.NOT_LISTED,
    Support.UNSUPPORTED: Accept.UNSUPPORTED,
    Support.UNDETERMINED: Accept.SUPPORT_UNDETERMINED,
}
_NOT_SIGNED_IN = (SignedIn.NOT_ALLOWED, SignedIn.IMPOSSIBLE)

Predictions = Mapping[Direction, Predicted | None]
"""All three directions; None where server-side synchronization does not serve that one."""


@dataclass(frozen=True, slots=True)
class GateReason:
    """A rule that decided: of readiness in a direction, or of support, which has none."""

    finding: Finding
    direction: Direction | None
    result: Result

    @property
    def rule(self) -> Rule:
        return self.finding.rule


@dataclass(frozen=True, slots=True, kw_only=True)
class GateVerdict:
    """The answer for one mailbox, and what decided it."""

    mailbox: str
    answer: GateAnswer
    predicted: Predictions
    reasons: tuple[GateReason, ...]
    """The one cause of each direction that is not predicted a success, in the order of directions; then what decided support."""
    accepted: tuple[Accept, ...]
    """The words of the caller without which it would not be a go."""
    differs: tuple[Difference, ...]
    settle: tuple[str, ...]
    """Where it cannot be told: what would settle it, the first thing first."""


def verdict_on(
    mailbox: Mailbox,
    assessment: Assessment,
    run: Run,
    let_in: Collection[str],
    differs: Sequence[Difference],
    unread: str | None,
    accept: Collection[Accept],
) -> GateVerdict:
    """The answer for a mailbox that the run assessed.

    `let_in` are the URLs of the endpoints that let its account in, as `let_in_during` has them. `differs` is where its rows are not what the
    estate says; `unread` is why Dynamics' rows could not be read, None where they were, or where the estate does not say where they are.
    """
    assert run.estate is not None
    predicted = predictions(run.estate.endpoints_of(mailbox), assessment, let_in)
    accepted: list[Accept] = []
    is_open, is_bad = False, Predicted.FAILURE in predicted.values()
    word = _ACCEPTED_SUPPORT.get(assessment.support)
    if word is not None and word in accept:
        accepted.append(word)
    elif word is Accept.SUPPORT_UNDETERMINED:
        is_open = True
    elif word is not None:
        is_bad = True
    unknown = [direction for direction, how in predicted.items() if how is Predicted.UNKNOWN]
    unseen = [d for d in unknown if assessment.directions[d] is Readiness.READY and assessment.signed_in in _NOT_SIGNED_IN]
    if unseen and Accept.NOT_SIGNED_IN in accept:
        accepted.append(Accept.NOT_SIGNED_IN)
        is_open = is_open or unseen != unknown
    else:
        is_open = is_open or bool(unknown)
    if unread is not None or any(difference.is_of_what_was_probed for difference in differs):
        answer = GateAnswer.CANNOT_TELL  # what was probed may not be what Dynamics will use
    elif is_bad:
        answer = GateAnswer.NO_GO
    else:
        answer = GateAnswer.CANNOT_TELL if is_open or differs or run.interrupted else GateAnswer.GO
    reasons = tuple(_reasons(assessment, predicted))
    return GateVerdict(
        mailbox=mailbox.address,
        answer=answer,
        predicted=predicted,
        reasons=reasons,
        accepted=tuple(accepted) if answer is GateAnswer.GO else (),
        differs=tuple(differs),
        settle=tuple(_settling(assessment, reasons, differs, unread, unseen, run)) if answer is GateAnswer.CANNOT_TELL else (),
    )


def predictions(ends: tuple[Endpoint, Endpoint], assessment: Assessment, let_in: Collection[str]) -> Predictions:
    """What Test & Enable will report of each direction of a mailbox, of whose endpoints the incoming one stands first."""
    incoming, outgoing = ends
    found: dict[Direction, Predicted | None] = {}
    for direction, readiness in assessment.directions.items():
        # Appointments go through the incoming endpoint, both ways.
        endpoint = outgoing if direction is Direction.OUTGOING else incoming
        if readiness is None:
            found[direction] = None
        elif readiness is Readiness.NOT_READY:
            found[direction] = Predicted.FAILURE
        else:
            is_seen = readiness is Readiness.READY and endpoint.url in let_in
            found[direction] = Predicted.SUCCESS if is_seen else Predicted.UNKNOWN
    return found


def let_in_during(run: Run) -> Mapping[str, Collection[str]]:
    """By mailbox, the URLs of the endpoints that let its account in, as far as the run has it: at a sign-in of its own, or of the 15 minutes before."""
    found: dict[str, set[str]] = {}
    for reading in run.readings:
        if reading.key == v.AUTH_ACCEPTED and isinstance(reading, Fact) and reading.value and reading.mailbox is not None:
            found.setdefault(reading.mailbox, set()).add(reading.subject)
    return found


def worst(verdicts: Iterable[GateVerdict]) -> GateAnswer:
    """The answer for all of them."""
    given = {verdict.answer for verdict in verdicts}
    return next((answer for answer in GateAnswer if answer in given), GateAnswer.GO)


def _reasons(assessment: Assessment, predicted: Predictions) -> Iterable[GateReason]:
    for direction, how in predicted.items():
        wanted = {Predicted.FAILURE: Result.FAILS, Predicted.UNKNOWN: Result.UNKNOWN}.get(how) if how is not None else None
        found = [finding for finding in assessment.findings if wanted is not None and finding.directions.get(direction) is wanted]
        if wanted is not None and found:
            yield GateReason(_root(found), direction, wanted)
    wanted_of_support = {
        Support.UNSUPPORTED: (Otherwise.UNSUPPORTED, Result.FAILS),
        Support.NOT_LISTED: (Otherwise.NOT_LISTED, Result.FAILS),
        Support.UNDETERMINED: (None, Result.UNKNOWN),
    }.get(assessment.support)
    if wanted_of_support is not None:
        otherwise, result = wanted_of_support
        about = [f for f in assessment.findings if f.rule.by is By.MICROSOFT and f.rule.otherwise is not Otherwise.ADVICE]
        yield from (GateReason(f, None, result) for f in about if f.result is result and otherwise in (None, f.rule.otherwise))


def _root(findings: Sequence[Finding]) -> Finding:
    """The finding that the others follow from, as far as that is known."""
    named = {finding.rule.id for finding in findings}
    return next((finding for finding in findings if named.isdisjoint(ROOTS.get(finding.rule.id, ()))), findings[0])


def _answer_that_is_wanted(reason: GateReason) -> str:
    """What would settle a rule of readiness: the answer of an endpoint, where that is missing."""
    gap = next((one for one in reason.finding.because if isinstance(one, Missing) and "://" in one.subject), None)
    if gap is None:
        return f"{reason.rule.title}: it is not known whether that is so ({reason.rule.id})"
    return f"An answer of {gap.subject}: {gap.detail or gap.why} ({reason.rule.id})"


def _settling(
    assessment: Assessment,
    reasons: Sequence[GateReason],
    differs: Sequence[Difference],
    unread: str | None,
    unseen: Sequence[Direction],
    run: Run,
) -> Iterable[str]:
    if unread is not None:
        yield f"Dynamics' own records, which could not be read: {unread}"
    if differs:
        yield "The estate and Dynamics at one: correct whichever is wrong, and ask again"
    if run.interrupted:
        yield "A whole run: this one was interrupted"
    open_questions = [reason for reason in reasons if reason.result is Result.UNKNOWN and reason.direction is not None]
    yield from dict.fromkeys(map(_answer_that_is_wanted, open_questions))
    if unseen and assessment.signed_in is SignedIn.NOT_ALLOWED:
        yield "A sign-in, which nobody allowed: --allow logs-in; or --accept not-signed-in"
    elif unseen:
        yield "A sign-in, for which only the Dynamics server has the credentials: run probe there; or --accept not-signed-in"
    elif assessment.readiness is Readiness.READY and assessment.signed_in is not SignedIn.YES:
        yield "A sign-in: it was allowed, and not tried in this run; the run says why"
    if assessment.support is Support.UNDETERMINED:
        open_ones = [reason.rule for reason in reasons if reason.direction is None]
        about = f": {open_ones[0].title} ({open_ones[0].id})" if open_ones else ""
        yield f"Whether Microsoft supports it{about}; or --accept support-undetermined"
