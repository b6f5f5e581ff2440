"""The document `probe.gate/1`: a run, and the answer for each of its mailboxes."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from probe.document import in_sections, json_pieces, shown
from probe.gate.answering import Accept, GateReason, GateVerdict, let_in_during, verdict_on
from probe.gate.explaining import LastError, last_error_of
from probe.gate.foretelling import Standing, Will, standing_of, will_do
from probe.gate.records import DynamicsRecords, Unread, compared
from probe.model import vocabulary as v
from probe.model.estate import Estate, Mailbox
from probe.model.facts import Fact
from probe.model.kinds import Json
from probe.model.rules import Result
from probe.model.runs import Run
from probe.model.schemas import GATE_SCHEMA
from probe.model.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """What the gate found of some mailboxes."""

    run: Run
    records: DynamicsRecords | Unread
    standing: Standing
    verdicts: tuple[GateVerdict, ...]
    """In the order of the run's assessments."""
    will: Mapping[str, Will]
    """By address."""
    last_errors: Mapping[str, LastError]
    """By address, of those of which Dynamics keeps one."""


def gated(
    estate: Estate,
    mailboxes: Sequence[Mailbox],
    run: Run,
    records: DynamicsRecords | Unread,
    accept: Collection[Accept] = frozenset(),
    clean: Callable[[str], str] = lambda text: text,
    file: str | None = None,
) -> Gated:
    """What the gate says of the mailboxes of a run, by what was read of Dynamics; `clean` strikes secrets out of what a row may repeat.

    `file` is the estate's own, for commands that name it; None where it is not known.
    """
    assessments = {assessment.mailbox: assessment for assessment in run.assessments}
    unread = records.reason if isinstance(records, Unread) and records.is_asked else None
    let_in = let_in_during(run)
    counted = {r.mailbox: r.value for r in run.readings if r.key == v.EWS_NEWER_MESSAGES and isinstance(r, Fact)}
    verdicts: list[GateVerdict] = []
    will: dict[str, Will] = {}
    last_errors: dict[str, LastError] = {}
    for mailbox in mailboxes:
        beside = compared(estate, mailbox, records, file)
        differs = [replace(difference, dynamics=clean(difference.dynamics)) for difference in beside.differs]
        seen = let_in.get(mailbox.address, ())
        verdicts.append(verdict_on(mailbox, assessments[mailbox.address], run, seen, differs, unread, accept))
        will[mailbox.address] = will_do(mailbox, beside.rows, beside.pending, beside.alerts, counted.get(mailbox.address))
        findings = {finding.rule.id: finding for finding in assessments[mailbox.address].findings}
        if beside.rows is not None and (error := last_error_of(beside.rows.mailbox, findings, clean)) is not None:
            last_errors[mailbox.address] = error
    standing = standing_of(run.host, () if isinstance(records, Unread) else records.machines)
    return Gated(run=run, records=records, standing=standing, verdicts=tuple(verdicts), will=will, last_errors=last_errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnabledForms:
    """What came of asking Dynamics for Test & Enable, as the document has it."""

    batch: str | None
    """The batch that these mailboxes are of, where there was one."""
    enabled: Mapping[str, Json]
    """By address, of those that Dynamics was asked for."""
    not_asked: Mapping[str, str]
    """Why not, by address, of the others."""
    notes: tuple[str, ...]
    """Why it ended early, and what could not be read."""


def published(gated: Gated, pressed: EnabledForms | None = None) -> dict[str, Any]:
    """The document of what the gate found, and of what came of Test & Enable where that was asked for; the lists of the run are made as they are read."""
    return {
        "schema": GATE_SCHEMA,
        "run": in_sections(gated.run),
        "dynamics": shown(_dynamics(gated.records, gated.standing)),
        "enabling": None if pressed is None else shown({"batch": pressed.batch, "notes": [*pressed.notes]}),
        "mailboxes": [shown(_mailbox(verdict, gated, pressed)) for verdict in gated.verdicts],
    }


def gate_json(document: Mapping[str, Any]) -> Iterator[str]:
    """The document as JSON in ASCII, piece by piece, a line for each element of an array of it or of its run."""
    before = "{"
    for name, value in document.items():
        yield f"{before}{json.dumps(name)}:"
        if value is None or isinstance(value, str):
            yield json.dumps(value)
        else:
            yield from _but_the_last_line_end(json_pieces(value))
        before = ",\n"
    yield "}\n"


def _but_the_last_line_end(pieces: Iterable[str]) -> Iterator[str]:
    held = ""
    for piece in pieces:
        yield held
        held = piece
    yield held.removesuffix("\n")


def _dynamics(records: DynamicsRecords | Unread, standing: Standing) -> dict[str, Json]:
    read = None if isinstance(records, Unread) else records
    return {
        "read": read is not None,
        "why_not": records.reason if isinstance(records, Unread) else None,
        "organization": None if read is None else f"{read.organization.id} {read.organization.name}",
        "version": None if read is None else read.organization.version,
        "risk": None if read is None else read.risk,
        "notes": [] if read is None else list(read.notes),
        "machines": list(standing.servers),
        "probed_from_there": standing.is_there,
    }


def _mailbox(verdict: GateVerdict, gated: Gated, pressed: EnabledForms | None) -> dict[str, Json]:
    will = gated.will[verdict.mailbox]
    return {
        "mailbox": verdict.mailbox,
        "answer": verdict.answer.value,
        "predicted": {str(direction): None if how is None else how.value for direction, how in verdict.predicted.items()},
        "reasons": _reasons(verdict.reasons),
        "accepted": [word.value for word in verdict.accepted],
        "differs": [{"what": d.what, "estate": d.estate, "dynamics": d.dynamics, "mend": d.mend} for d in verdict.differs],
        "settle": list(verdict.settle),
        "will": {
            "sends_test_mail": will.sends_test_mail,
            "pending_send": will.pending_send,
            "oldest_pending": _time(will.oldest_pending),
            "backlog": will.backlog,
            "backlog_since": _time(will.backlog_since),
            "primary_organization": will.primary_organization,
        },
        "last_error": _last_error(gated.last_errors.get(verdict.mailbox)),
        "enabled": None if pressed is None else pressed.enabled.get(verdict.mailbox),
        "not_asked": None if pressed is None else pressed.not_asked.get(verdict.mailbox),
    }


def _last_error(error: LastError | None) -> Json:
    if error is None:
        return None
    return {"text": error.text, "at": _time(error.at), "causes": [*error.explained.causes], "meaning": error.explained.meaning}


def _reasons(reasons: Sequence[GateReason]) -> list[Json]:
    return [
        {
            "rule": reason.rule.id,
            "direction": None if reason.direction is None else reason.direction.value,
            "is_known": reason.result is not Result.UNKNOWN,
        }
        for reason in reasons
    ]


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
