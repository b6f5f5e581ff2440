"""Sentences by which servers refuse a login."""

from __future__ import annotations

import re
from functools import cache

from probe.model.refusals import Refusal
from probe.model.values import dataclass
from probe.tables.files import toml


@dataclass(frozen=True, slots=True)
class RefusalWords:
    """A sentence by which a server refuses a login, and what it may mean."""

    id: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None
    causes: tuple[Refusal, ...]
    """The likeliest first."""
    provider: str | None
    """Whose own words it is, where they are one provider's."""
    source: str
    examples: tuple[str, ...]
    is_english: bool
    """Whether it is of the table whose words are English, but for names."""


@cache
def refusal_words() -> tuple[RefusalWords, ...]:
    """Every known sentence, in the order in which they are looked for: other languages first, whose servers often say a word of English beside."""
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
