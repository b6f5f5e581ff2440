"""The note on tracking by hand in Dynamics 365 for Outlook: not for mailboxes under POP/SMTP."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, ask, negate
from probe.model.rules import By, Case, Needs, Otherwise, Rule
from probe.rules import EMAIL_ROUTER, EMAIL_ROUTER_END, MAIL_SERVICES, NOTES, SERVED, SPEAKING, page, uses


def _holds(case: Case) -> Answer:
    return negate(ask(case.deployment, v.DEPLOYMENT_MANUAL_TRACKING, bool))


RULE = Rule(
    id="manual-tracking-over-pop3-smtp",
    title="Manual tracking over POP3/SMTP",
    statement="Manual tracking in Dynamics 365 for Outlook is not supported for a mailbox that is synchronized through POP/SMTP.",
    references=(page(NOTES), EMAIL_ROUTER_END),
    needs=SERVED | SPEAKING | Needs(deployment=(v.DEPLOYMENT_MANUAL_TRACKING,)),
    by=By.MICROSOFT,
    lists=False,
    applies=uses(*MAIL_SERVICES),
    holds=_holds,
    otherwise=Otherwise.UNSUPPORTED,
    remedy=(
        "Have the users of this mailbox stop tracking manually in Dynamics 365 for Outlook (then set `outlook_manual_tracking = false`), "
        f"or move the mailbox to an Exchange profile.\n{EMAIL_ROUTER}"
    ),
)
