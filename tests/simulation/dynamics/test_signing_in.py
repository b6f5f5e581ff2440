"""How IIS and AD FS let clients of a simulated organization in."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import ssl
from urllib.parse import urlencode

import pytest
from spnego._spnego import NegState, NegTokenInit, NegTokenResp, unpack_token

from probe.simulation.authorities import AdfsAuthority, User
from probe.simulation.authority import Authority
from probe.simulation.dynamics.organization import Organization
from probe.simulation.dynamics.signing_in import Claims
from probe.simulation.dynamics.web_api import DynamicsServer
from tests.simulation.dynamics.caller import Answer, Caller
from tests.simulation.dynamics.world import PASSWORD, READER, STRANGER, asked, server


async def test_nobody_is_let_in() -> None:
    """A request without credentials is answered with 401 and both schemes, each in a header of its own."""
    async with server(Organization()) as site:
        answer = await asked(site, lambda caller: caller.get("WhoAmI"), user=None)
    assert (answer.status, answer.challenges) == (401, ["Negotiate", "NTLM"])
    assert answer.headers["Server"] == "Microsoft-IIS/10.0"
    assert site.asked == []


@pytest.mark.parametrize("scheme", ["NTLM", "Negotiate"])
@pytest.mark.parametrize("name", ["CONTOSO\\svc-probe", "svc-probe@contoso.test"])
async def test_a_password_signs_in_the_connection(scheme: str, name: str) -> None:
    """NTLM, bare or in SPNEGO, signs in its connection for the requests that follow, and no other connection."""

    def questions(caller: Caller) -> tuple[Answer, Answer]:
        return caller.sign_in(name, PASSWORD, scheme=scheme), caller.get("RetrieveVersion()")

    async with server(Organization()) as site:
        first, second = await asked(site, questions, user=None)
        other = await asked(site, lambda caller: caller.get("WhoAmI"), user=None)
    assert (first.status, second.status, other.status) == (200, 200, 401)
    assert list(site.logons) == [(name, True)]
    assert [(each.status, each.connection) for each in site.requests] == [(401, 1), (200, 1), (200, 1), (401, 2)]
    assert all("Authorization" not in dict(each.headers) or dict(each.headers)["Authorization"] == scheme for each in site.requests)


@pytest.mark.parametrize("scheme", ["NTLM", "Negotiate"])
async def test_a_wrong_password_is_counted(scheme: str) -> None:
    """A wrong password gets 401 and the schemes again, and each try is counted."""
    async with server(Organization()) as site:
        answer = await asked(site, lambda caller: caller.sign_in(READER.name, "wrong", scheme=scheme), user=None)
    assert (answer.status, answer.challenges) == (401, ["Negotiate", "NTLM"])
    assert list(site.logons) == [(READER.name, False)]


async def test_a_proof_answers_the_challenge_of_its_own_connection() -> None:
    """An NTLM proof on a connection that was not challenged is refused, as is a scheme that is not offered."""
    type_3 = base64.b64encode(b"NTLMSSP\0\3\0\0\0" + bytes(60)).decode()
    async with server(Organization(), schemes=("NTLM",)) as site:
        unchallenged = await asked(site, lambda caller: caller.get("WhoAmI", {"Authorization": f"NTLM {type_3}"}), user=None)
        unoffered = await asked(site, lambda caller: caller.get("WhoAmI", {"Authorization": f"Negotiate {type_3}"}), user=None)
        basic = await asked(site, lambda caller: caller.get("WhoAmI", {"Authorization": "Basic YTpi"}), user=None)
    assert unchallenged.challenges == unoffered.challenges == basic.challenges == ["NTLM"]


@pytest.mark.parametrize(
    ("protection", "bound", "status"),
    [
        ("off", "no", 200),
        ("off", "wrong", 200),
        ("allowed", "no", 200),
        ("allowed", "wrong", 401),
        ("allowed", "right", 200),
        ("required", "no", 401),
        ("required", "wrong", 401),
        ("required", "right", 200),
    ],
)
async def test_extended_protection(protection: str, bound: str, status: int, authority: Authority, trust: ssl.SSLContext) -> None:
    """With Extended Protection a proof that is bound to another channel, or where it is required to none, is refused as a wrong password is."""
    identity = authority.issue("127.0.0.1")
    certificate = ssl.PEM_cert_to_DER_cert(
        "-----BEGIN CERTIFICATE-----" + identity.file.read_text().split("-----BEGIN CERTIFICATE-----")[1]
    )

    def sign_in(caller: Caller) -> Answer:
        mine = caller.certificate()
        assert mine == certificate
        return caller.sign_in(READER.name, PASSWORD, bound_to={"no": None, "wrong": b"another", "right": mine}[bound])

    async with server(Organization(), identity.context(), protection=protection, certificate=certificate) as site:
        answer = await asked(site, sign_in, user=None, trust=trust)
    assert answer.status == status


async def test_a_ticket_is_taken_under_negotiate_alone() -> None:
    """A Kerberos token that was declared signs in; one that was not is refused with the schemes."""
    tickets = {b"\x60\x03abc": READER.name}
    token = base64.b64encode(b"\x60\x03abc").decode()
    async with server(Organization(), tickets=tickets) as site:
        right = await asked(site, lambda caller: caller.get("WhoAmI", {"Authorization": f"Negotiate {token}"}), user=None)
        wrong = await asked(site, lambda caller: caller.get("WhoAmI", {"Authorization": "Negotiate YAM="}), user=None)
        elsewhere = await asked(site, lambda caller: caller.get("WhoAmI", {"Authorization": f"NTLM {token}"}), user=None)
    assert (right.status, wrong.status, elsewhere.status) == (200, 401, 401)
    assert wrong.challenges == ["Negotiate", "NTLM"]


async def test_kerberos_that_fails_leads_to_ntlm() -> None:
    """A client whose first choice is Kerberos is led to NTLM in SPNEGO where its ticket is not taken and it offers NTLM too."""
    kerberos, ntlm = "1.2.840.113554.1.2.2", "1.3.6.1.4.1.311.2.2.10"

    def offer(*mechanisms: str) -> dict[str, str]:
        token = NegTokenInit(list(mechanisms), mech_token=b"a ticket").pack()
        return {"Authorization": f"Negotiate {base64.b64encode(token).decode()}"}

    async with server(Organization()) as site:
        both = await asked(site, lambda caller: caller.get("WhoAmI", offer(kerberos, ntlm)), user=None)
        one = await asked(site, lambda caller: caller.get("WhoAmI", offer(kerberos)), user=None)
    (challenge,) = both.challenges
    answer = unpack_token(base64.b64decode(challenge.removeprefix("Negotiate ")))
    assert isinstance(answer, NegTokenResp)
    assert (answer.neg_state, answer.supported_mech) == (NegState.request_mic, ntlm)
    assert one.challenges == ["Negotiate", "NTLM"]


async def test_a_windows_account_that_is_no_user() -> None:
    """Whoever is known to Windows and not to the organization gets 403."""
    async with server(Organization()) as site:
        answer = await asked(site, lambda caller: caller.sign_in(STRANGER.name, PASSWORD), user=None)
    assert (answer.status, answer.error["code"]) == (403, "0x80041d1f")


def _form(**fields: str) -> dict[str, str]:
    return {
        "grant_type": "password",
        "client_id": "probe",
        "resource": "https://contoso.crm.test/",
        "username": "svc@contoso.test",
        "password": PASSWORD,
        **fields,
    }


def _token(port: int, form: dict[str, str]) -> tuple[int, dict[str, str]]:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        client.request("POST", "/adfs/oauth2/token", urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
        answer = client.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        client.close()


def _adfs(*, takes_passwords: bool = True) -> AdfsAuthority:
    users = {"svc@contoso.test": User(PASSWORD)}
    resources = frozenset({"https://contoso.crm.test/"})
    return AdfsAuthority(users=users, clients=frozenset({"probe"}), resources=resources, takes_passwords=takes_passwords)


@pytest.mark.parametrize(
    ("fields", "error", "code"),
    [
        ({"password": "wrong"}, "invalid_grant", "MSIS9659"),
        ({"username": "nobody@contoso.test"}, "invalid_grant", "MSIS9659"),
        ({"client_id": "another"}, "invalid_client", "MSIS9607"),
        ({"resource": "https://another.test/"}, "invalid_resource", "MSIS9602"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type", "MSIS9611"),
    ],
)
async def test_ad_fs_says_what_is_wrong(fields: dict[str, str], error: str, code: str) -> None:
    """AD FS answers 400 with OAuth's error and a code of its own in the description; a password is counted where it was looked at."""
    async with _adfs() as adfs:
        status, document = await asyncio.to_thread(_token, adfs.port, _form(**fields))
    assert (status, document["error"]) == (400, error)
    assert document["error_description"].startswith(code)
    assert len(adfs.passwords) == (1 if error == "invalid_grant" else 0)


async def test_an_old_ad_fs_takes_no_passwords() -> None:
    """AD FS of Windows Server 2012 R2 has no grant by password."""
    async with _adfs(takes_passwords=False) as adfs:
        _, document = await asyncio.to_thread(_token, adfs.port, _form())
    assert (document["error"], list(adfs.passwords)) == ("unsupported_grant_type", [])


async def test_an_internet_facing_organization_wants_a_token() -> None:
    """An organization behind AD FS names the authority, takes its tokens for its own resource, each for its request alone, and no others."""
    async with _adfs() as adfs:
        claims = Claims(holder=adfs.holder_at("https://contoso.crm.test"), resource="https://contoso.crm.test/")
        reader = READER.__class__(name="svc@contoso.test")
        async with DynamicsServer(Organization(), users=(reader,), claims=claims, path="") as site:
            _, given = await asyncio.to_thread(_token, adfs.port, _form())
            bearer = {"Authorization": f"Bearer {given['access_token']}"}

            def questions(caller: Caller) -> list[Answer]:
                who = "/api/data/v9.1/WhoAmI"
                return [caller.get(who), caller.get(who, bearer), caller.get(who), caller.get(who, {"Authorization": "Bearer other"})]

            without, taken, later, wrong = await asked(site, questions, user=None)
            adfs.revoke()
            revoked = await asked(site, lambda caller: caller.get("/api/data/v9.1/WhoAmI", bearer), user=None)
    assert [each.status for each in (without, taken, later, wrong, revoked)] == [401, 200, 401, 401, 401]
    assert without.challenges == [
        "Bearer authorization_uri=https://adfs.contoso.test/adfs/oauth2/authorize, resource_id=https://contoso.crm.test/"
    ]
    assert wrong.challenges == [without.challenges[0] + ', error="invalid_token"']
    assert list(site.logons) == [("svc@contoso.test", True), ("", False), ("", False)]
