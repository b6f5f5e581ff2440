"""msal, held firmly: one authority, one address, no redirect, nothing kept. Nothing else imports it.

Left to itself it asks Microsoft's own host about an authority that it does not know, and follows the token endpoint that the authority's
configuration names, to any host. Here its session leads to one origin alone; a request to another fails before it is sent.
"""

from __future__ import annotations

import ssl
import time
from typing import Any
from urllib.parse import urlsplit

import msal
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from probe.net.app_token import TokenOrder, TokenSeen
from probe.net.http_exchange import USER_AGENT
from probe.net.pinned import PinnedAdapter

MAX_BODY_BYTES = 256 * 1024
"""Of one answer; an OpenID configuration has about 2 KiB, a token 3 KiB."""


class _TooLong(Exception):
    """The answer is longer than any that an authority gives here."""


class _Session(requests.Session):
    """What msal sends its requests by: bounded, to one origin, with nothing from the environment."""

    def __init__(self, order: TokenOrder) -> None:
        super().__init__()
        self._end = time.monotonic() + order.seconds
        self.sent = 0
        self.trust_env = False
        self.headers["User-Agent"] = USER_AGENT
        self.adapters.clear()
        parts = urlsplit(order.authority)
        self.mount(f"{parts.scheme}://{parts.netloc}/", PinnedAdapter(order.authority, order.address, order.ca_file, self.remaining))

    def remaining(self) -> float:
        return max(0.1, self._end - time.monotonic())

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """As in requests, without following anything; TooLong and requests.Timeout past the bounds."""
        kwargs |= {"allow_redirects": False, "stream": True}
        response = super().request(*args, **kwargs)
        self.sent += 1
        body = bytearray()
        for chunk in response.iter_content(8192):
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise _TooLong
            if time.monotonic() > self._end:
                raise requests.Timeout
        response._content = bytes(body)
        return response


def fetch_token(order: TokenOrder) -> TokenSeen:
    """As `probe.net.app_token.fetch_token`."""
    session = _Session(order)
    try:
        credential = _credential(order)
    except ValueError:
        return TokenSeen(answer={}, trouble="certificate")
    try:
        application = msal.ConfidentialClientApplication(
            order.client,
            authority=order.authority,
            client_credential=credential,
            http_client=session,
            instance_discovery=False,
            validate_authority=False,
            token_cache=msal.TokenCache(),
        )
        answer = application.acquire_token_for_client([f"{order.resource}/.default"])
    except requests.exceptions.InvalidSchema:
        return TokenSeen(answer={}, trouble="elsewhere", requests=session.sent)
    except (requests.RequestException, OSError, ValueError, _TooLong) as failure:
        return TokenSeen(answer={}, trouble=_trouble(failure), requests=session.sent)
    finally:
        session.close()
    return TokenSeen(answer=dict(answer or {}), requests=session.sent)


def _credential(order: TokenOrder) -> Any:
    if order.certificate is None:
        return order.secret
    certificate = x509.load_pem_x509_certificate(order.certificate.encode())
    return {
        "private_key": order.certificate,
        "thumbprint": certificate.fingerprint(hashes.SHA1()).hex(),  # noqa: S303 - how Entra ID names a certificate
        "public_certificate": order.certificate,
    }


def _trouble(failure: BaseException | None) -> str:
    causes: list[BaseException] = []
    while failure is not None and len(causes) < 20:
        causes.append(failure)
        failure = failure.__cause__ or failure.__context__
    if any(isinstance(c, ssl.SSLCertVerificationError) for c in causes):
        return "untrusted"
    if any(isinstance(c, TimeoutError | requests.Timeout) for c in causes):
        return "timed-out"
    return "closed" if any(isinstance(c, requests.ConnectionError) for c in causes) else "malformed"
