"""The slots of a task."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.model.watching import Hours, are_within
from probe.schedule.slots import Slots, fraction_of
from tests.schedule.world import BERLIN

NIGHT = Hours(start=time(1), end=time(5))
SATURDAY = Hours(start=time(22), end=time(2), weekday=5)
DAY = 86400.0


def of(
    interval: float, fraction: float = 0.5, between: Hours | None = None, never: tuple[Hours, ...] = (), zone: tzinfo | None = UTC
) -> Slots:
    return Slots(interval, fraction, between, never, zone)


def local(moment: float | None, zone: tzinfo = BERLIN) -> str:
    """A moment in local time, as in `Sat 2026-11-28 02:00`."""
    assert moment is not None
    return f"{datetime.fromtimestamp(moment, UTC).astimezone(zone):%a %Y-%m-%d %H:%M}"


def at(text: str, zone: tzinfo = BERLIN) -> float:
    """A moment that is given in local time."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@given(st.floats(0.5, 1e7), st.floats(0, 0.999999), st.floats(1.7e9, 2.1e9))
def test_each_interval_has_one_slot(interval: float, fraction: float, moment: float) -> None:
    """The next slot lies within an interval, the one after it an interval later, and each is told as a datetime without a loss."""
    slots = of(interval, fraction)
    slot = slots.after(moment)
    assert slot is not None
    assert moment < slot <= moment + interval + 1e-5
    assert slots.after(slot) == pytest.approx(slot + interval, abs=1e-5)
    assert datetime.fromtimestamp(slot, UTC).timestamp() == slot


def test_a_place_within_the_interval_follows_from_the_name() -> None:
    """The same names have the same place always, others other ones, spread evenly."""
    assert fraction_of("contoso-crm", "quick", "a") == fraction_of("contoso-crm", "quick", "a") == 0.02012617440890888
    places = sorted(fraction_of("contoso-crm", "quick", f"imaps://host{number}:993") for number in range(1000))
    assert 0 <= places[0] < 0.01
    assert 0.99 < places[-1] < 1
    assert all(0.35 < places[number] * 1000 / (number + 1) < 2 for number in range(50, 1000))


def test_a_night_has_one_slot_within_its_hours() -> None:
    """Half of the way through the hours of each night, less five minutes, in local time."""
    slots = of(DAY, between=NIGHT, zone=BERLIN)
    first = slots.after(at("2026-11-30 09:00"))
    assert local(first) == "Tue 2026-12-01 02:57"
    assert local(slots.after(first or 0)) == "Wed 2026-12-02 02:57"


def test_a_night_across_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    """Hours whose end is not after their start end on the next day."""
    slots = of(DAY, 0.75, Hours(start=time(22), end=time(2)), zone=BERLIN)
    assert local(slots.after(at("2026-11-30 23:00"))) == "Tue 2026-12-01 00:56"
    assert local(slots.after(at("2026-12-01 00:30"))) == "Tue 2026-12-01 00:56"
    assert local(slots.after(at("2026-12-01 01:00"))) == "Wed 2026-12-02 00:56"


@pytest.mark.parametrize(
    ("day", "slot"), [("2026-03-28 12:00", "Sun 2026-03-29 03:27"), ("2026-10-24 12:00", "Sun 2026-10-25 02:27")], ids=["23h", "25h"]
)
def test_a_night_in_which_clocks_change_is_an_hour_shorter_or_longer(day: str, slot: str) -> None:
    """The hours from 01:00 to 05:00 are three or five; the slot stays half of the way through them, less five minutes."""
    assert local(of(DAY, between=NIGHT, zone=BERLIN).after(at(day))) == slot


@given(st.floats(0, 0.9999999))
def test_the_last_of_a_night_has_time_left(fraction: float) -> None:
    """Where its slot is the last of all, a task may still begin five minutes later, or within a twentieth of hours that are short."""
    for never, left in (((), 300.0), ((Hours(start=time(1, 2), end=time(6)),), 6.0), ((Hours(start=time(2), end=time(3)),), 180.0)):
        slots = of(DAY, fraction, NIGHT, never)
        slot = slots.after(at("2026-11-28 12:00", UTC))
        assert slot is not None
        assert slots.allows(slot + left - 0.001)


@given(st.floats(0, 0.9999), st.integers(0, 3650 * 24))
def test_every_local_day_has_one_slot_however_clocks_change(fraction: float, hour: int) -> None:
    """From one slot to the next are 23 to 25 hours at least and at most, give or take an hour by which the night itself differs."""
    slots = of(DAY, fraction, NIGHT, zone=BERLIN)
    first = slots.after(at("2026-01-01 00:00") + hour * 3600)
    assert first is not None
    second = slots.after(first)
    assert second is not None
    assert 22 <= (second - first) / 3600 <= 26
    assert are_within([NIGHT], datetime.fromtimestamp(first, UTC), BERLIN)


def test_every_second_night_is_every_second_night() -> None:
    """An interval of some days has a slot in one night of as many."""
    slots = of(2 * DAY, between=NIGHT)
    first = slots.after(at("2026-11-30 09:00", UTC))
    assert first is not None
    assert slots.after(first) == first + 2 * DAY


def test_nothing_falls_into_hours_in_which_it_is_not_done() -> None:
    """What would fall into maintenance falls after it, spread, and no slot of another time moves."""
    slots = of(3600, 0.5, never=(SATURDAY,), zone=BERLIN)
    assert local(slots.after(at("2026-11-28 20:00"))) == "Sat 2026-11-28 20:30"
    assert local(slots.after(at("2026-11-28 21:30"))) == "Sun 2026-11-29 02:30"
    assert local(of(DAY * 7, 0.5, never=(Hours(start=time(0), end=time(23)),)).after(at("2026-11-28 00:00", UTC)), UTC).endswith("23:30")


def test_a_night_that_maintenance_shortens_is_what_is_left_of_it() -> None:
    """The sign-ins of Sunday night are spread over the hours after the maintenance of Saturday."""
    early = of(DAY, 0.0, NIGHT, (SATURDAY,), BERLIN)
    assert local(early.after(at("2026-11-28 12:00"))) == "Sun 2026-11-29 02:00"
    assert local(early.after(at("2026-11-29 12:00"))) == "Mon 2026-11-30 01:00"
    middle = of(DAY, 0.5, NIGHT, (SATURDAY, Hours(start=time(3), end=time(4))), BERLIN)
    assert local(middle.after(at("2026-11-28 12:00"))) == "Sun 2026-11-29 04:00"


def test_a_night_of_nothing_but_maintenance_is_left_out() -> None:
    """The sign-ins come in the next night."""
    slots = of(DAY, 0.5, NIGHT, (Hours(start=time(0), end=time(6), weekday=6),), BERLIN)
    assert local(slots.after(at("2026-11-28 12:00"))) == "Mon 2026-11-30 02:57"


@pytest.mark.parametrize("interval", [10.0, DAY])
def test_where_maintenance_never_ends_there_is_no_slot(interval: float) -> None:
    """Hours that are never free give none, and the search ends."""
    always = (Hours(start=time(0), end=time(12)), Hours(start=time(12), end=time(0)))
    assert of(interval, between=NIGHT, never=always).after(at("2026-11-28 12:00")) is None
    assert of(interval, never=always).after(at("2026-11-28 12:00")) is None


def test_short_intervals_within_hours_have_slots_in_these_alone() -> None:
    """An interval of seconds, as on loopback, has a slot in each interval of the night, and the next in the night after."""
    slots = of(600, 0.5, NIGHT, zone=UTC)
    assert local(slots.after(at("2026-11-28 04:40", UTC)), UTC) == "Sat 2026-11-28 04:45"
    assert local(slots.after(at("2026-11-28 04:55", UTC)), UTC) == "Sun 2026-11-29 01:05"


@given(
    st.sampled_from([60.0, 3600.0, DAY, 3 * DAY]),
    st.floats(0, 0.9999),
    st.booleans(),
    st.integers(0, 8760),
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
)
def test_a_slot_is_always_later_and_always_allowed(interval: float, fraction: float, is_nightly: bool, hour: int, zone: str) -> None:
    """Whatever the hours and the zone, the next slot comes after the moment and lies where the task may be done."""
    never = (SATURDAY, Hours(start=time(2, 30), end=time(3, 15)))
    slots = of(interval, fraction, NIGHT if is_nightly else None, never, ZoneInfo(zone))
    moment = at("2026-01-01 00:00", UTC) + hour * 3600
    for _ in range(5):
        slot = slots.after(moment)
        assert slot is not None
        assert slot > moment
        assert slots.allows(slot)
        assert not are_within(never, datetime.fromtimestamp(slot, UTC), ZoneInfo(zone))
        moment = slot


def test_hours_are_in_local_time_of_the_system_where_no_zone_is_named() -> None:
    """Without a zone the system's own is meant."""
    span = NIGHT.span_on(datetime(2026, 11, 28).astimezone().date(), None)
    assert span is not None
    assert (span[0].astimezone().hour, span[1] - span[0]) == (1, timedelta(hours=4))
