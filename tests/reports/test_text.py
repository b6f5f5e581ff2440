"""Tests of the report for a person."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from probe.document.telling.words import WHAT_TO_DO, WHY_IN_WORDS, bounded, gap_in_words, some_of, value_in_words
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.facts import Facts, Why
from probe.model.kinds import TlsSession, UpdateRange
from probe.model.provenance import Declared
from probe.model.rules import Readiness, Result, Support
from probe.model.runs import Run
from tests.reports.rendering import may_be_wider, render
from tests.runs import (
    ENDS_SOON,
    EWS,
    NOT_TESTED,
    OLD_PRODUCT,
    POP,
    PRODUCT,
    SMTP,
    TLS_WORKS,
    TOO_OLD,
    a_checked_run,
    a_fact,
    a_finding,
    a_gap,
    a_mailbox,
    a_run,
    an_assessment,
    an_attempt,
    an_estate,
    words,
)

GOLDEN = Path(__file__).parent / "checked_run_80.txt"


def look() -> Run:
    """The same endpoints without an estate."""
    run = a_checked_run()
    return a_run(attempts=run.attempts[:3], readings=[r for r in run.readings if r.mailbox is None and "://" in r.subject])


def test_the_report_of_a_checked_run_is_the_one_on_file() -> None:
    """At 80 columns and without colour the report with everything in it reads as the golden file, transcripts and all."""
    assert render(a_checked_run(), transcripts=True, verbose=True) == GOLDEN.read_text("utf-8")


def test_the_verdict_comes_first() -> None:
    """The first sentence counts the mailboxes by readiness, the second counts them by support."""
    text = " ".join(render(a_checked_run(), width=200).splitlines()[:2])
    assert text == (
        "7 mailboxes: 2 not ready, 2 undetermined, 2 ready, 1 not assessed. "
        "Support: 3 unsupported, 1 not listed, 1 undetermined, 1 supported."
    )


@pytest.mark.parametrize("width", [60, 72, 80, 120])
def test_lines_keep_to_the_width(width: int) -> None:
    """No line is wider than the terminal, apart from one that holds a URL or is a command."""
    for text in (render(a_checked_run(), width=width, transcripts=True, verbose=True), render(look(), width=width)):
        assert [line for line in text.splitlines() if len(line) > width and not may_be_wider(line)] == []


def test_a_terminal_that_is_too_narrow_is_taken_for_sixty_columns() -> None:
    """Below 60 columns the report stays at 60, where its columns still fit."""
    assert render(a_checked_run(), width=10) == render(a_checked_run(), width=60)


def test_a_failed_finding_shows_words_statement_place_and_remedy() -> None:
    """Of a finding that fails one reads what was seen, the words off the wire, the statement and where it stands, and the remedy."""
    text = render(a_checked_run())
    block = text[text.index("UNSUPPORTED: Exchange Server 2003 or 2007") :]
    assert [line.strip() for line in block.splitlines()[:9]] == [
        "UNSUPPORTED: Exchange Server 2003 or 2007",
        f"Seen    server.product at {EWS}",
        "= Exchange Server 2007 (inferred)",
        "| X-OWA-Version: 8.3.485.1",
        "Rule    What the page states about exchange-2003-or-2007, said in our own",
        "words and long enough to be wrapped at eighty columns.",
        "Supported configurations, exchange-2003-or-2007 (2023-03)",
        "https://learn.example/exchange-2003-or-2007",
        "Remedy  What to do about exchange-2003-or-2007.",
    ]


def test_findings_stand_worst_first_and_advice_last() -> None:
    """Within a mailbox, too, what fails comes before what is not known, and advice comes last."""
    text = render(a_checked_run())
    block = text[text.index("\n2. ") : text.index("\n3. ")]
    assert re.findall(r"^  ([A-Z ]+): ", block, re.MULTILINE) == ["UNSUPPORTED", "UNKNOWN", "ADVICE"]


def test_what_does_not_work_comes_first_and_the_ready_ones_last() -> None:
    """Not ready comes before unsupported, that before not listed and undetermined; then what is ready, and what is not served."""
    text = " ".join(render(a_checked_run()).partition("MAILBOXES")[2].split())
    assert re.findall(r"(\d)\. ([A-Za-z ,]+?): \d mailbox", text) == [
        ("1", "NOT READY, unsupported"),
        ("2", "UNSUPPORTED, readiness undetermined"),
        ("3", "NOT LISTED, ready"),
        ("4", "READINESS UNDETERMINED, support undetermined"),
        ("5", "READY, supported"),
        ("6", "NOT ASSESSED"),
    ]


def test_the_type_of_a_profile_is_written_as_in_the_estate() -> None:
    """The server type stands in the words of the estate file, and an endpoint for both directions stands once."""
    text = render(a_checked_run())
    assert f"  Type      pop3-smtp\n  Incoming  {POP}\n  Outgoing  {SMTP}\n" in text
    assert f"  Type      exchange-server\n  Endpoint  {EWS}\n" in text


def test_ready_mailboxes_take_a_line_and_their_advice() -> None:
    """Of ready mailboxes one reads a line with their addresses, and advice in brief: what was seen, and the remedy once."""
    ends = a_fact(v.CERTIFICATE_NOT_AFTER, v.CERTIFICATE_NOT_AFTER.examples[0])
    mailboxes = [(f"{name}@branch.test", profile) for name, profile in (("a", "branch"), ("b", "branch"), ("c", "corp"))]
    findings = dict.fromkeys(("branch", "corp"), (a_finding(ENDS_SOON, Result.FAILS, ends),))
    judged = [an_assessment(m, Support.SUPPORTED, Readiness.READY, *findings[p], profile=p) for m, p in mailboxes]
    text = render(a_run(estate=an_estate(*(a_mailbox(m, p) for m, p in mailboxes)), assessments=judged))
    assert text[text.index("1. READY") :].rstrip().splitlines() == [
        "1. READY, supported: 2 mailboxes with profile branch: a@branch.test,",
        "b@branch.test",
        "  ADVICE: A certificate that ends soon (certificate-ends-soon)",
        "    Seen    certificate.not_after = 2027-01-01T00:00:00Z at",
        f"            {POP}",
        "    Remedy  What to do about certificate-ends-soon.",
        "",
        "1. READY, supported: 1 mailbox with profile corp: c@branch.test",
        "  ADVICE: A certificate that ends soon (certificate-ends-soon), remedy as above",
        "    Seen    certificate.not_after = 2027-01-01T00:00:00Z at",
        f"            {POP}",
    ]


def test_what_is_unknown_says_why() -> None:
    """Of a finding that is unknown one reads what is missing, where, and why, in words."""
    text = " ".join(render(a_checked_run()).split())
    assert f"Unknown tls.negotiated at {SMTP}: the server did not answer in time (no greeting within 30 s)" in text


def test_unknowns_beside_a_worse_verdict_are_counted() -> None:
    """What is unknown but could not change the verdict is counted with its reason, and named where everything is told."""
    assert f"Not known 1 more question, because nothing was tried on {EWS} that would show it" in " ".join(render(a_checked_run()).split())
    named = "that would show it - A certificate that ends soon (certificate-ends-soon)"
    assert named not in " ".join(render(a_checked_run()).split())
    assert named in " ".join(render(a_checked_run(), verbose=True).split())


def test_a_supported_mailbox_shows_what_lists_it() -> None:
    """After the mailboxes one reads each statement that lists supported systems, and for which profiles it holds."""
    text = render(a_checked_run())
    assert "\nLISTED: What the page states about exchange-mail" in text
    assert "\n  Holds for corp\n            Supported configurations, exchange-mail (2023-03)\n" in text


def test_a_mailbox_that_nothing_lists_says_so() -> None:
    """A mailbox that is not listed although nothing failed is told that no row is met."""
    assert "NOT LISTED: no row of Microsoft's table" in render(a_checked_run())


def test_mailboxes_alike_stand_in_one_block() -> None:
    """Two thousand mailboxes of which the same is to be said make one block, with the first addresses and a count; verbose names them all."""
    refusals = {f"m{n}@branch.test": a_fact(v.AUTH_ACCEPTED, False, mailbox=f"m{n}@branch.test") for n in range(2000)}
    run = a_run(
        estate=an_estate(*map(a_mailbox, refusals)),
        assessments=[
            an_assessment(
                m,
                Support.UNSUPPORTED,
                Readiness.READY,
                a_finding(NOT_TESTED, Result.FAILS, PRODUCT, refused, a_fact(v.MAILBOX_INCOMING, "server-side", subject=m)),
            )
            for m, refused in refusals.items()
        ],
    )
    text = render(run)
    assert "UNSUPPORTED, readiness undetermined" not in text
    assert "1   UNSUPPORTED  2,000 mailboxes  A POP3/SMTP system that Microsoft has not t..." in text.splitlines()
    assert "m4@branch.test and 1,995 more (`--verbose` names them)" in " ".join(text.split())
    assert set(refusals) <= set(re.split(r"[\s,]+", render(run, verbose=True)))
    assert "mailbox.incoming of the mailbox = server-side" in text
    assert text.count("Remedy") == 1


def test_mailboxes_of_which_something_else_is_to_be_said_stand_apart() -> None:
    """Mailboxes with one verdict for different reasons make two blocks."""
    run = a_run(
        estate=an_estate(a_mailbox("a@branch.test"), a_mailbox("b@branch.test")),
        assessments=[
            an_assessment("a@branch.test", Support.UNSUPPORTED, Readiness.READY, a_finding(NOT_TESTED, Result.FAILS, PRODUCT)),
            an_assessment("b@branch.test", Support.UNSUPPORTED, Readiness.READY, a_finding(NOT_TESTED, Result.FAILS, OLD_PRODUCT)),
        ],
    )
    text = " ".join(render(run).split())
    assert text.count("UNSUPPORTED, ready: 1 mailbox with profile branch") == 2


def test_a_mailbox_that_is_not_served_is_listed() -> None:
    """A mailbox that server-side synchronization does not serve is listed as not assessed."""
    text = render(a_checked_run())
    assert "NOT ASSESSED: 1 mailbox with profile branch\n  unserved@branch.test\n  Server-side synchronization does not serve it.\n" in text


def test_a_run_in_which_nobody_was_judged_says_so() -> None:
    """A check that was interrupted before anybody was judged says both."""
    text = render(a_run(estate=an_estate(), interrupted=True))
    assert text.startswith("No mailbox was judged.\nThe run was interrupted; this is what was learnt until then.\n")
    assert "MAILBOXES" not in text


def test_an_endpoint_shows_its_main_facts() -> None:
    """Of an endpoint one reads product, build, update and end of support, addresses, TLS, certificate and ways to sign in."""
    text = " ".join(render(a_checked_run(), verbose=True).split())
    assert "Server Exchange Server 2007, build 8.3.485.1, update SP3 RU23, support ended 2017-04-11" in text
    assert "Addresses 192.0.2.7, 2001:db8::7" in text
    assert "TLS TLSv1.3, TLS_AES_256_GCM_SHA384, x25519" in text
    assert "Certificate valid until 2026-12-01, not trusted (self-signed certificate), for this name" in text
    assert "Sign-in PLAIN, LOGIN; before TLS: none" in text


def test_an_endpoint_without_tls_shows_what_stood_in_the_way() -> None:
    """Where TLS failed, its failure stands in the place of what was agreed on."""
    readings = [a_fact(v.TLS_MODE, "none"), a_fact(v.TLS_FAILURE, "handshake failure"), a_fact(v.CERTIFICATE_TRUSTED, False)]
    text = render(a_run(estate=an_estate(), readings=readings), verbose=True)
    assert "  TLS          none, handshake failure\n  Certificate  not trusted\n" in text


def test_facts_that_contradict_each_other_are_unknown() -> None:
    """Where two sources of one rank disagree the report says so, and takes neither side."""
    text = render(a_run(estate=an_estate(), readings=[PRODUCT, replace(PRODUCT, value="Exim")]), verbose=True)
    assert "what was observed of the server is contradictory" in text
    assert "Server " not in text


@pytest.mark.parametrize("estate", [None, an_estate()], ids=["look", "check"])
def test_what_conflicts_is_told_with_what_each_source_says(estate: Any) -> None:
    """Each key whose sources disagree has a paragraph with the values and where they were seen, apart from what merely follows."""
    said = [
        a_fact(v.SERVER_BUILD, v.SERVER_BUILD.kind.decode(build), provenance=Declared("peer", words("a1", line, build)))
        for line, build in ((3, "15.1.2507.57"), (9, "15.2.1118.40"))
    ]
    conflict = Facts(POP, said).read(v.SERVER_BUILD)
    follows = [a_gap(key, Why.CONFLICTING, "different builds") for key in (v.SERVER_VERSION, v.SERVER_UPDATE)]
    text = " ".join(render(a_run(estate=estate, readings=[conflict, *follows]), verbose=True).split())
    contradicts = "Unknown what was observed of the server is contradictory"
    assert f"{contradicts} (sources disagree: 15.1.2507.57 (a1 line 3) and 15.2.1118.40 (a1 line 9)): server.build" in text
    assert f"{contradicts} (different builds): server.version, server.update" in text


def test_a_version_is_shown_even_of_an_unknown_product() -> None:
    """A version is told where the product is not known, and the end of support to come as one that will end."""
    readings = [a_fact(v.SERVER_VERSION, "4.96"), a_fact(v.SERVER_END_OF_SUPPORT, v.SERVER_END_OF_SUPPORT.examples[1])]
    assert "Server       product unknown 4.96, support ends 2035-12-31" in render(
        a_run(estate=an_estate(), readings=readings), verbose=True
    )


def test_attempts_that_failed_alike_stand_in_one_line() -> None:
    """Attempts for many accounts that ended alike are told once, with the outcome and its detail."""
    text = " ".join(render(a_checked_run(), verbose=True).split())
    assert "Attempt ews-inbox at 192.0.2.7 for info@contoso.test, team@contoso.test denied: the login was refused" in text
    assert "Attempt smtp-extensions at 192.0.2.7 timed out: no greeting within 30 s" in text


def test_a_look_shows_every_fact_and_every_gap() -> None:
    """Without an estate, every fact of an endpoint is shown beside its key, and every gap with its reason."""
    run = look()
    text = render(run)
    assert text.startswith("3 endpoints, 3 attempts: 2 completed, 1 timed out.\n")
    for reading in run.readings:
        assert reading.key.name in text
    assert re.search(r"^  server\.product +Dovecot \(inferred\)$", text, re.MULTILINE)
    assert re.search(r"^  certificate\.trusted +no$", text, re.MULTILINE)
    assert "  Unknown      the question does not arise for the server: server.build" in text


def test_a_look_tells_what_befell_a_conversation_once() -> None:
    """Without an estate, gaps that one failure left are one paragraph, and gaps with reasons of their own one each."""
    failed = [a_gap(v.TLS_MODE, Why.TIMED_OUT, "no greeting"), a_gap(v.TLS_COMPLETED, Why.TIMED_OUT, "no greeting")]
    others = [a_gap(v.PROVIDER, Why.NOT_DISCLOSED, "no name"), a_gap(v.SERVER_VERSION, Why.NOT_DISCLOSED, "no number")]
    text = render(a_run(readings=[*failed, a_gap(v.SERVER_PRODUCT, Why.TIMED_OUT, "nothing heard"), *others]), width=120)
    assert text[text.index(POP) :].splitlines()[1:] == [
        "  Unknown      the server did not answer in time (no greeting): tls.mode, tls.completed, server.product",
        "  Unknown      the server did not say (no number): server.version",
        "  Unknown      the server did not say (no name): provider",
    ]


def test_a_check_shows_some_gaps_of_an_endpoint() -> None:
    """Of an endpoint in a check one reads each reason with at most a few keys, and nothing of questions that do not arise."""
    keys = (v.TLS_MODE, v.TLS_COMPLETED, v.TLS_FAILURE, v.TLS_NEGOTIATED, v.STARTTLS_OFFERED, v.PROTOCOL_SPOKEN, v.PROTOCOL_GREETING)
    gaps = [a_gap(key, Why.TIMED_OUT, key.name[:3]) for key in keys]
    moot = [a_gap(v.SERVER_UPDATE, Why.NOT_APPLICABLE, "no updates are known")]
    text = render(a_run(estate=an_estate(), readings=[*gaps, *moot]), verbose=True)
    assert text[text.index(POP) :].splitlines()[1:] == [
        "  Unknown      the server did not answer in time: protocol.spoken,",
        "               protocol.greeting, starttls.offered, tls.mode, tls.completed and",
        "               2 more",
    ]


def test_an_attempt_that_was_not_scheduled_is_told_once() -> None:
    """Why something was not tried is told with the gaps that it left, else as an attempt."""
    gap = a_gap(v.NTLM_COMPUTER, Why.NOT_ATTEMPTED, "it is not allowed")
    attempts = [
        an_attempt(n, outcome=Outcome.NOT_SCHEDULED, detail=detail) for n, detail in ((1, "it is not allowed"), (2, "there is no token"))
    ]
    text = " ".join(render(a_run(estate=an_estate(), readings=[gap], attempts=attempts), verbose=True).split())
    assert text.count("it is not allowed") == 1
    assert text.count("Attempt") == 1
    assert "not scheduled: there is no token" in text


def test_a_look_at_nothing_says_so() -> None:
    """A look in which nothing was tried says so."""
    assert render(a_run()).startswith("0 endpoints, 0 attempts: nothing was tried.\n")


def test_quiet_shows_the_table_alone() -> None:
    """Quiet leaves the counts and the table: a line for each group of mailboxes with one cause, and the advice."""
    assert render(a_checked_run(), quiet=True).splitlines()[2:] == [
        "",
        "1   NOT READY    2 mailboxes           An endpoint that cannot be used",
        "2   UNSUPPORTED  pop@branch.test       A POP3/SMTP system that Microsoft has ...",
        "3   NOT LISTED   new@contoso.test      no row of Microsoft's table is met",
        "4   UNKNOWN      silent@branch.test    smtp.branch.test did not answer in time",
        "5   READY        listed@contoso.test   signed in",
        "6   NOT SERVED   unserved@branch.test  not synchronized by the server",
        "",
        "    ADVICE       pop@branch.test       Certificate ends 2026-12-01",
    ]


def test_endpoints_are_shown_only_when_wanted() -> None:
    """The endpoints of a check are told with everything else that is told, and not else."""
    assert "ENDPOINTS" not in render(a_checked_run())
    assert "ENDPOINTS" in render(a_checked_run(), verbose=True)


def test_transcripts_are_shown_only_when_wanted() -> None:
    """The conversations are shown word for word when they are asked for, and not else."""
    assert "   1 peer  HTTP/1.1 401 Unauthorized\n" in render(a_checked_run(), transcripts=True)
    assert "TRANSCRIPTS" not in render(a_checked_run())


def test_a_transcript_keeps_its_spaces() -> None:
    """Lines of a transcript are cut where the line ends, with not a character lost."""
    said = "AUTH   " + "x" * 100 + "   end"
    text = render(a_run(attempts=[an_attempt(said=[said])]), transcripts=True)
    shown = text[text.index("   1 peer") :].splitlines()
    assert "".join(line[11:] for line in shown) == said


def test_colour_marks_without_changing_a_word() -> None:
    """With colour the report has the same words, and without it not one escape."""
    plain, coloured = render(a_checked_run()), render(a_checked_run(), colour=True)
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]+m", "", coloured) == plain
    assert "\x1b[1;31m1. NOT READY, unsupported" in coloured
    assert "\x1b[1;32m5. READY" in coloured
    assert "1   \x1b[31mNOT READY" in coloured


@pytest.mark.parametrize("colour", [False, True])
def test_no_peer_can_steer_the_terminal(colour: bool) -> None:
    """Control characters, direction marks and markup in a peer's words are shown, never obeyed, in whatever part they stand."""
    evil = "\x1b]0;owned\x07\x1b[2J[bold]red[/bold]\r\n\x9b31m\u202egnp.exe\ud800 {x} %s"
    fact = a_fact(v.SERVER_PRODUCT, evil, provenance=Declared("peer", words("a1", 1, evil)))
    gap = a_gap(v.SERVER_VERSION, Why.NOT_DISCLOSED, evil)
    parts: dict[str, Any] = {
        "host": evil,
        "attempts": [an_attempt(said=[evil], outcome=Outcome.OFF_PROTOCOL, detail=evil, subject=f"https://h.test:443/{evil}")],
        "readings": [fact, gap, a_fact(v.PROTOCOL_CAPABILITIES, (evil,)), a_fact(v.TLS_FAILURE, evil), a_fact(v.NET_ADDRESSES, (evil,))],
    }
    judged = [
        an_assessment(
            evil,
            Support.UNDETERMINED,
            Readiness.NOT_READY,
            a_finding(TOO_OLD, Result.UNKNOWN, gap),
            a_finding(TLS_WORKS, Result.FAILS, fact),
        )
    ]
    for run in (a_run(**parts), a_run(**parts, estate=an_estate(), assessments=judged)):
        text = render(run, colour=colour, transcripts=True, verbose=True)
        text = re.sub(r"\x1b\[(0|1|2|31|32|33|1;3[123])m", "", text) if colour else text
        assert all(c == "\n" or c.isprintable() for c in text)
        assert r"\x1b]0;owned\x07\x1b[2J[bold]red[/bold]\x0d\x0a\x9b31m\u202egnp.exe" in re.sub(r"\n +(\| )?", "", text)


@pytest.mark.parametrize("why", Why)
def test_every_reason_is_said_in_words(why: Why) -> None:
    """Each reason for a gap has words of its own that a person understands, with the detail after them."""
    assert " " in WHY_IN_WORDS[why]
    assert len(set(WHY_IN_WORDS.values())) == len(set(WHAT_TO_DO.values())) == len(Why)
    assert gap_in_words({"why": why.value, "detail": ""}) == WHY_IN_WORDS[why]
    assert gap_in_words({"why": why.value, "detail": "this"}) == f"{WHY_IN_WORDS[why]} (this)"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "not visible"),
        (True, "yes"),
        (False, "no"),
        (25, "25"),
        ("", "(empty)"),
        ("text", "text"),
        ([], "none"),
        (["a", "b"], "a, b"),
        (v.SERVER_UPDATE.kind.encode(UpdateRange(exact="CU23")), "CU23"),
        (v.SERVER_UPDATE.kind.encode(UpdateRange(at_least="CU1", at_most="CU2")), "between CU1 and CU2"),
        (v.SERVER_UPDATE.kind.encode(UpdateRange(at_least="CU1", at_most="CU1")), "CU1, though not exactly"),
        (v.SERVER_UPDATE.kind.encode(UpdateRange(at_least="CU1")), "CU1 or later"),
        (v.SERVER_UPDATE.kind.encode(UpdateRange(at_most="CU2")), "CU2 or earlier"),
        (v.SERVER_UPDATE.kind.encode(UpdateRange()), "any"),
        ({"version": None, "suite": None, "group": None, "scheme": None}, "not visible"),
        ({"TLSv1.2": ["A", "B"], "TLSv1.3": []}, "TLSv1.2: A, B; TLSv1.3: none"),
        ([{"scheme": "NTLM", "token": "TlRM", "parameters": []}], "NTLM TlRM"),
        ([{"scheme": "Basic", "token": None, "parameters": [["realm", "m"], ["charset", "UTF-8"]]}], "Basic realm=m, charset=UTF-8"),
    ],
)
def test_values_are_written_as_a_person_would(value: Any, shown: str) -> None:
    """Every form of value has a way of being written in words."""
    assert value_in_words(value) == shown


def test_addresses_are_counted_beyond_the_first() -> None:
    """A list is shown whole where that takes no more room than counting the rest."""
    assert some_of(list("abcdef")) == "a, b, c, d, e, f"
    assert some_of(list("abcdefg")) == "a, b, c, d, e and 2 more"


def test_a_text_within_its_bound_is_untouched() -> None:
    """Only what is too long is cut."""
    assert bounded("abc", 3) == "abc"
    assert bounded("abcd", 3) == "abc... (1 more characters)"


def test_an_endpoint_nobody_tried_is_shown_by_its_facts() -> None:
    """An endpoint that has facts but no attempt stands among the endpoints."""
    assert f"\n{POP}\n  Server       Dovecot\n" in render(a_run(estate=an_estate(), readings=[PRODUCT]), verbose=True)


@pytest.mark.parametrize(
    ("fips", "reasons", "session", "said"),
    [
        (
            False,
            ("the server shows an rsa-1024 key",),
            TlsSession("TLSv1.2", "SUITE", "x25519", None),
            "windows-server-2019 gets TLSv1.2, SUITE, x25519",
        ),
        (
            False,
            ("no suite",),
            "the server refuses what this client offers by default",
            "windows-server-2019 gets NO session: the server refuses",
        ),
        (True, (), TlsSession("TLSv1.2", "SUITE", None, None), "windows-server-2019 in FIPS mode gets TLSv1.2, SUITE"),
        (
            True,
            ("the server shows an rsa-1024 key",),
            "x",
            "windows-server-2019 in FIPS mode gets NO session: the server shows an rsa-1024 key",
        ),
    ],
)
def test_the_deployments_windows_is_told_with_its_policy_as_declared(fips: bool, reasons: tuple[str, ...], session: Any, said: str) -> None:
    """Where the FIPS policy is off, nothing is said of FIPS: one reads what the deployment's Windows gets, or that it gets no session."""
    gets = a_gap(v.FIPS_NEGOTIATES, Why.NOT_APPLICABLE, session) if isinstance(session, str) else a_fact(v.FIPS_NEGOTIATES, session)
    estate = an_estate()
    estate = replace(estate, deployment=replace(estate.deployment, fips=fips))
    readings = [a_fact(v.FIPS_PROFILE, "windows-server-2019"), a_fact(v.FIPS_REASONS, reasons), gets]
    text = " ".join(render(a_run(estate=estate, readings=readings), verbose=True).partition("ENDPOINTS")[2].split())
    assert f"Windows {said}" in text
    assert ("FIPS" in text) is fips


@pytest.mark.parametrize(
    ("groups", "told"), [(("secp384r1", "x25519"), "groups secp384r1, x25519 * schemes"), ((), "groups none schemes"), (None, "schemes")]
)
def test_what_tls_takes_is_a_table_of_versions(groups: tuple[str, ...] | None, told: str) -> None:
    """The newest first, as in the HTML report: suites in whose order, groups, schemes, and a mark at what FIPS mode refuses. What is not known is left out."""
    suites = ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256")
    readings = [
        a_fact(v.TLS_VERSIONS, ("TLSv1.1", "TLSv1.2", "TLSv1.3")),
        a_fact(v.TLS_SUITES, (("TLSv1.1", ("TLS_RSA_WITH_AES_128_CBC_SHA",)), ("TLSv1.2", suites))),
        *([] if groups is None else [a_fact(v.TLS_GROUPS, (("TLSv1.2", groups),))]),
        a_fact(v.TLS_SCHEMES, (("TLSv1.2", ("rsa_pss_rsae_sha256",)),)),
        a_fact(v.TLS_SERVER_ORDER, (("TLSv1.2", True),)),
        a_fact(v.FIPS_PROFILE, "windows-server-2019"),
        a_fact(v.FIPS_ALSO_ACCEPTS, ("TLSv1.1", f"TLSv1.2 with {suites[1]}", "TLSv1.2 with x25519")),
    ]
    said = " ".join(render(a_run(attempts=[an_attempt()], readings=readings), verbose=True, width=200).split())
    assert (
        f"TLSv1.2, in the server's order suites {suites[0]} {suites[1]} * {told} rsa_pss_rsae_sha256 "
        "TLSv1.1 * suites TLS_RSA_WITH_AES_128_CBC_SHA * refused by windows-server-2019 in FIPS mode"
    ) in said
