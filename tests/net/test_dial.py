"""Tests of coming to a connection."""

from __future__ import annotations

import asyncio
import socket

import pytest

from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.estate import Endpoint
from probe.net.dial import Dial, Network
from probe.net.failures import UntrustedPeer
from probe.net.killable import Children
from probe.net.limits import Deadline, Limits
from probe.net.transcript import Recorder
from tests.hostile import Hostile
from tests.looking import authority, look, playing


def two_addresses(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    real = socket.getaddrinfo

    def answer(host: str, *rest: object, **more: object) -> object:
        if host == "two.contoso.test":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 0)) for a in addresses]
        return real(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


async def test_the_first_address_that_answers_is_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    """All addresses are a fact; one that refuses is passed over, and the one used is recorded."""
    two_addresses(monkeypatch, "127.0.0.2", "127.0.0.1")
    async with Hostile(greeting=b"-ERR no\r\n").serving() as server:
        looked = await look(f"pop3://two.contoso.test:{server.port}")
    assert looked.value(v.NET_ADDRESSES) == ("127.0.0.2", "127.0.0.1")
    assert looked.attempt.address == "127.0.0.1"
    assert any("127.0.0.2" in line.text and "refused" in line.text for line in looked.attempt.transcript)


async def test_all_addresses_are_probed_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """With --all-addresses each address has its own attempt, and what they disagree on is conflicting."""
    two_addresses(monkeypatch, "127.0.0.2", "127.0.0.1")
    async with Hostile(greeting=b"-ERR no\r\n").serving() as server:
        looked = await look(f"pop3://two.contoso.test:{server.port}", all_addresses=True)
    assert [(a.address, a.outcome) for a in looked.run.attempts] == [(None, Outcome.REFUSED), ("127.0.0.1", Outcome.DENIED)]
    assert looked.why(v.NET_CONNECTED) == "conflicting"


@pytest.mark.parametrize(("certificate", "trusted"), [("trusted", True), ("self-signed", False), ("expired", False), ("wrong-name", False)])
async def test_credentials_need_a_certificate_that_earns_them(certificate: str, trusted: bool) -> None:
    """The way for credentials opens only over verified TLS for the very name."""
    async with playing(["S: hello"], implicit=True, certificate=certificate) as server, Children() as children:
        network = Network(ca_file=authority().ca_file, children=children)
        async with Deadline(5) as deadline:
            dial = Dial(Endpoint.parse(f"pop3s://localhost:{server.port}"), network, deadline, Recorder())
            if trusted:
                async with dial.open_trusted() as stream:
                    assert await stream.receive() == b"hello\r\n"
            else:
                with pytest.raises(UntrustedPeer, match="no credentials were sent"):
                    async with dial.open_trusted():
                        pytest.fail("an untrusted peer was let in")


async def test_waiting_for_a_turn_costs_no_time() -> None:
    """The deadline of an attempt stands still while it waits for its turn."""
    limits = Limits(per_address=1)
    order = []

    async def hold(name: str, seconds: float) -> None:
        async with Deadline(0.2) as deadline, limits.turn("192.0.2.1", 25, deadline):
            await asyncio.sleep(seconds)
            order.append(name)
            assert deadline.remaining() > 0

    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(hold(str(number), 0.15))
    assert order == ["0", "1", "2", "3"]


async def test_a_deadline_says_how_long_it_was() -> None:
    """What ends at its deadline says so in seconds."""
    with pytest.raises(TimeoutError, match=r"not finished within 0\.01 s"):
        async with Deadline(0.01):
            await asyncio.sleep(5)
