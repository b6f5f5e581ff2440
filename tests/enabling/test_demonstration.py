"""The whole path over the simulated estate: what was predicted is what Test & Enable of the simulated organization comes to."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from probe import app
from probe.cli.exit_codes import gate_exit_code
from probe.enabling import Audit, Books, Job, Patience, Pressed, Wish, choose, scores
from probe.gate import Gated
from probe.memory import Folder
from probe.model.estate import BoundOrganization, Estate
from probe.simulation.dynamics.demonstration import Demonstration
from probe.simulation.dynamics.metadata import MAILBOX
from probe.simulation.dynamics.organization import Oddity
from tests.gate.world import demonstrated, identifier

GO = {"sales@contoso.test", "service@contoso.test", "finance@contoso.test", "contoso.events@gmail.com", "contoso.parts@yahoo.com"}
OTHERS = ("board@contoso.test", "pilot@contoso.test", "archive@contoso.test", "orders@fabrikam.test", "contoso.fairs@outlook.com")


def _bound(demonstration: Demonstration, estate: Estate) -> Estate:
    organization = demonstration.organization
    for row in organization.mailboxes:
        organization.update(MAILBOX, row, dict.fromkeys(("enabledforincomingemail", "enabledforoutgoingemail", "enabledforact"), False))
    assert estate.dynamics is not None
    bound = BoundOrganization.parse(f"{organization.id} {organization.name}")
    return replace(estate, dynamics=replace(estate.dynamics, organization=bound))


async def _pressed(estate: Estate, options: app.Options, folder: Path, *addresses: str) -> tuple[Gated, Pressed, Books]:
    gated = await app.gate(estate, [mailbox for mailbox in estate.mailboxes if mailbox.address in addresses], options)
    assert gated is not None
    assert estate.dynamics is not None
    assert estate.dynamics.organization is not None
    wish, books = Wish(takes_over=True), Books(Folder(folder))
    job = Job(
        estate=estate,
        choice=choose(estate, gated, {}, wish),
        wish=wish,
        patience=Patience(pause=0, first_read=0.1),
        batch="b1",
        organization=estate.dynamics.organization.id,
        who="somebody",
        host="here",
    )
    with Audit(Folder(folder), app.now) as audit:
        return gated, await app.enable(job, options, audit, books, lambda sentence: None, asyncio.Event()), books


async def test_what_was_predicted_comes_true(tmp_path: Path) -> None:
    """Only what may go is asked for, each direction comes as predicted, and no mail leaves but that of the tests."""
    async with demonstrated() as (demonstration, declared, options):
        estate = _bound(demonstration, declared)
        gated, pressed, books = await _pressed(estate, options, tmp_path, *GO, *OTHERS)
        assert {write.identifier for write in demonstration.organization.writes} == {
            identifier(demonstration.organization, one) for one in GO
        }
        assert len(demonstration.organization.writes) == len(GO)
        assert {recipient for recipient, _ in demonstration.delivered} == {one for one in GO if "gmail" in one or "yahoo" in one}
    assert {address: form["agrees"] for address, form in pressed.enabled.items()} == dict.fromkeys(GO, True)
    assert pressed.not_asked.keys() == set(OTHERS)
    assert gate_exit_code(gated, pressed) == 1
    for score in scores(books.comparisons()):
        assert score.agreed == score.compared
        assert score.undecided == 0
    assert sum(score.compared for score in scores(books.comparisons())) == 3 * 3 + 2 * 2


async def test_what_nobody_sees_from_outside_is_told_by_the_alert(tmp_path: Path) -> None:
    """The owner lacks privileges: the prediction fails, the score says so, and the alert's code is put into words."""
    async with demonstrated() as (demonstration, declared, options):
        estate = _bound(demonstration, declared)
        demonstration.organization.oddities["sales@contoso.test"] = Oddity.OWNER_LACKS_PRIVILEGES
        gated, pressed, books = await _pressed(estate, options, tmp_path, "sales@contoso.test")
    form = pressed.enabled["sales@contoso.test"]
    assert (form["agrees"], form["outcome"]["appointments"]) == (False, "failure")
    (alert,) = [alert for alert in form["alerts"] if alert["level"] == "error"]
    assert (alert["causes"], alert["meaning"].split(",")[0]) == ([], "The user of the mailbox lacks privileges in Dynamics")
    assert gate_exit_code(gated, pressed) == 1
    assert [one.direction for one in books.comparisons() if one.agrees is False] == ["appointments"]
