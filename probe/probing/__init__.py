"""What a prober is, and what it is handed.

A prober holds one kind of conversation with one endpoint. It returns nothing: what it learns it writes into its
notebook at once, so that a conversation which dies half-way keeps what came before. It opens no socket itself;
it is handed a `Dial`. It raises nothing of its own for a peer that misbehaves: what `probe.net.failures` lists
passes through it, and anything else is our bug, caught in one place by the engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from probe.model import vocabulary as v
from probe.model.attempts import TranscriptLine
from probe.model.estate import Authentication, Cloud, Effect, Endpoint, Secret, Service
from probe.model.facts import ChainEnd, Declared, Evidence, Fact, FactKey, Missing, Observed, Provenance, Reading, Why
from probe.net.dial import Dial
from probe.net.failures import PeerFailure
from probe.net.starttls import NoUpgrade
from probe.net.stream import Stream
from probe.probing.proofs import Ending, NotClaimed, Proof, Unrecorded
from probe.wire.certificates import chain_end, read_certificate, subject_of
from probe.wire.lines import LineBuffer, WireError, as_text
from probe.wire.refusals import causes_of
from probe.wire.sasl import PASSWORD_MECHANISMS, TOKEN_MECHANISMS, chosen

T = TypeVar("T")

__all__ = [
    "CONNECTION_KEYS",
    "LOGIN_KEYS",
    "PATIENCE_AT_LEAVE_SECONDS",
    "STRUCK",
    "Account",
    "Application",
    "Dial",
    "Effect",
    "Ending",
    "NoMechanism",
    "NotClaimed",
    "Notebook",
    "Prober",
    "Proof",
    "Stream",
    "Subject",
    "TlsQuestion",
    "Unrecorded",
    "choose_mechanism",
    "converse",
    "converse_signed_in",
    "note_connection",
    "note_login",
    "note_no_login",
    "note_no_tls",
    "refuse_overlong",
    "take_leave",
]


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
    """Whom a prober that logs in signs in as, and for which mailbox."""

    mailbox: str
    """Address of the mailbox that is opened."""
    username: str
    password: Secret
    authentication: Authentication
    impersonates: bool
    """Whether the account is another than the mailbox's own, and acts as it."""
    synchronizes_appointments: bool = False
    """Whether appointments, contacts and tasks of the mailbox are synchronized too."""
    application: Application | None = None
    """Where the estate names one."""
    authorities: frozenset[str] = frozenset()
    """AD FS servers, as `host` or `host:port`, that may be sent a password."""
    cloud: Cloud = Cloud.WORLDWIDE
    """Whose Entra ID may be sent a password, and whose Exchange Online a token."""
    proof: Proof = field(default_factory=Unrecorded)
    """To be claimed before what proves the password leaves, and ended by what came of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsQuestion:
    """What is to be found out about a server's TLS beyond the one session that a conversation gets."""

    client: str
    """Name of the FIPS profile whose FIPS mode is asked about."""
    fips: bool
    """Whether that client's FIPS policy is on where the server is really used."""
    is_full: bool
    """Everything that the server takes, or the question of FIPS alone."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a prober is pointed at."""

    endpoint: Endpoint
    account: Account | None = None
    tls: TlsQuestion | None = None
    """For a prober that `asks_tls`."""
    incoming: Endpoint | None = None
    """For a prober that `fetches_from` another endpoint: that endpoint."""
    identity: str | None = None
    """The mailbox that a prober is `about_mailbox`; else one that stands for all behind the endpoint, where they are of one domain."""
    finds_server: bool = False
    """Whether the mailbox's profile finds its server by Autodiscover."""


Probe = Callable[[Subject, Dial, "Notebook"], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prober:
    """One kind of conversation."""

    id: str
    title: str
    """What the conversation does, for `--dry-run`: "asks for ..."."""
    services: frozenset[Service]
    effect: Effect
    signs_in: bool
    """Whether it is held once for each mailbox, with that mailbox's account, rather than once for the endpoint."""
    collects: tuple[FactKey[Any], ...]
    """Every key that it promises a reading for."""
    probe: Probe
    about_mailbox: bool = False
    """Whether it is held once for each mailbox without signing in, and what it learns is of the mailbox rather than of the endpoint."""
    asks_tls: bool = False
    """Whether it answers a question on TLS, and is held only where there is one."""
    fetches_from: frozenset[Service] = frozenset()
    """Services of the mailbox's incoming endpoint that it needs beside the outgoing one, its subject; it is held once the account was let
    in at both. Empty for a prober that talks to one endpoint."""


class Notebook:
    """What one attempt learns, as it learns it. Written again, a key takes its last value."""

    def __init__(
        self,
        attempt: str,
        subject: str,
        mailbox: str | None,
        clock: Callable[[], datetime],
        clean: Callable[[str], str] = lambda text: text,
    ) -> None:
        """`clean` strikes the attempt's secrets out of what a peer said, which may repeat them."""
        self._clean = clean
        self._attempt = attempt
        self._subject = subject
        self._mailbox = mailbox
        self._clock = clock
        self._readings: dict[tuple[str, str], Reading] = {}
        """By the name of the key, and the source."""
        self._written: set[str] = set()
        self._facts: set[str] = set()
        self._cited: dict[tuple[TranscriptLine, ...], tuple[Evidence, ...]] = {}
        """Evidence by the lines that it is: a dozen facts rest on one handshake, and hold its line once."""

    def now(self) -> datetime:
        """The time by the clock of the run."""
        return self._clock()

    def clean(self, text: str) -> str:
        """What a peer said, without the attempt's secrets. To be done before it is folded, cut or escaped, since they are not found after that."""
        return self._clean(text)

    def observed(self, key: FactKey[T], value: T, *lines: TranscriptLine, of_server: bool = False) -> None:
        """We took part in it; `lines` are the words that show it. `of_server` as in `declared`."""
        self._write(key, value, Observed(self._evidence(lines)), of_server=of_server)

    def declared(self, key: FactKey[T], value: T, *lines: TranscriptLine, source: str = "", of_server: bool = False) -> None:
        """The peer says so. A `source` keeps readings of one key apart, which are reconciled when the key is asked for.

        What is `of_server` is true of the endpoint for everybody, though it took an account to hear it.
        """
        self._write(key, value, Declared("peer", self._evidence(lines)), source, of_server=of_server)

    def heard(self, key: FactKey[str], words: str, *lines: TranscriptLine) -> None:
        """The peer said just these words to us, who had told it a secret."""
        self.observed(key, self._clean(words), *lines)

    def missing(self, key: FactKey[Any], why: Why, detail: str) -> None:
        """It is not known, and why; not written where there is a fact already."""
        if key.name not in self._facts:
            self._written.add(key.name)
            self._readings[key.name, ""] = Missing(
                subject=self._subject, mailbox=self._mailbox, key=key, why=why, detail=self._clean(detail)
            )

    def knows(self, key: FactKey[Any]) -> bool:
        """Whether something was written for a key."""
        return key.name in self._written

    def close(self, collects: Iterable[FactKey[Any]], why: Why, detail: str) -> tuple[Reading, ...]:
        """Everything written, and a missing for every promised key of which nothing was."""
        for key in collects:
            if not self.knows(key):
                self.missing(key, why, detail)
        return tuple(self._readings.values())

    def _write(self, key: FactKey[T], value: T, provenance: Provenance, source: str = "", *, of_server: bool = False) -> None:
        gap = self._readings.get((key.name, ""))
        if isinstance(gap, Missing):
            del self._readings[key.name, ""]
        self._written.add(key.name)
        self._facts.add(key.name)
        self._readings[key.name, source] = Fact(
            subject=self._subject,
            mailbox=None if of_server else self._mailbox,
            key=key,
            value=value,
            provenance=provenance,
            at=self._clock(),
            attempt=self._attempt,
        )

    def _evidence(self, lines: Sequence[TranscriptLine]) -> tuple[Evidence, ...]:
        cited = tuple(lines)
        if (evidence := self._cited.get(cited)) is None:
            evidence = tuple(Evidence(attempt=self._attempt, line=line.number, excerpt=line.text) for line in cited)
            self._cited[cited] = evidence
        return evidence


_CERTIFICATE_KEYS = (
    v.CERTIFICATE_SUBJECT,
    v.CERTIFICATE_ISSUER,
    v.CERTIFICATE_NAMES,
    v.CERTIFICATE_NOT_BEFORE,
    v.CERTIFICATE_NOT_AFTER,
    v.CERTIFICATE_KEY,
    v.CERTIFICATE_SIGNATURE,
    v.CERTIFICATE_CHAIN,
    v.CERTIFICATE_CHAIN_ENDS,
    v.CERTIFICATE_TRUSTED,
    v.CERTIFICATE_DISTRUSTED_BECAUSE,
    v.CERTIFICATE_MATCHES_NAME,
)

CONNECTION_KEYS = (
    v.NET_ADDRESSES,
    v.NET_CONNECTED,
    v.TLS_MODE,
    v.TLS_COMPLETED,
    v.TLS_FAILURE,
    v.TLS_OLDER_HELLO,
    v.TLS_NEGOTIATED,
    *_CERTIFICATE_KEYS,
)
"""What every conversation over TLS learns beside its own business. The first two, and a handshake that failed, are written by the engine."""


MAX_TOLD_LINES = 100
MAX_TOLD_CHARACTERS = 8192
"""Most that is kept of a greeting or a list. Real lists have about 20 lines of 20 characters; one line may have 512 octets (RFC 2449, RFC 5321)."""


async def converse(dial: Dial, notes: Notebook, talk: Callable[[Stream], Awaitable[None]]) -> None:
    """Hold a conversation as `Dial.converse` does; what certificate a handshake showed before it failed is written down."""
    try:
        await dial.converse(talk)
    finally:
        stream = dial.showed_chain
        if stream is not None and not notes.knows(v.CERTIFICATE_CHAIN):
            _note_certificate(notes, stream)


def note_connection(notes: Notebook, stream: Stream, mode: str) -> None:
    """Write down what the handshake of a stream showed. `mode` is the value of tls.mode."""
    line = stream.handshake_line
    notes.observed(v.TLS_MODE, mode, *line)
    notes.observed(v.TLS_COMPLETED, True, *line)
    notes.observed(v.TLS_FAILURE, "", *line)
    notes.observed(v.TLS_OLDER_HELLO, stream.is_hello_older, *line)
    if stream.session is not None:
        notes.observed(v.TLS_NEGOTIATED, stream.session, *line)
    if not stream.chain:
        for key in _CERTIFICATE_KEYS:
            notes.missing(key, Why.NOT_DISCLOSED, "the server sent no certificate")
        return
    _note_certificate(notes, stream)


def _note_certificate(notes: Notebook, stream: Stream) -> None:
    """Write down what the certificates that a stream showed say, and whether they were verified as far as that was decided."""
    line = stream.handshake_line
    notes.observed(v.CERTIFICATE_CHAIN, tuple(map(subject_of, stream.chain)), *line)
    if (ends := chain_end(stream.chain, stream.verified_chain)) is not None:
        notes.observed(v.CERTIFICATE_CHAIN_ENDS, ends, *line)
    if stream.is_verified or stream.distrust is not None:
        notes.observed(v.CERTIFICATE_TRUSTED, stream.is_verified, *line)
        because = "" if stream.is_verified else _with_whose(stream.distrust or "", stream.chain[0], ends, notes.now())
        notes.observed(v.CERTIFICATE_DISTRUSTED_BECAUSE, because, *line)
    try:
        leaf = read_certificate(stream.chain[0])
    except ValueError as unreadable:
        for key in _CERTIFICATE_KEYS:
            notes.missing(key, Why.OFF_PROTOCOL, str(unreadable))
        return
    notes.observed(v.CERTIFICATE_SUBJECT, leaf.subject, *line)
    notes.observed(v.CERTIFICATE_ISSUER, leaf.issuer, *line)
    notes.observed(v.CERTIFICATE_NOT_BEFORE, leaf.not_before, *line)
    notes.observed(v.CERTIFICATE_NOT_AFTER, leaf.not_after, *line)
    notes.observed(v.CERTIFICATE_KEY, leaf.key, *line)
    notes.observed(v.CERTIFICATE_SIGNATURE, leaf.signature, *line)
    matches = leaf.is_for(stream.host)
    if leaf.names is None or matches is None:
        for key in (v.CERTIFICATE_NAMES, v.CERTIFICATE_MATCHES_NAME):
            notes.missing(
                key, Why.OFF_PROTOCOL, "an extension of the certificate breaks the rules, so that its alternative names cannot be read"
            )
        return
    notes.observed(v.CERTIFICATE_NAMES, leaf.names, *line)
    notes.observed(v.CERTIFICATE_MATCHES_NAME, matches, *line)


def _with_whose(reason: str, leaf: bytes, ends: ChainEnd | None, now: datetime) -> str:
    """Why a chain was not verified, and whose certificate has expired where that is not the server's own."""
    if reason != v.HAS_EXPIRED or ends is None or ends.not_after >= now or read_certificate(leaf).not_after < now:
        return reason
    return f"{reason}: {ends.subject}, on {ends.not_after.date()}"


def refuse_overlong(notes: Notebook, told: Sequence[str], *keys: FactKey[Any]) -> bool:
    """Whether what a peer told, given line by line, is more than is kept; then the keys that are drawn from it are missing.

    A list that was cut short would be another list, and what it leaves out would count as not offered.
    """
    if len(told) <= MAX_TOLD_LINES and sum(map(len, told)) <= MAX_TOLD_CHARACTERS:
        return False
    for key in keys:
        notes.missing(key, Why.OFF_PROTOCOL, f"what was told has more than {MAX_TOLD_LINES} lines or {MAX_TOLD_CHARACTERS} characters")
    return True


LOGIN_KEYS = (v.AUTH_ACCEPTED, v.AUTH_REFUSAL, v.AUTH_REPLY, v.AUTH_MECHANISM)
"""What every sign-in to a mail server learns."""


def note_login(notes: Notebook, mechanism: str, refusal: str, *lines: TranscriptLine, was_let_in: bool) -> None:
    """Write down how a sign-in ended. `refusal` is what the server said to it, or to the command that was to prove it; empty where it was let in.

    `was_let_in` says that the login itself was taken, so that a refusal after it is none of the password.
    """
    notes.observed(v.AUTH_MECHANISM, mechanism, *lines)
    notes.observed(v.AUTH_ACCEPTED, not refusal, *lines)
    notes.heard(v.AUTH_REPLY, refusal, *lines)
    causes = causes_of(refusal) if refusal else ()
    if was_let_in and refusal:
        causes = tuple(cause for cause in causes if cause not in _OF_PASSWORD) or ("protocol-disabled", "account-disabled")
    notes.observed(v.AUTH_REFUSAL, causes, *lines)
    _note_ways_in(notes, is_token=mechanism in TOKEN_MECHANISMS, causes=frozenset(causes), is_let_in=not refusal, lines=lines)


_OF_PASSWORD = frozenset({"bad-credentials", "app-password-required"})
"""What no server refuses for that has just taken the password."""
_WANTS_TOKEN = frozenset({"oauth-required"})
_TAKES_NO_PASSWORD = frozenset({"oauth-required", "basic-auth-disabled"})
_TAKES_APP_PASSWORD = frozenset({"app-password-required"})


def _note_ways_in(notes: Notebook, *, is_token: bool, causes: frozenset[str], is_let_in: bool, lines: tuple[TranscriptLine, ...]) -> None:
    """Write down what the end of a login shows of how this account may sign in; words that fit another cause too show nothing."""
    if is_let_in:
        notes.observed(v.MODERN_AUTH_OFFERED if is_token else v.PASSWORD_LOGIN_POSSIBLE, True, *lines)
    elif causes and not is_token:
        if causes <= _TAKES_NO_PASSWORD:
            notes.declared(v.PASSWORD_LOGIN_POSSIBLE, False, *lines)
        elif causes <= _TAKES_APP_PASSWORD:
            notes.declared(v.PASSWORD_LOGIN_POSSIBLE, True, *lines)
        if causes <= _WANTS_TOKEN:
            notes.declared(v.MODERN_AUTH_OFFERED, True, *lines)


def note_no_login(notes: Notebook, why: Why, detail: str) -> None:
    """Write down that no credentials were sent, and why."""
    for key in LOGIN_KEYS:
        notes.missing(key, why, detail)


STRUCK = "***"
"""What stands in a transcript for a secret, or for what is made of one."""


PATIENCE_AT_LEAVE_SECONDS = 2.0
"""How long a server is given for words that nothing depends on: all else is known when we take our leave."""


async def take_leave(stream: Stream, notes: Notebook, command: bytes, *, last: bytes = b"") -> None:
    """Say QUIT or LOGOUT, and write down what is said to it, to the line that begins with `last`. What becomes of it spoils nothing."""
    buffer, is_over = LineBuffer(), False
    said: list[str] = []
    try:
        async with asyncio.timeout(PATIENCE_AT_LEAVE_SECONDS):
            await stream.send(command)
            while not is_over and (data := await stream.receive()):
                buffer.feed(data)
                while not is_over and len(said) < 5 and (line := buffer.next_line()) is not None:
                    said.append(as_text(line))
                    is_over = line.startswith(last)
                is_over = is_over or len(said) == 5
    except (TimeoutError, OSError, PeerFailure, WireError):
        pass
    if not said:
        notes.missing(v.PROTOCOL_FAREWELL, Why.NOT_DISCLOSED, "the server said no farewell")
    elif not refuse_overlong(notes, said, v.PROTOCOL_FAREWELL):
        notes.declared(v.PROTOCOL_FAREWELL, "\n".join(said), *stream.evidence(*(line[:200] for line in said[:2])))


async def converse_signed_in(subject: Subject, dial: Dial, notes: Notebook, talk: Callable[[Stream, Account], Awaitable[None]]) -> None:
    """Hold a conversation that signs in to a mail server, over TLS that has earned it; why it is not held is written down."""
    account = subject.account
    if account is None:
        note_no_login(notes, Why.NO_CREDENTIALS, "there is no account to sign in with")
        return
    try:
        async with dial.open_trusted() as stream:
            await talk(stream, account)
    except NoUpgrade as refused:
        note_no_login(notes, Why.DENIED, f"no credentials were sent, since there is no TLS: {refused}")


@dataclass(frozen=True, slots=True)
class NoMechanism:
    """That an account cannot be signed in, and why."""

    why: Why
    detail: str


def choose_mechanism(account: Account, offered: Sequence[str], own: str, *, last: str = "") -> str | NoMechanism:
    """The one mechanism to sign in by: the protocol's own command, or one of SASL; or why there is none.

    `own` is the name under which the protocol's own command for user name and password is offered, and `last` that of one which is
    used only where there is no other.
    """
    if not account.username or not account.password.reveal():
        return NoMechanism(Why.NO_CREDENTIALS, "the user name or the password is empty")
    if any(character in account.username + account.password.reveal() for character in "\0\r\n"):
        return NoMechanism(Why.NO_CREDENTIALS, "the user name or the password holds characters that no mail protocol carries")
    match account.authentication:
        case Authentication.OAUTH:
            wanted: tuple[str, ...] = TOKEN_MECHANISMS
        case Authentication.BASIC:
            wanted = (own, *PASSWORD_MECHANISMS, last)
        case Authentication.AUTO:
            wanted = (own, *PASSWORD_MECHANISMS, last, "NTLM")
        case Authentication.NTLM:
            wanted = ("NTLM",)
        case other:
            return NoMechanism(Why.NOT_ATTEMPTED, f"the profile signs in by {other}, which is not spoken to mail servers here")
    found = chosen(offered, wanted)
    if found is None:
        shown = ", ".join(offered)[:200] or "nothing"
        return NoMechanism(Why.NOT_APPLICABLE, f"of {', '.join(filter(None, wanted))} the server offers none: it offers {shown}")
    return found


def note_no_tls(notes: Notebook, promised: Iterable[FactKey[Any]], reason: str) -> None:
    """Write down that there was no TLS, and that what is promised of it and is not known does not apply."""
    notes.observed(v.TLS_MODE, "none")
    for key in promised:
        if not notes.knows(key) and key not in (v.NET_ADDRESSES, v.NET_CONNECTED):
            notes.missing(key, Why.NOT_APPLICABLE, f"there was no TLS: {reason}")
