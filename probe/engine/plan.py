"""What a run is to do, as one value: plain data that another process can be sent. It names probers and secrets, and holds neither."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from probe.model.estate import Authentication, Cloud, Endpoint, Estate, Mailbox, Secret, SecretReference
from probe.model.facts import Why
from probe.model.runs import Asked
from probe.model.values import dataclass
from probe.probing import (
    Account,
    Application,
    EndpointSubject,
    LoginSubject,
    MailboxSubject,
    Proof,
    RoundTripSubject,
    TlsQuestion,
    TlsSubject,
)


@dataclass(frozen=True, slots=True)
class Login:
    """The account that a conversation signs in with; its password is still a reference."""

    mailbox: str
    """Address of the mailbox that is opened."""
    username: str
    password: SecretReference | None
    """None for the account that this program runs as, or has the ticket of."""
    authentication: Authentication
    impersonates: bool
    synchronizes_appointments: bool = False
    counts_newer_than: datetime | None = None
    application: Application | None = None
    authorities: frozenset[str] = frozenset()
    cloud: Cloud = Cloud.WORLDWIDE
    may_ask: tuple[str, ...] = ()
    """Hosts, with their port where it is not 443, that may be asked for a token, and then are sent the password or secret."""

    def account(self, password: Secret, proof: Proof) -> Account:
        """What a prober is handed, with the secret that the reference names."""
        return Account(
            mailbox=self.mailbox,
            username=self.username,
            password=password,
            authentication=self.authentication,
            impersonates=self.impersonates,
            synchronizes_appointments=self.synchronizes_appointments,
            counts_newer_than=self.counts_newer_than,
            application=self.application,
            authorities=self.authorities,
            cloud=self.cloud,
            is_service=self.password is None,
            proof=proof,
        )


@dataclass(frozen=True, slots=True)
class PlannedLogin:
    """A LoginSubject before its secret is read."""

    endpoint: Endpoint
    login: Login

    def signed_in(self, account: Account) -> LoginSubject:
        """The subject with the account in place of the reference to its secret."""
        return LoginSubject(self.endpoint, account)


@dataclass(frozen=True, slots=True)
class PlannedRoundTrip:
    """A RoundTripSubject before its secret is read."""

    endpoint: Endpoint
    incoming: Endpoint
    login: Login

    def signed_in(self, account: Account) -> RoundTripSubject:
        """The subject with the account in place of the reference to its secret."""
        return RoundTripSubject(self.endpoint, self.incoming, account)


Anonymous = EndpointSubject | TlsSubject | MailboxSubject
SignsIn = PlannedLogin | PlannedRoundTrip


@dataclass(frozen=True, slots=True)
class NotHeld:
    """Why a conversation is not held."""

    why: Why
    """The reason for the facts that are missing because of it."""
    detail: str
    """The reason in a sentence without a full stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One prober to be tried on one subject, or the reason why it is not."""

    name: str = ""
    """Name of its attempt: `a1`, `a2`, ... in the order of the plan, which gives it."""
    prober: str
    """Id of the prober."""
    subject: Anonymous | SignsIn
    """The prober's subject. For a conversation that would sign in but is not held, it may be the endpoint alone."""
    mailbox: str | None = None
    """The mailbox that it is held for; None where it is held for all behind the endpoint."""
    not_held: NotHeld | None = None
    only_address: str | None = None
    """The one address to use, where each address of a name is tried."""

    @property
    def endpoint(self) -> Endpoint:
        """Where it is held."""
        return self.subject.endpoint

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint that it is held with."""
        subject = self.subject
        return (subject.endpoint, subject.incoming) if isinstance(subject, PlannedRoundTrip) else (subject.endpoint,)

    @property
    def login(self) -> Login | None:
        """The account that it signs in with; None where it does not."""
        return self.subject.login if isinstance(self.subject, SignsIn) else None

    @property
    def told_of(self) -> str:
        """The subject of what it learns: the endpoint's URL, or the mailbox's address."""
        return self.subject.mailbox if isinstance(self.subject, MailboxSubject) else self.endpoint.url

    @property
    def account_of(self) -> str | None:
        """The mailbox for whose account alone the learnt facts hold; None where they hold for everybody."""
        return None if isinstance(self.subject, MailboxSubject) else self.mailbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a run does and is judged by, except what it observes."""

    estate: Estate | None
    """None for a look, of which nothing is judged."""
    mailboxes: tuple[Mailbox, ...]
    """Those that are judged."""
    conversations: tuple[Conversation, ...]
    """Every conversation to hold, and those that are not held, with the reason."""
    tls: TlsQuestion | None
    """What is asked about TLS beyond what each conversation shows by itself."""
    on: date
    """The date of judgement."""
    asked: Asked

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint that something is asked of, once."""
        return tuple(dict.fromkeys(e for c in self.conversations for e in c.endpoints))

    def by_host(self) -> tuple[Plan, ...]:
        """Split the plan into parts that can run separately. Each part has the whole estate; each host is in one part only.

        Hosts stay together where mail goes from one to the other, and where the same account signs in: once refused at one it is not tried
        at the next.
        """
        parts: dict[str, list[Conversation]] = {}
        whose = _Together()
        for conversation in self.conversations:
            whose.join(_ties(conversation))
        for conversation in self.conversations:
            parts.setdefault(whose.first(conversation.endpoint.host), []).append(conversation)
        return tuple(replace(self, conversations=tuple(part)) for part in parts.values())


def named(conversations: Iterable[Conversation]) -> tuple[Conversation, ...]:
    """The conversations with the names of their attempts."""
    return tuple(replace(conversation, name=f"a{number}") for number, conversation in enumerate(conversations, start=1))


def _ties(conversation: Conversation) -> tuple[str, ...]:
    """What must be in one part of a plan with a conversation: its hosts, and its account, told from a host by a space."""
    hosts = tuple(endpoint.host for endpoint in conversation.endpoints)
    login = conversation.login
    return hosts if login is None else (*hosts, f"account {login.username.lower()}")


class _Together:
    """A union-find over names: which belong together, directly or through others."""

    def __init__(self) -> None:
        self._towards: dict[str, str] = {}

    def first(self, name: str) -> str:
        """The representative of a name's group."""
        while (next_ := self._towards.get(name, name)) != name:
            name = next_
        return name

    def join(self, names: tuple[str, ...]) -> None:
        """Join the groups of these names."""
        first = self.first(names[0])
        for name in names[1:]:
            self._towards[self.first(name)] = first
