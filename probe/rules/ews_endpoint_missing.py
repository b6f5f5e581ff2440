"""A web server answers, but serves no EWS at the address of the profile.

Answers that may pass (5xx), or that come from something in front of Exchange (redirects, 403), decide nothing.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, Truth
from probe.model.estate import Service
from probe.model.rules import Case, Otherwise, Rule
from probe.rules import admin_page, any_served, every_served, needs_of_served, rfc, served, told

# RFC 9110 section 15.5: not found, method not allowed, gone. EWS takes POST wherever it is.
_ABSENT = frozenset({404, 405, 410})


def _applies(case: Case) -> Answer:
    return any_served(served(case, Service.EWS))


def _holds(case: Case) -> Answer:
    return every_served(served(case, Service.EWS), lambda endpoint: told(endpoint, v.HTTP_STATUS, _verdict))


def _verdict(status: int) -> Truth:
    if status in _ABSENT:
        return Truth.NO
    return Truth.YES if status == 401 else Truth.UNKNOWN


RULE = Rule(
    id="ews-endpoint-missing",
    title="No EWS at this address",
    statement="The address of every EWS endpoint that is used is served, and asks who calls.",
    references=(
        admin_page("Connect to Exchange Server (on-premises)", "connect-on-prem-exchange-server-on-prem"),
        rfc(9110, "HTTP Semantics, section 15.5 (client error 4xx)", "2022-06"),
    ),
    needs=needs_of_served(v.ENDPOINT_SERVICE, v.HTTP_STATUS),
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Run `Get-WebServicesVirtualDirectory | fl InternalUrl,ExternalUrl` on Exchange and write that address, "
        "usually https://HOST/EWS/Exchange.asmx, as incoming and outgoing server location of the profile."
    ),
)
