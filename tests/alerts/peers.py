"""Targets of alerts on loopback: an HTTPS server that takes what comes under any name, and a mail server over TLS. Both keep what arrived."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.looking import authority

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body of a response."""
SUCCESS: Answer = (200, {"Content-Type": "application/json"}, b'{"ok": true, "status": "success", "result": "success", "id": 1}')


@dataclass(frozen=True)
class Arrived:
    """A request as it arrived."""

    method: str
    host: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpsTarget:
    """An HTTPS server. `answers` says what it answers to each request."""

    answers: Callable[[Arrived], Answer | None] = lambda request: SUCCESS
    """None: it closes the connection without a response."""
    arrived: list[Arrived] = field(default_factory=list)
    port: int = 0

    def hosts(self, *names: str) -> dict[str, str]:
        """Leads these names here."""
        return dict.fromkeys(names, f"127.0.0.1:{self.port}")

    @property
    def texts(self) -> str:
        """The bodies of all requests, one after another."""
        return "\n".join(request.body.decode() for request in self.arrived)


@contextmanager
def https_target(
    *names: str, identity: str = "trusted", answers: Callable[[Arrived], Answer | None] | None = None
) -> Iterator[HttpsTarget]:
    """A server with a certificate for localhost and these names: `trusted`, or `self-signed`."""
    target = HttpsTarget() if answers is None else HttpsTarget(answers)
    everybody = ("localhost", *names)
    issued = authority().issue(*everybody) if identity == "trusted" else authority().self_signed(*everybody)

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if len(body) < length:
                # Its sender ended in the middle: nobody takes half a request.
                self.close_connection = True
                return
            request = Arrived(self.command, self.headers.get("Host", ""), self.path, dict(self.headers.items()), body)
            target.arrived.append(request)
            answer = target.answers(request)
            if answer is None:
                self.close_connection = True
                return
            status, headers, content = answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_HEAD = _answer  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that does not like the certificate is none of our errors."""

        def finish_request(self, request: Any, client_address: Any) -> None:
            # The handshake is the thread's, so that a client that stalls holds nobody else.
            request.settimeout(30)
            with issued.context().wrap_socket(request, server_side=True) as wrapped:
                super().finish_request(wrapped, client_address)

    server = Server(("127.0.0.1", 0), Handler)
    target.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield target
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class MailTarget:
    """A mail server. `refuses` names recipients that it does not take."""

    offers_starttls: bool = True
    refuses: frozenset[str] = frozenset()
    final: bytes = b"250 taken"
    """What it says after a message; empty: it closes the connection."""
    login: bytes = b"235 welcome"
    """What it says to a login."""
    messages: list[bytes] = field(default_factory=list)
    said_in_clear: list[bytes] = field(default_factory=list)
    port: int = 0


@contextmanager
def mail_target(target: MailTarget | None = None, *, identity: str = "trusted", speaks_tls_at_once: bool = False) -> Iterator[MailTarget]:
    """The server, for localhost."""
    target = target or MailTarget()
    issued = authority().issue("localhost") if identity == "trusted" else authority().self_signed("localhost")
    listener = socket.create_server(("127.0.0.1", 0))
    target.port = listener.getsockname()[1]

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError, ValueError), contextlib.closing(connection):
                connection.settimeout(30)
                _mail_session(target, connection, issued.context(), speaks_tls_at_once=speaks_tls_at_once)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield target
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _mail_session(target: MailTarget, plain: socket.socket, context: ssl.SSLContext, *, speaks_tls_at_once: bool) -> None:
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(context.wrap_socket(plain, server_side=True)) if speaks_tls_at_once else plain
        lines = stack.enter_context(connection.makefile("rb"))
        connection.sendall(b"220 localhost\r\n")
        while line := lines.readline():
            is_tls = isinstance(connection, ssl.SSLSocket)
            if not is_tls:
                target.said_in_clear.append(line)
            verb = line[:4].upper()
            if verb == b"STAR" and target.offers_starttls:
                connection.sendall(b"220 go\r\n")
                connection = stack.enter_context(context.wrap_socket(plain, server_side=True))
                lines = stack.enter_context(connection.makefile("rb"))
            elif verb == b"EHLO":
                offer = b"250-STARTTLS\r\n" if target.offers_starttls and not is_tls else b""
                connection.sendall(b"250-localhost\r\n" + offer + b"250-AUTH PLAIN\r\n250 8BITMIME\r\n")
            elif verb == b"RCPT" and any(name.encode() in line for name in target.refuses):
                connection.sendall(b"550 no such mailbox\r\n")
            elif verb == b"AUTH":
                connection.sendall(target.login + b"\r\n")
            elif verb == b"DATA":
                connection.sendall(b"354 go\r\n")
                message = b""
                while (text := lines.readline()) not in (b".\r\n", b""):
                    message += text
                target.messages.append(message)
                if not target.final:
                    return
                connection.sendall(target.final + b"\r\n")
            elif verb == b"QUIT":
                connection.sendall(b"221 bye\r\n")
                return
            else:
                connection.sendall(b"250 well\r\n")
