"""What POP3 and SMTP servers share: lines, accounts, SASL, and an abrupt or orderly end."""

from __future__ import annotations

import base64
import binascii
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import ClassVar, Generic, Protocol, TypeVar

from probe.simulation.listening import Conversation, Server

# RFC 5321 section 4.5.3.1 allows 512 octets and extensions more; SASL tokens are the longest in use (RFC 4954: 12288).
LINE_LIMIT = 12288
LOGONS_KEPT = 1000

P = TypeVar("P")


class MailServer(Server, Generic[P]):
    """A server with the behaviour of one product, which has accounts and counts sign-ins.

    `injected` is what it says in clear after the go-ahead for TLS, which a sound one never does.
    """

    def __init__(
        self,
        personality: P,
        tls: ssl.SSLContext | None = None,
        *,
        implicit: bool = False,
        accounts: Mapping[str, str] | None = None,
        injected: bytes = b"",
    ) -> None:
        super().__init__(tls, implicit=implicit)
        self.personality = personality
        self.injected = injected
        self._accounts = {name.lower(): password for name, password in (accounts or {}).items()}
        self.logons: deque[tuple[str, bool]] = deque(maxlen=LOGONS_KEPT)
        """Who tried to sign in, and whether it succeeded."""

    def signs_in(self, user: str, password: str) -> bool:
        """Whether the password is right; the attempt is counted."""
        accepted = self._accounts.get(user.lower()) == password
        self.logons.append((user, accepted))
        return accepted


class LineConversation(Conversation, Generic[P]):
    """A conversation in lines, which can ask for a line that is not a command."""

    def __init__(self, server: MailServer[P]) -> None:
        super().__init__(server)
        self.server = server
        self.personality = server.personality
        self._unread = b""
        self._next: Callable[[str], None] | None = None

    def command(self, line: str) -> None:
        """The client sent a command."""
        raise NotImplementedError

    def await_line(self, then: Callable[[str], None]) -> None:
        """Passes the next line to `then`, whatever it is."""
        self._next = then

    def say(self, text: str) -> None:
        """Sends lines, with this moment, the client's address and its lines' ends filled in."""
        now = formatdate().replace("-0000", "+0000")  # as servers in UTC write it
        filled = text.replace("{peer}", self.peer).replace("{date}", now)
        self.send(b"".join(line.encode("ascii", "replace") + b"\r\n" for line in filled.split("\n")))

    def start_tls(self, ready: str) -> None:
        """Says that TLS may begin, in the same segment whatever is injected, and forgets what was said in clear (RFC 3207 section 4.2)."""
        self._unread = b""
        self.send(ready.encode("ascii") + b"\r\n" + self.server.injected)
        self.upgrade()

    def received(self, data: bytes) -> None:
        self._unread += data
        while b"\n" in self._unread and self.is_open:
            line, _, self._unread = self._unread.partition(b"\n")
            line = line.rstrip(b"\r")
            self.server.heard(line)
            text = line.decode("utf-8", "backslashreplace")
            if self._next is not None:
                then, self._next = self._next, None
                then(text)
            else:
                self.command(text)
        if len(self._unread) > LINE_LIMIT:
            self.close()


class SaslPersonality(Protocol):
    """The replies of a product during a sign-in."""

    @property
    def token_challenge(self) -> str:
        """The challenge to a bad token before the refusal; empty where the refusal comes at once."""

    @property
    def takes_passwords(self) -> bool:
        """Whether passwords are accepted at all."""


S = TypeVar("S", bound=SaslPersonality)


class SaslConversation(LineConversation[S]):
    """A conversation in which a client can sign in by SASL: PLAIN, LOGIN, and tokens, of which none is right."""

    challenge: ClassVar[str]
    """The text before a challenge."""
    signed_in = False

    def judged(self, *, is_token: bool) -> None:
        """The sign-in is decided, and the reply is to be sent."""
        raise NotImplementedError

    def judge(self, user: str, password: str | None) -> None:
        """The client gave a name and a password; None for a token."""
        if password is not None and self.personality.takes_passwords:
            self.signed_in = self.server.signs_in(user, password)
        else:
            self.server.logons.append((user, False))
        self.judged(is_token=password is None)

    def authenticate(self, mechanism: str, first: str) -> None:
        """The client chose a mechanism that is offered; its first message may come with it."""
        answer = self._name_given if mechanism == "LOGIN" else lambda line: self._message(mechanism, line)
        if first:
            answer(first)
        else:
            self.await_line(answer)
            self.say(self.challenge + (encoded("Username:") if mechanism == "LOGIN" else ""))

    def _name_given(self, line: str) -> None:
        user = decoded(line) or ""
        self.await_line(lambda secret: self.judge(user, decoded(secret) or ""))
        self.say(self.challenge + encoded("Password:"))

    def _message(self, mechanism: str, line: str) -> None:
        if mechanism == "PLAIN":
            self.judge(*(plain_credentials(line) or ("", "")))
            return
        # No token is accepted, because none is issued.
        user = token_user(line)
        if self.personality.token_challenge:
            self.await_line(lambda _: self.judge(user, None))
            self.say(self.challenge + encoded(self.personality.token_challenge))
        else:
            self.judge(user, None)


def decoded(text: str) -> str | None:
    """The text of a SASL line; None where it is not base64 of a text."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def encoded(text: str) -> str:
    """A text as a SASL line carries it."""
    return base64.b64encode(text.encode()).decode("ascii")


def plain_credentials(text: str) -> tuple[str, str] | None:
    """User and password of a SASL PLAIN message (RFC 4616)."""
    parts = (decoded(text) or "").split("\0")
    return (parts[1], parts[2]) if len(parts) == 3 else None


def token_user(text: str) -> str:
    """The user of an XOAUTH2 or OAUTHBEARER message, empty where none shows."""
    for part in (decoded(text) or "").replace(",", "\1").split("\1"):
        if part.startswith(("user=", "a=")):
            return part.partition("=")[2]
    return ""
