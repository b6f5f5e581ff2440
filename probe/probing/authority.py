"""Tokens for EWS: from an authority on the list, by a password once, or for an application by itself.

What a peer names as its authority is sent nothing unless its host is one of Entra ID's clouds, or the estate names it. What is sent there:

1. to Entra ID: `GET /DOMAIN/v2.0/.well-known/openid-configuration`, which tells the tenant of the account's domain, or that there is none;
2. `GET /getuserrealm.srf`, which tells who checks the password. For a federated account it stops here: Entra ID would be told a password
   that it cannot check;
3. one `POST` to the token endpoint, with user name and password. At AD FS, this alone.

No address out of these answers is followed. The token request is not in the transcript; what came of it is noted there in words.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from urllib.parse import quote

from probe.model import vocabulary as v
from probe.model.attempts import TranscriptLine
from probe.model.estate import Endpoint, Security, Service
from probe.model.facts import Why
from probe.net.app_token import TokenOrder, fetch_token
from probe.net.failures import OffProtocol, PeerClosed, Throttled, UntrustedPeer
from probe.net.http_exchange import Answer, asked_to_wait, exchange, host_header
from probe.probing import STRUCK, Account, Dial, Notebook
from probe.tables.authorities import authority_errors, entra_resources
from probe.wire.oauth import (
    DEFAULT_CLIENT,
    Authority,
    TokenAnswer,
    authority_of,
    password_grant,
    read_discovery,
    read_realm,
    read_token_answer,
)

CHILD_SHARE = 0.5
"""Of the time that is left, for the child that asks for an application's token: signing in comes after it."""

# AD FS has no numbers in its answer, but names its event: MSIS9659 is a wrong user name or password.
_WRONG_AT_ADFS = "MSIS9659"

# What an `invalid_grant` without a known number may mean.
_UNTOLD = ("bad-credentials", "mfa-required", "account-locked", "password-expired")


@dataclass(frozen=True, slots=True)
class NoToken:
    """That there is no token to sign in with, and why."""

    why: Why
    detail: str


def allowed_authority(account: Account, authorization_uri: str) -> Authority | NoToken:
    """The authority that an address names, where it may be sent anything."""
    authority = authority_of(authorization_uri)
    shown = authorization_uri[:200]
    if authority is None:
        return NoToken(Why.OFF_PROTOCOL, f"what is named as the authority is no https URL: {shown}")
    if authority.host not in entra_resources() and authority.host not in account.authorities:
        reason = (
            f"the server names {shown} as its authority, which is no cloud of Entra ID, and which the estate does not name (`authorities`)"
        )
        return NoToken(Why.NOT_ATTEMPTED, reason)
    return authority


async def token_by_password(account: Account, dial: Dial, notes: Notebook, authority: Authority, ews_url: str) -> str | NoToken:
    """A token for the account's user name and password, by one attempt; how it ended is written down."""
    username, password = account.username, account.password.reveal()
    if not username or not password or username != username.strip() or password != password.strip():
        return NoToken(Why.NO_CREDENTIALS, "the user name or the password is empty, or has spaces at an end, which no authority takes")
    visit = _Visit(dial, authority)
    tenant = ""
    if not authority.is_adfs:
        found = await _tenant(visit, notes, username)
        if isinstance(found, NoToken):
            return found
        tenant = found
    resource = entra_resources().get(authority.host, "https://outlook.office365.com") if account.application else None
    client = account.application.client if account.application else DEFAULT_CLIENT
    form = password_grant(authority, client=client, username=username, password=password, resource=resource, ews=ews_url)
    path = "/adfs/oauth2/token" if authority.is_adfs else f"/{tenant}/oauth2/v2.0/token"
    answer = await visit.ask("POST", path, form)
    said = _without(password, read_token_answer(answer.body))
    lines = visit.note(f"POST {path}", answer.status, said)
    if said.token is None:
        return _refused(said, answer.status, notes, lines)
    notes.observed(v.AUTHORITY_GRANTED, True, *lines)
    if account.application is None and not authority.is_adfs:
        notes.observed(v.AUTH_ACCEPTED, True, *lines)
        notes.observed(v.AUTH_REFUSAL, (), *lines)
        return NoToken(
            Why.NOT_ATTEMPTED, "the authority takes the password; for the mailbox the estate must name an application (`client_id`)"
        )
    return said.token


async def token_by_application(account: Account, dial: Dial, notes: Notebook, authority: Authority) -> str | NoToken:
    """A token for the application that the estate names, by its secret or certificate."""
    application = account.application
    assert application is not None
    visit = _Visit(dial, authority)
    await visit.resolve()
    order = TokenOrder(
        authority=f"{authority.url}/{quote(application.tenant, safe='')}",
        address=visit.address,
        client=application.client,
        secret=None if application.is_certificate else account.password.reveal(),
        certificate=account.password.reveal() if application.is_certificate else None,
        resource=entra_resources().get(authority.host, "https://outlook.office365.com"),
        ca_file=None if dial.ca_file is None else str(dial.ca_file),
        seconds=dial.remaining() * CHILD_SHARE,
    )
    seen = await dial.in_child(fetch_token, order)
    dial.connections += min(1, seen.requests)
    match seen.trouble:
        case "untrusted":
            raise UntrustedPeer("the authority was sent nothing, since its certificate is not trusted")
        case "timed-out":
            raise TimeoutError("the authority gave no whole answer in time")
        case "closed":
            raise PeerClosed("the authority closed the connection before its answer was complete")
        case "certificate":
            return NoToken(Why.NO_CREDENTIALS, "the application's certificate is no PEM with a certificate and its private key")
        case "elsewhere":
            return NoToken(Why.UNTRUSTED_PEER, "the authority's configuration leads to another host, which was sent nothing")
    said = _without(account.password.reveal(), read_token_answer(seen.answer))
    if seen.trouble or not (said.token or said.error):
        raise OffProtocol("what the authority answers is no answer of a token endpoint")
    lines = visit.note("application's token", None, said)
    return said.token if said.token is not None else _refused(said, 400, notes, lines)


async def _tenant(visit: _Visit, notes: Notebook, username: str) -> str | NoToken:
    """The tenant of the account's domain, once it is known that Entra ID itself checks its password."""
    domain = username.rpartition("@")[2]
    if "@" not in username:
        return NoToken(Why.NO_CREDENTIALS, "Entra ID knows users by user@domain alone")
    path = f"/{quote(domain, safe='')}/v2.0/.well-known/openid-configuration"
    answer = await visit.ask("GET", path)
    discovery = read_discovery(answer.body) if answer.status == 200 else None
    said = read_token_answer(answer.body)
    lines = visit.note(f"GET {path}", answer.status, said)
    if discovery is None:
        if any(authority_errors()[code].about == "tenant" for code in said.codes if code in authority_errors()):
            notes.observed(v.AUTHORITY_ERRORS, _shown(said), *lines)
            return NoToken(Why.DENIED, f"the authority knows no tenant with the domain {domain}")
        raise OffProtocol(f"the authority answers with HTTP {answer.status} in place of its configuration")
    notes.declared(v.AUTHORITY_ISSUER, discovery.issuer, *lines)
    if discovery.tenant is not None:
        notes.declared(v.AUTHORITY_TENANT, discovery.tenant, *lines)
    path = f"/getuserrealm.srf?login={quote(username, safe='@')}&json=1"
    answer = await visit.ask("GET", path)
    realm = read_realm(answer.body) if answer.status == 200 else None
    lines = visit.note("GET /getuserrealm.srf", answer.status, None if realm is None else realm.kind)
    if realm is not None:
        notes.declared(v.AUTHORITY_REALM, realm.kind, *lines)
        if realm.federation_url:
            notes.declared(v.AUTHORITY_FEDERATION, realm.federation_url, *lines)
        if realm.kind == "federated":
            where = f" ({realm.federation_url[:100]})" if realm.federation_url else ""
            return NoToken(Why.NOT_ATTEMPTED, f"the account is federated: its password is checked elsewhere{where}, and was not sent")
    return discovery.tenant or "organizations"


def _refused(said: TokenAnswer, status: int, notes: Notebook, lines: tuple[TranscriptLine, ...]) -> NoToken:
    """Write down what a refusal means for the account; raises OffProtocol where it is no refusal."""
    if not said.error:
        raise OffProtocol(f"the authority answers with HTTP {status} and neither a token nor an error")
    notes.observed(v.AUTHORITY_ERRORS, _shown(said), *lines)
    known = [authority_errors()[code] for code in said.codes if code in authority_errors()]
    told = next((error for error in known if error.refusal or error.about == "account"), None)
    if told is not None:
        notes.observed(v.AUTH_ACCEPTED, False, *lines)
        if told.refusal:
            notes.observed(v.AUTH_REFUSAL, told.refusal, *lines)
        return NoToken(Why.DENIED, f"the authority refuses: {told.meaning}")
    if known:
        return NoToken(Why.DENIED, f"the authority refuses: {known[0].meaning}")
    if said.error == "invalid_grant":
        notes.observed(v.AUTH_ACCEPTED, False, *lines)
        notes.observed(v.AUTH_REFUSAL, ("bad-credentials",) if _WRONG_AT_ADFS in said.description else _UNTOLD, *lines)
    return NoToken(Why.DENIED, f"the authority refuses: {said.error}, {said.description[:150]}")


def _without(secret: str, said: TokenAnswer) -> TokenAnswer:
    """An answer that does not repeat the secret that it answers."""
    return replace(said, error=said.error.replace(secret, STRUCK), description=said.description.replace(secret, STRUCK))


def _shown(said: TokenAnswer) -> tuple[str, ...]:
    return (said.error, *(f"AADSTS{code}" for code in said.codes))


class _Visit:
    """Requests to one authority, each on a connection of its own that has earned credentials."""

    def __init__(self, dial: Dial, authority: Authority) -> None:
        self._dial = dial
        self._endpoint = Endpoint(Service.AUTHORITY, authority.host, authority.port, Security.IMPLICIT)
        self._way = dial.to(self._endpoint)
        self.address = ""

    async def ask(self, method: str, path: str, form: bytes = b"") -> Answer:
        """One request and its whole answer. Raises Throttled where the authority wants to be left alone."""
        before = self._way.connections
        headers = [("Content-Type", "application/x-www-form-urlencoded")] if form else []
        try:
            async with self._way.open_trusted(recorded=False) as stream:
                answer = await exchange(stream, method, path, host=host_header(self._endpoint), headers=headers, body=form)
        finally:
            self._dial.connections += self._way.connections - before
        if (wait := asked_to_wait(answer)) is not None:
            raise Throttled(wait)
        return answer

    async def resolve(self) -> None:
        """Find out which address answers, for a library that makes its own connections."""
        async with self._way.open_trusted(recorded=False) as stream:
            self.address = stream.address
        self._dial.connections += 1

    def note(self, what: str, status: int | None, said: TokenAnswer | str | None) -> tuple[TranscriptLine, ...]:
        """Say in the transcript what came of a request that is not in it."""
        came = "" if status is None else f"HTTP {status}"
        if isinstance(said, TokenAnswer):
            told = "a token" if said.token else " ".join((*_shown(said), json.dumps(said.description[:200]))) if said.error else ""
        else:
            told = said or ""
        line = self._dial.note(f"{what} at {self._endpoint.host}: {', '.join(filter(None, (came, told)))}")
        return () if line is None else (line,)
