"""Tests of inferring and judging: one reading for each key, and the same again from a stored document."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from probe import app
from probe.document import parse, publish, readings
from probe.engine.judge import Judgement, Ruleset, infer_endpoints, judge_estate
from probe.model import vocabulary as v
from probe.model.estate import Delivery, Endpoint, Estate, Location, Mailbox
from probe.model.facts import Fact, Facts, Missing, Reading, Why
from probe.model.keys import FactKey
from probe.model.kinds import Build
from probe.model.provenance import Declared, Inferred
from probe.model.rules import Direction, Readiness, Result, Support
from tests.runs import EWS, NOON, a_fact, a_gap, a_run, an_estate, words

RULESET = Ruleset(inferences=app.inferences(), rules=app.rules())
BEHIND_A_PROXY = (
    a_fact(v.SERVER_BUILD, Build.parse("15.1.2507.57"), EWS, Declared("peer", words("a1", 12, "X-OWA-Version: 15.1.2507.57"))),
    a_fact(v.SERVER_BUILD, Build.parse("15.2.1118.40"), EWS, Declared("peer", words("a1", 31, 'href="/owa/auth/15.2.1118.40/themes"'))),
    a_fact(v.EWS_MARKS, ("header", "owa-page"), EWS),
    a_fact(v.AUTH_SCHEMES, ("Negotiate", "NTLM"), EWS),
)
THREE_SOURCES = (
    a_fact(v.SERVER_BUILD, Build.parse("15.1.2507"), EWS, Declared("peer", words("a1", 31, 'href="/owa/auth/15.1.2507/themes"'))),
    a_fact(v.SERVER_BUILD, Build.parse("15.1.2507.57"), EWS, Declared("peer", words("a1", 12, "X-OWA-Version: 15.1.2507.57"))),
    a_fact(v.SERVER_BUILD, Build.parse("15.1.2507.57"), EWS, Declared("peer", words("a1", 40, 'version="15.1.2507.57"'))),
    a_fact(v.AUTH_SCHEMES, ("Negotiate", "NTLM"), EWS),
)


def looked(observed: Iterable[Reading]) -> tuple[Reading, ...]:
    """What a look at the one endpoint makes of readings."""
    return infer_endpoints([Endpoint.parse(EWS)], observed, RULESET, NOON.date(), NOON)


def only(all_of_them: Iterable[Reading], key: FactKey[Any]) -> Reading:
    (reading,) = [r for r in all_of_them if r.key == key]
    return reading


def estate(location: Location | None = None) -> Estate:
    return an_estate(
        Mailbox(
            address="sales@contoso.test",
            profile="corp",
            incoming=Delivery.SERVER_SIDE,
            outgoing=Delivery.SERVER_SIDE,
            appointments=Delivery.SERVER_SIDE,
            location=location,
        )
    )


def judged(observed: Iterable[Reading], location: Location | None = None) -> Judgement:
    declared = estate(location)
    return judge_estate(declared, observed, declared.mailboxes, RULESET, NOON.date(), NOON)


def stored(kept: Iterable[Reading]) -> tuple[Reading, ...]:
    """The readings as they come back from a document that was written, validated and read."""
    document = json.loads(json.dumps(publish(a_run(readings=kept))))
    parse(document)
    return readings(document)


def test_sources_that_agree_are_one_fact() -> None:
    """Three sources of a build, one of which shows less of it, are one fact: the longest, with the evidence of all three."""
    build = only(looked(THREE_SOURCES), v.SERVER_BUILD)
    assert isinstance(build, Fact)
    assert str(build.value) == "15.1.2507.57"
    assert [line.line for line in build.provenance.evidence] == [12, 31, 40]


def test_sources_that_contradict_each_other_are_no_fact() -> None:
    """Where sources contradict each other there is a gap that says so, with the values and their places, and no fact to mislead anybody."""
    found = looked(BEHIND_A_PROXY)
    build = only(found, v.SERVER_BUILD)
    assert isinstance(build, Missing)
    assert build.why is Why.CONFLICTING
    assert build.detail == "sources disagree: 15.1.2507.57 (a1 line 12) and 15.2.1118.40 (a1 line 31)"
    document = publish(a_run(readings=found))
    assert "server.build" not in {f["key"] for f in document["facts"]}
    (gap,) = [gap for gap in document["missing"] if gap["key"] == "server.build"]
    assert [(c["value"], c["evidence"][0]["line"]) for c in gap["claims"]] == [("15.1.2507.57", 12), ("15.2.1118.40", 31)]


def test_an_exchange_that_shows_two_builds_is_some_exchange() -> None:
    """A name of two Exchange Servers is Exchange; its version and update conflict, and it is supported, since both are listed."""
    found = Facts(EWS, looked(BEHIND_A_PROXY))
    assert found.value(v.SERVER_PRODUCT) == "Exchange"
    version = found.read(v.SERVER_VERSION)
    assert isinstance(version, Missing)
    assert (version.why, version.detail) == (Why.CONFLICTING, "different builds were shown: 15.1.2507.57, 15.2.1118.40")
    assert found.value(v.SERVER_PRODUCTS) == ("Exchange Server 2016", "Exchange Server 2019")
    (assessment,) = judged(BEHIND_A_PROXY).assessments
    assert assessment.support is Support.SUPPORTED


def test_marks_of_different_products_conflict() -> None:
    """Where a server shows the marks of two products, its product is no gap of nobody's telling, but a contradiction; the marks are there."""
    url = "pop3s://mail.contoso.test:995"
    said = [
        a_fact(v.ENDPOINT_SERVICE, "pop3", url),
        a_fact(v.PROTOCOL_GREETING, "+OK Dovecot ready.", url),
        a_fact(v.PROTOCOL_FAREWELL, "+OK Farewell.", url),
    ]
    found = Facts(url, looked(said))
    product = found.read(v.SERVER_PRODUCT)
    assert isinstance(product, Missing)
    assert product.why is Why.CONFLICTING
    assert found.value(v.SERVER_MARKS) == ("greeting: Dovecot", "farewell: Gmail")


def test_what_the_operator_says_stands_in_place_of_what_would_be_inferred() -> None:
    """Of a key that is declared and could be inferred too, what was declared is the one reading."""
    declared = (a_fact(v.MFA_REQUIRED, True, "sales@contoso.test", Declared("operator")),)
    refused = a_fact(v.AUTH_REFUSAL, ("bad-credentials",), EWS, mailbox="sales@contoso.test")
    mfa = only(judged([*declared, refused, *THREE_SOURCES]).readings, v.MFA_REQUIRED)
    assert isinstance(mfa, Fact)
    assert mfa.provenance == Declared("operator")


MOVED = (
    a_fact(
        v.AUTODISCOVER_URL,
        "https://outlook.office365.com/EWS/Exchange.asmx",
        "sales@contoso.test",
        Declared("peer", words("a2", 9, '{"Protocol":"EWS","Url":"https://outlook.office365.com/EWS/Exchange.asmx"}')),
    ),
    a_fact(v.AUTODISCOVER_REDIRECTS, False, "sales@contoso.test"),
)
OPENED = a_fact(v.EWS_INBOX, "found", EWS, mailbox="sales@contoso.test")


def test_the_operators_word_for_the_location_and_autodiscovers_count_alike() -> None:
    """Where they contradict each other the location conflicts, and both are named; readiness is not determined, and cites them."""
    judgement = judged([*THREE_SOURCES, *MOVED], Location.ON_PREMISES)
    location = only(judgement.readings, v.MAILBOX_LOCATION)
    assert isinstance(location, Missing)
    assert location.why is Why.CONFLICTING
    assert location.detail == "sources disagree: on-premises (the estate) and exchange-online (a2 line 9, a1 line 12)"
    assert [claim.value for claim in location.claims] == ["on-premises", "exchange-online"]
    (finding,) = [f for f in judgement.assessments[0].findings if f.rule.id == "mailbox-lives-elsewhere"]
    assert (finding.result, location in finding.because) == (Result.UNKNOWN, True)


def test_where_they_agree_they_are_one_fact() -> None:
    """The operator's word that Autodiscover bears out is a fact."""
    location = only(judged([*THREE_SOURCES, *MOVED], Location.EXCHANGE_ONLINE).readings, v.MAILBOX_LOCATION)
    assert isinstance(location, Fact)
    assert (location.value, location.provenance.rank) == ("exchange-online", Declared("operator").rank)
    assert location.provenance.evidence[0].line == 9


@pytest.mark.parametrize("said", [None, Location.ON_PREMISES, Location.EXCHANGE_ONLINE, Location.ELSEWHERE])
def test_a_mailbox_that_was_opened_is_where_it_was_opened(said: Location | None) -> None:
    """Whatever the operator and Autodiscover say."""
    location = only(judged([*THREE_SOURCES, *MOVED, OPENED], said).readings, v.MAILBOX_LOCATION)
    assert isinstance(location, Fact)
    assert location.value == "on-premises"
    assert isinstance(location.provenance, Inferred)
    assert location.provenance.inference == v.MAILBOX_OPENED


@pytest.mark.parametrize("observed", [(), THREE_SOURCES, BEHIND_A_PROXY], ids=["nothing", "one-build", "two-builds"])
@pytest.mark.parametrize("more", [(), MOVED, (OPENED,), (*MOVED, OPENED)], ids=["untold", "moved", "opened", "moved-and-opened"])
@pytest.mark.parametrize("location", [None, Location.ON_PREMISES, Location.EXCHANGE_ONLINE])
def test_a_stored_run_is_judged_again_to_the_same(
    observed: tuple[Reading, ...], more: tuple[Reading, ...], location: Location | None
) -> None:
    """Judged again from its document, a run has the same readings and the same assessments, and each key once."""
    opened = (*observed, *more, a_gap(v.HTTP_STATUS, Why.TIMED_OUT, subject=EWS))
    first = judged(opened, location)
    again = judged(stored(first.readings), location)
    assert set(again.readings) == set(first.readings)
    assert again.assessments == first.assessments
    assert max(Counter((r.subject, r.mailbox, r.key) for r in first.readings).values()) == 1


def test_a_stored_look_is_inferred_again_to_the_same() -> None:
    """Inferred again from its document, a look has the same readings."""
    first = looked(BEHIND_A_PROXY)
    assert set(looked(stored(first))) == set(first)


def test_what_was_inferred_before_is_inferred_anew() -> None:
    """What an inference once concluded, or left open, does not outlive the facts that it would be concluded from today."""
    old: list[Reading] = [
        a_fact(v.SERVER_PRODUCT, "Exchange Server 2010", EWS, Inferred("exchange-product", ("server.build",))),
        a_gap(v.SERVER_UPDATE, Why.NOT_DISCLOSED, "the server does not show its build", EWS),
        Missing(
            subject=EWS,
            key=v.SERVER_VENDOR,
            why=Why.CONFLICTING,
            claims=tuple(a_fact(v.SERVER_VENDOR, name, EWS, Inferred(name)) for name in ("Microsoft", "Google")),
        ),
    ]
    found = looked([*old, *THREE_SOURCES])
    assert set(found) == set(looked(THREE_SOURCES))


def test_a_mailbox_that_is_not_served_is_not_assessed() -> None:
    """A mailbox for which server-side synchronization does nothing has no findings."""
    unserved = an_estate(
        Mailbox(address="a@x.test", profile="corp", incoming=Delivery.NONE, outgoing=Delivery.NONE, appointments=Delivery.NONE)
    )
    (assessment,) = judge_estate(unserved, (), unserved.mailboxes, RULESET, NOON.date(), NOON).assessments
    assert (assessment.support, assessment.readiness, assessment.findings) == (Support.NOT_ASSESSED, Readiness.NOT_ASSESSED, ())
    assert (assessment.signed_in, assessment.directions) == (None, dict.fromkeys(Direction))
