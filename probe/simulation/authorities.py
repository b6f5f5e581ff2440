"""Authorities that issue tokens: one like Entra ID and one like AD FS, as documented (read 2026-11)."""

from __future__ import annotations

import hashlib
import json
import secrets
import ssl
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography import x509

from probe.model.values import dataclass
from probe.simulation.mail import LOGONS_KEPT
from probe.simulation.web import Request, Response, WebServer

LOCKED_AFTER = 10
"""Wrong passwords in a row before Entra ID's smart lockout sets in; its default."""

_JSON = (("Content-Type", "application/json; charset=utf-8"),)

_TEXTS = {
    50034: "The user account does not exist in the tenant. To sign into this application, the account must be added to the directory.",
    50053: "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
    50055: "The password is expired.",
    50056: "Invalid or null password: password doesn't exist in the directory for this user.",
    50057: "The user account is disabled.",
    50076: "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor "
    "authentication to access the resource.",
    50079: "Due to a configuration change made by your administrator, you must enroll in multi-factor authentication.",
    50105: "The signed in user is not assigned to a role for the application.",
    50126: "Error validating credentials due to invalid username or password.",
    50158: "External security challenge not satisfied.",
    53003: "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    530035: "Access has been blocked by security defaults. This is due to the request using legacy auth or being deemed unsafe by security "
    "defaults policies.",
    65001: "The user or administrator has not consented to use the application.",
    80002: "Authentication Agent's password validation request timed out.",
    90002: "Tenant not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
    700016: "Application was not found in the directory.",
    7000215: "Invalid client secret provided.",
    7000222: "The provided client secret keys are expired.",
    9001023: "The grant type is not supported over the /common or /consumers endpoints.",
}
_OF_CLIENTS = frozenset({700016, 7000215, 7000222})


@dataclass(frozen=True, slots=True)
class User:
    """A user with a password."""

    password: str
    state: int = 0
    """The error number in answer to the right password; 0 for a token."""
    federated_to: str = ""
    """The server that checks the password instead."""


@dataclass(frozen=True, slots=True)
class Client:
    """An application: public without either, else with a secret or a certificate."""

    secret: str | None = None
    certificate: bytes | None = None
    """PEM, without the key."""
    state: int = 0


class EntraAuthority(WebServer):
    """Entra ID for some tenants. It checks passwords, counts them, and locks accounts as the real one does."""

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        *,
        tenants: Mapping[str, str],
        users: Mapping[str, User],
        clients: Mapping[str, Client],
    ) -> None:
        """`tenants` by domain."""
        super().__init__(tls)
        self.passwords: deque[tuple[str, int]] = deque(maxlen=LOGONS_KEPT)
        """Every password that was received: its user and the error number in the answer, 0 for a token."""
        self.forms: deque[dict[str, str]] = deque(maxlen=LOGONS_KEPT)
        self._tenants = dict(tenants)
        self._users = {name.lower(): user for name, user in users.items()}
        self._clients = dict(clients)
        self._wrong: dict[str, int] = {}
        self._tokens: dict[str, str] = {}

    def holder(self, token: str) -> str | None:
        """The owner of a token: a user's name or an application's id; None where it was not issued."""
        return self._tokens.get(token)

    def answer(self, request: Request) -> Response:
        first, _, rest = request.path.strip("/").partition("/")
        if request.method == "GET" and rest == "v2.0/.well-known/openid-configuration":
            return self._configuration(request, first)
        if request.method == "GET" and request.path == "/getuserrealm.srf":
            return self._realm(parse_qs(request.target.partition("?")[2]).get("login", [""])[0])
        if request.method == "POST" and rest == "oauth2/v2.0/token":
            return self._token(first, {name: values[0] for name, values in parse_qs(request.body.decode()).items()}, request)
        return Response(404)

    def _configuration(self, request: Request, tenant: str) -> Response:
        identifier = self._tenants.get(tenant, tenant if tenant in self._tenants.values() else None)
        if identifier is None:
            return _refusal("invalid_tenant", 90002)
        origin = f"https://{request.header('Host')}"
        return _document(
            {
                "issuer": f"https://login.microsoftonline.com/{identifier}/v2.0",
                "authorization_endpoint": f"{origin}/{identifier}/oauth2/v2.0/authorize",
                "token_endpoint": f"{origin}/{identifier}/oauth2/v2.0/token",
                "tenant_region_scope": "EU",
                "cloud_instance_name": "microsoftonline.com",
            }
        )

    def _realm(self, login: str) -> Response:
        user = self._users.get(login.lower())
        domain = login.rpartition("@")[2].lower()
        if user is not None and user.federated_to:
            return _document({"Login": login, "NameSpaceType": "Federated", "DomainName": domain, "AuthURL": user.federated_to})
        kind = "Managed" if domain in self._tenants else "Unknown"
        return _document({"Login": login, "NameSpaceType": kind, "DomainName": domain, "FederationBrandName": "Contoso"})

    def _token(self, tenant: str, form: dict[str, str], request: Request) -> Response:
        self.forms.append(form)
        client = self._clients.get(form.get("client_id", ""))
        if tenant in ("common", "consumers"):
            return _refusal("invalid_request", 9001023)
        if tenant not in (*self._tenants, *self._tenants.values(), "organizations"):
            return _refusal("invalid_request", 90002)
        if client is None:
            return _refusal("unauthorized_client", 700016)
        if form.get("grant_type") == "client_credentials":
            code = client.state or self._by_itself(client, form, request)
            return _refusal("invalid_client", code) if code else self._given(form["client_id"])
        code = client.state or self._by_password(form.get("username", "").lower(), form.get("password", ""))
        return _refusal("invalid_client" if code in _OF_CLIENTS else "invalid_grant", code) if code else self._given(form["username"])

    def _by_password(self, name: str, password: str) -> int:
        user = self._users.get(name)
        if user is None or user.federated_to:
            code = 50034 if user is None else 50126
        elif self._wrong.get(name, 0) >= LOCKED_AFTER:
            code = 50053
        elif user.password != password:
            self._wrong[name] = self._wrong.get(name, 0) + 1
            code = 50126
        else:
            self._wrong[name] = 0
            code = user.state
        self.passwords.append((name, code))
        return code

    def _by_itself(self, client: Client, form: dict[str, str], request: Request) -> int:
        if client.certificate is None:
            return 0 if client.secret is not None and form.get("client_secret") == client.secret else 7000215
        key: Any = x509.load_pem_x509_certificate(client.certificate).public_key()
        audience = f"https://{request.header('Host')}{request.target}"
        try:
            jwt.decode(form.get("client_assertion", ""), key, algorithms=["RS256", "PS256"], audience=audience)
        except jwt.InvalidTokenError:
            return 7000215
        return 0

    def _given(self, holder: str) -> Response:
        token = secrets.token_urlsafe(48)
        self._tokens[token] = holder.lower()
        return _document({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token})


class AdfsAuthority(WebServer):
    """AD FS: one endpoint, and errors without numbers of their own.

    `clients` and `resources` are those that are registered; None where every one is taken. The farm of Windows Server 2012 R2 has no
    grant by password.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        *,
        users: Mapping[str, User],
        clients: frozenset[str] | None = None,
        resources: frozenset[str] | None = None,
        takes_passwords: bool = True,
        lifetime: int = 3600,
    ) -> None:
        super().__init__(tls)
        self.passwords: deque[tuple[str, bool]] = deque(maxlen=LOGONS_KEPT)
        self.lifetime = lifetime
        """Seconds of validity in a token; nothing here enforces them."""
        self._users = {name.lower(): user for name, user in users.items()}
        self._clients = clients
        self._resources = resources
        self._takes_passwords = takes_passwords
        self._tokens: dict[str, tuple[str, str]] = {}

    def holder(self, token: str) -> str | None:
        """The owner of a token; None where it was not issued."""
        return self._tokens.get(token, (None, ""))[0]

    def holder_at(self, resource: str) -> Holder:
        """The owner of a token for one resource; None where none was issued for it."""

        def holder(token: str) -> str | None:
            name, given_for = self._tokens.get(token, (None, ""))
            return name if given_for.rstrip("/") == resource.rstrip("/") else None

        return holder

    def revoke(self) -> None:
        """Makes every issued token invalid."""
        self._tokens.clear()

    def answer(self, request: Request) -> Response:
        if (request.method, request.path) != ("POST", "/adfs/oauth2/token"):
            return Response(404)
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if not self._takes_passwords or form.get("grant_type") != "password":
            return _refused_by_adfs(
                "unsupported_grant_type", "MSIS9611: The authorization server does not support the requested 'grant_type'."
            )
        if self._clients is not None and form.get("client_id") not in self._clients:
            return _refused_by_adfs(
                "invalid_client",
                "MSIS9607: The 'client_id' parameter in the request is invalid. No registered client is found with this identifier.",
            )
        resource = form.get("resource", "")
        if self._resources is not None and resource.rstrip("/") not in {each.rstrip("/") for each in self._resources}:
            return _refused_by_adfs(
                "invalid_resource",
                "MSIS9602: The received 'resource' parameter is invalid. The authorization server can not find a registered resource with "
                "the specified identifier.",
            )
        name = form.get("username", "").lower()
        user = self._users.get(name)
        accepted = user is not None and user.password == form.get("password")
        self.passwords.append((name, accepted))
        if not accepted:
            return _refused_by_adfs("invalid_grant", "MSIS9659: Invalid 'username' or 'password'.")
        token = hashlib.sha256(f"{name}{secrets.token_hex(8)}".encode()).hexdigest()
        self._tokens[token] = (name, resource)
        return _document({"access_token": token, "token_type": "bearer", "expires_in": self.lifetime, "resource": resource})


def _refused_by_adfs(error: str, description: str) -> Response:
    return Response(400, _JSON, json.dumps({"error": error, "error_description": description}).encode())


Holder = Callable[[str], str | None]
"""The owner of a token; None where it is unknown."""


def _document(content: dict[str, Any]) -> Response:
    return Response(200, _JSON, json.dumps(content).encode())


def _refusal(error: str, code: int) -> Response:
    content = {
        "error": error,
        "error_description": f"AADSTS{code}: {_TEXTS[code]} Trace ID: {uuid.uuid4()} Correlation ID: {uuid.uuid4()}",
        "error_codes": [code],
        "trace_id": str(uuid.uuid4()),
        "error_uri": f"https://login.microsoftonline.com/error?code={code}",
    }
    return Response(401 if error in ("invalid_client", "unauthorized_client") else 400, _JSON, json.dumps(content).encode())
