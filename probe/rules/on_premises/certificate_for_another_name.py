"""A certificate that names other hosts than the one that was asked for."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import ask
from probe.model.rules import By, Otherwise, Rule
from probe.rules import EXCHANGE_CERTIFICATE, PROFILES, SERVED, each, of_endpoints, rfc, uses

RULE = Rule(
    id="certificate-for-another-name",
    title="Certificate for another name",
    statement="The certificate of every endpoint that is used names the host that the profile names.",
    references=(rfc(9525, "Service Identity in TLS", "2023-11"),),
    needs=SERVED | of_endpoints(v.CERTIFICATE_MATCHES_NAME),
    by=By.READINESS,
    lists=False,
    applies=uses(),
    holds=each(lambda endpoint: ask(endpoint, v.CERTIFICATE_MATCHES_NAME, bool)),
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "In the email server profile, replace the server location HOST by a name that the certificate carries (`certificate.names`), or have a "
        f"certificate issued for HOST. The profile stands under {PROFILES}.\n{EXCHANGE_CERTIFICATE}"
    ),
)
