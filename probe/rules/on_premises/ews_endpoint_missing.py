"""A web server answers, but serves no EWS at the address of the profile.

Answers that may pass (5xx), or that come from something in front of Exchange (redirects, 403), decide nothing. Nor
does a 401 alone: many a web server asks for a password at whatever address, so Exchange must have shown itself too, or
EWS must have answered somebody who signed in.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, Truth, all_of, any_of, ask
from probe.model.estate import Service
from probe.model.facts import Facts
from probe.model.rules import By, Case, Otherwise, Rule
from probe.rules import (
    LOGGING_IN,
    PROFILES,
    SERVED,
    SPEAKING,
    SettingsKeys,
    admin_page,
    every_endpoint,
    logs_in,
    of_endpoints,
    rfc,
    told,
    uses,
)

# RFC 9110 section 15.5: not found, method not allowed, gone. EWS takes POST wherever it is.
_ABSENT = frozenset({404, 405, 410})


def _holds(case: Case) -> Answer:
    def is_there(endpoint: Facts, keys: SettingsKeys) -> Answer:
        is_exchange = told(endpoint, v.SERVER_PRODUCT, lambda product: Truth.YES if product.startswith("Exchange") else Truth.UNKNOWN)
        has_answered = all_of(logs_in(case, keys), ask(endpoint, v.EWS_INBOX, lambda _: True))
        return all_of(told(endpoint, v.HTTP_STATUS, _verdict), any_of(is_exchange, has_answered))

    return every_endpoint(case, is_there, Service.EWS)


def _verdict(status: int) -> Truth:
    if status in _ABSENT:
        return Truth.NO
    return Truth.YES if status == 401 else Truth.UNKNOWN


RULE = Rule(
    id="ews-endpoint-missing",
    title="No EWS at this address",
    statement="At the address of every EWS endpoint that is used Exchange answers, and asks who calls.",
    references=(
        admin_page("Connect to Exchange Server (on-premises)", "connect-on-prem-exchange-server-on-prem"),
        rfc(9110, "HTTP Semantics, section 15.5 (client error 4xx)", "2022-06"),
    ),
    needs=SERVED | SPEAKING | LOGGING_IN | of_endpoints(v.HTTP_STATUS, v.SERVER_PRODUCT, v.EWS_INBOX),
    by=By.READINESS,
    lists=False,
    applies=uses(Service.EWS),
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Find out at what address Exchange serves EWS, on Exchange: `Get-WebServicesVirtualDirectory | Format-List Server,InternalUrl,ExternalUrl` "
        f"Write it, usually https://HOST/EWS/Exchange.asmx, as incoming and outgoing server location of the profile ({PROFILES})."
    ),
)
