"""In which ways appointments, contacts and tasks are synchronized."""

from __future__ import annotations

from probe.inferences.appointment_ways import INFERENCE
from probe.model import vocabulary as v
from tests.inferences.known import case, settled


def test_each_way_of_the_organization_is_given_once() -> None:
    """All ways but `none`, in order, over the whole estate."""
    cases = [
        case({v.MAILBOX_APPOINTMENTS: way}, address=f"{n}@x.test")
        for n, way in enumerate(("server-side", "none", "outlook", "server-side"))
    ]
    assert settled(INFERENCE, v.DEPLOYMENT_APPOINTMENT_WAYS, {}, *cases) == ("outlook", "server-side")
    assert settled(INFERENCE, v.DEPLOYMENT_APPOINTMENT_WAYS, {}, cases[1]) == ()


def test_a_mailbox_of_which_it_is_not_known_leaves_it_open() -> None:
    """One unknown way leaves the set open."""
    cases = [case({v.MAILBOX_APPOINTMENTS: "outlook"}), case({}, address="b@x.test")]
    assert settled(INFERENCE, v.DEPLOYMENT_APPOINTMENT_WAYS, {}, *cases) is None
