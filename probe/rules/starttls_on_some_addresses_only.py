"""A name of which some addresses offer the upgrade to TLS, and others do not."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, ask
from probe.model.rules import By, Case, Otherwise, Reference, Rule
from probe.rules import any_served, every_served, in_clear_first, needs_of_served


def _applies(case: Case) -> Answer:
    return any_served(in_clear_first(case))


def _holds(case: Case) -> Answer:
    return every_served(in_clear_first(case), lambda endpoint: ask(endpoint, v.STARTTLS_DIFFERS, lambda differs: not differs))


RULE = Rule(
    id="starttls-on-some-addresses-only",
    title="TLS at some addresses only",
    statement="STLS or STARTTLS is offered at every address of a mail server that is used, or at none.",
    references=(
        Reference("NO STARTTLS: a security analysis of STARTTLS in the email context", "https://nostarttls.secvuln.info", "2021-08"),
    ),
    needs=needs_of_served(v.ENDPOINT_SECURITY, v.STARTTLS_DIFFERS),
    by=By.READINESS,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Set up TLS at the addresses that lack it, or find out who takes STARTTLS out of their words. Which they are shows by `probe look --all-addresses ENDPOINT`"
    ),
)
