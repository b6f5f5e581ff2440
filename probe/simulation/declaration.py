"""The declaration that the operator of the simulated estate would have written."""

from __future__ import annotations

from collections.abc import Mapping

from probe.model.estate import (
    Authentication,
    Credentials,
    Delivery,
    Deployment,
    DeploymentKind,
    Effect,
    Endpoint,
    Estate,
    Location,
    Mailbox,
    SecretReference,
    ServerProfile,
    ServerType,
)

# Those of the Exchange servers where Dynamics signs in with one account for all mailboxes; the others use the Windows account of
# the asynchronous service, for which there is no password to try.
_ONE_ACCOUNT = ("exchange-2013", "exchange-2016", "exchange-2019", "exchange-se")
_WINDOWS_ACCOUNT = ("exchange-2007", "exchange-2010")
_ONLINE = ("exchange-online", "exchange-online-closed")
_POP3 = ("gmail", "yahoo", "outlook-com", "fabrikam", "tailspin")

_DEPLOYMENT = Deployment(
    name="contoso-crm",
    kind=DeploymentKind.ON_PREMISES,
    version="9.1",
    runs_on="windows-server-2019",
    fips=False,
    mass_email=False,
    custom_email_providers=False,
    outlook_on_the_web_tracking=False,
    outlook_manual_tracking=False,
    allow=frozenset({Effect.LOGS_IN}),
)


def declare(urls: Mapping[str, str], secrets: Mapping[str, SecretReference], service_account: str) -> Estate:
    """The estate, given where each server listens and where each account's password lies."""
    return Estate(
        deployment=_DEPLOYMENT,
        profiles=(
            *(_exchange(name, urls[name], service_account, secrets[service_account]) for name in _ONE_ACCOUNT),
            *(_exchange(name, urls[name], None, None) for name in _WINDOWS_ACCOUNT),
            *(_online(name, urls[name]) for name in _ONLINE),
            *(_pop3(name, urls[f"{name}-in"], urls[f"{name}-out"]) for name in _POP3),
        ),
        mailboxes=(
            _on_premises("sales", "exchange-2016"),
            _on_premises("service", "exchange-2016"),
            _on_premises("board", "exchange-2016"),
            _forwarded("newsletter", "exchange-2016"),
            _on_premises("finance", "exchange-2019"),
            _on_premises("pilot", "exchange-se"),
            _on_premises("depot", "exchange-2013"),
            _on_premises("warehouse", "exchange-2010"),
            _on_premises("archive", "exchange-2007"),
            _in_the_cloud("anna", "exchange-online"),
            _in_the_cloud("ben", "exchange-online"),
            _in_the_cloud("branch", "exchange-online-closed"),
            _mail_only("contoso.events@gmail.com", "gmail", secrets),
            _mail_only("contoso.jobs@gmail.com", "gmail", secrets, appointments=Delivery.SERVER_SIDE),
            _mail_only("contoso.parts@yahoo.com", "yahoo", secrets),
            _mail_only("contoso.fairs@outlook.com", "outlook-com", secrets),
            _mail_only("orders@fabrikam.test", "fabrikam", secrets),
            _mail_only("support@tailspin.test", "tailspin", secrets),
        ),
    )


def _exchange(name: str, url: str, username: str | None, password: SecretReference | None) -> ServerProfile:
    endpoint = Endpoint.parse(url)
    return ServerProfile(
        name=name,
        server_type=ServerType.EXCHANGE_SERVER,
        incoming=endpoint,
        outgoing=endpoint,
        authentication=Authentication.NTLM if username else Authentication.NEGOTIATE,
        credentials=Credentials.PROFILE if username else Credentials.WINDOWS_INTEGRATED,
        impersonation=True,
        username=username,
        password=password,
    )


def _online(name: str, url: str) -> ServerProfile:
    endpoint = Endpoint.parse(url)
    return ServerProfile(
        name=name,
        server_type=ServerType.EXCHANGE_ONLINE,
        incoming=endpoint,
        outgoing=endpoint,
        authentication=Authentication.OAUTH,
        credentials=Credentials.SERVER_TO_SERVER,
    )


def _pop3(name: str, incoming: str, outgoing: str) -> ServerProfile:
    return ServerProfile(
        name=name,
        server_type=ServerType.POP3_SMTP,
        incoming=Endpoint.parse(incoming),
        outgoing=Endpoint.parse(outgoing),
        authentication=Authentication.BASIC,
        credentials=Credentials.MAILBOX,
    )


def _on_premises(name: str, profile: str) -> Mailbox:
    return _all_server_side(name, profile, Location.ON_PREMISES)


def _in_the_cloud(name: str, profile: str) -> Mailbox:
    return _all_server_side(name, profile, Location.EXCHANGE_ONLINE)


def _all_server_side(name: str, profile: str, location: Location) -> Mailbox:
    return Mailbox(
        address=f"{name}@contoso.test",
        profile=profile,
        incoming=Delivery.SERVER_SIDE,
        outgoing=Delivery.SERVER_SIDE,
        appointments=Delivery.SERVER_SIDE,
        location=location,
    )


def _forwarded(name: str, profile: str) -> Mailbox:
    """A mailbox that server-side synchronization does not serve."""
    return Mailbox(
        address=f"{name}@contoso.test",
        profile=profile,
        incoming=Delivery.FORWARD,
        outgoing=Delivery.NONE,
        appointments=Delivery.NONE,
        location=Location.ON_PREMISES,
    )


def _mail_only(address: str, profile: str, secrets: Mapping[str, SecretReference], *, appointments: Delivery = Delivery.NONE) -> Mailbox:
    return Mailbox(
        address=address,
        profile=profile,
        incoming=Delivery.SERVER_SIDE,
        outgoing=Delivery.SERVER_SIDE,
        appointments=appointments,
        username=address,
        password=secrets[address],
        location=Location.ELSEWHERE,
    )
