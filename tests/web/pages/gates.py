"""Answers of the gate and records of the audit made by hand, with something in each part of their pages; what a peer chooses may be hostile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from probe.dynamics import Option, Organization, TraceLog
from probe.enabling import RecordedRequest, page_requests
from probe.gate import DynamicsRecords, Gated, gated
from probe.gate.foretelling import Pending
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.estate import Delivery, Estate
from probe.model.facts import Reading
from probe.model.provenance import Declared
from probe.model.rules import Direction, Readiness, Result, Support
from probe.model.runs import Run
from tests.gate.rows import MAILBOX_ID, rows_of
from tests.runs import (
    EWS,
    EWS_ROW,
    NOON,
    OLD_PRODUCT,
    REACHED,
    TOO_OLD,
    a_fact,
    a_finding,
    a_mailbox,
    a_run,
    an_assessment,
    an_attempt,
    an_estate,
    words,
)

FAILED, PENDING = "f" * 32, "e" * 32
"""Ids under which the audit has a request that failed, and one without an outcome."""


def gate_estate(*addresses: str) -> Estate:
    """Mailboxes of one Exchange profile whose mail and appointments are synchronized, and a page that may enable them."""
    boxes = [replace(a_mailbox(one, "corp"), appointments=Delivery.SERVER_SIDE) for one in addresses]
    estate = an_estate(*boxes)
    assert estate.dynamics is not None
    return replace(estate, dynamics=replace(estate.dynamics, enable_from_page=True))


def gate_state(estate: Estate) -> Run:
    """The state of the estate beside which answers are shown."""
    assessments = [
        an_assessment(one.address, Support.UNSUPPORTED, Readiness.NOT_READY, a_finding(TOO_OLD, Result.FAILS, OLD_PRODUCT), profile="corp")
        for one in estate.mailboxes
    ]
    return a_run(estate=estate, attempts=[an_attempt(3, EWS, prober="ews-anonymous")], readings=[OLD_PRODUCT], assessments=assessments)


def _of_all(answer: Readiness) -> dict[Direction, Readiness | None]:
    return dict.fromkeys(Direction, answer)


def a_go(estate: Estate, address: str) -> Gated:
    """Everything is ready, and nobody synchronizes the mailbox's appointments yet."""
    assessment = an_assessment(address, Support.SUPPORTED, Readiness.READY, a_finding(EWS_ROW, Result.HOLDS), profile="corp")
    accepted = a_fact(v.AUTH_ACCEPTED, True, EWS, mailbox=address)
    counted = a_fact(v.EWS_NEWER_MESSAGES, 14312, EWS, mailbox=address)
    attempt = an_attempt(4, EWS, said=["HTTP/1.1 200 OK"], prober="ews-inbox", mailbox=address)
    return an_answer(estate, address, replace(assessment, directions=_of_all(Readiness.READY)), [accepted, counted], attempt)


def a_cannot_tell(estate: Estate, address: str, said: str = "401 Unauthorized") -> Gated:
    """The account is refused, a row differs, and Dynamics keeps an error; `said` is what peers and Dynamics say."""
    refusal = a_fact(v.AUTH_REFUSAL, ("bad-credentials",), EWS, Declared("peer", words("a4", 1, said)), mailbox=address)
    reached = replace(a_finding(REACHED, Result.FAILS, refusal), directions=dict.fromkeys(Direction, Result.FAILS))
    findings = (reached, a_finding(TOO_OLD, Result.FAILS, OLD_PRODUCT))
    assessment = an_assessment(address, Support.UNSUPPORTED, Readiness.NOT_READY, *findings, profile="corp")
    attempt = an_attempt(4, EWS, Outcome.DENIED, said, [said, "401"], "ews-inbox", address)
    changed = {"profile_incoming_username": said, "last_error": said, "last_error_at": NOON, "approval": Option(0, said)}
    assessment = replace(assessment, directions=_of_all(Readiness.NOT_READY))
    return an_answer(estate, address, assessment, [refusal, OLD_PRODUCT], attempt, **changed)


def an_answer(estate: Estate, address: str, assessment: Any, readings: list[Reading], attempt: Any, **changed: Any) -> Gated:
    """An answer for one mailbox, of which this was found; `changed` are fields of its rows in Dynamics."""
    mailbox = next(one for one in estate.mailboxes if one.address == address)
    fresh: dict[str, Any] = {"test_scheduled": False, "test_completed": NOON, "is_primary_organization": False}
    fresh |= dict.fromkeys(("incoming_enabled", "outgoing_enabled", "appointments_enabled"), False)
    fresh["processes_mail_since"] = datetime(2019, 1, 1, tzinfo=UTC)
    rows = rows_of(estate.profile_of(mailbox), mailbox, **{**fresh, **changed})
    assert rows.profile is not None
    records = DynamicsRecords(
        organization=Organization(id="x", name="Contoso", version="9.1.17.29", api="v9.1", user="y"),
        rows={address: rows.mailbox},
        profiles={rows.profile.id: rows.profile},
        alerts={MAILBOX_ID: (TraceLog(id="x", regarding=MAILBOX_ID),)},
        pending={MAILBOX_ID: Pending(12, NOON - timedelta(days=22))},
        machines=("CRM-ASYNC-1",),
        risk="Dynamics is read without TLS",
    )
    run = a_run(estate=estate, attempts=[attempt], readings=readings, assessments=[assessment])
    return gated(estate, [mailbox], run, records)


def recorded(
    estate: Estate, failed: str, pending: str, said: str = "Http server returned 401 Unauthorized exception."
) -> dict[str, RecordedRequest]:
    """What the audit has of two requests of the page."""
    assert estate.dynamics is not None
    assert estate.dynamics.organization is not None
    told = {"host": "crm01", "organization": estate.dynamics.organization.id, "who": "token anna"}
    asked = {"predicted": {"incoming": "success", "outgoing": "success", "appointments": "success"}, "before": None}
    alert = {"level": "error", "code": 12345, "text": said, "causes": [REACHED.id, TOO_OLD.id], "meaning": None}
    came = {
        "requested": "2026-11-23T11:58:00Z",
        "scheduled_by_another": False,
        "finished": "2026-11-23T11:59:00Z",
        "state": "done",
        "outcome": {"incoming": "success", "outgoing": "failure", "appointments": "not-run"},
        "alerts": [alert, {**alert, "text": f"{said} (2)", "causes": [], "meaning": "The user of the mailbox lacks privileges"}],
        "agrees": False,
    }
    lines: list[dict[str, Any]] = []
    for name, address, outcome in ((FAILED, failed, came), (PENDING, pending, None)):
        own = {**told, "at": "2026-11-23T11:58:00.000Z", "mailbox": address, "id": f"id of {address}", "batch": f"page-{name}"}
        lines += [{**own, **asked}, {**own, "answered": "sent"}, *([] if outcome is None else [{**own, **outcome}])]
    return page_requests(lines)
