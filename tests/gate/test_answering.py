"""The answer for a mailbox, out of what was found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from probe.gate import Accept, Difference, GateAnswer, GateVerdict, Predicted, verdict_on, worst
from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Assessment, Direction, Finding, Otherwise, Readiness, Result, SignedIn, Support
from tests.runs import POP, SMTP, a_fact, a_finding, a_gap, a_mailbox, a_rule, a_run, an_assessment, an_estate

ADDRESS = "a@contoso.test"
MAILBOX = a_mailbox(ADDRESS)
NAME = a_rule("name-does-not-resolve", Otherwise.NOT_READY)
REACHED = a_rule("endpoint-unreachable", Otherwise.NOT_READY)
LISTED = a_rule("not-in-the-table", Otherwise.NOT_LISTED)
DIFFERS = Difference("incoming port", "995", "110")
NOT_APPROVED = Difference("approval", "approved", "2", is_of_what_was_probed=False)
EVERYTHING = frozenset(Accept)


def assessed(support: str = "supported", readiness: str = "ready", *findings: Finding, signed_in: SignedIn = SignedIn.YES) -> Assessment:
    """What was found of the mailbox."""
    return replace(an_assessment(ADDRESS, Support(support), Readiness(readiness), *findings), signed_in=signed_in)


def verdict(
    assessment: Assessment,
    *differs: Difference,
    let_in: Iterable[str] = (POP, SMTP),
    unread: str | None = None,
    accept: frozenset[Accept] = frozenset(),
    interrupted: bool = False,
) -> GateVerdict:
    """The answer, where the account was let in at these endpoints."""
    readings = [a_fact(v.AUTH_ACCEPTED, True, subject=url, mailbox=ADDRESS) for url in let_in]
    run = a_run(estate=an_estate(MAILBOX), readings=readings, assessments=[assessment], interrupted=interrupted)
    return verdict_on(MAILBOX, assessment, run, differs, unread, accept)


def predicted(given: GateVerdict) -> list[str | None]:
    """Of incoming, outgoing and appointments."""
    return [given.predicted[direction] for direction in Direction]


def test_ready_and_signed_in_and_supported_is_a_go() -> None:
    """Every direction that is used succeeds, and the one that is not is not predicted."""
    given = verdict(assessed())
    assert (given.answer, predicted(given), given.reasons, given.settle) == (GateAnswer.GO, ["success", "success", None], (), ())


def test_a_success_needs_a_sign_in_at_that_endpoint() -> None:
    """What let the account in elsewhere says nothing of this endpoint; nor does another mailbox's account."""
    given = verdict(assessed(signed_in=SignedIn.NOT_TRIED), let_in=[POP])
    assert (given.answer, predicted(given)) == (GateAnswer.CANNOT_TELL, ["success", "unknown", None])
    run = a_run(estate=an_estate(MAILBOX), readings=[a_fact(v.AUTH_ACCEPTED, True, subject=POP, mailbox="b@contoso.test")])
    assert predicted(verdict_on(MAILBOX, assessed(), run, (), None, frozenset()))[0] == "unknown"


@pytest.mark.parametrize("how", [SignedIn.NOT_ALLOWED, SignedIn.IMPOSSIBLE])
def test_that_nobody_could_sign_in_may_be_accepted(how: SignedIn) -> None:
    """The prediction stays unknown, and the word that was needed is told."""
    assessment = assessed(signed_in=how)
    without = verdict(assessment, let_in=())
    assert without.answer is GateAnswer.CANNOT_TELL
    assert "--accept not-signed-in" in without.settle[0]
    given = verdict(assessment, let_in=(), accept=EVERYTHING)
    assert (given.answer, predicted(given), given.accepted) == (GateAnswer.GO, ["unknown", "unknown", None], (Accept.NOT_SIGNED_IN,))


def test_a_sign_in_that_was_allowed_and_not_tried_is_never_accepted() -> None:
    """Something kept it from being tried, which the run tells."""
    given = verdict(assessed(signed_in=SignedIn.NOT_TRIED), let_in=(), accept=EVERYTHING)
    assert (given.answer, given.accepted) == (GateAnswer.CANNOT_TELL, ())
    assert given.settle


def test_what_is_not_ready_fails_whatever_is_accepted() -> None:
    """The one cause is the root of those that failed."""
    findings = (a_finding(REACHED, Result.FAILS), a_finding(NAME, Result.FAILS))
    given = verdict(assessed("supported", "not-ready", *findings), let_in=(), accept=EVERYTHING)
    assert (given.answer, predicted(given)) == (GateAnswer.NO_GO, ["failure", "failure", None])
    assert [(one.rule.id, one.direction) for one in given.reasons] == [
        ("name-does-not-resolve", "incoming"),
        ("name-does-not-resolve", "outgoing"),
    ]


def test_what_is_undetermined_is_never_accepted() -> None:
    """What would settle it stands first."""
    given = verdict(
        assessed("supported", "undetermined", a_finding(REACHED, Result.UNKNOWN), signed_in=SignedIn.NOT_ALLOWED),
        let_in=(),
        accept=EVERYTHING,
    )
    assert (given.answer, predicted(given), given.accepted) == (GateAnswer.CANNOT_TELL, ["unknown", "unknown", None], ())
    assert "(endpoint-unreachable)" in given.settle[0]
    silent = a_finding(REACHED, Result.UNKNOWN, a_gap(v.NET_CONNECTED, Why.TIMED_OUT, "no greeting within 30 s"))
    settle = verdict(assessed("supported", "undetermined", silent), let_in=()).settle
    assert settle[0] == f"An answer of {POP}: no greeting within 30 s (endpoint-unreachable)"


@pytest.mark.parametrize(
    ("support", "word", "answer"),
    [
        ("not-listed", Accept.NOT_LISTED, GateAnswer.NO_GO),
        ("unsupported", Accept.UNSUPPORTED, GateAnswer.NO_GO),
        ("undetermined", Accept.SUPPORT_UNDETERMINED, GateAnswer.CANNOT_TELL),
    ],
)
def test_each_word_lets_its_own_support_pass(support: str, word: Accept, answer: GateAnswer) -> None:
    """No other word does, and Test & Enable is predicted to succeed all the same."""
    assert verdict(assessed(support), accept=EVERYTHING - {word}).answer is answer
    given = verdict(assessed(support), accept=EVERYTHING)
    assert (given.answer, predicted(given), given.accepted) == (GateAnswer.GO, ["success", "success", None], (word,))


def test_what_decided_support_is_told_without_a_direction() -> None:
    """After the causes of the directions."""
    given = verdict(assessed("not-listed", "ready", a_finding(LISTED, Result.FAILS)))
    assert [(one.rule.id, one.direction, one.result) for one in given.reasons] == [("not-in-the-table", None, Result.FAILS)]


def test_a_difference_leaves_nothing_certain() -> None:
    """What was probed may not be what Dynamics uses, so that neither a go nor a no-go stands, and no word helps."""
    for assessment in (assessed(), assessed("unsupported", "not-ready")):
        given = verdict(assessment, DIFFERS, accept=EVERYTHING)
        assert (given.answer, given.differs) == (GateAnswer.CANNOT_TELL, (DIFFERS,))
        assert given.settle[0].startswith("The estate and Dynamics at one")


def test_a_missing_approval_stops_a_go_and_no_no_go() -> None:
    """It says nothing of what was probed."""
    assert verdict(assessed(), NOT_APPROVED, accept=EVERYTHING).answer is GateAnswer.CANNOT_TELL
    assert verdict(assessed("supported", "not-ready"), NOT_APPROVED).answer is GateAnswer.NO_GO


def test_without_dynamics_rows_it_cannot_be_told() -> None:
    """Why they could not be read stands first."""
    given = verdict(assessed(), unread="the connection was refused")
    assert given.answer is GateAnswer.CANNOT_TELL
    assert given.settle[0].endswith("the connection was refused")


def test_an_interrupted_run_gives_no_go() -> None:
    """Nor does it take back what was found to fail."""
    assert verdict(assessed(), interrupted=True).answer is GateAnswer.CANNOT_TELL
    assert verdict(assessed("supported", "not-ready"), interrupted=True).answer is GateAnswer.NO_GO


def test_of_several_the_worst_counts() -> None:
    """One that must not go before one that cannot be told."""
    go, no, open_ = verdict(assessed()), verdict(assessed("unsupported")), verdict(assessed(), unread="x")
    assert [worst(some) for some in ([], [go], [go, open_], [open_, no, go])] == [
        GateAnswer.GO,
        GateAnswer.GO,
        GateAnswer.CANNOT_TELL,
        GateAnswer.NO_GO,
    ]
    assert Predicted.FAILURE not in go.predicted.values()
