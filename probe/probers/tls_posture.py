"""TLS by hellos: whether a client in FIPS mode can work with the server, and, for a full posture, everything that the server accepts.

What is sent: TLS hellos, each over a connection of its own, one after another, almost never a whole handshake. With `pop3://`, `smtp://` and
`imap://` the commands that start TLS come first: after the greeting, `STLS`, or `EHLO` and `STARTTLS`. Nothing else is sent.

1. One hello that offers exactly what the client allows in FIPS mode: versions, suites, groups and signature schemes together. What
   the server answers, including its certificate and signature, is what that client would get.
2. Where the client offers something else by default, one more with that offer; where its FIPS policy is off, this one comes first.
   Where the server asks for a client certificate, one whole handshake without a certificate, which shows whether it requires one.
3. Quick, or where what it allows is refused: up to four that offer only what the client would refuse, less those that an earlier answer
   has settled.
4. Where what it allows is refused, one or two with fewer limits, to find the first cause of the refusal.
5. Full: for each version from TLS 1.3 down to SSLv2, hellos that
   leave out what was accepted before, until nothing more is accepted.

It changes nothing on the server, which sees handshakes that break off.

What it cannot show: whether a module is validated, which no connection shows. The signatures are not verified. Suites that need a
shared secret (PSK, SRP, Kerberos) cannot be tested. A server that limits connections answers late, or not at all: it is
asked more slowly once that shows, and what stays unanswered is missing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from probe.model import vocabulary as v
from probe.model.attempts import WHY_AFTER, Outcome, TranscriptLine
from probe.model.estate import Service
from probe.model.facts import Why
from probe.model.keys import FactKey
from probe.model.kinds import TlsSession
from probe.model.values import dataclass
from probe.net.failures import ClientCertificateWanted, PeerFailure, QuestionsUnanswered, TlsFailed, expected
from probe.net.hellos import SILENT_ALERT, HelloAnswer, Hellos, NameUnknown, Unclear
from probe.net.starttls import NoUpgrade
from probe.probing import Dial, Effect, Notebook, Prober, Scope, Stream, TlsQuestion, TlsSubject
from probe.wire.certificates import read_certificate
from probe.wire.tls import fips
from probe.wire.tls.offer import Offer, TlsRefusal, TlsReply, Version
from probe.wire.tls.registry import group_name, scheme_name, suite_name

if TYPE_CHECKING:
    from probe.wire.tls.elimination import Elimination, Listing

T = TypeVar("T")

_FIPS_KEYS = (v.TLS_DEPLOYMENT_GETS, v.FIPS_PROFILE, v.FIPS_CAN_WORK, v.FIPS_REASONS, v.FIPS_NEGOTIATES, v.FIPS_ALSO_ACCEPTS)
_POSTURE_KEYS = (
    v.TLS_VERSIONS,
    v.TLS_SUITES,
    v.TLS_GROUPS,
    v.TLS_SCHEMES,
    v.TLS_SERVER_ORDER,
    v.TLS_EXTENDED_MASTER_SECRET,
    v.TLS_SECURE_RENEGOTIATION,
    v.TLS_WITHOUT_SCHEMES,
    v.TLS_CERTIFICATES,
)
_ORDER = (Version.TLS12, Version.TLS13, Version.TLS11, Version.TLS10, Version.SSL3, Version.SSL2)
"""The versions in the order of hellos: common ones first, so that a working hello is known before those that most servers refuse."""
_OUTCOME_OF = {why: outcome for outcome, why in WHY_AFTER.items()}
_ALERTS = {40: "handshake failure", 47: "illegal parameter", 70: "protocol version", 71: "insufficient security", 109: "missing extension"}


async def probe(subject: TlsSubject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""
    inquiry = _Inquiry(subject.question, subject.endpoint.host, dial, notes)
    try:
        await inquiry.hold()
    except NoUpgrade as refused:
        for key in PROBER.collects:
            if not notes.knows(key):
                notes.missing(key, Why.NOT_APPLICABLE, f"there is no TLS: {refused}")


@dataclass(frozen=True, slots=True)
class _NotedAnswer:
    """An answer with its note in the transcript."""

    answer: HelloAnswer
    lines: tuple[TranscriptLine, ...]


class _Inquiry:
    """The hellos of one attempt, and the facts from their answers."""

    def __init__(self, question: TlsQuestion, host: str, dial: Dial, notes: Notebook) -> None:
        self._question = question
        self._client = fips.profile_named(question.client)
        self._server_name = None if _is_address(host) else host
        self._dial = dial
        self._notes = notes
        self._hellos = Hellos(dial, patient=question.is_full)
        self._of_the_client: tuple[_NotedAnswer, ...] = ()
        """The answers to the client's own offers."""
        self._non_fips: dict[fips.NonFipsHello, _NotedAnswer] = {}

    async def hold(self) -> None:
        notes = self._notes
        notes.observed(v.FIPS_PROFILE, self._client.name)
        if not self._question.is_full:
            for key in _POSTURE_KEYS:
                notes.missing(key, Why.NOT_ATTEMPTED, "only the full TLS posture shows it: --tls full")
        # The client's real offer comes first, so that a server that soon limits connections answers at least this hello.
        if self._question.fips:
            allowed = await self._ask(f"what {self._client.name} allows", self._allowed())
            # The default offer in FIPS mode is part of what is allowed there.
            is_settled = not isinstance(allowed.answer, TlsReply) or self._by_default().has_choice_of(allowed.answer)
            sent = allowed if is_settled else await self._ask("its default offer", self._by_default())
        else:
            sent = await self._ask(f"what {self._client.name} offers by default", self._by_default())
            allowed = await self._ask("what it allows in FIPS mode", self._allowed())
        self._of_the_client = (sent, allowed)
        await self._note_sent(sent)
        await self._note_can_work(allowed)
        if self._question.is_full:
            await self._note_posture()
        else:
            await self._note_beyond()
        if (last := self._hellos.given_up or self._hellos.left_unclear) is not None:
            raise QuestionsUnanswered(f"not all was asked: {last.detail}", _OUTCOME_OF[last.why])

    def _allowed(self) -> Offer:
        return fips.hello_of(self._client, server_name=self._server_name)

    def _by_default(self) -> Offer:
        """The client's default offer, with its FIPS policy as declared."""
        return fips.hello_of(self._client, server_name=self._server_name, fips=self._question.fips, by_default=True)

    async def _ask(self, what: str, offer: Offer, *, whole: bool = True) -> _NotedAnswer:
        return self._noted(what, await self._hellos.ask(offer, whole=whole))

    def _noted(self, what: str, answer: HelloAnswer) -> _NotedAnswer:
        line = self._dial.note(f"hello with {what}: {_told(answer)}")
        return _NotedAnswer(answer, (line,) if line else ())

    # --- The question of FIPS -------------------------------------------------------------------------------

    async def _note_can_work(self, heard: _NotedAnswer) -> None:
        notes, answer = self._notes, heard.answer
        if isinstance(answer, Unclear):
            for key in (v.FIPS_CAN_WORK, v.FIPS_REASONS):
                notes.missing(key, answer.why, answer.detail)
            return
        if isinstance(answer, TlsReply):
            reasons, lines = fips.verdict(self._client, answer), heard.lines
        else:
            reasons, lines = await self._diagnosed(heard)
        notes.observed(v.FIPS_CAN_WORK, not reasons, *lines)
        notes.observed(v.FIPS_REASONS, reasons, *lines)

    async def _diagnosed(self, refused: _NotedAnswer) -> tuple[tuple[str, ...], tuple[TranscriptLine, ...]]:
        await self._hear_beyond()
        lines = [*refused.lines, *self._lines_beyond()]
        answers = {one: None if isinstance(heard.answer, Unclear) else heard.answer for one, heard in self._non_fips.items()}
        questions = fips.diagnosis(self._client, answers, self._server_name)
        try:
            offer = next(questions)
            while True:
                heard = await self._ask("its own suites and fewer limits", offer)
                lines += heard.lines
                offer = questions.send(None if isinstance(heard.answer, Unclear) else heard.answer)
        except StopIteration as found:
            reasons: tuple[str, ...] = found.value
        return reasons or ("the server refuses its offer; the part that causes the refusal was not found",), tuple(lines)

    async def _note_sent(self, sent: _NotedAnswer) -> None:
        """Write what the client gets with its default offer and its FIPS policy as declared, and whether it gets a session."""
        notes, answer = self._notes, sent.answer
        objections = fips.verdict(self._client, answer, fips=self._question.fips) if isinstance(answer, TlsReply) else ()
        if isinstance(answer, Unclear):
            notes.missing(v.FIPS_NEGOTIATES, answer.why, answer.detail)
        elif isinstance(answer, TlsRefusal):
            notes.missing(v.FIPS_NEGOTIATES, Why.NOT_APPLICABLE, "the server refuses what this client offers by default")
        elif objections:
            notes.missing(v.FIPS_NEGOTIATES, Why.NOT_APPLICABLE, f"this client ends the handshake: {'; '.join(objections)}")
        else:
            notes.observed(v.FIPS_NEGOTIATES, _session(answer), *sent.lines)
        await self._note_deployment_gets(sent, is_refused=isinstance(answer, TlsRefusal | NameUnknown) or bool(objections))

    async def _note_deployment_gets(self, sent: _NotedAnswer, *, is_refused: bool) -> None:
        notes, key, answer = self._notes, v.TLS_DEPLOYMENT_GETS, sent.answer
        if not self._client.is_windows:
            notes.missing(key, Why.NOT_APPLICABLE, f"{self._client.name} is not a Windows that a deployment runs on")
        elif is_refused:
            notes.observed(key, False, *sent.lines)
        elif isinstance(answer, Unclear):
            notes.missing(key, answer.why, answer.detail)
        elif isinstance(answer, TlsReply) and answer.asks_client_certificate:
            await self._note_demand(sent)
        else:
            notes.observed(key, True, *sent.lines)

    async def _note_demand(self, sent: _NotedAnswer) -> None:
        """Test, by a finished handshake without a certificate, whether a server that asks for a client certificate requires one."""
        notes, key = self._notes, v.TLS_DEPLOYMENT_GETS
        try:
            async with self._dial.open_unverified() as stream:
                is_let_in = await _is_let_in(stream)
        except ClientCertificateWanted:
            is_let_in = False
        except (PeerFailure, OSError) as failed:
            outcome, detail = expected(failed) or (Outcome.CLOSED, type(failed).__name__)
            why, detail = WHY_AFTER[outcome], f"the server asks for a client certificate; a handshake without one failed: {detail}"
            notes.missing(key, why, detail)
            return
        if is_let_in is None:
            notes.missing(key, Why.NOT_DISCLOSED, "the server asks for a client certificate, and did not say whether it insists on one")
        else:
            notes.observed(key, is_let_in, *sent.lines)

    async def _hear_beyond(self) -> None:
        """Ask once for one example of each kind that the client refuses and the server may accept, where no answer has shown one yet."""
        if not self._non_fips:
            beyond = fips.non_fips_hellos(self._client, self._server_name)
            answers = await self._hellos.ask_all([one.offer for one in beyond], known=[heard.answer for heard in self._of_the_client])
            for one in beyond:
                answer, earlier = answers[one.offer], (*self._of_the_client, *self._non_fips.values())
                shown_by = next((heard for heard in earlier if heard.answer is answer and isinstance(answer, TlsReply)), None)
                self._non_fips[one] = shown_by or self._noted(one.label, answer)

    def _lines_beyond(self) -> tuple[TranscriptLine, ...]:
        """The lines of those answers, each once."""
        return tuple(dict.fromkeys(line for heard in self._non_fips.values() for line in heard.lines))

    async def _note_beyond(self) -> None:
        await self._hear_beyond()
        unclear = next((heard.answer for heard in self._non_fips.values() if isinstance(heard.answer, Unclear)), None)
        if unclear is not None:
            self._notes.missing(v.FIPS_ALSO_ACCEPTS, unclear.why, unclear.detail)
            return
        accepted = [
            fips.accepted_outside_fips(one, heard.answer) for one, heard in self._non_fips.items() if isinstance(heard.answer, TlsReply)
        ]
        self._notes.observed(v.FIPS_ALSO_ACCEPTS, tuple(accepted), *self._lines_beyond())

    # --- Everything -----------------------------------------------------------------------------------------

    async def _note_posture(self) -> None:
        from probe.wire.tls.elimination import Elimination  # only the full posture needs it

        found: dict[Version, Elimination] = {}
        last: Unclear | None = None
        try:
            for version in _ORDER:
                after = found.get(Version.TLS12) if version < Version.TLS12 else None
                found[version] = Elimination(version, self._server_name, after=after)
                last = await self._eliminate(version, found[version]) or last
        finally:
            # Also at the deadline: what is complete by then is known.
            why, detail = (
                (last.why, last.detail) if last else (Why.TIMED_OUT, "the time for this attempt ended before all hellos were sent")
            )
            _write_posture(
                self._notes,
                [(found.get(version) or Elimination(version, None)).listing for version in sorted(_ORDER)],
                self._client,
                why,
                detail,
            )

    async def _eliminate(self, version: Version, elimination: Elimination) -> Unclear | None:
        """Send all hellos of one version. Returns the last answer that was unclear."""
        unclear: Unclear | None = None
        questions = elimination.questions()
        asked = next(questions, None)
        while asked is not None:
            offer = asked.offer
            what = f"{version.label}, {len(offer.suites)} suites, {len(offer.groups)} groups, {len(offer.schemes)} schemes"
            heard = await self._ask(what, offer, whole=asked.whole)
            if isinstance(heard.answer, Unclear):
                unclear = heard.answer
            try:
                asked = questions.send(None if isinstance(heard.answer, Unclear) else heard.answer)
            except StopIteration:
                break
        return unclear


def _write_posture(notes: Notebook, listings: Sequence[Listing], client: fips.NumberedFipsProfile, why: Why, detail: str) -> None:
    """Write each list that is complete for every version that the server accepts; else the reason."""
    offered = [listing for listing in listings if listing.offered]
    are_versions_known = all(listing.offered is not None for listing in listings)

    def complete(key: FactKey[tuple[tuple[str, T], ...]], values: Sequence[tuple[Listing, T | None]]) -> None:
        known = tuple((listing.version.label, value) for listing, value in values if value is not None)
        if are_versions_known and len(known) == len(values):
            notes.observed(key, known)
        else:
            notes.missing(key, why, detail + _so_far([version for version, _ in known]))

    if are_versions_known:
        notes.observed(v.TLS_VERSIONS, tuple(listing.version.label for listing in offered))
    else:
        notes.missing(v.TLS_VERSIONS, why, detail + _so_far([listing.version.label for listing in offered]))
    with_extensions = [listing for listing in offered if listing.version >= Version.TLS10]
    with_schemes = [listing for listing in offered if listing.version >= Version.TLS12]
    complete(v.TLS_SUITES, [(one, _names(one.suites, suite_name)) for one in offered])
    complete(v.TLS_GROUPS, [(one, _names(one.groups, group_name)) for one in with_extensions])
    complete(v.TLS_SCHEMES, [(one, _names(one.schemes, scheme_name)) for one in with_schemes])
    complete(v.TLS_SERVER_ORDER, [(one, one.server_order) for one in offered if one.suites is None or len(one.suites) > 1])
    _write_extensions(notes, listings, why, detail)
    _write_certificates(notes, listings)
    also = _taken_beyond(listings, client)
    if also is None:
        notes.missing(v.FIPS_ALSO_ACCEPTS, why, detail)
    else:
        notes.observed(v.FIPS_ALSO_ACCEPTS, also)


def _write_extensions(notes: Notebook, listings: Sequence[Listing], why: Why, detail: str) -> None:
    tls12 = next(listing for listing in listings if listing.version is Version.TLS12)
    below_tls13 = [one for one in listings if Version.SSL3 <= one.version <= Version.TLS12]
    highest = next((one for one in reversed(below_tls13) if one.offered is not False), tls12)

    def write(key: FactKey[T], listing: Listing, value: T | None) -> None:
        if listing.offered is False:
            notes.missing(key, Why.NOT_APPLICABLE, "the server accepts no version of TLS that has it")
        elif value is None:
            notes.missing(key, why, detail)
        else:
            notes.observed(key, value)

    write(v.TLS_EXTENDED_MASTER_SECRET, tls12, tls12.extended_master_secret)
    write(v.TLS_WITHOUT_SCHEMES, tls12, tls12.without_schemes)
    write(v.TLS_SECURE_RENEGOTIATION, highest, highest.secure_renegotiation)


def _write_certificates(notes: Notebook, listings: Sequence[Listing]) -> None:
    leaves = dict.fromkeys(reply.chain[0] for listing in reversed(listings) for reply in listing.replies if reply.chain)
    told = []
    for leaf in leaves:
        try:
            certificate = read_certificate(leaf)
        except ValueError as unreadable:
            notes.missing(v.TLS_CERTIFICATES, Why.OFF_PROTOCOL, str(unreadable))
            return
        told.append(f"{certificate.key}, {certificate.signature}, {certificate.subject}")
    if told:
        notes.observed(v.TLS_CERTIFICATES, tuple(told))
    else:
        notes.missing(v.TLS_CERTIFICATES, Why.NOT_DISCLOSED, "the server sent no certificate")


def _taken_beyond(listings: Sequence[Listing], client: fips.NumberedFipsProfile) -> tuple[str, ...] | None:
    """Everything in complete lists that a client refuses; None where a list is incomplete."""
    found: list[str] = []
    for listing in sorted(listings, key=lambda one: one.version, reverse=True):
        if listing.offered is None or (listing.offered and (listing.suites is None or listing.groups is None)):
            return None
        if not listing.offered:
            continue
        label = listing.version.label
        if fips.refuses_version(client, listing.version):
            found.append(label)
        if listing.version not in client.versions:
            continue
        found += [f"{label} with {suite_name(suite)}" for suite in listing.suites or () if suite not in client.suites]
        found += [f"{label} with {group_name(group)}" for group in listing.groups or () if group not in client.groups]
    return tuple(found)


async def _is_let_in(stream: Stream) -> bool | None:
    """Whether a server accepts a client without a certificate, after a handshake that this side finished; None where it does not say."""
    try:
        return True if await stream.is_let_in() else None
    except TlsFailed:
        return False  # servers object with several alerts: certificate_required, bad_certificate, handshake_failure


def _session(reply: TlsReply) -> TlsSession:
    return TlsSession(
        reply.version.label,
        suite_name(reply.suite),
        None if reply.group is None else group_name(reply.group),
        None if reply.scheme is None else scheme_name(reply.scheme),
    )


def _told(answer: HelloAnswer) -> str:
    """An answer in a line of the transcript."""
    if isinstance(answer, Unclear):
        return f"unclear: {answer.detail}"
    if isinstance(answer, TlsRefusal):
        if answer.other_version is not None:
            return f"the server would speak {answer.other_version.label} only"
        if answer.description == SILENT_ALERT:
            return "the server closes the connection, though another hello works"
        return f"refused with alert {answer.description} ({_ALERTS.get(answer.description, 'other')})"
    asks = "and asks for a client certificate" if answer.asks_client_certificate else None
    return " ".join(filter(None, (*_session_words(_session(answer)), asks)))


def _session_words(session: TlsSession) -> tuple[str | None, ...]:
    return session.version, session.suite, session.group, session.scheme


def _so_far(versions: Sequence[str]) -> str:
    return f"; known so far for {', '.join(versions)}" if versions else ""


def _names(numbers: Sequence[int] | None, name: Callable[[int], str]) -> tuple[str, ...] | None:
    return None if numbers is None else tuple(map(name, numbers))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


PROBER = Prober(
    id="tls-posture",
    title="asks by TLS hellos what a client in FIPS mode would get",
    scope=Scope.TLS,
    services=frozenset({Service.POP3, Service.SMTP, Service.IMAP, Service.EWS, Service.TLS}),
    effect=Effect.READS,
    collects=(*_FIPS_KEYS, *_POSTURE_KEYS),
    probe=probe,
)
