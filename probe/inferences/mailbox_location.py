"""Where a mailbox lives, by Autodiscover: on premises or in Exchange Online.

A URL at a host of Exchange Online means Exchange Online, any other a server on premises. That Exchange Online refers to
itself proves nothing: it does so for addresses that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from probe.model import vocabulary as v
from probe.model.estate import Delivery, Location, Service
from probe.model.facts import Facts
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled
from probe.model.rules import Case
from probe.tables.exchange import EXCHANGE_ONLINE, UNTOLD_EXCHANGE, exchange_servers
from probe.tables.hosts import is_exchange_online_host, is_tenant_domain

_UNTOLD = "Autodiscover does not show it; state in the estate where the mailbox lives (`location`)"


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    (case,) = premises.cases
    asked = _asked(case)
    if asked.value(v.ENDPOINT_SERVICE) not in (None, str(Service.EWS)):
        yield Unsettled(v.MAILBOX_LOCATION, "Autodiscover is asked only about mailboxes that EWS serves", is_moot=True)
    else:
        yield _by_autodiscover(asked, premises.facts) or Unsettled(v.MAILBOX_LOCATION, _UNTOLD)


def _asked(case: Case) -> Facts:
    """The endpoint whose host is asked about the mailbox: the incoming one, or the outgoing one where it only sends."""
    collects = [case.mailbox.value(key) for key in (v.MAILBOX_INCOMING, v.MAILBOX_APPOINTMENTS)]
    return case.incoming if None in collects or Delivery.SERVER_SIDE in collects else case.outgoing


def _by_autodiscover(asked: Facts, mailbox: Facts) -> Conclusion | None:
    if (asked.value(v.SERVER_PRODUCT) or "") not in (*UNTOLD_EXCHANGE, EXCHANGE_ONLINE, *exchange_servers()):
        return None  # groupware that imitates Exchange also answers Autodiscover, for itself
    action, target = asked.value(v.AUTODISCOVER_ACTION), asked.value(v.AUTODISCOVER_TARGET) or ""
    if action in ("redirect-address", "redirect-url"):
        return _by_redirect(target)
    if action == "settings" and (found := _by_settings(asked, target)) is not None:
        return found
    url, redirects = mailbox.value(v.AUTODISCOVER_URL), mailbox.value(v.AUTODISCOVER_REDIRECTS)
    host = urlsplit(url).hostname if url is not None else None
    if host is None or redirects is None:
        return None
    if not is_exchange_online_host(host):
        return v.MAILBOX_LOCATION, Location.ON_PREMISES
    return None if redirects else (v.MAILBOX_LOCATION, Location.EXCHANGE_ONLINE)


def _by_redirect(target: str) -> Conclusion | None:
    """A redirect after a sign-in is about an existing mailbox: to a tenant's domain, to a host of Exchange Online, or to another server."""
    host = urlsplit(target).hostname if "://" in target else target.rpartition("@")[2].lower()
    if not host:
        return None
    if "://" in target:
        return v.MAILBOX_LOCATION, Location.EXCHANGE_ONLINE if is_exchange_online_host(host) else Location.ON_PREMISES
    return (v.MAILBOX_LOCATION, Location.EXCHANGE_ONLINE) if is_tenant_domain(host) else None


def _by_settings(asked: Facts, target: str) -> Conclusion | None:
    """Settings name the EWS of a mailbox that the endpoint does not know; it is a contradiction where Exchange Online then names itself."""
    host = urlsplit(target).hostname if target.lower().startswith("https://") else None
    if host is None:
        return None
    if not is_exchange_online_host(host):
        return v.MAILBOX_LOCATION, Location.ON_PREMISES
    return None if asked.value(v.SERVER_PRODUCT) == EXCHANGE_ONLINE else (v.MAILBOX_LOCATION, Location.EXCHANGE_ONLINE)


INFERENCE = Inference(
    id="mailbox-location",
    title="Where the mailbox lives, by what Autodiscover says",
    scope=InferenceScope.MAILBOX,
    needs=(
        v.ENDPOINT_SERVICE,
        v.SERVER_PRODUCT,
        v.MAILBOX_INCOMING,
        v.MAILBOX_APPOINTMENTS,
        v.AUTODISCOVER_URL,
        v.AUTODISCOVER_REDIRECTS,
        v.AUTODISCOVER_ACTION,
        v.AUTODISCOVER_TARGET,
    ),
    gives=(v.MAILBOX_LOCATION,),
    infer=_infer,
)
