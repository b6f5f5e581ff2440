"""One hello and the server's first flight: its choices, or its refusal. The handshake is never completed.

A record may hold several messages, and a message may span several records. A ServerHello alone does not mean yes (Go
sends it before it looks at the signature schemes), so TLS 1.2 and older are read up to ServerHelloDone, and TLS 1.3
up to CertificateVerify. No signature is verified.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from probe.wire.tls.hello import ENCRYPT_THEN_MAC, EXTENDED_MASTER_SECRET, RENEGOTIATION_INFO, first_records, hello_message, in_records
from probe.wire.tls.offer import Offer, TlsRefusal, TlsReply, Version
from probe.wire.tls.opening import Opening, can_open, transcript_hash
from probe.wire.tls.parsing import FlightError, vector
from probe.wire.tls.records import Content, Records
from probe.wire.tls.registry import CipherSuite, group_name, scheme_name, suite_name, suites
from probe.wire.tls.server_messages import (
    ServerHello,
    read_certificate_verify,
    read_certificates,
    read_encrypted_extensions,
    read_key_exchange,
    read_server_hello,
    read_sslv2_hello,
)
from probe.wire.tls.shares import can_share, finite_field_bits, share_of, shared_secret

__all__ = ["MAX_FLIGHT_BYTES", "MAX_MESSAGE_BYTES", "Flight", "FlightError"]

MAX_FLIGHT_BYTES = 256 * 1024
"""Most bytes taken from one server. A flight with five certificates and post-quantum signatures has 60 KiB; most have 2 to 6."""
MAX_MESSAGE_BYTES = 128 * 1024
"""Longest message taken. OpenSSL refuses chains of more than 100 KiB (SSL_CTX_set_max_cert_list)."""

_HELLO_REQUEST, _SERVER_HELLO, _ENCRYPTED_EXTENSIONS = 0, 2, 8
_CERTIFICATE, _KEY_EXCHANGE, _CERTIFICATE_REQUEST, _HELLO_DONE = 11, 12, 13, 14
_CERTIFICATE_VERIFY, _CERTIFICATE_STATUS, _MESSAGE_HASH = 15, 22, 254

_OLD_ORDER = (_SERVER_HELLO, _CERTIFICATE, _CERTIFICATE_STATUS, _KEY_EXCHANGE, _CERTIFICATE_REQUEST, _HELLO_DONE)
_TLS13_ORDER = (_SERVER_HELLO, _ENCRYPTED_EXTENSIONS, _CERTIFICATE_REQUEST, _CERTIFICATE, _CERTIFICATE_VERIFY)

_WARNING, _FATAL = 1, 2
_CLOSE_NOTIFY, _HANDSHAKE_FAILURE, _PROTOCOL_VERSION, _USER_CANCELED = 0, 40, 70, 90

_RETRY_RECORD_VERSION = 0x0303  # of everything but the first hello (RFC 8446 section 5.1)
_CHANGE_CIPHER_SPEC = b"\x14\x03\x03\x00\x01\x01"  # before a second hello, as browsers do it for middleboxes (section D.4)

_NEED_A_GROUP = frozenset({"DHE", "ECDHE", "DH_anon", "ECDH_anon"})
_WITH_CERTIFICATE = frozenset({"RSA", "ECDSA", "DSS"})


class Flight:
    """Sends a hello, and reads the answer as it arrives.

    Send what `outgoing` gives, feed what comes, and do so until there is a `result`. With `whole` a TLS 1.3 flight is read
    up to the server's signature; without, the choice of suite and group is enough, by whichever message it comes.
    """

    def __init__(self, offer: Offer, *, random: bytes, whole: bool = True) -> None:
        self.result: TlsReply | TlsRefusal | None = None
        self._offer = offer
        self._random = random
        self._whole = whole
        self._has_tls13 = offer.versions[0] == Version.TLS13
        # With an id, a TLS 1.3 handshake looks to middleboxes like a resumed one of TLS 1.2 (RFC 8446 section D.4).
        self._session_id = hashlib.sha256(b"session" + random).digest() if self._has_tls13 else b""
        self._shares = {group: share_of(group) for group in offer.shares} if self._has_tls13 else {}
        self._hello = self._next_hello()
        self._outgoing = first_records(offer, self._hello)
        self._records = Records(may_be_ssl2=offer.versions[0] == Version.SSL2)
        self._fed = 0
        self._failure = ""
        self._alerts = bytearray()
        self._messages = bytearray()
        self._needed = 4
        self._before_hello = b""
        """After a HelloRetryRequest: the handshake messages before the second hello, for the transcript hash."""
        self._retried: ServerHello | None = None
        self._seen: TlsReply | None = None
        self._suite: CipherSuite | None = None
        self._place = -1
        self._has_key_exchange = False
        self._opening: Opening | None = None

    def outgoing(self) -> bytes:
        """What to send now; empty where there is nothing."""
        out, self._outgoing = self._outgoing, b""
        return out

    def feed(self, data: bytes) -> None:
        """Read what came. Raises FlightError for what is no answer to the hello; what follows a result is ignored."""
        if self._failure:
            raise FlightError(self._failure)
        if self.result is not None:
            return
        room = MAX_FLIGHT_BYTES - self._fed
        taken = data[:room]
        self._fed += len(taken)
        self._records.feed(taken)
        try:
            self._read()
            if self.result is None and len(data) > room:
                raise FlightError(f"the server sent more than {MAX_FLIGHT_BYTES} bytes before its flight ended")
        except FlightError as failure:
            self._failure = str(failure)
            raise
        finally:
            if self._failure or self.result is not None:
                self._records = Records(may_be_ssl2=False)
                self._messages.clear()

    # --- Records --------------------------------------------------------------------------------------------

    def _read(self) -> None:
        while self.result is None and (record := self._records.next()):
            kind, content = record
            if kind == Content.SSL2:
                self._take_sslv2(content)
            elif kind == Content.APPLICATION_DATA:
                if self._opening is None:
                    raise FlightError("the server sent an encrypted record before there were keys")
                inner_kind, inner = self._opening.open(content)
                self._take(inner_kind, inner)
            elif kind == Content.HANDSHAKE and self._opening is not None:
                raise FlightError("the server sent a message in clear after its TLS 1.3 hello")
            elif kind == Content.CHANGE_CIPHER_SPEC:
                # Noise for middleboxes in TLS 1.3; the end of the server's key exchange before, and too early here.
                if not (self._opening or self._retried) or content != b"\1":
                    raise FlightError("the server changed its cipher before its flight ended")
            else:
                self._take(kind, content)

    def _take(self, kind: int, content: bytes) -> None:
        if kind == Content.ALERT:
            self._take_alerts(content)
        elif kind == Content.HANDSHAKE:
            self._take_messages(content)
        else:
            raise FlightError(f"the server sent an encrypted record of type {kind}")

    def _take_alerts(self, content: bytes) -> None:
        self._alerts += content
        while len(self._alerts) >= 2 and self.result is None:
            level, description = self._alerts[:2]
            del self._alerts[:2]
            if level not in (_WARNING, _FATAL):
                raise FlightError(f"the server sent an alert of level {level}")
            # In TLS 1.3 the level means nothing (RFC 8446 section 6).
            is_tls13 = self._opening is not None and description != _USER_CANCELED
            if level == _FATAL or description == _CLOSE_NOTIFY or is_tls13:
                self.result = TlsRefusal(description, after_hello=self._seen is not None or self._retried is not None)

    def _take_messages(self, content: bytes) -> None:
        held = self._messages
        held += content
        while self.result is None and len(held) >= self._needed:
            size = 4 + int.from_bytes(held[1:4], "big")
            if size > MAX_MESSAGE_BYTES:
                raise FlightError(f"the server sent a message of {size} bytes")
            self._needed = size
            if len(held) < size:
                return
            message = bytes(held[:size])
            del held[:size]
            self._needed = 4
            was_open = self._opening is not None
            self._take_message(message[0], message[4:], message)
            if held and self.result is None and (self._opening is not None) != was_open:
                raise FlightError("the server's TLS 1.3 hello does not end its record")

    # --- Messages -------------------------------------------------------------------------------------------

    def _take_message(self, kind: int, body: bytes, message: bytes) -> None:
        if kind == _HELLO_REQUEST and self._opening is None:
            return  # may come at any time before TLS 1.3, and means nothing within a handshake (RFC 5246 section 7.4.1.1)
        order = _OLD_ORDER if self._opening is None else _TLS13_ORDER
        if kind not in order[self._place + 1 :]:
            raise FlightError(f"the server sent handshake message {kind} out of its place")
        place = order.index(kind)
        if kind == _SERVER_HELLO:
            self._take_hello(read_server_hello(body), message)
            return
        if self._seen is None:
            raise FlightError(f"the server sent handshake message {kind} before its hello")
        self._place = place
        if kind == _CERTIFICATE:
            self._seen = replace(self._seen, chain=read_certificates(body, self._seen.version))
        elif kind == _CERTIFICATE_REQUEST:
            self._seen = replace(self._seen, asks_client_certificate=True)
        elif kind == _ENCRYPTED_EXTENSIONS:
            read_encrypted_extensions(body)
        elif kind == _CERTIFICATE_VERIFY:
            self._finish_tls13(read_certificate_verify(body))
        elif kind == _KEY_EXCHANGE:
            self._take_key_exchange(body)
        elif kind == _HELLO_DONE:
            self._finish_old(body)

    def _take_hello(self, hello: ServerHello, message: bytes) -> None:
        if not (version := self._chosen_version(hello)):
            return
        is_tls13 = version == Version.TLS13
        suite = suites().get(hello.suite)
        if hello.suite not in self._offer.suites:
            raise FlightError(f"the server chose {suite_name(hello.suite)}, which was not offered")
        if suite is not None and (suite.first == Version.TLS13) != is_tls13:
            raise FlightError(f"the server chose {suite.name}, which does not belong to {version.label}")
        self._suite = suite
        if hello.is_retry:
            self._take_retry(hello, message)
        elif is_tls13:
            self._take_tls13_hello(hello, message)
        elif self._retried:
            raise FlightError("the server chose another version after its HelloRetryRequest")
        else:
            self._place = 0
            self._seen = TlsReply(
                version=version,
                suite=hello.suite,
                extended_master_secret=EXTENDED_MASTER_SECRET in hello.extensions,
                secure_renegotiation=RENEGOTIATION_INFO in hello.extensions,
                encrypt_then_mac=ENCRYPT_THEN_MAC in hello.extensions,
            )

    def _chosen_version(self, hello: ServerHello) -> Version | None:
        """The version that the server chose; None where it was lower than any offered, which refuses the offer."""
        try:
            version = Version(hello.version)
        except ValueError:
            raise FlightError(f"the server chose version 0x{hello.version:04X}, which was not offered") from None
        if version in self._offer.versions:
            return version
        if version > self._offer.versions[-1] or self._retried:
            raise FlightError(f"the server chose {version.label}, which was not offered")
        # A server answers in the highest version that it has below the client's (RFC 5246 section E.1); the client has to end it.
        self.result = TlsRefusal(_PROTOCOL_VERSION, other_version=version)
        return None

    def _take_retry(self, hello: ServerHello, message: bytes) -> None:
        """A HelloRetryRequest: an answer by itself where no more was asked, else what the second hello goes by."""
        if self._retried:
            raise FlightError("the server asked for a second retry")
        group = hello.asked_group()
        if group is not None:
            self._must_be_offered_group(group)
            if group in self._shares:
                raise FlightError(f"the server asked for a share of {group_name(group)}, which it had been sent")
        elif not hello.cookie():
            raise FlightError("the server's HelloRetryRequest asks for nothing")
        is_readable = can_open(hello.suite) and (group is None or can_share(group))
        if (group is not None and not self._whole) or not is_readable:
            self.result = self._tls13_reply(hello.suite, group, retried=True)
            return
        first = self._hello
        self._retried = hello
        if group is not None:
            self._shares = {group: share_of(group)}
        self._hello = self._next_hello(hello.cookie())
        digest = transcript_hash(hello.suite, first)
        self._before_hello = bytes((_MESSAGE_HASH,)) + vector(3, digest) + message
        self._outgoing = _CHANGE_CIPHER_SPEC + in_records(self._hello, _RETRY_RECORD_VERSION)

    def _next_hello(self, cookie: bytes = b"") -> bytes:
        return hello_message(self._offer, random=self._random, session_id=self._session_id, shares=self._shares, cookie=cookie)

    def _take_tls13_hello(self, hello: ServerHello, message: bytes) -> None:
        group, answer = hello.share()
        self._must_be_offered_group(group)
        if group not in self._shares:
            raise FlightError(f"the server chose {group_name(group)}, of which it had no share")
        if self._retried and self._retried.suite != hello.suite:
            raise FlightError("the server chose another suite after its HelloRetryRequest")
        seen = self._tls13_reply(hello.suite, group, retried=self._retried is not None)
        secret = shared_secret(group, answer)
        if not self._whole or not can_open(hello.suite):
            self.result = seen
            return
        self._seen = seen
        self._place = 0
        self._opening = Opening(hello.suite, secret, self._before_hello + self._hello + message)

    def _tls13_reply(self, suite: int, group: int | None, *, retried: bool) -> TlsReply:
        bits = None if group is None else finite_field_bits(group)
        return TlsReply(version=Version.TLS13, suite=suite, group=group, finite_field_bits=bits, retried=retried)

    def _take_key_exchange(self, body: bytes) -> None:
        assert self._seen is not None
        shown = read_key_exchange(body, self._suite, self._seen.version)
        # A Diffie-Hellman prime is the server's own choice, whatever groups were offered (RFC 7919 section 4).
        if shown.group is not None and shown.finite_field_bits is None:
            self._must_be_offered_group(shown.group)
        if shown.scheme is not None:
            self._must_be_offered_scheme(shown.scheme)
        self._seen = replace(self._seen, group=shown.group, finite_field_bits=shown.finite_field_bits, scheme=shown.scheme)
        self._has_key_exchange = True

    def _must_be_offered_group(self, group: int) -> None:
        """Without a list of groups a server may take any (RFC 8422 section 4)."""
        if self._offer.groups and group not in self._offer.groups:
            raise FlightError(f"the server chose {group_name(group)}, which was not offered")

    def _must_be_offered_scheme(self, scheme: int) -> None:
        """Without a list of schemes a server takes SHA-1 or what it likes (RFC 5246 section 7.4.1.4.1)."""
        if self._offer.schemes and scheme not in self._offer.schemes:
            raise FlightError(f"the server signed with {scheme_name(scheme)}, which was not offered")

    # --- Ends -----------------------------------------------------------------------------------------------

    def _finish_tls13(self, scheme: int) -> None:
        assert self._seen is not None
        if not self._seen.chain:
            raise FlightError("the server signed without a certificate")
        self._must_be_offered_scheme(scheme)
        self.result = replace(self._seen, scheme=scheme)

    def _finish_old(self, body: bytes) -> None:
        assert self._seen is not None
        if body:
            raise FlightError("the server's end of its flight is not empty")
        suite = self._suite
        if suite is not None and suite.key_exchange in _NEED_A_GROUP and not self._has_key_exchange:
            raise FlightError(f"the server chose {suite.name} and sent no key exchange")
        if suite is not None and suite.authentication in _WITH_CERTIFICATE and not self._seen.chain:
            raise FlightError(f"the server chose {suite.name} and sent no certificate")
        self.result = self._seen

    def _take_sslv2(self, message: bytes) -> None:
        hello = read_sslv2_hello(message)
        if hello is None:
            # SSLv2 has errors of its own; that of no common cipher is the only one that a server sends (section C.5).
            self.result = TlsRefusal(_HANDSHAKE_FAILURE)
        elif not hello.kinds:
            # OpenSSL with SSLv2 on and every cipher off answers so.
            self.result = TlsRefusal(_HANDSHAKE_FAILURE, after_hello=True)
        else:
            chosen = next((kind for kind in hello.kinds if kind in self._offer.suites), None)
            if chosen is None:
                raise FlightError(f"the server listed {suite_name(hello.kinds[0])}, which was not offered")
            chain = (hello.certificate,) if hello.certificate else ()
            self.result = TlsReply(version=Version.SSL2, suite=chosen, chain=chain, sslv2_kinds=hello.kinds)
