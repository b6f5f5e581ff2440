"""The report for a person: who is not ready and why, what to do first, then what decided it, with excerpts and statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from probe.document import Report, ReportOptions
from probe.document.index import JsonObject
from probe.document.telling.blocks import READINESS_WORDS, SUPPORT_WORDS, Block, blocks_of
from probe.document.telling.groups import groups_of
from probe.document.telling.known import Known
from probe.document.telling.signing_in import WITHOUT, ready_in_words
from probe.document.telling.words import count, moment, spaced
from probe.model import vocabulary as v
from probe.model.estate import DEPLOYMENT_SUBJECT
from probe.model.facts import Facts, Missing
from probe.model.rules import Support
from probe.reports.text.endpoints import write_all_facts, write_all_gaps, write_failed_attempts, write_gaps, write_main_facts
from probe.reports.text.mailboxes import write_mailboxes
from probe.reports.text.messages import write_messages
from probe.reports.text.not_asked import write_not_asked
from probe.reports.text.page import DOUBTFUL, STRONG, Page
from probe.reports.text.table import write_advice_lines, write_steps, write_table

_SUPPORT_ORDER = (Support.UNSUPPORTED, Support.NOT_LISTED, Support.UNDETERMINED, Support.SUPPORTED)


def _render(document: Mapping[str, Any], options: ReportOptions) -> str:
    page = Page(options)
    known = Known(document)
    if document["estate"] is None:
        _write_look(page, document, known, options)
    else:
        _write_check(page, document, known, options)
    if options.transcripts:
        _transcripts(page, document["attempts"])
    return page.text()


def _write_check(page: Page, document: Mapping[str, Any], known: Known, options: ReportOptions) -> None:
    on = date.fromisoformat(document["judged_at"])
    blocks = blocks_of(document["assessments"], known)
    groups = groups_of(blocks, on)
    _summary(page, blocks)
    if document["interrupted"]:
        _interrupted(page)
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
    _about_dynamics(page, known)
    write_mailboxes(page, groups, known, on, options)
    write_messages(page, document)
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
    _summary_of_look(page, document, known)
    if document["interrupted"]:
        _interrupted(page)
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


def _summary(page: Page, blocks: Sequence[Block]) -> None:
    """The number of mailboxes, by readiness and by support."""
    if not blocks:
        page.say("No mailbox was judged.", style=STRONG)
        return
    ready: Counter[str] = Counter()
    support: Counter[Support] = Counter()
    for block in blocks:
        support[block.support] += len(block.addresses)
        if block.readiness in READINESS_WORDS:
            words = READINESS_WORDS[block.readiness].removeprefix("readiness ")
            ready[ready_in_words(block.readiness, block.signed_in, words)] += len(block.addresses)
    order = ["not ready", "undetermined", "ready"]
    parts = [
        f"{number:,} {words}"
        for words, number in sorted(ready.items(), key=lambda of: (order.index(of[0].removesuffix(f" {WITHOUT}")), of[0]))
    ]
    unserved = support.pop(Support.NOT_ASSESSED, 0)
    parts += [f"{unserved:,} not assessed"] if unserved else []
    page.say(f"{count(support.total() + unserved, 'mailbox', 'mailboxes')}: {', '.join(parts)}.", style=STRONG)
    if support:
        told = [f"{support[kind]:,} {SUPPORT_WORDS[kind].removeprefix('support ')}" for kind in _SUPPORT_ORDER if support[kind]]
        page.say(f"Support: {', '.join(told)}.")


def _summary_of_look(page: Page, document: Mapping[str, Any], known: Known) -> None:
    outcomes = Counter(a["outcome"] for a in document["attempts"])
    endpoints = count(len(known.endpoints), "endpoint", "endpoints")
    tried = ", ".join(f"{number:,} {spaced(outcome)}" for outcome, number in sorted(outcomes.items(), key=lambda o: (-o[1], o[0])))
    page.say(f"{endpoints}, {count(outcomes.total(), 'attempt', 'attempts')}: {tried or 'nothing was tried'}.", style=STRONG)


def _interrupted(page: Page) -> None:
    page.say("The run was interrupted; this is what was learnt until then.", style=DOUBTFUL)


def _circumstances(page: Page, document: Mapping[str, Any]) -> None:
    page.say(
        f"Probed from {document['from']}, {moment(document['started'])} to {moment(document['finished'])}, by probe {document['probe']}."
    )
    if document["estate"] is not None:
        about = document["estate"]["deployment"]
        page.say(
            f"Deployment {about['name']}: Dynamics 365 {about['version']} {about['kind']}, {about['runs_on']}, "
            f"FIPS mode {'on' if about['fips'] else 'off'}. Judged for {document['judged_at']}."
        )


def _about_dynamics(page: Page, known: Known) -> None:
    """That Dynamics' own records could not be read, where somebody asked for them: what they would say is no matter of one mailbox."""
    gap = known.of.get(DEPLOYMENT_SUBJECT, Facts(DEPLOYMENT_SUBJECT)).read(v.DYNAMICS_ORGANIZATION_ID)
    if isinstance(gap, Missing) and not gap.says_nothing:
        page.say(f"Dynamics' own records were not read: {gap.detail}.", style=DOUBTFUL)


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
