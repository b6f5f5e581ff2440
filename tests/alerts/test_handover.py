"""A book of alerts that goes on where that of another service was left."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

from probe.alerts import AlertBook, Approaching, BookRow, DeliveryEnding, DeliveryState, Severity
from probe.memory.folder import Folder
from probe.model.watching import AlertSettings
from tests.alerts.scripted import DEPLOYMENT, START, World, condition, notice, recipients

SOURCE = "changes of the history"


def handed_over(one: World) -> list[BookRow]:
    rows, _ = one.alerts.handed_over(SOURCE)
    return rows


def taken_over(rows: list[BookRow], one: World, folder: Path) -> World:
    """Another service with a folder of its own, ten minutes later, that takes over what was left."""
    other = World(folder, now=one.now + timedelta(minutes=10), settings=one.settings, recipients=one.recipients)
    other.alerts.take_over(rows, SOURCE, 7, other.now)
    return other


async def test_what_lasts_is_known_and_its_end_is_told(tmp_path: Path) -> None:
    """What recipients know of is not told again by the next service, and its end is told by that one, with the time at which it began."""
    one = World(tmp_path / "one")
    one.settle(condition("mail is down"), condition("mail is late", Severity.WARNING))
    assert await one.marks() == ["CRITICAL", "WARNING"]
    other = taken_over(handed_over(one), one, tmp_path / "other")
    other.settle(condition("mail is down"), condition("mail is late", Severity.WARNING))
    assert await other.told() == []
    other.pass_time(minutes=5)
    other.settle(condition("mail is late", Severity.WARNING))
    (ended,) = await other.told()
    assert (ended.mark, ended.about, ended.is_repetition) == ("RECOVERED", "mail is down", False)
    assert "lasted for 15 min" in ended.message.lines[0].text
    other.settle(condition("mail is late", Severity.CRITICAL))
    assert await other.marks() == ["WORSE, CRITICAL"]
    assert other.alerts.read_until(SOURCE) == 7


async def test_an_end_is_told_to_whoever_heard_of_the_beginning(tmp_path: Path) -> None:
    """To the targets that the other service told, and to no others, though the estate names more by then; a log of this machine has it too."""
    one = World(tmp_path / "one", recipients=recipients("env:A", corp="env:B"))
    one.settle(condition("mail is down"))
    assert [told.target for told in await one.told()] == ["env:A"]
    rows = handed_over(one)
    assert "env:A" not in str(rows)
    one.recipients = replace(recipients("env:C", "env:A"), local=("log",))
    other = taken_over(rows, one, tmp_path / "other")
    other.settle()
    assert {told.target for told in await other.told()} == {"env:A", "log"}


async def test_what_was_on_its_way_is_sent_as_a_possible_repetition(tmp_path: Path) -> None:
    """What not every target had is sent by the next service, with the same id and marked; it is not told anew besides."""
    one = World(tmp_path / "one", recipients=recipients("env:A", "env:B"), endings={"env:B": lambda: DeliveryEnding.NOT_TAKEN})
    one.settle(condition("mail is down"))
    one.alerts.notify([notice("mail is another")], one.now)
    (began, happened) = await one.told()
    other = taken_over(handed_over(one), one, tmp_path / "other")
    other.settle(condition("mail is down"))
    told = await other.told()
    assert [(each.target, each.event, each.is_repetition) for each in told] == [
        ("env:B", began.event, True),
        ("env:B", happened.event, True),
    ]
    other.pass_time(minutes=5)
    other.settle()
    assert sorted((each.target, each.mark) for each in await other.told()) == [("env:A", "RECOVERED"), ("env:B", "RECOVERED")]


async def test_an_end_that_was_on_its_way_is_sent(tmp_path: Path) -> None:
    """An incident that is over for the one service, whose targets do not know that yet, is over for the next, which sends it."""
    one = World(tmp_path / "one")
    one.settle(condition("mail is down"))
    await one.told()
    one.endings["env:A"] = lambda: DeliveryEnding.NOT_TAKEN
    one.pass_time(minutes=5)
    one.settle()
    assert await one.told() == []
    other = taken_over(handed_over(one), one, tmp_path / "other")
    other.settle()
    assert await other.marks() == ["RECOVERED"]


async def test_what_was_open_in_a_book_before_is_over(tmp_path: Path) -> None:
    """A service that had watched before the other did tells neither the end of what it knew then, which the other told, nor what it could not send."""
    earlier = World(tmp_path / "other")
    earlier.settle(condition("mail is late"), condition("mail is down"))
    assert len(await earlier.told()) == 2
    earlier.endings["env:A"] = lambda: DeliveryEnding.NOT_TAKEN
    earlier.alerts.notify([notice("mail is another")], earlier.now)
    await earlier.told()
    one = World(tmp_path / "one", now=START + timedelta(days=1))
    one.settle(condition("mail is down"))
    await one.told()
    other = taken_over(handed_over(one), one, tmp_path / "other")
    other.settle(condition("mail is down"))
    assert await other.told() == []
    with AlertBook(Folder(tmp_path / "other"), DEPLOYMENT).opened() as page:
        assert [incident.condition.title for incident in page.incidents()] == ["mail is down"]
        assert {unsent.state for unsent in page.unsent()} == {DeliveryState.FAILED}
    other.pass_time(minutes=5)
    other.settle()
    assert await other.marks() == ["RECOVERED"]


async def test_services_take_over_from_each_other_again_and_again(tmp_path: Path) -> None:
    """What is on its way goes back and forth with its id, and is sent once the target takes it."""
    one = World(tmp_path / "one", endings={"env:A": lambda: DeliveryEnding.NOT_TAKEN})
    one.settle(condition("mail is down"))
    await one.told()
    other = taken_over(handed_over(one), one, tmp_path / "other")
    again = World(tmp_path / "one", now=other.now + timedelta(minutes=10))
    again.alerts.take_over(handed_over(other), SOURCE, 9, again.now)
    again.settle(condition("mail is down"))
    (told,) = await again.told()
    assert (told.mark, told.event, told.is_repetition) == ("CRITICAL", one.tries[0][1], True)


async def test_an_end_that_was_told_ahead_is_not_told_again(tmp_path: Path) -> None:
    """Each stage before an end is told by one of the services; the next stage is told by the one that watches then."""
    day = START.date() + timedelta(days=14)
    ends = Approaching(what="certificate-expired", subject="smtp://mail.contoso.test:587", day=day, title="Certificate ends")
    one = World(tmp_path / "one", settings=AlertSettings(ahead_days=(30, 7)))
    one.alerts.approaching([ends], one.now)
    assert await one.marks() == ["WARNING"]
    other = taken_over(handed_over(one), one, tmp_path / "other")
    other.alerts.approaching([ends], other.now)
    assert await other.told() == []
    other.pass_time(days=7)
    other.alerts.approaching([ends], other.now)
    assert await other.marks() == ["WARNING"]


async def test_a_digest_has_what_was_told_since_the_service_took_over(tmp_path: Path) -> None:
    """What the service told when it watched before is in no digest of a later time."""
    settings = AlertSettings(digest=time(8))
    earlier = World(tmp_path / "other", settings=settings)
    earlier.settle(condition("mail is late"))
    await earlier.told()
    one = World(tmp_path / "one", now=START + timedelta(days=3), settings=settings)
    one.settle(condition("mail is down"))
    await one.told()
    other = taken_over(handed_over(one), one, tmp_path / "other")
    other.settle(condition("mail is down"))
    assert await other.told() == []
    other.alerts.notify([notice("mail is another")], other.now)
    assert await other.marks() == ["INFORMATION"]
    other.pass_time(days=1)
    (digest,) = [told for told in await other.told() if told.mark == "DIGEST"]
    text = "\n".join(line.text for line in digest.message.lines)
    assert "mail is another" in text
    assert "mail is late" not in text


async def test_what_another_version_has_left_otherwise_is_left_out(tmp_path: Path) -> None:
    """A row that cannot be read costs no other."""
    one = World(tmp_path / "one")
    one.settle(condition("mail is down"), condition("mail is late"))
    await one.told()
    rows = handed_over(one)
    strange = [replace_kind(row) if row.key == "verdict|mail is late" else row for row in rows]
    other = taken_over(strange, one, tmp_path / "other")
    other.settle(condition("mail is down"))
    assert await other.told() == []


def replace_kind(row: BookRow) -> BookRow:
    return row._replace(form={**row.form, "condition": {**row.form["condition"], "kind": "a kind that comes later"}})
