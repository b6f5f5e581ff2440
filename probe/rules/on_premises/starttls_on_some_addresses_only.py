"""A name of which some addresses offer the upgrade to TLS, and others do not."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import ask
from probe.model.rules import By, Otherwise, Reference, Rule
from probe.rules import BEGINNING_IN_CLEAR, SERVED, each_in_clear, of_endpoints, uses_in_clear

RULE = Rule(
    id="starttls-on-some-addresses-only",
    title="TLS at some addresses only",
    statement="STLS or STARTTLS is offered at every address of a mail server that is used, or at none.",
    references=(
        Reference("NO STARTTLS: a security analysis of STARTTLS in the email context", "https://nostarttls.secvuln.info", "2021-08"),
    ),
    needs=SERVED | BEGINNING_IN_CLEAR | of_endpoints(v.STARTTLS_DIFFERS),
    by=By.READINESS,
    lists=False,
    applies=uses_in_clear(),
    holds=each_in_clear(lambda endpoint: ask(endpoint, v.STARTTLS_DIFFERS, lambda differs: not differs)),
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Set up TLS at the addresses that lack it, or find out what removes STARTTLS from their replies. This lists them: `probe look --all-addresses ENDPOINT`"
    ),
)
