"""Servers that refuse every password, each in one way, and count the proofs that reached them."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable

from probe.simulation.listening import Conversation, Server

Ending = str | Callable[[Conversation], None]
"""What a password is answered with: a line, `{tag}` standing for IMAP's, or what is done instead."""


class Refusing(Server):
    """A POP3, SMTP, IMAP or HTTP server under TLS; `proofs` has what every sign-in sent."""

    def __init__(self, service: str, tls: ssl.SSLContext, ending: Ending, *, mechanisms: str = "PLAIN LOGIN") -> None:
        super().__init__(tls, implicit=True)
        self.service = service
        self.ending = ending
        self.mechanisms = mechanisms
        self.proofs: list[str] = []
        self.greeting = ""
        """Said in place of the usual one."""

    def converse(self) -> Conversation:
        return {"pop3": _Pop3, "smtp": _Smtp, "imap": _Imap, "http": _Http}[self.service](self)


class _Lines(Conversation):
    greeting = ""

    def __init__(self, server: Refusing) -> None:
        super().__init__(server)
        self.server = server
        self._unread = b""
        self._next: Callable[[str], None] = self.command

    def opened(self) -> None:
        self.say(self.server.greeting or self.greeting)

    def received(self, data: bytes) -> None:
        self._unread += data
        while b"\n" in self._unread and self.is_open:
            line, _, self._unread = self._unread.partition(b"\n")
            self._next(line.rstrip(b"\r").decode("utf-8", "surrogateescape"))

    def say(self, *lines: str) -> None:
        self.send("".join(f"{line}\r\n" for line in lines).encode())

    def then(self, what: Callable[[str], None], *challenge: str) -> None:
        self.say(*challenge)
        self._next = what

    def prove(self, line: str, tag: str = "") -> None:
        self._next = self.command
        self.server.proofs.append(line)
        if callable(self.server.ending):
            self.server.ending(self)
        else:
            self.say(*self.server.ending.format(tag=tag).split("\n"))

    def command(self, line: str) -> None:
        raise NotImplementedError


class _Pop3(_Lines):
    greeting = "+OK ready"

    def command(self, line: str) -> None:
        match line.upper().split():
            case ["CAPA"]:
                self.say("+OK", *(["USER"] if "USER" in self.server.mechanisms else []), f"SASL {self.server.mechanisms}", ".")
            case ["USER", *_]:
                self.say("+OK")
            case ["PASS", *_]:
                self.prove(line)
            case ["AUTH", _]:
                self.then(self.prove, "+ ")
            case _:
                self.say("+OK 0 0")


class _Smtp(_Lines):
    greeting = "220 ready"

    def command(self, line: str) -> None:
        match line.upper().split():
            case ["EHLO", *_]:
                self.say("250-ready", f"250 AUTH {self.server.mechanisms}")
            case ["AUTH", "PLAIN", _]:
                self.prove(line)
            case ["AUTH", "LOGIN"]:
                self.then(lambda _: self.then(self.prove, f"334 {base64.b64encode(b'Password:').decode()}"), "334 VXNlcm5hbWU6")
            case _:
                self.say("250 ok")


class _Imap(_Lines):
    greeting = "* OK ready"

    def command(self, line: str) -> None:
        tag, _, rest = line.partition(" ")
        match rest.upper().split():
            case ["CAPABILITY"]:
                words = [f"AUTH={name}" for name in self.server.mechanisms.split()]
                self.say(
                    " ".join(["* CAPABILITY IMAP4rev1", *words, *([] if "USER" in self.server.mechanisms else ["LOGINDISABLED"])]),
                    f"{tag} OK",
                )
            case ["LOGIN", *_]:
                self.prove(line, tag)
            case ["AUTHENTICATE", _]:
                self.then(lambda said: self.prove(said, tag), "+ ")
            case _:
                self.say(f"{tag} OK")


class _Http(_Lines):
    """EWS as a front door shows it: Basic, and what comes of it."""

    def opened(self) -> None:
        pass

    def received(self, data: bytes) -> None:
        self._unread += data
        while b"\r\n\r\n" in self._unread and self.is_open:
            head, _, rest = self._unread.partition(b"\r\n\r\n")
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
            length = int(fields.get(b"content-length", b"0"))
            if len(rest) < length:
                return
            self._unread = rest[length:]
            authorization = next((line for line in head.split(b"\r\n") if line.lower().startswith(b"authorization: basic")), b"")
            if authorization:
                self.prove(authorization.decode())
            else:
                self.say("HTTP/1.1 401 Unauthorized", 'WWW-Authenticate: Basic realm="x"', "Content-Length: 0", "")
