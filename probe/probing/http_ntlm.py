"""NTLM over HTTP: the two messages of the client, and the challenge between them ([MS-NTHT])."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable

from probe.net.failures import OffProtocol
from probe.net.http_exchange import HttpResponse
from probe.wire.http_challenge import parse_challenges
from probe.wire.lines import WireError
from probe.wire.sasl import NtlmMechanism, decoded


async def ntlm_header(mechanism: NtlmMechanism, ask: Callable[[str], Awaitable[HttpResponse]]) -> str:
    """The Authorization header that proves the account, in answer to the server's challenge. It has to go over the same connection.

    `ask` sends the first message in such a header. Raises OffProtocol where no challenge comes back, or none that can be answered.
    """
    assert mechanism.first is not None
    answer = await ask(_header(mechanism.first))
    token = next((c.token for c in parse_challenges(answer.all("WWW-Authenticate")) if c.scheme.lower() == "ntlm" and c.token), None)
    if answer.status != 401 or token is None:
        raise OffProtocol(f"the server offers NTLM, and answers its first message with HTTP {answer.status} and no challenge")
    if not answer.keeps_alive:
        raise OffProtocol("the server offers NTLM, and closes the connection in the middle of it")
    try:
        return _header(mechanism.respond(decoded(token)))
    except WireError as wrong:
        raise OffProtocol(f"the server sent {wrong}") from wrong


def _header(message: bytes) -> str:
    return f"NTLM {base64.b64encode(message).decode('ascii')}"
