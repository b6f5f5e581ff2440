"""TLS over any pipe of bytes, by OpenSSL, with every byte passing through our code.

asyncio's own `start_tls` is not used: bytes that came in clear before the handshake would be handed over as if
they had come inside TLS, and bytes that come in clear in place of it would be lost. Here they are seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from _ssl import ENCODING_DER  # as Python 3.13 does in the call that earlier ones keep to themselves
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol

from probe.model.kinds import TlsSession
from probe.net.failures import (
    CertificateNotTrusted,
    ClientCertificateWanted,
    OffProtocol,
    PeerClosed,
    PlaintextInsteadOfTls,
    TlsFailed,
    tls_sentence,
)
from probe.net.trust import verifying_context
from probe.tables.tls import suite_name
from probe.wire.lines import as_text, in_quotes
from probe.wire.tls.demand import asks_client_certificate, is_no_answer

_ALERT = "alert"
"""Stands in every sentence on an objection of the peer's, and in no other."""
_RECORD_TYPES = range(0x14, 0x19)
"""First byte of every TLS record (RFC 8446 section 5.1); no text protocol begins a line so."""


class TlsPolicies:
    """The contexts of a process, made when first needed, in a thread: loading trust anchors takes 20 to 60 ms, in which others may go on."""

    def __init__(self, ca_file: Path | None = None, system_anchors: Path | None = None) -> None:
        """`system_anchors` as in `probe.net.dial.Network`."""
        self._ca_file = ca_file
        self._system_anchors = system_anchors
        self._made: dict[tuple[str, bool], ssl.SSLContext] = {}
        self._making = asyncio.Lock()

    async def reading(self, *, older: bool = False) -> ssl.SSLContext:
        """For reading: the chain is verified, the name is not. Otherwise as lenient as OpenSSL can be, or old servers could not be read at all.

        `older`, here and below, is for servers that do not bear a hello of today.
        """
        return await self._once("reading", older, lambda: self._lenient(verified=True, older=older))

    async def reading_unverified(self, *, older: bool = False) -> ssl.SSLContext:
        """For reading after the verified one failed."""
        return await self._once("reading_unverified", older, lambda: self._lenient(verified=False, older=older))

    async def credentials(self, *, older: bool = False) -> ssl.SSLContext:
        """For sending a secret: this machine's anchors and those that were added, the name included."""
        return await self._once("credentials", older, lambda: verifying_context(self._ca_file, has_older_hello=older))

    async def system_credentials(self, *, older: bool = False) -> ssl.SSLContext:
        """For sending a secret to a server that this machine's own anchors vouch for; anchors that were added for the mail servers do not count."""
        made = partial(verifying_context, system_anchors=self._system_anchors, has_older_hello=older)
        return await self._once("system_credentials", older, made)

    async def _once(self, name: str, older: bool, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        async with self._making:
            if (name, older) not in self._made:
                self._made[name, older] = await asyncio.to_thread(make)
            return self._made[name, older]

    def _lenient(self, *, verified: bool, older: bool) -> ssl.SSLContext:
        context = verifying_context(self._ca_file, has_older_hello=older) if verified else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers(_OLDER_SUITES if older else "ALL:!aNULL:!eNULL:@SECLEVEL=0")
        context.options |= ssl.OP_LEGACY_SERVER_CONNECT if hasattr(ssl, "OP_LEGACY_SERVER_CONNECT") else 0x4
        context.check_hostname = False
        if not verified:
            context.verify_mode = ssl.CERT_NONE
        if older:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.options |= ssl.OP_NO_TICKET
        return context


_OLDER_SUITES = "ECDHE+AESGCM:DHE+AESGCM:ECDHE+AES:DHE+AES:RSA+AES:3DES:RC4:!aNULL:!eNULL:!PSK:!SRP:!AESCCM:!AESCCM8:!DSS:@SECLEVEL=0"
"""What Windows and browsers offered before TLS 1.3, about 30 suites: a hello of less than 256 bytes with the rest."""


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
        self._heard = bytearray()
        """What came until the handshake ended."""
        self._early = b""
        """What was said inside TLS while its end was waited for."""
        self.has_verified = False
        """Whether OpenSSL verified the chain, however the handshake ended."""

    async def handshake(self, seconds: float | None = None) -> None:
        """Shake hands; `seconds` are given to the first answer. Raises a TlsFailed of the kind that fits, or PeerClosed."""
        try:
            await self._until_done(self._object.do_handshake, first_flight=True, seconds=seconds)
        except (TlsFailed, PeerClosed, ConnectionError) as failed:
            is_by_peer = not isinstance(failed, TlsFailed) or _ALERT in str(failed)
            if is_by_peer and not isinstance(failed, CertificateNotTrusted) and asks_client_certificate(bytes(self._heard)):
                how = str(failed) if isinstance(failed, TlsFailed) else "the peer ended the connection"
                raise ClientCertificateWanted(f"{how}, after it had asked for a client certificate") from failed
            if "unrecognized name" in str(failed):
                raise TlsFailed(f"{failed}: it does not know the name {self._object.server_hostname}") from failed
            raise
        self._note_verified()
        self._heard.clear()

    @property
    def is_unanswered(self) -> bool:
        """After a handshake that failed: whether our hello got no other answer than one that a server which cannot read it may give."""
        return is_no_answer(bytes(self._heard))

    async def is_let_in(self, seconds: float) -> bool:
        """Whether the server accepted our end of the handshake; False where it said nothing in time.

        In TLS 1.3 its objection comes after the handshake, as may one to a client without a certificate (RFC 8446 section 4.4.2.4): it is
        waited for as long as the server says nothing else. Raises what it objects.
        """
        if self._object.version() != "TLSv1.3":
            return True
        try:
            async with asyncio.timeout(seconds):
                while True:
                    is_pending = self._incoming.pending > 0
                    try:
                        self._early += self._object.read(65536)
                    except ssl.SSLWantReadError:
                        if is_pending:
                            return True  # a ticket, or something else that follows a handshake
                    except ssl.SSLError as failed:
                        raise _failed(failed) from failed
                    else:
                        return True
                    if not (data := await self._pipe.read()):
                        raise PeerClosed("the peer closed the connection after the TLS handshake")
                    self._incoming.write(data)
        except TimeoutError:
            return False

    async def read(self) -> bytes:
        """Some bytes, or none once the peer has closed."""
        if self._early:
            early, self._early = self._early, b""
            return early
        try:
            data: bytes = await self._until_done(lambda: self._object.read(65536))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError, PeerClosed):
            return b""
        except TlsFailed as failed:
            # In TLS 1.3 a server's objection to the handshake comes as an alert after our end of it (RFC 8446 section 4.6).
            if _ALERT in str(failed):
                raise
            raise OffProtocol(f"the TLS connection broke: {failed}") from failed
        return data

    async def write(self, data: bytes) -> None:
        self._object.write(data)
        await self._flush()

    def session(self) -> TlsSession:
        """What was agreed on, as far as OpenSSL tells it to Python."""
        cipher = self._object.cipher()
        return TlsSession(self._object.version(), _iana_name(cipher[0]) if cipher else None)

    def chain(self) -> tuple[bytes, ...]:
        """The certificates sent, DER, in the order sent; also of a handshake that failed after it had shown them."""
        return self._certificates("get_unverified_chain")

    def verified_chain(self) -> tuple[bytes, ...]:
        """The certificates that OpenSSL verified, DER, from the peer's to an anchor; none where it verified nothing."""
        return self._certificates("get_verified_chain") if self.has_verified else ()

    def _certificates(self, which: str) -> tuple[bytes, ...]:
        if hasattr(self._object, which):
            return tuple(getattr(self._object, which)() or ())
        # Before Python 3.13 the same call is there, without its public name.
        inner: Any = getattr(self._object, "_sslobj")  # noqa: B009 - a public name as soon as there is one
        return tuple(certificate.public_bytes(ENCODING_DER) for certificate in getattr(inner, which)() or ())

    async def _until_done(self, step: Callable[[], Any], *, first_flight: bool = False, seconds: float | None = None) -> Any:
        starts_here = first_flight
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                if first_flight and self._outgoing.pending:
                    self._note_verified()
                await self._flush()
                data = await self._answer(seconds) if starts_here else await self._pipe.read()
                if first_flight:
                    self._heard += data
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
                raise CertificateNotTrusted(refused.verify_message, refused.verify_code) from refused
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                raise
            except ssl.SSLError as failed:
                await self._flush_quietly()
                raise _failed(failed) from failed
            else:
                await self._flush()
                return result

    async def _answer(self, seconds: float | None) -> bytes:
        """The first that comes after our hello."""
        if seconds is None:
            return await self._pipe.read()
        try:
            async with asyncio.timeout(seconds):
                return await self._pipe.read()
        except TimeoutError:
            raise TimeoutError(f"no answer to the TLS hello within {seconds:.3g} s") from None

    def _note_verified(self) -> None:
        """A client that must verify answers a chain only once it has verified it."""
        self.has_verified = self._context.verify_mode is ssl.CERT_REQUIRED and bool(self.chain())

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._pipe.write(self._outgoing.read())

    async def _flush_quietly(self) -> None:
        """Tell the peer our alert, if it still listens."""
        with contextlib.suppress(OSError):
            await self._flush()


def _failed(failure: ssl.SSLError) -> TlsFailed:
    """The failure of ours for one of OpenSSL's."""
    kind = ClientCertificateWanted if "CERTIFICATE_REQUIRED" in (failure.reason or "").upper() else TlsFailed
    return kind(tls_sentence(failure))


@cache
def _numbers() -> dict[str, int]:
    """The registry's number of each suite that this OpenSSL knows, by its own name; to ask a context for them takes a millisecond."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    return {suite["name"]: suite["id"] & 0xFFFF for suite in context.get_ciphers()}


def _iana_name(openssl_name: str) -> str | None:
    """The registry's name of a suite; OpenSSL has names of its own before TLS 1.3."""
    number = _numbers().get(openssl_name)
    return None if number is None else suite_name(number)
