"""What the operator declares: the deployment, its email server profiles and its mailboxes.

Values only: building one resolves no name and opens no file. The words are those of Dynamics' own forms.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import field, replace
from enum import StrEnum
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

from probe.model.effects import Effect as Effect
from probe.model.host_names import ascii_name
from probe.model.values import dataclass


class Service(StrEnum):
    """What an endpoint speaks."""

    EWS = "ews"
    POP3 = "pop3"
    SMTP = "smtp"
    IMAP = "imap"
    TLS = "tls"
    AUTODISCOVER = "autodiscover"
    """Never in an estate; asked about a mailbox."""
    AUTHORITY = "authority"
    """Who gives tokens; never in an estate, but named by it or by a server."""
    DYNAMICS = "dynamics"
    """The Web API of an organization. It is no endpoint of a profile: an estate names it where Dynamics' own records are read."""


class Security(StrEnum):
    """How an endpoint comes to speak TLS."""

    IMPLICIT = "implicit"
    """TLS from the first byte."""
    UPGRADE = "starttls"
    """In clear first, then upgraded by STLS or STARTTLS, if that is offered."""


@dataclass(frozen=True, slots=True)
class _UrlScheme:
    service: Service
    security: Security
    port: int | None
    """The port when the URL names none; None where one must be named."""


# RFC 1939, 2595, 6409, 8314, 9051 and the endpoint URLs of probe/CONTRACT.md, "Options".
_SCHEMES: Mapping[str, _UrlScheme] = {
    "pop3": _UrlScheme(Service.POP3, Security.UPGRADE, 110),
    "pop3s": _UrlScheme(Service.POP3, Security.IMPLICIT, 995),
    "smtp": _UrlScheme(Service.SMTP, Security.UPGRADE, 587),
    "smtps": _UrlScheme(Service.SMTP, Security.IMPLICIT, 465),
    "imap": _UrlScheme(Service.IMAP, Security.UPGRADE, 143),
    "imaps": _UrlScheme(Service.IMAP, Security.IMPLICIT, 993),
    "https": _UrlScheme(Service.EWS, Security.IMPLICIT, 443),
    "tls": _UrlScheme(Service.TLS, Security.IMPLICIT, None),
}

_SCHEME_OF = {(scheme.service, scheme.security): name for name, scheme in _SCHEMES.items()}

EWS_PATH = "/EWS/Exchange.asmx"
"""Where Exchange serves EWS; taken when an https URL names no path."""

# A host name as DNS and certificates know it: labels of 1 to 63 letters, digits, hyphens, and the underscores
# that Windows networks use (RFC 1123 section 2.1).
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?\Z")

# Labels that inet_aton reads as a part of an address, in decimal, octal or hexadecimal: `127.1`, `0x7f.1`, `2130706433` are addresses
# to getaddrinfo. The empty one stands behind a final dot.
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]*)\Z")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One service on one host and port."""

    service: Service
    host: str
    """Lower-case name or address; IPv6 without brackets."""
    port: int
    security: Security
    path: str = ""
    """The path of an EWS endpoint or of an organization, as written; empty for every other service."""

    @property
    def url(self) -> str:
        """The endpoint as a subject: lower-case host, port always written."""
        scheme = _SCHEME_OF.get((self.service, self.security), "https")
        return f"{scheme}://{self._url_host}:{self.port}{self.path}"

    @property
    def origin(self) -> str:
        """The origin (scheme, host, port) of an HTTPS endpoint, as a browser writes it: the port only where it is not 443 (RFC 6454)."""
        return f"https://{self._url_host}" + ("" if self.port == 443 else f":{self.port}")

    @property
    def _url_host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @classmethod
    def parse(cls, url: str) -> Endpoint:
        """The endpoint that a URL names. Raises ValueError with one sentence on what would be right."""
        if "@" in url:
            # Checked first, and never repeated in the message: what stands before the @ may be a password.
            raise ValueError('a URL must not carry a user name or password; name a secret with `password = "env:NAME"`')
        if any(c.isspace() or not c.isprintable() for c in url):
            raise ValueError(f"{_shown(url)} must not hold spaces or control characters")
        try:
            parts = urlsplit(url)
        except ValueError as wrong:
            raise ValueError(f"{_shown(url)} is not a URL: {wrong}") from None
        try:
            port = parts.port
        except ValueError:
            raise ValueError(f"{_shown(url)} names no valid port; a port is a number from 1 to 65535") from None
        scheme = _SCHEMES.get(parts.scheme)
        if scheme is None or "://" not in url:
            raise ValueError(f"{_shown(url)} must begin with one of {', '.join(s + '://' for s in _SCHEMES)}")
        host = _host_of(parts, url)
        port = scheme.port if port is None else port
        if port is None:
            raise ValueError(f"{_shown(url)} needs a port, as in tls://{host}:443")
        if not 1 <= port <= 65535:
            raise ValueError(f"{_shown(url)} names port {port}; a port is a number from 1 to 65535")
        if parts.query or parts.fragment:
            raise ValueError(f"{_shown(url)} must not have a query or a fragment")
        if scheme.service is Service.EWS:
            return cls(scheme.service, host, port, scheme.security, parts.path if parts.path not in ("", "/") else EWS_PATH)
        if parts.path not in ("", "/"):
            raise ValueError(f"{_shown(url)} must not have a path; only https:// endpoints have one")
        return cls(scheme.service, host, port, scheme.security)


def authority_endpoint(name: str) -> Endpoint:
    """The authority that `host` or `host:port` names, an IPv6 address in brackets. Raises ValueError."""
    if not set("/\\?#").isdisjoint(name):
        raise ValueError(f"{_shown(name)} must be a host, or host:port")
    found = Endpoint.parse(f"https://{name}")
    # A final dot does not make it another host, so it must not slip past a list of hosts.
    return Endpoint(Service.AUTHORITY, found.host.rstrip("."), found.port, Security.IMPLICIT)


# The path of an organization's address: its unique name, or nothing where the organization has a host of its own.
_ORGANIZATION_PATH = re.compile(r"(?:/[A-Za-z0-9_.~%-]+)*")
_IN_CLEAR = "http://"


@dataclass(frozen=True, slots=True)
class OrganizationUrl:
    """Where an organization of Dynamics (on-premises) is: `https://crm.contoso.test/Contoso`, or a host of its own where it faces the internet."""

    endpoint: Endpoint
    """Of the service DYNAMICS; its path has no slash at its end."""
    is_plain: bool = False
    """Whether it is spoken to in clear, without TLS."""

    @property
    def origin(self) -> str:
        """The origin (scheme, host, port) as a browser writes it: the port only where it is not the scheme's default (RFC 6454)."""
        if not self.is_plain:
            return self.endpoint.origin
        host = f"[{self.endpoint.host}]" if ":" in self.endpoint.host else self.endpoint.host
        return f"{_IN_CLEAR}{host}" + ("" if self.endpoint.port == 80 else f":{self.endpoint.port}")

    def __str__(self) -> str:
        return f"{self.origin}{self.endpoint.path}"

    @classmethod
    def parse(cls, url: str) -> OrganizationUrl:
        """The organization's address that a URL names. Raises ValueError with one sentence on what would be right."""
        if "@" not in url and not url.lower().startswith(("https://", _IN_CLEAR)):
            raise ValueError(f"{_shown(url)} must begin with https:// (or http://, with plain_http = true)")
        is_plain = url.lower().startswith(_IN_CLEAR)
        named = Endpoint.parse(f"https://{url[len(_IN_CLEAR) :]}" if is_plain else url)
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        if not _ORGANIZATION_PATH.fullmatch(path) or "/api/" in f"{path.lower()}/" or path.lower().endswith(".aspx"):
            raise ValueError(f"{_shown(url)} must be the organization's address alone, as in https://crm.contoso.test/Contoso")
        port = 80 if is_plain and parts.port is None else named.port
        return cls(Endpoint(Service.DYNAMICS, named.host, port, Security.IMPLICIT, path), is_plain)


_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_UNIQUE_NAME = re.compile(r"[^\s\x00-\x1f]{1,160}")


@dataclass(frozen=True, slots=True)
class BoundOrganization:
    """The one organization that an estate is of."""

    id: str
    """Its GUID, in small letters."""
    name: str
    """Its unique name."""

    def __str__(self) -> str:
        return f"{self.id} {self.name}"

    @classmethod
    def parse(cls, text: str) -> BoundOrganization:
        """Out of `GUID NAME`. Raises ValueError with one sentence on what would be right."""
        guid, _, name = text.partition(" ")
        if not _GUID.fullmatch(guid) or not _UNIQUE_NAME.fullmatch(name):
            raise ValueError('must be the id of the organization and its unique name, as in "5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11 Contoso"')
        return cls(guid.lower(), name)


def _host_of(parts: SplitResult, url: str) -> str:
    host = (parts.hostname or "").lower()
    if not host:
        raise ValueError(f"{_shown(url)} names no host")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        ascii_host = ascii_name(host)
    except UnicodeError:
        ascii_host = host
    if not _HOST_NAME.match(ascii_host) or len(ascii_host) > 253:
        raise ValueError(f"{_shown(url)} names no valid host: {host!r}")
    if all(map(_NUMBER.match, ascii_host.split("."))):  # which a resolver reads as it likes; what IDNA made of other digits too
        raise ValueError(f"{_shown(url)} names no valid address: {host!r}")
    return ascii_host


def _shown(url: str) -> str:
    """The URL for a message, bounded."""
    return repr(url[:200])


class DeploymentKind(StrEnum):
    ON_PREMISES = "on-premises"


class Cloud(StrEnum):
    """Which of Microsoft's clouds has the tenant: its Entra ID and its Exchange Online belong together, and share nothing with another's."""

    WORLDWIDE = "worldwide"
    US_GOVERNMENT = "us-government"
    """Its GCC High; plain GCC is worldwide."""
    US_DOD = "us-dod"
    CHINA = "china"


class ServerType(StrEnum):
    """The server type of an email server profile."""

    EXCHANGE_SERVER = "exchange-server"
    EXCHANGE_SERVER_HYBRID = "exchange-server-hybrid"
    EXCHANGE_ONLINE = "exchange-online"
    POP3_SMTP = "pop3-smtp"
    IMAP_SMTP = "imap-smtp"


class Authentication(StrEnum):
    AUTO = "auto"
    NEGOTIATE = "negotiate"
    NTLM = "ntlm"
    BASIC = "basic"
    OAUTH = "oauth"


class Credentials(StrEnum):
    """Whose credentials a profile signs in with."""

    MAILBOX = "mailbox"
    PROFILE = "profile"
    SERVER_TO_SERVER = "server-to-server"
    WINDOWS_INTEGRATED = "windows-integrated"
    ANONYMOUS = "anonymous"


class Delivery(StrEnum):
    """How a mailbox's mail, or its appointments, contacts and tasks, are synchronized."""

    SERVER_SIDE = "server-side"
    OUTLOOK = "outlook"
    FORWARD = "forward"
    """Only for incoming mail: it is forwarded to a mailbox that collects it."""
    NONE = "none"


class Location(StrEnum):
    """Where a mailbox lives."""

    ON_PREMISES = "on-premises"
    EXCHANGE_ONLINE = "exchange-online"
    ELSEWHERE = "elsewhere"


class Secret:
    """A password or token in memory, which cannot be printed, compared, pickled or serialised by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself. To be called where it is sent, and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret is to be found when it is needed: `env:NAME`, `file:PATH` or `keyring:SERVICE/USER`."""

    kind: str
    """`env`, `file` or `keyring`."""
    locator: str
    is_pem: bool = False
    """Whether what lies there is PEM, which alone has several lines."""

    @classmethod
    def parse(cls, text: str) -> SecretReference:
        """The reference that a text names. Raises ValueError, which never repeats the text: it may be a password."""
        kind, colon, locator = text.partition(":")
        if not colon or kind not in ("env", "file", "keyring") or not locator:
            raise ValueError("a secret is never written here; refer to it as env:NAME, file:PATH or keyring:SERVICE/USER")
        if kind == "env" and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_()]*", locator):
            raise ValueError("after `env:` stands the name of an environment variable, as in env:CRM_EWS_PASSWORD")
        if kind == "keyring" and not all(locator.partition("/")):
            raise ValueError("after `keyring:` stand a service and a user, as in keyring:probe/svc-crm")
        return cls(kind, locator)

    def __repr__(self) -> str:
        return f"SecretReference({self.kind}:...)"


UNTOLD_SECRET = SecretReference("untold", "")
"""Stands for a reference that a stored run does not name. The secret cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The Dynamics organization."""

    name: str
    kind: DeploymentKind
    version: str
    runs_on: str
    """Which Windows speaks TLS to the mail servers, as in `windows-server-2019`."""
    fips: bool
    """Whether the Windows FIPS policy is on where the asynchronous service runs."""
    mass_email: bool
    custom_email_providers: bool
    outlook_on_the_web_tracking: bool
    outlook_manual_tracking: bool
    allow: frozenset[Effect] = frozenset()
    """Effects beyond reading that the operator switched on."""
    authorities: tuple[str, ...] = ()
    """AD FS servers, as `host` or `host:port`, that may be sent a password or an assertion besides the cloud's Entra ID."""
    cloud: Cloud = Cloud.WORLDWIDE
    """Whose Entra ID may be asked for tokens, and whose Exchange Online gets them."""
    service_account: str | None = None
    """The account of the asynchronous service, whose sign-in `windows-integrated` is: `DOMAIN\\user` or `user@domain`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicsAccess:
    """Where Dynamics' own records are read, and as whom. That it stands in an estate is the permission to sign in there and to read."""

    url: OrganizationUrl
    authentication: Authentication = Authentication.NEGOTIATE
    """`negotiate`, which is Kerberos first, `ntlm`, or `oauth` through AD FS."""
    username: str | None = None
    """None: the account that runs this program."""
    password: SecretReference | None = None
    token_url: str | None = None
    """AD FS's token endpoint, for `oauth`; its host is one of the deployment's authorities."""
    client_id: str | None = None
    """The client that is registered with AD FS, for `oauth`."""
    organization: BoundOrganization | None = None
    """The only organization whose records are read; None until one is bound."""
    ca: str | None = None
    """File with more trust anchors, PEM, for Dynamics and its AD FS."""
    plain_http: bool = False
    """Whether the operator allows an `http://` address, which is spoken to without TLS."""

    @property
    def has_credentials(self) -> bool:
        return self.password is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInSettings:
    """How an email server profile signs in at one of its endpoints."""

    authentication: Authentication
    credentials: Credentials
    impersonation: bool
    username: str | None
    password: SecretReference | None
    application_secret: SecretReference | None
    """By what an application signs in by itself, where one does."""

    @property
    def has_application(self) -> bool:
        """Whether an application signs in by itself to what takes tokens."""
        return self.application_secret is not None

    def account_of(self, mailbox: Mailbox) -> tuple[str, SecretReference] | None:
        """User name and password that are signed in with for a mailbox; None where the estate does not have both."""
        match self.credentials:
            case Credentials.MAILBOX:
                username, password = mailbox.username or mailbox.address, mailbox.password
            case Credentials.PROFILE:
                username, password = self.username or "", self.password
            case _:
                return None
        return (username, password) if username and password is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerProfile:
    """An email server profile."""

    name: str
    server_type: ServerType
    incoming: Endpoint | None
    """None only where Autodiscover finds it: then each mailbox has an `ews_url`."""
    outgoing: Endpoint | None
    autodiscover: bool = False
    authentication: Authentication = Authentication.AUTO
    credentials: Credentials
    impersonation: bool = False
    product: str | None = None
    """The operator's word for what answers, where the server hides its name, as in `Dovecot 2.4`."""
    outgoing_product: str | None = None
    """The same of the outgoing endpoint, where it is another product."""
    username: str | None = None
    password: SecretReference | None = None
    tenant: str | None = None
    """Tenant of Entra ID, by its GUID or a domain of it."""
    client_id: str | None = None
    """Application that asks for tokens."""
    client_secret: SecretReference | None = None
    client_certificate: SecretReference | None = None
    """PEM with the application's certificate and private key."""
    fips_validated: str | None = None
    """The operator's word that the mail server's cryptographic module is validated, and by which certificate."""
    outgoing_authentication: Authentication | None = None
    """Of the outgoing endpoint, as the following; None where it is as at the incoming one."""
    outgoing_credentials: Credentials | None = None
    outgoing_impersonation: bool | None = None
    outgoing_username: str | None = None
    outgoing_password: SecretReference | None = None
    """The password of that account; with None for both, the account is that of the incoming endpoint."""
    outgoing_fips_validated: str | None = None

    @property
    def application_secret(self) -> SecretReference | None:
        """By what the application signs in by itself; None where it cannot."""
        if not self.client_id or not self.tenant:
            return None
        return self.client_secret if self.client_certificate is None else replace(self.client_certificate, is_pem=True)

    @property
    def has_credentials(self) -> bool:
        return self.password is not None

    @property
    def has_outgoing_credentials(self) -> bool:
        return self.outgoing_password is not None

    @property
    def can_ask_as_application(self) -> bool:
        """Whether it is known where the application's secret, or its certificate, is kept."""
        return self.client_secret is not None or self.client_certificate is not None

    @property
    def incoming_settings(self) -> SignInSettings:
        """How it signs in at the incoming endpoint."""
        return self._settings(self.authentication, self.credentials, self.impersonation, (self.username, self.password))

    @property
    def outgoing_settings(self) -> SignInSettings:
        """How it signs in at the outgoing endpoint."""
        has_own_account = self.outgoing_username is not None
        return self._settings(
            self.outgoing_authentication or self.authentication,
            self.outgoing_credentials or self.credentials,
            self.impersonation if self.outgoing_impersonation is None else self.outgoing_impersonation,
            (self.outgoing_username, self.outgoing_password) if has_own_account else (self.username, self.password),
        )

    @property
    def signs_in_alike(self) -> bool:
        """Whether it signs in at both endpoints in one way, as one account."""
        return self.incoming_settings == self.outgoing_settings

    def endpoints_of(self, mailbox: Mailbox) -> tuple[Endpoint, Endpoint]:
        """Where a mailbox of it is collected, and where it sends: what Autodiscover found goes before its own endpoint of EWS."""
        incoming, outgoing = self.incoming, self.outgoing
        if self.autodiscover and mailbox.ews_url is not None:
            incoming = mailbox.ews_url if incoming is None or incoming.service is Service.EWS else incoming
            outgoing = mailbox.ews_url if outgoing is None or outgoing.service is Service.EWS else outgoing
        # Reading an estate has made sure that what the profile leaves out each of its mailboxes has.
        assert incoming is not None
        assert outgoing is not None
        return incoming, outgoing

    def settings_at(self, endpoint: Endpoint, mailbox: Mailbox) -> SignInSettings | None:
        """How it signs in for a mailbox at an endpoint that serves it; None where one endpoint is signed in to in two ways."""
        incoming, outgoing = self.endpoints_of(mailbox)
        ways = {
            settings
            for is_used, where, settings in (
                (mailbox.uses_incoming, incoming, self.incoming_settings),
                (mailbox.uses_outgoing, outgoing, self.outgoing_settings),
            )
            if is_used and where == endpoint
        }
        return ways.pop() if len(ways) == 1 else None

    def opens_as_its_own(self, mailbox: Mailbox) -> bool:
        """Whether the incoming endpoint opens the mailbox as the account's own. A mail server opens the mailbox of whoever signs in, and no other."""
        account = self.incoming_settings.account_of(mailbox)
        is_its_own = self.credentials is Credentials.MAILBOX or (account is not None and account[0].lower() == mailbox.address.lower())
        return account is not None and is_its_own

    def _settings(
        self,
        authentication: Authentication,
        credentials: Credentials,
        impersonation: bool,
        account: tuple[str | None, SecretReference | None],
    ) -> SignInSettings:
        return SignInSettings(
            authentication=authentication,
            credentials=credentials,
            impersonation=impersonation,
            username=account[0],
            password=account[1],
            application_secret=self.application_secret if authentication is Authentication.OAUTH else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """A Dynamics mailbox."""

    address: str
    profile: str
    """Name of its email server profile."""
    incoming: Delivery
    outgoing: Delivery
    appointments: Delivery
    """Appointments, contacts and tasks."""
    username: str | None = None
    password: SecretReference | None = None
    location: Location | None = None
    """Where the operator says that the mailbox lives; None where nothing was said."""
    mfa: bool | None = None
    """Whether the operator says that multi-factor authentication is required of the account it signs in with."""
    ews_url: Endpoint | None = None
    """What Autodiscover found for it; its endpoint, where its profile uses Autodiscover."""
    id: str | None = None
    """Its GUID in Dynamics, in small letters."""

    @property
    def has_credentials(self) -> bool:
        return self.password is not None

    @property
    def is_served(self) -> bool:
        """Whether server-side synchronization does anything for this mailbox."""
        return Delivery.SERVER_SIDE in (self.incoming, self.outgoing, self.appointments)

    @property
    def uses_incoming(self) -> bool:
        """Whether the profile's incoming endpoint serves it: for mail received, or for appointments (over EWS)."""
        return Delivery.SERVER_SIDE in (self.incoming, self.appointments)

    @property
    def uses_outgoing(self) -> bool:
        return self.outgoing is Delivery.SERVER_SIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLimits:
    """How long, and up to which size, the history of a deployment is kept. Nothing that is judged depends on it, so no document has it."""

    keep: int = 730
    """Days. After them what has ended is dropped; what still lasts stays."""
    max_size: int = 2_000_000_000
    """Bytes; above that what ended first is dropped first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """All that the operator declares."""

    deployment: Deployment
    profiles: tuple[ServerProfile, ...]
    mailboxes: tuple[Mailbox, ...]
    dynamics: DynamicsAccess | None = None
    history: HistoryLimits = HistoryLimits()
    _named: dict[str, ServerProfile] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Indexed by name, since a search for each mailbox would cost mailboxes times profiles.
        object.__setattr__(self, "_named", {profile.name: profile for profile in self.profiles})

    def profile_of(self, mailbox: Mailbox) -> ServerProfile:
        """The profile that a mailbox names; reading an estate has made sure that there is one."""
        return self._named[mailbox.profile]

    def endpoints_of(self, mailbox: Mailbox) -> tuple[Endpoint, Endpoint]:
        """Where a mailbox is collected, and where it sends."""
        return self.profile_of(mailbox).endpoints_of(mailbox)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint that it names, each once."""
        found = (end for profile in self.profiles for end in (profile.incoming, profile.outgoing) if end is not None)
        return tuple(dict.fromkeys((*found, *(end for mailbox in self.mailboxes for end in self.endpoints_of(mailbox)))))


DEPLOYMENT_SUBJECT = "deployment"
PROFILE_SUBJECTS = "profile:"
"""What the subjects of facts about email server profiles begin with."""


def profile_subject(name: str) -> str:
    """The subject of facts about an email server profile."""
    return f"{PROFILE_SUBJECTS}{name}"
