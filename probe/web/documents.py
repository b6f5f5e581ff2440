"""The parts of the newest state as the API gives them. Pure in the state."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import NamedTuple
from urllib.parse import quote

from probe.document import publish, rule_form
from probe.history.telling import as_time
from probe.model.attempts import Outcome
from probe.model.endpoints import endpoint_id
from probe.model.estate import DEPLOYMENT_SUBJECT, Endpoint, Estate, Mailbox, profile_subject
from probe.model.rules import Assessment, Rule, SignedIn, Support
from probe.model.runs import Run
from probe.outlook import Coming
from probe.web.access import API
from probe.web.ahead import Ahead, coming_id
from probe.web.causes import CauseLine, status_word
from probe.web.explaining import verdict_form
from probe.web.parts import JsonForm
from probe.web.problems import RequestProblem
from probe.web.state import EstateState
from probe.web.watch import LastLook

VerdictCount = tuple[tuple[str, str, str], int]
"""How many mailboxes have a profile and a verdict on support and readiness."""


class SignInTimes(NamedTuple):
    """What the service knows of the sign-ins of a mailbox's account."""

    at: datetime | None
    """When it signed in last and found what is told; None where that is told by its attempts alone, or not known."""
    following: Callable[[datetime | None], datetime | None]
    """When it does so next, by when it did last; None where it never does."""


_MOST_CAUSES = 50
_MOST_NAMED = 10
"""Addresses that stand for a group."""


def page(names: Sequence[str], after: str | None, limit: int) -> tuple[Sequence[str], str | None]:
    """Those of some sorted names that follow one, which need not be among them, and the last of them where there are more."""
    start = 0 if after is None else bisect_right(names, after)
    found = names[start : start + limit]
    return found, found[-1] if start + limit < len(names) else None


def summary(state: EstateState) -> JsonForm:
    """The estate in short, but for what comes."""
    by_profile: dict[str, list[VerdictCount]] = {profile.name: [] for profile in state.names.estate.profiles}
    for part in state.parts:
        for verdict, number in part.verdicts.items():
            by_profile.setdefault(verdict[0], []).append((verdict, number))
    causes = _causes(state)
    return {
        "deployment": state.names.estate.deployment.name,
        "as_of": as_time(state.run.finished),
        "judged_at": state.run.judged_at.isoformat(),
        "from": state.run.host,
        **_counts(chain.from_iterable(by_profile.values())),
        "profiles": [{"profile": name, **_counts(of_it)} for name, of_it in by_profile.items()],
        "worst": causes[:_MOST_CAUSES],
        "causes": len(causes),
        "unjudged": state.unjudged,
    }


def coming_up(ahead: Ahead) -> JsonForm:
    """What comes, for the estate in short."""
    return {"coming": [*map(coming_line, ahead.coming)], "coming_as_of": _as_of(ahead)}


def coming_line(one: Coming) -> JsonForm:
    """Something that comes."""
    return {
        "id": coming_id(one),
        "on": one.day.isoformat(),
        "rule": one.rule,
        "otherwise": one.otherwise.value,
        "words": one.words,
        "endpoints": [*one.endpoints],
        "mailboxes": len(one.mailboxes),
        "first": [*one.mailboxes[:_MOST_NAMED]],
        "remedy": one.remedy,
    }


def span_of(ahead: Ahead) -> JsonForm:
    """Of what is told of what comes, from when to when it is, and what it is worked out of."""
    return {
        "from": ahead.start.isoformat(),
        "until": ahead.until.isoformat(),
        **worked_out_of(ahead),
        "unseen": len(ahead.unseen),
    }


def worked_out_of(ahead: Ahead) -> JsonForm:
    """What is told of what comes is worked out of so much of the estate, as it was then."""
    return {"as_of": _as_of(ahead), "worked_out": ahead.worked_out, "parts": ahead.parts}


def _as_of(ahead: Ahead) -> str | None:
    return None if ahead.known is None else as_time(ahead.known)


def _counts(verdicts: Iterable[VerdictCount]) -> JsonForm:
    support: Counter[str] = Counter()
    readiness: Counter[str] = Counter()
    for (_, of_support, of_readiness), number in verdicts:
        support[of_support] += number
        readiness[of_readiness] += number
    return {"mailboxes": support.total(), "support": dict(support), "readiness": dict(readiness)}


def _causes(state: EstateState) -> list[JsonForm]:
    return [
        {
            "id": line.id,
            "support": group.first.support.value,
            "readiness": group.first.readiness.value,
            "cause": group.cause[0],
            "mailboxes": len(line.addresses),
            "first": line.addresses[:_MOST_NAMED],
        }
        for group, line in zip(state.causes.groups, state.causes.lines, strict=True)
        if not group.first.is_good and group.first.support is not Support.NOT_ASSESSED
    ]


def cause_line(line: CauseLine) -> JsonForm:
    """A cause, as the estate's page tells it."""
    return {
        "id": line.id,
        "status": status_word(line.status),
        "cause": line.words,
        "mailboxes": len(line.addresses),
        "first": line.addresses[:_MOST_NAMED],
        "step": line.step,
    }


def judged_mailbox(state: EstateState, name: str) -> tuple[Mailbox, Assessment]:
    """The mailbox of the estate with this address or id, and what came of it. Raises RequestProblem."""
    mailbox = state.names.mailbox(name)
    if mailbox is None:
        raise RequestProblem(404, "the estate has no such mailbox")
    assessment = state.assessment(mailbox)
    if assessment is None:
        raise RequestProblem(503, "this mailbox is not judged yet since the service began; ask again in a moment", {"Retry-After": "5"})
    return mailbox, assessment


def mailbox_line(in_short: JsonForm, mailbox: Mailbox) -> JsonForm:
    """A mailbox in short."""
    return {"mailbox": mailbox.address, "profile": mailbox.profile, **in_short, "id": mailbox.id}


def mailbox_detail(
    state: EstateState,
    mailbox: Mailbox,
    assessment: Assessment,
    timeline: Sequence[JsonForm],
    since: datetime | None,
    sign_in: SignInTimes,
) -> JsonForm:
    """A mailbox, with all that its verdict rests on."""
    document, ends = mailbox_document(state, mailbox, assessment), urls_of(state.names.estate, mailbox)
    return {
        "mailbox": document["estate"]["mailboxes"][0],
        "profile": document["estate"]["profiles"][0],
        "assessment": document["assessments"][0],
        "endpoints": [{"id": endpoint_id(url), "subject": url} for url in ends],
        "rules": document["rules"],
        "facts": document["facts"],
        "missing": document["missing"],
        "attempts": document["attempts"],
        "elsewhere": _elsewhere(state, mailbox.address, document),
        "timeline": [*timeline],
        "since": None if since is None else as_time(since),
        "verdict": verdict_form(document, assessment, state.judged_at(mailbox)),
        "sign_in": _sign_in(document, sign_in),
    }


def signed_in_at(document: JsonForm) -> datetime | None:
    """When the account of the one mailbox of a document signed in last or was refused; None where neither is known."""
    (assessment,) = document["assessments"]
    if assessment["signed_in"] not in (SignedIn.YES, SignedIn.REFUSED):
        return None
    held = (one for one in document["attempts"] if one["mailbox"] == assessment["mailbox"] and one["outcome"] != Outcome.NOT_SCHEDULED)
    return max((datetime.fromisoformat(one["at"]) for one in held if "://" in one["subject"]), default=None)


def _sign_in(document: JsonForm, times: SignInTimes) -> JsonForm:
    at = times.at or signed_in_at(document)
    following = times.following(at)
    return {"at": None if at is None else as_time(at), "next": None if following is None else as_time(following)}


def mailbox_document(state: EstateState, mailbox: Mailbox, assessment: Assessment) -> JsonForm:
    """What is known of a mailbox and of all that it rests on, as the document of a run."""
    estate = state.names.estate
    about = (DEPLOYMENT_SUBJECT, profile_subject(mailbox.profile), mailbox.address, *urls_of(estate, mailbox))
    narrowed = replace(estate, mailboxes=(mailbox,), profiles=(estate.profile_of(mailbox),))
    known, judged_at = _part_of(state, about, mailbox.address), state.judged_at(mailbox)
    return publish(replace(known, estate=narrowed, judged_at=judged_at, assessments=(assessment,)))


def endpoint_document(state: EstateState, endpoint: Endpoint) -> JsonForm:
    """What is known of an endpoint itself, as the document of a look."""
    return publish(replace(_part_of(state, (endpoint.url,), None), estate=None, assessments=()))


def urls_of(estate: Estate, mailbox: Mailbox) -> tuple[str, ...]:
    """The endpoints that a mailbox has, by URL."""
    return tuple(dict.fromkeys(endpoint.url for endpoint in estate.endpoints_of(mailbox)))


def endpoint_line(state: EstateState, endpoint: Endpoint, last: LastLook | None) -> JsonForm:
    """An endpoint in short."""
    return {
        **state.endpoint_in_short(endpoint.url),
        "last_look": None if last is None else {"at": as_time(last.at), "seconds": round(last.seconds, 3)},
        "mailboxes": state.names.served[endpoint.url],
    }


def endpoint_detail(
    state: EstateState, endpoint: Endpoint, last: LastLook | None, timeline: Sequence[JsonForm], latencies: Sequence[JsonForm]
) -> JsonForm:
    """An endpoint, with what is known of it."""
    document = endpoint_document(state, endpoint)
    profiles = [profile.name for profile in state.names.estate.profiles if endpoint in (profile.incoming, profile.outgoing)]
    return {
        **endpoint_line(state, endpoint, last),
        "profiles": profiles,
        "facts": document["facts"],
        "missing": document["missing"],
        "attempts": document["attempts"],
        "elsewhere": _elsewhere(state, endpoint.url, document),
        "timeline": [*timeline],
        "latencies": [*latencies],
    }


def _elsewhere(state: EstateState, subject: str, document: JsonForm) -> dict[str, str]:
    """The attempts that facts of a document cite and that it does not have, being those of other accounts: for each the path of the answer that has it."""
    told = [*document["facts"], *(claim for gap in document["missing"] for claim in gap["claims"])]
    cited = {one["attempt"] for fact in told for one in (fact, *fact["evidence"])}
    left = cited - {None, *(attempt["id"] for attempt in document["attempts"])}
    found = ((name, state.attempt(subject, name)) for name in sorted(left))
    return {name: _place_of(attempt.mailbox or attempt.subject) for name, attempt in found if attempt is not None}


def _place_of(subject: str) -> str:
    """The path at which the API tells of an endpoint or a mailbox, by its URL or its address."""
    return f"{API}endpoints/{endpoint_id(subject)}" if "://" in subject else f"{API}mailboxes/{quote(subject, safe='@')}"


def _part_of(state: EstateState, subjects: Iterable[str], account: str | None) -> Run:
    """The newest state of some subjects, and of one account at them."""
    wanted = [*subjects]
    return replace(
        state.run,
        attempts=tuple(one for subject in wanted for one in state.attempts_with(subject) if one.mailbox in (None, account)),
        readings=tuple(one for subject in wanted for one in state.readings_of(subject) if one.mailbox in (None, account)),
    )


def rule_detail(rule: Rule) -> JsonForm:
    """A rule, and what it looks at."""
    needs: Mapping[str, Sequence[str]] = {
        part: sorted(key.name for key in getattr(rule.needs, part)) for part in ("deployment", "profile", "mailbox", "incoming", "outgoing")
    }
    return {"id": rule.id, **rule_form(rule), "needs": needs}
