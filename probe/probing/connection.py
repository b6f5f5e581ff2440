"""What every conversation learns of its connection: the handshake, the certificates, the last words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.keys import FactKey
from probe.model.kinds import ChainEnd
from probe.net.dial import Dial
from probe.net.failures import PeerFailure
from probe.net.stream import Stream
from probe.probing.notebook import Notebook, refuse_overlong
from probe.wire.certificates import chain_end, read_certificate, subject_of, validities
from probe.wire.lines import LineBuffer, WireError, as_text

_CERTIFICATE_KEYS = (
    v.CERTIFICATE_SUBJECT,
    v.CERTIFICATE_ISSUER,
    v.CERTIFICATE_NAMES,
    v.CERTIFICATE_NOT_BEFORE,
    v.CERTIFICATE_NOT_AFTER,
    v.CERTIFICATE_KEY,
    v.CERTIFICATE_SIGNATURE,
    v.CERTIFICATE_CHAIN,
    v.CERTIFICATE_CHAIN_DATES,
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
"""The keys that every conversation over TLS writes besides its own. The engine writes the first two, and a handshake that failed."""


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
    notes.observed(v.CERTIFICATE_CHAIN_DATES, validities(stream.chain), *line)
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
                key, Why.OFF_PROTOCOL, "an extension of the certificate breaks the rules, so its alternative names cannot be read"
            )
        return
    notes.observed(v.CERTIFICATE_NAMES, leaf.names, *line)
    notes.observed(v.CERTIFICATE_MATCHES_NAME, matches, *line)


def _with_whose(reason: str, leaf: bytes, ends: ChainEnd | None, now: datetime) -> str:
    """Why a chain was not verified, and whose certificate has expired where that is not the server's own."""
    if reason != v.HAS_EXPIRED or ends is None or ends.not_after >= now or read_certificate(leaf).not_after < now:
        return reason
    return f"{reason}: {ends.subject}, on {ends.not_after.date()}"


PATIENCE_AT_LEAVE_SECONDS = 2.0
"""The wait for the reply to QUIT or LOGOUT, on which nothing depends: everything else is known by then."""


async def take_leave(stream: Stream, notes: Notebook, command: bytes, *, last: bytes = b"") -> None:
    """Send QUIT or LOGOUT, and record the reply, to the line that begins with `last`. A failure here changes no result."""
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
        notes.missing(v.PROTOCOL_FAREWELL, Why.NOT_DISCLOSED, "the server sent no reply to the end of the session")
    elif not refuse_overlong(notes, said, v.PROTOCOL_FAREWELL):
        notes.declared(v.PROTOCOL_FAREWELL, "\n".join(said), *stream.evidence(*(line[:200] for line in said[:2])))


def note_no_tls(notes: Notebook, promised: Iterable[FactKey[Any]], reason: str) -> None:
    """Write down that there was no TLS, and that what is promised of it and is not known does not apply."""
    notes.observed(v.TLS_MODE, "none")
    for key in promised:
        if not notes.knows(key) and key not in (v.NET_ADDRESSES, v.NET_CONNECTED):
            notes.missing(key, Why.NOT_APPLICABLE, f"there was no TLS: {reason}")
