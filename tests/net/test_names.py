"""Tests of resolving names."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from probe.net import names
from probe.net.failures import NameUnresolved


async def test_an_address_is_its_own_answer() -> None:
    """An address needs no resolver, and comes back in its normal form."""
    resolver = names.Resolver()
    assert await resolver.addresses("192.0.2.7") == ("192.0.2.7",)
    assert await resolver.addresses("2001:DB8:0::7") == ("2001:db8::7",)


async def test_a_name_with_an_address_of_its_own_is_not_looked_up() -> None:
    """The hosts that a run brings along go before the resolver."""
    assert await names.Resolver({"mail.contoso.test": "127.0.0.1"}).addresses("mail.contoso.test") == ("127.0.0.1",)


async def test_localhost_resolves_to_loopback() -> None:
    """The system's resolver answers, each address once."""
    found = await names.Resolver().addresses("localhost")
    assert "127.0.0.1" in found
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("error", "is_unknown"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), True),
        (socket.gaierror(socket.EAI_AGAIN, "later"), False),
        (OSError("broken"), False),
    ],
)
async def test_no_such_name_and_no_answer_are_told_apart(monkeypatch: pytest.MonkeyPatch, error: Exception, is_unknown: bool) -> None:
    """The resolver's no is a fact; its silence is not."""

    def fail(*_: object, **__: object) -> list[object]:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(NameUnresolved) as raised:
        await names.Resolver().addresses("mail.contoso.test")
    assert raised.value.is_unknown is is_unknown


async def test_a_resolver_that_hangs_ends_with_the_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deadline is kept while the system's resolver hangs; one lookup serves all who ask."""
    release, asked = threading.Event(), []

    def hang(host: str, *_: object, **__: object) -> list[object]:
        asked.append(host)
        release.wait(10)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.9", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    resolver = names.Resolver()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await resolver.addresses("slow.contoso.test")
    release.set()
    assert await resolver.addresses("slow.contoso.test") == ("192.0.2.9",)
    assert asked == ["slow.contoso.test"]
