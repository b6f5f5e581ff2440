"""A sign-in with a password that was never entered in Dynamics. Dynamics gives none back, and tells whether it has one."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, ask, negate
from probe.model.estate import Credentials
from probe.model.facts import Facts
from probe.model.keys import FactKey
from probe.model.rules import By, Case, Needs, Otherwise, Rule
from probe.rules import (
    AT_INCOMING,
    MAILBOXES,
    PROFILES,
    SERVED,
    SettingsKeys,
    admin_page,
    any_endpoint,
    every_endpoint,
    is_one_of,
    of_settings,
    was_asked,
)


def _applies(case: Case) -> Answer:
    return any_endpoint(case, lambda _, keys: any_of(*(wants for wants, _, _ in _passwords(case, keys))))


def _holds(case: Case) -> Answer:
    def is_set(_: Facts, keys: SettingsKeys) -> Answer:
        return all_of(*(any_of(negate(wants), ask(facts, key, bool)) for wants, facts, key in _passwords(case, keys)))

    return every_endpoint(case, is_set)


def _passwords(case: Case, keys: SettingsKeys) -> tuple[tuple[Answer, Facts, FactKey[bool]], ...]:
    """The passwords that may be meant at an endpoint, each with whether it is, and whether Dynamics tells of it."""
    of_profile = v.DYNAMICS_INCOMING_PASSWORD_SET if keys is AT_INCOMING else v.DYNAMICS_OUTGOING_PASSWORD_SET
    return tuple(
        (all_of(is_one_of(case.profile, keys.credentials, whose), was_asked(facts, key)), facts, key)
        for whose, facts, key in (
            (Credentials.PROFILE, case.profile, of_profile),
            (Credentials.MAILBOX, case.mailbox, v.DYNAMICS_PASSWORD_SET),
        )
    )


RULE = Rule(
    id="password-not-set-in-dynamics",
    title="No password in Dynamics",
    statement="Where Dynamics signs in with a password of the profile or of the mailbox, it has one, and may use it.",
    references=(
        admin_page("Best practices for server-side synchronization", "best-practices-server-side-synchronization"),
        admin_page("Connect to POP3 or SMTP servers", "connect-to-pop3-or-smtp-servers"),
    ),
    needs=SERVED
    | of_settings("credentials")
    | Needs(
        profile=(v.DYNAMICS_INCOMING_PASSWORD_SET, v.DYNAMICS_OUTGOING_PASSWORD_SET),
        mailbox=(v.DYNAMICS_PASSWORD_SET,),
    ),
    by=By.READINESS,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        f"Enter user name and password of ACCOUNT where the profile takes them from: in the profile itself ({PROFILES}), or in the mailbox ADDRESS ({MAILBOXES}), there with "
        "Allow to Use Credentials for Email Processing set to Yes. Over http:// Dynamics shows these fields disabled: open it over https://."
    ),
)
