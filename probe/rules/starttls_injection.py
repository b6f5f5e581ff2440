"""A mail server that obeys under TLS what came in clear before it."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, ask
from probe.model.rules import By, Case, Otherwise, Reference, Rule
from probe.rules import any_served, every_served, in_clear_first, needs_of_served


def _applies(case: Case) -> Answer:
    return any_served(in_clear_first(case))


def _holds(case: Case) -> Answer:
    return every_served(in_clear_first(case), lambda endpoint: ask(endpoint, v.STARTTLS_TAKES_INJECTED, lambda taken: not taken))


RULE = Rule(
    id="starttls-injection",
    title="Commands injected before TLS",
    statement="No mail server that is used obeys under TLS a command that came in clear behind STLS or STARTTLS.",
    references=(
        Reference("NO STARTTLS: a security analysis of STARTTLS in the email context", "https://nostarttls.secvuln.info", "2021-08"),
    ),
    needs=needs_of_served(v.ENDPOINT_SECURITY, v.STARTTLS_TAKES_INJECTED),
    by=By.READINESS,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.ADVICE,
    remedy=(
        "Update the mail server, or the proxy in front of it, to a version that throws away what comes behind STLS or STARTTLS. Until then "
        "set the profile to the port that speaks TLS at once."
    ),
)
