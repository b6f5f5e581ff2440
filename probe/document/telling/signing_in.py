"""Whether there was a sign-in for a mailbox, which a readiness depends on."""

from __future__ import annotations

from probe.document.index import JsonObject
from probe.document.telling.known import Known
from probe.model import vocabulary as v
from probe.model.rules import Readiness

YES = "yes"
WITHOUT = "as far as seen without signing in"
"""The addition to a readiness that no sign-in has confirmed."""

_IN_WORDS = {
    "not-tried": "nobody signed in",
    "not-allowed": "nobody signed in, because nobody allowed it (`--allow logs-in`)",
    "impossible": "nobody signed in, because only the Dynamics server can",
}


def _gap(url: str, address: str, known: Known) -> JsonObject | None:
    key = v.AUTH_ACCEPTED.name
    return known.gap(url, address, key) or known.gap(url, None, key)


def ready_in_words(readiness: Readiness, how: str, words: str) -> str:
    """The words for a readiness, which mention it where nobody signed in."""
    return f"{words} {WITHOUT}" if readiness is Readiness.READY and how != YES else words


def not_signed_in(address: str, how: str, known: Known) -> str:
    """Why nobody signed in, in the engine's words or else in general; empty where somebody did, or was refused."""
    if how in (YES, "refused"):
        return ""
    details = dict.fromkeys(gap["detail"] for url in known.used_endpoints(address) if (gap := _gap(url, address, known)) and gap["detail"])
    return f"nobody signed in: {'; '.join(details)}" if details and how != "not-allowed" else _IN_WORDS[how]
