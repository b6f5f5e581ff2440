"""What the posture prober writes down, of servers that serve, refuse, limit, fall silent, or speak no TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import pytest

from probe.model import vocabulary as v
from probe.model.attempts import Attempt
from probe.net import hellos
from tests.holding import asked
from tests.hostile import Hostile
from tests.looking import Looked, authority, look, playing
from tests.particular import ParticularServer, has_few_suites
from tests.tls_server import Manner, TlsServer

QUICK = (v.FIPS_PROFILE, v.FIPS_CAN_WORK, v.FIPS_REASONS, v.FIPS_NEGOTIATES, v.FIPS_ALSO_ACCEPTS)
FULL = (v.TLS_VERSIONS, v.TLS_SUITES, v.TLS_GROUPS, v.TLS_SCHEMES, v.TLS_SERVER_ORDER)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits a minute for a test."""
    monkeypatch.setattr(hellos, "PAUSES_SECONDS", (0.01, 0.01))
    monkeypatch.setattr(hellos, "LONGEST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(hellos, "SLOW_PACE_SECONDS", 0.01)
    monkeypatch.setattr(hellos, "HELLO_SECONDS", 0.3)


def context(ciphers: str = "ECDHE+AESGCM", lowest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> ssl.SSLContext:
    """A server of TLS 1.2 alone with these suites."""
    made = authority().issue("localhost", "127.0.0.1").context()
    made.minimum_version, made.maximum_version = lowest, ssl.TLSVersion.TLSv1_2
    made.set_ciphers(ciphers)
    return made


def attempt_of(looked: Looked) -> Attempt:
    """The attempt that asked hellos."""
    (found,) = [attempt for attempt in looked.run.attempts if attempt.prober == "tls-posture"]
    return found


async def test_quick_answers_the_question_and_leaves_the_lists_for_later() -> None:
    """Five hellos tell whether the client works, what it gets and what it would refuse; the full lists are missing, with how to get them."""
    async with TlsServer(context()).serving() as server:
        looked = await look(f"tls://localhost:{server.port}", tls="quick")
    assert looked.value(v.FIPS_PROFILE) == "sp800-52r2"
    assert looked.value(v.FIPS_CAN_WORK) is True
    session = looked.value(v.FIPS_NEGOTIATES)
    assert session is not None
    assert (session.version, session.group) == ("TLSv1.2", "secp256r1")
    assert looked.value(v.FIPS_ALSO_ACCEPTS) == ()
    assert all(looked.why(key) == "not-attempted" for key in FULL)
    assert attempt_of(looked).connections == 5
    assert attempt_of(looked).transcript[0].text.startswith("hello with what sp800-52r2 allows: TLSv1.2 TLS_ECDHE_")


async def test_one_answer_shows_another_suite_and_another_group() -> None:
    """A server that takes a suite and a group that the client refuses shows both by one hello, and its line supports both."""
    async with TlsServer(authority().issue("localhost", "127.0.0.1").context()).serving() as server:
        looked = await look(f"tls://localhost:{server.port}", tls="quick")
    taken = looked.value(v.FIPS_ALSO_ACCEPTS)
    assert taken is not None
    # OpenSSL prefers x25519, and from 3.5 on the hybrid with ML-KEM.
    assert taken[-2:] in (
        ("TLSv1.3 with TLS_CHACHA20_POLY1305_SHA256", "TLSv1.3 with x25519"),
        ("TLSv1.3 with TLS_CHACHA20_POLY1305_SHA256", "TLSv1.3 with X25519MLKEM768"),
    )
    assert attempt_of(looked).connections == 4
    assert len(attempt_of(looked).transcript) == 4


async def test_what_the_client_itself_gets_answers_what_it_refuses() -> None:
    """With its FIPS policy off a Windows gets x25519, which it refuses with the policy on: no hello asks for that group alone."""
    made = context()
    async with TlsServer(made).serving() as server:
        looked = await asked(f"tls://localhost:{server.port}", "windows-server-2019", fips=False)
    assert looked.value(v.FIPS_ALSO_ACCEPTS) == ("TLSv1.2 with x25519",)
    assert attempt_of(looked).connections == 4


async def test_a_server_that_hangs_up_to_refuse_needs_one_connection_more() -> None:
    """Where refusals are hang-ups and none of the last hellos works, one that does shows that the server is well."""
    async with TlsServer(context(), says_no="close").serving() as server:
        looked = await look(f"tls://localhost:{server.port}", tls="quick")
    assert looked.value(v.FIPS_CAN_WORK) is True
    assert looked.value(v.FIPS_ALSO_ACCEPTS) == ()
    assert attempt_of(looked).connections == 6


@pytest.mark.parametrize("says_no", ["alert", "close", "reset"])
async def test_a_client_that_cannot_work_is_told_why(says_no: str) -> None:
    """The first missing thing is named, by whatever way the server refuses."""
    served = TlsServer(
        context("ECDHE-ECDSA-CHACHA20-POLY1305"), says_no="alert" if says_no == "alert" else "close" if says_no == "close" else "reset"
    )
    async with served.serving() as server:
        looked = await look(f"tls://localhost:{server.port}", tls="quick")
    assert looked.value(v.FIPS_CAN_WORK) is False
    chosen = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 in TLSv1.2"
    assert looked.value(v.FIPS_REASONS) == (f"the server takes none of the client's cipher suites; offered others, it chose {chosen}",)
    assert looked.why(v.FIPS_NEGOTIATES) == "not-applicable"
    assert attempt_of(looked).outcome == "completed"


async def test_windows_with_its_policy_on_and_off_gets_different_things() -> None:
    """What is negotiated is what this Windows offers by default under the policy as it is declared."""
    async with TlsServer(context()).serving() as server:
        looked = await look(f"tls://localhost:{server.port}", tls="quick", fips_client="windows-server-2019")
    session = looked.value(v.FIPS_NEGOTIATES)
    assert session is not None
    assert (session.version, session.suite, session.group) == ("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "secp256r1")


async def test_full_lists_everything() -> None:
    """Each version, suite, group and scheme of a server is listed, with the certificate that was shown."""
    async with TlsServer(context("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305")).serving() as server:
        looked = await look(f"tls://localhost:{server.port}", tls="full", timeout=20)
    assert looked.value(v.TLS_VERSIONS) == ("TLSv1.2",)
    suites = {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"}
    found = looked.value(v.TLS_SUITES)
    assert found is not None
    assert {version: set(names) for version, names in found} == {"TLSv1.2": suites}
    assert "TLSv1.2 with TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" in (looked.value(v.FIPS_ALSO_ACCEPTS) or ())
    (certificate,) = looked.value(v.TLS_CERTIFICATES) or ()
    assert certificate.startswith("ecdsa-p256, sha256-ecdsa, CN=")


async def test_a_limit_in_the_middle_leaves_no_wrong_fact() -> None:
    """A server that serves twenty connections and then no more: what is complete stays, the rest is missing, and the attempt says throttled."""

    def manner(number: int) -> Manner:
        return "serve" if number <= 20 else "close-at-once"

    async with TlsServer(context("ALL:@SECLEVEL=0"), manner=manner).serving() as server:
        looked = await look(f"tls://localhost:{server.port}", tls="full", timeout=2)
    assert attempt_of(looked).outcome in ("throttled", "timed-out")
    assert looked.value(v.FIPS_CAN_WORK) is True
    for key in (v.TLS_VERSIONS, v.TLS_SUITES, v.FIPS_ALSO_ACCEPTS):
        assert looked.why(key) in ("throttled", "timed-out")


async def test_a_limit_that_passes_is_waited_for() -> None:
    """A server that hangs up for a while is asked again until it serves, and the posture is the same as without."""

    def manner(number: int) -> Manner:
        return "close-at-once" if 10 <= number <= 14 else "serve"

    async with TlsServer(context(), manner=manner).serving() as server:
        limited = await look(f"tls://localhost:{server.port}", tls="full", timeout=20)
    async with TlsServer(context()).serving() as server:
        free = await look(f"tls://localhost:{server.port}", tls="full", timeout=20)
    assert limited.value(v.TLS_VERSIONS) == free.value(v.TLS_VERSIONS) == ("TLSv1.2",)
    assert limited.value(v.TLS_GROUPS) == free.value(v.TLS_GROUPS) is not None
    assert limited.value(v.TLS_SCHEMES) == free.value(v.TLS_SCHEMES) is not None
    assert attempt_of(limited).outcome == "completed"


async def test_a_server_that_says_later_is_left_alone() -> None:
    """A 421 makes the quick question throttled, not an answer."""
    async with playing(["S: 421 4.7.0 too many connections"], implicit=False) as server:
        looked = await look(f"smtp://localhost:{server.port}", tls="quick", timeout=5)
    assert attempt_of(looked).outcome == "throttled"
    assert all(looked.why(key) == "throttled" for key in QUICK[1:])


async def test_a_server_without_tls_has_no_posture() -> None:
    """Where STLS is refused, the question does not arise."""
    steps = ["S: +OK ready", "C: STLS", "S: -ERR what"]
    async with playing(steps, implicit=False) as server:
        looked = await look(f"pop3://localhost:{server.port}", tls="full", timeout=5)
    assert attempt_of(looked).outcome == "completed"
    assert all(looked.why(key) == "not-applicable" for key in (*QUICK[1:], *FULL))


@pytest.mark.parametrize(
    ("manner", "why"), [("silent", "timed-out"), ("garbage", "off-protocol"), ("alert-80", "off-protocol"), ("close", "closed")]
)
async def test_what_is_no_tls_server_is_no_answer(manner: Manner, why: str) -> None:
    """Silence, another protocol and goodbyes decide nothing, take a few connections, and are told for what they are."""
    async with TlsServer(manner=lambda number: manner).serving() as server:
        looked = await look(f"tls://localhost:{server.port}", tls="full", timeout=5)
    assert all(looked.why(key) == why for key in (*QUICK[1:], *FULL))
    assert attempt_of(looked).outcome == why
    assert attempt_of(looked).connections <= 4


async def test_a_port_that_nobody_listens_on_is_refused() -> None:
    """What the first connection fails with is what the attempt ends with."""
    listener = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    listener.close()
    looked = await look(f"tls://127.0.0.1:{port}", tls="full")
    assert attempt_of(looked).outcome == "refused"
    assert looked.why(v.FIPS_CAN_WORK) == "refused"


async def test_a_flood_in_place_of_a_flight_is_bounded() -> None:
    """Endless bytes that are no TLS end the hello, and soon the attempt."""
    async with Hostile(greeting=b"\x16\x03\x03\x40\x00" + b"\2\0\xff\xff" + b"x" * 5000, again=b"y" * 65536).serving() as server:
        looked = await look(f"tls://localhost:{server.port}", tls="full", timeout=5)
    assert looked.why(v.FIPS_CAN_WORK) == "off-protocol"
    assert server.connections <= 6


async def test_the_deadline_keeps_what_is_complete() -> None:
    """A server that answers slowly is not finished with in time: the question of FIPS is answered, the lists are missing as timed out."""

    def manner(number: int) -> Manner:
        return "serve" if number <= 12 else "silent"

    async with TlsServer(context("ALL"), manner=manner).serving() as server:
        looked = await look(f"tls://localhost:{server.port}", tls="full", timeout=3)
    assert looked.value(v.FIPS_CAN_WORK) is True
    assert looked.why(v.TLS_SUITES) == "timed-out"
    assert attempt_of(looked).outcome == "timed-out"


# --- What the deployment's Windows gets ---------------------------------------------------------------------


def p521_only() -> ssl.SSLContext:
    made = context()
    made.set_ecdh_curve("secp521r1")
    return made


def tls13_only() -> ssl.SSLContext:
    made = authority().issue("localhost").context()
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    return made


@pytest.mark.parametrize(
    ("made", "client", "fips", "gets"),
    [
        pytest.param(context, "windows-server-2019", True, True, id="a server of today, policy on"),
        pytest.param(context, "windows-server-2019", False, True, id="a server of today, policy off"),
        pytest.param(tls13_only, "windows-server-2019", True, False, id="TLS 1.3 alone, policy on"),
        pytest.param(tls13_only, "windows-server-2019", False, False, id="TLS 1.3 alone, policy off"),
        pytest.param(tls13_only, "windows-server-2022", False, True, id="TLS 1.3 alone, a Windows that has it"),
        pytest.param(p521_only, "windows-server-2019", True, False, id="a curve that it allows and does not offer, policy on"),
        pytest.param(p521_only, "windows-server-2019", False, False, id="a curve that it does not offer, policy off"),
        pytest.param(
            lambda: context("ECDHE-ECDSA-CHACHA20-POLY1305"), "windows-server-2019", False, False, id="a suite that no Windows offers"
        ),
    ],
)
async def test_the_deployments_windows_gets_what_its_own_hello_gets(
    made: Callable[[], ssl.SSLContext], client: str, fips: bool, gets: bool
) -> None:
    """One hello with just what this Windows offers under its policy decides, and what it gets is told with it."""
    async with TlsServer(made()).serving() as server:
        looked = await asked(f"tls://localhost:{server.port}", client, fips=fips)
    assert looked.value(v.TLS_DEPLOYMENT_GETS) is gets
    assert (looked.value(v.FIPS_NEGOTIATES) is not None) is gets


async def test_with_the_policy_off_what_is_really_sent_is_asked_first() -> None:
    """A server that serves one connection and no more answers the hello that decides."""
    async with TlsServer(context(), manner=lambda number: "serve" if number == 1 else "close-at-once").serving() as server:
        looked = await asked(f"tls://localhost:{server.port}", "windows-server-2019", fips=False)
    assert looked.value(v.TLS_DEPLOYMENT_GETS) is True
    assert looked.why(v.FIPS_CAN_WORK) == "throttled"


async def test_what_stayed_open_is_missing_for_its_reason() -> None:
    """A server that says later leaves open what the deployment's Windows gets."""
    async with playing(["S: 421 4.7.0 too many connections"], implicit=False) as server:
        looked = await asked(f"smtp://localhost:{server.port}", "windows-server-2019", fips=False)
    assert looked.why(v.TLS_DEPLOYMENT_GETS) == "throttled"


async def test_a_look_for_another_client_asks_nothing_of_a_deployment() -> None:
    """Where the client is no Windows, the question does not arise; in a look for one, its FIPS policy is on."""
    async with TlsServer(p521_only()).serving() as server:
        other = await look(f"tls://localhost:{server.port}", tls="quick")
        windows = await look(f"tls://localhost:{server.port}", tls="quick", fips_client="windows-server-2019")
    assert other.why(v.TLS_DEPLOYMENT_GETS) == "not-applicable"
    assert windows.value(v.TLS_DEPLOYMENT_GETS) is False


@pytest.mark.parametrize("highest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(("mode", "gets"), [(ssl.CERT_REQUIRED, False), (ssl.CERT_OPTIONAL, True)])
async def test_a_demand_for_a_client_certificate_decides_where_it_is_insisted_on(
    highest: ssl.TLSVersion, mode: ssl.VerifyMode, gets: bool
) -> None:
    """A server that asks for a client certificate gives Windows a session only where it lets in who has none."""
    made = authority().issue("localhost").context(highest=highest)
    made.verify_mode = mode
    made.load_verify_locations(authority().ca_file)
    async with ParticularServer(made, lambda hello: True, []).serving() as server:
        looked = await asked(f"tls://localhost:{server.port}", "windows-server-2022", fips=False)
    assert looked.value(v.TLS_DEPLOYMENT_GETS) is gets
    assert "asks for a client certificate" in attempt_of(looked).transcript[0].text


async def test_a_name_that_the_server_does_not_know_is_no_matter_of_fips() -> None:
    """Windows, which asks for the name, gets no session; whether FIPS mode could work is left open."""
    async with ParticularServer(context(), lambda hello: False, [], "alert-112").serving() as server:
        looked = await asked(f"tls://localhost:{server.port}", "windows-server-2019", fips=True)
    assert looked.value(v.TLS_DEPLOYMENT_GETS) is False
    assert looked.why(v.FIPS_CAN_WORK) == looked.why(v.FIPS_REASONS) == "tls-failed"
    assert attempt_of(looked).outcome == "tls-failed"
    assert "does not know the name" in attempt_of(looked).detail
    assert attempt_of(looked).connections == 1


async def test_a_server_that_bears_few_suites_has_a_whole_posture() -> None:
    """Versions and suites of a server that hangs up on more than 64 suites are the same as without that."""
    async with ParticularServer(context("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-CCM"), has_few_suites, []).serving() as server:
        looked = await look(f"tls://localhost:{server.port}", tls="full", timeout=30)
    assert looked.value(v.TLS_VERSIONS) == ("TLSv1.2",)
    ((version, found),) = looked.value(v.TLS_SUITES) or ()
    assert version == "TLSv1.2"
    assert set(found) == {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM"}
