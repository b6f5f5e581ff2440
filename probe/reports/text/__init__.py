"""The report for a person: who is not ready and why, what to do first, then what decided it, with excerpts and statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from probe.document import Report, ReportOptions
from probe.document.index import JsonObject
from probe.document.telling.blocks import blocks_of
from probe.document.telling.groups import groups_of
from probe.document.telling.known import Known
from probe.document.telling.signing_in import answers_before
from probe.document.telling.summaries import INTERRUPTED, circumstances, dynamics_unread, summary_of_check, summary_of_look
from probe.document.telling.words import count, spaced
from probe.reports.text.endpoints import write_all_facts, write_all_gaps, write_failed_attempts, write_gaps, write_main_facts
from probe.reports.text.mailboxes import write_mailboxes
from probe.reports.text.messages import write_messages
from probe.reports.text.not_asked import write_not_asked
from probe.reports.text.page import DOUBTFUL, STRONG, Page
from probe.reports.text.table import write_advice_lines, write_steps, write_table


def _render(document: Mapping[str, Any], options: ReportOptions) -> str:
    page = Page(options)
    known = Known(document)
    if document["estate"] is None:
        _write_look(page, document, known, options)
    else:
        _write_check(page, document, known, options)
    if options.transcripts:
        _transcripts(page, known.all_attempts)
    return page.text()


def _write_check(page: Page, document: Mapping[str, Any], known: Known, options: ReportOptions) -> None:
    on = date.fromisoformat(document["judged_at"])
    blocks = blocks_of(document["assessments"], known)
    groups = groups_of(blocks, on)
    _summary(page, summary_of_check(blocks), document)
    if before := answers_before(known):
        page.say(before)
    if groups:
        page.blank()
        write_table(page, groups)
    if options.quiet:
        write_advice_lines(page, groups, on)
        return
    write_steps(page, groups, known, on)
    write_advice_lines(page, groups, on)
    page.blank()
    _circumstances(page, document)
    if unread := dynamics_unread(known):
        page.say(unread, style=DOUBTFUL)
    write_mailboxes(page, groups, known, on, options)
    write_messages(page, known)
    if options.verbose:
        page.heading("Endpoints")
        for subject in known.endpoints:
            page.blank()
            page.say(subject, style=STRONG)
            write_main_facts(page, known, subject, on)
            write_gaps(page, known, subject)
            write_failed_attempts(page, known, subject)
    write_not_asked(page, blocks, known, verbose=options.verbose)


def _write_look(page: Page, document: Mapping[str, Any], known: Known, options: ReportOptions) -> None:
    _summary(page, [summary_of_look(known)], document)
    _circumstances(page, document)
    if options.quiet:
        return
    page.heading("Endpoints")
    for subject in known.endpoints:
        page.blank()
        page.say(subject, style=STRONG)
        write_all_facts(page, known, subject)
        write_all_gaps(page, known, subject)
        write_failed_attempts(page, known, subject)


def _summary(page: Page, sentences: Sequence[str], document: Mapping[str, Any]) -> None:
    for place, sentence in enumerate(sentences):
        page.say(sentence, style="" if place else STRONG)
    if document["interrupted"]:
        page.say(INTERRUPTED, style=DOUBTFUL)


def _circumstances(page: Page, document: Mapping[str, Any]) -> None:
    for sentence in circumstances(document):
        page.say(sentence)


def _transcripts(page: Page, attempts: Iterable[JsonObject]) -> None:
    page.heading("Transcripts")
    for attempt in attempts:
        page.blank()
        page.say(f"{attempt['id']} {attempt['prober']} {attempt['subject']}", style=STRONG)
        at = f" at {attempt['address']}" if attempt["address"] else ""
        whom = f" for {attempt['mailbox']}" if attempt["mailbox"] else ""
        page.say(
            f"{spaced(attempt['outcome'])}{at}{whom} after {attempt['seconds']} s, {count(attempt['connections'], 'connection', 'connections')}"
        )
        for line in attempt["transcript"]:
            page.quote(line["text"], label=f"{line['line']:>4} {line['from']:<5} ", column=11)


REPORT = Report(
    id="text",
    title="For a person: the verdict, what decided it, and what to do.",
    media_type="text/plain; charset=utf-8",
    render=lambda document, options: (_render(document, options),),
)
