"""Tests of the first screen: the table, what to do first, and what is said where nobody signed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from probe import app
from probe.document.telling.roots import ROOTS
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.facts import Reading, Why
from probe.model.rules import Direction, Finding, Otherwise, Readiness, Result, Support
from tests.reports.rendering import render
from tests.runs import (
    ENDS_SOON,
    EWS,
    NOT_TESTED,
    POP,
    PRODUCT,
    SMTP,
    TOO_LATE,
    a_fact,
    a_finding,
    a_gap,
    a_mailbox,
    a_rule,
    a_run,
    an_assessment,
    an_estate,
)

EXPIRED = replace(
    a_rule("certificate-expired", Otherwise.NOT_READY, title="Certificate expired or not valid yet"), remedy="Renew it. Then more."
)
REFUSED = a_rule("login-refused", Otherwise.NOT_READY, title="Credentials refused")
ENDED = a_rule("password-login-ended-by-provider", Otherwise.NOT_READY, title="Provider has ended password logins")
MOOT = "its effect is provokes, which is not allowed here"


def first_screen(
    judged: Mapping[str, tuple[Support, Readiness, tuple[Finding, ...]]], readings: tuple[Reading, ...] = (), **options: Any
) -> str:
    """The report of some mailboxes with profile branch, down to what is told of each."""
    assessments = [an_assessment(m, support, readiness, *findings) for m, (support, readiness, findings) in judged.items()]
    run = a_run(estate=an_estate(*map(a_mailbox, judged)), assessments=assessments, readings=readings)
    return render(run, **options).partition("\nMAILBOXES\n")[0]


def table_of(screen: str) -> list[str]:
    """The lines of the table."""
    return [line for line in screen.partition("\nWhat to do")[0].splitlines() if line[:2].strip().isdigit() and line[4:5].isupper()]


def expired(subject: str = POP) -> Finding:
    return a_finding(EXPIRED, Result.FAILS, a_fact(v.CERTIFICATE_NOT_AFTER, datetime(2026, 11, 19, tzinfo=UTC), subject))


def test_a_group_of_one_cause_takes_one_line() -> None:
    """Three hundred mailboxes with one fault are one line, and so is one mailbox with another."""
    judged = {f"m{n}@branch.test": (Support.SUPPORTED, Readiness.NOT_READY, (expired(),)) for n in range(300)}
    other = {"a@branch.test": (Support.SUPPORTED, Readiness.NOT_READY, (a_finding(REFUSED, Result.FAILS, a_fact(v.AUTH_ACCEPTED, False)),))}
    assert table_of(first_screen({**other, **judged}, width=120)) == [
        "1   NOT READY    300 mailboxes  Certificate expired 2026-11-19, pop.branch.test",
        "2   NOT READY    a@branch.test  Credentials refused, pop.branch.test",
    ]


def test_what_does_not_work_stands_before_what_is_unsupported() -> None:
    """Not ready comes before unsupported, unsupported before unknown; a mailbox of which both is bad says so where there is room."""
    judged = {
        "b@branch.test": (Support.UNSUPPORTED, Readiness.UNDETERMINED, (a_finding(NOT_TESTED, Result.FAILS, PRODUCT),)),
        "u@branch.test": (Support.UNSUPPORTED, Readiness.READY, (a_finding(NOT_TESTED, Result.FAILS, PRODUCT),)),
        "q@branch.test": (Support.SUPPORTED, Readiness.UNDETERMINED, (a_finding(EXPIRED, Result.UNKNOWN, TOO_LATE),)),
        "n@branch.test": (Support.UNSUPPORTED, Readiness.NOT_READY, (expired(), a_finding(NOT_TESTED, Result.FAILS, PRODUCT))),
    }
    assert [line.split()[1:4] for line in table_of(first_screen(judged))] == [
        ["NOT", "READY", "n@branch.test"],
        ["UNSUPPORTED", "b@branch.test", "A"],
        ["UNSUPPORTED", "u@branch.test", "A"],
        ["UNKNOWN", "q@branch.test", "smtp.branch.test"],
    ]
    assert "pop.branch.test; unsupported" in first_screen(judged, width=120)
    assert "Dovecot; readiness undetermined" in first_screen(judged, width=120)


def test_what_to_do_is_told_for_each_group_that_does_not_work() -> None:
    """The first sentence of the remedy stands under the table, by the number of the line; what is unknown names its hosts and what may settle it."""
    judged = {
        "n@branch.test": (Support.SUPPORTED, Readiness.NOT_READY, (expired(),)),
        "q@branch.test": (Support.SUPPORTED, Readiness.UNDETERMINED, (a_finding(EXPIRED, Result.UNKNOWN, TOO_LATE),)),
        "u@branch.test": (Support.UNSUPPORTED, Readiness.READY, (a_finding(NOT_TESTED, Result.FAILS, PRODUCT),)),
    }
    told = " ".join(first_screen(judged).partition("What to do first")[2].partition("Probed from")[0].split())
    assert told.startswith("(more of each below, by its number): 1 Renew it. 3 smtp.branch.test: Make sure that the firewall lets")
    assert " 2 " not in told


def test_the_table_of_many_causes_is_followed_by_a_few_steps() -> None:
    """Where a great many groups do not work, nine steps are told and the rest are counted."""
    judged = {f"m{n}@branch.test": (Support.SUPPORTED, Readiness.NOT_READY, (expired(f"pop3s://h{n}.test:995"),)) for n in range(12)}
    screen = first_screen(judged)
    assert len(table_of(screen)) == 12
    assert "and 3 more groups." in screen


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_line_of_the_table_keeps_to_the_width(width: int) -> None:
    """A long address and a long cause are cut, and each line stays one line."""
    address = "a" * 60 + "@branch.test"
    screen = first_screen(
        {address: (Support.UNSUPPORTED, Readiness.NOT_READY, (expired("pop3s://" + "h" * 60 + ".test:995"),))}, width=width
    )
    assert max(map(len, screen.splitlines())) <= width
    assert len(table_of(screen)) == 1


def test_advice_stands_apart_with_whom_it_is_for() -> None:
    """Advice takes a line for each kind, under everything that decides."""
    ends = a_finding(ENDS_SOON, Result.FAILS, a_fact(v.CERTIFICATE_NOT_AFTER, datetime(2026, 12, 10, tzinfo=UTC)))
    judged = {f"m{n}@branch.test": (Support.SUPPORTED, Readiness.READY, (ends,)) for n in range(2)}
    assert "    ADVICE       2 mailboxes  Certificate ends 2026-12-10" in first_screen(judged).splitlines()


def one_ready(signed_in: str, *readings: Reading) -> str:
    """The report of one ready mailbox, its spaces folded."""
    judged = [an_assessment("a@branch.test", Support.SUPPORTED, Readiness.READY)]
    run = a_run(estate=an_estate(a_mailbox("a@branch.test")), assessments=judged, readings=readings)
    return " ".join(render(run, signed_in=signed_in).split())


def test_ready_is_said_without_reserve_only_where_somebody_signed_in() -> None:
    """A readiness that no sign-in has shown is told as far as seen, in the counts, the table and the block."""
    whole = one_ready("yes")
    assert "1 mailbox: 1 ready. " in whole
    assert "as far as seen" not in whole
    assert "READY a@branch.test signed in" in whole
    half = one_ready("not-tried")
    assert "1 mailbox: 1 ready as far as seen without signing in. " in half
    assert "READY a@branch.test as far as seen without signing in" in half
    assert "1. READY as far as seen without signing in, supported: 1 mailbox" in half


NOT_ALLOWED = a_gap(v.AUTH_ACCEPTED, Why.NOT_ATTEMPTED, "its effect is logs-in, which is not allowed here")
ONLY_DYNAMICS = a_gap(
    v.AUTH_ACCEPTED,
    Why.NO_CREDENTIALS,
    "the profile signs in with windows-integrated credentials, which only the Dynamics server has",
    mailbox="a@branch.test",
)
HELD_BACK = a_gap(v.AUTH_ACCEPTED, Why.UNTRUSTED_PEER, "no credentials were sent", mailbox="a@branch.test")


@pytest.mark.parametrize(
    ("how", "gap", "said"),
    [
        ("not-allowed", NOT_ALLOWED, "nobody signed in, because nobody allowed it (`--allow logs-in`)"),
        ("impossible", ONLY_DYNAMICS, f"nobody signed in: {ONLY_DYNAMICS.detail}"),
        ("not-tried", HELD_BACK, "nobody signed in: no credentials were sent"),
    ],
)
def test_a_block_says_why_nobody_signed_in(how: str, gap: Reading, said: str) -> None:
    """The limit of a verdict stands in the mailbox's block: nobody allowed it, only Dynamics can, or what was in the way."""
    assert f"Sign-in {said}" in one_ready(how, gap)


def test_directions_are_told_where_they_differ() -> None:
    """A mailbox that works one way and not the other says which; where one word goes for all ways, nothing is added."""
    differ = {Direction.INCOMING: Readiness.NOT_READY, Direction.OUTGOING: Readiness.READY, Direction.APPOINTMENTS: None}
    told = {}
    for name, directions in (("differ", differ), ("alike", {**differ, Direction.OUTGOING: Readiness.NOT_READY})):
        judged = an_assessment("a@branch.test", Support.SUPPORTED, Readiness.NOT_READY)
        run = a_run(estate=an_estate(a_mailbox("a@branch.test")), assessments=[replace(judged, directions=directions)])
        told[name] = render(run)
    assert "\n  Ways      incoming not ready, outgoing ready\n" in told["differ"]
    assert "Ways" not in told["alike"]


def test_a_root_stands_before_what_follows_from_it() -> None:
    """Where the provider ended passwords, that stands first, and the refusal there is told as following from it, without a remedy of its own."""
    ended = a_finding(ENDED, Result.FAILS, a_fact(v.PASSWORD_LOGIN_POSSIBLE, False))
    refused = a_finding(REFUSED, Result.FAILS, a_fact(v.AUTH_ACCEPTED, False, mailbox="a@branch.test"))
    judged = [an_assessment("a@branch.test", Support.SUPPORTED, Readiness.NOT_READY, refused, ended)]
    text = " ".join(render(a_run(estate=an_estate(a_mailbox("a@branch.test")), assessments=judged)).split())
    assert "NOT READY: Credentials refused (login-refused) It follows from the above: Provider has ended password logins." in text
    assert text.index("NOT READY: Provider has ended") < text.index("NOT READY: Credentials refused")
    assert "What to do about login-refused" not in text


def test_a_failure_elsewhere_follows_from_nothing() -> None:
    """A refusal at another server than the one whose provider ended passwords keeps its remedy."""
    ended = a_finding(ENDED, Result.FAILS, a_fact(v.PASSWORD_LOGIN_POSSIBLE, False))
    refused = a_finding(REFUSED, Result.FAILS, a_fact(v.AUTH_ACCEPTED, False, SMTP, mailbox="a@branch.test"))
    judged = [an_assessment("a@branch.test", Support.SUPPORTED, Readiness.NOT_READY, refused, ended)]
    assert "What to do about login-refused" in render(a_run(estate=an_estate(a_mailbox("a@branch.test")), assessments=judged))


def test_roots_are_rules() -> None:
    """Every rule that is said to follow from another exists, and so does the other; none leads back to itself."""
    named = {*ROOTS, *(root for roots in ROOTS.values() for root in roots)}
    assert named <= set(app.rules())

    def leads_to(rule: str, seen: tuple[str, ...] = ()) -> None:
        assert rule not in seen
        for root in ROOTS.get(rule, ()):
            leads_to(root, (*seen, rule))

    for rule in ROOTS:
        leads_to(rule)


def test_what_nobody_allowed_is_told_once_at_the_end() -> None:
    """What is unknown only because it was not allowed is no news of any mailbox: one sentence for each effect, with names where all is told."""
    injected = a_rule("starttls-injection", Otherwise.ADVICE, title="Commands injected before TLS")
    gaps = [a_gap(v.STARTTLS_TAKES_INJECTED, Why.NOT_ATTEMPTED, MOOT, subject) for subject in (POP, SMTP)]
    judged = [
        an_assessment(m, Support.SUPPORTED, Readiness.READY, a_finding(injected, Result.UNKNOWN, *gaps)) for m in ("a@x.test", "b@x.test")
    ]
    run = a_run(estate=an_estate(*map(a_mailbox, ("a@x.test", "b@x.test"))), assessments=judged, readings=gaps)
    text = " ".join(render(run).split())
    assert text.count("provokes") == 2
    assert f"1 question and 1 fact, because {MOOT}. `--allow provokes` asks. `--verbose` names them." in text
    assert "Commands injected before TLS (starttls-injection)" not in text
    assert "- Commands injected before TLS (starttls-injection)" in " ".join(render(run, verbose=True).split())


def test_a_mailbox_stands_among_the_mailboxes_alone() -> None:
    """What Autodiscover tells of a mailbox stands in its block, and no endpoint is called by an address."""
    from tests.runs import an_attempt

    where = a_fact(v.MAILBOX_LOCATION, "exchange-online", subject="a@branch.test", provenance=None)
    judged = [an_assessment("a@branch.test", Support.UNSUPPORTED, Readiness.READY, a_finding(NOT_TESTED, Result.FAILS, PRODUCT))]
    attempt = an_attempt(1, "a@branch.test", Outcome.TIMED_OUT, "no answer", prober="autodiscover")
    text = render(
        a_run(estate=an_estate(a_mailbox("a@branch.test")), assessments=judged, readings=[where], attempts=[attempt]), verbose=True
    )
    assert "a@branch.test" not in text.partition("ENDPOINTS")[2]
    assert "autodiscover at 192.0.2.7 timed out: no answer" in " ".join(text.partition("ENDPOINTS")[0].split())


def test_profiles_with_one_cause_share_a_line() -> None:
    """Mailboxes of two profiles with one cause are one line of the table and two blocks under its number."""
    judged = [
        an_assessment("a@branch.test", Support.SUPPORTED, Readiness.NOT_READY, expired(EWS)),
        an_assessment("b@contoso.test", Support.SUPPORTED, Readiness.NOT_READY, expired(EWS), profile="corp"),
    ]
    estate = an_estate(a_mailbox("a@branch.test"), a_mailbox("b@contoso.test", "corp"))
    text = render(a_run(estate=estate, assessments=judged), width=120)
    assert "1   NOT READY    2 mailboxes  Certificate expired 2026-11-19, mail.contoso.test" in text.splitlines()
    assert text.count("\n1. NOT READY, supported: 1 mailbox with profile") == 2
