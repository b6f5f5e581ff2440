"""The ways in which a conversation can fail without a bug of ours, and the outcome of each, in one table."""

from __future__ import annotations

import errno
import re
import ssl

from probe.model.attempts import Outcome
from probe.wire.lines import WireError


class PeerFailure(Exception):
    """A conversation that did not end as it should. The message is one sentence."""

    outcome: Outcome


class NameUnresolved(PeerFailure):
    """The name has no address, or the resolver did not answer."""

    outcome = Outcome.UNRESOLVED

    def __init__(self, sentence: str, *, is_unknown: bool) -> None:
        super().__init__(sentence)
        self.is_unknown = is_unknown
        """Whether the resolver said that there is no such name, rather than nothing."""


class NoAddressAnswered(PeerFailure):
    """No address of the name took a connection; `outcome` says how the last one failed."""

    def __init__(self, sentence: str, outcome: Outcome) -> None:
        super().__init__(sentence)
        self.outcome = outcome


class PeerClosed(PeerFailure):
    """The peer ended the connection in the middle."""

    outcome = Outcome.CLOSED


class OffProtocol(PeerFailure):
    """What came is not the protocol."""

    outcome = Outcome.OFF_PROTOCOL


_LONGEST_PAUSE = 86_400.0
"""A server may say anything."""


class Throttled(PeerFailure):
    """The peer says: not now, or not so many."""

    outcome = Outcome.THROTTLED

    def __init__(self, sentence: str, pause_seconds: float | None = None) -> None:
        super().__init__(sentence)
        self.pause_seconds = None if pause_seconds is None else min(pause_seconds, _LONGEST_PAUSE)
        """For how long it asks to be left alone, a day at most; None where it does not say."""


class Denied(PeerFailure):
    """The peer will not serve us."""

    outcome = Outcome.DENIED


class UntrustedPeer(PeerFailure):
    """The certificate does not earn credentials; none were sent."""

    outcome = Outcome.UNTRUSTED_PEER


class TlsFailed(PeerFailure):
    """The handshake failed."""

    outcome = Outcome.TLS_FAILED


class ClientCertificateWanted(TlsFailed):
    """The server ended the handshake because it wants a client certificate."""


class PlaintextInsteadOfTls(TlsFailed):
    """The peer went on in clear where the handshake was due."""

    def __init__(self, sentence: str, data: bytes) -> None:
        super().__init__(sentence)
        self.data = data


class CertificateNotTrusted(TlsFailed):
    """The chain was not verified; `reason` is OpenSSL's own sentence, `code` its number for that."""

    def __init__(self, reason: str, code: int = 0) -> None:
        super().__init__(f"the certificate is not trusted: {reason}")
        self.reason = reason
        self.is_too_weak = code in _TOO_WEAK
        """Whether the security level of this machine's OpenSSL forbids it, rather than a lack of trust."""


class QuestionsUnanswered(PeerFailure):
    """Questions stayed without an answer; `outcome` says why."""

    def __init__(self, sentence: str, outcome: Outcome) -> None:
        super().__init__(sentence)
        self.outcome = outcome


class ChildKilled(Exception):
    """A child process of ours was killed from outside: by the system because memory ran out, or by an administrator."""


_TOO_WEAK = frozenset({66, 67, 68})
"""X509_V_ERR_EE_KEY_TOO_SMALL, CA_KEY_TOO_SMALL, CA_MD_TOO_WEAK (openssl/x509_vfy.h)."""

_NO_WAY = {
    code: words
    for name, words in {
        "ENETUNREACH": "no route to the network",
        "EHOSTUNREACH": "no route to the host",
        "EHOSTDOWN": "the host is down",
        "ENETDOWN": "the network is down",
        "EADDRNOTAVAIL": "the address cannot be used from here",
        "EAFNOSUPPORT": "this machine does not speak that kind of address",
        "EACCES": "this machine forbids the connection",
        "EPERM": "this machine forbids the connection",
    }.items()
    if (code := getattr(errno, name, None)) is not None
}


def expected(failure: BaseException) -> tuple[Outcome, str] | None:
    """The outcome of a failure and one sentence on it; None for a bug of ours."""
    match failure:
        case PeerFailure():
            return failure.outcome, str(failure)
        case WireError():
            return Outcome.OFF_PROTOCOL, f"the peer sent {failure}"
        case ChildKilled():
            # Neither the peer's doing nor a bug: the attempt was cut short, as by Ctrl-C, and can be made again.
            return Outcome.INTERRUPTED, str(failure)
        case ssl.SSLError():
            return Outcome.TLS_FAILED, tls_sentence(failure)
        case TimeoutError():
            return Outcome.TIMED_OUT, str(failure) or "no answer in time"
        case ConnectionRefusedError():
            return Outcome.REFUSED, "the connection was refused"
        case ConnectionError():
            return Outcome.CLOSED, "the peer reset the connection"
        case OSError() if failure.errno in _NO_WAY:
            return Outcome.UNREACHABLE, _NO_WAY[failure.errno]
    return None


def unconnectable(failure: OSError) -> tuple[Outcome, str] | None:
    """The outcome of the system's refusal to connect at all; None where this machine is out of files or memory."""
    if failure.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        return None
    return Outcome.UNREACHABLE, f"no connection can be made: {failure.strerror or type(failure).__name__}"


def tls_sentence(failure: ssl.SSLError) -> str:
    """What OpenSSL says of a failed handshake, in words."""
    reason = (getattr(failure, "reason", None) or "").lower()
    alert = re.fullmatch(
        r"(?:tlsv1|sslv3|tlsv13)_(?:alert_(\w+)|unrecognized_name|unsupported_extension|bad_certificate_status_response)", reason
    )
    if alert:
        # OpenSSL leaves the word out for the alerts that came with extensions (RFC 6066 section 9).
        return f"the peer sent an alert: {(alert[1] or reason.partition('_')[2]).replace('_', ' ')}"
    if reason in ("wrong_version_number", "packet_length_too_long", "record_layer_failure", "http_request"):
        return "what the peer sent is not TLS"
    return f"the TLS handshake failed: {reason.replace('_', ' ') or failure.__class__.__name__}"
