"""Asks the listener, as a client of any kind does: whole requests, and bytes as a test wants them."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import h11


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """The sentence of problem details, whose form is checked."""
        assert self.headers["content-type"] == "application/problem+json"
        told = self.json()
        assert set(told) == {"type", "title", "status", "detail"}
        assert told["status"] == self.status
        return str(told["detail"])


@dataclass(frozen=True)
class Asker:
    """Asks one listener."""

    url: str
    ca_file: Path | None = None
    token: str | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection to the listener, for what is no ordinary request."""
        parts = urlsplit(self.url)
        context = None
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=None if self.ca_file is None else str(self.ca_file))
        reader, writer = await asyncio.open_connection(
            parts.hostname, parts.port, ssl=context, server_hostname="localhost" if context else None
        )
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def ask(
        self,
        path: str,
        method: str = "GET",
        headers: Iterable[tuple[str, str]] | Mapping[str, str] = (),
        body: Any = None,
        host: str | None = None,
        token: str | None = None,
    ) -> Answer:
        """The answer to one request. A body that is no bytes is sent as JSON."""
        parts = urlsplit(self.url)
        given = list(headers.items() if isinstance(headers, Mapping) else headers)
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = [("Host", host if host is not None else parts.netloc), ("Connection", "close"), *given]
        if body is not None:
            sent += [("Content-Length", str(len(data)))]
            sent += [] if any(name.lower() == "content-type" for name, _ in given) else [("Content-Type", "application/json")]
        if (shown := token or self.token) is not None:
            sent.append(("Authorization", f"Bearer {shown}"))
        talk = h11.Connection(h11.CLIENT)
        async with self.connection() as (reader, writer):
            encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent]
            request = h11.Request(method=method, target=path, headers=encoded)
            writer.write((talk.send(request) or b"") + (talk.send(h11.Data(data=data)) or b"") + (talk.send(h11.EndOfMessage()) or b""))
            return await answer_of(talk, reader)


async def answer_of(talk: h11.Connection, reader: asyncio.StreamReader) -> Answer:
    """The next response of a connection."""
    head: h11.Response | None = None
    body = b""
    while True:
        event = talk.next_event()
        if event is h11.NEED_DATA:
            talk.receive_data(await asyncio.wait_for(reader.read(65536), 60))
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            assert head is not None
            return Answer(head.status_code, {name.decode(): value.decode("latin-1") for name, value in head.headers}, body)
        else:
            assert not isinstance(event, h11.ConnectionClosed), "the connection was closed without an answer"


async def got(asker: Asker, path: str) -> Any:
    """What is answered to a request that is all right."""
    answer = await asker.ask(path)
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json"
    assert answer.body.isascii()
    return answer.json()


async def pages(asker: Asker, path: str, of: str) -> list[Any]:
    """All that the pages of a list have, one after another."""
    found: list[Any] = []
    after = ""
    while True:
        page = await got(asker, path + after)
        found += page[of]
        if page["next"] is None:
            return found
        after = f"&after={quote(page['next'], safe='')}"
