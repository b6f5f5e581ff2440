"""The simulated estate and the organization of Dynamics that it is declared for: records, Web API and asynchronous service, all running.

Beside the mailboxes of the estate there are some that go wrong by their records alone, or by what nobody outside can see, so that Test &
Enable has every outcome.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from probe.model.estate import (
    Authentication,
    Credentials,
    Delivery,
    Endpoint,
    Estate,
    Mailbox,
    SecretReference,
    ServerProfile,
    ServerType,
    SignInSettings,
)
from probe.model.estate import Service as MailService
from probe.model.values import dataclass
from probe.simulation.authority import Authority
from probe.simulation.dynamics.candidates import AsynchronousServer
from probe.simulation.dynamics.organization import Oddity, Organization, SystemUser, WaitingMail, now
from probe.simulation.dynamics.routes import Routes
from probe.simulation.dynamics.service import AsynchronousService, Pace
from probe.simulation.dynamics.signing_in import Windows
from probe.simulation.dynamics.web_api import DynamicsServer
from probe.simulation.estate import SERVICE_ACCOUNT, SERVICE_PASSWORD, Simulation
from probe.simulation.listening import LOOPBACK
from probe.simulation.ntlm import WindowsHost
from probe.simulation.smtp import SmtpServer

HOST = "crm.contoso.test"
USER = SystemUser(name="CONTOSO\\svc-probe", principal_name="svc-probe@contoso.test", password="Paper-Lantern-5")

_SERVER_TYPES = {
    ServerType.EXCHANGE_SERVER: 0,
    ServerType.POP3_SMTP: 1,
    ServerType.EXCHANGE_SERVER_HYBRID: 2,
    ServerType.EXCHANGE_ONLINE: 3,
    ServerType.IMAP_SMTP: 4,
}
_AUTHENTICATION = {
    Authentication.AUTO: 0,
    Authentication.NEGOTIATE: 1,
    Authentication.NTLM: 2,
    Authentication.BASIC: 3,
    Authentication.OAUTH: 4,
}
_CREDENTIALS = {
    Credentials.MAILBOX: 0,
    Credentials.PROFILE: 1,
    Credentials.SERVER_TO_SERVER: 2,
    Credentials.WINDOWS_INTEGRATED: 3,
    Credentials.ANONYMOUS: 4,
}
_INCOMING = {Delivery.NONE: 0, Delivery.OUTLOOK: 1, Delivery.SERVER_SIDE: 2, Delivery.FORWARD: 3}
_APPOINTMENTS = {Delivery.OUTLOOK: 0, Delivery.SERVER_SIDE: 1, Delivery.NONE: 2}

_EXCHANGE_2007_SP1, _EXCHANGE_2013 = 1, 5

# Ten tries of a server that says nothing would be ten time-outs.
_PACE = Pace(tries=2)


def organization_of(estate: Estate) -> Organization:
    """The records out of which an estate would be imported; passwords are read from the files that the estate refers to."""
    organization = Organization()
    profiles = {profile.name: _profile(organization, profile) for profile in estate.profiles}
    for mailbox in estate.mailboxes:
        _mailbox(organization, mailbox, profiles[mailbox.profile])
    return organization


def _profile(organization: Organization, profile: ServerProfile) -> str:
    incoming, outgoing = profile.incoming, profile.outgoing
    assert incoming is not None
    assert outgoing is not None
    return organization.add_profile(
        profile.name,
        servertype=_SERVER_TYPES[profile.server_type],
        exchangeversion=_EXCHANGE_2007_SP1 if "2007" in profile.name else _EXCHANGE_2013,
        useautodiscover=profile.autodiscover,
        incomingserverlocation=_location(incoming),
        outgoingserverlocation=_location(outgoing),
        incomingportnumber=None if incoming.service is MailService.EWS else incoming.port,
        outgoingportnumber=None if outgoing.service is MailService.EWS else outgoing.port,
        usesamesettingsforoutgoingconnections=profile.signs_in_alike,
        **_signing_in("incoming", profile.incoming_settings),
        **_signing_in("outgoing", profile.outgoing_settings),
    )


def _signing_in(side: str, settings: SignInSettings) -> dict[str, Any]:
    """How it signs in at one of its endpoints; the outgoing columns are filled too where the incoming ones count for both."""
    account = {"username": settings.username, "password": _read(settings.password)} if settings.username else {}
    return {
        f"{side}authenticationprotocol": _AUTHENTICATION[settings.authentication],
        f"{side}credentialretrieval": _CREDENTIALS[settings.credentials],
        f"{side}useimpersonation": settings.impersonation,
        **{f"{side}{name}": value for name, value in account.items()},
    }


def _mailbox(organization: Organization, mailbox: Mailbox, profile: str) -> str:
    own = {"username": mailbox.username, "password": _read(mailbox.password), "allowemailconnectortousecredentials": True}
    return organization.add_mailbox(
        mailbox.address,
        profile,
        incomingemaildeliverymethod=_INCOMING[mailbox.incoming],
        outgoingemaildeliverymethod=_INCOMING[mailbox.outgoing],
        actdeliverymethod=_APPOINTMENTS[mailbox.appointments],
        isemailaddressapprovedbyo365admin=True,
        **(own if mailbox.username else {}),
    )


def _location(endpoint: Endpoint) -> str:
    return endpoint.url if endpoint.service is MailService.EWS else endpoint.host


def _read(reference: SecretReference | None) -> str | None:
    return Path(reference.locator).read_text(encoding="utf-8") if reference is not None else None


def add_more(organization: Organization, profile: str, inactive: str) -> None:
    """Mailboxes that fail by their records, or by what nobody outside can see."""
    served = {"incomingemaildeliverymethod": 2, "outgoingemaildeliverymethod": 2, "actdeliverymethod": 1}
    organization.add_mailbox("press@contoso.test", profile, emailrouteraccessapproval=2, **served)
    organization.add_mailbox("legal@contoso.test", inactive, **served)
    organization.add_mailbox("retail@contoso.test", profile, **served)
    organization.oddities["retail@contoso.test"] = Oddity.OWNER_LACKS_PRIVILEGES
    organization.add_mailbox("claims@contoso.test", profile, **served)
    organization.claimed_elsewhere.add("claims@contoso.test")
    organization.add_mailbox(None, profile, **served)


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A running estate with its organization. `async with Demonstration.start() as demonstration:` starts it, and ends all of it."""

    simulation: Simulation
    organization: Organization
    server: DynamicsServer
    service: AsynchronousService
    url: str
    """The organization's."""
    hosts: Mapping[str, str]
    """The address of every host name, Dynamics' own among them."""
    delivered: list[tuple[str, str]]
    """What the SMTP servers took: recipient and message."""

    @classmethod
    @asynccontextmanager
    async def start(cls, *, pace: Pace = _PACE, timeout: float = 1.0) -> AsyncIterator[Demonstration]:
        """`timeout` is that of the asynchronous service's connections, in seconds."""
        async with Simulation.start() as simulation, AsyncExitStack() as stack:
            delivered: list[tuple[str, str]] = []
            for server in simulation.servers.values():
                if isinstance(server, SmtpServer):
                    server.deliver = lambda recipient, message: delivered.append((recipient, message))
            organization = organization_of(simulation.estate)
            profiles = {row["name"]: identifier for identifier, row in organization.profiles.items()}
            inactive = organization.add_profile("retired", incomingserverlocation="https://old.contoso.test/EWS/Exchange.asmx", statecode=1)
            add_more(organization, profiles["exchange-2016"], inactive)
            _add_pending(organization)
            site = await stack.enter_async_context(_site(organization, simulation.authority))
            trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            trust.load_verify_locations(simulation.ca_file)
            routes = Routes(trust=trust, hosts=simulation.hosts, timeout=timeout)
            asynchronous = AsynchronousServer(routes=routes, service_account=(SERVICE_ACCOUNT, SERVICE_PASSWORD))
            service = await stack.enter_async_context(AsynchronousService(organization, asynchronous, pace=pace))
            url = f"https://{HOST}:{site.port}/{organization.name}"
            yield cls(simulation, organization, site, service, url, {**simulation.hosts, HOST: LOOPBACK}, delivered)


def _site(organization: Organization, authority: Authority) -> DynamicsServer:
    windows = Windows(host=WindowsHost(computer=HOST, domain="contoso.test", version=(10, 0, 17763)))
    return DynamicsServer(organization, authority.issue(HOST, LOOPBACK).context(), users=(USER,), windows=windows)


def _add_pending(organization: Organization) -> None:
    """A few mails that wait for the first mailbox to be enabled."""
    moment = now()
    first = next(iter(organization.mailboxes))
    organization.pending[first] = WaitingMail(12, moment.replace(day=1), moment)
