"""Causes: on the estate's page and in the API the same, by the same ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from probe.document.telling.blocks import STATUSES
from probe.model import vocabulary as v
from probe.model.rules import Otherwise, Readiness, Result, Support
from probe.model.runs import Run
from probe.web.causes import status_word
from probe.web.forms import CausePageForm
from tests.runs import ENDS_SOON, NOT_TESTED, PRODUCT, a_checked_run, a_fact, a_finding, a_mailbox, a_rule, a_run, an_assessment, an_estate
from tests.web.client import got, pages
from tests.web.pages.reading import PageReader
from tests.web.world import World, world


async def test_causes_are_those_of_the_estates_page(service: World) -> None:
    """Each line of the page with its status, its words, its number of mailboxes and what to do first; the page's links have the ids. The most urgent come first."""
    told = await got(service.asker, "/v1/causes")
    CausePageForm.model_validate(told)
    assert told["total"] == len(told["causes"]) == 7
    page = await PageReader(service.asker).get("/")
    table = page.words.partition("To do first")[2]
    for one in told["causes"]:
        who = one["first"][0] if one["mailboxes"] == 1 else f"{one['mailboxes']} mailboxes"
        line = " ".join(filter(None, (one["status"].upper().replace("-", " "), who, one["cause"], one["step"])))
        assert line in table, line
    order = [*map(status_word, STATUSES), "advice"]
    statuses = [order.index(one["status"]) for one in told["causes"]]
    assert statuses == sorted(statuses)
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


async def test_a_mailbox_that_is_not_judged_for_the_new_day_names_the_cause_of_the_old_one(tmp_path: Path) -> None:
    """Verdict, words and cause are of one judgement, also where a certificate ends at the midnight that has passed meanwhile."""
    ends = a_fact(v.CERTIFICATE_NOT_AFTER, datetime(2026, 11, 24, tzinfo=UTC))
    address, rule = "sales@branch.test", a_rule("certificate-expired", Otherwise.NOT_READY)
    found = an_assessment(address, Support.SUPPORTED, Readiness.NOT_READY, a_finding(rule, Result.FAILS, ends))
    async with world(tmp_path, a_run(estate=an_estate(a_mailbox(address)), readings=[ends], assessments=[found])) as made:
        await made.watch.pass_midnight()
        assert (await got(made.asker, "/v1/summary"))["judged_at"] == "2026-11-24"
        (cause,) = (await got(made.asker, "/v1/causes"))["causes"]
        assert cause["cause"] == "Certificate ends 2026-11-24, pop.branch.test"
        assert (await got(made.asker, f"/v1/mailboxes/{address}"))["verdict"]["cause"] == cause["id"]
        page = await PageReader(made.asker).get(f"/m/{address}")
    assert "judged for 2026-11-23" in page.words


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


def failing(addresses: Sequence[str], fails: Callable[[str], str]) -> Run:
    """A run in which each of these mailboxes is not ready by the rule that it fails."""
    rules = {name: a_rule(name, Otherwise.NOT_READY) for name in map(fails, addresses)}
    assessments = [
        an_assessment(one, Support.SUPPORTED, Readiness.NOT_READY, a_finding(rules[fails(one)], Result.FAILS, PRODUCT)) for one in addresses
    ]
    return a_run(estate=an_estate(*map(a_mailbox, addresses)), readings=[PRODUCT], assessments=assessments)


async def test_a_cause_that_grows_or_shrinks_between_two_pages_is_met_once(tmp_path: Path) -> None:
    """Who pages through meets each cause that stands meanwhile, however many mailboxes it befalls on the way."""
    addresses = [f"m{number:02}@branch.test" for number in range(24)]
    even = failing(addresses, lambda one: f"rule-{int(one[1:3]) % 8}")
    # Of each rule some mailboxes more or less than before, so that by their numbers all would stand elsewhere.
    uneven = failing(addresses, lambda one: f"rule-{min(int(one[1:3]), 7)}")
    async with world(tmp_path, even) as made:
        whole = [one["id"] for one in (await got(made.asker, "/v1/causes"))["causes"]]
        met: list[str] = []
        after = ""
        for turn in range(8):
            page = await got(made.asker, f"/v1/causes?limit=1{after}")
            met += [one["id"] for one in page["causes"]]
            await made.watch.show((uneven, even)[turn % 2])
            after = f"&after={page['next']}"
    assert page["next"] is None
    assert met == whole
    assert len(set(met)) == 8


async def test_of_one_urgency_the_page_has_the_cause_of_most_mailboxes_first(tmp_path: Path) -> None:
    """However many digits the number has, and so has the estate in short; advice comes after every verdict, for programs too."""
    addresses = [f"m{number:02}@branch.test" for number in range(14)]
    boxes = [a_mailbox(address) for address in (*addresses, "a@branch.test", "b@branch.test")]
    bad = a_finding(NOT_TESTED, Result.FAILS, PRODUCT)
    advised = a_finding(ENDS_SOON, Result.FAILS, PRODUCT)
    run = a_run(
        estate=an_estate(*boxes),
        readings=[PRODUCT],
        assessments=[
            *(an_assessment(one, Support.NOT_LISTED, Readiness.READY) for one in ("a@branch.test", "b@branch.test")),
            *(
                an_assessment(one, Support.NOT_LISTED, Readiness.READY, bad, *([advised] if one == addresses[0] else []))
                for one in addresses
            ),
        ],
    )
    async with world(tmp_path, run) as made:
        told = (await got(made.asker, "/v1/causes"))["causes"]
        worst = (await got(made.asker, "/v1/summary"))["worst"]
        table = (await PageReader(made.asker).get("/")).words.partition("To do first")[2]
    assert sorted((one["status"], one["mailboxes"]) for one in told[:2]) == [("not-listed", 2), ("not-listed", 14)]
    assert [(one["status"], one["mailboxes"]) for one in told[2:]] == [("advice", 1)]
    assert all(re.fullmatch("[0-9a-f]{12}", one["id"]) for one in told)
    assert [one["mailboxes"] for one in worst] == [14, 2]
    assert table.index("14 mailboxes") < table.index("2 mailboxes") < table.index("ADVICE")
