"""Outlook on the web with Exchange Online."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.rules import Result
from probe.rules.on_premises.outlook_on_the_web_in_hybrid import RULE
from tests.cases import exchange_case, gmail_case, online_case, result_of

TRACKS = {v.DEPLOYMENT_OWA_TRACKING: True}


def test_it_holds_where_nobody_tracks_there() -> None:
    """Exchange Online without tracking from Outlook on the web keeps to the statement."""
    assert result_of(RULE, online_case()) is Result.HOLDS


def test_it_fails_where_people_track_there() -> None:
    """Tracking from Outlook on the web with Exchange Online is not supported."""
    assert result_of(RULE, online_case(deployment=TRACKS)) is Result.FAILS


def test_it_is_unknown_where_the_product_does_not_show() -> None:
    """Whether it is Exchange Online decides, so an Exchange that cannot be told leaves it open."""
    assert result_of(RULE, online_case(deployment=TRACKS, endpoint={v.SERVER_PRODUCT: "Exchange"})) is Result.UNKNOWN


def test_it_does_not_apply_on_premises() -> None:
    """On-premises Exchange is not meant."""
    assert result_of(RULE, exchange_case(deployment=TRACKS)) is Result.NOT_APPLICABLE
    assert result_of(RULE, gmail_case(deployment=TRACKS)) is Result.NOT_APPLICABLE
