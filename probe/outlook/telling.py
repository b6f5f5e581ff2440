"""What comes, for a person and for a program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from probe.document import ReportOptions
from probe.document.telling.words import WHY_IN_WORDS, count, spaced
from probe.model import vocabulary as v
from probe.model.facts import Fact, Missing, Why
from probe.model.remedies import first_sentence
from probe.model.rules import Otherwise
from probe.model.runs import Run
from probe.model.schemas import OUTLOOK_SCHEMA
from probe.outlook.ahead import Coming
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
        "unseen": [{"endpoint": url, "because": because} for url, because in _unseen(run)],
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
    unseen = list(_unseen(run))
    if unseen:
        page.blank()
        page.say("Not known is when the certificate, or its chain, ends of:")
        for url, because in unseen:
            page.say(f"{url}: {because}", indent=2)
    page.blank()
    page.say("What fails already today is told by `probe check`, a remedy in full by `probe rules ID`.")
    return page.text()


def _unseen(run: Run) -> Iterator[tuple[str, str]]:
    """The endpoints of which it is not known when their certificate or their chain ends, each with the reason."""
    sent = {one.subject: one.value for one in run.readings if isinstance(one, Fact) and one.key is v.CERTIFICATE_CHAIN_DATES}
    for reading in run.readings:
        if isinstance(reading, Missing) and reading.key is v.CERTIFICATE_NOT_AFTER and reading.why is not Why.NOT_APPLICABLE:
            yield reading.subject, f"{WHY_IN_WORDS[reading.why]}{f' ({reading.detail})' if reading.detail else ''}"
        elif isinstance(reading, Fact) and reading.key is v.CERTIFICATE_CHAIN_ENDS:
            first = reading.value
            # As the rule on expiry has it: of the end of such a chain nothing is told on its day.
            if any(one.subject == first.subject and one.not_after > first.not_after for one in sent.get(reading.subject, ())):
                end = f"one ends on {first.not_after.date()}, and whether clients take the other is not known"
                yield reading.subject, f"two certificates of {first.subject} were sent; {end}"
