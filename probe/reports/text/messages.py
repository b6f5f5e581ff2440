"""The test messages: which returned, and which may still be in a mailbox."""

from __future__ import annotations

from probe.document.telling.known import Known
from probe.document.telling.messages import messages_of
from probe.model.rules import Grade
from probe.reports.text.page import BAD, DOUBTFUL, GOOD, Page

_STYLES = {Grade.GOOD: GOOD, Grade.OPEN: DOUBTFUL, Grade.BAD: BAD}


def write_messages(page: Page, known: Known) -> None:
    """One line for each mailbox from which a test message was sent or refused; empty where none was tried."""
    messages = list(messages_of(known))
    if messages:
        page.heading("Test messages")
    for mailbox, what_came, stands in messages:
        page.say(f"{mailbox}: {what_came}", style=_STYLES[stands])
