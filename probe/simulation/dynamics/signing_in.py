"""The sign-in at IIS: Windows authentication, which signs in the connection, and tokens, which sign in one request.

Negotiate takes NTLM bare or in SPNEGO (RFC 4178). There is no KDC here: of Kerberos, only tickets that a test declares are known.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import field

from spnego._context import GSSMech
from spnego._spnego import NegState, NegTokenInit, NegTokenResp, pack_mech_type_list, unpack_token

from probe.model.values import dataclass
from probe.simulation.authorities import Holder
from probe.simulation.dynamics.organization import SystemUser
from probe.simulation.mail import LOGONS_KEPT
from probe.simulation.ntlm import Proof, WindowsHost, message_type
from probe.simulation.web import Request

Challenges = tuple[tuple[str, str], ...]
"""Headers of a 401."""

_NTLM = GSSMech.ntlm.value


class NotSignedIn(Exception):
    """The request is answered with 401 and these challenges."""

    def __init__(self, challenges: Challenges) -> None:
        super().__init__("not signed in")
        self.challenges = challenges


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Windows authentication of a site."""

    host: WindowsHost
    schemes: tuple[str, ...] = ("Negotiate", "NTLM")
    certificate: bytes = b""
    """The certificate (DER) that channels are bound to."""
    protection: str = "off"
    """Extended Protection: `off`, `allowed` (a binding must be right where there is one), `required`."""
    tickets: Mapping[bytes, str] = field(default_factory=dict)
    """The owner of each Kerberos token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Tokens of an AD FS, for an internet-facing deployment."""

    holder: Holder
    resource: str
    authority: str = "https://adfs.contoso.test/adfs/oauth2/authorize"

    def challenge(self, error: str = "") -> Challenges:
        why = f', error="{error}"' if error else ""
        return (("WWW-Authenticate", f"Bearer authorization_uri={self.authority}, resource_id={self.resource}{why}"),)


class Door:
    """The sign-in of users. `logons` has every try: the user name and whether it succeeded."""

    def __init__(self, users: Iterable[SystemUser], *, windows: Windows | None, claims: Claims | None) -> None:
        self.logons: deque[tuple[str, bool]] = deque(maxlen=LOGONS_KEPT)
        self._users = {name.lower(): user for user in users for name in (user.name, user.principal_name) if name}
        self._windows = windows
        self._claims = claims

    def signed_in(self, request: Request) -> tuple[SystemUser, Challenges]:
        """The user of a request, and the headers of the answer that end the sign-in."""
        scheme, _, text = request.header("Authorization").partition(" ")
        scheme, text = scheme.lower(), text.strip()
        if scheme == "bearer" and self._claims is not None:
            return self._by_token(text), ()
        if scheme in ("ntlm", "negotiate") and self._windows is not None:
            if scheme not in {each.lower() for each in self._windows.schemes}:
                raise NotSignedIn(self._offers())
            return self._by_windows(self._windows, scheme, text, request)
        known: SystemUser | None = request.connection.get("user")
        if known is None or scheme:
            raise NotSignedIn(self._offers())
        return known, ()

    def _offers(self) -> Challenges:
        windows = tuple(("WWW-Authenticate", scheme) for scheme in self._windows.schemes) if self._windows else ()
        return windows + (self._claims.challenge() if self._claims else ())

    def _by_token(self, token: str) -> SystemUser:
        assert self._claims is not None
        name = self._claims.holder(token)
        user = self._users.get((name or "").lower())
        self.logons.append((name or "", user is not None))
        if user is None:
            raise NotSignedIn(self._claims.challenge("invalid_token"))
        return user

    def _by_windows(self, windows: Windows, scheme: str, text: str, request: Request) -> tuple[SystemUser, Challenges]:
        state = request.connection
        state.pop("user", None)
        name = next(each for each in windows.schemes if each.lower() == scheme)
        if message_type(text) == 1:
            state["challenged"] = True
            raise NotSignedIn((("WWW-Authenticate", f"{name} {windows.host.challenge()}"),))
        if message_type(text) == 3:
            state["user"] = user = self._proven(windows, text, state)[0]
            return user, ()
        if scheme != "negotiate":
            raise NotSignedIn(self._offers())
        user, answer = self._by_spnego(windows, text, state)
        state["user"] = user
        return user, (("WWW-Authenticate", f"{name} {answer}"),) if answer else ()

    def _proven(self, windows: Windows, text: str, state: dict[str, object]) -> tuple[SystemUser, Proof]:
        """The user who wrote an NTLM proof that answers this connection's challenge."""
        proof = Proof.read(text)
        name = proof.user if "@" in proof.user or not proof.domain else f"{proof.domain}\\{proof.user}"
        user = self._users.get(name.lower())
        bound = windows.protection == "off" or proof.is_bound_to(windows.certificate)
        if windows.protection == "allowed" and not proof.is_bound:
            bound = True
        # A wrong binding is refused like a wrong password.
        accepted = (
            user is not None and bool(user.password) and proof.is_of(user.password) and bound and bool(state.pop("challenged", False))
        )
        self.logons.append((name, accepted))
        if user is None or not accepted:
            raise NotSignedIn(self._offers())
        return user, proof

    def _by_spnego(self, windows: Windows, text: str, state: dict[str, object]) -> tuple[SystemUser, str]:
        try:
            raw = base64.b64decode(text, validate=True)
            token = None if raw in windows.tickets else unpack_token(raw)
        except (binascii.Error, ValueError, struct.error, IndexError):
            raise NotSignedIn(self._offers()) from None
        if isinstance(token, NegTokenInit):
            return self._by_first_token(windows, token, state)
        if isinstance(token, NegTokenResp) and token.response_token:
            inner = base64.b64encode(token.response_token).decode("ascii")
            if message_type(inner) == 1:
                state["challenged"] = True
                raise NotSignedIn(self._spnego(windows, NegState.accept_incomplete, token=base64.b64decode(windows.host.challenge())))
            user, proof = self._proven(windows, inner, state)
            mechanisms = state.get("mechanisms")
            signature = None
            if token.mech_list_mic and isinstance(mechanisms, list):
                signature = proof.signature(user.password, pack_mech_type_list(mechanisms))
            answer = NegTokenResp(neg_state=NegState.accept_complete, mech_list_mic=signature).pack()
            return user, base64.b64encode(answer).decode("ascii")
        return self._by_ticket(windows, raw), ""

    def _by_first_token(self, windows: Windows, token: NegTokenInit, state: dict[str, object]) -> tuple[SystemUser, str]:
        """What a client begins with: its mechanisms in its order, and a token of the first."""
        state["mechanisms"] = token.mech_types
        first = token.mech_token or b""
        if token.mech_types[:1] == [_NTLM] and message_type(base64.b64encode(first).decode("ascii")) == 1:
            state["challenged"] = True
            challenge = base64.b64decode(windows.host.challenge())
            raise NotSignedIn(self._spnego(windows, NegState.accept_incomplete, mechanism=_NTLM, token=challenge))
        if first in windows.tickets or _NTLM not in token.mech_types:
            return self._by_ticket(windows, first), ""
        raise NotSignedIn(self._spnego(windows, NegState.request_mic, mechanism=_NTLM))

    def _by_ticket(self, windows: Windows, ticket: bytes) -> SystemUser:
        user = self._users.get(windows.tickets.get(ticket, "").lower())
        self.logons.append((windows.tickets.get(ticket, "ticket"), user is not None))
        if user is None:
            raise NotSignedIn(self._offers())
        return user

    def _spnego(self, windows: Windows, state: NegState, *, mechanism: str | None = None, token: bytes | None = None) -> Challenges:
        packed = NegTokenResp(neg_state=state, supported_mech=mechanism, response_token=token).pack()
        return (("WWW-Authenticate", f"Negotiate {base64.b64encode(packed).decode('ascii')}"),)
