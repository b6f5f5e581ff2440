"""Mass mailings through server-side synchronization."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, ask, negate
from probe.model.rules import By, Case, Direction, Needs, Otherwise, Rule
from probe.rules import EMAIL_ROUTER, EMAIL_ROUTER_END, UNSUPPORTED, is_server_side, of_delivery, page


def _applies(case: Case) -> Answer:
    return is_server_side(case, Direction.OUTGOING)


def _holds(case: Case) -> Answer:
    return negate(ask(case.deployment, v.DEPLOYMENT_MASS_EMAIL, bool))


RULE = Rule(
    id="mass-email-campaigns",
    title="Mass email campaigns",
    statement="Mass email marketing campaigns are not a supported use of server-side synchronization.",
    references=(page(UNSUPPORTED), EMAIL_ROUTER_END),
    needs=of_delivery(Direction.OUTGOING) | Needs(deployment=(v.DEPLOYMENT_MASS_EMAIL,)),
    by=By.MICROSOFT,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.UNSUPPORTED,
    remedy=(
        f"Send mass mailings through a service that is made for them, and then set `mass_email = false` in the estate.\n{EMAIL_ROUTER}"
    ),
)
