"""A server that goes on in clear after it agreed to TLS, or somebody on the way who does."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, ask
from probe.model.rules import By, Case, Otherwise, Reference, Rule
from probe.rules import any_served, every_served, in_clear_first, needs_of_served, rfc


def _applies(case: Case) -> Answer:
    return any_served(in_clear_first(case))


def _holds(case: Case) -> Answer:
    return every_served(in_clear_first(case), lambda endpoint: ask(endpoint, v.STARTTLS_EXTRA_BYTES, lambda extra: not extra))


RULE = Rule(
    id="plaintext-after-starttls",
    title="Words in clear after STARTTLS",
    statement="After it agreed to TLS, no mail server that is used says another word in clear.",
    references=(
        Reference("NO STARTTLS: a security analysis of STARTTLS in the email context", "https://nostarttls.secvuln.info", "2021-08"),
        rfc(2595, "Using TLS with IMAP, POP3 and ACAP, section 4", "1999-06"),
    ),
    needs=needs_of_served(v.ENDPOINT_SECURITY, v.STARTTLS_EXTRA_BYTES),
    by=By.READINESS,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Use the port that speaks TLS at once, and find out who writes into the connection: somebody between here and HOST, or a faulty server or proxy. "
        "Compare `starttls.extra_bytes` with what the server sends when asked on its own network: `probe look --tls none ENDPOINT`"
    ),
)
