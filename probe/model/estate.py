"""What the operator declares: the deployment, its email server profiles and its mailboxes.

Values only: building one resolves no name and opens no file. The words are those of Dynamics' own forms.
Endpoints, organizations and secrets are defined in files of their own, and can be imported from here.
"""

from __future__ import annotations

from dataclasses import field, replace
from datetime import date
from enum import StrEnum
from itertools import chain

from probe.model.effects import Effect as Effect
from probe.model.endpoints import EWS_PATH as EWS_PATH
from probe.model.endpoints import Endpoint as Endpoint
from probe.model.endpoints import Security as Security
from probe.model.endpoints import Service as Service
from probe.model.endpoints import authority_endpoint as authority_endpoint
from probe.model.organizations import BoundOrganization as BoundOrganization
from probe.model.organizations import OrganizationUrl as OrganizationUrl
from probe.model.secrets import UNTOLD_SECRET as UNTOLD_SECRET
from probe.model.secrets import Secret as Secret
from probe.model.secrets import SecretReference as SecretReference
from probe.model.values import dataclass
from probe.model.watching import AlertSettings as AlertSettings
from probe.model.watching import Hours as Hours
from probe.model.watching import ScheduleSettings as ScheduleSettings


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
    enable_from_page: bool = False
    """Whether somebody may have Test & Enable run from the page of the service; without it the command line alone can ask for that."""

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
    canary: str | None = None
    """Address of the mailbox that is signed in to between the nightly sign-ins; None: the first of its served mailboxes that has credentials."""
    alerts_to: tuple[SecretReference, ...] | None = None
    """Who is told of its mailboxes; None: whoever is told of everything."""
    password_ends: date | None = None
    """The operator's word when its password ends, which no wire shows."""

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
    schedule: ScheduleSettings = ScheduleSettings()
    alerts: AlertSettings = AlertSettings()
    _named: dict[str, ServerProfile] = field(init=False, repr=False, compare=False)
    _endpoints: tuple[Endpoint, ...] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Indexed by name, since a search for each mailbox would cost mailboxes times profiles.
        object.__setattr__(self, "_named", {profile.name: profile for profile in self.profiles})
        object.__setattr__(self, "_endpoints", None)

    def profile_of(self, mailbox: Mailbox) -> ServerProfile:
        """The profile that a mailbox names; reading an estate has made sure that there is one."""
        return self._named[mailbox.profile]

    def endpoints_of(self, mailbox: Mailbox) -> tuple[Endpoint, Endpoint]:
        """Where a mailbox is collected, and where it sends."""
        return self.profile_of(mailbox).endpoints_of(mailbox)

    @property
    def watches_dynamics(self) -> bool:
        """Whether Dynamics' own records are read on schedule."""
        return self.dynamics is not None and self.schedule.dynamics is not None

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint that it names, each once."""
        found = self._endpoints
        if found is None:  # when first asked for, since going through ten thousand mailboxes takes a while
            ends = chain(((profile.incoming, profile.outgoing) for profile in self.profiles), map(self.endpoints_of, self.mailboxes))
            found = tuple(dict.fromkeys(end for pair in ends for end in pair if end is not None))
            object.__setattr__(self, "_endpoints", found)
        return found


DEPLOYMENT_SUBJECT = "deployment"
PROFILE_SUBJECTS = "profile:"
"""What the subjects of facts about email server profiles begin with."""


def profile_subject(name: str) -> str:
    """The subject of facts about an email server profile."""
    return f"{PROFILE_SUBJECTS}{name}"
