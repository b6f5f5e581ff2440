"""The report for a person: the verdict first, then what decided it, in what words, by which statement, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from probe.document import Options, Report
from probe.model.rules import Readiness, Support
from probe.reports.text.endpoints import write_all_facts, write_all_gaps, write_failed_attempts, write_gaps, write_main_facts
from probe.reports.text.known import Known
from probe.reports.text.mailboxes import READINESS_WORDS, SUPPORT_WORDS, write_mailboxes
from probe.reports.text.messages import write_messages
from probe.reports.text.page import DOUBTFUL, STRONG, Page
from probe.reports.text.words import Form, count, moment, spaced

_SUPPORTED_WORDS = {
    Readiness.READY: "supported and ready",
    Readiness.NOT_READY: "supported but not ready",
    Readiness.UNDETERMINED: "supported, readiness undetermined",
}


def _render(document: Mapping[str, Any], options: Options) -> str:
    page = Page(options)
    known = Known(document)
    judged = document["estate"] is not None
    if judged:
        _summary(page, document)
    else:
        _summary_of_look(page, document, known)
    _circumstances(page, document)
    if judged:
        write_mailboxes(page, document, known, options)
        write_messages(page, document)
    if not options.quiet:
        page.heading("Endpoints")
        for subject in known.endpoints:
            page.blank()
            page.say(subject, style=STRONG)
            if judged:
                write_main_facts(page, known, subject, date.fromisoformat(document["judged_at"]))
                write_gaps(page, known, subject)
            else:
                write_all_facts(page, known, subject)
                write_all_gaps(page, known, subject)
            write_failed_attempts(page, known, subject)
    if options.transcripts:
        _transcripts(page, document["attempts"])
    return page.text()


def _summary(page: Page, document: Mapping[str, Any]) -> None:
    verdicts = [(Support(a["support"]), Readiness(a["readiness"])) for a in document["assessments"]]
    if not verdicts:
        page.say("No mailbox was judged.", style=STRONG)
        return
    support = Counter(s for s, _ in verdicts)
    supported = Counter(r for s, r in verdicts if s is Support.SUPPORTED)
    parts = [f"{supported[r]:,} {words}" for r, words in _SUPPORTED_WORDS.items() if supported[r]]
    others = (Support.NOT_LISTED, Support.UNDETERMINED, Support.UNSUPPORTED, Support.NOT_ASSESSED)
    parts += [f"{support[kind]:,} {SUPPORT_WORDS[kind]}" for kind in others if support[kind]]
    page.say(f"{count(len(verdicts), 'mailbox', 'mailboxes')}: {', '.join(parts)}.", style=STRONG)
    ready = Counter(r for _, r in verdicts)
    if any(ready[r] for r in READINESS_WORDS):
        page.say(
            "Readiness: " + ", ".join(f"{ready[r]:,} {_last(words)}" for r, words in reversed(READINESS_WORDS.items()) if ready[r]) + "."
        )


def _last(words: str) -> str:
    return words.removeprefix("readiness ")


def _summary_of_look(page: Page, document: Mapping[str, Any], known: Known) -> None:
    outcomes = Counter(a["outcome"] for a in document["attempts"])
    endpoints = count(len(known.endpoints), "endpoint", "endpoints")
    tried = ", ".join(f"{number:,} {spaced(outcome)}" for outcome, number in sorted(outcomes.items(), key=lambda o: (-o[1], o[0])))
    page.say(f"{endpoints}, {count(outcomes.total(), 'attempt', 'attempts')}: {tried or 'nothing was tried'}.", style=STRONG)


def _circumstances(page: Page, document: Mapping[str, Any]) -> None:
    if document["interrupted"]:
        page.say("The run was interrupted; this is what was learnt until then.", style=DOUBTFUL)
    page.say(
        f"Probed from {document['from']}, {moment(document['started'])} to {moment(document['finished'])}, by probe {document['probe']}."
    )
    if document["estate"] is not None:
        about = document["estate"]["deployment"]
        page.say(
            f"Deployment {about['name']}: Dynamics 365 {about['version']} {about['kind']}, {about['runs_on']}, "
            f"FIPS mode {'on' if about['fips'] else 'off'}. Judged for {document['judged_at']}."
        )


def _transcripts(page: Page, attempts: Iterable[Form]) -> None:
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
