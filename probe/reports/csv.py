"""A table for a spreadsheet: a row for each mailbox, or for each fact of a look. RFC 4180, in UTF-8 with the mark that Excel goes by."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from probe.document import Report, ReportOptions
from probe.document.telling.blocks import blocks_of
from probe.document.telling.groups import groups_of, step_for
from probe.document.telling.known import Known
from probe.document.telling.words import WHY_IN_WORDS, value_in_words
from probe.model.characters import visible
from probe.model.facts import Why
from probe.model.rules import Grade

_MARK = "\ufeff"
"""Without it Excel reads the file in the code page of its user."""

_OF_MAILBOXES = (
    "address",
    "profile",
    "status",
    "support",
    "readiness",
    "signed_in",
    "incoming",
    "outgoing",
    "appointments",
    "cause",
    "what_to_do",
    "rules",
    "endpoints",
)
_OF_A_LOOK = ("subject", "key", "value", "basis", "why_unknown", "detail")


def _render(document: Mapping[str, Any], _options: ReportOptions) -> Iterator[str]:
    is_look = document["estate"] is None
    yield _MARK + _row(_OF_A_LOOK if is_look else _OF_MAILBOXES)
    yield from map(_row, _looked_at(document) if is_look else _mailboxes(document))


def _mailboxes(document: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The mailboxes in the order of the text report: what presses most comes first."""
    known, on = Known(document), date.fromisoformat(document["judged_at"])
    assessments = {assessment["mailbox"]: assessment for assessment in document["assessments"]}
    for group in groups_of(blocks_of(assessments.values(), known), on):
        for block in group.blocks:
            rules = " ".join(dict.fromkeys(finding["rule"] for finding in block.decided))
            for address in block.addresses:
                told = assessments[address]
                ways = told["directions"]
                yield (
                    address,
                    told["profile"],
                    block.status,
                    told["support"],
                    told["readiness"],
                    told["signed_in"] or "",
                    ways["incoming"] or "",
                    ways["outgoing"] or "",
                    ways["appointments"] or "",
                    group.cause[0],
                    "" if block.grade() is Grade.GOOD else step_for(block, address, known, on),
                    rules,
                    " ".join(known.used_endpoints(address)),
                )


def _looked_at(document: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for fact in document["facts"]:
        yield fact["subject"], fact["key"], value_in_words(fact["value"]), fact["basis"], "", ""
    for gap in document["missing"]:
        yield gap["subject"], gap["key"], "", "", WHY_IN_WORDS[Why(gap["why"])], gap["detail"]


def _row(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(map(_cell, cells))
    return written.getvalue()


_FORMULA = "=+-@\uff1d\uff0b\uff0d\uff20"
_AFTER_A_SEMICOLON = re.compile(rf"(?<=;)(?=\s*[{re.escape(_FORMULA)}])")
"""Where a spreadsheet begins another cell whose language parts them by semicolons, whatever the file has."""


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: one that begins as such is led by an apostrophe.

    https://owasp.org/www-community/attacks/CSV_Injection (read 2026-11-29) names the characters.
    """
    text = _AFTER_A_SEMICOLON.sub("'", visible(text, keep="\n"))
    return f"'{text}" if text.startswith((*_FORMULA, "\t", "\r", "\n")) else text


REPORT = Report(
    id="csv",
    title="For a spreadsheet: a row for each mailbox with verdict, cause and what to do; of a look, a row for each fact.",
    media_type="text/csv; charset=utf-8",
    render=_render,
)
