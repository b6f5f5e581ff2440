"""The mailboxes of the estate by cause, each cause with an id that links of pages and the API share. Pure in what is drawn of the parts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from probe.document.telling.groups import Group, advised, grouped
from probe.reports.html.markup import tone
from probe.web.parts import DrawnBlock

_ADVICE, _AFTER_ALL_VERDICTS = "ADVICE", 9


class CauseLine(NamedTuple):
    """Mailboxes with one cause: a line of the table."""

    id: str
    """The same for the same cause."""
    status: str
    tone: str
    words: str
    addresses: Sequence[str]
    step: str
    """The first thing to do; empty where all is well."""
    urgency: int
    """One digit, which follows from the status: less is more urgent."""

    @property
    def rank(self) -> tuple[int, int, str]:
        """By which lines are in order for people: the most urgent first, and of one urgency that of most mailboxes."""
        return self.urgency, -len(self.addresses), self.id

    @property
    def place(self) -> str:
        """By which lines are in order for programs: the most urgent first. It stays however many mailboxes the cause befalls; no two have the same."""
        return f"{self.urgency}.{self.id}"


class EstateCauses:
    """Why the mailboxes of one state have their verdicts, and what is advised."""

    def __init__(self, blocks: Sequence[DrawnBlock]) -> None:
        """`blocks` are those of the whole estate, the most urgent first."""
        drawn = {id(one.block): one for one in blocks}
        of_groups = [
            (_of_group(group, drawn[id(group.first)].step), group)
            for group in grouped((one.block, one.cause, one.beside) for one in blocks)
        ]
        of_groups.sort(key=lambda one: one[0].rank)
        self.groups = [group for _, group in of_groups]
        """Mailboxes with one cause, the most urgent first."""
        self.lines = [line for line, _ in of_groups]
        """A line for each of them."""
        told = advised((block, drawn[id(block)].advice) for group in self.groups for block in group.blocks)
        advice = [_line(_AFTER_ALL_VERDICTS, _ADVICE, "doubtful", words, words[0], addresses, "") for words, addresses in told.items()]
        self.advice = sorted(advice, key=lambda line: line.rank)
        """A line for each kind of advice, which mailboxes of any status may have."""

    @cached_property
    def by_place(self) -> Mapping[str, CauseLine]:
        """Every line by its place, in that order."""
        return {line.place: line for line in sorted((*self.lines, *self.advice), key=lambda line: line.place)}

    def members(self, cause: str) -> frozenset[str]:
        """The addresses of the mailboxes with a cause, by its id; none where there is no such cause."""
        found = self.of_advice.get(cause)
        return frozenset(address for line in self.lines if line.id == cause for address in line.addresses) if found is None else found

    @cached_property
    def of_advice(self) -> Mapping[str, frozenset[str]]:
        """The addresses of the mailboxes that are advised something, by the id of the advice."""
        return {line.id: frozenset(line.addresses) for line in self.advice}


def cause_id(status: str, cause: Sequence[str]) -> str:
    """The id of a cause, by all that is told of it."""
    return hashlib.sha256("\n".join((status, *cause)).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def status_word(status: str) -> str:
    """A status as programs read it."""
    return status.lower().replace(" ", "-")


def _of_group(group: Group, step: str) -> CauseLine:
    first, words = group.first, "; ".join(filter(None, (group.cause[0], group.beside)))
    return _line(first.urgency, first.status, tone(first), (*group.cause, group.beside), words, group.addresses, step)


def _line(urgency: int, status: str, shade: str, cause: Sequence[str], words: str, addresses: Sequence[str], step: str) -> CauseLine:
    return CauseLine(cause_id(status, cause), status, shade, words, addresses, step, urgency)
