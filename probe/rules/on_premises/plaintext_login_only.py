"""A mail server at which one can sign in only in clear."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, ask, negate
from probe.model.facts import Facts
from probe.model.rules import By, Otherwise, Rule
from probe.rules import MAIL_SERVICES, PROFILES, SERVED, SPEAKING, each, of_endpoints, rfc, uses

# Mechanisms that show the password to whoever listens (RFC 4616; RFC 1939 section 7; LOGIN as in draft-murchison-sasl-login).
_PLAINTEXT = frozenset({"PLAIN", "LOGIN", "USER"})


def _is_in_clear_only(endpoint: Facts) -> Answer:
    withdrawn = all_of(
        ask(endpoint, v.AUTH_MECHANISMS_PLAIN, lambda offered: len(offered) > 0),
        ask(endpoint, v.AUTH_MECHANISMS, lambda offered: len(offered) == 0),
    )
    unprotected = all_of(
        ask(endpoint, v.TLS_MODE, lambda mode: mode == "none"),
        ask(endpoint, v.AUTH_MECHANISMS_PLAIN, lambda offered: len(offered) > 0 and set(offered) <= _PLAINTEXT),
    )
    return any_of(withdrawn, unprotected)


RULE = Rule(
    id="plaintext-login-only",
    title="Unencrypted logins only",
    statement="Every mail server that is used offers a sign-in that does not show the password to an eavesdropper.",
    references=(rfc(8314, "Cleartext Considered Obsolete: Use of TLS for Email Submission and Access, section 3", "2018-01"),),
    needs=SERVED | SPEAKING | of_endpoints(v.AUTH_MECHANISMS, v.AUTH_MECHANISMS_PLAIN, v.TLS_MODE),
    by=By.READINESS,
    lists=False,
    applies=uses(*MAIL_SERVICES),
    holds=each(lambda endpoint: negate(_is_in_clear_only(endpoint)), *MAIL_SERVICES),
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Enable TLS on HOST and have it offer its login mechanisms under TLS; then set Use SSL for Incoming Connection or "
        f"Use SSL for Outgoing Connection of the profile ({PROFILES}) to Yes.\n"
        "At Dovecot: `ssl = required` in its configuration.\n"
        "At Postfix: `smtpd_tls_auth_only = yes` in its configuration."
    ),
)
