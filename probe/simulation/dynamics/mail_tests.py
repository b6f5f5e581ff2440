"""What the asynchronous service does to test a mailbox: it really signs in, receives, sends and looks, by the standard library alone.

Nothing here is shared with the probe, so that a prediction and an outcome are found by two ways. Which errors are transient is known of
network errors and of busy servers; that a certificate or a wrong host name is permanent is *unconfirmed*.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import imaplib
import poplib
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import spnego
from spnego.channel_bindings import GssChannelBindings

from probe.model.values import dataclass
from probe.simulation.dynamics.alerts import Failure, Words, Workload
from probe.simulation.dynamics.metadata import MAILBOX, PROFILE
from probe.simulation.dynamics.organization import Oddity
from probe.simulation.dynamics.routes import Routes

SUBJECT = "Your mailbox is now connected to Dynamics 365"
"""Of the mail that the outgoing test sends from the mailbox to itself."""

EXCHANGE, POP3_SMTP, EXCHANGE_HYBRID, EXCHANGE_ONLINE, IMAP_SMTP = 0, 1, 2, 3, 4
_MAIL_ONLY = (POP3_SMTP, IMAP_SMTP)
AUTO_DETECT, NEGOTIATE, NTLM, BASIC = 0, 1, 2, 3
OF_MAILBOX, OF_PROFILE, SERVER_TO_SERVER, WINDOWS, ANONYMOUS = 0, 1, 2, 3, 4
_APPROVED = 1

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

_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL"})
"""OpenSSL's reasons where a server spoke in clear, and is therefore asked to upgrade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsynchronousServer:
    """The asynchronous server, as far as tests of mailboxes depend on it."""

    routes: Routes
    service_account: tuple[str, str] = ("", "")
    """Name and password of the account that the service runs as: Windows integrated authentication."""
    token: str = ""
    """What server-to-server authentication signs in with."""
    allows_clear: bool = False
    """AllowNonSSLEmail: whether mail may go over a channel without TLS."""
    name: str = "CRMASYNC01"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mailbox with its profile, as the records stand when the test begins."""

    mailbox: Mapping[str, Any]
    profile: Mapping[str, Any] | None
    oddity: Oddity | None = None
    claimed_elsewhere: bool = False

    def of(self, name: str) -> Any:
        """A value of the mailbox."""
        return _value(self.mailbox, name, MAILBOX.attributes)

    def of_profile(self, name: str) -> Any:
        """A value of the profile."""
        return _value(self.profile or {}, name, PROFILE.attributes)

    def of_side(self, workload: Workload, name: str) -> Any:
        """A value that the profile has for each workload; the incoming one where both have the same, and for appointments."""
        outgoing = workload is Workload.OUTGOING and not self.of_profile("usesamesettingsforoutgoingconnections")
        return self.of_profile(("outgoing" if outgoing else "incoming") + name)

    @property
    def address(self) -> str:
        return str(self.of("emailaddress") or "")


def _value(row: Mapping[str, Any], name: str, attributes: tuple[Any, ...]) -> Any:
    return row.get(name, next(attribute.default for attribute in attributes if attribute.name == name))


def workloads_of(candidate: Candidate) -> list[Workload]:
    """The workloads that server-side synchronization serves."""
    methods = {
        Workload.INCOMING: ("incomingemaildeliverymethod", 2),
        Workload.OUTGOING: ("outgoingemaildeliverymethod", 2),
        Workload.APPOINTMENTS: ("actdeliverymethod", 1),
    }
    return [workload for workload, (name, method) in methods.items() if candidate.of(name) == method]


def run(candidate: Candidate, workload: Workload, server: AsynchronousServer) -> dict[str, Any]:
    """Tests one workload; what has been learnt for the mailbox's record. A failure is raised."""
    _check_records(candidate, workload)
    learnt: dict[str, Any] = {}
    if candidate.of_profile("servertype") in _MAIL_ONLY:
        receive = _receive_by_pop3 if candidate.of_profile("servertype") == POP3_SMTP else _receive_by_imap
        test = receive if workload is Workload.INCOMING else _send_by_smtp
        test(candidate, server)
    else:
        learnt = _by_ews(candidate, workload, server)
    if workload is Workload.INCOMING and candidate.oddity is Oddity.PLUG_IN_ABORTS:
        code = "Exchange server returned UnknownIncomingEmailIntegrationError -2147220891 exception."
        raise Failure(Words.UNKNOWN, code, "Crm.80040265.ISV code aborted the operation.")
    if workload is Workload.APPOINTMENTS:
        if candidate.oddity is Oddity.OWNER_LACKS_PRIVILEGES:
            code = "Crm.80048306.Not enough privilege to access the Microsoft Dynamics 365 object or perform the requested operation."
            raise Failure(Words.NO_PERMISSIONS, code, "Microsoft.Crm.CrmSecurityException: SecLib::AccessCheckEx failed.")
        learnt |= {"isactsyncorgflagset": True, "orgmarkedasprimaryforexchangesync": True}
    return learnt


def _check_records(candidate: Candidate, workload: Workload) -> None:
    """What fails before any server is called."""
    side = "Outgoing" if workload is Workload.OUTGOING else "Incoming"
    if candidate.profile is None or candidate.of_profile("statecode") != 0:
        raise Failure(Words.NO_PROFILE, f"Invalid{side}EmailServerProfile")
    if candidate.of("emailrouteraccessapproval") != _APPROVED:
        raise Failure(Words.NOT_APPROVED)
    if candidate.of_profile("servertype") == EXCHANGE_ONLINE and not candidate.of("isemailaddressapprovedbyo365admin"):
        raise Failure(Words.NEEDS_ADMINISTRATOR, f"{side}EmailS2SApprovalNeeded")
    if candidate.of_profile("servertype") in _MAIL_ONLY and workload is Workload.APPOINTMENTS:
        raise Failure(Words.NOT_SUPPORTED)
    if workload is Workload.APPOINTMENTS and candidate.claimed_elsewhere and not candidate.of("orgmarkedasprimaryforexchangesync"):
        raise Failure(Words.OTHER_ORGANIZATION)


def _credentials(candidate: Candidate, workload: Workload, server: AsynchronousServer) -> tuple[str, str]:
    """Name and password that the profile says to use; empty for none."""
    kind = candidate.of_side(workload, "credentialretrieval")
    if kind == OF_MAILBOX and candidate.of("allowemailconnectortousecredentials"):
        return str(candidate.of("username") or ""), str(candidate.of("password") or "")
    if kind == OF_PROFILE:
        return str(candidate.of_side(workload, "username") or ""), str(candidate.of_side(workload, "password") or "")
    if kind == WINDOWS and candidate.of_profile("servertype") in _MAIL_ONLY and workload is Workload.INCOMING:
        raise Failure(Words.CREDENTIALS)
    return server.service_account if kind == WINDOWS else ("", "")


@contextmanager
def _socket_errors(workload: Workload) -> Iterator[None]:
    """Errors of connections as the service's own socket code tells them."""
    side = "Outgoing" if workload is Workload.OUTGOING else "Incoming"
    named = f"Invalid{side}EmailServerProfileConfiguration"
    try:
        yield
    except socket.gaierror:
        details = "System.Net.Sockets.SocketException (0x80004005): No such host is known"
        raise Failure(Words.LOCATION, f"Socket returned exception {named} HostNotFound.", details) from None
    except OverflowError as error:
        raise Failure(Words.LOCATION, named, f"System.ArgumentOutOfRangeException: {error}") from None
    except ssl.SSLCertVerificationError as error:
        text = "System.Security.Authentication.AuthenticationException: The remote certificate is invalid according to the validation procedure."
        raise Failure(*_unverified(workload), f"{text} ({error.verify_message})") from None
    except ssl.SSLError as error:
        text = "System.Security.Authentication.AuthenticationException: A call to SSPI failed, see inner exception."
        raise Failure(*_unverified(workload), f"{text} ({error.reason})") from None
    except TimeoutError:
        raise _timed_out() from None
    except ConnectionRefusedError:
        raise _of_socket("ConnectionRefused", "No connection could be made because the target machine actively refused it") from None
    except smtplib.SMTPServerDisconnected as error:
        # smtplib makes one error of a server that is silent and of one that has gone.
        if isinstance(error.__context__, TimeoutError):
            raise _timed_out() from None
        raise _of_socket("ConnectionReset", "An existing connection was forcibly closed by the remote host") from None
    except (OSError, EOFError):
        raise _of_socket("ConnectionReset", "An existing connection was forcibly closed by the remote host") from None


def _unverified(workload: Workload) -> tuple[Words, str]:
    # Of SMTP, one alert stands for a bad certificate and for a bad password.
    if workload is Workload.OUTGOING:
        return Words.CREDENTIALS, "OutgoingEmailAuthenticationError"
    return Words.SECURE_CONNECTION, ""


def _timed_out() -> Failure:
    return _of_socket("TimedOut", "A connection attempt failed because the connected party did not properly respond")


def _of_socket(name: str, text: str) -> Failure:
    details = f"System.Net.Sockets.SocketException (0x80004005): {text}"
    return Failure(Words.ACCESS, f"Socket returned exception {name}.", details, permanent=False)


def _refuse_clear(server: AsynchronousServer, workload: Workload, *, secure: bool) -> None:
    if not secure and not server.allows_clear:
        raise Failure(Words.SECURE_CONNECTION, details="AllowNonSSLEmail is false.")


class _Pop3(poplib.POP3):
    """A session whose connection comes by the routes of the asynchronous server."""

    def __init__(self, server: AsynchronousServer, where: _Where, *, implicit: bool) -> None:
        self._reach: Callable[[str, int], socket.socket] = server.routes.connect_secure if implicit else server.routes.connect
        try:
            super().__init__(where.host, where.port, server.routes.timeout)
        except BaseException:
            if hasattr(self, "sock"):
                self.close()
            raise

    def _create_socket(self, timeout: float) -> socket.socket:
        return self._reach(self.host, self.port)


@dataclass(frozen=True, slots=True)
class _Where:
    """Where a workload of a profile leads, and with which credentials."""

    host: str
    port: int
    secure: bool
    user: str
    password: str

    @classmethod
    def of(cls, candidate: Candidate, workload: Workload, server: AsynchronousServer) -> _Where:
        # Location, port and TLS are each workload's own, whatever is shared: no server is one for both.
        side = workload.value
        secure = bool(candidate.of_profile(f"{side}usessl"))
        _refuse_clear(server, workload, secure=secure)
        host, port = str(candidate.of_profile(f"{side}serverlocation") or ""), int(candidate.of_profile(f"{side}portnumber") or 0)
        return cls(host, port, secure, *_credentials(candidate, workload, server))


def _receive_by_pop3(candidate: Candidate, server: AsynchronousServer) -> None:
    workload = Workload.INCOMING
    where = _Where.of(candidate, workload, server)
    with _socket_errors(workload):
        try:
            session = _pop3_session(server, where)
            try:
                session.user(where.user)
                session.pass_(where.password)
                session.stat()
                session.quit()
            finally:
                session.close()
        except poplib.error_proto as error:
            said = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
            transient = any(word in said for word in ("[IN-USE]", "[SYS/TEMP]", "[LOGIN-DELAY]"))
            raise Failure(Words.CREDENTIALS, details=said, permanent=not transient) from None


def _pop3_session(server: AsynchronousServer, where: _Where) -> _Pop3:
    """TLS at once, or by STLS where the server speaks in clear first; the real one's choice is *unconfirmed*."""
    if not where.secure:
        return _Pop3(server, where, implicit=False)
    try:
        return _Pop3(server, where, implicit=True)
    except ssl.SSLError as error:
        if error.reason not in _NOT_TLS:
            raise
    session = _Pop3(server, where, implicit=False)
    try:
        session.stls(server.routes.trust)
    except BaseException:
        session.close()
        raise
    return session


class _Imap(imaplib.IMAP4):
    """The same for IMAP."""

    def __init__(self, server: AsynchronousServer, where: _Where, *, implicit: bool) -> None:
        self._reach: Callable[[str, int], socket.socket] = server.routes.connect_secure if implicit else server.routes.connect
        super().__init__(where.host, where.port, server.routes.timeout)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return self._reach(self.host, self.port)


def _receive_by_imap(candidate: Candidate, server: AsynchronousServer) -> None:
    """IMAP stands in profiles from 9.1 on; pages contradict each other on whether it is for on-premises organizations."""
    workload = Workload.INCOMING
    where = _Where.of(candidate, workload, server)
    with _socket_errors(workload):
        try:
            session = _imap_session(server, where)
            try:
                session.login(where.user, where.password)
                session.select("INBOX", readonly=True)
            finally:
                session.logout()
        except imaplib.IMAP4.abort as error:
            if isinstance(error.__context__, TimeoutError):
                raise _timed_out() from None
            raise _of_socket("ConnectionReset", "An existing connection was forcibly closed by the remote host") from None
        except imaplib.IMAP4.error as error:
            raise Failure(Words.CREDENTIALS, details=str(error)) from None


def _imap_session(server: AsynchronousServer, where: _Where) -> _Imap:
    if not where.secure:
        return _Imap(server, where, implicit=False)
    try:
        return _Imap(server, where, implicit=True)
    except ssl.SSLError as error:
        if error.reason not in _NOT_TLS:
            raise
    session = _Imap(server, where, implicit=False)
    try:
        session.starttls(server.routes.trust)
    except BaseException:
        session.shutdown()
        raise
    return session


class _Smtp(smtplib.SMTP):
    """The same for SMTP."""

    def __init__(self, server: AsynchronousServer, where: _Where, *, implicit: bool) -> None:
        self._reach: Callable[[str, int], socket.socket] = server.routes.connect_secure if implicit else server.routes.connect
        super().__init__(where.host, where.port, local_hostname=f"{server.name.lower()}.contoso.test", timeout=server.routes.timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._reach(host, port)

    def sign_in(self, user: str, password: str) -> None:
        """One try, by one mechanism, as the server offers them."""
        self.user, self.password = user, password
        offered = str(self.esmtp_features.get("auth", "")).upper().split()
        if "PLAIN" in offered:
            self.auth("PLAIN", self.auth_plain)
        elif "LOGIN" in offered:
            self.auth("LOGIN", self.auth_login)
        else:
            raise smtplib.SMTPNotSupportedError("The SMTP server does not support authentication.")


def _send_by_smtp(candidate: Candidate, server: AsynchronousServer) -> None:
    workload = Workload.OUTGOING
    where = _Where.of(candidate, workload, server)
    with _socket_errors(workload):
        server.routes.check(where.port)  # smtplib takes 0 for its default
        try:
            with _smtp_session(server, where) as session:
                session.ehlo_or_helo_if_needed()
                if where.user:
                    session.sign_in(where.user, where.password)
                session.sendmail(
                    candidate.address,
                    [candidate.address],
                    f"From: {candidate.address}\r\nTo: {candidate.address}\r\nSubject: {SUBJECT}\r\n\r\n",
                )
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError) as error:
            raise Failure(Words.CREDENTIALS, "OutgoingEmailAuthenticationError", _of_mailkit("AuthenticationException", error)) from None
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPException as error:
            permanent = not _said(error).startswith("4")
            raise Failure(Words.UNKNOWN, details=_of_mailkit("SmtpCommandException", error), permanent=permanent) from None


def _smtp_session(server: AsynchronousServer, where: _Where) -> _Smtp:
    if not where.secure:
        return _Smtp(server, where, implicit=False)
    try:
        return _Smtp(server, where, implicit=True)
    except ssl.SSLError as error:
        if error.reason not in _NOT_TLS:
            raise
    session = _Smtp(server, where, implicit=False)
    try:
        session.starttls(context=server.routes.trust)
    except BaseException:
        session.close()
        raise
    return session


def _said(error: smtplib.SMTPException) -> str:
    """What the server said, with its number first."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        return f"{code}: {said.decode('utf-8', 'replace')}"
    if isinstance(error, smtplib.SMTPResponseException):
        said_by = error.smtp_error
        return f"{error.smtp_code}: {said_by.decode('utf-8', 'replace') if isinstance(said_by, bytes) else said_by}"
    return str(error)


def _of_mailkit(name: str, error: smtplib.SMTPException) -> str:
    kind = "MailKit.Security" if name == "AuthenticationException" else "MailKit.Net.Smtp"
    return f"{kind}.{name}: {_said(error)}"


class _Https(http.client.HTTPSConnection):
    """A connection by the routes of the asynchronous server, in clear for an http URL."""

    def __init__(self, server: AsynchronousServer, host: str, port: int, *, secure: bool) -> None:
        super().__init__(host, port)
        self._server = server
        self._secure = secure

    def connect(self) -> None:
        routes = self._server.routes
        self.sock = (routes.connect_secure if self._secure else routes.connect)(self.host, self.port)


@contextmanager
def _web_errors() -> Iterator[None]:
    """Errors of connections as System.Net.WebException tells them."""
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
    """What has to do with TLS stays wrong, and is permanent; the rest may pass."""
    details = f"System.Net.WebException: {text}"
    return Failure(words, f"Web server returned {name} exception.", details, permanent=words is Words.SECURE_CONNECTION)


def _by_ews(candidate: Candidate, workload: Workload, server: AsynchronousServer) -> dict[str, Any]:
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
    """Whether EWS did what was asked."""
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
        self._user, self._password = _credentials(candidate, workload, server)

    def post(self, url: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer, once signed in; 401 where that did not come about."""
        with _web_errors():
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise Failure(Words.LOCATION, "InvalidIncomingEmailServerProfileConfiguration", "System.UriFormatException: Invalid URI")
            secure = parts.scheme == "https"
            _refuse_clear(self._server, self._direction, secure=secure)
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
    """The port of a URL; one out of range is as wrong as port 0."""
    try:
        port = urlsplit(url).port
    except ValueError:
        return 0
    return port if port is not None else 443 if secure else 80


def _discovered(candidate: Candidate, workload: Workload, server: AsynchronousServer) -> str:
    """The EWS URL that Autodiscover has for the mailbox, by plain XML at the two hosts that its domain gives."""
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
