"""Mailboxes that are told of together. One cause may befall more mailboxes later; these are told of as a condition of their own. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from probe.alerts import AlertCondition

APART = timedelta(minutes=15)
"""Between two cohorts of one cause. What befalls mailboxes one by one, as sign-ins of a night, is told in as few messages as there are quarters of an hour."""


class Cohort(NamedTuple):
    """The mailboxes that a condition was told of at one time."""

    key: str
    """Of the condition."""
    number: int
    """From 1; the next is of those that the cause befell later."""
    began: datetime
    mailboxes: frozenset[str]

    def among(self, mailboxes: frozenset[str]) -> Cohort:
        """What is left of it."""
        return self if self.mailboxes <= mailboxes else self._replace(mailboxes=self.mailboxes & mailboxes)


class Cohorts:
    """The cohorts of all conditions that are."""

    def __init__(self, known: Iterable[Cohort] = ()) -> None:
        self._of_key: dict[str, list[Cohort]] = {}
        for one in known:
            self._of_key.setdefault(one.key, []).append(one)

    @property
    def all(self) -> list[Cohort]:
        return [one for of_key in self._of_key.values() for one in of_key]

    def split(
        self,
        conditions: Sequence[AlertCondition],
        now: datetime,
        undecided: Callable[[str], bool],
        profile_of: Callable[[str], str | None] = lambda address: None,
        unlooked: frozenset[str] = frozenset(),
    ) -> tuple[list[AlertCondition], datetime | None]:
        """The conditions, each once for each cohort of its mailboxes; and when the next cohort may be told of, where one waits.

        Cohorts of conditions that are gone are forgotten, unless `undecided` says of the key that nobody knows. `profile_of` has the server profile of
        a mailbox: a cohort concerns those of its own mailboxes alone, and their owners. Of the `unlooked` mailboxes nothing is known now: they stay where
        they are, and a cohort of no others is told as little as a condition of which nobody knows.
        """
        present = {condition.key for condition in conditions}
        self._of_key = {key: of_key for key, of_key in self._of_key.items() if key in present or undecided(key)}
        told: list[AlertCondition] = []
        next_at: datetime | None = None
        for condition in conditions:
            now_has = frozenset(condition.mailboxes)
            before = [one.among(now_has | unlooked) for one in self._of_key.get(condition.key, ())]
            kept = [one for one in before if one.mailboxes]
            new = now_has.difference(*(one.mailboxes for one in kept)) if kept else now_has
            if new or not kept:
                last = max((one.began for one in kept), default=None)
                if last is None or not last <= now < last + APART:
                    number = max((one.number for one in kept), default=0) + 1
                    kept.append(Cohort(condition.key, number, now, new))
                else:
                    next_at = min(filter(None, (next_at, last + APART)))
            self._of_key[condition.key] = kept
            for one in kept:
                mailboxes = tuple(address for address in condition.mailboxes if address in one.mailboxes)
                if one.mailboxes and not mailboxes:
                    continue
                key = condition.key if one.number == 1 else f"{one.number}|{condition.key}"
                # Thousands may last, nearly all of which have one cohort, and are held once.
                is_all = (key, mailboxes) == (condition.key, condition.mailboxes)
                told.append(condition if is_all else _of_cohort(condition, key, mailboxes, profile_of))
        return told, next_at


def _of_cohort(condition: AlertCondition, key: str, mailboxes: tuple[str, ...], profile_of: Callable[[str], str | None]) -> AlertCondition:
    concerned = set(map(profile_of, mailboxes))
    profiles = tuple(name for name in condition.profiles if name in concerned)
    return replace(condition, key=key, mailboxes=mailboxes, profiles=profiles or condition.profiles)


def base_key(key: str) -> str:
    """The key of a condition, of whichever cohort it is."""
    number, _, rest = key.partition("|")
    return rest if number.isdecimal() else key
