"""The listener: where it listens and where it refuses to, TLS, what clients may do to it, and how it ends."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import h11
import pytest
from cryptography.hazmat.primitives import serialization
from starlette.responses import Response

from probe.memory.folder import Folder
from probe.net.listening import ClientLimits, ListeningPort, ServerIdentity
from probe.web import ahead
from probe.web.connections import ClientPatience
from probe.web.listener import CannotListen, ListenerNames, ListenSettings, listen_settings
from probe.web.parts import PartState
from probe.web.tokens import Tokens, TokenScope
from tests.looking import authority
from tests.runs import NOON, POP
from tests.web.client import Asker, answer_of
from tests.web.world import world

HASTY = ClientPatience(head=0.3, body=0.3, response=0.6, rest=0.3, drain=1)
EVERYWHERE = "0.0.0.0"


def settings_for(*names: str, host: str = "127.0.0.1") -> ListenSettings:
    """A free port with a certificate for these names."""
    file = authority().issue(*names).file
    return ListenSettings(host=host, port=0, certificate=file, key=file)


async def refusal(folder: Path, settings: ListenSettings) -> str:
    """Why a listener does not start."""
    with pytest.raises(CannotListen) as refused:
        async with world(folder, settings=settings):
            pass
    return str(refused.value)


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [
        (None, "127.0.0.1", 8025),
        ("0.0.0.0:443", "0.0.0.0", 443),
        ("[::1]:8025", "::1", 8025),
        ("probe.contoso.test:0", "probe.contoso.test", 0),
    ],
)
def test_an_address_is_a_host_and_a_port(listen: str | None, host: str, port: int) -> None:
    """By default loopback and port 8025."""
    settings = listen_settings(listen)
    assert (settings.host, settings.port) == (host, port)


@pytest.mark.parametrize("listen", ["", "8025", ":8025", "localhost", "localhost:", "localhost:x", "localhost:65536", "localhost:²"])
def test_what_is_no_address_is_refused(listen: str) -> None:
    """With what one looks like."""
    with pytest.raises(ValueError, match=r"is not HOST:PORT, as in 127\.0\.0\.1:8025"):
        listen_settings(listen)


def test_a_certificate_and_its_key_go_together() -> None:
    """One without the other is a mistake."""
    with pytest.raises(ValueError, match="wants its key"):
        listen_settings(None, Path("cert.pem"), None)


async def test_other_machines_are_listened_to_with_a_certificate_and_a_token_alone(tmp_path: Path) -> None:
    """Without either the listener does not start, and says what is wanted."""
    assert "it wants --certificate and --key" in await refusal(tmp_path, ListenSettings(host=EVERYWHERE, port=0))
    assert "it wants a token first" in await refusal(tmp_path, settings_for("localhost", host=EVERYWHERE))


async def test_other_machines_ask_by_a_name_of_the_certificate_with_a_token(tmp_path: Path) -> None:
    """Whoever asks, from wherever: that a connection comes from loopback does not count there."""
    Tokens(Folder(tmp_path / "state")).create("first", TokenScope.READ, NOON)
    async with world(tmp_path, settings=settings_for("localhost", "probe.contoso.test", host=EVERYWHERE)) as made:
        port = made.asker.url.rpartition(":")[2]
        asker = replace(made.asker, url=f"https://127.0.0.1:{port}")
        reader = replace(asker, token=made.tokens.create("reader", TokenScope.READ, NOON))
        assert (await asker.ask("/healthz", host=f"localhost:{port}")).status == 401
        assert (await reader.ask("/healthz", host=f"localhost:{port}")).status == 200
        assert (await reader.ask("/healthz", host=f"probe.contoso.test:{port}")).status == 200
        assert (await reader.ask("/healthz", host="probe.contoso.test")).status == 200
        refused = await reader.ask("/healthz", host=f"127.0.0.1:{port}")
        assert refused.status == 421
        assert refused.problem == "this service has another name; ask for it by a name of its certificate"
        assert (await reader.ask("/healthz", host="evil.example")).status == 421


async def test_loopback_is_served_over_tls_too(tmp_path: Path) -> None:
    """TLS 1.2 and later, with the certificate that was given; reading wants no token."""
    async with world(tmp_path, settings=settings_for("localhost")) as made:
        assert made.asker.url.startswith("https://")
        assert (await made.asker.ask("/healthz")).status == 200
        context = ssl.create_default_context(cafile=str(authority().ca_file))
        with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            await asyncio.open_connection("127.0.0.1", int(made.asker.url.rpartition(":")[2]), ssl=context, server_hostname="localhost")


async def test_ipv6_is_loopback_too(tmp_path: Path) -> None:
    """Its address stands in brackets."""
    try:
        async with world(tmp_path, settings=ListenSettings(host="::1", port=0)) as made:
            assert made.asker.url.startswith("http://[::1]:")
            assert (await made.asker.ask("/healthz")).status == 200
    except CannotListen:
        pytest.skip("this machine has no IPv6")


async def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    """In one sentence, with the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert await refusal(tmp_path, ListenSettings(port=port)) == f"127.0.0.1:{port} cannot be listened on: Address already in use"


async def test_a_certificate_that_will_not_do_is_told(tmp_path: Path) -> None:
    """One that is not there, is none, does not fit its key, or whose key is encrypted, which nobody is asked about."""
    one, other = authority().issue("localhost").file, authority().issue("localhost").file
    text = tmp_path / "letter.pem"
    text.write_text("a letter\n")
    key = serialization.load_pem_private_key(one.read_bytes(), None)
    encrypted = tmp_path / "encrypted.pem"
    encryption = serialization.BestAvailableEncryption(b"hunter2")
    encrypted.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))

    async def told(certificate: Path, its_key: Path) -> str:
        return await refusal(tmp_path, ListenSettings(port=0, certificate=certificate, key=its_key))

    assert await told(tmp_path / "none.pem", one) == f"{tmp_path / 'none.pem'} cannot be read: No such file or directory"
    assert await told(text, one) == f"{text} holds no certificate in PEM"
    assert "are no certificate with its key, unencrypted, in PEM" in await told(one, text)
    assert "key values mismatch" in await told(one, other)
    assert "are no certificate with its key, unencrypted, in PEM" in await told(one, encrypted)


def test_a_renewed_certificate_is_taken_up(tmp_path: Path) -> None:
    """New handshakes show it; what will not do is refused, and the old one stays."""
    file = tmp_path / "server.pem"
    file.write_bytes(authority().issue("localhost").file.read_bytes())
    identity = ServerIdentity(file, file)
    before = identity.leaf
    assert not identity.renew()
    file.write_bytes(authority().issue("localhost").file.read_bytes())
    assert identity.renew()
    assert identity.leaf != before
    after = identity.leaf
    file.write_text("half of it is writ")
    with pytest.raises(ValueError, match="no certificate in PEM"):
        identity.renew()
    assert identity.leaf == after


async def test_a_renewed_certificate_is_shown_by_a_listener_that_goes_on(tmp_path: Path) -> None:
    """Its names count from then on; one that will not do is told in the log, and the old one stays."""
    file = tmp_path / "server.pem"
    file.write_bytes(authority().issue("localhost").file.read_bytes())
    port, identity = ListeningPort(EVERYWHERE, 0), ServerIdentity(file, file)
    with closing(port):
        names = ListenerNames(port, identity)
        assert (names.have("localhost"), names.have("new.contoso.test")) == (True, False)
        file.write_bytes(authority().issue("new.contoso.test").file.read_bytes())
        await names.renew()
        assert (names.have("localhost"), names.have("new.contoso.test")) == (False, True)
        file.write_text("")
        await names.renew()
        assert names.have("new.contoso.test")


async def test_signals_stay_whose_they_are(tmp_path: Path) -> None:
    """The listener takes no signal over."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with world(tmp_path):
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the listener ends the connection, in good order or not."""
    with suppress(ConnectionResetError):
        return await asyncio.wait_for(reader.read(-1), 20)
    return b""


async def ends(asker: Asker, sent: bytes) -> bytes:
    """All that is answered to some bytes, until the listener ends the connection."""
    async with asker.connection() as (reader, writer):
        writer.write(sent)
        return await rest_of(reader)


HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /healthz HT",
        HEAD,
        HEAD + b"Authorization: Bear",
        HEAD + b"\r\nGET /hea",
        b"POST /v1/checks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n123",
    ],
    ids=["nothing", "a line", "a head", "a header", "a second head", "a body"],
)
async def test_who_is_slow_is_left(tmp_path: Path, sent: bytes) -> None:
    """Whatever was begun and is not ended in time ends the connection, and others are answered meanwhile."""
    async with world(tmp_path, patience=HASTY) as made:
        slow = asyncio.ensure_future(ends(made.asker, sent))
        assert (await made.asker.ask("/healthz")).status == 200
        await slow


async def test_who_sends_a_byte_now_and_then_is_left_as_soon(tmp_path: Path) -> None:
    """The time is for the whole head, however often some of it comes."""
    async with world(tmp_path, patience=replace(HASTY, head=1.0)) as made, made.asker.connection() as (reader, writer):
        writer.write(HEAD)
        ended = asyncio.ensure_future(rest_of(reader))
        began = asyncio.get_running_loop().time()
        while not ended.done():
            writer.write(b"X: y\r\n")
            await asyncio.wait([ended], timeout=0.1)
        assert asyncio.get_running_loop().time() - began < 10
        assert await ended == b""


async def test_who_never_finishes_a_handshake_is_left(tmp_path: Path) -> None:
    """A place that a client takes without a word of TLS is free again in time."""
    limits = ClientLimits(most=2, most_of_one=2, handshake_seconds=0.3)
    async with world(tmp_path, settings=settings_for("localhost"), clients=limits) as made:
        plain = replace(made.asker, url=made.asker.url.replace("https:", "http:"))
        async with plain.connection() as (reader, _), plain.connection() as (other, _):
            assert await asyncio.wait_for(reader.read(-1), 20) == b""
            assert await asyncio.wait_for(other.read(-1), 20) == b""
        assert (await made.asker.ask("/healthz")).status == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (HEAD + b"X: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 20_000, 431),
        (HEAD + b"x\r\n" * 1000 + b"\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
        (HEAD + b"Host: evil.example\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (HEAD + b"X: a\r\n b: folded\x00\r\n\r\n", 400),
    ],
    ids=["a header", "a line", "no headers", "no host", "two hosts", "TLS", "a coding", "two lengths", "a NUL"],
)
async def test_what_is_no_request_is_answered_and_ended(tmp_path: Path, sent: bytes, status: int) -> None:
    """With problem details, and nothing more on that connection."""
    async with world(tmp_path) as made:
        talk = h11.Connection(h11.CLIENT)
        talk.send(h11.Request(method="GET", target="/", headers=[("Host", "localhost")]))
        talk.send(h11.EndOfMessage())
        async with made.asker.connection() as (reader, writer):
            writer.write(sent)
            answer = await answer_of(talk, reader)
            assert answer.status == status
            assert answer.problem
            assert answer.headers["connection"] == "close"


async def test_half_a_request_that_was_answered_may_end_as_it_likes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What comes of it after the answer, and is no body, ends the connection without a word of the program's own."""
    talk = h11.Connection(h11.CLIENT)
    talk.send(h11.Request(method="GET", target="/", headers=[("Host", "localhost")]))
    talk.send(h11.EndOfMessage())
    async with world(tmp_path) as made, made.asker.connection() as (reader, writer):
        writer.write(b"POST /v1/checks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert (await answer_of(talk, reader)).status == 401
        writer.write(b"no chunk\r\n")
        assert await rest_of(reader) == b""
    assert "Fatal error" not in caplog.text


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_comes_the_listener_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture, seed: int) -> None:
    """Requests of which bytes are lost, doubled, changed or late: each is answered or ended, and none is a failure of the program."""
    chance = Random(seed)
    whole = [
        HEAD + b"\r\n",
        HEAD + b"Connection: close\r\n\r\n" + HEAD + b"\r\n",
        b"POST /v1/checks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n" + b'{"mailbox":"a"}',
        b'POST /v1/gate HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n',
        b"GET /probe?target=%00 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade\r\nExpect: 100-continue\r\n\r\n",
    ]
    async with world(tmp_path, patience=replace(HASTY, head=0.05, body=0.05, rest=0.05)) as made:
        for _ in range(60):
            sent = bytearray(chance.choice(whole))
            for _ in range(chance.randint(0, 4)):
                place = chance.randrange(len(sent))
                sent[place : place + chance.choice((0, 0, 1, 3))] = chance.randbytes(chance.choice((0, 1, 1, 8)))
            cut = chance.randint(0, len(sent))
            async with made.asker.connection() as (reader, writer):
                writer.write(bytes(sent[:cut]))
                with suppress(ConnectionResetError):
                    await writer.drain()
                writer.write(bytes(sent[cut:]))
                await rest_of(reader)
        assert (await made.asker.ask("/healthz")).status == 200
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


@pytest.mark.parametrize(
    ("length", "sent"),
    [
        ("Content-Length: 65537", b""),
        ("Content-Length: 1000000\r\nExpect: 100-continue", b""),
        ("Content-Length: 10000000", b" " * 10_000_000),
        ("Transfer-Encoding: chunked", (b"2710\r\n" + b" " * 10_000 + b"\r\n") * 7),
        ("Transfer-Encoding: chunked", (b"2710\r\n" + b" " * 10_000 + b"\r\n") * 1000 + b"0\r\n\r\n"),
        ("Content-Length: 10000000\r\nConnection: close", b" " * 10_000_000),
        ("Transfer-Encoding: chunked\r\nConnection: close", (b"2710\r\n" + b" " * 10_000 + b"\r\n") * 1000 + b"0\r\n\r\n"),
    ],
    ids=["told", "told and asked about", "told and sent", "untold", "untold and sent", "told, sent, the last", "untold, sent, the last"],
)
async def test_a_body_that_is_too_large_is_refused(tmp_path: Path, length: str, sent: bytes) -> None:
    """At once where its length was told before; and whoever sends all of it first finds the answer too."""
    async with world(tmp_path) as made:
        token = made.tokens.create("a", TokenScope.CHECK, NOON)
        head = f"POST /v1/checks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer {token}\r\n{length}\r\n\r\n"
        talk = h11.Connection(h11.CLIENT)
        talk.send(h11.Request(method="GET", target="/", headers=[("Host", "localhost")]))
        talk.send(h11.EndOfMessage())
        async with made.asker.connection() as (reader, writer):
            writer.write(head.encode() + sent)
            await writer.drain()
            answer = await answer_of(talk, reader)
        assert answer.status == 413
        assert answer.problem == "a body has at most 65536 bytes"


async def test_who_sent_too_large_a_body_may_ask_on(tmp_path: Path) -> None:
    """Over the same connection, be it that all of the body had come before it was refused."""
    async with world(tmp_path) as made:
        token = made.tokens.create("a", TokenScope.CHECK, NOON)
        head = f"POST /v1/checks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer {token}\r\n"
        async with made.asker.connection() as (reader, writer):
            for length, end in (("Transfer-Encoding: chunked\r\n\r\n11170\r\n", b"\r\n0\r\n\r\n"), ("Content-Length: 70000\r\n\r\n", b"")):
                writer.write((head + length).encode() + b" " * 70_000 + end)
                assert (await reader.readline()).startswith(b"HTTP/1.1 413")
                assert (await reader.readuntil(b'bytes"}\n')).endswith(b'65536 bytes"}\n')
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")


async def test_connections_of_one_address_are_bounded(tmp_path: Path) -> None:
    """Whoever holds as many as one may gets no more; what others have is not touched."""
    async with world(tmp_path, clients=ClientLimits(most=10, most_of_one=3, handshake_seconds=1)) as made:
        async with AsyncExitStack() as stack:
            held = [await stack.enter_async_context(made.asker.connection()) for _ in range(3)]
            async with made.asker.connection() as (reader, _):
                assert await rest_of(reader) == b""
            for reader, writer in held:
                writer.write(HEAD + b"\r\n")
                assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        assert (await made.asker.ask("/healthz")).status == 200


async def test_who_comes_when_all_places_are_taken_waits(tmp_path: Path) -> None:
    """And is answered once there is a place."""
    async with world(tmp_path, clients=ClientLimits(most=2, most_of_one=2, handshake_seconds=1)) as made:
        async with AsyncExitStack() as stack:
            for _ in range(2):
                await stack.enter_async_context(made.asker.connection())
            waiting = asyncio.ensure_future(made.asker.ask("/healthz"))
            await asyncio.wait([waiting], timeout=0.2)
            assert not waiting.done()
        assert (await waiting).status == 200


async def test_many_requests_of_one_connection_are_answered_in_order(tmp_path: Path) -> None:
    """Also where the next are sent before the first is answered."""
    async with world(tmp_path) as made, made.asker.connection() as (reader, writer):
        paths = [b"/healthz", b"/nothing"] * 20
        writer.write(b"".join(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n" for path in paths))
        statuses = []
        talk = h11.Connection(h11.CLIENT)
        for _ in paths:
            talk.send(h11.Request(method="GET", target="/", headers=[("Host", "localhost")]))
            talk.send(h11.EndOfMessage())
            statuses.append((await answer_of(talk, reader)).status)
            talk.start_next_cycle()
        assert statuses == [200, 404] * 20


async def test_what_is_being_answered_at_the_end_is_answered(tmp_path: Path) -> None:
    """An end accepts nothing new, and waits for what goes on."""
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(world(tmp_path))
        made.watch.go.clear()
        going_on = asyncio.ensure_future(made.asker.ask(f"/probe?target={POP}"))
        await asyncio.wait([going_on], timeout=0.2)
        ending = asyncio.ensure_future(stack.aclose())
        await asyncio.wait([ending], timeout=0.3)
        with pytest.raises(ConnectionRefusedError):
            await made.asker.ask("/healthz")
        made.watch.ready = replace(made.watch.ready, is_ready=False)
        made.watch.go.set()
        assert (await going_on).problem == "the service is about to end"
        await ending


async def test_an_end_does_not_wait_for_ever_and_leaves_nothing(tmp_path: Path) -> None:
    """What is not answered in its time is cut off, and no task is left of it."""
    before = asyncio.all_tasks()
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(world(tmp_path, patience=HASTY))
        made.watch.go.clear()
        going_on = asyncio.ensure_future(made.asker.ask(f"/probe?target={POP}"))
        for begun in (b"", HEAD, b"no request\r\n\r\n", HEAD + b"\r\n"):
            _, writer = await stack.enter_async_context(made.asker.connection())
            writer.write(begun)
        await asyncio.wait([going_on], timeout=0.2)
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 10
    (cut_off,) = await asyncio.gather(going_on, return_exceptions=True)
    assert isinstance(cut_off, BaseException) or cut_off.status == 500
    assert asyncio.all_tasks() == before


async def test_a_service_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    """No task, no port."""
    before = asyncio.all_tasks()
    urls: list[str] = []

    async def service() -> None:
        async with world(tmp_path) as made:
            urls.append(made.asker.url)
            await asyncio.Event().wait()

    running = asyncio.ensure_future(service())
    while not urls:
        await asyncio.wait([running], timeout=0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert asyncio.all_tasks() == before
    with pytest.raises(ConnectionRefusedError):
        await Asker(urls[0]).ask("/healthz")


async def test_a_bug_is_answered_without_a_word_of_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The answer says that the program failed, the log where; what the error says may hold anything."""

    async with world(tmp_path) as made:
        made.watch.late = None  # type: ignore[assignment]
        answer = await made.asker.ask("/metrics")
        assert answer.status == 500
        assert answer.problem == "this program failed; its log says where"
        assert (await made.asker.ask("/healthz")).status == 200
    assert "a bug in probe: a request was not answered" in caplog.text


async def test_what_comes_is_worked_out_once_somebody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that nobody looks at spends nothing on it, though the estate's page was drawn as it began."""
    worked_out: list[object] = []

    def note(part: PartState) -> object:
        worked_out.append(part)
        return ahead_of(part)

    ahead_of = ahead._worked_out
    monkeypatch.setattr(ahead, "_worked_out", note)
    async with world(tmp_path) as one:
        await one.asker.ask("/changes")
        await asyncio.sleep(0.3)
        assert worked_out == []
        assert (await one.asker.ask("/")).status == 200
        await one.worked_out()
        assert len(worked_out) == 1


async def test_a_page_that_cannot_be_drawn_keeps_nobody_from_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The service begins though its first page fails for a bug; the log says so, and everything else is answered."""

    def failing(*_: object) -> Response:
        raise ValueError("once")

    monkeypatch.setattr("probe.web.pages.routes.answered", failing)
    async with world(tmp_path) as one:
        assert "the estate's page cannot be shown" in caplog.text
        assert [(await one.asker.ask(path)).status for path in ("/", "/healthz", "/v1/summary")] == [500, 200, 200]
