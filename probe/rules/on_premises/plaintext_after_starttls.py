"""A server that goes on in clear after it agreed to TLS, or somebody on the way who does."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import ask
from probe.model.rules import By, Otherwise, Reference, Rule
from probe.rules import BEGINNING_IN_CLEAR, SERVED, each_in_clear, of_endpoints, rfc, uses_in_clear

RULE = Rule(
    id="plaintext-after-starttls",
    title="Unencrypted data after STARTTLS",
    statement="No mail server that is used sends unencrypted data after it has agreed to TLS.",
    references=(
        Reference("NO STARTTLS: a security analysis of STARTTLS in the email context", "https://nostarttls.secvuln.info", "2021-08"),
        rfc(2595, "Using TLS with IMAP, POP3 and ACAP, section 4", "1999-06"),
    ),
    needs=SERVED | BEGINNING_IN_CLEAR | of_endpoints(v.STARTTLS_EXTRA_BYTES),
    by=By.READINESS,
    lists=False,
    applies=uses_in_clear(),
    holds=each_in_clear(lambda endpoint: ask(endpoint, v.STARTTLS_EXTRA_BYTES, lambda extra: not extra)),
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Use the port with implicit TLS, and find out who inserts data into the connection: somebody between here and HOST, or a faulty server or proxy. "
        "Compare `starttls.extra_bytes` with what the server sends when asked on its own network: `probe look --tls none ENDPOINT`"
    ),
)
