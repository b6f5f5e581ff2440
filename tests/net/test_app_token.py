"""An application's token, through msal: what is sent, and what is made of the answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from probe.net.app_token import fetch_token
from probe.net.msal_protocol import MAX_BODY_BYTES
from probe.net.token_request import TokenRequest, TokenResult
from probe.simulation.listening import Conversation
from probe.simulation.web import Request, Response, WebServer, _WebConversation
from tests.applications import self_signed_client
from tests.hostile import closed_port
from tests.looking import authority, server_context

SECRET = "marked-Secret-1"
JSON = (("Content-Type", "application/json"),)
TOKEN = {"access_token": "marked-token", "token_type": "Bearer", "expires_in": 3600}


def document(content: object, status: int = 200) -> Response:
    return Response(status, JSON, json.dumps(content).encode())


def raw(body: bytes, status: int = 200, **headers: str) -> Response:
    return Response(status, tuple((name.replace("_", "-"), value) for name, value in headers.items()), body)


class TokenServer(WebServer):
    """An authority that gives a configuration and a token, unless it is told to answer otherwise."""

    def __init__(self, token: Response | None = None, configuration: Response | None = None, trusted: str = "trusted") -> None:
        super().__init__(server_context(trusted))
        self.token = token or document(TOKEN)
        self.configuration = configuration
        self.requests: list[Request] = []

    @property
    def origin(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def posts(self) -> list[Request]:
        return [request for request in self.requests if request.method == "POST"]

    def answer(self, request: Request) -> Response:
        self.requests.append(request)
        if request.method == "POST":
            return self.token
        at = f"{self.origin}/contoso.test"
        return self.configuration or document(
            {"issuer": at, "authorization_endpoint": f"{at}/a", "token_endpoint": f"{at}/oauth2/v2.0/token"}
        )


def request_at(port: int, **changes: object) -> TokenRequest:
    request = TokenRequest(
        authority=f"https://localhost:{port}/contoso.test",
        address="127.0.0.1",
        port=port,
        client="6731de76-14a6-49ae-97bc-6eba6914391e",
        secret=SECRET,
        certificate=None,
        resource="https://mail.contoso.test",
        ca_file=str(authority().ca_file),
        seconds=10.0,
    )
    return replace(request, **changes)  # type: ignore[arg-type]


async def seen_at(server: TokenServer, **changes: object) -> TokenResult:
    """What comes of one request, carried out here rather than in a child, so that what is logged and raised shows."""
    async with server:
        return await asyncio.to_thread(fetch_token, request_at(server.port, **changes))


async def test_a_token_is_asked_for_its_resource_by_one_post() -> None:
    """The configuration is read, and the secret goes out once, for the resource of the request."""
    server = TokenServer()
    seen = await seen_at(server)
    assert json.loads(seen.answer) == TOKEN
    assert (seen.status, seen.trouble, seen.requests, seen.proofs) == (200, "", 2, 1)
    (post,) = server.posts
    assert b"scope=https%3A%2F%2Fmail.contoso.test%2F.default" in post.body
    assert SECRET.encode() in post.body


async def test_ad_fs_is_told_the_resource_apart() -> None:
    """AD FS is asked at its own path, and takes the resource as a parameter of its own."""
    server = TokenServer()
    async with server:
        request = request_at(server.port, authority=f"{server.origin}/adfs", is_adfs=True)
        seen = await asyncio.to_thread(fetch_token, request)
    assert seen.proofs == 1
    assert server.requests[0].path == "/adfs/.well-known/openid-configuration"
    assert b"resource=https%3A%2F%2Fmail.contoso.test&" in server.posts[0].body + b"&"


async def test_a_port_to_connect_to_is_not_the_port_that_is_spoken_of() -> None:
    """Where the request names another port than its authority, that is where the connection goes; what is sent speaks of the authority's."""
    server = TokenServer(
        configuration=document({"issuer": "x", "authorization_endpoint": "y", "token_endpoint": "https://localhost/t/token"})
    )
    seen = await seen_at(server, authority="https://localhost/contoso.test")
    assert (seen.status, seen.proofs) == (200, 1)
    assert {request.header("Host") for request in server.requests} == {"localhost"}


ANSWERS: dict[str, Response] = {
    "500": raw(b"oops", 500),
    "500 json": document({"error": "server_error"}, 500),
    "502": raw(b"", 502),
    "503 with Retry-After": raw(b"busy", 503, Retry_After="30"),
    "429": raw(b"", 429),
    "302": raw(b"", 302, Location="https://[x"),
    "307": raw(b"", 307, Location="https://evil.test/token"),
    "list": raw(b"[]"),
    "null": raw(b"null"),
    "number": raw(b"5"),
    "deep": raw(b"[" * 100_000),
    "deep object": raw(b'{"a":' * 900 + b"1" + b"}" * 900),
    "page": raw(b"\x1b]0;owned\x07<html>blocked: client_secret=marked-Secret-1</html>"),
    "no body": raw(b""),
    "id_token": document({**TOKEN, "id_token": "x"}),
    "scope 5": document({**TOKEN, "scope": 5}),
    "expires Infinity": raw(b'{"access_token":"a","expires_in":Infinity}'),
    "expires text": document({**TOKEN, "expires_in": "soon"}),
    "refresh 5": document({**TOKEN, "refresh_in": []}),
    "client_info": document({**TOKEN, "client_info": "\u00e9"}),
    "error list": document({"error": ["invalid_grant"]}, 400),
    "refused": document({"error": "invalid_client", "error_codes": [7000215]}, 401),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_whatever_the_token_endpoint_answers_is_told_as_it_came(answer: Response, capfd: pytest.CaptureFixture[str]) -> None:
    """Status and body are the authority's own, the secret went out once, and nothing is raised, repeated or written anywhere."""
    server = TokenServer(token=answer)
    seen = await seen_at(server)
    assert (seen.status, seen.answer, seen.proofs, seen.trouble) == (answer.status, answer.body, 1, "")
    assert seen.retry_after == dict(answer.headers).get("Retry-After")
    assert len(server.posts) == 1
    assert capfd.readouterr() == ("", "")


CONFIGURATIONS: dict[str, tuple[Response, str]] = {
    "object": (raw(b"{}"), "malformed"),
    "list": (raw(b"[]"), "malformed"),
    "null": (raw(b"null"), "malformed"),
    "deep": (raw(b"[" * 100_000), "malformed"),
    "token_endpoint 5": (document({"issuer": "x", "token_endpoint": 5, "authorization_endpoint": "y"}), "malformed"),
    "token_endpoint list": (document({"issuer": "x", "token_endpoint": [], "authorization_endpoint": "y"}), "malformed"),
    "token_endpoint relative": (document({"issuer": "x", "token_endpoint": "/t", "authorization_endpoint": "y"}), "malformed"),
    "token_endpoint elsewhere": (
        document({"issuer": "x", "token_endpoint": "https://evil.test/t/t", "authorization_endpoint": "y"}),
        "elsewhere",
    ),
    "token_endpoint at another port": (document({"token_endpoint": "https://localhost:1/t/t", "authorization_endpoint": "y"}), "elsewhere"),
    "token_endpoint in clear": (document({"token_endpoint": "http://localhost/t/t", "authorization_endpoint": "y"}), "malformed"),
    "error": (document({"error": "temporarily_unavailable"}), "malformed"),
    "500": (raw(b"oops", 500), ""),
    "503": (raw(b"oops", 503, Retry_After="7"), ""),
    "302": (raw(b"", 302, Location="https://[x"), ""),
    "404": (raw(b"", 404), ""),
}


@pytest.mark.parametrize(("configuration", "trouble"), CONFIGURATIONS.values(), ids=CONFIGURATIONS)
async def test_no_secret_follows_a_configuration_that_is_none(
    configuration: Response, trouble: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A configuration that cannot be read, that leads to another origin or was not given, ends it before the secret is sent."""
    server = TokenServer(configuration=configuration)
    seen = await seen_at(server)
    assert (seen.status, seen.trouble, seen.proofs) == (configuration.status, trouble, 0)
    assert not server.posts
    assert capfd.readouterr() == ("", "")


class Unanswering(TokenServer):
    """An authority that gives its configuration, and then no answer: it hangs up on the secret, or is silent."""

    def __init__(self, *, hangs_up: bool) -> None:
        super().__init__()
        self.hangs_up = hangs_up
        self.proofs = 0

    def converse(self) -> Conversation:
        return _Unanswering(self)


class _Unanswering(_WebConversation):
    def __init__(self, server: Unanswering) -> None:
        super().__init__(server)
        self._unanswering = server

    def received(self, data: bytes) -> None:
        if not data.startswith(b"POST"):
            super().received(data)
            return
        self._unanswering.proofs += 1
        if self._unanswering.hangs_up:
            self.close()


@pytest.mark.parametrize(("hangs_up", "seconds", "trouble"), [(True, 10.0, "closed"), (False, 1.0, "timed-out")])
async def test_a_secret_without_an_answer_went_out_once(hangs_up: bool, seconds: float, trouble: str) -> None:
    """Nothing is sent again where the authority hangs up or is silent, and that a proof left is told."""
    server = Unanswering(hangs_up=hangs_up)
    seen = await seen_at(server, seconds=seconds)
    assert (seen.trouble, seen.status, seen.proofs, server.proofs) == (trouble, None, 1, 1)


async def test_an_answer_without_end_is_none() -> None:
    """What is longer than any answer of an authority is not read to its end."""
    seen = await seen_at(TokenServer(token=raw(b" " * (MAX_BODY_BYTES + 1))))
    assert (seen.trouble, seen.answer, seen.proofs) == ("malformed", b"", 1)


@pytest.mark.parametrize(("trusted", "trouble"), [("self-signed", "untrusted"), ("wrong-name", "untrusted"), ("expired", "untrusted")])
async def test_an_untrusted_authority_is_sent_nothing(trusted: str, trouble: str) -> None:
    """The certificate must be for the name, valid and of a trusted issuer."""
    server = TokenServer(trusted=trusted)
    seen = await seen_at(server)
    assert (seen.trouble, seen.status, seen.requests, seen.proofs) == (trouble, None, 0, 0)
    assert not server.requests


async def test_the_system_s_own_anchors_can_be_played_by_a_file() -> None:
    """A file in place of the system's anchors vouches where no other file does."""
    server = TokenServer()
    seen = await seen_at(server, ca_file=None, system_anchors=str(authority().ca_file))
    assert seen.status == 200
    again = TokenServer()
    assert (await seen_at(again, ca_file=None)).trouble == "untrusted"


async def test_a_host_that_takes_no_connection_got_nothing() -> None:
    """A refused connection is told as closed, and no proof left."""
    seen = await asyncio.to_thread(fetch_token, request_at(closed_port()))
    assert (seen.trouble, seen.requests, seen.proofs) == ("closed", 0, 0)


@pytest.mark.parametrize(
    "broken", [lambda pem: "no pem", lambda pem: pem.partition("-----BEGIN PRIVATE")[0], lambda pem: pem.replace(pem[-200:-150], "A" * 50)]
)
async def test_a_certificate_that_is_none_is_our_own_matter(broken: Callable[[str], str]) -> None:
    """Without a readable certificate and its own key nobody is asked."""
    pem, _ = self_signed_client()
    server = TokenServer()
    seen = await seen_at(server, secret=None, certificate=broken(pem))
    assert (seen.trouble, seen.proofs) == ("certificate", 0)
    assert not server.requests


async def test_the_environment_names_no_other_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a region nor a proxy out of the environment is asked in place of the authority."""
    monkeypatch.setenv("MSAL_FORCE_REGION", "westus")
    monkeypatch.setenv("REGION_NAME", "westus")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    seen = await seen_at(TokenServer())
    assert (seen.status, seen.proofs) == (200, 1)
