"""Tests of how the report for a person tells findings."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from probe.document.telling.words import WHAT_TO_DO
from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.kinds import Build
from probe.model.provenance import Declared, Inferred
from probe.model.rules import Otherwise, Reference, Result, Support
from tests.reports.rendering import of_one_mailbox, one_mailbox, render
from tests.runs import (
    EWS,
    EWS_ROW,
    NOT_TESTED,
    OLD_PRODUCT,
    POP,
    PRODUCT,
    REACHED,
    SMTP,
    TLS_WORKS,
    TOO_OLD,
    a_fact,
    a_finding,
    a_gap,
    a_rule,
    words,
)

MEETINGS_ROW = a_rule("exchange-meetings", Otherwise.NOT_LISTED, title="Meetings")


def test_unknown_findings_with_one_cause_are_one_block() -> None:
    """Questions that a silent server leaves open are listed by title and rule under the cause, with what to do, and no statement."""
    silent = [a_gap(key, Why.TIMED_OUT, "no greeting within 30 s") for key in (v.TLS_MODE, v.TLS_COMPLETED)]
    follows = a_gap(v.SERVER_PRODUCT, Why.TIMED_OUT, "nothing was heard")
    text = of_one_mailbox(
        a_finding(TOO_OLD, Result.UNKNOWN, follows),
        a_finding(TLS_WORKS, Result.UNKNOWN, *silent),
        a_finding(REACHED, Result.UNKNOWN, silent[0]),
    )
    assert (
        f"UNKNOWN: 3 questions, because {POP} did not answer in time (no greeting within 30 s) "
        "- TLS fails (tls-fails) - An endpoint that cannot be used (unreachable) "
        "- Exchange Server 2003 or 2007 (exchange-2003-or-2007) To do Make sure that the firewall lets this machine through and that the "
        "service answers, then check again. More `probe rules ID`" in text
    )
    assert text.count("UNKNOWN:") == 1
    assert "Rule " not in text
    assert "If so" not in text


def test_a_cause_at_two_endpoints_takes_in_what_rests_on_one_of_them() -> None:
    """Where two endpoints fail, one block names both with their reasons, and holds the questions about either."""
    incoming = a_gap(v.TLS_MODE, Why.TIMED_OUT, "no greeting")
    outgoing = a_gap(v.TLS_MODE, Why.REFUSED, subject=SMTP)
    signing_in = a_gap(v.AUTH_ACCEPTED, Why.REFUSED, subject=SMTP, mailbox="sales@branch.test")
    text = of_one_mailbox(
        a_finding(TLS_WORKS, Result.UNKNOWN, incoming, outgoing, signing_in),
        a_finding(REACHED, Result.UNKNOWN, outgoing),
    )
    assert (
        f"2 questions, because {POP} did not answer in time (no greeting); "
        f"{SMTP} and {SMTP} for this account refused the connection - TLS" in text
    )
    assert f"To do {WHAT_TO_DO[Why.REFUSED]} {WHAT_TO_DO[Why.TIMED_OUT]} More" in text


def test_what_does_not_arise_is_no_cause_beside_one_that_can_be_mended() -> None:
    """A question about EWS that does not arise at a POP3 endpoint is not named beside the time-out, and nobody is told to do nothing."""
    silent = a_gap(v.TLS_MODE, Why.TIMED_OUT, "no greeting")
    no_ews = a_gap(v.SERVER_BUILD, Why.NOT_APPLICABLE, "the endpoint is not an EWS endpoint")
    text = of_one_mailbox(a_finding(TLS_WORKS, Result.UNKNOWN, silent), a_finding(REACHED, Result.UNKNOWN, silent, no_ews))
    assert f"2 questions, because {POP} did not answer in time (no greeting) - TLS" in text
    assert f"To do {WHAT_TO_DO[Why.TIMED_OUT]} More" in text


def test_a_mailboxs_gap_follows_from_the_same_gap_at_its_endpoint() -> None:
    """A mailbox's provider that is unknown because its endpoint's is does not keep a question out of the block."""
    gaps = a_gap(v.PROVIDER, Why.TIMED_OUT), a_gap(v.PROVIDER, Why.NOT_DISCLOSED, subject="sales@branch.test")
    text = of_one_mailbox(a_finding(NOT_TESTED, Result.UNKNOWN, *gaps), a_finding(TOO_OLD, Result.UNKNOWN, gaps[0]))
    assert f"UNKNOWN: 2 questions, because {POP} did not answer in time - " in text


def test_unknown_findings_with_causes_of_their_own_stand_apart() -> None:
    """What a server does not say of one thing is no reason for another; each has its block, and a gap told before is only named."""
    mfa = a_gap(v.MFA_REQUIRED, Why.NOT_DISCLOSED, "no wire shows it", subject="sales@branch.test")
    version = a_gap(v.SERVER_VERSION, Why.NOT_DISCLOSED, "the greeting names none")
    build = a_gap(v.SERVER_BUILD, Why.NOT_DISCLOSED, "no header shows it")
    text = of_one_mailbox(
        a_finding(TOO_OLD, Result.UNKNOWN, version, mfa),
        a_finding(NOT_TESTED, Result.UNKNOWN, build),
        a_finding(TLS_WORKS, Result.UNKNOWN, version),
        a_finding(REACHED, Result.UNKNOWN, mfa),
    )
    assert text.count("UNKNOWN:") == text.count("If so") == 4
    assert "mfa.required of the mailbox: the server did not say (no wire shows it)" in text
    assert "mfa.required of the mailbox: unknown, as above" in text
    assert f"server.version at {POP}: unknown, as above" in text


def test_what_is_unknown_for_a_fact_is_not_counted_with_the_gaps() -> None:
    """A finding that is unknown although something was seen stands by itself."""
    gap = a_gap(v.TLS_MODE, Why.TIMED_OUT)
    text = of_one_mailbox(
        a_finding(TLS_WORKS, Result.UNKNOWN, gap),
        a_finding(REACHED, Result.UNKNOWN, gap, a_fact(v.HTTP_STATUS, 403)),
    )
    assert text.count("UNKNOWN:") == 2
    assert f"Seen http.status at {POP} = 403 Unknown tls.mode at {POP}: unknown, as above" in text


def test_questions_that_a_product_leaves_open_are_one_block() -> None:
    """An Exchange that does not show which it is leaves its questions open for one reason, which is told once."""
    some_exchange = replace(OLD_PRODUCT, value="Exchange")
    text = of_one_mailbox(*(a_finding(rule, Result.UNKNOWN, some_exchange) for rule in (TOO_OLD, EWS_ROW)))
    assert (
        f"UNKNOWN: 2 questions, because {EWS} did not say (it is Exchange, and nothing more is known) - Exchange Server 2003 or 2007"
        in text
    )
    assert "Seen" not in text


def test_gaps_alike_are_told_together() -> None:
    """Of one finding, gaps with one reason at one place are one sentence."""
    gaps = [a_gap(key, Why.NOT_DISCLOSED, "it hides") for key in (v.SERVER_VERSION, v.SERVER_BUILD)]
    text = of_one_mailbox(a_finding(TOO_OLD, Result.UNKNOWN, *gaps))
    assert f"Unknown server.version, server.build at {POP}: the server did not say (it hides)" in text


def test_what_is_not_listed_for_the_same_facts_is_only_named() -> None:
    """Where a system is unsupported, the weaker findings that the same fact decided are named in its block."""
    build = a_fact(v.SERVER_BUILD, v.SERVER_BUILD.examples[0], EWS)
    text = of_one_mailbox(
        a_finding(TOO_OLD, Result.FAILS, OLD_PRODUCT),
        a_finding(EWS_ROW, Result.FAILS, OLD_PRODUCT),
        a_finding(MEETINGS_ROW, Result.FAILS, build),
        support=Support.UNSUPPORTED,
    )
    assert "Also not listed: Mail through an Exchange that the page does not list (exchange-mail). NOT LISTED: Meetings Seen" in text
    assert text.count("NOT LISTED:") == 1


def test_a_fact_cited_again_does_not_repeat_its_words() -> None:
    """In the block of a mailbox the words off the wire stand with the first finding that cites a fact."""
    text = of_one_mailbox(
        a_finding(NOT_TESTED, Result.FAILS, PRODUCT),
        a_finding(REACHED, Result.FAILS, PRODUCT),
        support=Support.UNSUPPORTED,
        readings=(PRODUCT,),
    )
    assert f"server.product at {POP} = Dovecot (inferred), as above" in text
    assert text.count("+OK Dovecot ready.") == 1


def test_a_source_is_given_in_full_once() -> None:
    """The first source has its address, further ones their titles; a page seen before in the block is only named by its heading."""
    page, other = "https://learn.example/page", "https://learn.example/other"
    rules = [
        replace(NOT_TESTED, references=(Reference("Page: table", page, "2020"), Reference("Other", other, "2021"))),
        replace(TOO_OLD, references=(Reference("Page: notes", page, "2020"), Reference("Other", other, "2021"))),
        replace(REACHED, references=(Reference("Page: table", page, "2020"),)),
        replace(TLS_WORKS, references=(Reference("Elsewhere", page, "2020"),)),
    ]
    text = of_one_mailbox(*(a_finding(rule, Result.FAILS, PRODUCT) for rule in rules), support=Support.UNSUPPORTED)
    assert text.count(page) == 1
    assert other not in text
    assert f"Page: table (2020) {page} Remedy" in text
    assert "(same page, Elsewhere) Remedy" in text
    assert "(same page and heading as above) also: Other (2021) Remedy" in text
    assert "(same page, notes) also: Other (2021) Remedy" in text


def test_sources_that_disagree_are_all_given_in_full() -> None:
    """Where copies of a page contradict each other, each is cited with its address."""
    references = tuple(Reference(f"Copy {n}", f"https://learn.example/{n}", "2020", disagrees=n > 1) for n in (1, 2))
    rule = replace(NOT_TESTED, references=references)
    text = of_one_mailbox(a_finding(rule, Result.FAILS, PRODUCT), support=Support.UNSUPPORTED)
    assert "Copy 1 (2020) https://learn.example/1 Copy 2 (2020) https://learn.example/2 Remedy" in text


@pytest.mark.parametrize(
    ("value", "lines", "shown"),
    [
        ("Dovecot", ["TLS handshake: TLSv1.3", "CAPA", "Dovecot here", "+OK ready"], ["Dovecot here"]),
        ("Cyrus IMAP", ["CAPA", "+OK ready", "X-Server: none", "X-More: none"], ["+OK ready", "X-Server: none"]),
        ("Cyrus IMAP", ["250-PIPELINING", "250-8BITMIME", "250-HELP"], ["250-PIPELINING", "250-8BITMIME"]),
        ("Cyrus IMAP", ["TLS handshake: TLSv1.3"], []),
        ("Exim", ["x" * 110 + " version Exim 4.96"], ["..." + "x" * 11 + " version Exim 4.96"]),
        ("Exim", ["Exim " + "x" * 1000], ["Exim " + "x" * 61 + "x" * 63 + "..."]),
    ],
)
def test_the_most_telling_words_are_shown(value: str, lines: list[str], shown: list[str]) -> None:
    """At most two lines of a fact are shown: those that hold its value, else greetings and headers, else any; of a long one a part."""
    provenance = Inferred("i", (), tuple(e for n, line in enumerate(lines, 1) for e in words("a1", n, line)))
    fact = a_fact(v.SERVER_PRODUCT, value, provenance=provenance)
    text = render(replace(one_mailbox(a_finding(NOT_TESTED, Result.FAILS, fact)), readings=(fact,)))
    assert re.sub(r"\n {14}", "", text).count("\n            | ") == len(shown)
    assert re.findall(r"\| (.*)", re.sub(r"\n {14}", "", text)) == shown


def test_words_that_show_a_premise_are_telling() -> None:
    """A line is telling that holds what the value was worked out from, but not what the operator declared."""
    evidence = [*words("a3", 1, "corp: yes"), *words("a3", 2, "X-Powered-By: x"), *words("a3", 3, "at /owa/8.3.485.1/")]
    product = a_fact(
        v.SERVER_PRODUCT,
        "Exchange Server 2007",
        provenance=Inferred("i", ("server.build", "server.product", "endpoint.host"), tuple(evidence)),
    )
    build = a_fact(v.SERVER_BUILD, Build.parse("8.3.485.1"))
    host = a_fact(v.ENDPOINT_HOST, "corp", provenance=Declared("operator"))
    run = replace(one_mailbox(a_finding(NOT_TESTED, Result.FAILS, product)), readings=(product, build, host))
    assert re.findall(r"\| (.*)", render(run)) == ["at /owa/8.3.485.1/"]


def test_endless_words_are_bounded() -> None:
    """A peer's words of any length fill some lines of the report, and the rest is counted."""
    long = "x" * 100_000
    finding = a_finding(NOT_TESTED, Result.FAILS, a_fact(v.SERVER_PRODUCT, long))
    text = render(one_mailbox(finding))
    assert "... (99,760 more characters)" in " ".join(text.split())
    assert len(text) < 5000
    assert max(map(len, text.splitlines())) <= 80


def test_evidence_that_supports_several_facts_is_shown_once() -> None:
    """The same words off the wire are not repeated for another fact, and at most two lines stand for one."""
    evidence = tuple(e for n in range(1, 6) for e in words("a1", n, f"line {n}"))
    one = a_fact(v.SERVER_PRODUCT, "Dovecot", provenance=Inferred("i", (), (*evidence[:1], *evidence)))
    other = a_fact(v.SERVER_VENDOR, "Dovecot", provenance=Inferred("i", (), evidence[:1]))
    run = replace(one_mailbox(a_finding(NOT_TESTED, Result.FAILS, one, other)), readings=(one, other))
    assert re.findall(r"\| (.*)", render(run)) == ["line 1", "line 2"]


def test_the_operators_word_is_told_as_such() -> None:
    """What rests on the operator's word for a product or a validation is told as by your word."""
    product = a_fact(v.SERVER_PRODUCT, "Dovecot", provenance=Inferred(v.PRODUCT_BY_WORD, ("server.by_word",)))
    validated = a_fact(v.PROFILE_FIPS_VALIDATED, "CMVP #4985", subject="profile:branch", provenance=Declared("operator"))
    text = of_one_mailbox(
        a_finding(NOT_TESTED, Result.FAILS, product, validated), support=Support.UNSUPPORTED, readings=(product, validated)
    )
    assert "= Dovecot (by your word)" in text
    assert "= CMVP #4985 (by your word)" in text
