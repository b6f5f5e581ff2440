"""How messages are worded: lists of words, and what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST_NAMES_COMPARED = 200
"""difflib compares a misspelt name with each that is known; beyond this it would be felt."""


def listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def quoted(words: Iterable[str]) -> str:
    return listed(f'"{word}"' for word in words)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one known word that was probably meant."""
    names = list(known)
    if len(word) > 64 or len(names) > MOST_NAMES_COMPARED:
        return None
    return next(iter(difflib.get_close_matches(word.lower(), names, 1)), None)


def readable(value: object) -> bool:
    """Whether it can be somebody's name; what cannot has a message of its own."""
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()
