"""The profile's account may not impersonate the mailbox."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, ask, negate
from probe.model.estate import Credentials, Service
from probe.model.facts import Facts
from probe.model.rules import By, Case, Otherwise, Rule
from probe.rules import (
    LOGGING_IN,
    SERVED,
    SERVER_TO_SERVER,
    SPEAKING,
    SettingsKeys,
    any_endpoint,
    article,
    every_endpoint,
    is_one_of,
    logs_in,
    of_endpoints,
    of_settings,
)


def _applies(case: Case) -> Answer:
    return any_endpoint(case, lambda _, keys: _impersonates(case, keys), Service.EWS)


def _impersonates(case: Case, keys: SettingsKeys) -> Answer:
    is_of_profile = is_one_of(case.profile, keys.credentials, Credentials.PROFILE)
    return all_of(is_of_profile, ask(case.profile, keys.impersonation, bool), logs_in(case, keys))


def _holds(case: Case) -> Answer:
    def is_granted(endpoint: Facts, keys: SettingsKeys) -> Answer:
        return any_of(negate(_impersonates(case, keys)), is_one_of(endpoint, v.EWS_IMPERSONATION, "granted"))

    return every_endpoint(case, is_granted, Service.EWS)


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
    needs=SERVED | SPEAKING | LOGGING_IN | of_endpoints(v.EWS_IMPERSONATION) | of_settings("impersonation"),
    by=By.READINESS,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Give ACCOUNT the role ApplicationImpersonation.\n"
        "At Exchange Server: `New-ManagementRoleAssignment -Name D365-SSS -Role ApplicationImpersonation -User ACCOUNT` "
        "With -CustomRecipientWriteScope it is held to some mailboxes. It may take some minutes to reach every server. Who has the role shows by "
        "`Get-ManagementRoleAssignment -Role ApplicationImpersonation -GetEffectiveUsers`\n"
        f"At Exchange Online: the role is gone since February 2025, and the command fails there. {SERVER_TO_SERVER}"
    ),
)
