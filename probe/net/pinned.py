"""Pins a library's own HTTP client to one address, and verifies the certificate for the name in the URL.

For libraries that make their connections themselves and run in a child process: exchangelib and msal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from probe.net.lifeline import require_parent
from probe.net.trust import verifying_context


class PinnedAdapter(HTTPAdapter):
    """Connects to one address, whatever is asked for, and verifies the certificate for the name in the URL."""

    def __init__(
        self,
        url: str,
        address: str,
        ca_file: str | None,
        remaining: Callable[[], float],
        *,
        port: int | None = None,
        system_anchors: str | None = None,
        has_older_hello: bool = False,
    ) -> None:
        """`remaining` gives the seconds that a socket may wait, asked anew for each request.

        `port` is the one to connect to, where it is not that of the URL; `system_anchors` as in `probe.net.dial.Network`, and
        `has_older_hello` as in `probe.net.trust`.
        """
        parts = urlsplit(url)
        self._name = parts.hostname or ""
        self._port = port or parts.port or 443
        self._host_header = parts.netloc
        self._address = address
        self._remaining = remaining
        # The same trust as that of `probe.net.tls` for credentials: this machine's anchors, not certifi's.
        self._context = verifying_context(ca_file, system_anchors=system_anchors, has_older_hello=has_older_hello)
        super().__init__(pool_connections=1, pool_maxsize=1, pool_block=True, max_retries=0)

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> tuple[Any, Any]:
        """Where to connect, and how to verify: the same, whatever the request says."""
        where = {"scheme": "https", "host": self._address, "port": self._port}
        return where, {"ssl_context": self._context, "cert_reqs": "CERT_REQUIRED", "server_hostname": self._name.rstrip(".")}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Adds no trust to that of the context; requests would add certifi's anchors here."""

    def send(self, request: requests.PreparedRequest, stream: bool = False, timeout: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As in requests, with the time that is left."""
        request.headers["Host"] = self._host_header
        # A request may carry a secret, which does not leave once nobody waits for its answer.
        require_parent()
        return super().send(request, stream, self._remaining(), *args, **kwargs)
