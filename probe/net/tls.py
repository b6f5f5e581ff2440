"""TLS over any pipe of bytes, by OpenSSL, with every byte in our own hands.

asyncio's own `start_tls` is not used: bytes that came in clear before the handshake would be handed over as if
they had come inside TLS, and bytes that come in clear in place of it would be lost. Here they are seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from probe.model.facts import TlsSession
from probe.net.failures import CertificateNotTrusted, OffProtocol, PeerClosed, PlaintextInsteadOfTls, TlsFailed, tls_sentence
from probe.net.trust import verifying_context
from probe.tables import suite_name
from probe.wire.lines import as_text, in_quotes

_RECORD_TYPES = range(0x14, 0x19)
"""First byte of every TLS record (RFC 8446 section 5.1); no text protocol begins a line so."""


class TlsPolicies:
    """The contexts of a run, made when first needed, in a thread: loading trust anchors takes 20 to 60 ms, in which others may go on."""

    def __init__(self, ca_file: Path | None = None, system_anchors: Path | None = None) -> None:
        """`system_anchors` as in `probe.net.dial.Network`."""
        self._ca_file = ca_file
        self._system_anchors = system_anchors
        self._made: dict[str, ssl.SSLContext] = {}
        self._making = asyncio.Lock()

    async def reading(self) -> ssl.SSLContext:
        """For reading: verified, the name apart, and otherwise as lenient as OpenSSL can be, or old servers could not be read at all."""
        return await self._once("reading", lambda: self._lenient(verified=True))

    async def reading_unverified(self) -> ssl.SSLContext:
        """For reading after the verified one failed."""
        return await self._once("reading_unverified", lambda: self._lenient(verified=False))

    async def credentials(self) -> ssl.SSLContext:
        """For sending a secret: this machine's anchors and those that were added, the name included."""
        return await self._once("credentials", lambda: verifying_context(self._ca_file))

    async def system_credentials(self) -> ssl.SSLContext:
        """For sending a secret to whom this machine's own anchors alone vouch for, and no anchor that was added for the mail servers."""
        return await self._once("system_credentials", lambda: verifying_context(system_anchors=self._system_anchors))

    async def _once(self, name: str, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        async with self._making:
            if name not in self._made:
                self._made[name] = await asyncio.to_thread(make)
            return self._made[name]

    def _lenient(self, *, verified: bool) -> ssl.SSLContext:
        context = verifying_context(self._ca_file) if verified else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("ALL:!aNULL:!eNULL:@SECLEVEL=0")
        context.options |= ssl.OP_LEGACY_SERVER_CONNECT if hasattr(ssl, "OP_LEGACY_SERVER_CONNECT") else 0x4
        context.check_hostname = False
        if not verified:
            context.verify_mode = ssl.CERT_NONE
        return context


def check_anchors(file: Path) -> None:
    """See that a file of trust anchors can be loaded, by the very call that a run makes. Raises ValueError with one sentence.

    OpenSSL reads the whole file, lists of revoked certificates included, and takes nothing of it where one part is broken.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(file)
    except ssl.SSLError:
        raise ValueError(f"{file} holds no PEM certificates that can be read, or something else besides that cannot") from None
    except OSError as failed:
        raise ValueError(f"{file} cannot be read: {failed.strerror}") from None
    if not context.cert_store_stats()["x509"]:
        raise ValueError(f"{file} holds no PEM certificates, only lists of revoked ones")


class Pipe(Protocol):
    """What TLS runs over."""

    async def read(self) -> bytes: ...
    async def write(self, data: bytes) -> None: ...


class TlsLayer:
    """One TLS connection over a pipe."""

    def __init__(self, pipe: Pipe, context: ssl.SSLContext, host: str) -> None:
        self._pipe = pipe
        self._context = context
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host.rstrip("."))
        self.has_verified = False
        """Whether OpenSSL verified the chain, however the handshake ended."""

    async def handshake(self) -> None:
        """Shake hands. Raises a TlsFailed of the kind that fits, or PeerClosed."""
        await self._until_done(self._object.do_handshake, first_flight=True)
        self._note_verified()

    async def read(self) -> bytes:
        """Some bytes, or none once the peer has closed."""
        try:
            data: bytes = await self._until_done(lambda: self._object.read(65536))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError, PeerClosed):
            return b""
        except TlsFailed as failed:
            # In TLS 1.3 a server's objection to the handshake comes as an alert after our end of it (RFC 8446 section 4.6).
            if "alert" in str(failed):
                raise
            raise OffProtocol(f"the TLS connection broke: {failed}") from failed
        return data

    async def write(self, data: bytes) -> None:
        self._object.write(data)
        await self._flush()

    def session(self) -> TlsSession:
        """What was agreed on, as far as OpenSSL tells it to Python."""
        cipher = self._object.cipher()
        return TlsSession(self._object.version(), _iana_name(self._context, cipher[0]) if cipher else None)

    def chain(self) -> tuple[bytes, ...]:
        """The certificates sent, DER, in the order sent; also of a handshake that failed after it had shown them."""
        if hasattr(self._object, "get_unverified_chain"):
            return tuple(self._object.get_unverified_chain() or ())
        # Before Python 3.13 the same call is there, without its public name.
        inner: Any = getattr(self._object, "_sslobj")  # noqa: B009 - a public name as soon as there is one
        return tuple(ssl.PEM_cert_to_DER_cert(c.public_bytes()) for c in inner.get_unverified_chain() or ())

    async def _until_done(self, step: Callable[[], Any], *, first_flight: bool = False) -> Any:
        starts_here = first_flight
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                if first_flight and self._outgoing.pending:
                    self._note_verified()
                await self._flush()
                data = await self._pipe.read()
                if not data:
                    self._incoming.write_eof()
                    raise PeerClosed(
                        "the peer closed the connection during the TLS handshake" if first_flight else "the peer closed"
                    ) from None
                if starts_here and data[0] not in _RECORD_TYPES:
                    raise PlaintextInsteadOfTls(f"the peer answered the TLS handshake in clear: {in_quotes(as_text(data))}", data) from None
                starts_here = False
                self._incoming.write(data)
            except ssl.SSLCertVerificationError as refused:
                await self._flush_quietly()
                raise CertificateNotTrusted(refused.verify_message) from refused
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                raise
            except ssl.SSLError as failed:
                await self._flush_quietly()
                raise TlsFailed(tls_sentence(failed)) from failed
            else:
                await self._flush()
                return result

    def _note_verified(self) -> None:
        """A client that must verify goes on to answer a chain only once it has."""
        self.has_verified = self._context.verify_mode is ssl.CERT_REQUIRED and bool(self.chain())

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._pipe.write(self._outgoing.read())

    async def _flush_quietly(self) -> None:
        """Tell the peer our alert, if it still listens."""
        with contextlib.suppress(OSError):
            await self._flush()


def _iana_name(context: ssl.SSLContext, openssl_name: str) -> str | None:
    """The registry's name of a suite; OpenSSL has names of its own before TLS 1.3."""
    number = next((int(c["id"]) & 0xFFFF for c in context.get_ciphers() if c["name"] == openssl_name), None)
    return None if number is None else suite_name(number)
