"""Plain blocking clients, which share no code with the servers that they talk to."""

from __future__ import annotations

import socket
import ssl


class RawClient:
    """A socket, and what has been read from it so far."""

    def __init__(self, port: int, context: ssl.SSLContext | None = None, name: str = "127.0.0.1") -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.socket: socket.socket = context.wrap_socket(plain, server_hostname=name) if context else plain

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, text: str) -> None:
        self.socket.sendall(text.encode() + b"\r\n")

    def upgrade(self, context: ssl.SSLContext, name: str = "127.0.0.1") -> None:
        self.socket = context.wrap_socket(self.socket, server_hostname=name)

    def read_until(self, end: bytes) -> bytes:
        """Bytes up to and with the end, or all there were when the peer closed."""
        got = b""
        while not got.endswith(end):
            more = self.socket.recv(1)
            if not more:
                break
            got += more
        return got

    def line(self) -> str:
        return self.read_until(b"\r\n").decode().rstrip("\r\n")

    def reply(self, text: str) -> str:
        self.say(text)
        return self.line()

    def smtp_reply(self, text: str) -> list[str]:
        """All lines of the answer to an SMTP command."""
        self.say(text)
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return lines
