"""Names to addresses, by the system's resolver, on threads of our own.

A hung lookup cannot be cancelled, and asyncio's own threads would hold the program's exit until it ends. These
are daemons: the attempt goes on without them, and so does the exit.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from probe.net.failures import NameUnresolved

MAX_LOOKUPS = 128
"""Lookups under way at once; each is a thread, and a hung resolver may hold all of them."""

HTTPS_PORT = 443
"""Where Entra ID listens, and nothing that is simulated on loopback can."""

_UNKNOWN = {getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)}


RECORD_SECONDS = 5.0
"""Longest wait for a record that is asked of DNS itself; a resolver that has none says so in milliseconds."""
MAX_RECORDS = 8
"""Taken of one kind; a domain has one or two."""


@dataclass(frozen=True, slots=True)
class NameServer:
    """Whom to ask in place of the system's name servers."""

    address: str
    port: int


class Resolver:
    """Resolves each name once in a run."""

    def __init__(self, hosts: Mapping[str, str] | None = None, name_server: NameServer | None = None) -> None:
        self._name_server = name_server
        self._hosts = {name: _address_and_port(where) for name, where in (hosts or {}).items()}
        """Names with an address of their own, as a hosts file would have them."""
        self._answers: dict[str, asyncio.Future[tuple[str, ...]]] = {}
        self._slots = asyncio.Semaphore(MAX_LOOKUPS)

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Every address of a name, in the resolver's order, each once. Raises NameUnresolved."""
        if host in self._hosts:
            return (self._hosts[host][0],)
        try:
            return (str(ipaddress.ip_address(host)),)
        except ValueError:
            pass
        answer = self._answers.get(host)
        if answer is None:
            async with self._slots:
                answer = self._answers.setdefault(host, self._look_up(host))
        # Shielded: one attempt's deadline must not end the lookup that others wait for.
        return await asyncio.shield(answer)

    def port(self, host: str, port: int) -> int:
        """The port to connect to for a port of a name: the same, but that a name with an address of its own may have 443 elsewhere."""
        return (self._hosts[host][1] if host in self._hosts and port == HTTPS_PORT else None) or port

    async def aliases(self, host: str) -> tuple[str, ...]:
        """What a name is an alias of (CNAME); empty where it is none. Raises NameUnresolved."""
        found = await self._records(host, "CNAME")
        return tuple(target for target, _ in found)

    async def services(self, name: str) -> tuple[tuple[str, int], ...]:
        """Host and port of the servers of a service (SRV, RFC 2782), the preferred first; empty where there are none. Raises NameUnresolved."""
        return await self._records(name, "SRV")

    async def _records(self, name: str, kind: Literal["CNAME", "SRV"]) -> tuple[tuple[str, int], ...]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[tuple[tuple[str, int], ...]] = loop.create_future()
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())

        def settle(result: tuple[tuple[str, int], ...] | NameUnresolved) -> None:
            if answer.done():
                return
            if isinstance(result, NameUnresolved):
                answer.set_exception(result)
            else:
                answer.set_result(result)

        def ask() -> None:
            result = _ask_records(name, kind, self._name_server)
            with contextlib.suppress(RuntimeError):  # the run may have ended while the name server was silent
                loop.call_soon_threadsafe(settle, result)

        async with self._slots:
            threading.Thread(target=ask, name=f"{kind} of {name}", daemon=True).start()
            return await answer

    def _look_up(self, host: str) -> asyncio.Future[tuple[str, ...]]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[tuple[str, ...]] = loop.create_future()
        # Nobody may be left to hear of a failure once the deadlines have passed.
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())

        def settle(result: tuple[str, ...] | NameUnresolved) -> None:
            if answer.done():
                return
            if isinstance(result, NameUnresolved):
                answer.set_exception(result)
            else:
                answer.set_result(result)

        def ask() -> None:
            result = _ask_system(host)
            with contextlib.suppress(RuntimeError):  # the run may have ended while the resolver hung
                loop.call_soon_threadsafe(settle, result)

        threading.Thread(target=ask, name=f"resolve {host}", daemon=True).start()
        return answer


def _address_and_port(where: str) -> tuple[str, int | None]:
    """Out of `address` or `address:port`, an IPv6 address before a port in brackets."""
    try:
        return str(ipaddress.ip_address(where)), None
    except ValueError:
        address, _, port = where.rpartition(":")
        return str(ipaddress.ip_address(address.strip("[]"))), int(port)


def _ask_records(name: str, kind: str, name_server: NameServer | None) -> tuple[tuple[str, int], ...] | NameUnresolved:
    # Loaded when it is wanted: most runs ask the system's resolver alone.
    import dns.exception
    import dns.resolver

    try:
        resolver = dns.resolver.Resolver(configure=name_server is None)
        if name_server is not None:
            resolver.nameservers, resolver.port = [name_server.address], name_server.port
        answer = resolver.resolve(name, kind, lifetime=RECORD_SECONDS, search=False, raise_on_no_answer=False)
    except dns.resolver.NXDOMAIN:
        return ()
    except (dns.exception.DNSException, OSError, ValueError) as failed:
        return NameUnresolved(f"the name server gave no {kind} record of {name}: {type(failed).__name__}", is_unknown=False)
    records = sorted(answer.rrset or (), key=lambda r: (r.priority, -r.weight) if kind == "SRV" else (0, 0))[:MAX_RECORDS]
    targets = [(record.target.to_text(omit_final_dot=True).lower(), getattr(record, "port", 0)) for record in records]
    # A target of "." says that there is no such service (RFC 2782).
    return tuple((target, port) for target, port in targets if target not in ("", "."))


def _ask_system(host: str) -> tuple[str, ...] | NameUnresolved:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except socket.gaierror as failed:
        if failed.errno in _UNKNOWN:
            return NameUnresolved(f"the name {host} does not exist", is_unknown=True)
        return NameUnresolved(f"the resolver gave no answer for {host}: {failed.strerror}", is_unknown=False)
    except (OSError, UnicodeError) as failed:
        return NameUnresolved(f"{host} could not be looked up: {failed}", is_unknown=False)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
