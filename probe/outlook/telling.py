"""What comes, for a person and for a program."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from probe.document import ReportOptions
from probe.document.telling.coming import Coming
from probe.document.telling.words import count, spaced
from probe.model.remedies import first_sentence
from probe.model.rules import Otherwise
from probe.model.runs import Run
from probe.model.schemas import OUTLOOK_SCHEMA
from probe.outlook.ahead import unseen
from probe.reports.text.page import BAD, DOUBTFUL, STRONG, Page


def outlook_form(run: Run, coming: Sequence[Coming], until: date) -> dict[str, Any]:
    """The document `probe.outlook/1`."""
    return {
        "schema": OUTLOOK_SCHEMA,
        "from": run.judged_at.isoformat(),
        "until": until.isoformat(),
        "coming": [
            {
                "on": c.day.isoformat(),
                "rule": c.rule,
                "title": c.title,
                "otherwise": c.otherwise,
                "endpoints": list(c.endpoints),
                "mailboxes": list(c.mailboxes),
                "remedy": c.remedy,
            }
            for c in coming
        ],
        "unseen": [{"endpoint": url, "because": because} for url, because in unseen(run)],
        "interrupted": run.interrupted,
    }


def outlook_text(run: Run, coming: Sequence[Coming], until: date, options: ReportOptions) -> str:
    """What comes, the earliest first, each with its mailboxes and what to do; then what is not known."""
    page = Page(options)
    things = count(len(coming), "change is", "changes are") if coming else "no change is"
    page.say(
        f"{count(len(run.assessments), 'mailbox', 'mailboxes')}: {things} known to come from {run.judged_at} to {until}.", style=STRONG
    )
    if run.interrupted:
        page.say("The run was interrupted; this is what was learnt until then.", style=DOUBTFUL)
    for number, c in enumerate(coming, start=1):
        who = c.mailboxes[0] if len(c.mailboxes) == 1 else count(len(c.mailboxes), "mailbox", "mailboxes")
        left = count((c.day - run.judged_at).days, "day", "days")
        page.blank()
        style = DOUBTFUL if c.otherwise is Otherwise.ADVICE else BAD
        page.say(f"{c.day}, in {left}: {spaced(c.otherwise).upper()}, {who}", label=f"{number}", column=4, style=style)
        page.say(f"{c.words} ({c.rule})", indent=4)
        page.say(first_sentence(c.remedy), indent=4, label="To do", column=7)
    not_known = list(unseen(run))
    if not_known:
        page.blank()
        page.say("Not known is when the certificate, or its chain, ends of:")
        for url, because in not_known:
            page.say(f"{url}: {because}", indent=2)
    page.blank()
    page.say("What fails already today is told by `probe check`, a remedy in full by `probe rules ID`.")
    return page.text()
