"""Where a mailbox lives: on premises, in Exchange Online, or elsewhere, by where its inbox was opened.

Autodiscover, which would tell more, is not asked. An outgoing endpoint tells nothing: mail may be sent through
another system than the one that keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import vocabulary as v
from probe.model.estate import Location, Service
from probe.model.facts import Facts
from probe.model.inferences import Conclusion, Inference, Premises, Scope, Unsettled
from probe.tables import EXCHANGE_ONLINE, exchange_servers

_UNTOLD = "Autodiscover was not asked; say where the mailbox lives in the estate (`location`)"


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    (case,) = premises.cases
    incoming = case.incoming
    product = incoming.value(v.SERVER_PRODUCT)
    if not _was_opened(incoming):
        yield Unsettled(v.MAILBOX_LOCATION, f"its inbox was not opened; {_UNTOLD}")
    elif product in exchange_servers():
        yield v.MAILBOX_LOCATION, Location.ON_PREMISES
    elif product == EXCHANGE_ONLINE:
        yield _at_microsoft(incoming, premises.facts)
    elif product in (None, "Exchange") or incoming.value(v.ENDPOINT_SERVICE) == Service.EWS:
        yield Unsettled(v.MAILBOX_LOCATION, f"its inbox was opened, but what answered is not known; {_UNTOLD}")
    else:
        yield v.MAILBOX_LOCATION, Location.ELSEWHERE


def _was_opened(incoming: Facts) -> bool:
    """Whether the account was let in to the mailbox itself."""
    service = incoming.value(v.ENDPOINT_SERVICE)
    if service == Service.EWS:
        return incoming.value(v.EWS_INBOX) == "found"
    return service in (Service.POP3, Service.IMAP) and incoming.value(v.AUTH_ACCEPTED) is True


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
    title="Where the mailbox lives, by where its inbox was opened",
    scope=Scope.MAILBOX,
    needs=(v.ENDPOINT_SERVICE, v.SERVER_PRODUCT, v.EWS_INBOX, v.AUTH_ACCEPTED, v.PROVIDER),
    gives=(v.MAILBOX_LOCATION,),
    infer=_infer,
)
