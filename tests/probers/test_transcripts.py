"""The law over every prober of a text protocol: a transcript cut anywhere still ends it, with a reading for every promise.

A transcript lies in the folder of its prober. What its head says of it is written as `# name: ...`: `scheme` of the endpoint, and `incoming`
of the second one, whose steps follow after `---`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from probe import app
from probe.engine.plan import Login
from probe.model import vocabulary as v
from probe.model.attempts import Attempt, Outcome
from probe.model.estate import Authentication, Effect, Endpoint, SecretReference, Service
from probe.probing import Dial, LoginSubject, Notebook, Prober, Scope
from tests.holding import Talk, held
from tests.looking import look, playing
from tests.scripted import TRANSCRIPTS, ScriptedServer, steps_of

CASES = sorted(TRANSCRIPTS.glob("*/*.txt"))
TEXT_PROTOCOLS = {Service.POP3, Service.SMTP, Service.IMAP}
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")


def told_by(case: Path, name: str) -> str | None:
    """What the head of a transcript says of it: `# name: ...`."""
    found = re.search(rf"^# {name}:[ ]?(.*)$", case.read_text(), re.MULTILINE)
    return None if found is None else found[1]


def scheme_of(case: Path) -> str:
    scheme = told_by(case, "scheme")
    assert scheme is not None
    return scheme


def parts_of(case: Path) -> list[list[str]]:
    """The steps at the endpoint, and those at the one that mail is fetched from, where there is one."""
    return [steps_of(part) for part in case.read_text().split("\n---\n")]


def prober_of(case: Path) -> Prober:
    return app.probers()[case.parent.name]


def promised_by(case: Path) -> set[str]:
    return {key.name for key in prober_of(case).collects}


@pytest.fixture
def login(tmp_path: Path) -> Login:
    file = tmp_path / "password"
    file.write_text("s3cret")
    return Login("m@contoso.test", "svc@contoso.test", SecretReference("file", str(file)), Authentication.BASIC, impersonates=False)


async def say_let_in(subject: LoginSubject, dial: Dial, notes: Notebook) -> None:
    notes.observed(v.AUTH_ACCEPTED, True)


LET_IN = Prober(
    id="let-in",
    title="is let in without a conversation",
    scope=Scope.LOGIN,
    services=frozenset(TEXT_PROTOCOLS),
    effect=Effect.LOGS_IN,
    collects=(v.AUTH_ACCEPTED,),
    probe=say_let_in,
)


async def play(case: Path, parts: Sequence[list[str]], login: Login) -> tuple[Attempt, list[ScriptedServer]]:
    """The attempt of the case's prober at servers that play these steps, and those servers."""
    schemes = [scheme for scheme in (scheme_of(case), told_by(case, "incoming")) if scheme is not None]
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(playing(steps, implicit=scheme.endswith("s")))
            for scheme, steps in zip(schemes, parts, strict=True)
        ]
        places = [Endpoint.parse(f"{scheme}://localhost:{server.port}") for scheme, server in zip(schemes, servers, strict=True)]
        prober, bugs = prober_of(case), list[str]()
        if prober.scope is Scope.ENDPOINT:
            talks = [Talk(prober, places[0])]
        else:
            incoming = places[1] if prober.scope is Scope.ROUND_TRIP else None
            # A round trip is held where logins before it were accepted.
            talks = [Talk(LET_IN, place, login.mailbox, login) for place in places if incoming]
            talks.append(Talk(prober, places[0], login.mailbox, login, incoming=incoming))
        attempts, _ = await held(talks, timeout=5, report_bug=bugs.append)
    assert not bugs, bugs[0]
    return attempts[-1], servers


@each_case
async def test_a_whole_transcript_completes(case: Path, login: Login) -> None:
    """Played whole, a transcript ends in a completed attempt without departures."""
    attempt, servers = await play(case, parts_of(case), login)
    assert [server.departures for server in servers] == [[]] * len(servers)
    assert (attempt.outcome, attempt.detail) == (Outcome.COMPLETED, "")
    assert promised_by(case) <= {reading.key.name for reading in attempt.readings}


@pytest.mark.parametrize("case", [case for case in CASES if told_by(case, "product")], ids=lambda case: f"{case.parent.name}/{case.stem}")
async def test_the_words_of_a_release_are_read_on_every_other(case: Path) -> None:
    """Whatever release of the server runs here, the words of the others name the same product, and the mechanisms that they offer."""
    scheme = scheme_of(case)
    async with playing(case.read_text(), implicit=scheme.endswith("s")) as server:
        looked = await look(f"{scheme}://localhost:{server.port}")
    key = v.AUTH_MECHANISMS if looked.value(v.TLS_COMPLETED) else v.AUTH_MECHANISMS_PLAIN
    assert looked.value(v.SERVER_PRODUCT) == told_by(case, "product")
    assert looked.value(key) == tuple((told_by(case, "mechanisms") or "").split())


@each_case
async def test_a_transcript_cut_after_any_line_ends_with_every_promise_kept(case: Path, login: Login) -> None:
    """Wherever the server stops, the attempt ends by itself, and every promised key is known or missing with a reason."""
    parts = parts_of(case)
    for which, steps in enumerate(parts):
        last_said = max((n for n, step in enumerate(steps) if step.startswith("S")), default=-1)
        upgraded = steps.index("TLS") if told_by(case, "a close under TLS") == "answers" else len(steps)
        for cut in range(len(steps)):
            attempt, _ = await play(case, [*parts[:which], steps[:cut], *parts[which + 1 :]], login)
            assert promised_by(case) <= {reading.key.name for reading in attempt.readings}
            if cut <= min(last_said, upgraded):
                assert attempt.outcome in (Outcome.CLOSED, Outcome.OFF_PROTOCOL), (which, cut, attempt)
                assert attempt.detail


def test_every_text_prober_has_a_transcript() -> None:
    """No prober of a text protocol escapes the law, whatever its scope."""
    text = {p.id for p in app.probers().values() if p.services & TEXT_PROTOCOLS and p.scope is not Scope.TLS}
    assert {case.parent.name for case in CASES} == text
