"""The product that the operator declares, where the server hides its name.

The declaration is one source beside the observations: where they are more specific, they count; where they contradict it, neither counts; and
where observations contradict each other, the declaration does not settle it.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import vocabulary as v
from probe.model.facts import Fact, Why
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled
from probe.tables.marks import product_in


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    word = premises.facts.read(v.SERVER_BY_WORD)
    if isinstance(word, Fact):
        yield v.SERVER_PRODUCT, product_in(word.value)
        return
    is_disputed = word.why is Why.CONFLICTING
    told = "the profiles of the estate name different products for this endpoint" if is_disputed else "the estate does not say what answers"
    yield Unsettled(v.SERVER_PRODUCT, told, is_moot=not is_disputed, conflicts=is_disputed)


INFERENCE = Inference(
    id="product-by-word",
    title="The product that the operator declares, where the server hides its name",
    scope=InferenceScope.ENDPOINT,
    needs=(v.SERVER_BY_WORD,),
    gives=(v.SERVER_PRODUCT,),
    infer=_infer,
)
