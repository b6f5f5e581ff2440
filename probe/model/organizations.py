"""An organization of Dynamics as an estate names it: by its address, and by its id and unique name."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from probe.model.endpoints import Endpoint, Security, Service, shown_url
from probe.model.values import dataclass

# The path of an organization's address: its unique name, or nothing where the organization has a host of its own.
_ORGANIZATION_PATH = re.compile(r"(?:/[A-Za-z0-9_.~%-]+)*")
_IN_CLEAR = "http://"


@dataclass(frozen=True, slots=True)
class OrganizationUrl:
    """Where an organization of Dynamics (on-premises) is: `https://crm.contoso.test/Contoso`, or a host of its own where it faces the internet."""

    endpoint: Endpoint
    """Of the service DYNAMICS; its path has no slash at its end."""
    is_plain: bool = False
    """Whether it is spoken to in clear, without TLS."""

    @property
    def origin(self) -> str:
        """The origin (scheme, host, port) as a browser writes it: the port only where it is not the scheme's default (RFC 6454)."""
        if not self.is_plain:
            return self.endpoint.origin
        host = f"[{self.endpoint.host}]" if ":" in self.endpoint.host else self.endpoint.host
        return f"{_IN_CLEAR}{host}" + ("" if self.endpoint.port == 80 else f":{self.endpoint.port}")

    def __str__(self) -> str:
        return f"{self.origin}{self.endpoint.path}"

    @classmethod
    def parse(cls, url: str) -> OrganizationUrl:
        """The organization's address that a URL names. Raises ValueError with one sentence on what would be right."""
        if "@" not in url and not url.lower().startswith(("https://", _IN_CLEAR)):
            raise ValueError(f"{shown_url(url)} must begin with https:// (or http://, with plain_http = true)")
        is_plain = url.lower().startswith(_IN_CLEAR)
        named = Endpoint.parse(f"https://{url[len(_IN_CLEAR) :]}" if is_plain else url)
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        if not _ORGANIZATION_PATH.fullmatch(path) or "/api/" in f"{path.lower()}/" or path.lower().endswith(".aspx"):
            raise ValueError(f"{shown_url(url)} must be the organization's address alone, as in https://crm.contoso.test/Contoso")
        port = 80 if is_plain and parts.port is None else named.port
        return cls(Endpoint(Service.DYNAMICS, named.host, port, Security.IMPLICIT, path), is_plain)


_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_UNIQUE_NAME = re.compile(r"[^\s\x00-\x1f]{1,160}")


@dataclass(frozen=True, slots=True)
class BoundOrganization:
    """The one organization that an estate is of."""

    id: str
    """Its GUID, in small letters."""
    name: str
    """Its unique name."""

    def __str__(self) -> str:
        return f"{self.id} {self.name}"

    @classmethod
    def parse(cls, text: str) -> BoundOrganization:
        """Out of `GUID NAME`. Raises ValueError with one sentence on what would be right."""
        guid, _, name = text.partition(" ")
        if not _GUID.fullmatch(guid) or not _UNIQUE_NAME.fullmatch(name):
            raise ValueError('must be the id of the organization and its unique name, as in "5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11 Contoso"')
        return cls(guid.lower(), name)
