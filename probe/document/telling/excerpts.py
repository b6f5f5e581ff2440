"""Which transcript lines are shown for a fact: few, and the most informative ones."""

from __future__ import annotations

import re
from collections.abc import Sequence

from probe.document.index import JsonObject
from probe.document.telling.known import Known

# Two lines are enough for a reader; the transcript has the rest.
_MOST_EXCERPTS = 2
_SHORTEST_TELLING = 4  # shorter values, such as `ews` or `25`, occur in unrelated lines
_ROOM_BEFORE = 20  # characters that are shown before the match in a line that is too long
_FIRST_LINES = 100  # characters of an excerpt that fit two lines of the narrowest page

_GREETING_OR_HEADER = re.compile(r"\+OK .|220[ -]|\* (OK|PREAUTH) |[A-Za-z][A-Za-z0-9-]*: ")
_HANDSHAKE = "TLS handshake"


def telling_excerpts(known: Known, facts: Sequence[JsonObject]) -> list[str]:
    """Lines that contain the value, or what it was concluded from; else greetings and headers; else any. Never the note of a handshake."""
    lines = list(dict.fromkeys(e["excerpt"] for f in facts for e in f["evidence"] if not e["excerpt"].startswith(_HANDSHAKE)))
    words = {line for f in facts for text in known.texts_behind(f) for line in text.splitlines() if len(line) >= _SHORTEST_TELLING}
    telling = [line for line in lines if any(word in line for word in words)]
    heads = [line for line in lines if _GREETING_OR_HEADER.match(line)]
    chosen = telling or heads or lines
    return [_from_the_telling_part(line, words) for line in chosen[:_MOST_EXCERPTS]]


def _from_the_telling_part(line: str, words: set[str]) -> str:
    """The line, without its beginning where the match is far behind."""
    ends = [(line.index(word) + len(word), line.index(word)) for word in words if word in line]
    if not ends or min(ends)[0] <= _FIRST_LINES:
        return line
    start = max(min(ends)[1] - _ROOM_BEFORE, 0)
    return f"...{line[start:]}" if start else line
