"""Where the mailboxes live that are served through one email server profile."""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import vocabulary as v
from probe.model.estate import Delivery
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled
from probe.model.rules import Case

_DELIVERIES = (v.MAILBOX_INCOMING, v.MAILBOX_OUTGOING, v.MAILBOX_APPOINTMENTS)


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    served = [case.mailbox for case in premises.cases if _may_be_served(case)]
    locations = {mailbox.subject: mailbox.value(v.MAILBOX_LOCATION) for mailbox in served}
    unknown = [address for address, location in locations.items() if location is None]
    if unknown:
        # Given only when complete, so that learning more never changes it.
        others = f" and {len(unknown) - 1} more of its mailboxes live" if len(unknown) > 1 else " lives"
        yield Unsettled(v.PROFILE_LOCATIONS, f"it is not known where {unknown[0]}{others}")
    else:
        yield v.PROFILE_LOCATIONS, tuple(sorted({str(location) for location in locations.values()}))


def _may_be_served(case: Case) -> bool:
    """Whether server-side synchronization serves the mailbox; it counts as served unless it is known not to be."""
    ways = [case.mailbox.value(key) for key in _DELIVERIES]
    return None in ways or Delivery.SERVER_SIDE in ways


INFERENCE = Inference(
    id="profile-locations",
    title="Where the mailboxes of the profile live",
    scope=InferenceScope.PROFILE,
    needs=(v.MAILBOX_LOCATION, *_DELIVERIES),
    gives=(v.PROFILE_LOCATIONS,),
    infer=_infer,
)
