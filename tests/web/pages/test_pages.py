"""What pages say: the estate, mailboxes, endpoints, changes, the calendar."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from probe import app
from probe.history import Sighting
from probe.history.storage import DATABASE
from probe.model import vocabulary as v
from probe.model.endpoints import endpoint_id
from probe.model.kinds import TlsSession, Validity
from probe.model.provenance import Declared
from probe.model.rules import Otherwise, Readiness, SignedIn, Support
from probe.outlook import Coming
from probe.web import LastLook
from probe.web.ahead import Ahead
from probe.web.pages.calendar import Calendar
from probe.web.places import page_of
from probe.web.tokens import TokenScope
from tests.history.looks import START, look, product
from tests.outlook.estates import an_estate as estate_of
from tests.runs import (
    EWS,
    NOON,
    POP,
    SMTP,
    a_checked_run,
    a_fact,
    a_mailbox,
    a_run,
    an_assessment,
    an_attempt,
    an_estate,
)
from tests.web.pages.hostile import HOSTILE, hostile_run
from tests.web.pages.reading import HtmlPage, PageReader
from tests.web.world import World, checked, estate_at, world

AT_POP = f"/e/{endpoint_id(POP)}"


def _seen(at: datetime, name: str, subject: str = POP) -> Sighting:
    """A look that found a product."""
    return look((at - START) / timedelta(minutes=1), *product(name), subject=subject)


async def test_the_estate_is_told_by_cause_the_worst_first(reader: PageReader) -> None:
    """A line for each group of mailboxes with one cause, as in every report: not ready before unsupported before undetermined."""
    page = await reader.get("/")
    assert page.headings[0] == "contoso-crm"
    assert "7 mailboxes: 2 not ready, 2 undetermined, 2 ready, 1 not assessed." in page.words
    kinds = "NOT READY|UNSUPPORTED|NOT LISTED|UNKNOWN|READY|NOT SERVED|ADVICE"
    told = re.findall(kinds, page.words.partition("To do first")[2].partition("Changed since")[0])
    assert told == ["NOT READY", "UNSUPPORTED", "NOT LISTED", "UNKNOWN", "READY", "NOT SERVED", "ADVICE"]
    assert "2 mailboxes An endpoint that cannot be used" in page.words
    assert (
        "UNSUPPORTED pop@branch.test A POP3/SMTP system that Microsoft has not tested: Dovecot, pop.branch.test; readiness undetermined"
        in page.words
    )
    assert "all not ready unsupported not listed unknown ready not served" in page.words
    assert "/m/silent@branch.test" in page.links


async def test_a_cause_leads_to_its_mailboxes_and_those_to_the_words_off_the_wire(reader: PageReader) -> None:
    """Two clicks from the first page to what the server said."""
    page = await reader.get("/")
    (place,) = [link for link in page.links if link.startswith("/?group=")]
    group = await reader.get(place)
    assert "2 mailboxes found" in group.words
    assert [link for link in group.links if link.startswith("/m/")] == ["/m/info@contoso.test", "/m/team@contoso.test"]
    assert "401 Unauthorized" in (await reader.get("/m/info@contoso.test")).words


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=INFO", ["info@contoso.test"]),
        ("q=branch", ["pop@branch.test", "silent@branch.test", "unserved@branch.test"]),
        ("q=contoso&verdict=NOT+READY", ["info@contoso.test", "team@contoso.test"]),
        ("profile=corp&verdict=READY", ["listed@contoso.test"]),
        ("verdict=NOT+SERVED", ["unserved@branch.test"]),
        (f"at={endpoint_id(EWS)}&q=new", ["new@contoso.test"]),
        ("q=%3Cscript%3E", []),
        ("profile=other", []),
        ("at=000000000000", []),
        ("group=000000000000", []),
    ],
)
async def test_mailboxes_are_found_by_address_profile_and_verdict(reader: PageReader, query: str, found: list[str]) -> None:
    """A part of the address is enough; what is searched stands in the form again."""
    page = await reader.get(f"/?{query}")
    assert sorted(link.removeprefix("/m/") for link in page.links if link.startswith("/m/")) == found
    assert f"{len(found)} mailbox" in page.words


async def test_a_long_list_is_told_in_parts(tmp_path: Path) -> None:
    """Each is reached by a link, and a part that is not there is the nearest that is."""
    addresses = [f"m{number:03}@branch.test" for number in range(250)]
    run = a_run(
        estate=an_estate(*map(a_mailbox, addresses)),
        assessments=[an_assessment(address, Support.SUPPORTED, Readiness.READY) for address in addresses],
    )
    async with world(tmp_path, run) as made:
        reader, found, place = PageReader(made.asker), [], "/?q=m"
        while place:
            page = await reader.get(place)
            found += [link.removeprefix("/m/") for link in page.links if link.startswith("/m/")]
            place = next((link for link in page.links if f"page={len(found) // 100 + 1}" in link), "") if len(found) < 250 else ""
        assert found == addresses
        assert "part 3 of 3" in (await reader.get("/?q=m&page=99")).words
        assert "part 1 of 3" in (await reader.get("/?q=m&page=-1")).words


async def test_a_mailbox_says_why_with_statement_source_and_remedy(reader: PageReader) -> None:
    """The reasons as a tree of yes, no and unknown; each with what was seen, where, and the words."""
    page = await reader.get("/m/info@contoso.test")
    assert page.headings[0] == "info@contoso.test"
    for told in (
        "NOT READY, unsupported",
        "NO incoming, outgoing: not ready",
        "NO An endpoint that cannot be used (unreachable)",
        "NO Microsoft's page on supported configurations: unsupported",
        "X-OWA-Version: 8.3.485.1",
        "What the page states about unreachable",
        "What to do about unreachable.",
    ):
        assert told in page.words
    assert "https://learn.example/unreachable" in page.links
    assert AT_POP not in page.links
    assert f"/e/{endpoint_id(EWS)}" in page.links


async def test_what_would_settle_an_unknown_is_said(reader: PageReader) -> None:
    """Beside each question that leaves the verdict open."""
    page = await reader.get("/m/pop@branch.test")
    assert "UNKNOWN incoming, outgoing: undetermined" in page.words
    assert "Settles it Make sure that the firewall lets this machine through" in page.words


@pytest.mark.parametrize(
    "address", ["listed@contoso.test", "silent@branch.test", "unserved@branch.test", "new@contoso.test", "LISTED@contoso.TEST"]
)
async def test_every_kind_of_mailbox_has_its_page(reader: PageReader, address: str) -> None:
    """Whatever its verdict, and however its address is written."""
    assert (await reader.get(f"/m/{address}")).headings[0] == address.lower()


@pytest.mark.parametrize(
    "address",
    ["o'neil/a?b#c%41+d&e=f@branch.test", "\u05de\u05db\u05d9@branch.test", "a b@branch.test", "../x@branch.test", "<b>@branch.test"],
)
async def test_a_link_leads_to_its_mailbox_whatever_its_address_has_in_it(tmp_path: Path, address: str) -> None:
    """A link of a list, and that of an alert, which is the same."""
    run = a_run(estate=an_estate(a_mailbox(address)), assessments=[an_assessment(address, Support.SUPPORTED, Readiness.READY)])
    async with world(tmp_path, run) as made:
        reader = PageReader(made.asker)
        (link,) = [one for one in (await reader.get("/")).links if one.startswith("/m/")]
        assert link == page_of(address)
        assert (await reader.get(link)).headings[0] == address


async def test_a_mailbox_tells_how_long_ago_its_account_signed_in(tmp_path: Path) -> None:
    """Where the service knows it; else when that was first found."""
    address = "info@contoso.test"
    attempt = an_attempt(9, POP, prober="pop3-login", mailbox=address)
    run = a_checked_run()
    run = replace(
        run,
        attempts=(*run.attempts, attempt),
        assessments=tuple(replace(one, signed_in=SignedIn.YES) if one.mailbox == address else one for one in run.assessments),
    )
    async with world(tmp_path, run) as made:
        reader = PageReader(made.asker)
        words = (await reader.get(f"/m/{address}")).words
        assert "accepted, 2026-11-23 12:00 UTC" in words
        assert "signed in" not in words
        made.watch.sign_ins[address] = made.time.now - timedelta(minutes=7)
        assert "UTC (signed in 7 minutes ago; it does so at most once in 15 minutes)" in (await reader.get(f"/m/{address}")).words


async def test_a_mailbox_is_found_by_its_id_in_dynamics(tmp_path: Path) -> None:
    """As a link in a form of Dynamics has it."""
    run = a_checked_run()
    assert run.estate is not None
    first = replace(run.estate.mailboxes[0], id="8c1e0000-0000-4000-8000-000000000001")
    run = replace(run, estate=replace(run.estate, mailboxes=(first, *run.estate.mailboxes[1:])))
    async with world(tmp_path, run) as made:
        page = await PageReader(made.asker).get("/m/8C1E0000-0000-4000-8000-000000000001")
        assert page.headings[0] == first.address


async def test_dynamics_state_stands_beside_ours(tmp_path: Path) -> None:
    """For each direction, with the times and the error that Dynamics has."""
    run, address = a_checked_run(), "info@contoso.test"
    by = Declared("dynamics")
    of_dynamics: list[Any] = [
        a_fact(v.DYNAMICS_ENABLED, (("incoming", False), ("outgoing", True), ("appointments", False)), address, by),
        a_fact(v.DYNAMICS_STATUS, (("incoming", "failure"), ("outgoing", "success"), ("appointments", "not-run")), address, by),
        a_fact(v.DYNAMICS_LAST_SUCCESS, NOON - timedelta(hours=9), address, by),
        a_fact(v.DYNAMICS_LAST_ERROR, "The server <b>refused</b>", address, by),
        a_fact(v.DYNAMICS_LAST_ERROR_AT, NOON - timedelta(hours=8), address, by),
        a_fact(v.DYNAMICS_PENDING_SEND, 12, address, by),
    ]
    async with world(tmp_path, replace(run, readings=(*run.readings, *of_dynamics))) as made:
        page = await PageReader(made.asker).get(f"/m/{address}")
        assert "incoming not ready not enabled failure outgoing not ready enabled success" in page.words
        assert "Pending Send 12 messages" in page.words
        assert "The server <b>refused</b>" in page.words
        assert "2026-11-23T04:00:00Z" in page.times


async def test_an_endpoint_says_what_it_is_and_how_that_is_known(service: World, reader: PageReader) -> None:
    """Product, the words that show it, TLS, certificate, and the conversation."""
    service.watch.looks[POP] = LastLook(NOON, 0.031)
    page = await reader.get(AT_POP)
    assert page.headings[0] == POP
    for told in (
        "ANSWERS Dovecot",
        "server.product Dovecot (inferred): by greeting-product, of protocol.greeting +OK Dovecot ready.",
        "TLSv1.3, TLS_AES_256_GCM_SHA384, x25519",
        "not trusted (self-signed certificate)",
        "31 ms",
        "3 mailboxes",
        "server +OK Dovecot ready.",
    ):
        assert told in page.words
    assert (await reader.get(f"/e/{endpoint_id(SMTP)}")).words.count("no greeting within 30 s") >= 1


async def test_tls_is_drawn_with_what_windows_gets_and_refuses(tmp_path: Path) -> None:
    """Version by version: what the server takes, what of it the deployment's Windows gets, and what its FIPS mode refuses."""
    suites = ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256")
    session = TlsSession("TLSv1.2", suites[0], "secp384r1", "rsa_pss_rsae_sha256")
    readings = [
        a_fact(v.TLS_VERSIONS, ("TLSv1.1", "TLSv1.2")),
        a_fact(v.TLS_SUITES, (("TLSv1.2", suites),)),
        a_fact(v.TLS_GROUPS, (("TLSv1.2", ("secp384r1", "x25519")),)),
        a_fact(v.TLS_SCHEMES, (("TLSv1.2", ("rsa_pss_rsae_sha256",)),)),
        a_fact(v.TLS_SERVER_ORDER, (("TLSv1.2", True),)),
        a_fact(v.FIPS_PROFILE, "windows-server-2019"),
        a_fact(v.FIPS_NEGOTIATES, session),
        a_fact(v.FIPS_ALSO_ACCEPTS, ("TLSv1.1", f"TLSv1.2 with {suites[1]}", "TLSv1.2 with x25519")),
        a_fact(v.CERTIFICATE_CHAIN, ("CN=pop.branch.test", "CN=Branch CA")),
        a_fact(v.CERTIFICATE_NOT_BEFORE, NOON - timedelta(days=80)),
        a_fact(v.CERTIFICATE_NOT_AFTER, NOON + timedelta(days=10)),
        a_fact(
            v.CERTIFICATE_CHAIN_DATES,
            (
                Validity("CN=pop.branch.test", NOON - timedelta(days=80), NOON + timedelta(days=10)),
                Validity("CN=Branch CA", NOON - timedelta(days=800), NOON + timedelta(days=5)),
            ),
        ),
    ]
    run = replace(a_checked_run(), readings=tuple(readings), assessments=())
    async with world(tmp_path, run) as made:
        page = await PageReader(made.asker).get(AT_POP)
        for told in (
            "TLSv1.3 NO TLSv1.2 YES GOT",
            f"{suites[0]} GOT",
            f"{suites[1]} REFUSED IN FIPS MODE",
            "in the server's order secp384r1 GOT x25519 REFUSED IN FIPS MODE rsa_pss_rsae_sha256 GOT",
            "TLSv1.1 YES out of date REFUSED IN FIPS MODE",
            "windows-server-2019 gets TLSv1.2",
        ):
            assert told in page.words
        assert "CN=Branch CA" in page.words
        assert {"2026-11-28T12:00:00Z", "2026-12-03T12:00:00Z", "2026-09-04T12:00:00Z"} <= set(page.times)


async def test_what_changed_is_told_newest_first_and_once(service: World, reader: PageReader) -> None:
    """On the first page, on that of the subject, and on one of its own; the same of several subjects as one."""
    history = service.watch.history
    for number, host in enumerate(("a", "b", "c")):
        url = f"imaps://{host}.branch.test:993"
        await history.record([_seen(NOON - timedelta(hours=2, seconds=number), "Dovecot", url)])
        await history.record([_seen(NOON - timedelta(hours=1, seconds=number), "Exim", url)])
    await history.record([_seen(NOON - timedelta(minutes=20), "Dovecot")])
    await history.record([_seen(NOON - timedelta(minutes=10), "Cyrus IMAP")])
    page = await reader.get("/changes")
    assert page.words.index("Cyrus IMAP") < page.words.index("3 subjects") < page.words.index("Exim")
    assert page.words.count("became Exim") == 1
    for place in ("/", AT_POP):
        assert "Dovecot (inferred) became Cyrus IMAP" in (await reader.get(place)).words


async def test_a_number_that_may_be_too_small_is_told_as_such(service: World, reader: PageReader) -> None:
    """Where a list ends within what befell many at once, it says that there may be more of it."""
    history = service.watch.history
    urls = [f"imaps://h{number}.branch.test:993" for number in range(150)]
    await history.record([_seen(NOON - timedelta(hours=2), "Dovecot", url) for url in urls])
    await history.record([_seen(NOON - timedelta(hours=1), "Exim", url) for url in urls])
    assert "150 subjects, the first" in (await reader.get("/")).words
    page = await reader.get("/changes")
    assert "at least 100 subjects, the first" in page.words
    (older,) = [link for link in page.links if link.startswith("/changes?after=")]
    assert "at least 50 subjects, the first" in (await reader.get(older)).words


async def test_without_its_history_a_page_shows_what_is_known_without_it(service: World, reader: PageReader, tmp_path: Path) -> None:
    """And says what is not known; the list of changes itself is an error."""
    await service.watch.history.record([_seen(NOON, "Dovecot")])
    with closing(sqlite3.connect(tmp_path / "state" / DATABASE, isolation_level=None)) as database:
        database.execute("ALTER TABLE span RENAME TO elsewhere")
    for path in ("/", "/m/info@contoso.test", AT_POP):
        assert "Not known: the history cannot be read; the service's log says why." in (await reader.get(path)).words
    assert "the history cannot be read" in (await reader.get("/changes", 503)).words


async def test_older_changes_follow_by_a_link(service: World, reader: PageReader) -> None:
    """Until there are none."""
    history = service.watch.history
    for number in range(102):
        at = NOON - timedelta(hours=300 - number)
        await history.record([_seen(at, f"Product {number}")])
    page = await reader.get("/changes")
    assert page.words.count(" became ") == 100
    (older,) = [link for link in page.links if link.startswith("/changes?after=")]
    rest = await reader.get(older)
    assert "Product 0 (inferred) became Product 1" in rest.words
    assert not any(link.startswith("/changes?after=") for link in rest.links)
    assert "No older change is kept." in (await reader.get("/changes?after=0-1")).words


async def test_how_long_looks_take_stands_in_a_table(service: World, reader: PageReader) -> None:
    """From which a script draws a line; without one the figures are there."""
    history = service.watch.history
    for minutes in (3, 2, 1):
        await history.record([replace(_seen(NOON - timedelta(minutes=minutes), "Dovecot"), seconds=minutes / 100)])
    await history.sweep(service.watch.estate.history, NOON)
    page = await reader.get(AT_POP)
    assert "From Looks Least Median Most 2026-11-23 11:00 UTC 3 10 20 30" in page.words


async def test_the_calendar_has_what_comes(tmp_path: Path) -> None:
    """By month, with the mailboxes and what to do; the same stands in short with the estate."""
    fact = {"subject": EWS, "mailbox": None, "key": "certificate.not_after", "value": "2027-02-03T04:05:00Z"}
    estate = estate_of(("a@contoso.test", "corp"), ("b@contoso.test", "corp"))
    run = app.judge({"schema": "probe.run/2", "facts": [fact], "missing": []}, estate, NOON.date())
    async with world(tmp_path, replace(run, id="run-1")) as made:
        reader = PageReader(made.asker)
        assert "It is being worked out: 0 of 1 part of the estate so far." in (await reader.get("/calendar")).words
        await made.worked_out()
        page = await reader.get("/calendar")
        assert "2027-02" in page.headings
        assert "2027-02-03 in 72 days NOT READY Certificate expired 2027-02-03, mail.contoso.test (certificate-expired)" in page.words
        assert "2 mailboxes" in page.words
        assert "What to do Renew the certificate" in page.words
        assert f"/e/{endpoint_id(EWS)}" in page.links
        assert "2027-02-03: Certificate expired 2027-02-03, mail.contoso.test, 2 mailboxes" in (await reader.get("/")).words


async def test_an_end_that_is_not_known_is_told_as_such(tmp_path: Path) -> None:
    """Beside what is known to come: a certificate that was not seen may end tomorrow."""
    async with world(tmp_path, await checked(estate_at("pop3://localhost:9", "smtp://localhost:9"))) as made:
        await made.worked_out()
        page = await PageReader(made.asker).get("/calendar")
        assert "Not known" in page.headings
        assert "pop3://localhost:9: the server refused the connection" in page.words


def test_a_long_calendar_has_pages() -> None:
    """Each event stands on one of them, and in the drawing; a page that is none is the nearest."""
    events = [
        Coming(
            day=NOON.date() + timedelta(days=n),
            rule="r",
            title="",
            otherwise=Otherwise.ADVICE,
            words="",
            endpoints=(),
            subjects=(),
            remedy="",
            mailboxes=(),
        )
        for n in range(250)
    ]
    ahead = Ahead(NOON, NOON.date(), NOON.date() + timedelta(days=730), events, [], 1, 1)
    pages = [Calendar(ahead, number) for number in (-1, 2, 99)]
    assert [page.page for page in pages] == [1, 2, 3]
    assert [one for page in pages for one in page.shown] == events
    assert len({x for x, _, _ in pages[0].line.marks()}) > 100


async def test_a_mailbox_that_is_not_judged_yet_is_told_as_such(service: World, reader: PageReader) -> None:
    """It is no mailbox that the estate does not have: whoever asks is to ask again, and the estate says how many there are."""
    run = service.watch.run()
    await service.watch.show(replace(run, assessments=run.assessments[1:]))
    gone = run.assessments[0].mailbox
    for path in (f"/m/{gone}", f"/v1/mailboxes/{gone}"):
        answer = await reader.ask(path)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert "not judged yet" in answer.body.decode()
    assert "Not judged yet since the service began: 1 mailbox." in (await reader.get("/")).words
    assert (await service.asker.ask("/v1/mailboxes/nobody@contoso.test")).status == 404


async def test_what_is_late_is_said(service: World, reader: PageReader) -> None:
    """A page that shows old figures as if they were new would be wrong."""
    service.watch.ready = replace(service.watch.ready, is_ready=False, words="the schedule is 300 seconds late")
    assert "LATE What stands here may be out of date: the schedule is 300 seconds late." in (await reader.get("/")).words


async def test_a_check_is_asked_for_shown_and_kept(service: World) -> None:
    """The page says that it goes on, then what came of it; its run is a document of the API."""
    reader = PageReader(service.asker)
    await reader.sign_in(service.tokens.create("anna", TokenScope.CHECK, NOON))
    place = "/m/silent@branch.test"
    service.watch.go.clear()
    mark = (await reader.get(place)).fields["csrf"]
    answer = await reader.post(f"{place}/check", {"csrf": mark})
    assert (answer.status, answer.headers["location"].partition("?")[0]) == (303, place)
    shown = answer.headers["location"]
    assert "The check" in (await reader.get(shown)).words
    assert await reader.ask(shown, headers={"HX-Request": "true"}) == await reader.ask(shown)
    service.watch.ready = replace(service.watch.ready, is_ready=False)
    service.watch.go.set()
    page = await _ended(reader, shown)
    assert "NOT CHECKED the service is about to end." in page.words
    assert (await reader.ask(shown, headers={"HX-Request": "true"})).headers["hx-redirect"] == shown
    assert "The check" not in (await PageReader(service.asker).get(shown)).words, "nobody else is told"
    assert f"{place}/check" in page.actions
    assert service.watch.held["silent@branch.test"] == 1


async def _ended(reader: PageReader, place: str) -> HtmlPage:
    """The page once the check that it shows has ended."""
    while True:
        page = await reader.get(place)
        if "The check is being held" not in page.words and "The check waits" not in page.words:
            return page


@pytest.mark.parametrize(
    "path",
    ["/m/nobody@contoso.test", "/m/", "/m/%3Cscript%3E", "/e/000000000000", "/e/https://elsewhere.example:443/", "/e/..%2f..", "/other"],
)
async def test_what_is_not_there_is_told_as_a_page(reader: PageReader, path: str) -> None:
    """With its status, and without repeating what was asked for; programs are told in JSON."""
    page = await reader.get(path, 404)
    assert "This is not shown" in page.headings
    assert "script" not in page.words
    assert (await reader.asker.ask(path)).headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("query", ["page=x", "q=" + "x" * 600, "page=" + "9" * 30])
async def test_a_query_that_cannot_be_is_told(reader: PageReader, query: str) -> None:
    """It costs nothing, and breaks nothing."""
    answer = await reader.ask(f"/?{query}")
    assert answer.status in (200, 422)


async def test_no_page_can_be_framed_and_none_is_kept(service: World, reader: PageReader) -> None:
    """Every one of them, whatever its status, says that to browsers."""
    for path in ("/", "/m/info@contoso.test", AT_POP, "/changes", "/calendar", "/login", "/m/nobody"):
        headers = (await reader.ask(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"


async def test_what_a_peer_says_is_text(tmp_path: Path) -> None:
    """Markup of a greeting, of a certificate and of an error stands on each page as it was said, and is none; what steers a display is written out."""
    async with world(tmp_path, hostile_run()) as made:
        await made.watch.history.record([_seen(NOON - timedelta(hours=2), "Dovecot")])
        await made.watch.history.record([_seen(NOON - timedelta(hours=1), HOSTILE.replace("\ud800", ""))])
        reader = PageReader(made.asker)
        for path in ("/", "/m/sales@branch.test", AT_POP, "/changes"):
            page = await reader.get(path)
            assert "<script>alert(1)</script>" in page.words
            assert "{{ 7 * 7 }}" in page.words
            assert "\\u202eevil" in page.words
            assert "\x1b" not in page.words
            assert "\u202e" not in page.words
