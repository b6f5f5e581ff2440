"""How a prober comes to its connections, without opening a socket itself."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

from probe.model.attempts import Outcome, TranscriptLine
from probe.model.estate import Endpoint, Security, Service
from probe.net.failures import CertificateNotTrusted, NameUnresolved, NoAddressAnswered, UntrustedPeer, expected, unconnectable
from probe.net.killable import Children
from probe.net.limits import Deadline, Limits
from probe.net.names import NameServer, Resolver
from probe.net.starttls import come_to_tls
from probe.net.stream import Stream, TcpPipe
from probe.net.tls import TlsPolicies
from probe.net.transcript import Recorder
from probe.tables.authorities import entra_clouds

A = TypeVar("A")
R = TypeVar("R")


class Network:
    """What all attempts of a run share: the resolver, the limits, the TLS contexts, the children."""

    def __init__(
        self,
        *,
        hosts: Mapping[str, str] | None = None,
        ca_file: Path | None = None,
        children: Children,
        name_server: NameServer | None = None,
        system_anchors: Path | None = None,
    ) -> None:
        self.resolver = Resolver(hosts, name_server)
        self.limits = Limits()
        self.policies = TlsPolicies(ca_file, system_anchors)
        self.ca_file = ca_file
        self.system_anchors = system_anchors
        """PEM in place of this machine's own trust anchors, where those alone vouch for a peer; only tests have it."""
        self.children = children


class Dial:
    """The way of one attempt to its endpoint. Records the addresses, the one used, and the connections made."""

    def __init__(
        self, endpoint: Endpoint, network: Network, deadline: Deadline, recorder: Recorder, only_address: str | None = None
    ) -> None:
        self.endpoint = endpoint
        self._network = network
        self._deadline = deadline
        self._recorder = recorder
        self._only_address = only_address
        self._distrust: str | None = None
        self.addresses: tuple[str, ...] | None = None
        """Every address of the name; None while it is not resolved, empty when there is no such name."""
        self.address: str | None = None
        """The address that answered."""
        self.connected: bool | None = None
        """Whether a connection came about; None where that was not settled."""
        self.connections = 0
        self.showed_chain: Stream | None = None
        """The latest connection for reading on which the peer showed a certificate, whether the handshake came to its end or not."""

    @property
    def distrust(self) -> str | None:
        """Why a chain was not verified on a connection of this attempt; None when that did not happen."""
        return self._distrust

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Stream]:
        """A connection to read from. Where the endpoint speaks TLS at once, TLS is up."""
        policies = self._network.policies
        context = await (policies.reading() if self._distrust is None else policies.reading_unverified())
        async with self._connected(context) as stream:
            stream.distrust = self._distrust
            try:
                if self.endpoint.security is Security.IMPLICIT:
                    await stream.start_tls()
                yield stream
            finally:
                if stream.chain:
                    self.showed_chain = stream

    @asynccontextmanager
    async def open_bare(self, *, recorded: bool = True) -> AsyncIterator[Stream]:
        """A connection on which no TLS is begun, even where the endpoint speaks TLS at once: for hellos of the caller's own making.

        One that is not recorded leaves nothing in the transcript, not even that it was made, since an attempt may make
        hundreds; it counts as any other does, and waits for its turn. The caller writes down by `note` what came of it.
        """
        async with self._connected(None, recorded=recorded) as stream:
            yield stream

    @asynccontextmanager
    async def open_trusted(self, *, recorded: bool = True) -> AsyncIterator[Stream]:
        """A connection that has earned credentials: TLS is up, verified, for the very name.

        One that is not recorded leaves nothing in the transcript; it is for what is a secret nearly as a whole.

        Raises UntrustedPeer, and NoUpgrade where the service goes over to TLS by a command and the server will not.
        """
        policies = self._network.policies
        context = await (policies.system_credentials() if self._is_entra else policies.credentials())
        async with self._connected(context, recorded=recorded) as stream:
            await come_to_tls(stream, self.endpoint.service, self.endpoint.security)
            try:
                await stream.start_tls()
            except CertificateNotTrusted as refused:
                raise UntrustedPeer(f"no credentials were sent, since {refused}") from refused
            yield stream

    async def converse(self, talk: Callable[[Stream], Awaitable[None]]) -> None:
        """Hold a conversation; if the certificate proves untrusted, hold it once more without verifying, for reading only."""
        try:
            async with self.open() as stream:
                await talk(stream)
        except CertificateNotTrusted as refused:
            self._distrust = refused.reason
            async with self.open() as stream:
                await talk(stream)

    def to(self, endpoint: Endpoint) -> Dial:
        """The way of the same attempt to another endpoint: the same deadline and transcript."""
        return Dial(endpoint, self._network, self._deadline, self._recorder)

    async def aliases(self, host: str) -> tuple[str, ...]:
        """As `Resolver.aliases`."""
        return await self._network.resolver.aliases(host)

    async def services(self, name: str) -> tuple[tuple[str, int], ...]:
        """As `Resolver.services`."""
        return await self._network.resolver.services(name)

    def remaining(self) -> float:
        """Seconds left of the attempt."""
        return self._deadline.remaining()

    def note(self, text: str) -> TranscriptLine | None:
        """Write down something that happened beside the connections, such as what a child process did."""
        return self._recorder.note(text)

    async def in_child(self, function: Callable[[A], R], argument: A, *, first: Callable[[], Awaitable[None]] | None = None) -> R:
        """What a module-level function makes of an argument, in a child that ends with the attempt. Waiting for a child costs no time.

        `first` is awaited once there is a child, just before it begins.
        """
        async with AsyncExitStack() as stack:
            async with self._deadline.standing_still():
                turn = await stack.enter_async_context(self._network.children.turn())
            if first is not None:
                await first()
            return await turn.run(function, argument, seconds=self.remaining())

    @property
    def ca_file(self) -> Path | None:
        """More trust anchors, for a library that makes its own connections; None to Entra ID, for which only the system's own vouch."""
        return None if self._is_entra else self._network.ca_file

    @property
    def system_anchors(self) -> Path | None:
        """As `Network.system_anchors`, for a library that makes its own connections."""
        return self._network.system_anchors if self._is_entra else None

    @property
    def _is_entra(self) -> bool:
        return self.endpoint.service is Service.AUTHORITY and bool(entra_clouds(self.endpoint.host))

    @asynccontextmanager
    async def _connected(self, context: ssl.SSLContext | None, *, recorded: bool = True) -> AsyncIterator[Stream]:
        await self._resolve()
        port = self._network.resolver.port(self.endpoint.host, self.endpoint.port)
        failures: list[str] = []
        outcome = Outcome.UNREACHABLE
        candidates = self._candidates()
        for position, address in enumerate(candidates):
            async with self._network.limits.turn(address, port, self._deadline):
                # A dead address must leave time for the next; the last may use all that is left.
                share = self._deadline.remaining() / (len(candidates) - position)
                try:
                    pipe = await self._connect(address, port, share if position + 1 < len(candidates) else None)
                except OSError as failed:
                    named = expected(failed) or unconnectable(failed)
                    if named is None:
                        raise
                    outcome, words = named
                    failures.append(f"{address}: {words}")
                    if recorded:
                        self._recorder.note(f"no connection to {_shown(address, port)}: {words}")
                    continue
                self.address, self.connected = address, True
                self.connections += 1
                if recorded:
                    self._recorder.note(f"connected to {_shown(address, port)}")
                stream = Stream(pipe, self.endpoint.host, address, port, context, self._recorder, recorded=recorded)
                try:
                    async with stream:
                        yield stream
                finally:
                    # The turn lasts until the connection is gone, or a server would count one too many.
                    if pipe.transport.is_closing():
                        await _gone(pipe)
                return
        if self.connected is None and outcome is not Outcome.TIMED_OUT:
            self.connected = False
        raise NoAddressAnswered("; ".join(failures), outcome)

    async def _resolve(self) -> None:
        if self.addresses is None:
            try:
                self.addresses = await self._network.resolver.addresses(self.endpoint.host)
            except NameUnresolved as failed:
                self.addresses = () if failed.is_unknown else None
                raise

    def _candidates(self) -> tuple[str, ...]:
        chosen = self.address or self._only_address
        return (chosen,) if chosen is not None else self.addresses or ()

    async def _connect(self, address: str, port: int, seconds: float | None) -> TcpPipe:
        try:
            async with asyncio.timeout(seconds):
                _, pipe = await asyncio.get_running_loop().create_connection(TcpPipe, address, port)
        except TimeoutError:
            raise TimeoutError("the connection did not come about in time") from None
        return pipe


async def _gone(pipe: TcpPipe) -> None:
    """Wait, but not for long, until a closing connection is gone."""
    try:
        async with asyncio.timeout(1):
            await pipe.closed.wait()
    except TimeoutError:
        pipe.transport.abort()


def _shown(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
