"""A mail server that obeys under TLS what came in clear before it."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import ask
from probe.model.rules import By, Otherwise, Reference, Rule
from probe.rules import BEGINNING_IN_CLEAR, SERVED, each_in_clear, of_endpoints, uses_in_clear

RULE = Rule(
    id="starttls-injection",
    title="Commands injected before TLS",
    statement="No mail server that is used executes under TLS a command that was sent unencrypted after STLS or STARTTLS.",
    references=(
        Reference("NO STARTTLS: a security analysis of STARTTLS in the email context", "https://nostarttls.secvuln.info", "2021-08"),
    ),
    needs=SERVED | BEGINNING_IN_CLEAR | of_endpoints(v.STARTTLS_TAKES_INJECTED),
    by=By.READINESS,
    lists=False,
    applies=uses_in_clear(),
    holds=each_in_clear(lambda endpoint: ask(endpoint, v.STARTTLS_TAKES_INJECTED, lambda taken: not taken)),
    otherwise=Otherwise.ADVICE,
    remedy=(
        "Update the mail server, or the proxy in front of it, to a version that discards what is sent unencrypted after STLS or STARTTLS. "
        "Until then set the profile to the port with implicit TLS."
    ),
)
