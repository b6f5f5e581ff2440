"""EWS: what an NTLM challenge shows of the server before a sign-in.

What is sent: one `GET` of the endpoint's path with `Authorization: NTLM` and the first message of a sign-in,
which contains no name and no secret. The server answers 401 with a challenge; nothing else is sent.

The challenge contains the names of computer and domain and the version of Windows; never that of Exchange. The
server may log an unfinished sign-in, so this prober runs only when it is allowed. No
account is named, so none can be locked.
"""

from __future__ import annotations

import base64
import binascii

from probe.model import vocabulary as v
from probe.model.estate import Endpoint, Service
from probe.model.facts import Why
from probe.model.keys import FactKey
from probe.model.kinds import Challenge
from probe.net.http_exchange import HttpConnection, asked_to_wait, host_header
from probe.probing import Dial, Effect, EndpointSubject, Notebook, Prober, Scope, Stream
from probe.wire.http_challenge import parse_challenges
from probe.wire.ntlm import TYPE_1, NtlmChallenge, read_challenge

_KEYS = (v.NTLM_WINDOWS_BUILD, v.NTLM_COMPUTER, v.NTLM_DOMAIN)


async def probe(subject: EndpointSubject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""
    await dial.converse(lambda stream: _hold(subject.endpoint, stream, notes))


async def _hold(endpoint: Endpoint, stream: Stream, notes: Notebook) -> None:
    http = HttpConnection(stream, host_header(endpoint))
    begin = "NTLM " + base64.b64encode(TYPE_1).decode("ascii")
    head = await http.ask("GET", endpoint.path, headers=[("Authorization", begin)])
    if (wait := asked_to_wait(head)) is not None:
        raise wait
    token = _token(parse_challenges(head.all("WWW-Authenticate")))
    if token is None:
        _all_missing(notes, Why.NOT_DISCLOSED, f"the server answers NTLM with HTTP {head.status} and no challenge")
        return
    try:
        challenge = read_challenge(base64.b64decode(token, validate=True))
    except binascii.Error:
        _all_missing(notes, Why.OFF_PROTOCOL, "the NTLM challenge is not base64")
    except ValueError as unreadable:
        _all_missing(notes, Why.OFF_PROTOCOL, str(unreadable))
    else:
        _write(notes, stream, token, challenge)


def _token(challenges: tuple[Challenge, ...]) -> str | None:
    return next((c.token for c in challenges if c.scheme.lower() == "ntlm" and c.token), None)


def _write(notes: Notebook, stream: Stream, token: str, challenge: NtlmChallenge) -> None:
    lines = stream.evidence(token[:100])
    said: tuple[tuple[FactKey[str], str | None], ...] = (
        (v.NTLM_WINDOWS_BUILD, challenge.windows_version),
        (v.NTLM_COMPUTER, challenge.computer_dns or challenge.computer_netbios),
        (v.NTLM_DOMAIN, challenge.domain_dns or challenge.domain_netbios),
    )
    for key, value in said:
        if value is None:
            notes.missing(key, Why.NOT_DISCLOSED, "the NTLM challenge does not say")
        else:
            notes.declared(key, value, *lines)


def _all_missing(notes: Notebook, why: Why, detail: str) -> None:
    for key in _KEYS:
        notes.missing(key, why, detail)


PROBER = Prober(
    id="ews-ntlm",
    title="begins an NTLM sign-in at EWS without an account, and reads the challenge",
    scope=Scope.ENDPOINT,
    services=frozenset({Service.EWS}),
    effect=Effect.PROVOKES,
    collects=_KEYS,
    probe=probe,
)
