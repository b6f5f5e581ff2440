"""requests, as alert targets are called by it: over verified TLS alone, with nothing of the environment, no redirect, and a bound on time and size.

Left to itself requests takes proxies and passwords from the environment (HTTPS_PROXY, .netrc, on Windows the registry), trusts certifi's
anchors instead of this machine's, and follows redirects to any host.
"""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import requests.sessions
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from probe.net.alert_request import BeatRequest, Delivered, DeliveryEnding
from probe.net.http_exchange import USER_AGENT
from probe.net.lifeline import require_parent
from probe.net.trust import verifying_context

MAX_BODY_BYTES = 64 * 1024
"""Of one response; targets answer with a few bytes, or an error page that nobody reads."""
LEAST_SECONDS = 0.1
"""What a socket may wait at the least: none would wait for ever."""

_LATER = frozenset({408, 425, 429, 503})
"""Statuses that say: not now (RFC 9110 section 15, RFC 8470, RFC 6585)."""
_NEVER_SENT = (
    ssl.SSLCertVerificationError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NameResolutionError,
)
"""Failures that end a request before a byte of it can have been sent."""


class ResponseTooLong(Exception):
    """The response is longer than any that a target gives."""


class NotHttps(Exception):
    """A request that would not go over TLS."""


class DeliveryCourse:
    """What came of the requests, or of the mail transactions, of one delivery."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._endings: list[Delivered] = []

    def remaining(self) -> float:
        """Seconds that a socket may wait."""
        return max(LEAST_SECONDS, self._end - time.monotonic())

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self._end

    def note(self, ending: DeliveryEnding, why: str = "") -> None:
        """Note how one request ended."""
        self._endings.append(Delivered(ending, why))

    def drawn_together(self, *, is_done: bool) -> Delivered:
        """How the delivery ended; `is_done` is apprise's own word for it."""
        kinds = {one.ending for one in self._endings}
        failed = [one for one in self._endings if one.ending is not DeliveryEnding.TAKEN]
        if is_done and kinds == {DeliveryEnding.TAKEN}:
            return Delivered(DeliveryEnding.TAKEN)
        if not failed:
            # Every response was a success by its status, and apprise read a refusal in its body.
            why = "the target's response is no confirmation" if kinds else "apprise sent nothing to it"
            return Delivered(DeliveryEnding.REFUSED, why)
        if DeliveryEnding.TAKEN in kinds:
            return Delivered(DeliveryEnding.PARTLY, f"some recipients took it; of another: {failed[0].why}")
        worst = next((one for one in failed if one.ending is DeliveryEnding.UNSEEN), failed[-1])
        return Delivered(worst.ending, worst.why)


class _TlsAdapter(HTTPAdapter):
    """Connects to the host of the URL over TLS that this machine's anchors vouch for."""

    def __init__(self, ca_file: str | None, hosts: Mapping[str, str], remaining: Callable[[], float]) -> None:
        self._context = verifying_context(ca_file)
        self._hosts = hosts
        self._remaining = remaining
        super().__init__(max_retries=0)

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> tuple[Any, Any]:
        """Where to connect, and how to verify: the same, whatever the caller says."""
        parts = urlsplit(request.url)
        if parts.scheme != "https":
            raise NotHttps
        name = parts.hostname or ""
        address, _, port = self._hosts.get(name, "").rpartition(":")
        where = {"scheme": "https", "host": address or name, "port": int(port) if port else parts.port}
        return where, {"ssl_context": self._context, "cert_reqs": "CERT_REQUIRED", "server_hostname": name.strip("[]").rstrip(".")}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Adds no trust to that of the context; requests would add certifi's anchors here."""

    def send(self, request: requests.PreparedRequest, stream: bool = False, timeout: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As in requests, with the time that is left."""
        require_parent()
        request.headers["Host"] = urlsplit(request.url or "").netloc.rpartition("@")[2]
        return super().send(request, stream, self._remaining(), *args, **kwargs)


class AlertSession(requests.Session):
    """A session over verified TLS alone, bounded, which follows nothing and takes nothing from the environment."""

    def __init__(self, course: DeliveryCourse, ca_file: str | None, hosts: Mapping[str, str]) -> None:
        super().__init__()
        self._course = course
        self.trust_env = False
        self.headers["User-Agent"] = USER_AGENT
        self.adapters.clear()
        self.mount("https://", _TlsAdapter(ca_file, hosts, course.remaining))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: nothing is followed."""

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """As in requests. What came of it is noted in the course."""
        kwargs |= {"allow_redirects": False, "stream": True, "verify": True, "proxies": {}}
        try:
            response = super().request(method, url, *args, **kwargs)
            response._content = _bounded(response, self._course)
        except (requests.RequestException, OSError, ResponseTooLong, NotHttps) as failure:
            self._course.note(*_failure(failure))
            raise requests.ConnectionError from None  # apprise's plugins know these; its words are not ours
        self._course.note(*_verdict(response.status_code))
        return response


@contextlib.contextmanager
def only_session(course: DeliveryCourse, ca_file: str | None, hosts: Mapping[str, str]) -> Iterator[None]:
    """Meanwhile, whatever calls requests in this process does so by our session."""
    before = requests.sessions.Session
    requests.sessions.Session = lambda: AlertSession(course, ca_file, hosts)  # type: ignore[assignment,misc]
    try:
        yield
    finally:
        requests.sessions.Session = before  # type: ignore[misc]


def beat(request: BeatRequest) -> Delivered:
    """As `probe.net.alert_delivery.beat`."""
    course = DeliveryCourse(request.seconds)
    is_done = False
    with contextlib.suppress(requests.RequestException), AlertSession(course, request.ca_file, request.hosts) as session:
        is_done = session.get(request.url).ok
    return course.drawn_together(is_done=is_done)


def _bounded(response: requests.Response, course: DeliveryCourse) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(8192):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise ResponseTooLong
        if course.is_over:
            raise requests.Timeout
    return bytes(body)


def _verdict(status: int) -> tuple[DeliveryEnding, str]:
    if 200 <= status < 300:
        return DeliveryEnding.TAKEN, ""
    if status in _LATER:
        return DeliveryEnding.NOT_TAKEN, f"it answered with HTTP status {status}"
    if status >= 500:
        return DeliveryEnding.UNSEEN, f"it answered with HTTP status {status}"
    what = ", which redirects elsewhere; redirects are not followed" if 300 <= status < 400 else ""
    return DeliveryEnding.REFUSED, f"it answered with HTTP status {status}{what}"


def _failure(failure: BaseException) -> tuple[DeliveryEnding, str]:
    """What a failure means. None of its words are told: they hold the URL."""
    if isinstance(
        failure, NotHttps | requests.exceptions.InvalidSchema | requests.exceptions.InvalidURL | requests.exceptions.MissingSchema
    ):
        return DeliveryEnding.REFUSED, "its URL is not one of https"
    causes = list(_causes(failure))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return DeliveryEnding.REFUSED, "its certificate is not trusted"
    if any(isinstance(cause, urllib3.exceptions.NameResolutionError) for cause in causes):
        return DeliveryEnding.NOT_TAKEN, "its host's name is not resolved"
    if any(isinstance(cause, _NEVER_SENT) for cause in causes):
        return DeliveryEnding.NOT_TAKEN, "no connection to it"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return DeliveryEnding.UNSEEN, "TLS with it failed"
    if any(isinstance(cause, TimeoutError | requests.Timeout) for cause in causes):
        return DeliveryEnding.UNSEEN, "it did not answer in time"
    return DeliveryEnding.UNSEEN, "it did not answer as HTTP does"


def _causes(failure: BaseException | None) -> Iterator[BaseException]:
    """A failure and what it came of, also where urllib3 holds that as an argument."""
    for _ in range(20):
        if failure is None:
            return
        yield failure
        inner = [getattr(failure, "reason", None), *failure.args[:1]]
        failure = failure.__cause__ or failure.__context__ or next((one for one in inner if isinstance(one, BaseException)), None)
