"""What the page of a rule says, and what leads to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from probe import app
from probe.history import judgement
from probe.model.rules import Readiness, Support
from probe.web.tokens import TokenScope
from tests.history.looks import minutes
from tests.runs import NOON, a_checked_run, a_mailbox, a_run, an_assessment, an_estate
from tests.web.pages.reading import PageReader
from tests.web.world import World, world

TOO_OLD = "/rules/exchange-2003-or-2007"


async def test_every_rule_has_its_page(service: World, reader: PageReader) -> None:
    """With the statement, whose it is, where it stands with the date, what a failure means, the remedy, and each key that it looks at with its meaning."""
    for rule in app.rules().values():
        service.time.drive(10)
        page = await reader.get(f"/rules/{rule.id}")
        assert page.headings[0] == rule.title
        assert " ".join(rule.statement.split()) in page.words
        assert f"Rule {rule.id} Stated by " in page.words
        for reference in rule.references:
            assert reference.url in page.links
            assert f"{reference.title} ({reference.dated})" in page.words
        keys = {key for part in ("deployment", "profile", "mailbox", "incoming", "outgoing") for key in getattr(rule.needs, part)}
        for key in keys:
            assert f"{key.name} {key.doc}" in page.words
        assert f"/v1/rules/{rule.id}" in page.links


async def test_a_rule_tells_which_mailboxes_it_decides_now(reader: PageReader) -> None:
    """By what it decides: where it fails, and where it leaves the verdict open; not where it holds and lists nothing, nor where it changes nothing."""
    page = await reader.get(TOO_OLD)
    assert "UNSUPPORTED 2 mailboxes info@contoso.test team@contoso.test UNKNOWN 1 mailbox silent@branch.test What it looks at" in page.words
    assert "Stated by Microsoft, about what is supported" in page.words
    advice = await reader.get("/rules/certificate-ends-soon")
    assert "ADVICE 1 mailbox pop@branch.test What it looks at" in advice.words
    none = await reader.get("/rules/login-refused")
    assert "No mailbox: it holds, or does not apply" in none.words
    assert "this program, about whether it works now" in none.words


async def test_the_mailboxes_of_a_rule_are_found_and_searched(reader: PageReader) -> None:
    """Each number leads to as many mailboxes, in a list that says by which rule they were chosen and keeps that when somebody searches on."""
    fails, unknown = (link for link in (await reader.get(TOO_OLD)).links if link.startswith("/?"))
    found = await reader.get(fails)
    assert "2 mailboxes found, which a rule decides: exchange-2003-or-2007." in found.words
    assert [link for link in found.links if link.startswith("/m/")] == ["/m/info@contoso.test", "/m/team@contoso.test"]
    assert (found.fields["rule"], found.fields["result"]) == ("exchange-2003-or-2007", "fails")
    assert [link for link in (await reader.get(unknown)).links if link.startswith("/m/")] == ["/m/silent@branch.test"]
    assert "1 mailbox found" in (await reader.get(f"{fails}&q=info")).words
    assert "3 mailboxes found" in (await reader.get("/?rule=exchange-2003-or-2007")).words
    for nothing in ("nothing", "%3Cscript%3E"):
        assert "0 mailboxes found." in (await reader.get(f"/?rule={nothing}")).words


async def test_a_rule_that_decides_thousands_names_the_first(tmp_path: Path) -> None:
    """And says how many more there are; the list has them in parts."""
    run = a_checked_run()
    decided = next(one for one in run.assessments if one.mailbox == "info@contoso.test")
    addresses = [f"m{number:04}@contoso.test" for number in range(1200)]
    assessments = [
        an_assessment(one, Support.UNSUPPORTED, Readiness.NOT_READY, *decided.findings[1:2], profile="corp") for one in addresses
    ]
    made_of = a_run(estate=an_estate(*(a_mailbox(one, "corp") for one in addresses)), readings=run.readings, assessments=assessments)
    async with world(tmp_path, made_of) as made:
        reader = PageReader(made.asker)
        page = await reader.get(TOO_OLD)
        assert "UNSUPPORTED 1,200 mailboxes" in page.words
        assert len([link for link in page.links if link.startswith("/m/")]) == 200
        assert "and 1,000 more" in page.words
        assert "part 12 of 12" in (await reader.get("/?rule=exchange-2003-or-2007&page=99")).words


async def test_what_names_a_rule_leads_to_its_page(service: World, reader: PageReader) -> None:
    """The reasons of a mailbox, what it leaves open, and a change of a verdict."""
    for path in ("/m/info@contoso.test", "/m/silent@branch.test"):
        assert TOO_OLD in (await reader.get(path)).links
    run = service.watch.run()
    bad = next(one for one in run.assessments if one.mailbox == "info@contoso.test")
    good = an_assessment("info@contoso.test", Support.SUPPORTED, Readiness.READY, profile="corp")
    await service.watch.history.record([judgement(good, minutes(0))])
    await service.watch.history.record([judgement(bad, minutes(5))])
    assert TOO_OLD in (await reader.get("/changes")).links


@pytest.mark.parametrize("path", ["/rules/nothing", "/rules/..%2f..", "/rules/%3Cscript%3E", "/rules/", "/rules/" + "x" * 600])
async def test_what_is_no_rule_has_no_page(reader: PageReader, path: str) -> None:
    """Whatever is asked for is not repeated."""
    answer = await reader.ask(path)
    assert answer.status in (404, 422)
    assert b"script%3E" not in answer.body
    assert b"<script>" not in answer.body


async def test_a_rule_is_shown_to_readers_alone(service: World) -> None:
    """As every page, with the same headers; who comes from elsewhere signs in first."""
    answer = await service.asker.ask(TOO_OLD, headers={"Accept": "text/html"})
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    away = PageReader(service.asker)
    refused = await away.ask(TOO_OLD, headers={"Forwarded": "for=192.0.2.1"})
    assert (refused.status, refused.headers["location"].partition("?")[0]) == (303, "/login")
    await away.sign_in(service.tokens.create("anna", TokenScope.READ, NOON))
    assert (await away.ask(TOO_OLD, headers={"Forwarded": "for=192.0.2.1"})).status == 200
