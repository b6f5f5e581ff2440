"""Alerts of Dynamics and the rules that may explain them.

An alert is recognized by what is the same in every language: HTTP status, codes of EWS and of mail servers, names of exceptions, `Crm.8…` and hexadecimal numbers. Its
words are used only where it has none of these, because they stand for more causes, and in one language only. `tracecode` is not used: the meaning of its
numbers is not public.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

from probe.model.values import dataclass
from probe.tables.files import toml


@dataclass(frozen=True, slots=True)
class DynamicsAlert:
    """An alert of Dynamics and its possible causes."""

    codes: tuple[str, ...]
    """Codes that identify it in every language, in lower case; one of them is enough. They are matched as whole words."""
    words: tuple[str, ...]
    """Phrases that identify it in English where it has no code, in lower case; one of them is enough."""
    rules: tuple[str, ...]
    """Ids of the rules to look at, the likeliest first; empty where no rule covers it."""
    meaning: str
    """Its meaning in one sentence where no rule gives it; else empty."""
    example: str


@cache
def dynamics_alerts() -> tuple[DynamicsAlert, ...]:
    """All known alerts."""
    return tuple(
        DynamicsAlert(tuple(a.get("codes", ())), tuple(a.get("words", ())), tuple(a.get("rules", ())), a.get("meaning", ""), a["example"])
        for a in toml("dynamics_alerts.toml")["alert"]
    )


@cache
def _by_code() -> tuple[re.Pattern[str], dict[str, tuple[DynamicsAlert, ...]]]:
    """One pattern that finds every code, and the alerts that each stands for."""
    known: dict[str, tuple[DynamicsAlert, ...]] = {}
    for alert in dynamics_alerts():
        for code in alert.codes:
            known[code] = (*known.get(code, ()), alert)
    # The longest first: `invalidincomingemailserverprofile` is the beginning of a longer name with another meaning.
    either = "|".join(re.escape(code) for code in sorted(known, key=len, reverse=True))
    return re.compile(rf"(?<![a-z0-9])(?:{either})(?![a-z0-9])"), known


_NEGATIVE = re.compile(r"(?<![a-z0-9.])-(2\d{9})(?!\d)")
_PREFIX = re.compile(r"(?<![a-z0-9])0x(?=[0-9a-f]{8}(?![a-z0-9]))")


def _normal(texts: tuple[str, ...]) -> str:
    """Lower case, single spaces, and every 32-bit number as eight hexadecimal digits: `-2147220891` and `0x80040265` are `80040265`."""
    said = " ".join(" ".join(texts).lower().split())
    return _PREFIX.sub("", _NEGATIVE.sub(lambda number: f"{-int(number[1]) & 0xFFFFFFFF:08x}", said))


def alerts_like(*texts: str) -> tuple[DynamicsAlert, ...]:
    """The known alerts that match an alert, by its texts (`text`, `errordetails`, `traceparameterxml`, `tracedetailxml`), or by a copied part of them.

    The one with the fewest possible causes comes first.
    """
    said = _normal(texts)
    pattern, known = _by_code()
    found = [alert for code in pattern.findall(said) for alert in known[code]]
    if not found:
        found = [alert for alert in dynamics_alerts() if any(word in said for word in alert.words)]
    return tuple(sorted(dict.fromkeys(found), key=lambda alert: len(alert.rules)))


def causes_of_alert(*texts: str) -> tuple[str, ...]:
    """Ids of the rules that may explain an alert, the closest first; empty where the alert is not known, or no rule covers it.

    The closest rule is the one that most of its codes name; among these, the one that the code with the fewest causes names first.
    """
    pointing = Counter(rule for alert in alerts_like(*texts) for rule in alert.rules)
    return tuple(rule for rule, _ in pointing.most_common())  # the sort is stable
