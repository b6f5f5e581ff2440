"""TLS hellos to one endpoint, one connection each, and what a closed connection or silence means.

A flight means yes and an alert means no. A connection that ends after the hello without an answer means no at some servers
(Dovecot closes, Schannel resets) and a rate limit at others. So it counts as a no only where a hello that is known to work
still works. What comes before the hello ("421 too many connections"), or silence, says nothing about the hello.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from probe.model.attempts import WHY_AFTER, Outcome
from probe.model.facts import Why
from probe.model.values import dataclass
from probe.net.dial import Dial
from probe.net.failures import NoAddressAnswered, PeerClosed, expected
from probe.net.starttls import NoUpgrade, come_to_tls
from probe.wire.tls.offer import Offer, TlsRefusal, TlsReply, Version
from probe.wire.tls.registry import groups_of, schemes_of, suites_of

HELLO_SECONDS = 10.0
"""For the answer to a hello, once it is sent. Signing with a slow key takes a tenth of a second."""
MOST_DISAPPOINTMENTS = 2
"""Hellos without any answer, or before the first good one with an answer that makes no sense, before no more are sent.
Each that is left without an answer costs `HELLO_SECONDS`."""
PAUSES_SECONDS = (2.0, 5.0, 15.0, 30.0)
"""Pauses after a server said that there are too many connections; later ones take `LONGEST_PAUSE_SECONDS`."""
LONGEST_PAUSE_SECONDS = 61.0
"""Postfix counts connections by the minute, the refused ones too (anvil_rate_time_unit)."""
SLOW_PACE_SECONDS = 2.1
"""Between connections to a server that has once reported too many: 28 a minute, below the usual limit of 30."""
SILENT_ALERT = -1
"""Number for the refusal of a server that ends the connection instead of sending an alert."""
MOST_SUITES = 64
"""Suites in a hello to a server that fails on a longer one: some keep the suites in a buffer of 64, or read a hello of 255 bytes at most."""

_CLEAN_ALERTS = frozenset({40, 47, 70, 71, 109})
"""handshake_failure, illegal_parameter, protocol_version, insufficient_security, missing_extension (RFC 8446 section 6.2)."""
_CLOSE_NOTIFY = 0
_UNRECOGNIZED_NAME = 112
_OF_THE_CHOICE = frozenset({40, 70, 71})
"""Alerts that refuse what is offered; the others of the clean ones may also be what a server says to a hello that it cannot read."""
_FILLING = tuple(range(0xFF10, 0xFF10 + MOST_SUITES + 1))
"""Suites for private use (RFC 8447 section 13), which every server must ignore."""
_LIMITED = (Why.THROTTLED, Why.REFUSED)
"""What a server says or does at its rate limit; it may be asked again later."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """A hello whose outcome could not be settled, and why."""

    why: Why
    detail: str


@dataclass(frozen=True, slots=True)
class NameUnknown(Unclear):
    """The server refuses every handshake with a client that asks for this name, whatever else it offers (RFC 6066 section 3)."""


@dataclass(frozen=True, slots=True)
class _HungUp:
    """The connection ended after the hello without an answer, or with an alert that refuses nothing."""

    detail: str
    why: Why = Why.CLOSED


HelloAnswer = TlsReply | TlsRefusal | Unclear


class Hellos:
    """The hellos of one attempt, one after another, never two at a time."""

    def __init__(self, dial: Dial, *, patient: bool) -> None:
        """`patient`: wait as long as it takes for a server with a limit, rather than twice and briefly."""
        self._dial = dial
        self._known: Offer | None = None
        self._pauses: Iterator[float] = (
            itertools.chain(PAUSES_SECONDS, itertools.repeat(LONGEST_PAUSE_SECONDS)) if patient else iter(PAUSES_SECONDS[:2])
        )
        self._pace_seconds = 0.0
        self._has_reached = False
        self._has_come_to_tls = False
        self._disappointments = 0
        self._hangs_up = False
        """Whether it is established that this server refuses by hanging up."""
        self._bears_long: bool | None = None
        """Whether this server reads a hello of more than `MOST_SUITES`; None while that has not mattered."""
        self.given_up: Unclear | None = None
        """Why no more hellos are sent; what is asked from then on is unclear for the same reason."""
        self.left_unclear: Unclear | None = None
        """The latest answer that could not be settled."""

    async def ask(self, offer: Offer, *, whole: bool = True) -> HelloAnswer:
        """The server's answer to an offer, as far as that can be settled. Raises NoUpgrade, and the failure of a first connection."""
        is_long = len(offer.suites) > MOST_SUITES
        answer = await (self._in_parts if is_long and self._bears_long is False else self._whole)(offer, whole=whole)
        if is_long and await self._is_about_length(answer):
            answer = await self._in_parts(offer, whole=whole)
        if isinstance(answer, Unclear):
            self.left_unclear = answer
        return answer

    async def ask_all(self, offers: Sequence[Offer], *, known: Iterable[HelloAnswer] = ()) -> dict[Offer, HelloAnswer]:
        """Whether the server takes anything of each offer, by as few connections as that takes. `known`: answers to other offers.

        An offer that has all of what the server chose from another one needs no hello: that choice is its answer. A hello that works after
        others were hung up on shows that the server was well: one is enough for all of them. Where it was no shorter than they were, it also
        shows that their length was not to blame.
        """
        heard: dict[Offer, HelloAnswer | _HungUp] = {}
        shown: dict[Offer, TlsReply] = {}
        replies = [answer for answer in known if isinstance(answer, TlsReply)]
        for offer in offers:
            if (reply := next(filter(offer.has_choice_of, replies), None)) is not None:
                shown[offer] = reply
                continue
            heard[offer] = answer = await self._unlimited(offer, whole=True)
            if isinstance(answer, TlsReply):
                replies.append(answer)
        settled = shown | await self._settled_together(heard)
        return {offer: settled[offer] for offer in offers}

    async def _settled_together(self, heard: Mapping[Offer, HelloAnswer | _HungUp]) -> dict[Offer, HelloAnswer]:
        """What the answers to several offers, in the order in which these were sent, come to."""
        settled: dict[Offer, HelloAnswer] = {}
        is_well: bool | None = None
        for place, (offer, first) in enumerate(heard.items()):
            taken_later = [len(other.suites) for other, answer in list(heard.items())[place + 1 :] if isinstance(answer, TlsReply)]
            is_long = len(offer.suites) > max((MOST_SUITES, *taken_later))
            is_unsettled = isinstance(first, _HungUp)
            if is_unsettled and (not taken_later or is_long) and is_well is None:
                is_well = self._known is not None and await self._is_well(is_long=is_long)
            if is_unsettled and (self._known is None or not (taken_later or is_well)):
                settled[offer] = await self.ask(offer)
                continue
            answer = TlsRefusal(SILENT_ALERT) if isinstance(first, _HungUp) else first
            is_about_length = is_long and await self._is_about_length(answer)
            settled[offer] = result = await self._in_parts(offer, whole=True) if is_about_length else answer
            if isinstance(result, Unclear):
                self.left_unclear = result
        return settled

    # --- One offer ------------------------------------------------------------------------------------------

    async def _whole(self, offer: Offer, *, whole: bool) -> HelloAnswer:
        """The answer to an offer that is sent as it is."""
        is_long = len(offer.suites) > MOST_SUITES
        while isinstance(answer := await self._unlimited(offer, whole=whole), _HungUp):
            if await self._is_well(is_long=is_long):
                if self._hangs_up or isinstance(answer := await self._unlimited(offer, whole=whole), _HungUp):
                    self._hangs_up = True
                    return TlsRefusal(SILENT_ALERT)
                return answer
            if self.given_up is not None:
                return self.given_up
            if self._known is None:
                return self._give_up(Unclear(answer.why, f"{answer.detail}, whatever it offers"))
            # A hello that worked before no longer does: a rate limit that the server does not put into words.
            if not await self._slow_down():
                return self._give_up(Unclear(Why.THROTTLED, f"{answer.detail}, and then after one that had worked before"))
        return answer

    async def _in_parts(self, offer: Offer, *, whole: bool) -> HelloAnswer:
        """The answer to a long offer that is sent as several short ones. The first that is no refusal counts."""
        answer: HelloAnswer = TlsRefusal(SILENT_ALERT)
        for start in range(0, len(offer.suites), MOST_SUITES):
            answer = await self._whole(replace(offer, suites=offer.suites[start : start + MOST_SUITES]), whole=whole)
            if not isinstance(answer, TlsRefusal):
                break
        return answer

    async def _is_about_length(self, answer: HelloAnswer) -> bool:
        """Whether a long offer may have been refused for its length alone. A hello that works, padded to that length, shows it."""
        if not isinstance(answer, TlsRefusal) or answer.description in _OF_THE_CHOICE or answer.after_hello or self._known is None:
            return False
        if self._bears_long is None:
            await self._is_well(is_long=True)
        return self._bears_long is False

    async def _is_well(self, *, is_long: bool = False) -> bool:
        """Whether a hello that is known to work still does; where none is known, whether one that asks for nothing special works.

        Where it is a long one that is in doubt, that hello is made as long first.
        """
        known = self._known
        if known is None:
            for offer in _plain_offers():
                if isinstance(await self._unlimited(offer, whole=True), TlsReply):
                    return True
            return False
        if is_long and self._bears_long is not False:
            longer = replace(known, suites=(*known.suites, *_FILLING))
            if isinstance(await self._unlimited(longer, whole=False), TlsReply):
                self._known, self._bears_long = known, True
                return True
        if not isinstance(await self._unlimited(known, whole=False), TlsReply):
            return False
        if is_long:
            self._bears_long = False
        return True

    async def _unlimited(self, offer: Offer, *, whole: bool) -> HelloAnswer | _HungUp:
        """One connection's answer, asked for again after a pause for as long as the server says that it is too much.

        What else goes wrong before the hello, after others had come so far, is tried once more at once: behind one address may be several
        servers, one of which is not like the others.
        """
        has_repeated = False
        while True:
            if self.given_up is not None:
                return self.given_up
            if self._pace_seconds:
                await asyncio.sleep(min(self._pace_seconds, self._dial.remaining()))
            answer = await self._once(offer, whole=whole)
            if not isinstance(answer, Unclear):
                return answer
            if answer.why in _LIMITED:
                if not await self._slow_down():
                    return self._give_up(answer)
                continue
            if self._known is not None and answer.why is not Why.TIMED_OUT and not has_repeated:
                has_repeated = True
                continue
            self._disappointments += 1
            is_hopeless = isinstance(answer, NameUnknown) or self._disappointments >= MOST_DISAPPOINTMENTS
            return self._give_up(answer) if is_hopeless else answer

    async def _slow_down(self) -> bool:
        """Wait as long as a server at its rate limit wants; False where the attempt, or our patience, ends before that."""
        pause = next(self._pauses, None)
        # A second is left to tell what was learnt.
        if pause is None or pause + 1 > self._dial.remaining():
            return False
        self._pace_seconds = SLOW_PACE_SECONDS
        await asyncio.sleep(pause)
        return True

    def _give_up(self, last: Unclear) -> Unclear:
        self.given_up = last
        return last

    async def _once(self, offer: Offer, *, whole: bool) -> HelloAnswer | _HungUp:
        from probe.wire.tls.flight import Flight  # before the server is made to wait for it

        endpoint = self._dial.endpoint
        has_asked = False
        try:
            async with self._dial.open_bare(recorded=False) as stream:
                self._has_reached = True
                await come_to_tls(stream, endpoint.service, endpoint.security)
                self._has_come_to_tls = True
                flight = Flight(offer, random=secrets.token_bytes(32), whole=whole)
                has_asked = True
                try:
                    async with asyncio.timeout(HELLO_SECONDS):
                        while flight.result is None:
                            if out := flight.outgoing():
                                await stream.send(out)
                            data = await stream.receive()
                            if not data:
                                return _HungUp("the server closed the connection after the hello")
                            flight.feed(data)
                except TimeoutError:
                    raise TimeoutError(f"no answer to the hello within {HELLO_SECONDS:g} s") from None
        except NoUpgrade as refused:
            if not self._has_come_to_tls:
                raise
            return Unclear(Why.DENIED, f"{refused}; the server went over to TLS before, on another connection")
        except Exception as failure:
            named = expected(failure)
            if named is None or not self._has_reached:
                raise
            outcome, detail = named
            if has_asked and outcome is Outcome.CLOSED:
                return _HungUp("the server reset the connection after the hello")
            if isinstance(failure, PeerClosed | ConnectionError):
                # Before the hello: with STARTTLS, a rate limit that the server does not put into words.
                return Unclear(Why.THROTTLED, f"the server hangs up before a hello can be sent: {detail}")
            if isinstance(failure, NoAddressAnswered) and outcome is not Outcome.REFUSED:
                return Unclear(WHY_AFTER[outcome], f"no further connection came about: {detail}")
            return Unclear(WHY_AFTER[outcome], detail)
        return self._settled(flight.result, offer)

    def _settled(self, result: TlsReply | TlsRefusal, offer: Offer) -> HelloAnswer | _HungUp:
        if isinstance(result, TlsReply):
            self._known = offer
            self._disappointments = 0
        elif result.description == _UNRECOGNIZED_NAME and offer.server_name is not None and self._known is None:
            return NameUnknown(Why.TLS_FAILED, f"the server does not know the name {offer.server_name} (alert unrecognized_name)")
        elif result.description == _CLOSE_NOTIFY:
            return _HungUp("the server closed the TLS session after the hello")
        elif result.description not in _CLEAN_ALERTS:
            # OpenSSL says internal_error where its security level leaves TLS 1.1 without a hash to sign with.
            return _HungUp(f"the server ended the handshake with alert {result.description}", Why.OFF_PROTOCOL)
        return result


def _plain_offers() -> tuple[Offer, ...]:
    """Hellos that ask for nothing special: everything at once, what a present-day client sends, and what one of ten years ago sent."""
    versions = (Version.TLS13, Version.TLS12, Version.TLS11, Version.TLS10)
    suites = tuple(dict.fromkeys(suite for version in versions for suite in suites_of(version)))
    schemes = tuple(dict.fromkeys((*schemes_of(Version.TLS13), *schemes_of(Version.TLS12))))
    groups = tuple(dict.fromkeys((*groups_of(Version.TLS13), *groups_of(Version.TLS12))))
    usual = (*suites_of(Version.TLS13)[:3], *suites_of(Version.TLS12)[:24])
    return (
        Offer(versions=versions, suites=suites, groups=groups, schemes=schemes),
        Offer(versions=versions, suites=usual, groups=groups[:4], schemes=schemes[:11]),
        Offer(versions=versions[1:], suites=usual[3:], groups=groups[:4], schemes=schemes[:11]),
    )
