"""Values, reasons and numbers as a person would write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from probe.document.index import JsonObject
from probe.model import vocabulary as v
from probe.model.estate import DEPLOYMENT_SUBJECT, profile_subject
from probe.model.facts import UNTRIED, Why
from probe.model.rules import Otherwise

_WHY_OF: dict[Why, str] = {
    Why.NOT_ATTEMPTED: "nothing was tried on {} that would show it",
    Why.NOT_APPLICABLE: "the question does not arise for {}",
    Why.NOT_DISCLOSED: "{} did not say",
    Why.NO_CREDENTIALS: "there are no credentials for {}",
    Why.DENIED: "the request to {} was refused, or the estate does not allow it",
    Why.UNRESOLVED: "no address was found for {}",
    Why.REFUSED: "{} refused the connection",
    Why.UNREACHABLE: "there is no route to {}",
    Why.TIMED_OUT: "{} did not answer in time",
    Why.THROTTLED: "{} accepts no requests for now",
    Why.CLOSED: "{} closed the connection too early",
    Why.TLS_FAILED: "the TLS handshake with {} failed",
    Why.OFF_PROTOCOL: "what answered at {} does not speak the protocol",
    Why.UNTRUSTED_PEER: "the certificate is not trusted at {}",
    Why.CONFLICTING: "what was observed of {} is contradictory",
    Why.STALE: "what was once observed of {} is out of date",
    Why.INTERRUPTED: "the run was interrupted before {} was finished",
    Why.BUG: "this program failed on {}; please report it",
}

WHY_IN_WORDS: dict[Why, str] = {why: words.format("the server") for why, words in _WHY_OF.items()}
"""Each reason in words; `{}` is the subject."""

WHAT_TO_DO: dict[Why, str] = {
    Why.NOT_ATTEMPTED: "Allow what would show it (`allow` in the estate, see `probe check --dry-run`), then check again.",
    Why.NOT_APPLICABLE: "There is nothing to do.",
    Why.NOT_DISCLOSED: "Ask the server's administrator; if the server hides its name, name the product in the estate (`product`), then check again.",
    Why.NO_CREDENTIALS: "Add the account's credentials to the estate, then check again.",
    Why.DENIED: "Have the server or the estate allow the request, then check again.",
    Why.UNRESOLVED: "Make sure that the name is spelt correctly and that this machine's resolver knows it, then check again.",
    Why.REFUSED: "Make sure that host and port are correct and that the service is running, then check again.",
    Why.UNREACHABLE: "Make sure that this machine has a route to the host and that no firewall blocks it, then check again.",
    Why.TIMED_OUT: "Make sure that the firewall lets this machine through and that the service answers, then check again.",
    Why.THROTTLED: "Wait until the server takes connections again, then check again.",
    Why.CLOSED: "Look up in the server's log why it closed the connection, then check again.",
    Why.TLS_FAILED: "Look up in the server's log why the handshake failed, enable what both ends support, then check again.",
    Why.OFF_PROTOCOL: "Compare host, port and the SSL setting of the profile with what runs there, then check again.",
    Why.UNTRUSTED_PEER: "Correct the certificate, or trust its authority with `--ca FILE`, then check again.",
    Why.CONFLICTING: "Find out whether several servers share the name, and compare them.",
    Why.STALE: "Check again.",
    Why.INTERRUPTED: "Check again, and let the run finish.",
    Why.BUG: "Report it with the output of `--json`, and check again.",
}
"""What the reader can do about each reason."""

# Cited values are kept short; the JSON report has the rest. A value may be long, such as capabilities, but not endless.
CITED_LIMIT = 240
VALUE_LIMIT = 2000
_SHOWN_OF_A_LIST = 5


def value_in_words(value: Any) -> str:
    """A value of the document in words."""
    match value:
        case None:
            return "not visible"
        case bool():
            return "yes" if value else "no"
        case "":
            return "(empty)"
        case []:
            return "none"
        case [[str(), str()], *_]:
            return ", ".join(f"{name}={content}" for name, content in value)
        case list():
            return ", ".join(map(value_in_words, value))
        case {"exact": str(exact)}:
            return exact
        case {"at_least": str(low), "at_most": high} if low == high:
            return f"{low}, though not exactly"
        case {"at_least": low, "at_most": high}:
            return f"between {low} and {high}" if low and high else f"{low} or later" if low else f"{high} or earlier" if high else "any"
        case {"scheme": str(scheme), "token": token, "parameters": parameters}:
            return " ".join(filter(None, (scheme, token, value_in_words(parameters) if parameters else "")))
        case {"subject": str(subject), "not_before": str(begins), "not_after": str(ends)}:
            return f"{subject} {begins[:10]} to {ends[:10]}"
        case {"version": version, "suite": _}:
            return ", ".join(filter(None, (version, value["suite"], value.get("group"), value.get("scheme")))) or "not visible"
        case dict():
            return "; ".join(f"{name}: {value_in_words(content)}" for name, content in value.items())
        case _:
            return str(value)


def endpoints_of(finding: JsonObject) -> tuple[str, ...]:
    """The endpoints that a finding cites."""
    return tuple(dict.fromkeys(cited["subject"] for cited in finding["because"] if "://" in cited["subject"]))


def subjects_of(finding: JsonObject, profile: str) -> tuple[str, ...]:
    """What a failure of a mailbox of this profile is of: each endpoint where mail does not pass, or the one that it cites; else the deployment or the profile."""
    urls = endpoints_of(finding)
    if urls and (finding["otherwise"] == Otherwise.NOT_READY or len(urls) == 1):
        return urls
    cited = {reading["subject"] for reading in finding["because"]}
    return (DEPLOYMENT_SUBJECT if cited == {DEPLOYMENT_SUBJECT} else profile_subject(profile),)


def gap_in_words(gap: JsonObject) -> str:
    words, detail = WHY_IN_WORDS[Why(gap["why"])], bounded(gap["detail"], CITED_LIMIT)
    return f"{words} ({detail})" if detail and detail not in (words, UNTRIED) else words


def reason_in_words(why: Why, subjects: Sequence[str], detail: str) -> str:
    """A reason with its subjects, as a clause."""
    words = _WHY_OF[why].format(" and ".join(subjects))
    return f"{words} ({bounded(detail, CITED_LIMIT)})" if detail and detail != UNTRIED else words


_BY_YOUR_WORD = frozenset(key.name for key in (v.PROFILE_FIPS_VALIDATED, v.PROFILE_OUTGOING_FIPS_VALIDATED, v.PROFILE_PASSWORD_ENDS))
"""What no connection can contradict."""
_BY_WHOM = {"peer": " (the server says so)", "operator": " (declared by the operator)", "dynamics": " (Dynamics says so)"}


def provenance(fact: JsonObject) -> str:
    """How a fact is known, in brackets after its value; empty where it was observed, or is known in a way of a later version."""
    if fact["basis"] == "inferred":
        return " (by your word)" if fact.get("inference") == v.PRODUCT_BY_WORD else " (inferred)"
    if fact["basis"] != "declared":
        return ""
    if fact["key"] in _BY_YOUR_WORD:
        return " (by your word)"
    return _BY_WHOM.get(fact.get("by", ""), "")


def bounded(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text) - limit:,} more characters)"


def count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def spaced(word: str) -> str:
    return word.replace("-", " ")


def moment(text: str) -> str:
    return text.replace("T", " ").replace("Z", " UTC")


def some_of(items: Sequence[str]) -> str:
    more = len(items) - _SHOWN_OF_A_LIST
    if more <= 1:  # the last one takes no more room than "and 1 more"
        return ", ".join(items)
    return ", ".join(items[:_SHOWN_OF_A_LIST]) + f" and {more:,} more"


def ago(seconds: float) -> str:
    """How long something is past."""
    if seconds < 60:
        return "less than a minute ago"
    if seconds < 2 * 3600:
        return f"{count(int(seconds // 60), 'minute', 'minutes')} ago"
    return f"{int(seconds // 3600)} hours ago" if seconds < 2 * 86400 else f"{int(seconds // 86400):,} days ago"
