"""The profile's account may not impersonate the mailbox."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, ask
from probe.model.estate import Credentials, Service
from probe.model.rules import By, Case, Needs, Otherwise, Rule
from probe.rules import LOGGING_IN, SERVED, SERVER_TO_SERVER, SPEAKING, any_served, article, each, is_one_of, logs_in, of_endpoints, served


def _applies(case: Case) -> Answer:
    impersonates = all_of(
        is_one_of(case.profile, v.PROFILE_CREDENTIALS, Credentials.PROFILE), ask(case.profile, v.PROFILE_IMPERSONATION, bool)
    )
    return all_of(impersonates, logs_in(case), any_served(served(case, Service.EWS)))


RULE = Rule(
    id="impersonation-denied",
    title="No right to impersonate the mailbox",
    statement="Where the profile uses impersonation, Exchange lets its account act as the mailbox.",
    references=(
        article(
            "The account does not have permission to impersonate the requested user",
            "the-account-does-not-have-permission-to-impersonate-the-requested-user-error",
        ),
    ),
    needs=SERVED | SPEAKING | LOGGING_IN | of_endpoints(v.EWS_IMPERSONATION) | Needs(profile=(v.PROFILE_IMPERSONATION,)),
    by=By.READINESS,
    lists=False,
    applies=_applies,
    holds=each(lambda endpoint: is_one_of(endpoint, v.EWS_IMPERSONATION, "granted"), Service.EWS),
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Give ACCOUNT the role ApplicationImpersonation.\n"
        "At Exchange Server: `New-ManagementRoleAssignment -Name D365-SSS -Role ApplicationImpersonation -User ACCOUNT` "
        "The parameter -CustomRecipientWriteScope limits it to some mailboxes. It may take some minutes to reach every server. This lists who has the role: "
        "`Get-ManagementRoleAssignment -Role ApplicationImpersonation -GetEffectiveUsers`\n"
        f"At Exchange Online: the role is gone since February 2025, and the command fails there. {SERVER_TO_SERVER}"
    ),
)
