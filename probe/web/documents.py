"""The parts of the newest state as the API gives them. Pure in the state."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from itertools import chain

from probe import app
from probe.document import publish, rule_form
from probe.document.telling.groups import grouped
from probe.history.telling import as_time
from probe.model.endpoints import endpoint_id
from probe.model.estate import DEPLOYMENT_SUBJECT, Endpoint, Estate, Mailbox, profile_subject
from probe.model.rules import Assessment, Rule, Support
from probe.model.runs import Run
from probe.web.ahead import Ahead
from probe.web.parts import JsonForm
from probe.web.problems import RequestProblem
from probe.web.state import EstateState
from probe.web.watch import LastLook

VerdictCount = tuple[tuple[str, str, str], int]
"""How many mailboxes have a profile and a verdict on support and readiness."""

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
        **_counts(chain.from_iterable(by_profile.values())),
        "profiles": [{"profile": name, **_counts(of_it)} for name, of_it in by_profile.items()],
        "worst": causes[:_MOST_CAUSES],
        "causes": len(causes),
        "unjudged": state.unjudged,
    }


def coming_up(ahead: Ahead) -> JsonForm:
    """What comes, for the estate in short."""
    return {
        "coming": [
            {
                "on": one.day.isoformat(),
                "rule": one.rule,
                "otherwise": one.otherwise.value,
                "words": one.words,
                "endpoints": [*one.endpoints],
                "mailboxes": len(one.mailboxes),
                "first": [*one.mailboxes[:_MOST_NAMED]],
                "remedy": one.remedy,
            }
            for one in ahead.coming
        ],
        "coming_as_of": None if ahead.known is None else as_time(ahead.known),
    }


def _counts(verdicts: Iterable[VerdictCount]) -> JsonForm:
    support: Counter[str] = Counter()
    readiness: Counter[str] = Counter()
    for (_, of_support, of_readiness), number in verdicts:
        support[of_support] += number
        readiness[of_readiness] += number
    return {"mailboxes": support.total(), "support": dict(support), "readiness": dict(readiness)}


def _causes(state: EstateState) -> list[JsonForm]:
    blocks = [one for one in state.blocks if not one.block.is_good and one.block.support is not Support.NOT_ASSESSED]
    return [
        {
            "support": group.first.support.value,
            "readiness": group.first.readiness.value,
            "cause": group.cause[0],
            "mailboxes": len(group.addresses),
            "first": group.addresses[:_MOST_NAMED],
        }
        for group in grouped((one.block, one.cause, one.beside) for one in blocks)
    ]


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
    state: EstateState, mailbox: Mailbox, assessment: Assessment, timeline: Sequence[JsonForm], since: datetime | None
) -> JsonForm:
    """A mailbox, with all that its verdict rests on."""
    document, ends = mailbox_document(state, mailbox, assessment), urls_of(state.names.estate, mailbox)
    return {
        "mailbox": document["estate"]["mailboxes"][0],
        "assessment": document["assessments"][0],
        "endpoints": [{"id": endpoint_id(url), "subject": url} for url in ends],
        "rules": document["rules"],
        "facts": document["facts"],
        "missing": document["missing"],
        "attempts": document["attempts"],
        "timeline": [*timeline],
        "since": None if since is None else as_time(since),
    }


def mailbox_document(state: EstateState, mailbox: Mailbox, assessment: Assessment) -> JsonForm:
    """What is known of a mailbox and of all that it rests on, as the document of a run."""
    estate = state.names.estate
    about = (DEPLOYMENT_SUBJECT, profile_subject(mailbox.profile), mailbox.address, *urls_of(estate, mailbox))
    narrowed = replace(estate, mailboxes=(mailbox,), profiles=(estate.profile_of(mailbox),))
    return publish(replace(_part_of(state, about, mailbox.address), estate=narrowed, assessments=(assessment,)))


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
        "timeline": [*timeline],
        "latencies": [*latencies],
    }


def _part_of(state: EstateState, subjects: Iterable[str], account: str | None) -> Run:
    """The newest state of some subjects, and of one account at them."""
    wanted = [*subjects]
    return replace(
        state.run,
        attempts=tuple(one for subject in wanted for one in state.attempts_with(subject) if one.mailbox in (None, account)),
        readings=tuple(one for subject in wanted for one in state.readings_of(subject) if one.mailbox in (None, account)),
    )


@cache
def rules_by_id() -> Mapping[str, Rule]:
    """Every rule."""
    return app.rules()


def rule_detail(rule: Rule) -> JsonForm:
    """A rule, and what it looks at."""
    needs: Mapping[str, Sequence[str]] = {
        part: sorted(key.name for key in getattr(rule.needs, part)) for part in ("deployment", "profile", "mailbox", "incoming", "outgoing")
    }
    return {"id": rule.id, **rule_form(rule), "needs": needs}
