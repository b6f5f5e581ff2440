"""Sentences with which servers refuse a login."""

from __future__ import annotations

import re
from functools import cache

from probe.model.refusals import Refusal
from probe.model.values import dataclass
from probe.tables.files import toml


@dataclass(frozen=True, slots=True)
class RefusalWords:
    """A sentence with which a server refuses a login, and its possible meanings."""

    id: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None
    causes: tuple[Refusal, ...]
    """The likeliest first."""
    provider: str | None
    """The provider that uses it, where only one does."""
    source: str
    examples: tuple[str, ...]
    is_english: bool
    """Whether it is from the table of English sentences."""


@cache
def refusal_words() -> tuple[RefusalWords, ...]:
    """Every known sentence, in search order: other languages first, because their servers often add English words."""
    return tuple(
        RefusalWords(
            id=entry["id"],
            pattern=re.compile(entry["pattern"], re.IGNORECASE),
            unless=re.compile(entry["unless"], re.IGNORECASE) if "unless" in entry else None,
            causes=tuple(map(Refusal, entry["causes"])),
            provider=entry.get("provider"),
            source=entry["source"],
            examples=tuple(entry["examples"]),
            is_english=name == "auth_refusals.toml",
        )
        for name in ("auth_refusals_languages.toml", "auth_refusals.toml")
        for entry in toml(name)["refusal"]
    )
