"""What came of Test & Enable, for a person: beside the prediction, with what Dynamics' alerts mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from probe.document.index import JsonObject
from probe.document.telling.words import bounded
from probe.model.values import dataclass

FAILED, PENDING, ENABLED, OPEN = "FAILED", "PENDING", "ENABLED", "NOT TESTED"
MOST_OF_ALERT = 300
"""Letters of an alert that are told; the document has all."""
_ENDINGS = {FAILED: "failed", PENDING: "still pending", OPEN: "without an outcome", ENABLED: "tested and enabled"}


@dataclass(frozen=True, slots=True)
class ToldTrouble:
    """An alert or an error of Dynamics."""

    text: str
    causes: tuple[str, ...]
    meaning: str | None
    code: int | None = None
    """Of an alert, as Dynamics gave it."""


def word_of(form: JsonObject) -> str | None:
    """What came of a mailbox, in a word; None where Dynamics was not asked."""
    enabled = form["enabled"]
    if enabled is None:
        return None
    if enabled["state"] == "pending":
        return PENDING
    reported = set(enabled["outcome"].values()) - {None}
    return FAILED if "failure" in reported else ENABLED if reported == {"success"} else OPEN


def summary_of(document: Mapping[str, Any]) -> Iterator[str]:
    """How it came out in all, and what has to be known beside; nothing where it was not asked for."""
    if document["enabling"] is None:
        return
    words = [word_of(form) for form in document["mailboxes"]]
    numbers = Counter(words)
    told = [f"{numbers[word]:,} {ending}" for word, ending in _ENDINGS.items() if numbers[word]]
    told += [f"{numbers[None]:,} not asked for"] if numbers[None] else []
    yield f"Test & Enable: {', '.join(told)}."
    for note in document["enabling"]["notes"]:
        yield f"Note: {note}."


def cause_of(form: JsonObject) -> str | None:
    """What came of a mailbox, in a few words; None where it was not asked for by anybody."""
    word = word_of(form)
    if word is None:
        return f"not asked: {form['not_asked']}" if form["not_asked"] is not None else None
    if word is FAILED:
        return f"failed: {', '.join(direction for direction, how in form['enabled']['outcome'].items() if how == 'failure')}"
    return _ENDINGS[word]


def result_of(form: JsonObject) -> str:
    """What Dynamics reports, and whether that was predicted, in a sentence."""
    enabled = form["enabled"]
    told = "Dynamics has no outcome yet; it may try for 50 minutes" if enabled["state"] == "pending" else _reported(form)
    agreement = {True: ", as predicted", False: ", which is not what was predicted", None: ""}[enabled["agrees"]]
    by = "; somebody else had asked for it" if enabled["scheduled_by_another"] else ""
    return f"{told}{agreement}{by}"


def alerts_of(group: Sequence[JsonObject]) -> list[ToldTrouble]:
    """The alerts of the first of these mailboxes that tell of trouble, each once; a warning that became an error is not told again."""
    told: dict[str, ToldTrouble] = {}
    for level in ("error", "warning"):
        for alert in group[0]["enabled"]["alerts"]:
            if alert["level"] == level and (level == "error" or not told):
                text = bounded(alert["text"], MOST_OF_ALERT)
                told.setdefault(alert["text"], ToldTrouble(text, tuple(alert["causes"]), alert["meaning"], alert["code"]))
    return list(told.values())


def last_error_of(form: JsonObject) -> ToldTrouble | None:
    """The error that Dynamics keeps of a mailbox, with its day, where Dynamics was not asked for a newer outcome."""
    error = form["last_error"]
    if error is None or form["enabled"] is not None:
        return None
    day = f"{error['at'].partition('T')[0]}, " if error["at"] else ""
    return ToldTrouble(f"{day}{bounded(error['text'], MOST_OF_ALERT)}", tuple(error["causes"]), error["meaning"])


def alike(form: JsonObject) -> JsonObject:
    """What of outcome and last error must be the same for mailboxes to be told together."""
    enabled, error = form["enabled"], form["last_error"]
    same: dict[str, Any] = {"enabled": None, "last_error": None if error is None else (error["causes"], error["meaning"])}
    if enabled is not None:
        alerts = [(alert["level"], alert["code"], alert["causes"], alert["meaning"]) for alert in enabled["alerts"]]
        same["enabled"] = {**{name: enabled[name] for name in ("state", "outcome", "agrees", "scheduled_by_another")}, "alerts": alerts}
    return same


def _reported(form: JsonObject) -> str:
    return ", ".join(f"{direction} {how}" for direction, how in form["enabled"]["outcome"].items() if how is not None)
