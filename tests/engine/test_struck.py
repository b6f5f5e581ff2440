"""A run as it may be told: its secrets struck out of what peers said, and of what follows from it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from probe import app
from probe.document import publish
from probe.engine.struck import struck
from probe.model import vocabulary as v
from probe.model.estate import Authentication, Delivery, Effect, Endpoint, Estate, SecretReference
from probe.model.facts import Fact, Missing, Why
from probe.model.provenance import Declared, Observed
from probe.model.rules import Readiness, Result, Support
from probe.net.redact import Redactor
from tests.looking import authority, server_context
from tests.refusing import Refusing
from tests.runs import TOO_OLD, a_fact, a_finding, a_gap, a_mailbox, a_run, an_assessment, an_estate, words


def test_a_word_of_the_server_s_is_struck_out_wherever_it_stands() -> None:
    """Values, excerpts and reasons lose it; what the operator declared, which stands in the estate, keeps it."""
    said = a_fact(v.PROTOCOL_GREETING, "+OK Dovecot ready", provenance=Declared("peer", words("a1", 1, "+OK Dovecot ready")))
    ours = a_fact(v.ENDPOINT_HOST, "dovecot.branch.test", provenance=Declared("operator"))
    gap = a_gap(v.SERVER_VERSION, Why.NOT_DISCLOSED, "the server says 'Dovecot ready', and no more")
    told = struck(a_run(readings=[said, ours, gap]), Redactor(["Dovecot"]))
    greeting, host, missing = told.readings
    assert isinstance(greeting, Fact)
    assert (greeting.value, greeting.provenance.evidence[0].excerpt) == ("+OK *** ready", "+OK *** ready")
    assert host is ours
    assert isinstance(missing, Missing)
    assert missing.detail == "the server says '*** ready', and no more"


def test_a_value_of_which_nothing_would_be_left_is_told_as_not_told() -> None:
    """A word out of a list has no other form; that it is known, and why it is not shown, is said in its place."""
    told = struck(a_run(readings=[a_fact(v.TLS_MODE, "implicit", provenance=Observed())]), Redactor(["implicit"]))
    (mode,) = told.readings
    assert isinstance(mode, Missing)
    assert mode.why == "not-disclosed"
    assert "secret" in mode.detail


def test_without_secrets_a_run_is_told_as_it_is() -> None:
    """A look has none, and pays for none."""
    run = a_run(readings=[a_fact(v.PROTOCOL_GREETING, "+OK")])
    assert struck(run, Redactor()) is run


@pytest.mark.parametrize("password", ["the", "Dovecot", "contoso", "ready", "marked-Horse-7"])
async def test_no_place_tells_which_word_a_password_is(password: str, tmp_path: Path) -> None:
    """What a server says to nobody and what it says to the account have the same gaps; and the operator is told why they are there."""
    (tmp_path / "password").write_text(password)
    told: list[str] = []
    async with Refusing("pop3", server_context(), "-ERR [AUTH] no") as server:
        server.greeting = "+OK Dovecot at contoso: the server is ready"
        estate = an_estate()
        endpoint = Endpoint.parse(f"pop3s://localhost:{server.port}")
        profile = replace(estate.profiles[1], incoming=endpoint, authentication=Authentication.BASIC)
        mailbox = replace(a_mailbox("a@branch.test"), outgoing=Delivery.NONE, password=SecretReference("file", str(tmp_path / "password")))
        deployment = replace(estate.deployment, allow=frozenset({Effect.LOGS_IN}))
        options = app.Options(timeout=5, ca_file=authority().ca_file, warn=told.append, tls="none")
        run = await app.check(Estate(deployment=deployment, profiles=(profile,), mailboxes=(mailbox,)), (mailbox,), options)
    greetings = {
        line.text
        for attempt in run.attempts
        for line in attempt.transcript
        if line.speaker == "peer" and line.text.startswith("+OK ") and "at" in line.text
    }
    assert greetings == {"+OK Dovecot at contoso: the server is ready".replace(password, "***")}
    values = json.dumps([fact["value"] for fact in publish(run)["facts"] if fact.get("by") != "operator"])
    assert password not in values
    assert bool(told) is (password != "marked-Horse-7")


def test_what_several_mailboxes_share_is_held_once_after_it_too() -> None:
    """Findings that two mailboxes have in common are common still, be something struck out of what they cite or not."""
    heard = a_fact(v.PROTOCOL_GREETING, "+OK Dovecot ready", provenance=Declared("peer", words("a1", 1, "+OK Dovecot ready")))
    other = a_fact(v.NET_CONNECTED, True)
    findings = (a_finding(TOO_OLD, Result.FAILS, heard), a_finding(TOO_OLD, Result.FAILS, other))
    names = ("a@branch.test", "b@branch.test")
    assessments = [an_assessment(name, Support.UNSUPPORTED, Readiness.READY, *findings) for name in names]
    run = a_run(estate=an_estate(*map(a_mailbox, names)), readings=[heard, other], assessments=assessments)
    told = struck(run, Redactor(["Dovecot"]))
    first, second = (assessment.findings for assessment in told.assessments)
    assert first[0] is second[0]
    assert first[0].because == (told.readings[0],) != (heard,)
    assert first[1] is second[1] is findings[1]
