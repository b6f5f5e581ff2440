"""What POP3 and SMTP servers have in common: lines, accounts, SASL, and a rude or a good end."""

from __future__ import annotations

import base64
import binascii
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from email.utils import formatdate

from probe.simulation.listening import Conversation, Server

# RFC 5321 section 4.5.3.1 allows 512 octets and extensions more; SASL tokens are the longest in use (RFC 4954: 12288).
LINE_LIMIT = 12288
LOGONS_KEPT = 1000


class MailServer(Server):
    """A server that knows accounts and counts who signs in."""

    def __init__(self, tls: ssl.SSLContext | None, *, implicit: bool = False, accounts: Mapping[str, str] | None = None) -> None:
        super().__init__(tls, implicit=implicit)
        self._accounts = {name.lower(): password for name, password in (accounts or {}).items()}
        self.logons: deque[tuple[str, bool]] = deque(maxlen=LOGONS_KEPT)
        """Who tried to sign in, and whether it succeeded."""

    def signs_in(self, user: str, password: str) -> bool:
        """Whether the password is right; the attempt is counted."""
        accepted = self._accounts.get(user.lower()) == password
        self.logons.append((user, accepted))
        return accepted


class LineConversation(Conversation):
    """A conversation in lines, which can ask for a line that is no command."""

    def __init__(self, server: MailServer) -> None:
        super().__init__(server)
        self.server = server
        self._unread = b""
        self._next: Callable[[str], None] | None = None

    def command(self, line: str) -> None:
        """The client gave a command."""
        raise NotImplementedError

    def await_line(self, then: Callable[[str], None]) -> None:
        """Hands the next line to `then`, whatever it says."""
        self._next = then

    def say(self, text: str) -> None:
        """Sends lines, with this moment, the client's address and its lines' ends filled in."""
        now = formatdate().replace("-0000", "+0000")  # as servers in UTC write it
        filled = text.replace("{peer}", self.peer).replace("{date}", now)
        self.send(b"".join(line.encode("ascii", "replace") + b"\r\n" for line in filled.split("\n")))

    def start_tls(self, ready: str, injected: bytes = b"") -> None:
        """Says that TLS may begin, in the same segment whatever is injected, and forgets what was said in clear (RFC 3207 section 4.2)."""
        self._unread = b""
        self.send(ready.encode("ascii") + b"\r\n" + injected)
        self.upgrade()

    def received(self, data: bytes) -> None:
        self._unread += data
        while b"\n" in self._unread and self.is_open:
            line, _, self._unread = self._unread.partition(b"\n")
            line = line.rstrip(b"\r")
            self.server.heard(line)
            text = line.decode("ascii", "backslashreplace")
            if self._next is not None:
                then, self._next = self._next, None
                then(text)
            else:
                self.command(text)
        if len(self._unread) > LINE_LIMIT:
            self.close()


def decoded(text: str) -> str | None:
    """What a SASL line means, None where it is not base64 of a text."""
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
