"""How the asynchronous service tests a mailbox at Exchange: over HTTPS, by EWS and Autodiscover."""

from __future__ import annotations

import base64
import hashlib
import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import spnego
from spnego.channel_bindings import GssChannelBindings

from probe.simulation.dynamics.alerts import Failure, Words, Workload
from probe.simulation.dynamics.candidates import (
    BASIC,
    NEGOTIATE,
    NTLM,
    SERVER_TO_SERVER,
    AsynchronousServer,
    Candidate,
    credentials_of,
    refuse_clear,
)
from probe.simulation.dynamics.mail_sessions import SUBJECT

_AGENT = "CRM/9.1 (ExchangeServicesClient/15.00.1076.004)"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
_MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
_SCHEMAS = {0: "Exchange2007", 1: "Exchange2007_SP1"}

_TRANSIENT_CODES = frozenset(
    {
        "ErrorServerBusy",
        "ErrorMailboxStoreUnavailable",
        "ErrorMailboxMoveInProgress",
        "ErrorMailboxFailover",
        "ErrorInternalServerError",
        "ErrorInternalServerTransientError",
        "ErrorExceededConnectionCount",
        "ErrorNoRespondingCASInDestinationSite",
    }
)


class _Https(http.client.HTTPSConnection):
    """A connection by the routes of the asynchronous server, without TLS for an http URL."""

    def __init__(self, server: AsynchronousServer, host: str, port: int, *, secure: bool) -> None:
        super().__init__(host, port)
        self._server = server
        self._secure = secure

    def connect(self) -> None:
        routes = self._server.routes
        self.sock = (routes.connect_secure if self._secure else routes.connect)(self.host, self.port)


@contextmanager
def _web_errors() -> Iterator[None]:
    """Raises connection errors as System.Net.WebException reports them."""
    try:
        yield
    except socket.gaierror:
        raise _of_web("NameResolutionFailure", "The remote name could not be resolved") from None
    except OverflowError:
        raise Failure(Words.LOCATION, "InvalidIncomingEmailServerProfileConfiguration", "System.UriFormatException: Invalid URI") from None
    except ssl.SSLCertVerificationError as error:
        text = f"Could not establish trust relationship for the SSL/TLS secure channel. ({error.verify_message})"
        raise _of_web("TrustFailure", text, words=Words.SECURE_CONNECTION) from None
    except ssl.SSLError:
        text = "Could not create SSL/TLS secure channel."
        raise _of_web("SecureChannelFailure", text, words=Words.SECURE_CONNECTION) from None
    except TimeoutError:
        raise _of_web("Timeout", "The operation has timed out") from None
    except ConnectionRefusedError:
        raise _of_web("ConnectFailure", "Unable to connect to the remote server") from None
    except (OSError, http.client.HTTPException):
        raise _of_web("SendFailure", "The underlying connection was closed: An unexpected error occurred on a send.") from None


def _of_web(name: str, text: str, *, words: Words = Words.ACCESS) -> Failure:
    """Errors of TLS are permanent; others may be transient."""
    details = f"System.Net.WebException: {text}"
    return Failure(words, f"Web server returned {name} exception.", details, permanent=words is Words.SECURE_CONNECTION)


def by_ews(candidate: Candidate, workload: Workload, server: AsynchronousServer) -> dict[str, Any]:
    """Tests one workload by EWS and returns the values for the mailbox's record. Raises Failure."""
    learnt = {}
    if candidate.of_profile("useautodiscover"):
        url = str(candidate.of("ewsurl") or "") or _discovered(candidate, workload, server)
        learnt["ewsurl"] = url
    else:
        outgoing = workload is Workload.OUTGOING and not candidate.of_profile("usesamesettingsforoutgoingconnections")
        url = str(candidate.of_profile(f"{'outgoing' if outgoing else 'incoming'}serverlocation") or "")
    session = _WebSession(candidate, workload, server)
    operation = {
        Workload.INCOMING: _find_folder,
        Workload.OUTGOING: _create_item,
        Workload.APPOINTMENTS: _get_folders,
    }[workload](candidate, impersonating=bool(candidate.of_side(workload, "useimpersonation")))
    status, body = session.post(url, _envelope(candidate, workload, operation))
    _judge(status, body)
    return learnt


_ADDRESSED = "<t:Mailbox><t:EmailAddress>{}</t:EmailAddress></t:Mailbox>"


def _folder(name: str, candidate: Candidate, *, impersonating: bool) -> str:
    owner = "" if impersonating else _ADDRESSED.format(escape(candidate.address))
    return f'<t:DistinguishedFolderId Id="{name}">{owner}</t:DistinguishedFolderId>'


def _find_folder(candidate: Candidate, *, impersonating: bool) -> str:
    return (
        '<m:FindFolder Traversal="Shallow"><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>'
        f"<m:ParentFolderIds>{_folder('inbox', candidate, impersonating=impersonating)}</m:ParentFolderIds></m:FindFolder>"
    )


def _get_folders(candidate: Candidate, *, impersonating: bool) -> str:
    folders = "".join(_folder(name, candidate, impersonating=impersonating) for name in ("calendar", "contacts", "tasks"))
    shape = "<m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>"
    return f"<m:GetFolder>{shape}<m:FolderIds>{folders}</m:FolderIds></m:GetFolder>"


def _create_item(candidate: Candidate, *, impersonating: bool) -> str:
    me = _ADDRESSED.format(escape(candidate.address))
    message = f"<t:Subject>{SUBJECT}</t:Subject><t:ToRecipients>{me}</t:ToRecipients><t:From>{me}</t:From>"
    return f'<m:CreateItem MessageDisposition="SendOnly"><m:Items><t:Message>{message}</t:Message></m:Items></m:CreateItem>'


def _envelope(candidate: Candidate, workload: Workload, operation: str) -> bytes:
    acting = ""
    if candidate.of_side(workload, "useimpersonation"):
        who = f"<t:ConnectingSID><t:SmtpAddress>{escape(candidate.address)}</t:SmtpAddress></t:ConnectingSID>"
        acting = f"<t:ExchangeImpersonation>{who}</t:ExchangeImpersonation>"
    schema = _SCHEMAS.get(candidate.of_profile("exchangeversion"), "Exchange2010")
    return (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{_SOAP}" xmlns:t="{_TYPES}" xmlns:m="{_MESSAGES}"><soap:Header>'
        f'<t:RequestServerVersion Version="{schema}"/>{acting}</soap:Header><soap:Body>{operation}</soap:Body></soap:Envelope>'
    ).encode()


def _judge(status: int, body: bytes) -> None:
    """Raises a Failure where EWS did not execute the request."""
    if status not in (200, 500):
        names = {302: "Redirect", 401: "401 Unauthorized", 403: "Forbidden", 404: "NotFound", 502: "BadGateway", 503: "ServiceUnavailable"}
        name = names.get(status, str(status))
        words = Words.CREDENTIALS if status == 401 else Words.SECURE_CONNECTION if status == 403 else Words.ACCESS
        details = f"System.Net.WebException: The remote server returned an error: ({status}) {name.removeprefix('401 ')}."
        raise Failure(words, f"Http server returned {name} exception.", details, permanent=status < 500)
    try:
        answer = ElementTree.fromstring(body)  # noqa: S314  # from loopback, and expat bounds entities itself
    except ElementTree.ParseError:
        raise Failure(
            Words.ACCESS, "Web server returned ProtocolError exception.", "System.InvalidOperationException", permanent=False
        ) from None
    codes = [element.text or "" for element in answer.iter() if element.tag.rpartition("}")[2] == "ResponseCode"]
    wrong = next((code for code in codes if code != "NoError"), None if codes else "ErrorInvalidResponse")
    if wrong is not None:
        texts = [e.text or "" for e in answer.iter() if e.tag.rpartition("}")[2] in ("MessageText", "Message", "faultstring")]
        details = f"System.Web.Services.Protocols.SoapException: {wrong}: {next(iter(texts), '')}"
        words = Words.ACCESS if wrong in _TRANSIENT_CODES else Words.CREDENTIALS
        raise Failure(words, f"Exchange server returned {wrong} exception.", details, permanent=wrong not in _TRANSIENT_CODES)


class _WebSession:
    """A sign-in to Exchange as the profile says."""

    def __init__(self, candidate: Candidate, workload: Workload, server: AsynchronousServer) -> None:
        self._server = server
        self._direction = workload
        self._kind = candidate.of_side(workload, "credentialretrieval")
        self._protocol = candidate.of_side(workload, "authenticationprotocol")
        self._user, self._password = credentials_of(candidate, workload, server)

    def post(self, url: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer after the sign-in; 401 where the sign-in failed."""
        with _web_errors():
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise Failure(Words.LOCATION, "InvalidIncomingEmailServerProfileConfiguration", "System.UriFormatException: Invalid URI")
            secure = parts.scheme == "https"
            refuse_clear(self._server, self._direction, secure=secure)
            connection = _Https(self._server, parts.hostname, _port_of(url, secure=secure), secure=secure)
            try:
                return self._exchange(connection, parts.path or "/", body)
            finally:
                connection.close()

    def _exchange(self, connection: _Https, path: str, body: bytes) -> tuple[int, bytes]:
        if self._kind == SERVER_TO_SERVER:
            return self._ask(connection, path, body, f"Bearer {self._server.token}")[:2]
        if not self._user:
            return self._ask(connection, path, body, "")[:2]
        scheme = {NEGOTIATE: "Negotiate", NTLM: "NTLM", BASIC: "Basic"}.get(self._protocol, "")
        if scheme in ("", "Basic"):
            status, answer, offered = self._ask(connection, path, body, "")
            if status != 401:
                return status, answer
            schemes = [each.partition(" ")[0] for each in offered]
            scheme = next((each for each in ("Negotiate", "NTLM", "Basic") if each in schemes and scheme in ("", each)), "")
            if not scheme:
                return status, answer
        if scheme == "Basic":
            pair = base64.b64encode(f"{self._user}:{self._password}".encode()).decode("ascii")
            return self._ask(connection, path, body, f"Basic {pair}")[:2]
        return self._by_ntlm(connection, path, body, scheme)

    def _by_ntlm(self, connection: _Https, path: str, body: bytes, scheme: str) -> tuple[int, bytes]:
        if connection.sock is None:
            connection.connect()
        bindings = None
        if isinstance(connection.sock, ssl.SSLSocket):
            certificate = connection.sock.getpeercert(binary_form=True) or b""
            bindings = GssChannelBindings(application_data=b"tls-server-end-point:" + hashlib.sha256(certificate).digest())
        client = spnego.client(
            self._user,
            self._password,
            hostname=connection.host,
            service="HTTP",
            protocol="ntlm",
            channel_bindings=bindings,
            options=spnego.NegotiateOptions.use_ntlm,
        )
        token = client.step()
        status, answer, offered = self._ask(connection, path, body, f"{scheme} {base64.b64encode(token or b'').decode('ascii')}")
        challenge = next((each.partition(" ")[2] for each in offered if each.startswith(f"{scheme} ")), "")
        if status != 401 or not challenge:
            return status, answer
        token = client.step(base64.b64decode(challenge))
        return self._ask(connection, path, body, f"{scheme} {base64.b64encode(token or b'').decode('ascii')}")[:2]

    def _ask(self, connection: _Https, path: str, body: bytes, authorization: str) -> tuple[int, bytes, list[str]]:
        headers = {"Content-Type": "text/xml; charset=utf-8", "User-Agent": _AGENT}
        if authorization:
            headers["Authorization"] = authorization
        connection.request("POST", path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers.get_all("WWW-Authenticate") or []


def _port_of(url: str, *, secure: bool) -> int:
    """The port of a URL; 0 for one out of range."""
    try:
        port = urlsplit(url).port
    except ValueError:
        return 0
    return port if port is not None else 443 if secure else 80


def _discovered(candidate: Candidate, workload: Workload, server: AsynchronousServer) -> str:
    """The EWS URL of Autodiscover for the mailbox, by plain XML at the two usual hosts of its domain."""
    schema = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
    request = (
        '<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">'
        f"<Request><EMailAddress>{escape(candidate.address)}</EMailAddress><AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request>"
        "</Autodiscover>"
    ).encode()
    domain = candidate.address.rpartition("@")[2]
    tried = []
    for host in (domain, f"autodiscover.{domain}"):
        try:
            status, body = _WebSession(candidate, workload, server).post(f"https://{host}/autodiscover/autodiscover.xml", request)
            found = ElementTree.fromstring(body).findtext(f".//{{{schema}}}EwsUrl") if status == 200 else None  # noqa: S314
        except (Failure, ElementTree.ParseError) as error:
            tried.append(f"{host}: {error}")
            continue
        if found:
            return found
        tried.append(f"{host}: {status}")
    raise Failure(Words.NOT_DISCOVERED, details=f"AutodiscoverException: {'; '.join(tried)}")
