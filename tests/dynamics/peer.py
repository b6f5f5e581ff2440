"""A small organization on loopback: it lets in by NTLM, has rows, and says whatever else a test puts in its mouth. It remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from probe.dynamics import Client, Credential, signed_in
from probe.model.estate import Authentication, BoundOrganization, DynamicsAccess, OrganizationUrl, Secret
from probe.net.dial import Dial, Network
from probe.net.kerberos import TicketRequest, TicketResult, fetch_ticket
from probe.net.killable import Children
from probe.net.limits import Deadline
from probe.net.transcript import Recorder
from probe.probing import Notebook, Proof, Unrecorded
from probe.simulation.ntlm import Proof as NtlmProof
from probe.simulation.ntlm import WindowsHost, message_type
from tests.looking import authority

USER, PASSWORD = "svc-probe", "marked-Secret-1"
ORGANIZATION, NAME = "5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11", "Contoso"
WHO = "0f3c2a11-0000-4000-8000-000000000001"
API = "/Contoso/api/data/v9.1"
JSON = ("Content-Type", "application/json; odata.metadata=minimal")
_WINDOWS = WindowsHost(computer="crm.contoso.test", domain="contoso.test", version=(10, 0, 17763))


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query, keep_blank_values=True).items()}


def said(status: int, body: bytes | dict[str, Any] = b"", *headers: tuple[str, str]) -> bytes:
    """An answer with its length."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = (JSON, *headers) if isinstance(body, dict) else headers
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in given), f"Content-Length: {len(content)}", "", ""]
    return "\r\n".join(lines).encode() + content


def error(status: int, code: str, message: str, /, *headers: tuple[str, str], **inner: str) -> bytes:
    """An error in OData's form."""
    return said(status, {"error": {"code": code, "message": message, **({"innererror": inner} if inner else {})}}, *headers)


def guid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def mailbox(number: int, **more: Any) -> dict[str, Any]:
    """A row of a mailbox, as the Web API gives it."""
    row = {
        "mailboxid": guid(number),
        "name": f"Mailbox {number}",
        "emailaddress": f"box{number}@contoso.test",
        "statecode": 0,
        "_emailserverprofile_value": guid(900),
        "incomingemaildeliverymethod": 2,
        "testemailconfigurationscheduled": False,
        "testmailboxaccesscompletedon": None,
    }
    return row | more


ATTRIBUTES = {
    "mailbox": [
        "mailboxid",
        "name",
        "emailaddress",
        "statecode",
        "emailserverprofile",
        "regardingobjectid",
        "incomingemaildeliverymethod",
        "testemailconfigurationscheduled",
        "testmailboxaccesscompletedon",
        "password",
    ],
    "emailserverprofile": [
        "emailserverprofileid",
        "name",
        "statecode",
        "servertype",
        "incomingserverlocation",
        "processemailsreceivedafter",
    ],
    "tracelog": ["tracelogid", "regardingobjectid", "level", "tracecode", "text", "modifiedon"],
}
OPTIONS = {
    "mailbox": {"incomingemaildeliverymethod": {0: "None", 1: "Outlook", 2: "Server-Side Synchronization or Email Router"}},
    "emailserverprofile": {"servertype": {0: "Exchange Server", 1: "Other (POP3/SMTP)"}},
    "tracelog": {"level": {1: "Information", 2: "Warning", 3: "Error"}},
}
TABLES = {"mailboxes": "mailbox", "emailserverprofiles": "emailserverprofile", "tracelogs": "tracelog"}

Say = Callable[[Request], bytes | None]
"""What is answered in place of the usual; None for the usual."""


@dataclass
class Peer:
    """The organization. `says` is asked first once somebody is signed in, and `greets` before that."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    offers: tuple[str, ...] = ("Negotiate", "NTLM")
    page: int = 500
    is_bound: bool = False
    """Whether NTLM must be bound to the channel."""
    takes_ticket: Callable[[str], bool] = lambda token: False
    is_asked_each_time: bool = False
    """Whether a ticket lets in one request, rather than the connection."""
    takes_token: Callable[[str], bool] | None = None
    """Which tokens of AD FS are taken; each lets in one request."""
    closes_after: str | None = None
    """The method whose answer is followed by the end of the connection, without a word of warning."""
    is_silent_to: str | None = None
    """What a request begins with that is never answered."""
    says: Say = lambda request: None
    greets: Say = lambda request: None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    scheme: str = "https"
    certificate: bytes = b""

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.port}/Contoso"

    @property
    def writes(self) -> list[Request]:
        return [request for request in self.requests if request.method != "GET"]

    @property
    def asked(self) -> list[str]:
        """What was asked and answered, less the requests that only signed in."""
        return [f"{request.method} {request.path.removeprefix('/Contoso/api/data/')}" for request in self.requests]

    def answer(self, request: Request) -> bytes:
        """The answer to whoever is signed in."""
        given = self.says(request)
        return self.usual(request) if given is None else given

    def usual(self, request: Request) -> bytes:
        what = request.path.removeprefix(f"{API}/")
        context = {"@odata.context": f"{self.url}/api/data/v9.1/$metadata"}
        if request.method == "PATCH":
            return said(204)
        if what == "WhoAmI":
            return said(200, {**context, "BusinessUnitId": WHO, "UserId": WHO, "OrganizationId": ORGANIZATION})
        if what == "RetrieveVersion()":
            return said(200, {**context, "Version": "9.1.18.22"})
        if what == f"organizations({ORGANIZATION})":
            return said(200, {**context, "name": NAME, "organizationid": ORGANIZATION})
        if found := re.fullmatch(r"EntityDefinitions\(LogicalName='(\w+)'\)/Attributes(/.*)?", what):
            return said(
                200, {**context, "value": self._options(found[1]) if found[2] else [{"LogicalName": a} for a in ATTRIBUTES[found[1]]]}
            )
        if what in TABLES:
            return said(200, context | self.listing(request, what))
        return error(404, "0x80060888", f"Resource not found for the segment '{what}'.")

    def listing(self, request: Request, table: str) -> dict[str, Any]:
        """A page of a table's rows; of those alone whose ids a filter names, where it names any."""
        rows = self.rows.get(table, [])
        if "$filter" in request.query:
            rows = [row for row in rows if any(str(value) in request.query["$filter"] for value in row.values() if isinstance(value, str))]
        begin = int(request.query.get("skip", 0))
        page: dict[str, Any] = {"@odata.count": min(len(rows), 5000), "value": rows[begin : begin + self.page]}
        if begin + self.page < len(rows):
            page["@odata.nextLink"] = f"{self.url}/api/data/v9.1/{table}?$select=x&skip={begin + self.page}"
        return page

    @staticmethod
    def _options(table: str) -> list[dict[str, Any]]:
        def labelled(value: int, label: str) -> dict[str, Any]:
            localized = {"Label": label, "LanguageCode": 1033}
            return {"Value": value, "Label": {"LocalizedLabels": [localized], "UserLocalizedLabel": localized}}

        return [
            {"LogicalName": name, "OptionSet": {"Options": [labelled(*one) for one in labels.items()]}, "GlobalOptionSet": None}
            for name, labels in OPTIONS[table].items()
        ]

    def challenge(self, *more: tuple[str, str]) -> bytes:
        return said(401, b"<html>401</html>", *(("WWW-Authenticate", way) for way in self.offers), *more)


class _Connection(asyncio.Protocol):
    def __init__(self, peer: Peer, opened: set[asyncio.Transport]) -> None:
        self._peer = peer
        self._opened = opened
        self._heard = b""
        self._is_in = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._opened.add(self._transport)
        self._peer.connections += 1
        self._number = self._peer.connections

    def connection_lost(self, failure: Exception | None) -> None:
        self._opened.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, end, rest = self._heard.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", 0))
        if not end or len(rest) < length:
            return
        self._heard = rest[length:]
        method, target, _ = first.split(" ")
        request = Request(method, target, headers, rest[:length], self._number)
        self._peer.requests.append(request)
        if self._peer.is_silent_to is not None and f"{method} {target}".startswith(self._peer.is_silent_to):
            return
        answer = self._let_in(request)
        self._transport.write(answer)
        if not answer or method == self._peer.closes_after or b"\r\nConnection: close\r\n" in answer.partition(b"\r\n\r\n")[0] + b"\r\n":
            self._transport.close()

    def _let_in(self, request: Request) -> bytes:
        peer = self._peer
        if (given := peer.greets(request)) is not None:
            return given
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme == "NTLM" and message_type(token) == 1:
            return said(401, b"", ("WWW-Authenticate", f"NTLM {_WINDOWS.challenge()}"))
        if scheme == "NTLM":
            proof = NtlmProof.read(token)
            is_bound = not peer.is_bound or proof.is_bound_to(peer.certificate)
            self._is_in = proof.is_of(PASSWORD) and proof.user == USER and is_bound
        if scheme == "Negotiate":
            self._is_in = peer.takes_ticket(token)
        if scheme == "Bearer":
            self._is_in = peer.takes_token is not None and peer.takes_token(token)
        if not self._is_in:
            return peer.challenge()
        self._is_in = not (peer.is_asked_each_time or peer.takes_token)
        return peer.answer(request)


@asynccontextmanager
async def serving(peer: Peer, *, plain: bool = False, context: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """The organization, listening; over TLS unless it is `plain`, with a certificate of its own unless a `context` has another."""
    identity = authority().issue("localhost", "127.0.0.1")
    pem = identity.file.read_text()
    peer.certificate = ssl.PEM_cert_to_DER_cert(
        pem[pem.index("-----BEGIN CERT") : pem.index("-----END CERT")] + "-----END CERTIFICATE-----"
    )
    peer.scheme = "http" if plain else "https"
    opened: set[asyncio.Transport] = set()
    context = None if plain else context or identity.context()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(peer, opened), "127.0.0.1", 0, ssl=context)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for transport in list(opened):
            transport.abort()
        await server.wait_closed()


@dataclass
class Way:
    """How a test comes to the organization, and what it leaves behind."""

    username: str | None = f"CONTOSO\\{USER}"
    password: str = PASSWORD
    authentication: Authentication = Authentication.NTLM
    bound: str | None = None
    plain_http: bool = False
    proof: Proof = field(default_factory=Unrecorded)
    fetch: Callable[[TicketRequest], TicketResult] = fetch_ticket
    token_url: str | None = None
    authorities: tuple[str, ...] = ()
    slept: list[float] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    hosts: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None
    ca_file: Path | None = None

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    @asynccontextmanager
    async def to(self, peer: Peer) -> AsyncIterator[Client]:
        """The organization, signed in to."""
        access = DynamicsAccess(
            url=OrganizationUrl.parse(self.url or peer.url),
            authentication=self.authentication,
            organization=None if self.bound is None else BoundOrganization.parse(self.bound),
            plain_http=self.plain_http,
            token_url=self.token_url,
            client_id=None if self.token_url is None else "probe",
        )
        credential = None if self.username is None else Credential(username=self.username, password=Secret(self.password), proof=self.proof)
        recorder = Recorder()
        async with AsyncExitStack() as stack:
            children = await stack.enter_async_context(Children())
            deadline = await stack.enter_async_context(Deadline(60))
            network = Network(hosts=self.hosts, ca_file=self.ca_file or authority().ca_file, children=children)
            dial = Dial(access.url.endpoint, network, deadline, recorder)
            notes = Notebook("1", access.url.endpoint.url, None, lambda: datetime(2026, 11, 28, tzinfo=UTC))
            try:
                yield await stack.enter_async_context(
                    signed_in(access, credential, dial, notes, authorities=self.authorities, sleep=self._sleep, fetch=self.fetch)
                )
            finally:
                self.lines.extend(line.text for line in recorder.lines())


__all__ = ["Peer", "Request", "Way", "error", "guid", "mailbox", "replace", "said", "serving"]
