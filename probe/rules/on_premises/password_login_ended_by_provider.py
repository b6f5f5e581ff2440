"""A profile that signs in with a password, at a provider that no longer takes one.

Whether a password can still work is worked out from what the endpoint offers, who runs it, and the date; here it
counts only where a provider runs it, since what else is offered is another rule's matter.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, any_of, ask, negate
from probe.model.facts import Facts
from probe.model.rules import By, Case, Otherwise, Reference, Rule
from probe.rules import (
    OUTLOOK_COM_ENDED,
    READ_ON,
    SERVED,
    SERVER_TO_SERVER,
    SIGNING_IN_WITH_PASSWORD,
    SettingsKeys,
    any_endpoint,
    every_endpoint,
    of_endpoints,
    signs_in_with_password,
)

_HOSTED = frozenset({"Gmail", "Yahoo Mail", "Outlook.com", "Exchange Online", "Exchange"})
"""Products of providers that ended password logins, and what may be one of them."""


def _applies(case: Case) -> Answer:
    return any_endpoint(case, lambda _, keys: signs_in_with_password(case, keys))


def _holds(case: Case) -> Answer:
    def is_taken(endpoint: Facts, keys: SettingsKeys) -> Answer:
        return any_of(negate(signs_in_with_password(case, keys)), _may_take_passwords(endpoint))

    return every_endpoint(case, is_taken)


def _may_take_passwords(endpoint: Facts) -> Answer:
    is_run_by_others = ask(endpoint, v.SERVER_PRODUCT, lambda product: product not in _HOSTED)
    return any_of(ask(endpoint, v.PASSWORD_LOGIN_POSSIBLE, bool), is_run_by_others)


RULE = Rule(
    id="password-login-ended-by-provider",
    title="Provider has ended password logins",
    statement="The provider still takes passwords, or app passwords in their place.",
    references=(
        Reference(
            "Use of Basic authentication with Exchange Online",
            "https://learn.microsoft.com/en-us/power-platform/admin/use-basic-authentication-exchange-online",
            READ_ON,
        ),
        Reference(
            "Modern authentication for Outlook.com, Hotmail, Live and MSN (16 September 2024)",
            "https://techissuestoday.com/how-to-update-outlook-email-settings-to-avoid-losing-access-after-september-16/",
            READ_ON,
        ),
        Reference("Less secure apps and app passwords at Google", "https://nanopo.st/reference/lsa-app-passwords-2026/", READ_ON),
        Reference("Yahoo: app passwords", "https://github.com/chatmail/provider-db/blob/master/_providers/yahoo.md", READ_ON),
    ),
    needs=SERVED | SIGNING_IN_WITH_PASSWORD | of_endpoints(v.PASSWORD_LOGIN_POSSIBLE, v.SERVER_PRODUCT),
    by=By.READINESS,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "At Gmail: enter an app password (myaccount.google.com/apppasswords) in place of the account's password.\n"
        "At Yahoo and AOL: enter an app password (Account security, Generate app password) in place of the account's password.\n"
        f"At Exchange Online: {SERVER_TO_SERVER}\n"
        f"At Outlook.com: {OUTLOOK_COM_ENDED}\n"
        "The account's own password is never accepted."
    ),
)
