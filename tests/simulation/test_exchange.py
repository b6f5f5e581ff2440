"""What an anonymous visitor sees of each simulated Exchange, through http.client."""

from __future__ import annotations

import asyncio
import base64
import http.client
import re
import ssl
import struct
from email.message import Message

import pytest

from probe.simulation import releases
from probe.simulation.ews import Account
from probe.simulation.exchange import EWS_BLOCKED_BY_POLICY, EWS_DISABLED, ExchangeOnline, ExchangeServer
from probe.simulation.releases import Release
from probe.simulation.web import WebServer

EWS = "/EWS/Exchange.asmx"
TYPE_1 = "TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAA="
ALL = {
    "2007": releases.EXCHANGE_2007,
    "2010": releases.EXCHANGE_2010,
    "2013": releases.EXCHANGE_2013,
    "2016": releases.EXCHANGE_2016,
    "2019": releases.EXCHANGE_2019,
    "SE": releases.EXCHANGE_SE,
}
OLD = ("2007", "2010")

Answer = tuple[int, Message, bytes]


@pytest.fixture(params=ALL)
def name(request: pytest.FixtureRequest) -> str:
    """Each release in turn."""
    return str(request.param)


async def _ask(
    server: WebServer, trust: ssl.SSLContext, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> Answer:
    """The answer to one request on a connection of its own."""

    def call() -> Answer:
        client = http.client.HTTPSConnection("127.0.0.1", server.port, context=trust, timeout=5)
        try:
            client.request(method, path, body=body or None, headers=headers or {})
            answer = client.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            client.close()

    return await asyncio.to_thread(call)


def _server(release: Release, tls: ssl.SSLContext) -> ExchangeServer:
    accounts = {"svc-crm@contoso.test": Account(password="right")}
    return ExchangeServer(release, "ex.contoso.test", tls, accounts=accounts, mailboxes=["sales@contoso.test"])


def _basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_an_anonymous_visitor_is_challenged(name: str, method: str, tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """EWS answers an anonymous visitor with 401 and each scheme in a header of its own."""
    async with _server(ALL[name], tls) as server:
        status, headers, _ = await _ask(server, trust, method, EWS)
    assert status == 401
    assert headers.get_all("WWW-Authenticate") == ["Negotiate", "NTLM", 'Basic realm="127.0.0.1"']
    assert str(headers["Server"]).startswith("Microsoft-IIS/")
    assert headers["X-Powered-By"] == "ASP.NET"
    assert headers["Content-Length"] is not None


async def test_the_refusal_names_what_its_release_names(name: str, tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """A front end is named from 2013 on, the build in the refusal only from 2019 CU11 on."""
    async with _server(ALL[name], tls) as server:
        _, headers, _ = await _ask(server, trust, "POST", EWS)
    assert headers["X-FEServer"] == (None if name in OLD else "EX")
    assert (headers["request-id"] is None) is (name in OLD)
    assert headers["X-OWA-Version"] == (ALL[name].version if name in ("2019", "SE") else None)


async def test_the_logon_page_shows_the_build(name: str, tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """The paths of the logon page carry four numbers in 2007 and 2010, three later, where a header carries all four."""
    async with _server(ALL[name], tls) as server:
        status, redirected, _ = await _ask(server, trust, "GET", "/owa/")
        assert status == 302
        assert str(redirected["Location"]).startswith(
            f"https://127.0.0.1:{server.port}/owa/auth/logon.aspx?url=https%3A%2F%2Fex.contoso.test"
        )
        status, headers, body = await _ask(server, trust, "GET", "/owa/auth/logon.aspx")
    assert status == 200
    shown = re.findall(r"/owa/(?:auth/)?([0-9.]+)/themes", body.decode())
    assert shown == [ALL[name].version if name in OLD else ALL[name].update]
    assert headers["X-OWA-Version"] == (None if name in OLD else ALL[name].version)


async def test_the_export_tool_names_the_exact_build(name: str, tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """From 2013 on the manifest of the export tool carries the build, before it carries those of other things."""
    path = "/ecp/Current/exporttool/microsoft.exchange.ediscovery.exporttool.application"
    async with _server(ALL[name], tls) as server:
        status, _, body = await _ask(server, trust, "GET", path)
    if name in OLD:
        assert status == 404
    else:
        assert status == 200
        assert re.findall(r'assemblyIdentity name="[^"]+" version="([^"]+)"', body.decode()) == [ALL[name].version, "4.0.30319.0"]


async def test_what_is_not_there_is_not_found(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """A path of no service is 404, as IIS says it; so are the pages of a server that does not publish them."""
    async with _server(releases.EXCHANGE_2016, tls) as server:
        status, headers, _ = await _ask(server, trust, "GET", "/nothing/here")
        assert (status, headers["X-FEServer"]) == (404, None)
    async with ExchangeServer(releases.EXCHANGE_2016, "ex.contoso.test", tls, publishes_pages=False) as server:
        assert (await _ask(server, trust, "GET", "/owa/auth/logon.aspx"))[0] == 404


async def test_autodiscover_is_challenged_like_ews(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """Autodiscover challenges too, and says which kinds of sign-in are on."""
    async with _server(releases.EXCHANGE_2016, tls) as server:
        status, headers, _ = await _ask(server, trust, "POST", "/autodiscover/autodiscover.xml")
        assert (status, headers["X-OAuth-Enabled"], headers["X-SOAP-Enabled"]) == (401, "True", "True")
        signed_in = _basic("svc-crm@contoso.test", "right")
        status, _, body = await _ask(server, trust, "POST", "/autodiscover/autodiscover.xml", signed_in)
        assert status == 200
        assert b"<ErrorCode>500</ErrorCode>" in body


async def test_only_the_schemes_that_are_on_are_offered(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """A scheme that is off is not offered, and not taken."""
    accounts = {"svc-crm@contoso.test": Account(password="right")}
    async with ExchangeServer(releases.EXCHANGE_2016, "ex.contoso.test", tls, schemes=["Negotiate", "NTLM"], accounts=accounts) as server:
        status, headers, _ = await _ask(server, trust, "POST", EWS, _basic("svc-crm@contoso.test", "right"))
        assert status == 401
        assert headers.get_all("WWW-Authenticate") == ["Negotiate", "NTLM"]
        assert not server.logons


@pytest.mark.parametrize("scheme", ["NTLM", "Negotiate"])
async def test_ntlm_without_a_proof_goes_as_far_as_the_challenge(scheme: str, tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """A type 1 message gets a type 2 message; the type 3 message is refused, and counted as a failed logon."""
    user = "svc-crm".encode("utf-16-le")
    type_3 = b"NTLMSSP\0" + struct.pack("<I", 3) + bytes(24) + struct.pack("<HHI", len(user), len(user), 64) + bytes(20) + user
    async with _server(releases.EXCHANGE_2016, tls) as server:
        status, headers, _ = await _ask(server, trust, "POST", EWS, {"Authorization": f"{scheme} {TYPE_1}"})
        challenges = headers.get_all("WWW-Authenticate") or []
        assert status == 401
        assert base64.b64decode(challenges[0].removeprefix(scheme + " "))[:12] == b"NTLMSSP\0\x02\0\0\0"
        assert challenges[1:] == (["Negotiate"] if scheme == "NTLM" else [])
        assert not server.logons
        status, headers, _ = await _ask(server, trust, "POST", EWS, {"Authorization": f"{scheme} {base64.b64encode(type_3).decode()}"})
        assert status == 401
        assert len(headers.get_all("WWW-Authenticate") or []) == 3
        assert list(server.logons) == [("svc-crm", False)]


async def test_logons_are_counted(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """Every request with a user and password is a logon, right or wrong; what names nobody is none."""
    async with _server(releases.EXCHANGE_2016, tls) as server:
        assert (await _ask(server, trust, "GET", EWS, _basic("svc-crm@contoso.test", "wrong")))[0] == 401
        assert (await _ask(server, trust, "GET", EWS, _basic("nobody@contoso.test", "right")))[0] == 401
        assert (await _ask(server, trust, "GET", EWS, {"Authorization": "Basic not base64"}))[0] == 401
        status, _, body = await _ask(server, trust, "GET", EWS, _basic("SVC-CRM@contoso.test", "right"))
        assert (status, b"created a service" in body) == (200, True)
        logons = [("svc-crm@contoso.test", False), ("nobody@contoso.test", False), ("SVC-CRM@contoso.test", True)]
        assert list(server.logons) == logons


async def test_a_body_that_is_no_xml_is_not_taken(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """A signed-in request whose content is not said to be XML is 415."""
    async with _server(releases.EXCHANGE_2016, tls) as server:
        headers = {**_basic("svc-crm@contoso.test", "right"), "Content-Type": "application/json"}
        assert (await _ask(server, trust, "POST", EWS, headers, b"{}"))[0] == 415


async def test_exchange_online_takes_tokens_alone(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """Exchange Online offers Bearer and nothing else, to a password too, and refuses a token that nobody issued."""
    async with ExchangeOnline(tls) as server:
        for authorization in ({}, _basic("anna@contoso.test", "right")):
            status, headers, _ = await _ask(server, trust, "POST", EWS, authorization)
            challenges = headers.get_all("WWW-Authenticate") or []
            assert status == 401
            assert len(challenges) == 1
            assert challenges[0].startswith('Bearer client_id="00000002-0000-0ff1-ce00-000000000000"')
            assert 'authorization_uri="https://login.microsoftonline.com/' in challenges[0]
        status, headers, _ = await _ask(server, trust, "POST", EWS, {"Authorization": "Bearer none"})
        assert status == 401
        assert 'error="invalid_token"' in str(headers["WWW-Authenticate"])
        assert str(headers["x-ms-diagnostics"]).startswith("2000001;")


async def test_exchange_online_shows_its_marks_and_no_build(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """Exchange Online is known by its headers; nothing anonymous carries a build, and its pages lead to another host."""
    async with ExchangeOnline(tls) as server:
        _, headers, _ = await _ask(server, trust, "POST", EWS)
        status, redirected, _ = await _ask(server, trust, "GET", "/owa/auth/logon.aspx")
        assert status == 302
        assert str(redirected["Location"]).startswith("https://login.microsoftonline.com/")
        assert (await _ask(server, trust, "GET", "/nothing/here"))[0] == 404
    assert headers["Server"] == "Microsoft-HTTPAPI/2.0"
    assert headers["X-NanoProxy"] == "1"
    assert str(headers["X-CalculatedBETarget"]).endswith(".PROD.OUTLOOK.COM")
    assert len(headers.get_all("X-FEServer") or []) == 2
    assert headers["X-OWA-Version"] is None
    assert not re.search(r"\b15\.\d+\.\d+", str(headers))


@pytest.mark.parametrize("reason", [EWS_DISABLED, EWS_BLOCKED_BY_POLICY])
async def test_a_tenant_that_closed_ews_says_so(reason: str, tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """Where the tenant closed EWS, the answer is 403 with the reason in a header."""
    async with ExchangeOnline(tls, policy_reason=reason) as server:
        status, headers, _ = await _ask(server, trust, "POST", EWS)
    assert (status, headers["X-EWS-Policy-Reason"], headers["WWW-Authenticate"]) == (403, reason, None)
