"""A bare TLS endpoint: one handshake, and what it shows.

Nothing is sent but the handshake itself. It changes nothing, and cannot tell what is spoken inside TLS, nor whether
a server objects to the handshake once ours is done, as TLS 1.3 lets it do where it demands a certificate of the client
(RFC 8446 section 4.4.2.4): such an objection comes with the first answer, and here none is waited for.
"""

from __future__ import annotations

from probe.model.estate import Service
from probe.probing import CONNECTION_KEYS, Dial, Effect, Notebook, Prober, Stream, Subject, converse, note_connection


async def probe(subject: Subject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""

    async def talk(stream: Stream) -> None:
        note_connection(notes, stream, "implicit")

    await converse(dial, notes, talk)


PROBER = Prober(
    id="tls-handshake",
    title="shakes hands and reads the certificate",
    services=frozenset({Service.TLS}),
    effect=Effect.READS,
    signs_in=False,
    collects=CONNECTION_KEYS,
    probe=probe,
)
