"""An inference derives facts from facts. It is a pure function of what is known and of the date."""

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
    """Whose facts an inference reads, and whose facts its conclusions are."""

    ENDPOINT = "endpoint"
    MAILBOX = "mailbox"
    PROFILE = "profile"
    """Reads every mailbox of the estate that has this profile."""
    DEPLOYMENT = "deployment"
    """Reads every mailbox of the estate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """The input of an inference."""

    facts: Facts
    """Of the subject itself."""
    cases: tuple[Case, ...]
    """By scope: none for ENDPOINT, the one mailbox for MAILBOX, all of the profile for PROFILE, all of the estate for DEPLOYMENT."""
    date: date


@dataclass(frozen=True, slots=True)
class Unsettled:
    """No conclusion for a key, with the reason."""

    key: FactKey[Any]
    because: str
    is_moot: bool = False
    """Whether the question does not arise for this subject, rather than having no answer."""
    conflicts: bool = False
    """Whether there are answers, and they contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """Derives facts from facts."""

    id: str
    title: str
    scope: InferenceScope
    needs: tuple[FactKey[Any], ...]
    """The keys that it reads."""
    gives: tuple[FactKey[Any], ...]
    """The keys that it promises a reading for."""
    infer: Callable[[Premises], Iterable[Conclusion | Unsettled]]
    alike: Mapping[FactKey[Any], Callable[[Any], Hashable]] = field(default_factory=dict)
    """For a key of whose value only a part matters: gives that part. Values with the same part lead to the same conclusions."""
