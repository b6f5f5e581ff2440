"""An inference: facts out of facts, pure in what is known and the date."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import field
from datetime import date
from enum import StrEnum
from typing import Any

from probe.model.facts import Facts
from probe.model.keys import FactKey
from probe.model.rules import Case
from probe.model.values import dataclass

Conclusion = tuple[FactKey[Any], Any]
"""A key and the value that follows for it."""


class InferenceScope(StrEnum):
    """What an inference looks at, and what its conclusions are facts of."""

    ENDPOINT = "endpoint"
    MAILBOX = "mailbox"
    PROFILE = "profile"
    """Looks at every mailbox of the estate that has this profile."""
    DEPLOYMENT = "deployment"
    """Looks at every mailbox of the estate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """What an inference is shown."""

    facts: Facts
    """Of the subject itself."""
    cases: tuple[Case, ...]
    """Empty for an endpoint; the one mailbox; every mailbox of the profile; every mailbox of the estate."""
    date: date


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What an inference says of a key for which nothing follows."""

    key: FactKey[Any]
    because: str
    is_moot: bool = False
    """Whether the question does not arise for this subject, rather than having no answer."""
    conflicts: bool = False
    """Whether there are answers, and they contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """Facts out of facts."""

    id: str
    title: str
    scope: InferenceScope
    needs: tuple[FactKey[Any], ...]
    """The keys that it looks at."""
    gives: tuple[FactKey[Any], ...]
    """The keys that it promises a reading for."""
    infer: Callable[[Premises], Iterable[Conclusion | Unsettled]]
    alike: Mapping[FactKey[Any], Callable[[Any], Hashable]] = field(default_factory=dict)
    """What it goes by of a key's value, where that is less than the value: for two values of which it is the same, the inference says the same."""
