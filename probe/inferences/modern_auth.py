"""Whether an endpoint offers sign-in by token (OAuth).

Offered does not mean required: whether a password is still accepted is another question (password-login). An Exchange on
premises offers Bearer only to a client that sends an empty token, and newer ones only where the request names a
mailbox, so a missing offer proves something only where that was done.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from probe.model import vocabulary as v
from probe.model.estate import Service
from probe.model.facts import Facts
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled
from probe.tables.exchange import EXCHANGE_ONLINE, UNTOLD_EXCHANGE, exchange_servers
from probe.tables.exchange_marks import never_takes_tokens
from probe.tables.hosts import is_exchange_online_host, told_by_host

_NOT_FOR_DOMAIN = re.compile(r"Flighting is not enabled for domain '([^']{1,255})'", re.IGNORECASE)

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
        yield Unsettled(v.MODERN_AUTH_OFFERED, "there is no sign-in at this endpoint", is_moot=True)


def _over_http(facts: Facts) -> Conclusion | Unsettled:
    key, drawn, product = v.MODERN_AUTH_OFFERED, facts.value(v.EWS_BEARER_CHALLENGES), facts.value(v.SERVER_PRODUCT) or ""
    bearers = [c for c in (*(facts.value(v.EWS_CHALLENGES) or ()), *(drawn or ())) if c.scheme.lower() == "bearer"]
    if any(name.lower() == "authorization_uri" and value for c in bearers for name, value in c.parameters):
        return key, True
    if product is not None and never_takes_tokens(product):
        return key, False
    if bearers:
        return _without_authority(facts)
    if drawn is None:
        return Unsettled(key, "no Bearer challenge came; Exchange sends it only to clients that ask for it")
    if product not in (*UNTOLD_EXCHANGE, *exchange_servers()):
        return Unsettled(key, "no Bearer challenge came, but it is not known to be an Exchange Server")
    return key, False


def _without_authority(facts: Facts) -> Conclusion | Unsettled:
    """Tokens are accepted, but no authority is named: Exchange has no modern authentication for the domain that it looked up."""
    key, asked_for = v.MODERN_AUTH_OFFERED, facts.value(v.EWS_ASKED_FOR)
    for said in facts.value(v.EWS_BEARER_DIAGNOSTICS) or ():
        looked_at = re.search(_NOT_FOR_DOMAIN, said)
        if looked_at is None:
            continue
        if asked_for is not None and looked_at[1].lower() == asked_for.lower().rpartition("@")[2]:
            return key, False
        return Unsettled(
            key,
            f"the server answered for the domain {looked_at[1]!r}, which is not that of a mailbox; the answer for other domains is not known",
        )
    return Unsettled(key, "a Bearer challenge came, but it names no authority to sign in to")


def _over_sasl(facts: Facts) -> Conclusion | Unsettled:
    under_tls, before_tls = facts.value(v.AUTH_MECHANISMS), facts.value(v.AUTH_MECHANISMS_PLAIN)
    if any(mechanism in _TOKEN_MECHANISMS for mechanism in (*(under_tls or ()), *(before_tls or ()))):
        return v.MODERN_AUTH_OFFERED, True
    if under_tls is None:
        return Unsettled(v.MODERN_AUTH_OFFERED, "the mechanisms under TLS are not known")
    if facts.value(v.PROTOCOL_GREETING) is None:
        return Unsettled(v.MODERN_AUTH_OFFERED, "the product that answers is not known")
    return v.MODERN_AUTH_OFFERED, False


INFERENCE = Inference(
    id="modern-auth",
    title="Whether sign-in by token (OAuth) is offered",
    scope=InferenceScope.ENDPOINT,
    needs=(
        v.ENDPOINT_SERVICE,
        v.ENDPOINT_HOST,
        v.SERVER_PRODUCT,
        v.PROTOCOL_GREETING,
        v.AUTH_MECHANISMS,
        v.AUTH_MECHANISMS_PLAIN,
        v.EWS_CHALLENGES,
        v.EWS_BEARER_CHALLENGES,
        v.EWS_BEARER_DIAGNOSTICS,
        v.EWS_ASKED_FOR,
    ),
    gives=(v.MODERN_AUTH_OFFERED,),
    infer=_infer,
    alike={v.ENDPOINT_HOST: told_by_host},
)
