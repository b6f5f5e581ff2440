"""A server that lists less under TLS than before it."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import ask
from probe.model.rules import By, Otherwise, Reference, Rule
from probe.rules import BEGINNING_IN_CLEAR, SERVED, each_in_clear, of_endpoints, rfc, uses_in_clear

RULE = Rule(
    id="capabilities-withdrawn-under-tls",
    title="Capabilities withdrawn under TLS",
    statement="Every mail server that is used lists under TLS all the capabilities that it lists before TLS.",
    references=(
        Reference("NO STARTTLS: a security analysis of STARTTLS in the email context", "https://nostarttls.secvuln.info", "2021-08"),
        rfc(3207, "SMTP Service Extension for Secure SMTP over Transport Layer Security, section 4.2", "2002-02"),
    ),
    needs=SERVED | BEGINNING_IN_CLEAR | of_endpoints(v.STARTTLS_WITHDRAWN),
    by=By.READINESS,
    lists=False,
    applies=uses_in_clear(),
    holds=each_in_clear(lambda endpoint: ask(endpoint, v.STARTTLS_WITHDRAWN, lambda withdrawn: not withdrawn)),
    otherwise=Otherwise.ADVICE,
    remedy=(
        "Find out why the lists differ: different programs may answer before TLS and under it, or somebody on the way may add to the unencrypted list."
    ),
)
