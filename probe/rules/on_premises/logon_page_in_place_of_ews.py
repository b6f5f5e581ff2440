"""A log-on page in place of EWS: Outlook on the web's, or that of something before Exchange, such as AD FS or a gateway.

Dynamics' client is a program: it fills in no form, so that it gets no further than the page.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import ask
from probe.model.estate import Service
from probe.model.rules import By, Otherwise, Rule
from probe.rules import SERVED, SPEAKING, admin_page, each, of_endpoints, rfc, uses

RULE = Rule(
    id="logon-page-in-place-of-ews",
    title="A log-on page where EWS should be",
    statement="No EWS endpoint that is used leads a request to a web page with a sign-in form.",
    references=(
        admin_page("Connect to Exchange Server (on-premises)", "connect-on-prem-exchange-server-on-prem"),
        rfc(9110, "HTTP Semantics, section 15.4 (redirection 3xx)", "2022-06"),
    ),
    needs=SERVED | SPEAKING | of_endpoints(v.EWS_LOGON_PAGE),
    by=By.READINESS,
    lists=False,
    applies=uses(Service.EWS),
    holds=each(lambda endpoint: ask(endpoint, v.EWS_LOGON_PAGE, lambda page: not page), Service.EWS),
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "If the page is Outlook on the web's, correct the server location in the profile: it must be that of EWS, usually "
        "https://HOST/EWS/Exchange.asmx (on Exchange: `Get-WebServicesVirtualDirectory | fl InternalUrl,ExternalUrl`). If it is that of AD FS "
        "or of a proxy, publish /EWS/ there without preauthentication (pass-through), or point the profile at Exchange itself."
    ),
)
