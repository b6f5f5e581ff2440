"""The provider of a mailbox: by its endpoints, and by its domain where one endpoint serves several providers.

The domain alone proves nothing: any server may have an address at gmail.com. It only decides between the
providers that the endpoint itself may be. Endpoints that the mailbox does not use are not asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import vocabulary as v
from probe.model.estate import Delivery, Service
from probe.model.facts import Facts
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled
from probe.model.rules import Case
from probe.tables.providers import candidate_providers, provider_of_domain, same_company

_DELIVERIES = (v.MAILBOX_INCOMING, v.MAILBOX_APPOINTMENTS, v.MAILBOX_OUTGOING)


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    (case,) = premises.cases
    domain = case.mailbox.value(v.MAILBOX_DOMAIN)
    if domain is None:
        yield Unsettled(v.PROVIDER, "the mailbox's domain is not known")
        return
    endpoints = _used(case)
    if not endpoints:
        yield Unsettled(v.PROVIDER, "server-side synchronization does not serve the mailbox", is_moot=True)
        return
    concluded = [_provider(endpoint, domain) for endpoint in endpoints]
    unsettled = next((because for provider, because in concluded if provider is None), None)
    providers = list(dict.fromkeys(provider for provider, _ in concluded if provider is not None))
    if len(providers) > 1:
        yield Unsettled(v.PROVIDER, f"its endpoints belong to different providers: {', '.join(providers)}", conflicts=True)
    elif unsettled is not None:
        yield Unsettled(v.PROVIDER, unsettled)
    else:
        yield v.PROVIDER, providers[0]


def _used(case: Case) -> list[Facts]:
    """The endpoints that serve the mailbox, each once. An endpoint counts as used unless it is known to be unused."""
    incoming, appointments, outgoing = (case.mailbox.value(key) for key in _DELIVERIES)
    used = []
    if None in (incoming, appointments) or Delivery.SERVER_SIDE in (incoming, appointments):
        used.append(case.incoming)
    if outgoing in (None, Delivery.SERVER_SIDE):
        used.append(case.outgoing)
    return used


def _provider(endpoint: Facts, domain: str) -> tuple[str | None, str]:
    """The provider of a mailbox of this domain at an endpoint, or None and the reason."""
    of_domain = provider_of_domain(domain)
    shown = endpoint.value(v.PROVIDER)
    if shown is not None:
        return (of_domain if of_domain is not None and same_company(shown, of_domain) else shown), ""
    service, host = endpoint.value(v.ENDPOINT_SERVICE), endpoint.value(v.ENDPOINT_HOST)
    product = endpoint.value(v.SERVER_PRODUCT)
    candidates = candidate_providers(host, product, Service(service)) if host is not None and service is not None else None
    if not candidates:
        return None, "the provider of the endpoint is not known, and the address alone proves nothing"
    if of_domain in candidates:
        return of_domain, ""
    if of_domain is None and "exchange-online" in candidates:
        return "exchange-online", ""
    return None, f"the endpoint serves {', '.join(candidates)}; a mailbox at {domain} is not known to belong to any of them"


INFERENCE = Inference(
    id="mailbox-provider",
    title="Whose hosted mailbox it is, by its endpoints and its domain",
    scope=InferenceScope.MAILBOX,
    needs=(v.MAILBOX_DOMAIN, *_DELIVERIES, v.ENDPOINT_SERVICE, v.ENDPOINT_HOST, v.SERVER_PRODUCT, v.PROVIDER),
    gives=(v.PROVIDER,),
    infer=_infer,
)
