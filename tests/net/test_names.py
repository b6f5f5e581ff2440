"""Tests of resolving names."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from probe.net import names
from probe.net.failures import NameUnresolved
from tests.name_server import GARBAGE, SILENCE, name_server


async def test_an_address_is_its_own_answer() -> None:
    """An address needs no resolver, and comes back in its normal form."""
    resolver = names.Resolver()
    assert await resolver.addresses("192.0.2.7") == ("192.0.2.7",)
    assert await resolver.addresses("2001:DB8:0::7") == ("2001:db8::7",)


async def test_a_name_with_an_address_of_its_own_is_not_looked_up() -> None:
    """The hosts that a run brings along go before the resolver."""
    assert await names.Resolver({"mail.contoso.test": "127.0.0.1"}).addresses("mail.contoso.test") == ("127.0.0.1",)


@pytest.mark.parametrize(
    ("where", "address"), [("127.0.0.3:4443", "127.0.0.3"), ("[::1]:4443", "::1"), ("127.0.0.3", "127.0.0.3"), ("::1", "::1")]
)
async def test_the_port_of_https_may_be_elsewhere(where: str, address: str) -> None:
    """A name with an address of its own may have a port in place of 443 too; other ports, and those of other names, are what they are."""
    resolver = names.Resolver({"login.contoso.test": where})
    elsewhere = 4443 if "4443" in where else 443
    assert await resolver.addresses("login.contoso.test") == (address,)
    assert resolver.port("login.contoso.test", 443) == elsewhere
    assert resolver.port("login.contoso.test", 8443) == 8443
    assert resolver.port("mail.contoso.test", 443) == 443


async def test_localhost_resolves_to_loopback() -> None:
    """The system's resolver answers, each address once."""
    found = await names.Resolver().addresses("localhost")
    assert "127.0.0.1" in found
    assert len(found) == len(set(found))


async def test_a_name_without_an_address_is_not_one_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system tells them apart, so does the sentence; that there is no address is known of both."""

    def fail(number: int) -> None:
        def answer(*_: object, **__: object) -> list[object]:
            raise socket.gaierror(number, "")

        monkeypatch.setattr(socket, "getaddrinfo", answer)

    told = {}
    for name, number in (("mx-only.contoso.test", socket.EAI_NODATA), ("nobody.contoso.test", socket.EAI_NONAME)):
        fail(number)
        with pytest.raises(NameUnresolved) as caught:
            await names.Resolver().addresses(name)
        assert caught.value.is_unknown
        told[name] = str(caught.value)
    assert told == {
        "mx-only.contoso.test": "the name mx-only.contoso.test exists, but has no address",
        "nobody.contoso.test": "the name nobody.contoso.test does not exist",
    }


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


SERVICE = "_autodiscover._tcp.contoso.test"


async def test_services_come_in_their_order() -> None:
    """Lower priority first, then higher weight; names lower-case, without the last dot."""
    records = {(SERVICE, "SRV"): ["20 0 443 b.contoso.test.", "10 5 8443 C.contoso.test.", "10 60 443 a.contoso.test."]}
    async with name_server(records) as (server, asked):
        found = await names.Resolver(name_server=server).services(SERVICE)
    assert found == (("a.contoso.test", 443), ("c.contoso.test", 8443), ("b.contoso.test", 443))
    assert asked == [(SERVICE, "SRV")]


async def test_an_alias_is_told_and_not_followed() -> None:
    """What a name is an alias of is one name; a name that is none has none."""
    records: dict[tuple[str, str], list[str] | str] = {
        ("autodiscover.contoso.test", "CNAME"): ["autodiscover.outlook.com."],
        ("mail.contoso.test", "A"): ["192.0.2.7"],
    }
    async with name_server(records) as (server, _):
        resolver = names.Resolver(name_server=server)
        assert await resolver.aliases("autodiscover.contoso.test") == ("autodiscover.outlook.com",)
        assert await resolver.aliases("mail.contoso.test") == ()
        assert await resolver.aliases("nowhere.contoso.test") == ()


async def test_a_service_that_is_declared_absent_has_no_servers() -> None:
    """A target of a single dot says that there is no such service."""
    async with name_server({(SERVICE, "SRV"): ["0 0 0 ."]}) as (server, _):
        assert await names.Resolver(name_server=server).services(SERVICE) == ()


@pytest.mark.parametrize("said", [SILENCE, GARBAGE])
async def test_a_name_server_that_says_nothing_is_no_no(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence and garbage end within bounds, and are not taken for there being no record."""
    monkeypatch.setattr(names, "RECORD_SECONDS", 0.5)
    async with name_server({(SERVICE, "SRV"): said}) as (server, _):
        with pytest.raises(NameUnresolved) as told:
            await names.Resolver(name_server=server).services(SERVICE)
    assert not told.value.is_unknown
