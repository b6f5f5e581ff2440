"""What goes wrong with an estate: one mistake, and all of them at once."""

from __future__ import annotations

from collections.abc import Iterable

from probe.model.characters import visible
from probe.model.values import dataclass

KeyPath = tuple[str | int, ...]
"""Where a value stands, as in `("profile", 0, "incoming")`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in an estate: where it stands, and what would be right."""

    file: str
    line: int | None
    """From 1; None where it is about the whole file."""
    key: str
    """As in `profile[0].incoming`; empty where no key can be named."""
    owner: str
    """The name of the table, as in `profile "corp"`; empty where it has none."""
    message: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        key = f"{self.key} ({self.owner})" if self.owner else self.key
        # One line, whatever the file is called and a key or name holds: it goes to a terminal.
        return visible(": ".join(part for part in (where, key, self.message) if part))


class EstateError(Exception):
    """An estate that cannot be taken, with every mistake in it, in the order of its lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Found:
    """A mistake before its line is looked up."""

    path: KeyPath
    message: str
    is_missing: bool = False
    first: KeyPath | None = None
    """Where the same name stands already."""


def why_unreadable(wrong: OSError | ValueError) -> str:
    """Why a file cannot be opened, without its name."""
    return (getattr(wrong, "strerror", None) or "its name is not valid").lower()
