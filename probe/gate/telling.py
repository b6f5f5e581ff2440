"""The gate's answer for a person. The first screen is: the answer, one cause for each direction with its remedy, and the numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from probe.document import ReportOptions
from probe.document.index import JsonObject
from probe.document.telling.known import Known
from probe.document.telling.names import remedy_for
from probe.document.telling.signing_in import answers_before, signed_in_ago
from probe.document.telling.words import WHAT_TO_DO, bounded, count, moment, some_of
from probe.gate import telling_enabled as outcomes
from probe.gate.answering import GateAnswer, Predicted
from probe.gate.wording import (
    MOST_CAUSES,
    MOST_SEEN,
    NOT_TO_BE_SEEN,
    WORDS,
    alert_like,
    found_ago,
    gaps_of,
    numbers_of,
    place_in_words,
    told_of,
    ways_of,
)
from probe.model.facts import Why
from probe.model.remedies import first_sentence
from probe.model.rules import Result
from probe.reports.text import REPORT as RUN_REPORT
from probe.reports.text.page import BAD, DOUBTFUL, GOOD, STRONG, Page

_STYLES = {GateAnswer.GO: GOOD, GateAnswer.NO_GO: BAD, GateAnswer.CANNOT_TELL: DOUBTFUL}
_PREDICTED = {Predicted.SUCCESS: GOOD, Predicted.FAILURE: BAD, Predicted.UNKNOWN: DOUBTFUL}
_ENDINGS = {outcomes.FAILED: BAD, outcomes.PENDING: DOUBTFUL, outcomes.OPEN: DOUBTFUL, outcomes.ENABLED: GOOD}
_COLUMN = 9


def gate_text(document: Mapping[str, Any], options: ReportOptions) -> Iterator[str]:
    """The report, from the document as `published` makes it."""
    page = Page(options)
    known = Known(document["run"])
    assessments = {assessment["mailbox"]: assessment for assessment in document["run"]["assessments"]}
    mailboxes = sorted(document["mailboxes"], key=lambda form: list(GateAnswer).index(GateAnswer(form["answer"])))
    groups = _groups(mailboxes, assessments)
    by_rule = {form["mailbox"]: {f["rule"]: f for f in known.findings(assessments[form["mailbox"]])} for form, *_ in groups}
    _write_summary(page, document, groups, by_rule, known)
    for number, group in enumerate(() if options.quiet else groups, start=1):
        page.blank()
        if len(mailboxes) > 1:
            _write_answer(page, group, f"{number}. ")
        _write_group(page, group, by_rule[group[0]["mailbox"]], known, document)
    if not options.quiet:
        page.blank()
        page.say(NOT_TO_BE_SEEN)
        if not any(form["enabled"] is not None and form["enabled"]["requested"] for form in mailboxes):
            page.say("Nothing was written: neither to Dynamics nor to a mailbox.")
    yield page.text()
    if options.verbose or options.transcripts:
        yield "\n"
        yield from RUN_REPORT.render(document["run"], options)


def _groups(mailboxes: Sequence[JsonObject], assessments: Mapping[str, JsonObject]) -> list[list[JsonObject]]:
    """The mailboxes of which the same is to be said, together; the first stands for all."""
    alike: dict[str, list[JsonObject]] = {}
    for form in mailboxes:
        will = {name: value for name, value in form["will"].items() if name not in ("pending_send", "oldest_pending", "backlog")}
        same = {**form, "mailbox": assessments[form["mailbox"]]["profile"], "will": will, **outcomes.alike(form)}
        alike.setdefault(repr(same), []).append(form)
    return list(alike.values())


def _write_summary(
    page: Page,
    document: Mapping[str, Any],
    groups: Sequence[Sequence[JsonObject]],
    by_rule: Mapping[str, Mapping[str, JsonObject]],
    known: Known,
) -> None:
    if len(document["mailboxes"]) == 1:
        _write_answer(page, groups[0])
    else:
        numbers = Counter(form["answer"] for form in document["mailboxes"])
        told = ", ".join(f"{numbers[answer]:,} {WORDS[answer].lower()}" for answer in GateAnswer if numbers[answer])
        page.say(f"{count(len(document['mailboxes']), 'mailbox', 'mailboxes')}: {told}.", style=STRONG)
        page.blank()
        room = min(max(len(_who(group)) for group in groups), page.width * 3 // 8)
        for number, group in enumerate(groups, start=1):
            answer = GateAnswer(group[0]["answer"])
            cause = _cause(group, by_rule[group[0]["mailbox"]], known)
            cells = ((f"{number}", 2), (WORDS[answer], len(WORDS[GateAnswer.CANNOT_TELL])), (_who(group), room))
            page.columns(*cells, rest=(cause,), style=_STYLES[answer])
        page.blank()
    for sentence in outcomes.summary_of(document):
        page.say(sentence, style=STRONG)
    dynamics, run = document["dynamics"], document["run"]
    if run["interrupted"]:
        page.say("The run was interrupted; this is what was learnt until then.", style=DOUBTFUL)
    if before := answers_before(known):
        page.say(before)
    page.say(f"Probed from {run['from']}, {moment(run['finished'])}{place_in_words(dynamics)}.")
    if dynamics["read"]:
        page.say(f"Compared with Dynamics {dynamics['version']}, organization {dynamics['organization'].partition(' ')[2]}.")
    else:
        page.say(f"Not compared with Dynamics: {dynamics['why_not']}.", style=DOUBTFUL)
    for sentence in filter(None, (dynamics["risk"], *dynamics["notes"])):
        page.say(f"Note: {sentence}.", style=DOUBTFUL)


def _who(group: Sequence[JsonObject]) -> str:
    return str(group[0]["mailbox"]) if len(group) == 1 else count(len(group), "mailbox", "mailboxes")


def _cause(group: Sequence[JsonObject], by_rule: Mapping[str, JsonObject], known: Known) -> str:
    """Why the answer is what it is, or what came of it, in a few words."""
    form = group[0]
    if form["answer"] == GateAnswer.GO and (came := outcomes.cause_of(form)) is not None:
        return came
    if form["answer"] == GateAnswer.GO:
        before = signed_in_ago([one["mailbox"] for one in group], known.used_endpoints(form["mailbox"]), known)
        return f"accepted: {', '.join(form['accepted'])}" if form["accepted"] else before or "signed in"
    if form["differs"] and form["answer"] == GateAnswer.CANNOT_TELL:
        return f"Dynamics differs: {', '.join(dict.fromkeys(difference['what'] for difference in form['differs']))}"
    if form["answer"] == GateAnswer.CANNOT_TELL:
        return str(form["settle"][0])
    titles = (by_rule[reason["rule"]]["title"] for reason in form["reasons"] if reason["is_known"])
    return str(next(titles, "no row of Microsoft's table is met"))


def _write_answer(page: Page, group: Sequence[JsonObject], number: str = "") -> None:
    form = group[0]
    answer = GateAnswer(form["answer"])
    accepted = f" (accepted: {', '.join(form['accepted'])})" if form["accepted"] else ""
    settled_by = f": {form['settle'][0]}" if form["settle"] else ""
    page.say(f"{number}{WORDS[answer]}  {_who(group)}{accepted}{settled_by}", style=_STYLES[answer])
    if len(group) > 1:
        page.say(some_of([form["mailbox"] for form in group]), indent=2)


def _write_group(
    page: Page, group: Sequence[JsonObject], by_rule: Mapping[str, JsonObject], known: Known, document: Mapping[str, Any]
) -> None:
    form, on = group[0], date.fromisoformat(document["run"]["judged_at"])
    _write_outcome(page, group, by_rule, known, document)
    for directions, how, rule in ways_of(form):
        finding = by_rule.get(rule or "")
        told = f"{', '.join(directions)}{told_of(how, finding, found_ago(group, directions, how, known))}"
        page.say(told, indent=2, label=how.upper(), column=_COLUMN, style=_PREDICTED[how], cut=True)
        if finding is not None:
            _write_remedy(page, finding, form["mailbox"], known, on)
            if how == Predicted.FAILURE and (example := alert_like(finding["rule"])):
                page.say(f"Dynamics would say, or the like: {example}", indent=4)
    of_support = [reason for reason in form["reasons"] if reason["direction"] is None]
    doubts = [reason for reason in of_support if not reason["is_known"]]
    # One doubt is enough for a first screen: a server that is silent leaves all of them open.
    for reason in [reason for reason in of_support if reason["is_known"]] + doubts[:1]:
        finding = by_rule[reason["rule"]]
        page.say(
            f"{'' if reason['is_known'] else 'not known: '}{finding['title']} ({finding['rule']})",
            indent=2,
            label="SUPPORT",
            column=_COLUMN,
        )
        _write_remedy(page, finding, form["mailbox"], known, on)
    if len(doubts) > 1:
        page.say(f"and {count(len(doubts) - 1, 'question', 'questions')} more of support: --verbose", indent=2 + _COLUMN)
    if (error := outcomes.last_error_of(form)) is not None:
        page.say(f"Dynamics' last error: {error.text}", indent=2)
        _write_explained(page, error, by_rule, form["mailbox"], known, on)
    for difference in form["differs"]:
        there = bounded(difference["dynamics"], MOST_SEEN)
        told = f"{difference['what']}: the estate has {difference['estate']}, Dynamics has {there}"
        page.say(told, indent=2, label="DIFFERS", column=_COLUMN, style=DOUBTFUL)
    for mend in dict.fromkeys(difference["mend"] for difference in form["differs"]):
        page.say(mend, indent=4, label="Mend", column=8)
    for sentence in form["settle"][1:]:
        page.say(f"{sentence}.", indent=2, label="OPEN", column=_COLUMN)
    if form["enabled"] is None:
        page.say("; ".join(numbers_of(group, is_read=document["dynamics"]["read"])), indent=2, label="Test & Enable", column=15)


def _write_outcome(
    page: Page, group: Sequence[JsonObject], by_rule: Mapping[str, JsonObject], known: Known, document: Mapping[str, Any]
) -> None:
    """What came of Test & Enable, or why it was not asked for."""
    form, word = group[0], outcomes.word_of(group[0])
    if word is None:
        if form["not_asked"] is not None and form["answer"] == GateAnswer.GO:
            page.say(f"{form['not_asked']}.", indent=2, label="NOT ASKED", column=_COLUMN + 2)
        return
    page.say(outcomes.result_of(form), indent=2, label=word, column=max(_COLUMN, len(word) + 2), style=_ENDINGS[word])
    for alert in outcomes.alerts_of(group):
        page.say(f"Dynamics says: {alert.text}", indent=4)
        _write_explained(page, alert, by_rule, form["mailbox"], known, date.fromisoformat(document["run"]["judged_at"]))


def _write_explained(
    page: Page, trouble: outcomes.ToldTrouble, by_rule: Mapping[str, JsonObject], mailbox: str, known: Known, on: date
) -> None:
    """What an error of Dynamics may come from; of a single cause, the remedy too."""
    label = "Perhaps" if len(trouble.causes) > 1 else "Cause"
    for rule in trouble.causes[:MOST_CAUSES]:
        page.say(f"{by_rule[rule]['title']} ({rule})" if rule in by_rule else rule, indent=4, label=label, column=8)
    if trouble.meaning is not None:
        page.say(trouble.meaning, indent=4, label=label, column=8)
    if len(trouble.causes) == 1 and (finding := by_rule.get(trouble.causes[0])) is not None and finding["result"] != Result.HOLDS:
        _write_remedy(page, finding, mailbox, known, on)


def _write_remedy(page: Page, finding: JsonObject, mailbox: str, known: Known, on: date) -> None:
    gaps = gaps_of(finding)
    words = WHAT_TO_DO[Why(gaps[0]["why"])] if gaps else first_sentence(remedy_for(finding, mailbox, known, on))
    page.say(words, indent=4, label="Remedy", column=8)
