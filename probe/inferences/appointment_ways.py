"""The ways in which the mailboxes of the organization synchronize appointments, contacts and tasks."""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import vocabulary as v
from probe.model.estate import Delivery
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    ways = {case.mailbox.subject: case.mailbox.value(v.MAILBOX_APPOINTMENTS) for case in premises.cases}
    unknown = [address for address, way in ways.items() if way is None]
    if unknown:
        yield Unsettled(v.DEPLOYMENT_APPOINTMENT_WAYS, f"it is not known how {unknown[0]} synchronizes appointments, contacts and tasks")
    else:
        yield v.DEPLOYMENT_APPOINTMENT_WAYS, tuple(sorted({str(way) for way in ways.values()} - {Delivery.NONE}))


INFERENCE = Inference(
    id="appointment-ways",
    title="The ways in which the organization synchronizes appointments, contacts and tasks",
    scope=InferenceScope.DEPLOYMENT,
    needs=(v.MAILBOX_APPOINTMENTS,),
    gives=(v.DEPLOYMENT_APPOINTMENT_WAYS,),
    infer=_infer,
)
