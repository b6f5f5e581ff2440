"""Opens connections for a prober, which opens no socket itself."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import NoReturn, TypeVar

from probe.model.attempts import Outcome, TranscriptLine
from probe.model.estate import Endpoint, Security, Service
from probe.net.failures import (
    CertificateNotTrusted,
    NameUnresolved,
    NoAddressAnswered,
    PeerClosed,
    PeerFailure,
    TlsFailed,
    UntrustedPeer,
    expected,
    unconnectable,
)
from probe.net.killable import Children
from probe.net.limits import Deadline, Limits
from probe.net.names import NameServer, Resolver
from probe.net.race import Race, interleaved
from probe.net.starttls import come_to_tls
from probe.net.stream import MAX_CONVERSATION_BYTES, Stream, TcpPipe
from probe.net.tls import TlsPolicies
from probe.net.transcript import Recorder
from probe.tables.authorities import entra_clouds

_log = logging.getLogger(__name__)

A = TypeVar("A")
R = TypeVar("R")


class Network:
    """What all attempts of a run share: what was learnt of names and servers; and limits, TLS contexts and children, which outlive the run."""

    def __init__(
        self,
        *,
        hosts: Mapping[str, str] | None = None,
        ca_file: Path | None = None,
        children: Children,
        name_server: NameServer | None = None,
        system_anchors: Path | None = None,
        limits: Limits | None = None,
        policies: TlsPolicies | None = None,
    ) -> None:
        """`limits` and `policies` are those of the process, where it holds several runs; the policies, of the same anchors."""
        self.limits = limits or Limits()
        self.resolver = Resolver(hosts, name_server, self.limits.lookups)
        self.policies = policies or TlsPolicies(ca_file, system_anchors)
        self.ca_file = ca_file
        self.silent_addresses: set[tuple[str, int]] = set()
        """Addresses and ports that had not answered yet when another address of the same name had."""
        self.older_hellos: set[tuple[str, int]] = set()
        """Hosts and ports where TLS succeeded only with a hello as clients sent it before TLS 1.3."""
        self.system_anchors = system_anchors
        """PEM in place of this machine's own trust anchors, where those alone vouch for a peer; only tests have it."""
        self.children = children


class Dial:
    """Opens the connections of one attempt to its endpoint. Records the addresses, the one used, and the number of connections."""

    def __init__(
        self, endpoint: Endpoint, network: Network, deadline: Deadline, recorder: Recorder, only_address: str | None = None
    ) -> None:
        self.endpoint = endpoint
        self._network = network
        self._deadline = deadline
        self._recorder = recorder
        self._only_address = only_address
        self._distrust: str | None = None
        self._latest: Stream | None = None
        self.addresses: tuple[str, ...] | None = None
        """Every address of the name; None while it is not resolved, empty when it has none."""
        self.address: str | None = None
        """The address that answered."""
        self.connected: bool | None = None
        """Whether a connection was made; None where that was not settled."""
        self.connections = 0
        self.showed_chain: Stream | None = None
        """The latest connection for reading on which the peer showed a certificate, whether the handshake came to its end or not."""

    @property
    def distrust(self) -> str | None:
        """Why a chain was not verified on a connection of this attempt; None when that did not happen."""
        return self._distrust

    @property
    def sends_older_hello(self) -> bool:
        """Whether TLS begins here with a hello as clients sent it before TLS 1.3, because the server fails on a present-day one."""
        return self._place in self._network.older_hellos

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Stream]:
        """A connection for reading. Where the endpoint uses implicit TLS, TLS is up."""
        policies, older = self._network.policies, self.sends_older_hello
        context = await (policies.reading(older=older) if self._distrust is None else policies.reading_unverified(older=older))
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
    async def open_unverified(self) -> AsyncIterator[Stream]:
        """A connection with TLS up, unverified, for looking at the handshake alone. Raises NoUpgrade as `open_trusted` does."""
        context = await self._network.policies.reading_unverified(older=self.sends_older_hello)
        async with self._connected(context) as stream:
            await come_to_tls(stream, self.endpoint.service, self.endpoint.security)
            await stream.start_tls()
            yield stream

    @asynccontextmanager
    async def open_bare(self, *, recorded: bool = True, most_bytes: int = MAX_CONVERSATION_BYTES) -> AsyncIterator[Stream]:
        """A connection without TLS, even where the endpoint uses implicit TLS: for hellos that the caller makes, and for `http://`.

        One that is not recorded leaves nothing in the transcript, not even that it was made, since an attempt may make
        hundreds; it counts as any other does, and waits for its turn. The caller writes down by `note` what came of it.
        """
        async with self._connected(None, recorded=recorded, most_bytes=most_bytes) as stream:
            yield stream

    @asynccontextmanager
    async def open_trusted(self, *, recorded: bool = True, most_bytes: int = MAX_CONVERSATION_BYTES) -> AsyncIterator[Stream]:
        """A connection that credentials may be sent over: TLS is up and verified for the very name.

        One that is not recorded leaves nothing in the transcript; it is for what is a secret nearly as a whole, or is too long to be kept.
        `most_bytes` is what may come over it.

        Raises UntrustedPeer, and NoUpgrade where the service goes over to TLS by a command and the server will not.
        """
        async with AsyncExitStack() as stack:
            try:
                stream = await stack.enter_async_context(self._trusted(recorded, most_bytes))
            except (PeerFailure, OSError) as failed:
                if not self._may_send_older_hello(failed):
                    raise
                with self._sending_older_hello(failed):
                    stream = await stack.enter_async_context(self._trusted(recorded, most_bytes))
            yield stream

    @asynccontextmanager
    async def _trusted(self, recorded: bool, most_bytes: int) -> AsyncIterator[Stream]:
        policies, older = self._network.policies, self.sends_older_hello
        context = await (policies.system_credentials(older=older) if self._is_entra else policies.credentials(older=older))
        async with self._connected(context, recorded=recorded, most_bytes=most_bytes) as stream:
            await come_to_tls(stream, self.endpoint.service, self.endpoint.security)
            try:
                await stream.start_tls()
            except CertificateNotTrusted as refused:
                if refused.is_too_weak:
                    raise UntrustedPeer(
                        f"no credentials were sent: the security level of this machine's OpenSSL forbids it ({refused.reason}). That is no "
                        "question of whom it trusts, and the deployment's Windows may think otherwise"
                    ) from refused
                raise UntrustedPeer(f"no credentials were sent, since {refused}") from refused
            except TlsFailed as failed:
                if type(failed) is TlsFailed:
                    raise TlsFailed(f"no credentials were sent, since under the stricter terms for them {failed}") from failed
                raise
            yield stream

    async def converse(self, talk: Callable[[Stream], Awaitable[None]]) -> None:
        """Hold a conversation, for reading only.

        If the certificate is not trusted, the conversation is held once more without verifying. If the server does not answer a present-day TLS
        hello, it is held once more with one from before TLS 1.3. If the server ends the connection before it said anything in TLS 1.3, its
        objection is looked for.
        """
        try:
            await self._converse(talk)
        except (PeerFailure, OSError) as failed:
            if self._may_send_older_hello(failed):
                with self._sending_older_hello(failed):
                    await self._converse(talk)
            elif isinstance(failed, PeerClosed | ConnectionError) and self._is_unheard:
                await self._hear_objection(failed)
                raise
            else:
                raise

    async def _converse(self, talk: Callable[[Stream], Awaitable[None]]) -> None:
        try:
            async with self.open() as stream:
                await talk(stream)
        except CertificateNotTrusted as refused:
            self._distrust = refused.reason
            self._log_retry("without verifying the certificate", refused)
            async with self.open() as stream:
                await talk(stream)

    def _may_send_older_hello(self, failed: Exception) -> bool:
        """Whether a handshake failed in such a way that a hello as clients sent it before TLS 1.3 may succeed."""
        is_tls = isinstance(failed, TlsFailed | PeerClosed | ConnectionError | TimeoutError)
        return is_tls and self._latest is not None and self._latest.is_hello_unanswered and not self.sends_older_hello

    @contextmanager
    def _sending_older_hello(self, failed: Exception) -> Iterator[None]:
        """A context within which TLS begins as clients began it before TLS 1.3. Where that fails too, the first failure counts."""
        self._recorder.note(
            "the server does not answer a TLS hello of today: once more with one as clients sent it before TLS 1.3, up to TLS 1.2 and with few suites"
        )
        self._log_retry("with a TLS hello of before TLS 1.3", failed)
        self._network.older_hellos.add(self._place)
        try:
            yield
        except Exception:
            if self._latest is None or self._latest.is_hello_unanswered:
                self._network.older_hellos.discard(self._place)
                raise failed from None
            raise

    @property
    def _is_unheard(self) -> bool:
        """Whether the latest connection reached TLS 1.3 and the server has said nothing on it since."""
        stream = self._latest
        return stream is not None and stream.session is not None and stream.session.version == "TLSv1.3" and not stream.has_received

    async def _hear_objection(self, failed: Exception) -> None:
        """Shake hands once more and ask nothing: a request that crosses the end of the connection would lose the alert. Raises the server's objection."""
        self._recorder.note("the server ended the connection unheard: once more without asking anything, to hear what it objects")
        self._log_retry("without asking anything", failed)
        try:
            async with self.open() as stream:
                await stream.is_let_in()
        except TlsFailed as objection:
            raise objection from failed
        except (PeerFailure, OSError):
            return

    def _log_retry(self, how: str, failed: Exception) -> None:
        # By the kind of the failure: its words may be the peer's.
        _log.info(f"once more, {how}", extra={"endpoint": self.endpoint.url, "after": type(failed).__name__})

    @property
    def _place(self) -> tuple[str, int]:
        return self.endpoint.host, self.endpoint.port

    def to(self, endpoint: Endpoint) -> Dial:
        """A Dial of the same attempt to another endpoint, with the same deadline and transcript."""
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
        """The result of a module-level function for an argument, in a child that ends with the attempt. Waiting for a child costs no time.

        `first` is awaited once there is a child, just before the function begins.
        """
        async with AsyncExitStack() as stack:
            async with self._deadline.standing_still():
                turn = await stack.enter_async_context(self._network.children.turn())
            if first is not None:
                await first()
            return await turn.run(function, argument, seconds=self.remaining())

    @property
    def ca_file(self) -> Path | None:
        """More trust anchors, for a library that makes its own connections; None for Entra ID, which only the system's own anchors vouch for."""
        return None if self._is_entra else self._network.ca_file

    @property
    def system_anchors(self) -> Path | None:
        """As `Network.system_anchors`, for a library that makes its own connections."""
        return self._network.system_anchors if self._is_entra else None

    @property
    def _is_entra(self) -> bool:
        return self.endpoint.service is Service.AUTHORITY and bool(entra_clouds(self.endpoint.host))

    @asynccontextmanager
    async def _connected(
        self, context: ssl.SSLContext | None, *, recorded: bool = True, most_bytes: int = MAX_CONVERSATION_BYTES
    ) -> AsyncIterator[Stream]:
        await self._resolve()
        port = self._network.resolver.port(self.endpoint.host, self.endpoint.port)
        async with self._turn_taken(port, recorded=recorded) as (address, pipe):
            self.address, self.connected = address, True
            self.connections += 1
            _log.debug("connected", extra={"endpoint": self.endpoint.url, "address": address, "port": port})
            if recorded:
                self._recorder.note(f"connected to {_shown(address, port)}")
            older = self.sends_older_hello
            stream = Stream(
                pipe,
                self.endpoint.host,
                address,
                port,
                context,
                self._recorder,
                recorded=recorded,
                # Half of what is left is kept for an older hello, should the server not answer the first.
                hello_seconds=None if older else self._deadline.remaining() / 2,
                is_hello_older=older,
                most_bytes=most_bytes,
            )
            self._latest = stream
            try:
                async with stream:
                    yield stream
            finally:
                # The turn lasts until the connection is gone, or a server would count one too many.
                if pipe.transport.is_closing():
                    await _gone(pipe)

    @asynccontextmanager
    async def _turn_taken(self, port: int, *, recorded: bool) -> AsyncIterator[tuple[str, TcpPipe]]:
        """A connection to the first address that answers, with its turn there. Raises NoAddressAnswered."""
        candidates = self._candidates(port)
        if len(candidates) == 1:  # nothing to race against, as for each connection after the first
            address = candidates[0]
            async with self._network.limits.turn(address, port, self._deadline):
                try:
                    pipe = await self._connect(address, port, None)
                except OSError as failure:
                    self._note_failures({address: failure}, port, recorded=recorded)
                    self._raise_unanswered(candidates, {address: failure})
                yield address, pipe
            return
        race = Race(candidates, lambda address, seconds: self._one_connection(address, port, seconds), self._deadline.remaining)
        async with race.run() as winner:
            self._note_failures(race.failures, port, recorded=recorded)
            for address in race.silent:
                self._network.silent_addresses.add((address, port))
                if recorded:
                    self._recorder.note(f"no connection to {_shown(address, port)} yet when another address answered")
            if winner is None:
                self._raise_unanswered(candidates, race.failures)
            yield winner

    def _note_failures(self, failures: Mapping[str, OSError], port: int, *, recorded: bool) -> None:
        """Write down why addresses were not reached. Raises the failure that nobody expects."""
        for address, failed in failures.items():
            named = expected(failed) or unconnectable(failed)
            if named is None:
                raise failed
            if recorded:
                self._recorder.note(f"no connection to {_shown(address, port)}: {named[1]}")

    def _raise_unanswered(self, candidates: Sequence[str], failures: Mapping[str, OSError]) -> NoReturn:
        told = {address: expected(failure) or unconnectable(failure) for address, failure in failures.items()}
        named = [(address, *words) for address in candidates if (words := told.get(address)) is not None]
        outcome = named[-1][1] if named else Outcome.UNREACHABLE
        if self.connected is None and outcome is not Outcome.TIMED_OUT:
            self.connected = False
        raise NoAddressAnswered("; ".join(f"{address}: {words}" for address, _, words in named), outcome)

    @asynccontextmanager
    async def _one_connection(self, address: str, port: int, seconds: float | None) -> AsyncIterator[Callable[[], Awaitable[TcpPipe]]]:
        """A turn at one address, within which a connection to it may be made."""
        async with self._network.limits.turn(address, port, self._deadline):
            yield lambda: self._connect(address, port, seconds)

    async def _resolve(self) -> None:
        if self.addresses is None:
            try:
                self.addresses = await self._network.resolver.addresses(self.endpoint.host)
            except NameUnresolved as failed:
                self.addresses = () if failed.is_unknown else None
                raise

    def _candidates(self, port: int) -> tuple[str, ...]:
        """The addresses in the order in which they are tried: those that were silent while another answered come last."""
        chosen = self.address or self._only_address
        if chosen is not None:
            return (chosen,)
        silent = self._network.silent_addresses
        return tuple(sorted(interleaved(self.addresses or ()), key=lambda address: (address, port) in silent))

    async def _connect(self, address: str, port: int, seconds: float | None) -> TcpPipe:
        try:
            async with asyncio.timeout(seconds):
                _, pipe = await asyncio.get_running_loop().create_connection(TcpPipe, address, port)
        except TimeoutError:
            raise TimeoutError("the connection did not come about in time") from None
        return pipe


async def _gone(pipe: TcpPipe) -> None:
    """Wait until a closing connection is gone, which it is after a short time at the latest, and mostly by the loop's next turn."""
    await asyncio.sleep(0)
    if pipe.closed.is_set():
        return
    end = asyncio.get_running_loop().call_later(1, pipe.transport.abort)
    try:
        await pipe.closed.wait()
    finally:
        end.cancel()


def _shown(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
