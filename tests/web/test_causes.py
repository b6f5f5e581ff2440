"""Causes: on the estate's page and in the API the same, by the same ids."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from probe.model.rules import Otherwise, Readiness, Result, Support
from probe.web.forms import CausePageForm
from tests.runs import ENDS_SOON, NOT_TESTED, PRODUCT, a_checked_run, a_finding, a_mailbox, a_rule, a_run, an_assessment, an_estate
from tests.web.client import got, pages
from tests.web.pages.reading import PageReader
from tests.web.world import World, world


async def test_causes_are_those_of_the_estates_page_in_its_order(service: World) -> None:
    """Each line of the page with its status, its words, its number of mailboxes and what to do first; the page's links have the ids."""
    told = await got(service.asker, "/v1/causes")
    CausePageForm.model_validate(told)
    assert told["total"] == len(told["causes"]) == 7
    page = await PageReader(service.asker).get("/")
    table = page.words.partition("To do first")[2]
    for one in told["causes"]:
        who = one["first"][0] if one["mailboxes"] == 1 else f"{one['mailboxes']} mailboxes"
        line = " ".join(filter(None, (one["status"].upper().replace("-", " "), who, one["cause"], one["step"])))
        assert line in table, line
        table = table.partition(line)[2]
    linked = {link.removeprefix("/?group=") for link in page.links if link.startswith("/?group=")}
    assert linked == {one["id"] for one in told["causes"] if one["mailboxes"] > 1}


async def test_every_mailbox_has_one_cause_which_leads_to_it(service: World) -> None:
    """The mailboxes of a cause are as many as it says; advice is beside that, and befalls mailboxes of any cause."""
    causes = (await got(service.asker, "/v1/causes"))["causes"]
    found: dict[str, str] = {}
    for one in causes:
        members = await got(service.asker, f"/v1/mailboxes?cause={one['id']}")
        assert members["total"] == one["mailboxes"]
        addresses = [line["mailbox"] for line in members["mailboxes"]]
        assert set(one["first"]) <= set(addresses)
        if one["status"] != "advice":
            assert not found.keys() & set(addresses)
            found |= dict.fromkeys(addresses, one["id"])
    assert [one["status"] for one in causes].count("advice") == 1
    everybody = (await got(service.asker, "/v1/mailboxes"))["mailboxes"]
    assert found.keys() == {line["mailbox"] for line in everybody}
    for address, cause in found.items():
        assert (await got(service.asker, f"/v1/mailboxes/{address}"))["verdict"]["cause"] == cause
    for one in (await got(service.asker, "/v1/summary"))["worst"]:
        assert (await got(service.asker, f"/v1/mailboxes?cause={one['id']}"))["total"] == one["mailboxes"]


async def test_a_cause_is_one_filter_among_others(service: World) -> None:
    """What is not of it is left out, and a cause that there is not has nobody."""
    (cause,) = [one for one in (await got(service.asker, "/v1/causes"))["causes"] if one["mailboxes"] == 2]
    told = await got(service.asker, f"/v1/mailboxes?cause={cause['id']}&q=info")
    assert [one["mailbox"] for one in told["mailboxes"]] == ["info@contoso.test"]
    assert (await got(service.asker, "/v1/mailboxes?cause=000000000000"))["total"] == 0


async def test_causes_are_paged_by_a_cursor(service: World) -> None:
    """Also where the one at which a page ended is no cause any more."""
    whole = await pages(service.asker, "/v1/causes?limit=500", "causes")
    for limit in (1, 2, 6):
        assert await pages(service.asker, f"/v1/causes?limit={limit}", "causes") == whole
    first = await got(service.asker, "/v1/causes?limit=2")
    gone = (await got(service.asker, f"/v1/mailboxes?cause={first['causes'][1]['id']}"))["mailboxes"][0]["mailbox"]
    run = a_checked_run()
    await service.watch.show(replace(run, assessments=tuple(one for one in run.assessments if one.mailbox != gone)))
    rest = await got(service.asker, f"/v1/causes?limit=500&after={first['next']}")
    of_verdicts = [[one["id"] for one in told if one["status"] != "advice"] for told in (rest["causes"], whole[2:])]
    assert of_verdicts[0] == of_verdicts[1] != []


async def test_causes_of_the_same_urgency_and_number_are_in_one_order(tmp_path: Path) -> None:
    """That of the page is that of the API, so that a cursor leaves none out."""
    addresses = [f"m{number:02}@branch.test" for number in range(12)]
    rules = [a_rule(f"rule-{number}", Otherwise.NOT_READY) for number in range(12)]
    assessments = [
        an_assessment(address, Support.SUPPORTED, Readiness.NOT_READY, a_finding(rule, Result.FAILS, PRODUCT))
        for address, rule in zip(addresses, rules, strict=True)
    ]
    run = a_run(estate=an_estate(*map(a_mailbox, addresses)), readings=[PRODUCT], assessments=assessments)
    async with world(tmp_path, run) as made:
        told = [one["first"][0] for one in await pages(made.asker, "/v1/causes?limit=5", "causes")]
        shown = [link.removeprefix("/m/") for link in (await PageReader(made.asker).get("/")).links if link.startswith("/m/")]
    assert told == shown
    assert sorted(told) == addresses


async def test_of_one_urgency_the_cause_of_most_mailboxes_comes_first(tmp_path: Path) -> None:
    """However many digits the number has; advice comes after every verdict."""
    addresses = [f"m{number:02}@branch.test" for number in range(14)]
    boxes = [a_mailbox(address) for address in (*addresses, "a@branch.test", "b@branch.test")]
    bad = a_finding(NOT_TESTED, Result.FAILS, PRODUCT)
    run = a_run(
        estate=an_estate(*boxes),
        readings=[PRODUCT],
        assessments=[
            *(an_assessment(one, Support.NOT_LISTED, Readiness.READY) for one in ("a@branch.test", "b@branch.test")),
            *(an_assessment(one, Support.NOT_LISTED, Readiness.READY, bad) for one in addresses),
        ],
    )
    advised = an_assessment("m00@branch.test", Support.NOT_LISTED, Readiness.READY, bad, a_finding(ENDS_SOON, Result.FAILS, PRODUCT))
    run = replace(run, assessments=tuple(advised if one.mailbox == "m00@branch.test" else one for one in run.assessments))
    async with world(tmp_path, run) as made:
        told = (await got(made.asker, "/v1/causes"))["causes"]
        assert [(one["status"], one["mailboxes"]) for one in told] == [("not-listed", 14), ("not-listed", 2), ("advice", 1)]
        assert all(re.fullmatch("[0-9a-f]{12}", one["id"]) for one in told)
