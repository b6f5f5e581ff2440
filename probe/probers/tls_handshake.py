"""A bare TLS endpoint: one handshake, and what it shows.

Nothing is sent but the handshake itself. After one of TLS 1.3 the server's next word is waited for, for a moment: what it objects to ours,
such as that it had no certificate of the client, comes only then (RFC 8446 section 4.4.2.4). It changes nothing, and cannot tell what is
spoken inside TLS, nor whether a server that said nothing would have objected later.
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
