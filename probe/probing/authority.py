"""Gets tokens for EWS from an authority that the estate allows: with a password, sent once, or with an application's own credentials.

An authority that a server names is sent nothing, unless it is the Entra ID of the estate's cloud or stands in the estate. The estate decides which
host is asked, at which port and by which protocol, whatever path or port the server names: Entra ID at 443, anybody else as AD FS. A token is
asked for the host that will get it, so that it is of no use elsewhere. What is sent to an authority:

1. to Entra ID: `GET /DOMAIN/v2.0/.well-known/openid-configuration`, which tells the tenant of the account's domain, or that there is none;
2. `GET /getuserrealm.srf`, which tells who checks the password. Where that is not told, or another does, it stops here: Entra ID would be
   told a password that it cannot check;
3. one `POST` to the token endpoint, with user name and password. At AD FS, this alone.

`probe.net.token_client` sends the requests. This module says what the answers mean for EWS, and writes the facts. No request is in the transcript;
a note there says what came of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from probe.model import vocabulary as v
from probe.model.attempts import TranscriptLine
from probe.model.estate import Cloud, Endpoint, authority_endpoint
from probe.model.facts import Why
from probe.model.refusals import Refusal
from probe.model.values import dataclass
from probe.net.failures import OffProtocol, PeerClosed, UntrustedPeer
from probe.net.http_exchange import patience
from probe.net.token_client import TokenClient
from probe.net.token_request import TokenResult
from probe.probing import Account, Dial, Ending, Notebook
from probe.tables.authorities import AuthorityError, authority_errors, entra_clouds, entra_hosts, token_resource
from probe.wire.oauth import DEFAULT_CLIENT, Authority, TokenAnswer, authority_of, folded, read_token_answer
from probe.wire.refusals import says_later

CHILD_SHARE = 0.5
"""Of the time that is left, for the child that asks for an application's token: signing in comes after it."""

# AD FS has no numbers in its answer, but names its event: MSIS9659 is a wrong user name or password.
_WRONG_AT_ADFS = "MSIS9659"

# What an `invalid_grant` without a known number may mean.
_UNTOLD = (Refusal.BAD_CREDENTIALS, Refusal.MFA_REQUIRED, Refusal.ACCOUNT_LOCKED, Refusal.PASSWORD_EXPIRED)

# An authority that says it is at fault itself, by RFC 6749 section 4.1.2.1, which servers use for tokens too.
_NOT_NOW = frozenset({"temporarily_unavailable", "server_error"})


@dataclass(frozen=True, slots=True)
class NoToken:
    """Why there is no token to sign in with."""

    why: Why
    detail: str


def resource_for(account: Account, endpoint: Endpoint) -> str | NoToken:
    """The resource that a token for an endpoint is asked for, or why none must be asked for."""
    resource = token_resource(endpoint, account.cloud)
    if resource is None:
        reason = f"{endpoint.host} is Exchange Online of another cloud than the estate's, which is {account.cloud} (`cloud`)"
        return NoToken(Why.NOT_ATTEMPTED, f"{reason}, so no token was requested")
    return resource


def allowed_authority(account: Account, authorization_uri: str) -> Authority | NoToken:
    """The authority that an address names, where it may be sent anything."""
    named = authority_of(authorization_uri)
    shown = authorization_uri[:200]
    if named is None:
        return NoToken(Why.OFF_PROTOCOL, f"the named authority is not an https URL: {shown}")
    if clouds := entra_clouds(named.host):
        if account.cloud in clouds:
            return Authority(replace(named, port=443), is_adfs=False)
        theirs = " or ".join(sorted(clouds))
        reason = f"the server names {shown} as its authority, which is Entra ID of another cloud ({theirs}) than the estate's"
        return NoToken(Why.NOT_ATTEMPTED, f"{reason}, which is {account.cloud} (`cloud`)")
    allowed = tuple(map(authority_endpoint, account.authorities))
    if named in allowed:
        return Authority(named, is_adfs=True)
    if any(named.host == one.host for one in allowed):
        reason = f"the server names {shown} as its authority, but the estate names another port of that host (`authorities`)"
    else:
        reason = f"the server names {shown} as its authority, which is neither Entra ID nor named in the estate (`authorities`)"
    return NoToken(Why.NOT_ATTEMPTED, reason)


def askable(endpoint: Endpoint, cloud: Cloud, authorities: Iterable[str]) -> tuple[str, ...]:
    """Everybody who may be asked for a token for an endpoint, should the server name them: `host`, or `host:port`."""
    if token_resource(endpoint, cloud) is None:
        return ()
    others = (name for name in authorities if not entra_clouds(authority_endpoint(name).host))
    return (*sorted(entra_hosts(cloud)), *others)


async def token_by_password(account: Account, dial: Dial, notes: Notebook, authority: Authority, resource: str) -> str | NoToken:
    """A token for the account's user name and password, by one attempt; how it ended is written down."""
    username, password = account.username, account.password.reveal()
    if not username or not password or username != username.strip() or password != password.strip():
        return NoToken(
            Why.NO_CREDENTIALS, "the user name or the password is empty, or begins or ends with a space, which no authority accepts"
        )
    ask = TokenClient(dial, authority)
    tenant = ""
    if not authority.is_adfs:
        found = await _tenant(ask, dial, authority, notes, username)
        if isinstance(found, NoToken):
            return found
        tenant = found
    opens_mailbox = account.application is not None or authority.is_adfs
    answer = await ask.by_password(
        tenant=tenant,
        client=account.application.client if account.application else DEFAULT_CLIENT,
        username=username,
        password=account.password,
        scope=f"{resource}/EWS.AccessAsUser.All" if opens_mailbox and not authority.is_adfs else "openid",
        resource=resource if authority.is_adfs else None,
        first=account.proof.claim,
    )
    lines = _note(dial, authority, answer.request, answer.status, _told(answer.said, notes))
    await account.proof.end(_ending(answer.said, answer.status, by_itself=False))
    _check_served(answer.status, answer.retry_after, notes)
    if answer.document is None:
        return _refused(answer.said, answer.status, notes, lines)
    notes.observed(v.AUTHORITY_GRANTED, True, *lines)
    if not opens_mailbox:
        notes.observed(v.AUTH_ACCEPTED, True, *lines)
        notes.observed(v.AUTH_REFUSAL, (), *lines)
        return NoToken(
            Why.NOT_ATTEMPTED, "the authority accepts the password; for the mailbox the estate must name an application (`client_id`)"
        )
    return answer.document


async def token_by_application(account: Account, dial: Dial, notes: Notebook, authority: Authority, resource: str) -> str | NoToken:
    """A token for the application that the estate names, by its secret or certificate."""
    application = account.application
    assert application is not None
    seen = await TokenClient(dial, authority).by_application(
        tenant=application.tenant,
        client=application.client,
        secret=None if application.is_certificate else account.password,
        certificate=account.password if application.is_certificate else None,
        resource=resource,
        share=CHILD_SHARE,
        first=account.proof.claim,
    )
    said = read_token_answer(seen.answer)
    if not seen.proofs:
        await account.proof.release()
    elif not seen.trouble:
        await account.proof.end(_ending(said, seen.status, by_itself=True))
    if seen.trouble == "certificate":
        return NoToken(Why.NO_CREDENTIALS, "the application's certificate is not a PEM file with a certificate and its RSA private key")
    if seen.trouble == "elsewhere":
        return NoToken(Why.UNTRUSTED_PEER, "the authority's configuration names another host; nothing was sent to it")
    what = "application's token" if seen.proofs else "its configuration"
    lines = _note(dial, authority, what, seen.status, _told(said, notes))
    status = _check_answered(seen)
    _check_served(status, seen.retry_after, notes)
    if not seen.proofs:
        return _no_configuration(said, status, notes, lines, f"the name or id {application.tenant}")
    return said.token if status == 200 and said.token is not None else _refused(said, status, notes, lines)


def _check_answered(seen: TokenResult) -> int:
    """The status of the answer that the child got. Raises a failure of the fitting kind where there is no answer that settles it."""
    match seen.trouble:
        case "untrusted":
            raise UntrustedPeer("nothing was sent to the authority, because its certificate is not trusted")
        case "timed-out":
            raise TimeoutError("the authority gave no complete answer in time")
        case "closed":
            raise PeerClosed("the authority closed the connection before its answer was complete")
    if seen.trouble or seen.status is None:
        what = "answer of a token endpoint" if seen.proofs else "configuration"
        raise OffProtocol(f"the authority's answer is not a readable {what}")
    return seen.status


def _check_served(status: int, pause: str | None, notes: Notebook) -> None:
    """Raises Throttled or OffProtocol where an authority did not deal with a request, by the numbers of HTTP (RFC 9110 section 15)."""
    if status in (429, 503):
        raise patience(status, None if pause is None else folded(notes.clean(pause)))
    if not _deals_with_it(status):
        raise OffProtocol(f"the authority answers with HTTP {status}")


def _deals_with_it(status: int) -> bool:
    """Whether a token endpoint's answer says yes or no to the request (RFC 6749 sections 5.1 and 5.2)."""
    return status == 200 or (400 <= status < 500 and status != 429)


def _ending(said: TokenAnswer, status: int | None, *, by_itself: bool) -> Ending:
    """How a sign-in ended, for the ledger. `by_itself` is an application's, whose secret `invalid_client` refuses (RFC 6749 section 5.2)."""
    if status is None or not _deals_with_it(status):
        return Ending.UNSEEN
    if status == 200 and said.token is not None:
        return Ending.ACCEPTED
    known = _known(said)
    if said.error in _NOT_NOW or any(error.about == "later" for error in known):
        return Ending.UNSEEN
    names_it = (
        any(map(_is_of_credentials, known)) if known else said.error == "invalid_grant" or (by_itself and said.error == "invalid_client")
    )
    if names_it and not says_later(said.description):
        return Ending.REFUSED
    return Ending.TURNED_DOWN if said.error or status != 200 else Ending.UNSEEN


def _known(said: TokenAnswer) -> list[AuthorityError]:
    return [authority_errors()[code] for code in said.codes if code in authority_errors()]


def _is_of_credentials(error: AuthorityError) -> bool:
    return bool(error.refusal) or error.about == "account"


async def _tenant(ask: TokenClient, dial: Dial, authority: Authority, notes: Notebook, username: str) -> str | NoToken:
    """The tenant of the account's domain, once it is known that Entra ID itself checks its password."""
    domain = username.rpartition("@")[2]
    if "@" not in username:
        return NoToken(Why.NO_CREDENTIALS, "Entra ID knows users only as user@domain")
    found = await ask.configuration(domain)
    lines = _note(dial, authority, found.request, found.status, _told(found.said, notes))
    _check_served(found.status, found.retry_after, notes)
    discovery = found.document
    if discovery is None:
        return _no_configuration(found.said, found.status, notes, lines, f"the domain {domain}")
    notes.declared(v.AUTHORITY_ISSUER, folded(notes.clean(discovery.issuer)), *lines)
    if discovery.tenant is not None:
        notes.declared(v.AUTHORITY_TENANT, discovery.tenant, *lines)
    told = await ask.realm(username)
    realm = told.document
    lines = _note(dial, authority, told.request, told.status, None if realm is None else realm.kind)
    _check_served(told.status, told.retry_after, notes)
    if realm is None:
        raise OffProtocol(f"the authority answers with HTTP {told.status}, and does not say who checks the password, so it was not sent")
    notes.declared(v.AUTHORITY_REALM, realm.kind, *lines)
    where = folded(notes.clean(realm.federation_url))
    if where:
        notes.declared(v.AUTHORITY_FEDERATION, where, *lines)
    if realm.kind == "federated":
        shown = f" ({where[:100]})" if where else ""
        return NoToken(Why.NOT_ATTEMPTED, f"the account is federated: its password is checked elsewhere{shown}, and was not sent")
    if realm.kind != "managed":
        return NoToken(Why.NOT_ATTEMPTED, "Entra ID does not know who checks the account's password, so it was not sent")
    return discovery.tenant or "organizations"


def _no_configuration(said: TokenAnswer, status: int, notes: Notebook, lines: tuple[TranscriptLine, ...], tenant: str) -> NoToken:
    """Write down that the authority knows no such tenant; raises OffProtocol where it does not say so."""
    if any(error.about == "tenant" for error in _known(said)):
        notes.observed(v.AUTHORITY_ERRORS, _shown(_told(said, notes)), *lines)
        return NoToken(Why.DENIED, f"the authority knows no tenant with {tenant}")
    raise OffProtocol(f"the authority answers with HTTP {status} in place of its configuration")


def _refused(said: TokenAnswer, status: int, notes: Notebook, lines: tuple[TranscriptLine, ...]) -> NoToken:
    """Write down what a refusal means for the account; raises OffProtocol where it is no refusal."""
    if not said.error:
        raise OffProtocol(f"the authority answers with HTTP {status} but neither a token nor an error")
    shown = _told(said, notes)
    notes.observed(v.AUTHORITY_ERRORS, _shown(shown), *lines)
    known = _known(said)
    told = next(filter(_is_of_credentials, known), None)
    if told is not None:
        notes.observed(v.AUTH_ACCEPTED, False, *lines)
        if told.refusal:
            notes.observed(v.AUTH_REFUSAL, told.refusal, *lines)
        return NoToken(Why.DENIED, f"the authority refuses: {told.meaning}")
    if known:
        return NoToken(Why.DENIED, f"the authority refuses: {known[0].meaning}")
    if said.error == "invalid_grant":
        notes.observed(v.AUTH_ACCEPTED, False, *lines)
        notes.observed(v.AUTH_REFUSAL, (Refusal.BAD_CREDENTIALS,) if _WRONG_AT_ADFS in said.description else _UNTOLD, *lines)
    return NoToken(Why.DENIED, f"the authority refuses: {shown.error}, {shown.description[:150]}")


def _told(said: TokenAnswer, notes: Notebook) -> TokenAnswer:
    """An answer as it may be shown. What is decided by it is decided by the answer as it came."""
    return replace(said, error=folded(notes.clean(said.error)), description=folded(notes.clean(said.description)))


def _shown(said: TokenAnswer) -> tuple[str, ...]:
    return (said.error, *(f"AADSTS{code}" for code in said.codes))


def _note(dial: Dial, authority: Authority, what: str, status: int | None, said: TokenAnswer | str | None) -> tuple[TranscriptLine, ...]:
    """Say in the transcript what came of a request that is not in it."""
    came = "" if status is None else f"HTTP {status}"
    if isinstance(said, TokenAnswer):
        told = "a token" if said.token else " ".join((*_shown(said), json.dumps(said.description[:200]))) if said.error else ""
    else:
        told = said or ""
    line = dial.note(f"{what} at {authority.endpoint.host}: {', '.join(filter(None, (came, told)))}")
    return () if line is None else (line,)
