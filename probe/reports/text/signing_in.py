"""Whether somebody signed in for a mailbox: what a readiness is worth."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Readiness
from probe.reports.text.causes import NOT_ALLOWED
from probe.reports.text.known import Known
from probe.reports.text.words import Form

YES = "yes"
_WORST_FIRST = ("refused", "not-tried", "not-allowed", "impossible", YES)
"""What `signed_in` may be, in the order of the contract."""
_ONLY_DYNAMICS = "only the Dynamics server"
"""What it says of credentials that no other machine has."""

WITHOUT = "as far as seen without signing in"
"""What is added to a readiness that no sign-in has shown."""

_IN_WORDS = {
    "not-tried": "nobody signed in",
    "not-allowed": "nobody signed in, because nobody allowed it (`--allow logs-in`)",
    "impossible": "nobody signed in, because only the Dynamics server can",
}


def signed_in(address: str, known: Known) -> str:
    """How it stands with signing in for a mailbox: the worst, over the endpoints that are used."""
    return min((_at(url, address, known) for url in known.used_endpoints(address)), key=_WORST_FIRST.index, default="not-tried")


def _at(url: str, address: str, known: Known) -> str:
    if (url, address, v.AUTH_ACCEPTED.name) in known.facts:
        return YES if known.facts[url, address, v.AUTH_ACCEPTED.name][0]["value"] else "refused"
    gap = _gap(url, address, known)
    if gap is None:
        return "not-tried"
    if gap["why"] == Why.NO_CREDENTIALS and _ONLY_DYNAMICS in gap["detail"]:
        return "impossible"
    return "not-allowed" if gap["why"] == Why.NOT_ATTEMPTED and gap["detail"].endswith(NOT_ALLOWED) else "not-tried"


def _gap(url: str, address: str, known: Known) -> Form | None:
    key = v.AUTH_ACCEPTED.name
    return known.gap(url, address, key) or known.gap(url, None, key)


def ready_in_words(readiness: Readiness, how: str, words: str) -> str:
    """The words for a readiness, which say so where nobody signed in."""
    return f"{words} {WITHOUT}" if readiness is Readiness.READY and how != YES else words


def not_signed_in(address: str, how: str, known: Known) -> str:
    """Why nobody signed in, as the engine tells it, or else in general; empty where somebody did, or was refused."""
    if how in (YES, "refused"):
        return ""
    details = dict.fromkeys(gap["detail"] for url in known.used_endpoints(address) if (gap := _gap(url, address, known)) and gap["detail"])
    return f"nobody signed in: {'; '.join(details)}" if details and how != "not-allowed" else _IN_WORDS[how]
