"""The installed cumulative and security update of Exchange, by its build."""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import vocabulary as v
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled
from probe.model.kinds import Build
from probe.tables.exchange import UNTOLD_EXCHANGE, exchange_build, exchange_servers


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    product = premises.facts.value(v.SERVER_PRODUCT)
    builds = premises.facts.claimed(v.SERVER_BUILD)
    build = _shared(builds)
    if product in (*UNTOLD_EXCHANGE, *exchange_servers()) and builds and build is None:
        yield Unsettled(v.SERVER_UPDATE, f"different builds were shown: {', '.join(map(str, builds))}")
    elif product in UNTOLD_EXCHANGE:
        yield Unsettled(v.SERVER_UPDATE, "it is not known which version of Exchange it is")
    elif product is not None and product not in exchange_servers():
        yield Unsettled(v.SERVER_UPDATE, f"{product} has no updates that a build identifies", is_moot=True)
    elif product is None:
        yield Unsettled(v.SERVER_UPDATE, "it is not known to be an Exchange Server")
    elif build is None:
        yield Unsettled(v.SERVER_UPDATE, "the server does not show its build")
    else:
        place = exchange_build(build)
        if place.product == product and place.update is not None:
            yield v.SERVER_UPDATE, place.update
        else:
            yield Unsettled(v.SERVER_UPDATE, place.doubt or f"build {build} is that of {place.product}, not of {product}")


def _shared(builds: tuple[Build, ...]) -> Build | None:
    """The common build of all, or its first three numbers where they differ in the fourth; None where they are of different updates."""
    if len({build.parts[:3] for build in builds}) != 1:
        return None
    return builds[0] if len(builds) == 1 else Build(builds[0].parts[:3])


INFERENCE = Inference(
    id="exchange-update",
    title="Which update of Exchange Server runs: exactly, or between which two",
    scope=InferenceScope.ENDPOINT,
    needs=(v.SERVER_PRODUCT, v.SERVER_BUILD),
    gives=(v.SERVER_UPDATE,),
    infer=_infer,
)
