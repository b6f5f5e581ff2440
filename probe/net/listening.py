"""The other side of the door: listening on a port, with a bound on what clients may hold open.

A connection counts from its acceptance, so that one that never finishes its TLS handshake takes a place too, and gives it back in time.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from probe.model.values import dataclass

_BACKLOG = 128
_PAUSE_SECONDS = 1.0
"""After an accept that failed, as it does where the process has no file descriptor left."""
_SHUTDOWN_SECONDS = 5.0
"""For the end of TLS, which a client may never answer."""
_IPV6_NETWORK = 64
"""Bits of an IPv6 address that one client has to itself."""

_log = logging.getLogger(__name__)

Made = Callable[[Callable[[], None]], asyncio.Protocol]
"""Makes the protocol of a connection; what it is given is called once the connection is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLimits:
    """What clients may hold open."""

    most: int
    """Connections at a time; more wait in the system's queue."""
    most_of_one: int
    """Connections of one address; more are closed at once."""
    handshake_seconds: float


class ListeningPort:
    """A port that is bound and listened on."""

    def __init__(self, host: str, port: int) -> None:
        """`host` is an address, or a name, whose first address is taken; port 0 is any free one. Raises OSError."""
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        self._socket = socket.socket(family, kind, protocol)
        try:
            # On Windows SO_REUSEADDR would let another program take the port over.
            exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR if exclusive is None else exclusive, 1)
            self._socket.bind(address)
            self._socket.listen(_BACKLOG)
            self._socket.setblocking(False)
            bound = self._socket.getsockname()
        except BaseException:
            self._socket.close()
            raise
        self.address: str = bound[0]
        self.port: int = bound[1]

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return is_loopback(self.address)

    def close(self) -> None:
        """Listen no more. Connections that were accepted go on."""
        self._socket.close()

    async def serve(self, made: Made, context: ssl.SSLContext | None, limits: ClientLimits, stop: asyncio.Event) -> None:
        """Accept connections until `stop` is set, and then wait for those that are open. Cancelled, it aborts them."""
        clients = _Clients(limits)
        async with asyncio.TaskGroup() as group:
            accepting = group.create_task(self._accept(clients, group, made, context))
            await stop.wait()
            accepting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await accepting
            self.close()

    async def _accept(self, clients: _Clients, group: asyncio.TaskGroup, made: Made, context: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await clients.places.acquire()
            try:
                connection, address = await loop.sock_accept(self._socket)
            except OSError as failed:
                clients.places.release()
                _log.warning("no connection can be accepted", extra={"error": failed.strerror})
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            client = _client_of(address[0])
            if clients.admit(client):
                group.create_task(clients.hold(connection, client, made, context))
            else:
                connection.close()
                clients.places.release()


class _Clients:
    """The connections that are open, by client."""

    def __init__(self, limits: ClientLimits) -> None:
        self.places = asyncio.Semaphore(limits.most)
        """One for each connection that may yet be accepted."""
        self._limits = limits
        self._open = Counter[str]()

    def admit(self, client: str) -> bool:
        """Count a connection of a client; False where it has as many as it may."""
        if self._open[client] >= self._limits.most_of_one:
            return False
        self._open[client] += 1
        return True

    async def hold(self, connection: socket.socket, client: str, made: Made, context: ssl.SSLContext | None) -> None:
        """Hand a connection that was admitted over to its protocol, and wait until it is gone."""
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        transport: asyncio.BaseTransport | None = None
        try:
            with contextlib.suppress(OSError):  # of TLS too; the client is gone, or never spoke TLS
                transport, _ = await loop.connect_accepted_socket(
                    lambda: made(gone.set),
                    connection,
                    ssl=context,
                    ssl_handshake_timeout=None if context is None else self._limits.handshake_seconds,
                    ssl_shutdown_timeout=None if context is None else _SHUTDOWN_SECONDS,
                )
                await gone.wait()
        finally:
            if isinstance(transport, asyncio.WriteTransport):
                # One of TLS that is closed already cannot be aborted in Python 3.11.2, which Debian 12 has.
                with contextlib.suppress(AttributeError):
                    transport.abort()
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]
            self.places.release()


class ServerIdentity:
    """A certificate chain with its key, both in PEM files, and the TLS settings of a server that shows it."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises ValueError with one sentence."""
        self._files = (certificate, key)
        self._read: tuple[bytes, bytes] | None = None
        self.context = _server_context()
        self.leaf = b""
        """The server's own certificate, in DER."""
        self.renew()

    def renew(self) -> bool:
        """Whether the files hold something else than before, which new handshakes then show. Raises ValueError with one sentence, and keeps what was."""
        certificate, key = self._files
        try:
            read = (certificate.read_bytes(), key.read_bytes())
            if read == self._read:
                return False
            leaf = ssl.PEM_cert_to_DER_cert(_first_certificate(read[0].decode("ascii", "replace")))
            # What does not fit must not spoil the settings that serve. Without a password given, an encrypted key would be asked about on the terminal.
            for context in (_server_context(), self.context):
                context.load_cert_chain(certificate, key, password=lambda: b"")
        except ssl.SSLError as wrong:
            why = (wrong.reason or "no PEM in them can be read").lower().replace("_", " ")
            raise ValueError(f"{certificate} and {key} are no certificate with its key, unencrypted, in PEM: {why}") from None
        except OSError as failed:
            raise ValueError(f"{failed.filename or certificate} cannot be read: {failed.strerror}") from None
        except ValueError:
            raise ValueError(f"{certificate} holds no certificate in PEM") from None
        self._read, self.leaf = read, leaf
        return True


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


_BEGINS, _ENDS = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def _first_certificate(pem: str) -> str:
    begun = pem[pem.index(_BEGINS) :]
    return begun[: begun.index(_ENDS) + len(_ENDS)]


def is_loopback(address: str) -> bool:
    """Whether an address is of this machine alone, also where IPv6 has it as one of IPv4."""
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (getattr(read, "ipv4_mapped", None) or read).is_loopback


def _client_of(address: str) -> str:
    """Whom connections from an address are counted for."""
    read = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(read, ipaddress.IPv4Address) or read.ipv4_mapped is not None:
        return str(read)
    return str(ipaddress.ip_network((read, _IPV6_NETWORK), strict=False))
