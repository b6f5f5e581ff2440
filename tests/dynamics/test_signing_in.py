"""Signing in: one way by one try, and what the ledger hears of it."""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from probe.dynamics import MissingPrivilege, OtherOrganization, SignInFailed, SignInPage
from probe.engine.accounts import Accounts, Locks
from probe.memory import Memory
from probe.model.estate import Authentication
from probe.net.failures import OffProtocol, PeerFailure, Throttled, UntrustedPeer
from probe.net.kerberos import TicketRequest, TicketResult
from probe.probing import Ending, NotClaimed
from probe.simulation.authorities import AdfsAuthority, User
from probe.simulation.web import Request as WebRequest
from probe.simulation.web import Response as WebResponse
from tests.dynamics.peer import NAME, ORGANIZATION, PASSWORD, USER, Peer, Request, Way, error, said, serving
from tests.ledger import Ledger
from tests.looking import authority, server_context

NOW = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
TICKET = base64.b64encode(b"a ticket").decode()


async def failed(peer: Peer, way: Way, context: ssl.SSLContext | None = None) -> PeerFailure:
    """How signing in failed."""
    async with serving(peer, context=context):
        with pytest.raises(PeerFailure) as failure:
            async with way.to(peer):
                pytest.fail("somebody was let in")
    assert PASSWORD not in str(failure.value) + "".join(way.lines)
    return failure.value


def authorizations(peer: Peer) -> list[str]:
    """The schemes of the Authorization headers, in order; empty where there was none."""
    return [request.headers.get("authorization", "").partition(" ")[0] for request in peer.requests]


# NTLM


async def test_ntlm_lets_in_a_connection_by_one_proof() -> None:
    """The request that asks who one is carries both messages; those that follow over the connection carry none."""
    ledger = Ledger()
    way = Way(proof=ledger)
    async with serving(Peer()) as peer, way.to(peer):
        pass
    assert authorizations(peer) == ["", "NTLM", "NTLM", "", ""]
    assert ledger.told == ["claimed", Ending.ACCEPTED]
    assert [line.rpartition(", ")[0] for line in way.lines] == [
        "GET /Contoso/api/data/v9.1/WhoAmI: HTTP 401",
        "GET /Contoso/api/data/v9.1/WhoAmI (NTLM): HTTP 401",
        "GET /Contoso/api/data/v9.1/WhoAmI (NTLM): HTTP 200",
        f"GET /Contoso/api/data/v9.1/organizations({ORGANIZATION})?$select=name: HTTP 200",
        "GET /Contoso/api/data/v9.1/RetrieveVersion(): HTTP 200",
    ]


async def test_ntlm_is_bound_to_the_channel() -> None:
    """Where IIS wants Extended Protection, the response holds the binding to its certificate."""
    async with serving(Peer(is_bound=True)) as peer, Way().to(peer) as client:
        assert client.signed_in_by == "ntlm"


async def test_a_refused_account_is_told_to_the_ledger() -> None:
    """HTTP 401 in answer to the proof refuses the credential, and nothing more is asked."""
    ledger, peer = Ledger(), Peer()
    failure = await failed(peer, Way(password="wrong", proof=ledger))
    assert isinstance(failure, SignInFailed)
    assert "Dynamics refuses the account CONTOSO\\svc-probe (NTLM, HTTP 401)" in str(failure)
    assert ledger.told == ["claimed", Ending.REFUSED]
    assert len(peer.requests) == 3


async def test_twenty_runs_with_a_wrong_password_are_one_sign_in(tmp_path: Path) -> None:
    """The refusal is remembered from run to run, until the credential changes."""
    async with serving(Peer()) as peer:
        for password in ["wrong"] * 20 + [PASSWORD]:
            accounts = Accounts(Memory(tmp_path), lambda: NOW, timedelta(seconds=30), Locks())
            proof = accounts.proof(((f"CONTOSO\\{USER}").lower(), password), peer.url)
            way = Way(password=password, proof=proof)
            if password == PASSWORD:
                async with way.to(peer):
                    continue
            with pytest.raises((SignInFailed, NotClaimed)):
                async with way.to(peer):
                    pytest.fail("a wrong password was let in")
    proofs = [request for request in peer.requests if len(request.headers.get("authorization", "")) > 100]
    assert len(proofs) == 2


@pytest.mark.parametrize(
    ("answer", "endings", "kind"),
    [
        (said(500), [Ending.UNSEEN], PeerFailure),
        (b"", [Ending.UNSEEN], PeerFailure),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nbroken", [Ending.UNSEEN], PeerFailure),
        (error(403, "0x80042f09", "The user has not been assigned any roles."), [Ending.ACCEPTED], MissingPrivilege),
        (error(401, "0x80040220", "Principal user is missing prvReadUser privilege"), [Ending.ACCEPTED], MissingPrivilege),
        (said(429, b"", ("Retry-After", "100000")), [Ending.UNSEEN], Throttled),
        (said(302, b"", ("Location", "https://adfs.contoso.test/adfs/ls/?x")), [Ending.ACCEPTED], SignInPage),
    ],
    ids=["500", "closed", "broken off", "403", "privilege", "429", "redirect"],
)
async def test_what_settles_nothing_is_in_doubt(answer: bytes, endings: list[Ending], kind: type[PeerFailure]) -> None:
    """What Dynamics itself says has let the account in; an error of the server, or its silence, says neither."""
    ledger = Ledger()
    peer = Peer(says=lambda request: answer)
    failure = await failed(peer, Way(proof=ledger))
    assert isinstance(failure, kind)
    assert ledger.told == ["claimed", *endings]


async def test_patience_asked_of_a_proof_leaves_it_open_until_it_is_settled() -> None:
    """A proof that was answered by 429 is settled by the answer to the request that is sent once more over the same connection."""
    ledger, answers = Ledger(), [said(429, b"", ("Retry-After", "7"))]
    way = Way(proof=ledger)
    async with serving(Peer(says=lambda request: answers.pop() if answers else None)) as peer, way.to(peer):
        assert ledger.told == ["claimed", Ending.ACCEPTED]
    assert way.slept == [7.0]
    assert peer.connections == 1


async def test_a_proof_that_is_not_granted_does_not_leave() -> None:
    """Where the ledger forbids it, the response of NTLM is not sent."""

    class Forbidding(Ledger):
        async def claim(self) -> None:
            raise NotClaimed("it must not be tried now")

    peer = Peer()
    assert isinstance(await failed(peer, Way(proof=Forbidding())), NotClaimed)
    assert authorizations(peer) == ["", "NTLM"]


@pytest.mark.parametrize("offers", [("Negotiate",), ("Basic realm=x", "Bearer authorization_uri=https://adfs.contoso.test/adfs"), ()])
async def test_what_is_not_offered_is_not_tried(offers: tuple[str, ...]) -> None:
    """A server without NTLM is told as such, with what it offers."""
    ledger, peer = Ledger(), Peer(offers=offers)
    failure = await failed(peer, Way(proof=ledger))
    assert isinstance(failure, SignInFailed)
    assert "does not offer NTLM" in str(failure)
    assert ("oauth" in str(failure)) is ("Bearer" in " ".join(offers))
    assert (ledger.told, len(peer.requests)) == ([], 1)


@pytest.mark.parametrize(
    "answer",
    [
        said(401, b""),
        said(200, {}),
        said(401, b"", ("WWW-Authenticate", "NTLM TlRMTVNTUAA=")),
        said(401, b"", ("WWW-Authenticate", "NTLM =====")),
    ],
)
async def test_a_broken_challenge_draws_no_proof(answer: bytes) -> None:
    """Where the challenge of NTLM is none, nothing is answered to it."""
    ledger = Ledger()
    peer = Peer(greets=lambda request: answer if "authorization" in request.headers else None)
    assert isinstance(await failed(peer, Way(proof=ledger)), OffProtocol)
    assert (ledger.told, len(peer.requests)) == ([], 2)


async def test_ntlm_needs_a_password_elsewhere_than_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a user name no message of NTLM leaves."""
    monkeypatch.setattr("sys.platform", "linux")
    peer = Peer()
    assert "NTLM needs username and password" in str(await failed(peer, Way(username=None)))
    assert authorizations(peer) == [""]


# Where nobody signs in


@pytest.mark.parametrize(
    "page",
    [
        said(302, b"<html>moved</html>", ("Location", "https://adfs.contoso.test/adfs/ls/?wa=wsignin1.0")),
        said(200, b"<!DOCTYPE html><title>Sign In</title>", ("Content-Type", "text/html; charset=utf-8")),
        said(200, b"\r\n<html>"),
    ],
)
async def test_a_sign_in_page_is_told_and_not_followed(page: bytes) -> None:
    """A redirect, or a page in place of data, says how to sign in; no proof leaves."""
    ledger, peer = Ledger(), Peer(greets=lambda request: page)
    failure = await failed(peer, Way(proof=ledger))
    assert isinstance(failure, SignInPage)
    assert 'authentication = "oauth"' in str(failure)
    assert ("adfs.contoso.test" in str(failure)) is page.startswith(b"HTTP/1.1 302")
    assert (ledger.told, len(peer.requests)) == ([], 1)


@pytest.mark.parametrize("certificate", ["self-signed", "expired", "wrong-name"])
async def test_no_proof_goes_to_a_server_that_is_not_trusted(certificate: str) -> None:
    """TLS is verified for the very name, or nothing is asked."""
    ledger, peer = Ledger(), Peer()
    assert isinstance(await failed(peer, Way(proof=ledger), server_context(certificate)), UntrustedPeer)
    assert (ledger.told, peer.requests) == ([], [])


async def test_in_clear_only_where_it_is_allowed() -> None:
    """`http://` needs the operator's word, and is told as a risk."""
    async with serving(Peer(), plain=True) as peer:
        with pytest.raises(SignInFailed, match="plain_http = true"):
            async with Way().to(peer):
                pytest.fail("it was spoken in clear")
        assert peer.connections == 0
        async with Way(plain_http=True).to(peer) as client:
            assert "without TLS" in (client.risk or "")
            assert client.organization.name == NAME


# Which organization


def answering(what: str, **members: str) -> Callable[[Request], bytes | None]:
    return lambda request: said(200, members) if request.path.endswith(what) else None


@pytest.mark.parametrize(
    ("bound", "says", "asked"),
    [
        (f"{ORGANIZATION[:-1]}2 {NAME}", lambda request: None, 3),
        (f"{ORGANIZATION} Fabrikam", lambda request: None, 4),
        (
            f"{ORGANIZATION} {NAME}",
            answering(
                "WhoAmI",
                OrganizationId=ORGANIZATION,
                UserId=ORGANIZATION,
                **{"@odata.context": "https://other.test/Contoso/api/data/v9.1/$metadata"},
            ),
            3,
        ),
    ],
    ids=["id", "name", "host"],
)
async def test_of_another_organization_nothing_more_is_read(bound: str, says: Callable[[Request], bytes | None], asked: int) -> None:
    """Id, unique name and host are compared as soon as they are known, and nothing is asked after that."""
    peer = Peer(says=says)
    failure = await failed(peer, Way(bound=bound))
    assert isinstance(failure, OtherOrganization)
    assert len(peer.requests) == asked


async def test_the_bound_organization_is_let_pass() -> None:
    """Names compare without case, as Dynamics compares them."""
    async with serving(Peer()) as peer, Way(bound=f"{ORGANIZATION} contoso").to(peer) as client:
        assert client.organization.id == ORGANIZATION


@pytest.mark.parametrize("status", [404, 501])
async def test_an_older_version_is_spoken_where_the_newer_is_not(status: int) -> None:
    """A server without 9.1 is asked in 9.0; one without either has no Web API."""
    both = [lambda request: said(status) if "/v9.1/" in request.path else old(request), lambda request: said(status)]

    def old(request: Request) -> bytes:
        return peer.usual(replace(request, target=request.target.replace("v9.0", "v9.1")))

    peer = Peer(says=both[0])
    async with serving(peer), Way().to(peer) as client:
        assert client.organization.api == "v9.0"
    assert "no Web API of Dynamics at https://localhost" in str(await failed(Peer(says=both[1]), Way()))


# Kerberos. A ticket is got in a child process; these stand in for the system's library.


def a_ticket(request: TicketRequest) -> TicketResult:
    """As of a KDC that gives one."""
    assert (request.host, request.binding is None) == ("localhost", False)
    return TicketResult(token=b"a ticket")


def no_library(request: TicketRequest) -> TicketResult:
    return TicketResult(trouble="no-library")


def no_kdc(request: TicketRequest) -> TicketResult:
    return TicketResult(trouble="no-kdc", number="156")


def no_service(request: TicketRequest) -> TicketResult:
    return TicketResult(trouble="no-service", number="7")


def no_ticket(request: TicketRequest) -> TicketResult:
    return TicketResult(trouble="no-ticket", number="195")


def refused(request: TicketRequest) -> TicketResult:
    return TicketResult(trouble="refused", number="24")


def broken(request: TicketRequest) -> TicketResult:
    return TicketResult(trouble="failed", number="37")


@pytest.mark.parametrize("username", [f"{USER}@contoso.test", None])
async def test_a_ticket_lets_in(username: str | None) -> None:
    """Kerberos comes first; where a password was proved to the KDC, the ledger hears of it, and where none was, of nothing."""
    ledger = Ledger()
    way = Way(username=username, authentication=Authentication.NEGOTIATE, proof=ledger, fetch=a_ticket)
    async with serving(Peer(takes_ticket=lambda token: token == TICKET)) as peer, way.to(peer) as client:
        assert client.signed_in_by == "kerberos"
    assert authorizations(peer) == ["", "Negotiate", "", ""]
    assert ledger.told == (["claimed", Ending.ACCEPTED] if username else [])
    assert "a Kerberos ticket for HTTP/localhost" in way.lines


async def test_a_server_that_wants_a_ticket_each_time_gets_one() -> None:
    """Where a ticket lets in one request alone, each request carries a fresh one."""
    peer = Peer(takes_ticket=lambda token: token == TICKET, is_asked_each_time=True)
    async with serving(peer), Way(username=None, authentication=Authentication.NEGOTIATE, fetch=a_ticket).to(peer):
        pass
    assert authorizations(peer) == ["", "Negotiate", "", "Negotiate", "Negotiate"]


@pytest.mark.parametrize(
    ("fetch", "endings"),
    [(no_kdc, ["released"]), (no_library, ["released"]), (no_service, [Ending.ACCEPTED])],
)
async def test_ntlm_follows_where_kerberos_cannot_be_had(fetch: Callable[[TicketRequest], TicketResult], endings: list[str]) -> None:
    """Without a KDC, a library or a service principal, NTLM is a second choice of ours, and the transcript says so."""
    ledger = Ledger()
    way = Way(username=USER, authentication=Authentication.NEGOTIATE, proof=ledger, fetch=fetch)
    async with serving(Peer()) as peer, way.to(peer) as client:
        assert client.signed_in_by == "ntlm"
    assert authorizations(peer) == ["", "NTLM", "NTLM", "", ""]
    assert ledger.told == ["claimed", *endings, "claimed", Ending.ACCEPTED]
    assert [line for line in way.lines if line.startswith("no Kerberos: ") and line.endswith("; NTLM follows")]


@pytest.mark.parametrize(
    ("username", "fetch", "endings", "told"),
    [
        (USER, refused, ["claimed", Ending.REFUSED], "the KDC refuses the account svc-probe"),
        (USER, broken, ["claimed", Ending.UNSEEN], "there is no ticket of the account svc-probe (error 37)"),
        (None, no_ticket, [], "get one by kinit"),
        (None, no_kdc, [], "no KDC answers for the account that runs this program"),
    ],
    ids=["refused", "failed", "no ticket", "no KDC and no password"],
)
async def test_where_the_kdc_refuses_the_try_ends(
    username: str | None, fetch: Callable[[TicketRequest], TicketResult], endings: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NTLM does not follow a refusal, nor an error of which nobody knows what it means, and nothing follows without a password."""
    monkeypatch.setattr("sys.platform", "linux")
    ledger, peer = Ledger(), Peer()
    failure = await failed(peer, Way(username=username, authentication=Authentication.NEGOTIATE, proof=ledger, fetch=fetch))
    assert told in str(failure)
    assert ledger.told == endings
    assert authorizations(peer) == [""]


async def test_a_ticket_that_the_server_does_not_take_ends_the_try() -> None:
    """The sentence says where to look, and NTLM does not follow."""
    peer = Peer()
    failure = await failed(peer, Way(username=USER, authentication=Authentication.NEGOTIATE, fetch=a_ticket))
    assert "setspn -Q" in str(failure)
    assert authorizations(peer) == ["", "Negotiate"]


async def test_a_netbios_name_has_no_kdc(monkeypatch: pytest.MonkeyPatch) -> None:
    """`DOMAIN\\user` names no realm, so that elsewhere than on Windows NTLM is what is left; no ticket is asked for."""
    monkeypatch.setattr("sys.platform", "linux")
    way = Way(authentication=Authentication.NEGOTIATE, fetch=refused)
    async with serving(Peer()) as peer, way.to(peer) as client:
        assert client.signed_in_by == "ntlm"
    assert any("names a domain of NetBIOS" in line for line in way.lines)


# OAuth through AD FS


Form = dict[str, str]
OAUTH: dict[str, Any] = {
    "username": f"{USER}@contoso.test",
    "authentication": Authentication.OAUTH,
    "token_url": "https://adfs.contoso.test/adfs/oauth2/token",
}


@asynccontextmanager
async def federation() -> AsyncIterator[tuple[AdfsAuthority, dict[str, str], list[Form]]]:
    """An AD FS on loopback, by which name it is found, and the forms that it gets."""
    forms: list[Form] = []

    class Listening(AdfsAuthority):
        def answer(self, request: WebRequest) -> WebResponse:
            forms.append(dict(parse_qsl(request.body.decode())))
            return super().answer(request)

    context = authority().issue("adfs.contoso.test").context()
    async with Listening(context, users={f"{USER}@contoso.test": User(PASSWORD)}) as adfs:
        yield adfs, {"adfs.contoso.test": f"127.0.0.1:{adfs.port}"}, forms


async def test_adfs_gives_a_token_for_the_organization() -> None:
    """The resource owner's grant is sent once, for the organization's URL; each request then carries the token, on whichever connection."""
    ledger = Ledger()
    async with federation() as (adfs, hosts, forms):
        way = Way(**OAUTH, proof=ledger, hosts=hosts, authorities=("adfs.contoso.test",))
        async with serving(Peer(takes_token=lambda token: adfs.holder(token) is not None)) as peer, way.to(peer) as client:
            assert client.signed_in_by == "oauth"
            url = peer.url
    assert forms == [
        {
            "grant_type": "password",
            "client_id": "probe",
            "username": f"{USER}@contoso.test",
            "password": PASSWORD,
            "resource": url,
            "scope": "openid",
        }
    ]
    assert authorizations(peer) == ["Bearer", "Bearer", "Bearer"]
    assert ledger.told == ["claimed", Ending.ACCEPTED]
    tokens = {request.headers["authorization"].partition(" ")[2] for request in peer.requests}
    assert len(tokens) == 1
    assert not any(secret in line for line in way.lines for secret in (*tokens, PASSWORD))


async def test_adfs_refuses_a_password() -> None:
    """What AD FS says of it is told, the ledger hears of it, and Dynamics is asked nothing."""
    ledger, peer = Ledger(), Peer()
    async with federation() as (_, hosts, forms):
        failure = await failed(peer, Way(**OAUTH, password="wrong", proof=ledger, hosts=hosts, authorities=("adfs.contoso.test",)))
    assert "MSIS9659" in str(failure)
    assert ledger.told == ["claimed", Ending.REFUSED]
    assert (len(forms), peer.requests) == (1, [])


async def test_a_token_that_dynamics_does_not_take_ends_the_try() -> None:
    """The token is sent once, and what repeats it does not show it."""
    peer = Peer(greets=lambda request: error(401, "", f"not {request.headers['authorization']}"))
    async with federation() as (_, hosts, _):
        failure = await failed(peer, Way(**OAUTH, hosts=hosts, authorities=("adfs.contoso.test",)))
    assert "refuses the token" in str(failure)
    assert len(peer.requests) == 1


async def test_a_token_is_struck_out_of_what_a_server_says() -> None:
    """An error that repeats the token is told without it."""
    peer = Peer(greets=lambda request: error(400, "0x0", f"not {request.headers['authorization']} here"))
    async with federation() as (_, hosts, _):
        failure = await failed(peer, Way(**OAUTH, hosts=hosts, authorities=("adfs.contoso.test",)))
    assert "not Bearer *** here" in str(failure)


@pytest.mark.parametrize("authorities", [(), ("other.contoso.test",), ("adfs.contoso.test:8443",)])
async def test_a_password_goes_to_no_authority_that_the_estate_does_not_list(authorities: tuple[str, ...]) -> None:
    """A token endpoint that is not on the list is not even looked up."""
    ledger, peer = Ledger(), Peer()
    async with federation() as (_, hosts, forms):
        failure = await failed(peer, Way(**OAUTH, proof=ledger, hosts=hosts, authorities=authorities))
    assert "adfs.contoso.test was sent no password" in str(failure)
    assert (ledger.told, forms, peer.requests) == ([], [], [])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"username": None}, "AD FS is asked by user name and password alone"),
        ({"token_url": None}, "AD FS is asked by user name and password alone"),
        ({"token_url": "https://login.microsoftonline.com/adfs/oauth2/token"}, "login.microsoftonline.com was sent no password"),
        ({"token_url": "http://adfs.contoso.test/adfs/oauth2/token"}, "adfs.contoso.test was sent no password"),
    ],
)
async def test_no_other_form_of_oauth_is_spoken(changes: dict[str, str | None], told: str) -> None:
    """Without a password, without AD FS, in clear, or with Entra ID, nobody is asked for a token, and a sentence says so."""
    ledger, peer = Ledger(), Peer()
    authorities = ("adfs.contoso.test", "login.microsoftonline.com")
    failure = await failed(peer, Way(**OAUTH | changes, proof=ledger, authorities=authorities))
    assert isinstance(failure, SignInFailed)
    assert told in str(failure)
    assert (ledger.told, peer.requests) == ([], [])
