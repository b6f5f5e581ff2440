"""Endpoints, and the URLs that name them.

Values only: building one resolves no name.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import sys
from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from probe.model.host_names import ascii_name
from probe.model.values import dataclass


class Service(StrEnum):
    """What an endpoint speaks."""

    EWS = "ews"
    POP3 = "pop3"
    SMTP = "smtp"
    IMAP = "imap"
    TLS = "tls"
    AUTODISCOVER = "autodiscover"
    """Never in an estate; asked about a mailbox."""
    AUTHORITY = "authority"
    """Who gives tokens; never in an estate, but named by it or by a server."""
    DYNAMICS = "dynamics"
    """The Web API of an organization. It is no endpoint of a profile: an estate names it where Dynamics' own records are read."""


class Security(StrEnum):
    """How an endpoint comes to speak TLS."""

    IMPLICIT = "implicit"
    """TLS from the first byte."""
    UPGRADE = "starttls"
    """In clear first, then upgraded by STLS or STARTTLS, if that is offered."""


@dataclass(frozen=True, slots=True)
class _UrlScheme:
    service: Service
    security: Security
    port: int | None
    """The port when the URL names none; None where one must be named."""


# RFC 1939, 2595, 6409, 8314, 9051 and the endpoint URLs of probe/CONTRACT.md, "Options".
_SCHEMES: Mapping[str, _UrlScheme] = {
    "pop3": _UrlScheme(Service.POP3, Security.UPGRADE, 110),
    "pop3s": _UrlScheme(Service.POP3, Security.IMPLICIT, 995),
    "smtp": _UrlScheme(Service.SMTP, Security.UPGRADE, 587),
    "smtps": _UrlScheme(Service.SMTP, Security.IMPLICIT, 465),
    "imap": _UrlScheme(Service.IMAP, Security.UPGRADE, 143),
    "imaps": _UrlScheme(Service.IMAP, Security.IMPLICIT, 993),
    "https": _UrlScheme(Service.EWS, Security.IMPLICIT, 443),
    "tls": _UrlScheme(Service.TLS, Security.IMPLICIT, None),
}

_SCHEME_OF = {(scheme.service, scheme.security): name for name, scheme in _SCHEMES.items()}

EWS_PATH = "/EWS/Exchange.asmx"
"""Where Exchange serves EWS; taken when an https URL names no path."""

MOST_URL_BYTES = 2048
"""Of the URL of an endpoint that an estate names, as a subject: what the API takes in a query, of which each byte may take three, and what a key of an index
of PostgreSQL has room for, beside an address: 2,704 bytes."""

# A host name as DNS and certificates know it: labels of 1 to 63 letters, digits, hyphens, and the underscores
# that Windows networks use (RFC 1123 section 2.1).
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?\Z")

# Labels that inet_aton reads as a part of an address, in decimal, octal or hexadecimal: `127.1`, `0x7f.1`, `2130706433` are addresses
# to getaddrinfo. The empty one stands behind a final dot.
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]*)\Z")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One service on one host and port."""

    service: Service
    host: str
    """Lower-case name or address; IPv6 without brackets."""
    port: int
    security: Security
    path: str = ""
    """The path of an EWS endpoint or of an organization, as written; empty for every other service."""

    @property
    def url(self) -> str:
        """The endpoint as a subject: lower-case host, port always written."""
        scheme = _SCHEME_OF.get((self.service, self.security), "https")
        # One text however often it is asked for: it is the subject of thousands of readings, and a key of many dictionaries.
        return sys.intern(f"{scheme}://{self._url_host}:{self.port}{self.path}")

    @property
    def origin(self) -> str:
        """The origin (scheme, host, port) of an HTTPS endpoint, as a browser writes it: the port only where it is not 443 (RFC 6454)."""
        return f"https://{self._url_host}" + ("" if self.port == 443 else f":{self.port}")

    @property
    def _url_host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def is_loopback(self) -> bool:
        """Whether its host can only be this machine: a loopback address, or a name that RFC 6761 keeps for one."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.removesuffix(".").rpartition(".")[2] == "localhost"

    @classmethod
    def parse(cls, url: str) -> Endpoint:
        """The endpoint that a URL names. Raises ValueError with one sentence on what would be right."""
        if "@" in url:
            # Checked first, and never repeated in the message: what stands before the @ may be a password.
            raise ValueError('a URL must not carry a user name or password; name a secret with `password = "env:NAME"`')
        if any(c.isspace() or not c.isprintable() for c in url):
            raise ValueError(f"{shown_url(url)} must not hold spaces or control characters")
        try:
            parts = urlsplit(url)
        except ValueError as wrong:
            raise ValueError(f"{shown_url(url)} is not a URL: {wrong}") from None
        try:
            port = parts.port
        except ValueError:
            raise ValueError(f"{shown_url(url)} names no valid port; a port is a number from 1 to 65535") from None
        scheme = _SCHEMES.get(parts.scheme)
        if scheme is None or "://" not in url:
            raise ValueError(f"{shown_url(url)} must begin with one of {', '.join(s + '://' for s in _SCHEMES)}")
        host = _host_of(parts, url)
        port = scheme.port if port is None else port
        if port is None:
            raise ValueError(f"{shown_url(url)} needs a port, as in tls://{host}:443")
        if not 1 <= port <= 65535:
            raise ValueError(f"{shown_url(url)} names port {port}; a port is a number from 1 to 65535")
        if parts.query or parts.fragment:
            raise ValueError(f"{shown_url(url)} must not have a query or a fragment")
        if scheme.service is Service.EWS:
            return cls(scheme.service, host, port, scheme.security, parts.path if parts.path not in ("", "/") else EWS_PATH)
        if parts.path not in ("", "/"):
            raise ValueError(f"{shown_url(url)} must not have a path; only https:// endpoints have one")
        return cls(scheme.service, host, port, scheme.security)


def endpoint_id(url: str) -> str:
    """The id of an endpoint in paths of the API and of pages: 12 hexadecimal digits of its subject (probe/CONTRACT.md, "The service")."""
    return hashlib.sha256(url.encode()).hexdigest()[:12]


def authority_endpoint(name: str) -> Endpoint:
    """The authority that `host` or `host:port` names, an IPv6 address in brackets. Raises ValueError."""
    if not set("/\\?#").isdisjoint(name):
        raise ValueError(f"{shown_url(name)} must be a host, or host:port")
    found = Endpoint.parse(f"https://{name}")
    # A final dot does not make it another host, so it must not slip past a list of hosts.
    return Endpoint(Service.AUTHORITY, found.host.rstrip("."), found.port, Security.IMPLICIT)


def _host_of(parts: SplitResult, url: str) -> str:
    host = (parts.hostname or "").lower()
    if not host:
        raise ValueError(f"{shown_url(url)} names no host")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        ascii_host = ascii_name(host)
    except UnicodeError:
        ascii_host = host
    if not _HOST_NAME.match(ascii_host) or len(ascii_host) > 253:
        raise ValueError(f"{shown_url(url)} names no valid host: {host!r}")
    if all(map(_NUMBER.match, ascii_host.split("."))):  # which a resolver reads as it likes; what IDNA made of other digits too
        raise ValueError(f"{shown_url(url)} names no valid address: {host!r}")
    return ascii_host


def shown_url(url: str) -> str:
    """The URL for a message, bounded."""
    return repr(url[:200])
