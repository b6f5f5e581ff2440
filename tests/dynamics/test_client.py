"""What is asked of an organization, and what is made of its answers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from probe.dynamics import (
    BadRecord,
    Client,
    MailboxRow,
    MissingPrivilege,
    MoreThan,
    NotWhole,
    NoWebApi,
    Option,
    OtherOrganization,
    PendingMail,
    RequestFailed,
    SignInFailed,
    SignInPage,
)
from probe.dynamics.client import ENABLING
from probe.dynamics.listing import MAX_PAGES
from probe.dynamics.session import MAX_PAGE_BYTES, MAX_PAUSE_SECONDS
from probe.model.estate import Authentication
from probe.net.failures import OffProtocol, PeerFailure, Throttled
from probe.net.kerberos import TicketRequest, TicketResult
from tests.dynamics.peer import API, NAME, OPTIONS, ORGANIZATION, WHO, Peer, Request, Way, error, guid, mailbox, said, serving

PROFILE = {
    "emailserverprofileid": guid(900),
    "name": "corp",
    "statecode": 0,
    "servertype": 0,
    "incomingserverlocation": "https://mail.contoso.test/EWS/Exchange.asmx",
    "processemailsreceivedafter": "2019-01-01T00:00:00Z",
}


async def every(client: Client) -> list[MailboxRow]:
    """All mailboxes."""
    return [row async for page in client.mailboxes() for row in page]


def where(what: str, answer: bytes | Callable[[Request], bytes]) -> Callable[[Request], bytes | None]:
    """Says this where the path ends so."""
    return lambda request: (answer if isinstance(answer, bytes) else answer(request)) if request.path.endswith(what) else None


async def read(peer: Peer, way: Way | None = None) -> list[MailboxRow] | PeerFailure:
    """All mailboxes, or why they cannot be read."""
    async with serving(peer), (way or Way()).to(peer) as client:
        try:
            return await every(client)
        except PeerFailure as failure:
            return failure


# Which requests


async def test_an_organization_is_known_before_anything_is_read_of_it() -> None:
    """One signs in by asking who one is; then come name and version, and nothing else by itself."""
    async with serving(Peer()) as peer, Way().to(peer) as client:
        found = client.organization
        assert (found.id, found.name, found.version, found.api, found.user) == (ORGANIZATION, NAME, "9.1.18.22", "v9.1", WHO)
        assert client.signed_in_by == "ntlm"
        assert client.risk is None
    assert peer.asked == ["GET v9.1/WhoAmI"] * 3 + [f"GET v9.1/organizations({ORGANIZATION})", "GET v9.1/RetrieveVersion()"]
    assert peer.connections == 1


async def test_what_is_asked_is_what_the_page_lists() -> None:
    """Attributes and option sets of a table are asked for once, then its rows with all that it has; nothing is written."""
    async with serving(Peer(rows={"mailboxes": [mailbox(1)], "emailserverprofiles": [PROFILE]})) as peer, Way().to(peer) as client:
        before = len(peer.requests)
        await every(client)
        await every(client)
        await client.profiles()
        await client.alerts([guid(1)])
        asked = peer.requests[before:]
    cast = "/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
    attributes = "EntityDefinitions(LogicalName='{}')/Attributes"
    assert [request.path.removeprefix(f"{API}/") for request in asked] == [
        attributes.format("mailbox"),
        attributes.format("mailbox") + cast,
        "mailboxes",
        "mailboxes",
        attributes.format("emailserverprofile"),
        attributes.format("emailserverprofile") + cast,
        "emailserverprofiles",
        attributes.format("tracelog"),
        attributes.format("tracelog") + cast,
        "tracelogs",
    ]
    assert asked[0].query == {"$select": "LogicalName"}
    assert asked[1].query == {"$select": "LogicalName", "$expand": "OptionSet($select=Options),GlobalOptionSet($select=Options)"}
    assert asked[2].query == {
        "$select": "mailboxid,name,emailaddress,statecode,_emailserverprofile_value,_regardingobjectid_value,incomingemaildeliverymethod,"
        "testemailconfigurationscheduled,testmailboxaccesscompletedon",
        "$count": "true",
    }
    assert asked[2].headers["prefer"] == 'odata.maxpagesize=500,odata.include-annotations="Microsoft.Dynamics.CRM.lookuplogicalname"'
    assert {name: asked[2].headers[name] for name in ("accept", "odata-version", "odata-maxversion", "if-none-match")} == {
        "accept": "application/json",
        "odata-version": "4.0",
        "odata-maxversion": "4.0",
        "if-none-match": "null",
    }
    assert asked[-1].query["$filter"] == f"(_regardingobjectid_value eq {guid(1)})"
    assert asked[-1].query["$orderby"] == "modifiedon desc"
    assert peer.writes == []


async def test_rows_are_found_by_id_and_by_address() -> None:
    """Many are asked for together, and what an address holds cannot change the question."""
    rows = [mailbox(number) for number in range(50)] + [mailbox(77, emailaddress="o'neil&x#+%@contoso.test")]
    async with serving(Peer(rows={"mailboxes": rows})) as peer, Way().to(peer) as client:
        found = await client.mailboxes_by_id([guid(number) for number in (*range(30), 400)])
        assert [row.id for row in found] == [guid(number) for number in range(30)]
        assert [len(r.query["$filter"].split(" or ")) for r in peer.requests if "$filter" in r.query] == [20, 11]
        await client.mailboxes_by_address(["o'neil&x#+%@contoso.test", "box1@contoso.test"])
        assert peer.requests[-1].query["$filter"] == "(emailaddress eq 'o''neil&x#+%@contoso.test' or emailaddress eq 'box1@contoso.test')"
        with pytest.raises(ValueError, match="in place of an id"):
            await client.mailboxes_by_id(["x) or (1 eq 1"])


async def test_alerts_are_those_since_a_time() -> None:
    """The time is given in UTC."""
    log = {
        "tracelogid": guid(5),
        "_regardingobjectid_value": guid(1),
        "level": 3,
        "tracecode": 12,
        "text": "Socket returned exception TimedOut.",
    }
    log |= {"_regardingobjectid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "mailbox", "modifiedon": "2026-11-28T07:00:00Z"}
    async with serving(Peer(rows={"tracelogs": [log]})) as peer, Way().to(peer) as client:
        (found,) = await client.alerts([guid(1)], datetime(2026, 11, 28, 6, 30, tzinfo=UTC))
        assert peer.requests[-1].query["$filter"].endswith(") and modifiedon ge 2026-11-28T06:30:00Z")
    assert (found.regarding, found.regarding_table, found.level, found.code) == (guid(1), "mailbox", Option(3, "Error"), 12)
    assert found.modified == datetime(2026, 11, 28, 7, tzinfo=UTC)
    assert "errordetails" in found.absent
    assert found.texts == ("Socket returned exception TimedOut.",)


# Records and option sets


async def test_a_row_is_read_strictly() -> None:
    """What Dynamics gives as null is None; what its table has not is named besides; numbers have the server's own labels."""
    given = mailbox(
        1, **{"_regardingobjectid_value": guid(2), "_regardingobjectid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "queue"}
    )
    given["testmailboxaccesscompletedon"] = "2026-11-27T10:20:30.1234567Z"
    found = await read(Peer(rows={"mailboxes": [given, mailbox(2)]}))
    assert isinstance(found, list)
    first, second = found
    assert (first.id, first.address, first.profile, first.state) == (guid(1), "box1@contoso.test", guid(900), 0)
    assert (first.regarding, first.regarding_table) == (guid(2), "queue")
    assert first.incoming_delivery == Option(2, "Server-Side Synchronization or Email Router")
    assert first.test_scheduled is False
    assert first.test_completed == datetime(2026, 11, 27, 10, 20, 30, 123456, tzinfo=UTC)
    assert second.test_completed is None
    assert "ewsurl" in first.absent
    assert first.ews_url is None
    # The table has the attribute, and the row has it not.
    assert "regardingobjectid" in second.absent
    assert not {"testmailboxaccesscompletedon", "emailaddress"} & second.absent


async def test_a_number_that_the_server_does_not_know_is_told() -> None:
    """It is kept, without a label, and says so."""
    found = await read(Peer(rows={"mailboxes": [mailbox(1, incomingemaildeliverymethod=7)]}))
    assert isinstance(found, list)
    assert found[0].incoming_delivery == Option(7, None)
    assert str(found[0].incoming_delivery) == "7 (unknown to the server's own metadata)"


async def test_option_sets_are_the_servers_own() -> None:
    """Each number has the label that the server gives it, be the option set the table's own or one that several share."""
    shared = {
        "LogicalName": "servertype",
        "OptionSet": None,
        "GlobalOptionSet": {"Options": [{"Value": 4, "Label": {"LocalizedLabels": []}}]},
    }
    async with serving(Peer()) as peer, Way().to(peer) as client:
        assert (await client.options("mailbox")).labels("incomingemaildeliverymethod") == OPTIONS["mailbox"]["incomingemaildeliverymethod"]
        assert (await client.options("mailbox")).labels("name") == {}
        peer.says = where("Metadata", said(200, {"value": [shared]}))
        assert (await client.options("emailserverprofile")).labels("servertype") == {4: ""}


@pytest.mark.parametrize(
    "wrong",
    [
        {"mailboxid": "1"},
        {"mailboxid": None},
        {"emailaddress": 3},
        {"statecode": True},
        {"statecode": 1.5},
        {"testemailconfigurationscheduled": "false"},
        {"testemailconfigurationscheduled": 0},
        {"testmailboxaccesscompletedon": "yesterday"},
        {"testmailboxaccesscompletedon": "2026-13-01T00:00:00Z"},
        {"testmailboxaccesscompletedon": "2026-11-27T10:20:30"},
        {"_emailserverprofile_value": "corp"},
        {"incomingemaildeliverymethod": "2"},
        {"incomingemaildeliverymethod": [2]},
    ],
    ids=str,
)
async def test_a_value_of_another_type_is_refused(wrong: dict[str, Any]) -> None:
    """One such value spoils the record, and the record the listing; nothing is converted."""
    found = await read(Peer(rows={"mailboxes": [mailbox(1), mailbox(2, **wrong)]}))
    assert isinstance(found, BadRecord)
    assert "in place of" in str(found)


@pytest.mark.parametrize(
    "value", [None, {"Options": None}, {"Options": [{"Value": "0", "Label": None}]}, {"Options": [{"Value": 0, "Label": 1}]}]
)
async def test_option_sets_that_are_none_are_refused(value: object) -> None:
    """Metadata is read as strictly."""
    rows = value if value is None else [{"LogicalName": "servertype", "OptionSet": value}]
    assert isinstance(await read(Peer(says=where("Metadata", said(200, {"value": rows})))), BadRecord)


async def test_half_a_character_is_replaced() -> None:
    """JSON can hold half a character, which nothing can write."""
    found = await read(Peer(rows={"mailboxes": [mailbox(1, name="a\ud800é")]}))
    assert isinstance(found, list)
    assert found[0].name == "a?é"


# Whole listings


async def test_a_listing_of_several_pages_is_whole() -> None:
    """Each page's address is followed word for word, and each row comes once; nobody signs in twice."""
    rows = [mailbox(number) for number in range(1, 1201)]
    peer = Peer(rows={"mailboxes": rows})
    found = await read(peer)
    assert isinstance(found, list)
    assert [row.id for row in found] == [row["mailboxid"] for row in rows]
    assert [r.target.partition("skip=")[2] for r in peer.requests if r.path == f"{API}/mailboxes"] == ["", "500", "1000"]
    assert (peer.connections, sum("authorization" in request.headers for request in peer.requests)) == (1, 2)


async def test_a_page_is_handed_out_before_the_next_is_asked_for() -> None:
    """However long a listing is, no more than a page of it is held."""
    peer = Peer(rows={"mailboxes": [mailbox(number) for number in range(1, 6)]}, page=2)
    async with serving(peer), Way().to(peer) as client:
        asked = [(len(found), sum(r.path == f"{API}/mailboxes" for r in peer.requests)) async for found in client.mailboxes()]
    assert asked == [(2, 1), (2, 2), (1, 3)]


async def test_beyond_5000_the_count_stops() -> None:
    """A listing of more rows than the server counts is whole by its last page."""
    found = await read(Peer(rows={"mailboxes": [mailbox(number) for number in range(1, 5502)]}, page=5000))
    assert isinstance(found, list)
    assert len(found) == 5501


def page(*rows: dict[str, Any], **more: Any) -> bytes:
    return said(200, {"@odata.count": len(rows), "value": list(rows), **{f"@odata.{name}": value for name, value in more.items()}})


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (page(mailbox(1), mailbox(1)), NotWhole),
        (page(mailbox(1), count=2), NotWhole),
        (page(mailbox(1), mailbox(2), count=1), NotWhole),
        (page(mailbox(1), count=None), BadRecord),
        (said(200, {"value": [mailbox(1)]}), BadRecord),
        (said(200, {"@odata.count": 0}), BadRecord),
        (said(200, {"@odata.count": 1, "value": [1]}), BadRecord),
        (page(mailbox(1), nextLink=3), BadRecord),
        (said(200, b'{"@odata.count": 0, "value": ['), NotWhole),
        (said(200, b'{"@odata.count": NaN, "value": []}'), NotWhole),
        (said(200, b"[]"), NotWhole),
        (said(200, b""), NotWhole),
        (said(204), BadRecord),
        (said(200, b"[" * 100_000), NotWhole),
    ],
    ids=[
        "twice",
        "counted more",
        "counted fewer",
        "null count",
        "no count",
        "no rows",
        "no objects",
        "no link",
        "cut",
        "NaN",
        "list",
        "empty",
        "204",
        "deep",
    ],
)
async def test_what_is_not_whole_is_an_error(answer: bytes, kind: type[PeerFailure]) -> None:
    """A shorter listing than there should be is never handed on as one."""
    assert isinstance(await read(Peer(says=where("/mailboxes", answer))), kind)


async def test_a_row_that_comes_on_two_pages_is_an_error() -> None:
    """Pages that overlap have left something out."""
    assert isinstance(await read(Peer(rows={"mailboxes": [*(mailbox(n) for n in range(1, 4)), mailbox(1)]}, page=2)), NotWhole)


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.test/Contoso/api/data/v9.1/mailboxes?x",
        "http://localhost:{port}/Contoso/api/data/v9.1/mailboxes?x",
        "https://localhost/Contoso/api/data/v9.1/mailboxes?x",
        "https://localhost:{port}/Other/api/data/v9.1/mailboxes?x",
        "https://localhost:{port}/Contoso/api/data/v9.1/systemusers?x",
        "https://localhost:{port}/Contoso/api/data/v9.1/mailboxes/../systemusers?x",
        "https://u@localhost:{port}/Contoso/api/data/v9.1/mailboxes?x",
        "https://localhost:{port}/Contoso/api/data/v9.1/mailboxes?x\r\nHost: evil",
        "https://localhost:{port}/Contoso/api/data/v9.1/mailboxes?x#y",
        "https://localhost:port/Contoso/api/data/v9.1/mailboxes?x",
        "/Contoso/api/data/v9.1/mailboxes?x",
        "https://localhost:{port}/Contoso/api/data/v9.1/mailboxes?" + "x" * 20_000,
        "",
    ],
)
async def test_a_listing_goes_on_nowhere_else(link: str) -> None:
    """The next page is of the same listing at the same server, or it is not asked for."""
    peer = Peer(says=where("/mailboxes", lambda request: page(mailbox(1), count=2, nextLink=link.replace("{port}", str(peer.port)))))
    assert isinstance(await read(peer), NotWhole)
    assert peer.requests[-1].path == f"{API}/mailboxes"
    assert "$count" in peer.requests[-1].query


async def test_case_in_the_address_of_a_page_is_the_servers() -> None:
    """IIS does not tell cases apart, and writes the organization's name as it knows it."""
    peer = Peer(rows={"mailboxes": [mailbox(1), mailbox(2)]}, page=1)
    async with serving(peer):
        peer.says = lambda request: peer.usual(replace(request, target=request.target.replace("/contoso", "/Contoso")))
        async with Way(url=peer.url.lower()).to(peer) as client:
            assert len(await every(client)) == 2


async def test_a_listing_without_end_ends() -> None:
    """So many pages and no more are asked for."""
    numbers = iter(range(1, 10**6))

    def more(request: Request) -> bytes:
        return page(mailbox(next(numbers)), count=5000, nextLink=f"{peer.url}/api/data/v9.1/mailboxes?x")

    peer = Peer(says=where("/mailboxes", more))
    found = await read(peer)
    assert isinstance(found, NotWhole)
    assert sum(request.path == f"{API}/mailboxes" for request in peer.requests) == MAX_PAGES


async def test_an_answer_has_its_bounds() -> None:
    """What is longer than a page may be is not read, be it sent as it is or compressed though nobody asked."""
    long = b'{"value": [], "x": "' + b"x" * MAX_PAGE_BYTES + b'"}'
    for answer in (said(200, long), said(200, gzip.compress(long), ("Content-Encoding", "gzip"))):
        found = await read(Peer(says=where("/mailboxes", answer)))
        assert isinstance(found, NotWhole)
        assert "8 MiB" in str(found)


@pytest.mark.parametrize("cut", [1, 100])
async def test_an_answer_that_breaks_off_is_an_error(cut: int) -> None:
    """Fewer bytes than were announced are no answer, though what came be whole JSON."""
    whole = page(mailbox(1)).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    peer = Peer(says=where("/mailboxes", whole.replace(b"Content-Length: ", b"Content-Length: %d" % cut)))
    found = await read(peer)
    assert isinstance(found, PeerFailure)
    assert "before its answer was complete" in str(found)
    assert sum(request.path == f"{API}/mailboxes" for request in peer.requests) == 1


# Errors in words


@pytest.mark.parametrize(
    ("answer", "kind", "said_of_it"),
    [
        (
            error(403, "0x80040220", "Principal user (Id=1, type=8) is missing prvReadMailbox privilege (Id=2)"),
            MissingPrivilege,
            "the account lacks the privilege prvReadMailbox (Read on Mailbox): HTTP 403, 0x80040220,",
        ),
        (
            error(401, "", "x", type="PrivilegeDenied", message="needs prvAppendToEmailServerProfile"),
            MissingPrivilege,
            "(AppendTo on EmailServerProfile)",
        ),
        (
            error(403, "0x80040220", "SecLib::AccessCheckEx failed."),
            MissingPrivilege,
            "denies it to this account: HTTP 403, 0x80040220, SecLib",
        ),
        (said(401, b"<html>"), SignInFailed, "no longer accepts this sign-in: HTTP 401"),
        (
            error(400, "0x80060888", "Could not find a property named 'x'", type="ODataException", message="inside"),
            RequestFailed,
            "HTTP 400, 0x80060888, Could not find a property named 'x', ODataException: inside",
        ),
        (said(400, {"Message": "Bad \x1b[31mthing"}), RequestFailed, "HTTP 400, Bad \\x1b[31mthing"),
        (said(500, b"<html>oops"), RequestFailed, "HTTP 500"),
        (error(404, "0x80060888", "no such segment"), NoWebApi, "does not have it"),
        (said(302, b"", ("Location", "https://adfs.contoso.test/x")), SignInPage, "adfs.contoso.test"),
        (said(302, b"", ("Location", "//[")), SignInPage, "not followed"),
        (said(200, b"<!DOCTYPE html>"), SignInPage, "web page in place of data"),
    ],
)
async def test_an_error_is_told_in_words(answer: bytes, kind: type[PeerFailure], said_of_it: str) -> None:
    """Status, code, message and what lies inside are told; what an account lacks, by its name and in words."""
    found = await read(Peer(says=where("/mailboxes", answer)))
    assert type(found) is kind
    assert said_of_it in str(found)
    assert str(found).isprintable()


# Patience


async def test_a_server_that_asks_for_patience_is_given_it() -> None:
    """What Retry-After says is waited, in seconds or until a date by the server's own clock, and then it is asked once more."""
    answers = [
        said(429, b"", ("Retry-After", "30")),
        said(503, b"", ("Date", "Sat, 28 Nov 2026 08:00:00 GMT"), ("Retry-After", "Sat, 28 Nov 2026 08:01:30 GMT")),
        said(429, b"", ("Retry-After", "soon")),
        said(503, b"<html>busy</html>", ("Connection", "close")),
    ]
    way = Way()
    peer = Peer(
        rows={"mailboxes": [mailbox(1)]}, says=where("/mailboxes", lambda request: answers.pop(0) if answers else peer.usual(request))
    )
    found = await read(peer, way)
    assert isinstance(found, list)
    assert way.slept == [30.0, 90.0, 10.0, 10.0]
    # The last of them cost the connection, and with it the sign-in.
    assert peer.connections == 2


@pytest.mark.parametrize("pause", ["1", str(int(MAX_PAUSE_SECONDS) + 1), "99999999999999999999"])
async def test_patience_has_an_end(pause: str) -> None:
    """A server that always asks, or asks for too long, is told as such."""
    way = Way()
    found = await read(Peer(says=where("/mailboxes", said(429, b"", ("Retry-After", pause)))), way)
    assert isinstance(found, Throttled)
    assert sum(way.slept) <= MAX_PAUSE_SECONDS
    assert len(way.slept) <= 5


async def test_a_connection_that_stood_idle_may_be_gone() -> None:
    """Where the server closes a connection that had served, what was asked is asked once over another; where it always does, no more."""
    drops = [b""]
    peer = Peer(rows={"mailboxes": [mailbox(1)]}, says=where("/mailboxes", lambda request: drops.pop() if drops else peer.usual(request)))
    way = Way()
    found = await read(peer, way)
    assert isinstance(found, list)
    assert any("repeated over another" in line for line in way.lines)
    peer = Peer(says=where("/mailboxes", b""))
    assert isinstance(await read(peer), PeerFailure)
    assert sum(request.path == f"{API}/mailboxes" and "NTLM" not in str(request.headers) for request in peer.requests) == 2


# Mail that waits


async def test_pending_mail_is_summed_up_by_mailbox() -> None:
    """Each mailbox has how many and since when; mail that names none is told too."""
    rows = [{"_sendermailboxid_value": guid(1), "n": 12, "oldest": "2026-11-01T08:00:00Z"}, {"n": 1}]
    async with serving(Peer(says=where("/emails", said(200, {"value": rows})))) as peer, Way().to(peer) as client:
        assert await client.pending_mail() == (
            PendingMail(mailbox=guid(1), count=12, oldest=datetime(2026, 11, 1, 8, tzinfo=UTC)),
            PendingMail(mailbox=None, count=1, oldest=None),
        )
        assert peer.requests[-1].query == {
            "$apply": "filter(statuscode eq 6)/groupby((_sendermailboxid_value),aggregate($count as n,createdon with min as oldest))"
        }
        peer.says = where("/emails", said(200, {"value": [{"n": "12"}]}))
        with pytest.raises(BadRecord, match="the mail that waits to be sent"):
            await client.pending_mail()


@pytest.mark.parametrize("code", ["0x8004E023", "0x8004e023"])
async def test_more_than_dynamics_sums_up_is_told_so(code: str) -> None:
    """Its limit is an answer, and another error is none."""
    async with (
        serving(Peer(says=where("/emails", error(400, code, "The maximum record limit is exceeded.")))) as peer,
        Way().to(peer) as client,
    ):
        assert await client.pending_mail() == MoreThan(50_000)
        peer.says = where("/emails", error(400, "0x80040203", "bad"))
        with pytest.raises(RequestFailed):
            await client.pending_mail()


# The one change


async def enabling(peer: Peer, way: Way | None = None) -> Any:
    """What comes of asking for Test & Enable of the first mailbox."""
    async with serving(peer), (way or Way(bound=f"{ORGANIZATION} {NAME}")).to(peer) as client:
        try:
            return await client.enable(guid(1))
        except PeerFailure as failure:
            return failure


def patched(*answers: bytes) -> Callable[[Request], bytes | None]:
    """Answers to changes, in order, then the usual."""
    left = list(answers)
    return lambda request: left.pop(0) if request.method == "PATCH" and left else None


async def test_test_and_enable_is_asked_for_once() -> None:
    """The row is read over the connection that the change then takes; the change names its one attribute, and cannot make a row."""
    peer = Peer(rows={"mailboxes": [mailbox(1), mailbox(2)]})
    came = await enabling(peer)
    assert (came.state, came.before.id, came.before.test_completed) == ("sent", guid(1), None)
    (write,) = peer.writes
    reading = peer.requests[-2]
    assert (write.method, write.path, write.body) == ("PATCH", f"{API}/mailboxes({guid(1)})", b'{"testemailconfigurationscheduled": true}')
    assert (write.headers["if-match"], write.headers["content-type"]) == ("*", "application/json")
    assert not {"authorization", "if-none-match", "prefer"} & write.headers.keys()
    assert (reading.path, reading.connection) == (f"{API}/mailboxes", write.connection)
    assert json.loads(ENABLING) == {"testemailconfigurationscheduled": True}


def a_ticket(order: TicketRequest) -> TicketResult:
    """As of a KDC that gives one."""
    return TicketResult(token=b"a ticket")


async def test_a_change_carries_a_ticket_where_each_request_does() -> None:
    """Reading the row has told whether the server wants a ticket each time, so that the change is not refused for want of one."""
    peer = Peer(rows={"mailboxes": [mailbox(1)]}, takes_ticket=lambda token: True, is_asked_each_time=True)
    way = Way(username=None, authentication=Authentication.NEGOTIATE, fetch=a_ticket, bound=f"{ORGANIZATION} {NAME}")
    assert (await enabling(peer, way)).state == "sent"
    (write,) = peer.writes
    assert write.headers["authorization"].startswith("Negotiate ")


async def test_what_is_scheduled_already_is_not_written() -> None:
    """The row is somebody else's, or ours of before."""
    peer = Peer(rows={"mailboxes": [mailbox(1, testemailconfigurationscheduled=True)]})
    assert (await enabling(peer)).state == "scheduled"
    assert peer.writes == []


async def test_a_row_that_is_not_wanted_any_more_is_not_written() -> None:
    """The caller is shown the row just before each change leaves, once more after the server has put it off, and may let it be."""
    peer, way = Peer(rows={"mailboxes": [mailbox(1)]}), Way(bound=f"{ORGANIZATION} {NAME}")
    peer.says = patched(said(429, b"", ("Retry-After", "3")))
    seen: list[str] = []

    def about_to(row: MailboxRow) -> bool:
        seen.append(row.id)
        return len(seen) < 2

    async with serving(peer), way.to(peer) as client:
        came = await client.enable(guid(1), about_to)
    assert (came.state, seen) == ("unwanted", [guid(1)] * 2)
    assert len(peer.writes) == 1


@pytest.mark.parametrize("rows", [[], [mailbox(1, testemailconfigurationscheduled=None)]], ids=["no row", "flag not told"])
async def test_what_cannot_be_read_is_not_written(rows: list[dict[str, Any]]) -> None:
    """A mailbox that is not shown, or whose flag is not, is not enabled."""
    peer = Peer(rows={"mailboxes": rows})
    assert isinstance(await enabling(peer), PeerFailure)
    assert peer.writes == []


async def test_where_no_organization_is_bound_nothing_is_changed() -> None:
    """A change wants to be sure of whose organization it changes."""
    peer = Peer(rows={"mailboxes": [mailbox(1)]})
    assert isinstance(await enabling(peer, Way()), OtherOrganization)
    assert peer.writes == []


async def test_metadata_and_sums_may_have_pages_too() -> None:
    """What has no ids is followed to its last page as well, and nowhere else."""

    def sums(request: Request) -> bytes:
        link = {} if "skip" in request.query else {"@odata.nextLink": f"{peer.url}/api/data/v9.1/emails?$apply=x&skip=1"}
        return said(200, {"value": [{"_sendermailboxid_value": guid(len(request.query)), "n": 1, "oldest": None}], **link})

    peer = Peer(says=where("/emails", sums))
    async with serving(peer), Way().to(peer) as client:
        pending = await client.pending_mail()
        assert isinstance(pending, tuple)
        assert len(pending) == 2
        peer.says = where("/Attributes", said(200, {"value": [], "@odata.nextLink": "https://evil.test/x"}))
        with pytest.raises(NotWhole, match="another address"):
            await client.profiles()


async def test_an_explicit_not_now_is_the_only_reason_to_send_it_again() -> None:
    """After 429 and 503 the row is read again, and then the change is sent once more."""
    peer, way = Peer(rows={"mailboxes": [mailbox(1)]}), Way(bound=f"{ORGANIZATION} {NAME}")
    peer.says = patched(said(429, b"", ("Retry-After", "3")), said(503, b"", ("Retry-After", "4"), ("Connection", "close")))
    assert (await enabling(peer, way)).state == "sent"
    assert way.slept == [3.0, 4.0]
    assert len(peer.writes) == 3
    before = [peer.requests[peer.requests.index(write) - 1] for write in peer.writes]
    assert [(one.path, one.connection) for one in before] == [(f"{API}/mailboxes", write.connection) for write in peer.writes]


@pytest.mark.parametrize(("pause", "writes"), [("1", 5), ("301", 1)])
async def test_patience_with_a_change_has_an_end(pause: str, writes: int) -> None:
    """A server that always asks for patience, or for too much, is told as such; each time it has said that it did nothing."""
    peer, way = Peer(rows={"mailboxes": [mailbox(1)]}), Way(bound=f"{ORGANIZATION} {NAME}")
    peer.says = lambda request: said(503, b"", ("Retry-After", pause)) if request.method == "PATCH" else None
    assert isinstance(await enabling(peer, way), Throttled)
    assert len(peer.writes) == writes


@pytest.mark.parametrize(
    ("what", "answer"), [("WhoAmI", {"UserId": "1"}), ("RetrieveVersion()", {"Version": "new"}), (f"organizations({ORGANIZATION})", {})]
)
async def test_an_organization_that_does_not_say_who_it_is_is_not_read(what: str, answer: dict[str, Any]) -> None:
    """Id, name and version are of their form, or nothing is read."""
    async with serving(Peer(says=where(what, said(200, answer)))) as peer:
        with pytest.raises(BadRecord, match="the server gives"):
            async with Way().to(peer):
                pytest.fail("it was read")


async def test_a_row_that_was_scheduled_meanwhile_is_not_written_again() -> None:
    """Somebody else may have asked while we waited."""
    peer = Peer(rows={"mailboxes": [mailbox(1)]})

    def busy(request: Request) -> bytes | None:
        if request.method != "PATCH":
            return None
        peer.rows["mailboxes"][0]["testemailconfigurationscheduled"] = True
        return said(429, b"", ("Retry-After", "1"))

    peer.says = busy
    assert (await enabling(peer)).state == "scheduled"
    assert len(peer.writes) == 1


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (b"", "closed the connection"),
        (b"HTTP/1.1 204 No", "closed the connection"),
        (b"garbage\r\n\r\n", "does not speak HTTP"),
        (said(500), "HTTP 500"),
        (said(502), "HTTP 502"),
        (said(504, b"<html>"), "HTTP 504"),
        (said(200, b"<html>sign in"), "HTTP 200"),
        (said(302, b"", ("Location", "https://adfs.contoso.test/")), "HTTP 302"),
    ],
    ids=["closed", "cut", "garbage", "500", "502", "504", "page", "redirect"],
)
async def test_a_change_whose_end_is_not_known_is_not_sent_again(answer: bytes, detail: str) -> None:
    """It is told as not known, with the row as it was before; the row then decides."""
    peer = Peer(rows={"mailboxes": [mailbox(1)]}, says=patched(answer), closes_after="PATCH")
    came = await enabling(peer)
    assert (came.state, came.before.test_scheduled) == ("unknown", False)
    assert detail in came.detail
    assert len(peer.writes) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(403, "0x80040220", "is missing prvWriteMailbox privilege"), MissingPrivilege),
        (said(401), SignInFailed),
        (error(404, "0x80040217", "Mailbox With Id Does Not Exist"), NoWebApi),
        (said(412), RequestFailed),
        (error(400, "0x80040203", "bad"), RequestFailed),
    ],
)
async def test_a_change_that_is_refused_says_why(answer: bytes, kind: type[PeerFailure]) -> None:
    """It is not sent again, not even where the server wants another sign-in."""
    peer = Peer(rows={"mailboxes": [mailbox(1)]}, says=patched(answer))
    assert type(await enabling(peer)) is kind
    assert len(peer.writes) == 1


async def test_no_change_follows_over_another_connection() -> None:
    """Where the server closes each connection after its answer, what was read has signed in nothing that a change could take."""
    peer = Peer(rows={"mailboxes": [mailbox(1)]})
    peer.says = where("/mailboxes", lambda request: peer.usual(request).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
    found = await enabling(peer)
    assert isinstance(found, OffProtocol)
    assert "closes the connection after each answer" in str(found)
    assert peer.writes == []


async def test_a_change_without_an_answer_in_time_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time that runs out after the change left is told as not known."""
    silent = Peer(rows={"mailboxes": [mailbox(1)]}, is_silent_to="PATCH")
    async with serving(silent), Way(bound=f"{ORGANIZATION} {NAME}").to(silent) as client:
        await client.mailboxes_by_id([guid(1)])
        monkeypatch.setattr("probe.dynamics.session.REQUEST_SECONDS", 3)
        came = await client.enable(guid(1))
    assert came.state == "unknown"
    assert len(silent.writes) == 1


async def test_a_read_without_an_answer_in_time_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request has its time."""
    silent = Peer(is_silent_to="GET /Contoso/api/data/v9.1/emails")
    async with serving(silent), Way().to(silent) as client:
        monkeypatch.setattr("probe.dynamics.session.REQUEST_SECONDS", 0.2)
        with pytest.raises(TimeoutError, match="no complete answer within"):
            await client.pending_mail()
