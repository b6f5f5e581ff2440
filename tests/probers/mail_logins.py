"""Logins to mail servers that play a script."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from probe import app
from probe.model.attempts import Attempt
from probe.model.estate import Authentication, Credentials, Delivery, Effect, Endpoint, Estate, SecretReference, ServerType
from probe.model.facts import Fact, Missing
from tests.estates import CORP, DEPLOYMENT, SERVED
from tests.looking import authority, playing
from tests.scripted import ScriptedServer

PASSWORD = "correct horse"


USER = "sales@contoso.test"


LOGINS = ("pop3-login", "smtp-login", "imap-login")


def coded(text: str) -> str:
    """In base64, as SASL goes over the wire."""
    return base64.b64encode(text.encode()).decode()


async def sign_in(
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    username: str = USER,
    password: str = PASSWORD,
    authentication: Authentication = Authentication.AUTO,
    ca_file: Path | None = None,
    other: str | None = None,
    state: Path | None = None,
    timeout: float = 10,
    mailbox: str = USER,
) -> list[Attempt]:
    """The logins that a check of one mailbox makes at an endpoint, and at another one if it is named."""
    monkeypatch.setenv("TEST_PASSWORD", password)
    endpoint = Endpoint.parse(url)
    profile = replace(
        CORP,
        server_type=ServerType.POP3_SMTP,
        incoming=endpoint,
        outgoing=Endpoint.parse(other or url),
        authentication=authentication,
        credentials=Credentials.MAILBOX,
        impersonation=False,
    )
    box = replace(
        SERVED,
        address=mailbox,
        username=username,
        password=SecretReference.parse("env:TEST_PASSWORD"),
        appointments=Delivery.NONE,
        outgoing=Delivery.SERVER_SIDE if other else Delivery.NONE,
    )
    estate = Estate(deployment=DEPLOYMENT, profiles=(profile,), mailboxes=(box,))
    bugs: list[str] = []
    options = app.Options(
        timeout=timeout,
        ca_file=ca_file or authority().ca_file,
        allow=frozenset({Effect.LOGS_IN}),
        report_bug=bugs.append,
        state=state,
        tls="none",
    )
    run = await app.check(estate, estate.mailboxes, options)
    assert not bugs, bugs[0]
    assert password not in repr(run.attempts)
    assert coded(password).rstrip("=") not in repr(run.attempts)
    return [attempt for attempt in run.attempts if attempt.prober in LOGINS]


def learnt(attempt: Attempt) -> dict[str, object]:
    """What an attempt learnt, by key; the reason where something is missing."""
    return {r.key.name: r.value if isinstance(r, Fact) else r.why.value for r in attempt.readings if isinstance(r, Fact | Missing)}


async def scripted(scheme: str, steps: Sequence[str], monkeypatch: pytest.MonkeyPatch, **how: object) -> tuple[Attempt, ScriptedServer]:
    """One login at a server that plays these steps under TLS. The reading probers are met by the same steps, and do not matter."""
    async with playing(list(steps), implicit=True) as server:
        (attempt,) = await sign_in(f"{scheme}://localhost:{server.port}", monkeypatch, **how)  # type: ignore[arg-type]
    return attempt, server
