"""What is wrong, out of what is known: one condition for each cause, however many mailboxes it is the cause for. Pure in the run.

Which failures there are, and which follow from which, is what rules and reports say; nothing is judged here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from probe.alerts import AlertKind, Condition, Severity
from probe.document import publish
from probe.document.index import JsonObject
from probe.document.telling.blocks import matters
from probe.document.telling.groups import with_what_was_seen
from probe.document.telling.known import Known
from probe.document.telling.names import remedy_for
from probe.document.telling.roots import root_of
from probe.document.telling.words import WHAT_TO_DO, WHY_IN_WORDS, endpoints_of, reason_in_words
from probe.model import vocabulary as v
from probe.model.estate import DEPLOYMENT_SUBJECT, Endpoint, profile_subject
from probe.model.facts import Why
from probe.model.rules import Otherwise, Readiness, Result, Support
from probe.model.runs import Run
from probe.outlook import representatives
from probe.service.dynamics import enabling_again

TOLD_OF_DYNAMICS = ("asynchronous-service-idle", "disabled-by-an-error", "dynamics-records-not-read", "mailbox-without-row")
"""Rules that only advise, and whose failure somebody must hear of: Dynamics has stopped for a mailbox, or for all."""
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


@dataclass(slots=True)
class _Cause:
    """A condition as it is drawn together."""

    finding: JsonObject
    subject: str
    kind: AlertKind
    severity: Severity
    title: str
    mailboxes: list[str] = field(default_factory=list)
    profiles: dict[str, None] = field(default_factory=dict)


def endpoint_id(url: str) -> str:
    """The id of an endpoint in addresses of pages and of the API (contract, *The service*)."""
    return hashlib.sha256(url.encode()).hexdigest()[:12]


def page_of(subject: str) -> str:
    """The path of the page that shows a subject."""
    if "://" in subject:
        return f"/e/{endpoint_id(subject)}"
    return f"/m/{subject}" if "@" in subject else "/"


def conditions_of(run: Run, since: Mapping[str, datetime]) -> list[Condition]:
    """Every condition in which the mailboxes of a run are. `since` has the time since which an endpoint or account is as it is, where that is known."""
    alike, small = representatives(run)
    chosen = tuple(assessment for assessment in run.assessments if assessment.mailbox in alike)
    document, on = publish(replace(small, assessments=chosen)), run.judged_at
    known = Known(document)
    causes: dict[str, _Cause] = {}
    for assessment in document["assessments"]:
        for key, cause in _causes_of(assessment, known, on):
            told = causes.setdefault(key, cause)
            told.mailboxes += alike[assessment["mailbox"]]
            told.profiles[assessment["profile"]] = None
    return [_condition(key, cause, known, on, since, run) for key, cause in causes.items()]


def merged(conditions: Iterable[Condition]) -> list[Condition]:
    """The conditions, those with one key as one."""
    found: dict[str, Condition] = {}
    for one in conditions:
        before = found.get(one.key)
        found[one.key] = one if before is None else _together(before, one)
    return list(found.values())


def _together(one: Condition, other: Condition) -> Condition:
    mailboxes = tuple(dict.fromkeys((*one.mailboxes, *other.mailboxes)))
    return replace(one, mailboxes=mailboxes, profiles=tuple(dict.fromkeys((*one.profiles, *other.profiles))))


def _causes_of(assessment: JsonObject, known: Known, on: date) -> Iterator[tuple[str, _Cause]]:
    findings = list(known.findings(assessment))
    support, readiness = Support(assessment["support"]), Readiness(assessment["readiness"])
    for finding in findings:
        otherwise = Otherwise(finding["otherwise"])
        subject = _subject_of(finding, assessment)
        if finding["result"] == Result.FAILS:
            if otherwise is Otherwise.ADVICE and finding["rule"] not in TOLD_OF_DYNAMICS:
                continue
            if root_of(finding, findings) is not None:
                continue
            kind = AlertKind.DYNAMICS if otherwise is Otherwise.ADVICE else AlertKind.VERDICT
            cause = _Cause(finding, subject, kind, _SEVERITY[otherwise], _title(finding))
            yield f"{kind}|{finding['rule']}|{subject}", cause
        elif finding["result"] == Result.UNKNOWN and matters(finding, support, readiness):
            for gap in (cited for cited in finding["because"] if "why" in cited):
                if gap["why"] in _BEFELL and "://" in gap["subject"]:
                    title = reason_in_words(Why(gap["why"]), (gap["subject"],), "")
                    yield (
                        f"{AlertKind.VERDICT}|{gap['why']}|{gap['subject']}",
                        _Cause({**finding, "because": [gap]}, gap["subject"], AlertKind.VERDICT, Severity.WARNING, title),
                    )
                    break


def _subject_of(finding: JsonObject, assessment: JsonObject) -> str:
    """What a failure is of: an endpoint where it cites one, else the deployment or the profile."""
    urls = endpoints_of(finding)
    if urls:
        return urls[0]
    cited = {reading["subject"] for reading in finding["because"]}
    return DEPLOYMENT_SUBJECT if cited == {DEPLOYMENT_SUBJECT} else profile_subject(assessment["profile"])


def _condition(key: str, cause: _Cause, known: Known, on: date, since: Mapping[str, datetime], run: Run) -> Condition:
    finding, mailboxes = cause.finding, list(dict.fromkeys(cause.mailboxes))
    gaps = [cited for cited in finding["because"] if "why" in cited]
    if finding["result"] == Result.UNKNOWN:
        remedy, words = WHAT_TO_DO[Why(gaps[0]["why"])], [gaps[0]["detail"]]
    else:
        remedy = remedy_for(finding, mailboxes[0], known, on)
        words = list(_words(finding["because"], with_what_was_seen(finding, on)))
        if finding["rule"] == "disabled-by-an-error":
            remedy = enabling_again(run, mailboxes, since) or remedy
    return Condition(
        key=key,
        kind=cause.kind,
        severity=cause.severity,
        subject=cause.subject,
        title=cause.title,
        cause="; ".join(dict.fromkeys(WHY_IN_WORDS[Why(gap["why"])] for gap in gaps if gap["why"] in _BEFELL)) or finding["title"],
        words="\n".join(words),
        remedy=remedy,
        path=page_of(cause.subject),
        mailboxes=tuple(mailboxes),
        profiles=tuple(cause.profiles),
        since=since.get(cause.subject),
    )


def _title(finding: JsonObject) -> str:
    """What failed, and where: words of ours alone."""
    hosts = ", ".join(dict.fromkeys(Endpoint.parse(url).origin for url in endpoints_of(finding)))
    return ": ".join(filter(None, (hosts, finding["title"])))


def _words(because: Sequence[JsonObject], seen: str) -> Iterator[str]:
    """What servers said that a failure rests on; `seen` is the most telling value."""
    said = (evidence["excerpt"] for cited in because for evidence in cited.get("evidence", ()))
    told = (str(cited["value"]) for cited in because if cited["key"] == v.DYNAMICS_LAST_ERROR.name and "value" in cited)
    detail = (cited["detail"] for cited in because if "why" in cited and cited["detail"])
    yield from list(dict.fromkeys((*told, seen, *said, *detail)))[:_MOST_WORDS]
