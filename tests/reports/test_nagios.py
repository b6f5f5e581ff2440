"""Tests of the output and exit code of a monitoring plugin."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from probe.document import ReportOptions, publish
from probe.model import vocabulary as v
from probe.model.attempts import Attempt, Outcome
from probe.model.facts import Reading
from probe.model.rules import Readiness, Result, SignedIn, Support
from probe.model.runs import Run
from probe.reports.nagios import REPORT
from tests.runs import (
    ENDS_SOON,
    NOON,
    POP,
    REACHED,
    SMTP,
    a_checked_run,
    a_fact,
    a_finding,
    a_mailbox,
    a_run,
    an_assessment,
    an_attempt,
    an_estate,
)

NAMES = {0: "OK", 1: "WARNING", 2: "CRITICAL", 3: "UNKNOWN"}


def told(run: Run, **options: Any) -> tuple[int, list[str]]:
    """The exit code and the lines; what both say of the state is one."""
    document = publish(run)
    assert REPORT.with_exit_code is not None
    pieces, code = REPORT.with_exit_code(document, ReportOptions(**options))
    text = "".join(pieces)
    assert text == "".join(REPORT.render(document, ReportOptions(**options)))
    lines = text.splitlines()
    assert lines[0].startswith(f"PROBE {NAMES[code]}: ")
    assert lines[0].count("|") == 1
    assert not any("|" in line for line in lines[1:])
    return code, lines


def of_mailboxes(*verdicts: tuple[Support, Readiness], advised: bool = False, interrupted: bool = False) -> Run:
    seen = a_fact(v.CERTIFICATE_NOT_AFTER, NOON)
    advice = [a_finding(ENDS_SOON, Result.FAILS, seen)] if advised else []
    assessments = [an_assessment(f"m{n}@branch.test", support, ready, *advice) for n, (support, ready) in enumerate(verdicts)]
    return a_run(estate=an_estate(*(a_mailbox(a.mailbox) for a in assessments)), assessments=assessments, interrupted=interrupted)


GOOD = (Support.SUPPORTED, Readiness.READY)
OPEN = (Support.SUPPORTED, Readiness.UNDETERMINED)
DOUBTFUL = (Support.UNDETERMINED, Readiness.READY)
UNLISTED = (Support.NOT_LISTED, Readiness.READY)
BAD = (Support.UNSUPPORTED, Readiness.READY)
DOWN = (Support.NOT_LISTED, Readiness.NOT_READY)
UNSERVED = (Support.NOT_ASSESSED, Readiness.NOT_ASSESSED)


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([GOOD, UNSERVED], 0),
        ([GOOD, UNLISTED], 1),
        ([UNLISTED, OPEN], 3),
        ([GOOD, DOUBTFUL], 3),
        ([OPEN, BAD], 2),
        ([GOOD, DOWN, OPEN], 2),
        ([], 0),
    ],
)
def test_a_check_answers_with_the_state_of_the_worst(verdicts: list[tuple[Support, Readiness]], code: int) -> None:
    """Not ready and unsupported are critical, undetermined is unknown, not listed is a warning, in this precedence."""
    assert told(of_mailboxes(*verdicts))[0] == code


def test_ready_is_told_with_whether_somebody_signed_in() -> None:
    """Of those that are ready the first line says how many are so only as far as seen."""
    run = of_mailboxes(GOOD, GOOD, OPEN)
    first, *others = run.assessments
    _, lines = told(replace(run, assessments=(replace(first, signed_in=SignedIn.NOT_ALLOWED), *others)))
    assert lines[0].startswith("PROBE UNKNOWN: 3 mailboxes: 1 undetermined, 1 ready as far as seen without signing in, 1 ready; ")


def test_advice_is_a_warning() -> None:
    """What ends soon warns, though all works."""
    code, lines = told(of_mailboxes(GOOD, advised=True))
    assert code == 1
    assert any(line.startswith("WARNING: advice: m0@branch.test: ") for line in lines)


def test_what_is_accepted_is_no_warning() -> None:
    """A mailbox that is not listed passes where that is accepted; one that is not ready does not."""
    accept = frozenset({Support.NOT_LISTED})
    assert told(of_mailboxes(UNLISTED), accept=accept)[0] == 0
    assert told(of_mailboxes(DOWN), accept=accept)[0] == 2


def test_an_interrupted_run_and_a_bug_are_unknown() -> None:
    """What was not asked any more is never told as well, nor is what the probe failed at."""
    assert told(of_mailboxes(GOOD, interrupted=True))[0] == 3
    assert told(a_run(attempts=[an_attempt(1, POP), an_attempt(2, POP, Outcome.BUG, "a bug")]))[0] == 3


def looked_at(attempts: Iterable[Attempt], readings: Iterable[Reading] = ()) -> int:
    return told(a_run(attempts=attempts, readings=readings))[0]


def test_a_look_answers_by_attempts_and_certificates() -> None:
    """No attempt completed is critical, one that did not is unknown; of certificates, expired and untrusted are critical, ending is a warning."""
    good, bad = an_attempt(1, POP), an_attempt(2, POP, Outcome.TIMED_OUT, prober="tls-posture")
    not_held = an_attempt(3, POP, Outcome.NOT_SCHEDULED, prober="starttls-injection")
    assert looked_at([good, not_held]) == 0
    assert looked_at([good, bad]) == 3
    assert looked_at([bad, not_held]) == 2
    assert looked_at([good, an_attempt(4, SMTP, Outcome.REFUSED)]) == 2
    assert looked_at([good], [a_fact(v.CERTIFICATE_NOT_AFTER, NOON - timedelta(days=1))]) == 2
    assert looked_at([good], [a_fact(v.CERTIFICATE_NOT_AFTER, NOON + timedelta(days=29))]) == 1
    assert looked_at([good, bad], [a_fact(v.CERTIFICATE_NOT_AFTER, NOON + timedelta(days=29))]) == 3
    assert looked_at([good], [a_fact(v.CERTIFICATE_NOT_AFTER, NOON + timedelta(days=31))]) == 0
    assert looked_at([good], [a_fact(v.CERTIFICATE_TRUSTED, False)]) == 2
    assert looked_at([good], [a_fact(v.CERTIFICATE_MATCHES_NAME, False)]) == 2


def test_performance_data_has_the_form_of_the_guidelines() -> None:
    """Each value is a number with its unit and bounds after a label, which stands in quotes where it holds a space."""
    _, lines = told(a_checked_run())
    data = lines[0].partition(" | ")[2]
    one = r"(?:'[^'=]+'|[^' =]+)=-?[0-9.]+s?(?:;[0-9:]*){0,4}"
    assert re.fullmatch(rf"{one}(?: {one})*", data)
    assert "mailboxes=7;;;0 not_ready=2;;;0;7 ready=2;;;0;7 unsupported=3;;;0;7 not_listed=1;;;0;7 undetermined=2;;;0;7" in data
    assert f"'{POP} certificate days'=7;30:;0:" in data


def test_a_server_writes_no_performance_data_and_no_line() -> None:
    """A bar, a line end and a control in what a server says are escapes: nobody but us says how it stands."""
    seen = a_fact(v.CERTIFICATE_DISTRUSTED_BECAUSE, "x | fake=0\nPROBE OK: \x1b[2J")
    assessment = an_assessment("a@branch.test", Support.SUPPORTED, Readiness.NOT_READY, a_finding(REACHED, Result.FAILS, seen))
    code, lines = told(a_run(estate=an_estate(a_mailbox("a@branch.test")), assessments=[assessment]))
    assert code == 2
    assert "\\x7c fake=0" in lines[0]
    assert len(lines) == 2


def test_it_stays_short_whatever_there_is() -> None:
    """Thousands of endpoints that are down take thirty lines, each of bounded length; the rest is counted."""
    attempts = [an_attempt(n, f"smtp://h{n}.test:587", Outcome.REFUSED, "x" * 5000) for n in range(200)]
    _, lines = told(a_run(attempts=attempts))
    assert len(lines) == 32
    assert lines[-1] == "and 170 lines more: the text report has them"
    assert max(map(len, lines)) < 500
