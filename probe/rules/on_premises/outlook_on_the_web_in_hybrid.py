"""The note on Outlook on the web: not for Dynamics on-premises with Exchange Online."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, ask, negate
from probe.model.rules import By, Case, Needs, Otherwise, Rule
from probe.rules import EMAIL_ROUTER, EMAIL_ROUTER_END, NOTES, USING_EXCHANGE_ONLINE, page, uses_exchange_online


def _applies(case: Case) -> Answer:
    return uses_exchange_online(case)


def _holds(case: Case) -> Answer:
    return all_of(_applies(case), negate(ask(case.deployment, v.DEPLOYMENT_OWA_TRACKING, bool)))


RULE = Rule(
    id="outlook-on-the-web-in-hybrid",
    title="Outlook on the web in a hybrid",
    statement="Where Customer Engagement (on-premises) works with Exchange Online, Outlook on the web is not supported.",
    references=(page(NOTES), EMAIL_ROUTER_END),
    needs=USING_EXCHANGE_ONLINE | Needs(deployment=(v.DEPLOYMENT_OWA_TRACKING,)),
    by=By.MICROSOFT,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.UNSUPPORTED,
    remedy=(
        "Have users track from Dynamics itself or from Outlook on the desktop, remove the Dynamics app from Outlook on the web, "
        f"and then set `outlook_on_the_web_tracking = false` in the estate.\n{EMAIL_ROUTER}"
    ),
)
