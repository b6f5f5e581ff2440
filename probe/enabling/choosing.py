"""For which mailboxes Dynamics is asked, for which it is waited, and why for the others not. Pure in the gate's answers, the rows and what went before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field
from typing import Any

from probe.dynamics import MailboxRow
from probe.enabling.course import Begun, Past
from probe.enabling.outcomes import ByDirection
from probe.gate import Difference, GateAnswer, Gated, GateVerdict, Rows, Unread, differences
from probe.model.estate import Estate, Mailbox
from probe.model.rules import Direction, Finding
from probe.model.values import dataclass

ALREADY_ENABLED = "it is enabled already in every direction that is used"
TAKES_OVER = (
    "it wants --take-over: Test & Enable would make this organization the one that synchronizes its appointments, contacts and tasks"
)
DECLINED = "nobody said yes, so that Dynamics was not asked"
NOBODY_TO_ASK = "nobody said yes, so that Dynamics was not asked: there is no terminal, and no --yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person wants asked, beyond the mailboxes that are meant."""

    again: frozenset[str] = frozenset()
    """Addresses that are asked for though they are enabled."""
    takes_over: bool = False
    """Whether this organization may become the primary one of a mailbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A mailbox that is waited for, as far as what came of it is told."""

    id: str
    address: str
    findings: Mapping[str, Finding]
    """Of the newest run, by rule; what alerts mean goes by them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A mailbox that may be asked for."""

    mailbox: Mailbox
    rows: Rows
    verdict: GateVerdict
    findings: Mapping[str, Finding]
    """Of the run, by rule."""

    @property
    def id(self) -> str:
        return self.rows.mailbox.id

    @property
    def followed(self) -> Followed:
        return Followed(id=self.id, address=self.mailbox.address, findings=self.findings)

    @property
    def predicted(self) -> ByDirection:
        return {str(direction): None if how is None else str(how) for direction, how in self.verdict.predicted.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is to be done, mailbox by mailbox."""

    ask: tuple[Candidate, ...] = ()
    theirs: tuple[Candidate, ...] = ()
    """Whose test somebody else has asked for; it is waited for."""
    taken_up: tuple[tuple[Candidate, Begun], ...] = ()
    """Asked for before, and not done as far as is known."""
    left: tuple[tuple[Followed, Begun], ...] = ()
    """Asked for before, and not done as far as is known; these are waited for, and never asked for again."""
    may_ask_again: frozenset[str] = frozenset()
    """Ids of those taken up that are asked for where it shows that the change did not arrive."""
    done: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Lines of the audit, by address: what has come of them in this batch."""
    not_asked: Mapping[str, str] = field(default_factory=dict)
    """Why not, by address."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to ask for, and nothing to wait for."""
        return not (self.ask or self.theirs or self.taken_up or self.left)


def choose(estate: Estate, gated: Gated, past: Mapping[str, Past], wish: Wish) -> Choice:
    """What to do. `past` is what the audit has of the batch that is taken up, by the mailboxes' ids."""
    records = gated.records
    if isinstance(records, Unread):
        why = f"Dynamics' records could not be read: {records.reason}"
        return Choice(not_asked={verdict.mailbox: why for verdict in gated.verdicts})
    mailboxes = {mailbox.address: mailbox for mailbox in estate.mailboxes}
    assessments = {assessment.mailbox: assessment for assessment in gated.run.assessments}
    ask: list[Candidate] = []
    theirs: list[Candidate] = []
    taken_up: list[tuple[Candidate, Begun]] = []
    may_ask_again: set[str] = set()
    done: dict[str, Mapping[str, Any]] = {}
    not_asked: dict[str, str] = {}
    for verdict in gated.verdicts:
        address = verdict.mailbox
        rows = records.of(mailboxes[address])
        if isinstance(rows, Difference):
            not_asked[address] = f"its row in Dynamics is not the estate's: {rows.dynamics}"
            continue
        findings = {finding.rule.id: finding for finding in assessments[address].findings}
        candidate = Candidate(mailbox=mailboxes[address], rows=rows, verdict=verdict, findings=findings)
        before = past.get(candidate.id)
        reason = why_not(estate, candidate, rows.mailbox, wish)
        if before is not None and before.outcome is not None:
            done[address] = before.outcome
        elif before is not None and before.asked is not None:
            taken_up.append((candidate, before.asked))
            if reason is None:
                may_ask_again.add(candidate.id)
        elif reason is not None:
            not_asked[address] = reason
        elif rows.mailbox.test_scheduled:
            theirs.append(candidate)
        else:
            ask.append(candidate)
    return Choice(
        ask=tuple(ask),
        theirs=tuple(theirs),
        taken_up=tuple(taken_up),
        may_ask_again=frozenset(may_ask_again),
        done=done,
        not_asked=not_asked,
    )


def why_not(estate: Estate, candidate: Candidate, row: MailboxRow, wish: Wish) -> str | None:
    """Why Dynamics is not asked for a mailbox, by its row as it is now; None where it may be."""
    address, verdict = candidate.mailbox.address, candidate.verdict
    differs = differences(estate, candidate.mailbox, Rows(row, candidate.rows.profile))
    if verdict.differs or differs:
        what = ", ".join(dict.fromkeys(difference.what for difference in (*verdict.differs, *differs)))
        url = "URL" if estate.dynamics is None else estate.dynamics.url
        return (
            f"its rows in Dynamics are not what the estate says ({what}): correct whichever is wrong, and ask again; "
            f"`probe import dynamics {url} --output ESTATE.toml --update` takes over what Dynamics has"
        )
    if verdict.answer is not GateAnswer.GO:
        return f"the answer is {verdict.answer}"
    enabled = enabled_in(row)
    used = [enabled[direction] for direction, how in verdict.predicted.items() if how is not None]
    if all(used) and not _is_named(address, wish.again):
        return ALREADY_ENABLED
    if None in used or row.test_scheduled is None or "testmailboxaccesscompletedon" in row.absent:
        return "Dynamics does not say of it what is enabled, what is scheduled, and when a test ends"
    uses_appointments = verdict.predicted[Direction.APPOINTMENTS] is not None
    if uses_appointments and not row.is_primary_organization and not wish.takes_over:
        return TAKES_OVER
    return None


def enabled_in(row: MailboxRow) -> Mapping[Direction, bool | None]:
    """Whether it is enabled, as its row has it."""
    return {
        Direction.INCOMING: row.incoming_enabled,
        Direction.OUTGOING: row.outgoing_enabled,
        Direction.APPOINTMENTS: row.appointments_enabled,
    }


def _is_named(address: str, named: Collection[str]) -> bool:
    return address.lower() in {one.lower() for one in named}
