"""What an error of Dynamics may come from, by its texts and by what the probe found. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from probe.document.telling.roots import ROOTS
from probe.dynamics import MailboxRow
from probe.model.rules import Finding, Result
from probe.model.values import dataclass
from probe.tables.alerts import alerts_like, causes_of_alert

MOST_OF_ERROR = 2048
"""Letters of it, which is as many as Dynamics keeps."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What is known of an error."""

    causes: tuple[str, ...]
    """Ids of the rules that may explain it, the likeliest first; one where what the probe found picks it."""
    meaning: str | None
    """What it means where no rule sees that."""


@dataclass(frozen=True, slots=True)
class LastError:
    """The error that Dynamics keeps of a mailbox."""

    text: str
    at: datetime | None
    explained: Explained


def explained(texts: Iterable[str], findings: Mapping[str, Finding]) -> Explained:
    """What an error may come from, by its texts and the findings of its mailbox.

    What was found to fail is the one cause; of several, the one that the others follow from. Else they are those that were not found to hold:
    one that nobody could ask, as of a login that was not tried, may be it; where all of them hold now, they are what it may have been then.
    """
    said = tuple(texts)
    candidates = causes_of_alert(*said)
    failing = [rule for rule in candidates if rule in findings and findings[rule].result is Result.FAILS]
    if failing:
        return Explained((next((rule for rule in failing if set(failing).isdisjoint(ROOTS.get(rule, ()))), failing[0]),), None)
    causes = tuple(rule for rule in candidates if rule not in findings or findings[rule].result is not Result.HOLDS) or candidates
    return Explained(causes, None if causes else next((alert.meaning for alert in alerts_like(*said) if alert.meaning), None))


def last_error_of(row: MailboxRow, findings: Mapping[str, Finding], clean: Callable[[str], str]) -> LastError | None:
    """The last error of a mailbox, unless a success came after it."""
    if not row.last_error or (row.last_success is not None and row.last_error_at is not None and row.last_success > row.last_error_at):
        return None
    return LastError(clean(row.last_error[:MOST_OF_ERROR]), row.last_error_at, explained([row.last_error], findings))
