"""Credentials settings that can never sign in."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, negate
from probe.model.estate import Authentication, Credentials, ServerType, Service
from probe.model.facts import Facts
from probe.model.rules import By, Case, Needs, Otherwise, Rule
from probe.rules import SERVED, SPEAKING, SettingsKeys, admin_page, every_endpoint, is_one_of, of_settings, speaks, uses


def _holds(case: Case) -> Answer:
    return every_endpoint(case, lambda endpoint, keys: negate(_cannot_sign_in(case, endpoint, keys)))


def _cannot_sign_in(case: Case, endpoint: Facts, keys: SettingsKeys) -> Answer:
    by_server = is_one_of(case.profile, keys.credentials, Credentials.SERVER_TO_SERVER)
    return any_of(
        is_one_of(case.profile, keys.credentials, Credentials.ANONYMOUS),
        all_of(is_one_of(case.profile, keys.credentials, Credentials.WINDOWS_INTEGRATED), speaks(endpoint, Service.POP3, Service.IMAP)),
        # Server to Server is a trust between Dynamics and Exchange; OAuth on premises exists for Gmail over IMAP alone.
        all_of(by_server, speaks(endpoint, Service.POP3, Service.SMTP, Service.IMAP)),
        all_of(is_one_of(case.profile, v.PROFILE_SERVER_TYPE, ServerType.EXCHANGE_ONLINE), negate(by_server)),
        all_of(
            is_one_of(case.profile, keys.authentication, Authentication.OAUTH),
            is_one_of(case.profile, v.PROFILE_SERVER_TYPE, ServerType.POP3_SMTP),
            speaks(endpoint, Service.POP3, Service.SMTP),
        ),
    )


RULE = Rule(
    id="credentials-the-profile-cannot-use",
    title="Credentials that cannot sign in",
    statement=(
        "A profile signs in with credentials; those of the Windows service account serve Exchange and SMTP, not POP3 or IMAP, "
        "Server to Server serves Exchange alone, an Exchange Online profile on premises has Server to Server alone, and a POP3/SMTP profile on premises "
        "has no OAuth sign-in."
    ),
    references=(
        admin_page("Connect to POP3 or SMTP servers", "connect-to-pop3-or-smtp-servers"),
        admin_page("Connect to Exchange Server (on-premises)", "connect-on-prem-exchange-server-on-prem"),
        admin_page("Connect Dynamics 365 (on-premises) to Exchange Online", "connect-dynamics-365-on-premises-exchange-online"),
    ),
    needs=SERVED | SPEAKING | of_settings("credentials", "authentication") | Needs(profile=(v.PROFILE_SERVER_TYPE,)),
    by=By.READINESS,
    lists=False,
    applies=uses(),
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Open the profile and set Authenticate Using: for Exchange Online to Server to Server Authentication, once Dynamics is registered with the tenant as the "
        "page on Exchange Online describes; else to Credentials Specified by a User or Queue, or to Credentials Specified in Email Server Profile, and "
        "enter a user name and password."
    ),
)
