"""An endpoint that begins in clear and does not come to TLS: STLS or STARTTLS is not offered, or is refused."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import ask
from probe.model.rules import By, Otherwise, Rule
from probe.rules import BEGINNING_IN_CLEAR, PROFILES, SERVED, each_in_clear, of_endpoints, rfc, uses_in_clear

RULE = Rule(
    id="no-tls-offered",
    title="No TLS offered",
    statement="Every endpoint that begins without TLS offers an upgrade to TLS (STLS or STARTTLS) and completes it.",
    references=(
        rfc(8314, "Cleartext Considered Obsolete: Use of TLS for Email Submission and Access", "2018-01"),
        rfc(2595, "Using TLS with IMAP, POP3 and ACAP", "1999-06"),
        rfc(3207, "SMTP Service Extension for Secure SMTP over Transport Layer Security", "2002-02"),
    ),
    needs=SERVED | BEGINNING_IN_CLEAR | of_endpoints(v.TLS_MODE),
    by=By.READINESS,
    lists=False,
    applies=uses_in_clear(),
    holds=each_in_clear(lambda endpoint: ask(endpoint, v.TLS_MODE, lambda mode: mode != "none")),
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Enable STLS or STARTTLS on HOST, and set Use SSL for Incoming Connection or Use SSL for Outgoing Connection of the profile "
        f"({PROFILES}) to Yes. For outgoing mail that is port 587; for POP3, port 995 has implicit TLS. It is not confirmed that Dynamics on-premises can use implicit TLS on port 465.\n"
        "At Dovecot: `ssl = required` in its configuration.\n"
        "At Postfix: `smtpd_tls_security_level = may` with a certificate in its configuration."
    ),
)
