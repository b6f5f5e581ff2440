"""Until when extended security updates (ESU) are released for the installed Exchange Server.

They are sold, and only for some cumulative updates. Only an installed one shows that they were bought.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import vocabulary as v
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled
from probe.tables.exchange import UNTOLD_EXCHANGE, extended_updates

_KEY = v.SERVER_EXTENDED_UPDATES_END


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    product, update = premises.facts.value(v.SERVER_PRODUCT), premises.facts.value(v.SERVER_UPDATE)
    if product in (None, *UNTOLD_EXCHANGE):
        yield Unsettled(_KEY, "it is not known which version of Exchange it is")
        return
    sold = extended_updates(product)
    if sold is None:
        yield Unsettled(_KEY, f"no extended security updates are on record for {product}", is_moot=True)
    elif update is None:
        yield Unsettled(_KEY, "the installed update is not known")
    else:
        end, families = sold
        bounds = {name.split()[0] for name in (update.exact, update.at_least, update.at_most) if name}
        if bounds <= set(families):
            yield _KEY, end
        else:
            yield Unsettled(_KEY, f"of {product}, only {' and '.join(families)} gets extended security updates", is_moot=True)


INFERENCE = Inference(
    id="extended-updates",
    title="Until when extended security updates are released for the installed update",
    scope=InferenceScope.ENDPOINT,
    needs=(v.SERVER_PRODUCT, v.SERVER_UPDATE),
    gives=(_KEY,),
    infer=_infer,
)
