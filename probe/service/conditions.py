"""What is wrong, out of what is known: one condition for each cause, however many mailboxes it is the cause for. Pure in the run.

Which failures there are, and which follow from which, is what rules and reports say; nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from probe.alerts import AlertCondition, AlertKind, Severity
from probe.document.index import JsonObject
from probe.document.telling.blocks import matters
from probe.document.telling.groups import with_what_was_seen
from probe.document.telling.known import Known
from probe.document.telling.names import remedy_for
from probe.document.telling.roots import root_of
from probe.document.telling.words import WHAT_TO_DO, WHY_IN_WORDS, reason_in_words, subjects_of
from probe.model import vocabulary as v
from probe.model.estate import DEPLOYMENT_SUBJECT, Estate, Mailbox, profile_subject
from probe.model.facts import Why
from probe.model.rules import Otherwise, Readiness, Result, Support
from probe.model.runs import Run
from probe.service.dynamics import enabling_again
from probe.web.parts import PublishedPart
from probe.web.places import page_of

TOLD_OF_DYNAMICS = ("asynchronous-service-idle", "disabled-by-an-error", "mailbox-without-row")
"""Rules that only advise, and whose failure somebody must hear of: Dynamics has stopped for a mailbox, or for all."""
SILENT = "does-not-answer"
"""What a condition is called whose endpoint cannot be asked, for whichever reason."""
SILENCE = ("endpoint-unreachable", "name-does-not-resolve", "silent-or-foreign-service")
"""Rules whose failure is that an endpoint cannot be asked."""
UNREAD = "dynamics-records-not-read"
"""The rule of which it is told that it cannot be answered: then Dynamics' records could not be read."""
_BEFELL = frozenset(
    {
        Why.UNRESOLVED,
        Why.REFUSED,
        Why.UNREACHABLE,
        Why.TIMED_OUT,
        Why.THROTTLED,
        Why.CLOSED,
        Why.TLS_FAILED,
        Why.OFF_PROTOCOL,
        Why.DENIED,
        Why.UNTRUSTED_PEER,
        Why.CONFLICTING,
        Why.BUG,
    }
)
"""Reasons for which a verdict is open because something happened, rather than because nobody asked."""
_SEVERITY = {
    Otherwise.NOT_READY: Severity.CRITICAL,
    Otherwise.UNSUPPORTED: Severity.WARNING,
    Otherwise.NOT_LISTED: Severity.WARNING,
    Otherwise.ADVICE: Severity.WARNING,
}
_MOST_WORDS = 3
_NONE = frozenset[str]()
"""Once for thousands of parts of which nothing is hidden: an empty one takes 200 bytes."""


@dataclass(slots=True)
class _DrawnCause:
    """A condition as it is drawn together."""

    finding: JsonObject
    subject: str
    kind: AlertKind
    severity: Severity
    title: str
    mailboxes: list[str] = field(default_factory=list)
    profiles: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WhatIsWrong:
    """The conditions in which some mailboxes are, and of what nothing more can be said now."""

    conditions: tuple[AlertCondition, ...]
    unlooked: frozenset[str]
    """Addresses of the mailboxes of which an endpoint was not looked at yet."""
    unknown: frozenset[str]
    """Subjects of which a failure may be hidden by another, as of a server that does not answer."""
    is_unread: bool
    """Whether Dynamics' records could not be read, so that nothing of them is over."""


def what_is_wrong(told: PublishedPart, since: Mapping[str, datetime], unlooked: Collection[str]) -> WhatIsWrong:
    """What is wrong with the mailboxes of a part of an estate.

    `since` has the time since which an endpoint or account is as it is, where that is known; `unlooked` the endpoints that were not looked at yet:
    mailboxes behind them are left out.
    """
    run, alike, known, on = told.run, told.alike, told.known, told.run.judged_at
    assert run.estate is not None
    not_told_of = [one for one in run.estate.mailboxes if _is_unlooked(run.estate, one, unlooked)]
    left_out = frozenset(one.address for one in not_told_of)
    causes: dict[str, _DrawnCause] = {}
    # What is wrong with the other endpoint of such a mailbox, or with its profile, no mailbox may tell.
    behind = (subject for one in not_told_of for subject in _behind(run.estate, one))
    unknown = {*left_out, *unlooked, *behind}
    for assessment in told.document["assessments"]:
        if assessment["mailbox"] in left_out:
            continue
        found = _Troubles(assessment, known, on)
        if found.silent:
            unknown |= {*found.silent, profile_subject(assessment["profile"]), *alike[assessment["mailbox"]]}
        for key, cause in found.causes():
            drawn = causes.setdefault(key, cause)
            drawn.severity = max(drawn.severity, cause.severity, key=lambda severity: severity.rank)
            drawn.mailboxes += alike[assessment["mailbox"]]
            drawn.profiles[assessment["profile"]] = None
    conditions = tuple(_condition(key, cause, known, on, since, run) for key, cause in causes.items())
    is_unread = any(key.split("|")[1] == UNREAD for key in causes)
    return WhatIsWrong(conditions, left_out or _NONE, frozenset(unknown) or _NONE, is_unread)


def _is_unlooked(estate: Estate, mailbox: Mailbox, unlooked: Collection[str]) -> bool:
    """Whether an endpoint that serves a mailbox was not looked at yet, so that little can be said of the mailbox."""
    incoming, outgoing = estate.endpoints_of(mailbox)
    return (mailbox.uses_incoming and incoming.url in unlooked) or (mailbox.uses_outgoing and outgoing.url in unlooked)


def _behind(estate: Estate, mailbox: Mailbox) -> Iterator[str]:
    yield from (endpoint.url for endpoint in estate.endpoints_of(mailbox))
    yield profile_subject(mailbox.profile)


def merged(conditions: Iterable[AlertCondition]) -> list[AlertCondition]:
    """The conditions, those with one key as one."""
    found: dict[str, AlertCondition] = {}
    for one in conditions:
        before = found.get(one.key)
        found[one.key] = one if before is None else _together(before, one)
    return list(found.values())


def _together(one: AlertCondition, other: AlertCondition) -> AlertCondition:
    mailboxes = tuple(dict.fromkeys((*one.mailboxes, *other.mailboxes)))
    return replace(one, mailboxes=mailboxes, profiles=tuple(dict.fromkeys((*one.profiles, *other.profiles))))


class _Troubles:
    """What is wrong with one mailbox."""

    def __init__(self, assessment: JsonObject, known: Known, on: date) -> None:
        self._assessment = assessment
        self._on = on
        self._findings = list(known.findings(assessment))
        self._support, self._readiness = Support(assessment["support"]), Readiness(assessment["readiness"])
        self.silent: dict[str, list[tuple[JsonObject, JsonObject]]] = {}
        """Endpoints that did not tell what was asked because something befell the conversation, each with findings and the gaps that they rest on."""
        for finding in self._findings:
            for gap in finding["because"]:
                if gap.get("why") in _BEFELL and "://" in gap["subject"]:
                    self.silent.setdefault(gap["subject"], []).append((finding, gap))

    def causes(self) -> Iterator[tuple[str, _DrawnCause]]:
        """Each cause with the key of its condition."""
        silent = dict(self.silent)
        for finding in self._findings:
            otherwise = Otherwise(finding["otherwise"])
            if finding["rule"] == UNREAD and finding["result"] == Result.UNKNOWN:
                yield self._cause(UNREAD, DEPLOYMENT_SUBJECT, finding, AlertKind.DYNAMICS)
            if finding["result"] != Result.FAILS or root_of(finding, self._findings) is not None:
                continue
            if otherwise is Otherwise.NOT_READY:
                for subject in subjects_of(finding, self._assessment["profile"]):
                    is_silence = finding["rule"] in SILENCE
                    if is_silence:
                        silent.pop(subject, None)
                    yield self._cause(SILENT if is_silence else finding["rule"], subject, finding)
            elif otherwise is Otherwise.ADVICE:
                if finding["rule"] in TOLD_OF_DYNAMICS:
                    for subject in subjects_of(finding, self._assessment["profile"]):
                        yield self._cause(finding["rule"], subject, finding, AlertKind.DYNAMICS)
            elif not self.silent:
                # What is known of support hangs on all endpoints, and is as it was while one does not answer.
                for subject in subjects_of(finding, self._assessment["profile"]):
                    yield self._cause(finding["rule"], subject, finding)
        for subject, left_open in silent.items():
            mattering = [one for one in left_open if one[0]["result"] == Result.UNKNOWN and matters(one[0], self._support, self._readiness)]
            for finding, gap in mattering[:1]:
                title = reason_in_words(Why(gap["why"]), (subject,), "")
                cause = _DrawnCause({**finding, "because": [gap]}, subject, AlertKind.VERDICT, Severity.WARNING, title)
                yield f"{AlertKind.VERDICT}|{SILENT}|{subject}", cause

    def _cause(self, rule: str, subject: str, finding: JsonObject, kind: AlertKind = AlertKind.VERDICT) -> tuple[str, _DrawnCause]:
        where = subject if "://" in subject else ""
        title = ": ".join(filter(None, (where, finding["title"])))
        return f"{kind}|{rule}|{subject}", _DrawnCause(finding, subject, kind, _SEVERITY[Otherwise(finding["otherwise"])], title)


def _condition(key: str, cause: _DrawnCause, known: Known, on: date, since: Mapping[str, datetime], run: Run) -> AlertCondition:
    finding, mailboxes = cause.finding, list(dict.fromkeys(cause.mailboxes))
    gaps = [cited for cited in finding["because"] if "why" in cited]
    if finding["result"] == Result.UNKNOWN and finding["rule"] != UNREAD:
        remedy, words = WHAT_TO_DO[Why(gaps[0]["why"])], [gaps[0]["detail"]]
    else:
        remedy = remedy_for(finding, mailboxes[0], known, on, quotes_peers=False)
        seen = with_what_was_seen(finding, on)
        words = list(_words(finding["because"], "" if seen == finding["title"] else seen))
        if finding["rule"] == "disabled-by-an-error":
            remedy = enabling_again(run, mailboxes, since) or remedy
    return AlertCondition(
        key=key,
        kind=cause.kind,
        severity=cause.severity,
        subject=cause.subject,
        title=cause.title,
        cause="; ".join(dict.fromkeys(WHY_IN_WORDS[Why(gap["why"])] for gap in gaps if gap["why"] in _BEFELL)) or finding["title"],
        words="\n".join(words),
        remedy=remedy,
        path=page_of(_account_of(finding["because"], cause.subject) or cause.subject),
        mailboxes=tuple(mailboxes),
        profiles=tuple(cause.profiles),
        since=since.get(cause.subject),
    )


def _account_of(because: Sequence[JsonObject], subject: str) -> str | None:
    """The mailbox with whose account was found what a failure rests on, or of which Dynamics said it: its page has the words, and that of the endpoint has not."""
    cited = (reading["mailbox"] or (None if "://" in subject else reading["subject"]) for reading in because)
    return next((address for address in cited if address and "@" in address), None)


def _words(because: Sequence[JsonObject], seen: str) -> Iterator[str]:
    """What servers said that a failure rests on; `seen` is the most telling value."""
    said = (evidence["excerpt"] for cited in because for evidence in cited.get("evidence", ()))
    told = (str(cited["value"]) for cited in because if cited["key"] == v.DYNAMICS_LAST_ERROR.name and "value" in cited)
    detail = (cited["detail"] for cited in because if "why" in cited and cited["detail"])
    yield from list(dict.fromkeys(filter(None, (*told, seen, *said, *detail))))[:_MOST_WORDS]
