"""Values, reasons and numbers as a person would write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from probe.model.facts import Why

Form = Mapping[str, Any]
"""A part of the document."""

WHY_IN_WORDS: dict[Why, str] = {
    Why.NOT_ATTEMPTED: "nothing was tried that would tell",
    Why.NOT_APPLICABLE: "the question does not arise here",
    Why.NOT_DISCLOSED: "the server does not say",
    Why.NO_CREDENTIALS: "there are no credentials to ask with",
    Why.DENIED: "it may not be asked: the server refuses, or the estate does not allow it",
    Why.UNRESOLVED: "no address was found for the name",
    Why.REFUSED: "the host refused the connection",
    Why.UNREACHABLE: "there is no way to the host",
    Why.TIMED_OUT: "the server did not answer in time",
    Why.THROTTLED: "the server asked to be left alone for now",
    Why.CLOSED: "the server ended the connection in the middle",
    Why.TLS_FAILED: "TLS could not be agreed on",
    Why.OFF_PROTOCOL: "what answered does not speak the protocol",
    Why.UNTRUSTED_PEER: "credentials were held back, because the certificate does not earn them",
    Why.CONFLICTING: "what was seen contradicts itself",
    Why.INTERRUPTED: "the run was interrupted before it was known",
    Why.BUG: "this program failed; please report it",
}
"""What a reader is told of each reason."""

# An excerpt must fit a glance; the transcript has the rest. A value may be long, as capabilities are, but not endless.
EXCERPT_LIMIT = 240
VALUE_LIMIT = 2000
_ADDRESSES_SHOWN = 5


def value_in_words(value: Any) -> str:
    """A value in its JSON form, as a person would write it."""
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
        case {"at_least": low, "at_most": high}:
            return f"between {low} and {high}" if low and high else f"{low} or later" if low else f"{high} or earlier" if high else "any"
        case {"scheme": str(scheme), "token": token, "parameters": parameters}:
            return " ".join(filter(None, (scheme, token, value_in_words(parameters) if parameters else "")))
        case {"version": version, "suite": _}:
            return ", ".join(filter(None, (version, value["suite"], value.get("group"), value.get("scheme")))) or "not visible"
        case dict():
            return "; ".join(f"{name}: {value_in_words(content)}" for name, content in value.items())
        case _:
            return str(value)


def gap_in_words(gap: Form) -> str:
    words, detail = WHY_IN_WORDS[Why(gap["why"])], bounded(gap["detail"], EXCERPT_LIMIT)
    return f"{words} ({detail})" if detail and detail != words else words


def provenance(fact: Form) -> str:
    """How a fact is known, in brackets after its value; nothing where it was seen at first hand."""
    if fact["basis"] == "observed":
        return ""
    if fact["basis"] == "inferred":
        return " (inferred)"
    return " (the server says so)" if fact["by"] == "peer" else " (declared by the operator)"


def bounded(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text) - limit:,} more characters)"


def count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def spaced(word: str) -> str:
    return word.replace("-", " ")


def moment(text: str) -> str:
    return text.replace("T", " ").replace("Z", " UTC")


def some_of(addresses: Sequence[str]) -> str:
    more = len(addresses) - _ADDRESSES_SHOWN
    if more <= 1:  # the last one's address takes no more room than "and 1 more"
        return ", ".join(addresses)
    return ", ".join(addresses[:_ADDRESSES_SHOWN]) + f" and {more:,} more"
