"""Dynamics' own state beside what the servers say: what somebody hears of both together."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from probe.config import read_estate
from probe.dynamics.state import AskedPause
from probe.net.failures import Throttled
from probe.service import watcher
from probe.service.dynamics import states
from probe.service.part_queue import AT_ONCE
from tests.service.driven import START, Driven, again, run_now
from tests.service.records import DYNAMICS, service_of
from tests.service.world import estate_text, url_of

DAY = timedelta(days=1)


def lines_of(service: Driven, number: int) -> str:
    return "\n".join(f"{line.label}: {line.text}" for line in service.told[number][1].lines)


async def test_mailboxes_that_dynamics_disabled_are_one_alert_that_says_how_to_enable_them(tmp_path: Path) -> None:
    """Mailboxes that Dynamics disabled after an error are one alert; where their servers let the accounts in, it has the command that enables them again."""
    service, records = service_of(tmp_path)
    at = START + timedelta(hours=20)  # by then every mailbox was signed in to in the night
    service.clock.at(at, lambda: records.disable([one.address for one in service.estate.mailboxes], at))
    await service.run(START + timedelta(hours=22))
    assert service.titles() == ["[WARNING] contoso-crm: Disabled by an error"]
    lines = lines_of(service, 0)
    assert "401 Unauthorized" in lines
    local = (at - timedelta(minutes=1)).astimezone()
    assert f"probe gate ESTATE.toml --disabled-since {local:%Y-%m-%dT%H:%M} --enable" in lines
    assert "The servers let the accounts of 3 mailboxes in since" in lines
    assert states(run_now(service.watcher)) == {("p0", "disabled"): 3}
    # What is shown has it, so that metrics do not lose it while a changed estate is taken up.
    assert [part.known.in_dynamics for part in service.watcher.shown.now.parts.values()] == [{("p0", "disabled"): 3}]


async def test_mail_that_waits_for_an_hour_is_told_of_and_mail_that_passes_is_not(tmp_path: Path) -> None:
    """Mail that waits to be sent for more than an hour is told of once, and its end; mail that waits for minutes is not."""
    service, records = service_of(tmp_path)
    for minute, number in ((120, 4), (150, 0), (300, 2), (500, 0)):
        service.clock.at(START + timedelta(minutes=minute), partial(setattr, records, "pending", number))
    await service.run(START + timedelta(hours=10))
    assert service.titles() == [
        "[WARNING] contoso-crm: profile p0: mail waits to be sent for more than an hour",
        "[RECOVERED] contoso-crm: profile p0: mail waits to be sent for more than an hour",
    ]
    assert "6 mails of 3 mailboxes" in lines_of(service, 0)
    assert service.told[0][0] - (START + timedelta(minutes=300)) <= timedelta(minutes=75)


async def test_mail_that_was_seen_to_wait_once_is_not_told_to_wait_for_an_hour(tmp_path: Path) -> None:
    """Mail that waited when Dynamics was read last is told of only once it was seen to wait for an hour, however long Dynamics cannot be read."""
    service, records = service_of(tmp_path)
    service.clock.at(START + timedelta(minutes=120), partial(setattr, records, "pending", 4))
    service.clock.at(START + timedelta(minutes=128), partial(setattr, records, "unread", True))
    service.clock.at(START + timedelta(minutes=300), partial(setattr, records, "pending", 0))
    service.clock.at(START + timedelta(minutes=300), partial(setattr, records, "unread", False))
    await service.run(START + timedelta(hours=6))
    assert [title for title in service.titles() if "waits" in title] == []


async def test_mail_that_waits_is_not_over_because_dynamics_cannot_be_read_after_a_restart(tmp_path: Path) -> None:
    """A service that was started anew, and cannot read Dynamics, does not tell that mail waits no more."""
    service, records = service_of(tmp_path)
    service.clock.at(START + timedelta(minutes=120), partial(setattr, records, "pending", 4))
    await service.run(START + timedelta(hours=4))
    (told,) = service.titles()
    assert "waits" in told
    records.unread = True
    after = again(tmp_path, service, estate_text(1, 3, DYNAMICS))
    await after.run(START + timedelta(hours=8))
    assert [title for title in after.titles() if "waits" in title] == []


async def test_nothing_of_dynamics_lasts_where_the_estate_names_it_no_more(tmp_path: Path) -> None:
    """What Dynamics said ends once the estate has no `[dynamics]`, with the service as it runs or started anew."""
    service, records = service_of(tmp_path)
    service.world.unlisted = ("new@contoso.test",)
    records.pending = 4
    records.disable(["m0@p0.contoso.test"], START)
    without = read_estate(estate_text(1, 3), "estate.toml")
    service.clock.at(START + timedelta(hours=3), lambda: service.reload_with(without))
    await service.run(START + timedelta(hours=4))
    began = sorted(title.partition("] ")[2] for title in service.titles() if not title.startswith("[NO LONGER WATCHED"))
    ended = sorted(title.partition("] ")[2] for title in service.titles() if title.startswith("[NO LONGER WATCHED"))
    assert len(began) == 3
    assert ended == began


async def test_nothing_of_dynamics_lasts_over_a_restart_without_it(tmp_path: Path) -> None:
    """An estate that names Dynamics no more when the service is started anew has nothing of it that lasts."""
    service, records = service_of(tmp_path)
    service.world.unlisted = ("new@contoso.test",)
    records.pending = 4
    records.disable(["m0@p0.contoso.test"], START)
    await service.run(START + timedelta(hours=3))
    after = again(tmp_path, service, estate_text(1, 3))
    await after.run(START + timedelta(hours=5))
    assert sorted(title.partition("] ")[2] for title in after.titles()) == sorted(title.partition("] ")[2] for title in service.titles())
    assert {title.partition("]")[0] for title in after.titles()} == {"[NO LONGER WATCHED"}


async def test_a_mailbox_that_was_added_to_the_estate_is_missed_no_more(tmp_path: Path) -> None:
    """Once the estate has a mailbox that it lacked, that is over at once, and not when Dynamics' mailboxes are listed next."""
    service, _ = service_of(tmp_path)
    service.world.unlisted = ("M3@p0.contoso.test",)
    grown = read_estate(estate_text(1, 4, DYNAMICS), "estate.toml")
    at = START + timedelta(hours=3)
    service.clock.at(at, lambda: service.reload_with(grown))
    await service.run(START + timedelta(hours=4))
    about = "contoso-crm: 1 mailbox that Dynamics serves is not in the estate"
    assert service.titles() == [f"[INFORMATION] {about}", f"[RECOVERED] {about}"]
    assert service.told[1][0] - at < timedelta(minutes=1)


@pytest.mark.parametrize("at_once", [AT_ONCE, 1])
@pytest.mark.parametrize("from_the_beginning", [False, True])
async def test_an_asynchronous_service_that_stands_still_is_told_of_once(
    from_the_beginning: bool, at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An asynchronous service that processes no mailbox any more is one alert, whatever number of mailboxes waits for it, and however few are judged at once; so is its end."""
    monkeypatch.setattr(watcher, "AT_ONCE", at_once)
    service, records = service_of(tmp_path, 2, 6)
    begins = START if from_the_beginning else START + timedelta(hours=2)
    service.clock.at(begins, lambda: setattr(records, "idle_minutes", 95))
    service.clock.at(START + timedelta(hours=4), lambda: setattr(records, "idle_minutes", 3))
    await service.run(START + timedelta(hours=3))
    assert len(service.titles()) == 1
    assert len(service.watcher.concluded.wrong) == 6
    assert "Server profiles: p0, p1, p2, p3, p4, p5" in lines_of(service, 0)
    service = Driven(tmp_path, service.estate, service.clock, service.world)
    await service.run(START + timedelta(hours=6))
    assert [title.split("]")[0] for title in service.titles()] == ["[RECOVERED"]


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_what_dynamics_said_is_not_over_because_it_cannot_be_read(is_restarted: bool, tmp_path: Path) -> None:
    """Mailboxes that another organization synchronizes are told of once, and their end once; between, the records cannot be read for hours, and the service is restarted meanwhile."""
    service, records = service_of(tmp_path)
    records.organization = "other"
    service.clock.at(START + timedelta(hours=1), lambda: setattr(records, "unread", True))
    service.clock.at(START + timedelta(hours=6), lambda: setattr(records, "unread", False))
    if is_restarted:
        await service.run(START + timedelta(hours=4))
        told = [*service.titles()]
        service = Driven(tmp_path, service.estate, service.clock, service.world)
    else:
        told = []

    def mended() -> None:
        records.organization = "this"
        records.enable(())

    service.clock.at(START + timedelta(hours=7), mended)
    await service.run(START + timedelta(hours=8))
    told += service.titles()
    assert [title for title in told if "organization" in title and "changed" not in title] == [
        "[CRITICAL] contoso-crm: Another organization is the primary one",
        "[RECOVERED] contoso-crm: Another organization is the primary one",
    ], told


async def test_records_that_cannot_be_read_are_one_alert(tmp_path: Path) -> None:
    """Records of Dynamics that cannot be read are one alert, and its end another."""
    service, records = service_of(tmp_path)
    service.clock.at(START + timedelta(hours=2), lambda: setattr(records, "unread", True))
    service.clock.at(START + timedelta(hours=3), lambda: setattr(records, "unread", False))
    await service.run(START + timedelta(hours=4))
    assert [title.split("]")[0] for title in service.titles()] == ["[WARNING", "[RECOVERED"]
    assert states(replace(run_now(service.watcher), estate=None)) == {}
    assert url_of(0) not in service.titles()[0]


async def test_mailboxes_that_the_estate_does_not_have_are_told_of_once(tmp_path: Path) -> None:
    """Mailboxes that Dynamics serves and the estate does not have are one alert, found once a day; where that cannot be told, nothing is over."""
    service, _ = service_of(tmp_path)
    service.world.unlisted = ("new@contoso.test", "other@contoso.test")
    service.clock.at(START + timedelta(hours=20), partial(setattr, service.world, "unlisted", None))
    service.clock.at(START + timedelta(hours=40), partial(setattr, service.world, "unlisted", ()))
    await service.run(START + timedelta(hours=30))
    about = "contoso-crm: 2 mailboxes that Dynamics serves are not in the estate"
    assert service.titles() == [f"[INFORMATION] {about}", f"[REMINDER, INFORMATION] {about}"]
    await service.run(START + timedelta(hours=60))
    assert service.titles()[2:] == [f"[RECOVERED] {about}"]


async def test_a_mailbox_that_the_estate_lacks_is_told_once_a_day(tmp_path: Path) -> None:
    """Dynamics' mailboxes are listed once a day; one that the estate lacks is told with its address then, and again once a day while nobody adds it."""
    service, _ = service_of(tmp_path)
    service.clock.at(START + timedelta(hours=2), partial(setattr, service.world, "unlisted", ("new@contoso.test",)))
    await service.run(START + 4 * DAY - timedelta(hours=1))
    about = "contoso-crm: 1 mailbox that Dynamics serves is not in the estate"
    assert service.titles() == [f"[INFORMATION] {about}", *[f"[REMINDER, INFORMATION] {about}"] * 2]
    assert "Mailboxes: new@contoso.test" in lines_of(service, 0)
    assert "probe import dynamics URL --output ESTATE.toml --update" in lines_of(service, 0)
    assert len(service.world.listed) == 4
    assert all(DAY <= gap < DAY + timedelta(minutes=10) for gap in gaps(service.world.listed))
    assert service.told[0][0] - service.world.listed[1] < timedelta(minutes=1)
    assert all(DAY <= gap < DAY + timedelta(minutes=10) for gap in gaps([at for at, _ in service.told]))


async def test_a_mailbox_that_dynamics_lacks_is_told_once_a_day(tmp_path: Path) -> None:
    """A mailbox of the estate that Dynamics has no row of is told once with its address, again once a day while that lasts, and its end once."""
    service, records = service_of(tmp_path)
    service.clock.at(START + timedelta(hours=2), partial(records.gone.add, "m1@p0.contoso.test"))
    service.clock.at(START + timedelta(hours=60), records.gone.clear)
    await service.run(START + timedelta(hours=70))
    about = "contoso-crm: No mailbox of Dynamics"
    assert service.titles() == [f"[WARNING] {about}", *[f"[REMINDER, WARNING] {about}"] * 2, f"[RECOVERED] {about}"]
    assert "Mailboxes: m1@p0.contoso.test" in lines_of(service, 0)
    assert "take it out of the estate" in lines_of(service, 0)
    assert all(DAY <= gap < DAY + timedelta(minutes=10) for gap in gaps([at for at, _ in service.told[:3]]))


@pytest.mark.parametrize(
    ("asked", "minutes"),
    [(AskedPause(7200.0), 120), (AskedPause(None), 15), (AskedPause(30 * 86_400.0), 24 * 60)],
    ids=["2 h", "some", "30 days"],
)
async def test_dynamics_that_asks_for_a_pause_has_it(tmp_path: Path, asked: AskedPause, minutes: int) -> None:
    """Its state is not read before the time that it names, at most a day, and after a quarter of an hour where it names none; servers are looked at meanwhile."""
    service, _ = service_of(tmp_path)
    service.clock.at(START + timedelta(hours=2), lambda: service.world.pauses.append(asked))
    await service.run(START + timedelta(hours=28))
    longest = max(gaps(service.world.read_dynamics))
    assert timedelta(minutes=minutes) <= longest <= timedelta(minutes=minutes + 5)
    assert sorted(gaps(service.world.read_dynamics))[-2] <= timedelta(minutes=6)
    looked = service.world.looked["ews-anonymous", url_of(0)]
    assert max(later - sooner for sooner, later in pairwise(looked)) <= 360


async def test_dynamics_that_asks_for_a_pause_instead_of_a_listing_has_it(tmp_path: Path) -> None:
    """Where it answers so only when its mailboxes are listed, neither its state is read nor they are listed before the time that it names."""
    service, _ = service_of(tmp_path)
    service.world.throttled_listings.append(Throttled("the server asks for patience: HTTP 429", 2700.0))
    await service.run(START + timedelta(hours=2))
    (listed,) = service.world.listed
    assert min(at for at in service.world.read_dynamics if at > listed) - listed >= timedelta(minutes=45)


def gaps(times: list[datetime]) -> list[timedelta]:
    return [later - sooner for sooner, later in pairwise(times)]
