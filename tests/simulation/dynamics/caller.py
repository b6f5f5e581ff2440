"""A plain client of a Web API: http.client, and pyspnego where a password is proven."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import ssl
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import quote

import spnego
from spnego.channel_bindings import GssChannelBindings

ROOT = "/Contoso/api/data/v9.1"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Message
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.document["error"]

    @property
    def challenges(self) -> list[str]:
        return [str(each) for each in self.headers.get_all("WWW-Authenticate") or []]


def query(**options: str) -> str:
    """A query string of options whose names begin with a dollar sign."""
    return "?" + "&".join(f"${name}={quote(value)}" for name, value in options.items())


class Caller:
    """One connection. It signs in when told to, and never by itself."""

    def __init__(self, port: int, trust: ssl.SSLContext | None = None) -> None:
        if trust is None:
            self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        else:
            self._http = http.client.HTTPSConnection("127.0.0.1", port, context=trust, timeout=10)

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(self, method: str, target: str, headers: dict[str, str] | None = None, document: Any = None) -> Answer:
        sent = dict(headers or {})
        body = None
        if document is not None:
            sent.setdefault("Content-Type", "application/json")
            body = json.dumps(document).encode()
        self._http.request(method, target, body=body, headers=sent)
        answer = self._http.getresponse()
        return Answer(answer.status, answer.headers, answer.read())

    def get(self, resource: str, headers: dict[str, str] | None = None) -> Answer:
        """A resource below the root, or a link as it was given."""
        target = resource if resource.startswith("/") else f"{ROOT}/{resource}"
        return self.call("GET", target, headers)

    def sign_in(self, user: str, password: str, *, scheme: str = "NTLM", bound_to: bytes | None = None) -> Answer:
        """WhoAmI with a proof of the password, over SPNEGO or bare NTLM; the last answer."""
        bindings = None
        if bound_to is not None:
            bindings = GssChannelBindings(application_data=b"tls-server-end-point:" + hashlib.sha256(bound_to).digest())
        protocol = "ntlm" if scheme == "NTLM" else "negotiate"
        client = spnego.client(
            user,
            password,
            hostname="crm.contoso.test",
            service="http",
            protocol=protocol,
            channel_bindings=bindings,
            options=spnego.NegotiateOptions.use_negotiate if scheme != "NTLM" else spnego.NegotiateOptions.use_ntlm,
        )
        token = client.step()
        while True:
            assert token is not None
            answer = self.get("WhoAmI", {"Authorization": f"{scheme} {base64.b64encode(token).decode()}"})
            offered = [each.split(" ", 1)[1] for each in answer.challenges if each.startswith(f"{scheme} ")]
            if answer.status != 401 or not offered:
                if answer.status == 200 and offered:
                    client.step(base64.b64decode(offered[0]))
                    assert client.complete
                return answer
            token = client.step(base64.b64decode(offered[0]))

    def certificate(self) -> bytes:
        """The server's certificate, DER."""
        if self._http.sock is None:
            self._http.connect()
        assert isinstance(self._http.sock, ssl.SSLSocket)
        certificate = self._http.sock.getpeercert(binary_form=True)
        assert certificate is not None
        return certificate
