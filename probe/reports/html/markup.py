"""What every page in HTML is written with: an environment of Jinja2 that escapes each value and makes it visible, and its filters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from probe.document.index import JsonObject
from probe.document.telling.blocks import Block
from probe.document.telling.branches import branches_of
from probe.document.telling.dynamics import states_in_dynamics
from probe.document.telling.endings import ending_behind
from probe.document.telling.endpoints import main_facts
from probe.document.telling.excerpts import telling_excerpts
from probe.document.telling.known import Known
from probe.document.telling.names import remedy_for
from probe.document.telling.posture import posture_of
from probe.document.telling.signing_in import about_sign_in
from probe.document.telling.words import (
    CITED_LIMIT,
    VALUE_LIMIT,
    WHAT_TO_DO,
    bounded,
    count,
    gap_in_words,
    provenance,
    spaced,
)
from probe.model.attempts import Outcome
from probe.model.characters import visible
from probe.model.facts import Missing, Why
from probe.model.remedies import Step, steps
from probe.model.rules import Grade, Support
from probe.reports.html.timeline import by_month
from probe.reports.html.times import time_element, value_in_html

if TYPE_CHECKING:
    import jinja2

_TONES = {Grade.BAD: "bad", Grade.OPEN: "doubtful", Grade.GOOD: "good"}
_ADDRESS = re.compile(r"https?://[^\s\"'<>\\]+\Z")
"""What may be a link: a document that somebody handed over may name any scheme, and `javascript:` is one."""


def environment(*packages: str) -> jinja2.Environment:
    """An environment that finds the templates of this package, and those of others by their names."""
    import jinja2
    from markupsafe import Markup

    made = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package, "") for package in (*packages, "probe.reports.html")]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        # Before the escaping: what steers a reader's display, such as marks of direction, is written out.
        finalize=lambda value: value if isinstance(value, Markup) else visible(str(value), keep="\n"),
    )
    made.filters.update(
        {
            "bounded": lambda text: bounded(text, CITED_LIMIT),
            "branches": branches_of,
            "by_month": by_month,
            "by_reason": _by_reason,
            "cited_value": lambda cited, known: (
                value_in_html(cited["key"], cited["value"], CITED_LIMIT) + "".join(map(provenance, known.behind(cited)[:1]))
            ),
            "count": count,
            "ending": ending_behind,
            "endings": _endings,
            "excerpts": lambda cited, known: telling_excerpts(known, known.behind(cited)),
            "gap_in_words": gap_in_words,
            "main_facts": lambda url, known, on: main_facts(known, url, on),
            "one_line": lambda text: visible(text, keep=""),
            "paragraphs": _paragraphs,
            "posture": lambda url, known, on: posture_of(known, url, on),
            "remedy": remedy_for,
            "spaced": spaced,
            "states_in_dynamics": states_in_dynamics,
            "time": time_element,
            "tone": tone,
            "value_of": lambda fact: value_in_html(fact["key"], fact["value"], VALUE_LIMIT) + provenance(fact),
            "what_to_do": lambda why: WHAT_TO_DO[why],
            "who": lambda addresses: addresses[0] if len(addresses) == 1 else count(len(addresses), "mailbox", "mailboxes"),
            "whose": _whose,
            "whys": lambda because: dict.fromkeys(Why(cited["why"]) for cited in because if "why" in cited),
            "why_unknown": _why_unknown,
            "about_sign_in": _about_sign_in,
        }
    )
    made.tests.update({"address": lambda text: bool(_ADDRESS.match(text))})
    return made


def _paragraphs(remedy: str) -> list[list[Step]]:
    return [list(steps(paragraph)) for paragraph in remedy.split("\n")]


def _endings(attempts: Iterable[JsonObject]) -> list[tuple[JsonObject, list[str]]]:
    """The attempts that did not complete, those that ended alike as one, with the accounts that they were held for."""
    alike: dict[tuple[str, ...], tuple[JsonObject, list[str]]] = {}
    for attempt in attempts:
        if attempt["outcome"] not in (Outcome.COMPLETED, Outcome.NOT_SCHEDULED):
            key = (attempt["prober"], attempt["address"], attempt["outcome"], attempt["detail"])
            _, accounts = alike.setdefault(key, (attempt, []))
            accounts += filter(None, [attempt["mailbox"]])
    return list(alike.values())


def _whose(cited: JsonObject, mailbox: str) -> str:
    if cited["subject"] == mailbox:
        return "of the mailbox"
    where = f"at {cited['subject']}" if "://" in cited["subject"] else f"of {cited['subject']}"
    return f"{where} for this account" if cited["mailbox"] is not None else where


def _why_unknown(finding: JsonObject) -> str:
    """The reasons of the readings that leave a finding open, each once."""
    return (
        "; ".join(dict.fromkeys(gap_in_words(cited) for cited in finding["because"] if "why" in cited))
        or "what was seen does not decide it"
    )


def _about_sign_in(block: Block, known: Known) -> str:
    return "" if block.support is Support.NOT_ASSESSED else about_sign_in(block.addresses, block.signed_in, known)


def _by_reason(gaps: Iterable[Missing]) -> dict[str, list[str]]:
    """The keys that are not known, by the reason in words; what does not arise is left out."""
    reasons: dict[str, list[str]] = {}
    for gap in gaps:
        if gap.why is not Why.NOT_APPLICABLE:
            reasons.setdefault(gap_in_words({"why": gap.why, "detail": gap.detail}), []).append(gap.key.name)
    return reasons


def tone(block: Block) -> str:
    """The class of a verdict: bad, doubtful, good; none where nothing is asked of a mailbox."""
    return "none" if block.support is Support.NOT_ASSESSED else _TONES[block.grade()]
