"""Mailboxes that one cause befalls later are told of together, as a condition of their own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from probe.alerts import AlertCondition, AlertKind, Severity
from probe.service.cohorts import APART, Cohorts, base_key

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def condition(*mailboxes: str, key: str = "verdict|login-refused|pop3s://mail.test:995") -> AlertCondition:
    return AlertCondition(
        key=key, kind=AlertKind.VERDICT, severity=Severity.CRITICAL, subject="pop3s://mail.test:995", title="refused", mailboxes=mailboxes
    )


def keys(conditions: list[AlertCondition]) -> dict[str, tuple[str, ...]]:
    return {one.key: one.mailboxes for one in conditions}


def split(cohorts: Cohorts, now: datetime, *conditions: AlertCondition, undecided: bool = False) -> dict[str, tuple[str, ...]]:
    told, _ = cohorts.split(conditions, now, lambda key: undecided)
    return keys(told)


def test_what_befalls_all_at_once_is_one() -> None:
    """The mailboxes that a cause befalls at once are told of by one condition, which keeps its key."""
    cohorts, one = Cohorts(), condition("a@x", "b@x")
    assert split(cohorts, NOW, one) == {one.key: ("a@x", "b@x")}
    assert split(cohorts, NOW + timedelta(days=1), one) == {one.key: ("a@x", "b@x")}


def test_later_ones_are_told_of_together_and_not_too_often() -> None:
    """Mailboxes that the cause befalls later wait until a quarter of an hour has passed, and are then told of together."""
    cohorts, first = Cohorts(), condition("a@x")
    split(cohorts, NOW, first)
    told, next_at = cohorts.split([condition("a@x", "b@x")], NOW + timedelta(minutes=5), lambda key: False)
    assert keys(told) == {first.key: ("a@x",)}
    assert next_at == NOW + APART
    more = split(cohorts, NOW + APART, condition("a@x", "b@x", "c@x"))
    assert more == {first.key: ("a@x",), f"2|{first.key}": ("b@x", "c@x")}
    assert base_key(f"2|{first.key}") == first.key


def test_a_cohort_is_over_when_its_last_mailbox_is_well() -> None:
    """A cohort ends when none of its mailboxes is affected any more; the others last."""
    cohorts, first = Cohorts(), condition("a@x")
    split(cohorts, NOW, first)
    split(cohorts, NOW + APART, condition("a@x", "b@x"))
    assert split(cohorts, NOW + 2 * APART, condition("b@x")) == {f"2|{first.key}": ("b@x",)}
    assert split(cohorts, NOW + 3 * APART) == {}
    assert cohorts.all == []


def test_what_nobody_knows_is_as_it_was() -> None:
    """Cohorts of a condition of which nothing can be said now are kept."""
    cohorts, first = Cohorts(), condition("a@x")
    split(cohorts, NOW, first)
    assert split(cohorts, NOW, undecided=True) == {}
    assert [one.mailboxes for one in cohorts.all] == [{"a@x"}]


def test_a_cause_of_no_mailbox_is_one_condition() -> None:
    """A condition that names no mailbox, as one of the deployment, is told once."""
    cohorts, one = Cohorts(), condition(key="dynamics|asynchronous-service-idle|deployment")
    assert split(cohorts, NOW, one) == {one.key: ()}
    assert split(cohorts, NOW + timedelta(days=1), one) == {one.key: ()}


def test_a_clock_that_was_set_back_holds_nothing_back() -> None:
    """Where the clock was set back, mailboxes that a cause befell later are told of at once."""
    cohorts, first = Cohorts(), condition("a@x")
    split(cohorts, NOW, first)
    assert len(split(cohorts, NOW - timedelta(hours=1), condition("a@x", "b@x"))) == 2


def test_a_cohort_concerns_the_profiles_of_its_own_mailboxes() -> None:
    """Where a cause befalls mailboxes of one profile and later those of another, the owners of each are told of their own."""
    cohorts, profiles = Cohorts(), {"a@x": "sales", "b@x": "hr"}
    cohorts.split([replace(condition("a@x"), profiles=("sales",))], NOW, lambda key: False, profiles.get)
    both = replace(condition("a@x", "b@x"), profiles=("sales", "hr"))
    told, _ = cohorts.split([both], NOW + APART, lambda key: False, profiles.get)
    assert [(one.mailboxes, one.profiles) for one in told] == [(("a@x",), ("sales",)), (("b@x",), ("hr",))]


def test_mailboxes_of_which_nothing_is_known_stay_in_their_cohort() -> None:
    """A mailbox that was not looked at since an estate was taken up is not told of anew once it was; a cohort of none but such ones is left as it is."""
    cohorts, first = Cohorts(), condition("a@x", "b@x")
    split(cohorts, NOW, first)
    split(cohorts, NOW + APART, condition("a@x", "b@x", "c@x"))
    told, _ = cohorts.split([condition("a@x")], NOW + 2 * APART, lambda key: True, unlooked=frozenset(("b@x", "c@x")))
    assert keys(told) == {first.key: ("a@x",)}
    later = split(cohorts, NOW + 3 * APART, condition("a@x", "b@x", "c@x"))
    assert later == {first.key: ("a@x", "b@x"), f"2|{first.key}": ("c@x",)}
