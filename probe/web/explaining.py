"""Why a mailbox has its verdict, for programs: what `check` and its page tell. Pure in the document of one mailbox."""

from __future__ import annotations

from datetime import date

from probe.document.index import JsonObject
from probe.document.telling.blocks import blocks_of
from probe.document.telling.causes import Questions
from probe.document.telling.endings import ending_behind
from probe.document.telling.explanations import Consequence, Deciding, explanations_of, verdicts_by_default
from probe.document.telling.groups import cause_of, is_advice
from probe.document.telling.known import Known
from probe.document.telling.names import remedy_for
from probe.document.telling.words import WHAT_TO_DO, gap_in_words
from probe.model.facts import Why
from probe.model.remedies import steps
from probe.model.rules import Assessment, Direction, Result
from probe.web.causes import cause_id, status_word
from probe.web.parts import JsonForm


def verdict_form(document: JsonObject, assessment: Assessment, on: date) -> JsonForm:
    """The verdict of the one mailbox of a document, with what decided it and what is advised."""
    known = Known(document)
    (block,) = blocks_of(document["assessments"], known)
    cause, beside = cause_of(block, on)
    return {
        "status": status_word(block.status),
        "words": block.verdict,
        "cause": cause_id(block.status, (*cause, beside)),
        "explanations": [_explanation(one, block.addresses[0], known, on) for one in explanations_of(block)],
        "by_default": [sentence for _, sentence in verdicts_by_default(block)],
        "by_direction": {way.value: _results(assessment, way) for way, ready in assessment.directions.items() if ready is not None},
    }


def _results(assessment: Assessment, way: Direction) -> dict[str, str]:
    """What came of each rule for one direction, where it was asked of it."""
    return {finding.rule.id: finding.directions[way].value for finding in assessment.findings if way in finding.directions}


def _explanation(one: Questions | Consequence | Deciding, address: str, known: Known, on: date) -> JsonForm:
    form: JsonForm = {
        "answer": "unknown",
        "rules": [],
        "because": "",
        "follows_from": None,
        "also_not_listed": [],
        "settles": [],
        "remedy": "",
        "commands": [],
        "endings": [],
    }
    match one:
        case Questions():
            told = {"rules": [finding["rule"] for finding in one.findings], "because": one.because(), **_settled(one.whys)}
        case Consequence():
            told = {
                "answer": "no",
                "rules": [one.finding["rule"]],
                "follows_from": one.root["rule"],
                **_endings(one.finding, known, address),
            }
        case Deciding():
            remedy = remedy_for(one.finding, address, known, on)
            told = {
                "rules": [one.finding["rule"]],
                "also_not_listed": [finding["rule"] for finding in one.also_not_listed],
                "remedy": remedy,
                "commands": [step.text for paragraph in remedy.split("\n") for step in steps(paragraph) if step.is_command],
                **_answer(one.finding),
                **_endings(one.finding, known, address),
            }
    return form | told


def _answer(finding: JsonObject) -> JsonForm:
    """Whether what a finding asks for is so; where that is not known, why, and what would settle it."""
    if finding["result"] == Result.FAILS:
        return {"answer": "advice" if is_advice(finding) else "no"}
    gaps = [cited for cited in finding["because"] if "why" in cited]
    because = "; ".join(dict.fromkeys(map(gap_in_words, gaps)))
    return {"because": because, **_settled([Why(gap["why"]) for gap in gaps])}


def _settled(whys: list[Why]) -> JsonForm:
    return {"settles": [*dict.fromkeys(WHAT_TO_DO[why] for why in whys)]}


def _endings(finding: JsonObject, known: Known, address: str) -> JsonForm:
    """How providers ended what a finding says is not possible, each once."""
    found = (ending_behind(cited, known, address) for cited in finding["because"] if "why" not in cited)
    return {"endings": [{"says": says, "source": source} for says, source in dict.fromkeys((one.says, one.source) for one in found if one)]}
