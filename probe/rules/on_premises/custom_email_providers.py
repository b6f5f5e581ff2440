"""Extended mail protocols and email providers of one's own."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, ask, negate
from probe.model.rules import By, Case, Needs, Otherwise, Rule
from probe.rules import EMAIL_ROUTER, EMAIL_ROUTER_END, SERVED, UNSUPPORTED, page, uses


def _holds(case: Case) -> Answer:
    return negate(ask(case.deployment, v.DEPLOYMENT_CUSTOM_PROVIDERS, bool))


RULE = Rule(
    id="custom-email-providers",
    title="Custom protocols or email providers",
    statement="Extensions of the EWS, POP3 or SMTP protocols, and custom email providers, are not supported.",
    references=(page(UNSUPPORTED), EMAIL_ROUTER_END),
    needs=SERVED | Needs(deployment=(v.DEPLOYMENT_CUSTOM_PROVIDERS,)),
    by=By.MICROSOFT,
    lists=False,
    applies=uses(),
    holds=_holds,
    otherwise=Otherwise.UNSUPPORTED,
    remedy=(
        "Remove the custom email provider or protocol extension from the deployment, have server-side synchronization connect to the mail server "
        f"directly, and then set `custom_email_providers = false` in the estate.\n{EMAIL_ROUTER}"
    ),
)
