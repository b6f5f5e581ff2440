"""Signing in to EWS once."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import logging
import os
import pickle
import random
import select
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
import requests

from probe.net.ews_protocol import FolderOnce
from probe.net.ews_record import MAX_BODY_BYTES, HttpExchangeRecord, SecondRequestBlocked
from probe.net.ews_requests import EwsRequest, EwsResult, MessageRemoval
from probe.net.ews_session import find_directions, find_folders, take_message
from probe.net.killable import Children
from probe.simulation.autodiscover import by_pox
from probe.wire.autodiscover import POX_PATH, SOAP_PATH, pox_request
from tests.net.ews_stub import (
    FOUND,
    MAILBOX,
    PASSWORD,
    TOKEN,
    USERNAME,
    EwsStub,
    Reply,
    counted,
    fault,
    find_folder,
    refused,
    run_ews_stub,
    soap,
)
from tests.servers.certificates import ServerCertificate

REQUEST = ("POST", "/EWS/Exchange.asmx")
EWS_URL = "https://mail.contoso.test/EWS/Exchange.asmx"


@pytest.fixture
def ews(server_certificate: ServerCertificate, tmp_path: Path) -> Iterator[EwsStub]:
    """An EWS endpoint that knows one user, by NTLM and by Basic."""
    with run_ews_stub(server_certificate, tmp_path) as stub:
        yield stub


def request_for(ews: EwsStub, authentication: Literal["ntlm", "basic", "negotiate", "bearer"] = "ntlm", **changes: Any) -> EwsRequest:
    """A request to look into the inbox, with the right password."""
    ews.challenges = {"ntlm": ("Negotiate", "NTLM"), "basic": ('Basic realm="mail"',), "negotiate": ("Negotiate",), "bearer": ("Bearer",)}[
        authentication
    ]
    request = EwsRequest(
        url=ews.url,
        address="127.0.0.1",
        username=USERNAME,
        password=PASSWORD,
        authentication=authentication,
        mailbox=MAILBOX,
        impersonate=False,
        ca_file=ews.ca_file,
        seconds=10.0,
    )
    return replace(request, **changes)


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/EWS/Exchänge.asmx", "/EWS/Exch%C3%A4nge.asmx"),
        ("/a/../EWS/Exchange.asmx", "/EWS/Exchange.asmx"),
        ("/EWS/{a}|b.asmx", "/EWS/%7Ba%7D%7Cb.asmx"),
        ("/EWS/%7e.asmx", "/EWS/~.asmx"),
    ],
)
def test_a_path_that_is_written_otherwise_on_the_wire_is_asked_for(ews: EwsStub, path: str, sent: str) -> None:
    """Whatever path an estate names, the one request goes there, as HTTP writes it."""
    ews.wanted_path = sent
    seen = find_folders(request_for(ews, url=f"https://localhost:{ews.port}{path}"))
    assert (seen.folder, seen.logons, ews.logons) == ("found", 1, 1)


@pytest.mark.parametrize("work", [find_folders, find_directions])
def test_no_variable_weakens_ntlm(ews: EwsStub, monkeypatch: pytest.MonkeyPatch, work: Callable[[EwsRequest], object]) -> None:
    """LM_COMPAT_LEVEL, which pyspnego obeys, would bring NTLMv1, whose response has 24 bytes."""
    monkeypatch.setenv("LM_COMPAT_LEVEL", "0")
    work(request_for(ews))
    proofs = [base64.b64decode(headers["Authorization"].partition(" ")[2]) for headers, _ in ews.requests if "Authorization" in headers]
    assert [int.from_bytes(proof[20:22], "little") > 24 for proof in proofs if proof[8] == 3] == [True]


@pytest.mark.parametrize(
    ("mailbox", "hint"), [("anna@müller.test", "anna@xn--mller-kva.test"), ("анна@contoso.test", None), (MAILBOX, MAILBOX)]
)
@pytest.mark.parametrize("authentication", ["ntlm", "basic"])
def test_the_hint_for_routing_is_left_out_where_no_header_carries_it(
    ews: EwsStub, authentication: Literal["ntlm", "basic"], mailbox: str, hint: str | None
) -> None:
    """The mailbox is named in the request itself, in UTF-8; the header beside it holds ASCII or is not there."""
    seen = find_folders(request_for(ews, authentication, mailbox=mailbox, impersonate=True))
    assert (seen.folder, ews.logons) == ("found", 1)
    headers, body = ews.requests[-1]
    assert headers.get("X-AnchorMailbox") == hint
    assert body.decode().count(mailbox) == 2


@pytest.mark.parametrize("authentication", ["ntlm", "negotiate", "basic"])
def test_the_inbox_is_found(ews: EwsStub, authentication: Literal["ntlm", "basic", "negotiate"]) -> None:
    """With the right password the inbox is found by one logon, and the server's version is read."""
    seen = find_folders(request_for(ews, authentication))
    statuses = (200,) if authentication == "basic" else (401, 401, 200)
    assert (seen.folder, seen.version, seen.error, seen.status) == ("found", "15.1.2507.57", "", 200)
    assert seen.exchanges == tuple((*REQUEST, status) for status in statuses)
    assert (seen.logons, ews.logons) == (1, 1)


def test_what_is_asked(ews: EwsStub) -> None:
    """The request is a shallow FindFolder on the inbox in the schema of Exchange 2010 SP2, anchored to the mailbox."""
    find_folders(request_for(ews))
    headers, body = ews.requests[-1]
    assert headers["X-AnchorMailbox"] == MAILBOX
    assert headers["Host"] == f"localhost:{ews.port}"
    assert headers["User-Agent"].startswith("probe/")
    assert b'Traversal="Shallow"' in body
    assert b'DistinguishedFolderId Id="inbox"' in body
    assert b'Version="Exchange2010_SP2"' in body
    assert b"ExchangeImpersonation" not in body


def test_impersonation_is_by_smtp_address(ews: EwsStub) -> None:
    """An account that impersonates names the mailbox by its SMTP address."""
    find_folders(request_for(ews, impersonate=True))
    assert f"<t:ConnectingSID><t:SmtpAddress>{MAILBOX}</t:SmtpAddress></t:ConnectingSID>".encode() in ews.requests[-1][1]


def test_an_empty_inbox_is_found(ews: EwsStub) -> None:
    """An inbox without folders in it is found all the same."""
    ews.answer = Reply(200, find_folder(in_view=0))
    assert find_folders(request_for(ews)).folder == "found"


def test_no_second_page_is_asked_for(ews: EwsStub) -> None:
    """A server that claims to have more is not asked for it."""
    ews.answer = Reply(200, find_folder(in_view=5, is_last=False))
    seen = find_folders(request_for(ews, "basic"))
    assert (seen.folder, len(ews.requests)) == ("found", 1)


@pytest.mark.parametrize(
    "refusal",
    [
        Reply(401),
        Reply(401, headers=(("WWW-Authenticate", "NTLM"), ("WWW-Authenticate", 'Basic realm="mail"'))),
        Reply(401, headers=(("Connection", "close"),)),
        Reply(401, headers=(("Connection", "close"), ("Retry-After", "1"), ("WWW-Authenticate", "NTLM"))),
        Reply(403),
        Reply(456, headers=(("X-AutoDiscovery-Error", "LiveIdBasicAuth:AppPasswordRequired"),)),
        Reply(500),
        Reply(500, b"Server Error in '/EWS' Application"),
        Reply(503),
        Reply(503, headers=(("Connection", "close"), ("Retry-After", "1"))),
        Reply(302, headers=(("Location", "/ews/genericerrorpage.htm?aspxerrorpath=/ews/exchange.asmx"),)),
        Reply(500, fault("ErrorServerBusy")),
        Reply(500, fault("ErrorInvalidServerVersion")),
        Reply(200, refused("ErrorInvalidRequest")),
        Reply(200, refused("ErrorInternalServerTransientError")),
        Reply(200, closes=True),
    ],
)
@pytest.mark.parametrize("authentication", ["ntlm", "basic"])
def test_a_refused_password_is_sent_once(ews: EwsStub, refusal: Reply, authentication: Literal["ntlm", "basic"]) -> None:
    """However a server refuses a logon, it counts exactly one, and no request after it that would be another."""
    ews.refusal = refusal
    seen = find_folders(request_for(ews, authentication, password="wrong-S3cret!"))
    assert (seen.logons, ews.logons) == (1, 1)
    assert seen.status == (None if refusal.closes else refusal.status)
    # A schema that is refused is asked about again where the connection might be signed in, and by nobody.
    asks_again = authentication == "ntlm" and b"ErrorInvalidServerVersion" in refusal.body
    assert len(ews.requests) == len(seen.exchanges) == (3 + asks_again if authentication == "ntlm" else 1)


def test_a_server_that_hangs_up_while_challenging_gets_one_logon(ews: EwsStub) -> None:
    """NTLM over connections that are closed again and again comes to one logon at most."""
    ews.challenge = Reply(401, headers=(("WWW-Authenticate", "NTLM"), ("Connection", "close")))
    seen = find_folders(request_for(ews))
    assert (seen.folder, seen.error, seen.logons, ews.logons) == (None, "no-challenge", 0, 0)


def test_a_challenge_that_fails_with_503_is_told_by_its_status(ews: EwsStub) -> None:
    """An error in the middle of NTLM is told by its status, and nobody has signed in."""
    ews.challenge = Reply(503)
    seen = find_folders(request_for(ews))
    assert (seen.status, seen.logons) == (503, 0)


def test_a_policy_block_keeps_its_reason(ews: EwsStub) -> None:
    """The header by which Exchange Online says that EWS is closed is kept; headers that are not on the list are not."""
    ews.answer = Reply(
        403, headers=(("X-EWS-Policy-Reason", "EWS is disabled for this user or tenant"), ("Set-Cookie", "a=b"), ("X-Other", "c"))
    )
    seen = find_folders(request_for(ews))
    assert (seen.status, seen.folder) == (403, None)
    assert seen.header("x-ews-policy-reason") == "EWS is disabled for this user or tenant"
    assert {name for name, _ in seen.headers} == {"Date", "Server", "X-EWS-Policy-Reason"}


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("code", ["ErrorNonExistentMailbox", "ErrorImpersonateUserDenied", "ErrorAccessDenied", "ErrorFolderNotFound"])
def test_a_response_code_is_told(ews: EwsStub, code: str, status: int) -> None:
    """Exchange's own code is told, whether it comes in an answer or as a fault, and the version with it."""
    ews.answer = Reply(status, refused(code) if status == 200 else fault(code))
    seen = find_folders(request_for(ews))
    assert (seen.folder, seen.version, seen.error) == (code, "15.1.2507.57", "")


@pytest.mark.parametrize("code", ["ErrorInvalidServerVersion", "ErrorInvalidSchemaVersionForMailboxVersion", "ErrorTooManyObjectsOpened"])
def test_a_code_that_the_library_replaces_is_told_as_sent(ews: EwsStub, code: str) -> None:
    """A code that exchangelib would turn into another one is told as the server sent it."""
    ews.answer = Reply(500, fault(code))
    assert find_folders(request_for(ews)).folder == code


@pytest.mark.parametrize("body", [refused("ErrorOfTheYear2031"), fault("ErrorOfTheYear"), refused("ErrorOfTheYear")])
def test_a_code_that_the_library_does_not_know_is_told_as_sent(ews: EwsStub, body: bytes) -> None:
    """A code that is newer than exchangelib is told if it looks like one, and else nothing is."""
    ews.answer = Reply(200, body)
    assert find_folders(request_for(ews)).folder == (None if b"2031" in body else "ErrorOfTheYear")


def test_how_long_a_busy_server_wants_to_be_left_alone(ews: EwsStub) -> None:
    """A busy server's hint is told in seconds."""
    hint = (
        '<t:MessageXml xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><t:Value Name="BackOffMilliseconds">4500'
        "</t:Value></t:MessageXml>"
    )
    ews.answer = Reply(500, fault("ErrorServerBusy", hint))
    seen = find_folders(request_for(ews))
    assert (seen.folder, seen.back_off_seconds) == ("ErrorServerBusy", 4.5)


def test_a_code_that_the_library_returns_rather_than_raises_is_told(ews: EwsStub) -> None:
    """A code that exchangelib hands on without raising it is told like any other."""
    ews.answer = Reply(200, refused("ErrorItemNotFound"))
    assert find_folders(request_for(ews)).folder == "ErrorItemNotFound"


def test_an_inner_code_counts(ews: EwsStub) -> None:
    """Throttling that is wrapped in an internal error is told as throttling."""
    inner = '<m:MessageXml><t:Value Name="InnerErrorResponseCode">ErrorServerBusy</t:Value></m:MessageXml>'
    ews.answer = Reply(200, refused("ErrorInternalServerError", inner))
    assert find_folders(request_for(ews)).folder == "ErrorServerBusy"


def test_a_lock_that_is_put_in_words_is_told(ews: EwsStub) -> None:
    """A server that says in words that the account is locked is understood."""
    ews.refusal = Reply(401, b"<html>The referenced account is currently locked out and may not be logged on to.</html>")
    assert find_folders(request_for(ews, password="wrong")).error == "locked"


@pytest.mark.parametrize("body", [b"", b"<html>hello</html>", b"<a>", soap("<m:Other/>"), soap("<m:FindFolderResponse/>"), b'{"a": 1}'])
def test_what_is_not_ews_is_malformed(ews: EwsStub, body: bytes) -> None:
    """An answer that is not what EWS says is told as malformed, never as found."""
    ews.answer = Reply(200, body)
    seen = find_folders(request_for(ews))
    assert (seen.folder, seen.error, seen.status) == (None, "malformed", 200)


def test_an_entity_bomb_is_malformed(ews: EwsStub) -> None:
    """XML that declares entities is not unfolded."""
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "' + b"a" * 1000 + b'"><!ENTITY b "' + b"&a;" * 1000 + b'">]>' + soap("&b;")[38:]
    ews.answer = Reply(200, bomb)
    assert find_folders(request_for(ews)).error == "malformed"


def test_an_endless_answer_is_cut_off(ews: EwsStub) -> None:
    """An answer without end is read up to a limit."""
    ews.answer = Reply(200, endless=True)
    seen = find_folders(request_for(ews))
    assert (seen.error, seen.status, seen.folder) == ("too-long", 200, None)


def test_a_packed_bomb_is_cut_off(ews: EwsStub) -> None:
    """The limit is on the unpacked answer."""
    import gzip

    ews.answer = Reply(200, gzip.compress(b" " * 50 * MAX_BODY_BYTES), headers=(("Content-Encoding", "gzip"),))
    assert find_folders(request_for(ews)).error == "too-long"


@pytest.mark.parametrize(
    "refusal", [Reply(401, drips=True), Reply(200, drips=True), Reply(401, drips=True, headers=(("Connection", "close"),))]
)
def test_a_dripping_body_keeps_its_status(ews: EwsStub, refusal: Reply) -> None:
    """A refusal whose body drips for ever is told as a refusal, in time."""
    ews.refusal = refusal
    seen = find_folders(request_for(ews, password="wrong", seconds=1.5))
    assert (seen.status, seen.logons, seen.error) == (refusal.status, 1, "timed-out")


def test_silence_times_out(ews: EwsStub) -> None:
    """A server that says nothing after the logon is told as one that timed out, with the logon counted."""
    ews.answer = Reply(200, silent=True)
    seen = find_folders(request_for(ews, "basic", seconds=0.5))
    assert (seen.error, seen.status, seen.logons, seen.exchanges) == ("timed-out", None, 1, ((*REQUEST, None),))


def test_a_cut_connection_is_closed(ews: EwsStub) -> None:
    """A server that hangs up is told as one that closed."""
    ews.answer = Reply(200, closes=True)
    assert find_folders(request_for(ews, "basic")).error == "closed"


def test_nobody_there(ews: EwsStub) -> None:
    """Where nothing listens any more, no logon is counted."""
    url = "https://localhost:1/EWS/Exchange.asmx"
    seen = find_folders(request_for(ews, "basic", url=url))
    assert (seen.error, seen.status) == ("closed", None)


def test_a_server_without_tls_gets_nothing(server_certificate: ServerCertificate, tmp_path: Path) -> None:
    """Where what answers does not speak TLS, no request is sent."""
    with run_ews_stub(server_certificate, tmp_path, speaks_tls=False) as plain:
        seen = find_folders(request_for(plain, "basic"))
        assert (seen.error, seen.status) == ("tls-failed", None)
        assert plain.requests == []


@pytest.mark.parametrize("authorization", ["Basic eDp5", "NTLM TlRMTVNTUAADAAAA", "Negotiate TlRMTVNTUAADAAAA", "NTLM ???", "Bearer x"])
def test_after_a_logon_no_request_is_let_through(ews: EwsStub, authorization: str) -> None:
    """Whatever the library may want after a request that carried a proof of the password, it is held back."""
    record = HttpExchangeRecord(request_for(ews))
    signed = requests.Request("POST", ews.url, headers={"Authorization": authorization}).prepare()
    record.asked(requests.Request("POST", ews.url).prepare())
    record.asked(signed)
    for more in (signed, requests.Request("POST", ews.url).prepare()):
        with pytest.raises(SecondRequestBlocked):
            record.asked(more)
    assert (record.logons, len(record.exchanges)) == (1, 2)


def test_a_library_that_goes_on_is_told(ews: EwsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the library ask again after the logon, that is told, and the server never hears of it."""

    def ask_twice(self: FolderOnce) -> None:
        ask(self)
        ask(self)

    ask = FolderOnce.ask
    monkeypatch.setattr(FolderOnce, "ask", ask_twice)
    seen = find_folders(request_for(ews, "basic"))
    assert (seen.error, seen.folder, ews.logons, len(ews.requests)) == ("second-request", None, 1, 1)


def test_an_untrusted_certificate_gets_nothing(ews: EwsStub) -> None:
    """Where the certificate's issuer is not trusted, no request is sent, with or without credentials."""
    seen = find_folders(request_for(ews, "basic", ca_file=None))
    assert (seen.error, seen.status, seen.folder) == ("untrusted", None, None)
    assert ews.requests == []


def test_a_certificate_for_another_name_gets_nothing(ews: EwsStub) -> None:
    """The certificate is checked for the name in the URL, whatever the address that is connected to."""
    seen = find_folders(request_for(ews, "basic", url=f"https://mail.contoso.test:{ews.port}/EWS/Exchange.asmx"))
    assert seen.error == "untrusted"
    assert ews.requests == []


def test_the_given_address_is_used(ews: EwsStub) -> None:
    """The connection goes to the given address and to no other that the name may have."""
    assert find_folders(request_for(ews, "basic", address="127.0.0.9")).error == "closed"
    assert ews.connections == 0


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("authentication", ["ntlm", "basic"])
def test_no_redirect_is_followed(
    ews: EwsStub, server_certificate: ServerCertificate, tmp_path: Path, status: int, authentication: Literal["ntlm", "basic"]
) -> None:
    """A redirect, to another host or within the same one, is told by its status and not followed."""
    with run_ews_stub(server_certificate, tmp_path) as other:
        ews.answer = Reply(status, headers=(("Location", other.url),))
        seen = find_folders(request_for(ews, authentication))
        assert (seen.status, seen.header("Location"), seen.folder) == (status, other.url, None)
        assert other.connections == 0
        ews.requests.clear()
        ews.anonymous = Reply(status, headers=(("Location", ews.url),))
        find_folders(request_for(ews, authentication))
        assert len(ews.requests) == 1


def test_the_environment_is_left_out(ews: EwsStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither proxies nor another trust or password out of the environment or .netrc are used."""
    (tmp_path / ".netrc").write_text("machine localhost login other password other\n")
    for name, value in {
        "HTTPS_PROXY": "http://127.0.0.1:1",
        "ALL_PROXY": "http://127.0.0.1:1",
        "HOME": str(tmp_path),
        "REQUESTS_CA_BUNDLE": "/nowhere",
        "CURL_CA_BUNDLE": "/nowhere",
    }.items():
        monkeypatch.setenv(name, value)
    assert find_folders(request_for(ews, "basic")).folder == "found"


@pytest.mark.parametrize(("username", "password"), [("", PASSWORD), (USERNAME, "")])
def test_an_empty_credential_is_never_tried(ews: EwsStub, username: str, password: str) -> None:
    """Without a user name or a password nothing is sent, since NTLM would then sign in as whoever runs the program."""
    with pytest.raises(ValueError, match="are needed"):
        find_folders(request_for(ews, username=username, password=password))
    assert ews.connections == 0


def test_a_password_goes_over_https_alone(ews: EwsStub) -> None:
    """A URL without TLS is refused before anything is sent."""
    with pytest.raises(ValueError, match="https alone"):
        find_folders(request_for(ews, url="http://localhost/EWS/Exchange.asmx"))


def test_what_cannot_be_sent_is_our_own_failure(ews: EwsStub) -> None:
    """A failure before the first request is no doing of the peer, and is raised."""
    with pytest.raises(UnicodeEncodeError):
        find_folders(request_for(ews, "basic", password="Пароль"))
    assert ews.requests == []


def test_no_secret_comes_back(ews: EwsStub, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """The password is in no result, no representation and no log, even where the server repeats it in every form."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("exchangelib").setLevel(logging.DEBUG)
    pair = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    for authentication in ("ntlm", "basic"):
        for reply in (Reply(200, b"<html>"), Reply(456, f"{PASSWORD} {pair}".encode()), Reply(200, closes=True)):
            ews.answer = replace(reply, headers=(("X-FEServer", PASSWORD), ("X-CasErrorCode", f"Basic {pair}"), ("Server", f"a {pair} b")))
            request = request_for(ews, authentication)
            out = io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                seen = find_folders(request)
            said = repr(seen) + repr(request) + repr(pickle.dumps(seen)) + out.getvalue() + caplog.text + "".join(capfd.readouterr())
            assert PASSWORD not in said
            assert pair not in said


def test_a_header_is_bounded_and_printable(ews: EwsStub) -> None:
    """What a peer says in a header is shortened, and cannot steer a terminal."""
    ews.answer = Reply(403, headers=(("X-FEServer", "\x1b[31m" + "a" * 5000),))
    value = find_folders(request_for(ews)).header("X-FEServer")
    assert value is not None
    assert value.startswith("\\x1b[31m")
    assert len(value) == 500


async def test_all_that_happens_in_a_child(ews: EwsStub) -> None:
    """The request crosses over into a child, and what it saw comes back as it is."""
    async with Children() as children:
        request = request_for(ews)
        seen = await children.run(find_folders, request, seconds=30)
        assert isinstance(seen, EwsResult)
        here = find_folders(request)
        # Each has a time of its own.
        assert _without_date(seen) == replace(_without_date(here), exchanges=seen.exchanges)


async def test_a_dripping_head_ends_at_the_deadline(ews: EwsStub) -> None:
    """A server that sends one byte a second is left at the deadline, and no connection to it is kept."""
    ews.answer = Reply(200, drips_head=True)
    async with Children() as children:
        await children.run(find_folders, request_for(ews, address="127.0.0.9"), seconds=30)
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(TimeoutError):
            await children.run(find_folders, request_for(ews, "basic"), seconds=2.5)
        assert loop.time() - began < 8
    assert ews.logons == 1


def own_pid(_: None) -> int:
    return os.getpid()


@pytest.mark.parametrize("drip", [Reply(200, drips_head=True), Reply(200, drips=True), Reply(401, drips=True), Reply(200, silent=True)])
async def test_the_child_is_gone_when_a_server_drags_its_answer_out(ews: EwsStub, drip: Reply) -> None:
    """However slowly the answer to the signed-in request comes, the process that holds the password ends with the deadline."""
    ews.answer = drip
    async with Children(limit=1) as children:
        await children.run(find_folders, request_for(ews, address="127.0.0.9"), seconds=30)
        child = await children.run(own_pid, None, seconds=30)
        ended = os.pidfd_open(child)
        try:
            with pytest.raises(TimeoutError):
                # The request would have it last longer, so that it is the parent's deadline that ends it.
                await children.run(find_folders, request_for(ews, "basic", seconds=60.0), seconds=2.5)
            readable, _, _ = select.select([ended], [], [], 5)
            assert readable == [ended]
        finally:
            os.close(ended)
    assert ews.logons == 1


APPOINTMENTS = ("inbox", "calendar", "contacts", "tasks")


def asked_for(ews: EwsStub) -> list[str]:
    """The folders that requests with a body asked for, in order."""
    return [
        body.partition(b'DistinguishedFolderId Id="')[2].partition(b'"')[0].decode() for _, body in ews.requests if b"FindFolder" in body
    ]


@pytest.mark.parametrize(("authentication", "logons"), [("ntlm", 1), ("negotiate", 1), ("basic", 4)])
def test_more_folders_are_found_on_the_same_logon(ews: EwsStub, authentication: Literal["ntlm", "basic", "negotiate"], logons: int) -> None:
    """NTLM proves the password once for all folders; Basic, which has no other way, carries it with each request that follows a good one."""
    seen = find_folders(request_for(ews, authentication, folders=APPOINTMENTS))
    assert (seen.folder, seen.others) == ("found", tuple((name, "found") for name in APPOINTMENTS[1:]))
    assert (seen.logons, ews.logons) == (logons, logons)
    assert asked_for(ews)[-4:] == list(APPOINTMENTS)
    assert ews.connections == 1


def test_a_folder_that_is_refused_is_told_and_the_next_is_asked_for(ews: EwsStub) -> None:
    """Exchange's answer to one folder says nothing of the next."""
    ews.later = Reply(200, refused("ErrorFolderNotFound"))
    seen = find_folders(request_for(ews, folders=APPOINTMENTS))
    assert (seen.folder, seen.status, seen.error) == ("found", 200, "")
    assert seen.others == tuple((name, "ErrorFolderNotFound") for name in APPOINTMENTS[1:])


@pytest.mark.parametrize("later", [Reply(403), Reply(503), Reply(200, b"no XML"), Reply(200, closes=True)])
def test_what_goes_wrong_later_does_not_take_back_the_inbox(ews: EwsStub, later: Reply) -> None:
    """After an answer that is not of EWS no other folder is asked for, and what the inbox showed stays."""
    ews.later = later
    seen = find_folders(request_for(ews, folders=APPOINTMENTS))
    assert (seen.folder, seen.status, seen.version, seen.error, seen.others) == ("found", 200, "15.1.2507.57", "", ())
    assert seen.logons == 1


def test_a_password_that_is_refused_between_folders_is_not_tried_again(ews: EwsStub) -> None:
    """A server that wants the password proved again, and then refuses it, hears it no third time."""
    ews.keeps_signed_in = False
    ews.refusal = Reply(401)
    request = request_for(ews, folders=APPOINTMENTS)
    seen = find_folders(request)
    assert seen.others == tuple((name, "found") for name in APPOINTMENTS[1:])
    assert ews.logons == 4
    wrong = find_folders(replace(request, password="wrong-S3cret!"))
    assert (wrong.folder, wrong.logons, ews.logons) == (None, 1, 5)


SINCE = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(("authentication", "logons"), [("ntlm", 1), ("basic", 2), ("negotiate", 1), ("bearer", 2)])
def test_newer_messages_are_counted_on_the_same_logon(
    ews: EwsStub, authentication: Literal["ntlm", "basic", "negotiate", "bearer"], logons: int
) -> None:
    """One more request, by which nobody signs in anew; its number is told, and the inbox is as it was found."""
    ews.later = Reply(200, counted(14312))
    secret = TOKEN if authentication == "bearer" else PASSWORD
    seen = find_folders(request_for(ews, authentication, newer_than=SINCE, password=secret))
    assert (seen.folder, seen.newer, seen.version) == ("found", 14312, "15.1.2507.57")
    assert (seen.logons, ews.connections) == (logons, 1)
    assert b"2026-11-01T00:00:00Z" in ews.requests[-1][1]


@pytest.mark.parametrize(
    ("later", "newer"),
    [
        (Reply(200, refused("ErrorServerBusy")), "ErrorServerBusy"),
        (Reply(500, fault("ErrorSchemaValidation")), "ErrorSchemaValidation"),
        (Reply(403), None),
        (Reply(200, b"no XML"), None),
        (Reply(200, closes=True), None),
    ],
)
def test_what_is_not_counted_takes_nothing_back(ews: EwsStub, later: Reply, newer: str | None) -> None:
    """A response code is told in place of the number, and of everything else nothing is made."""
    ews.later = later
    seen = find_folders(request_for(ews, newer_than=SINCE))
    assert (seen.folder, seen.status, seen.error, seen.newer) == ("found", 200, "", newer)


def test_no_password_is_proved_for_a_number(ews: EwsStub) -> None:
    """A server that wants the password proved with each request counts nothing."""
    ews.keeps_signed_in = False
    seen = find_folders(request_for(ews, newer_than=SINCE))
    assert (seen.folder, seen.newer, seen.logons, ews.logons) == ("found", None, 1, 1)


def test_nothing_is_counted_where_the_inbox_is_refused(ews: EwsStub) -> None:
    """Nor where nobody asks."""
    assert find_folders(request_for(ews)).newer is None
    ews.answer = Reply(200, refused("ErrorAccessDenied"))
    before = len(ews.requests)
    seen = find_folders(request_for(ews, newer_than=SINCE))
    assert seen.newer is None
    assert not any(b"FindItem" in body for _, body in ews.requests[before:])


def test_other_folders_wait_for_the_inbox(ews: EwsStub) -> None:
    """Where the inbox is refused no other folder is asked for."""
    ews.answer = Reply(200, refused("ErrorAccessDenied"))
    seen = find_folders(request_for(ews, folders=APPOINTMENTS))
    assert (seen.folder, seen.others, len(set(asked_for(ews)))) == ("ErrorAccessDenied", (), 1)


@pytest.mark.parametrize(
    "code",
    ["ErrorSchemaValidation", "ErrorInvalidServerVersion", "ErrorIncorrectSchemaVersion", "ErrorInvalidSchemaVersionForMailboxVersion"],
)
def test_a_server_that_is_older_than_the_schema_is_asked_in_an_older_one(ews: EwsStub, code: str) -> None:
    """Exchange 2007 lets the account in and refuses the schema; it is asked again on the same logon, and all that follows in its own schema."""
    ews.answer = Reply(500, fault(code))
    ews.later = FOUND
    seen = find_folders(request_for(ews, impersonate=True, folders=APPOINTMENTS))
    assert (seen.folder, seen.others) == ("found", tuple((name, "found") for name in APPOINTMENTS[1:]))
    assert (seen.logons, ews.logons, ews.connections) == (1, 1, 1)
    assert asked_for(ews)[-5:] == ["inbox", *APPOINTMENTS]
    for _, body in ews.requests[-4:]:
        assert b'Version="Exchange2007_SP1"' in body
        assert f"<t:ConnectingSID><t:PrimarySmtpAddress>{MAILBOX}</t:PrimarySmtpAddress></t:ConnectingSID>".encode() in body


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (fault("ErrorSchemaValidation", "<Invalid>types:ExchangeVersionType</Invalid>"), 2),
        (fault("ErrorSchemaValidation").replace(b'MajorVersion="15"', b'MajorVersion="8"'), 2),
        (fault("ErrorInvalidServerVersion"), 1),
    ],
    ids=["named by its validator", "by its version", "not told"],
)
def test_basic_is_carried_again_to_an_older_server_alone(ews: EwsStub, body: bytes, asked: int) -> None:
    """Each request by Basic carries the password, so the second is sent only where the first answer is that of an older server."""
    ews.answer = Reply(500, body)
    seen = find_folders(request_for(ews, "basic"))
    assert (seen.logons, ews.logons) == (asked, asked)
    assert (seen.folder or "").startswith("Error")


def test_on_windows_2003_the_schema_of_2007_is_asked_in_at_once(ews: EwsStub) -> None:
    """Where nothing newer can answer, its own schema is the first and only one."""
    find_folders(request_for(ews, is_exchange_2007=True))
    assert b'Version="Exchange2007_SP1"' in ews.requests[-1][1]


@pytest.mark.parametrize("later", [Reply(401), Reply(200, closes=True)])
def test_an_older_schema_that_comes_to_nothing_leaves_the_first_answer(ews: EwsStub, later: Reply) -> None:
    """That the account was let in is known from the first answer, whatever becomes of the second; nobody signs in again."""
    ews.answer = Reply(500, fault("ErrorSchemaValidation"))
    ews.later = later
    seen = find_folders(request_for(ews))
    assert (seen.folder, seen.status, seen.version) == ("ErrorSchemaValidation", 500, "15.1.2507.57")
    assert ews.logons == 1


def test_a_token_signs_in_by_itself(ews: EwsStub) -> None:
    """A token goes with each request in its header, without a user name, and a refused one is not sent again."""
    ews.challenges = ("Bearer",)
    seen = find_folders(request_for(ews, authentication="bearer", username="", password="marked-T0ken"))
    assert ews.requests[-1][0]["Authorization"] == "Bearer marked-T0ken"
    assert (seen.status, seen.logons, len(ews.requests)) == (401, 1, 1)
    assert "marked-T0ken" not in repr(seen)


GARBAGE = {
    "location that is no URL": Reply(302, headers=(("Location", "https://[x"),)),
    "location in bytes": Reply(302, headers=(("Location", "https://\xff\xfe/"),)),
    "token of Negotiate": Reply(401, headers=(("WWW-Authenticate", "Negotiate " + base64.b64encode(b"x" * 50).decode()),)),
    "NTLM without base64": Reply(401, headers=(("WWW-Authenticate", "NTLM %%%"),)),
    "short NTLM": Reply(401, headers=(("WWW-Authenticate", "NTLM " + base64.b64encode(b"NTLMSSP\0\2\0\0\0").decode()),)),
    "asks as a proxy": Reply(407, headers=(("Proxy-Authenticate", "NTLM"),)),
    "unknown encoding": Reply(200, b'<?xml version="1.0" encoding="utf-99"?><a/>'),
    "no text encoding": Reply(200, b'<?xml version="1.0" encoding="rot13"?><a/>'),
    "unknown charset": Reply(200, b"<a/>", headers=(("Content-Type", "text/xml; charset=utf-99"),)),
    "broken gzip": Reply(200, b"\x1f\x8b\x08nothing", headers=(("Content-Encoding", "gzip"),)),
    "huge status": Reply(999, b"<a/>"),
    "cookie of garbage": Reply(200, b"<a/>", headers=(("Set-Cookie", "\xff=;;;expires=x"),)),
}
"""Answers over which libraries raise something of their own."""


def random_reply(seed: int) -> Reply:
    """An answer of random bytes in a header, in a challenge or in the body."""
    chance = random.Random(seed)
    noise = bytes(chance.choice([*range(32, 256)]) for _ in range(chance.randrange(1, 60)))
    name = chance.choice(["Location", "WWW-Authenticate", "Content-Type", "Content-Encoding", "Set-Cookie", "Retry-After", "Connection"])
    prefix = chance.choice(["", "NTLM ", "Negotiate ", "https://", "text/xml; charset=", "a="])
    challenge = f"NTLM {base64.b64encode(b'NTLMSSP' + bytes([0, 2, 0, 0, 0]) + noise).decode()}"
    value = chance.choice([prefix + noise.decode("latin-1"), challenge])
    declared = b'<?xml version="1.0" encoding="' + noise[:9] + b'"?><a/>'
    body = chance.choice([b"", noise, soap("").replace(b"utf-8", noise[:5]), declared])
    return Reply(chance.choice([200, 200, 302, 401, 407, 500, 503, 999]), body, headers=((name, value),))


ODD = [*GARBAGE.values(), *map(random_reply, range(12))]


@pytest.mark.parametrize("reply", ODD, ids=[*GARBAGE, *map(str, range(12))])
def test_no_answer_is_a_bug_and_none_gets_a_second_proof(ews: EwsStub, reply: Reply) -> None:
    """Whatever comes after the logon, at whichever request, is told in words, keeps what was learnt before it, and draws one proof at most."""
    ews.also_at = (SOAP_PATH, POX_PATH)
    ews.answer = reply
    assert find_folders(request_for(ews)).logons == ews.logons == 1
    assert take_message(MessageRemoval(request=request_for(ews), subject="s")).state in ("refused", "broken")
    assert ews.logons == 2
    directed = find_directions(request_for(ews))
    assert (directed.directions, directed.logons, ews.logons) == (None, 1, 3)
    ews.answer, ews.later = FOUND, reply
    seen = find_folders(request_for(ews, folders=("inbox", "calendar")))
    assert (seen.folder, seen.version) == ("found", "15.1.2507.57")
    for anonymous in (True, False):
        ews.anonymous, ews.challenge = (reply, None) if anonymous else (None, reply)
        before = ews.logons
        find_folders(request_for(ews))
        take_message(MessageRemoval(request=request_for(ews), subject="s"))
        find_directions(request_for(ews))
        assert ews.logons - before <= 3


@pytest.mark.parametrize("authentication", ["ntlm", "basic"])
def test_autodiscover_is_asked_by_one_logon(ews: EwsStub, authentication: Literal["ntlm", "basic"]) -> None:
    """The plain form follows a SOAP request that is not answered, unless it would need a second proof, as with Basic."""
    ews.also_at = (POX_PATH,)
    request = request_for(ews, authentication)
    ews.answer = Reply(200, by_pox(pox_request(MAILBOX), frozenset({MAILBOX}), {}, EWS_URL))
    directed = find_directions(request)
    assert directed.logons == ews.logons == 1
    assert (directed.directions is not None) is (authentication == "ntlm")
    assert [path for _, path, _ in directed.exchanges][-1] == f"/autodiscover/autodiscover.{'xml' if authentication == 'ntlm' else 'svc'}"


@pytest.mark.parametrize("authentication", ["ntlm", "basic"])
def test_autodiscover_that_refuses_is_asked_no_more(ews: EwsStub, authentication: Literal["ntlm", "basic"]) -> None:
    """After a refusal nothing more is sent, and the refusal is told."""
    directed = find_directions(request_for(ews, authentication, password="wrong-S3cret!"))
    assert (directed.directions, directed.status, directed.logons, ews.logons) == (None, 401, 1, 1)
    assert {path for _, path, _ in directed.exchanges} == {"/autodiscover/autodiscover.svc"}
    assert ews.requests[-1][0]["Authorization"]


def test_of_2007_the_plain_form_alone_is_asked(ews: EwsStub) -> None:
    """Autodiscover by SOAP came with Exchange 2010."""
    directed = find_directions(request_for(ews, "basic", is_exchange_2007=True))
    assert [path for _, path, _ in directed.exchanges] == ["/autodiscover/autodiscover.xml"]


def _without_date(seen: EwsResult) -> EwsResult:
    return replace(seen, headers=tuple((name, value) for name, value in seen.headers if name != "Date"))
