"""Tests of one pass: what bounds it, and what it tells of."""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from probe import app
from probe.cli.exit_codes import exit_code
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.estate import Delivery, Effect, Endpoint, Estate, ServerType
from probe.model.facts import Fact, Missing, Why
from probe.model.runs import Asked
from tests.estates import CORP, DEPLOYMENT, SERVED, ends
from tests.hostile import closed_port

NAMED = Endpoint.parse("pop3://mail.contoso.test")


@contextmanager
def hanging_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The system's resolver, hanging until the test is over; the event is set once it was asked."""
    asked, release = threading.Event(), threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        asked.set()
        release.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    yield asked
    release.set()


async def test_the_deadline_of_a_run_ends_its_look_ups(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all addresses asked for, names are looked up within the run's deadline, and what is missing says so."""
    with hanging_resolver(monkeypatch):
        async with asyncio.timeout(10):
            run = await app.look([NAMED], app.Options(timeout=30, deadline=0.2, all_addresses=True, tls="none"))
    assert {(a.outcome, a.detail) for a in run.attempts} == {(Outcome.TIMED_OUT, "the run's deadline of 0.2 s had come")}
    observable = [r for r in run.readings if isinstance(r, Missing) and r.key.name == "protocol.greeting"]
    assert [r.why for r in observable] == [Why.TIMED_OUT]


async def test_an_interrupt_ends_the_look_ups_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted while names are looked up, a run still comes to its end, with every attempt in it."""
    with hanging_resolver(monkeypatch) as asked:
        stop = asyncio.Event()
        running = asyncio.create_task(app.look([NAMED], app.Options(timeout=30, all_addresses=True, tls="none"), stop))
        await asyncio.to_thread(asked.wait, 10)
        stop.set()
        run = await running
    assert run.interrupted
    assert {a.outcome for a in run.attempts} == {Outcome.INTERRUPTED}
    assert exit_code(run) == 130


async def test_progress_counts_every_address() -> None:
    """Whoever watches is told how many conversations there are once the addresses are known, and each time one has ended."""
    told: list[tuple[int, int]] = []
    port = closed_port()
    options = app.Options(timeout=5, all_addresses=True, progress=lambda left, of: told.append((len(left), of)), tls="none")
    run = await app.look([Endpoint.parse(f"pop3://localhost:{port}"), Endpoint.parse(f"pop3://127.0.0.1:{port}")], options)
    of = len(run.attempts)
    assert told == [(left, of) for left in range(of, -1, -1)]


async def test_a_run_over_one_mailbox_tells_of_its_endpoints_alone() -> None:
    """Only the endpoints that serve the chosen mailboxes are probed and listed; the rest of the estate is still known as declared."""
    port = closed_port()
    branch = replace(
        CORP,
        name="branch",
        server_type=ServerType.POP3_SMTP,
        incoming=Endpoint.parse(f"pop3://127.0.0.1:{port}"),
        outgoing=Endpoint.parse(f"smtp://127.0.0.1:{port}"),
    )
    collects = replace(SERVED, address="b@contoso.test", profile="branch", outgoing=Delivery.OUTLOOK)
    estate = Estate(deployment=DEPLOYMENT, profiles=(CORP, branch), mailboxes=(SERVED, collects))
    planned = app.plan_check(estate, [collects], app.Options(tls="none"))
    assert {c.endpoint for c in planned.conversations} == {branch.incoming}
    run = await app.check(estate, [collects], app.Options(timeout=5, tls="none"))
    assert {a.subject for a in run.attempts} - {collects.address} == {ends(branch)[0].url}
    assert {r.subject for r in run.readings if "://" in r.subject} == {ends(branch)[0].url}
    assert {"deployment", "profile:corp", "profile:branch"} <= {r.subject for r in run.readings}
    assert run.estate == estate


async def test_what_a_call_allows_stands_in_what_was_asked_and_not_in_the_estate() -> None:
    """The estate stays as it was declared; judging counts both as allowed."""
    port = closed_port()
    there = Endpoint.parse(f"https://127.0.0.1:{port}")
    estate = Estate(deployment=DEPLOYMENT, profiles=(replace(CORP, incoming=there, outgoing=there),), mailboxes=(SERVED,))
    run = await app.check(estate, [SERVED], app.Options(timeout=5, allow=frozenset({Effect.LOGS_IN}), tls="none"))
    assert run.estate == estate
    assert run.asked == Asked(mailboxes=None, tls="none", fips=DEPLOYMENT.runs_on, allow=frozenset({Effect.LOGS_IN}), all_addresses=False)
    (allowed,) = [r.value for r in run.readings if isinstance(r, Fact) and r.key == v.DEPLOYMENT_ALLOWS]
    assert allowed == ("logs-in",)


async def test_a_gap_has_the_time_of_its_attempt() -> None:
    """What an attempt did not find out is dated as the attempt; what nobody tried has no date."""
    moments = itertools.count()

    def clock() -> datetime:
        return datetime(2026, 11, 28, tzinfo=UTC) + timedelta(seconds=next(moments))

    port = closed_port()
    profile = replace(
        CORP, server_type=ServerType.POP3_SMTP, incoming=Endpoint.parse(f"pop3://127.0.0.1:{port}"),
        outgoing=Endpoint.parse(f"smtp://127.0.0.1:{port}"),
    )  # fmt: skip
    run = await app.check(
        Estate(deployment=DEPLOYMENT, profiles=(profile,), mailboxes=(SERVED,)), [SERVED], app.Options(timeout=5, clock=clock, tls="none")
    )
    for attempt in run.attempts:
        assert run.started < attempt.at < run.finished
        began = None if attempt.outcome is Outcome.NOT_SCHEDULED else attempt.at
        assert {r.at for r in attempt.readings if isinstance(r, Missing)} == {began}
    assert {a.outcome for a in run.attempts} >= {Outcome.REFUSED, Outcome.NOT_SCHEDULED}
