"""What was not allowed, listed once at the end, because it does not concern a single mailbox."""

from __future__ import annotations

from collections.abc import Iterable

from probe.document.telling.blocks import Block
from probe.document.telling.causes import NOT_ALLOWED, is_not_allowed
from probe.document.telling.known import Known
from probe.document.telling.words import count
from probe.model.estate import Effect
from probe.reports.text.page import Page


def write_not_asked(page: Page, blocks: Iterable[Block], known: Known, *, verbose: bool) -> None:
    """One paragraph for each effect that was not allowed, with the names of questions and facts where everything is shown."""
    questions: dict[str, dict[str, str]] = {}
    for block in blocks:
        for finding in filter(is_not_allowed, block.undecided):
            detail = next(cited["detail"] for cited in finding["because"] if "why" in cited)
            questions.setdefault(detail, {})[finding["rule"]] = finding["title"]
    keys: dict[str, dict[str, None]] = {}
    for subject in known.endpoints:
        for gap in known.gaps_of(subject):
            if gap.detail.endswith(NOT_ALLOWED):
                keys.setdefault(gap.detail, {})[gap.key.name] = None
    details = list(dict.fromkeys((*questions, *keys)))
    if details:
        page.heading("Not asked")
    for detail in details:
        page.say(_told(detail, len(questions.get(detail, ())), len(keys.get(detail, ())), verbose=verbose))
        if verbose:
            for rule, title in questions.get(detail, {}).items():
                page.say(f"{title} ({rule})", indent=2, label="-", column=2)
            if detail in keys:
                page.say(", ".join(keys[detail]), indent=2, label="-", column=2)


def _told(detail: str, questions: int, facts: int, *, verbose: bool) -> str:
    """The sentence on one effect: how much was not asked, and the option that asks for it."""
    what = " and ".join(
        part for number, part in ((questions, count(questions, "question", "questions")), (facts, count(facts, "fact", "facts"))) if number
    )
    effect = next((effect for effect in Effect if effect in detail), None)
    how = f" `--allow {effect}` asks." if effect else ""
    return f"{what}, because {detail}.{how}" + ("" if verbose else " `--verbose` names them.")
