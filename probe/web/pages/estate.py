"""The estate as its page shows it: groups of mailboxes with one cause, and each mailbox in a line. Pure in the state."""

from __future__ import annotations

from typing import NamedTuple

from probe.document.telling.groups import Group
from probe.document.telling.summaries import summary_of_check
from probe.document.telling.words import count
from probe.web.causes import CauseLine
from probe.web.parts import JsonForm
from probe.web.state import EstateState

LINES_A_PAGE = 100

_UP = {False: 0, None: 1}
"""The order of endpoints: what does not answer, what nobody has looked at, the rest."""


class MailboxLine(NamedTuple):
    """A mailbox in a list."""

    address: str
    profile: str
    status: str
    tone: str
    cause: str


class Wanted(NamedTuple):
    """What somebody searches among the mailboxes."""

    q: str = ""
    """A part of the address, in small letters."""
    profile: str = ""
    verdict: str = ""
    group: str = ""
    """The id of a cause."""
    at: str = ""
    """The id of an endpoint."""
    rule: str = ""
    """The id of a rule that decides."""
    result: str = ""
    """What it comes to."""

    @property
    def is_anything(self) -> bool:
        return any(self)


class EstateView:
    """What the page shows of one state."""

    def __init__(self, state: EstateState) -> None:
        self.state = state
        self.summary = summary_of_check([one.block for one in state.blocks])
        if state.unjudged:
            self.summary.append(f"Not judged yet since the service began: {count(state.unjudged, 'mailbox', 'mailboxes')}.")
        self.unread = next((part.unread for part in state.parts if part.unread), "")
        self.causes, self.advice = state.causes.lines, state.causes.advice
        lines = map(state.endpoint_in_short, state.names.endpoints)
        self.endpoints = sorted(lines, key=lambda line: (_UP.get(line["up"], 2), line["subject"]))
        """Each endpoint in short, what does not answer first."""
        self._at: tuple[str, frozenset[str]] = "", frozenset()
        """The mailboxes behind the endpoint that was searched last."""
        self._of_rule: tuple[tuple[str, str], frozenset[str]] = ("", ""), frozenset()
        """Those that the rule decides that was searched last."""

    def found(self, wanted: Wanted, page: int) -> tuple[list[MailboxLine], int, int]:
        """The mailboxes that somebody searches, the most urgent first: those of a page, the number of that page, and how many there are."""
        told = [
            (group, cause, self._of_group(group, cause, wanted)) for group, cause in zip(self.state.causes.groups, self.causes, strict=True)
        ]
        total = sum(len(of_it) for _, _, of_it in told)
        page = min(max(page, 1), max(-(-total // LINES_A_PAGE), 1))
        start, end = (page - 1) * LINES_A_PAGE, page * LINES_A_PAGE
        lines: list[MailboxLine] = []
        for _, cause, of_it in told:
            # Only of what is shown the order matters.
            if of_it and start < len(of_it) and end > 0:
                shown = sorted(of_it)[max(start, 0) : end]
                lines += [MailboxLine(address, profile, cause.status, cause.tone, cause.words) for _, address, profile in shown]
            start, end = start - len(of_it), end - len(of_it)
        return lines, page, total

    def _of_group(self, group: Group, cause: CauseLine, wanted: Wanted) -> list[tuple[str, str, str]]:
        """The mailboxes of a group that somebody searches: each in small letters, as it is, and with its profile."""
        if wanted.verdict not in ("", cause.status):
            return []
        only = None
        if wanted.group and wanted.group != cause.id:
            only = self.state.causes.of_advice.get(wanted.group, frozenset())
        if wanted.at:
            behind = self._behind(wanted.at)
            only = behind if only is None else only & behind
        if wanted.rule:
            decided = self._decided(wanted.rule, wanted.result)
            only = decided if only is None else only & decided
        if only is not None and not only:
            return []
        return [
            (folded, address, block.profile)
            for block in group.blocks
            if wanted.profile in ("", block.profile)
            for address in block.addresses
            if (only is None or address in only) and wanted.q in (folded := address.casefold())
        ]

    def endpoints_found(self, wanted: Wanted) -> list[JsonForm]:
        """The endpoints that somebody searches, those that do not answer first."""
        return [one for one in self.endpoints if wanted.q in one["subject"] and wanted.at in ("", one["id"])]

    def _decided(self, rule: str, result: str) -> frozenset[str]:
        if self._of_rule[0] != (rule, result):
            self._of_rule = (rule, result), self.state.decided_by(rule, result or None)
        return self._of_rule[1]

    def _behind(self, endpoint: str) -> frozenset[str]:
        if self._at[0] != endpoint:
            estate, found = self.state.names.estate, self.state.names.endpoint(endpoint)
            self._at = (
                endpoint,
                frozenset(one.address for one in estate.mailboxes if found is not None and found in estate.endpoints_of(one)),
            )
        return self._at[1]
