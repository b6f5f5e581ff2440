"""What changes back and forth, by the changes alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from probe.history import HistoryChange
from probe.model import vocabulary as v
from probe.service.alternating import Alternations, steady_after
from probe.web.places import page_of
from tests.service.changes import a_change
from tests.service.driven import START
from tests.service.world import url_of

QUICK = timedelta(minutes=5)
URL = url_of(0)
OF_P0 = [(f"m{number}@p0.contoso.test", "p0") for number in range(3)]


def taken(*changes: HistoryChange) -> tuple[Alternations, list[int]]:
    """What is known after some changes, and which of them lead back."""
    known = Alternations()
    for change in changes:
        known.take([change], QUICK)
    return known, [change.id for change in changes if known.lead_back(change)]


def test_noise_makes_no_other_value() -> None:
    """A list whose order says nothing is the same in another order."""
    first = a_change(1, URL, v.CERTIFICATE_NAMES, ["a.test", "b.test"], ["c.test"])
    _, back = taken(first, a_change(2, URL, v.CERTIFICATE_NAMES, ["c.test"], ["b.test", "a.test"], minute=5))
    assert back == [2]


def test_a_change_counts_once_however_often_it_is_handed_in() -> None:
    """What could not be told yet is handed in again, and is no further change."""
    there, back = (a_change(n, URL, v.AUTH_SCHEMES, [a], [b], minute=n) for n, a, b in ((1, "NTLM", "Basic"), (2, "Basic", "NTLM")))
    known, _ = taken(there, back, there, back, back)
    (condition,) = known.conditions({URL: OF_P0})
    assert "between NTLM and Basic 2 times since 2026-11-30 12:01 UTC" in condition.words
    assert known.lead_back(back)
    known.forget(2)
    assert not known.lead_back(back)


def test_mailboxes_of_a_profile_that_do_the_same_are_one_condition() -> None:
    """What alternates of many mailboxes is told of their profile, with each of them, and of one account at an endpoint of that account."""
    changes = [
        a_change(
            2 * number + turn,
            address,
            v.MAILBOX_LOCATION,
            *(("on-premises", "exchange-online") if turn == 1 else ("exchange-online", "on-premises")),
            minute=turn,
        )
        for number, (address, _) in enumerate(OF_P0)
        for turn in (1, 2)
    ]
    at_endpoint = [
        a_change(10 + turn, URL, v.AUTH_SCHEMES, [str(turn % 2)], [str(1 - turn % 2)], mailbox=OF_P0[1][0], minute=turn) for turn in (0, 1)
    ]
    known, back = taken(*changes, *at_endpoint)
    assert back == [2, 4, 6, 11]
    assert known.subjects == {URL, *(address for address, _ in OF_P0)}
    of_profile, of_account = known.conditions({URL: OF_P0, **{address: [(address, "p0")] for address, _ in OF_P0}})
    assert (of_profile.subject, of_profile.mailboxes, of_profile.profiles) == (
        "profile:p0",
        tuple(address for address, _ in OF_P0),
        ("p0",),
    )
    assert (of_account.subject, of_account.mailboxes, of_account.path) == (URL, (OF_P0[1][0],), page_of(OF_P0[1][0]))
    assert len({of_profile.key, of_account.key}) == 2
    assert of_account.key.endswith(f"|{URL}")


@pytest.mark.parametrize(("quick", "minutes"), [(None, 60), (timedelta(minutes=5), 60), (timedelta(hours=2), 360)])
def test_it_is_over_once_nothing_changed_for_long_enough(quick: timedelta | None, minutes: int) -> None:
    """Long enough is an hour, or three looks where they are rarer."""
    known, _ = taken(*(a_change(n, URL, v.AUTH_SCHEMES, [str(n % 2)], [str(1 - n % 2)], minute=n) for n in (1, 2)))
    over = START + timedelta(minutes=2 + minutes)
    assert steady_after(quick) == timedelta(minutes=minutes)
    assert known.next_end(quick) == over
    known.drop_what_stays(over - timedelta(seconds=1), quick)
    assert known.subjects == {URL}
    known.drop_what_stays(over, quick)
    assert known.subjects == set()
    assert known.next_end(quick) is None


def _there_and_back() -> tuple[HistoryChange, HistoryChange]:
    there, back = (a_change(n, URL, v.AUTH_SCHEMES, [a], [b], minute=n) for n, a, b in ((1, "NTLM", "Basic"), (2, "Basic", "NTLM")))
    return there, back


def test_what_was_told_with_its_cause_begins_no_course() -> None:
    """What changes back from what a condition told, as a certificate that ended, is told with that, and not as back and forth besides."""
    there, back = _there_and_back()
    known, _ = taken(there)
    known.pass_over([there])
    known.take([back], QUICK)
    assert not known.lead_back(back)
    assert known.conditions({URL: OF_P0}) == []


def test_what_led_back_and_was_told_otherwise_is_not_told_after_a_restart() -> None:
    """Of what led back before a restart that goes on of which there is an incident, and nothing else."""
    affected = {URL: OF_P0}
    known, _ = taken(*_there_and_back())
    known.drop_untold({one.key for one in known.conditions(affected)}, affected)
    assert len(known.conditions(affected)) == 1
    known.drop_untold(set(), affected)
    assert known.conditions(affected) == []
