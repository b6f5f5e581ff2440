"""EWS without a sign-in: how the endpoint answers, which sign-in it offers, and whether Exchange is recognized.

What is sent, in this order, over one connection as long as the server keeps it open: five requests where the build is known by then,
seven otherwise:

1. `POST` of the smallest FindFolder request to the endpoint's own path, without any credentials;
2. `GET /owa/auth/logon.aspx`, the logon page of Outlook on the web;
3. `GET /ecp/Current/exporttool/microsoft.exchange.ediscovery.exporttool.application`, a manifest that every
   Exchange since 2013 serves where its control panel is published;
4. the first request again with `Authorization: Bearer` and no token, without which an Exchange on premises does not send its challenge for
   tokens; where all mailboxes of the endpoint are of one domain, and a header can carry the address of one of them, with `X-User-Identity`,
   without which newer versions use the host name instead;
5. `OPTIONS /Microsoft-Server-ActiveSync`, likewise;
6. `GET /autodiscover/autodiscover.xml`;
7. `GET /mapi/nspi/`.

Where EWS is not found on Windows Server 2003 or older, on which no Exchange with an export tool runs, `GET /exchange/` replaces request 3:
Exchange 2003, which has no EWS, redirects it to its own logon page, as 2007 may.

Where the first answer is that of Exchange Online, requests 2, 3, 6 and 7 would show nothing; instead Autodiscover's
GetFederationInformation is requested, which needs no sign-in and contains the build.

The first answer decides the outcome. The others may have any status, time out or break off, and then only lack what they
would have shown. Where a server closes a kept connection instead of answering, the request is repeated once on a new one. No
redirect is followed. A server that asks for a pause in any answer, by 429, 503 or a busy Exchange's response code, gets no further
request: the attempt is throttled then, and keeps what the answers before showed.

It does not sign in and changes nothing; the server's log gets a few refused requests and page views. It cannot
show whether a sign-in with an offered scheme would succeed. Headers can be forged, and a proxy may remove them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from probe.model import vocabulary as v
from probe.model.attempts import WHY_AFTER, Outcome, TranscriptLine
from probe.model.estate import Service
from probe.model.facts import Why
from probe.model.keys import FactKey
from probe.model.kinds import Build, Challenge
from probe.model.values import dataclass
from probe.net.ews_requests import OLDEST_SCHEMA
from probe.net.failures import PeerFailure, Throttled, expected
from probe.net.http_exchange import Head, HttpConnection, HttpResponse, asked_to_wait, host_header
from probe.probing import CONNECTION_KEYS, Dial, Effect, EndpointSubject, Notebook, Prober, Scope, Stream, converse, note_connection
from probe.probing.ews import POLICY_BLOCKS, busy
from probe.tables.exchange_marks import exchange_online_headers, is_sharepoint, newest_exchange_on
from probe.tables.hosts import is_exchange_online_host
from probe.wire.autodiscover import POX_PATH, SOAP_PATH, federation_request
from probe.wire.ews import back_off_seconds, find_own_inbox, response_code
from probe.wire.exchange import application_build, build_of, manifest_build, mapi_build, old_logon, page_builds, page_mark, soap_build
from probe.wire.http_challenge import parse_challenges
from probe.wire.mail_address import ascii_address, ascii_domain
from probe.wire.oauth import named_authority, trusted_tenant
from probe.wire.web_pages import logon_form

PAGE_SECONDS = 8.0
"""The longest wait for a page, none of which is essential; an idle OWA takes about 5 s to start its worker."""

_XML = (("Content-Type", "text/xml; charset=utf-8"),)
_NO_TOKEN = (("Authorization", "Bearer"),)

# Headers that Exchange or Exchange Online sends, without those that differ each time, and headers that identify SharePoint.
_SHOWN = (
    "X-OWA-Version", "X-FEServer", "X-BEServer", "X-TargetBEServer", "X-CalculatedBETarget", "X-CalculatedFETarget",
    "X-DiagInfo", "X-BackEndHttpStatus", "X-Proxy-BackendServerStatus", "X-OWA-DiagnosticsInfo", "X-OWA-Error", "X-Auth-Error",
    "X-SOAP-Enabled", "X-WSSecurity-Enabled", "X-WSSecurity-For", "X-OAuth-Enabled", "X-CasErrorCode", "X-EwsHandler",
    "X-EWS-Policy-Reason", "X-ServerApplication", "X-MS-Diagnostics", "X-AutoDiscovery-Error", "X-FEProxyInfo", "X-FEEFZInfo",
    "X-FirstHopCafeEFZ", "X-RUM-Validated", "X-BeSku", "X-NanoProxy", "MicrosoftSharePointTeamServices", "SPRequestGuid",
    "X-SharePointHealthScore",
)  # fmt: skip
_SHOWN_LOWER = frozenset(name.lower() for name in _SHOWN)
MAX_HEADER_CHARACTERS = 300
"""Most characters of one header in `ews.headers`; real ones have under 100."""

# Those of them that no other product sends. X-ServerApplication is not among them, because grommunio sends it too.
_TELLING = frozenset(
    name.lower()
    for name in (
        "X-FEServer", "X-BEServer", "X-TargetBEServer", "X-CalculatedBETarget", "X-CalculatedFETarget", "X-CasErrorCode",
        "X-EwsHandler", "X-EWS-Policy-Reason", "X-FEProxyInfo", "X-FirstHopCafeEFZ", "X-SOAP-Enabled", "X-WSSecurity-Enabled",
    )
)  # fmt: skip

MAX_VERSIONS = 4
"""Most different X-OWA-Version values that are read of one answer; real answers have one, rarely two."""
MAX_BEARER_CHALLENGES = 8
"""Most challenges that are kept of the answers to empty tokens; real servers send one each."""


async def probe(subject: EndpointSubject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""
    visit = _Visit(subject, dial, notes)
    await converse(dial, notes, visit.begin)
    await visit.go_on()
    visit.conclude()
    if visit.wait is not None:
        raise visit.wait


@dataclass(frozen=True, slots=True)
class _FurtherRequest:
    """One of the requests after the first, with the reader of its answer."""

    method: str
    target: str
    read: Callable[[Stream, HttpResponse], None]
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    only_for_build: bool = False
    """Whether it is sent only while the build is not known to its fourth number."""


class _Visit:
    """The conversation, over as many connections as the server requires."""

    def __init__(self, subject: EndpointSubject, dial: Dial, notes: Notebook) -> None:
        self._endpoint = subject.endpoint
        self._mailbox = subject.identity
        self._identity = None if subject.identity is None else ascii_address(subject.identity)
        """The mailbox's address in a form that a header can carry."""
        self._dial = dial
        self._notes = notes
        self._pages: list[_FurtherRequest] = []
        self._marks: list[str] = []
        self._challenges: tuple[Challenge, ...] = ()
        self._bearers: list[Challenge] = []
        self._diagnostics: list[str] = []
        self._refused_without_token = 0
        """How many of the two requests with an empty token were answered with 401."""
        self._builds: dict[str, tuple[Build, tuple[TranscriptLine, ...]]] = {}
        self._gap = (Why.NOT_DISCLOSED, "none of its answers shows it")
        self.wait: Throttled | None = None
        """By what an answer asked for a pause after which nothing more was requested."""

    async def begin(self, stream: Stream) -> None:
        """The request to EWS, and the pages as far as the connection lasts."""
        note_connection(self._notes, stream, "implicit")
        http = HttpConnection(stream, host_header(self._endpoint))
        head = await http.ask("POST", self._endpoint.path, headers=_XML, body=find_own_inbox(OLDEST_SCHEMA))
        self._pages = self._pages_after(head)
        self._read_first(stream, head)
        if (wait := asked_to_wait(head)) is not None:
            raise wait
        try:
            async with asyncio.timeout(self._patience()):
                answer = await http.answer(head)
            self._read_soap(stream, answer)
            self._read_form(stream, answer)
            self._heed(answer)
        except (PeerFailure, OSError) as failed:
            # The body is read only so that the connection can be used again.
            self._stop_if_asked_to(failed)
        await self._ask_pages(stream, http, is_reused=True)

    async def go_on(self) -> None:
        """Request the remaining pages, on connections of their own."""
        while self._pages:
            try:
                async with self._dial.open() as stream:
                    await self._ask_pages(stream, HttpConnection(stream, host_header(self._endpoint)), is_reused=False)
            except (PeerFailure, OSError) as failed:
                self._give_up(*_named(failed))
                self._pages.clear()

    def conclude(self) -> None:
        """Write the reason for each key that was not found."""
        why, detail = self._gap
        self._notes.missing(v.SERVER_BUILD, why, detail)
        if not self._marks and why is Why.NOT_DISCLOSED:
            self._notes.observed(v.EWS_MARKS, ())
        self._notes.missing(v.EWS_MARKS, why, detail)
        if self._refused_without_token == 2:
            self._notes.declared(v.EWS_BEARER_CHALLENGES, tuple(self._bearers))
        self._name_authority()
        self._notes.missing(v.EWS_BEARER_CHALLENGES, why, "a request with an empty token was not answered with a challenge")
        is_answered = self._refused_without_token == 2 or bool(self._bearers)
        self._notes.missing(
            v.EWS_BEARER_DIAGNOSTICS, Why.NOT_APPLICABLE if is_answered else why, "no diagnosis came with the answer to an empty token"
        )
        self._notes.missing(v.ACTIVESYNC_VERSION, why, "ActiveSync gives its version only after a sign-in")
        if self._identity is not None:
            self._notes.observed(v.EWS_ASKED_FOR, self._identity)
        elif self._mailbox is not None:
            self._notes.missing(
                v.EWS_ASKED_FOR, Why.NOT_ATTEMPTED, "a header cannot carry an address with non-ASCII characters before the @"
            )
        else:
            self._notes.missing(v.EWS_ASKED_FOR, Why.NOT_APPLICABLE, "the endpoint serves no mailbox, or mailboxes of several domains")

    def _name_authority(self) -> None:
        """Write the authority that is named for tokens, and the one tenant whose tokens are accepted."""
        challenges = (*self._challenges, *self._bearers)
        challenges_for_tokens = [c for c in challenges if c.scheme.lower() == "bearer"]
        said: tuple[tuple[FactKey[str], str | None], ...] = (
            (v.MODERN_AUTH_AUTHORITY, named_authority(challenges)),
            (v.MODERN_AUTH_TENANT, trusted_tenant(challenges)),
        )
        for key, value in said:
            if value is not None:
                self._notes.declared(key, value)
            else:
                is_without = self._refused_without_token == 2 and not challenges_for_tokens
                self._notes.missing(key, Why.NOT_APPLICABLE if is_without else Why.NOT_DISCLOSED, "no Bearer challenge names it")

    def _pages_after(self, first: Head) -> list[_FurtherRequest]:
        """The further requests, which depend on the first answer."""
        named = (("X-User-Identity", self._identity),) if self._identity is not None else ()
        tokens = [
            _FurtherRequest(
                "POST", self._endpoint.path, self._read_without_token, (*_XML, *_NO_TOKEN, *named), find_own_inbox(OLDEST_SCHEMA)
            ),
            _FurtherRequest("OPTIONS", "/Microsoft-Server-ActiveSync", self._read_without_token, (*_NO_TOKEN, *named)),
        ]
        if self._is_online(first):
            domain = ascii_domain(self._mailbox) if self._mailbox else self._endpoint.host
            body = federation_request(f"https://{host_header(self._endpoint)}{SOAP_PATH}", domain)
            return [_FurtherRequest("POST", SOAP_PATH, self._read_soap, _XML, body), *tokens]
        export_tool = _FurtherRequest(
            "GET", "/ecp/Current/exporttool/microsoft.exchange.ediscovery.exporttool.application", self._read_export_tool
        )
        may_be_2003 = first.status == 404 and newest_exchange_on(first.header("Server")) is not None
        return [
            _FurtherRequest("GET", "/owa/auth/logon.aspx", self._read_owa),
            _FurtherRequest("GET", "/exchange/", self._read_old_owa) if may_be_2003 else export_tool,
            *tokens,
            _FurtherRequest("GET", POX_PATH, self._read_soap, only_for_build=True),
            _FurtherRequest("GET", "/mapi/nspi/", self._read_mapi, only_for_build=True),
        ]

    def _is_online(self, first: Head) -> bool:
        names = {name.lower() for name, _ in first.headers}
        return is_exchange_online_host(self._endpoint.host) or bool(names & exchange_online_headers() and not is_sharepoint(names))

    async def _ask_pages(self, stream: Stream, http: HttpConnection, *, is_reused: bool) -> None:
        while self._pages and http.keeps_alive:
            page = self._pages[0]
            try:
                async with asyncio.timeout(self._patience()):
                    head = await http.ask(page.method, page.target, headers=page.headers, body=page.body)
                    if (wait := asked_to_wait(head)) is not None:
                        raise wait
                    self._read_head(stream, head, page.target)
                    answer = await http.answer(head)
                page.read(stream, answer)
                self._heed(answer)
            except (PeerFailure, OSError) as failed:
                outcome, sentence = _named(failed)
                if outcome is not Outcome.CLOSED or not is_reused:
                    # A kept connection may have been closed while the request was sent (RFC 9112 section 9.3.1); a new one was not.
                    del self._pages[0]
                    self._give_up(outcome, sentence)
                self._stop_if_asked_to(failed)
                return
            del self._pages[0]
            if any(len(build.parts) == 4 for build, _ in self._builds.values()):
                self._pages = [page for page in self._pages if not page.only_for_build]
            is_reused = True

    def _patience(self) -> float:
        """Seconds for a page, few enough that one wait cannot end the attempt."""
        return min(PAGE_SECONDS, self._dial.remaining() / 2)

    def _give_up(self, outcome: Outcome, sentence: str) -> None:
        """Record that a page was not read, as the reason for keys that it might have shown."""
        self._gap = (WHY_AFTER[outcome], f"a page that may show it was not read: {sentence}")

    @staticmethod
    def _heed(answer: HttpResponse) -> None:
        """Raises Throttled where an Exchange answers that it is busy."""
        if (wait := busy(response_code(answer.body), back_off_seconds(answer.body))) is not None:
            raise wait

    def _stop_if_asked_to(self, failed: Exception) -> None:
        """Send no further request after a timeout or a request for a pause."""
        outcome, sentence = _named(failed)
        if isinstance(failed, Throttled):
            self.wait = failed
        if outcome in (Outcome.TIMED_OUT, Outcome.THROTTLED):
            self._pages.clear()
            self._give_up(outcome, sentence)

    def _read_first(self, stream: Stream, head: Head) -> None:
        """Write everything that the head of the answer to the EWS request shows."""
        notes, status_line = self._notes, stream.evidence(f" {head.status}")
        notes.observed(v.PROTOCOL_SPOKEN, True, *status_line)
        notes.observed(v.HTTP_STATUS, head.status, *status_line)
        server = head.header("Server")
        if server:
            notes.declared(v.HTTP_SERVER, server, *stream.evidence(server))
        else:
            notes.missing(v.HTTP_SERVER, Why.NOT_DISCLOSED, "the answer has no Server header")
        self._read_redirect(stream, head)
        self._read_challenges(stream, head)
        shown = tuple(f"{name}: {value[:MAX_HEADER_CHARACTERS]}" for name in _SHOWN for value in head.all(name))
        notes.observed(v.EWS_HEADERS, shown, *stream.evidence(*(n for n, _ in head.headers if n.lower() in _SHOWN_LOWER)))
        self._read_policy(stream, head)
        self._read_head(stream, head, "ews")

    def _read_redirect(self, stream: Stream, head: Head) -> None:
        location = head.header("Location")
        if not 300 <= head.status < 400:
            self._notes.missing(v.HTTP_REDIRECT, Why.NOT_APPLICABLE, f"HTTP {head.status} is not a redirect")
        elif location:
            self._notes.observed(v.HTTP_REDIRECT, location, *stream.evidence(location[:200]))
        else:
            self._notes.missing(v.HTTP_REDIRECT, Why.NOT_DISCLOSED, "the redirect names no location")

    def _read_form(self, stream: Stream, answer: HttpResponse) -> None:
        """Recognize the log-on page of a proxy that shows it in place of EWS, without a redirect."""
        form = logon_form(answer.body.decode("latin-1")) if answer.status == 200 else None
        if form is not None:
            self._notes.observed(v.EWS_LOGON_PAGE, self._endpoint.url, *stream.evidence(form[:80]))
        else:
            # Said here, since what a later answer is cut off by is no reason for it.
            self._notes.missing(v.EWS_LOGON_PAGE, Why.NOT_DISCLOSED, "the first answer is no log-on page that is known")

    def _read_challenges(self, stream: Stream, head: Head) -> None:
        values = head.all("WWW-Authenticate")
        self._challenges = challenges = parse_challenges(values)
        lines = stream.evidence(*(value[:80] for value in values if value.strip()))
        self._notes.declared(v.EWS_CHALLENGES, challenges, *lines)
        schemes = {c.scheme.lower(): c.scheme for c in reversed(challenges)}
        if schemes or head.status == 401:
            self._notes.declared(v.AUTH_SCHEMES, tuple(reversed(schemes.values())), *lines)
        else:
            self._notes.missing(v.AUTH_SCHEMES, Why.NOT_DISCLOSED, f"the answer is HTTP {head.status} and asks for no sign-in")

    def _read_policy(self, stream: Stream, head: Head) -> None:
        reason = (head.header("X-EWS-Policy-Reason") or "").strip()
        if reason in POLICY_BLOCKS:
            self._notes.declared(v.EWS_POLICY_BLOCK, POLICY_BLOCKS[reason], *stream.evidence(reason))
        elif reason:
            self._notes.missing(v.EWS_POLICY_BLOCK, Why.NOT_DISCLOSED, f"the reason of the policy is not known: {reason[:200]}")
        elif head.status == 403:
            self._notes.missing(v.EWS_POLICY_BLOCK, Why.NOT_DISCLOSED, "HTTP 403 came without a reason of an EWS policy")
        else:
            self._notes.missing(v.EWS_POLICY_BLOCK, Why.NOT_APPLICABLE, f"HTTP {head.status} is not a refusal by an EWS policy")

    def _read_head(self, stream: Stream, head: Head, source: str) -> None:
        """Write what the headers of any answer show of Exchange."""
        names = {name.lower() for name, _ in head.headers}
        if names & _TELLING and not is_sharepoint(names):
            telling = next(name for name, _ in head.headers if name.lower() in _TELLING)
            self._mark("header", *stream.evidence(telling))
        application = head.header("X-ServerApplication")
        if application is not None and (build := application_build(application)) is not None:
            self._saw_build(f"{source} application header", build, *stream.evidence(application))
        activesync = head.header("MS-Server-ActiveSync")
        if activesync is not None and activesync.strip():
            self._notes.declared(v.ACTIVESYNC_VERSION, activesync.strip()[:MAX_HEADER_CHARACTERS], *stream.evidence(activesync))
        # Proxies and chained front ends send it twice, or two values in one line; where they differ, both are read.
        versions = list(dict.fromkeys(part.strip() for value in head.all("X-OWA-Version") for part in value.split(",")))
        for number, version in enumerate(versions[:MAX_VERSIONS], 1):
            build = build_of(version)
            if build is not None:
                self._saw_build(f"{source} header {number}", build, *stream.evidence(version))
            if build is not None or not version:
                # Some operators blank it, but only Exchange has this header.
                self._mark("header", *stream.evidence(version or "X-OWA-Version"))

    def _read_without_token(self, stream: Stream, answer: HttpResponse) -> None:
        """Write what the answer to an empty token shows: the challenge that Exchange on premises sends only then."""
        if answer.status == 401:
            self._refused_without_token += 1
        found = [c for c in parse_challenges(answer.all("WWW-Authenticate")) if c.scheme.lower() == "bearer" and c not in self._bearers]
        if found:
            self._bearers = (self._bearers + found)[:MAX_BEARER_CHALLENGES]
            self._notes.declared(v.EWS_BEARER_CHALLENGES, tuple(self._bearers), *stream.evidence("Bearer"))
        diagnostics = [text[:MAX_HEADER_CHARACTERS] for text in answer.all("X-MS-Diagnostics") if text.strip()]
        if diagnostics:
            self._diagnostics = list(dict.fromkeys(self._diagnostics + diagnostics))[:MAX_BEARER_CHALLENGES]
            self._notes.declared(v.EWS_BEARER_DIAGNOSTICS, tuple(self._diagnostics), *stream.evidence(diagnostics[0][:80]))
        self._read_soap(stream, answer)

    def _read_owa(self, stream: Stream, answer: HttpResponse) -> None:
        """Write the build in the addresses of the page's resources, and the marks of the page."""
        text = answer.body.decode("latin-1")
        for number, (shown, build) in enumerate(page_builds(text), 1):
            self._saw_build(f"owa page {number}", build, *stream.evidence(shown))
            self._mark("owa-page", *stream.evidence(shown))
        mark = page_mark(text) or page_mark(answer.header("Location") or "")
        if mark is not None:
            self._mark("owa-page", *stream.evidence(mark))

    def _read_old_owa(self, stream: Stream, answer: HttpResponse) -> None:
        if (shown := old_logon(answer.header("Location") or "") or old_logon(answer.body.decode("latin-1"))) is not None:
            self._mark("owa-page", *stream.evidence(shown))

    def _read_export_tool(self, stream: Stream, answer: HttpResponse) -> None:
        if (found := manifest_build(answer.body.decode("latin-1"))) is not None:
            self._saw_build("export tool", found[1], *stream.evidence(found[0]))
            self._mark("export-tool", *stream.evidence(found[0]))

    def _read_mapi(self, stream: Stream, answer: HttpResponse) -> None:
        if (found := mapi_build(answer.body.decode("latin-1"))) is not None:
            self._saw_build("mapi page", found[1], *stream.evidence(found[0]))
            self._mark("mapi-page", *stream.evidence(found[0]))

    def _read_soap(self, stream: Stream, answer: HttpResponse) -> None:
        """Write ServerVersionInfo, which federation information always has, and EWS and Autodiscover after a sign-in."""
        if (build := soap_build(answer.body)) is not None:
            lines = stream.evidence("ServerVersionInfo")
            self._saw_build("soap", build, *lines)
            self._mark("soap", *lines)

    def _mark(self, mark: str, *lines: TranscriptLine) -> None:
        if mark not in self._marks:
            self._marks.append(mark)
            self._notes.observed(v.EWS_MARKS, tuple(self._marks), *lines)

    def _saw_build(self, source: str, build: Build, *lines: TranscriptLine) -> None:
        """Write a build. Components of one Exchange may differ in the fourth number; then only three are known."""
        self._builds[source] = (build, lines)
        for name, (seen, seen_lines) in self._builds.items():
            is_firm = all(len(other.parts) < 4 or other.parts[:3] != seen.parts[:3] or other == seen for other, _ in self._builds.values())
            self._notes.declared(v.SERVER_BUILD, seen if is_firm else Build(seen.parts[:3]), *seen_lines, source=name)


def _named(failure: Exception) -> tuple[Outcome, str]:
    """The outcome of a failure that affects only one page. Any other exception is raised again."""
    named = expected(failure)
    if named is None:
        raise failure
    return named


PROBER = Prober(
    id="ews-anonymous",
    title="asks EWS for a folder without signing in, and reads the pages by which Exchange is recognized",
    scope=Scope.ENDPOINT,
    services=frozenset({Service.EWS}),
    effect=Effect.READS,
    collects=(
        *CONNECTION_KEYS,
        v.PROTOCOL_SPOKEN,
        v.HTTP_STATUS,
        v.HTTP_SERVER,
        v.HTTP_REDIRECT,
        v.EWS_LOGON_PAGE,
        v.EWS_CHALLENGES,
        v.EWS_HEADERS,
        v.EWS_POLICY_BLOCK,
        v.EWS_MARKS,
        v.EWS_BEARER_CHALLENGES,
        v.EWS_BEARER_DIAGNOSTICS,
        v.EWS_ASKED_FOR,
        v.MODERN_AUTH_AUTHORITY,
        v.MODERN_AUTH_TENANT,
        v.ACTIVESYNC_VERSION,
        v.AUTH_SCHEMES,
        v.SERVER_BUILD,
    ),
    probe=probe,
)
