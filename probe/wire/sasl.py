"""The client's side of SASL mechanisms: challenge in, response out (RFC 4422). One of them is one attempt at signing in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from collections.abc import Callable, Sequence
from typing import Protocol

from probe.wire.lines import WireError
from probe.wire.ntlm import ntlm_v2_alone, read_challenge

MAX_CHALLENGE_BYTES = 8192
"""Longest challenge that is answered. NTLM's has about 300 bytes, an OAuth error 200."""


class Mechanism(Protocol):
    """One exchange. `first` is what the client says at once, None where it waits for a challenge."""

    name: str
    first: bytes | None
    proves_at: int
    """Which of the client's messages holds the password or what is made of it, counted from 0."""

    def respond(self, challenge: bytes) -> bytes:
        """The answer to a challenge. Raises WireError for one that the mechanism has no answer to."""
        ...


class PlainMechanism:
    """RFC 4616."""

    name = "PLAIN"
    proves_at = 0

    def __init__(self, username: str, password: str) -> None:
        self.first: bytes | None = b"\0" + username.encode() + b"\0" + password.encode()

    def respond(self, challenge: bytes) -> bytes:
        raise WireError("a challenge after PLAIN had said all")


class LoginMechanism:
    """Never standardised: the server asks for the user name, then for the password (draft-murchison-sasl-login)."""

    name = "LOGIN"
    first: bytes | None = None
    proves_at = 1

    def __init__(self, username: str, password: str) -> None:
        self._answers = [username.encode(), password.encode()]

    def respond(self, challenge: bytes) -> bytes:
        if not self._answers:
            raise WireError("a third challenge of LOGIN")
        return self._answers.pop(0)


class CramMd5Mechanism:
    """RFC 2195."""

    name = "CRAM-MD5"
    first: bytes | None = None
    proves_at = 0

    def __init__(self, username: str, password: str) -> None:
        self._username, self._password = username, password
        self._is_done = False

    def respond(self, challenge: bytes) -> bytes:
        if self._is_done or not challenge:
            raise WireError("a challenge that CRAM-MD5 has no answer to")
        self._is_done = True
        digest = hmac.new(self._password.encode(), challenge, hashlib.md5).hexdigest()
        return f"{self._username} {digest}".encode()


class XOAuth2Mechanism:
    """Google's and Microsoft's way to hand over an access token. A failure comes as a challenge, which wants an empty answer."""

    name = "XOAUTH2"
    proves_at = 0

    def __init__(self, username: str, token: str) -> None:
        self.first: bytes | None = f"user={username}\1auth=Bearer {token}\1\1".encode()
        self.error = b""
        """What the server says of a token that it does not take: JSON, as it came."""

    def respond(self, challenge: bytes) -> bytes:
        if self.error:
            raise WireError("a second error of XOAUTH2")
        self.error = challenge or b"{}"
        return b""


class OAuthBearerMechanism:
    """RFC 7628. A failure comes as a challenge, which wants a single ^A."""

    name = "OAUTHBEARER"
    proves_at = 0

    def __init__(self, username: str, token: str, host: str, port: int) -> None:
        name = username.replace("=", "=3D").replace(",", "=2C")
        self.first: bytes | None = f"n,a={name},\1host={host}\1port={port}\1auth=Bearer {token}\1\1".encode()
        self.error = b""

    def respond(self, challenge: bytes) -> bytes:
        if self.error:
            raise WireError("a second error of OAUTHBEARER")
        self.error = challenge or b"{}"
        return b"\1"


class NtlmMechanism:
    """[MS-NLMP], the NTLMv2 response; pyspnego makes the messages: of a user name, in its own code and from the password alone, never from a ticket or a cache."""

    name = "NTLM"
    proves_at = 1

    def __init__(
        self,
        username: str | None,
        password: str | None,
        *,
        host: str = "unspecified",
        service: str = "host",
        binding: bytes | None = None,
    ) -> None:
        """`host` and `service` name whom the response is for; `binding` is that of the TLS channel, as in `probe.wire.channel_binding`.

        Without a user name it is the Windows session in which this program runs that signs in, by SSPI.
        """
        import spnego  # a tenth of a second to load, for a mechanism that few want
        import spnego.channel_bindings

        self._refused = spnego.exceptions.SpnegoError
        with ntlm_v2_alone():
            self._context = spnego.client(
                username,
                password,
                hostname=host,
                service=service,
                channel_bindings=None if binding is None else spnego.channel_bindings.GssChannelBindings(application_data=binding),
                protocol="ntlm",
                options=spnego.NegotiateOptions.use_sspi if username is None else spnego.NegotiateOptions.use_ntlm,
            )
        self.first: bytes | None = self._context.step()

    def respond(self, challenge: bytes) -> bytes:
        if self._context.complete:
            raise WireError("a second challenge of NTLM")
        try:
            read_challenge(challenge)  # pyspnego takes fields that point beyond the end
            return self._context.step(challenge) or b""
        except (self._refused, ValueError, IndexError, KeyError, struct.error) as malformed:
            raise WireError("an NTLM challenge that cannot be read") from malformed


def decoded(challenge: str | bytes) -> bytes:
    """A challenge as it came, in base64. Raises WireError for what is none."""
    try:
        return base64.b64decode(challenge[:MAX_CHALLENGE_BYTES], validate=True)
    except ValueError:  # not of its alphabet, or not ASCII at all
        raise WireError("a challenge that is not base64") from None


def apop_digest(greeting: str, password: str) -> str | None:
    """The digest that APOP sends for the stamp in a greeting (RFC 1939 section 7); None where there is no stamp."""
    begin = greeting.find("<")
    end = greeting.find(">", begin)
    stamp = greeting[begin : end + 1]
    if begin < 0 or end < 0 or "@" not in stamp or not stamp.isascii():
        return None
    return hashlib.md5(stamp.encode() + password.encode(), usedforsecurity=False).hexdigest()


PASSWORD_MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5")
"""In the order in which one is chosen. Under TLS that is verified, PLAIN says no more than the others, and every server gets it right."""
TOKEN_MECHANISMS = ("XOAUTH2", "OAUTHBEARER")


def chosen(offered: Sequence[str], wanted: Sequence[str]) -> str | None:
    """The first of the wanted mechanisms that is offered."""
    return next((name for name in wanted if name in offered), None)


def mechanism(name: str, username: str, secret: str, host: str, port: int) -> Mechanism:
    """A fresh exchange. Raises KeyError for a mechanism that is not spoken here."""
    makers: dict[str, Callable[[], Mechanism]] = {
        "PLAIN": lambda: PlainMechanism(username, secret),
        "LOGIN": lambda: LoginMechanism(username, secret),
        "CRAM-MD5": lambda: CramMd5Mechanism(username, secret),
        "NTLM": lambda: NtlmMechanism(username, secret),
        "XOAUTH2": lambda: XOAuth2Mechanism(username, secret),
        "OAUTHBEARER": lambda: OAuthBearerMechanism(username, secret, host, port),
    }
    return makers[name]()
