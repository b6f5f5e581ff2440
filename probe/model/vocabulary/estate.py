"""What the operator declares of the estate."""

from __future__ import annotations

from datetime import date

from probe.model.estate import Authentication, Credentials, Delivery, Effect, Location, Security, ServerType, Service
from probe.model.keys import FactKey
from probe.model.kinds import DAY, FLAG, TEXT, choice, choices
from probe.model.provenance import Inferred, Provenance, Rank

DEPLOYMENT_RUNS_ON: FactKey[str] = FactKey(
    "deployment.runs_on", TEXT, "The Windows that speaks TLS to the mail servers.", ("windows-server-2019",)
)
DEPLOYMENT_FIPS: FactKey[bool] = FactKey(
    "deployment.fips", FLAG, "Whether the Windows FIPS policy is on where the asynchronous service runs.", (True, False)
)
DEPLOYMENT_MASS_EMAIL: FactKey[bool] = FactKey(
    "deployment.mass_email", FLAG, "Whether mass mailings are sent through server-side synchronization.", (True, False)
)
DEPLOYMENT_CUSTOM_PROVIDERS: FactKey[bool] = FactKey(
    "deployment.custom_email_providers", FLAG, "Whether the mail protocols are extended or custom email providers are used.", (True, False)
)
DEPLOYMENT_OWA_TRACKING: FactKey[bool] = FactKey(
    "deployment.outlook_on_the_web_tracking", FLAG, "Whether users track from Outlook on the web.", (True, False)
)
DEPLOYMENT_MANUAL_TRACKING: FactKey[bool] = FactKey(
    "deployment.outlook_manual_tracking", FLAG, "Whether users track manually in Dynamics 365 for Outlook.", (True, False)
)
DEPLOYMENT_APPOINTMENT_WAYS: FactKey[tuple[str, ...]] = FactKey(
    "deployment.appointment_ways",
    choices(*Delivery),
    "The ways in which mailboxes of the organization synchronize appointments, contacts and tasks, without `none`.",
    (("server-side",), ("outlook", "server-side"), ()),
)
DEPLOYMENT_NAMES_SERVICE_ACCOUNT: FactKey[bool] = FactKey(
    "deployment.names_service_account", FLAG, "Whether the estate names the account that signs in with `windows-integrated`.", (True, False)
)
DEPLOYMENT_ALLOWS: FactKey[tuple[str, ...]] = FactKey(
    "deployment.allow",
    choices(*Effect),
    "Effects beyond reading that the operator allowed; empty where there is none.",
    (("logs-in",), ("logs-in", "provokes"), ()),
)

PROFILE_SERVER_TYPE: FactKey[str] = FactKey(
    "profile.server_type", choice(*ServerType), "Server type of the email server profile.", tuple(map(str, ServerType))
)
PROFILE_AUTODISCOVER: FactKey[bool] = FactKey(
    "profile.autodiscover", FLAG, "Whether Autodiscover finds the profile's server.", (True, False)
)
PROFILE_AUTHENTICATION: FactKey[str] = FactKey(
    "profile.authentication",
    choice(*Authentication),
    "The authentication protocol of the profile at its incoming endpoint.",
    tuple(map(str, Authentication)),
)
PROFILE_CREDENTIALS: FactKey[str] = FactKey(
    "profile.credentials",
    choice(*Credentials),
    "The owner of the credentials that the profile signs in with at its incoming endpoint.",
    tuple(map(str, Credentials)),
)
PROFILE_APPLICATION: FactKey[bool] = FactKey(
    "profile.application",
    FLAG,
    "Whether the estate names an application that signs in by itself for the profile, at its incoming endpoint.",
    (True, False),
)
PROFILE_IMPERSONATION: FactKey[bool] = FactKey(
    "profile.impersonation", FLAG, "Whether the profile's account impersonates the mailbox, at its incoming endpoint.", (True, False)
)
PROFILE_FIPS_VALIDATED: FactKey[str] = FactKey(
    "profile.fips_validated",
    TEXT,
    "What the operator declares of the validation of the incoming mail server's cryptographic module.",
    ("CMVP #4985",),
)
_OUTGOING = "The same for the outgoing endpoint; as for the incoming one where nothing else is declared."

PROFILE_OUTGOING_AUTHENTICATION: FactKey[str] = FactKey(
    "profile.outgoing_authentication", choice(*Authentication), _OUTGOING, tuple(map(str, Authentication))
)
PROFILE_OUTGOING_CREDENTIALS: FactKey[str] = FactKey(
    "profile.outgoing_credentials", choice(*Credentials), _OUTGOING, tuple(map(str, Credentials))
)
PROFILE_OUTGOING_APPLICATION: FactKey[bool] = FactKey("profile.outgoing_application", FLAG, _OUTGOING, (True, False))
PROFILE_OUTGOING_IMPERSONATION: FactKey[bool] = FactKey("profile.outgoing_impersonation", FLAG, _OUTGOING, (True, False))
PROFILE_OUTGOING_FIPS_VALIDATED: FactKey[str] = FactKey("profile.outgoing_fips_validated", TEXT, _OUTGOING, ("CMVP #4985",))
PROFILE_PASSWORD_ENDS: FactKey[date] = FactKey(
    "profile.password_ends",
    DAY,
    "The day on which the password of the profile ends, as the operator declares it.",
    (date(2027, 1, 31),),
)
PROFILE_LOCATIONS: FactKey[tuple[str, ...]] = FactKey(
    "profile.locations",
    choices(*Location),
    "Where the mailboxes live that server-side synchronization serves through this profile; known only where it is known of all of them.",
    (("on-premises",), ("exchange-online", "on-premises")),
)

MAILBOX_INCOMING: FactKey[str] = FactKey(
    "mailbox.incoming", choice(*Delivery), "How incoming mail is delivered.", tuple(map(str, Delivery))
)
MAILBOX_OUTGOING: FactKey[str] = FactKey(
    "mailbox.outgoing", choice("server-side", "outlook", "none"), "How outgoing mail is delivered.", ("server-side", "outlook", "none")
)
MAILBOX_APPOINTMENTS: FactKey[str] = FactKey(
    "mailbox.appointments",
    choice("server-side", "outlook", "none"),
    "How appointments, contacts and tasks are synchronized.",
    ("server-side", "outlook", "none"),
)
MAILBOX_DOMAIN: FactKey[str] = FactKey(
    "mailbox.domain", TEXT, "Domain of the mailbox's address, lower-case.", ("contoso.test", "gmail.com", "msn.com")
)
MAILBOX_OWN_ACCOUNT: FactKey[bool] = FactKey(
    "mailbox.own_account",
    FLAG,
    "Whether the estate names one account that sends and that opens the mailbox as its own, with a password: the mailbox's, or the profile's of the same name.",
    (True, False),
)

MAILBOX_OPENED = "mailbox-opened"
"""The inference that concludes where a mailbox lives from where a sign-in opened it."""


def _of_location(provenance: Provenance) -> Rank:
    """A sign-in that opened the mailbox is an observation. The operator and Autodiscover only declare it, and either may be out of date."""
    is_seen = provenance.rank is Rank.OBSERVED or (isinstance(provenance, Inferred) and provenance.inference == MAILBOX_OPENED)
    return Rank.OBSERVED if is_seen else Rank.DECLARED


MAILBOX_LOCATION: FactKey[str] = FactKey(
    "mailbox.location",
    choice(*Location),
    "Where the mailbox lives.",
    tuple(map(str, Location)),
    rank=_of_location,
    is_drift=True,
)
MAILBOX_LOCATION_SOURCE: FactKey[str] = FactKey(
    "mailbox.location_source",
    choice("opened", "said", "nobody"),
    "The source that shows where the mailbox lives: a sign-in that opened it at an endpoint of its profile; the operator or Autodiscover, even where they contradict each other; or none.",
    ("opened", "said", "nobody"),
)

ENDPOINT_SERVICE: FactKey[str] = FactKey(
    "endpoint.service", choice(*Service), "The protocol that the endpoint is declared to speak.", tuple(map(str, Service))
)
ENDPOINT_SECURITY: FactKey[str] = FactKey(
    "endpoint.security", choice(*Security), "How TLS begins at the endpoint, as declared.", tuple(map(str, Security))
)
ENDPOINT_HOST: FactKey[str] = FactKey(
    "endpoint.host", TEXT, "The endpoint's host, lower-case.", ("outlook.office365.com", "mail.contoso.test", "::1")
)
