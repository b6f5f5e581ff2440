"""TLS hellos to one endpoint, one connection each, and what a server's goodbye or silence means.

A flight is a yes and an alert is a no. A connection that ends after the hello without a word is a no with some servers
(Dovecot closes, Schannel resets) and a limit with others, so that it is taken for a no only where a hello that is known
to work still does. What comes before the hello ("421 too many connections") or never comes says nothing about the hello.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from probe.model.attempts import WHY_AFTER, Outcome
from probe.model.facts import Why
from probe.net.dial import Dial
from probe.net.failures import NoAddressAnswered, PeerClosed, expected
from probe.net.starttls import NoUpgrade, come_to_tls
from probe.wire.tls.flight import Flight
from probe.wire.tls.offer import Offer, Refusal, Reply, Version
from probe.wire.tls.registry import groups_of, schemes_of, suites_of

HELLO_SECONDS = 10.0
"""For the answer to a hello, once it is sent. Signing with a slow key takes a tenth of a second."""
MOST_DISAPPOINTMENTS = 2
"""Hellos without any answer, or before the first good one with an answer that makes no sense, before no more are sent.
Each that is left without an answer costs `HELLO_SECONDS`."""
PAUSES_SECONDS = (2.0, 5.0, 15.0, 30.0)
"""Waits after a server said that it is too much; later ones take `LONGEST_PAUSE_SECONDS`."""
LONGEST_PAUSE_SECONDS = 61.0
"""Postfix counts connections by the minute, the refused ones too (anvil_rate_time_unit)."""
SLOW_PACE_SECONDS = 2.1
"""Between connections to a server that has once said that it is too much: 28 a minute, below the 30 that are a usual limit."""
SILENT_ALERT = -1
"""Number for the refusal of a server that ends the connection instead of sending an alert."""

_CLEAN_ALERTS = frozenset({40, 47, 70, 71, 109})
"""handshake_failure, illegal_parameter, protocol_version, insufficient_security, missing_extension (RFC 8446 section 6.2)."""
_CLOSE_NOTIFY = 0
_LIMITED = (Why.THROTTLED, Why.REFUSED)
"""What a server says or does that has had too much; it may be asked again later."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """What could not be settled, and why."""

    why: Why
    detail: str


@dataclass(frozen=True, slots=True)
class _HungUp:
    """The connection ended after the hello without an answer, or with an alert that refuses nothing."""

    detail: str
    why: Why = Why.CLOSED


Answer = Reply | Refusal | Unclear


class Hellos:
    """The hellos of one attempt, one after another, never two at a time."""

    def __init__(self, dial: Dial, *, patient: bool) -> None:
        """`patient`: wait as long as it takes for a server with a limit, rather than once and briefly."""
        self._dial = dial
        self._known: Offer | None = None
        self._pauses: Iterator[float] = (
            itertools.chain(PAUSES_SECONDS, itertools.repeat(LONGEST_PAUSE_SECONDS)) if patient else iter(PAUSES_SECONDS[:1])
        )
        self._pace_seconds = 0.0
        self._has_reached = False
        self._disappointments = 0
        self._hangs_up = False
        """Whether it is established that this server refuses by hanging up."""
        self.given_up: Unclear | None = None
        """Why no more hellos are sent; what is asked from then on is unclear for the same reason."""

    async def ask(self, offer: Offer, *, whole: bool = True) -> Answer:
        """What the server makes of an offer, as far as that can be settled. Raises NoUpgrade, and what a first connection fails with."""
        while isinstance(answer := await self._unlimited(offer, whole=whole), _HungUp):
            if await self._is_well():
                if self._hangs_up or isinstance(answer := await self._unlimited(offer, whole=whole), _HungUp):
                    self._hangs_up = True
                    return Refusal(SILENT_ALERT)
                return answer
            if self.given_up is not None:
                return self.given_up
            if self._known is None:
                return self._give_up(Unclear(answer.why, f"{answer.detail}, whatever it offers"))
            # What worked before does no more: a limit that is not put into words.
            if not await self._slow_down():
                return self._give_up(Unclear(Why.THROTTLED, f"{answer.detail}, and then after one that had worked before"))
        return answer

    async def ask_all(self, offers: Sequence[Offer]) -> dict[Offer, Answer]:
        """The same for several offers, by as few connections as that takes.

        A hello that works after others were hung up on shows that the server was well: one is enough for all of them.
        """
        heard = {offer: await self._unlimited(offer, whole=True) for offer in offers}
        last_good = max((place for place, answer in enumerate(heard.values()) if isinstance(answer, Reply)), default=-1)
        settled: dict[Offer, Answer] = {}
        is_well: bool | None = None
        for place, (offer, answer) in enumerate(heard.items()):
            if not isinstance(answer, _HungUp):
                settled[offer] = answer
                continue
            if place > last_good and is_well is None:
                is_well = self._known is not None and await self._is_well()
            if self._known is not None and (place < last_good or is_well):
                settled[offer] = Refusal(SILENT_ALERT)
            else:
                settled[offer] = await self.ask(offer)
        return settled

    async def _is_well(self) -> bool:
        """Whether a hello that works still does; where none is known to, whether one that asks for nothing special works."""
        known = (self._known,) if self._known is not None else _plain_offers()
        for offer in known:
            if isinstance(await self._unlimited(offer, whole=self._known is None), Reply):
                return True
        return False

    async def _unlimited(self, offer: Offer, *, whole: bool) -> Answer | _HungUp:
        """One connection's answer, asked for again after a pause for as long as the server says that it is too much."""
        while True:
            if self.given_up is not None:
                return self.given_up
            if self._pace_seconds:
                await asyncio.sleep(min(self._pace_seconds, self._dial.remaining()))
            answer = await self._once(offer, whole=whole)
            if not isinstance(answer, Unclear):
                return answer
            if answer.why not in _LIMITED:
                if answer.why is Why.TIMED_OUT or self._known is None:
                    self._disappointments += 1
                return self._give_up(answer) if self._disappointments >= MOST_DISAPPOINTMENTS else answer
            if not await self._slow_down():
                return self._give_up(answer)

    async def _slow_down(self) -> bool:
        """Wait as a server that has had too much wants it; False where the attempt, or our patience, ends before that."""
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

    async def _once(self, offer: Offer, *, whole: bool) -> Answer | _HungUp:
        endpoint = self._dial.endpoint
        has_asked = False
        try:
            async with self._dial.open_bare(recorded=False) as stream:
                self._has_reached = True
                await come_to_tls(stream, endpoint.service, endpoint.security)
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
        except NoUpgrade:
            raise
        except Exception as failure:
            named = expected(failure)
            if named is None or not self._has_reached:
                raise
            outcome, detail = named
            if has_asked and outcome is Outcome.CLOSED:
                return _HungUp("the server reset the connection after the hello")
            if isinstance(failure, PeerClosed | ConnectionError):
                # Before the hello: with STARTTLS, a limit that is not put into words.
                return Unclear(Why.THROTTLED, f"the server hangs up before a hello can be sent: {detail}")
            if isinstance(failure, NoAddressAnswered) and outcome is not Outcome.REFUSED:
                return Unclear(WHY_AFTER[outcome], f"no further connection came about: {detail}")
            return Unclear(WHY_AFTER[outcome], detail)
        return self._settled(flight.result, offer)

    def _settled(self, result: Reply | Refusal, offer: Offer) -> Answer | _HungUp:
        if isinstance(result, Reply):
            self._known = offer
            self._disappointments = 0
        elif result.description == _CLOSE_NOTIFY:
            return _HungUp("the server closed the TLS session after the hello")
        elif result.description not in _CLEAN_ALERTS:
            # OpenSSL says internal_error where its security level leaves TLS 1.1 without a hash to sign with.
            return _HungUp(f"the server ended the handshake with alert {result.description}", Why.OFF_PROTOCOL)
        return result


def _plain_offers() -> tuple[Offer, ...]:
    """Hellos that ask for nothing special: everything at once, and what a client of today sends."""
    versions = (Version.TLS13, Version.TLS12, Version.TLS11, Version.TLS10)
    suites = tuple(dict.fromkeys(suite for version in versions for suite in suites_of(version)))
    schemes = tuple(dict.fromkeys((*schemes_of(Version.TLS13), *schemes_of(Version.TLS12))))
    groups = tuple(dict.fromkeys((*groups_of(Version.TLS13), *groups_of(Version.TLS12))))
    usual = (*suites_of(Version.TLS13)[:3], *suites_of(Version.TLS12)[:24])
    return (
        Offer(versions=versions, suites=suites, groups=groups, schemes=schemes),
        Offer(versions=versions, suites=usual, groups=groups[:4], schemes=schemes[:11]),
    )
