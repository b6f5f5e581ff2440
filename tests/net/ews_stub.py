"""A small EWS endpoint on loopback, over TLS, that answers as it is told and counts every logon."""

from __future__ import annotations

import base64
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import spnego

from tests.servers.certificates import ServerCertificate

USERNAME = "CONTOSO\\svc-crm"
PASSWORD = "marked-S3cret!"
TOKEN = "right-T0ken"
MAILBOX = "sales@contoso.test"


@dataclass(frozen=True)
class Reply:
    """What to answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    drips: bool = False
    """Whether the body comes byte by byte, one a second, for ever."""
    drips_head: bool = False
    endless: bool = False
    """Whether the body never ends, as fast as it is taken."""
    silent: bool = False
    """Whether nothing comes at all."""
    closes: bool = False
    """Whether the connection is cut in place of an answer."""


def soap(inner: str, *, version: str = 'MajorVersion="15" MinorVersion="1" MajorBuildNumber="2507" MinorBuildNumber="57"') -> bytes:
    """An answer of EWS, with the server's version in its header."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>'
        f'<h:ServerVersionInfo {version} Version="V2017_07_11" xmlns:h="http://schemas.microsoft.com/exchange/services/2006/types"/>'
        '</s:Header><s:Body xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"'
        f' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">{inner}</s:Body></s:Envelope>'
    ).encode()


def find_folder(*, in_view: int = 1, is_last: bool = True) -> bytes:
    """The answer to FindFolder where there is one folder."""
    folder = '<t:Folders><t:Folder><t:FolderId Id="AA==" ChangeKey="AQ=="/></t:Folder></t:Folders>' if in_view else "<t:Folders/>"
    return soap(
        '<m:FindFolderResponse><m:ResponseMessages><m:FindFolderResponseMessage ResponseClass="Success"><m:ResponseCode>NoError'
        f'</m:ResponseCode><m:RootFolder IndexedPagingOffset="1" TotalItemsInView="{in_view}" IncludesLastItemInRange="{str(is_last).lower()}">'
        f"{folder}</m:RootFolder></m:FindFolderResponseMessage></m:ResponseMessages></m:FindFolderResponse>"
    )


def counted(number: int) -> bytes:
    """The answer to FindItem where so many are in view."""
    return soap(
        '<m:FindItemResponse><m:ResponseMessages><m:FindItemResponseMessage ResponseClass="Success"><m:ResponseCode>NoError'
        f'</m:ResponseCode><m:RootFolder IndexedPagingOffset="1" TotalItemsInView="{number}" IncludesLastItemInRange="false"><t:Items/>'
        "</m:RootFolder></m:FindItemResponseMessage></m:ResponseMessages></m:FindItemResponse>"
    )


def refused(code: str, details: str = "") -> bytes:
    """The answer to FindFolder where it is refused by a response code."""
    return soap(
        '<m:FindFolderResponse><m:ResponseMessages><m:FindFolderResponseMessage ResponseClass="Error"><m:MessageText>No.'
        f"</m:MessageText><m:ResponseCode>{code}</m:ResponseCode>{details}</m:FindFolderResponseMessage></m:ResponseMessages></m:FindFolderResponse>"
    )


def fault(code: str, details: str = "") -> bytes:
    """A SOAP fault with a response code."""
    return soap(
        f"<s:Fault><faultcode>t:{code}</faultcode><faultstring>No.</faultstring><detail>"
        f'<e:ResponseCode xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">{code}</e:ResponseCode>'
        f'<e:Message xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">No.</e:Message>{details}</detail></s:Fault>'
    )


FOUND = Reply(200, find_folder())


@dataclass
class EwsStub:
    """A running endpoint. What it answers may be changed at any time."""

    port: int
    ca_file: str
    challenges: tuple[str, ...] = ("NTLM",)
    anonymous: Reply | None = None
    """The answer to a request without credentials; None asks for them."""
    anonymous_from: int = 0
    """How many requests are asked for credentials before that answer is given."""
    challenge: Reply | None = None
    """The answer to the first message of NTLM; None challenges."""
    before_challenge: Callable[[], object] = lambda: None
    """What is done when the first message of NTLM has come, before it is answered."""
    answer: Reply = FOUND
    """The answer after a logon."""
    refusal: Reply = Reply(401)
    """The answer to a wrong password."""
    later: Reply | None = None
    """The answer to requests that follow on a connection that is signed in; None gives the same as to the first."""
    keeps_signed_in: bool = True
    tickets: tuple[bytes, ...] = ()
    """Kerberos tickets that are taken."""
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    connections: int = 0
    logons: int = 0
    wanted_path: str = "/EWS/Exchange.asmx"
    also_at: tuple[str, ...] = ()
    """Other paths that are answered alike."""
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """By name; the certificate is for `localhost` and 127.0.0.1."""
        return f"https://localhost:{self.port}{self.wanted_path}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    stub: EwsStub

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    _ntlm: Any = None
    _is_signed_in = False
    _was_answered = False
    """As IIS has it: NTLM signs in the connection, and requests that follow on it carry nothing."""
    timeout = 20

    def setup(self) -> None:
        super().setup()
        self.server.stub.connections += 1

    def do_POST(self) -> None:
        stub = self.server.stub
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        stub.requests.append((dict(self.headers.items()), body))
        reply = self._decide(stub, self.headers.get("Authorization", ""))
        if self.path not in (stub.wanted_path, *stub.also_at) and reply.status != 401:
            # As IIS has it, who is not signed in is not told what is not there.
            reply = Reply(404)
        self._send(reply)

    def _decide(self, stub: EwsStub, authorization: str) -> Reply:
        asking = Reply(401, headers=tuple(("WWW-Authenticate", c) for c in stub.challenges))
        scheme, _, token = authorization.partition(" ")
        if authorization == "Bearer":
            return asking
        if not authorization and self._is_signed_in and stub.keeps_signed_in:
            return stub.later if stub.later is not None else stub.answer
        if not authorization:
            return stub.anonymous if stub.anonymous is not None and len(stub.requests) > stub.anonymous_from else asking
        if scheme == "Basic":
            stub.logons += 1
            return self._answer(stub, is_good=base64.b64decode(token).decode("latin-1") == f"{USERNAME}:{PASSWORD}")
        if scheme == "Bearer":
            stub.logons += 1
            return self._answer(stub, is_good=token == TOKEN)
        message = base64.b64decode(token)
        if not message.startswith(b"NTLMSSP"):
            stub.logons += 1
            self._is_signed_in = message in stub.tickets
            return stub.answer if self._is_signed_in else stub.refusal
        if message[8] == 1:
            stub.before_challenge()
            if stub.challenge is not None:
                return stub.challenge
            self._ntlm = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
            answer = base64.b64encode(self._ntlm.step(message)).decode()
            return Reply(401, headers=(("WWW-Authenticate", f"{scheme} {answer}"),))
        stub.logons += 1
        try:
            self._ntlm.step(message)
        except spnego.exceptions.SpnegoError:
            return stub.refusal
        self._is_signed_in = True
        return stub.answer

    def _answer(self, stub: EwsStub, *, is_good: bool) -> Reply:
        """The answer to what carries its credentials with each request."""
        if not is_good:
            return stub.refusal
        was_answered, self._was_answered = self._was_answered, True
        return stub.later if was_answered and stub.later is not None else stub.answer

    def _send(self, reply: Reply) -> None:
        stub = self.server.stub
        if reply.silent:
            stub.stopping.wait()
        if reply.closes or reply.silent:
            self.close_connection = True
            return
        if reply.drips_head:
            self._drip()
            return
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.drips or reply.endless:
            if ("Connection", "close") not in reply.headers:
                self.send_header("Content-Length", str(2**40))
            self.end_headers()
            self._drip() if reply.drips else self._flood()
        else:
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
        self.close_connection = self.close_connection or ("Connection", "close") in reply.headers

    def _drip(self) -> None:
        # Without buffering, since each byte is to arrive.
        for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 3600:
            self.wfile.write(bytes([byte]))
            if self.server.stub.stopping.wait(1):
                return

    def _flood(self) -> None:
        while not self.server.stub.stopping.is_set():
            self.wfile.write(b" " * 65536)

    def log_message(self, *args: Any) -> None:
        """Nothing is printed."""


@contextmanager
def run_ews_stub(certificate: ServerCertificate, folder: Path, *, speaks_tls: bool = True) -> Iterator[EwsStub]:
    """Runs an endpoint on a free port of 127.0.0.1, which knows one user. The folder is for the file of its users."""
    users = folder / "users"
    users.write_text(f"CONTOSO:svc-crm:{PASSWORD}\n")
    before = os.environ.get("NTLM_USER_FILE")
    # The one way to tell pyspnego which users there are, when it plays the server.
    os.environ["NTLM_USER_FILE"] = str(users)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain_file, certificate.key_file)
    with _Server(("127.0.0.1", 0), _Handler) as server:
        if speaks_tls:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        stub = server.stub = EwsStub(port=server.server_address[1], ca_file=str(certificate.ca_file))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield stub
        finally:
            stub.stopping.set()
            server.shutdown()
            thread.join()
            if before is None:
                del os.environ["NTLM_USER_FILE"]
            else:
                os.environ["NTLM_USER_FILE"] = before
