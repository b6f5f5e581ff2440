"""Whether a password can work at all at an endpoint, on the date of judgement.

The end of password logins at a provider decides before the server's offer: Microsoft's servers offer PLAIN and LOGIN, and then
refuse every password. Where a server serves several providers, the result must be the same for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from probe.model import vocabulary as v
from probe.model.estate import Service
from probe.model.facts import Facts
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled
from probe.tables.exchange import UNTOLD_EXCHANGE, exchange_servers
from probe.tables.hosts import told_by_host
from probe.tables.providers import candidate_providers, password_ending

_KEY = v.PASSWORD_LOGIN_POSSIBLE

_PASSWORD_MECHANISMS = frozenset({"PLAIN", "LOGIN", "USER", "APOP", "CRAM-MD5", "DIGEST-MD5", "NTLM", "PLAIN-CLIENTTOKEN"})
_PASSWORD_SCHEMES = frozenset({"basic", "digest", "ntlm", "negotiate"})
"""Exchange Online offers neither, so they show that another product answers."""


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    facts = premises.facts
    service, host = facts.value(v.ENDPOINT_SERVICE), facts.value(v.ENDPOINT_HOST)
    if service is None or host is None:
        yield Unsettled(_KEY, "the host of the endpoint is not known")
        return
    candidates = candidate_providers(host, facts.value(v.SERVER_PRODUCT), Service(service))
    if candidates is None:
        yield Unsettled(_KEY, "it is not known whose server answers under the provider's host name")
        return
    if candidates:
        yield _at_provider(candidates, Service(service), facts, premises.date)
    elif service == Service.EWS:
        yield _over_http(facts)
    elif service in (Service.POP3, Service.SMTP, Service.IMAP):
        yield _over_sasl(facts)
    else:
        yield Unsettled(_KEY, "there is no sign-in at this endpoint", is_moot=True)


def _at_provider(candidates: tuple[str, ...], service: Service, facts: Facts, on: date) -> Conclusion | Unsettled:
    endings = [password_ending(provider, service) for provider in candidates]
    ended = [ending for ending in endings if ending is not None and on >= ending.ended]
    remains = {ending.remains for ending in ended}
    if len(ended) < len(candidates):
        if ended and remains != {"app-password"}:
            return Unsettled(_KEY, f"it depends on the mailbox: {ended[0].says}")
        return _over_http(facts) if service is Service.EWS else _over_sasl(facts)
    if remains == {"nothing"}:
        return _KEY, False
    if remains == {"app-password"}:
        return _KEY, True
    return Unsettled(_KEY, f"it depends on the mailbox: {'; '.join(dict.fromkeys(ending.says for ending in ended))}")


def _over_http(facts: Facts) -> Conclusion | Unsettled:
    product = facts.value(v.SERVER_PRODUCT)
    schemes = facts.value(v.AUTH_SCHEMES)
    if schemes is None:
        return Unsettled(_KEY, "the sign-in mechanisms are not known")
    offered = {scheme.lower() for scheme in schemes}
    if product in (None, *UNTOLD_EXCHANGE) and offered & v.WINDOWS_SCHEMES:
        return _KEY, True
    if product not in exchange_servers():
        return Unsettled(_KEY, "it is not known to be an Exchange Server on premises")
    if offered & _PASSWORD_SCHEMES:
        return _KEY, True
    if offered:
        return _KEY, False
    return Unsettled(_KEY, "the server names no authentication scheme")


def _over_sasl(facts: Facts) -> Conclusion | Unsettled:
    if facts.value(v.PROTOCOL_GREETING) is None:
        return Unsettled(_KEY, "the product that answers is not known")
    mechanisms = facts.value(v.AUTH_MECHANISMS)
    if mechanisms is None and facts.value(v.TLS_MODE) == "none":
        mechanisms = facts.value(v.AUTH_MECHANISMS_PLAIN)
    if mechanisms is None:
        return Unsettled(_KEY, "the mechanisms under TLS are not known")
    if any(_takes_password(mechanism) for mechanism in mechanisms):
        return _KEY, True
    if mechanisms or facts.value(v.ENDPOINT_SERVICE) == Service.SMTP:
        return _KEY, False
    # USER of POP3 and LOGIN of IMAP may work without being listed.
    return Unsettled(_KEY, "the server lists no sign-in mechanism")


def _takes_password(mechanism: str) -> bool:
    return mechanism in _PASSWORD_MECHANISMS or mechanism.startswith("SCRAM-")


INFERENCE = Inference(
    id="password-login",
    title="Whether a password can work at all at the endpoint, on the date of judgement",
    scope=InferenceScope.ENDPOINT,
    needs=(
        v.ENDPOINT_SERVICE,
        v.ENDPOINT_HOST,
        v.SERVER_PRODUCT,
        v.PROTOCOL_GREETING,
        v.TLS_MODE,
        v.AUTH_MECHANISMS,
        v.AUTH_MECHANISMS_PLAIN,
        v.AUTH_SCHEMES,
    ),
    gives=(v.PASSWORD_LOGIN_POSSIBLE,),
    infer=_infer,
    alike={v.ENDPOINT_HOST: told_by_host},
)
