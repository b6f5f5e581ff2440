"""A request for an application's token that a child process carries out, and its result: plain data that goes in and comes out."""

from __future__ import annotations

from dataclasses import field

from probe.model.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """What to ask for, and which authority. Make it just before it is carried out, because it holds a secret in clear."""

    authority: str
    """`https://host/tenant`; of AD FS `https://host/adfs`."""
    address: str
    """The address to connect to, whatever the name may resolve to meanwhile; TLS goes by the name."""
    port: int
    """The port to connect to."""
    client: str
    secret: str | None = field(repr=False)
    certificate: str | None = field(repr=False)
    """PEM with certificate and private key, in place of a secret."""
    resource: str
    is_adfs: bool = False
    """AD FS wants the resource named apart from the scope."""
    ca_file: str | None = None
    system_anchors: str | None = None
    """As in `probe.net.dial.Network`."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenResult:
    """The result of a TokenRequest."""

    answer: bytes = field(default=b"", repr=False)
    """The body of the last answer as it came; it holds the token where there is one."""
    status: int | None = None
    """HTTP status of the last answer."""
    retry_after: str | None = None
    """Its Retry-After."""
    trouble: str = ""
    """Why the answer is not all that it should be: `untrusted`, `timed-out`, `closed`, `malformed`, `elsewhere` where the configuration
    leads to another origin, `certificate` where ours cannot be read; empty where the answer speaks for itself."""
    requests: int = 0
    """Requests that were answered."""
    proofs: int = 0
    """Requests that carried the secret or an assertion and may have reached the authority."""
