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
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from probe.model.values import dataclass
from probe.simulation.dynamics.errors import (
    JSON,
    ODATA,
    Refused,
    changed_meanwhile,
    missing_privilege,
    no_property,
    no_record,
    no_segment,
    no_user,
    not_allowed,
    too_many_to_aggregate,
    unreadable,
    unspoken,
)
from probe.simulation.dynamics.faults import Document, Fault
from probe.simulation.dynamics.metadata import (
    EMAIL_READ_PRIVILEGE,
    EMAIL_SET,
    ENGLISH,
    ENTITIES,
    MAILBOX,
    Attribute,
    Entity,
    attribute_metadata,
    in_language,
    made_id,
    option_set,
    shown,
)
from probe.simulation.dynamics.odata import Aggregation, Row, Shape, options_of, value_of
from probe.simulation.dynamics.organization import LOGS_KEPT, Organization, SystemUser, Write, written
from probe.simulation.dynamics.signing_in import Claims, Door, NotSignedIn, Windows
from probe.simulation.web import Request, Response, WebServer

PAGE_LIMIT = 5000
COUNT_LIMIT = 5000
"""Where @odata.count stops, whatever there is."""
AGGREGATE_LIMIT = 50_000

_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
_HTML = ("Content-Type", "text/html")
_NO_ACCESS = b"<!DOCTYPE html><html><head><title>401 - Unauthorized: Access is denied due to invalid credentials.</title></head></html>"

_RECORD = re.compile(r"(?P<set>\w+)\((?P<id>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})\)")
_METADATA = re.compile(
    r"EntityDefinitions\(LogicalName='(?P<entity>\w+)'\)/Attributes"
    r"(?:\(LogicalName='(?P<attribute>\w+)'\))?"
    r"(?:/Microsoft\.Dynamics\.CRM\.(?P<cast>\w+)AttributeMetadata)?"
)
_COOKIE = re.compile(r'<cookie pagenumber="(?P<page>\d+)" pagingcookie="(?P<id>[0-9a-f-]+)" istracking="False" />')
_PAGE_SIZE = re.compile(r"odata\.maxpagesize\s*=\s*(\d+)")
_ANNOTATIONS = re.compile(r'odata\.include-annotations\s*=\s*"?([^";]+)"?')


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request as it came, less its secrets, and what became of it."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int
    """Connections are numbered from 1."""
    status: int
    user: str
    """Who had signed in; empty for nobody."""


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
        """Every try to sign in: by which name, and whether it was taken."""
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
        """Status, headers and document for somebody who has come in."""
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
        reading = _Reading(self, user, base, query, request)
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
        found = _RECORD.fullmatch(resource)
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
            # Without If-Match the real one would make a record (an upsert); nobody here wants one made.
            raise no_record(MAILBOX.name, identifier)
        if if_match not in ("", "*", _etag(row)):
            raise changed_meanwhile()
        # What may not be written is passed over in silence (*unconfirmed*).
        self.organization.update(MAILBOX, identifier, {name: value for name, value in changes.items() if known[name].writable})

    def listed(self, shape: Shape, query: dict[str, str]) -> list[Row]:
        """The rows that pass, in their order; kept for the pages that follow, until something changes."""
        key = (self.organization.revision, shape.entity.name, query.get("$filter"), query.get("$orderby"))
        if self._listed is None or self._listed[0] != key:
            passes = shape.passing(query.get("$filter"))
            rows = [row for row in self.organization.records[shape.entity.name].values() if passes(row)]
            self._listed = (key, shape.ordered(rows, query.get("$orderby")))
        return self._listed[1]

    @property
    def language(self) -> int:
        """The user's, as a number of Windows."""
        return self._language


class _Reading:
    """One GET."""

    def __init__(self, server: DynamicsServer, user: SystemUser, base: str, query: dict[str, str], request: Request) -> None:
        self._server = server
        self._organization = server.organization
        self._user = user
        self._base = base
        self._query = query
        self._request = request
        prefer = request.header("Prefer")
        size, annotations = _PAGE_SIZE.search(prefer), _ANNOTATIONS.search(prefer)
        self._page_size = int(size[1]) if size else None
        self._annotations = annotations[1] if annotations else ""

    def preferences(self) -> tuple[tuple[str, str], ...]:
        """Which of the request's preferences were kept."""
        size = [f"odata.maxpagesize={self._page_size}"] if self._page_size is not None else []
        kept = [*size, *([f'odata.include-annotations="{self._annotations}"'] if self._annotations else [])]
        return (("Preference-Applied", ",".join(kept)),) if kept else ()

    def read(self, resource: str) -> Document:
        """The document that a resource is."""
        if resource == "WhoAmI":
            unit = made_id(self._organization.id, "businessunit")
            who = {"BusinessUnitId": unit, "UserId": self._user.id, "OrganizationId": self._organization.id}
            return {**self._context("Microsoft.Dynamics.CRM.WhoAmIResponse"), **who}
        if resource == "RetrieveVersion":
            return {**self._context("Microsoft.Dynamics.CRM.RetrieveVersionResponse"), "Version": self._organization.version}
        if found := _METADATA.fullmatch(resource):
            self._take("$select", "$expand")
            return self._metadata(found)
        if resource == EMAIL_SET:
            return self._pending_mails()
        if found := _RECORD.fullmatch(resource):
            return self._record(self._entity(found["set"]), found["id"].lower())
        entity = self._entity(resource)
        return self._page(entity)

    def _take(self, *options: str) -> None:
        """Refuses an option that would be passed over in silence here, whatever the real one makes of it."""
        for name in self._query:
            if name.startswith("$") and name not in options:
                raise unreadable(f"The query parameter '{name}' is not supported.")

    def _entity(self, set_name: str) -> Entity:
        entity = next((each for each in ENTITIES.values() if each.set_name == set_name), None)
        if entity is None:
            raise no_segment(set_name)
        if entity.read_privilege in self._user.lacks:
            raise missing_privilege(entity.read_privilege, self._user.id, entity)
        return entity

    def _shape(self, entity: Entity) -> Shape:
        return Shape(entity, shown(entity, self._organization.numbers))

    def _context(self, what: str) -> Document:
        return {"@odata.context": f"{self._base}/$metadata#{what}"}

    def _record(self, entity: Entity, identifier: str) -> Document:
        self._take("$select")
        row = self._organization.records[entity.name].get(identifier)
        if row is None:
            raise no_record(entity.name, identifier)
        shape = self._shape(entity)
        attributes = shape.selected(self._query.get("$select"))
        return {**self._context(f"{entity.set_name}{_names(attributes, self._query)}/$entity"), **self._shown(row, attributes)}

    def _page(self, entity: Entity) -> Document:
        self._take("$select", "$filter", "$orderby", "$count", "$top", "$skiptoken")
        shape = self._shape(entity)
        attributes = shape.selected(self._query.get("$select"))
        rows = self._server.listed(shape, self._query)
        document = self._context(f"{entity.set_name}{_names(attributes, self._query)}")
        if self._query.get("$count", "false") == "true":
            document["@odata.count"] = min(len(rows), COUNT_LIMIT)
            if self._wants(_TOTAL):
                document[f"@{_TOTAL}"] = min(len(rows), COUNT_LIMIT)
                document[f"@{_TOTAL}limitexceeded"] = len(rows) > COUNT_LIMIT
        page, start = self._start(rows, entity)
        # $top wins over a page size, and nothing follows what it asked for.
        top = self._query.get("$top")
        if top is not None and not top.isdecimal():
            raise unreadable(f"Invalid value '{top}' for $top query option found.")
        size = int(top) if top is not None else (self._page_size or PAGE_LIMIT)
        shown_rows = rows[start : start + min(size, PAGE_LIMIT)]
        document["value"] = [self._shown(row, attributes) for row in shown_rows]
        if top is None and shown_rows and start + len(shown_rows) < len(rows):
            document["@odata.nextLink"] = self._next_link(page + 1, str(shown_rows[-1][entity.key]))
        return document

    def _start(self, rows: list[Row], entity: Entity) -> tuple[int, int]:
        """Number of the page that is asked for, and where in the rows it begins."""
        token = self._query.get("$skiptoken")
        if token is None:
            return 1, 0
        cookie = _COOKIE.fullmatch(unquote(token))
        at = next((i for i, row in enumerate(rows) if cookie is not None and row[entity.key] == cookie["id"]), None)
        if cookie is None or at is None:
            raise unreadable("Malformed paging cookie in the $skiptoken.")
        return int(cookie["page"]), at + 1

    def _next_link(self, page: int, last: str) -> str:
        path, _, query = self._request.target.partition("?")
        kept = [each for each in query.split("&") if each and not unquote(each).startswith("$skiptoken=")]
        cookie = f'<cookie pagenumber="{page}" pagingcookie="{last}" istracking="False" />'
        scheme = "https" if self._server.tls else "http"
        # Twice encoded, as the real one has it.
        return f"{scheme}://{self._request.header('Host')}{path}?{'&'.join([*kept, f'$skiptoken={quote(quote(cookie))}'])}"

    def _shown(self, row: Row, attributes: Iterable[Attribute]) -> Document:
        document: Document = {"@odata.etag": _etag(row)}
        for attribute in attributes:
            value = value_of(row, attribute)
            if self._annotations and value is not None:
                document.update(self._annotated(row, attribute, value))
            document[attribute.property_name] = value
        return document

    def _annotated(self, row: Row, attribute: Attribute, value: Any) -> Document:
        """What is said beside a value: how users read it, and of a lookup to which table it leads."""
        said: Document = {}
        name = attribute.property_name
        formatted = self._formatted(row, attribute, value)
        if formatted is not None and self._wants(_FORMATTED):
            said[f"{name}@{_FORMATTED}"] = formatted
        if (table := self._table_of(row, attribute, value)) is not None and self._wants(_LOOKUP_TABLE):
            said[f"{name}@{_LOOKUP_TABLE}"] = table
        return said

    def _wants(self, annotation: str) -> bool:
        return any(each.strip() in ("*", annotation) for each in self._annotations.split(","))

    def _formatted(self, row: Row, attribute: Attribute, value: Any) -> str | None:
        options = attribute.options_in(self._organization.numbers)
        if options is not None:
            label = options.get(int(value))
            return None if label is None else in_language(label, self._server.language)
        if attribute.kind == "DateTime":
            moment = datetime.fromisoformat(str(value))
            return f"{moment.month}/{moment.day}/{moment.year} {moment:%I:%M %p}".replace(" 0", " ")
        if attribute.kind in ("Integer", "BigInt"):
            return f"{value:,}"
        table = self._table_of(row, attribute, value)
        found = self._organization.records.get(table or "", {}).get(str(value))
        return str(found["name"]) if found is not None and "name" in found else None

    def _table_of(self, row: Row, attribute: Attribute, value: Any) -> str | None:
        """The table that a lookup leads to; `regardingobjectid` leads to several."""
        if attribute.kind == "Owner":
            return "systemuser"
        if attribute.kind != "Lookup":
            return None
        if attribute.name != "regardingobjectid":
            return "tracelog" if attribute.name == "parenttracelogid" else attribute.name
        if "tracelogid" in row:
            return next((name for name in ("mailbox", "emailserverprofile") if value in self._organization.records[name]), None)
        return "queue" if row["mailboxid"] in self._organization.queues else "systemuser"

    def _metadata(self, found: re.Match[str]) -> Document:
        entity = ENTITIES.get(found["entity"])
        if "prvReadEntity" in self._user.lacks:
            raise missing_privilege("prvReadEntity", self._user.id)
        if entity is None:
            raise Refused(404, "0x80060888", f"Could not find an entity with name {found['entity']}")
        kind, wanted = found["cast"], frozenset(filter(None, (self._query.get("$select") or "").split(",")))
        named = [each for each in entity.in_version(self._organization.numbers) if kind in (None, each.kind)]
        if kind is None and "OptionSet" in self._query.get("$expand", ""):
            raise no_property("OptionSet", "AttributeMetadata")
        entries = [self._entry(entity, attribute, wanted, with_options=kind is not None) for attribute in named]
        what = f"EntityDefinitions('{entity.name}')/Attributes{f'/Microsoft.Dynamics.CRM.{kind}AttributeMetadata' if kind else ''}"
        if found["attribute"] is None:
            return {**self._context(what), "value": entries}
        entry = next((entry for attribute, entry in zip(named, entries, strict=True) if attribute.name == found["attribute"]), None)
        if entry is None:
            raise Refused(404, "0x80060888", f"Could not find an attribute with name {found['attribute']}")
        return {**self._context(f"{what}/$entity"), **entry}

    def _entry(self, entity: Entity, attribute: Attribute, wanted: frozenset[str], *, with_options: bool) -> Document:
        entry = attribute_metadata(entity, attribute, wanted)
        if with_options:
            # The cast stands in the context; the members of a cast collection do not repeat it.
            del entry["@odata.type"]
            if "OptionSet" in self._query.get("$expand", ""):
                entry["OptionSet"] = option_set(entity, attribute, self._organization.numbers, self._server.language)
            if "GlobalOptionSet" in self._query.get("$expand", ""):
                entry["GlobalOptionSet"] = None
        return entry

    def _pending_mails(self) -> Document:
        """How many mails wait, by their senders' mailboxes; the one question about mails that is answered here."""
        if EMAIL_READ_PRIVILEGE in self._user.lacks:
            raise missing_privilege(EMAIL_READ_PRIVILEGE, self._user.id)
        if "$apply" not in self._query:
            raise unreadable("This organization answers questions about e-mails with $apply alone.")
        asked = Aggregation.read(self._query["$apply"])
        if asked.group != "_sendermailboxid_value":
            raise no_property(asked.group, "email")
        if asked.status != _PENDING_SEND:
            return {**self._context(EMAIL_SET), "value": []}
        if sum(each.count for each in self._organization.pending.values()) > AGGREGATE_LIMIT:
            raise too_many_to_aggregate()
        rows = []
        for mailbox, mails in self._organization.pending.items():
            row: Document = {} if mailbox is None else {asked.group: mailbox}
            for name, how, called in asked.folds:
                if name not in ("$count", "createdon"):
                    raise no_property(name, "email")
                row[called] = {"count": mails.count, "min": written(mails.oldest), "max": written(mails.newest)}[how]
            rows.append(row)
        return {**self._context(EMAIL_SET), "value": rows}


_PENDING_SEND = 6

_FORMATTED = "OData.Community.Display.V1.FormattedValue"
_LOOKUP_TABLE = "Microsoft.Dynamics.CRM.lookuplogicalname"
_TOTAL = "Microsoft.Dynamics.CRM.totalrecordcount"


def _etag(row: Row) -> str:
    return f'W/"{row.get("versionnumber", 1)}"'


def _names(attributes: Iterable[Attribute], query: dict[str, str]) -> str:
    return f"({','.join(attribute.property_name for attribute in attributes)})" if query.get("$select") else ""


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
