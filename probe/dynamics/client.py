"""What is asked of an organization's Web API. These requests, and no others:

1. `GET WhoAmI`, by which one signs in, in version 9.1 of the Web API, or 9.0 where the server has no 9.1; then `GET organizations(ID)?$select=name` and
   `GET RetrieveVersion()`. Where the estate is bound to another organization, it ends before the next of them;
2. of a table, `GET EntityDefinitions(LogicalName='TABLE')/Attributes?$select=LogicalName` and its option sets, once;
3. `GET emailserverprofiles`, `mailboxes`, `tracelogs`, with `$select` of what the table has, `$filter`, `$orderby`, `$count`, page by page;
4. `GET emails` summed up by mailbox: what waits to be sent;
5. `PATCH mailboxes(ID)` with `{"testemailconfigurationscheduled": true}`, by `enable` alone.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from probe.dynamics.answers import Shown, host_of, is_page, read_answer
from probe.dynamics.failures import BadRecord, NoWebApi, OtherOrganization, RequestFailed, SignInFailed
from probe.dynamics.listing import pages
from probe.dynamics.options import OptionSets, read_option_sets
from probe.dynamics.records import (
    TABLE_OF,
    EmailServerProfile,
    MailboxRow,
    MoreThan,
    Organization,
    PendingMail,
    Record,
    RecordReader,
    TraceLog,
)
from probe.dynamics.session import Headers, Lost, WebApiSession
from probe.dynamics.signing_in import Credential, SignIn
from probe.dynamics.values import Malformed, guid, integer, moment, text
from probe.model.estate import DynamicsAccess
from probe.model.values import dataclass
from probe.net.dial import Dial
from probe.net.http_exchange import HttpResponse
from probe.net.kerberos import TicketRequest, TicketResult, fetch_ticket
from probe.probing import Notebook
from probe.wire.oauth import folded

VERSIONS = ("v9.1", "v9.0")
"""Of the Web API, the newest first."""
PAGE_ROWS = 500
"""Asked for in a page; Dynamics gives 5,000 at most."""
TOGETHER = 20
"""Records that are asked for by id or address in one request, so that its address stays below 4 KiB."""
AGGREGATED = 50_000
"""Rows that Dynamics sums up at most (learn.microsoft.com, "Aggregate data": AggregateQueryRecordLimit)."""
PENDING_SEND = 6
"""Status reason of an email."""

ENABLING = b'{"testemailconfigurationscheduled": true}'

_TOO_MANY = "0x8004e023"  # AggregateQueryRecordLimitExceeded, "Web service error codes"
_PAGED: Headers = (("Prefer", f'odata.maxpagesize={PAGE_ROWS},odata.include-annotations="{TABLE_OF.removeprefix("@")}"'),)
_IN_A_QUERY = "()',:@"
"""What a value in a query may hold as it is (RFC 3986 section 3.4), and is read more easily so."""
_VERSION = re.compile(r"\d{1,5}(?:\.\d{1,6}){1,3}")

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enabling:
    """What came of asking Dynamics for Test & Enable of one mailbox."""

    state: Literal["sent", "scheduled", "unwanted", "unknown"]
    """`sent`: Dynamics took it; `scheduled`: the row said already that it will run, so nothing was sent; `unwanted`: the caller, shown the row, did not want
    it any more; `unknown`: it left, or may have, and what came of it is not known. Then the row decides: the flag is true or `test_completed` differs from
    what it was, or it was not taken."""
    before: MailboxRow
    """The row as it was read over the same connection, just before."""
    detail: str = ""
    """What kept the answer away, where that is unknown."""


class Client:
    """An organization that is signed in to. Made by `signed_in`."""

    def __init__(self, session: WebApiSession, sign_in: SignIn, access: DynamicsAccess, base: str, organization: Organization) -> None:
        self._session = session
        self._sign_in = sign_in
        self._access = access
        self._base = base
        self._readers: dict[str, RecordReader[Any]] = {}
        self._options: dict[str, OptionSets] = {}
        self.organization = organization

    @property
    def signed_in_by(self) -> str:
        """`kerberos`, `ntlm` or `oauth`."""
        return self._sign_in.by

    @property
    def risk(self) -> str | None:
        """What the way to Dynamics leaves open, in a sentence; None over verified TLS."""
        return "Dynamics is read without TLS: its answers can be read and changed on the way" if self._access.url.is_plain else None

    async def options(self, table: str) -> OptionSets:
        """The option sets of a table, by the server's own metadata."""
        if table not in self._options:
            cast = "Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
            query = "$select=LogicalName&$expand=OptionSet($select=Options),GlobalOptionSet($select=Options)"
            choices = await self._rows(f"EntityDefinitions(LogicalName='{table}')/Attributes/{cast}?{query}")
            with _told(f"the option sets of {table}"):
                self._options[table] = read_option_sets(choices)
        return self._options[table]

    async def profiles(self) -> tuple[EmailServerProfile, ...]:
        """Every email server profile."""
        return tuple([profile async for page in self._listed(EmailServerProfile) for profile in page])

    async def mailboxes(self) -> AsyncIterator[tuple[MailboxRow, ...]]:
        """Every mailbox, a page at a time. What came counts only once the last page has."""
        async for page in self._listed(MailboxRow):
            yield page

    async def mailboxes_by_id(self, ids: Collection[str]) -> tuple[MailboxRow, ...]:
        """Those of these mailboxes that there are."""
        return await self._some(MailboxRow, [f"mailboxid eq {guid(one)}" for one in ids])

    async def mailboxes_by_address(self, addresses: Collection[str]) -> tuple[MailboxRow, ...]:
        """The mailboxes with these addresses; several may have one."""
        return await self._some(MailboxRow, [f"emailaddress eq {_literal(one)}" for one in addresses])

    async def alerts(self, ids: Collection[str], since: datetime | None = None) -> tuple[TraceLog, ...]:
        """Alerts about these mailboxes or profiles that are of a time or later, the newest first of each request."""
        after = "" if since is None else f" and modifiedon ge {since.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}"
        tests = [f"_regardingobjectid_value eq {guid(one)}" for one in ids]
        return await self._some(TraceLog, tests, after, "modifiedon desc")

    async def pending_mail(self) -> tuple[PendingMail, ...] | MoreThan:
        """What waits to be sent, by mailbox; or that it is more than Dynamics sums up."""
        summed = "groupby((_sendermailboxid_value),aggregate($count as n,createdon with min as oldest))"
        try:
            sums = await self._rows(f"emails?$apply=filter(statuscode eq {PENDING_SEND})/{summed}")
        except RequestFailed as refused:
            if refused.code.lower() == _TOO_MANY or "AggregateQueryRecordLimit" in str(refused):
                return MoreThan(AGGREGATED)
            raise
        with _told("the mail that waits to be sent"):
            return tuple(
                PendingMail(
                    mailbox=None if (sender := row.get("_sendermailboxid_value")) is None else guid(sender),
                    count=integer(row.get("n")),
                    oldest=None if (oldest := row.get("oldest")) is None else moment(oldest),
                )
                for row in sums
            )

    async def enable(self, mailbox: str, about_to: Callable[[MailboxRow], bool] = lambda row: True) -> Enabling:
        """Ask Dynamics for Test & Enable of a mailbox, by its id: the one change that is ever made.

        The row is read first, over the connection that the change then takes; one that is scheduled already is not written. The change is sent again
        only after an explicit 429 or 503, and the row is read again before. `about_to` is shown the row each time just before the change leaves, and
        says whether it is still wanted. Raises RequestFailed or MissingPrivilege where Dynamics refuses it, and OtherOrganization where the estate is
        bound to none.
        """
        found: list[MailboxRow] = []

        async def is_wanted() -> bool:
            rows_found = [row for row in await self.mailboxes_by_id([mailbox]) if row.id == guid(mailbox)]
            if len(rows_found) != 1:
                raise NoWebApi(f"Dynamics has no mailbox {mailbox}, or no longer shows it to this account", 404)
            found[:] = rows_found
            if found[0].test_scheduled is None:
                raise BadRecord(f"Dynamics does not say of mailbox {mailbox} whether Test & Enable is scheduled, so it was not requested")
            return not found[0].test_scheduled and about_to(found[0])

        target = f"{self._base}mailboxes({guid(mailbox)})"
        if self._access.organization is None:
            raise OtherOrganization("the estate binds no organization (`organization` of [dynamics]), so nothing is changed")
        try:
            answer = await self._session.patch(target, ENABLING, (("Content-Type", "application/json"), ("If-Match", "*")), is_wanted)
        except Lost as lost:
            return Enabling(state="unknown", before=found[0], detail=str(lost))
        if answer is None:
            return Enabling(state="scheduled" if found[0].test_scheduled else "unwanted", before=found[0])
        if answer.status >= 500 or (answer.status < 400 and not _is_taken(answer)):
            # An error in the middle of the work, a gateway's, or a page: none of them says what became of the row.
            return Enabling(state="unknown", before=found[0], detail=f"HTTP {answer.status}")
        read_answer(answer, self._shown)
        return Enabling(state="sent", before=found[0])

    async def _some(self, kind: type[R], tests: Sequence[str], and_that: str = "", order: str = "") -> tuple[R, ...]:
        found: dict[str, R] = {}
        wanted = list(dict.fromkeys(tests))
        for at in range(0, len(wanted), TOGETHER):
            either = " or ".join(wanted[at : at + TOGETHER])
            query = f"&$filter={quote(f'({either}){and_that}', safe=_IN_A_QUERY)}" + (f"&$orderby={quote(order)}" if order else "")
            async for page in self._listed(kind, query):
                found.update((record.id, record) for record in page)
        return tuple(found.values())

    async def _listed(self, kind: type[R], query: str = "") -> AsyncIterator[tuple[R, ...]]:
        reader = await self._reader(kind)
        target = f"{self._base}{kind.SET}?$select={reader.select}{query}&$count=true"

        async for page in pages(self._fetch, self._access.url.origin, target, f"{kind.TABLE}id"):
            yield tuple(map(reader.record, page))

    async def _reader(self, kind: type[R]) -> RecordReader[R]:
        if kind.TABLE not in self._readers:
            attributes = await self._rows(f"EntityDefinitions(LogicalName='{kind.TABLE}')/Attributes?$select=LogicalName")
            with _told(f"the attributes of {kind.TABLE}"):
                known = [text(row.get("LogicalName")) for row in attributes]
            self._readers[kind.TABLE] = RecordReader(kind, known, await self.options(kind.TABLE))
        return self._readers[kind.TABLE]

    async def _rows(self, what: str) -> list[dict[str, Any]]:
        """All rows of what has no ids: metadata and sums."""
        return [row async for page in pages(self._fetch, self._access.url.origin, self._base + what, None) for row in page]

    async def _fetch(self, target: str) -> dict[str, Any]:
        return read_answer(await self._session.get(target, _PAGED), self._shown)

    def _shown(self, words: str) -> str:
        return folded(self._sign_in.clean(words))


@asynccontextmanager
async def signed_in(
    access: DynamicsAccess,
    credential: Credential | None,
    dial: Dial,
    notes: Notebook,
    *,
    authorities: tuple[str, ...] = (),
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    fetch: Callable[[TicketRequest], TicketResult] = fetch_ticket,
) -> AsyncIterator[Client]:
    """The organization that an estate names, signed in to, and known to be the one that the estate is bound to; leaving closes the connection.

    Without a credential it is the account that runs this program. `dial` leads to `access.url.endpoint`, with the anchors of `access.ca`; its transcript gets
    a line for each request. `authorities` are the deployment's. `sleep` waits where the server asks for patience, and `fetch` gets a Kerberos ticket.

    Raises SignInFailed, OtherOrganization, NoWebApi, NotClaimed where the ledger lets no proof leave, and what else `probe.net.failures.expected` names.
    """
    assert dial.endpoint == access.url.endpoint
    if access.url.is_plain and not access.plain_http:
        raise SignInFailed("Dynamics is not reached over http://, without TLS, unless plain_http = true")
    sign_in = SignIn(access, credential, authorities, dial, notes, fetch)

    def shown(words: str) -> str:
        return folded(sign_in.clean(words))

    async with WebApiSession(access.url, sign_in, dial, sleep) as session:
        api, whoami = await _spoken(session, access, shown)
        base = f"{access.url.endpoint.path}/api/data/{api}/"
        yield Client(session, sign_in, access, base, await _organization(session, access, base, whoami, shown))


async def _spoken(session: WebApiSession, access: DynamicsAccess, shown: Shown) -> tuple[str, dict[str, Any]]:
    """The newest version of the Web API that the server speaks, and what it answers to WhoAmI."""
    for api in VERSIONS:
        answer = await session.get(f"{access.url.endpoint.path}/api/data/{api}/WhoAmI")
        if answer.status not in (404, 501):
            return api, read_answer(answer, shown)
    raise NoWebApi(f"there is no Web API of Dynamics at {access.url} (HTTP {answer.status} for {' and '.join(VERSIONS)})", answer.status)


async def _organization(session: WebApiSession, access: DynamicsAccess, base: str, whoami: dict[str, Any], shown: Shown) -> Organization:
    """Whose Web API it is. Raises OtherOrganization before anything is read of one that the estate is not bound to."""
    bound = access.organization
    with _told("who is signed in"):
        identity, user = guid(whoami.get("OrganizationId")), guid(whoami.get("UserId"))
        context = text(whoami.get("@odata.context", ""))
    host, ours = host_of(context), access.url.endpoint.host
    # A server that does not say it has shown by its certificate whose name it has.
    if host is not None and host.rstrip(".") != ours.rstrip("."):
        raise OtherOrganization(
            f"the server at {ours} calls itself {shown(host)}; nothing of it was read. If that is its name, write it in url"
        )
    if bound is not None and identity != bound.id:
        raise OtherOrganization(
            f"the server's organization is {identity}, and the estate is bound to {bound.id} ({bound.name}); nothing of it was read. An estate "
            "of this one is made by `probe import dynamics`"
        )
    named = read_answer(await session.get(f"{base}organizations({identity})?$select=name"), shown)
    with _told("the organization"):
        name = text(named.get("name"))
    if bound is not None and name.casefold() != bound.name.casefold():
        raise OtherOrganization(
            f"the server's organization {identity} is called {shown(name)}, and the estate is bound to {bound.name}: a copy, perhaps. An estate "
            "of this one is made by `probe import dynamics`"
        )
    told = read_answer(await session.get(f"{base}RetrieveVersion()"), shown)
    with _told("the version of Dynamics"):
        version = text(told.get("Version"))
        if not _VERSION.fullmatch(version):
            raise Malformed("another text in place of a version")
    return Organization(id=identity, name=name, version=version, api=base.rstrip("/").rpartition("/")[2], user=user)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Says of what a value was that is not of its form."""
    try:
        yield
    except Malformed as wrong:
        raise BadRecord(f"{what}: the server gives {wrong}") from None


def _is_taken(answer: HttpResponse) -> bool:
    """Whether Dynamics says that it has changed the row."""
    return 200 <= answer.status < 300 and not is_page(answer)


def _literal(value: str) -> str:
    """A text as it stands in `$filter` (OData URL Conventions 4.0 section 5.1.1.6.1), before it is percent-encoded."""
    return "'" + value.replace("'", "''") + "'"
