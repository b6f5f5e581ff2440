"""The Web API of an on-premises organization behind IIS, at `URL/api/data/v9.x/`.

It answers the requests that a reader of e-mail settings makes, refuses every change but one (PATCH of a mailbox), and keeps a record of
all that came.
"""

from __future__ import annotations

import gzip
import json
import re
import ssl
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import unquote

from probe.model.values import dataclass
from probe.simulation.dynamics.errors import (
    JSON,
    ODATA,
    Refused,
    changed_meanwhile,
    missing_privilege,
    no_record,
    no_segment,
    no_user,
    not_allowed,
    unreadable,
    unspoken,
)
from probe.simulation.dynamics.faults import Document, Fault
from probe.simulation.dynamics.metadata import (
    ENGLISH,
    MAILBOX,
    made_id,
    shown,
)
from probe.simulation.dynamics.odata import Row, Shape, options_of
from probe.simulation.dynamics.organization import LOGS_KEPT, Organization, SystemUser, Write
from probe.simulation.dynamics.reading import RECORD, Reading, etag
from probe.simulation.dynamics.signing_in import Claims, Door, NotSignedIn, Windows
from probe.simulation.web import Request, Response, WebServer

_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
_HTML = ("Content-Type", "text/html")
_NO_ACCESS = b"<!DOCTYPE html><html><head><title>401 - Unauthorized: Access is denied due to invalid credentials.</title></head></html>"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A received request, without its secrets, and its result."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int
    """Connections are numbered from 1."""
    status: int
    user: str
    """The signed-in user; empty for none."""


class DynamicsServer(WebServer):
    """The site of one organization. `faults` may be added to at any time."""

    def __init__(
        self,
        organization: Organization,
        tls: ssl.SSLContext | None = None,
        *,
        users: Iterable[SystemUser],
        windows: Windows | None = None,
        claims: Claims | None = None,
        path: str | None = None,
        unspoken_status: int = 404,
        shows_inner_error: bool = True,
        language: int = ENGLISH,
        compresses: bool = False,
        chunks: bool = False,
    ) -> None:
        """`path` leads to the organization on a server of several; empty for an internet-facing one, which has a host of its own.

        `compresses` and `chunks` are settings of IIS: whether documents come compressed to who takes that, and in chunks.
        """
        super().__init__(tls)
        self.organization = organization
        self.door = Door(users, windows=windows, claims=claims)
        self.faults: list[Fault] = []
        self.requests: deque[Recorded] = deque(maxlen=LOGS_KEPT)
        """Every request, those of a sign-in that is under way too."""
        self._path = f"/{organization.name if path is None else path}".rstrip("/")
        self._unspoken_status = unspoken_status
        self._shows_inner_error = shows_inner_error
        self._language = language
        self._compresses = compresses
        self._chunks = chunks
        self._numbered = 0
        self._listed: tuple[object, list[Row]] | None = None

    @property
    def logons(self) -> deque[tuple[str, bool]]:
        """Every try to sign in: the user name and whether it succeeded."""
        return self.door.logons

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Method and path, below the organization's, of every request that a signed-in user made."""
        return [(each.method, each.path[len(self._path) :]) for each in self.requests if each.user]

    @property
    def changes_asked(self) -> list[Recorded]:
        """Every request that is not a reading one, from whomever and whatever became of it; a sign-in under way may ask for one thing twice."""
        return [each for each in self.requests if each.method not in ("GET", "HEAD", "OPTIONS")]

    def answer(self, request: Request) -> Response:
        if "number" not in request.connection:
            self._numbered += 1
            request.connection["number"] = self._numbered
        number = request.connection["number"]
        user, response = self._answered(request)
        request.connection["number"] = number
        path, _, query = request.target.partition("?")
        headers = tuple((n, v.partition(" ")[0] if n.lower() in _SECRET_HEADERS else v) for n, v in request.headers)
        name = user.name if user else ""
        self.requests.append(Recorded(request.method, unquote(path), unquote(query), headers, request.body, number, response.status, name))
        marks = (("Server", "Microsoft-IIS/10.0"), ("REQ_ID", made_id("request", str(len(self.requests)))), ("X-Powered-By", "ASP.NET"))
        return replace(response, headers=(*response.headers, *marks))

    def _answered(self, request: Request) -> tuple[SystemUser | None, Response]:
        fault = self._fault(request, signed_in=False)
        if fault is not None and fault.instead is not None:
            return None, self._instead(fault.instead(request))
        try:
            user, ending = self.door.signed_in(request)
        except NotSignedIn as refusal:
            return None, Response(401, (_HTML, *refusal.challenges), _NO_ACCESS)
        fault = self._fault(request, signed_in=True)
        if fault is not None and fault.instead is not None:
            return user, self._instead(fault.instead(request))
        try:
            status, headers, document = self._carried_out(request, user)
        except Refused as refusal:
            return user, refusal.response(inner=self._shows_inner_error, headers=ending)
        if fault is not None and fault.alter is not None and document is not None:
            fault.alter(document)
        body = b"" if document is None else json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        about: tuple[tuple[str, str], ...] = (ODATA,) if document is None else (JSON, ODATA, ("Cache-Control", "no-cache"))
        if body and self._compresses and "gzip" in request.header("Accept-Encoding").lower():
            body, about = gzip.compress(body), (*about, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
        response = Response(status, (*about, *headers, *ending), body, chunked=self._chunks and document is not None)
        return user, fault.send(response) if fault is not None and fault.send is not None else response

    def _instead(self, answer: Response | Refused) -> Response:
        return answer.response(inner=self._shows_inner_error) if isinstance(answer, Refused) else answer

    def _fault(self, request: Request, *, signed_in: bool) -> Fault | None:
        return next((fault for fault in self.faults if fault.strikes(request, signed_in=signed_in)), None)

    def _carried_out(self, request: Request, user: SystemUser) -> tuple[int, tuple[tuple[str, str], ...], Document | None]:
        """Status, headers and document for a signed-in user."""
        if not user.member:
            raise no_user()
        root = f"{self._path}/api/data/".lower()
        target = unquote(request.target.partition("?")[0])
        if not target.lower().startswith(root):
            raise Refused(404, "", "The page was not found.")
        version, _, resource = target[len(root) :].partition("/")
        self._refuse_unspoken(version)
        query = options_of(request.target)
        base = f"{'https' if self.tls else 'http'}://{request.header('Host')}{target[: len(root)]}{version}"
        if request.method == "PATCH":
            return self._patched(request, user, resource, base)
        if request.method != "GET":
            raise not_allowed(request.method)
        reading = Reading(self.organization, self._listed_rows, user, base, query, request, language=self._language)
        document = reading.read(resource.removesuffix("()"))
        return 200, reading.preferences(), document

    def _refuse_unspoken(self, version: str) -> None:
        found = re.fullmatch(r"v(\d+)\.(\d+)", version)
        if found is None:
            raise no_segment(version)
        if not (8, 0) <= (int(found[1]), int(found[2])) <= self.organization.numbers:
            raise unspoken(self._unspoken_status, version)

    def _patched(
        self, request: Request, user: SystemUser, resource: str, base: str
    ) -> tuple[int, tuple[tuple[str, str], ...], Document | None]:
        found = RECORD.fullmatch(resource)
        if_match = request.header("If-Match")
        identifier = found["id"].lower() if found else ""
        status, changes = 204, {}
        try:
            changes = _changes_of(request)
            if found is None or found["set"] != MAILBOX.set_name:
                raise not_allowed("PATCH")
            self._change(user, identifier, changes, if_match)
        except Refused as refusal:
            status = refusal.status
            raise
        finally:
            self.organization.writes.append(Write(identifier, changes, if_match, status, user.name))
        return 204, (("OData-EntityId", f"{base}/{MAILBOX.set_name}({identifier})"),), None

    def _change(self, user: SystemUser, identifier: str, changes: Document, if_match: str) -> None:
        if MAILBOX.write_privilege in user.lacks:
            raise missing_privilege(MAILBOX.write_privilege, user.id, MAILBOX)
        known = shown(MAILBOX, self.organization.numbers)
        for name, value in changes.items():
            attribute = known.get(name)
            if attribute is None:
                raise unreadable(f"Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM.mailbox'.")
            if attribute.kind == "Boolean" and not isinstance(value, bool):
                raise unreadable(
                    f"Cannot convert a value to target type 'Edm.Boolean' because of conflict between input format and '{name}'."
                )
        row = self.organization.mailboxes.get(identifier)
        if row is None:
            # Without If-Match the real one would create a record (an upsert); no test needs that.
            raise no_record(MAILBOX.name, identifier)
        if if_match not in ("", "*", etag(row)):
            raise changed_meanwhile()
        # Attributes that are not writable are ignored (*unconfirmed*).
        self.organization.update(MAILBOX, identifier, {name: value for name, value in changes.items() if known[name].writable})

    def _listed_rows(self, shape: Shape, query: dict[str, str]) -> list[Row]:
        """The rows that pass, in their order; kept for the pages that follow, until something changes."""
        key = (self.organization.revision, shape.entity.name, query.get("$filter"), query.get("$orderby"))
        if self._listed is None or self._listed[0] != key:
            passes = shape.passing(query.get("$filter"))
            rows = [row for row in self.organization.records[shape.entity.name].values() if passes(row)]
            self._listed = (key, shape.ordered(rows, query.get("$orderby")))
        return self._listed[1]


def _changes_of(request: Request) -> Document:
    if not request.header("Content-Type").lower().startswith("application/json"):
        raise Refused(415, "", "The content type of the request is not supported.")
    try:
        changes = json.loads(request.body)
    except ValueError:
        raise unreadable("An unexpected token was found in the body of the request.") from None
    if not isinstance(changes, dict):
        raise unreadable("The body of the request is not an object.")
    return changes
