"""Facts, gaps, and how they are read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.model import vocabulary as v
from probe.model.facts import Fact, Facts, Missing, Why
from probe.model.keys import FactKey
from probe.model.kinds import Build
from probe.model.provenance import Declared, Evidence, Inferred, Observed, Provenance
from tests.cases import NOON

OBSERVED, BY_PEER, BY_OPERATOR, INFERRED = Observed(), Declared("peer"), Declared("operator"), Inferred("some-inference")


def fact(key: FactKey[Any], value: Any, provenance: Provenance = OBSERVED, mailbox: str | None = None) -> Fact[Any]:
    return Fact(subject="endpoint", mailbox=mailbox, key=key, value=value, provenance=provenance, at=NOON, attempt="a1")


def gap(key: FactKey[Any], why: Why) -> Missing:
    return Missing(subject="endpoint", key=key, why=why)


def test_what_was_never_asked_was_not_attempted() -> None:
    """A key without any reading is missing because nothing was tried, and says of which subject."""
    reading = Facts("endpoint").read(v.NET_CONNECTED)
    assert isinstance(reading, Missing)
    assert (reading.subject, reading.why) == ("endpoint", Why.NOT_ATTEMPTED)
    assert Facts("endpoint").value(v.NET_CONNECTED) is None
    assert not Facts("endpoint").knows(v.NET_CONNECTED)


def test_no_is_a_fact_and_not_a_gap() -> None:
    """A value of no, zero or nothing is known."""
    known = Facts("endpoint", [fact(v.NET_CONNECTED, False), fact(v.NET_ADDRESSES, ()), fact(v.SMTP_SIZE_LIMIT_BYTES, 0)])
    assert (known.value(v.NET_CONNECTED), known.value(v.NET_ADDRESSES), known.value(v.SMTP_SIZE_LIMIT_BYTES)) == (False, (), 0)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_observed_beats_declared_beats_inferred(order: tuple[int, int, int]) -> None:
    """Whatever the order in which they came, the best provenance is read."""
    ranked = [
        fact(v.SERVER_PRODUCT, "Gmail", OBSERVED),
        fact(v.SERVER_PRODUCT, "Dovecot", BY_PEER),
        fact(v.SERVER_PRODUCT, "Exim", INFERRED),
    ]
    assert Facts("endpoint", [ranked[i] for i in order]).value(v.SERVER_PRODUCT) == "Gmail"
    assert Facts("endpoint", [ranked[i] for i in order if i]).value(v.SERVER_PRODUCT) == "Dovecot"


def test_two_of_the_same_rank_that_agree_are_one() -> None:
    """Two sources that say the same make one fact."""
    assert Facts("endpoint", [fact(v.SERVER_PRODUCT, "Gmail", BY_PEER), fact(v.SERVER_PRODUCT, "Gmail", BY_OPERATOR)]).value(
        v.SERVER_PRODUCT
    ) == ("Gmail")


def test_two_of_the_same_rank_that_differ_conflict() -> None:
    """Two sources that contradict each other make a gap, which names both values and the account that they are true of."""
    reading = Facts(
        "endpoint", [fact(v.AUTH_ACCEPTED, True, mailbox="sales@contoso.test"), fact(v.AUTH_ACCEPTED, False, mailbox="sales@contoso.test")]
    ).read(v.AUTH_ACCEPTED)
    assert isinstance(reading, Missing)
    assert (reading.why, reading.mailbox) == (Why.CONFLICTING, "sales@contoso.test")
    assert "True" in reading.detail
    assert "False" in reading.detail


def test_a_conflict_of_a_lower_rank_does_not_matter() -> None:
    """Where one was observed, it does not matter that two were inferred differently."""
    readings = [fact(v.SERVER_PRODUCT, "Exim", INFERRED), fact(v.SERVER_PRODUCT, "Gmail"), fact(v.SERVER_PRODUCT, "Postfix", INFERRED)]
    assert Facts("endpoint", readings).value(v.SERVER_PRODUCT) == "Gmail"


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_builds_that_agree_the_longer_is_read(turned: bool) -> None:
    """A build of four numbers is read in place of its first three, with its own provenance."""
    short, long = fact(v.SERVER_BUILD, Build((15, 1, 2507)), BY_PEER), fact(v.SERVER_BUILD, Build((15, 1, 2507, 57)), BY_PEER)
    assert Facts("endpoint", [long, short] if turned else [short, long]).read(v.SERVER_BUILD) is long


def test_two_builds_that_disagree_conflict() -> None:
    """Builds of different updates cannot be reconciled."""
    builds = [fact(v.SERVER_BUILD, Build.parse(text)) for text in ("15.1.2507.57", "15.1.2507.58")]
    reading = Facts("endpoint", builds).read(v.SERVER_BUILD)
    assert isinstance(reading, Missing)
    assert reading.why is Why.CONFLICTING


def line(attempt: str, number: int) -> Evidence:
    return Evidence(attempt=attempt, line=number, excerpt="words")


def test_a_fact_has_the_evidence_of_all_that_agree() -> None:
    """Sources of one rank that agree make one fact, which keeps the words of each once, first those of the one that says most."""
    short = fact(v.SERVER_BUILD, Build((15, 1, 2507)), Declared("peer", (line("a1", 9), line("a1", 3))))
    long = fact(v.SERVER_BUILD, Build((15, 1, 2507, 57)), Declared("peer", (line("a1", 3),)))
    other = fact(v.SERVER_BUILD, Build((15, 1, 2507, 57)), Declared("peer", (line("a2", 1),)))
    outranked = fact(v.SERVER_BUILD, Build((15, 1, 2507, 57)), Inferred("i", (), (line("a3", 1),)))
    reading = Facts("endpoint", [short, long, other, outranked]).read(v.SERVER_BUILD)
    assert isinstance(reading, Fact)
    assert reading == replace(long, provenance=Declared("peer", (line("a1", 3), line("a1", 9), line("a2", 1))))


def test_what_conflicts_is_told_with_where_it_was_seen() -> None:
    """A conflict names each value with the places where it was seen; those that agree with each other are one of its claims."""
    said = [
        fact(v.SERVER_BUILD, Build.parse("15.1.2507.57"), Declared("peer", (line("a1", 12),))),
        fact(v.SERVER_BUILD, Build.parse("15.2.1118"), Declared("peer", (line("a1", 31),))),
        fact(v.SERVER_BUILD, Build.parse("15.2.1118.40"), Declared("peer", (line("a2", 5),))),
    ]
    reading = Facts("endpoint", said).read(v.SERVER_BUILD)
    assert isinstance(reading, Missing)
    assert reading.detail == "sources disagree: 15.1.2507.57 (a1 line 12) and 15.2.1118.40 (a2 line 5, a1 line 31)"
    assert reading.claims == (said[0], replace(said[2], provenance=Declared("peer", (line("a2", 5), line("a1", 31)))))


def test_a_conflict_names_who_says_what_no_conversation_shows() -> None:
    """The operator's word is told as the estate's, and what was worked out by the name of the inference."""
    said = [
        fact(v.MAILBOX_LOCATION, "on-premises", Declared("operator")),
        fact(v.MAILBOX_LOCATION, "elsewhere", Inferred("mailbox-location")),
    ]
    reading = Facts("endpoint", said).read(v.MAILBOX_LOCATION)
    assert isinstance(reading, Missing)
    assert reading.detail == "sources disagree: on-premises (the estate) and elsewhere (mailbox-location)"


def test_a_key_may_rank_its_facts_itself() -> None:
    """Of where a mailbox lives the operator's word and an inference count alike, and both give way to what a sign-in opened."""
    said = fact(v.MAILBOX_LOCATION, "on-premises", Declared("operator"))
    opened = fact(v.MAILBOX_LOCATION, "exchange-online", Inferred(v.MAILBOX_OPENED))
    observed = fact(v.MAILBOX_LOCATION, "exchange-online", OBSERVED)
    for seen in (opened, observed):
        assert (
            Facts("endpoint", [said, fact(v.MAILBOX_LOCATION, "elsewhere", INFERRED), seen]).value(v.MAILBOX_LOCATION) == "exchange-online"
        )
    # Of other keys the word stands above the inference.
    by_word = [fact(v.MFA_REQUIRED, True, Declared("operator")), fact(v.MFA_REQUIRED, False, Inferred(v.MAILBOX_OPENED))]
    assert Facts("endpoint", by_word).value(v.MFA_REQUIRED) is True


def test_a_long_value_is_cut_where_a_conflict_is_told() -> None:
    """The sentence on a conflict stays short; the claims have the whole values."""
    long = "x" * 1000
    reading = Facts("endpoint", [fact(v.HTTP_SERVER, long), fact(v.HTTP_SERVER, "y")]).read(v.HTTP_SERVER)
    assert isinstance(reading, Missing)
    assert len(reading.detail) < 120
    assert reading.claims[0].value == long


def test_a_conflict_is_weighed_anew_with_what_else_is_known() -> None:
    """Claims count as the facts they are: a fact of a better rank settles their conflict, one of a lower rank does not."""
    conflict = Facts("endpoint", [fact(v.SERVER_PRODUCT, "Exim", BY_PEER), fact(v.SERVER_PRODUCT, "Postfix", BY_PEER)]).read(
        v.SERVER_PRODUCT
    )
    assert Facts("endpoint", [conflict, fact(v.SERVER_PRODUCT, "Gmail", OBSERVED)]).value(v.SERVER_PRODUCT) == "Gmail"
    assert Facts("endpoint", [fact(v.SERVER_PRODUCT, "Gmail", INFERRED), conflict]).read(v.SERVER_PRODUCT) == conflict


BUILDS = st.sampled_from(
    [
        fact(v.SERVER_BUILD, Build.parse(text), who)
        for who in (OBSERVED, BY_PEER, INFERRED)
        for text in ("15.1.2507", "15.1.2507.57", "15.1.2507.58", "15.2.1118", "15.2.1118.40")
    ]
)


@given(st.lists(BUILDS, min_size=1, max_size=5), st.lists(BUILDS, max_size=5))
def test_nothing_is_lost_by_keeping_one_reading_in_place_of_all(first: list[Fact[Build]], more: list[Fact[Build]]) -> None:
    """Read together with more facts, the reading of some facts says what those facts would have said, in whatever order."""
    kept = Facts("endpoint", first).read(v.SERVER_BUILD)
    together, anew = Facts("endpoint", [*first, *more]).read(v.SERVER_BUILD), Facts("endpoint", [*more, kept]).read(v.SERVER_BUILD)
    assert isinstance(together, Missing) is isinstance(anew, Missing)
    assert getattr(together, "value", None) == getattr(anew, "value", None)


def test_a_key_may_draw_two_values_together_into_a_third() -> None:
    """A reconciled value that neither source gave is read with the provenance of the first."""
    union: FactKey[tuple[str, ...]] = FactKey(
        "test.names", v.NET_ADDRESSES.kind, "Names.", (("a",),), lambda one, other: tuple(sorted({*one, *other}))
    )
    reading = Facts("endpoint", [fact(union, ("a",), BY_PEER), fact(union, ("b",), BY_OPERATOR)]).read(union)
    assert isinstance(reading, Fact)
    assert (reading.value, reading.provenance, reading.attempt) == (("a", "b"), BY_PEER, "a1")


def test_a_fact_fills_a_gap() -> None:
    """Where one attempt learnt it and another did not, it is known."""
    assert Facts("endpoint", [gap(v.TLS_COMPLETED, Why.TIMED_OUT), fact(v.TLS_COMPLETED, True)]).value(v.TLS_COMPLETED) is True


def test_of_several_gaps_the_most_telling_is_read() -> None:
    """A reason that somebody ran into is told rather than that nobody tried."""
    gaps = [gap(v.TLS_COMPLETED, Why.NOT_ATTEMPTED), gap(v.TLS_COMPLETED, Why.TIMED_OUT), gap(v.TLS_COMPLETED, Why.NOT_APPLICABLE)]
    reading = Facts("endpoint", gaps).read(v.TLS_COMPLETED)
    assert isinstance(reading, Missing)
    assert reading.why is Why.TIMED_OUT
    assert Facts("endpoint", gaps[:1]).read(v.TLS_COMPLETED) is gaps[0]


def test_more_may_be_added_without_changing_what_there_is() -> None:
    """Facts with more readings are others, and the first stay as they were."""
    first = Facts("endpoint", [gap(v.NET_CONNECTED, Why.TIMED_OUT)])
    more = first.with_more([fact(v.NET_CONNECTED, True)])
    assert (first.value(v.NET_CONNECTED), more.value(v.NET_CONNECTED)) == (None, True)
    assert len(list(more)) == 2


def test_facts_may_be_narrowed_to_some_keys() -> None:
    """Narrowed facts answer for their keys, list only those, and refuse every other question."""
    narrowed = Facts("endpoint", [fact(v.NET_CONNECTED, True), fact(v.TLS_COMPLETED, True)]).only([v.NET_CONNECTED])
    assert narrowed.value(v.NET_CONNECTED) is True
    assert narrowed.knows(v.NET_CONNECTED)
    assert [reading.key for reading in narrowed] == [v.NET_CONNECTED]
    with pytest.raises(KeyError, match=r"tls\.completed"):
        narrowed.value(v.TLS_COMPLETED)
