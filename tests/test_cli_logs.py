"""Tests of the log on standard error: what is told, in which form, and what never is."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from probe import app
from probe.model.attempts import Outcome
from probe.model.estate import Authentication, Delivery, Effect, Endpoint, Estate, SecretReference
from probe.probing import Dial, EndpointSubject, Notebook
from tests.holding import Talk, held, prober
from tests.hostile import Hostile, closed_port
from tests.looking import authority, server_context
from tests.refusing import Refusing
from tests.runs import a_mailbox, an_estate

PASSWORD = "marked-Horse-7"


async def logged(*arguments: str) -> str:
    """Standard error of a command."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "probe", *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, env={**os.environ}
    )
    _, told = await process.communicate()
    return told.decode()


async def test_nothing_is_logged_unless_it_is_asked_for() -> None:
    """A command without `--log-level` says nothing of what it does."""
    assert await logged("look", f"pop3://127.0.0.1:{closed_port()}", "--tls", "none") == ""


async def test_each_line_of_a_json_log_is_an_object() -> None:
    """It has the time, the level, the room and the message, and what is told of it by name."""
    port = closed_port()
    told = await logged("look", f"pop3://127.0.0.1:{port}", "--tls", "none", "--log-level", "info", "--log-format", "json")
    lines = [json.loads(line) for line in told.splitlines()]
    assert [line["message"] for line in (*lines[:2], *lines[-2:])] == ["run begins", "attempt begins", "attempt ends", "run ends"]
    assert all(line["at"].endswith("Z") and line["level"] == "info" and line["logger"].startswith("probe.") for line in lines)
    assert lines[1]["endpoint"] == f"pop3://127.0.0.1:{port}"
    (ended,) = [line for line in lines if line["message"] == "attempt ends" and line["attempt"] == lines[1]["attempt"]]
    assert ended["outcome"] == "refused"
    assert told.isascii()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "estate.toml"), ["estate.toml:1: profile: ", "estate.toml:1: mailbox: ", "estate.toml:2: deployment: "]),
        (("check", "estate.toml", "--timeout", "soon"), ["Invalid value for '--timeout'"]),
        (("judge", "gone.json"), ["gone.json cannot be read"]),
        (("alert", "list"), ["no incident is open"]),
    ],
    ids=lambda one: one[0] if isinstance(one, tuple) else "",
)
async def test_each_message_beside_a_json_log_is_an_object_too(
    arguments: tuple[str, ...], said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads standard error as JSON meets no line that is none: mistakes of an estate, each by itself, of the call, and what there is to say."""
    monkeypatch.setenv("PROBE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "estate.toml").write_text("# nothing\ndeployment = 5\n")
    told = [json.loads(line) for line in (await logged(*arguments, "--log-format", "json")).splitlines()]
    assert [line["message"][: len(begin)] for line, begin in zip(told, said, strict=True)] == said


async def test_what_a_peer_says_steers_no_terminal_by_way_of_the_log() -> None:
    """Its words are one line, and visible."""
    async with Hostile(greeting=b"+OK \x1b[2J\r\nnot\x1b]0;gone\x07 POP3\r\n", then="close").serving() as server:
        told = await logged("look", f"pop3://127.0.0.1:{server.port}", "--tls", "none", "--log-level", "debug")
    assert "attempt ends" in told
    assert all(line.startswith("probe: ") and line.isprintable() for line in told.splitlines())


async def test_no_secret_is_logged(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """Not even one that the server repeats in the words that end the attempt."""
    caplog.set_level(logging.DEBUG)
    (tmp_path / "password").write_text(PASSWORD)
    async with Refusing("pop3", server_context(), f"-ERR [AUTH] {PASSWORD} is wrong") as server:
        server.greeting = f"+OK {PASSWORD} is known here"
        profile = replace(
            an_estate().profiles[1], incoming=Endpoint.parse(f"pop3s://localhost:{server.port}"), authentication=Authentication.BASIC
        )
        mailbox = replace(a_mailbox("a@branch.test"), outgoing=Delivery.NONE, password=SecretReference("file", str(tmp_path / "password")))
        estate = Estate(deployment=an_estate().deployment, profiles=(profile,), mailboxes=(mailbox,))
        options = app.Options(timeout=5, ca_file=authority().ca_file, allow=frozenset({Effect.LOGS_IN}), tls="none")
        run = await app.check(estate, (mailbox,), options)
    assert [a.outcome for a in run.attempts if a.prober == "pop3-login"] == [Outcome.COMPLETED]
    told = repr([vars(record) for record in caplog.records])
    assert "attempt ends" in told
    assert PASSWORD not in told


async def test_a_bug_is_logged_by_its_places_alone(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever forgets to ask for bugs finds them in the log; the text of the exception, which may hold anything, is not there."""

    async def broken(subject: EndpointSubject, dial: Dial, notes: Notebook) -> None:
        raise KeyError(PASSWORD)

    await held([Talk(prober(broken), Endpoint.parse("pop3://127.0.0.1:1"))])
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "KeyError" in repr(vars(record))
    assert "test_cli_logs.py" in repr(vars(record))
    assert PASSWORD not in repr(vars(record))


async def test_a_retry_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """That a conversation is held once more, and after what kind of failure."""
    caplog.set_level(logging.INFO)
    async with Refusing("pop3", server_context("self-signed"), "-ERR no") as server:
        await app.look(
            [Endpoint.parse(f"pop3s://localhost:{server.port}")], app.Options(timeout=5, ca_file=authority().ca_file, tls="none")
        )
    retries = [vars(record)["after"] for record in caplog.records if "without verifying" in record.message]
    assert retries == ["CertificateNotTrusted"]
