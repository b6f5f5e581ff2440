"""How to sign in to EWS: the scheme that fits the account and the server. Two probers sign in there."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from probe.model.estate import Authentication, Endpoint
from probe.probing import Account
from probe.tables import is_exchange_online_host

Scheme = Literal["ntlm", "basic", "negotiate", "bearer"]
_BY_PASSWORD: tuple[Scheme, ...] = ("ntlm", "negotiate", "basic")


def scheme_for(account: Account, endpoint: Endpoint, offered: Collection[str]) -> Scheme | None:
    """The one scheme to sign in by, out of what the server offers, lower-case; None where there is none."""
    match account.authentication:
        case Authentication.AUTO if is_exchange_online_host(endpoint.host):
            # It lists Basic at times, and refuses every password.
            wanted: tuple[Scheme, ...] = ("bearer",)
        case Authentication.AUTO:
            wanted = (*_BY_PASSWORD, "bearer")
        case Authentication.OAUTH:
            wanted = ("bearer",)
        case other:
            wanted = tuple(scheme for scheme in _BY_PASSWORD if scheme == other.value)
    return next((scheme for scheme in wanted if scheme in offered), None)
