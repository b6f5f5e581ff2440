"""What Dynamics' records say, as facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from probe import app
from probe.dynamics import MoreThan, Option
from probe.dynamics.state import StateRecords, is_processed
from probe.engine.again import judge_again
from probe.engine.judge import Ruleset, judge_estate
from probe.engine.run import about
from probe.model import vocabulary as v
from probe.model.facts import Fact, Missing, Why
from probe.model.provenance import Declared
from tests.dynamics.peer import guid
from tests.dynamics.rows import ADDRESS, AT, PROFILE, RECORDS, ROW, an_alert, everything_said, said
from tests.judged_again import assert_judged_again_to_the_same
from tests.runs import a_mailbox, a_run, an_estate


def with_row(**changes: Any) -> StateRecords:
    """The records with the mailbox's row changed."""
    return replace(RECORDS, rows={ADDRESS: replace(ROW, **changes)})


def value(key: Any, records: StateRecords = RECORDS, subject: str = ADDRESS) -> Any:
    """The value of a key; a gap's reason where it has none."""
    reading = said(records)[subject, key.name]
    return reading.value if isinstance(reading, Fact) else reading.why


def test_a_mailbox_is_told_as_dynamics_has_it() -> None:
    """Its state by direction, its approval, its times and its last error, each declared by Dynamics."""
    assert value(v.DYNAMICS_ENABLED) == (("incoming", True), ("outgoing", False), ("appointments", True))
    assert value(v.DYNAMICS_STATUS) == (("incoming", "success"), ("outgoing", "failure"), ("appointments", "not-run"))
    assert value(v.DYNAMICS_APPROVED) is True
    assert (value(v.DYNAMICS_LAST_SUCCESS), value(v.DYNAMICS_LAST_ATTEMPT)) == (ROW.last_success, ROW.last_attempt)
    assert value(v.DYNAMICS_LAST_ERROR) == ROW.last_error
    assert value(v.DYNAMICS_PENDING_SEND) == 12
    assert value(v.DYNAMICS_PROFILE) == "corp"
    assert {fact.provenance for fact in everything_said()} == {Declared("dynamics")}


def test_a_profile_and_the_deployment_are_told() -> None:
    """Whether the profile is active, and what Dynamics is; a profile of Exchange has no ports."""
    assert value(v.DYNAMICS_ACTIVE, subject="profile:corp") is True
    assert value(v.DYNAMICS_INCOMING_PORT, subject="profile:corp") is Why.NOT_APPLICABLE
    assert value(v.DYNAMICS_VERSION, subject="deployment") == "9.1.18.22"
    assert value(v.DYNAMICS_ORGANIZATION_ID, subject="deployment") == guid(1)
    inactive = replace(RECORDS, profiles=(replace(PROFILE, state=1),))
    assert value(v.DYNAMICS_ACTIVE, inactive, "profile:corp") is False


def test_the_password_to_send_is_that_of_the_settings_that_count() -> None:
    """With the same settings for both, the incoming password is meant; else the outgoing one."""
    assert value(v.DYNAMICS_OUTGOING_PASSWORD_SET, subject="profile:corp") is True
    apart = replace(RECORDS, profiles=(replace(PROFILE, uses_incoming_for_outgoing=False),))
    assert value(v.DYNAMICS_OUTGOING_PASSWORD_SET, apart, "profile:corp") is False


def test_the_mailboxs_own_time_goes_before_the_profiles() -> None:
    """Mail is processed since the time of the mailbox, where it has one."""
    assert value(v.DYNAMICS_PROCESSES_MAIL_SINCE) == PROFILE.processes_mail_since
    assert value(v.DYNAMICS_PROCESSES_MAIL_SINCE, with_row(processes_mail_since=AT)) == AT


@pytest.mark.parametrize(
    ("is_primary", "alert", "organization"),
    [
        (True, {}, "this"),
        (False, {}, Why.NOT_APPLICABLE),
        (False, {"message": "The mailbox is configured with another organization."}, "other"),
        (False, {"message": "The mailbox is configured with another organization.", "status": Option(1, "Success")}, Why.NOT_APPLICABLE),
        (False, {"message": "The mailbox is configured with another organization.", "regarding": guid(11)}, Why.NOT_APPLICABLE),
    ],
)
def test_another_organization_is_told_by_an_open_alert_alone(is_primary: bool, alert: dict[str, Any], organization: object) -> None:
    """That this one is not marked as primary does not say that another is."""
    records = replace(with_row(is_primary_organization=is_primary), alerts=(an_alert(**alert),))
    assert value(v.DYNAMICS_ORGANIZATION, records) == organization


def test_what_is_empty_or_unknown_is_no_value() -> None:
    """An attribute that the server does not have, an empty one, and a number without a meaning are gaps that say so."""
    gap = said(with_row(last_error=None, absent=frozenset({"lastsyncerror"})))[ADDRESS, v.DYNAMICS_LAST_ERROR.name]
    assert isinstance(gap, Missing)
    assert gap.detail == "this Dynamics has no lastsyncerror"
    assert value(v.DYNAMICS_APPROVED, with_row(approval=Option(7, None))) is Why.NOT_DISCLOSED
    assert value(v.DYNAMICS_STATUS, with_row(incoming_status=Option(9, None))) is Why.NOT_DISCLOSED
    assert value(v.DYNAMICS_ENABLED, with_row(outgoing_enabled=None)) is Why.NOT_APPLICABLE
    assert value(v.DYNAMICS_PENDING_SEND, replace(RECORDS, pending=MoreThan(50_000))) is Why.NOT_DISCLOSED
    assert (ADDRESS, v.DYNAMICS_PENDING_SEND.name) not in said(replace(RECORDS, pending=None))


def test_what_differs_from_the_estate_is_told_where_no_rule_is_about_it() -> None:
    """In sentences that fit a report, whatever Dynamics holds; a mailbox without a row is told as such, and nothing else is of it."""
    long = with_row(incoming_delivery=Option(7, "x" * 2000), approval=Option(2, "Pending Approval"))
    told = value(v.DYNAMICS_DIFFERS, long)
    (delivery,) = [
        sentence for sentence in told if sentence.startswith("incoming delivery: the estate has server-side, Dynamics has 7 (xxx")
    ]
    assert len(delivery) < 300
    assert not any("approval" in sentence for sentence in told)
    gone = said(replace(RECORDS, rows={}))
    assert [key for subject, key in gone if subject == ADDRESS] == [v.DYNAMICS_FOUND.name]


def test_a_mailbox_without_profile_says_so() -> None:
    """No profile is an empty name; one that was not read is none."""
    assert value(v.DYNAMICS_PROFILE, with_row(profile=None)) == ""
    assert value(v.DYNAMICS_PROFILE, with_row(profile=guid(901))) is Why.NOT_APPLICABLE


def test_how_long_the_service_has_been_idle_is_told_of_all_mailboxes_alone() -> None:
    """The last attempt of any mailbox counts, and only where all were read."""
    assert value(v.DYNAMICS_IDLE_MINUTES, subject="deployment") == 7
    idle = replace(RECORDS, last_attempt=AT - timedelta(minutes=90))
    assert value(v.DYNAMICS_IDLE_MINUTES, idle, "deployment") == 90
    assert ("deployment", v.DYNAMICS_IDLE_MINUTES.name) not in said(replace(RECORDS, are_all=False))
    assert value(v.DYNAMICS_IDLE_MINUTES, replace(RECORDS, last_attempt=None), "deployment") is Why.NOT_APPLICABLE


@pytest.mark.parametrize("changes", [{"incoming_enabled": False, "appointments_enabled": False}, {"state": 1}, {"last_attempt": None}])
def test_what_the_service_does_not_process_says_nothing_of_it(changes: dict[str, Any]) -> None:
    """A mailbox that is enabled in no direction, an inactive one, and one that was never processed."""
    assert is_processed(ROW)
    assert not is_processed(replace(ROW, **changes))


def test_a_run_with_dynamics_state_is_judged_again_to_the_same() -> None:
    """What Dynamics said is kept of a stored run, its profiles and its deployment too, and is not the operator's word."""
    estate = an_estate(a_mailbox(ADDRESS, "corp"))
    book = Ruleset(inferences=app.inferences(), rules=app.rules())
    judged = judge_estate(estate, tuple(said().values()), estate.mailboxes, book, AT.date(), AT, a_run().asked.allow)
    told = about(judged, estate, estate.mailboxes)
    run = replace(a_run(estate=estate, readings=told.readings), judged_at=AT.date(), finished=AT, assessments=told.assessments)
    again = judge_again(run, estate, book, AT.date())
    assert {r for r in again.readings if r.key in v.DYNAMICS_KEYS} == set(said().values())
    assert_judged_again_to_the_same(run)
