"""How messages are worded: lists of words, and what was probably meant."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from datetime import date

MOST_NAMES_COMPARED = 200
"""difflib compares a misspelt name with each that is known; beyond this it would be felt."""
MOST_COMPARISONS = 5000
"""Of misspelt names with known ones in one file, a few hundred microseconds each where they are much alike; a file that needs more was written by a program."""


def listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def quoted(words: Iterable[str]) -> str:
    return listed(f'"{word}"' for word in words)


def as_toml(value: object) -> str:
    """A value as it is written in an estate."""
    return value.isoformat() if isinstance(value, date) else json.dumps(value)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one known word that was probably meant."""
    names = list(known)
    if len(word) > 64 or len(names) > MOST_NAMES_COMPARED:
        return None
    return next(iter(difflib.get_close_matches(word.lower(), names, 1)), None)


class Guesses:
    """What was probably meant by the misspelt names of one file: each looked up once, within MOST_COMPARISONS."""

    def __init__(self) -> None:
        self._left = MOST_COMPARISONS
        self._made: dict[tuple[str, tuple[str, ...]], str | None] = {}

    def nearest(self, word: str, known: Iterable[str]) -> str | None:
        """The one known word that was probably meant, if any, and if it was looked for."""
        question = word, tuple(known)
        if question not in self._made:
            if self._left < len(question[1]):
                return None
            self._left -= len(question[1])
            self._made[question] = nearest(*question)
        return self._made[question]


def readable(value: object) -> bool:
    """Whether it can be somebody's name; what cannot has a message of its own."""
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()
