"""A bare TLS endpoint: one handshake, and what it shows.

Nothing is sent but the handshake itself. It changes nothing, and cannot tell what is spoken inside TLS.
"""

from __future__ import annotations

from probe.model.estate import Service
from probe.probing import CONNECTION_KEYS, Dial, Effect, Notebook, Prober, Stream, Subject, note_connection


async def probe(subject: Subject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""

    async def talk(stream: Stream) -> None:
        note_connection(notes, stream, "implicit")

    await dial.converse(talk)


PROBER = Prober(
    id="tls-handshake",
    title="shakes hands and reads the certificate",
    services=frozenset({Service.TLS}),
    effect=Effect.READS,
    signs_in=False,
    collects=CONNECTION_KEYS,
    probe=probe,
)
