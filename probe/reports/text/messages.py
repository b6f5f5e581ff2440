"""The test messages: which returned, and which may still be in a mailbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from probe.document.index import JsonObject
from probe.model import vocabulary as v
from probe.reports.text.page import BAD, DOUBTFUL, GOOD, Page


def write_messages(page: Page, document: Mapping[str, Any]) -> None:
    """One line for each mailbox from which a test message was sent or refused; empty where none was tried."""
    told = {
        (form["mailbox"], form["key"]): form for form in (*document["missing"], *document["facts"]) if form["key"].startswith("roundtrip.")
    }
    tried = [mailbox for mailbox, key in told if key == v.ROUNDTRIP_SENT.name and "value" in told[mailbox, key]]
    if tried:
        page.heading("Test messages")
    for mailbox in tried:
        of = {
            key.name: told.get((mailbox, key.name), {})
            for key in (v.ROUNDTRIP_SENT, v.ROUNDTRIP_REPLY, v.ROUNDTRIP_MILLISECONDS, v.ROUNDTRIP_REMOVED)
        }
        for text, style in _lines(of):
            page.say(f"{mailbox}: {text}", style=style)


def _lines(of: Mapping[str, JsonObject]) -> Iterator[tuple[str, str]]:
    if not of[v.ROUNDTRIP_SENT.name]["value"]:
        reply = of[v.ROUNDTRIP_REPLY.name].get("value", "")
        yield f"the server did not take it: {' / '.join(reply.splitlines())[:300]}", BAD
        return
    took, removed = of[v.ROUNDTRIP_MILLISECONDS.name], of[v.ROUNDTRIP_REMOVED.name]
    if "value" not in took:
        yield f"not seen to come back: {took.get('detail', 'the reason is not known')}", DOUBTFUL
        return
    end = "and was deleted" if removed.get("value") else "and is STILL THERE, marked as deleted at most"
    yield f"came back after {took['value'] / 1000:.1f} s {end}", GOOD if removed.get("value") else DOUBTFUL
