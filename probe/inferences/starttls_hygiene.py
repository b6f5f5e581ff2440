"""The capabilities that a server withdraws under TLS, and whether every address of its name offers the upgrade."""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import vocabulary as v
from probe.model.estate import Security, Service
from probe.model.facts import Facts
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled

_OF_THE_UPGRADE = frozenset({"STARTTLS", "STLS", "LOGINDISABLED"})


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    facts = premises.facts
    service = facts.value(v.ENDPOINT_SERVICE)
    is_mail = service is not None and Service(service) in (Service.POP3, Service.SMTP, Service.IMAP)
    if not is_mail or facts.value(v.ENDPOINT_SECURITY) != Security.UPGRADE:
        for key in (v.STARTTLS_WITHDRAWN, v.STARTTLS_DIFFERS):
            yield Unsettled(key, "the endpoint does not use STLS or STARTTLS", is_moot=True)
        return
    yield _withdrawn(facts)
    offered = facts.claimed(v.STARTTLS_OFFERED)
    if offered:
        yield v.STARTTLS_DIFFERS, len(set(offered)) > 1
    else:
        yield Unsettled(v.STARTTLS_DIFFERS, "it is not known whether STLS or STARTTLS is offered")


def _withdrawn(facts: Facts) -> Conclusion | Unsettled:
    before, after = facts.value(v.PROTOCOL_CAPABILITIES_PLAIN), facts.value(v.PROTOCOL_CAPABILITIES)
    if before is None or after is None:
        return Unsettled(v.STARTTLS_WITHDRAWN, "the capabilities before TLS, or those under TLS, are not known")
    stays = set(map(_name, after)) | _OF_THE_UPGRADE
    return v.STARTTLS_WITHDRAWN, tuple(dict.fromkeys(name for name in map(_name, before) if name and name not in stays))


def _name(capability: str) -> str:
    """The name of a capability, without its values."""
    return capability.replace("=", " ", 1).partition(" ")[0].upper()


INFERENCE = Inference(
    id="starttls-hygiene",
    title="The capabilities that are withdrawn under TLS, and whether every address offers the upgrade",
    scope=InferenceScope.ENDPOINT,
    needs=(v.ENDPOINT_SERVICE, v.ENDPOINT_SECURITY, v.STARTTLS_OFFERED, v.PROTOCOL_CAPABILITIES_PLAIN, v.PROTOCOL_CAPABILITIES),
    gives=(v.STARTTLS_WITHDRAWN, v.STARTTLS_DIFFERS),
    infer=_infer,
)
