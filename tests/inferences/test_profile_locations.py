"""Where the mailboxes of a profile live."""

from __future__ import annotations

from probe.inferences.profile_locations import INFERENCE
from probe.model import vocabulary as v
from probe.model.inferences import Unsettled
from tests.inferences.known import Known, case, concluded, settled

_UNSERVED: Known = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "outlook"}


def _served(location: str | None) -> Known:
    known: Known = {**_UNSERVED, v.MAILBOX_INCOMING: "server-side"}
    return known if location is None else {**known, v.MAILBOX_LOCATION: location}


def test_locations_are_given_once_each_when_all_are_known() -> None:
    """Each location of a served mailbox, once, in order."""
    cases = [case(_served(location), address=f"{n}@x.test") for n, location in enumerate(("on-premises", "exchange-online", "on-premises"))]
    assert settled(INFERENCE, v.PROFILE_LOCATIONS, {}, *cases) == ("exchange-online", "on-premises")


def test_one_unknown_location_leaves_all_open() -> None:
    """What is not complete is not given, so that learning more never changes it; it is told whose is missing."""
    known = case(_served("on-premises"), address="a@x.test")
    one = concluded(INFERENCE, {}, known, case(_served(None), address="b@x.test"))[v.PROFILE_LOCATIONS]
    two = concluded(INFERENCE, {}, known, *(case(_served(None), address=f"{name}@x.test") for name in "bc"))[v.PROFILE_LOCATIONS]
    assert isinstance(one, Unsettled)
    assert one.because == "it is not known where b@x.test lives"
    assert isinstance(two, Unsettled)
    assert "1 more" in two.because


def test_a_mailbox_that_is_not_served_does_not_count() -> None:
    """Its location is not asked; one whose delivery is not known is."""
    assert settled(INFERENCE, v.PROFILE_LOCATIONS, {}, case(_served("elsewhere")), case(_UNSERVED, address="b@x.test")) == ("elsewhere",)
    assert settled(INFERENCE, v.PROFILE_LOCATIONS, {}, case(_served("elsewhere")), case({}, address="b@x.test")) is None
    assert settled(INFERENCE, v.PROFILE_LOCATIONS, {}) == ()
