"""Tests of handing a message over through aiosmtplib, to a server that has let the account in."""

from __future__ import annotations

import pytest

from probe.model.estate import Endpoint
from probe.net.dial import Dial, Network
from probe.net.failures import OffProtocol, PeerClosed, PeerFailure
from probe.net.killable import Children
from probe.net.limits import Deadline
from probe.net.smtp_client import submit
from probe.net.transcript import Recorder
from probe.wire.smtp import SmtpReader, SmtpReply
from tests.looking import authority, playing

ENVELOPE = ("MAIL FROM:<a@example.test>", "RCPT TO:<a@example.test>")
MESSAGE = b"Subject: x\r\n\r\n.dot\r\n"
ACCEPTED = ["C: MAIL FROM:<a@example.test>", "S: 250 ok", "C: RCPT TO:<a@example.test>", "S: 250 ok"]
BODY = ["C: Subject: x", "C: ", "C: ..dot", "C: ."]


async def handed_over(*steps: str) -> tuple[bool, SmtpReply, list[str]]:
    """What comes of a message at a server that plays these steps, and where we departed from them."""
    async with playing(list(steps), implicit=False) as server, Children() as children:
        network = Network(ca_file=authority().ca_file, children=children)
        async with Deadline(5) as deadline:
            dial = Dial(Endpoint.parse(f"smtp://127.0.0.1:{server.port}"), network, deadline, Recorder())
            async with dial.open_bare() as stream:
                taken, reply = await submit(stream, SmtpReader(), ENVELOPE, MESSAGE)
        return taken, reply, server.departures


async def test_a_message_is_taken() -> None:
    """Each command waits for its reply, the dots are doubled, nothing else is said, and the server's last words are given as it said them."""
    assert await handed_over(*ACCEPTED, "C: DATA", "S: 354 go", *BODY, "S: 250-2.0.0", "S: 250 queued") == (
        True,
        SmtpReply(250, ("250-2.0.0", "250 queued")),
        [],
    )


async def test_what_a_code_begins_with_counts() -> None:
    """Any 2 is a yes, and any 3 asks for the message (RFC 5321 section 4.2.1)."""
    taken, reply, _ = await handed_over(ACCEPTED[0], "S: 259 ok", ACCEPTED[2], "S: 252 ok", "C: DATA", "S: 355 go", *BODY, "S: 251 ok")
    assert (taken, reply.code) == (True, 251)


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([ACCEPTED[0], "S: 550 5.7.60 not allowed to send as this sender"], 550),
        ([ACCEPTED[0], "S: 354 go"], 354),
        ([*ACCEPTED[:3], "S: 450 greylisted"], 450),
        ([*ACCEPTED, "C: DATA", "S: 554 no"], 554),
        ([*ACCEPTED, "C: DATA", "S: 250 ok"], 250),
        ([*ACCEPTED, "C: DATA", "S: 354 go", *BODY, "S: 552 full"], 552),
        ([*ACCEPTED, "C: DATA", "S: 354 go", *BODY, "S: 354 more"], 354),
        ([ACCEPTED[0], "S: 421 going down"], 421),
    ],
)
async def test_a_refusal_ends_it(steps: list[str], code: int) -> None:
    """A reply of another kind than is wanted is given as it was said; nothing more is sent, and no message is called taken."""
    taken, reply, departures = await handed_over(*steps)
    assert (taken, reply.code, departures) == (False, code, [])


@pytest.mark.parametrize(
    ("steps", "failure"),
    [
        ([ACCEPTED[0]], PeerClosed),
        ([*ACCEPTED, "C: DATA", "S: 354 go", *BODY], PeerClosed),
        ([ACCEPTED[0], "S: * OK what"], OffProtocol),
    ],
)
async def test_what_the_peer_did_counts(steps: list[str], failure: type[PeerFailure]) -> None:
    """An end in the middle, or words of another protocol, are the server's failure and not the library's."""
    with pytest.raises(failure):
        await handed_over(*steps)
