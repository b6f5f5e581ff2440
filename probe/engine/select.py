"""Which conversations an estate calls for, and why another is not held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from probe.model.estate import (
    Authentication,
    Cloud,
    Credentials,
    Delivery,
    Effect,
    Endpoint,
    Estate,
    Mailbox,
    SecretReference,
    ServerProfile,
    Service,
)
from probe.probing import Application, Prober, TlsQuestion
from probe.probing.authority import askable
from probe.wire.mail_address import ascii_address


@dataclass(frozen=True, slots=True)
class Login:
    """The account that a conversation signs in with; its password is still a reference."""

    username: str
    password: SecretReference
    authentication: Authentication
    impersonates: bool
    synchronizes_appointments: bool = False
    application: Application | None = None
    authorities: frozenset[str] = frozenset()
    cloud: Cloud = Cloud.WORLDWIDE
    may_ask: tuple[str, ...] = ()
    """Hosts, with their port where it is not 443, that may be asked for a token, and then are sent the password or secret."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One prober to be tried on one endpoint, or the reason why it is not."""

    prober: Prober
    endpoint: Endpoint
    mailbox: str | None = None
    login: Login | None = None
    not_held: str = ""
    """Why it is not held; empty when it is."""
    only_address: str | None = None
    """The one address to use, where each address of a name is tried."""
    tls: TlsQuestion | None = None
    incoming: Endpoint | None = None
    """Where what is sent to `endpoint` is fetched from, for a prober that needs both."""
    identity: str | None = None
    """The mailbox that it is about without signing in, or one that stands for all behind the endpoint, where they are of one domain."""
    finds_server: bool = False
    """Whether the mailbox's profile finds its server by Autodiscover."""

    @property
    def subject(self) -> str:
        """What it learns about: the endpoint, or the mailbox."""
        return self.identity if self.prober.about_mailbox and self.identity is not None else self.endpoint.url


def for_estate(
    estate: Estate,
    mailboxes: Iterable[Mailbox],
    probers: Mapping[str, Prober],
    allowed: frozenset[Effect],
    tls: TlsQuestion | None = None,
) -> tuple[Conversation, ...]:
    """Every conversation that these mailboxes call for: one per prober and endpoint, one per mailbox where one signs in."""
    found: list[Conversation] = []
    for endpoint, served in users_of_endpoints(estate, mailboxes).items():
        for conversation in for_endpoint(endpoint, probers, allowed, tls):
            if conversation.prober.fetches_from:
                found += _round_trips(conversation, served, estate, allowed)
            elif conversation.prober.about_mailbox:
                found += _about_mailboxes(conversation, served, estate)
            elif conversation.prober.signs_in and not conversation.not_held:
                found += (_signed_in(conversation.prober, endpoint, mailbox, estate) for mailbox in served)
            else:
                found.append(replace(conversation, identity=_one_for_all(served)))
    return tuple(found)


def _about_mailboxes(conversation: Conversation, served: Iterable[Mailbox], estate: Estate) -> Iterator[Conversation]:
    """One for each mailbox that is opened at this endpoint: where it is collected, or else where it is sent from.

    The operator's word for where it lives does not spare the question: it may be out of date.
    """
    for mailbox in served:
        profile = estate.profile_of(mailbox)
        if conversation.endpoint == (profile.incoming if mailbox.uses_incoming else profile.outgoing):
            yield replace(conversation, mailbox=mailbox.address, identity=mailbox.address, finds_server=profile.autodiscover)


def _one_for_all(served: Sequence[Mailbox]) -> str | None:
    """The first of the mailboxes that a header carries, where what holds for its domain holds for all of them; else the first."""
    addresses = [mailbox.address for mailbox in served]
    if len({address.lower().rpartition("@")[2] for address in addresses}) != 1:
        return None
    return next((address for address in addresses if ascii_address(address) is not None), addresses[0])


def _round_trips(
    conversation: Conversation, served: Iterable[Mailbox], estate: Estate, allowed: frozenset[Effect]
) -> Iterator[Conversation]:
    """One for each mailbox that sends by this endpoint and fetches by one that the prober can fetch from."""
    endpoint, prober = conversation.endpoint, conversation.prober
    pairs = [
        (mailbox, profile)
        for mailbox in served
        if (profile := estate.profile_of(mailbox)).outgoing == endpoint
        and profile.incoming.service in prober.fetches_from
        and mailbox.uses_incoming
        and mailbox.uses_outgoing
    ]
    if conversation.not_held or Effect.LOGS_IN not in allowed:
        if pairs:
            yield replace(conversation, not_held=conversation.not_held or f"it signs in, and {Effect.LOGS_IN} is not allowed here")
        return
    for mailbox, profile in pairs:
        found = _signed_in(prober, endpoint, mailbox, estate)
        if found.login is not None and not profile.opens_as_its_own(mailbox):
            # A message to another mailbox would stay there for good.
            reason = (
                f"{found.login.username} opens its own mailbox, so that a message to {mailbox.address} could not be fetched and deleted"
            )
            found = replace(found, not_held=reason)
        yield replace(found, incoming=profile.incoming)


def users_of_endpoints(estate: Estate, mailboxes: Iterable[Mailbox]) -> dict[Endpoint, tuple[Mailbox, ...]]:
    """The endpoints that serve these mailboxes, each with the mailboxes that it serves."""
    users: dict[Endpoint, dict[str, Mailbox]] = {}
    for mailbox in mailboxes:
        profile = estate.profile_of(mailbox)
        for endpoint, is_used in ((profile.incoming, mailbox.uses_incoming), (profile.outgoing, mailbox.uses_outgoing)):
            if is_used:
                users.setdefault(endpoint, {})[mailbox.address] = mailbox
    return {endpoint: tuple(served.values()) for endpoint, served in users.items()}


def for_endpoint(
    endpoint: Endpoint, probers: Mapping[str, Prober], allowed: frozenset[Effect], tls: TlsQuestion | None = None
) -> Iterator[Conversation]:
    """Every prober that speaks the endpoint's service and has something to ask, held where its effect is allowed."""
    for prober in probers.values():
        if endpoint.service in prober.services and (tls is not None or not prober.asks_tls):
            is_allowed = prober.effect is Effect.READS or prober.effect in allowed
            reason = "" if is_allowed else f"its effect is {prober.effect}, which is not allowed here"
            yield Conversation(prober, endpoint, not_held=reason, tls=tls if prober.asks_tls else None)


def unspoken(endpoints: Iterable[Endpoint], probers: Mapping[str, Prober]) -> tuple[Service, ...]:
    """Services among the endpoints that no prober speaks."""
    spoken = frozenset(service for prober in probers.values() for service in prober.services)
    return tuple(dict.fromkeys(e.service for e in endpoints if e.service not in spoken))


def _signed_in(prober: Prober, endpoint: Endpoint, mailbox: Mailbox, estate: Estate) -> Conversation:
    login, reason = _login(mailbox, estate.profile_of(mailbox), endpoint)
    if login is not None:
        cloud, authorities = estate.deployment.cloud, estate.deployment.authorities
        login = replace(login, authorities=frozenset(authorities), cloud=cloud)
        if endpoint.service is Service.EWS and login.authentication in (Authentication.OAUTH, Authentication.AUTO):
            login = replace(login, may_ask=askable(endpoint, cloud, authorities))
    return Conversation(prober, endpoint, mailbox.address, login, reason)


def _login(mailbox: Mailbox, profile: ServerProfile, endpoint: Endpoint) -> tuple[Login | None, str]:
    """Whom the profile signs in as for a mailbox, or why that cannot be done from here."""
    appointments = mailbox.appointments is Delivery.SERVER_SIDE
    application = None
    if endpoint.service is Service.EWS and profile.client_id is not None:
        secret, by_itself = profile.application_secret, profile.has_application
        application = Application(profile.client_id, profile.tenant or "", by_itself, profile.client_certificate is not None)
        if by_itself and secret is not None:
            return Login(profile.client_id, secret, Authentication.OAUTH, True, appointments, application), ""
    if profile.credentials not in (Credentials.MAILBOX, Credentials.PROFILE):
        return None, f"the profile signs in with {profile.credentials} credentials, which only the Dynamics server has"
    if (account := profile.account_of(mailbox)) is None:
        return None, "the estate names no password for the account"
    username, password = account
    impersonates = profile.impersonation and profile.credentials is Credentials.PROFILE
    return Login(username, password, profile.authentication, impersonates, appointments, application), ""
