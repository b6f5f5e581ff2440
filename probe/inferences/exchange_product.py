"""Which Exchange answers at an EWS endpoint: by its build, its host name and its headers.

The host name decides what is Exchange Online before any build does, because Exchange Online has used builds of
on-premises releases. A product that imitates Exchange, or may, is not called Exchange: it gets its own name where that shows, else the doubt is reported. Where SOAP
alone shows a released build, as behind a proxy that removes headers, it is called Exchange without a year, and the reason for the missing version says what would settle it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from probe.model import vocabulary as v
from probe.model.estate import Service
from probe.model.facts import Facts
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled
from probe.model.kinds import Build, Challenge
from probe.tables.exchange import EXCHANGE_ONLINE, exchange_build, exchange_builds
from probe.tables.exchange_marks import (
    SHAREPOINT,
    exchange_online_headers,
    exchange_online_targets,
    groupware_in,
    groupware_of_realm,
    is_sharepoint,
    is_windows_server,
    never_exchange,
    oldest_iis,
    product_of_activesync,
)
from probe.tables.hosts import is_exchange_online_host, told_by_host

_UNTOLD = "Exchange"

# Exchange Online used builds of 2013 and 2016 before 15.20.
_ONCE_ONLINE = ((15, 0), (15, 1))

# What an EWS endpoint of Exchange shows besides a build: IIS, the schemes of Windows, or the application id that tokens for Exchange name.
_EXCHANGE_APPLICATION = "00000002-0000-0ff1-ce00-000000000000"
_ISSUER_21VIANET = "00000001-0002-0000-c000-000000000000@"  # as written there, without an asterisk
_TELLING_MARKS = frozenset({"export-tool", "mapi-page"})
_TELLING_HEADERS = frozenset({"x-feserver", "x-beserver", "x-calculatedbetarget", "x-calculatedfetarget", "x-targetbeserver", "x-diaginfo"})

_IIS = re.compile(r"microsoft-iis/(\d{1,2})\.(\d)\b")

_SETTLED_BY = (
    "and nothing else at the endpoint confirms Exchange: a proxy may remove its headers, or another product may imitate it. To settle it, look at the "
    "server directly, without the proxy, or have the proxy pass the header X-FEServer"
)


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    facts = premises.facts
    service = facts.value(v.ENDPOINT_SERVICE)
    if service != Service.EWS:
        return _nothing("the endpoint is not an EWS endpoint", is_moot=True)
    if (other := _other_product(facts)) is not None:
        return _other(other)
    product, doubt = _product(facts)
    if product is None:
        return _nothing(doubt)
    return _exchange(facts, product)


def _other_product(facts: Facts) -> str | None:
    """The product, where it is known not to be Exchange and shows its name."""
    if is_exchange_online_host(facts.value(v.ENDPOINT_HOST) or ""):
        return None
    if (imitator := _by_realm(facts)) is not None:
        return imitator
    headers = facts.value(v.EWS_HEADERS)
    if headers is not None and is_sharepoint(headers):
        return SHAREPOINT
    return groupware_in(facts.value(v.HTTP_SERVER) or "")


def _product(facts: Facts) -> tuple[str | None, str]:
    """The product, or None and the doubt."""
    host = facts.value(v.ENDPOINT_HOST)
    if host is not None and is_exchange_online_host(host):
        return EXCHANGE_ONLINE, ""
    builds = facts.claimed(v.SERVER_BUILD)
    shows_online = _shows_online(facts)
    server = (facts.value(v.HTTP_SERVER) or "").lower()
    if (other := never_exchange(server)) is not None:
        return None, f"the server calls itself {server[:60]!r}, and {other} is not Exchange"
    if facts.value(v.HTTP_STATUS) == 200 and "soap" not in (facts.value(v.EWS_MARKS) or ()):
        # Honeypots, the front ends of malware and log-on pages of proxies do so; EWS always asks for a sign-in, and answers in SOAP.
        return None, "the EWS request was answered with HTTP 200 and no SOAP, without a sign-in, which no Exchange does"
    if builds:
        product, doubt = _product_of(builds, shows_online)
        if product == EXCHANGE_ONLINE and not shows_online and "soap" not in (facts.value(v.EWS_MARKS) or ()):
            return None, f"build {builds[0]} is that of {product}, but neither the host nor a header is"
        if product is not None and not shows_online and not _is_borne_out(facts, product):
            if _speaks_for_itself(facts, builds):
                return _UNTOLD, ""
            return None, f"build {builds[0]} is that of {product}, but nothing else at the endpoint confirms Exchange"
        return product, doubt
    if shows_online:
        return EXCHANGE_ONLINE, ""
    marks = facts.value(v.EWS_MARKS)
    if marks:
        return product_of_activesync(facts.value(v.ACTIVESYNC_VERSION) or "") or _UNTOLD, ""
    if marks is None:
        return None, "there was no answer that could show Exchange"
    return None, "nothing in its answers shows that it is Exchange"


def _product_of(builds: tuple[Build, ...], shows_online: bool) -> tuple[str | None, str]:
    """The product that all builds agree on, or that it is Exchange."""
    products: list[str] = []
    for build in builds:
        place = exchange_build(build)
        if place.product is None and shows_online and build.parts[:2] in _ONCE_ONLINE:
            products.append(EXCHANGE_ONLINE)
            continue
        if place.product is None:
            return None, f"{place.doubt}: it may be the build of a hosted service, or of a product that imitates Exchange"
        if shows_online and place.product != EXCHANGE_ONLINE:
            return None, f"build {build} is that of {place.product}, but the headers are those of {EXCHANGE_ONLINE}"
        products.append(place.product)
    return (products[0] if len(set(products)) == 1 else _UNTOLD), ""


def _speaks_for_itself(facts: Facts, builds: tuple[Build, ...]) -> bool:
    """Whether SOAP showed released builds, as Exchange does after a sign-in, even through a proxy that hides everything else."""
    released = {known.build.parts[:3] for known in exchange_builds()}
    return "soap" in (facts.value(v.EWS_MARKS) or ()) and all(build.parts[:3] in released for build in builds)


def _is_borne_out(facts: Facts, product: str) -> bool:
    """Whether something besides the build confirms Exchange; one forged header or one copied page is not enough."""
    if _is_on_windows(facts, product):
        return True
    if any(scheme.lower() in v.WINDOWS_SCHEMES for scheme in facts.value(v.AUTH_SCHEMES) or ()):
        return True
    if any(mark in _TELLING_MARKS for mark in facts.value(v.EWS_MARKS) or ()):
        return True
    if any(header.partition(":")[0].strip().lower() in _TELLING_HEADERS for header in facts.value(v.EWS_HEADERS) or ()):
        return True
    challenges = (*(facts.value(v.EWS_CHALLENGES) or ()), *(facts.value(v.EWS_BEARER_CHALLENGES) or ()))
    return any(_is_for_exchange(c) for c in challenges)


def _is_on_windows(facts: Facts, product: str) -> bool:
    """Whether the Server header is that of IIS, in a version that the product runs on."""
    server = (facts.value(v.HTTP_SERVER) or "").lower()
    iis = _IIS.match(server)
    oldest = oldest_iis(product)
    if iis is not None and oldest is not None:
        return (int(iis[1]), int(iis[2])) >= oldest
    return is_windows_server(server)


def _is_for_exchange(challenge: Challenge) -> bool:
    """Whether a challenge asks for tokens for Exchange."""
    return any(name.lower() == "client_id" and value == _EXCHANGE_APPLICATION for name, value in challenge.parameters)


def _by_realm(facts: Facts) -> str | None:
    """The product that imitates Exchange, by the realm of a challenge."""
    realms = (value for c in facts.value(v.EWS_CHALLENGES) or () for name, value in c.parameters if name.lower() == "realm")
    return next(filter(None, map(groupware_of_realm, realms)), None)


def _shows_online(facts: Facts) -> bool:
    """Whether headers or challenges are those of Exchange Online."""
    if facts.value(v.EWS_POLICY_BLOCK) is not None:
        return True
    for header in facts.value(v.EWS_HEADERS) or ():
        name, _, value = header.partition(":")
        if name.strip().lower() in exchange_online_headers():
            return True
        if name.strip().lower() in ("x-calculatedbetarget", "x-calculatedfetarget") and value.strip().lower().endswith(
            exchange_online_targets()
        ):
            return True
    # An on-premises server trusts the issuer of its own tenant. Exchange Online trusts those of all, and offers no scheme of Windows.
    challenges = facts.value(v.EWS_CHALLENGES) or ()
    if any(c.scheme.lower() in v.WINDOWS_SCHEMES for c in challenges):
        return False
    return any(
        name.lower() == "trusted_issuers" and (value.endswith("@*") or value == _ISSUER_21VIANET)
        for c in challenges
        if _is_for_exchange(c)
        for name, value in c.parameters
    )


def _other(product: str) -> Iterator[Conclusion | Unsettled]:
    """A product that is not Exchange; its builds are those of the Exchange that it imitates."""
    yield v.SERVER_PRODUCT, product
    for key in (v.SERVER_VENDOR, v.SERVER_PRODUCTS, v.SERVER_VERSION):
        yield Unsettled(key, f"{product} answers, which does not show its own version over EWS", is_moot=key is v.SERVER_PRODUCTS)


def _exchange(facts: Facts, product: str) -> Iterator[Conclusion | Unsettled]:
    yield v.SERVER_VENDOR, "Microsoft"
    yield v.SERVER_PRODUCT, product
    builds = facts.claimed(v.SERVER_BUILD)
    shown = tuple(dict.fromkeys(place.product for place in map(exchange_build, builds) if place.product is not None))
    if shown and product != EXCHANGE_ONLINE:
        yield v.SERVER_PRODUCTS, shown
    else:
        yield Unsettled(v.SERVER_PRODUCTS, f"{product} shows no build of a server", is_moot=product == EXCHANGE_ONLINE)
    if product == _UNTOLD and builds and len({_product_of((build,), shows_online=False)[0] for build in builds}) == 1:
        numbers = ", ".join(map(str, builds))
        yield Unsettled(v.SERVER_VERSION, f"build {numbers} was shown only in SOAP, {_SETTLED_BY}")
    elif len({build.parts[:3] for build in builds}) == 1:
        # Components of one Exchange, or servers with one name, may differ in the fourth number; then only three are known.
        yield v.SERVER_VERSION, str(builds[0] if len(builds) == 1 else Build(builds[0].parts[:3]))
    else:
        told = f"different builds were shown: {', '.join(map(str, builds))}" if builds else "the server does not show its build"
        yield Unsettled(v.SERVER_VERSION, told, conflicts=bool(builds))


def _nothing(because: str, *, is_moot: bool = False) -> Iterator[Unsettled]:
    return (Unsettled(key, because, is_moot) for key in (v.SERVER_VENDOR, v.SERVER_PRODUCT, v.SERVER_PRODUCTS, v.SERVER_VERSION))


INFERENCE = Inference(
    id="exchange-product",
    title="Which Exchange answers at an EWS endpoint, by its build, host and headers",
    scope=InferenceScope.ENDPOINT,
    needs=(
        v.ENDPOINT_SERVICE,
        v.ENDPOINT_HOST,
        v.SERVER_BUILD,
        v.EWS_MARKS,
        v.EWS_HEADERS,
        v.EWS_CHALLENGES,
        v.EWS_BEARER_CHALLENGES,
        v.EWS_POLICY_BLOCK,
        v.AUTH_SCHEMES,
        v.HTTP_SERVER,
        v.HTTP_STATUS,
        v.ACTIVESYNC_VERSION,
    ),
    gives=(v.SERVER_VENDOR, v.SERVER_PRODUCT, v.SERVER_PRODUCTS, v.SERVER_VERSION),
    infer=_infer,
    alike={v.ENDPOINT_HOST: told_by_host},
)
