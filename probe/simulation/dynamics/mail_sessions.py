"""How the asynchronous service receives by POP3 or IMAP and sends by SMTP, with the standard library."""

from __future__ import annotations

import imaplib
import poplib
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from probe.model.values import dataclass
from probe.simulation.dynamics.alerts import Failure, Words, Workload
from probe.simulation.dynamics.candidates import AsynchronousServer, Candidate, credentials_of, refuse_clear

SUBJECT = "Your mailbox is now connected to Dynamics 365"
"""The subject of the mail that the outgoing test sends from the mailbox to itself."""

_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL"})
"""OpenSSL's reasons where a server answered without TLS; STARTTLS is then tried."""


@contextmanager
def _socket_errors(workload: Workload) -> Iterator[None]:
    """Raises connection errors as the service's socket code reports them."""
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
        # smtplib raises the same error for a silent server and for a closed connection.
        if isinstance(error.__context__, TimeoutError):
            raise _timed_out() from None
        raise _of_socket("ConnectionReset", "An existing connection was forcibly closed by the remote host") from None
    except (OSError, EOFError):
        raise _of_socket("ConnectionReset", "An existing connection was forcibly closed by the remote host") from None


def _unverified(workload: Workload) -> tuple[Words, str]:
    # For SMTP, a bad certificate and a bad password cause the same alert.
    if workload is Workload.OUTGOING:
        return Words.CREDENTIALS, "OutgoingEmailAuthenticationError"
    return Words.SECURE_CONNECTION, ""


def _timed_out() -> Failure:
    return _of_socket("TimedOut", "A connection attempt failed because the connected party did not properly respond")


def _of_socket(name: str, text: str) -> Failure:
    details = f"System.Net.Sockets.SocketException (0x80004005): {text}"
    return Failure(Words.ACCESS, f"Socket returned exception {name}.", details, permanent=False)


class _Pop3(poplib.POP3):
    """A POP3 session over the routes of the asynchronous server."""

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
    """The server of a workload, and the credentials for it."""

    host: str
    port: int
    secure: bool
    user: str
    password: str

    @classmethod
    def of(cls, candidate: Candidate, workload: Workload, server: AsynchronousServer) -> _Where:
        # Each workload has its own location, port and TLS setting, whatever else is shared.
        side = workload.value
        secure = bool(candidate.of_profile(f"{side}usessl"))
        refuse_clear(server, workload, secure=secure)
        host, port = str(candidate.of_profile(f"{side}serverlocation") or ""), int(candidate.of_profile(f"{side}portnumber") or 0)
        return cls(host, port, secure, *credentials_of(candidate, workload, server))


def receive_by_pop3(candidate: Candidate, server: AsynchronousServer) -> None:
    """Signs in and counts the messages."""
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
    """Implicit TLS, or STLS where the server begins without TLS; the choice of the real service is *unconfirmed*."""
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
    """An IMAP session over the same routes."""

    def __init__(self, server: AsynchronousServer, where: _Where, *, implicit: bool) -> None:
        self._reach: Callable[[str, int], socket.socket] = server.routes.connect_secure if implicit else server.routes.connect
        super().__init__(where.host, where.port, server.routes.timeout)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return self._reach(self.host, self.port)


def receive_by_imap(candidate: Candidate, server: AsynchronousServer) -> None:
    """Profiles have IMAP from 9.1 on; pages contradict each other on whether it is for on-premises organizations."""
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
    """An SMTP session over the same routes."""

    def __init__(self, server: AsynchronousServer, where: _Where, *, implicit: bool) -> None:
        self._reach: Callable[[str, int], socket.socket] = server.routes.connect_secure if implicit else server.routes.connect
        super().__init__(where.host, where.port, local_hostname=f"{server.name.lower()}.contoso.test", timeout=server.routes.timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._reach(host, port)

    def sign_in(self, user: str, password: str) -> None:
        """Signs in once, by one mechanism that the server offers."""
        self.user, self.password = user, password
        offered = str(self.esmtp_features.get("auth", "")).upper().split()
        if "PLAIN" in offered:
            self.auth("PLAIN", self.auth_plain)
        elif "LOGIN" in offered:
            self.auth("LOGIN", self.auth_login)
        else:
            raise smtplib.SMTPNotSupportedError("The SMTP server does not support authentication.")


def send_by_smtp(candidate: Candidate, server: AsynchronousServer) -> None:
    """Sends a mail from the mailbox to itself."""
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
    """The server's reply, beginning with its code."""
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
