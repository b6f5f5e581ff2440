"""The verdict of a block of mailboxes as a tree: each question with its answer, and all that decided it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from probe.document.index import JsonObject
from probe.document.telling.blocks import READINESS_WORDS, SUPPORT_WORDS, Block
from probe.document.telling.causes import Questions
from probe.document.telling.explanations import Consequence, Deciding, explanations_of, verdicts_by_default
from probe.document.telling.groups import is_advice
from probe.document.telling.known import Known
from probe.model.rules import By, Otherwise, Readiness, Result, Support

Explanation = Questions | Consequence | Deciding

_ANSWERS = {
    Readiness.NOT_READY: "NO",
    Readiness.UNDETERMINED: "UNKNOWN",
    Readiness.READY: "YES",
    Support.UNSUPPORTED: "NO",
    Support.NOT_LISTED: "NO",
    Support.UNDETERMINED: "UNKNOWN",
    Support.SUPPORTED: "YES",
}


class Branch(NamedTuple):
    """A question of the verdict, with all that decided it."""

    answer: str
    """YES, NO or UNKNOWN; ADVICE for what decides nothing."""
    question: str
    explanations: Sequence[Explanation]
    by_default: Sequence[str]
    """Verdicts that no finding decided, each as a sentence."""
    hold: Sequence[JsonObject]
    """The findings that hold for all mailboxes of the block."""


def branches_of(block: Block, known: Known) -> Iterator[Branch]:
    """The questions of a block: whether it would work, in the directions of one result together; whether it is supported; what is advised."""
    if block.support is Support.NOT_ASSESSED:
        return
    told = list(explanations_of(block))
    defaults = dict(verdicts_by_default(block))
    served = [way for way, _ in block.directions]
    hold = [known.finding(one, served) for one in block.held]
    of_readiness = [one for one in told if _otherwise(one) is Otherwise.NOT_READY]
    by_way: dict[tuple[Readiness, tuple[int, ...]], list[str]] = {}
    for way, ready in block.directions:
        decided = tuple(number for number, one in enumerate(of_readiness) if _decides(one, way))
        by_way.setdefault((ready, decided), []).append(way)
    for (ready, decided), ways in by_way.items():
        yield Branch(
            _ANSWERS[ready],
            f"{', '.join(ways)}: {READINESS_WORDS[ready].removeprefix('readiness ')}",
            [of_readiness[number] for number in decided],
            [defaults["UNKNOWN"]] if ready is Readiness.UNDETERMINED and "UNKNOWN" in defaults and not decided else [],
            [one for one in hold if one["by"] == By.READINESS and any(one["directions"].get(way) == Result.HOLDS for way in ways)],
        )
    yield Branch(
        _ANSWERS[block.support],
        f"Microsoft's page on supported configurations: {SUPPORT_WORDS[block.support].removeprefix('support ')}",
        [one for one in told if _otherwise(one) in (Otherwise.UNSUPPORTED, Otherwise.NOT_LISTED)],
        [defaults["NOT LISTED"]] if "NOT LISTED" in defaults else [],
        [one for one in hold if one["by"] == By.MICROSOFT],
    )
    advice = [one for one in told if _otherwise(one) is Otherwise.ADVICE]
    if advice:
        yield Branch("ADVICE", "what decides nothing, and should be known", advice, [], [])


def _decides(one: Explanation, way: str) -> bool:
    """Whether what is told decided a direction; what no direction has alone decided all."""
    findings = one.findings if isinstance(one, Questions) else [one.finding]
    results = {finding["directions"].get(way) for finding in findings if finding["directions"]}
    return not results or bool(results & {Result.FAILS, Result.UNKNOWN})


def _otherwise(one: Explanation) -> Otherwise:
    """What the failure of what is told means. Questions with one cause may be of both kinds; readiness comes first."""
    findings = one.findings if isinstance(one, Questions) else [one.finding]
    kinds = {Otherwise(finding["otherwise"]) for finding in findings}
    if Otherwise.NOT_READY in kinds:
        return Otherwise.NOT_READY
    return Otherwise.ADVICE if not isinstance(one, Questions) and is_advice(one.finding) else next(iter(kinds))
