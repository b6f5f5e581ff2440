"""Which mail server answers, by the marks in its greeting, its list of capabilities, its replies to EHLO, HELP and QUIT, its IMAP ID, and the
names in its certificate.

Every mark that is found must agree with the others; a mark that names a family gives way to one that names a
member. What disagrees is told, and nothing is concluded: a product named wrongly is worse than one not named.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import vocabulary as v
from probe.model.estate import Service
from probe.model.facts import Facts
from probe.model.inferences import Conclusion, Inference, Premises, Scope, Unsettled
from probe.tables.marks import Fingerprint, Match, matches

_MAIL = (Service.POP3, Service.SMTP, Service.IMAP)


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    facts = premises.facts
    service = facts.value(v.ENDPOINT_SERVICE)
    if service not in _MAIL:
        return _nothing("the endpoint is no POP3, SMTP or IMAP server", is_moot=True)
    texts = list(_texts(Service(service), facts))
    if not texts:
        return _nothing("neither a greeting nor a list of capabilities was heard, nor a certificate seen")
    found = [match for reads, text in texts for match in matches(Service(service), reads, text)]
    return _conclude(found)


def _texts(service: Service, facts: Facts) -> Iterator[tuple[str, str]]:
    """What was said, each with what it is; of several servers behind one name, what each said."""
    for greeting in facts.claimed(v.PROTOCOL_GREETING):
        yield "greeting", greeting
    lists = [lines for key in (v.PROTOCOL_CAPABILITIES, v.PROTOCOL_CAPABILITIES_PLAIN) for lines in facts.claimed(key)]
    if service is Service.SMTP:
        firsts = facts.claimed(v.SMTP_EHLO_NAME)
        for lines in lists or ([()] if firsts else []):
            for first in firsts or ("",):
                yield "ehlo", "\n".join((first, *lines))
    else:
        for lines in lists:
            yield "capabilities", (" " if service is Service.IMAP else "\n").join(lines)
    for reads, key in (("help", v.SMTP_HELP), ("farewell", v.PROTOCOL_FAREWELL)):
        for said in facts.claimed(key):
            yield reads, said
    for names in facts.claimed(v.CERTIFICATE_NAMES):
        yield "certificate", "\n".join(names).lower()
    for fields in facts.claimed(v.IMAP_ID):
        if fields:
            yield "id", f"({' '.join(map(_as_sent, fields))})"


def _as_sent(field: str) -> str:
    """A field of an ID as it stood on the wire."""
    name, has_value, value = (part.replace("\\", "\\\\").replace('"', '\\"') for part in field.partition("="))
    return f'"{name}" "{value}"' if has_value else f'"{name}" NIL'


def _conclude(found: list[Match]) -> Iterator[Conclusion | Unsettled]:
    if not found:
        yield from _nothing("nothing that the server said is the mark of a known product")
        return
    yield v.SERVER_MARKS, tuple(dict.fromkeys(f"{m.fingerprint.reads}: {m.fingerprint.product} {m.version or ''}".rstrip() for m in found))
    best = found[0].fingerprint
    for match in found[1:]:
        other = match.fingerprint
        agreed = _more_specific(best, other)
        if agreed is None:
            told = f"its words are the marks of different products: {best.product} and {other.product}"
            yield from (Unsettled(key, told, conflicts=True) for key in _PRODUCT)
            return
        best = agreed
    yield v.SERVER_VENDOR, best.vendor
    yield v.SERVER_PRODUCT, best.product
    yield _version({m.version for m in found if m.fingerprint.product == best.product and m.version is not None})


def _more_specific(one: Fingerprint, other: Fingerprint) -> Fingerprint | None:
    """The mark that tells more of two that agree, None where they disagree."""
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
    scope=Scope.ENDPOINT,
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
