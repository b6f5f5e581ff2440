"""When Microsoft's support for an Exchange Server ended or ends."""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import vocabulary as v
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled
from probe.tables.exchange import UNTOLD_EXCHANGE, end_of_support


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    product = premises.facts.value(v.SERVER_PRODUCT)
    day = None if product is None else end_of_support(product)
    if day is not None:
        yield v.SERVER_END_OF_SUPPORT, day
    elif product is None:
        yield Unsettled(v.SERVER_END_OF_SUPPORT, "the product is not known")
    elif product in UNTOLD_EXCHANGE:
        yield Unsettled(v.SERVER_END_OF_SUPPORT, "it is not known which version of Exchange it is")
    else:
        yield Unsettled(v.SERVER_END_OF_SUPPORT, f"no end of support is on record for {product}", is_moot=True)


INFERENCE = Inference(
    id="end-of-support",
    title="When support for the product ended or ends",
    scope=InferenceScope.ENDPOINT,
    needs=(v.SERVER_PRODUCT,),
    gives=(v.SERVER_END_OF_SUPPORT,),
    infer=_infer,
)
