"""Changes as the history tells them, made by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from probe.history import HistoryChange
from probe.model.keys import FactKey
from tests.service.driven import START


def a_change(
    number: int, subject: str, key: FactKey[Any], before: Any, after: Any, *, mailbox: str | None = None, minute: int = 0
) -> HistoryChange:
    """A change that is told as drift, with values in the form of documents."""
    forms = ({"value": value, "basis": "observed", "words": []} for value in (before, after))
    at = START + timedelta(minutes=minute)
    was, now = forms
    return HistoryChange(
        id=number, at=at, last_seen=at, subject=subject, mailbox=mailbox, key=key.name, before=was, after=now, is_drift=True
    )
