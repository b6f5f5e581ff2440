"""What answers, by the operator's word."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from probe import app
from probe.engine.judge import Ruleset, judge_estate
from probe.inferences.product_by_word import INFERENCE
from probe.model import vocabulary as v
from probe.model.facts import Fact, Facts, Missing, Reading, Why
from probe.model.provenance import Inferred, Observed
from probe.model.rules import Result
from probe.tables.marks import product_in
from tests.inferences.known import TODAY, disputed, settled
from tests.runs import POP, SMTP, a_mailbox, an_estate

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "product"),
    [
        ("Dovecot 2.4", "Dovecot"),
        ("dovecot", "Dovecot"),
        ("Exchange Server 2019 CU15", "Exchange Server 2019"),
        ("Microsoft Exchange 2016", "Exchange Server 2016"),
        ("exchange online", "Exchange Online"),
        ("Exchange", "Exchange"),
        ("gmail", "Gmail"),
        ("sogo 5.8", "SOGo"),
        ("Own Mailer v3.1", "Own Mailer v3.1"),
        ("  own  mailer ", "  own  mailer "),
        ("Lotus Domino", "Lotus Domino"),
    ],
)
def test_a_word_names_a_product_whatever_its_case_and_version(words: str, product: str) -> None:
    """The operator's words stand for the product of the list, and are kept as they are where the list has none."""
    assert product_in(words) == product
    assert settled(INFERENCE, v.SERVER_PRODUCT, {v.SERVER_BY_WORD: words}) == product


def test_a_word_that_the_list_does_not_have_is_a_product_that_no_rule_knows() -> None:
    """It is passed on as the operator wrote it, and is not listed."""
    estate = an_estate(a_mailbox("a@branch.test"))
    estate = replace(estate, profiles=tuple(replace(p, product="Own Mailer v3.1") for p in estate.profiles))
    judged = judge_estate(estate, [], estate.mailboxes, Ruleset(inferences=app.inferences(), rules=app.rules()), TODAY, NOON)
    found = {r.value for r in judged.readings if isinstance(r, Fact) and r.key == v.SERVER_PRODUCT}
    assert found == {"Own Mailer v3.1"}
    (assessment,) = judged.assessments
    failed = {f.rule.id for f in assessment.findings if f.result is Result.FAILS}
    assert "pop3-smtp-system-not-listed" in failed


def test_profiles_that_disagree_settle_nothing() -> None:
    """Two words for one endpoint contradict each other."""
    assert settled(INFERENCE, v.SERVER_PRODUCT, {v.SERVER_BY_WORD: disputed("Dovecot", "Exim")}) is None


def product_of(url: str, greeting: str | None, **words: Any) -> Reading:
    """What is known of the product at an endpoint of a profile with these words, where a server greets so."""
    estate = an_estate(a_mailbox("a@branch.test"))
    estate = replace(estate, profiles=tuple(replace(p, **words) if p.name == "branch" else p for p in estate.profiles))
    heard = [Fact(subject=url, key=v.PROTOCOL_GREETING, value=greeting, provenance=Observed(), at=NOON)] if greeting else []
    ruleset = Ruleset(inferences=app.inferences(), rules=app.rules())
    judged = judge_estate(estate, heard, estate.mailboxes, ruleset, TODAY, NOON)
    return next(r for r in judged.readings if (r.subject, r.key) == (url, v.SERVER_PRODUCT))


def test_a_server_that_hides_its_name_is_what_the_operator_says() -> None:
    """Where nothing shows, the operator's word counts, and is known to be one."""
    found = product_of(POP, "+OK ready", product="Dovecot 2.4")
    assert isinstance(found, Fact)
    assert (found.value, getattr(found.provenance, "inference", "")) == ("Dovecot", v.PRODUCT_BY_WORD)


def test_a_word_that_what_was_seen_contradicts_conflicts_with_it() -> None:
    """Where the greeting names another product, neither counts, and only the greeting's claim cites its words."""
    found = product_of(POP, "+OK Dovecot ready.", product="Exim")
    assert isinstance(found, Missing)
    assert found.why is Why.CONFLICTING
    assert {claim.value for claim in found.claims} == {"Dovecot", "Exim"}


def test_marks_that_contradict_each_other_are_not_decided_by_a_word() -> None:
    """Where what was seen contradicts itself, the operator's word does not settle it."""
    facts = Facts(
        POP,
        [
            Missing(subject=POP, key=v.SERVER_PRODUCT, why=Why.CONFLICTING, detail="different builds"),
            Fact(subject=POP, key=v.SERVER_PRODUCT, value="Dovecot", provenance=Inferred(v.PRODUCT_BY_WORD, ()), at=NOON),
        ],
    )
    found = facts.read(v.SERVER_PRODUCT)
    assert isinstance(found, Missing)
    assert (found.why, found.detail) == (Why.CONFLICTING, "different builds")


def test_the_outgoing_endpoint_has_a_word_of_its_own() -> None:
    """The profile's word is for both endpoints, unless the outgoing one has its own."""
    for words, product in (({"product": "Dovecot"}, "Dovecot"), ({"product": "Dovecot", "outgoing_product": "Postfix 3.8"}, "Postfix")):
        found = product_of(SMTP, None, **words)
        assert isinstance(found, Fact)
        assert found.value == product


def test_without_a_word_nothing_changes() -> None:
    """Where the estate says nothing, what is not known is not known for the reason that it had."""
    found = product_of(POP, "+OK ready")
    assert isinstance(found, Missing)
    assert "the estate" not in found.detail
