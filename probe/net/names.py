"""Resolves names by the system's resolver, on threads of our own: a hung lookup cannot be cancelled, and blocks nothing there."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Mapping
from typing import Literal

from probe.model.values import dataclass
from probe.net.failures import NameUnresolved
from probe.net.limits import LOOKUPS
from probe.net.threads import in_thread

HTTPS_PORT = 443
"""Where Entra ID listens, and nothing that is simulated on loopback can."""

_log = logging.getLogger(__name__)

_NO_SUCH_NAME = socket.EAI_NONAME
_NO_ADDRESS = getattr(socket, "EAI_NODATA", None)
"""Where the system tells a name without an address from one that does not exist; where it does not, both numbers are one."""


RECORD_SECONDS = 5.0
"""Longest wait for a record that is asked of DNS itself; a resolver that has none says so in milliseconds."""
MAX_RECORDS = 8
"""Taken of one kind; a domain has one or two."""


@dataclass(frozen=True, slots=True)
class NameServer:
    """The name server to ask in place of the system's."""

    address: str
    port: int


class Resolver:
    """Resolves each name once in a run. It is made for each run anew, so that no answer outlives it, least of all a failure."""

    def __init__(
        self, hosts: Mapping[str, str] | None = None, name_server: NameServer | None = None, slots: asyncio.Semaphore | None = None
    ) -> None:
        """`slots` bounds the lookups under way, with those of other runs where they share it."""
        self._name_server = name_server
        self._hosts = {name: _address_and_port(where) for name, where in (hosts or {}).items()}
        """Names with an address of their own, as a hosts file would have them."""
        self._answers: dict[str, asyncio.Future[tuple[str, ...]]] = {}
        self._slots = asyncio.Semaphore(LOOKUPS) if slots is None else slots

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Every address of a name, in the resolver's order, each once. Raises NameUnresolved."""
        if host in self._hosts:
            return (self._hosts[host][0],)
        try:
            return (str(ipaddress.ip_address(host)),)
        except ValueError:
            pass
        if host not in self._answers:
            await self._slots.acquire()
            if host in self._answers:
                self._slots.release()
            else:
                _log.debug("looks up a name", extra={"host": host})
                # The slot is its thread's, which no deadline ends.
                self._answers[host] = in_thread(lambda: _ask_system(host), f"resolve {host}")
                self._answers[host].add_done_callback(lambda _: self._slots.release())
        # Shielded: one attempt's deadline must not end the lookup that others wait for.
        return await asyncio.shield(self._answers[host])

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
        _log.debug("asks for records", extra={"host": name, "kind": kind})
        async with self._slots:
            return await in_thread(lambda: _ask_records(name, kind, self._name_server), f"{kind} of {name}")


def _address_and_port(where: str) -> tuple[str, int | None]:
    """Out of `address` or `address:port`, an IPv6 address before a port in brackets."""
    try:
        return str(ipaddress.ip_address(where)), None
    except ValueError:
        address, _, port = where.rpartition(":")
        return str(ipaddress.ip_address(address.strip("[]"))), int(port)


def _ask_records(name: str, kind: str, name_server: NameServer | None) -> tuple[tuple[str, int], ...]:
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
        raise NameUnresolved(f"the name server gave no {kind} record of {name}: {type(failed).__name__}", is_unknown=False) from None
    records = sorted(answer.rrset or (), key=lambda r: (r.priority, -r.weight) if kind == "SRV" else (0, 0))[:MAX_RECORDS]
    targets = [(record.target.to_text(omit_final_dot=True).lower(), getattr(record, "port", 0)) for record in records]
    # A target of "." says that there is no such service (RFC 2782).
    return tuple((target, port) for target, port in targets if target not in ("", "."))


def _ask_system(host: str) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except socket.gaierror as failed:
        if failed.errno == _NO_ADDRESS:
            told = "exists, but has no address" if _NO_ADDRESS != _NO_SUCH_NAME else "does not exist, or has no address"
            raise NameUnresolved(f"the name {host} {told}", is_unknown=True) from None
        if failed.errno == _NO_SUCH_NAME:
            raise NameUnresolved(f"the name {host} does not exist", is_unknown=True) from None
        raise NameUnresolved(f"the resolver gave no answer for {host}: {failed.strerror}", is_unknown=False) from None
    except (OSError, UnicodeError) as failed:
        raise NameUnresolved(f"{host} could not be looked up: {failed}", is_unknown=False) from None
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
