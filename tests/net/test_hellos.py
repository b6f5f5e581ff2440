"""Tests of hellos, and of what a server's goodbye or silence is taken for."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from probe.model.estate import Endpoint
from probe.model.facts import Why
from probe.net import hellos as module
from probe.net.dial import Dial, Network
from probe.net.failures import NoAddressAnswered
from probe.net.hellos import SILENT_ALERT, Hellos, NameUnknown, Unclear
from probe.net.killable import Children
from probe.net.limits import Deadline
from probe.net.starttls import NoUpgrade
from probe.net.transcript import Recorder
from probe.wire.tls.offer import Offer, TlsRefusal, TlsReply, Version
from probe.wire.tls.registry import group_number, groups_of, schemes_of, suite_number, suites, suites_of
from tests.looking import authority, playing, server_context
from tests.particular import ParticularServer, has_few_suites, has_no_tls13
from tests.tls_server import Manner, TlsServer

GOOD = Offer(
    versions=(Version.TLS12,),
    suites=tuple(suite_number(f"TLS_ECDHE_{key}_WITH_AES_128_GCM_SHA256") for key in ("RSA", "ECDSA")),
    groups=(group_number("secp256r1"),),
    schemes=schemes_of(Version.TLS12),
)
BAD = Offer(versions=(Version.TLS12,), suites=(suite_number("TLS_RSA_WITH_RC4_128_MD5"),), groups=groups_of(Version.TLS12))
OTHER_BAD = Offer(versions=(Version.TLS11,), suites=(suite_number("TLS_RSA_WITH_RC4_128_MD5"),))


@asynccontextmanager
async def asking(url: str, *, seconds: float = 10.0, patient: bool = True) -> AsyncIterator[Hellos]:
    """What asks one endpoint, with its deadline running."""
    async with Children() as children, Deadline(seconds) as deadline:
        network = Network(ca_file=authority().ca_file, children=children)
        yield Hellos(Dial(Endpoint.parse(url), network, deadline, Recorder()), patient=patient)


def tls12() -> ssl.SSLContext:
    """A server of TLS 1.2 alone."""
    context = server_context("wrong-name")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits a minute for a test."""
    monkeypatch.setattr(module, "PAUSES_SECONDS", (0.01, 0.01))
    monkeypatch.setattr(module, "LONGEST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(module, "SLOW_PACE_SECONDS", 0.01)
    monkeypatch.setattr(module, "HELLO_SECONDS", 0.3)


async def test_a_flight_is_a_yes_and_an_alert_is_a_no() -> None:
    """Both are settled by one connection each."""
    async with TlsServer(tls12()).serving() as server, asking(f"tls://127.0.0.1:{server.port}") as hellos:
        assert isinstance(await hellos.ask(GOOD), TlsReply)
        assert await hellos.ask(BAD) == TlsRefusal(40)
        assert server.connections == 2
        assert hellos.given_up is None


@pytest.mark.parametrize("way", ["close", "reset"])
async def test_hanging_up_is_a_no_where_a_good_hello_still_works(way: str) -> None:
    """A server that closes or resets instead of sending an alert refuses, once a hello that is known to work did and it hung up again."""
    server = TlsServer(tls12(), says_no="close" if way == "close" else "reset")
    async with server.serving(), asking(f"tls://127.0.0.1:{server.port}") as hellos:
        await hellos.ask(GOOD)
        assert await hellos.ask(BAD) == TlsRefusal(SILENT_ALERT)
        assert server.connections == 4
        assert await hellos.ask(OTHER_BAD) == TlsRefusal(SILENT_ALERT)
        assert server.connections == 6


async def test_the_first_hello_that_is_hung_up_on_is_settled_by_one_that_asks_for_nothing_special() -> None:
    """With no hello known to work, everything is offered at once; where that works, the first was refused."""
    async with TlsServer(tls12(), says_no="close").serving() as server, asking(f"tls://127.0.0.1:{server.port}") as hellos:
        assert await hellos.ask(BAD) == TlsRefusal(SILENT_ALERT)


async def test_a_server_that_hangs_up_whatever_is_offered_refuses_nothing() -> None:
    """It is unclear why it does, and no more is asked."""
    async with TlsServer(manner=lambda number: "close").serving() as server, asking(f"tls://127.0.0.1:{server.port}") as hellos:
        answer = await hellos.ask(GOOD)
        assert isinstance(answer, Unclear)
        assert answer.why is Why.CLOSED
        before = server.connections
        assert await hellos.ask(BAD) == answer
        assert server.connections == before == 4


async def test_a_server_that_hangs_up_for_a_while_is_asked_again_later() -> None:
    """Where a hello that worked does no more, there is a limit: it is waited for, and nothing is taken for a refusal."""

    def manner(number: int) -> Manner:
        return "close" if 2 <= number <= 6 else "serve"

    async with TlsServer(tls12(), manner=manner).serving() as server, asking(f"tls://127.0.0.1:{server.port}") as hellos:
        await hellos.ask(GOOD)
        assert isinstance(await hellos.ask(GOOD), TlsReply)


async def test_a_limit_that_outlasts_patience_is_throttling() -> None:
    """A server that serves one connection and hangs up on all others leaves the question unclear, and is left alone from then on."""

    def manner(number: int) -> Manner:
        return "serve" if number == 1 else "close-at-once"

    server = TlsServer(tls12(), manner=manner)
    async with server.serving(), asking(f"tls://127.0.0.1:{server.port}", patient=False) as hellos:
        await hellos.ask(GOOD)
        answer = await hellos.ask(BAD)
        assert isinstance(answer, Unclear)
        assert answer.why is Why.THROTTLED
        before = server.connections
        await hellos.ask(BAD)
        assert server.connections == before


async def test_silence_is_neither_yes_nor_no() -> None:
    """A hello without an answer is unclear, and after the second one no more are sent."""
    async with TlsServer(manner=lambda number: "silent").serving() as server, asking(f"tls://127.0.0.1:{server.port}") as hellos:
        for _ in range(3):
            answer = await hellos.ask(GOOD)
            assert isinstance(answer, Unclear)
            assert answer.why is Why.TIMED_OUT
        assert server.connections == 2


@pytest.mark.parametrize("manner", ["garbage", "alert-80"])
async def test_what_is_no_answer_to_a_hello_is_unclear(manner: Manner) -> None:
    """Another protocol, or an alert that speaks of the server's own trouble, decides nothing."""
    async with TlsServer(manner=lambda number: manner).serving() as server, asking(f"tls://127.0.0.1:{server.port}") as hellos:
        answer = await hellos.ask(GOOD)
        assert isinstance(answer, Unclear)
        assert answer.why is Why.OFF_PROTOCOL


async def test_several_offers_share_one_control() -> None:
    """Of a server that hangs up, refusals between two good hellos need no connection more; those at the end need one for all of them."""
    server = TlsServer(tls12(), says_no="close")
    async with server.serving(), asking(f"tls://127.0.0.1:{server.port}") as hellos:
        await hellos.ask(GOOD)
        answers = await hellos.ask_all([BAD, GOOD])
        assert answers[BAD] == TlsRefusal(SILENT_ALERT)
        assert server.connections == 3
        answers = await hellos.ask_all([BAD, OTHER_BAD])
        assert set(answers.values()) == {TlsRefusal(SILENT_ALERT)}
        assert server.connections == 6


async def test_an_offer_that_has_an_earlier_choice_is_not_sent() -> None:
    """What a server chose from one offer answers every other offer that has it; of a choice that lies outside nothing follows."""
    other = replace(GOOD, suites=(suite_number("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"), *BAD.suites))
    without = replace(GOOD, groups=(group_number("secp384r1"),))
    async with TlsServer(tls12()).serving() as server, asking(f"tls://127.0.0.1:{server.port}") as hellos:
        good = await hellos.ask(GOOD)
        answers = await hellos.ask_all([BAD, other, without], known=[good])
        assert answers[other] is good
        assert isinstance(answers[BAD], TlsRefusal)
        assert isinstance(answers[without], TlsRefusal)
        assert server.connections == 3


async def test_an_earlier_choice_does_not_show_that_a_server_is_well_now() -> None:
    """A hang-up before an offer that needs no hello is settled by a hello of its own."""
    async with TlsServer(tls12(), says_no="close").serving() as server, asking(f"tls://127.0.0.1:{server.port}") as hellos:
        good = await hellos.ask(GOOD)
        answers = await hellos.ask_all([BAD, GOOD], known=[good])
        assert answers == {BAD: TlsRefusal(SILENT_ALERT), GOOD: good}
        assert server.connections == 3


async def test_words_that_mean_later_are_obeyed() -> None:
    """A 421 is waited for, and the same hello is sent again."""
    steps = ["S: 421 4.7.0 Error: too many connections"]
    async with playing(steps, implicit=False) as server, asking(f"smtp://127.0.0.1:{server.port}", seconds=1.5) as hellos:
        answer = await hellos.ask(GOOD)
        assert isinstance(answer, Unclear)
        assert answer.why is Why.THROTTLED
        assert "421" in answer.detail


async def test_what_a_first_connection_fails_with_is_raised() -> None:
    """A port that is closed is no finding about TLS; neither is a server that offers none."""
    closed = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    port = closed.sockets[0].getsockname()[1]
    closed.close()
    async with asking(f"tls://127.0.0.1:{port}") as hellos:
        with pytest.raises(NoAddressAnswered):
            await hellos.ask(GOOD)
    steps = ["S: +OK", "C: STLS", "S: -ERR unknown command"]
    async with playing(steps, implicit=False) as server, asking(f"pop3://127.0.0.1:{server.port}") as hellos:
        with pytest.raises(NoUpgrade):
            await hellos.ask(GOOD)


async def test_one_connection_at_a_time_is_open() -> None:
    """Hellos follow one another, so that a server with a narrow limit is not pressed."""
    async with TlsServer(tls12()).serving() as server, asking(f"tls://127.0.0.1:{server.port}") as hellos:
        for _ in range(5):
            await hellos.ask(GOOD)
            await hellos.ask(BAD)
        assert server.most_at_once <= 2


async def test_an_upgrade_that_is_refused_now_and_then_is_asked_for_again() -> None:
    """Once a server went over to TLS, one connection on which it does not is no word of the server's: the same hello is sent again at once."""
    async with flaky_upgrade(lambda number: number == 2) as port, asking(f"pop3://127.0.0.1:{port}") as hellos:
        for _ in range(3):
            assert isinstance(await hellos.ask(GOOD), TlsReply)
        assert hellos.left_unclear is None


async def test_an_upgrade_that_is_refused_from_then_on_leaves_the_rest_unclear() -> None:
    """Where it is refused again and again, what is left is unclear for that reason, and soon no more is asked."""
    async with flaky_upgrade(lambda number: number > 1) as port, asking(f"pop3://127.0.0.1:{port}") as hellos:
        assert isinstance(await hellos.ask(GOOD), TlsReply)
        answer = await hellos.ask(GOOD)
        assert isinstance(answer, Unclear)
        assert answer.why is Why.DENIED
        assert "went over to TLS before" in answer.detail
        assert hellos.left_unclear == answer
        await hellos.ask(GOOD)
        assert hellos.given_up is not None


@asynccontextmanager
async def flaky_upgrade(refuses: Callable[[int], bool]) -> AsyncIterator[int]:
    """A POP3 server of TLS 1.2 that refuses STLS on some of its connections, numbered from 1."""
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        is_refused = refuses(connections)
        writer.write(b"+OK\r\n")
        await reader.readline()
        writer.write(b"-ERR what\r\n" if is_refused else b"+OK\r\n")
        if not is_refused:
            with contextlib.suppress(ssl.SSLError, OSError):
                await writer.start_tls(tls12())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_name_that_the_server_does_not_know_is_no_refusal_of_what_is_offered() -> None:
    """A fatal unrecognized_name decides nothing about the offer, whatever works without a name, and no more is asked under it."""
    unknown = ParticularServer(tls12(), lambda hello: False, [], "alert-112")
    async with unknown.serving() as server, asking(f"tls://localhost:{server.port}") as hellos:
        answer = await hellos.ask(replace(GOOD, server_name="localhost"))
        assert isinstance(answer, NameUnknown)
        assert answer.why is Why.TLS_FAILED
        assert "does not know the name localhost" in answer.detail
        assert server.connections == 1
        assert await hellos.ask(GOOD) == answer


LONG = replace(BAD, suites=tuple(suite for suite in suites_of(Version.TLS12) if suites()[suite].authentication != "ECDSA")[:150])
"""What a server with an ECDSA certificate takes none of."""


@pytest.mark.parametrize("way", ["close", "reset", "alert-47"])
@pytest.mark.parametrize("is_together", [False, True])
async def test_a_long_offer_to_a_server_that_bears_none_is_made_in_parts(way: str, is_together: bool) -> None:
    """That a server does not bear a long hello is no refusal of the suites in it: a good one made as long shows that, and parts are sent."""
    taken = replace(GOOD, suites=(*LONG.suites[:100], *GOOD.suites))
    particular = ParticularServer(tls12(), has_few_suites, [], way)
    async with particular.serving() as server, asking(f"tls://127.0.0.1:{server.port}") as hellos:
        await hellos.ask(GOOD)
        answer = (await hellos.ask_all([taken]))[taken] if is_together else await hellos.ask(taken)
        assert isinstance(answer, TlsReply)
        assert answer.suite in GOOD.suites
        before = server.connections
        assert isinstance(await hellos.ask(LONG), TlsRefusal)
        # Three parts, and for the first that is hung up on, one to see that the server is well and the part again.
        assert server.connections - before <= 9


async def test_a_long_offer_that_is_refused_needs_no_parts() -> None:
    """A server that bears a long hello refuses what is in it: the control is made as long, and costs no connection more."""
    async with TlsServer(tls12(), says_no="close").serving() as server, asking(f"tls://127.0.0.1:{server.port}") as hellos:
        await hellos.ask(GOOD)
        assert await hellos.ask(LONG) == TlsRefusal(SILENT_ALERT)
        assert server.connections == 4
        assert await hellos.ask(LONG) == TlsRefusal(SILENT_ALERT)
        assert server.connections == 6


async def test_a_good_hello_as_long_shows_that_length_is_no_reason() -> None:
    """Where a server that hung up on a long hello then takes one with as many suites, no hello more is needed; a shorter one shows nothing."""
    as_long = replace(GOOD, suites=(*GOOD.suites, *LONG.suites))
    shorter = replace(GOOD, suites=(*GOOD.suites, *LONG.suites[:-3]))
    async with TlsServer(tls12(), says_no="close").serving() as server, asking(f"tls://127.0.0.1:{server.port}") as hellos:
        await hellos.ask(GOOD)
        answers = await hellos.ask_all([LONG, as_long])
        assert answers[LONG] == TlsRefusal(SILENT_ALERT)
        assert server.connections == 3
    async with TlsServer(tls12(), says_no="close").serving() as server, asking(f"tls://127.0.0.1:{server.port}") as hellos:
        await hellos.ask(GOOD)
        answers = await hellos.ask_all([LONG, shorter])
        assert answers[LONG] == TlsRefusal(SILENT_ALERT)
        assert server.connections == 4


async def test_a_server_that_hangs_up_on_tls_1_3_refuses_what_has_it() -> None:
    """With no hello known to work, one of ten years ago is tried too: where it works, the first was refused."""
    both = replace(GOOD, versions=(Version.TLS13, Version.TLS12), suites=(*suites_of(Version.TLS13), *GOOD.suites))
    particular = ParticularServer(tls12(), has_no_tls13, [])
    async with particular.serving() as server, asking(f"tls://127.0.0.1:{server.port}") as hellos:
        assert await hellos.ask(both) == TlsRefusal(SILENT_ALERT)
        assert isinstance(await hellos.ask(GOOD), TlsReply)
