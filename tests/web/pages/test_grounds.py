"""Numbers and dates of pages, each with what it rests on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from probe import app
from probe.history import judgement
from probe.model.endpoints import endpoint_id
from probe.model.rules import Readiness, Support
from probe.web.tokens import TokenScope
from tests.history.looks import minutes
from tests.outlook.estates import an_estate as estate_of
from tests.runs import EWS, NOON, an_assessment
from tests.web.pages.gates import FAILED, PENDING, a_go, gate_estate, gate_state, recorded
from tests.web.pages.reading import PageReader
from tests.web.world import World, world

INFO = "info@contoso.test"
ONLINE = "https://outlook.office365.com:443/EWS/Exchange.asmx"


async def test_a_change_of_a_verdict_stands_on_the_mailboxs_page(service: World) -> None:
    """From what to what, since when, with the rule that fails, and the words off the wire that it rests on."""
    bad = next(one for one in service.watch.run().assessments if one.mailbox == INFO)
    good = an_assessment(INFO, Support.SUPPORTED, Readiness.READY, profile="corp")
    await service.watch.history.record([judgement(good, minutes(0))])
    await service.watch.history.record([judgement(bad, minutes(5))])
    page = await PageReader(service.asker).get(f"/m/{INFO}")
    assert "Since 2026-11-01 00:05 UTC" in page.words
    told = page.words.partition("What changed")[2]
    assert told.startswith(" 2026-11-01 00:05 UTC info@contoso.test")
    for words in (
        "support supported became unsupported",
        "readiness ready became not-ready",
        "It was last seen as before 2026-11-01 00:00 UTC.",
        f"exchange-2003-or-2007: {EWS}: server.product is Exchange Server 2007",
        "X-OWA-Version: 8.3.485.1",
    ):
        assert words in told


async def test_a_build_stands_on_its_endpoints_page_with_how_it_is_known(service: World) -> None:
    """The words that show it; of what follows from it, by which inference and of what."""
    page = await PageReader(service.asker).get(f"/e/{endpoint_id(EWS)}")
    told = page.words.partition("What it is, and how that is known")[2].partition(" TLS ")[0]
    assert "server.build 8.3.485.1; on the same words" in told
    assert "server.update SP3 RU23 (inferred): by exchange-update, of server.build" in told
    assert "server.product Exchange Server 2007 (inferred): by exchange-product, of server.build X-OWA-Version: 8.3.485.1" in told
    assert "server.end_of_support 2017-04-11 (inferred): by exchange-lifecycle, of server.product" in told


async def test_certificates_ends_of_support_and_retirements_stand_on_one_calendar(tmp_path: Path) -> None:
    """Each by its day, with whom it befalls and the rule, in the list and as a mark on the line of time."""
    facts: list[dict[str, Any]] = [
        {"subject": subject, "mailbox": None, "key": key, "value": value}
        for subject, key, value in (
            (EWS, "certificate.not_after", "2027-02-03T04:05:00Z"),
            (EWS, "server.end_of_support", "2027-06-30"),
            (EWS, "server.product", "Exchange Server SE"),
            (ONLINE, "server.product", "Exchange Online"),
        )
    ]
    estate = estate_of(("a@contoso.test", "corp"), ("b@contoso.test", "online"))
    run = app.judge({"schema": "probe.run/2", "facts": facts, "missing": []}, estate, NOON.date())
    async with world(tmp_path, replace(run, id="run-1")) as made:
        await made.worked_out()
        answer = await PageReader(made.asker).ask("/calendar")
        page = await PageReader(made.asker).get("/calendar")
        for day, mailbox, rule in (
            ("2027-02-03", "a@contoso.test", "certificate-expired"),
            ("2027-07-01", "a@contoso.test", "end-of-support"),
            ("2027-04-01", "b@contoso.test", "exchange-online-ews-ended"),
        ):
            assert f"/rules/{rule}" in page.links
            of_day = page.words.partition(f"{day} in ")[2].partition(" in ")[0]
            assert mailbox in of_day
        assert answer.body.count(b"<circle ") >= 3


async def test_the_gate_tells_how_many_mails_wait_and_enabling_the_code_of_each_alert(tmp_path: Path) -> None:
    """The number of those in Pending Send with the day of the oldest, before anything is enabled; afterwards the code by which an alert is looked up."""
    estate = gate_estate(INFO, "other@contoso.test")
    async with world(tmp_path, gate_state(estate)) as made:
        made.watch.answers = {INFO: a_go(estate, INFO)}
        made.watch.recorded = recorded(estate, INFO, "other@contoso.test")
        reader = PageReader(made.asker)
        await reader.sign_in(made.tokens.create("anna", TokenScope.CHECK, NOON))
        mark = (await reader.get(f"/m/{INFO}")).fields["csrf"]
        place = (await reader.post(f"/m/{INFO}/gate", {"csrf": mark})).headers["location"]
        assert (await made.asker.ask(f"/v1{place}", headers={"Prefer": "wait=60"})).status == 200
        words = (await reader.get(place)).words
        assert "12 mails that wait are sent once enabled, the oldest of 2026-11-01." in words
        assert "14,312 messages received since 2019-01-01 are pulled in." in words
        failed = (await reader.get(f"/enabling/{FAILED}")).words
        assert "Http server returned 401 Unauthorized exception. code 12345" in failed
        assert "code" not in (await reader.get(f"/enabling/{PENDING}")).words.partition("audit.jsonl")[0]
