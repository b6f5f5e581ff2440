"""Signing in to an organization: NTLM, Kerberos, or a token of AD FS, each by one try, through the ledger.

The request that needs it carries the sign-in, since IIS lets in a connection and not a person. With a password, Kerberos and NTLM are two choices
of ours: a KDC that refuses the password ends the try, and NTLM follows only where there is no KDC for the account to be asked, or it knows no such
service; which of them it was is told. A ticket is not delegated. Over TLS, what proves the account is bound to the server's certificate.

What proves a password is claimed just before it leaves, and the claim ends with what the server made of it: 401 refuses the account; what Dynamics
itself says has let it in; 429, 503 and 5xx settle nothing.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Awaitable, Callable
from dataclasses import field
from urllib.parse import urlsplit

from probe.dynamics.answers import missing_privilege, refuse_page
from probe.dynamics.failures import SignInFailed
from probe.model.estate import Authentication, Cloud, DynamicsAccess, Secret, authority_endpoint
from probe.model.values import dataclass
from probe.net.dial import Dial
from probe.net.http_exchange import HttpResponse
from probe.net.kerberos import TicketRequest, TicketResult, fetch_ticket
from probe.net.stream import Stream
from probe.probing import Account, Application, Ending, Notebook, Proof, Unrecorded
from probe.probing.authority import NoToken, token_by_password
from probe.probing.http_ntlm import ntlm_header
from probe.probing.tickets import NO_KERBEROS, end_at_kdc
from probe.tables.authorities import entra_clouds
from probe.wire.channel_binding import end_point_binding
from probe.wire.http_challenge import parse_challenges
from probe.wire.oauth import Authority, authority_of
from probe.wire.sasl import NtlmMechanism

Ask = Callable[[str | None], Awaitable[HttpResponse]]
"""Sends the request once more over the same connection, with this Authorization header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """As whom to sign in."""

    username: str
    password: Secret
    proof: Proof = field(default_factory=Unrecorded)
    """The ledger's; claimed before what proves the password leaves."""


class SignIn:
    """The one way in which an organization is signed in to. It lasts for a conversation, which may take several connections."""

    def __init__(
        self,
        access: DynamicsAccess,
        credential: Credential | None,
        authorities: tuple[str, ...],
        dial: Dial,
        notes: Notebook,
        fetch: Callable[[TicketRequest], TicketResult] = fetch_ticket,
    ) -> None:
        """Without a credential, the account that runs this program signs in. `authorities` are the deployment's.

        `fetch` gets a Kerberos ticket in a child process.
        """
        self._access = access
        self._credential = credential
        self._authorities = authorities
        self._dial = dial
        self._notes = notes
        self._fetch = fetch
        self._token: str | None = None
        self._is_pending = False
        """Whether a proof of NTLM left, and what came of it is not settled yet."""
        self._is_asked_each_time = False
        """Whether the server wants a ticket with each request, rather than once for a connection."""
        self._takes_ntlm = access.authentication is Authentication.NTLM
        self.by = ""
        """How somebody was signed in: `kerberos`, `ntlm`, `oauth`; empty before that."""

    def clean(self, text: str) -> str:
        """A server's words without the secrets that it was told."""
        return self._notes.clean(text if self._token is None else text.replace(self._token, "***"))

    async def first(self, ask: Ask, stream: Stream) -> tuple[HttpResponse, bool]:
        """The answer to the first request of a connection, and whether the connection is signed in by it; a server that asks for no sign-in gets none.

        Raises SignInFailed, SignInPage or NotClaimed where nobody is let in.
        """
        if self._access.authentication is Authentication.OAUTH:
            return await self._first_by_token(ask), True
        answer = await ask(None)
        refuse_page(answer, self.clean)
        if answer.status != 401:
            return answer, False
        offered = {challenge.scheme.lower() for challenge in parse_challenges(answer.all("WWW-Authenticate"))}
        binding = end_point_binding(stream.chain[0]) if stream.chain else None
        if not self._takes_ntlm:
            self._require_offer("Negotiate", offered)
            ticket = await self._ticket(binding)
            if ticket is not None:
                return await self._first_by_ticket(ask, ticket), True
            self._takes_ntlm = True
        self._require_offer("NTLM", offered)
        return await self._first_by_ntlm(ask, binding), True

    async def later(self, stream: Stream) -> str | None:
        """The Authorization header of a further request over a connection that is signed in; None where it needs none."""
        if self._token is not None:
            return f"Bearer {self._token}"
        return await self._fresh_ticket(stream) if self._is_asked_each_time else None

    async def again(self, answer: HttpResponse, stream: Stream) -> str | None:
        """The header to repeat a request with that was answered by 401 over a connection that was signed in; None where that is the answer."""
        offers = any(challenge.scheme.lower() == "negotiate" for challenge in parse_challenges(answer.all("WWW-Authenticate")))
        if self.by != "kerberos" or self._is_asked_each_time or not offers:
            return None
        self._is_asked_each_time = True
        return await self._fresh_ticket(stream)

    async def settle(self, answer: HttpResponse | None) -> None:
        """What came of a proof that is not settled; None where the connection ended before that was known."""
        if not self._is_pending or (answer is not None and answer.status in (429, 503) and answer.keeps_alive):
            return
        self._is_pending = False
        ending = _ending(answer)
        await self._proof.end(ending)
        if ending is Ending.REFUSED:
            raise SignInFailed(
                f"Dynamics refuses {self._whom} (NTLM, HTTP 401); it is not tried again until its credential changes, or `probe forget`. Where the "
                "password is right, something between here and IIS may end TLS, which Extended Protection refuses"
            )

    @property
    def _proof(self) -> Proof:
        # Whoever signs in without a password of ours has none that could be refused.
        return Unrecorded() if self._credential is None else self._credential.proof

    @property
    def _whom(self) -> str:
        return "the account that runs this program" if self._credential is None else f"the account {self._credential.username}"

    def _require_offer(self, scheme: str, offered: set[str]) -> None:
        if scheme.lower() not in offered:
            shown = ", ".join(sorted(offered)) or "no way at all"
            hint = ' (authentication = "oauth")' if "bearer" in offered else ""
            raise SignInFailed(f"the server does not offer {scheme} to sign in by: it offers {self.clean(shown)[:200]}{hint}")

    # Kerberos

    async def _ticket(self, binding: bytes | None) -> str | None:
        """A header with a ticket; None where NTLM follows. Raises SignInFailed."""
        credential = self._credential
        if credential is not None and "\\" in credential.username and sys.platform != "win32":
            self._dial.note(
                f"no Kerberos: {credential.username} names a domain of NetBIOS, for which no KDC can be found here; NTLM follows"
            )
            return None
        request = TicketRequest(
            host=self._dial.endpoint.host,
            username=None if credential is None else credential.username,
            password=None if credential is None else credential.password.reveal(),
            binding=binding,
        )
        result = await self._dial.in_child(self._fetch, request, first=self._proof.claim)
        await end_at_kdc(self._proof, result)
        if result.token is not None:
            self._dial.note(f"a Kerberos ticket for HTTP/{request.host}")
            return f"Negotiate {_base64(result.token)}"
        number = f" (error {result.number})" if result.number else ""
        told = _NO_TICKET[result.trouble or "failed"].format(host=request.host, whom=self._whom) + number
        may_follow = result.trouble in NO_KERBEROS
        if may_follow and (credential is not None or sys.platform == "win32"):
            self._dial.note(f"no Kerberos: {told}; NTLM follows")
            return None
        raise SignInFailed(f"no Kerberos: {told}")

    async def _first_by_ticket(self, ask: Ask, ticket: str) -> HttpResponse:
        answer = await ask(ticket)
        if answer.status == 401 and missing_privilege(answer) is None:
            raise SignInFailed(
                f"Dynamics refuses the Kerberos ticket of {self._whom} (HTTP 401): check to which account HTTP/{self._dial.endpoint.host} "
                "belongs (setspn -Q), and the clocks"
            )
        self.by = "kerberos"
        return answer

    async def _fresh_ticket(self, stream: Stream) -> str | None:
        return await self._ticket(end_point_binding(stream.chain[0]) if stream.chain else None)

    # NTLM

    async def _first_by_ntlm(self, ask: Ask, binding: bytes | None) -> HttpResponse:
        credential, host = self._credential, self._dial.endpoint.host
        if credential is None and sys.platform != "win32":
            raise SignInFailed("NTLM needs username and password; without them only a Windows session signs in by it")
        username, password = (None, None) if credential is None else (credential.username, credential.password.reveal())
        mechanism = NtlmMechanism(username, password, host=host, service="HTTP", binding=binding)
        proof = await ntlm_header(mechanism, ask)
        await self._proof.claim()
        self._is_pending = True
        try:
            answer = await ask(proof)
        except Exception:
            await self.settle(None)
            raise
        self.by = "ntlm"
        await self.settle(answer)
        return answer

    # OAuth

    async def _first_by_token(self, ask: Ask) -> HttpResponse:
        if self._token is None:
            self._token = await self._fresh_token()
        answer = await ask(f"Bearer {self._token}")
        if answer.status == 401 and missing_privilege(answer) is None:
            raise SignInFailed(
                f"Dynamics refuses the token that AD FS issued for {self._whom} (HTTP 401): check that it trusts this AD FS, and the clocks"
            )
        self.by = "oauth"
        return answer

    async def _fresh_token(self) -> str:
        access, credential = self._access, self._credential
        if credential is None or access.token_url is None or access.client_id is None:
            raise SignInFailed("AD FS is asked by user name and password alone, with token_url and client_id; no other form is spoken here")
        if access.url.is_plain:
            raise SignInFailed("a token goes over https alone")
        endpoint = authority_of(access.token_url)
        if endpoint is None or endpoint not in map(authority_endpoint, self._authorities) or entra_clouds(endpoint.host):
            shown = urlsplit(access.token_url).netloc
            raise SignInFailed(f"{shown} was sent no password: the estate does not list it as an AD FS (`authorities` of [deployment])")
        account = Account(
            mailbox="",
            username=credential.username,
            password=credential.password,
            authentication=Authentication.OAUTH,
            impersonates=False,
            application=Application(access.client_id, tenant="", signs_in=False),
            cloud=Cloud.WORLDWIDE,
            proof=credential.proof,
        )
        token = await token_by_password(account, self._dial, self._notes, Authority(endpoint, is_adfs=True), str(access.url))
        if isinstance(token, NoToken):
            raise SignInFailed(f"no token for {self._whom}: {token.detail}")
        return token


def _ending(answer: HttpResponse | None) -> Ending:
    """What an answer to a proof of NTLM says of the credential."""
    if answer is None or answer.status == 429 or answer.status >= 500:
        return Ending.UNSEEN
    return Ending.REFUSED if answer.status == 401 and missing_privilege(answer) is None else Ending.ACCEPTED


def _base64(token: bytes) -> str:
    return base64.b64encode(token).decode("ascii")


_NO_TICKET = {
    "no-library": "this machine has no library for it, or Python cannot use it (`pip install d365-mail-probe[kerberos]`)",
    "no-kdc": "no KDC answers for {whom}",
    "no-service": "the KDC knows no HTTP/{host}",
    "no-ticket": "there is no ticket of {whom}; get one by kinit, or name username and password",
    "refused": "the KDC refuses {whom}; it is not tried again until its credential changes, or `probe forget`",
    "failed": "there is no ticket of {whom}",
}
