"""Extended Protection of an Exchange before which a proxy ends TLS.

A sign-in by NTLM or Negotiate is bound to the certificate that the client sees. Where a proxy shows another than Exchange's, Exchange refuses
the right password, in the words with which it refuses a wrong one: it can be suspected, and never told from that.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, Truth, any_of
from probe.model.estate import Service
from probe.model.facts import Facts
from probe.model.rules import By, Otherwise, Reference, Rule
from probe.rules import LOGGING_IN, READ_ON, SERVED, SPEAKING, each_login, of_endpoints, opens_an_inbox, told
from probe.tables.exchange_marks import is_windows_server


def _is_free_of_suspicion(endpoint: Facts) -> Answer:
    return any_of(
        told(endpoint, v.AUTH_REFUSAL, lambda causes: Truth.NO if len(causes) > 1 else Truth.YES),
        told(endpoint, v.AUTH_SCHEMES, lambda schemes: Truth.NO if v.WINDOWS_SCHEMES & {s.lower() for s in schemes} else Truth.YES),
        # A proxy may pass on the name of the server behind it.
        told(endpoint, v.HTTP_SERVER, lambda name: Truth.UNKNOWN if is_windows_server(name) else Truth.NO),
    )


RULE = Rule(
    id="extended-protection-behind-a-proxy",
    title="Extended Protection behind a proxy",
    statement="No sign-in is refused without a reason at an Exchange before which something else ends TLS.",
    references=(
        Reference(
            "Exchange Server Support for Windows Extended Protection",
            "https://github.com/microsoft/CSS-Exchange/blob/main/docs/Security/Extended-Protection.md",
            READ_ON,
        ),
    ),
    needs=SERVED | SPEAKING | LOGGING_IN | of_endpoints(v.AUTH_REFUSAL, v.AUTH_SCHEMES, v.HTTP_SERVER),
    by=By.READINESS,
    lists=False,
    applies=opens_an_inbox,
    holds=each_login(_is_free_of_suspicion, Service.EWS),
    otherwise=Otherwise.ADVICE,
    remedy=(
        "See first that user name and password are right. If they are, look at Extended Protection of Exchange's EWS directories: "
        "`Get-WebServicesVirtualDirectory | Format-List Server,ExtendedProtection*` "
        "Where ExtendedProtectionTokenChecking is Allow or Require, the proxy must show the very certificate that Exchange has (SSL bridging), or pass TLS through; "
        "SSL offloading does not go with it. Or point the profile at Exchange itself."
    ),
)
