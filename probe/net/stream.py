"""A connection: sends and receives bytes, upgrades to TLS, keeps bounds, and records a transcript.

Built on asyncio.Protocol rather than on StreamReader, whose buffer survives an upgrade to TLS.
"""

from __future__ import annotations

import asyncio
import ssl
from types import TracebackType
from typing import cast

from probe.model.attempts import TranscriptLine
from probe.model.characters import visible
from probe.model.kinds import TlsSession
from probe.net.failures import CertificateNotTrusted, OffProtocol, PlaintextInsteadOfTls
from probe.net.tls import TlsLayer
from probe.net.transcript import Recorder
from probe.wire.lines import as_text

HIGH_WATER_BYTES = 64 * 1024
"""Received and not yet read; above it the transport stops reading, so that a flood costs the peer, not us."""
OBJECTION_SECONDS = 2.0
"""The wait for a server's objection to a TLS 1.3 handshake that is complete on our side: one round trip, and the time to send it."""
READ_BYTES = 4 * 1024
"""Taken from the system at once: most of what mail servers say fits, and with 800 connections at a time it takes 3 MB."""
MAX_CONVERSATION_BYTES = 4 * 1024 * 1024
"""Longest conversation with one peer over one connection, its TLS included; none of ours needs a tenth of it."""


class TcpPipe(asyncio.BufferedProtocol):
    """Raw bytes of one TCP connection, with back-pressure both ways.

    It reads into a buffer of its own: for a plain Protocol asyncio has 256 KiB allocated for each read, which costs more than the read.
    """

    def __init__(self) -> None:
        self._read_into = memoryview(bytearray(READ_BYTES))
        self._received = bytearray()
        self._ended = False
        self._failure: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self.transport: asyncio.Transport
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._read_into

    def buffer_updated(self, nbytes: int) -> None:
        self._received += self._read_into[:nbytes]
        if len(self._received) > HIGH_WATER_BYTES:
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._ended = True
        self._wake()
        return True  # half-closed: what we still have to say may be said

    def connection_lost(self, failure: Exception | None) -> None:
        self._ended = True
        self._failure = failure
        self._writable.set()
        self.closed.set()
        self._wake()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    async def read(self) -> bytes:
        """What came, or nothing once the peer has closed. Raises ConnectionError when it reset."""
        while not self._received and not self._ended:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        if not self._received and self._failure is not None:
            raise self._failure
        data = bytes(self._received)
        self._received.clear()
        if not self._ended:
            self.transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        if self._failure is not None:
            raise self._failure
        self.transport.write(data)
        await self._writable.wait()

    def take_unread(self) -> bytes:
        """What has come and was not read yet."""
        data = bytes(self._received)
        self._received.clear()
        return data

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


class Stream:
    """One connection of an attempt. `async with` it: leaving closes the connection."""

    def __init__(
        self,
        pipe: TcpPipe,
        host: str,
        address: str,
        port: int,
        context: ssl.SSLContext | None,
        recorder: Recorder,
        *,
        recorded: bool = True,
        hello_seconds: float | None = None,
        is_hello_older: bool = False,
        most_bytes: int = MAX_CONVERSATION_BYTES,
    ) -> None:
        """`hello_seconds`: how long the first answer to our TLS hello is waited for; None for as long as the attempt lasts.
        `most_bytes`: what the peer may send before it counts as one that never ends.
        """
        self._pipe = pipe
        self._tls: TlsLayer | None = None
        self._context = context
        self._recorder = recorder
        self._recorded = recorded
        self._received = 0
        self._most_bytes = most_bytes
        self._hello_seconds = hello_seconds
        self.is_hello_older = is_hello_older
        """Whether TLS is begun here with a hello as clients sent it before TLS 1.3."""
        self.is_hello_unanswered = False
        """Whether a handshake failed with no other answer to our hello than one that a server which cannot read it may give."""
        self.host = host
        self.address = address
        self.port = port
        self.session: TlsSession | None = None
        """What the handshake agreed on, once there was one."""
        self.chain: tuple[bytes, ...] = ()
        """Certificates that the peer sent, DER; also where the handshake failed after that."""
        self.verified_chain: tuple[bytes, ...] = ()
        """Certificates that OpenSSL verified on this connection, DER, the anchor last; none where it verified nothing."""
        self.is_verified = False
        """Whether OpenSSL verified the chain, on this connection."""
        self.distrust: str | None = None
        """Why the chain was not verified, on this connection or an earlier one of this attempt; None where it was verified, or that was not tried."""

    async def receive(self) -> bytes:
        """Some bytes, at most about 64 KiB; none once the peer has closed."""
        data = await (self._tls or self._pipe).read()
        self._count(len(data))
        if self._recorded:
            self._recorder.heard(data)
        return data

    async def send(self, data: bytes, *, shown: str | None = None) -> None:
        """Send all of it. `shown` stands in the transcript instead, where what is sent is a secret or made of one."""
        if self._recorded:
            self._recorder.said(data if shown is None else f"{shown}\r\n".encode())
        await (self._tls or self._pipe).write(data)

    async def start_tls(self) -> None:
        """Shake hands. Raises a TlsFailed of the kind that fits. A bare stream cannot."""
        assert self._context is not None
        layer = TlsLayer(self._pipe, self._context, self.host)
        try:
            await layer.handshake(self._hello_seconds)
        except CertificateNotTrusted as refused:
            self.distrust = refused.reason
            self.note(f"TLS handshake: certificate not trusted: {refused.reason}")
            raise
        except PlaintextInsteadOfTls as plain:
            if self._recorded:
                self._recorder.heard(plain.data)
            raise
        except Exception as failed:
            self.is_hello_unanswered = layer.is_unanswered
            self.note(f"TLS handshake failed: {failed}")
            raise
        finally:
            # A server that asks for a certificate of ours shows its own first, and so may one that then falls silent.
            self.chain, self.verified_chain, self.is_verified = layer.chain(), layer.verified_chain(), layer.has_verified
        self._tls = layer
        self.session = layer.session()
        self.note(f"TLS handshake: {self.session.version} {self.session.suite}")

    @property
    def has_received(self) -> bool:
        """Whether the peer has said anything; what was said in a handshake does not count."""
        return self._received > 0

    async def is_let_in(self, seconds: float = OBJECTION_SECONDS) -> bool:
        """As `TlsLayer.is_let_in`. Raises ClientCertificateWanted among others."""
        assert self._tls is not None
        return await self._tls.is_let_in(seconds)

    def take_unread(self) -> bytes:
        """What came in clear and was not asked for; before an upgrade it must be nothing."""
        data = self._pipe.take_unread()
        if self._recorded:
            self._recorder.heard(data)
        return data

    def heard_inside(self, data: bytes) -> None:
        """Write down what the peer said inside of what came: a body that it had compressed."""
        self.note("unpacked, this reads:")
        if self._recorded:
            self._recorder.heard(data)

    def heard(self, text: str) -> TranscriptLine | None:
        """The latest line of the peer that contains a text, as evidence for it."""
        return self._recorder.latest(text)

    def evidence(self, *texts: str) -> tuple[TranscriptLine, ...]:
        """The latest lines of the peer that contain these texts, as far as there are any."""
        return tuple(line for text in texts if (line := self._recorder.latest(text)) is not None)

    @property
    def handshake_line(self) -> tuple[TranscriptLine, ...]:
        """The note of the latest handshake in the transcript, as evidence, whether it failed or not."""
        line = self._recorder.latest_note("TLS handshake")
        return (line,) if line else ()

    @property
    def local_address(self) -> str:
        """Our own address on this connection."""
        return str(self._pipe.transport.get_extra_info("sockname")[0])

    def close(self) -> None:
        """End the connection at once."""
        self._pipe.transport.abort()

    async def __aenter__(self) -> Stream:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # A polite FIN where all went well; where it did not, nobody waits for one.
        if kind is None:
            self._pipe.transport.close()
        else:
            self._pipe.transport.abort()

    def note(self, text: str) -> None:
        """Record an event of this connection that is not part of the conversation."""
        if self._recorded:
            self._recorder.note(text)

    def _count(self, size: int) -> None:
        self._received += size
        if self._received > self._most_bytes:
            raise OffProtocol(f"the peer sent more than {self._most_bytes // 1024 // 1024} MiB")


def shown_bytes(data: bytes) -> str:
    """Bytes as the text of a fact, line ends escaped too, bounded."""
    text = visible(as_text(data[:2000]), keep="")
    return text if len(data) <= 2000 else f"{text}... ({len(data)} bytes)"
