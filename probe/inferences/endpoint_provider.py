"""The provider of an endpoint: by the product that answers, and by its host name.

Microsoft serves tenants and consumers from one front end, and Yahoo serves AOL; there the mailbox's domain decides
(mailbox-provider), and this inference concludes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import vocabulary as v
from probe.model.estate import Service
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled
from probe.tables.hosts import told_by_host
from probe.tables.providers import candidate_providers


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    facts = premises.facts
    service, host = facts.value(v.ENDPOINT_SERVICE), facts.value(v.ENDPOINT_HOST)
    if service is None or host is None:
        yield Unsettled(v.PROVIDER, "the host of the endpoint is not known")
        return
    product = facts.value(v.SERVER_PRODUCT)
    candidates = candidate_providers(host, product, Service(service))
    if candidates is None:
        yield Unsettled(
            v.PROVIDER,
            f"the host name is a provider's, but {product}, which answers there, is not the provider's product",
            conflicts=product is not None,
        )
    elif len(candidates) == 1:
        yield v.PROVIDER, candidates[0]
    elif candidates:
        yield Unsettled(v.PROVIDER, f"it serves {', '.join(candidates)}; the mailbox's domain decides which of them")
    elif product is None:
        yield Unsettled(v.PROVIDER, "neither its answers nor its host name belong to a known provider")
    else:
        yield Unsettled(v.PROVIDER, f"anybody can run {product}, and the host name belongs to no known provider")


INFERENCE = Inference(
    id="endpoint-provider",
    title="Whose hosted service the endpoint is",
    scope=InferenceScope.ENDPOINT,
    needs=(v.ENDPOINT_SERVICE, v.ENDPOINT_HOST, v.SERVER_PRODUCT),
    gives=(v.PROVIDER,),
    infer=_infer,
    alike={v.ENDPOINT_HOST: told_by_host},
)
