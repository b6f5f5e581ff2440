"""How the asynchronous server reaches mail servers: by names that a test leads to loopback, over TLS that it verifies as Windows does."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import field

from probe.model.values import dataclass

_LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """Every method blocks, at most `timeout` seconds at a time."""

    trust: ssl.SSLContext
    """The client's TLS settings, and the authorities that it trusts."""
    hosts: Mapping[str, str] = field(default_factory=dict)
    """The address of every host name; others do not resolve."""
    ports: Mapping[tuple[str, int], int] = field(default_factory=dict)
    """The port that really listens where a well-known one of a host is called."""
    timeout: float = 5.0

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection in clear."""
        self.check(port)
        address = host if host in _LOOPBACK else self.hosts.get(host.lower())
        if address is None:
            raise socket.gaierror(socket.EAI_NONAME, "No such host is known")
        connection = socket.create_connection((address, self.ports.get((host.lower(), port), port)), timeout=self.timeout)
        # http.client writes head and body apart, and would wait for an acknowledgement between them.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def check(self, port: int) -> None:
        """Raises OverflowError for a number that no port has."""
        if not 0 < port < 65536:
            raise OverflowError(f"Specified argument was out of the range of valid values. Parameter name: port ({port})")

    def connect_secure(self, host: str, port: int) -> ssl.SSLSocket:
        """A connection that speaks TLS at once."""
        connection = self.connect(host, port)
        try:
            return self.trust.wrap_socket(connection, server_hostname=host)
        except BaseException:
            connection.close()
            raise
