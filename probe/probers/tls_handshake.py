"""A TLS endpoint without a mail protocol: one handshake, and what it shows.

Only the handshake is sent. After a handshake of TLS 1.3, a short wait follows for the server's next message: an objection to this side,
such as a missing client certificate, comes only then (RFC 8446 section 4.4.2.4). It changes nothing, and cannot show which protocol is
spoken inside TLS, nor whether a silent server would have objected later.
"""

from __future__ import annotations

import contextlib

from probe.model.estate import Service
from probe.net.failures import OffProtocol, PeerClosed
from probe.probing import CONNECTION_KEYS, Dial, Effect, EndpointSubject, Notebook, Prober, Scope, Stream, converse, note_connection


async def probe(subject: EndpointSubject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""

    async def talk(stream: Stream) -> None:
        note_connection(notes, stream, "implicit")
        with contextlib.suppress(PeerClosed, OffProtocol, OSError):
            await stream.is_let_in()

    await converse(dial, notes, talk)


PROBER = Prober(
    id="tls-handshake",
    title="completes a TLS handshake and reads the certificate",
    scope=Scope.ENDPOINT,
    services=frozenset({Service.TLS}),
    effect=Effect.READS,
    collects=CONNECTION_KEYS,
    probe=probe,
)
