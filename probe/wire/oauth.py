"""The OAuth that a token for Exchange needs: reads which authority is named, what its documents say, and what its refusals mean.

Pure functions. Lists (`probe.tables.authorities`, the estate) decide whether a named authority may be sent anything, and by which protocol;
what a server names or says never does. What an authority says is kept unchanged, because secrets are struck out of it in that form;
`folded` then makes it fit to be shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from probe.model.characters import visible
from probe.model.estate import Endpoint, authority_endpoint
from probe.model.kinds import Challenge
from probe.model.values import dataclass

MAX_TEXT = 300
"""Characters of one text that an authority gives, as far as it is shown; an error's description has about 250."""
MAX_CODES = 8

DEFAULT_CLIENT = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""Application that a password is tried with where the estate names none: Azure CLI, which is in every tenant of Entra ID and asks for no
consent (learn.microsoft.com, "Verify first-party Microsoft applications in sign-in reports"). Its token opens no mailbox; it shows
whether the password alone is enough."""

_GUID = r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z"
_CODE = r"\bAADSTS(\d{4,7})\b"


@dataclass(frozen=True, slots=True)
class Authority:
    """An issuer of tokens, and by which protocol it is asked."""

    endpoint: Endpoint
    is_adfs: bool
    """AD FS; else Entra ID."""


def authority_of(authorization_uri: str) -> Endpoint | None:
    """Host and port that a challenge names as the authority; None where that is no https URL with a host and nothing odd about it."""
    try:
        parts = urlsplit(authorization_uri)
        if parts.scheme.lower() != "https" or "@" in parts.netloc or not authorization_uri.isprintable():
            return None
        return authority_endpoint(parts.netloc)
    except ValueError:
        return None


def named_authority(challenges: Iterable[Challenge]) -> str | None:
    """The authorization_uri of the first Bearer challenge that has one."""
    return next(
        (
            value
            for c in challenges
            if c.scheme.lower() == "bearer"
            for name, value in c.parameters
            if name.lower() == "authorization_uri" and value
        ),
        None,
    )


def trusted_tenant(challenges: Iterable[Challenge]) -> str | None:
    """The one tenant whose tokens a Bearer challenge says are trusted; None where there are several, or any."""
    issuers = [
        value for c in challenges if c.scheme.lower() == "bearer" for name, value in c.parameters if name.lower() == "trusted_issuers"
    ]
    tenants = {issuer.strip().rpartition("@")[2].lower() for value in issuers for issuer in value.split(",")}
    found = {tenant for tenant in tenants if re.match(_GUID, tenant)}
    return found.pop() if len(found) == 1 and len(tenants) == 1 else None


@dataclass(frozen=True, slots=True)
class Discovery:
    """What an OpenID configuration says."""

    issuer: str
    tenant: str | None
    """The GUID in the issuer, where there is one."""


def read_discovery(document: bytes) -> Discovery | None:
    """The issuer out of an OpenID configuration (OpenID Connect Discovery 1.0 section 3); None where it is none."""
    issuer = _text(_object(document), "issuer")
    if not issuer:
        return None
    parts = urlsplit(issuer).path.strip("/").split("/") if issuer.isprintable() else []
    return Discovery(issuer, parts[0].lower() if parts and re.match(_GUID, parts[0]) else None)


@dataclass(frozen=True, slots=True)
class Realm:
    """Who checks the password of an account: Entra ID, or a federation server."""

    kind: str
    """`managed`, `federated` or `unknown`."""
    federation_url: str
    """Where a federated account signs in; empty where that is not said."""


def read_realm(document: bytes) -> Realm | None:
    """What Entra ID's user realm document says; None where it is none."""
    answer = _object(document)
    kind = _text(answer, "NameSpaceType").lower()
    return Realm(kind, _text(answer, "AuthURL")) if kind in ("managed", "federated", "unknown") else None


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What a token endpoint answered (RFC 6749 sections 5.1 and 5.2). The token is kept out of every text."""

    token: str | None
    error: str
    """`invalid_grant` and the like; empty where there is a token, or nothing that can be read."""
    codes: tuple[int, ...]
    """Entra ID's own numbers of what is wrong."""
    description: str

    def __repr__(self) -> str:
        return f"TokenAnswer({'a token' if self.token else 'none'}, {self.codes})"


def read_token_answer(document: bytes) -> TokenAnswer:
    """The answer of a token endpoint. Never raises."""
    answer = _object(document)
    token = answer.get("access_token")
    description = _text(answer, "error_description")
    listed = answer.get("error_codes")
    codes = [code for code in listed if type(code) is int and 0 < code < 10**8] if isinstance(listed, list) else []
    codes = codes or [int(number) for number in re.findall(_CODE, description)]
    return TokenAnswer(
        token=token if isinstance(token, str) and token and token.isascii() and token.isprintable() else None,
        error=_text(answer, "error"),
        codes=tuple(dict.fromkeys(codes))[:MAX_CODES],
        description=description,
    )


def password_grant(*, client: str, username: str, password: str, scope: str, resource: str | None = None) -> bytes:
    """The form of one sign-in by user name and password (RFC 6749 section 4.3.2). Of a `resource` apart from the scope, AD FS alone knows."""
    form = {"grant_type": "password", "client_id": client, "username": username, "password": password, "scope": scope}
    return urlencode(form if resource is None else {**form, "resource": resource}).encode("ascii")


def _object(document: bytes) -> dict[str, Any]:
    try:
        read = json.loads(document)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    # JSON may escape half a character, which no encoding writes.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def folded(text: str) -> str:
    """A text as it may be shown: on one line, printable, and cut. Secrets must have been struck out of it before."""
    return visible(" ".join(text.split()), keep="")[:MAX_TEXT]
