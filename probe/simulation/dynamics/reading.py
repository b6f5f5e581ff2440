"""The answers of the Web API to GET: records, pages of records, metadata, and the number of waiting mails."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from probe.simulation.dynamics.errors import (
    Refused,
    missing_privilege,
    no_property,
    no_record,
    no_segment,
    too_many_to_aggregate,
    unreadable,
)
from probe.simulation.dynamics.faults import Document
from probe.simulation.dynamics.metadata import (
    EMAIL_READ_PRIVILEGE,
    EMAIL_SET,
    ENTITIES,
    Attribute,
    Entity,
    attribute_metadata,
    in_language,
    made_id,
    option_set,
    shown,
)
from probe.simulation.dynamics.odata import Aggregation, Row, Shape, value_of
from probe.simulation.dynamics.organization import Organization, SystemUser, written
from probe.simulation.web import Request

PAGE_LIMIT = 5000
COUNT_LIMIT = 5000
"""The highest @odata.count."""
AGGREGATE_LIMIT = 50_000

RECORD = re.compile(r"(?P<set>\w+)\((?P<id>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})\)")
_METADATA = re.compile(
    r"EntityDefinitions\(LogicalName='(?P<entity>\w+)'\)/Attributes"
    r"(?:\(LogicalName='(?P<attribute>\w+)'\))?"
    r"(?:/Microsoft\.Dynamics\.CRM\.(?P<cast>\w+)AttributeMetadata)?"
)
_COOKIE = re.compile(r'<cookie pagenumber="(?P<page>\d+)" pagingcookie="(?P<id>[0-9a-f-]+)" istracking="False" />')
_PAGE_SIZE = re.compile(r"odata\.maxpagesize\s*=\s*(\d+)")
_ANNOTATIONS = re.compile(r'odata\.include-annotations\s*=\s*"?([^";]+)"?')

_PENDING_SEND = 6

_FORMATTED = "OData.Community.Display.V1.FormattedValue"
_LOOKUP_TABLE = "Microsoft.Dynamics.CRM.lookuplogicalname"
_TOTAL = "Microsoft.Dynamics.CRM.totalrecordcount"


class Reading:
    """One GET."""

    def __init__(
        self,
        organization: Organization,
        listed: Callable[[Shape, dict[str, str]], list[Row]],
        user: SystemUser,
        base: str,
        query: dict[str, str],
        request: Request,
        *,
        language: int,
    ) -> None:
        """`listed` has the rows that pass a query, in their order; `base` is the address of the API with its version."""
        self._organization = organization
        self._listed = listed
        self._language = language
        self._user = user
        self._base = base
        self._query = query
        self._request = request
        prefer = request.header("Prefer")
        size, annotations = _PAGE_SIZE.search(prefer), _ANNOTATIONS.search(prefer)
        self._page_size = int(size[1]) if size else None
        self._annotations = annotations[1] if annotations else ""

    def preferences(self) -> tuple[tuple[str, str], ...]:
        """The header with the preferences of the request that were applied."""
        size = [f"odata.maxpagesize={self._page_size}"] if self._page_size is not None else []
        kept = [*size, *([f'odata.include-annotations="{self._annotations}"'] if self._annotations else [])]
        return (("Preference-Applied", ",".join(kept)),) if kept else ()

    def read(self, resource: str) -> Document:
        """The document of a resource."""
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
        if found := RECORD.fullmatch(resource):
            return self._record(self._entity(found["set"]), found["id"].lower())
        entity = self._entity(resource)
        return self._page(entity)

    def _take(self, *options: str) -> None:
        """Refuses an option that this simulation does not implement, instead of ignoring it."""
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
        rows = self._listed(shape, self._query)
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
        scheme = self._base.partition("://")[0]
        # Twice encoded, as the real one has it.
        return f"{scheme}://{self._request.header('Host')}{path}?{'&'.join([*kept, f'$skiptoken={quote(quote(cookie))}'])}"

    def _shown(self, row: Row, attributes: Iterable[Attribute]) -> Document:
        document: Document = {"@odata.etag": etag(row)}
        for attribute in attributes:
            value = value_of(row, attribute)
            if self._annotations and value is not None:
                document.update(self._annotated(row, attribute, value))
            document[attribute.property_name] = value
        return document

    def _annotated(self, row: Row, attribute: Attribute, value: Any) -> Document:
        """The annotations of a value: its formatted text, and for a lookup the table that it refers to."""
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
            return None if label is None else in_language(label, self._language)
        if attribute.kind == "DateTime":
            moment = datetime.fromisoformat(str(value))
            return f"{moment.month}/{moment.day}/{moment.year} {moment:%I:%M %p}".replace(" 0", " ")
        if attribute.kind in ("Integer", "BigInt"):
            return f"{value:,}"
        table = self._table_of(row, attribute, value)
        found = self._organization.records.get(table or "", {}).get(str(value))
        return str(found["name"]) if found is not None and "name" in found else None

    def _table_of(self, row: Row, attribute: Attribute, value: Any) -> str | None:
        """The table that a lookup refers to; `regardingobjectid` refers to several."""
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
                entry["OptionSet"] = option_set(entity, attribute, self._organization.numbers, self._language)
            if "GlobalOptionSet" in self._query.get("$expand", ""):
                entry["GlobalOptionSet"] = None
        return entry

    def _pending_mails(self) -> Document:
        """The number of waiting mails by sender's mailbox, the only query about mails that is implemented."""
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


def etag(row: Row) -> str:
    """The version of a record."""
    return f'W/"{row.get("versionnumber", 1)}"'


def _names(attributes: Iterable[Attribute], query: dict[str, str]) -> str:
    return f"({','.join(attribute.property_name for attribute in attributes)})" if query.get("$select") else ""
