"""One finding as a paragraph: what was seen or is not known, excerpts, the statement, and what to do.

A block of the report repeats nothing: facts, excerpts and sources that were shown before are only named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from datetime import date

from probe.document.index import JsonObject
from probe.document.telling.causes import Questions
from probe.document.telling.endings import ending_behind
from probe.document.telling.excerpts import telling_excerpts
from probe.document.telling.known import Known
from probe.document.telling.names import remedy_for
from probe.document.telling.words import CITED_LIMIT, WHAT_TO_DO, bounded, count, gap_in_words, provenance, spaced, value_in_words
from probe.model import vocabulary as v
from probe.model.remedies import steps
from probe.model.rules import Result
from probe.model.values import dataclass
from probe.reports.text.page import BAD, DOUBTFUL, GOOD, Page

_EXCERPT_LINES = 2  # an excerpt must fit a glance
_SHORT_VALUE = 80


@dataclass(frozen=True, slots=True)
class ToldSoFar:
    """What a block has shown already."""

    mailbox: str
    """The block's mailbox; the first of several equal ones."""
    advised: set[str]
    """Rules whose remedy was given as advice in any block."""
    on: date
    """Day of judgement."""
    named: set[str] = field(default_factory=set)
    """Addresses that remedies contain."""
    cited: set[tuple[str, str | None, str]] = field(default_factory=set)
    excerpts: set[str] = field(default_factory=set)
    sources: dict[str, list[str]] = field(default_factory=dict)
    """Titles of the pages whose address was shown, by address."""


def write_finding(page: Page, finding: JsonObject, known: Known, told: ToldSoFar, also_not_listed: Sequence[JsonObject] = ()) -> None:
    """A finding that decided a verdict, in full."""
    fails = finding["result"] == Result.FAILS
    word = spaced(finding["otherwise"]).upper() if fails else "UNKNOWN"
    page.say(f"{word}: {finding['title']}", indent=2, style=BAD if fails else DOUBTFUL)
    seen = [cited for cited in finding["because"] if "why" not in cited]
    is_ended = any(ending_behind(cited, known, told.mailbox) for cited in seen)
    for cited in seen:
        _seen(page, cited, known, told, words=not is_ended)
    _not_known(page, [cited for cited in finding["because"] if "why" in cited], told)
    page.say(finding["statement"], indent=4, label="Rule", column=8)
    if not is_ended:  # the end of password logins has a source of its own
        _sources(page, finding, told)
    _remedy(page, finding, known, told, label="Remedy" if fails else "If so")
    if also_not_listed:
        page.say(f"Also not listed: {'; '.join(_named(f) for f in also_not_listed)}.", indent=4)


def write_what_follows(page: Page, finding: JsonObject, root: JsonObject, known: Known, told: ToldSoFar) -> None:
    """A failed finding that follows from another: what was seen, and the finding whose remedy applies."""
    page.say(f"{spaced(finding['otherwise']).upper()}: {_named(finding)}", indent=2, style=BAD)
    page.say(f"It follows from the above: {root['title']}. The same remedy applies.", indent=4)
    for cited in finding["because"]:
        if "why" not in cited:
            _seen(page, cited, known, told)


def write_questions(page: Page, questions: Questions) -> None:
    """Unknown findings with one cause: the cause, their titles, and what to do about it."""
    number = count(len(questions.findings), "question", "questions")
    page.say(f"UNKNOWN: {number}, because {questions.because()}", indent=2, style=DOUBTFUL)
    for finding in questions.findings:
        page.say(_named(finding), indent=4, label="-", column=2)
    page.say(" ".join(WHAT_TO_DO[why] for why in questions.whys), indent=4, label="To do", column=8)
    page.say("`probe rules ID` shows each rule, where ID is the name in brackets.", indent=4, label="More", column=8)


def write_advice(page: Page, finding: JsonObject, known: Known, told: ToldSoFar) -> None:
    """Advice in brief, because it decides nothing. Its remedy is shown once in a report."""
    repeated = finding["rule"] in told.advised
    told.advised.add(finding["rule"])
    page.say(f"ADVICE: {_named(finding)}{', remedy as above' if repeated else ''}", indent=2, style=DOUBTFUL)
    subjects: dict[str, list[str]] = {}
    for cited in finding["because"]:
        if "value" in cited and "://" in cited["subject"] and not cited["key"].startswith("endpoint."):
            value = bounded(value_in_words(cited["value"]), _SHORT_VALUE)
            subjects.setdefault(cited["subject"], []).append(f"{cited['key']} = {value}")
    for subject, values in subjects.items():
        page.say(f"{', '.join(values)} at {subject}", indent=4, label="Seen", column=8)
    for sentence in (one for cited in finding["because"] if cited["key"] == v.DYNAMICS_DIFFERS.name for one in cited.get("value", ())):
        page.say(sentence, indent=4, label="Seen", column=8)
    if not repeated:
        _remedy(page, finding, known, told, label="Remedy")


def write_listing(page: Page, finding: JsonObject, profiles: Sequence[str], told: ToldSoFar) -> None:
    """A statement that lists systems, and the profiles for which it holds."""
    page.say(f"LISTED: {finding['statement']}", style=GOOD)  # the title names the opposite
    page.say(", ".join(profiles), indent=2, label="Holds for", column=10)
    _sources(page, finding, told)


def _named(finding: JsonObject) -> str:
    return f"{finding['title']} ({finding['rule']})"


def _remedy(page: Page, finding: JsonObject, known: Known, told: ToldSoFar, *, label: str) -> None:
    """The remedy with the names of this case; each command on a line of its own."""
    remedy = remedy_for(finding, told.mailbox, known, told.on)
    if told.mailbox and told.mailbox in remedy:
        told.named.add(told.mailbox)
    for paragraph in remedy.split("\n"):
        for step in steps(paragraph):
            if step.is_command:
                page.paste(step.text, indent=14)
            else:
                page.say(step.text, indent=4, label=label, column=8)
                label = ""


def _seen(page: Page, cited: JsonObject, known: Known, told: ToldSoFar, *, words: bool = True) -> None:
    """What was seen, with transcript lines unless something else says more."""
    facts = known.behind(cited)
    key = f"{cited['key']} {_whose(cited, told)}"
    value = "= " + bounded(value_in_words(cited["value"]), CITED_LIMIT) + "".join(map(provenance, facts[:1]))
    name = (cited["subject"], cited["mailbox"], cited["key"])
    repeated = name in told.cited
    told.cited.add(name)
    if repeated:
        value += ", as above"
    if page.fits(f"{key} {value}", indent=4, column=8):
        page.say(f"{key} {value}", indent=4, label="Seen", column=8)
    else:
        page.say(key, indent=4, label="Seen", column=8)
        page.say(value, indent=12, cut=True)
    ended = ending_behind(cited, known, told.mailbox)
    if ended is not None and ended.says not in told.excerpts:
        page.say(f"{ended.says} ({ended.source})", indent=12)
        told.excerpts.add(ended.says)
    for excerpt in telling_excerpts(known, facts) if words and not repeated else ():
        if excerpt not in told.excerpts:
            page.quote(excerpt, indent=12, label="| ", column=2, most=_EXCERPT_LINES)
        told.excerpts.add(excerpt)


def _not_known(page: Page, gaps: Sequence[JsonObject], told: ToldSoFar) -> None:
    """Gaps with their reasons; equal ones in one paragraph."""
    alike: dict[tuple[str, str], list[str]] = {}
    for gap in gaps:
        name = (gap["subject"], gap["mailbox"], gap["key"])
        reason = "unknown, as above" if name in told.cited else gap_in_words(gap)
        told.cited.add(name)
        alike.setdefault((_whose(gap, told), reason), []).append(gap["key"])
    for (whose, reason), keys in alike.items():
        page.say(f"{', '.join(keys)} {whose}: {reason}", indent=4, label="Unknown", column=8, cut=len(reason) > CITED_LIMIT)


def _whose(cited: JsonObject, told: ToldSoFar) -> str:
    if cited["subject"] == told.mailbox:
        return "of the mailbox"
    where = f"at {cited['subject']}" if "://" in cited["subject"] else f"of {cited['subject']}"
    return f"{where} for this account" if cited["mailbox"] is not None else where


def _sources(page: Page, finding: JsonObject, told: ToldSoFar) -> None:
    """The first source with its address, and those that contradict it; further ones by title."""
    for number, reference in enumerate(finding["references"]):
        is_addressed = number == 0 or reference["disagrees"]
        titles = told.sources.get(reference["url"], [])
        if titles:
            page.say(f"({_same_page(reference['title'], titles)})", indent=12)
        elif is_addressed:
            page.say(f"{reference['title']} ({reference['dated']})", indent=12)
            page.say(reference["url"], indent=12)
        else:
            page.say(f"also: {reference['title']} ({reference['dated']})", indent=12)
        if titles or is_addressed:
            told.sources.setdefault(reference["url"], []).append(reference["title"])


def _same_page(title: str, titles: Sequence[str]) -> str:
    """A section of a page whose address was shown before: its heading, which follows the page's title."""
    if title in titles:
        return "same page and heading as above"
    page, colon, heading = title.rpartition(": ")
    return f"same page, {heading}" if colon and titles[0].startswith(page) else f"same page, {title}"
