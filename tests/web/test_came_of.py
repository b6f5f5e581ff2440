"""What came of Test & Enable, as programs read it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from probe.web.asked_forms import AskedEnablingForm
from tests.web.client import got
from tests.web.pages.gates import FAILED, PENDING, recorded
from tests.web.pages.reading import PageReader
from tests.web.world import World, world


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        made.watch.recorded = recorded(made.watch.estate, "pop@branch.test", "info@contoso.test")
        yield made


async def test_what_came_of_it_is_told_beside_what_was_predicted(service: World) -> None:
    """By whom it was asked for and when, each direction, what Dynamics says; as on its page."""
    told = await got(service.asker, f"/v1/enabling/{FAILED}")
    AskedEnablingForm.model_validate(told)
    assert (told["mailbox"], told["who"], told["asked_at"]) == ("pop@branch.test", "token anna", "2026-11-23T11:58:00Z")
    assert (told["goes_on"], told["failure"], told["not_asked"]) == (False, "", None)
    assert told["predicted"] == {"incoming": "success", "outgoing": "success", "appointments": "success"}
    assert told["enabled"]["outcome"] == {"incoming": "success", "outgoing": "failure", "appointments": "not-run"}
    assert told["enabled"]["agrees"] is False
    words = (await PageReader(service.asker).get(f"/enabling/{FAILED}")).words
    assert all(alert["text"] in words for alert in told["enabled"]["alerts"])


async def test_what_has_no_outcome_yet_goes_on(service: World) -> None:
    """It is pending, and listed as what goes on."""
    told = await got(service.asker, f"/v1/enabling/{PENDING}")
    assert (told["goes_on"], told["enabled"]["state"], told["unread"]) == (True, "pending", None)
    assert [one["place"] for one in (await got(service.asker, "/v1/jobs"))["jobs"]] == [f"/v1/enabling/{PENDING}"]


async def test_what_was_not_asked_for_is_not_there(service: World, tmp_path: Path) -> None:
    """Unless the audit, which would say so, cannot be read."""
    place = f"/v1/enabling/{'0' * 32}"
    assert (await service.asker.ask(place)).status == 404
    (tmp_path / "state" / "audit.jsonl").mkdir()
    assert (await service.asker.ask(place)).status == 503
