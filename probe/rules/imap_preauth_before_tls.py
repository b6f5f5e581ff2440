"""An IMAP server that takes everybody for signed in before TLS, so that TLS is out of reach."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, ask
from probe.model.estate import Service
from probe.model.rules import By, Case, Otherwise, Reference, Rule
from probe.rules import any_served, every_served, in_clear_first, needs_of_served, rfc


def _applies(case: Case) -> Answer:
    return any_served(in_clear_first(case, Service.IMAP))


def _holds(case: Case) -> Answer:
    return every_served(in_clear_first(case, Service.IMAP), lambda endpoint: ask(endpoint, v.IMAP_PREAUTH, lambda preauth: not preauth))


RULE = Rule(
    id="imap-preauth-before-tls",
    title="Signed in before TLS",
    statement="No IMAP server that is used greets with PREAUTH on a connection that begins in clear.",
    references=(
        rfc(9051, "Internet Message Access Protocol, section 7.1.4 (PREAUTH)", "2021-08"),
        Reference("NO STARTTLS: a security analysis of STARTTLS in the email context", "https://nostarttls.secvuln.info", "2021-08"),
    ),
    needs=needs_of_served(v.ENDPOINT_SERVICE, v.ENDPOINT_SECURITY, v.IMAP_PREAUTH),
    by=By.READINESS,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Let the server greet with OK, and use the port that speaks TLS at once. Where the server does so already, somebody on the way may have put PREAUTH there."
    ),
)
