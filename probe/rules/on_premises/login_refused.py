"""A login that was tried, and refused.

It applies only where the estate allows logins: readiness without one means that all which shows without one is in
order. A refusal that may pass by itself (throttled, a temporary failure) decides nothing.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, Truth, all_of, any_of, ask
from probe.model.facts import Facts
from probe.model.refusals import Refusal
from probe.model.rules import By, Otherwise, Rule
from probe.rules import LOGGING_IN, SERVED, article, each_login, of_endpoints, told, tries_a_login

_PASSING = frozenset({Refusal.THROTTLED, Refusal.TEMPORARY_FAILURE})


def _is_let_in(endpoint: Facts) -> Answer:
    has_no_cause_to_refuse = told(endpoint, v.AUTH_REFUSAL, lambda causes: _unless_passing(causes, Truth.NO if causes else Truth.YES))
    may_pass = told(endpoint, v.AUTH_REFUSAL, lambda causes: _unless_passing(causes, Truth.NO))
    return all_of(has_no_cause_to_refuse, any_of(ask(endpoint, v.AUTH_ACCEPTED, bool), may_pass))


def _unless_passing(causes: tuple[str, ...], truth: Truth) -> Truth:
    return Truth.UNKNOWN if _PASSING & set(causes) else truth


RULE = Rule(
    id="login-refused",
    title="Credentials refused",
    statement="Every server that is used takes the credentials of the profile or mailbox.",
    references=(
        article("401 Unauthorized exception when using server-side synchronization", "exception-when-using-server-side-sync"),
        article("Test Connection fails for the email server", "test-connection-fails-email-server"),
    ),
    needs=SERVED | LOGGING_IN | of_endpoints(v.AUTH_ACCEPTED, v.AUTH_REFUSAL),
    by=By.READINESS,
    lists=False,
    applies=tries_a_login,
    holds=each_login(_is_let_in),
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Enter the current password of ACCOUNT in the profile or mailbox of Dynamics and in the estate, the user name in the form user@domain. "
        "Where `auth.refusal` names another cause "
        "(locked, disabled, expired, multi-factor authentication, blocked by a policy such as Conditional Access), have that lifted first, because each further try counts towards a lockout. "
        "Then have this program forget the refusal: `probe forget ACCOUNT`\n"
        "At Exchange Server: a password that is right and still refused by NTLM may be Exchange's Extended "
        "Protection, where a proxy ends TLS before it with another certificate than Exchange's."
    ),
)
