"""An IMAP server that takes everybody for signed in before TLS, so that TLS is out of reach."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import ask
from probe.model.estate import Service
from probe.model.rules import By, Otherwise, Reference, Rule
from probe.rules import BEGINNING_IN_CLEAR, SERVED, SPEAKING, each_in_clear, of_endpoints, rfc, uses_in_clear

RULE = Rule(
    id="imap-preauth-before-tls",
    title="Signed in before TLS",
    statement="No IMAP server that is used greets with PREAUTH on a connection that begins without TLS.",
    references=(
        rfc(9051, "Internet Message Access Protocol, section 7.1.4 (PREAUTH)", "2021-08"),
        Reference("NO STARTTLS: a security analysis of STARTTLS in the email context", "https://nostarttls.secvuln.info", "2021-08"),
    ),
    needs=SERVED | SPEAKING | BEGINNING_IN_CLEAR | of_endpoints(v.IMAP_PREAUTH),
    by=By.READINESS,
    lists=False,
    applies=uses_in_clear(Service.IMAP),
    holds=each_in_clear(lambda endpoint: ask(endpoint, v.IMAP_PREAUTH, lambda preauth: not preauth), Service.IMAP),
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Have the server greet with OK, and use the port with implicit TLS. If it does greet with OK, somebody on the way may have inserted PREAUTH."
    ),
)
