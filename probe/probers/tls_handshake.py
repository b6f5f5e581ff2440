"""A TLS endpoint of which no more than TLS is asked: one handshake, and what it shows.

With `tls://` and `imaps://` nothing is sent but the handshake itself; with `imap://` the greeting is awaited and `STARTTLS`
sent before it. It changes nothing, and cannot tell what is spoken inside TLS, nor whether a server objects to the
handshake once ours is done, as TLS 1.3 lets it do where it demands a certificate of the client (RFC 8446 section
4.4.2.4): such an objection comes with the first answer, and here none is waited for.
"""

from __future__ import annotations

from probe.model.estate import Security, Service
from probe.net.starttls import NoUpgrade, come_to_tls
from probe.probing import CONNECTION_KEYS, Dial, Effect, Notebook, Prober, Stream, Subject, converse, note_connection, note_no_tls


async def probe(subject: Subject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""
    service, security = subject.endpoint.service, subject.endpoint.security

    async def talk(stream: Stream) -> None:
        if security is Security.UPGRADE:
            await come_to_tls(stream, service, security)
            await stream.start_tls()
        note_connection(notes, stream, str(security))

    try:
        await converse(dial, notes, talk)
    except NoUpgrade as refused:
        note_no_tls(notes, CONNECTION_KEYS, str(refused))


PROBER = Prober(
    id="tls-handshake",
    title="shakes hands and reads the certificate",
    services=frozenset({Service.TLS, Service.IMAP}),
    effect=Effect.READS,
    signs_in=False,
    collects=CONNECTION_KEYS,
    probe=probe,
)
