"""The estate as its page shows it: groups of mailboxes with one cause, and each mailbox in a line. Pure in the state."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from probe.document import publish
from probe.document.telling.blocks import blocks_of
from probe.document.telling.groups import Group, advice_of, groups_of, step_for
from probe.document.telling.known import Known
from probe.document.telling.summaries import dynamics_unread, summary_of_check
from probe.model.rules import Readiness
from probe.outlook import representatives
from probe.reports.html.markup import tone
from probe.web.documents import JsonForm, endpoint_line
from probe.web.state import EstateState

LINES_A_PAGE = 100
VERDICTS = ("NOT READY", "UNKNOWN", "UNSUPPORTED", "NOT LISTED", "READY", "NOT SERVED")
"""What a block's status may be, the most urgent first."""

_UP = {False: 0, None: 1}
"""The order of endpoints: what does not answer, what nobody has looked at, the rest."""


class MailboxLine(NamedTuple):
    """A mailbox in a list."""

    address: str
    folded: str
    """In small letters, as it is searched."""
    profile: str
    status: str
    tone: str
    cause: str
    group: str


class GroupLine(NamedTuple):
    """Mailboxes with one cause: a line of the table."""

    id: str
    """The same for the same cause."""
    status: str
    tone: str
    words: str
    addresses: Sequence[str]
    step: str
    """The first thing to do; empty where all is well."""


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

    @property
    def is_anything(self) -> bool:
        return any(self)


class EstateView:
    """What the page shows of one state."""

    def __init__(self, state: EstateState) -> None:
        self.state = state
        run = state.run
        alike, small = representatives(run)
        document = publish(small)
        self._known = Known(document)
        blocks = blocks_of(document["assessments"], self._known)
        for block in blocks:
            # Each stood for all that share its findings.
            block.addresses[:] = [address for one in block.addresses for address in alike[one]]
        groups = groups_of(blocks, run.judged_at)
        self.summary = summary_of_check(blocks)
        self.unread = dynamics_unread(self._known)
        self.causes = [self._cause(group) for group in groups]
        self.advice = list(self._advice(groups))
        self.lines = tuple(self._lines(groups))
        lines = (endpoint_line(state, endpoint, None) for endpoint in state.names.endpoints.values())
        self.endpoints = sorted(lines, key=lambda line: (_UP.get(line["up"], 2), line["subject"]))
        """Each endpoint in short, what does not answer first."""

    def _cause(self, group: Group) -> GroupLine:
        first, words = group.first, "; ".join(filter(None, (group.cause[0], group.beside)))
        is_broken = first.readiness in (Readiness.NOT_READY, Readiness.UNDETERMINED)
        step = step_for(first, group.addresses[0], self._known, self.state.run.judged_at) if is_broken else ""
        return GroupLine(_id_of(first.status, *group.cause, group.beside), first.status, tone(first), words, group.addresses, step)

    def _advice(self, groups: Sequence[Group]) -> Iterator[GroupLine]:
        for cause, addresses in advice_of(groups, self.state.run.judged_at).items():
            yield GroupLine(_id_of("ADVICE", *cause), "ADVICE", "doubtful", cause[0], addresses, "")

    def _lines(self, groups: Sequence[Group]) -> Iterator[MailboxLine]:
        for group, cause in zip(groups, self.causes, strict=True):
            of_it = ((address, block) for block in group.blocks for address in block.addresses)
            for address, block in sorted(of_it, key=lambda one: one[0].casefold()):
                yield MailboxLine(address, address.casefold(), block.profile, cause.status, cause.tone, cause.words, cause.id)

    @cached_property
    def _of_advice(self) -> Mapping[str, frozenset[str]]:
        return {cause.id: frozenset(cause.addresses) for cause in self.advice}

    def found(self, wanted: Wanted) -> list[MailboxLine]:
        """The mailboxes that somebody searches, the most urgent first."""
        lines: Iterable[MailboxLine] = self.lines
        if wanted.group:
            advised = self._of_advice.get(wanted.group)
            lines = (one for one in lines if (one.group == wanted.group if advised is None else one.address in advised))
        if wanted.profile:
            lines = (one for one in lines if one.profile == wanted.profile)
        if wanted.verdict:
            lines = (one for one in lines if one.status == wanted.verdict)
        if wanted.at:
            behind = self._behind(wanted.at)
            lines = (one for one in lines if one.address in behind)
        return [one for one in lines if wanted.q in one.folded]

    def endpoints_found(self, wanted: Wanted) -> list[JsonForm]:
        """The endpoints that somebody searches, those that do not answer first."""
        return [one for one in self.endpoints if wanted.q in one["subject"] and wanted.at in ("", one["id"])]

    def _behind(self, endpoint: str) -> frozenset[str]:
        estate, found = self.state.names.estate, self.state.names.endpoint(endpoint)
        return frozenset(mailbox.address for mailbox in estate.mailboxes if found is not None and found in estate.endpoints_of(mailbox))


def _id_of(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode("utf-8", "surrogatepass")).hexdigest()[:12]
