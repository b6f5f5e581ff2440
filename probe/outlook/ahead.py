"""Finds the days on which the verdicts of a run change because a date passes, be it in a fact or in a rule.

Nothing is reckoned here that a rule knows: the run is judged again for days to come, and what then newly fails is what comes.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import chain
from typing import Any

from probe.document import publish
from probe.document.index import JsonObject
from probe.document.telling.coming import Coming, Unseen
from probe.document.telling.groups import headline
from probe.document.telling.known import Known
from probe.document.telling.names import remedy_for
from probe.document.telling.roots import root_of
from probe.document.telling.words import CITED_LIMIT, bounded, endpoints_of, gap_in_words, subjects_of
from probe.engine.again import judge_again
from probe.engine.judge import Ruleset
from probe.engine.reasoning import value_of
from probe.model import vocabulary as v
from probe.model.facts import Fact, Missing, Reading, Why
from probe.model.inferences import InferenceScope
from probe.model.rules import Finding, Otherwise, Result
from probe.model.runs import Run

_STEP = timedelta(days=28)
"""What fails for a shorter time, and then no more, is not found. No rule has such a time: the shortest warning lasts 30 days."""

FAR = timedelta(days=2 * 365)
"""How far a calendar looks."""

_Failing = Mapping[tuple[str, str], Finding]
"""What fails, by mailbox and rule."""


def outlook(run: Run, ruleset: Ruleset, until: date, *, quotes_peers: bool = True) -> list[Coming]:
    """What begins to fail after the day for which a run was judged, to a last day, the earliest first.

    Advice that ends by itself before the last day is left out: it has warned of what is told on its own day. `quotes_peers` is as of `remedy_for`.
    """
    last = max(until, run.judged_at)
    alike, small = _alike_in_the_end(*representatives(run), ruleset, last)
    judged = {day: _judged(small, ruleset, day) for day in (run.judged_at, last)}
    in_the_end = judged[max(judged)][1]
    found: list[Coming] = []
    for before, after in _changes(small, ruleset, judged, run.judged_at, until):
        new = {
            key
            for key, finding in judged[after][1].items()
            if key not in judged[before][1] and (finding.rule.otherwise is not Otherwise.ADVICE or key in in_the_end)
        }
        found += _told(judged[after][0], new, alike, quotes_peers=quotes_peers)
    return found


def day_after(day: date, span: timedelta, last: date = date.max) -> date:
    """The day that comes so much later, no later than a last one: there is none after the year 9999."""
    return last if last - day <= span else day + span


def unseen(run: Run) -> Iterator[Unseen]:
    """The endpoints of which it is not known when their certificate or their chain ends, each with the reason."""
    sent = {one.subject: one.value for one in run.readings if isinstance(one, Fact) and one.key is v.CERTIFICATE_CHAIN_DATES}
    for reading in run.readings:
        if isinstance(reading, Missing) and reading.key is v.CERTIFICATE_NOT_AFTER and reading.why is not Why.NOT_APPLICABLE:
            yield Unseen(reading.subject, gap_in_words({"why": reading.why, "detail": reading.detail}))
        elif isinstance(reading, Fact) and reading.key is v.CERTIFICATE_CHAIN_ENDS:
            first = reading.value
            # As the rule on expiry has it: of the end of such a chain nothing is told on its day.
            if first.is_outlasted(sent.get(reading.subject, ()), first.not_after.date()):
                end = f"one ends on {first.not_after.date()}, and whether clients take the other is not known"
                yield Unseen(reading.subject, f"two certificates of {bounded(first.subject, CITED_LIMIT)} were sent; {end}")


def representatives(run: Run) -> tuple[dict[str, tuple[str, ...]], Run]:
    """One representative for each group of equal mailboxes, with the whole group; and the run reduced to the representatives.

    Mailboxes of one profile and of the same endpoints are alike where the same is known of them, but for their address: rules see nothing else.
    """
    assert run.estate is not None
    mailboxes = {mailbox.address: mailbox for mailbox in run.estate.mailboxes}
    own: dict[str, set[Hashable]] = {address: set() for address in mailboxes}
    for reading in run.readings:
        whose = reading.subject if reading.mailbox is None else reading.mailbox
        if whose in own:
            own[whose].add(_but_for(whose, reading))
    groups: dict[tuple[Any, ...], list[str]] = {}
    for assessment in run.assessments:
        address = assessment.mailbox
        open_findings = (finding for finding in assessment.findings if finding.result in (Result.FAILS, Result.UNKNOWN))
        told = tuple((f.rule.id, f.result, tuple([_but_for(address, r) for r in f.because])) for f in open_findings)
        ends = run.estate.endpoints_of(mailboxes[address])
        groups.setdefault((assessment.profile, ends, assessment.support, assessment.readiness, frozenset(own[address]), told), []).append(
            address
        )
    alike = {addresses[0]: tuple(addresses) for addresses in groups.values()}
    return alike, _only(run, alike)


def _alike_in_the_end(
    alike: Mapping[str, tuple[str, ...]], run: Run, ruleset: Ruleset, last: date
) -> tuple[dict[str, tuple[str, ...]], Run]:
    """As `representatives`, of representatives: one for all those of a profile and its endpoints of which the same newly fails on a last day, for the same.

    Nearly everything that distinguishes mailboxes, such as the times and errors that Dynamics has of each, changes nothing by itself. What is concluded
    of a profile or deployment stays as it is: of mailboxes that differ in what such conclusions rest on, none stands for another.
    """
    assert run.estate is not None
    spanning = (one for one in ruleset.inferences.values() if one.scope in (InferenceScope.PROFILE, InferenceScope.DEPLOYMENT))
    needed = {key for inference in spanning for key in inference.needs}
    telling: dict[str, set[Hashable]] = {address: set() for address in alike}
    for reading in run.readings:
        if reading.key in needed and reading.subject in telling:
            telling[reading.subject].add(_but_for(reading.subject, reading))
    failing = _failing(run)
    for (address, rule), finding in _judged(run, ruleset, last)[1].items():
        if (address, rule) not in failing:
            telling[address].add((rule, tuple([_but_for(address, reading) for reading in finding.because])))
    groups: dict[tuple[Any, ...], list[str]] = {}
    for mailbox in run.estate.mailboxes:
        key = (mailbox.profile, run.estate.endpoints_of(mailbox), frozenset(telling[mailbox.address]))
        groups.setdefault(key, []).append(mailbox.address)
    found = {of_it[0]: tuple(chain.from_iterable(alike[address] for address in of_it)) for of_it in groups.values()}
    return found, _only(run, found)


def _only(run: Run, addresses: Collection[str]) -> Run:
    """The run reduced to some of its mailboxes."""
    assert run.estate is not None
    dropped = {mailbox.address for mailbox in run.estate.mailboxes if mailbox.address not in addresses}
    readings = tuple(r for r in run.readings if r.subject not in dropped and r.mailbox not in dropped)
    estate = replace(run.estate, mailboxes=tuple(m for m in run.estate.mailboxes if m.address in addresses))
    assessments = tuple(assessment for assessment in run.assessments if assessment.mailbox in addresses)
    asked = replace(run.asked, mailboxes=None)
    return replace(run, estate=estate, readings=readings, attempts=(), assessments=assessments, asked=asked)


def _but_for(address: str, reading: Reading) -> Hashable:
    """What a reading says, but for the mailbox that it says it of."""
    return reading.subject if reading.subject != address else "", reading.key.name, value_of(reading)


def _judged(run: Run, ruleset: Ruleset, on: date) -> tuple[Run, _Failing]:
    assert run.estate is not None
    judged = judge_again(run, run.estate, ruleset, on)
    return judged, _failing(judged)


def _failing(run: Run) -> _Failing:
    return {(a.mailbox, f.rule.id): f for a in run.assessments for f in a.findings if f.result is Result.FAILS}


def _changes(run: Run, ruleset: Ruleset, judged: dict[date, tuple[Run, _Failing]], first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield each pair of consecutive days between which the set of failing rules changes; `judged` then holds both."""
    before = first
    while before < last:
        after = day_after(before, _STEP, last)
        if after not in judged:
            judged[after] = _judged(run, ruleset, after)
        yield from _between(run, ruleset, judged, before, after)
        for day in [day for day in judged if day < after]:
            del judged[day]
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


def _told(run: Run, new: Collection[tuple[str, str]], alike: Mapping[str, tuple[str, ...]], *, quotes_peers: bool) -> list[Coming]:
    """The new failures of a run, one for all mailboxes with the same failure. A failure that follows from another is left out."""
    document, on = publish(run), run.judged_at
    known = Known(document)
    told: dict[tuple[str, str], tuple[JsonObject, list[str], list[str], list[str]]] = {}
    for assessment in document["assessments"]:
        findings = list(known.findings(assessment))
        for finding in findings:
            if (assessment["mailbox"], finding["rule"]) in new and root_of(finding, findings) is None:
                _, endpoints, subjects, mailboxes = told.setdefault((finding["rule"], headline(finding, on)[0]), (finding, [], [], []))
                endpoints += endpoints_of(finding)
                subjects += subjects_of(finding, assessment["profile"])
                mailboxes += alike[assessment["mailbox"]]
    return [
        Coming(
            day=on,
            rule=rule,
            title=finding["title"],
            otherwise=Otherwise(finding["otherwise"]),
            words=words,
            endpoints=tuple(dict.fromkeys(endpoints)),
            subjects=tuple(dict.fromkeys(subjects)),
            remedy=remedy_for(finding, mailboxes[0], known, on, quotes_peers=quotes_peers),
            mailboxes=tuple(mailboxes),
        )
        for (rule, words), (finding, endpoints, subjects, mailboxes) in told.items()
    ]
