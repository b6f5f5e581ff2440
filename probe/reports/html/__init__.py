"""One HTML file for a person: opens from a mail, prints, and works without script, network or anything beside it.

Whatever a server said is text in it: Jinja2 escapes every value, and a Content Security Policy lets nothing load and no script run, should
one ever get there. The file is ASCII, so that no mail program and no console can read it in another encoding.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from probe.document import Report, ReportOptions
from probe.document.index import JsonObject
from probe.document.telling.blocks import Block, blocks_of
from probe.document.telling.endings import ending_behind
from probe.document.telling.endpoints import main_facts
from probe.document.telling.excerpts import telling_excerpts
from probe.document.telling.explanations import explanations_of, verdicts_by_default
from probe.document.telling.groups import Group, advice_of, groups_of, is_advice, step_for
from probe.document.telling.known import Known
from probe.document.telling.messages import messages_of
from probe.document.telling.names import remedy_for
from probe.document.telling.signing_in import not_signed_in
from probe.document.telling.summaries import INTERRUPTED, circumstances, dynamics_unread, summary_of_check, summary_of_look
from probe.document.telling.words import (
    CITED_LIMIT,
    VALUE_LIMIT,
    WHAT_TO_DO,
    bounded,
    count,
    gap_in_words,
    provenance,
    spaced,
    value_in_words,
)
from probe.model.characters import visible
from probe.model.facts import Missing, Why
from probe.model.remedies import Step, steps
from probe.model.rules import Grade, Readiness, Support

if TYPE_CHECKING:
    import jinja2

_TONES = {Grade.BAD: "bad", Grade.OPEN: "doubtful", Grade.GOOD: "good"}
_ADDRESS = re.compile(r"https?://[^\s\"'<>\\]+\Z")
"""What may be a link: a document that somebody handed over may name any scheme, and `javascript:` is one."""


def _render(document: Mapping[str, Any], options: ReportOptions) -> Iterator[str]:
    from markupsafe import Markup

    known, on = Known(document), date.fromisoformat(document["judged_at"])
    is_check = document["estate"] is not None
    blocks = blocks_of(document["assessments"], known) if is_check else []
    groups = groups_of(blocks, on)
    environment = _environment()
    source, _, _ = environment.loader.get_source(environment, "style.css")  # type: ignore[union-attr]
    page = environment.get_template("page.html").generate(
        document=document,
        options=options,
        known=known,
        on=on,
        title=f"Mail of {document['estate']['deployment']['name']}, {on.isoformat()}" if is_check else f"Mail servers, {on.isoformat()}",
        style=Markup(source),  # noqa: S704 - a file of our own
        style_hash="sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode(),
        summary=summary_of_check(blocks) if is_check else [summary_of_look(document, known)],
        interrupted=INTERRUPTED,
        groups=groups,
        advice=advice_of(groups, on),
        steps=[(g.number, step_for(g.first, g.addresses[0], known, on)) for g in groups if _is_broken(g)],
        messages=list(messages_of(document)),
        anchors={url: f"e{number}" for number, url in enumerate(known.endpoints, start=1)},
        circumstances=circumstances(document),
        unread=dynamics_unread(known),
    )
    for piece in page:
        yield piece.encode("ascii", "xmlcharrefreplace").decode("ascii")
    yield "\n"


@cache
def _environment() -> jinja2.Environment:
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("probe.reports.html", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        # Before the escaping: what steers a reader's display, such as marks of direction, is written out.
        finalize=lambda value: value if isinstance(value, Markup) else visible(str(value), keep="\n"),
    )
    environment.filters.update(
        {
            "bounded": lambda text: bounded(text, CITED_LIMIT),
            "by_default": verdicts_by_default,
            "by_reason": _by_reason,
            "cited_value": lambda cited, known: (
                bounded(value_in_words(cited["value"]), CITED_LIMIT) + "".join(map(provenance, known.behind(cited)[:1]))
            ),
            "count": count,
            "ending": ending_behind,
            "excerpts": lambda cited, known: telling_excerpts(known, known.behind(cited)),
            "explanations": explanations_of,
            "gap_in_words": gap_in_words,
            "main_facts": lambda url, known, on: main_facts(known, url, on),
            "one_line": lambda text: visible(text, keep=""),
            "paragraphs": _paragraphs,
            "remedy": remedy_for,
            "spaced": spaced,
            "tone": lambda block: "none" if block.support is Support.NOT_ASSESSED else _TONES[block.grade()],
            "value_of": lambda fact: bounded(value_in_words(fact["value"]), VALUE_LIMIT) + provenance(fact),
            "what_to_do": lambda why: WHAT_TO_DO[why],
            "who": lambda addresses: addresses[0] if len(addresses) == 1 else count(len(addresses), "mailbox", "mailboxes"),
            "whose": _whose,
            "why_unknown": _why_unknown,
            "without_sign_in": _without_sign_in,
        }
    )
    environment.tests.update({"address": lambda text: bool(_ADDRESS.match(text)), "advice": is_advice})
    return environment


def _is_broken(group: Group) -> bool:
    return group.first.readiness in (Readiness.NOT_READY, Readiness.UNDETERMINED)


def _paragraphs(remedy: str) -> list[list[Step]]:
    return [list(steps(paragraph)) for paragraph in remedy.split("\n")]


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


def _without_sign_in(block: Block, known: Known) -> str:
    return "" if block.support is Support.NOT_ASSESSED else not_signed_in(block.addresses[0], block.signed_in, known)


def _by_reason(gaps: Iterable[Missing]) -> dict[str, list[str]]:
    """The keys that are not known, by the reason in words; what does not arise is left out."""
    reasons: dict[str, list[str]] = {}
    for gap in gaps:
        if gap.why is not Why.NOT_APPLICABLE:
            reasons.setdefault(gap_in_words({"why": gap.why, "detail": gap.detail}), []).append(gap.key.name)
    return reasons


REPORT = Report(
    id="html",
    title="One HTML file for a person: opens from a mail, prints, works without script.",
    media_type="text/html; charset=utf-8",
    render=_render,
)
