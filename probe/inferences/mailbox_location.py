"""Where a mailbox lives: on premises, in Exchange Online, or elsewhere, by where its inbox was opened.

Where it was not opened, or what answered is not known, Autodiscover's word counts: a URL at one of Exchange Online's hosts is Exchange
Online, one elsewhere is a server on premises. That Exchange Online sends somebody on to itself tells nothing: it does so for addresses
that it does not know. An outgoing endpoint tells nothing either: mail may be sent through another system than the one that keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from probe.model import vocabulary as v
from probe.model.estate import Location, Service
from probe.model.facts import Facts
from probe.model.inferences import Conclusion, Inference, Premises, Scope, Unsettled
from probe.tables import EXCHANGE_ONLINE, UNTOLD_EXCHANGE, exchange_servers, is_exchange_online_host

_UNTOLD = "Autodiscover does not tell; say where the mailbox lives in the estate (`location`)"


# Domains that Microsoft gives to tenants, in the international cloud and the national ones.
_TENANT_DOMAINS = (".onmicrosoft.com", ".onmicrosoft.us", ".partner.onmschina.cn")


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    (case,) = premises.cases
    by_inbox = _by_inbox(case.incoming, premises.facts)
    if isinstance(by_inbox, Unsettled) and case.incoming.value(v.ENDPOINT_SERVICE) == Service.EWS:
        yield _by_autodiscover(case.incoming, premises.facts) or by_inbox
    else:
        yield by_inbox


def _by_inbox(incoming: Facts, mailbox: Facts) -> Conclusion | Unsettled:
    product = incoming.value(v.SERVER_PRODUCT)
    if not _was_opened(incoming):
        return Unsettled(v.MAILBOX_LOCATION, f"its inbox was not opened; {_UNTOLD}")
    if product in exchange_servers():
        return v.MAILBOX_LOCATION, Location.ON_PREMISES
    if product == EXCHANGE_ONLINE:
        return _at_microsoft(incoming, mailbox)
    if product in (None, *UNTOLD_EXCHANGE) or incoming.value(v.ENDPOINT_SERVICE) == Service.EWS:
        return Unsettled(v.MAILBOX_LOCATION, f"its inbox was opened, but what answered is not known; {_UNTOLD}")
    return v.MAILBOX_LOCATION, Location.ELSEWHERE


def _by_autodiscover(incoming: Facts, mailbox: Facts) -> Conclusion | None:
    if (incoming.value(v.SERVER_PRODUCT) or "") not in (*UNTOLD_EXCHANGE, EXCHANGE_ONLINE, *exchange_servers()):
        return None  # groupware that imitates Exchange answers Autodiscover too, for itself
    action, target = incoming.value(v.AUTODISCOVER_ACTION), incoming.value(v.AUTODISCOVER_TARGET) or ""
    if action in ("redirect-address", "redirect-url"):
        return _by_redirect(target)
    if action == "settings" and (found := _by_settings(incoming, target)) is not None:
        return found
    url, redirects = mailbox.value(v.AUTODISCOVER_URL), mailbox.value(v.AUTODISCOVER_REDIRECTS)
    host = urlsplit(url).hostname if url is not None else None
    if host is None or redirects is None:
        return None
    if not is_exchange_online_host(host):
        return v.MAILBOX_LOCATION, Location.ON_PREMISES
    return None if redirects else (v.MAILBOX_LOCATION, Location.EXCHANGE_ONLINE)


def _was_opened(incoming: Facts) -> bool:
    """Whether the account was let in to the mailbox itself."""
    service = incoming.value(v.ENDPOINT_SERVICE)
    if service == Service.EWS:
        return incoming.value(v.EWS_INBOX) == "found"
    return service in (Service.POP3, Service.IMAP) and incoming.value(v.AUTH_ACCEPTED) is True


def _by_redirect(target: str) -> Conclusion | None:
    """A signed-in redirect is about a mailbox that exists: to a tenant's own domain or to Exchange Online's host, or to somebody else's server."""
    host = urlsplit(target).hostname if "://" in target else target.rpartition("@")[2].lower()
    if not host:
        return None
    if "://" in target:
        return v.MAILBOX_LOCATION, Location.EXCHANGE_ONLINE if is_exchange_online_host(host) else Location.ON_PREMISES
    return (v.MAILBOX_LOCATION, Location.EXCHANGE_ONLINE) if host.endswith(_TENANT_DOMAINS) else None


def _by_settings(incoming: Facts, target: str) -> Conclusion | None:
    """Settings name the EWS of a mailbox that the endpoint does not know; that Exchange Online names itself then is a contradiction."""
    host = urlsplit(target).hostname if target.lower().startswith("https://") else None
    if host is None:
        return None
    if not is_exchange_online_host(host):
        return v.MAILBOX_LOCATION, Location.ON_PREMISES
    return None if incoming.value(v.SERVER_PRODUCT) == EXCHANGE_ONLINE else (v.MAILBOX_LOCATION, Location.EXCHANGE_ONLINE)


def _at_microsoft(incoming: Facts, mailbox: Facts) -> Conclusion | Unsettled:
    """Exchange Online's POP3 front serves consumers too, who are not in Exchange Online."""
    if incoming.value(v.ENDPOINT_SERVICE) == Service.EWS:
        return v.MAILBOX_LOCATION, Location.EXCHANGE_ONLINE
    provider = mailbox.value(v.PROVIDER)
    if provider is None:
        return Unsettled(v.MAILBOX_LOCATION, f"Microsoft's servers keep it, but for whom is not known; {_UNTOLD}")
    return v.MAILBOX_LOCATION, Location.EXCHANGE_ONLINE if provider == "exchange-online" else Location.ELSEWHERE


INFERENCE = Inference(
    id="mailbox-location",
    title="Where the mailbox lives, by where its inbox was opened, else by what Autodiscover says",
    scope=Scope.MAILBOX,
    needs=(
        v.ENDPOINT_SERVICE,
        v.SERVER_PRODUCT,
        v.EWS_INBOX,
        v.AUTH_ACCEPTED,
        v.PROVIDER,
        v.AUTODISCOVER_URL,
        v.AUTODISCOVER_REDIRECTS,
        v.AUTODISCOVER_ACTION,
        v.AUTODISCOVER_TARGET,
    ),
    gives=(v.MAILBOX_LOCATION,),
    infer=_infer,
)
