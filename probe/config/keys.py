"""What each key of an estate may hold: its type, its meaning, and an example for messages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, PlainValidator

from probe.config.table import SecretPlace, Table, key
from probe.config.watching import AlertTable, ScheduleTable, Targets, a_day
from probe.config.wording import Guesses, listed, quoted
from probe.model.effects import ALLOWABLE
from probe.model.endpoints import MOST_URL_BYTES
from probe.model.estate import (
    Authentication,
    BoundOrganization,
    Cloud,
    Credentials,
    Delivery,
    DeploymentKind,
    Effect,
    Endpoint,
    HistoryLimits,
    Location,
    OrganizationUrl,
    ServerType,
    authority_endpoint,
)

WINDOWS = tuple(f"windows-server-{release}" for release in ("2012-r2", "2016", "2019", "2022", "2025"))
"""The Windows releases whose TLS can be named in `runs_on`."""

_E = TypeVar("_E", bound=StrEnum)


def _one_of(given: object, allowed: Iterable[str], note: str = "") -> str:
    # The value is not repeated: `credentials = "hunter2"` is a likely mistake.
    words = list(allowed)
    if isinstance(given, str):
        if given in words:
            return given
        raise NotOneOf(given, words, note)
    raise ValueError(f"must be {quoted(words)}{note}")


class NotOneOf(ValueError):
    """A word that is none of the allowed ones. What was probably meant is looked for only when it is told, since that takes time."""

    def __str__(self) -> str:
        _, words, note = self.args
        return f"must be {quoted(words)}{note}"

    def told(self, guesses: Guesses) -> str:
        """The sentence with what was probably meant."""
        given, words, note = self.args
        near = guesses.nearest(given, words)
        if near and len(words) > 1 and re.findall("[0-9]", near) == re.findall("[0-9]", given):  # 2008 was not meant to be 2025
            note = f'; did you mean "{near}"?{note}'
        return f"must be {quoted(words)}{note}"


def _choice(kind: type[_E], *without: _E, note: str = "") -> PlainValidator:
    return PlainValidator(lambda given: kind(_one_of(given, [member for member in kind if member not in without], note)))


def _kind(given: object) -> DeploymentKind:
    if given == "online":
        raise ValueError('must be "on-premises"; "online" is refused until its rules exist')
    return DeploymentKind(_one_of(given, DeploymentKind))


def _runs_on(given: object) -> str:
    return _one_of(given, WINDOWS)


def _effect(given: object) -> Effect:
    if given == Effect.READS:
        raise ValueError('leave out "reads": reading is always allowed')
    if given == Effect.CHANGES:
        raise ValueError('leave out "changes": a change in Dynamics is confirmed each time, and no file can allow it in advance')
    return Effect(_one_of(given, ALLOWABLE))


def _authority(given: object) -> str:
    try:
        return authority_endpoint(given if isinstance(given, str) else "").origin.removeprefix("https://")
    except ValueError:
        raise ValueError('must be a host, or host:port, without scheme or path, as in "adfs.contoso.test"') from None


def _endpoint(*schemes: str) -> PlainValidator:
    def read(given: object) -> Endpoint:
        if isinstance(given, str) and "@" in given:  # wherever it stands, what is before it may be a password: nothing is repeated
            raise ValueError('must not carry a user name or password; name a secret with password = "env:NAME"')
        if not isinstance(given, str) or not given.lower().startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(f"must be a URL that begins with {listed(f'{scheme}://' for scheme in schemes)}")
        if " " in given or not given.isprintable():  # urllib drops control characters silently
            raise ValueError("must be a URL without spaces or control characters")
        found = Endpoint.parse(given)
        if len(found.url.encode()) > MOST_URL_BYTES:
            raise ValueError(f"must be a URL of at most {MOST_URL_BYTES:,} bytes")
        return found

    return PlainValidator(read)


def _organization_url(given: object) -> OrganizationUrl:
    if isinstance(given, str) and "@" in given:  # as of an endpoint
        raise ValueError('must not carry a user name or password; name a secret with password = "env:NAME"')
    if not isinstance(given, str) or " " in given or not given.isprintable():
        raise ValueError('must be the address of the organization, as in "https://crm.contoso.test/Contoso"')
    return OrganizationUrl.parse(given)


TOKEN_PATH = "/adfs/oauth2/token"  # noqa: S105 - where AD FS gives tokens


def token_endpoint(given: object) -> str:
    """The token endpoint of AD FS that is named. Raises ValueError with one sentence on what would be right."""
    host, found, rest = (given if isinstance(given, str) else "").removeprefix("https://").partition(TOKEN_PATH)
    try:
        if found and not rest and str(given).startswith("https://"):
            return authority_endpoint(host).origin + TOKEN_PATH
    except ValueError:
        pass
    raise ValueError(f'must be the token endpoint of AD FS, as in "https://adfs.contoso.test{TOKEN_PATH}"; no other authority is supported')


def _bound(given: object) -> BoundOrganization:
    return BoundOrganization.parse(given if isinstance(given, str) and given.isprintable() else "")


def _text(given: str) -> str:
    if not given.strip() or not given.isprintable() or len(given) > 256:
        raise ValueError("must be one line of text, of 1 to 256 characters")
    return given


def _version(given: str) -> str:
    # Microsoft's page that the rules go by is that of 9.x (op-9-1); the one of 8.x lists other systems.
    if not re.fullmatch(r"9\.[01](\.[0-9]{1,6}){0,2}", given):
        raise ValueError('must be "9.0", "9.1" or a build of them, as in "9.1.18.22": the rules follow Microsoft\'s page of that edition')
    return given


def _validated(given: str) -> str:
    if not re.fullmatch(r"CMVP #[0-9]{1,5}", given):
        raise ValueError(
            'must be the number of a certificate of NIST\'s validation program, `CMVP #` and 1 to 5 digits, as in "CMVP #4985"; '
            "leave it out where you do not know one"
        )
    return given


def _windows_account(given: str) -> str:
    if (
        not re.fullmatch(r'[^\s@\\/"\[\]:;|=,+*?<>]{1,64}(?:\\[^\s@\\/"\[\]:;|=,+*?<>]{1,64}|@[^\s@\\/]{1,255})', given)
        or not given.isprintable()
    ):
        raise ValueError('must be one account of Windows, as in "CONTOSO\\\\svc-crm-async" or "svc-crm-async@CONTOSO.TEST"')
    return given


def _address(given: str) -> str:
    local, _, domain = given.rpartition("@")
    if not _is_domain(domain):
        local = ""
    # RFC 5321 section 4.5.3.1: at most 64 before the @, 255 after it.
    if not re.fullmatch(r'[^\s@<>()",;:\\]{1,64}', local) or not local.isprintable():
        raise ValueError('must be one mail address, as in "sales@contoso.test"')
    return given


def _id(given: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", given.lower()):
        raise ValueError('must be the id of a mailbox in Dynamics, as in "8c1e2a40-6d0f-4c57-9a41-2f3f0c1d7e55"')
    return given.lower()


_DAYS = {"d": 1, "w": 7, "y": 365}
_BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12}


def _keep(given: object) -> int:
    found = re.fullmatch(r"([1-9][0-9]{0,4})([dwy])", given if isinstance(given, str) else "")
    days = 0 if found is None else int(found[1]) * _DAYS[found[2]]
    if not 1 <= days <= 36500:
        raise ValueError('must be a number of days, weeks or years, as in "90d", "26w" or "2y", of a hundred years at most')
    return days


def _size(given: object) -> int:
    found = re.fullmatch(r"([1-9][0-9]{0,4}) ?(MB|GB|TB)", given if isinstance(given, str) else "")
    size = 0 if found is None else int(found[1]) * _BYTES[found[2]]
    if size < 10 * 10**6:
        raise ValueError('must be a size of 10 MB or more, as in "500MB" or "2GB"')
    return size


@lru_cache(1024)
def _is_domain(name: str) -> bool:
    """Whether it can stand behind an @; remembered, since thousands of mailboxes have few domains."""
    try:
        Endpoint.parse(f"tls://{name}:443")
    except ValueError:
        return False
    return True


_Text = Annotated[str, AfterValidator(_text)]
_Incoming = Annotated[Endpoint, _endpoint("https", "pop3", "pop3s", "imap", "imaps")]
_Outgoing = Annotated[Endpoint, _endpoint("https", "smtp", "smtps")]
_EWS = "https://mail.contoso.test/EWS/Exchange.asmx"
_UNSEEN = "it cannot be seen from the network, so it must be stated"


class _Deployment(Table):
    name: _Text = key("what you call the Dynamics organization", "contoso-crm")
    kind: Annotated[DeploymentKind, PlainValidator(_kind)] = key("where Dynamics runs", "on-premises")
    version: Annotated[str, AfterValidator(_version)] = key("the version of Dynamics", "9.1")
    runs_on: Annotated[str, PlainValidator(_runs_on)] = key("the Windows that speaks TLS to the mail servers", "windows-server-2019")
    fips: bool = key(f"whether the Windows FIPS policy is on; {_UNSEEN}", False)
    mass_email: bool = key(f"whether mass mailings are sent; {_UNSEEN}", False)
    custom_email_providers: bool = key(f"whether custom email providers are in use; {_UNSEEN}", False)
    outlook_on_the_web_tracking: bool = key(f"whether the Dynamics app for Outlook on the web is in use; {_UNSEEN}", False)
    outlook_manual_tracking: bool = key(f"whether people track mail by hand in Outlook; {_UNSEEN}", False)
    allow: list[Annotated[Effect, PlainValidator(_effect)]] = key("effects beyond reading", ["logs-in"], default=[])
    authorities: list[Annotated[str, PlainValidator(_authority)]] = key("who may be sent a password", ["adfs.contoso.test"], default=[])
    cloud: Annotated[Cloud, _choice(Cloud)] = key("which Entra ID and Exchange Online", "worldwide", default=Cloud.WORLDWIDE)
    service_account: Annotated[str, AfterValidator(_windows_account)] | None = key(
        "the account of the asynchronous service", "svc-crm-async@CONTOSO.TEST", default=None
    )


_SIGNS_IN_TO_DYNAMICS = (Authentication.NEGOTIATE, Authentication.NTLM, Authentication.OAUTH)


class _Dynamics(Table):
    url: Annotated[OrganizationUrl, PlainValidator(_organization_url)] = key(
        "the address of the organization", "https://crm.contoso.test/Contoso"
    )
    authentication: Annotated[Authentication, _choice(Authentication, *set(Authentication) - set(_SIGNS_IN_TO_DYNAMICS))] = key(
        "how it signs in", "negotiate", default=Authentication.NEGOTIATE
    )
    username: _Text | None = key("the account that reads Dynamics", "svc-probe@contoso.test", default=None)
    password: SecretPlace | None = key("where its password is kept", "env:CRM_PASSWORD", default=None)
    token_url: Annotated[str, PlainValidator(token_endpoint)] | None = key(
        "the token endpoint of AD FS", f"https://adfs.contoso.test{TOKEN_PATH}", default=None
    )
    client_id: _Text | None = key("the client that is registered with AD FS", "6731de76-14a6-49ae-97bc-6eba6914391e", default=None)
    organization: Annotated[BoundOrganization, PlainValidator(_bound)] | None = key(
        "the id of the organization and its unique name", "5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11 Contoso", default=None
    )
    ca: _Text | None = key("a file with more trust anchors for Dynamics", "/etc/ssl/contoso.pem", default=None)
    plain_http: bool = key("whether Dynamics may be reached over http://, without TLS", True, default=False)
    enable_from_page: bool = key("whether the page of `probe serve` may ask for Test & Enable", True, default=False)


class _Profile(Table):
    name: _Text = key("the name of the email server profile", "corp")
    server_type: Annotated[ServerType, _choice(ServerType)] = key(
        f"the server type of the profile, {quoted(ServerType)}", "exchange-server"
    )
    incoming: _Incoming | None = key("where mail is collected", _EWS, default=None)
    outgoing: _Outgoing | None = key("where mail is sent", _EWS, default=None)
    autodiscover: bool = key("whether Autodiscover finds the server", False, default=False)
    authentication: Annotated[Authentication, _choice(Authentication)] = key("how it signs in", "ntlm", default=Authentication.AUTO)
    credentials: Annotated[Credentials, _choice(Credentials)] = key(f"whose credentials are used, {quoted(Credentials)}", "profile")
    impersonation: bool = key("whether the account acts as each mailbox", True, default=False)
    product: _Text | None = key("what answers, where the server hides its name", "Dovecot 2.4", default=None)
    outgoing_product: _Text | None = key("what answers at the outgoing endpoint, where it is another", "Postfix", default=None)
    username: _Text | None = key("the account of the profile", "svc-crm@contoso.test", default=None)
    password: SecretPlace | None = key("where its password is kept", "env:CRM_EWS_PASSWORD", default=None)
    tenant: _Text | None = key("the tenant of Entra ID, by GUID or domain", "contoso.onmicrosoft.com", default=None)
    client_id: _Text | None = key("the application that asks for tokens", "6731de76-14a6-49ae-97bc-6eba6914391e", default=None)
    client_secret: SecretPlace | None = key("where the application's secret is kept", "env:CRM_CLIENT_SECRET", default=None)
    client_certificate: SecretPlace | None = key("where its certificate is kept, PEM with key", "file:/run/secrets/crm.pem", default=None)
    fips_validated: Annotated[str, AfterValidator(_validated)] | None = key(
        "the certificate of the mail server's module", "CMVP #4985", default=None
    )
    outgoing_authentication: Annotated[Authentication, _choice(Authentication)] | None = key(
        "how it signs in to send, where that is another way", "basic", default=None
    )
    outgoing_credentials: Annotated[Credentials, _choice(Credentials)] | None = key(
        "whose credentials are used to send, where they are others", "profile", default=None
    )
    outgoing_impersonation: bool | None = key("whether the account acts as each mailbox to send", False, default=None)
    outgoing_username: _Text | None = key("the account that sends, where it is another", "svc-crm-out@contoso.test", default=None)
    outgoing_password: SecretPlace | None = key("where its password is kept", "env:CRM_SMTP_PASSWORD", default=None)
    outgoing_fips_validated: Annotated[str, AfterValidator(_validated)] | None = key(
        "the certificate of the outgoing server's module, where it is another", "CMVP #4985", default=None
    )
    canary: Annotated[str, AfterValidator(_address)] | None = key(
        "the mailbox that is signed in to for all of the profile", "sales@contoso.test", default=None
    )
    alerts_to: Targets | None = key("where the URLs of its own targets are kept", ["env:MAIL_TEAM"], default=None)
    password_ends: Annotated[date, PlainValidator(a_day)] | None = key("when its password ends", date(2027, 1, 31), default=None)


_ONLY_INCOMING = '; "forward" is for incoming mail alone'
_NOT_FORWARD = quoted(word for word in Delivery if word is not Delivery.FORWARD)


class _Mailbox(Table):
    address: Annotated[str, AfterValidator(_address)] = key("the mail address of the mailbox", "sales@contoso.test")
    profile: _Text = key("the name of its email server profile", "corp")
    incoming: Annotated[Delivery, _choice(Delivery)] = key(f"how mail comes in, {quoted(Delivery)}", "server-side")
    outgoing: Annotated[Delivery, _choice(Delivery, Delivery.FORWARD, note=_ONLY_INCOMING)] = key(
        f"how mail goes out, {_NOT_FORWARD}", "server-side"
    )
    appointments: Annotated[Delivery, _choice(Delivery, Delivery.FORWARD, note=_ONLY_INCOMING)] = key(
        f"how appointments, contacts and tasks go, {_NOT_FORWARD}", "server-side"
    )
    username: _Text | None = key("its own account", "sales@contoso.test", default=None)
    password: SecretPlace | None = key("where its password is kept", "file:/run/secrets/sales", default=None)
    location: Annotated[Location, _choice(Location)] | None = key("where the mailbox lives", "on-premises", default=None)
    mfa: bool | None = key("whether its account needs multi-factor authentication", True, default=None)
    ews_url: Annotated[Endpoint, _endpoint("https")] | None = key("what Autodiscover found for it", _EWS, default=None)
    id: Annotated[str, AfterValidator(_id)] | None = key("its id in Dynamics", "8c1e2a40-6d0f-4c57-9a41-2f3f0c1d7e55", default=None)


class _HistoryLimits(Table):
    keep: Annotated[int, PlainValidator(_keep)] = key("how long the history is kept", "2y", default=HistoryLimits().keep)
    max_size: Annotated[int, PlainValidator(_size)] = key("how large it may become", "2GB", default=HistoryLimits().max_size)


class EstateTables(Table):
    deployment: _Deployment
    dynamics: _Dynamics | None = None
    schedule: ScheduleTable | None = None
    alerts: AlertTable | None = None
    history: _HistoryLimits | None = None
    profile: list[_Profile] = Field(min_length=1)
    mailbox: list[_Mailbox] = Field(min_length=1)


HEADINGS = {
    "deployment": "[deployment]",
    "dynamics": "[dynamics]",
    "schedule": "[schedule]",
    "alerts": "[alerts]",
    "history": "[history]",
    "profile": "[[profile]]",
    "mailbox": "[[mailbox]]",
}
TABLES: dict[str | int, type[Table]] = {
    "deployment": _Deployment,
    "dynamics": _Dynamics,
    "schedule": ScheduleTable,
    "alerts": AlertTable,
    "history": _HistoryLimits,
    "profile": _Profile,
    "mailbox": _Mailbox,
}
