"""Tracking by hand with POP/SMTP."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.rules import Result
from probe.rules.on_premises.manual_tracking_over_pop3_smtp import RULE
from tests.cases import exchange_case, gmail_case, result_of

TRACKS = {v.DEPLOYMENT_MANUAL_TRACKING: True}


def test_it_holds_where_nobody_tracks_by_hand() -> None:
    """A POP3/SMTP mailbox without manual tracking keeps to the statement."""
    assert result_of(RULE, gmail_case()) is Result.HOLDS


def test_it_fails_where_people_track_by_hand() -> None:
    """Manual tracking with a POP3/SMTP mailbox is not supported."""
    assert result_of(RULE, gmail_case(deployment=TRACKS)) is Result.FAILS


def test_it_fails_where_only_sending_goes_through_smtp() -> None:
    """A mailbox that only sends through SMTP is under that protocol, too."""
    assert result_of(RULE, gmail_case(deployment=TRACKS, mailbox={v.MAILBOX_INCOMING: "outlook"})) is Result.FAILS


def test_it_does_not_apply_to_exchange() -> None:
    """Manual tracking with an Exchange mailbox is not meant."""
    assert result_of(RULE, exchange_case(deployment=TRACKS)) is Result.NOT_APPLICABLE
