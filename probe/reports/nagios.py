"""The output and the exit code of a monitoring plugin: Nagios, Icinga, CheckMK, and whatever else runs such plugins.

One line says how it stands and carries the performance data, further lines say why, the worst first.
https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/3/en/pluginapi.html (read 2026-11-29).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from probe.document import Report, ReportOptions
from probe.document.telling.blocks import Block, blocks_of
from probe.document.telling.groups import advice_of, groups_of
from probe.document.telling.known import Known
from probe.document.telling.signing_in import ready_in_words
from probe.document.telling.words import bounded, count, spaced
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.characters import visible
from probe.model.facts import Facts
from probe.model.rules import Grade, Readiness, Support
from probe.model.values import dataclass

_LINE_LIMIT = 300
"""Characters of a line: agents cut what they carry at a kilobyte."""
_MOST_LINES = 30
_SOON = timedelta(days=30)


class State(IntEnum):
    """What the exit code of a plugin says."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


_PRECEDENCE = (State.CRITICAL, State.UNKNOWN, State.WARNING, State.OK)


@dataclass(frozen=True, slots=True)
class _Line:
    state: State
    text: str


def _with_exit_code(document: Mapping[str, Any], options: ReportOptions) -> tuple[list[str], int]:
    known = Known(document)
    blocks = None if document["estate"] is None else blocks_of(document["assessments"], known)
    lines = _lines(document, known, blocks, options)
    state = _worst(lines)
    what = _defused(bounded("; ".join((_summary(blocks, known), *(line.text for line in lines[:1]))), _LINE_LIMIT))
    told = [f"PROBE {state.name}: {what} | {' '.join(_performance(document, known, blocks))}\n"]
    told += [f"{line.state.name}: {_defused(bounded(line.text, _LINE_LIMIT))}\n" for line in lines[:_MOST_LINES]]
    if len(lines) > _MOST_LINES:
        told.append(f"and {len(lines) - _MOST_LINES:,} lines more: the text report has them\n")
    return told, state


def _worst(lines: Iterable[_Line]) -> State:
    found = {line.state for line in lines}
    return next((state for state in _PRECEDENCE if state in found), State.OK)


def _lines(document: Mapping[str, Any], known: Known, blocks: Sequence[Block] | None, options: ReportOptions) -> list[_Line]:
    """What keeps it from being well, the worst first. `blocks` are the mailboxes, None of a look."""
    lines = list(_looked_at(document, known) if blocks is None else _checked(document, blocks, options))
    if document["interrupted"]:
        lines.append(_Line(State.UNKNOWN, "the run was interrupted: what is missing here was not asked"))
    failed = [attempt for attempt in known.all_attempts if attempt["outcome"] == Outcome.BUG]
    if failed:
        lines.append(_Line(State.UNKNOWN, f"the probe itself failed at {failed[0]['subject']}: {failed[0]['detail']}"))
    return sorted(lines, key=lambda line: _PRECEDENCE.index(line.state))


def _checked(document: Mapping[str, Any], blocks: Sequence[Block], options: ReportOptions) -> Iterator[_Line]:
    on = datetime.fromisoformat(document["judged_at"]).date()
    groups = groups_of(blocks, on)
    for group in groups:
        state = _state_of(group.first, options)
        if state is not State.OK:
            beside = f"; {group.beside}" if group.beside else ""
            yield _Line(state, f"{group.first.status.lower()}: {_whose(group.addresses)}: {group.cause[0]}{beside}")
    for cause, addresses in advice_of(groups, on).items():
        yield _Line(State.WARNING, f"advice: {_whose(addresses)}: {cause[0]}")


def _state_of(block: Block, options: ReportOptions) -> State:
    if block.support is Support.NOT_LISTED and block.readiness is Readiness.READY:
        return State.OK if Support.NOT_LISTED in options.accept else State.WARNING
    # Not listed counts for no more than a warning, whatever else there is.
    stands = block.grade(options.accept | {Support.NOT_LISTED})
    return {Grade.BAD: State.CRITICAL, Grade.OPEN: State.UNKNOWN, Grade.GOOD: State.OK}[stands]


def _looked_at(document: Mapping[str, Any], known: Known) -> Iterator[_Line]:
    finished = datetime.fromisoformat(document["finished"])
    for subject in known.endpoints:
        held = [a for a in known.attempts.get(subject, ()) if a["outcome"] != Outcome.NOT_SCHEDULED]
        broken = [a for a in held if a["outcome"] != Outcome.COMPLETED]
        facts = known.of(subject)
        because = _against_the_certificate(facts, finished)
        if because:
            yield _Line(State.CRITICAL, f"{subject}: {because}")
        if held and len(broken) == len(held):
            yield _Line(State.CRITICAL, f"{subject}: {_outcome(broken[0])}")
        elif broken:
            yield _Line(State.UNKNOWN, f"{subject}: {_outcome(broken[0])}")
        ends = _end(facts)
        if ends is not None and finished <= ends < finished + _SOON:
            yield _Line(State.WARNING, f"{subject}: the certificate ends {ends.date().isoformat()}")


def _against_the_certificate(facts: Facts, now: datetime) -> str:
    """Why nobody should trust the certificate; empty where nothing shows that."""
    ends = _end(facts)
    if ends is not None and ends < now:
        return f"the certificate expired {ends.date().isoformat()}"
    if facts.value(v.CERTIFICATE_TRUSTED) is False:
        because: str | None = facts.value(v.CERTIFICATE_DISTRUSTED_BECAUSE)
        return f"the certificate is not trusted: {because or 'it is not said why'}"
    return "the certificate is for another name" if facts.value(v.CERTIFICATE_MATCHES_NAME) is False else ""


def _end(facts: Facts) -> datetime | None:
    """When the first certificate that is needed ends, as far as it is known."""
    chain = facts.value(v.CERTIFICATE_CHAIN_ENDS)
    return facts.value(v.CERTIFICATE_NOT_AFTER) if chain is None else chain.not_after


def _outcome(attempt: Mapping[str, Any]) -> str:
    detail = f" ({attempt['detail']})" if attempt["detail"] else ""
    return f"{attempt['prober']} {spaced(attempt['outcome'])}{detail}"


def _summary(blocks: Sequence[Block] | None, known: Known) -> str:
    """How many there are, and how many of each kind; of those that are ready, whether somebody signed in."""
    if blocks is None:
        return count(len(known.endpoints), "endpoint", "endpoints")
    found = {spaced(kind): number for kind, number in _counts(blocks).items() if kind != Readiness.READY}
    for block in blocks:
        if block.readiness is Readiness.READY:
            words = ready_in_words(Readiness.READY, block.signed_in, "ready")
            found[words] = found.get(words, 0) + len(block.addresses)
    counts = ", ".join(f"{number} {words}" for words, number in found.items() if number)
    return f"{count(_mailboxes(blocks), 'mailbox', 'mailboxes')}: {counts}"


def _mailboxes(blocks: Iterable[Block]) -> int:
    """How many there are."""
    return sum(len(block.addresses) for block in blocks)


def _counts(blocks: Sequence[Block]) -> dict[str, int]:
    """How many mailboxes are of each kind. A mailbox may be of several."""
    return {
        **{kind: _mailboxes(block for block in blocks if block.readiness is kind) for kind in (Readiness.NOT_READY, Readiness.READY)},
        **{kind: _mailboxes(block for block in blocks if block.support is kind) for kind in (Support.UNSUPPORTED, Support.NOT_LISTED)},
        "undetermined": _mailboxes(
            block for block in blocks if block.support is Support.UNDETERMINED or block.readiness is Readiness.UNDETERMINED
        ),
    }


def _performance(document: Mapping[str, Any], known: Known, blocks: Sequence[Block] | None) -> Iterator[str]:
    """Performance data: `'label'=value[unit];warn;crit;min;max`. Labels stay the same from run to run."""
    if blocks is not None:
        number = _mailboxes(blocks)
        yield f"mailboxes={number};;;0"
        for kind, of_it in _counts(blocks).items():
            yield f"{kind.replace('-', '_')}={of_it};;;0;{number}"
    started, finished = (datetime.fromisoformat(document[end]) for end in ("started", "finished"))
    yield f"time={(finished - started).total_seconds():g}s;;;0"
    for subject in known.endpoints:
        ends = _end(known.of(subject))
        if ends is not None:
            yield f"{_label(subject, 'certificate days')}={(ends - finished).days};{_SOON.days}:;0:"


def _label(subject: str, what: str) -> str:
    """A label in quotes, which holds neither quote nor equals sign."""
    return "'" + _defused(subject).replace("=", "\\x3d").replace("'", "\\x27") + f" {what}'"


def _whose(addresses: Sequence[str]) -> str:
    return addresses[0] if len(addresses) == 1 else f"{count(len(addresses), 'mailbox', 'mailboxes')} ({addresses[0]}, ...)"


def _defused(text: str) -> str:
    """A text that is one line, and that begins no performance data."""
    return visible(text, keep="").replace("|", "\\x7c")


REPORT = Report(
    id="nagios",
    title="For a monitoring plugin: how it stands in one line with performance data, and the plugin's exit code.",
    media_type="text/plain; charset=utf-8",
    render=lambda document, options: _with_exit_code(document, options)[0],
    with_exit_code=_with_exit_code,
)
