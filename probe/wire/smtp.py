"""SMTP: reads replies, the client's name in EHLO, and the ways to sign in (RFC 5321, 4954)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from probe.model.values import dataclass
from probe.tables.smtp import smtp_keywords
from probe.wire.lines import LineBuffer, StrayLines, WireError, as_text

MAX_REPLY_LINES = 200
"""Lines of one reply. The longest list of EHLO seen has 20."""
MAX_REPLY_BYTES = 64 * 1024

_REPLY_LINE = re.compile(rb"[1-5]\d\d(?!\d)")
"""GMX was seen to say `250AUTH LOGIN PLAIN`, so that anything but a fourth digit may follow the code."""


@dataclass(frozen=True, slots=True)
class SmtpReply:
    """One reply of the server."""

    code: int
    """Of its last line, by which one decides (RFC 5321 section 4.2.1)."""
    lines: tuple[str, ...]
    """As said, each with its code, without white space at its end."""

    @property
    def kind(self) -> int:
        """The first digit: 2 is yes, 3 is go on, 4 is not now, 5 is no."""
        return self.code // 100

    @property
    def texts(self) -> tuple[str, ...]:
        """The lines without the code and its separator."""
        return tuple(line[3:].removeprefix("-").strip() for line in self.lines)

    @property
    def words(self) -> str:
        """The whole reply as said, its lines joined by newlines."""
        return "\n".join(self.lines)

    @property
    def last(self) -> str:
        """The last line as said, as far as one sentence tells it."""
        return self.lines[-1][:200]


class SmtpReader:
    """Feed it bytes and ask for replies.

    Any exception other than WireError is our bug. A reply ends with a line whose fourth character is no hyphen.
    """

    def __init__(self) -> None:
        self._buffer = LineBuffer()
        self._strays = StrayLines("SMTP")
        self._lines: list[str] = []
        self._size = 0
        self._unasked: SmtpReply | None = None

    @property
    def stray(self) -> str:
        """The first line since the last reply that was skipped as none; empty where no line was."""
        return self._strays.first

    def feed(self, data: bytes) -> None:
        """Store what came."""
        self._buffer.feed(data)

    def next_reply(self) -> SmtpReply | None:
        """The next reply, or None while more bytes are needed."""
        if self._unasked is not None:
            reply, self._unasked = self._unasked, None
            return reply
        while (line := self._buffer.next_line()) is not None:
            if not _REPLY_LINE.match(line):
                self._strays.pass_over(line)
                continue
            self._lines.append(as_text(line).rstrip())
            self._size += len(line)
            if line[3:4] != b"-":
                reply = SmtpReply(int(line[:3]), tuple(self._lines))
                self._lines, self._size = [], 0
                self._strays.answered()
                return reply
            if len(self._lines) == MAX_REPLY_LINES or self._size > MAX_REPLY_BYTES:
                raise WireError(f"a reply of more than {MAX_REPLY_LINES} lines or {MAX_REPLY_BYTES} bytes")
        return None

    def with_rest(self, reply: SmtpReply) -> SmtpReply:
        """A list of EHLO with what stands behind its last line and has come already: some servers leave out hyphens, and .NET reads every line."""
        lines = list(reply.lines)
        while self._unasked is None and (more := self.next_reply()) is not None:
            if more.code == reply.code:
                lines += more.lines
            else:
                self._keep_refusal(more)
        return SmtpReply(reply.code, tuple(lines))

    def drop_unasked(self) -> None:
        """Discard the replies that came before a command is sent, because they answer none.

        A refusal is kept: a server may send it at any time (421, RFC 5321 section 3.8), and it counts as the answer.
        """
        while self._unasked is None and (reply := self.next_reply()) is not None:
            self._keep_refusal(reply)

    def _keep_refusal(self, reply: SmtpReply) -> None:
        self._unasked = reply if reply.kind in (4, 5) else None

    def take_rest(self) -> bytes:
        """What came after the last reply; at STARTTLS it must be nothing (RFC 3207 section 6)."""
        return self._buffer.take_rest()


def plain_reply(reply: SmtpReply) -> bytes:
    """A reply for a client that goes by its code alone: one line, as RFC 5321 writes it, and never longer than any client takes."""
    return f"{reply.code} {reply.texts[-1][:200]}".rstrip().encode() + b"\r\n"


def address_literal(address: str) -> str:
    """An address as a client without a name gives it to EHLO (RFC 5321 section 4.1.3)."""
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def client_name(machine: str) -> str:
    """The name for EHLO where the server refuses our address: this machine's own where that is a domain, else a reserved one."""
    labels = machine.rstrip(".").split(".")
    is_domain = len(labels) > 1 and len(machine) <= 253 and all(map(_LABEL.fullmatch, labels))
    return ".".join(labels) if is_domain else "localhost.localdomain"


def knows_no_ehlo(reply: SmtpReply) -> bool:
    """Whether a refusal of EHLO says that the command is not known, so that there are no extensions, rather than that our name is not liked."""
    return reply.code in (500, 502)


def own_line(reply: SmtpReply) -> str | None:
    """The first line of the reply to EHLO, in which the server names itself; None where it is an extension already, since the server left its own out."""
    first = reply.texts[0]
    return None if _keyword(first) in smtp_keywords() else first


def extensions(reply: SmtpReply) -> tuple[str, ...]:
    """What a reply to EHLO lists."""
    return reply.texts if own_line(reply) is None else reply.texts[1:]


def offers(extensions: Iterable[str], keyword: str) -> bool:
    """Whether an extension is among those that EHLO listed."""
    return any(_keyword(line) == keyword for line in extensions)


def _keyword(line: str) -> str:
    return (line.upper().replace("AUTH=", "AUTH ", 1).split(maxsplit=1) or [""])[0]


def mechanisms(extensions: Iterable[str]) -> tuple[str, ...]:
    """The mechanisms of `AUTH`, and of the old `AUTH=`, out of the lines of EHLO less their codes; each once, in order."""
    found: list[str] = []
    for line in extensions:
        words = line.upper().replace("AUTH=", "AUTH ", 1).split()
        if words[:1] == ["AUTH"]:
            found += words[1:]
    return tuple(dict.fromkeys(found))
