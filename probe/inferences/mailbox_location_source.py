"""The source that shows where a mailbox lives: a sign-in that opened it, the operator or Autodiscover, or none.

That there is none is an answer of its own: Autodiscover is asked about every mailbox that EWS serves, and an Exchange before 2016 does not answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.inferences import where_opened
from probe.model import vocabulary as v
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    (case,) = premises.cases
    if where_opened(case) is not None:
        yield v.MAILBOX_LOCATION_SOURCE, "opened"
    elif premises.facts.claimed(v.MAILBOX_LOCATION):
        yield v.MAILBOX_LOCATION_SOURCE, "said"
    elif case.incoming.value(v.ENDPOINT_SERVICE) is None:
        yield Unsettled(v.MAILBOX_LOCATION_SOURCE, "the endpoints of the mailbox are not known")
    else:
        yield v.MAILBOX_LOCATION_SOURCE, "nobody"


INFERENCE = Inference(
    id="mailbox-location-source",
    title="The source that shows where the mailbox lives",
    scope=InferenceScope.MAILBOX,
    needs=(v.ENDPOINT_SERVICE, v.EWS_INBOX, v.AUTH_ACCEPTED, v.MAILBOX_LOCATION),
    gives=(v.MAILBOX_LOCATION_SOURCE,),
    infer=_infer,
)
