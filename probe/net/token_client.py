"""A client of an authority: asks for tokens, for whatever purpose, and returns the answer.

Each request has a verified connection of its own, and none is in the transcript. Nothing is judged or recorded here: that is left to the caller.
No address in an answer is followed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import field
from typing import Generic, TypeVar
from urllib.parse import quote

from probe.model.estate import Secret
from probe.model.values import dataclass
from probe.net.app_token import fetch_token
from probe.net.dial import Dial
from probe.net.http_exchange import exchange, host_header
from probe.net.stream import Stream
from probe.net.token_request import TokenRequest, TokenResult
from probe.wire.oauth import Authority, Discovery, Realm, TokenAnswer, password_grant, read_discovery, read_realm, read_token_answer

T = TypeVar("T")

_FORM = (("Content-Type", "application/x-www-form-urlencoded"),)


@dataclass(frozen=True, slots=True)
class AuthorityAnswer(Generic[T]):
    """What an authority answers to one request."""

    request: str
    """Method and path, as in `GET /common/v2.0/.well-known/openid-configuration`."""
    status: int
    retry_after: str | None
    document: T | None = field(repr=False)
    """What was asked for; None where the answer is another or cannot be read."""
    said: TokenAnswer
    """The answer read as that of a token endpoint, whose form an authority's refusals have whatever was asked."""


class TokenClient:
    """Requests to one authority. Raises the failures of `probe.net.failures`, UntrustedPeer among them, and OSError."""

    def __init__(self, dial: Dial, authority: Authority) -> None:
        """`dial` is that of the attempt: its deadline holds here too, and the connections made here count as its own."""
        self._dial = dial
        self._authority = authority
        self._way = dial.to(authority.endpoint)

    async def configuration(self, domain: str) -> AuthorityAnswer[Discovery]:
        """Entra ID's OpenID configuration for a domain, which tells the tenant."""
        return await self._get(f"/{quote(domain, safe='')}/v2.0/.well-known/openid-configuration", read_discovery)

    async def realm(self, username: str) -> AuthorityAnswer[Realm]:
        """Who checks the password of a user of Entra ID."""
        return await self._get(f"/getuserrealm.srf?login={quote(username, safe='@')}&json=1", read_realm)

    async def by_password(
        self,
        *,
        tenant: str,
        client: str,
        username: str,
        password: Secret,
        scope: str,
        resource: str | None = None,
        first: Callable[[], Awaitable[None]],
    ) -> AuthorityAnswer[str]:
        """The token for a user name and password, by one attempt. AD FS has no tenants, and wants the `resource` named apart from the scope.

        `first` is awaited when there is nothing left but to send the password; what it raises keeps it from being sent.
        """
        path = "/adfs/oauth2/token" if self._authority.is_adfs else f"/{tenant}/oauth2/v2.0/token"
        form = password_grant(client=client, username=username, password=password.reveal(), scope=scope, resource=resource)
        async with self._connected() as stream:
            await first()
            answer = await exchange(stream, "POST", path, host=host_header(self._authority.endpoint), headers=_FORM, body=form)
        said = read_token_answer(answer.body)
        token = said.token if answer.status == 200 else None
        return AuthorityAnswer(f"POST {path}", answer.status, answer.header("Retry-After"), token, said)

    async def by_application(
        self,
        *,
        tenant: str,
        client: str,
        secret: Secret | None,
        certificate: Secret | None,
        resource: str,
        share: float,
        first: Callable[[], Awaitable[None]],
    ) -> TokenResult:
        """The token for an application by its secret or certificate (PEM), which a child process asks for in a `share` of the time that is left.

        `first` as for `by_password`, before the child begins.
        """
        async with self._connected() as stream:  # which address and port answer: the child makes connections of its own
            address, port = stream.address, stream.port
        ca_file, anchors = self._way.ca_file, self._way.system_anchors
        request = TokenRequest(
            authority=f"{self._authority.endpoint.origin}/{'adfs' if self._authority.is_adfs else quote(tenant, safe='')}",
            address=address,
            port=port,
            client=client,
            secret=None if secret is None else secret.reveal(),
            certificate=None if certificate is None else certificate.reveal(),
            resource=resource,
            is_adfs=self._authority.is_adfs,
            ca_file=None if ca_file is None else str(ca_file),
            system_anchors=None if anchors is None else str(anchors),
            seconds=self._dial.remaining() * share,
        )
        seen = await self._dial.in_child(fetch_token, request, first=first)
        self._dial.connections += min(1, seen.requests)
        return seen

    async def _get(self, path: str, read: Callable[[bytes], T | None]) -> AuthorityAnswer[T]:
        async with self._connected() as stream:
            answer = await exchange(stream, "GET", path, host=host_header(self._authority.endpoint))
        document = read(answer.body) if answer.status == 200 else None
        shown = path.partition("?")[0]
        return AuthorityAnswer(f"GET {shown}", answer.status, answer.header("Retry-After"), document, read_token_answer(answer.body))

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Stream]:
        before = self._way.connections
        try:
            async with self._way.open_trusted(recorded=False) as stream:
                yield stream
        finally:
            self._dial.connections += self._way.connections - before
