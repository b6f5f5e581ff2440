"""Records what passes between the child that signs in to EWS and the server, and blocks a request that must not be sent.

A transport for `requests`, which exchangelib is made to use: it sends to one address alone, nothing more for a folder once the logon was, and
nothing at all after a refusal.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import requests

from probe.net.ews_requests import EwsRequest, EwsTrouble
from probe.net.pinned import PinnedAdapter
from probe.net.redact import Redactor
from probe.wire.exchange import soap_build
from probe.wire.lines import as_text

MAX_BODY_BYTES = 1024 * 1024
"""Of one answer, unpacked; a FindFolder answer with one folder has about 2 KiB."""
MAX_HEAD_BYTES = 64 * 1024
"""Of a body, as far as it is kept for reading; ServerVersionInfo stands in the first KiB."""
MAX_HEADER_CHARACTERS = 500
"""Of one header value; the diagnostics of Exchange Online reach 400."""

KEPT_HEADERS = frozenset(
    {
        "connection",
        "date",
        "location",
        "request-id",
        "retry-after",
        "server",
        "www-authenticate",
        "x-autodiscovery-error",
        "x-caserrorcode",
        "x-ews-policy-reason",
        "x-feserver",
        "x-ms-diagnostics",
        "x-owa-version",
    }
)
"""Headers that tell something and hold no secret: no cookies, no tokens of ours."""

_KNOWS_SCHEMA = (14, 2)
_VERSION_TYPE = b"ExchangeVersionType"  # what 2007's validator calls the attribute whose value it does not know, in every language


class SecondRequestBlocked(Exception):
    """The library wanted to send another request after the logon."""


class EwsResponseTooLong(Exception):
    """The answer is longer than any that EWS gives here."""


class HttpExchangeRecord:
    """A record of what passed over the wire, because the library's exceptions do not keep it."""

    def __init__(self, request: EwsRequest) -> None:
        self._redactor = Redactor((request.password, f"{request.username}:{request.password}"))
        self._end = time.monotonic() + request.seconds
        self.status: int | None = None
        self.headers: tuple[tuple[str, str], ...] = ()
        self.head = bytearray()
        self.logons = 0
        self._is_spent = False
        self._must_not_prove = False
        self.trouble: EwsTrouble = ""
        self.code: str | None = None
        self.back_off: float | None = None
        self.exchanges: list[tuple[str, str, int | None]] = []

    def asked(self, request: requests.PreparedRequest) -> None:
        """A request is about to be sent. Raises SecondRequestBlocked where it must not be."""
        if self._is_spent:
            raise SecondRequestBlocked
        authorization = request.headers.get("Authorization", "")
        # No proxy is ever used; who asks for a proof as one (HTTP 407) gets none.
        if (self._must_not_prove and authorization) or "Proxy-Authorization" in request.headers:
            raise SecondRequestBlocked
        if _proves_a_password(authorization):
            self.logons += 1
            self._is_spent = True
        self.exchanges.append((request.method or "", urlsplit(request.url or "").path, None))
        self.status, self.headers = None, ()
        self.head.clear()

    def next_folder(self) -> None:
        """The last folder was found, so that the account is let in, and another may be asked for."""
        self._is_spent = False
        self._must_not_prove = False
        self.trouble, self.code = "", None

    def same_logon(self) -> None:
        """Another request may be sent, and carry no second proof: that the account was let in is not known."""
        has_proved = self.logons > 0
        self.next_folder()
        self._must_not_prove = has_proved

    def older_schema(self) -> None:
        """The schema was refused, and an older one may be asked in.

        Only the answer of an older server shows for certain that the account was let in. Otherwise the next request must carry no second proof, as
        Basic would with every request, and NTLM on a connection that is not signed in.
        """
        self.next_folder()
        build = soap_build(bytes(self.head))
        self._must_not_prove = not (_VERSION_TYPE in self.head or (build is not None and build.parts < _KNOWS_SCHEMA))

    def answered(self, response: requests.Response) -> None:
        """The head of an answer came."""
        self.status = response.status_code
        self.exchanges[-1] = (*self.exchanges[-1][:2], self.status)
        self.headers = tuple(
            (str(name), self.shown(str(value))) for name, value in response.raw.headers.items() if str(name).lower() in KEPT_HEADERS
        )

    def failed(self, failure: Exception) -> None:
        """Sending or receiving broke off."""
        causes = list(_causes(failure))
        if any(isinstance(c, ssl.SSLCertVerificationError) for c in causes):
            self.trouble = "untrusted"
        elif any(isinstance(c, TimeoutError | requests.Timeout) for c in causes):
            self.trouble = "timed-out"
        elif isinstance(failure, requests.exceptions.SSLError):
            self.trouble = "tls-failed"
        elif isinstance(failure, EwsResponseTooLong):
            self.trouble = "too-long"
        else:
            self.trouble = "closed"

    def remaining(self) -> float:
        """Seconds left of the conversation."""
        return max(0.1, self._end - time.monotonic())

    def shown(self, value: str) -> str:
        """A peer's words, printable, bounded, and without the secret that they may repeat."""
        printable = as_text(value.encode("utf-8", "surrogateescape"))
        return self._redactor.clean(printable, said_by_us=False)[:MAX_HEADER_CHARACTERS]


class BoundedResponse(requests.Response):
    """An answer whose body is read up to a limit and up to a time, and whose beginning is kept."""

    record: HttpExchangeRecord

    def iter_content(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """As in requests. Past the limit it raises EwsResponseTooLong, past the time requests.Timeout."""
        if getattr(self, "_content_consumed"):  # noqa: B009 - read before; this time it comes out of memory
            yield from super().iter_content(*args, **kwargs)
            return
        length, overdue = 0, threading.Event()
        # A body that drips resets the timeout of the socket with every byte, and what its status said must not be lost with it.
        watch = threading.Timer(self.record.remaining(), self._cut_off, (overdue,))
        watch.daemon = True
        watch.start()
        try:
            for chunk in super().iter_content(*args, **kwargs):
                length += len(chunk)
                if length > MAX_BODY_BYTES:
                    raise EwsResponseTooLong
                self.record.head += chunk[: max(0, MAX_HEAD_BYTES - len(self.record.head))]
                yield chunk
            if overdue.is_set():
                raise requests.Timeout
        except (requests.RequestException, OSError, EwsResponseTooLong) as failure:
            self.record.failed(requests.Timeout() if overdue.is_set() else failure)
            self.close()
            raise
        finally:
            watch.cancel()

    def _cut_off(self, overdue: threading.Event) -> None:
        overdue.set()
        with contextlib.suppress(OSError, ValueError):  # it has just ended by itself
            self.raw.shutdown()


class RecordingAdapter(PinnedAdapter):
    """The transport to the server. It records what passes, and raises SecondRequestBlocked after the logon."""

    def __init__(self, request: EwsRequest, record: HttpExchangeRecord) -> None:
        super().__init__(request.url, request.address, request.ca_file, record.remaining, has_older_hello=request.has_older_hello)
        self._record = record

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """As in PinnedAdapter; SecondRequestBlocked after the logon."""
        self._record.asked(request)
        try:
            response = super().send(request, *args, **kwargs)
        except (requests.RequestException, OSError) as failure:
            self._record.failed(failure)
            raise
        self._record.answered(response)
        return response

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """The answer, its body bounded."""
        response = BoundedResponse()
        response.__dict__.update(super().build_response(req, resp).__dict__)
        response.record = self._record
        return response


def _proves_a_password(authorization: str) -> bool:
    """Whether an Authorization header carries a password (Basic) or a proof of one (the third message of NTLM)."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() not in ("ntlm", "negotiate"):
        return bool(authorization)
    try:
        message = base64.b64decode(token, validate=True)
    except binascii.Error:
        return True
    return not message.startswith(b"NTLMSSP\0\x01")  # MS-NLMP section 2.2.1.1: the first message holds nothing of the password


def _causes(failure: BaseException | None) -> Iterator[BaseException]:
    """An exception, and those that it came out of."""
    for _ in range(20):
        if failure is None:
            return
        yield failure
        failure = failure.__cause__ or failure.__context__
