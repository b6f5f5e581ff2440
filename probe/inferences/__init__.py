"""One file, facts in, facts out, one INFERENCE. This file has what several of them share."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.estate import Service
from probe.model.facts import Facts
from probe.model.rules import Case


def where_opened(case: Case) -> Facts | None:
    """The endpoint of the mailbox's profile at which a sign-in opened its inbox: the incoming one, or an EWS endpoint that it sends through."""
    for endpoint, services in ((case.incoming, (Service.EWS, Service.POP3, Service.IMAP)), (case.outgoing, (Service.EWS,))):
        service = endpoint.value(v.ENDPOINT_SERVICE)
        is_open = endpoint.value(v.EWS_INBOX) == "found" if service == Service.EWS else endpoint.value(v.AUTH_ACCEPTED) is True
        if service in services and is_open:
            return endpoint
    return None
