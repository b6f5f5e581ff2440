"""Alerts of Dynamics, and the rules that may explain them."""

from __future__ import annotations

from functools import cache

from probe.model.values import dataclass
from probe.tables.files import toml


@dataclass(frozen=True, slots=True)
class DynamicsAlert:
    """An alert of Dynamics and what it may come from."""

    words: tuple[str, ...]
    """In lower case; one of them is enough to know it by."""
    rules: tuple[str, ...]
    """Ids of the rules to look at, the likeliest first."""
    example: str


@cache
def dynamics_alerts() -> tuple[DynamicsAlert, ...]:
    """The alerts that are known."""
    return tuple(DynamicsAlert(tuple(a["words"]), tuple(a["rules"]), a["example"]) for a in toml("dynamics_alerts.toml")["alert"])


def causes_of_alert(text: str) -> tuple[str, ...]:
    """Ids of the rules that may explain an alert, the likeliest first; none where no word of it is known."""
    said = " ".join(text.lower().split())
    return tuple(dict.fromkeys(rule for alert in dynamics_alerts() if any(w in said for w in alert.words) for rule in alert.rules))
