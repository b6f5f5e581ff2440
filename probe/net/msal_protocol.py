"""msal, restricted to one authority, one address and one proof, with no redirect and no cache. Nothing else imports it.

Left to itself it asks Microsoft's own host about an authority that it does not know, and follows the token endpoint that the authority's
configuration names, to any host. Here its session leads to one origin alone; a request to another fails before it is sent.

The library is used for the requests. The responses are taken from our session, as they came: what the library makes of an odd response,
or raises for it, says nothing more.
"""

from __future__ import annotations

import ssl
import time
from typing import Any
from urllib.parse import urlsplit

import msal
import requests
import urllib3.exceptions
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from probe.net.http_exchange import USER_AGENT
from probe.net.pinned import PinnedAdapter
from probe.net.token_request import TokenRequest, TokenResult

MAX_BODY_BYTES = 256 * 1024
"""Of one answer; an OpenID configuration has about 2 KiB, a token 3 KiB."""

_NEVER_CONNECTED = (ssl.SSLCertVerificationError, urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
"""Failures that end a request before a byte of it can have been sent."""


class _TokenResponseTooLong(Exception):
    """The answer is longer than any that an authority gives here."""


class _SecondProof(Exception):
    """The library wanted to send the secret once more."""


class _CountingAdapter(PinnedAdapter):
    """Counts the requests that carry a proof, and sends one of them. Requests begun and requests sent are counted apart."""

    begun = 0
    proofs = 0

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """As in requests. Raises _SecondProof."""
        # Of client credentials the token request is the one POST, and the one request with a secret or an assertion (RFC 6749 section 4.4.2).
        carries_proof = request.method != "GET"
        if carries_proof and self.proofs:
            raise _SecondProof
        self.begun += 1
        self.proofs += carries_proof
        try:
            return super().send(request, *args, **kwargs)
        except requests.RequestException as failure:
            if carries_proof and any(isinstance(cause, _NEVER_CONNECTED) for cause in _causes(failure)):
                self.proofs -= 1
            raise


class _MsalHttpSession(requests.Session):
    """The session that msal sends its requests by: bounded, to one origin, with nothing from the environment. Keeps the last response."""

    def __init__(self, request: TokenRequest) -> None:
        super().__init__()
        self._end = time.monotonic() + request.seconds
        self._answered = 0
        self._last: requests.Response | None = None
        self.trust_env = False
        self.headers["User-Agent"] = USER_AGENT
        self.adapters.clear()
        parts = urlsplit(request.authority)
        self.way = _CountingAdapter(
            request.authority, request.address, request.ca_file, self.remaining, port=request.port, system_anchors=request.system_anchors
        )
        self.mount(f"{parts.scheme}://{parts.netloc}/", self.way)

    def remaining(self) -> float:
        return max(0.1, self._end - time.monotonic())

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: nothing is followed. requests would read the address even so, and fail where it cannot."""

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """As in requests, without following anything; TooLong and requests.Timeout past the bounds."""
        begun = self.way.begun
        kwargs |= {"allow_redirects": False, "stream": True}
        try:
            response = super().request(*args, **kwargs)
            self._answered += 1
            body = bytearray()
            for chunk in response.iter_content(8192):
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise _TokenResponseTooLong
                if time.monotonic() > self._end:
                    raise requests.Timeout
        except BaseException:
            # An answer to an earlier request does not speak for this one, unless this one was never begun.
            self._last = self._last if self.way.begun == begun else None
            raise
        response._content = bytes(body)
        self._last = response
        return response

    def seen(self, trouble: str) -> TokenResult:
        """What came. `trouble` is what to say of it where the last answer does not speak for itself."""
        last = self._last
        # A configuration that was given should have led on; anything else that came whole is the authority's word.
        speaks = last is not None and (self.way.proofs > 0 or last.status_code != 200)
        return TokenResult(
            answer=b"" if last is None else last.content,
            status=None if last is None else last.status_code,
            retry_after=None if last is None else last.headers.get("Retry-After"),
            trouble="" if speaks else trouble,
            requests=self._answered,
            proofs=self.way.proofs,
        )


def fetch_token(request: TokenRequest) -> TokenResult:
    """As `probe.net.app_token.fetch_token`."""
    try:
        credential = _credential(request)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return TokenResult(trouble="certificate")
    session = _MsalHttpSession(request)
    try:
        application = msal.ConfidentialClientApplication(
            request.client,
            authority=request.authority,
            client_credential=credential,
            http_client=session,
            instance_discovery=False,
            validate_authority=False,
            # No region's host either, which an environment variable could name (MSAL_FORCE_REGION).
            azure_region=msal.ConfidentialClientApplication.DISABLE_MSAL_FORCE_REGION,
            token_cache=msal.TokenCache(),
        )
        application.acquire_token_for_client([f"{request.resource}/.default"], **_more(request))
    except Exception as failure:
        # Once a request was begun, whatever a library raises is the doing of whoever answered it.
        if not session.way.begun and not isinstance(failure, requests.RequestException):
            raise
        return session.seen(_trouble(failure))
    finally:
        session.close()
    return session.seen("malformed")


def _more(request: TokenRequest) -> dict[str, Any]:
    return {"data": {"resource": request.resource}} if request.is_adfs else {}


def _credential(request: TokenRequest) -> Any:
    """What msal signs in with. Raises ValueError, TypeError or UnsupportedAlgorithm where our certificate and its key are none."""
    if request.certificate is None:
        return request.secret
    pem = request.certificate.encode()
    certificate = x509.load_pem_x509_certificate(pem)
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, rsa.RSAPrivateKey) or key.public_key() != certificate.public_key():
        raise ValueError("the key is not RSA, or not that of the certificate")
    return {
        "private_key": request.certificate,
        "thumbprint": certificate.fingerprint(hashes.SHA1()).hex(),  # noqa: S303 - how Entra ID names a certificate
        "public_certificate": request.certificate,
    }


def _causes(failure: BaseException | None) -> list[BaseException]:
    """A failure and what it came of, also where urllib3 holds that as an argument."""
    causes: list[BaseException] = []
    while failure is not None and len(causes) < 20:
        causes.append(failure)
        reason = getattr(failure, "reason", None)
        failure = failure.__cause__ or failure.__context__ or (reason if isinstance(reason, BaseException) else None)
    return causes


def _trouble(failure: BaseException) -> str:
    if isinstance(failure, requests.exceptions.InvalidSchema):
        return "elsewhere"
    causes = _causes(failure)
    if any(isinstance(c, ssl.SSLCertVerificationError) for c in causes):
        return "untrusted"
    if any(isinstance(c, TimeoutError | requests.Timeout) for c in causes):
        return "timed-out"
    return "closed" if any(isinstance(c, requests.ConnectionError) for c in causes) else "malformed"
