"""What a simulated organization's server can be told to do wrong."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from probe.simulation.dynamics import faults
from probe.simulation.dynamics.faults import Fault
from probe.simulation.dynamics.organization import Organization
from tests.simulation.dynamics.caller import ROOT, Answer, Caller, query
from tests.simulation.dynamics.world import READER, asked, server

LISTING = "mailboxes" + query(select="emailaddress,actstatus", count="true")
PREFER = {"Prefer": "odata.maxpagesize=2"}


def _organization() -> Organization:
    organization = Organization()
    for number in range(5):
        organization.add_mailbox(f"user{number}@contoso.test")
    return organization


async def _asked_twice(fault: Fault, resource: str = LISTING) -> tuple[Answer, Answer]:
    async with server(_organization()) as site:

        def questions(caller: Caller) -> tuple[Answer, Answer]:
            site.faults.append(fault)
            return caller.get(resource), caller.get(resource)

        return await asked(site, questions)


async def _broken(
    fault: Fault, ask: Callable[[Caller], Answer] = lambda caller: caller.get(LISTING)
) -> tuple[Organization, type[Exception]]:
    """What a client meets that is not answered whole."""
    organization = _organization()

    def question(caller: Caller) -> type[Exception]:
        site.faults.append(fault)
        with pytest.raises((http.client.HTTPException, OSError)) as caught:
            ask(caller)
        return caught.type

    async with server(organization) as site:
        return organization, await asked(site, question)


async def _pages(fault: Fault) -> list[Answer]:
    """The pages of a listing, as far as links on the same origin lead."""
    async with server(_organization()) as site:

        def questions(caller: Caller) -> list[Answer]:
            site.faults.append(fault)
            pages = [caller.get(LISTING, PREFER)]
            while (link := urlsplit(pages[-1].document.get("@odata.nextLink", ""))).netloc == f"127.0.0.1:{site.port}" and len(pages) < 5:
                pages.append(caller.get(f"{link.path}?{link.query}", PREFER))
            return pages

        return await asked(site, questions)


@pytest.mark.parametrize(
    ("fault", "status", "code", "wait"),
    [
        (faults.is_throttled("mailboxes", retry_after="17"), 429, "0x80072322", "17"),
        (faults.is_throttled("mailboxes", retry_after=None), 429, "0x80072322", None),
        (faults.is_unavailable("mailboxes"), 503, "0x80044150", None),
        (faults.is_unavailable("mailboxes", retry_after="3"), 503, "0x80044150", "3"),
    ],
    ids=["429", "429 without a time", "503", "503 with a time"],
)
async def test_a_server_that_asks_to_wait(fault: Fault, status: int, code: str, wait: str | None) -> None:
    """A busy server answers 429 or 503 once, with how long to wait where it says so, and then as ever."""
    first, second = await _asked_twice(fault)
    assert (first.status, first.error["code"], first.headers["Retry-After"], second.status) == (status, code, wait, 200)


async def test_sign_in_pages() -> None:
    """A client is redirected to a sign-in page, or shown one, once signed in or before it."""
    redirected, _ = await _asked_twice(faults.redirects("https://adfs.contoso.test/adfs/ls/?wa=wsignin1.0"))
    assert (redirected.status, redirected.headers["Location"]) == (302, "https://adfs.contoso.test/adfs/ls/?wa=wsignin1.0")
    shown, _ = await _asked_twice(faults.shows_sign_in_page())
    assert (shown.status, shown.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b'type="password"' in shown.body
    async with server(_organization()) as site:
        site.faults.append(faults.shows_sign_in_page(before_sign_in=True))
        anonymous = await asked(site, lambda caller: caller.get(LISTING), user=None)
    assert anonymous.status == 200


async def test_a_page_of_an_error() -> None:
    """A crashed application answers 500 with a page."""
    first, second = await _asked_twice(faults.fails())
    assert (first.status, first.headers["Content-Type"], second.status) == (500, "text/html; charset=utf-8", 200)


async def test_a_sign_in_that_is_forgotten() -> None:
    """A connection that was signed in is not any more, and its next request neither."""
    first, second = await _asked_twice(faults.forgets_sign_in())
    assert (first.status, second.status) == (401, 401)


async def test_a_page_that_is_cut_short() -> None:
    """The connection ends before the declared length; or the length is right and the JSON ends early."""
    _, error = await _broken(faults.cuts_short())
    assert error is http.client.IncompleteRead
    early, _ = await _asked_twice(faults.ends_early_in_json())
    with pytest.raises(json.JSONDecodeError):
        _ = early.document


async def test_an_answer_that_is_lost() -> None:
    """A change whose answer is lost was carried out; one whose request is lost was not, and nobody wrote it down."""

    def change(caller: Caller) -> Answer:
        (mailbox, *_) = _organization().mailboxes
        return caller.call("PATCH", f"{ROOT}/mailboxes({mailbox})", {"If-Match": "*"}, {"testemailconfigurationscheduled": True})

    carried_out, error = await _broken(faults.loses_answer(method="PATCH"), change)
    assert error is http.client.RemoteDisconnected
    assert (len(carried_out.writes), len(list(carried_out.waiting()))) == (1, 1)
    lost, _ = await _broken(faults.loses_request(method="PATCH"), change)
    assert (len(lost.writes), len(list(lost.waiting()))) == (0, 0)


async def test_a_slow_server() -> None:
    """A body comes byte by byte, and whole in the end."""
    slow, fast = await _asked_twice(faults.is_slow("WhoAmI", pause=0.0001), "WhoAmI")
    assert slow.document == fast.document


async def test_links_elsewhere() -> None:
    """A page may link to another host, to itself, or to nothing where there is more."""
    (elsewhere,) = await _pages(faults.links_to("https://crm.fabrikam.test/more"))
    assert elsewhere.document["@odata.nextLink"] == "https://crm.fabrikam.test/more"
    (nothing,) = await _pages(faults.links_to(None))
    assert (nothing.document["@odata.count"], len(nothing.document["value"])) == (5, 2)
    assert "@odata.nextLink" not in nothing.document


async def test_a_row_that_comes_twice() -> None:
    """A row of the first page stands again in the second."""
    pages = await _pages(faults.repeats_first_row("mailboxes"))
    ids = [row["mailboxid"] for page in pages for row in page.document["value"]]
    assert (len(pages), len(ids), len(set(ids))) == (3, 5, 4)


async def test_a_count_that_is_another() -> None:
    """The count is not that of the rows."""
    first, second = await _asked_twice(faults.counts(7))
    assert (first.document["@odata.count"], second.document["@odata.count"]) == (7, 5)


async def test_values_that_nobody_knows() -> None:
    """Rows have an option that no metadata has; or WhoAmI names another organization."""
    rows, _ = await _asked_twice(faults.says("actstatus", 77))
    assert {row["actstatus"] for row in rows.document["value"]} == {77}
    who, _ = await _asked_twice(faults.says("OrganizationId", "another", "WhoAmI"), "WhoAmI")
    assert who.document["OrganizationId"] == "another"


async def test_a_huge_page() -> None:
    """A row has more than ten megabytes, and so has its page."""
    huge, _ = await _asked_twice(faults.is_huge())
    assert len(huge.body) > 10 << 20


async def test_when_a_fault_strikes() -> None:
    """A fault lets the first requests pass where told so, strikes as often as told, and only what it is meant for."""
    async with server(_organization()) as site:
        site.faults.append(faults.is_throttled("mailboxes", after=1, times=2))
        site.faults.append(faults.is_throttled("RetrieveVersion", times=None))

        def questions(caller: Caller) -> list[int]:
            return [caller.get(each).status for each in [LISTING] * 4 + ["WhoAmI", "RetrieveVersion()", "RetrieveVersion()"]]

        assert await asked(site, questions) == [200, 429, 429, 200, 200, 429, 429]
        assert {each.user for each in site.requests if each.status == 429} == {READER.name}
