"""A token for an application by itself, through msal: what runs in the child process, and what goes in and comes out."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOrder:
    """What to ask for, of whom. Made just before it is carried out, since it holds a secret in clear."""

    authority: str
    """`https://host/tenant`."""
    address: str
    """The address to connect to, whatever the name may resolve to meanwhile; TLS goes by the name."""
    client: str
    secret: str | None = field(repr=False)
    certificate: str | None = field(repr=False)
    """PEM with certificate and private key, in place of a secret."""
    resource: str
    ca_file: str | None = None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSeen:
    """What came of it."""

    answer: dict[str, object] = field(repr=False)
    """What the authority said, as msal read it; it holds the token where there is one. Empty where nothing came that can be read."""
    trouble: str = ""
    """Why nothing came: `untrusted`, `timed-out`, `closed`, `certificate` where ours cannot be read, `malformed`."""
    requests: int = 0


def fetch_token(order: TokenOrder) -> TokenSeen:
    """One token by client credentials (RFC 6749 section 4.4), or why there is none. Blocks; raises nothing for what a peer does."""
    from probe.net import msal_protocol

    return msal_protocol.fetch_token(order)
