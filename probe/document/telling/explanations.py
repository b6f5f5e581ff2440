"""Why a block of mailboxes has its verdict: what is told of it, in the order in which it is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from probe.document.index import JsonObject
from probe.document.telling.blocks import Block
from probe.document.telling.causes import Questions, questions_in_common
from probe.document.telling.groups import is_advice
from probe.document.telling.roots import root_of
from probe.model.rules import Otherwise, Readiness, Result, Support


class Deciding(NamedTuple):
    """A finding that decided, or that advises."""

    finding: JsonObject
    also_not_listed: list[JsonObject]
    """Weaker findings that the same facts decided."""


class Consequence(NamedTuple):
    """A failed finding that follows from another, whose remedy applies."""

    finding: JsonObject
    root: JsonObject


def explanations_of(block: Block) -> Iterator[Questions | Consequence | Deciding]:
    """What decided a block, each finding once: unknown ones with a common cause together, a consequence with its root."""
    collapsed = questions_in_common(f for f in block.decided if f["result"] == Result.UNKNOWN)
    not_listed_either = _not_listed_either(block.decided)
    told = {f["rule"] for findings in not_listed_either.values() for f in findings}
    for finding in block.decided:
        if finding["rule"] in told:
            continue
        questions = next((q for q in collapsed if finding in q.findings), None)
        root = root_of(finding, block.decided)
        if questions is not None:
            yield questions
            told.update(f["rule"] for f in questions.findings)
        elif root is not None and not is_advice(finding):
            yield Consequence(finding, root)
        else:
            yield Deciding(finding, not_listed_either.get(finding["rule"], []))


def verdicts_by_default(block: Block) -> Iterator[tuple[str, str]]:
    """Verdicts that no finding decided, each as its word and a sentence: nobody is supported or ready by default."""
    if block.support is Support.NOT_LISTED and not any(f["otherwise"] == Otherwise.NOT_LISTED for f in block.decided):
        yield "NOT LISTED", "no row of Microsoft's table of supported systems is met."
    if block.readiness is Readiness.UNDETERMINED and not any(f["otherwise"] == Otherwise.NOT_READY for f in block.decided):
        yield "UNKNOWN", "nothing was found that shows it ready."


def _not_listed_either(decided: Iterable[JsonObject]) -> dict[str, list[JsonObject]]:
    """For the rule of an unsupported finding, the weaker findings that the same facts decided."""
    failed = [f for f in decided if f["result"] == Result.FAILS]
    stronger = [f for f in failed if f["otherwise"] == Otherwise.UNSUPPORTED]
    weaker: dict[str, list[JsonObject]] = {}
    for finding in failed:
        if finding["otherwise"] == Otherwise.NOT_LISTED:
            same = next((s for s in stronger if all(cited in s["because"] for cited in finding["because"])), None)
            if same is not None:
                weaker.setdefault(same["rule"], []).append(finding)
    return weaker
