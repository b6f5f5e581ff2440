"""exchangelib, restricted to one endpoint, one address, one request for each folder and one logon. Nothing else imports it.

Left to itself it guesses how to sign in, tries other versions of the schema, tries a refused password again, follows
`.netrc` and proxy variables, and writes request headers into its log. All that is switched off or overridden here,
and a transport of our own makes sure of it: whatever the library wants, nothing more is sent for a folder once the logon was, and nothing at all after a refusal.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

with warnings.catch_warnings():
    # An operator cannot act on what a library's modules print while they are loaded.
    warnings.simplefilter("ignore")
    import exchangelib.transport
    import requests
    import spnego
    from exchangelib import DELEGATE, UTC, Account, Build, Configuration, Credentials, FailFast, Version
    from exchangelib.account import Identity
    from exchangelib.errors import EWSError
    from exchangelib.folders import DistinguishedFolderId
    from exchangelib.properties import Mailbox
    from exchangelib.protocol import CachingProtocol, Protocol
    from exchangelib.services import FindFolder

from probe.net.ews_record import HttpExchangeRecord, RecordingAdapter, SecondRequestBlocked
from probe.net.ews_requests import (
    OLDEST_SCHEMA,
    SCHEMA,
    TOO_NEW,
    AutodiscoverResult,
    EwsRequest,
    EwsResult,
    EwsTrouble,
    MessageRemoval,
    RemovalResult,
)
from probe.net.http_exchange import USER_AGENT
from probe.net.quiet import quiet
from probe.wire.autodiscover import POX_PATH, SOAP_PATH, autodiscover_requests
from probe.wire.ews import count_newer, delete_item, find_item, read_count, read_deleted, read_found, response_code
from probe.wire.exchange import soap_build
from probe.wire.mail_address import ascii_address
from probe.wire.ntlm import ntlm_v2_alone

_LOCKED = b"The referenced account is currently locked out"  # Windows error 1909, as IIS shows it


class _EwsHttpSession(requests.Session):
    """A session that ignores redirects, because none is followed: requests would fail on a target that is no URL."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


class FirmProtocol(Protocol):  # type: ignore[misc]
    """exchangelib's connection to a server, over our adapter alone. To be made past its cache, by `type.__call__`."""

    def __init__(self, config: Configuration, request: EwsRequest, record: HttpExchangeRecord) -> None:
        super().__init__(config=config)
        self._request = request
        self._record = record

    def raw_session(self, prefix: str, **_: Any) -> requests.Session:
        """A session without .netrc, proxies, or any way to another endpoint than the request's."""
        session = _EwsHttpSession()
        session.trust_env = False
        session.headers.update(exchangelib.transport.DEFAULT_HEADERS)
        session.headers["User-Agent"] = USER_AGENT
        if self._request.authentication == "bearer":
            session.headers["Authorization"] = f"Bearer {self._request.password}"
        session.adapters.clear()
        adapter = RecordingAdapter(self._request, self._record)
        for url in (self._request.url, urljoin(self._request.url, SOAP_PATH), urljoin(self._request.url, POX_PATH)):
            session.mount(url, adapter)
        return session


class FolderOnce(FindFolder):  # type: ignore[misc]
    """FindFolder on one folder by exactly one request, in one version of the schema."""

    def __init__(self, account: Account, request: EwsRequest, record: HttpExchangeRecord, folder: str, schema: str) -> None:
        super().__init__(account=account, page_size=1)
        self._folder = folder
        self._schema = schema
        self._request = request
        self._record = record

    def ask(self) -> None:
        """Send the request. Raises what exchangelib raises where the folder is not found."""
        for page, _ in self._get_elements(payload=self.payload()):
            if isinstance(page, Exception):
                raise page

    def payload(self) -> Any:
        """What is asked, as the library's XML."""
        where = DistinguishedFolderId(id=self._folder, mailbox=Mailbox(email_address=self._request.mailbox))
        return self.get_payload(
            folders=[where], additional_fields=None, restriction=None, shape="IdOnly", depth="Shallow", page_size=self.page_size
        )

    def _api_versions_to_try(self) -> tuple[str, ...]:
        return (self._schema,)

    @property
    def _account_to_impersonate(self) -> Identity | None:
        if not self._request.impersonate:
            return None
        # 2007 knows SmtpAddress not yet, and calls a request with it malformed.
        name = "primary_smtp_address" if self._schema == OLDEST_SCHEMA else "smtp_address"
        return Identity(**{name: self._request.mailbox})

    def _extra_headers(self) -> dict[str, str]:
        # The library's own is the address as it stands, which http.client writes as Latin-1 or not at all.
        given: dict[str, str] = super()._extra_headers()
        given.pop("X-AnchorMailbox", None)
        return given | _anchor(self._request)

    # Both are where a response code turns into an exception; further up exchangelib replaces some by others.

    def _get_soap_messages(self, body: Any) -> Any:
        with self._code_noted():
            return super()._get_soap_messages(body)

    def _get_element_container(self, message: Any, name: Any = None) -> Any:
        with self._code_noted():
            return super()._get_element_container(message, name)

    @contextlib.contextmanager
    def _code_noted(self) -> Iterator[None]:
        try:
            yield
        except EWSError as refused:
            name = type(refused).__name__
            self._record.code = name if name.startswith("Error") else None
            # Here it is the server's own; later exchangelib puts a number of its own where there is none.
            self._record.back_off = getattr(refused, "back_off", None)
            raise


def find_folders(request: EwsRequest) -> EwsResult:
    """As `probe.net.ews_session.find_folders`."""
    _require_credentials(request)
    request = _as_sent(request)
    record = HttpExchangeRecord(request)
    first, *others = request.folders
    found: list[tuple[str, str]] = []
    newer: int | str | None = None
    with quiet(), ntlm_v2_alone():
        protocol = _protocol(request, record)
        try:
            account = _account(request, protocol)
            schema = OLDEST_SCHEMA if request.is_exchange_2007 else SCHEMA
            seen = _seen(record, _find(account, request, record, first, schema))
            if seen.folder in TOO_NEW and record.logons and schema != OLDEST_SCHEMA:
                record.older_schema()
                if (came := _find(account, request, record, first, OLDEST_SCHEMA)) is not None:
                    schema, seen = OLDEST_SCHEMA, _seen(record, came)
            for name in others if seen.folder == "found" else ():
                record.next_folder()
                if (came := _find(account, request, record, name, schema)) is None:
                    break
                found.append((name, came))
            if seen.folder == "found" and len(found) == len(others):
                newer = _newer(protocol, request, record, schema)
        finally:
            protocol.close()
    return replace(seen, others=tuple(found), newer=newer, logons=record.logons, exchanges=tuple(record.exchanges))


def _newer(protocol: FirmProtocol, request: EwsRequest, record: HttpExchangeRecord, schema: str) -> int | str | None:
    """As in EwsResult, by a request of our own on the connection that is signed in; where that is signed in no more, nothing is counted."""
    if request.newer_than is None:
        return None
    if request.authentication in ("ntlm", "negotiate"):
        record.same_logon()
    else:
        record.next_folder()  # what it signs in by goes with every request
    session = protocol.get_session()
    try:
        body = count_newer(request.mailbox, request.newer_than, schema, impersonates=request.impersonate)
        is_whole = _post(session, request, record, request.url, body)
    finally:
        protocol.release_session(session)
    return read_count(bytes(record.head)) if is_whole and record.status in (200, 500) and not record.trouble else None


def rehearse() -> None:
    """Everything but the sending: what the libraries then keep is shared by the children that are forked after it."""
    request = EwsRequest(
        url="https://localhost/EWS/Exchange.asmx",
        address="127.0.0.1",
        username="nobody",
        password="none",  # noqa: S106 - it is sent nowhere
        authentication="ntlm",
        mailbox="nobody@localhost.test",
        impersonate=True,
        seconds=1.0,
    )
    record = HttpExchangeRecord(request)
    with quiet(), ntlm_v2_alone():
        protocol = _protocol(request, record)
        session = protocol.get_session()
        try:
            FolderOnce(_account(request, protocol), request, record, "inbox", SCHEMA).payload()
            body = find_item(request.mailbox, "nothing", SCHEMA, impersonates=True)
            session.prepare_request(requests.Request("POST", request.url, data=body))
            read_found(b"", "nothing")
            spnego.client(request.username, request.password, protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm).step()
        finally:
            protocol.release_session(session)
            protocol.close()


def _find(account: Account, request: EwsRequest, record: HttpExchangeRecord, folder: str, schema: str) -> str | None:
    """What came of one folder, as in EwsResult; what went wrong is in the record."""
    if not _carried_out(record, FolderOnce(account, request, record, folder, schema).ask):
        if record.trouble == "second-request":
            return None
        came = record.code or _raw_code(record)
        record.trouble = record.trouble or _trouble(record, came)
        return came
    return "found"


def _carried_out(record: HttpExchangeRecord, work: Callable[[], object]) -> bool:
    """Whether a library call succeeded. Whatever it raises after something was sent is caused by the peer's answer, which is in the record.

    What libraries raise over an answer that they did not expect is no closed list: KeyError, LookupError and errors of their own have been seen.
    """
    try:
        work()
    except SecondRequestBlocked:
        record.trouble = "second-request"
    except Exception:
        if not record.exchanges:
            raise  # nothing was even sent, so it is no doing of a peer
    else:
        return True
    return False


def _require_credentials(request: EwsRequest) -> None:
    if not request.password or not (request.username or request.authentication == "bearer"):
        # With neither, requests-ntlm would sign in as whoever runs this program.
        raise ValueError("a user name and a password are needed")
    if urlsplit(request.url).scheme != "https":
        raise ValueError("a password goes over https alone")


def take_message(taking: MessageRemoval) -> RemovalResult:
    """As `probe.net.ews_session.take_message`."""
    request = _as_sent(taking.request)
    _require_credentials(request)
    record = HttpExchangeRecord(request)
    with quiet(), ntlm_v2_alone():
        protocol = _protocol(request, record)
        session = protocol.get_session()
        try:
            taken = _taken(session, request, record, taking.subject)
        finally:
            protocol.release_session(session)
            protocol.close()
    return replace(taken, status=record.status, logons=record.logons)


def _taken(session: requests.Session, request: EwsRequest, record: HttpExchangeRecord, subject: str) -> RemovalResult:
    schema = OLDEST_SCHEMA if request.is_exchange_2007 else SCHEMA
    body = find_item(request.mailbox, subject, schema, impersonates=request.impersonate)
    trouble = _posted(session, request, record, body)
    if trouble is not None and trouble.detail in TOO_NEW and record.logons and schema != OLDEST_SCHEMA:
        record.older_schema()
        schema = OLDEST_SCHEMA
        body = find_item(request.mailbox, subject, schema, impersonates=request.impersonate)
        trouble = _posted(session, request, record, body)
    if trouble is not None:
        return trouble
    found = read_found(bytes(record.head), subject)
    if found is None:
        return RemovalResult(state="broken", detail=f"HTTP {record.status}", trouble="malformed")
    code, items = found
    if code != "NoError":
        return RemovalResult(state="refused", detail=code)
    if not items:
        return RemovalResult(state="absent")
    if len(items) > 1:
        # Two messages with 128 random bits in common are not what was sent.
        return RemovalResult(state="kept", detail="several messages have the subject")
    record.next_folder()
    body = delete_item(request.mailbox, items[0], schema, impersonates=request.impersonate)
    _posted(session, request, record, body)
    return RemovalResult(state="removed" if read_deleted(bytes(record.head)) == "NoError" else "kept")


def _posted(session: requests.Session, request: EwsRequest, record: HttpExchangeRecord, body: bytes) -> RemovalResult | None:
    """Send a request to EWS; None where EWS answered it, else why not."""
    is_whole = _post(session, request, record, request.url, body)
    # A status that is none of EWS speaks for itself, whatever the library then made of it.
    if record.trouble or record.status is None or (record.status in (200, 500) and not is_whole):
        return RemovalResult(state="broken", detail="the connection gave no whole answer", trouble=record.trouble or "malformed")
    if record.status not in (200, 500):
        return RemovalResult(state="refused", detail=f"HTTP {record.status}")
    code = _raw_code(record) if record.status == 500 else None
    return None if code is None else RemovalResult(state="refused", detail=code)


def _as_sent(request: EwsRequest) -> EwsRequest:
    """A request with its URL as requests makes it, percent-encoded and without dots for folders: it looks by that for who carries a request."""
    prepared = requests.PreparedRequest()
    prepared.prepare_url(request.url, None)
    return replace(request, url=str(prepared.url))


def _anchor(request: EwsRequest) -> dict[str, str]:
    """A hint by which Exchange finds the mailbox's server sooner; left out where no header carries the address."""
    address = ascii_address(request.mailbox)
    return {} if address is None else {"X-AnchorMailbox": address}


def _post(session: requests.Session, request: EwsRequest, record: HttpExchangeRecord, url: str, body: bytes) -> bool:
    """Send a request; whether the library completed it. The record has the answer, or what was wrong."""
    headers = {"Content-Type": "text/xml; charset=utf-8", **(_anchor(request) if url == request.url else {})}
    return _carried_out(record, lambda: session.post(url, data=body, headers=headers, allow_redirects=False, timeout=record.remaining()))


def find_directions(request: EwsRequest) -> AutodiscoverResult:
    """As `probe.net.ews_session.find_directions`."""
    _require_credentials(request)
    record = HttpExchangeRecord(request)
    found = None
    with quiet(), ntlm_v2_alone():
        protocol = _protocol(request, record)
        session = protocol.get_session()
        try:
            for path, body, read in autodiscover_requests(request.url, request.mailbox, is_exchange_2007=request.is_exchange_2007):
                if record.exchanges:
                    record.same_logon()
                is_whole = _post(session, request, record, urljoin(request.url, path), body)
                if record.status == 200 and not record.trouble:
                    found = read(bytes(record.head))
                # What broke off keeps its connection, on which the next request would wait.
                if found is not None or not is_whole or record.status == 401:
                    break
        finally:
            protocol.release_session(session)
            protocol.close()
    return AutodiscoverResult(
        directions=None if found is None else (record.shown(found.action), record.shown(found.target)),
        status=record.status,
        headers=record.headers,
        error=record.trouble or _trouble_of_directions(record),
        logons=record.logons,
        exchanges=tuple(record.exchanges),
    )


def _trouble_of_directions(record: HttpExchangeRecord) -> EwsTrouble:
    if _LOCKED in record.head:
        return "locked"
    return "no-challenge" if record.status == 401 and not record.logons else ""


def _seen(record: HttpExchangeRecord, folder: str | None) -> EwsResult:
    return EwsResult(
        status=record.status,
        headers=record.headers,
        folder=folder,
        version=None if (build := soap_build(bytes(record.head))) is None else str(build),
        back_off_seconds=record.back_off,
        error=record.trouble,
        logons=record.logons,
        exchanges=tuple(record.exchanges),
    )


# A token is written into the session's headers by FirmProtocol, so that the library has nothing to fetch or renew.
_AUTH_TYPES = {
    "basic": exchangelib.transport.BASIC,
    "ntlm": exchangelib.transport.NTLM,
    "negotiate": exchangelib.transport.NTLM,
    "bearer": exchangelib.transport.NOAUTH,
}


def _protocol(request: EwsRequest, record: HttpExchangeRecord) -> FirmProtocol:
    config = Configuration(
        service_endpoint=request.url,
        credentials=None if request.authentication == "bearer" else Credentials(request.username, request.password),
        auth_type=_AUTH_TYPES[request.authentication],
        version=Version(Build(14, 2), api_version=SCHEMA),
        retry_policy=FailFast(),
        max_connections=1,
    )
    return cast("FirmProtocol", type.__call__(FirmProtocol, config=config, request=request, record=record))


def _account(request: EwsRequest, protocol: FirmProtocol) -> Account:
    """The mailbox, as exchangelib wants it. It makes a protocol of its own, into a cache; both are dropped unused."""
    account = Account(
        primary_smtp_address=request.mailbox, access_type=DELEGATE, config=protocol.config, locale="en_US", default_timezone=UTC
    )
    CachingProtocol.clear_cache()
    account.protocol = protocol
    return account


def _trouble(record: HttpExchangeRecord, folder: str | None) -> EwsTrouble:
    if _LOCKED in record.head:
        return "locked"
    if not record.logons and record.status is not None:
        return "no-challenge"
    # 200, and 500 with a SOAP fault, are what EWS answers with; any other status speaks for itself.
    return "malformed" if folder is None and record.status in (None, 200) else ""


def _raw_code(record: HttpExchangeRecord) -> str | None:
    """The response code as it stands in the answer, for those that exchangelib does not know."""
    return response_code(bytes(record.head)) if record.status in (200, 500) else None
