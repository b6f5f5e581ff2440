"""What a prober is, and what it is pointed at: a scope for each kind of conversation, and a type of subject for each scope."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Any

from probe.model.estate import Authentication, Cloud, Effect, Endpoint, Secret, Service
from probe.model.keys import FactKey
from probe.model.values import dataclass
from probe.net.dial import Dial
from probe.probing.notebook import Notebook
from probe.probing.proofs import Proof, Unrecorded


class Scope(StrEnum):
    """What one conversation is held for, and so how often it is held."""

    ENDPOINT = "endpoint"
    """Once for an endpoint, without an account."""
    TLS = "tls"
    """Once for an endpoint, where a question on TLS is asked; after every other conversation with its port."""
    MAILBOX = "mailbox"
    """Once for each mailbox, without an account. What it learns is of the mailbox, not of the endpoint."""
    LOGIN = "login"
    """Once for each mailbox, with its account, at each endpoint that serves it."""
    ROUND_TRIP = "round-trip"
    """Once for each mailbox, with its account, from its outgoing endpoint to its incoming one; only where the account was let in at both."""


@dataclass(frozen=True, slots=True)
class Application:
    """What asks for tokens in a tenant of Entra ID."""

    client: str
    """Its id."""
    tenant: str
    signs_in: bool
    """Whether it signs in by itself, with the account's secret as its own."""
    is_certificate: bool = False
    """Whether that secret is PEM with a certificate and its private key."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account that a prober signs in with, and the mailbox that it is for."""

    mailbox: str
    """Address of the mailbox that is opened."""
    username: str
    password: Secret
    authentication: Authentication
    impersonates: bool
    """Whether the account is another than the mailbox's own, and acts as it."""
    synchronizes_appointments: bool = False
    """Whether appointments, contacts and tasks of the mailbox are synchronized too."""
    counts_newer_than: datetime | None = None
    """The time after which messages that were received are counted; None: they are not."""
    application: Application | None = None
    """Where the estate names one."""
    authorities: frozenset[str] = frozenset()
    """AD FS servers, as `host` or `host:port`, that may be sent a password."""
    cloud: Cloud = Cloud.WORLDWIDE
    """The cloud whose Entra ID may be sent a password, and whose Exchange Online a token."""
    is_service: bool = False
    """Whether it is the asynchronous service's: nobody has its password, and it signs in where this program runs as it, or has its ticket."""
    proof: Proof = field(default_factory=Unrecorded)
    """To be claimed before what proves the password leaves, and ended by what came of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsQuestion:
    """What to find out about a server's TLS, beyond the one session that a conversation has."""

    client: str
    """Name of the FIPS profile whose FIPS mode is asked about."""
    fips: bool
    """Whether that client's FIPS policy is on where the server is really used."""
    is_full: bool
    """Everything that the server takes, or the question of FIPS alone."""


@dataclass(frozen=True, slots=True)
class EndpointSubject:
    """What a prober of scope ENDPOINT is pointed at."""

    endpoint: Endpoint
    identity: str | None = None
    """A mailbox that stands for all behind the endpoint, where they are of one domain; None in a look, which knows of no mailbox."""


@dataclass(frozen=True, slots=True)
class TlsSubject:
    """What a prober of scope TLS is pointed at."""

    endpoint: Endpoint
    question: TlsQuestion


@dataclass(frozen=True, slots=True)
class MailboxSubject:
    """What a prober of scope MAILBOX is pointed at."""

    endpoint: Endpoint
    mailbox: str
    """Its address."""
    finds_server: bool
    """Whether the mailbox's profile finds its server by Autodiscover."""


@dataclass(frozen=True, slots=True)
class LoginSubject:
    """What a prober of scope LOGIN is pointed at."""

    endpoint: Endpoint
    account: Account


@dataclass(frozen=True, slots=True)
class RoundTripSubject:
    """What a prober of scope ROUND_TRIP is pointed at."""

    endpoint: Endpoint
    """Where the message is sent."""
    incoming: Endpoint
    """Where it is fetched from."""
    account: Account


SUBJECTS: Mapping[Scope, type[Any]] = {
    Scope.ENDPOINT: EndpointSubject,
    Scope.TLS: TlsSubject,
    Scope.MAILBOX: MailboxSubject,
    Scope.LOGIN: LoginSubject,
    Scope.ROUND_TRIP: RoundTripSubject,
}
"""What the probers of each scope are pointed at."""

Probe = Callable[[Any, Dial, Notebook], Awaitable[None]]
"""Holds the conversation. The first argument is of the type that SUBJECTS has for the prober's scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prober:
    """One kind of conversation."""

    id: str
    title: str
    """What the conversation does, for `--dry-run`: "asks for ..."."""
    scope: Scope
    services: frozenset[Service]
    """Services of the endpoints that it is held with; of a round trip, of the outgoing one."""
    effect: Effect
    collects: tuple[FactKey[Any], ...]
    """Every key that it promises a reading for."""
    probe: Probe
