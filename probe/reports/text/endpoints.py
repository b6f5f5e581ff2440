"""The endpoints: their main facts or all of them, what is not known, and attempts that did not complete."""

from __future__ import annotations

from collections import Counter
from datetime import date

from probe.document.telling.causes import CONVERSATION_FAILURES, NOT_ALLOWED
from probe.document.telling.endpoints import main_facts
from probe.document.telling.known import Known
from probe.document.telling.words import CITED_LIMIT, VALUE_LIMIT, bounded, gap_in_words, provenance, some_of, spaced, value_in_words
from probe.model.attempts import Outcome
from probe.model.facts import Missing, Why
from probe.reports.text.page import DOUBTFUL, Page
from probe.reports.text.tls import IN_TABLE, was_left_out, write_tls_table


def write_main_facts(page: Page, known: Known, subject: str, today: date) -> None:
    """The main facts of an endpoint, one line each."""
    for label, text in main_facts(known, subject, today).items():
        page.say(bounded(text, VALUE_LIMIT), indent=2, label=label, column=13, cut=True)


def write_all_facts(page: Page, known: Known, subject: str) -> None:
    facts = [fact for fact in known.facts_of(subject) if fact["key"] not in IN_TABLE]
    column = max((len(f["key"]) for f in facts), default=0) + 2
    for fact in facts:
        page.say(
            bounded(value_in_words(fact["value"]), VALUE_LIMIT) + provenance(fact), indent=2, label=fact["key"], column=column, cut=True
        )
    write_tls_table(page, known.of(subject))


def write_gaps(page: Page, known: Known, subject: str) -> None:
    """What a check left unknown of an endpoint: one paragraph for each reason, with some of the keys. Conflicts are listed one by one.

    What was not allowed is listed once, at the end of the report.
    """
    reasons: dict[tuple[Why, str], list[Missing]] = {}
    for gap in known.gaps_of(subject):
        if gap.why is not Why.NOT_APPLICABLE and not was_left_out(gap) and not gap.detail.endswith(NOT_ALLOWED):
            reasons.setdefault((gap.why, gap.detail if gap.claims else ""), []).append(gap)
    for (why, _), gaps in reasons.items():
        details = {gap.detail for gap in gaps}
        words = gap_in_words({"why": why, "detail": details.pop() if len(details) == 1 else ""})
        page.say(f"{words}: {some_of([gap.key.name for gap in gaps])}", indent=2, label="Unknown", column=13, cut=True)


def write_all_gaps(page: Page, known: Known, subject: str) -> None:
    """Everything that is not known of an endpoint: one paragraph for each reason, or for each detail where details say more."""
    reasons: dict[tuple[Why, str], list[Missing]] = {}
    for gap in known.gaps_of(subject):
        reasons.setdefault((gap.why, "" if gap.why in CONVERSATION_FAILURES else gap.detail), []).append(gap)
    for (why, _), gaps in reasons.items():
        detail = Counter(gap.detail for gap in gaps).most_common(1)[0][0]  # the commonest names the root
        words = gap_in_words({"why": why, "detail": detail})
        page.say(f"{words}: {', '.join(gap.key.name for gap in gaps)}", indent=2, label="Unknown", column=13, cut=True)


def write_failed_attempts(page: Page, known: Known, subject: str) -> None:
    """Attempts that did not complete, equal ones in one line; attempts that were not scheduled only where no gap has given the reason."""
    said = {gap.detail for gap in known.gaps_of(subject)}
    alike: dict[tuple[str, str, str, str | None], list[str]] = {}
    for attempt in known.attempts.get(subject, []):
        told = attempt["outcome"] == Outcome.NOT_SCHEDULED and (attempt["detail"] in said or attempt["detail"].endswith(NOT_ALLOWED))
        if attempt["outcome"] != Outcome.COMPLETED and not told:
            group = alike.setdefault((attempt["prober"], attempt["outcome"], attempt["detail"], attempt["address"]), [])
            group.extend(filter(None, [attempt["mailbox"]]))
    for (prober, outcome, detail, address), mailboxes in alike.items():
        at = f" at {address}" if address else ""
        whom = f" for {some_of(mailboxes)}" if mailboxes else ""
        words = f"{prober}{at}{whom} {spaced(outcome)}" + (f": {bounded(detail, CITED_LIMIT)}" if detail else "")
        page.say(words, indent=2, label="Attempt", column=13, style=DOUBTFUL, cut=True)
