"""Whether a server asked for a client certificate, read from the unencrypted part of its flight: TLS 1.2 and below."""

from __future__ import annotations

from probe.wire.tls.parsing import FlightError
from probe.wire.tls.records import Content, Records

_CERTIFICATE_REQUEST = 13
_HEADER_BYTES = 4

_MAY_MEAN_THE_HELLO = frozenset({0, 10, 40, 47, 50, 70, 71, 80, 110})
"""close_notify, unexpected_message, handshake_failure, illegal_parameter, decode_error, protocol_version, insufficient_security, internal_error,
unsupported_extension (RFC 8446 section 6)."""


def asks_client_certificate(heard: bytes) -> bool:
    """Whether a CertificateRequest (RFC 5246 section 7.4.4) is among the handshake messages that came in clear."""
    records = Records(may_be_ssl2=False)
    records.feed(heard)
    messages = bytearray()
    try:
        while (record := records.next()) is not None and record[0] is Content.HANDSHAKE:
            messages += record[1]
    except FlightError:
        pass
    at = 0
    while at + _HEADER_BYTES <= len(messages):
        if messages[at] == _CERTIFICATE_REQUEST:
            return True
        at += _HEADER_BYTES + int.from_bytes(messages[at + 1 : at + _HEADER_BYTES], "big")
    return False


def is_no_answer(heard: bytes) -> bool:
    """Whether what came after a hello is nothing at all, or an alert that a server may send to a hello that it cannot read.

    Alerts that speak of a certificate or a name are answers.
    """
    records = Records(may_be_ssl2=False)
    records.feed(heard)
    try:
        first = records.next()
    except FlightError:
        return False
    if first is None:
        return not heard
    kind, content = first
    return kind is Content.ALERT and content[1:2] != b"" and content[1] in _MAY_MEAN_THE_HELLO
