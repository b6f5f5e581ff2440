"""Which mail server answers, by marks in its greeting, its list of capabilities, its replies to EHLO, HELP and QUIT, its IMAP ID, and the
names in its certificate.

All marks that are found must agree. A mark of a product family gives way to one of a
member, and a typical list to a greeting that names another product. Where marks contradict each other, the contradiction is reported and nothing is concluded: a product
with a wrong name is worse than one without. A proxy is reported as one, and never as the server behind it.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import vocabulary as v
from probe.model.estate import Service
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled
from probe.tables.mail_texts import MAIL_SERVICES, texts_of
from probe.tables.marks import Fingerprint, Match, matches, named_in_greeting

_LISTS = ("capabilities", "ehlo")


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    facts = premises.facts
    service = facts.value(v.ENDPOINT_SERVICE)
    if service not in MAIL_SERVICES:
        return _nothing("the endpoint is not a POP3, SMTP or IMAP server", is_moot=True)
    texts = list(texts_of(Service(service), facts))
    if not texts:
        return _nothing("no greeting, list of capabilities or certificate was received")
    found = [match for reads, text in texts for match in matches(Service(service), reads, text)]
    return _conclude(found, facts.claimed(v.PROTOCOL_GREETING))


def _conclude(found: list[Match], greetings: tuple[str, ...]) -> Iterator[Conclusion | Unsettled]:
    if not found:
        yield from _nothing("nothing that the server sent identifies a known product")
        return
    yield v.SERVER_MARKS, tuple(dict.fromkeys(map(_told, found)))
    servers = [match for match in found if not match.fingerprint.is_proxy]
    if not servers:
        names = " and ".join(dict.fromkeys(match.fingerprint.product for match in found))
        told = f"{names} answers, which is a proxy; nothing identifies the mail server behind it"
        yield from (Unsettled(key, told) for key in _PRODUCT)
        return
    if all(match.fingerprint.reads in _LISTS for match in servers) and (
        other := next(filter(None, map(named_in_greeting, greetings)), None)
    ):
        told = f"its list of capabilities is that of {servers[0].fingerprint.product}, but its greeting names {other!r}, which is not a known product"
        yield from (Unsettled(key, told) for key in _PRODUCT)
        return
    yield from _agreed(_less_contradicted_lists(servers))


def _told(match: Match) -> str:
    mark = match.fingerprint
    return f"{mark.reads}: {mark.product} {match.version or ''}".rstrip() + (" (proxy)" if mark.is_proxy else "")


def _less_contradicted_lists(servers: list[Match]) -> list[Match]:
    """The marks, without those of a list that a greeting contradicts by naming a product."""
    named = [match.fingerprint for match in servers if match.says_its_name]
    return [
        match
        for match in servers
        if match.fingerprint.reads not in _LISTS or all(_more_specific(match.fingerprint, greeting) is not None for greeting in named)
    ]


def _agreed(found: list[Match]) -> Iterator[Conclusion | Unsettled]:
    best = found[0].fingerprint
    for match in found[1:]:
        other = match.fingerprint
        agreed = _more_specific(best, other)
        if agreed is None:
            told = f"its answers identify different products: {best.product} and {other.product}"
            yield from (Unsettled(key, told, conflicts=True) for key in _PRODUCT)
            return
        best = agreed
    yield v.SERVER_VENDOR, best.vendor
    yield v.SERVER_PRODUCT, best.product
    yield _version({m.version for m in found if m.fingerprint.product == best.product and m.version is not None})


def _more_specific(one: Fingerprint, other: Fingerprint) -> Fingerprint | None:
    """The more specific of two marks that agree; None where they contradict each other."""
    for front, behind in ((one, other), (other, one)):
        if any(v.SERVER_PRODUCT.reconcile(whole, behind.product) == behind.product for whole in front.fronts):
            return behind
    product = v.SERVER_PRODUCT.reconcile(one.product, other.product)
    if product is None:
        return None
    return one if product == one.product else other


def _version(versions: set[str]) -> Conclusion | Unsettled:
    if not versions:
        return Unsettled(v.SERVER_VERSION, "the server names no version")
    longest = max(versions, key=len)
    if all(longest.startswith(version) for version in versions):
        return v.SERVER_VERSION, longest
    return Unsettled(v.SERVER_VERSION, f"the server names different versions: {', '.join(sorted(versions))}", conflicts=True)


_PRODUCT = (v.SERVER_VENDOR, v.SERVER_PRODUCT, v.SERVER_VERSION)


def _nothing(because: str, *, is_moot: bool = False) -> Iterator[Unsettled]:
    return (Unsettled(key, because, is_moot) for key in (v.SERVER_MARKS, *_PRODUCT))


INFERENCE = Inference(
    id="greeting-product",
    title="Which mail server answers, by its greeting, capabilities, replies to EHLO, HELP and QUIT, IMAP ID, and certificate",
    scope=InferenceScope.ENDPOINT,
    needs=(
        v.ENDPOINT_SERVICE,
        v.PROTOCOL_GREETING,
        v.PROTOCOL_CAPABILITIES,
        v.PROTOCOL_CAPABILITIES_PLAIN,
        v.SMTP_EHLO_NAME,
        v.SMTP_HELP,
        v.PROTOCOL_FAREWELL,
        v.IMAP_ID,
        v.CERTIFICATE_NAMES,
    ),
    gives=(v.SERVER_MARKS, *_PRODUCT),
    infer=_infer,
)
