"""Selects the conversations of an estate or a look, with the reason for each that is not held: one function for each scope of probers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime

from probe.engine.plan import Conversation, Login, NotHeld, PlannedLogin, PlannedRoundTrip, named
from probe.model.estate import (
    Authentication,
    Credentials,
    Delivery,
    Deployment,
    Effect,
    Endpoint,
    Estate,
    Mailbox,
    SecretReference,
    ServerProfile,
    Service,
    SignInSettings,
)
from probe.model.facts import Why
from probe.model.values import dataclass
from probe.probing import Application, EndpointSubject, MailboxSubject, Prober, Scope, TlsQuestion, TlsSubject
from probe.probing.authority import askable
from probe.wire.mail_address import ascii_address

_FETCHED_BY = frozenset({Service.POP3, Service.IMAP, Service.EWS})
"""Services by which a message can be fetched and deleted again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _SelectionContext:
    """What decides which conversations are held at an endpoint, beside the prober."""

    allowed: frozenset[Effect]
    tls: TlsQuestion | None
    served: tuple[Mailbox, ...] = ()
    """The mailboxes behind the endpoint; none in a look."""
    estate: Estate | None = None
    newer_than: Mapping[str, datetime] = field(default_factory=dict)
    """The times after which received messages are counted, by the mailbox's address."""

    def profile_of(self, mailbox: Mailbox) -> ServerProfile:
        """The profile of a mailbox that is served, which only an estate has."""
        assert self.estate is not None
        return self.estate.profile_of(mailbox)

    def endpoints_of(self, mailbox: Mailbox) -> tuple[Endpoint, Endpoint]:
        """Where such a mailbox is collected, and where it sends."""
        assert self.estate is not None
        return self.estate.endpoints_of(mailbox)

    def objection(self, prober: Prober) -> NotHeld | None:
        """Why the prober's effect is not allowed; None where it is."""
        if prober.effect is not Effect.READS and prober.effect not in self.allowed:
            return NotHeld(Why.NOT_ATTEMPTED, f"its effect is {prober.effect}, which is not allowed here")
        if prober.scope in (Scope.LOGIN, Scope.ROUND_TRIP) and Effect.LOGS_IN not in self.allowed:
            return NotHeld(Why.NOT_ATTEMPTED, f"it signs in, and {Effect.LOGS_IN} is not allowed here")
        return None


def for_estate(
    estate: Estate,
    mailboxes: Iterable[Mailbox],
    probers: Mapping[str, Prober],
    allowed: frozenset[Effect],
    tls: TlsQuestion | None = None,
    newer_than: Mapping[str, datetime] | None = None,
) -> tuple[Conversation, ...]:
    """Every conversation that these mailboxes call for, held or not, however many mailboxes stand behind an endpoint.

    `newer_than` has the times after which received messages are counted, by the mailbox's address, of those whose messages are.
    """
    context = _SelectionContext(allowed=allowed, tls=tls, estate=estate, newer_than=newer_than or {})
    users = users_of_endpoints(estate, mailboxes)
    return named(c for endpoint, served in users.items() for c in _at(endpoint, probers, replace(context, served=served)))


def for_look(
    endpoints: Iterable[Endpoint], probers: Mapping[str, Prober], allowed: frozenset[Effect], tls: TlsQuestion | None = None
) -> tuple[Conversation, ...]:
    """Every conversation that a look at these endpoints holds.

    A conversation that is not allowed is left out: a look has no estate whose verdicts would miss it.
    """
    context = _SelectionContext(allowed=allowed, tls=tls)
    return named(c for endpoint in dict.fromkeys(endpoints) for c in _at(endpoint, probers, context) if c.not_held is None)


def users_of_endpoints(estate: Estate, mailboxes: Iterable[Mailbox]) -> dict[Endpoint, tuple[Mailbox, ...]]:
    """The endpoints that serve these mailboxes, each with the mailboxes that it serves."""
    users: dict[Endpoint, dict[str, Mailbox]] = {}
    for mailbox in mailboxes:
        incoming, outgoing = estate.endpoints_of(mailbox)
        for endpoint, is_used in ((incoming, mailbox.uses_incoming), (outgoing, mailbox.uses_outgoing)):
            if is_used:
                users.setdefault(endpoint, {})[mailbox.address] = mailbox
    return {endpoint: tuple(served.values()) for endpoint, served in users.items()}


def unspoken(endpoints: Iterable[Endpoint], probers: Mapping[str, Prober]) -> tuple[Service, ...]:
    """Services among the endpoints that no prober speaks."""
    spoken = frozenset(service for prober in probers.values() for service in prober.services)
    return tuple(dict.fromkeys(e.service for e in endpoints if e.service not in spoken))


def _at(endpoint: Endpoint, probers: Mapping[str, Prober], context: _SelectionContext) -> Iterator[Conversation]:
    for prober in probers.values():
        if endpoint.service in prober.services:
            yield from _BY_SCOPE[prober.scope](prober, endpoint, context)


def _of_endpoint(prober: Prober, endpoint: Endpoint, context: _SelectionContext) -> Iterator[Conversation]:
    subject = EndpointSubject(endpoint, _one_for_all(context.served))
    yield Conversation(prober=prober.id, subject=subject, not_held=context.objection(prober))


def _of_tls(prober: Prober, endpoint: Endpoint, context: _SelectionContext) -> Iterator[Conversation]:
    if context.tls is not None:
        yield Conversation(prober=prober.id, subject=TlsSubject(endpoint, context.tls), not_held=context.objection(prober))


def _of_mailboxes(prober: Prober, endpoint: Endpoint, context: _SelectionContext) -> Iterator[Conversation]:
    """One for each mailbox that is opened at this endpoint: where it is collected, or else where it is sent from.

    The operator's word for where it lives does not spare the question: it may be out of date.
    """
    for mailbox in context.served:
        incoming, outgoing = context.endpoints_of(mailbox)
        if endpoint == (incoming if mailbox.uses_incoming else outgoing):
            subject = MailboxSubject(endpoint, mailbox.address, context.profile_of(mailbox).autodiscover)
            yield Conversation(prober=prober.id, subject=subject, mailbox=mailbox.address, not_held=context.objection(prober))


def _of_logins(prober: Prober, endpoint: Endpoint, context: _SelectionContext) -> Iterator[Conversation]:
    """One for each mailbox; where signing in is not allowed, one that says so for all of them."""
    if (objection := context.objection(prober)) is not None:
        yield Conversation(prober=prober.id, subject=EndpointSubject(endpoint), not_held=objection)
        return
    for mailbox in context.served:
        login = _login(mailbox, endpoint, context)
        held = login if isinstance(login, NotHeld) else None
        subject = EndpointSubject(endpoint) if isinstance(login, NotHeld) else PlannedLogin(endpoint, login)
        yield Conversation(prober=prober.id, subject=subject, mailbox=mailbox.address, not_held=held)


def _of_round_trips(prober: Prober, endpoint: Endpoint, context: _SelectionContext) -> Iterator[Conversation]:
    """One for each mailbox that sends by this endpoint and fetches by one from which a message can be taken again."""
    senders = [mailbox for mailbox in context.served if _goes_round(mailbox, context.endpoints_of(mailbox), endpoint)]
    if (objection := context.objection(prober)) is not None:
        if senders:
            yield Conversation(prober=prober.id, subject=EndpointSubject(endpoint), not_held=objection)
        return
    for mailbox in senders:
        yield _round_trip(prober, endpoint, mailbox, context)


def _goes_round(mailbox: Mailbox, ends: tuple[Endpoint, Endpoint], endpoint: Endpoint) -> bool:
    incoming, outgoing = ends
    is_used = mailbox.uses_incoming and mailbox.uses_outgoing
    return is_used and outgoing == endpoint and incoming.service in _FETCHED_BY


def _round_trip(prober: Prober, endpoint: Endpoint, mailbox: Mailbox, context: _SelectionContext) -> Conversation:
    profile, login = context.profile_of(mailbox), _login(mailbox, endpoint, context)
    if isinstance(login, NotHeld):
        return Conversation(prober=prober.id, subject=EndpointSubject(endpoint), mailbox=mailbox.address, not_held=login)
    not_held = None
    if not profile.signs_in_alike:
        reason = "the profile sends as somebody else, or signs in otherwise, than it collects; the message is fetched by the sign-in that sent it"
        not_held = NotHeld(Why.NOT_ATTEMPTED, reason)
    elif not profile.opens_as_its_own(mailbox):
        # A message to another mailbox would stay there for good.
        reason = f"{login.username} opens its own mailbox, so that a message to {mailbox.address} could not be fetched and deleted"
        not_held = NotHeld(Why.NOT_ATTEMPTED, reason)
    subject = PlannedRoundTrip(endpoint, context.endpoints_of(mailbox)[0], login)
    return Conversation(prober=prober.id, subject=subject, mailbox=mailbox.address, not_held=not_held)


_BY_SCOPE: Mapping[Scope, Callable[[Prober, Endpoint, _SelectionContext], Iterator[Conversation]]] = {
    Scope.ENDPOINT: _of_endpoint,
    Scope.TLS: _of_tls,
    Scope.MAILBOX: _of_mailboxes,
    Scope.LOGIN: _of_logins,
    Scope.ROUND_TRIP: _of_round_trips,
}


def _one_for_all(served: Sequence[Mailbox]) -> str | None:
    """The first of the mailboxes that a header carries, where what holds for its domain holds for all of them; else the first."""
    addresses = [mailbox.address for mailbox in served]
    if len({address.lower().rpartition("@")[2] for address in addresses}) != 1:
        return None
    return next((address for address in addresses if ascii_address(address) is not None), addresses[0])


def _login(mailbox: Mailbox, endpoint: Endpoint, context: _SelectionContext) -> Login | NotHeld:
    """The account that the profile signs in with for a mailbox, or the reason why that cannot be done from here."""
    assert context.estate is not None
    profile, deployment = context.profile_of(mailbox), context.estate.deployment
    settings = profile.settings_at(endpoint, mailbox)
    if settings is None:
        reason = "the profile signs in at this one endpoint in two ways, to collect and to send; what came of them could not be told apart"
        return NotHeld(Why.NOT_ATTEMPTED, reason)
    is_service = settings.credentials is Credentials.WINDOWS_INTEGRATED
    application = _application(profile, settings) if endpoint.service is Service.EWS else None
    if application is not None and application.signs_in and settings.application_secret is not None:
        username: str = application.client
        password: SecretReference | None = settings.application_secret
        authentication, impersonates = Authentication.OAUTH, True
    elif is_service and _signs_in_as_service(settings, deployment, endpoint):
        assert deployment.service_account is not None
        username, password = deployment.service_account, None
        authentication, impersonates = settings.authentication, settings.impersonation
    elif settings.credentials not in (Credentials.MAILBOX, Credentials.PROFILE):
        reason = f"the profile signs in with {settings.credentials} credentials, which only the Dynamics server has"
        if is_service and deployment.service_account is None and endpoint.service is Service.EWS:
            reason += "; to have them tried, name its account (service_account of [deployment]), and run this program as that account"
        return NotHeld(Why.NO_CREDENTIALS, reason)
    elif (account := settings.account_of(mailbox)) is None:
        return NotHeld(Why.NO_CREDENTIALS, "the estate names no password for the account")
    else:
        username, password = account
        authentication, impersonates = settings.authentication, settings.impersonation and settings.credentials is Credentials.PROFILE
    may_have_token = (
        password is not None and endpoint.service is Service.EWS and authentication in (Authentication.OAUTH, Authentication.AUTO)
    )
    is_received_here = mailbox.incoming is Delivery.SERVER_SIDE and endpoint == context.endpoints_of(mailbox)[0]
    return Login(
        mailbox=mailbox.address,
        username=username,
        password=password,
        authentication=authentication,
        impersonates=impersonates,
        synchronizes_appointments=mailbox.appointments is Delivery.SERVER_SIDE,
        counts_newer_than=context.newer_than.get(mailbox.address) if is_received_here else None,
        application=application,
        authorities=frozenset(deployment.authorities),
        cloud=deployment.cloud,
        may_ask=askable(endpoint, deployment.cloud, deployment.authorities) if may_have_token else (),
    )


_BY_TICKET = frozenset({Authentication.AUTO, Authentication.NEGOTIATE})


def _signs_in_as_service(settings: SignInSettings, deployment: Deployment, endpoint: Endpoint) -> bool:
    """Whether this program signs in there as the asynchronous service does, where it runs as its account: to EWS, by a Kerberos ticket."""
    return deployment.service_account is not None and endpoint.service is Service.EWS and settings.authentication in _BY_TICKET


def _application(profile: ServerProfile, settings: SignInSettings) -> Application | None:
    """The application that asks for tokens for a profile, where the estate names one."""
    if profile.client_id is None:
        return None
    return Application(profile.client_id, profile.tenant or "", settings.has_application, profile.client_certificate is not None)
