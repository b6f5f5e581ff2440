"""Tests of which address of a name is talked to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.estate import Endpoint
from probe.net.dial import Dial, Network
from probe.net.failures import NoAddressAnswered
from probe.net.killable import Children
from probe.net.limits import PER_ADDRESS, Deadline
from probe.net.race import DELAY_SECONDS, interleaved
from probe.net.transcript import Recorder
from tests.hostile import Hostile
from tests.looking import look
from tests.net.addresses import two_addresses

SILENT = "127.0.0.2"


@contextmanager
def silent_at(port: int) -> Iterator[None]:
    """Within this, 127.0.0.2 takes no connection at a port and refuses none: its queue is full, as behind a firewall that drops."""
    with socket.socket() as listening:
        listening.bind((SILENT, port))
        listening.listen(0)
        filling = [socket.socket() for _ in range(3)]
        try:
            for one in filling:
                one.setblocking(False)
                one.connect_ex((SILENT, port))
            yield
        finally:
            for one in filling:
                one.close()


async def test_a_silent_address_costs_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the first address says nothing, the next is tried beside it, and what became of the first is told."""
    two_addresses(monkeypatch, SILENT, "127.0.0.1")
    async with Hostile(greeting=b"-ERR no\r\n").serving() as server:
        with silent_at(server.port):
            looked = await look(f"pop3://two.contoso.test:{server.port}", timeout=30)
    assert looked.attempt.address == "127.0.0.1"
    assert looked.attempt.seconds < 10 * DELAY_SECONDS
    assert looked.value(v.NET_ADDRESSES) == (SILENT, "127.0.0.1")
    assert any(SILENT in line.text and "yet when another address answered" in line.text for line in looked.attempt.transcript)


async def test_an_address_that_answers_in_time_is_the_only_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second connection is made where the first address answers."""
    two_addresses(monkeypatch, "127.0.0.1", SILENT)
    async with Hostile(greeting=b"-ERR no\r\n").serving() as server:
        with socket.create_server((SILENT, server.port)) as other:
            other.setblocking(False)
            looked = await look(f"pop3://two.contoso.test:{server.port}")
            with pytest.raises(BlockingIOError):
                other.accept()
    assert looked.attempt.address == "127.0.0.1"


async def test_a_silent_address_is_not_waited_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a run, an address that was silent once comes last from then on, and the limit of connections to one address is kept."""
    two_addresses(monkeypatch, SILENT, "127.0.0.1")
    async with Hostile(greeting=b"+OK\r\n").serving() as server, Children() as children:
        network = Network(children=children)
        with silent_at(server.port):
            transcripts = []

            async def connect() -> None:
                recorder = Recorder()
                async with Deadline(20) as deadline:
                    dial = Dial(Endpoint.parse(f"pop3://two.contoso.test:{server.port}"), network, deadline, recorder)
                    async with dial.open() as stream:
                        assert await stream.receive() == b"+OK\r\n"
                transcripts.append([line.text for line in recorder.lines()])

            await connect()
            async with asyncio.TaskGroup() as group:
                for _ in range(12):
                    group.create_task(connect())
        assert server.most_at_once <= PER_ADDRESS
    assert "yet when another" in transcripts[0][0]
    assert all(lines[0].startswith("connected to 127.0.0.1") for lines in transcripts[1:])


async def test_where_no_address_answers_the_last_one_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses that refuse are told one by one, and no silent one is waited for beyond its share."""
    two_addresses(monkeypatch, SILENT, "127.0.0.1")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with silent_at(port):
            async with Children() as children, Deadline(2) as deadline:
                dial = Dial(Endpoint.parse(f"pop3://two.contoso.test:{port}"), Network(children=children), deadline, Recorder())
                with pytest.raises(NoAddressAnswered) as told:
                    async with dial.open():
                        pytest.fail("nobody listens there")
    assert told.value.outcome is Outcome.REFUSED
    assert "did not come about in time" in str(told.value)
    assert dial.connected is False


async def test_a_deadline_ends_a_race(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only silent addresses are left, the attempt ends at its deadline, and leaves no connection behind."""
    two_addresses(monkeypatch, SILENT)
    with socket.socket() as free:
        free.bind((SILENT, 0))
        port = free.getsockname()[1]
    with silent_at(port):
        looked = await look(f"pop3://two.contoso.test:{port}", timeout=0.5)
    assert looked.attempt.outcome is Outcome.TIMED_OUT
    assert looked.why(v.NET_CONNECTED) == "timed-out"


@pytest.mark.parametrize(
    ("addresses", "tried"),
    [
        (("::1", "::2", "::3", "127.0.0.1"), ("::1", "127.0.0.1", "::2", "::3")),
        (("127.0.0.1", "127.0.0.2", "::1"), ("127.0.0.1", "::1", "127.0.0.2")),
        (("127.0.0.1",), ("127.0.0.1",)),
        ((), ()),
    ],
)
def test_families_are_tried_in_turn(addresses: tuple[str, ...], tried: tuple[str, ...]) -> None:
    """However many addresses of one family there are, the other family's first comes second."""
    assert interleaved(addresses) == tried
