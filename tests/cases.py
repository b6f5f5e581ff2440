"""Cases to ask rules about: healthy ones, and ways to change a fact or to take it away.

Known facts are given as a mapping from key to value; a `Why` in place of a value makes a gap of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from probe.catalogue import load
from probe.model import vocabulary as v
from probe.model.facts import Fact, Facts, Missing, Reading, Why
from probe.model.keys import FactKey
from probe.model.kinds import ChainEnd, Validity
from probe.model.provenance import Observed
from probe.model.rules import Assessment, Case, Result, Rule, directions, judge, readiness, support

Known = Mapping[FactKey[Any], Any]

DAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

ALWAYS_DECLARED = frozenset(
    {
        v.DEPLOYMENT_RUNS_ON,
        v.DEPLOYMENT_FIPS,
        v.DEPLOYMENT_MASS_EMAIL,
        v.DEPLOYMENT_CUSTOM_PROVIDERS,
        v.DEPLOYMENT_OWA_TRACKING,
        v.DEPLOYMENT_MANUAL_TRACKING,
        v.DEPLOYMENT_ALLOWS,
        v.DEPLOYMENT_NAMES_SERVICE_ACCOUNT,
        v.PROFILE_SERVER_TYPE,
        v.PROFILE_AUTODISCOVER,
        v.PROFILE_AUTHENTICATION,
        v.PROFILE_CREDENTIALS,
        v.PROFILE_APPLICATION,
        v.PROFILE_IMPERSONATION,
        v.PROFILE_OUTGOING_AUTHENTICATION,
        v.PROFILE_OUTGOING_CREDENTIALS,
        v.PROFILE_OUTGOING_APPLICATION,
        v.PROFILE_OUTGOING_IMPERSONATION,
        v.MAILBOX_INCOMING,
        v.MAILBOX_OUTGOING,
        v.MAILBOX_APPOINTMENTS,
        v.MAILBOX_DOMAIN,
        v.MAILBOX_OWN_ACCOUNT,
        v.ENDPOINT_SERVICE,
        v.ENDPOINT_SECURITY,
        v.ENDPOINT_HOST,
    }
)
"""What every estate says, because it must, or because leaving it out says it: never a gap."""

DEPLOYMENT: Known = {
    v.DEPLOYMENT_RUNS_ON: "windows-server-2019",
    v.DEPLOYMENT_FIPS: False,
    v.DEPLOYMENT_MASS_EMAIL: False,
    v.DEPLOYMENT_CUSTOM_PROVIDERS: False,
    v.DEPLOYMENT_OWA_TRACKING: False,
    v.DEPLOYMENT_MANUAL_TRACKING: False,
    v.DEPLOYMENT_ALLOWS: (),
    v.DEPLOYMENT_NAMES_SERVICE_ACCOUNT: False,
    v.DEPLOYMENT_APPOINTMENT_WAYS: ("server-side",),
}
PROFILE: Known = {
    v.PROFILE_SERVER_TYPE: "exchange-server",
    v.PROFILE_AUTODISCOVER: False,
    v.PROFILE_AUTHENTICATION: "ntlm",
    v.PROFILE_CREDENTIALS: "profile",
    v.PROFILE_APPLICATION: False,
    v.PROFILE_IMPERSONATION: True,
    v.PROFILE_FIPS_VALIDATED: Why.NOT_ATTEMPTED,
    v.PROFILE_PASSWORD_ENDS: Why.NOT_ATTEMPTED,
    v.PROFILE_LOCATIONS: ("on-premises",),
}
MAILBOX: Known = {
    v.MAILBOX_INCOMING: "server-side",
    v.MAILBOX_OUTGOING: "server-side",
    v.MAILBOX_APPOINTMENTS: "server-side",
    v.MAILBOX_DOMAIN: "contoso.test",
    v.MAILBOX_OWN_ACCOUNT: False,
    v.MAILBOX_LOCATION: "on-premises",
    v.MAILBOX_LOCATION_SOURCE: "said",
}
SOUND: Known = {
    v.NET_ADDRESSES: ("192.0.2.7",),
    v.NET_CONNECTED: True,
    v.PROTOCOL_SPOKEN: True,
    v.TLS_COMPLETED: True,
    v.TLS_DEPLOYMENT_GETS: True,
    v.TLS_MODE: "implicit",
    v.CERTIFICATE_NOT_BEFORE: datetime(2026, 6, 1, tzinfo=UTC),
    v.CERTIFICATE_NOT_AFTER: datetime(2027, 6, 1, tzinfo=UTC),
    v.CERTIFICATE_CHAIN_ENDS: ChainEnd("CN=Contoso Issuing CA", datetime(2028, 6, 1, tzinfo=UTC)),
    v.CERTIFICATE_CHAIN_DATES: (
        Validity("CN=mail.contoso.test", datetime(2026, 6, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)),
        Validity("CN=Contoso Issuing CA", datetime(2020, 6, 1, tzinfo=UTC), datetime(2028, 6, 1, tzinfo=UTC)),
    ),
    v.CERTIFICATE_TRUSTED: True,
    v.CERTIFICATE_DISTRUSTED_BECAUSE: "",
    v.CERTIFICATE_MATCHES_NAME: True,
    v.ENDPOINT_SECURITY: "implicit",
    v.FIPS_REASONS: (),
}
EWS: Known = {
    **SOUND,
    v.ENDPOINT_SERVICE: "ews",
    v.ENDPOINT_HOST: "mail.contoso.test",
    v.SERVER_PRODUCT: "Exchange Server 2016",
    v.SERVER_END_OF_SUPPORT: date(2025, 10, 14),
    v.HTTP_STATUS: 401,
    v.EWS_LOGON_PAGE: "",
    v.AUTH_SCHEMES: ("Negotiate", "NTLM"),
    v.EWS_POLICY_BLOCK: Why.NOT_APPLICABLE,
    v.MODERN_AUTH_OFFERED: False,
    v.PASSWORD_LOGIN_POSSIBLE: True,
}
GMAIL: Known = {
    **SOUND,
    v.SERVER_PRODUCT: "Gmail",
    v.PROVIDER: "gmail",
    v.AUTH_MECHANISMS: ("PLAIN", "LOGIN", "XOAUTH2"),
    v.PASSWORD_LOGIN_POSSIBLE: True,
}


_OUTGOING_AS_INCOMING: Mapping[FactKey[Any], FactKey[Any]] = {
    v.PROFILE_OUTGOING_AUTHENTICATION: v.PROFILE_AUTHENTICATION,
    v.PROFILE_OUTGOING_CREDENTIALS: v.PROFILE_CREDENTIALS,
    v.PROFILE_OUTGOING_APPLICATION: v.PROFILE_APPLICATION,
    v.PROFILE_OUTGOING_IMPERSONATION: v.PROFILE_IMPERSONATION,
    v.PROFILE_OUTGOING_FIPS_VALIDATED: v.PROFILE_FIPS_VALIDATED,
}


def profile_facts(subject: str, known: Known) -> Facts:
    """What is known of a profile; how it signs in to send is as it signs in to collect, where nothing else is given."""
    return facts(subject, {**{outgoing: known[incoming] for outgoing, incoming in _OUTGOING_AS_INCOMING.items()}, **known})


def facts(subject: str, known: Known) -> Facts:
    """What is known of a subject, all of it observed."""
    readings: list[Reading] = []
    for key, value in known.items():
        if isinstance(value, Why):
            readings.append(Missing(subject=subject, key=key, why=value))
        else:
            readings.append(Fact(subject=subject, key=key, value=value, provenance=Observed(), at=NOON))
    return Facts(subject, readings)


def exchange_case(
    *,
    deployment: Known | None = None,
    profile: Known | None = None,
    mailbox: Known | None = None,
    endpoint: Known | None = None,
    incoming: Known | None = None,
    outgoing: Known | None = None,
    on: date = DAY,
) -> Case:
    """A healthy mailbox on an Exchange Server 2016, served wholly; `endpoint` changes both endpoints."""
    return Case(
        deployment=facts("deployment", {**DEPLOYMENT, **(deployment or {})}),
        profile=profile_facts("profile:corp", {**PROFILE, **(profile or {})}),
        mailbox=facts("sales@contoso.test", {**MAILBOX, **(mailbox or {})}),
        incoming=facts("https://mail.contoso.test:443/EWS/Exchange.asmx", {**EWS, **(endpoint or {}), **(incoming or {})}),
        outgoing=facts("https://mail.contoso.test:443/EWS/Exchange.asmx", {**EWS, **(endpoint or {}), **(outgoing or {})}),
        date=on,
    )


def online_case(
    *,
    deployment: Known | None = None,
    profile: Known | None = None,
    mailbox: Known | None = None,
    endpoint: Known | None = None,
    on: date = DAY,
) -> Case:
    """A healthy mailbox in Exchange Online, signed in to from server to server."""
    online: Known = {
        v.SERVER_PRODUCT: "Exchange Online",
        v.SERVER_END_OF_SUPPORT: Why.NOT_APPLICABLE,
        v.AUTH_SCHEMES: ("Bearer",),
        v.MODERN_AUTH_OFFERED: True,
        v.PASSWORD_LOGIN_POSSIBLE: False,
    }
    return exchange_case(
        deployment=deployment,
        profile={
            v.PROFILE_SERVER_TYPE: "exchange-online",
            v.PROFILE_CREDENTIALS: "server-to-server",
            v.PROFILE_AUTHENTICATION: "oauth",
            v.PROFILE_LOCATIONS: ("exchange-online",),
            **(profile or {}),
        },
        mailbox={v.MAILBOX_LOCATION: "exchange-online", **(mailbox or {})},
        endpoint={**online, **(endpoint or {})},
        on=on,
    )


def gmail_case(
    *,
    deployment: Known | None = None,
    profile: Known | None = None,
    mailbox: Known | None = None,
    endpoint: Known | None = None,
    incoming: Known | None = None,
    outgoing: Known | None = None,
    on: date = DAY,
) -> Case:
    """A healthy mailbox at Gmail, its mail served over POP3 and SMTP; `endpoint` changes both endpoints."""
    pop3 = {v.ENDPOINT_SERVICE: "pop3", v.ENDPOINT_HOST: "pop.gmail.com"}
    smtp = {v.ENDPOINT_SERVICE: "smtp", v.ENDPOINT_HOST: "smtp.gmail.com"}
    mail_profile: Known = {
        v.PROFILE_SERVER_TYPE: "pop3-smtp",
        v.PROFILE_CREDENTIALS: "mailbox",
        v.PROFILE_AUTHENTICATION: "auto",
        v.PROFILE_IMPERSONATION: False,
        v.PROFILE_LOCATIONS: ("elsewhere",),
    }
    gmail_mailbox: Known = {
        v.MAILBOX_APPOINTMENTS: "none",
        v.MAILBOX_DOMAIN: "gmail.com",
        v.PROVIDER: "gmail",
        v.MAILBOX_LOCATION: "elsewhere",
        v.MAILBOX_OWN_ACCOUNT: True,
    }
    return Case(
        deployment=facts("deployment", {**DEPLOYMENT, **(deployment or {})}),
        profile=profile_facts("profile:gmail", {**PROFILE, **mail_profile, **(profile or {})}),
        mailbox=facts("sales@gmail.com", {**MAILBOX, **gmail_mailbox, **(mailbox or {})}),
        incoming=facts("pop3s://pop.gmail.com:995", {**GMAIL, **pop3, **(endpoint or {}), **(incoming or {})}),
        outgoing=facts("smtps://smtp.gmail.com:465", {**GMAIL, **smtp, **(endpoint or {}), **(outgoing or {})}),
        date=on,
    )


def all_rules() -> dict[str, Rule]:
    """Every rule of the catalogue, by id."""
    return load("probe.rules.on_premises", "RULE", Rule)


def result_of(rule: Rule, case: Case) -> Result:
    """What comes of one rule for one case."""
    return judge(rule, case).result


def assess(case: Case) -> Assessment:
    """What all rules say of a case, drawn together."""
    findings = tuple(judge(rule, case) for rule in all_rules().values())
    of_directions = directions(findings, case)
    return Assessment(
        mailbox=case.mailbox.subject,
        profile=case.profile.subject,
        support=support(findings),
        readiness=readiness(of_directions),
        directions=of_directions,
        signed_in=None,
        findings=findings,
    )
