"""A profile that signs in with a password, at a provider that no longer takes one.

Whether a password can still work is worked out from what the endpoint offers, who runs it, and the date; here it
counts only where a provider runs it, since what else is offered is another rule's matter. Microsoft's servers take in tenants and
consumers under one name, so that there it counts whose mailbox it is, where its address shows that.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import NO, YES, Answer, all_of, any_of, ask, negate
from probe.model.estate import Service
from probe.model.facts import Facts
from probe.model.rules import By, Case, Otherwise, Reference, Rule
from probe.rules import (
    MICROSOFT_CONSUMERS,
    OF_DOMAIN,
    OUTLOOK_COM_ENDED,
    READ_ON,
    SERVED,
    SERVER_TO_SERVER,
    SIGNING_IN_WITH_PASSWORD,
    SettingsKeys,
    any_endpoint,
    every_endpoint,
    has_domain_of,
    is_product,
    of_endpoints,
    signs_in_with_password,
)
from probe.tables.exchange import EXCHANGE_ONLINE
from probe.tables.providers import password_ending

_HOSTED = frozenset({"Gmail", "Yahoo Mail", "Outlook.com", "Exchange Online", "Exchange"})
"""Products of providers that ended password logins, and what may be one of them."""
_OF_CONSUMERS = ("Outlook.com", EXCHANGE_ONLINE)
"""Products that serve Microsoft's consumers."""


def _applies(case: Case) -> Answer:
    return any_endpoint(case, lambda _, keys: signs_in_with_password(case, keys))


def _holds(case: Case) -> Answer:
    def is_taken(endpoint: Facts, keys: SettingsKeys) -> Answer:
        return any_of(negate(signs_in_with_password(case, keys)), _may_take_passwords(case, endpoint))

    return every_endpoint(case, is_taken)


def _may_take_passwords(case: Case, endpoint: Facts) -> Answer:
    is_run_by_others = ask(endpoint, v.SERVER_PRODUCT, lambda product: product not in _HOSTED)
    has_not_ended, has_ended = _of_consumer(case, has_ended=False), _of_consumer(case, has_ended=True)
    is_taken = any_of(ask(endpoint, v.PASSWORD_LOGIN_POSSIBLE, bool), is_run_by_others, has_not_ended)
    return all_of(negate(all_of(has_ended, is_product(endpoint, *_OF_CONSUMERS))), is_taken)


def _of_consumer(case: Case, *, has_ended: bool) -> Answer:
    """Whether it is a mailbox of Microsoft's consumers, on a day before or after these could sign in with a password."""
    ending = password_ending(MICROSOFT_CONSUMERS[0], Service.SMTP)
    assert ending is not None
    is_the_day = YES if (case.date >= ending.ended) is has_ended else NO
    return all_of(is_the_day, has_domain_of(case, *MICROSOFT_CONSUMERS))


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
    needs=SERVED | SIGNING_IN_WITH_PASSWORD | of_endpoints(v.PASSWORD_LOGIN_POSSIBLE, v.SERVER_PRODUCT) | OF_DOMAIN,
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
