"""Whether an endpoint offers sign-in by token (OAuth).

Offered is not required: whether a password would still do is another question (password-login). An Exchange on
premises shows Bearer only to a client that asks for it, so its silence towards an anonymous visitor proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import vocabulary as v
from probe.model.estate import Service
from probe.model.facts import Facts
from probe.model.inferences import Conclusion, Inference, Premises, Scope, Unsettled
from probe.tables import EXCHANGE_ONLINE, is_exchange_online_host

_TOKEN_MECHANISMS = frozenset({"XOAUTH2", "OAUTHBEARER"})


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    facts = premises.facts
    host = facts.value(v.ENDPOINT_HOST)
    service = facts.value(v.ENDPOINT_SERVICE)
    if facts.value(v.SERVER_PRODUCT) == EXCHANGE_ONLINE or (host is not None and is_exchange_online_host(host)):
        yield v.MODERN_AUTH_OFFERED, True
    elif service == Service.EWS:
        yield _over_http(facts)
    elif service in (Service.POP3, Service.SMTP, Service.IMAP):
        yield _over_sasl(facts)
    else:
        yield Unsettled(v.MODERN_AUTH_OFFERED, "nothing is signed in to at this endpoint", is_moot=True)


def _over_http(facts: Facts) -> Conclusion | Unsettled:
    bearers = [c for c in facts.value(v.EWS_CHALLENGES) or () if c.scheme.lower() == "bearer"]
    if any(name.lower() == "authorization_uri" and value for c in bearers for name, value in c.parameters):
        return v.MODERN_AUTH_OFFERED, True
    if bearers:
        return Unsettled(v.MODERN_AUTH_OFFERED, "a Bearer challenge came, but it names no authority to sign in to")
    return Unsettled(v.MODERN_AUTH_OFFERED, "no Bearer challenge came; Exchange shows it only to clients that ask for it")


def _over_sasl(facts: Facts) -> Conclusion | Unsettled:
    under_tls, before_tls = facts.value(v.AUTH_MECHANISMS), facts.value(v.AUTH_MECHANISMS_PLAIN)
    if any(mechanism in _TOKEN_MECHANISMS for mechanism in (*(under_tls or ()), *(before_tls or ()))):
        return v.MODERN_AUTH_OFFERED, True
    if under_tls is None:
        return Unsettled(v.MODERN_AUTH_OFFERED, "the mechanisms under TLS are not known")
    if facts.value(v.PROTOCOL_GREETING) is None:
        return Unsettled(v.MODERN_AUTH_OFFERED, "it is not known what answers")
    return v.MODERN_AUTH_OFFERED, False


INFERENCE = Inference(
    id="modern-auth",
    title="Whether sign-in by token (OAuth) is offered",
    scope=Scope.ENDPOINT,
    needs=(
        v.ENDPOINT_SERVICE,
        v.ENDPOINT_HOST,
        v.SERVER_PRODUCT,
        v.PROTOCOL_GREETING,
        v.AUTH_MECHANISMS,
        v.AUTH_MECHANISMS_PLAIN,
        v.EWS_CHALLENGES,
    ),
    gives=(v.MODERN_AUTH_OFFERED,),
    infer=_infer,
)
