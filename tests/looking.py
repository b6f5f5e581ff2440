"""Looks and checks as a test wants them: over real sockets, with the simulation's authority as trust anchor."""

from __future__ import annotations

import atexit
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from probe import app
from probe.document import publish
from probe.model.attempts import Attempt
from probe.model.estate import Endpoint
from probe.model.facts import Facts
from probe.model.keys import FactKey
from probe.model.runs import Run
from probe.simulation.authority import Authority
from tests.scripted import ScriptedServer, steps_of

T = TypeVar("T")

LOOKS = frozenset(
    {
        "ews-anonymous",
        "ews-ntlm",
        "imap-capabilities",
        "pop3-capabilities",
        "smtp-extensions",
        "starttls-injection",
        "tls-handshake",
        "tls-posture",
    }
)
"""What the servers of these tests are written for. Another prober has tests of its own, and its connections are none of theirs."""


@cache
def authority() -> Authority:
    """One authority for all tests of a process; it lies in a folder that ends with the process."""
    folder = TemporaryDirectory(prefix="probe-tests-")
    atexit.register(folder.cleanup)
    return Authority(Path(folder.name))


@cache
def server_context(kind: str = "trusted") -> ssl.SSLContext:
    """A server's TLS settings: `trusted`, `self-signed`, `expired` or `wrong-name`, for localhost."""
    names = ("localhost", "127.0.0.1")
    identity = {
        "trusted": lambda: authority().issue(*names),
        "self-signed": lambda: authority().self_signed(*names),
        "expired": lambda: authority().expired(*names),
        "wrong-name": lambda: authority().issue("elsewhere.example.test"),
    }[kind]()
    return identity.context()


@dataclass(frozen=True)
class Looked:
    """A look at one endpoint."""

    run: Run
    url: str

    @property
    def attempt(self) -> Attempt:
        (attempt,) = [a for a in self.run.attempts if a.outcome != "not-scheduled"]
        return attempt

    @property
    def facts(self) -> Facts:
        return Facts(self.url, [r for r in self.run.readings if r.subject == self.url])

    def value(self, key: FactKey[T]) -> T | None:
        return self.facts.value(key)

    def why(self, key: FactKey[Any]) -> str:
        reading = self.facts.read(key)
        return str(getattr(reading, "why", "known"))


async def look(
    url: str, *, timeout: float = 5.0, hosts: Mapping[str, str] | None = None, ca_file: Path | None = None, **options: Any
) -> Looked:
    """Look at one endpoint. A bug is an error of the test."""
    bugs: list[str] = []
    made = app.Options(
        timeout=timeout, ca_file=ca_file or authority().ca_file, hosts=hosts or {}, report_bug=bugs.append, **{"tls": "none", **options}
    )
    endpoint = Endpoint.parse(url)
    plan = app.plan_look([endpoint], made)
    plan = replace(plan, conversations=tuple(c for c in plan.conversations if c.prober in LOOKS))
    async with app.Probing(made) as probing:
        run = await probing.check(plan)
    assert not bugs, bugs[0]
    publish(run)
    return Looked(run, endpoint.url)


@asynccontextmanager
async def playing(transcript: str | list[str], *, implicit: bool, certificate: str = "trusted") -> AsyncIterator[ScriptedServer]:
    """A server that plays a transcript."""
    steps = steps_of(transcript) if isinstance(transcript, str) else transcript
    async with ScriptedServer(steps, server_context(certificate), implicit=implicit).serving() as server:
        yield server
