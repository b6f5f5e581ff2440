"""Whether there was a sign-in for a mailbox, which a readiness depends on."""

from __future__ import annotations

from collections.abc import Collection

from probe.document.index import JsonObject
from probe.document.telling.known import Known
from probe.document.telling.words import ago, count
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


def signed_in_ago(addresses: Collection[str], urls: Collection[str], known: Known, did: str = "signed in") -> str:
    """How long before the run accounts signed in whose answers of then the run has, at some endpoints; empty where none has. `did` is what they did."""
    times = [known.signed_in_before.get((url, address)) for address in addresses for url in urls]
    before = sorted(at for at in times if at is not None)
    if not before:
        return ""
    oldest, newest = (ago((known.started - at).total_seconds()) for at in (before[0], before[-1]))
    told = f"{did} {oldest}" if oldest == newest else f"{did} between {oldest} and {newest}"
    return told if len(before) == len(times) else f"{told}, in part"


_DID = {YES: "signed in", "refused": "refused"}


def about_sign_in(addresses: Collection[str], how: str, known: Known) -> str:
    """What is to be known of the sign-ins of mailboxes with one verdict: why nobody signed in, and how long ago somebody did; empty where all is of the run.

    Each mailbox has the same reason, and the first stands for all.
    """
    first = next(iter(addresses))
    urls = known.used_endpoints(first)
    parts = (not_signed_in(first, how, known), signed_in_ago(addresses, urls, known, _DID.get(how, "tried")))
    return "; ".join(filter(None, parts))


def answers_before(known: Known) -> str:
    """How many answers are older than the run, in a sentence; empty where none is."""
    times = known.signed_in_before.values()
    if not times:
        return ""
    return (
        f"{count(len(times), 'answer is', 'answers are')} older than the run, of sign-ins up to {ago((known.started - min(times)).total_seconds())}: "
        "an account signs in for a mailbox at an endpoint once in 15 minutes, unless a person says `--now`."
    )
