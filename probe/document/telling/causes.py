"""Unknown findings with a common cause: a silent server leaves a dozen questions open for one reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from probe.document.index import JsonObject
from probe.document.telling.words import reason_in_words
from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.model.values import dataclass

CONVERSATION_FAILURES = frozenset(
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
"""Reasons that concern a conversation as a whole, so that the details of single gaps add nothing."""


NOT_ALLOWED = "not allowed here"
"""The end of the engine's reason for a conversation whose effect is not allowed."""


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
    findings: list[JsonObject]

    @property
    def whys(self) -> list[Why]:
        return [why for why in Why if any(reason.why is why for reason in self.cause)]

    def because(self) -> str:
        """The reasons as one clause, with the commonest detail, which names the root rather than a consequence."""
        cited = (_reason(cited) for finding in self.findings for cited in finding["because"])
        reasons = [reason for reason in cited if reason is not None and reason.why in self.whys]
        endpoints: dict[tuple[Why, str], list[str]] = {}
        for name in dict.fromkeys((r.why, r.endpoint, r.of_account) for r in reasons):
            why, endpoint, of_account = name
            details = Counter(r.detail for r in reasons if (r.why, r.endpoint, r.of_account) == name)
            whose = f"{endpoint} for this account" if of_account else endpoint
            endpoints.setdefault((why, details.most_common(1)[0][0]), []).append(whose)
        return "; ".join(reason_in_words(why, whose, detail) for (why, detail), whose in endpoints.items())


def questions_in_common(findings: Iterable[JsonObject]) -> list[Questions]:
    """The unknown findings that share their cause with another. A finding that rests on part of a cause is counted with the whole."""
    causes = [(_cause(f), f) for f in findings if f["result"] == Result.UNKNOWN]
    groups: list[Questions] = []
    whole = sorted({cause for cause, _ in causes if cause}, key=len, reverse=True)
    for cause in whole:
        if not any(cause <= group.cause for group in groups):
            groups.append(Questions(cause, [f for c, f in causes if c and c <= cause]))
    return [group for group in groups if len(group.findings) > 1]


def by_cause(findings: Iterable[JsonObject]) -> tuple[list[Questions], list[JsonObject]]:
    """All unknown findings by cause, however few, and those whose cause is not only an endpoint's silence."""
    groups: dict[_Cause, list[JsonObject]] = {}
    alone: list[JsonObject] = []
    for finding in findings:
        cause = _cause(finding)
        if cause is None:
            alone.append(finding)
        else:
            groups.setdefault(cause, []).append(finding)
    return [Questions(cause, of_it) for cause, of_it in groups.items()], alone


def is_not_allowed(finding: JsonObject) -> bool:
    """Whether a finding is unknown only because what would show it is not allowed."""
    gaps = [cited for cited in finding["because"] if "why" in cited]
    return bool(gaps) and all(gap["why"] == Why.NOT_ATTEMPTED and gap["detail"].endswith(NOT_ALLOWED) for gap in gaps)


def _cause(finding: JsonObject) -> _Cause | None:
    """Why a finding is unknown; None where endpoints are not the only reason."""
    reasons = [(cited["key"], _reason(cited)) for cited in finding["because"]]
    asked_there = {key for key, reason in reasons if reason is not None}
    if not asked_there or any(key not in asked_there for key, _ in reasons):
        return None
    found = [reason for _, reason in reasons if reason is not None]  # a mailbox's provider, say, is unknown because its endpoint's is
    # What does not arise leaves a question open only where nothing else does: it is no cause beside one that can be mended.
    leave_open = [reason for reason in found if reason.why is not Why.NOT_APPLICABLE] or found
    return frozenset(replace(reason, detail="") if reason.why in CONVERSATION_FAILURES else reason for reason in leave_open)


def _reason(cited: JsonObject) -> _Reason | None:
    """Why a cited reading leaves a question open; None where no endpoint is the reason."""
    subject, of_account = cited["subject"], cited["mailbox"] is not None
    if "://" not in subject:
        return None
    if "why" in cited:
        return _Reason(Why(cited["why"]), subject, of_account, cited["detail"])
    if cited["key"] == v.SERVER_PRODUCT.name:  # a product leaves a question open where its version does not show
        return _Reason(Why.NOT_DISCLOSED, subject, of_account, f"it is {cited['value']}, and nothing more is known")
    return None
