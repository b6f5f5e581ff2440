"""Finds the days on which the verdicts of a run change because a date passes, be it in a fact or in a rule.

Nothing is reckoned here that a rule knows: the run is judged again for days to come, and what then newly fails is what comes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from probe.document import publish
from probe.document.index import JsonObject
from probe.document.telling.groups import headline
from probe.document.telling.known import Known
from probe.document.telling.names import remedy_for
from probe.document.telling.roots import root_of
from probe.document.telling.words import endpoints_of
from probe.engine.again import judge_again
from probe.engine.judge import Ruleset
from probe.model.estate import Mailbox
from probe.model.facts import Missing, Reading
from probe.model.rules import Finding, Otherwise, Result
from probe.model.runs import Run
from probe.model.values import dataclass

_STEP = timedelta(days=28)
"""What fails for a shorter time, and then no more, is not found. No rule has such a time: the shortest warning lasts 30 days."""

_Failing = Mapping[tuple[str, str], Finding]
"""What fails, by mailbox and rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """Something that begins to fail on a day."""

    day: date
    rule: str
    title: str
    otherwise: Otherwise
    """What the failure means for the mailboxes."""
    words: str
    """The title with what was seen, and where."""
    endpoints: tuple[str, ...]
    remedy: str
    """With the estate's names, for the first mailbox."""
    mailboxes: tuple[str, ...]


def outlook(run: Run, ruleset: Ruleset, until: date) -> list[Coming]:
    """What begins to fail after the day for which a run was judged, to a last day, the earliest first.

    Advice that ends by itself before the last day is left out: it has warned of what is told on its own day.
    """
    alike, small = representatives(run)
    judged = {day: _judged(small, ruleset, day) for day in (run.judged_at, max(until, run.judged_at))}
    in_the_end = judged[max(judged)][1]
    found: list[Coming] = []
    for before, after in _changes(small, ruleset, judged, run.judged_at, until):
        new = {
            key
            for key, finding in judged[after][1].items()
            if key not in judged[before][1] and (finding.rule.otherwise is not Otherwise.ADVICE or key in in_the_end)
        }
        found += _told(judged[after][0], new, alike)
    return found


def representatives(run: Run) -> tuple[dict[str, tuple[str, ...]], Run]:
    """One representative for each group of mailboxes that are alike, with the whole group; and the run reduced to the representatives.

    Mailboxes of one profile are alike of which the same was found, each of its own account, noise over time apart. What is concluded of one then holds
    of all, on every day.
    """
    assert run.estate is not None
    own: dict[str, list[tuple[Any, ...]]] = {mailbox.address: _declared(mailbox) for mailbox in run.estate.mailboxes}
    for reading in run.readings:
        address = reading.mailbox or reading.subject
        if address in own:
            own[address].append(_content(reading))
    groups: dict[tuple[Any, ...], list[str]] = {}
    for one in run.assessments:
        results = tuple((finding.rule.id, finding.result) for finding in one.findings)
        same = (one.profile, one.support, one.readiness, one.signed_in, results, *sorted(own[one.mailbox], key=repr))
        groups.setdefault(same, []).append(one.mailbox)
    alike = {addresses[0]: tuple(addresses) for addresses in groups.values()}
    return alike, _reduced(run, alike)


def _declared(mailbox: Mailbox) -> list[tuple[Any, ...]]:
    """What the estate says of a mailbox, but for its names."""
    return [(mailbox.incoming, mailbox.outgoing, mailbox.appointments, mailbox.location, mailbox.mfa, mailbox.ews_url)]


def _content(reading: Reading) -> tuple[Any, ...]:
    """What a reading says, whichever mailbox it is of."""
    where, key = "" if reading.mailbox is None else reading.subject, reading.key
    if isinstance(reading, Missing):
        return where, key.name, reading.why.value, reading.detail
    return where, key.name, repr(key.lasting(reading.value))


def _reduced(run: Run, alike: Mapping[str, tuple[str, ...]]) -> Run:
    """A run of the representatives alone."""
    assert run.estate is not None
    dropped = {mailbox.address for mailbox in run.estate.mailboxes} - alike.keys()
    readings = tuple(r for r in run.readings if r.subject not in dropped and r.mailbox not in dropped)
    estate = replace(run.estate, mailboxes=tuple(m for m in run.estate.mailboxes if m.address in alike))
    assessments = tuple(a for a in run.assessments if a.mailbox in alike)
    asked = replace(run.asked, mailboxes=None)
    return replace(run, estate=estate, readings=readings, attempts=(), assessments=assessments, asked=asked)


def _judged(run: Run, ruleset: Ruleset, on: date) -> tuple[Run, _Failing]:
    assert run.estate is not None
    judged = judge_again(run, run.estate, ruleset, on)
    return judged, {(a.mailbox, f.rule.id): f for a in judged.assessments for f in a.findings if f.result is Result.FAILS}


def _changes(run: Run, ruleset: Ruleset, judged: dict[date, tuple[Run, _Failing]], first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield each pair of consecutive days between which the set of failing rules changes; `judged` then holds both."""
    before = first
    while before < last:
        after = min(before + _STEP, last)
        if after not in judged:
            judged[after] = _judged(run, ruleset, after)
        yield from _between(run, ruleset, judged, before, after)
        before = after


def _between(
    run: Run, ruleset: Ruleset, judged: dict[date, tuple[Run, _Failing]], before: date, after: date
) -> Iterator[tuple[date, date]]:
    if judged[before][1].keys() == judged[after][1].keys():
        return
    if (after - before).days == 1:
        yield before, after
        return
    middle = before + (after - before) // 2
    judged[middle] = _judged(run, ruleset, middle)
    yield from _between(run, ruleset, judged, before, middle)
    yield from _between(run, ruleset, judged, middle, after)


def _told(run: Run, new: Collection[tuple[str, str]], alike: Mapping[str, tuple[str, ...]]) -> list[Coming]:
    """The new failures of a run, one for all mailboxes with the same failure. A failure that follows from another is left out."""
    document, on = publish(run), run.judged_at
    known = Known(document)
    told: dict[tuple[str, str], tuple[JsonObject, list[str], list[str]]] = {}
    for assessment in document["assessments"]:
        findings = list(known.findings(assessment))
        for finding in findings:
            if (assessment["mailbox"], finding["rule"]) in new and root_of(finding, findings) is None:
                _, endpoints, mailboxes = told.setdefault((finding["rule"], headline(finding, on)[0]), (finding, [], []))
                endpoints += endpoints_of(finding)
                mailboxes += alike[assessment["mailbox"]]
    return [
        Coming(
            day=on,
            rule=rule,
            title=finding["title"],
            otherwise=Otherwise(finding["otherwise"]),
            words=words,
            endpoints=tuple(dict.fromkeys(endpoints)),
            remedy=remedy_for(finding, mailboxes[0], known, on),
            mailboxes=tuple(mailboxes),
        )
        for (rule, words), (finding, endpoints, mailboxes) in told.items()
    ]
