"""Tests of HTTP over a stream."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import probe
from probe.model.estate import Endpoint
from probe.net.failures import OffProtocol, PeerClosed
from probe.net.http_exchange import (
    MAX_ANSWER_BYTES,
    MAX_BODY_BYTES,
    MAX_INTERIM_ANSWERS,
    Head,
    HttpConnection,
    HttpResponse,
    asked_to_wait,
    exchange,
    host_header,
)
from probe.net.stream import Stream
from probe.wire.http_head import MAX_HEAD_BYTES


def zipped(data: bytes) -> bytes:
    """The same bytes whenever it is asked: by them a test is called, in each of the processes that share the tests."""
    return gzip.compress(data, mtime=0)


REFUSAL = (
    b"HTTP/1.1 401 Unauthorized\r\nServer: Microsoft-IIS/10.0\r\nWWW-Authenticate: Negotiate\r\n"
    b"www-authenticate: NTLM\r\nX-FEServer: MAIL01\r\nContent-Length: 5\r\n\r\nhello"
)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
UNTIL_CLOSED = b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html></html>"


class Pieces(Stream):
    """A stream whose peer says these pieces, one at a time, and then closes."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)
        self.sent = b""
        self.inside = b""
        self.notes: list[str] = []

    async def receive(self) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""

    async def send(self, data: bytes, *, shown: str | None = None) -> None:
        self.sent += data

    def heard_inside(self, data: bytes) -> None:
        self.inside += data

    def note(self, text: str) -> None:
        self.notes.append(text)


def byte_by_byte(data: bytes) -> tuple[bytes, ...]:
    return tuple(data[n : n + 1] for n in range(len(data)))


async def get(*pieces: bytes) -> HttpResponse:
    return await exchange(Pieces(*pieces), "GET", "/", host="mail.test")


async def test_an_answer_has_status_headers_and_body() -> None:
    """Header names compare without case, keep their own, and may come several times."""
    answer = await get(REFUSAL)
    assert (answer.status, answer.reason, answer.body) == (401, "Unauthorized", b"hello")
    assert answer.all("WWW-Authenticate") == ["Negotiate", "NTLM"]
    assert answer.header("x-feserver") == "MAIL01"
    assert answer.header("X-OWA-Version") is None
    assert ("www-authenticate", "NTLM") in answer.headers
    assert (answer.keeps_alive, answer.truncated) == (True, False)


async def test_a_request_says_who_asks_and_nothing_that_was_not_given() -> None:
    """The request names the host and this program, asks for a plain body, and carries no credentials."""
    stream = Pieces(REFUSAL)
    await exchange(stream, "POST", "/EWS/Exchange.asmx", host="mail.test:8443", headers=[("Content-Type", "text/xml")], body=b"<a/>")
    head, _, body = stream.sent.decode().partition("\r\n\r\n")
    assert head.splitlines() == [
        "POST /EWS/Exchange.asmx HTTP/1.1",
        "Host: mail.test:8443",
        f"User-Agent: probe/{probe.__version__} (+connectivity check)",
        "Accept: */*",
        "Accept-Encoding: identity",
        "Content-Type: text/xml",
        "Content-Length: 4",
    ]
    assert body == "<a/>"


async def test_a_path_is_sent_in_ascii() -> None:
    """What a request line cannot hold is percent-encoded, what is encoded already stays."""
    stream = Pieces(REFUSAL)
    await exchange(stream, "GET", "/é w/%20", host="mail.test")
    assert stream.sent.startswith(b"GET /%C3%A9%20w/%20 HTTP/1.1\r\n")


@pytest.mark.parametrize("data", [REFUSAL, CHUNKED, UNTIL_CLOSED], ids=["length", "chunked", "until closed"])
async def test_an_answer_is_the_same_however_it_arrives(data: bytes) -> None:
    """Whole or byte by byte, an answer reads the same."""
    assert await get(*byte_by_byte(data)) == await get(data)


@pytest.mark.parametrize("data", [REFUSAL, CHUNKED], ids=["length", "chunked"])
async def test_bytes_beyond_an_answer_only_cost_the_connection(data: bytes) -> None:
    """What follows is no part of the answer, and is not taken for the answer to a later request."""
    plain, followed = await get(data), await get(data + b"HTTP/1.1 200 OK\r\n\r\n")
    assert (followed.status, followed.headers, followed.body) == (plain.status, plain.headers, plain.body)
    assert (plain.keeps_alive, followed.keeps_alive) == (True, False)


async def test_chunks_and_bodies_without_length_are_put_together() -> None:
    """A chunked body and one that ends with the connection are whole; only the first keeps the connection."""
    chunked, until_closed = await get(CHUNKED), await get(UNTIL_CLOSED)
    assert (chunked.body, chunked.keeps_alive) == (b"abcde", True)
    assert (until_closed.body, until_closed.keeps_alive) == (b"<html></html>", False)


async def test_one_connection_serves_several_requests() -> None:
    """A connection that is kept alive takes the next request, and one that says close does not."""
    stream = Pieces(REFUSAL, CHUNKED, b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    http = HttpConnection(stream, "mail.test")
    statuses = []
    while http.keeps_alive:
        statuses.append((await http.answer(await http.ask("GET", "/"))).status)
    assert statuses == [401, 200, 204]


async def test_interim_answers_are_passed_over() -> None:
    """100 and 103 are not the answer."""
    answer = await get(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + REFUSAL)
    assert answer.status == 401


async def test_interim_answers_without_end_are_off_protocol() -> None:
    """A peer that only ever says 100 does not answer."""
    with pytest.raises(OffProtocol, match="interim answers"):
        await get(b"HTTP/1.1 100 Continue\r\n\r\n" * (MAX_INTERIM_ANSWERS + 1))


async def test_a_long_body_is_cut_off() -> None:
    """So much is read and no more, and the connection is not used again."""
    piece = b"x" * 65536
    answer = await get(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n", *[piece] * 100)
    assert (len(answer.body), answer.truncated, answer.keeps_alive) == (MAX_BODY_BYTES, True, False)


async def test_a_body_in_tiny_chunks_is_cut_off_too() -> None:
    """What passes on the wire is bounded, not only what is left of it."""
    chunk = b"1;" + b"e" * 10_000 + b"\r\nx\r\n"
    stream = Pieces(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[chunk] * 200)
    answer = await exchange(stream, "GET", "/", host="mail.test")
    assert (answer.truncated, answer.keeps_alive) == (True, False)
    assert len(stream.pieces) == 200 - 1 - MAX_ANSWER_BYTES // len(chunk)


async def test_the_head_is_told_before_the_body_is_read() -> None:
    """A body that breaks off does not take back what the head said."""
    http = HttpConnection(Pieces(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 10\r\n\r\nhel"), "mail.test")
    head = await http.ask("GET", "/")
    assert head.status == 401
    with pytest.raises(PeerClosed):
        await http.answer(head)
    assert not http.keeps_alive


@pytest.mark.parametrize("data", [b"", b"HT", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nA: b\r\n"])
async def test_a_connection_that_ends_before_the_head_is_closed(data: bytes) -> None:
    """No answer, or half of one, is a peer that closed."""
    with pytest.raises(PeerClosed, match="before its answer was complete"):
        await get(data)


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ((b"220 mail.test ESMTP\r\n",), "it began with '220 mail.test ESMTP"),
        ((b"H", b"i there"), "does not speak HTTP"),
        ((b"\x00\xff",), r"'\\x00\\xff'"),
        ((b"HTTP/1.1 abc\r\n\r\n",), "not HTTP/1.1"),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",), "not HTTP/1.1"),
        ((b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",), "not HTTP/1.1"),
    ],
)
async def test_what_is_not_http_is_off_protocol(pieces: tuple[bytes, ...], words: str) -> None:
    """Another protocol's greeting is known by its first bytes, without waiting for more; broken answers by themselves."""
    with pytest.raises(OffProtocol, match=words):
        await get(*pieces)


@pytest.mark.parametrize(
    "line",
    [
        b"get-ban-to-cache-result/forum.php: userdata not support",
        b"no colon",
        b"",
        b"X: a\0b",
        b"Content-Length: six",
        b"Transfer-Encoding: identity",
    ],
)
@pytest.mark.parametrize("whole", [True, False])
async def test_a_line_that_is_no_header_spoils_itself_alone(line: bytes, whole: bool) -> None:
    """Status, headers and body are read as without it, and it is told beside them where it was left out."""
    data = REFUSAL.replace(b"X-FEServer", line + b"\r\nX-FEServer") if line else b"\r\n" + REFUSAL
    stream = Pieces(*((data,) if whole else byte_by_byte(data)))
    answer = await exchange(stream, "GET", "/", host="mail.test")
    assert (answer.status, answer.all("WWW-Authenticate"), answer.header("X-FEServer")) == (401, ["Negotiate", "NTLM"], "MAIL01")
    assert answer.body == b"hello"
    assert len(stream.notes) == (0 if line in (b"", b"X: a\0b") else 1)
    assert all("passed over" in note for note in stream.notes)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"Content-Length: 3\r\nContent-Length: 4\r\n", b"hel"),
        (b"Content-Length: 3, 4\r\n", b"hel"),
        (b"Content-Length: x\r\nContent-Length: 3\r\n", b"hel"),
        (b"Content-Length: x\r\n", b"hello"),
        (b"Content-Length: 99999999999999999999999\r\n", b"hello"),
        (b"", b"hello"),
    ],
)
async def test_of_lengths_that_contradict_each_other_the_first_counts(headers: bytes, body: bytes) -> None:
    """One that is no number is none, and a body without one ends with the connection; what is left over is no answer to the next request."""
    answer = await get(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\nhello")
    assert (answer.body, answer.keeps_alive) == (body, False)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"Content-Encoding: gzip\r\n", zipped(b"<html>hello</html>")),
        (b"Content-Encoding: deflate\r\n", zlib.compress(b"<html>hello</html>")),
        (b"Transfer-Encoding: gzip, chunked\r\n", zipped(b"<html>hello</html>")),
        (b"", zipped(b"<html>hello</html>")),
    ],
)
async def test_a_body_that_came_compressed_is_unpacked_and_written_down(headers: bytes, body: bytes) -> None:
    """Though it was asked for as it is; what it says inside can then be shown as evidence."""
    framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if b"chunked" in headers else body
    length = b"" if b"chunked" in headers else b"Content-Length: %d\r\n" % len(body)
    stream = Pieces(b"HTTP/1.1 200 OK\r\n" + headers + length + b"\r\n" + framed)
    answer = await exchange(stream, "GET", "/", host="mail.test")
    assert (answer.body, answer.truncated, answer.keeps_alive) == (b"<html>hello</html>", False, True)
    assert stream.inside == b"<html>hello</html>"


async def test_a_compressed_body_is_bounded_unpacked() -> None:
    """A bomb costs no more than a long page."""
    body = zipped(b"\0" * 20_000_000)
    answer = await get(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert (len(answer.body), answer.truncated) == (MAX_BODY_BYTES, True)


async def test_an_endless_header_is_off_protocol() -> None:
    """A head is read up to its limit, in large pieces or in drops."""
    for size in (4096, 61):
        stream = Pieces(b"HTTP/1.1 200 OK\r\nX: ", *[b"a" * size] * (2 * MAX_HEAD_BYTES // size))
        with pytest.raises(OffProtocol, match="too long"):
            await exchange(stream, "GET", "/", host="mail.test")
        assert stream.pieces


async def test_header_values_are_printable() -> None:
    """Control characters are escaped, Latin-1 and UTF-8 are both read."""
    answer = await get(b"HTTP/1.1 200 B\xfcro\r\nServer: \xc3\xbc \x1b[31m\r\nContent-Length: 0\r\n\r\n")
    assert (answer.reason, answer.header("Server")) == ("Büro", "ü \\x1b[31m")


@given(st.lists(st.binary(max_size=50), max_size=8), st.booleans())
@settings(deadline=None)
def test_any_bytes_end_in_an_answer_or_in_words(pieces: list[bytes], begins_well: bool) -> None:
    """Whatever a peer sends, what comes of it is an answer, OffProtocol or PeerClosed."""
    beginning = [b"HTTP/1.1 200 OK\r\n"] if begins_well else []
    try:
        asyncio.run(get(*beginning, *filter(None, pieces)))
    except (OffProtocol, PeerClosed) as failed:
        assert str(failed)  # noqa: PT017 - either way is right


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://mail.test", "mail.test"),
        ("https://mail.test:8443", "mail.test:8443"),
        ("https://[::1]", "[::1]"),
        ("https://[::1]:8443", "[::1]:8443"),
    ],
)
def test_the_host_header_names_the_port_only_where_it_is_unusual(url: str, expected: str) -> None:
    """IPv6 addresses stand in brackets."""
    assert host_header(Endpoint.parse(url)) == expected


_NOW, _LATER = "Mon, 30 Nov 2026 12:00:00 GMT", "Mon, 30 Nov 2026 12:01:30 GMT"
_NEVER, _NOWHERE = "Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 2027 23:59:59 +99999999999999999999"


@pytest.mark.parametrize(
    ("status", "headers", "words", "seconds"),
    [
        (503, (("Retry-After", "30"),), "HTTP 503, Retry-After: 30", 30.0),
        (503, (("Retry-After", _LATER), ("Date", _NOW)), f"HTTP 503, Retry-After: {_LATER}", 90.0),
        (503, (("Retry-After", _LATER),), f"HTTP 503, Retry-After: {_LATER}", None),
        (503, (("Retry-After", "soon"), ("Date", _NOW)), "HTTP 503, Retry-After: soon", None),
        (503, (("Retry-After", "999999999"),), "HTTP 503, Retry-After: 999999999", 86_400.0),
        (503, (("Retry-After", _NEVER), ("Date", _NOW)), f"HTTP 503, Retry-After: {_NEVER}", 86_400.0),
        (503, (("Retry-After", _NOWHERE), ("Date", _NOW)), f"HTTP 503, Retry-After: {_NOWHERE[:40]}", None),
        (429, (), "HTTP 429", None),
        (503, (), None, None),
        (401, (("Retry-After", "30"),), None, None),
    ],
)
def test_a_plea_for_patience_is_known(status: int, headers: tuple[tuple[str, str], ...], words: str | None, seconds: float | None) -> None:
    """429 always asks for patience, 503 when it says for how long: in seconds, or as a time beside that of the server's own clock."""
    plea = asked_to_wait(Head(status=status, reason="", headers=headers))
    if words is None:
        assert plea is None
    else:
        assert plea is not None
        assert str(plea).endswith(words)
        assert plea.pause_seconds == seconds


async def test_whether_anything_came_is_known() -> None:
    """A request of which nothing was heard is told from one whose answer broke off."""
    for said, is_unanswered in ((b"", True), (b"HTTP/1.1 200 OK\r\n", False)):
        http = HttpConnection(Pieces(REFUSAL, said), "mail.test")
        await http.answer(await http.ask("GET", "/"))
        assert not http.is_unanswered
        with pytest.raises(PeerClosed):
            await http.ask("GET", "/")
        assert http.is_unanswered is is_unanswered


async def test_whoever_expects_long_bodies_says_how_long() -> None:
    """A connection may be made for bodies of another size; the bound on what passes on the wire grows with it."""
    body = b"x" * (MAX_ANSWER_BYTES + 1)
    data = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    http = HttpConnection(Pieces(data), "mail.test", most_bytes=len(body))
    answer = await http.answer(await http.ask("GET", "/"))
    assert (len(answer.body), answer.truncated) == (len(body), False)
    http = HttpConnection(Pieces(data), "mail.test", most_bytes=len(body) - 1)
    assert (await http.answer(await http.ask("GET", "/"))).truncated
