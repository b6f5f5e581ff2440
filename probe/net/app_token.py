"""A token for an application by itself, through msal: what runs in the child process."""

from __future__ import annotations

from probe.net.quiet import quiet
from probe.net.token_request import TokenRequest, TokenResult


def fetch_token(request: TokenRequest) -> TokenResult:
    """One token by client credentials (RFC 6749 section 4.4), or why there is none. Blocks; raises nothing for what a peer does."""
    with quiet():
        from probe.net import msal_protocol

        return msal_protocol.fetch_token(request)
