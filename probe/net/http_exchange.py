"""HTTP/1.1 over a Stream: one request after another. Responses are bounded, and no redirect is followed.

h11 knows the protocol. This module adds bounds, and reads past a line of the head that is no header. The head of a response is returned before
its body is read, so that a body which never ends does not lose what the head said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

import probe
from probe.model.estate import Endpoint
from probe.model.values import dataclass
from probe.net.failures import OffProtocol, PeerClosed, Throttled
from probe.net.stream import Stream
from probe.wire.http_body import unpacked
from probe.wire.http_head import MAX_HEAD_BYTES, HeadBuffer, tidied
from probe.wire.lines import WireError, as_text, in_quotes

if TYPE_CHECKING:
    import h11

MAX_BODY_BYTES = 256 * 1024
"""What is read of a body; an OWA logon page has about 60 KiB, and its build stands near the top."""
WIRE_SHARE = 4
"""How many times that may pass on the wire for it, interim answers and head included; chunks of one byte with long extensions would cost without end."""
MAX_ANSWER_BYTES = WIRE_SHARE * MAX_BODY_BYTES
MAX_NOTED_LINES = 5
"""Of a head's lines that are no headers; the transcript holds all of them."""
MAX_INTERIM_ANSWERS = 8
"""Answers of status 1xx before the real one; servers send one, or two with early hints (RFC 8297)."""

USER_AGENT = f"probe/{probe.__version__} (+connectivity check)"
"""Names this program, so that a server's log explains itself."""

_BEGINNING = b"HTTP/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Status and headers of a response."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    """Names as sent, in order; values printable. Lines that are no headers are left out."""
    codings: tuple[str, ...] = ()
    """The codings of the body, as in `probe.wire.http_head.TidyHead`."""

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order; names compare without case."""
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        """The first value of a header, or None."""
        return next(iter(self.all(name)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse(Head):
    """A whole response."""

    body: bytes
    truncated: bool
    """Whether there was more of the body than is read."""
    keeps_alive: bool
    """Whether the connection takes another request."""


class HttpConnection:
    """Requests and responses on one stream. `host` is the value of the Host header, `most_bytes` the limit for a body."""

    def __init__(self, stream: Stream, host: str, most_bytes: int = MAX_BODY_BYTES) -> None:
        import h11  # here and below, since only what speaks HTTP has a use for it

        self._stream = stream
        self._host = host
        self._most_bytes = most_bytes
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._unread = HeadBuffer()
        """What came and h11 has not got yet."""
        self._codings: tuple[str, ...] = ()
        self._wire_bytes = 0
        self._is_usable = True
        self._has_ended = False
        """Whether the peer has closed the connection."""

    @property
    def keeps_alive(self) -> bool:
        """Whether the last response was read to its end, so that another request may be sent."""
        import h11

        idle = self._h11.our_state is h11.IDLE and self._h11.their_state is h11.IDLE
        done = self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE
        # Bytes after the response would be taken for the response to a request that was not yet sent.
        return self._is_usable and not self._has_ended and (idle or done) and not self._h11.trailing_data[0] and self._unread.is_empty

    @property
    def is_unanswered(self) -> bool:
        """Whether nothing has come since the last request began to be sent."""
        return self._wire_bytes == 0

    async def ask(
        self, method: str, target: str, *, headers: Sequence[tuple[str, str]] = (), body: bytes = b"", accept: str = "*/*"
    ) -> Head:
        """Send a request, and wait for the head of its response. `answer` or `close` must follow.

        Raises OffProtocol where what comes is not HTTP, PeerClosed where nothing more comes.
        """
        import h11

        if self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
        self._wire_bytes = 0
        sent = [("Host", self._host), ("User-Agent", USER_AGENT), ("Accept", accept), ("Accept-Encoding", "identity"), *headers]
        if body or method == "POST":
            sent.append(("Content-Length", str(len(body))))
        request = h11.Request(method=method, target=quote(target, safe="/%:?@!$&'()*+,;=~-._"), headers=sent)
        request_bytes = self._h11.send(request) or b""
        request_bytes += self._h11.send(h11.Data(data=body)) or b"" if body else b""
        request_bytes += self._h11.send(h11.EndOfMessage()) or b""
        await self._stream.send(request_bytes)
        for _ in range(MAX_INTERIM_ANSWERS + 1):
            event = await self._next_event()
            if isinstance(event, h11.Response):
                return Head(
                    status=event.status_code,
                    reason=_text(bytes(event.reason)),
                    headers=tuple((_text(name), _text(value)) for name, value in event.headers.raw_items()),
                    codings=self._codings,
                )
        raise OffProtocol(f"the peer sent more than {MAX_INTERIM_ANSWERS} interim answers and no final one")

    async def answer(self, head: Head) -> HttpResponse:
        """The whole response whose head was just returned. Raises PeerClosed where the body breaks off."""
        import h11

        body = bytearray()
        while True:
            event = await self._next_event()
            if isinstance(event, h11.EndOfMessage):
                break
            if isinstance(event, h11.Data):
                body += event.data
            if len(body) > self._most_bytes:
                self._is_usable = False
                break
        came = bytes(body[: self._most_bytes])
        plain, is_cut = unpacked(came, head.codings, self._most_bytes)
        if plain != came:
            self._stream.heard_inside(plain)
        return HttpResponse(
            status=head.status,
            reason=head.reason,
            headers=head.headers,
            codings=head.codings,
            body=plain,
            truncated=is_cut or not self._is_usable,
            keeps_alive=self.keeps_alive,
        )

    async def _next_event(self) -> h11.Event:
        """The next event of the response, reading as much as it takes."""
        import h11

        while True:
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as wrong:
                self._is_usable = False
                if self._h11.trailing_data[1]:
                    raise PeerClosed("the peer closed the connection before its answer was complete") from wrong
                raise OffProtocol(f"what the peer sent is not HTTP/1.1: {_sentence(str(wrong))}") from wrong
            if isinstance(event, h11.Event):
                return event
            if self._h11.their_state is not h11.SEND_RESPONSE:
                self._h11.receive_data(self._unread.take_rest() or await self._received())
            elif (head := self._next_head()) is not None:
                self._h11.receive_data(head)
            else:
                data = await self._received()
                self._unread.feed(data)
                if not data:
                    self._h11.receive_data(data)
            if self._wire_bytes > WIRE_SHARE * self._most_bytes:
                self._is_usable = False
                return h11.EndOfMessage()

    def _next_head(self) -> bytes | None:
        """The next head as h11 takes it, None while it is not whole."""
        beginning = self._unread.beginning
        # A server that greets in another protocol waits for us, while we would wait for the rest of its head.
        if not _BEGINNING.startswith(beginning[: len(_BEGINNING)]):
            self._is_usable = False
            raise OffProtocol(f"the peer does not speak HTTP: it began with {in_quotes(as_text(self._unread.take_rest()), 120)}")
        try:
            head = self._unread.next_head()
        except WireError as wrong:
            self._is_usable = False
            raise OffProtocol(f"what the peer sent is not HTTP/1.1: {wrong}") from wrong
        if head is None:
            return None
        tidy = tidied(head)
        self._codings = tidy.codings
        for line in tidy.passed_over[:MAX_NOTED_LINES]:
            self._stream.note(f"passed over, since it is no header that one can go by: {in_quotes(line)}")
        return tidy.data

    async def _received(self) -> bytes:
        data = await self._stream.receive()
        self._wire_bytes += len(data)
        self._has_ended = not data
        return data


async def exchange(
    stream: Stream, method: str, target: str, *, host: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b""
) -> HttpResponse:
    """One request on a stream of its own, and its whole response. Raises OffProtocol and PeerClosed."""
    connection = HttpConnection(stream, host)
    return await connection.answer(await connection.ask(method, target, headers=headers, body=body))


def host_header(endpoint: Endpoint) -> str:
    """The value of the Host header for an endpoint: IPv6 in brackets, the port unless it is that of https."""
    return endpoint.origin.removeprefix("https://")


def asked_to_wait(head: Head) -> Throttled | None:
    """The failure where the server asks to be left alone for a while, else None."""
    pause = head.header("Retry-After")
    return patience(head.status, pause, head.header("Date")) if head.status == 429 or (head.status == 503 and pause is not None) else None


def patience(status: int, pause: str | None, date: str | None = None) -> Throttled:
    """The failure for a response that asks to be left alone. `pause` is its Retry-After, `date` its Date."""
    sentence = f"the server asks for patience: HTTP {status}" + (f", Retry-After: {pause[:40]}" if pause else "")
    return Throttled(sentence, seconds_to_wait(pause or "", date))


def seconds_to_wait(pause: str, date: str | None) -> float | None:
    """What a Retry-After says in seconds, beside the Date of its response; None where it says nothing that can be read (RFC 9110 section 10.2.3)."""
    from email.utils import parsedate_to_datetime  # which few looks need

    said = pause.strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        # Against the server's own clock, which ours need not agree with.
        return max(0.0, (parsedate_to_datetime(said) - parsedate_to_datetime(date or "")).total_seconds())
    except (OverflowError, TypeError, ValueError):
        return None


def _text(raw: bytes) -> str:
    """A header's bytes as printable text; Latin-1 where they are not UTF-8, as headers once were (RFC 9110 section 5.5)."""
    try:
        return as_text(raw.decode("utf-8").encode())
    except UnicodeDecodeError:
        return as_text(raw.decode("latin-1").encode())


def _sentence(words: str) -> str:
    return words if len(words) <= 120 else f"{words[:120]}..."
