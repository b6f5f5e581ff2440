"""The mailboxes that an outage disabled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from probe.dynamics import Option, Organization
from probe.gate import Disabled, DynamicsRecords, disabled_since, moment_of
from tests.estates import SERVED
from tests.gate.rows import rows_of

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
OUTAGE = datetime(2026, 11, 29, 8, 30, tzinfo=UTC)
BEFORE, AFTER = OUTAGE - timedelta(hours=1), OUTAGE + timedelta(hours=1)


def in_utc(naive: datetime) -> datetime:
    return naive.replace(tzinfo=UTC)


def found(**changed: Any) -> tuple[Disabled, ...]:
    """What is found of a mailbox that the outage disabled, once something of its row is changed."""
    row = rows_of(
        **{"incoming_enabled": False, "outgoing_enabled": True, "last_success": BEFORE, "last_error_at": AFTER, **changed}
    ).mailbox
    organization = Organization(id="x", name="Contoso", version="9.1.17.29", api="v9.1", user="y")
    return disabled_since([SERVED], DynamicsRecords(organization=organization, rows={SERVED.address: row}, profiles={}), OUTAGE)


def test_what_fits_is_told_with_both_times() -> None:
    """And with the direction in which it is not enabled."""
    (one,) = found()
    assert (one.mailbox, one.directions, one.last_success, one.last_error, one.lacks) == (SERVED, ("incoming",), BEFORE, AFTER, ())


@pytest.mark.parametrize(
    "changed",
    [
        {"approval": Option(2, "Pending Approval")},
        {"last_success": OUTAGE - timedelta(hours=25)},
        {"last_success": AFTER},
        {"last_success": None},
        {"last_error_at": BEFORE},
        {"last_error_at": None},
    ],
    ids=str,
)
def test_what_fits_in_part_is_named_with_what_it_lacks(changed: dict[str, Any]) -> None:
    """One thing does not fit, so that it is not the outage's doing for sure."""
    (one,) = found(**changed)
    assert len(one.lacks) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"incoming_enabled": True},
        {"incoming_enabled": None},
        {"incoming_delivery": Option(1, "x")},
        {"last_success": None, "last_error_at": None},
    ],
    ids=str,
)
def test_what_does_not_fit_is_not_named(changed: dict[str, Any]) -> None:
    """It is enabled, not served, or nothing tells when it was disabled."""
    assert found(**changed) == ()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("08:30", OUTAGE),
        ("2026-11-29T08:30", OUTAGE),
        ("2026-11-29 08:30:00", OUTAGE),
        ("2026-11-29T09:30+01:00", OUTAGE),
        ("6h", NOW - timedelta(hours=6)),
    ],
)
def test_a_moment_is_meant_in_local_time(text: str, moment: datetime) -> None:
    """Unless it has a time zone of its own."""
    assert moment_of(text, NOW, in_utc) == moment


def test_the_local_time_of_another_season_is_that_of_its_day() -> None:
    """Half past eight of a day in July is so by the clocks of July, in November too."""

    def in_berlin(naive: datetime) -> datetime:
        return naive.replace(tzinfo=ZoneInfo("Europe/Berlin"))

    now = NOW.astimezone(timezone(timedelta(hours=1)))
    assert moment_of("2026-07-01T08:30", now, in_berlin) == datetime(2026, 7, 1, 6, 30, tzinfo=UTC)
    assert moment_of("08:30", now, in_berlin) == datetime(2026, 11, 29, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "25:00",
        "12:61",
        "2026-11-29",
        "6 h",
        "13:00",
        "2027-01-01T00:00",
        "0001-01-01T00:00+14:00",
        "9999-12-31T23:00-14:00",
    ],
)
def test_what_names_no_moment_of_the_past_is_refused(text: str) -> None:
    """The sentence says what would be right."""
    with pytest.raises(ValueError, match=r"is no moment|lies ahead"):
        moment_of(text, NOW, in_utc)
