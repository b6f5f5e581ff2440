"""Pipelines that read the output of a command for commands of their own: GitHub Actions, Azure DevOps, GitLab.

GitHub is told the verdicts of a run as annotations, GitLab as lines of the job's log, both on standard error: standard output is the result alone.
What servers said gives no command to any of them.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands (read 2026-11-29)
https://learn.microsoft.com/en-us/azure/devops/pipelines/scripts/logging-commands (read 2026-11-29)
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from probe.model.rules import Support


class Pipeline(StrEnum):
    """What runs this program, by the variable that says so."""

    GITHUB = "GITHUB_ACTIONS"
    GITLAB = "GITLAB_CI"
    AZURE = "TF_BUILD"


class Annotation(NamedTuple):
    """What a pipeline is told of a run."""

    level: str
    """`error`, `warning` or `notice`: what is bad, what is not known, what is advice."""
    title: str
    text: str


_COLOURS = {"error": "31", "warning": "33", "notice": "36"}
_COMMANDS = re.compile(r"(?m)^([^\S\n]*):(?=:)|#(?=#(?:\[|vso\[))")
"""What begins a command: two colons at the beginning of a line, or two numbers signs before a bracket anywhere."""
_ESCAPE = "\\u{:04x}"
"""How a character is written by its number, in JSON and wherever else no format has a way of its own."""
_MARKUP = {"application/xml": "&#{};", "text/html": "&#{};"}


def pipeline() -> Pipeline | None:
    """The pipeline that runs this program; None where none says so."""
    return next((one for one in Pipeline if os.environ.get(one, "").lower() == "true"), None)


def defused(pieces: Iterable[str], media_type: str) -> Iterator[str]:
    """A result in which nothing begins a command of a pipeline, and that says the same to whoever reads its format."""
    escape = _MARKUP.get(media_type.partition(";")[0], _ESCAPE)
    rest = ""
    for piece in pieces:
        whole, end, rest = (rest + piece).rpartition("\n")
        if end:
            yield _without_commands(whole + end, escape)
    yield _without_commands(rest, escape)


def defused_line(line: str) -> str:
    """A message in which nothing begins a command of a pipeline."""
    return _without_commands(line, _ESCAPE)


def _without_commands(text: str, escape: str) -> str:
    return _COMMANDS.sub(lambda found: (found[1] or "") + escape.format(ord(found[0][-1])), text)


def annotations_of(document: Mapping[str, Any], accept: frozenset[Support]) -> Iterator[Annotation]:
    """One annotation for each group of mailboxes that is not well, the worst first, then for each kind of advice; of a look, for each endpoint."""
    from datetime import date

    from probe.document.telling.blocks import blocks_of
    from probe.document.telling.groups import advice_of, groups_of, step_for
    from probe.document.telling.known import Known
    from probe.document.telling.summaries import INTERRUPTED
    from probe.document.telling.words import count, spaced
    from probe.model.attempts import Outcome
    from probe.model.rules import Grade

    known, on = Known(document), date.fromisoformat(document["judged_at"])

    def whose(addresses: list[str]) -> str:
        return addresses[0] if len(addresses) == 1 else count(len(addresses), "mailbox", "mailboxes")

    if document["interrupted"]:
        yield Annotation("warning", "interrupted", INTERRUPTED)
    if document["estate"] is None:
        for subject in known.endpoints:
            ended = [a for a in known.attempts.get(subject, ()) if a["outcome"] not in (Outcome.COMPLETED, Outcome.NOT_SCHEDULED)]
            if ended:
                told = dict.fromkeys(f"{a['prober']} {spaced(a['outcome'])}" + (f": {a['detail']}" if a["detail"] else "") for a in ended)
                yield Annotation("warning", subject, "\n".join(told))
        return
    groups = groups_of(blocks_of(document["assessments"], known), on)
    for group in groups:
        stands = group.first.grade(accept)
        if stands is not Grade.GOOD:
            level = "error" if stands is Grade.BAD else "warning"
            cause = group.cause[0] + (f"; {group.beside}" if group.beside else "")
            step = step_for(group.first, group.addresses[0], known, on)
            yield Annotation(level, f"{group.first.status.lower()}: {whose(group.addresses)}", f"{cause}\n{step}")
    for words, addresses in advice_of(groups, on).items():
        yield Annotation("notice", f"advice: {whose(addresses)}", words[0])


def told_to(which: Pipeline, annotations: Iterable[Annotation], *, colour: bool) -> Iterator[str]:
    """The annotations as lines for a pipeline; none for one that takes them from a file (Azure DevOps: `--format junit`)."""
    from probe.model.characters import visible

    for level, title, text in annotations:
        shown, said = visible(title, keep=""), visible(text, keep="\n")
        if which is Pipeline.GITHUB:
            yield f"::{level} title={_property(shown)}::{_data(said)}"
        elif which is Pipeline.GITLAB:
            word = f"\x1b[{_COLOURS[level]}m{level.upper()}\x1b[0m" if colour else level.upper()
            yield f"{word} {shown}: {' '.join(said.split())}"


def _data(text: str) -> str:
    """The message of a workflow command: what would end it, or begin an escape, is written by its number."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """The value of a property of a workflow command."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
