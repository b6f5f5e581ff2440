"""The profile's way to sign in is not among those that the server offers.

Exchange on-premises shows `Bearer` only to clients that ask for it, so its absence is not taken for a no: what was
worked out of token sign-in decides. An answer other than 401 is no list of schemes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from probe.model import vocabulary as v
from probe.model.answers import Answer, Truth, all_of, any_of, ask, negate
from probe.model.estate import Authentication, Credentials, Service
from probe.model.facts import Facts
from probe.model.rules import By, Case, Otherwise, Rule
from probe.rules import (
    MAIL_SERVICES,
    PROFILES,
    SERVED,
    SPEAKING,
    SettingsKeys,
    admin_page,
    any_endpoint,
    every_endpoint,
    is_one_of,
    of_endpoints,
    of_settings,
    rfc,
    told,
)

# What each setting of a profile's authentication may use: HTTP schemes, and the SASL and login mechanisms that do the same.
_BASIC = frozenset({"BASIC", "PLAIN", "LOGIN", "USER"})
_NTLM = frozenset({"NTLM"})
_NEGOTIATE = frozenset({"NEGOTIATE", "NTLM", "GSSAPI", "GSS-SPNEGO"})
_TOKEN = frozenset({"BEARER", "XOAUTH2", "OAUTHBEARER"})

_USER_SETTINGS = (
    (Authentication.AUTO, _BASIC | _NTLM | _NEGOTIATE),
    (Authentication.NEGOTIATE, _NEGOTIATE),
    (Authentication.NTLM, _NTLM),
    (Authentication.BASIC, _BASIC),
    (Authentication.OAUTH, _TOKEN),
)

Offers = Callable[[Facts, frozenset[str]], Answer]


def _applies(case: Case) -> Answer:
    return any_endpoint(case, lambda _, keys: _has_credentials(case, keys), Service.EWS, *MAIL_SERVICES)


def _has_credentials(case: Case, keys: SettingsKeys) -> Answer:
    return negate(is_one_of(case.profile, keys.credentials, Credentials.ANONYMOUS))


def _holds(case: Case) -> Answer:
    over_ews = every_endpoint(case, lambda endpoint, keys: _can_sign_in(case, keys, endpoint, _http_offers), Service.EWS)
    over_mail = every_endpoint(case, lambda endpoint, keys: _can_sign_in(case, keys, endpoint, _mail_offers), *MAIL_SERVICES)
    return all_of(over_ews, over_mail)


def _can_sign_in(case: Case, keys: SettingsKeys, endpoint: Facts, offers: Offers) -> Answer:
    of_user = is_one_of(case.profile, keys.credentials, Credentials.MAILBOX, Credentials.PROFILE)
    by_user = [all_of(of_user, is_one_of(case.profile, keys.authentication, s), offers(endpoint, m)) for s, m in _USER_SETTINGS]
    by_server = is_one_of(case.profile, keys.credentials, Credentials.SERVER_TO_SERVER)
    by_windows = is_one_of(case.profile, keys.credentials, Credentials.WINDOWS_INTEGRATED)
    has_none = negate(_has_credentials(case, keys))
    return any_of(has_none, *by_user, all_of(by_server, offers(endpoint, _TOKEN)), all_of(by_windows, offers(endpoint, _NEGOTIATE)))


def _http_offers(endpoint: Facts, wanted: frozenset[str]) -> Answer:
    is_shown = ask(endpoint, v.AUTH_SCHEMES, lambda schemes: _share(schemes, wanted))
    if wanted is _TOKEN:
        return any_of(is_shown, ask(endpoint, v.MODERN_AUTH_OFFERED, bool))
    is_no_list = told(endpoint, v.HTTP_STATUS, lambda status: Truth.NO if status == 401 else Truth.UNKNOWN)
    return any_of(is_shown, is_no_list)


def _mail_offers(endpoint: Facts, wanted: frozenset[str]) -> Answer:
    def verdict(mechanisms: tuple[str, ...]) -> Truth:
        if _share(mechanisms, wanted):
            return Truth.YES
        # With `auto`, Dynamics chooses; whether it can do what else is offered (CRAM-MD5, SCRAM, ...) is not documented.
        others = {m.upper() for m in mechanisms} - _TOKEN
        return Truth.UNKNOWN if others and wanted >= _BASIC | _NTLM else Truth.NO

    return told(endpoint, v.AUTH_MECHANISMS, verdict)


def _share(offered: Iterable[str], wanted: frozenset[str]) -> bool:
    return any(name.upper() in wanted for name in offered)


RULE = Rule(
    id="no-mechanism-in-common",
    title="No sign-in mechanism in common",
    statement="Every endpoint that is used offers a way to sign in that the email server profile is set to.",
    references=(
        rfc(9110, "HTTP Semantics, section 11 (authentication)", "2022-06"),
        rfc(4954, "SMTP Service Extension for Authentication", "2007-07"),
        rfc(5034, "POP3 SASL Authentication Mechanism", "2007-07"),
        admin_page("Connect to POP3 or SMTP servers", "connect-to-pop3-or-smtp-servers"),
    ),
    needs=SERVED
    | SPEAKING
    | of_endpoints(v.AUTH_SCHEMES, v.AUTH_MECHANISMS, v.HTTP_STATUS, v.MODERN_AUTH_OFFERED)
    | of_settings("credentials", "authentication"),
    by=By.READINESS,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Set Authentication Protocol of the profile to one that the server offers (`auth.schemes`, `auth.mechanisms`), or enable the wanted one on the server. "
        f"The profile stands under {PROFILES}."
    ),
)
