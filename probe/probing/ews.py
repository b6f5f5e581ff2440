"""How to sign in to EWS: the scheme that fits the account and the server. Two probers sign in there."""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import Literal

from probe.model.estate import Authentication, Endpoint
from probe.net.failures import Throttled
from probe.probing import Account, Ending, Proof
from probe.tables.hosts import is_exchange_online_host

EwsScheme = Literal["ntlm", "basic", "negotiate", "bearer"]
_BY_PASSWORD: tuple[EwsScheme, ...] = ("ntlm", "negotiate", "basic")

POLICY_BLOCKS = {
    "EWS is disabled for this user or tenant": "disabled",
    "EWS is blocked by policy for this user or tenant": "blocked-by-policy",
}
"""Both values of X-EWS-Policy-Reason, as Microsoft documents them (how-to-control-access-to-ews-in-exchange, read 2026-11), with what they mean."""

# Of its documentation of response codes and of throttling (responsecode.md and ews-throttling-in-exchange.md, read 2026-11).
_BUSY = frozenset({"ErrorServerBusy", "ErrorExceededConnectionCount", "ErrorTooManyObjectsOpened"})


def busy(code: str | None, pause: float | None) -> Throttled | None:
    """The failure for a response code by which Exchange asks to be left alone, for `pause` seconds where it says so; None for any other code."""
    if code not in _BUSY:
        return None
    return Throttled(f"Exchange answers {code}" + (f", and asks for a pause of {pause:g} s" if pause else ""), pause)


async def end_logon(proof: Proof, logons: int, status: int | None, *, is_let_in: bool) -> None:
    """End a claim by what came of a logon to EWS, or to what stands before it; release it where no proof left.

    Only a 401 names the credential. An answer that is not one of EWS may come from somebody who refused it, or who never looked at it: a logon
    page, a block by a proxy, a busy server.
    """
    if not logons:
        await proof.release()
    elif is_let_in:
        await proof.end(Ending.ACCEPTED)
    elif status == 401:
        await proof.end(Ending.REFUSED)
    else:
        await proof.end(Ending.TURNED_DOWN if status in (403, 456) else Ending.UNSEEN)


def scheme_for(account: Account, endpoint: Endpoint, offered: Collection[str]) -> EwsScheme | None:
    """The one scheme to sign in by, out of what the server offers, lower-case; None where there is none."""
    if account.is_service:
        # NTLM needs a password, or a session that Windows keeps one for.
        ours: tuple[EwsScheme, ...] = ("negotiate", "ntlm") if sys.platform == "win32" else ("negotiate",)
        return next((scheme for scheme in ours if scheme in offered), None)
    match account.authentication:
        case Authentication.AUTO if is_exchange_online_host(endpoint.host):
            # It lists Basic at times, and refuses every password.
            wanted: tuple[EwsScheme, ...] = ("bearer",)
        case Authentication.AUTO:
            wanted = (*_BY_PASSWORD, "bearer")
        case Authentication.OAUTH:
            wanted = ("bearer",)
        case other:
            wanted = tuple(scheme for scheme in _BY_PASSWORD if scheme == other.value)
    return next((scheme for scheme in wanted if scheme in offered), None)
