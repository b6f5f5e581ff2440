"""Tests of holding conversations: limits, deadlines, bugs, accounts."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from probe.engine.accounts import Locks
from probe.engine.plan import Login
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.estate import Authentication, Endpoint, SecretReference
from probe.model.facts import Fact, Missing
from probe.net.dial import Dial
from probe.net.failures import PeerClosed
from probe.probing import Ending, EndpointSubject, LoginSubject, Notebook, Scope, TlsSubject
from tests.holding import Talk, held, prober
from tests.hostile import Hostile


def endpoint(port: int) -> Endpoint:
    return Endpoint.parse(f"pop3://127.0.0.1:{port}")


async def greet(subject: EndpointSubject, dial: Dial, notes: Notebook) -> None:
    async with dial.open() as stream:
        notes.declared(v.PROTOCOL_GREETING, (await stream.receive()).decode())
        await asyncio.sleep(0.02)


async def test_no_more_than_three_connections_at_once_to_one_port() -> None:
    """However many conversations there are, an address and port sees three at a time, and waiting costs none of them its deadline."""
    async with Hostile(greeting=b"+OK\r\n").serving() as server:
        attempts, _ = await held([Talk(prober(greet), endpoint(server.port))] * 30, timeout=1.0)
        assert (server.connections, server.most_at_once) == (30, 3)
    assert {a.outcome for a in attempts} == {Outcome.COMPLETED}
    assert [a.id for a in attempts] == [f"a{n}" for n in range(1, 31)]


async def test_attempts_at_once_are_bounded_and_waiting_costs_none_of_them_its_deadline() -> None:
    """However many endpoints there are, two hundred attempts are under way at a time, and the clock of the others has not begun."""
    under_way, most = 0, 0

    async def busy(subject: EndpointSubject, dial: Dial, notes: Notebook) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.3)
        under_way -= 1

    attempts, _ = await held([Talk(prober(busy), endpoint(port)) for port in range(1, 601)], timeout=0.8)
    assert most == 200
    assert {a.outcome for a in attempts} == {Outcome.COMPLETED}


async def test_hellos_come_after_every_conversation_with_the_same_port() -> None:
    """What asks by hellos waits until all else at its port has been held, in whatever order they stand, and waits for no other port."""
    order: list[str] = []

    async def talk(subject: EndpointSubject, dial: Dial, notes: Notebook) -> None:
        await greet(subject, dial, notes)
        order.append(f"conversation with {subject.endpoint.port}")

    async def ask(subject: TlsSubject, dial: Dial, notes: Notebook) -> None:
        order.append(f"hellos to {subject.endpoint.port}")

    hellos = replace(prober(ask), scope=Scope.TLS)
    async with Hostile(greeting=b"+OK\r\n").serving() as server, Hostile().serving() as slow:
        places = [endpoint(server.port), endpoint(slow.port), endpoint(server.port)]
        conversations = [Talk(hellos, places[0]), Talk(prober(talk), places[1])]
        conversations += [Talk(prober(talk), place) for place in (places[0], places[2])]
        conversations += [replace(conversations[2], not_held="not today")]
        attempts, _ = await held(conversations, timeout=1.0)
    assert order == [f"conversation with {server.port}"] * 2 + [f"hellos to {server.port}"]
    assert [a.outcome for a in attempts[:2]] == [Outcome.COMPLETED, Outcome.TIMED_OUT]


async def test_hellos_are_asked_though_the_conversation_before_them_failed() -> None:
    """A bug, a failure or a refusal of the conversation leaves the question of TLS to be asked."""

    async def broken(subject: EndpointSubject, dial: Dial, notes: Notebook) -> None:
        raise KeyError

    async def ask(subject: TlsSubject, dial: Dial, notes: Notebook) -> None:
        return

    hellos = replace(prober(ask), scope=Scope.TLS)
    attempts, _ = await held([Talk(hellos, endpoint(1)), Talk(prober(broken), endpoint(1))])
    assert [a.outcome for a in attempts] == [Outcome.COMPLETED, Outcome.BUG]


async def test_an_interrupt_before_the_hellos_ends_them_too() -> None:
    """What gives way to a conversation is interrupted with it."""

    async def ask(subject: TlsSubject, dial: Dial, notes: Notebook) -> None:
        pytest.fail("the conversation has not ended")

    hellos = replace(prober(ask), scope=Scope.TLS)
    async with Hostile().serving() as silent:
        place = endpoint(silent.port)
        attempts, _ = await held([Talk(hellos, place), Talk(prober(greet), place)], deadline=0.2)
    assert [a.outcome for a in attempts] == [Outcome.TIMED_OUT, Outcome.TIMED_OUT]


async def test_a_bug_is_called_a_bug_and_spoils_nothing_else() -> None:
    """What nobody expected ends its own attempt alone; its text, which may hold anything, is not repeated."""

    password = "-".join(["hunter", "2"])

    async def broken(subject: EndpointSubject, dial: Dial, notes: Notebook) -> None:
        raise KeyError(f"the password is {password}")

    told: list[str] = []
    async with Hostile(greeting=b"+OK\r\n").serving() as server:
        attempts, _ = await held(
            [Talk(prober(broken), endpoint(server.port)), Talk(prober(greet), endpoint(server.port))],
            report_bug=told.append,
        )
    assert [a.outcome for a in attempts] == [Outcome.BUG, Outcome.COMPLETED]
    (gap,) = [r for r in attempts[0].readings if isinstance(r, Missing)]
    assert gap.why == "bug"
    assert "KeyError" in told[0]
    assert password not in told[0] + attempts[0].detail


async def test_the_deadline_of_a_run_ends_all_that_is_left() -> None:
    """At the run's deadline every attempt that is not done ends as timed out, begun or not."""
    async with Hostile().serving() as server:
        attempts, interrupted = await held([Talk(prober(greet), endpoint(server.port))] * 5, timeout=30, deadline=0.3)
    assert not interrupted
    assert {a.outcome for a in attempts} == {Outcome.TIMED_OUT}
    assert {r.why for a in attempts for r in a.readings if isinstance(r, Missing)} == {"timed-out"}
    assert "deadline of 0.3 s" in attempts[0].detail


async def test_a_stop_keeps_what_was_learnt() -> None:
    """Stopped in the middle, a run gives what it knows, and says of the rest that it was interrupted."""
    async with Hostile(greeting=b"+OK\r\n").serving() as ready, Hostile().serving() as silent:
        stop = asyncio.Event()
        talks = [Talk(prober(greet), endpoint(ready.port)), Talk(prober(greet), endpoint(silent.port))]
        attempts, interrupted = await held(talks, progress=lambda left, of: stop.set() if len(left) < of else None, stop=stop)
    assert interrupted
    assert [a.outcome for a in attempts] == [Outcome.COMPLETED, Outcome.INTERRUPTED]
    assert any(isinstance(r, Missing) and r.why == "interrupted" for r in attempts[1].readings)


async def test_a_stop_before_the_beginning_holds_nothing() -> None:
    """Every attempt is there, and none was begun."""
    stop = asyncio.Event()
    stop.set()
    async with Hostile(greeting=b"+OK\r\n").serving() as server:
        attempts, interrupted = await held([Talk(prober(greet), endpoint(server.port))] * 3, stop=stop)
        assert server.connections == 0
    assert interrupted
    assert [a.outcome for a in attempts] == [Outcome.INTERRUPTED] * 3


async def test_cancellation_passes_through() -> None:
    """A run that is cancelled gives nothing: whoever cancelled it, or bounds its time, is told so; nothing of it is left."""
    before = asyncio.all_tasks()
    async with Hostile().serving() as silent:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await held([Talk(prober(greet), endpoint(silent.port))] * 5, timeout=30)
        assert silent.connections == 3
        async with asyncio.timeout(5):
            await silent.idle.wait()
    assert asyncio.all_tasks() == before


@pytest.fixture
def login(tmp_path: Path) -> Login:
    file = tmp_path / "password"
    file.write_text("s3cret")
    return Login("m@contoso.test", "svc@contoso.test", SecretReference("file", str(file)), Authentication.NTLM, impersonates=True)


@pytest.mark.parametrize(("accepted", "tries"), [(False, 1), (True, 10)])
async def test_a_refused_account_is_not_tried_again(login: Login, accepted: bool, tries: int) -> None:
    """Ten mailboxes behind one account make one login where it is refused, and one each where it is let in."""
    tried: list[str] = []

    async def sign_in(subject: LoginSubject, dial: Dial, notes: Notebook) -> None:
        tried.append(subject.account.mailbox)
        await subject.account.proof.claim()
        await asyncio.sleep(0)
        await subject.account.proof.end(Ending.ACCEPTED if accepted else Ending.REFUSED)
        notes.observed(v.AUTH_ACCEPTED, accepted)

    conversations = [
        Talk(prober(sign_in, collects=(v.AUTH_ACCEPTED,), signs_in=True), endpoint(1), f"m{n}@contoso.test", login) for n in range(10)
    ]
    attempts, _ = await held(conversations)
    assert len(tried) == tries
    known = [r for a in attempts for r in a.readings if isinstance(r, Fact)]
    gaps = [r for a in attempts for r in a.readings if isinstance(r, Missing)]
    assert (len(known), len(gaps)) == (tries, 10 - tries)
    assert {r.mailbox for r in known} <= {f"m{n}@contoso.test" for n in range(10)}
    assert {r.why for r in gaps} <= {"denied"}


async def test_an_account_signs_in_once_at_a_time_whichever_run_it_is_for(login: Login) -> None:
    """Two runs of one process take turns, also where nothing is remembered between them."""
    under_way, most = 0, 0

    async def sign_in(subject: LoginSubject, dial: Dial, notes: Notebook) -> None:
        nonlocal under_way, most
        await subject.account.proof.claim()
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        await subject.account.proof.end(Ending.ACCEPTED)

    locks = Locks()
    talks = [Talk(prober(sign_in, collects=(v.AUTH_ACCEPTED,), signs_in=True), endpoint(1), f"m{n}@contoso.test", login) for n in range(3)]
    runs = await asyncio.gather(held(talks, locks=locks), held(talks, locks=locks))
    assert most == 1
    assert {a.outcome for attempts, _ in runs for a in attempts} == {Outcome.COMPLETED}
    assert not locks


async def test_an_account_whose_login_ended_unseen_is_not_tried_again(login: Login) -> None:
    """Where it is not known whether the password was taken, it might have been refused: one try is all it gets."""
    tried: list[str] = []

    async def hang(subject: LoginSubject, dial: Dial, notes: Notebook) -> None:
        await subject.account.proof.claim()
        tried.append("once")
        raise TimeoutError

    conversations = [
        Talk(prober(hang, collects=(v.AUTH_ACCEPTED,), signs_in=True), endpoint(1), f"m{n}@contoso.test", login) for n in range(5)
    ]
    attempts, _ = await held(conversations)
    assert tried == ["once"]
    assert [a.outcome for a in attempts].count(Outcome.NOT_SCHEDULED) == 4
    assert "not certain" in attempts[-1].detail


async def test_a_login_that_broke_off_before_a_proof_left_bars_nobody(login: Login) -> None:
    """A server that ends the conversation before it is told the password has counted nothing, so that the next mailbox is tried."""
    tried: list[str] = []

    async def close(subject: LoginSubject, dial: Dial, notes: Notebook) -> None:
        tried.append("once")
        raise PeerClosed("the server closed the connection")

    conversations = [
        Talk(prober(close, collects=(v.AUTH_ACCEPTED,), signs_in=True), endpoint(1), f"m{n}@contoso.test", login) for n in range(5)
    ]
    attempts, _ = await held(conversations)
    assert len(tried) == 5
    assert {a.outcome for a in attempts} == {Outcome.CLOSED}


async def test_a_secret_that_is_not_there_is_a_reason() -> None:
    """Where the password cannot be had, nothing is tried, and the gap says so."""

    async def nobody(subject: LoginSubject, dial: Dial, notes: Notebook) -> None:
        pytest.fail("there is nothing to sign in with")

    login = Login(
        "m@contoso.test", "svc@contoso.test", SecretReference("env", "PROBE_TESTS_NO_SUCH_SECRET"), Authentication.NTLM, impersonates=False
    )
    attempts, _ = await held([Talk(prober(nobody, signs_in=True), endpoint(1), "m@contoso.test", login)])
    assert attempts[0].outcome is Outcome.NOT_SCHEDULED
    (gap,) = attempts[0].readings
    assert isinstance(gap, Missing)
    assert gap.why == "no-credentials"


async def test_a_secret_is_read_once_for_the_run(tmp_path: Path) -> None:
    """Mailboxes that share a reference share what was read; what is not held reads nothing."""
    file = tmp_path / "password"
    file.write_text("s3cret")
    seen: list[str] = []

    async def change(subject: LoginSubject, dial: Dial, notes: Notebook) -> None:
        seen.append(subject.account.password.reveal())
        file.write_text("changed meanwhile")
        notes.observed(v.AUTH_ACCEPTED, True)

    def login(place: str) -> Login:
        return Login("m@contoso.test", "svc@contoso.test", SecretReference("file", place), Authentication.NTLM, impersonates=True)

    signs_in = prober(change, collects=(v.AUTH_ACCEPTED,), signs_in=True)
    conversations = [Talk(signs_in, endpoint(1), f"m{n}@contoso.test", login(str(file))) for n in range(3)]
    unheld = Talk(signs_in, endpoint(1), "m@contoso.test", login("/nowhere"), not_held="its effect is not allowed")
    attempts, _ = await held([*conversations, unheld])
    assert seen == ["s3cret"] * 3
    assert attempts[-1].detail == "its effect is not allowed"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no FIFO in a folder")
async def test_a_secret_that_never_comes_stops_no_other(tmp_path: Path, login: Login) -> None:
    """A FIFO in place of a password costs its own mailbox, at once; the others sign in."""
    os.mkfifo(tmp_path / "fifo")
    tried: list[str] = []

    async def sign_in(subject: LoginSubject, dial: Dial, notes: Notebook) -> None:
        tried.append(subject.account.mailbox)
        notes.observed(v.AUTH_ACCEPTED, True)

    signs_in = prober(sign_in, collects=(v.AUTH_ACCEPTED,), signs_in=True)
    fifo = replace(login, password=SecretReference("file", str(tmp_path / "fifo")))
    attempts, _ = await held([Talk(signs_in, endpoint(1), "a@contoso.test", fifo), Talk(signs_in, endpoint(1), "b@contoso.test", login)])
    assert tried == ["b@contoso.test"]
    assert attempts[0].detail == "the file that the estate names for a secret cannot be read: it is a FIFO, and not a regular file"


async def test_what_is_not_held_is_an_attempt_too() -> None:
    """A conversation that is not held says why, and leaves its keys as not attempted."""
    attempts, _ = await held([Talk(prober(greet), endpoint(1), not_held="its effect is not allowed")])
    assert (attempts[0].outcome, attempts[0].detail) == (Outcome.NOT_SCHEDULED, "its effect is not allowed")
    (gap,) = attempts[0].readings
    assert isinstance(gap, Missing)
    assert gap.why == "not-attempted"
