"""The test messages: which returned, and which may still be in a mailbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from probe.document.index import JsonObject
from probe.document.telling.known import Known
from probe.model import vocabulary as v
from probe.model.rules import Grade


def messages_of(known: Known) -> Iterator[tuple[str, str, Grade]]:
    """For each mailbox from which a test message was sent or refused: the mailbox, what came of it, and how that stands."""
    told = {(form["mailbox"], form["key"]): form for form in (*known.all_gaps, *known.all_facts) if form["key"].startswith("roundtrip.")}
    for mailbox, key in told:
        if key == v.ROUNDTRIP_SENT.name and "value" in told[mailbox, key]:
            of = {
                key.name: told.get((mailbox, key.name), {})
                for key in (v.ROUNDTRIP_SENT, v.ROUNDTRIP_REPLY, v.ROUNDTRIP_MILLISECONDS, v.ROUNDTRIP_REMOVED)
            }
            yield mailbox, *_what_came_of(of)


def _what_came_of(of: Mapping[str, JsonObject]) -> tuple[str, Grade]:
    if not of[v.ROUNDTRIP_SENT.name]["value"]:
        reply = of[v.ROUNDTRIP_REPLY.name].get("value", "")
        return f"the server did not take it: {' / '.join(reply.splitlines())[:300]}", Grade.BAD
    took, removed = of[v.ROUNDTRIP_MILLISECONDS.name], of[v.ROUNDTRIP_REMOVED.name]
    if "value" not in took:
        return f"not seen to come back: {took.get('detail', 'the reason is not known')}", Grade.OPEN
    end = "and was deleted" if removed.get("value") else "and is STILL THERE, marked as deleted at most"
    return f"came back after {took['value'] / 1000:.1f} s {end}", Grade.GOOD if removed.get("value") else Grade.OPEN
