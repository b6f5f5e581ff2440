"""Where a mailbox lives, by where a sign-in opened its inbox: at an Exchange Server, Exchange Online, or another system.

A login for sending proves nothing, because mail may be sent through another system than the one that keeps it; EWS opens the inbox even where
the profile only sends.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.inferences import where_opened
from probe.model import vocabulary as v
from probe.model.estate import Location, Service
from probe.model.facts import Facts
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled
from probe.tables.exchange import EXCHANGE_ONLINE, UNTOLD_EXCHANGE, exchange_servers

_SAY = "state in the estate where the mailbox lives (`location`)"


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    (case,) = premises.cases
    opened = where_opened(case)
    if opened is None:
        # Autodiscover is asked about a mailbox that EWS serves, and its result is the reason that counts.
        is_of_ews = case.incoming.value(v.ENDPOINT_SERVICE) == Service.EWS
        yield Unsettled(v.MAILBOX_LOCATION, f"its inbox was not opened; {_SAY}", is_moot=is_of_ews)
    else:
        yield _where(opened, premises.facts)


def _where(endpoint: Facts, mailbox: Facts) -> Conclusion | Unsettled:
    product = endpoint.value(v.SERVER_PRODUCT)
    if product in exchange_servers():
        return v.MAILBOX_LOCATION, Location.ON_PREMISES
    if product == EXCHANGE_ONLINE:
        return _at_microsoft(endpoint, mailbox)
    if product in (None, *UNTOLD_EXCHANGE) or endpoint.value(v.ENDPOINT_SERVICE) == Service.EWS:
        return Unsettled(v.MAILBOX_LOCATION, f"its inbox was opened, but the product that answered is not known; {_SAY}")
    return v.MAILBOX_LOCATION, Location.ELSEWHERE


def _at_microsoft(endpoint: Facts, mailbox: Facts) -> Conclusion | Unsettled:
    """The POP3 front end of Exchange Online also serves consumers, who are not in Exchange Online."""
    if endpoint.value(v.ENDPOINT_SERVICE) == Service.EWS:
        return v.MAILBOX_LOCATION, Location.EXCHANGE_ONLINE
    provider = mailbox.value(v.PROVIDER)
    if provider is None:
        return Unsettled(v.MAILBOX_LOCATION, f"it is on Microsoft's servers, but it is not known for which service; {_SAY}")
    return v.MAILBOX_LOCATION, Location.EXCHANGE_ONLINE if provider == "exchange-online" else Location.ELSEWHERE


INFERENCE = Inference(
    id=v.MAILBOX_OPENED,
    title="Where the mailbox lives, by where a sign-in opened its inbox",
    scope=InferenceScope.MAILBOX,
    needs=(v.ENDPOINT_SERVICE, v.SERVER_PRODUCT, v.EWS_INBOX, v.AUTH_ACCEPTED, v.PROVIDER),
    gives=(v.MAILBOX_LOCATION,),
    infer=_infer,
)
