"""A server that lists less under TLS than before it."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, ask
from probe.model.rules import By, Case, Otherwise, Reference, Rule
from probe.rules import any_served, every_served, in_clear_first, needs_of_served, rfc


def _applies(case: Case) -> Answer:
    return any_served(in_clear_first(case))


def _holds(case: Case) -> Answer:
    return every_served(in_clear_first(case), lambda endpoint: ask(endpoint, v.STARTTLS_WITHDRAWN, lambda withdrawn: not withdrawn))


RULE = Rule(
    id="capabilities-withdrawn-under-tls",
    title="Capabilities withdrawn under TLS",
    statement="What a mail server that is used lists before TLS it lists under TLS too.",
    references=(
        Reference("NO STARTTLS: a security analysis of STARTTLS in the email context", "https://nostarttls.secvuln.info", "2021-08"),
        rfc(3207, "SMTP Service Extension for Secure SMTP over Transport Layer Security, section 4.2", "2002-02"),
    ),
    needs=needs_of_served(v.ENDPOINT_SECURITY, v.STARTTLS_WITHDRAWN),
    by=By.READINESS,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.ADVICE,
    remedy=(
        "Find out why the lists differ: two programs may answer before TLS and under it, or somebody on the way may add to the words in clear."
    ),
)
