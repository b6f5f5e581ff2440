"""Tests of the anonymous EWS conversation, with answers as real servers give them."""

from __future__ import annotations

import gzip
import random

import pytest

from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.facts import Fact
from probe.model.kinds import Build, Challenge
from probe.model.provenance import Declared
from probe.probers.ews_anonymous import PROBER
from tests.looking import Looked, look
from tests.probers.scripted_http import (
    ACTIVESYNC,
    AUTODISCOVER,
    EXPORT_TOOL,
    FEDERATION,
    HANG_UP,
    MAPI,
    NOT_FOUND,
    OWA,
    POST,
    WITHOUT_TOKEN,
    answer,
    serving,
)

IIS_401 = ("Server: Microsoft-IIS/10.0", "WWW-Authenticate: Negotiate", "WWW-Authenticate: NTLM")
REFUSED = answer("401 Unauthorized", *IIS_401, "X-FEServer: MAIL01")
PLAIN_401 = answer("401 Unauthorized", *IIS_401)
OWA_2016 = '<!-- OwaPage = ASP.auth_logon_aspx -->\n<link rel="shortcut icon" href="/owa/auth/15.1.2507/themes/resources/favicon.ico">'
OWA_2010 = '<link type="text/css" href="/owa/14.3.169.1/themes/resources/logon.css"><title>Outlook Web App</title>'
OWA_2007 = '<link type="text/css" href="/owa/8.3.485.1/themes/base/logon.css">'

_TOKENS = [WITHOUT_TOKEN, ACTIVESYNC]
_BEARER = (
    'WWW-Authenticate: Bearer client_id="00000002-0000-0ff1-ce00-000000000000", '
    'trusted_issuers="00000001-0000-0000-c000-000000000000@0b5b4ad3-0000-4000-8000-000000000001", '
    'token_types="app_asserted_user_v1 service_asserted_app_v1", authorization_uri="https://login.windows.net/common/oauth2/authorize"'
)


def manifest(version: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><asmv1:assembly xmlns="urn:schemas-microsoft-com:asm.v2">'
        f'<assemblyIdentity name="microsoft.exchange.ediscovery.exporttool.application" version="{version}" language="neutral"/>'
        '<dependency><assemblyIdentity name="other" version="9.9.9.9"/></dependency></asmv1:assembly>'
    )


async def looked_at(answers: dict[str, bytes | None], timeout: float = 5.0) -> Looked:
    async with serving(answers) as peer:
        return await look(peer.url, timeout=timeout)


def build(text: str) -> Build:
    return Build.parse(text)


async def test_exchange_2016_is_read_from_all_places() -> None:
    """Status, schemes, headers, marks and the longest of the builds that agree come from five requests on one connection."""
    answers = {POST: REFUSED, OWA: answer("200 OK", body=OWA_2016), EXPORT_TOOL: answer("200 OK", body=manifest("15.1.2507.57"))}
    async with serving(answers) as peer:
        looked = await look(peer.url)
    assert (looked.attempt.outcome, looked.attempt.connections) == (Outcome.COMPLETED, 1)
    assert peer.asked == [POST, OWA, EXPORT_TOOL, *_TOKENS]
    assert looked.value(v.HTTP_STATUS) == 401
    assert looked.value(v.HTTP_SERVER) == "Microsoft-IIS/10.0"
    assert looked.value(v.PROTOCOL_SPOKEN) is True
    assert looked.value(v.AUTH_SCHEMES) == ("Negotiate", "NTLM")
    assert looked.value(v.EWS_CHALLENGES) == (Challenge("Negotiate"), Challenge("NTLM"))
    assert looked.value(v.EWS_HEADERS) == ("X-FEServer: MAIL01",)
    assert looked.value(v.EWS_MARKS) == ("header", "owa-page", "export-tool")
    assert looked.value(v.SERVER_BUILD) == build("15.1.2507.57")
    assert looked.why(v.EWS_POLICY_BLOCK) == looked.why(v.HTTP_REDIRECT) == "not-applicable"
    assert looked.value(v.TLS_MODE) == "implicit"
    assert looked.value(v.CERTIFICATE_TRUSTED) is True


async def test_no_request_carries_credentials_or_cookies() -> None:
    """Everything that is sent, anybody could send."""
    async with serving({POST: answer("401 Unauthorized", *IIS_401, "Set-Cookie: exchangecookie=1")}) as peer:
        await look(peer.url)
    for request in peer.requests:
        assert b"authorization:" not in request.lower().replace(b"\r\nauthorization: bearer\r\n", b"\r\n")
        assert b"cookie:" not in request.lower()
    assert b"<m:FindFolder" in peer.requests[0]


@pytest.mark.parametrize(
    ("answers", "expected", "marks"),
    [
        ({POST: answer("401 Unauthorized", *IIS_401, "X-OWA-Version: 15.2.2562.35")}, "15.2.2562.35", ("header",)),
        ({POST: answer("401 Unauthorized", *IIS_401, "x-owa-version: 15.2.1748.26")}, "15.2.1748.26", ("header",)),
        ({POST: PLAIN_401, OWA: answer("302 Found", "X-OWA-Version: 15.0.1497.48", "Location: /owa/")}, "15.0.1497.48", ("header",)),
        ({POST: PLAIN_401, OWA: answer("200 OK", body=OWA_2016)}, "15.1.2507", ("owa-page",)),
        ({POST: PLAIN_401, OWA: answer("200 OK", body=OWA_2010)}, "14.3.169.1", ("owa-page",)),
        ({POST: PLAIN_401, OWA: answer("400 Bad Request", body=OWA_2007)}, "8.3.485.1", ("owa-page",)),
        ({POST: PLAIN_401, EXPORT_TOOL: answer("200 OK", body=manifest("15.2.1748.36"))}, "15.2.1748.36", ("export-tool",)),
    ],
    ids=["SE", "2019 behind HTTP/2", "2013", "2016", "2010", "2007", "2019 without OWA"],
)
async def test_one_place_that_shows_the_build_is_enough(answers: dict[str, bytes | None], expected: str, marks: tuple[str, ...]) -> None:
    """A header in either case, the page whatever its status, or the manifest tells the build."""
    looked = await looked_at(answers)
    assert looked.value(v.SERVER_BUILD) == build(expected)
    assert looked.value(v.EWS_MARKS) == marks


@pytest.mark.parametrize("is_whole", [True, False], ids=["whole", "broken off"])
async def test_a_logon_page_that_came_compressed_shows_the_build(is_whole: bool) -> None:
    """Though it was asked for as it is; the words that show the build stand in the transcript, unpacked."""
    packed = gzip.compress(OWA_2016.encode() + random.Random(1).randbytes(3000))[: None if is_whole else 2000]
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    looked = await looked_at({POST: PLAIN_401, OWA: head.encode() + packed})
    assert looked.value(v.SERVER_BUILD) == build("15.1.2507")
    fact = looked.facts.read(v.SERVER_BUILD)
    assert isinstance(fact, Fact)
    assert isinstance(fact.provenance, Declared)
    assert "15.1.2507" in fact.provenance.evidence[0].excerpt


@pytest.mark.parametrize(
    "line", ["get-ban-to-cache-result/forum.php: userdata not support", "no colon", "bad name: x", "Content-Length: six", "\xe9\xe9: x"]
)
async def test_one_header_that_is_none_spoils_itself_alone(line: str) -> None:
    """Status, schemes, marks and the pages after it are read as without it, and it is told beside them."""
    looked = await looked_at({POST: answer("401 Unauthorized", *IIS_401, line, "X-FEServer: MAIL01"), OWA: answer("200 OK", body=OWA_2016)})
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert (looked.value(v.HTTP_STATUS), looked.value(v.AUTH_SCHEMES)) == (401, ("Negotiate", "NTLM"))
    assert looked.value(v.SERVER_BUILD) == build("15.1.2507")
    assert looked.value(v.EWS_MARKS) == ("header", "owa-page")
    assert any(text.speaker == "note" and f"'{line}'" in text.text for text in looked.attempt.transcript)


@pytest.mark.parametrize("said", ["", "hello", "15", "1.2.3.4.5", "15.1.-1.2", "9" * 400, "0.0.0.0"])
async def test_a_version_header_that_holds_no_build_is_no_build(said: str) -> None:
    """Blank and nonsense are passed over; only a blanked header still marks Exchange."""
    looked = await looked_at({POST: answer("401 Unauthorized", *IIS_401, f"X-OWA-Version: {said}")})
    assert looked.why(v.SERVER_BUILD) == "not-disclosed"
    assert looked.value(v.EWS_MARKS) == (() if said else ("header",))


async def test_builds_of_different_updates_conflict() -> None:
    """A header that says otherwise than the page leaves the build unknown."""
    post = answer("401 Unauthorized", *IIS_401, "X-OWA-Version: 15.2.1748.26")
    looked = await looked_at({POST: post, OWA: answer("200 OK", body=OWA_2016)})
    assert looked.why(v.SERVER_BUILD) == "conflicting"


async def test_parts_that_differ_in_the_fourth_number_show_three() -> None:
    """Components of one Exchange, or two servers behind one name, agree on the cumulative update alone."""
    post = answer("401 Unauthorized", *IIS_401, "X-OWA-Version: 15.1.2507.44")
    looked = await looked_at(
        {POST: post, OWA: answer("200 OK", body=OWA_2016), EXPORT_TOOL: answer("200 OK", body=manifest("15.1.2507.57"))}
    )
    assert looked.value(v.SERVER_BUILD) == build("15.1.2507")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (("15.2.1748.26", "15.2.1748.26"), "15.2.1748.26"),
        (("15.2.1748.26, 15.2.1748.26",), "15.2.1748.26"),
        (("15.2.1748.26", "15.2.1748.39"), "15.2.1748"),
        (("", "15.02.1748.039"), "15.2.1748.39"),
    ],
    ids=["twice", "in one line", "two front ends", "once blank"],
)
async def test_a_version_header_that_comes_twice_is_heard_twice(said: tuple[str, ...], expected: str) -> None:
    """Of two that agree one counts; of two that differ in the fourth number, what they share."""
    looked = await looked_at({POST: answer("401 Unauthorized", *IIS_401, *(f"X-OWA-Version: {version}" for version in said))})
    assert looked.value(v.SERVER_BUILD) == build(expected)
    assert looked.value(v.SERVER_PRODUCT) == "Exchange Server 2019"


async def test_one_answer_to_everything_is_no_exchange() -> None:
    """A trap that answers every request with a page and Exchange's headers lets everybody in to EWS, which no Exchange does."""
    trap = answer(
        "200 OK", "Server: Microsoft-IIS/10.0", "X-OWA-Version: 15.2.858.5", "X-FEServer: EXCH01", body="<title>Outlook Web App</title>"
    )
    looked = await looked_at(dict.fromkeys((POST, OWA, EXPORT_TOOL, ACTIVESYNC, AUTODISCOVER, MAPI), trap))
    assert looked.why(v.SERVER_PRODUCT) == "not-disclosed"


async def test_sharepoint_online_is_not_asked_as_exchange_online() -> None:
    """Front ends that both have in common do not make SharePoint an Exchange Online."""
    said = answer("404 Not Found", "X-NanoProxy: 1", "X-FEServer: SJ2PR07CA0016", "SPRequestGuid: 80a3a91e-311c-42c2-91f3-57749cb1b32c")
    async with serving(dict.fromkeys((POST, OWA, EXPORT_TOOL, ACTIVESYNC, AUTODISCOVER, MAPI), said)) as peer:
        looked = await look(peer.url)
    assert FEDERATION not in peer.asked
    assert looked.value(v.EWS_MARKS) == ()
    assert looked.value(v.SERVER_PRODUCT) == "SharePoint"


async def test_autodiscover_that_says_what_it_speaks_is_exchange_s() -> None:
    """A server whose pages and front end are hidden shows itself by the headers of its Autodiscover; which one it is, is not told."""
    said = answer("401 Unauthorized", *IIS_401, "X-SOAP-Enabled: True", "X-WSSecurity-Enabled: True", "X-WSSecurity-For: None")
    looked = await looked_at({POST: PLAIN_401, AUTODISCOVER: said})
    assert looked.value(v.EWS_MARKS) == ("header",)
    assert looked.value(v.SERVER_PRODUCT) == "Exchange"


@pytest.mark.parametrize(
    "page",
    [
        answer(
            "302 Moved Temporarily", "Location: https://mail.test/exchweb/bin/auth/owalogon.asp?url=https://mail.test/exchange/&reason=0"
        ),
        answer("200 OK", body='<FORM action="/exchweb/bin/auth/owaauth.dll" method="POST" name="logonForm">'),
    ],
    ids=["sent to its logon page", "the page itself"],
)
async def test_an_exchange_before_ews_shows_its_logon_page(page: bytes) -> None:
    """Where a Windows of 2003 knows no EWS, the old address of Outlook on the web is asked in place of the export tool."""
    missing = answer("404 Not Found", "Server: Microsoft-IIS/6.0")
    async with serving({POST: missing, "GET /exchange/": page}) as peer:
        looked = await look(peer.url)
    assert looked.value(v.SERVER_PRODUCT) == "Exchange"
    assert EXPORT_TOOL not in peer.asked
    assert len(peer.asked) == 7


async def test_activesync_tells_2003_from_what_has_the_same_logon_page() -> None:
    """2007 has that page at the old address too, so that 2003 is named only where ActiveSync bears its number."""
    missing = answer("404 Not Found", "Server: Microsoft-IIS/6.0")
    page = answer(
        "302 Moved Temporarily", "Location: https://mail.test/exchweb/bin/auth/owalogon.asp?url=https://mail.test/exchange/&reason=0"
    )
    looked = await looked_at(
        {POST: missing, "GET /exchange/": page, ACTIVESYNC: answer("401 Unauthorized", "MS-Server-ActiveSync: 6.5.7638.1")}
    )
    assert looked.value(v.SERVER_PRODUCT) == "Exchange Server 2003"
    assert str(looked.value(v.SERVER_END_OF_SUPPORT)) == "2014-04-08"


async def test_a_windows_of_2003_without_exchange_shows_none() -> None:
    """That it answers with the Windows that Exchange 2003 runs on tells nothing."""
    missing = answer("404 Not Found", "Server: Microsoft-IIS/6.0")
    async with serving({POST: missing, "GET /exchange/": missing}) as peer:
        looked = await look(peer.url)
    assert looked.value(v.EWS_MARKS) == ()
    assert looked.why(v.SERVER_PRODUCT) == "not-disclosed"


async def test_exchange_behind_nginx_keeps_exchange_s_headers() -> None:
    """The Server header is the proxy's, the marks are Exchange's."""
    post = answer("401 Unauthorized", "Server: nginx/1.22.1", 'WWW-Authenticate: Basic realm="mail.contoso.test"', "X-FEServer: EX01")
    looked = await looked_at({POST: post})
    assert looked.value(v.HTTP_SERVER) == "nginx/1.22.1"
    assert looked.value(v.AUTH_SCHEMES) == ("Basic",)
    assert looked.value(v.EWS_CHALLENGES) == (Challenge("Basic", None, (("realm", "mail.contoso.test"),)),)
    assert looked.value(v.EWS_MARKS) == ("header",)


async def test_exchange_online_shows_its_bearer_challenge_and_front_ends() -> None:
    """The challenge keeps its parameters, and both X-FEServer headers are shown."""
    post = answer(
        "401 Unauthorized",
        "Server: Microsoft-HTTPAPI/2.0",
        'WWW-Authenticate: Bearer client_id="00000002-0000-0ff1-ce00-000000000000", trusted_issuers="a@*, b@*", '
        'authorization_uri="https://login.windows.net/common/oauth2/authorize", Basic Realm=""',
        "x-feserver: FR3P281CA0105",
        "x-feserver: BE1P281CA0041",
        "X-NanoProxy: 1",
    )
    looked = await looked_at({POST: post})
    assert looked.value(v.AUTH_SCHEMES) == ("Bearer", "Basic")
    (bearer, _) = looked.value(v.EWS_CHALLENGES) or ()
    assert dict(bearer.parameters)["authorization_uri"] == "https://login.windows.net/common/oauth2/authorize"
    assert looked.value(v.EWS_HEADERS) == ("X-FEServer: FR3P281CA0105", "X-FEServer: BE1P281CA0041", "X-NanoProxy: 1")


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("EWS is disabled for this user or tenant", "disabled"),
        ("EWS is blocked by policy for this user or tenant", "blocked-by-policy"),
    ],
)
async def test_a_policy_block_is_told_from_its_header(reason: str, expected: str) -> None:
    """Both reasons of Exchange Online are read."""
    looked = await looked_at({POST: answer("403 Forbidden", f"X-EWS-Policy-Reason: {reason}")})
    assert looked.value(v.EWS_POLICY_BLOCK) == expected
    assert looked.value(v.HTTP_STATUS) == 403
    assert looked.value(v.EWS_MARKS) == ("header",)


@pytest.mark.parametrize("headers", [(), ("X-EWS-Policy-Reason: something new",)])
async def test_another_403_is_no_policy_block(headers: tuple[str, ...]) -> None:
    """Without a reason that is known, the cause of a 403 stays unknown, and so do the schemes."""
    looked = await looked_at({POST: answer("403 Forbidden", *headers)})
    assert looked.why(v.EWS_POLICY_BLOCK) == "not-disclosed"
    assert looked.why(v.AUTH_SCHEMES) == "not-disclosed"


async def test_a_redirect_is_shown_and_not_followed() -> None:
    """Where it points is a fact; nothing is asked there."""
    async with serving({POST: answer("302 Found", "Location: https://other.example/EWS/Exchange.asmx")}) as peer:
        looked = await look(peer.url)
    assert looked.value(v.HTTP_REDIRECT) == "https://other.example/EWS/Exchange.asmx"
    assert peer.asked == [POST, OWA, EXPORT_TOOL, *_TOKENS, AUTODISCOVER, MAPI]
    nowhere = await looked_at({POST: answer("302 Found")})
    assert nowhere.why(v.HTTP_REDIRECT) == "not-disclosed"


async def test_a_broken_front_end_is_still_exchange() -> None:
    """Its error page is named in the redirect of the logon page."""
    looked = await looked_at({POST: PLAIN_401, OWA: answer("302 Found", "Location: /owa/auth/errorFE.aspx?httpCode=500")})
    assert looked.value(v.EWS_MARKS) == ("owa-page",)


@pytest.mark.parametrize(
    "post",
    [
        answer(
            "401 Unauthorized",
            'WWW-Authenticate: Basic realm="msrpc realm", charset="utf-8"',
            "X-ServerApplication: Exchange/15.00.0847.4040",
        ),
        answer("401 Unauthorized", *IIS_401, "X-FEServer: SPO", "MicrosoftSharePointTeamServices: 16.0.0.1"),
        answer("404 Not Found", "Server: Microsoft-IIS/10.0", body="<h2>404 - File or directory not found: /owa/auth/logon.aspx</h2>"),
        answer("200 OK", "Server: Apache", body="<title>Welcome</title>"),
    ],
    ids=["grommunio", "SharePoint", "IIS", "a web site"],
)
async def test_what_is_not_exchange_bears_no_mark(post: bytes) -> None:
    """Lookalikes and plain web servers show no mark and no build, and that is a fact."""
    looked = await looked_at({POST: post, OWA: post, EXPORT_TOOL: post})
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.EWS_MARKS) == ()
    assert looked.why(v.SERVER_BUILD) == "not-disclosed"


async def test_401_without_a_challenge_offers_no_scheme() -> None:
    """Asked, and nothing offered, is a fact."""
    looked = await looked_at({POST: answer("401 Unauthorized")})
    assert looked.value(v.AUTH_SCHEMES) == ()
    assert looked.why(v.HTTP_SERVER) == "not-disclosed"


async def test_schemes_are_listed_once_as_first_written() -> None:
    """Schemes compare without case and keep their order."""
    headers = ("WWW-Authenticate: NTLM", "WWW-Authenticate: negotiate, ntlm", "WWW-Authenticate: Negotiate")
    looked = await looked_at({POST: answer("401 Unauthorized", *headers)})
    assert looked.value(v.AUTH_SCHEMES) == ("NTLM", "negotiate")


@pytest.mark.parametrize(
    ("status", "headers", "seconds"), [("503 Service Unavailable", ("Retry-After: 30",), 30), ("429 Too Many Requests", (), None)]
)
async def test_a_server_that_asks_for_patience_is_left_alone(status: str, headers: tuple[str, ...], seconds: float | None) -> None:
    """Its status is kept, the attempt is throttled, for as long as it said, and nothing further is asked."""
    async with serving({POST: answer(status, *headers)}) as peer:
        looked = await look(peer.url)
    assert looked.attempt.outcome is Outcome.THROTTLED
    assert looked.attempt.pause_seconds == seconds
    assert looked.value(v.HTTP_STATUS) == int(status[:3])
    assert looked.why(v.SERVER_BUILD) == looked.why(v.EWS_MARKS) == "throttled"
    assert peer.asked == [POST]


def busy_exchange(details: str = "") -> bytes:
    """What an Exchange answers that is busy: a fault, which carries no version."""
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>t:ErrorServerBusy</faultcode><detail>'
        '<e:ResponseCode xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">ErrorServerBusy</e:ResponseCode>'
        f"{details}</detail></s:Fault></s:Body></s:Envelope>"
    )
    return answer("500 Internal Server Error", body=body)


BACK_OFF = (
    '<t:MessageXml xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">'
    '<t:Value Name="BackOffMilliseconds">4500</t:Value></t:MessageXml>'
)


@pytest.mark.parametrize(
    ("said", "sentence", "seconds"),
    [
        (answer("503 Service Unavailable", "Retry-After: 30"), "the server asks for patience: HTTP 503, Retry-After: 30", 30),
        (answer("429 Too Many Requests"), "the server asks for patience: HTTP 429", None),
        (busy_exchange(), "Exchange answers ErrorServerBusy", None),
        (busy_exchange(BACK_OFF), "Exchange answers ErrorServerBusy, and asks for a pause of 4.5 s", 4.5),
    ],
    ids=["503", "429", "busy", "busy for a time"],
)
@pytest.mark.parametrize("asked", [OWA, WITHOUT_TOKEN, MAPI])
async def test_a_page_that_asks_for_patience_ends_the_asking(asked: str, said: bytes, sentence: str, seconds: float | None) -> None:
    """Whichever it is: the attempt is throttled for as long as it says, nothing further is asked, what was learnt stays, and the build is missing for that."""
    async with serving({POST: REFUSED, asked: said}) as peer:
        looked = await look(peer.url)
    assert (looked.attempt.outcome, looked.attempt.detail, looked.attempt.pause_seconds) == (Outcome.THROTTLED, sentence, seconds)
    assert looked.value(v.HTTP_STATUS) == 401
    assert looked.value(v.AUTH_SCHEMES) == ("Negotiate", "NTLM")
    assert looked.value(v.EWS_MARKS) == ("header",)
    assert looked.why(v.SERVER_BUILD) == looked.why(v.ACTIVESYNC_VERSION) == "throttled"
    assert looked.why(v.HTTP_REDIRECT) == "not-applicable"
    assert looked.value(v.EWS_LOGON_PAGE) == "", "the first answer settles it"
    assert peer.asked[-1] == asked


async def test_a_first_answer_of_a_busy_exchange_ends_the_asking() -> None:
    """The head's facts stay, and the attempt is throttled."""
    async with serving({POST: busy_exchange(BACK_OFF)}) as peer:
        looked = await look(peer.url)
    assert (looked.attempt.outcome, looked.attempt.pause_seconds) == (Outcome.THROTTLED, 4.5)
    assert looked.value(v.HTTP_STATUS) == 500
    assert looked.why(v.SERVER_BUILD) == looked.why(v.EWS_MARKS) == "throttled"
    assert peer.asked == [POST]


async def test_a_page_that_asks_for_patience_on_a_connection_of_its_own_is_heeded() -> None:
    """As where the server closes each connection after its answer."""
    close = "Connection: close"
    answers = {POST: answer("401 Unauthorized", *IIS_401, close), OWA: answer("429 Too Many Requests", "Retry-After: 7", close)}
    async with serving(answers) as peer:
        looked = await look(peer.url)
    assert (looked.attempt.outcome, looked.attempt.pause_seconds) == (Outcome.THROTTLED, 7)
    assert peer.asked == [POST, OWA]


async def test_connections_that_are_closed_after_each_answer_cost_nothing_but_connections() -> None:
    """With an announced close, each request has a connection of its own."""
    close = "Connection: close"
    answers = {
        POST: answer("401 Unauthorized", *IIS_401, close),
        OWA: answer("200 OK", close, body=OWA_2016),
        EXPORT_TOOL: answer("200 OK", close, body=manifest("15.1.2507.57")),
    }
    async with serving(answers) as peer:
        looked = await look(peer.url)
    assert looked.value(v.SERVER_BUILD) == build("15.1.2507.57")
    assert (peer.asked, peer.connections) == ([POST, OWA, EXPORT_TOOL, *_TOKENS], 5)


async def test_a_connection_that_is_closed_without_warning_is_opened_again() -> None:
    """A request that met a closing connection is asked again on a new one, and only there."""
    answers = {POST: PLAIN_401, OWA: answer("200 OK", body=OWA_2016), EXPORT_TOOL: answer("200 OK", body=manifest("15.1.2507.57"))}
    async with serving(answers, requests_per_connection=1) as peer:
        looked = await look(peer.url)
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.SERVER_BUILD) == build("15.1.2507.57")
    assert peer.connections == 5


async def test_a_page_that_was_read_at_the_second_try_leaves_no_gap() -> None:
    """Once every page was read, a build that none shows is not disclosed, and no mark is a fact."""
    async with serving({POST: PLAIN_401}, requests_per_connection=1) as peer:
        looked = await look(peer.url)
    assert looked.why(v.SERVER_BUILD) == "not-disclosed"
    assert looked.value(v.EWS_MARKS) == ()


async def test_a_first_body_that_never_ends_ends_the_asking() -> None:
    """The head's facts stay, and what the pages would tell timed out."""
    async with serving({POST: b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 10\r\n\r\nhel"}) as peer:
        looked = await look(peer.url, timeout=2)
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.AUTH_SCHEMES) == ("NTLM",)
    assert looked.why(v.SERVER_BUILD) == looked.why(v.EWS_MARKS) == "timed-out"
    assert peer.asked == [POST]


async def test_a_server_that_is_gone_after_its_first_answer_costs_the_pages() -> None:
    """Where no further connection comes about, the first answer's facts stay."""
    async with serving({POST: answer("401 Unauthorized", *IIS_401, "Connection: close")}, connections=1) as peer:
        looked = await look(peer.url)
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.HTTP_STATUS) == 401
    assert looked.why(v.SERVER_BUILD) == looked.why(v.EWS_MARKS) == "refused"
    assert peer.asked == [POST]


async def test_pages_that_hang_up_cost_only_themselves() -> None:
    """Each page is asked no more than twice, and the first answer's facts stay."""
    async with serving({POST: REFUSED, OWA: HANG_UP, EXPORT_TOOL: HANG_UP}) as peer:
        looked = await look(peer.url)
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.AUTH_SCHEMES) == ("Negotiate", "NTLM")
    assert looked.why(v.SERVER_BUILD) == "closed"
    assert looked.value(v.EWS_MARKS) == ("header",)
    assert peer.asked == [POST, OWA, OWA, EXPORT_TOOL, *_TOKENS, AUTODISCOVER, MAPI]


async def test_a_page_that_never_comes_does_not_end_the_attempt() -> None:
    """Half of what time is left is waited for it, and nothing else is asked then."""
    async with serving({POST: PLAIN_401, OWA: None}) as peer:
        looked = await look(peer.url, timeout=2)
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.HTTP_STATUS) == 401
    assert looked.why(v.SERVER_BUILD) == looked.why(v.EWS_MARKS) == "timed-out"
    assert peer.asked == [POST, OWA]


@pytest.mark.parametrize(
    "body", [b"Content-Length: 10\r\n\r\nhel", b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"], ids=["breaks off", "broken"]
)
async def test_a_broken_body_does_not_take_back_the_head(body: bytes) -> None:
    """What the first answer's head said stays, and the pages are asked on a new connection."""
    post = b"HTTP/1.1 401 Unauthorized\r\nX-OWA-Version: 15.2.1544.11\r\n" + body
    async with serving({POST: post}, requests_per_connection=1) as peer:
        looked = await look(peer.url)
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.SERVER_BUILD) == build("15.2.1544.11")
    assert OWA in peer.asked


@pytest.mark.parametrize(
    ("said", "outcome", "why"),
    [
        (HANG_UP, Outcome.CLOSED, "closed"),
        (b"220 mail.test ESMTP Postfix\r\n", Outcome.OFF_PROTOCOL, "off-protocol"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000, Outcome.OFF_PROTOCOL, "off-protocol"),
        (b"HTTP/1.1 200 OK\r\nX: y", Outcome.CLOSED, "closed"),
        (None, Outcome.TIMED_OUT, "timed-out"),
    ],
    ids=["hangs up", "SMTP", "endless header", "half a head", "silence"],
)
async def test_a_peer_that_does_not_answer_ends_the_attempt(said: bytes | None, outcome: Outcome, why: str) -> None:
    """Each way of not answering has its outcome, and every promised key a reason."""
    async with serving({POST: said}, requests_per_connection=1) as peer:
        looked = await look(peer.url, timeout=1)
    assert looked.attempt.outcome is outcome
    assert looked.attempt.detail
    for key in (v.HTTP_STATUS, v.AUTH_SCHEMES, v.SERVER_BUILD, v.EWS_MARKS):
        assert looked.why(key) == why
    assert looked.value(v.PROTOCOL_SPOKEN) == (False if why == "off-protocol" else None)
    assert {key.name for key in PROBER.collects} <= {reading.key.name for reading in looked.attempt.readings}


async def test_an_answer_is_the_same_byte_by_byte() -> None:
    """How the bytes arrive changes no fact."""
    answers = {POST: REFUSED, OWA: answer("200 OK", body=OWA_2016), EXPORT_TOOL: answer("200 OK", body=manifest("15.1.2507.57"))}
    async with serving(answers, drips=True) as peer:
        dripped = await look(peer.url)
    whole = await looked_at(dict(answers))
    for key in PROBER.collects:
        if key not in (v.NET_ADDRESSES, v.CERTIFICATE_NOT_BEFORE):
            assert dripped.value(key) == whole.value(key)


async def test_an_untrusted_certificate_does_not_stop_reading() -> None:
    """Everything anonymous is read, also on further connections, and the distrust is a fact."""
    close = "Connection: close"
    answers = {POST: answer("401 Unauthorized", *IIS_401, close), OWA: answer("200 OK", close, body=OWA_2016)}
    async with serving(answers, certificate="self-signed") as peer:
        looked = await look(peer.url)
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.CERTIFICATE_TRUSTED) is False
    assert looked.value(v.SERVER_BUILD) == build("15.1.2507")


async def test_facts_name_the_words_that_support_them() -> None:
    """The build's evidence is the line that showed it."""
    looked = await looked_at({POST: PLAIN_401, OWA: answer("200 OK", body=OWA_2010)})
    reading = looked.facts.read(v.SERVER_BUILD)
    assert isinstance(reading, Fact)
    (evidence,) = reading.provenance.evidence
    assert "/owa/14.3.169.1/" in evidence.excerpt
    assert looked.attempt.transcript[evidence.line - 1].text == evidence.excerpt


async def test_a_hostile_page_gives_a_bounded_number_of_builds() -> None:
    """A page full of builds, of which no two agree, leaves the build unknown."""
    page = "".join(f"/owa/auth/15.1.{n}/" for n in range(1, 2000)) + "<assemblyIdentity " * 2000 + manifest("15.1.99999999.1")
    looked = await looked_at({POST: PLAIN_401, OWA: answer("200 OK", body=page), EXPORT_TOOL: answer("200 OK", body=page)})
    assert looked.why(v.SERVER_BUILD) == "conflicting"
    assert len([r for r in looked.attempt.readings if r.key == v.SERVER_BUILD]) == 4


async def test_the_page_behind_another_path_is_asked_at_the_root() -> None:
    """The endpoint's own path is asked as the estate has it."""
    async with serving({"POST /proxy/ews": NOT_FOUND}) as peer:
        await look(f"https://localhost:{peer.port}/proxy/ews")
    assert peer.asked == ["POST /proxy/ews", OWA, EXPORT_TOOL, "POST /proxy/ews (no token)", ACTIVESYNC, AUTODISCOVER, MAPI]


async def test_an_empty_token_draws_the_bearer_challenge() -> None:
    """What Exchange on premises shows to nobody else comes from EWS and ActiveSync, each challenge once, and is no scheme of EWS."""
    drawn = answer("401 Unauthorized", *IIS_401, _BEARER)
    looked = await looked_at({POST: PLAIN_401, WITHOUT_TOKEN: drawn, ACTIVESYNC: drawn})
    (challenge,) = looked.value(v.EWS_BEARER_CHALLENGES) or ()
    assert dict(challenge.parameters)["authorization_uri"] == "https://login.windows.net/common/oauth2/authorize"
    assert looked.value(v.AUTH_SCHEMES) == ("Negotiate", "NTLM")
    assert looked.value(v.MODERN_AUTH_OFFERED) is True
    assert looked.value(v.MODERN_AUTH_AUTHORITY) == "https://login.windows.net/common/oauth2/authorize"
    assert looked.value(v.MODERN_AUTH_TENANT) == "0b5b4ad3-0000-4000-8000-000000000001"


async def test_no_challenge_after_two_refusals_is_a_fact() -> None:
    """Both EWS and ActiveSync refuse without a Bearer: there is none. Where one of them does not answer so, it is not known."""
    both = await looked_at({POST: PLAIN_401, ACTIVESYNC: PLAIN_401})
    assert both.value(v.EWS_BEARER_CHALLENGES) == ()
    one = await looked_at({POST: PLAIN_401})
    assert one.why(v.EWS_BEARER_CHALLENGES) == "not-disclosed"


async def test_what_the_server_says_of_the_domain_is_kept() -> None:
    """A server that has no modern authentication for the domain says which domain it looked at."""
    said = '4000000;reason="Flighting is not enabled for domain \'localhost\'.";error_category="oauth_not_available"'
    drawn = answer("401 Unauthorized", 'WWW-Authenticate: Bearer client_id="x", error="invalid_token"', f"x-ms-diagnostics: {said}")
    looked = await looked_at({POST: REFUSED, WITHOUT_TOKEN: drawn})
    assert looked.value(v.EWS_BEARER_DIAGNOSTICS) == (said,)
    assert looked.why(v.MODERN_AUTH_OFFERED) == "not-disclosed"


@pytest.mark.parametrize(
    ("asked", "said", "expected"),
    [
        (ACTIVESYNC, answer("401 Unauthorized", "X-OWA-Version: 15.2.1544.11"), "15.2.1544.11"),
        (AUTODISCOVER, answer("401 Unauthorized", "X-OWA-Version: 15.1.2507.39"), "15.1.2507.39"),
        (MAPI, answer("401 Unauthorized", "X-ServerApplication: Exchange/15.01.2176.009"), "15.1.2176.9"),
        (MAPI, answer("200 OK", body="Exchange MAPI/HTTP Connectivity Endpoint<br>Version: 15.1.2176.9<br>"), "15.1.2176.9"),
    ],
)
async def test_the_build_may_show_in_one_answer_alone(asked: str, said: bytes, expected: str) -> None:
    """ActiveSync, Autodiscover and MAPI are asked where the pages told nothing."""
    looked = await looked_at({POST: PLAIN_401, asked: said})
    assert looked.value(v.SERVER_BUILD) == build(expected)


async def test_what_activesync_says_of_itself_is_kept() -> None:
    """A version that is shown to anybody is a fact; it is no mark of Exchange, since others send it too."""
    looked = await looked_at({POST: PLAIN_401, ACTIVESYNC: answer("200 OK", "MS-Server-ActiveSync: 14.1")})
    assert looked.value(v.ACTIVESYNC_VERSION) == "14.1"
    assert looked.value(v.EWS_MARKS) == ()
    assert looked.why(v.SERVER_PRODUCT) == "not-disclosed"


async def test_exchange_online_tells_its_build_by_federation_information() -> None:
    """Its pages have nothing to tell and are not asked; Autodiscover answers anybody, with the build in the SOAP header."""
    post = answer("401 Unauthorized", "Server: Microsoft-HTTPAPI/2.0", "X-NanoProxy: 1", "X-FEServer: FR3P281CA0105", _BEARER)
    version = (
        "<h:MajorVersion>15</h:MajorVersion><h:MinorVersion>20</h:MinorVersion>"
        "<h:MajorBuildNumber>9073</h:MajorBuildNumber><h:MinorBuildNumber>22</h:MinorBuildNumber>"
    )
    federation = answer(
        "200 OK", body=f"<s:Envelope><s:Header><h:ServerVersionInfo>{version}</h:ServerVersionInfo></s:Header><s:Body/></s:Envelope>"
    )
    async with serving({POST: post, FEDERATION: federation}) as peer:
        looked = await look(peer.url)
    assert peer.asked == [POST, FEDERATION, *_TOKENS]
    assert b"<d:GetFederationInformationRequestMessage>" in peer.requests[1]
    assert looked.value(v.SERVER_BUILD) == build("15.20.9073.22")
    assert looked.value(v.SERVER_PRODUCT) == "Exchange Online"
