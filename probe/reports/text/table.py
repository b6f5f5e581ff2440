"""The first screen: counts, then one line for each group of mailboxes with one cause, then what to do first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from probe.document.telling.groups import Group, advice_of, step_for
from probe.document.telling.known import Known
from probe.document.telling.words import count
from probe.model.rules import Readiness
from probe.reports.text.page import DOUBTFUL, STRONG, Page, colour_of

_NUMBER_WIDTH = 2
_STATUS_WIDTH = len("UNSUPPORTED")
_MOST_STEPS = 9
"""Lines for which it is said what to do, so that they fit the first screen."""


def write_table(page: Page, groups: Sequence[Group]) -> None:
    """One line for each group, numbered as the blocks below."""
    room = _room(page, groups)
    for group in groups:
        _line(page, f"{group.number}", group.first.status, group.addresses, room, group.cause, group.beside, colour_of(group.first))


def write_advice_lines(page: Page, groups: Sequence[Group], on: date) -> None:
    """One line for each kind of advice, with its mailboxes."""
    advice = advice_of(groups, on)
    if advice:
        page.blank()
    for cause, addresses in advice.items():
        _line(page, "", "ADVICE", addresses, _room(page, groups), cause, "", DOUBTFUL)


def _room(page: Page, groups: Iterable[Group]) -> int:
    """Columns for the mailboxes of a line: what the longest needs, but at most three eighths of the page, to leave room for the cause."""
    return min(max((len(_who(group.addresses)) for group in groups), default=0), page.width * 3 // 8)


def _line(page: Page, number: str, status: str, addresses: Sequence[str], room: int, cause: Sequence[str], beside: str, style: str) -> None:
    variants = [f"{words}; {beside}" for words in cause] if beside else []
    page.columns((number, _NUMBER_WIDTH), (status, _STATUS_WIDTH), (_who(addresses), room), rest=(*variants, *cause), style=style)


def write_steps(page: Page, groups: Sequence[Group], known: Known, on: date) -> None:
    """What to do about each group that does not work, in one sentence; the full remedy follows below."""
    broken = [group for group in groups if group.first.readiness in (Readiness.NOT_READY, Readiness.UNDETERMINED)]
    if not broken:
        return
    page.blank()
    page.say("What to do first (more of each below, by its number):", style=STRONG)
    for group in broken[:_MOST_STEPS]:
        step = step_for(group.first, group.addresses[0], known, on)
        others = len(group.addresses) - 1
        if others and group.addresses[0] in step:
            step += f" The same for the other {count(others, 'mailbox', 'mailboxes')}."
        page.say(step, label=f"{group.number}", column=_NUMBER_WIDTH + 2)
    if len(broken) > _MOST_STEPS:
        page.say(f"and {len(broken) - _MOST_STEPS:,} more groups.", indent=_NUMBER_WIDTH + 2)


def _who(addresses: Sequence[str]) -> str:
    return addresses[0] if len(addresses) == 1 else count(len(addresses), "mailbox", "mailboxes")
