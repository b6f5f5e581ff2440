"""Exchange as it shows itself over HTTPS: EWS, Outlook on the web and the export tool of Exchange Server, and EWS of Exchange Online.

Headers and pages are those of recorded answers (read 2026-11): challenges in headers of their own, the front end's name
from 2013 on, the build in the refusal from 2019 CU11 on, four numbers in the pages of 2007 and 2010 and three in later ones.
"""

from __future__ import annotations

import base64
import binascii
import json
import ssl
import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote

from probe.model.values import dataclass
from probe.simulation.authorities import Holder
from probe.simulation.autodiscover import POX_PATH, SOAP_PATH, by_pox, by_soap
from probe.simulation.ews import Account, Store
from probe.simulation.mail import LOGONS_KEPT
from probe.simulation.ntlm import Proof, WindowsHost, message_type
from probe.simulation.releases import EXCHANGE_ONLINE, Release
from probe.simulation.web import Request, Response, WebServer

EWS_PATH = "/ews/exchange.asmx"
LOGON_PATH = "/owa/auth/logon.aspx"
ACTIVESYNC_PATH = "/microsoft-server-activesync"
EXPORT_TOOL_PATH = "/ecp/current/exporttool/microsoft.exchange.ediscovery.exporttool.application"

_SERVICES = ("/ews/", "/autodiscover/", ACTIVESYNC_PATH, "/mapi/")
"""Paths that need a sign-in."""

Headers = tuple[tuple[str, str], ...]

_HTML = ("Content-Type", "text/html")
_NOT_FOUND = b"<html><head><title>404 - File or directory not found.</title></head><body><h1>Server Error</h1></body></html>"
_NO_ACCESS = (
    b"<html><head><title>401 - Unauthorized</title></head><body>You do not have permission to view this directory or page.</body></html>"
)


_FIRST_WITH_AUTODISCOVER_JSON = (15, 1)


def autodiscover_answer(url: str, marks: Headers) -> Response:
    """What version 2 of Autodiscover answers."""
    body = json.dumps({"Protocol": "EWS", "Url": url}, separators=(",", ":")).encode()
    return Response(200, (*marks, ("Content-Type", "application/json; charset=utf-8")), body)


# 2019 CU14 and SE (collected answers, read 2026-11).
_FIRST_TO_LOOK_UP_THE_DOMAIN = (15, 2, 1544)

# The application that Exchange's challenges name, on premises and online.
_EXCHANGE_APPLICATION = "00000002-0000-0ff1-ce00-000000000000"


@dataclass(frozen=True, slots=True)
class ModernAuth:
    """Hybrid modern authentication, or that by an AD FS: where Exchange sends those who would sign in with a token."""

    authority: str
    """The authorization_uri."""
    tenant: str
    domains: frozenset[str]
    """Domains of mailboxes that it is in effect for."""

    def challenge(self) -> str:
        return (
            f'Bearer client_id="{_EXCHANGE_APPLICATION}", trusted_issuers="00000001-0000-0000-c000-000000000000@{self.tenant}", '
            f'token_types="app_asserted_user_v1 service_asserted_app_v1", authorization_uri="{self.authority}"'
        )


def _nobody(token: str) -> str | None:
    return None


class ExchangeServer(WebServer):
    """One Exchange Server of one release. Its accounts sign in by Basic and by NTLM, under their address or as `DOMAIN\\user`."""

    def __init__(
        self,
        release: Release,
        host: str,
        tls: ssl.SSLContext | None = None,
        *,
        schemes: Iterable[str] = ("Negotiate", "NTLM", "Basic"),
        accounts: Mapping[str, Account] | None = None,
        mailboxes: Iterable[str] = (),
        publishes_pages: bool = True,
        modern_auth: ModernAuth | None = None,
        states: Mapping[str, str] | None = None,
        protected: bytes | None = None,
        token_holder: Holder = _nobody,
        moved: Mapping[str, str] | None = None,
    ) -> None:
        """`moved` are mailboxes that were moved away, each with its EWS there; `states` are response codes that mailboxes answer with; `protected` is the certificate that Extended Protection is bound to."""
        super().__init__(tls)
        self.release = release
        self.host = host
        self.logons: deque[tuple[str, bool]] = deque(maxlen=LOGONS_KEPT)
        """The account of each request with credentials, and whether it succeeded: Exchange counts every such request."""
        self._schemes = tuple(schemes)
        self._accounts = {name.lower(): account for name, account in (accounts or {}).items()}
        self._store = Store(release, frozenset(address.lower() for address in mailboxes), dict(states or {}))
        self._protected = protected
        self._moved = {address.lower(): url for address, url in (moved or {}).items()}
        self._token_holder = token_holder
        self._windows = WindowsHost(computer=host, domain=host.partition(".")[2] or host, version=release.windows)
        self._publishes_pages = publishes_pages
        self._modern_auth = modern_auth

    def deliver(self, mailbox: str, message: str) -> None:
        """A message comes in from outside."""
        subject = next((line[9:] for line in message.split("\n") if line.startswith("Subject: ")), "")
        self._store.deliver(mailbox, subject)

    def receive(self, mailbox: str, subject: str, at: datetime) -> None:
        """A message came in at some time."""
        self._store.deliver(mailbox, subject, at)

    @property
    def inboxes(self) -> Mapping[str, list[str]]:
        """The subjects in each mailbox's inbox."""
        return {mailbox: [item.subject for item in held.values()] for mailbox, held in self._store.items.items()}

    def answer(self, request: Request) -> Response:
        path = request.path
        if path.startswith("/autodiscover/autodiscover.json") and self.release.build >= _FIRST_WITH_AUTODISCOVER_JSON:
            return self._autodiscover(request)
        if path.startswith(_SERVICES):
            return self._service(request)
        if not self._publishes_pages:
            return self._not_found()
        if path in ("/owa", "/owa/", "/ecp", "/ecp/"):
            target = quote(f"https://{self.host}{path}", safe="")
            location = f"https://{request.header('Host') or self.host}{LOGON_PATH}?url={target}&reason=0"
            return Response(302, (*self._marks(), ("Location", location)))
        if path == LOGON_PATH:
            version = (("X-OWA-Version", self.release.version),) if self.release.has_front_end else ()
            return Response(200, (*self._marks(), *version, ("Content-Type", "text/html; charset=utf-8")), self._logon_page())
        if path == EXPORT_TOOL_PATH and self.release.has_front_end:
            return Response(200, (*self._marks(), ("Content-Type", "application/x-ms-application")), self._manifest())
        return self._not_found()

    def _service(self, request: Request) -> Response:
        scheme, _, token = request.header("Authorization").partition(" ")
        account = self._signed_in(scheme.lower(), token.strip(), request.connection)
        if account is None:
            return self._refusal(request, scheme.lower(), token.strip())
        if request.method == "POST" and request.path in (SOAP_PATH, POX_PATH):
            return self._directions(request)
        if request.path != EWS_PATH:
            return Response(503, (*self._marks(), _HTML))
        if request.method != "POST":
            page = b"<html><head><title>Services Service</title></head><body>You have created a service.</body></html>"
            return Response(200, (*self._marks(), ("Content-Type", "text/html; charset=UTF-8")), page)
        if not request.header("Content-Type").lower().startswith("text/xml"):
            return Response(415, self._marks())
        status, envelope = self._store.answer(request.body, account)
        return Response(status, (*self._marks(), *self._back_end(status), ("Content-Type", "text/xml; charset=utf-8")), envelope)

    def _directions(self, request: Request) -> Response:
        """Autodiscover for those who are signed in; who has moved to Exchange Online is sent to the address that the tenant gave."""
        ews = f"https://{request.header('Host') or self.host}/EWS/Exchange.asmx"
        targets = {a: f"{a.partition('@')[0]}@contoso.mail.onmicrosoft.com" if "outlook" in url else url for a, url in self._moved.items()}
        if request.path == SOAP_PATH and self.release.build < (14,):
            return self._not_found()
        answer = by_soap if request.path == SOAP_PATH else by_pox
        body = answer(request.body, self._store.mailboxes, targets, ews)
        return Response(200, (*self._marks(), *self._back_end(200), ("Content-Type", "text/xml; charset=utf-8")), body)

    def _autodiscover(self, request: Request) -> Response:
        """Version 2: its own EWS for its mailboxes, and another server's for those that have moved there."""
        address = parse_qs(request.target.partition("?")[2]).get("Email", [""])[0].lower()
        if (elsewhere := self._moved.get(address)) is not None:
            return autodiscover_answer(elsewhere, self._marks())
        if address not in self._store.mailboxes:
            return Response(404, (*self._marks(), ("X-CasErrorCode", "UserNotFound"), _HTML))
        return autodiscover_answer(f"https://{request.header('Host') or self.host}/EWS/Exchange.asmx", self._marks())

    def _signed_in(self, scheme: str, token: str, connection: dict[str, Any]) -> Account | None:
        """The account whose credentials a request carries, if they are right, or the connection's; every try is counted."""
        offered = {name.lower() for name in self._schemes}
        if not scheme:
            known: Account | None = connection.get("account")
            return known
        connection.pop("account", None)
        if scheme in ("ntlm", "negotiate") and scheme in offered and message_type(token) == 3:
            connection["account"] = account = self._by_ntlm(Proof.read(token))
            return account
        if scheme == "bearer" and token:
            holder = self._token_holder(token)
            self.logons.append((holder or "", holder in self._accounts))
            return self._accounts.get(holder or "")
        if scheme != "basic" or scheme not in offered:
            return None
        try:
            user, _, password = base64.b64decode(token, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        account = self._accounts.get(user.lower())
        accepted = account is not None and account.password == password
        self.logons.append((user, accepted))
        return account if accepted else None

    def _by_ntlm(self, proof: Proof) -> Account | None:
        name = proof.user.lower()
        if "@" not in name:
            name = f"{name}@{self._windows.domain}" if proof.domain.upper() in ("", self._windows.netbios_domain) else ""
        account = self._accounts.get(name)
        accepted = account is not None and proof.is_of(account.password)
        # Extended Protection refuses like a wrong password.
        accepted = accepted and (self._protected is None or proof.is_bound_to(self._protected))
        self.logons.append((proof.user, accepted))
        return account if accepted else None

    def _refusal(self, request: Request, scheme: str, token: str) -> Response:
        offered = {name.lower(): name for name in self._schemes}
        if scheme in ("ntlm", "negotiate") and scheme in offered and message_type(token) == 1:
            others = tuple(("WWW-Authenticate", name) for name in self._schemes if name == "Negotiate" and scheme == "ntlm")
            return Response(401, (("WWW-Authenticate", f"{offered[scheme]} {self._windows.challenge()}"), *others, *self._marks()))
        realm = request.header("Host").partition(":")[0] or self.host
        challenges = tuple(("WWW-Authenticate", f'Basic realm="{realm}"' if name == "Basic" else name) for name in self._schemes)
        if scheme == "bearer":
            challenges = (*self._bearer(request), *challenges)
        build = (("X-OWA-Version", self.release.version),) if self.release.names_build_when_refusing else ()
        if not self.release.has_front_end:
            return Response(401, (_HTML, *challenges, *self._marks()), _NO_ACCESS)
        about: Headers = ()
        if request.path.startswith("/autodiscover/"):
            about = (
                ("X-SOAP-Enabled", "True"),
                ("X-WSSecurity-Enabled", "True"),
                ("X-WSSecurity-For", "None"),
                ("X-OAuth-Enabled", "True"),
            )
        return Response(401, (*build, *about, *challenges, *self._marks()))

    def _bearer(self, request: Request) -> Headers:
        """The challenge to a request with an empty or wrong token: the authority, or that there is none for the domain."""
        auth = self._modern_auth
        if auth is None or not self.release.has_front_end:
            return ()
        # The newest look the mailbox's domain up, and take the host's name for it where the request names no mailbox.
        if self.release.build >= _FIRST_TO_LOOK_UP_THE_DOMAIN:
            domain = request.header("X-User-Identity").rpartition("@")[2].lower() or self.host
            if domain not in auth.domains:
                diagnosis = f'4000000;reason="Flighting is not enabled for domain \'{domain}\'.";error_category="oauth_not_available"'
                return (
                    ("WWW-Authenticate", f'Bearer client_id="{_EXCHANGE_APPLICATION}", error="invalid_token"'),
                    ("x-ms-diagnostics", diagnosis),
                )
        return (("WWW-Authenticate", auth.challenge()),)

    def _marks(self) -> Headers:
        """Headers of every answer of this server."""
        iis = (("Server", self.release.iis), ("X-Powered-By", "ASP.NET"))
        if not self.release.has_front_end:
            return iis
        return (("request-id", str(uuid.uuid4())), *iis, ("X-FEServer", self._windows.netbios_computer))

    def _back_end(self, status: int) -> Headers:
        """Headers that are added once the request has reached the mailbox server."""
        about = (("X-AspNet-Version", self.release.aspnet), ("Cache-Control", "private"))
        if not self.release.has_front_end:
            return about
        name = self._windows.netbios_computer
        return (
            ("X-CalculatedBETarget", self.host),
            ("X-BackEndHttpStatus", str(status)),
            ("X-DiagInfo", name),
            ("X-BEServer", name),
            *about,
        )

    def _not_found(self) -> Response:
        return Response(404, (_HTML, ("Server", self.release.iis), ("X-Powered-By", "ASP.NET")), _NOT_FOUND)

    def _logon_page(self) -> bytes:
        if self.release.build < (14,):
            title, style = "Microsoft Exchange - Outlook Web Access", f"/owa/{self.release.version}/themes/base/logon.css"
        elif not self.release.has_front_end:
            title, style = "Outlook Web App", f"/owa/{self.release.version}/themes/resources/owafont.css"
        else:
            title, style = "Outlook", f"/owa/auth/{self.release.update}/themes/resources/favicon.ico"
        return (
            '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN">\r\n<!-- OwaPage = ASP.auth_logon_aspx -->\r\n'
            f'<html><head><title>{title}</title><link rel="stylesheet" href="{style}"></head>'
            '<body class="signInBg"><form action="/owa/auth.owa" method="POST" name="logonForm"></form></body></html>'
        ).encode()

    def _manifest(self) -> bytes:
        # The first identity is the tool's; those of what it depends on carry other versions.
        return (
            '<?xml version="1.0" encoding="utf-8"?><asmv1:assembly manifestVersion="1.0" xmlns:asmv1="urn:schemas-microsoft-com:asm.v1" '
            'xmlns="urn:schemas-microsoft-com:asm.v2" xmlns:asmv2="urn:schemas-microsoft-com:asm.v2">'
            f'<assemblyIdentity name="microsoft.exchange.ediscovery.exporttool.application" version="{self.release.version}" '
            'publicKeyToken="b1d1a6c45aa418ce" language="neutral" processorArchitecture="msil" xmlns="urn:schemas-microsoft-com:asm.v1" />'
            '<dependency><dependentAssembly dependencyType="preRequisite" allowDelayedBinding="true">'
            '<assemblyIdentity name="Microsoft.Windows.CommonLanguageRuntime" version="4.0.30319.0" />'
            "</dependentAssembly></dependency></asmv1:assembly>"
        ).encode()


# The issuer is that of any tenant.
_BEARER = (
    f'Bearer client_id="{_EXCHANGE_APPLICATION}", trusted_issuers="00000001-0000-0000-c000-000000000000@*", '
    'token_types="app_asserted_user_v1 service_asserted_app_v1", '
    'authorization_uri="{authority}/common/oauth2/authorize"'
)

# What anybody is told of a domain; the build stands in the header whatever becomes of the question.
_FEDERATION_INFORMATION = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>'
    b'<a:Action s:mustUnderstand="1">http://schemas.microsoft.com/exchange/2010/Autodiscover/Autodiscover/GetFederationInformationResponse'
    b'</a:Action><h:ServerVersionInfo xmlns:h="http://schemas.microsoft.com/exchange/2010/Autodiscover" '
    b'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><h:MajorVersion>15</h:MajorVersion><h:MinorVersion>20</h:MinorVersion>'
    b"<h:MajorBuildNumber>9073</h:MajorBuildNumber><h:MinorBuildNumber>22</h:MinorBuildNumber><h:Version>Exchange2015</h:Version>"
    b"</h:ServerVersionInfo></s:Header><s:Body><GetFederationInformationResponseMessage "
    b'xmlns="http://schemas.microsoft.com/exchange/2010/Autodiscover"><Response xmlns:i="http://www.w3.org/2001/XMLSchema-instance">'
    b"<ErrorCode>NoError</ErrorCode><ErrorMessage/><ApplicationUri>outlook.com</ApplicationUri><Domains/>"
    b"</Response></GetFederationInformationResponseMessage></s:Body></s:Envelope>"
)

EWS_DISABLED = "EWS is disabled for this user or tenant"
EWS_BLOCKED_BY_POLICY = "EWS is blocked by policy for this user or tenant"


class ExchangeOnline(WebServer):
    """Exchange Online's EWS. It takes tokens alone: those of its accounts, by users' names or applications' ids.

    `policy_reason` is what it says where the tenant has closed EWS. The real one knows the tenant by the token; this one says it
    to everybody, so that a visitor without one can be shown it.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        *,
        policy_reason: str = "",
        authority: str = "https://login.microsoftonline.com",
        token_holder: Holder = _nobody,
        accounts: Mapping[str, Account] | None = None,
        mailboxes: Iterable[str] = (),
        on_premises: Mapping[str, str] | None = None,
    ) -> None:
        """`on_premises` are mailboxes of its tenants that live on a server of theirs, each with the origin of that."""
        super().__init__(tls)
        self._policy_reason = policy_reason
        self._on_premises = {address.lower(): origin for address, origin in (on_premises or {}).items()}
        self._bearer = _BEARER.format(authority=authority)
        self._token_holder = token_holder
        self._accounts = {name.lower(): account for name, account in (accounts or {}).items()}
        self._store = Store(EXCHANGE_ONLINE, frozenset(address.lower() for address in mailboxes))
        self.logons: deque[tuple[str, bool]] = deque(maxlen=LOGONS_KEPT)
        """The owners of received tokens, and whether they were accepted."""

    def answer(self, request: Request) -> Response:
        if request.path in ("/owa", "/owa/", LOGON_PATH):
            location = f"https://login.microsoftonline.com/common/oauth2/authorize?client_id={_EXCHANGE_APPLICATION}"
            return Response(302, (*self._marks(302), ("Location", location)))
        if request.path == "/autodiscover/autodiscover.json":
            return self._autodiscover(request)
        if request.path == "/autodiscover/autodiscover.svc" and b"GetFederationInformationRequestMessage" in request.body:
            return Response(200, (*self._marks(200), ("Content-Type", "text/xml; charset=utf-8")), _FEDERATION_INFORMATION)
        if not request.path.startswith(("/ews/", ACTIVESYNC_PATH)):
            return Response(404, self._marks(404))
        if self._policy_reason:
            return Response(403, (*self._marks(403), ("X-EWS-Policy-Reason", self._policy_reason)))
        scheme, _, token = request.header("Authorization").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return Response(401, (*self._marks(401), ("WWW-Authenticate", self._bearer)))
        account = self._accounts.get(self._token_holder(token.strip()) or "")
        self.logons.append((self._token_holder(token.strip()) or "", account is not None))
        if account is not None:
            status, envelope = self._store.answer(request.body, account)
            return Response(status, (*self._marks(status), ("Content-Type", "text/xml; charset=utf-8")), envelope)
        diagnosis = '2000001;reason="The token is malformed.";error_category="invalid_token"'
        challenge = ("WWW-Authenticate", f'{self._bearer}, error="invalid_token"')
        return Response(401, (*self._marks(401), challenge, ("x-ms-diagnostics", diagnosis)))

    def _autodiscover(self, request: Request) -> Response:
        """Version 2: those whose mailbox is not here are sent on, to their own server or, for want of one, to where they have come."""
        address = parse_qs(request.target.partition("?")[2]).get("Email", [""])[0].lower()
        if address in self._store.mailboxes:
            return autodiscover_answer(f"https://{request.header('Host')}/EWS/Exchange.asmx", self._marks(200))
        where = self._on_premises.get(address, f"https://{request.header('Host')}")
        location = f"{where}/autodiscover/autodiscover.json?Email={quote(address, safe='@')}&Protocol=EWS&RedirectCount=1"
        return Response(302, (*self._marks(302), ("Location", location)))

    def _marks(self, status: int) -> Headers:
        """The headers by which Exchange Online is known; the front end stands there twice, once for each of two front ends."""
        return (
            ("Server", "Microsoft-HTTPAPI/2.0"),
            ("request-id", str(uuid.uuid4())),
            ("X-NanoProxy", "1"),
            ("X-CalculatedFETarget", "FR3P281CU004.internal.outlook.com"),
            ("X-CalculatedBETarget", "BEZP281MB2374.DEUP281.PROD.OUTLOOK.COM"),
            ("X-BackEndHttpStatus", str(status)),
            ("X-FEProxyInfo", "FR3P281CA0105.DEUP281.PROD.OUTLOOK.COM"),
            ("X-FEEFZInfo", "HHN"),
            ("X-RUM-Validated", "1"),
            ("X-FirstHopCafeEFZ", "HHN"),
            ("X-FEServer", "FR3P281CA0105"),
            ("X-FEServer", "BE1P281CA0041"),
        )
