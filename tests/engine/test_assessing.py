"""Tests that what is shared between mailboxes is what each of them would have been told alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from probe import app
from probe.engine.judge import Ruleset, judge_estate
from probe.engine.signed_in import signed_in
from probe.model import vocabulary as v
from probe.model.estate import DEPLOYMENT_SUBJECT, Delivery, Estate, Mailbox, profile_subject
from probe.model.facts import Fact, Facts, Missing, Reading
from probe.model.provenance import Declared, Observed
from probe.model.rules import Case, directions, judge, readiness, support
from tests.engine.estates import thrown
from tests.runs import NOON, POP, SMTP, a_fact, a_mailbox, an_estate, words

RULESET = Ruleset(inferences=app.inferences(), rules=app.rules())


def case_of(estate: Estate, mailbox: Mailbox, readings: Iterable[Reading]) -> Case:
    """A mailbox's case by hand, of all that came of a judgement."""

    def about(subject: str) -> Facts:
        return Facts(subject, [r for r in readings if r.subject == subject and r.mailbox in (None, mailbox.address)])

    profile = estate.profile_of(mailbox)
    return Case(
        deployment=about(DEPLOYMENT_SUBJECT),
        profile=about(profile_subject(profile.name)),
        mailbox=about(mailbox.address),
        incoming=about(profile.incoming.url),
        outgoing=about(profile.outgoing.url),
        date=NOON.date(),
    )


@pytest.mark.parametrize("seed", range(25))
def test_a_mailbox_is_told_what_it_would_be_told_alone(seed: int) -> None:
    """Over many estates: each finding, asked of the mailbox's own case by itself, is the same, and so is what is drawn of them."""
    estate, observed = thrown(seed)
    judgement = judge_estate(estate, observed, estate.mailboxes, RULESET, NOON.date(), NOON)
    for mailbox, assessment in zip(estate.mailboxes, judgement.assessments, strict=True):
        assert (assessment.mailbox, assessment.profile) == (mailbox.address, mailbox.profile)
        if not mailbox.is_served:
            assert assessment.findings == ()
            continue
        case = case_of(estate, mailbox, judgement.readings)
        assert assessment.findings == tuple(judge(rule, case) for rule in RULESET.rules.values())
        assert assessment.support is support(assessment.findings)
        assert assessment.directions == directions(assessment.findings, case)
        assert assessment.readiness is readiness(assessment.directions)
        assert assessment.signed_in is signed_in(case)


@pytest.mark.parametrize("seed", range(25))
def test_what_follows_of_a_mailbox_is_what_would_follow_of_it_alone(seed: int) -> None:
    """Over many estates: the readings of a mailbox are the same in an estate that has no other."""
    estate, observed = thrown(seed)
    together = judge_estate(estate, observed, (), RULESET, NOON.date(), NOON).readings
    for mailbox in estate.mailboxes:
        alone = replace(estate, mailboxes=(mailbox,))
        of_it = [r for r in observed if r.mailbox in (None, mailbox.address) and ("@" not in r.subject or r.subject == mailbox.address)]
        readings = judge_estate(alone, of_it, (), RULESET, NOON.date(), NOON).readings
        assert [r for r in together if r.subject == mailbox.address] == [r for r in readings if r.subject == mailbox.address]


@pytest.mark.parametrize("seed", range(10))
def test_it_does_not_matter_which_mailbox_comes_first(seed: int) -> None:
    """The first of several that are alike is not told more than the others: read from behind, an estate is judged the same."""
    estate, observed = thrown(seed)
    backwards = replace(estate, mailboxes=estate.mailboxes[::-1])
    first = judge_estate(estate, observed, estate.mailboxes, RULESET, NOON.date(), NOON)
    again = judge_estate(backwards, observed, backwards.mailboxes, RULESET, NOON.date(), NOON)
    assert {a.mailbox: (a.support, a.readiness, a.signed_in) for a in first.assessments} == {
        a.mailbox: (a.support, a.readiness, a.signed_in) for a in again.assessments
    }
    for mailbox in estate.mailboxes:
        assert [r for r in first.readings if r.subject == mailbox.address] == [r for r in again.readings if r.subject == mailbox.address]


@pytest.mark.parametrize("seed", range(10))
def test_what_a_rule_says_follows_from_values_alone(seed: int) -> None:
    """Who said it, when, in which words and of which subject makes no difference to any rule, nor to which keys it cites."""
    estate, observed = thrown(seed)
    readings = judge_estate(estate, observed, (), RULESET, NOON.date(), NOON).readings

    def told(of: Facts) -> Facts:
        others: list[Reading] = []
        for key in {reading.key.name: reading.key for reading in of}.values():
            reading = of.read(key)
            if isinstance(reading, Fact):
                others.append(
                    replace(reading, subject="other", mailbox=None, provenance=Observed(), at=NOON.replace(year=2027), attempt="a9")
                )
            else:
                others.append(Missing(subject="other", key=reading.key, why=reading.why, detail="in other words"))
        return Facts("other", others)

    for mailbox in estate.mailboxes:
        case = case_of(estate, mailbox, readings)
        other = Case(
            deployment=told(case.deployment),
            profile=told(case.profile),
            mailbox=told(case.mailbox),
            incoming=told(case.incoming),
            outgoing=told(case.outgoing),
            date=case.date,
        )
        for rule in RULESET.rules.values():
            finding, again = judge(rule, case), judge(rule, other)
            assert finding.result is again.result
            assert {reading.key for reading in finding.because} == {reading.key for reading in again.because}


def test_findings_that_cite_nothing_of_a_mailbox_are_shared() -> None:
    """Of mailboxes that differ in their address alone, what does not name them is one finding; what does has the reading of each."""
    estate = an_estate(a_mailbox("a@branch.test"), a_mailbox("b@branch.test"))
    one, other = judge_estate(estate, (), estate.mailboxes, RULESET, NOON.date(), NOON).assessments
    shared = [first is second for first, second in zip(one.findings, other.findings, strict=True)]
    names_it = [any(r.subject == "a@branch.test" for r in finding.because) for finding in one.findings]
    assert shared == [not named for named in names_it]
    assert any(shared)
    assert any(names_it)


def test_the_account_of_a_mailbox_is_its_own() -> None:
    """Two mailboxes that were both let in cite each its own login, one that was refused is told so."""
    names = ("a@branch.test", "b@branch.test", "c@branch.test")
    estate = an_estate(*map(a_mailbox, names))
    logins = []
    for number, name in enumerate(names):
        is_in = name != "c@branch.test"
        for url in (POP, SMTP):
            logins.append(a_fact(v.AUTH_ACCEPTED, is_in, url, mailbox=name))
            causes = () if is_in else ("bad-credentials",)
            logins.append(a_fact(v.AUTH_REFUSAL, causes, url, Declared("peer", words(f"a{number}", 1, "so")), mailbox=name))
    judgement = judge_estate(estate, logins, estate.mailboxes, RULESET, NOON.date(), NOON)
    assert [str(a.signed_in) for a in judgement.assessments] == ["yes", "yes", "refused"]
    cited = [
        {
            (r.mailbox, r.provenance.evidence[0].attempt)
            for f in a.findings
            for r in f.because
            if r.key == v.AUTH_REFUSAL and isinstance(r, Fact)
        }
        for a in judgement.assessments
    ]
    assert cited == [{("a@branch.test", "a0")}, {("b@branch.test", "a1")}, {("c@branch.test", "a2")}]


def test_a_finding_is_made_anew_for_other_deliveries() -> None:
    """A mailbox that only sends is not told what one is told that is collected, too."""
    estate = an_estate(a_mailbox("a@branch.test"), replace(a_mailbox("b@branch.test"), incoming=Delivery.NONE, appointments=Delivery.NONE))
    one, other = judge_estate(estate, (), estate.mailboxes, RULESET, NOON.date(), NOON).assessments
    assert [f.result for f in one.findings] != [f.result for f in other.findings]
