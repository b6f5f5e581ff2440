"""Tests of joining the parts: exit codes, and what a run leaves behind."""

from __future__ import annotations

import asyncio
import socket
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from probe import app
from probe.cli.exit_codes import exit_code
from probe.engine.interrupts import Interrupts
from probe.engine.plan import named
from probe.model.attempts import Attempt, Outcome
from probe.model.estate import Endpoint, Estate
from probe.model.rules import NO_DIRECTION, Assessment, Readiness, Support
from probe.model.runs import Run
from tests.estates import CORP, DEPLOYMENT, SERVED
from tests.hostile import Hostile
from tests.runs import ASKED

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)


def attempt(outcome: Outcome) -> Attempt:
    return Attempt(
        id="a1",
        at=AT,
        prober="p",
        subject="pop3s://x:995",
        mailbox=None,
        address=None,
        outcome=outcome,
        detail="",
        connections=0,
        seconds=0.0,
        transcript=(),
        readings=(),
    )


def assessment(support: str, readiness: str) -> Assessment:
    return Assessment(
        mailbox="a@contoso.test",
        profile="corp",
        support=Support(support),
        readiness=Readiness(readiness),
        directions=NO_DIRECTION,
        signed_in=None,
        findings=(),
    )


def run(*parts: Attempt | Assessment, interrupted: bool = False, judged: bool = True) -> Run:
    return Run(
        id="r",
        probe="0",
        host="h",
        started=AT,
        finished=AT,
        judged_at=date(2026, 11, 23),
        estate=Estate(deployment=DEPLOYMENT, profiles=(CORP,), mailboxes=(SERVED,)) if judged else None,
        asked=ASKED,
        attempts=tuple(p for p in parts if isinstance(p, Attempt)),
        readings=(),
        assessments=tuple(p for p in parts if isinstance(p, Assessment)),
        interrupted=interrupted,
    )


GOOD = assessment("supported", "ready")
BUG = attempt(Outcome.BUG)


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (run(GOOD), 0),
        (run(GOOD, assessment("not-assessed", "not-assessed")), 0),
        (run(GOOD, assessment("supported", "undetermined")), 3),
        (run(GOOD, assessment("undetermined", "ready")), 3),
        (run(GOOD, assessment("undetermined", "undetermined"), assessment("supported", "not-ready")), 1),
        (run(assessment("unsupported", "ready")), 1),
        (run(assessment("not-listed", "ready")), 1),
        (run(assessment("unsupported", "ready"), BUG), 70),
        (run(GOOD, BUG, interrupted=True), 130),
        (run(attempt(Outcome.COMPLETED), judged=False), 0),
        (run(attempt(Outcome.COMPLETED), attempt(Outcome.NOT_SCHEDULED), judged=False), 0),
        (run(attempt(Outcome.COMPLETED), attempt(Outcome.TIMED_OUT), judged=False), 3),
        (run(BUG, judged=False), 70),
    ],
)
def test_a_run_has_the_exit_code_of_its_worst_part(made: Run, code: int) -> None:
    """130 goes before 70, then 1, 3 and 0; a look is judged by its attempts alone."""
    assert exit_code(made) == code


def test_not_listed_may_be_accepted() -> None:
    """What the operator accepts does not count, but everything else still does."""
    accept = frozenset({Support.NOT_LISTED})
    assert exit_code(run(assessment("not-listed", "ready")), accept) == 0
    assert exit_code(run(assessment("not-listed", "not-ready")), accept) == 1
    assert exit_code(run(assessment("unsupported", "ready")), accept) == 1


async def test_two_runs_at_once_make_at_most_three_connections_to_one_port() -> None:
    """What is open for as long as there are runs counts for all of them."""
    async with Hostile(greeting=b"+OK\r\n").serving() as server, app.Probing(app.Options(timeout=0.5, tls="none")) as probing:
        plan = app.plan_look([Endpoint.parse(f"pop3://127.0.0.1:{server.port}")], app.Options(tls="none"))
        (read,) = [c for c in plan.conversations if c.prober == "pop3-capabilities"]
        many = replace(plan, conversations=named([read] * 10))
        runs = await asyncio.gather(probing.check(many), probing.check(many))
        assert (server.connections, server.most_at_once) == (20, 3)
    assert runs[0].id != runs[1].id
    assert {a.outcome for r in runs for a in r.attempts} == {Outcome.TIMED_OUT}


async def test_two_runs_at_once_share_their_turns() -> None:
    """Together they have as many attempts under way as one may have."""
    async with app.Probing(app.Options(timeout=0.3, tls="none")) as probing:
        contexts = [probing._context(asyncio.Event()) for _ in range(2)]
        assert contexts[0].turns is contexts[1].turns
        assert contexts[0].network.limits is contexts[1].network.limits
        assert contexts[0].network.resolver is not contexts[1].network.resolver


async def test_a_name_that_failed_is_looked_up_again_by_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the resolver does not know now it may know in a minute."""
    answers = [socket.gaierror(socket.EAI_AGAIN, "later"), socket.gaierror(socket.EAI_NONAME, "no")]

    def look_up(*_: object, **__: object) -> list[object]:
        raise answers.pop(0)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    plan = app.plan_look([Endpoint.parse("pop3://mail.contoso.test")], app.Options(tls="none"))
    async with app.Probing(app.Options(timeout=5, tls="none")) as probing:
        details = [(await probing.check(plan)).attempts[0].detail for _ in range(2)]
    assert ["gave no answer" in details[0], "does not exist" in details[1]] == [True, True]


def open_files() -> int:
    """How many files and sockets this process has open, where the system tells."""
    return len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0


@pytest.mark.parametrize("turns", [*range(8), 12, 20, 40, 80, 160])
async def test_a_run_cancelled_at_any_moment_leaves_nothing(turns: int) -> None:
    """After however many turns of the loop: whoever waits is told, and no task, connection or open file is left."""
    before, files = asyncio.all_tasks(), open_files()
    async with Hostile(greeting=b"+OK\r\n").serving() as slow, Hostile().serving() as silent:
        endpoints = [
            Endpoint.parse(f"{scheme}://127.0.0.1:{server.port}") for server in (slow, silent) for scheme in ("pop3", "smtp", "imaps")
        ]
        running = asyncio.get_running_loop().create_task(app.look(endpoints, app.Options(timeout=30, tls="full")))
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        for server in (slow, silent):
            if server.connections:
                async with asyncio.timeout(5):
                    await server.idle.wait()
    assert asyncio.all_tasks() == before
    # A thread may still be reading trust anchors.
    assert open_files() <= files + 1


async def test_a_signal_before_the_end_stops_a_run_and_the_next_interrupts_it() -> None:
    """The first asks for what was learnt, and only the second is an interrupt."""
    interrupts = Interrupts()
    stops: list[asyncio.Event] = []

    async def begin(stop: asyncio.Event) -> bool:
        stops.append(stop)
        interrupts._came(2, None)
        await stop.wait()
        return True

    assert await interrupts.stopping(begin)
    with pytest.raises(KeyboardInterrupt):
        interrupts._came(2, None)
    with pytest.raises(KeyboardInterrupt):
        await interrupts.stopping(begin)
    assert len(stops) == 1
