"""Unknown findings that have a cause in common: a server that is silent leaves a dozen questions open, for one reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from probe.model.facts import Why
from probe.model.rules import Result
from probe.reports.text.words import Form, reason_in_words

BEFELL_ALL = frozenset(
    {
        Why.UNRESOLVED,
        Why.REFUSED,
        Why.UNREACHABLE,
        Why.TIMED_OUT,
        Why.THROTTLED,
        Why.CLOSED,
        Why.TLS_FAILED,
        Why.OFF_PROTOCOL,
        Why.UNTRUSTED_PEER,
        Why.INTERRUPTED,
        Why.BUG,
    }
)
"""What befell a conversation as a whole, so that the details of single gaps add nothing."""


@dataclass(frozen=True, slots=True)
class _Reason:
    """One reason at one endpoint."""

    why: Why
    endpoint: str
    of_account: bool
    detail: str
    """Empty where the details of single gaps add nothing."""


_Cause = frozenset[_Reason]


@dataclass(frozen=True, slots=True)
class Questions:
    """Findings that are unknown for the same reasons at the same endpoints."""

    cause: _Cause
    findings: list[Form]

    @property
    def whys(self) -> list[Why]:
        return [why for why in Why if any(reason.why is why for reason in self.cause)]

    def because(self) -> str:
        """The reasons as one clause; of the details the commonest, which names the root rather than what follows from it."""
        gaps = [gap for finding in self.findings for gap in finding["because"] if "://" in gap["subject"]]
        endpoints: dict[tuple[Why, str], list[str]] = {}
        for name in dict.fromkeys((Why(g["why"]), g["subject"], g["mailbox"] is not None) for g in gaps):
            why, endpoint, of_account = name
            details = Counter(g["detail"] for g in gaps if (Why(g["why"]), g["subject"], g["mailbox"] is not None) == name)
            whose = f"{endpoint} for this account" if of_account else endpoint
            endpoints.setdefault((why, details.most_common(1)[0][0]), []).append(whose)
        return "; ".join(reason_in_words(why, whose, detail) for (why, detail), whose in endpoints.items())


def questions_in_common(findings: Iterable[Form]) -> list[Questions]:
    """The unknown findings that share their cause with another; what rests on part of a cause is counted with the whole."""
    causes = [(_cause(f), f) for f in findings if f["result"] == Result.UNKNOWN]
    groups: list[Questions] = []
    whole = sorted({cause for cause, _ in causes if cause}, key=len, reverse=True)
    for cause in whole:
        if not any(cause <= group.cause for group in groups):
            groups.append(Questions(cause, [f for c, f in causes if c and c <= cause]))
    return [group for group in groups if len(group.findings) > 1]


def _cause(finding: Form) -> _Cause | None:
    """What a finding is unknown for; None where that is more than gaps at endpoints."""
    gaps = finding["because"]
    if not gaps or not all("why" in gap for gap in gaps):
        return None
    at_endpoints = [gap for gap in gaps if "://" in gap["subject"]]
    asked_there = {gap["key"] for gap in at_endpoints}
    if any(gap["key"] not in asked_there for gap in gaps):  # a mailbox's provider, say, is unknown because its endpoint's is
        return None
    return frozenset(
        _Reason(Why(g["why"]), g["subject"], g["mailbox"] is not None, "" if Why(g["why"]) in BEFELL_ALL else g["detail"])
        for g in at_endpoints
    )
