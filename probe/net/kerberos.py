"""A Kerberos ticket for a web server: what runs in the child process, and what goes in and comes out.

The system's library does it (GSSAPI; on Windows SSPI), through pyspnego, and may wait long for a KDC; so it runs where it can be killed. It is asked
for Kerberos alone: pyspnego's `negotiate` goes on with NTLM by itself where Kerberos fails. The ticket is not delegated. What a KDC answers is
told apart by its number, never by words.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field
from typing import Literal

from probe.model.values import dataclass
from probe.net.quiet import quiet

Trouble = Literal["", "no-library", "no-kdc", "no-service", "no-ticket", "refused", "failed"]
"""Why there is no ticket:

- `no-library`: this machine has none for Kerberos, or Python has none to use it (our extra `kerberos`);
- `no-kdc`: there is no KDC for the account's realm, or none answers;
- `no-service`: the KDC knows no service principal `HTTP/host`; it took the password, if there was one;
- `no-ticket`: nobody has signed in on this machine, or the ticket has expired;
- `refused`: the KDC refuses the account or its password;
- `failed`: anything else.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRequest:
    """What a ticket is for. Made just before it is carried out, since it may hold a password in clear."""

    host: str
    username: str | None
    """As `user@REALM`; None for the account that runs this program, by its ticket or its session. Without a password, its own ticket alone is taken."""
    password: str | None = field(repr=False)
    binding: bytes | None
    """Of the TLS channel, as in `probe.wire.channel_binding`; None where there is none."""
    settings: tuple[tuple[str, str], ...] = field(default_factory=lambda: kerberos_settings())
    """As `kerberos_settings` gives them, of the process that asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketResult:
    """What came of it."""

    token: bytes | None = field(default=None, repr=False)
    """What the web server is shown."""
    trouble: Trouble = ""
    number: str = ""
    """Of the library's error, as in `24` of Kerberos or `0x8009030c` of Windows."""


_KRB5 = -1765328384 & 0xFFFFFFFF
"""Where MIT's and Heimdal's numbers begin: those of the KDC's answers are RFC 4120's (section 7.5.9) beyond it, those of the library lie above 127."""
_BY_KRB5: dict[int, Trouble] = {
    # The KDC's.
    6: "refused",  # KDC_ERR_C_PRINCIPAL_UNKNOWN
    7: "no-service",  # KDC_ERR_S_PRINCIPAL_UNKNOWN
    18: "refused",  # KDC_ERR_CLIENT_REVOKED
    23: "refused",  # KDC_ERR_KEY_EXPIRED
    24: "refused",  # KDC_ERR_PREAUTH_FAILED
    31: "refused",  # KRB_AP_ERR_BAD_INTEGRITY: what the KDC sent does not open with this password
    32: "no-ticket",  # KRB_AP_ERR_TKT_EXPIRED
    # The library's (krb5.hin of MIT).
    141: "no-ticket",  # KRB5_CC_NOTFOUND
    154: "no-kdc",  # KRB5_REALM_UNKNOWN
    156: "no-kdc",  # KRB5_KDC_UNREACH
    195: "no-ticket",  # KRB5_FCC_NOFILE
    220: "no-kdc",  # KRB5_REALM_CANT_RESOLVE
    224: "no-kdc",  # KRB5_CONFIG_NODEFREALM
}
_BY_WINDOWS: dict[int, Trouble] = {
    # winerror.h
    0x80090303: "no-service",  # SEC_E_TARGET_UNKNOWN
    0x8009030C: "refused",  # SEC_E_LOGON_DENIED
    0x8009030E: "no-ticket",  # SEC_E_NO_CREDENTIALS
    0x80090311: "no-kdc",  # SEC_E_NO_AUTHENTICATING_AUTHORITY
    0x80090322: "no-service",  # SEC_E_WRONG_PRINCIPAL
}
_NO_CREDENTIAL = frozenset({7, 10, 11})
"""pyspnego's ErrorCode: no_cred, invalid_credential, credentials_expired."""


_SETTINGS = ("KRB5CCNAME", "KRB5_CONFIG")


def kerberos_settings() -> tuple[tuple[str, str], ...]:
    """The variables that say where the ticket and the library's configuration are: a child's own environment may be older than ours."""
    return tuple((name, os.environ[name]) for name in _SETTINGS if name in os.environ)


@contextmanager
def _settled(settings: tuple[tuple[str, str], ...]) -> Iterator[None]:
    """Within this, the system's library finds ticket and configuration there."""
    before = kerberos_settings()
    _set(settings)
    try:
        yield
    finally:
        _set(before)


def _set(settings: tuple[tuple[str, str], ...]) -> None:
    for name in _SETTINGS:
        os.environ.pop(name, None)
    os.environ.update(settings)


def fetch_ticket(request: TicketRequest) -> TicketResult:
    """A ticket for `HTTP/host`, or why there is none. Blocks; raises nothing for what a KDC does."""
    with quiet(), _settled(request.settings):
        import spnego
        import spnego.channel_bindings

        binding = request.binding
        try:
            context = spnego.client(
                request.username,
                request.password,
                hostname=request.host,
                service="HTTP",
                channel_bindings=None if binding is None else spnego.channel_bindings.GssChannelBindings(application_data=binding),
                # Of what is possible without `delegate`; a second token, for mutual authentication, would find nobody in this child.
                context_req=spnego.ContextReq.integrity,
                protocol="kerberos",
                options=spnego.NegotiateOptions.use_sspi if sys.platform == "win32" else spnego.NegotiateOptions.use_gssapi,
            )
            return TicketResult(token=context.step())
        except ImportError:
            return TicketResult(trouble="no-library")
        except Exception as failed:  # noqa: BLE001 - krb5, gssapi and pyspnego each have their own, and the first two may not be there
            return trouble_of(failed, has_password=request.password is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningAs:
    """Whose session on Windows, and whose Kerberos ticket elsewhere, this program has."""

    names: tuple[str, ...] = ()
    """Of the one account, as `DOMAIN\\user` and `user@domain`; of a ticket, as `user@REALM` alone. Empty where there is none."""
    trouble: Trouble = ""

    def name_of(self, account: str) -> str | None:
        """The name by which it is this account, as the system writes it; None where it is another, or cannot be compared with it."""
        return next((name for name in self.names if name.casefold() == account.casefold()), None)

    def may_be(self, account: str) -> bool:
        """Whether it may be this account all the same, by a name that only its directory could compare.

        No realm tells the NetBIOS name of its domain, which need not be the realm's first label; and a domain may have further suffixes
        for `user@suffix`. Two NetBIOS names are two domains.
        """
        if "\\" in account and any("\\" in name for name in self.names):
            return False
        return any(_user_of(name) == _user_of(account) for name in self.names)


def _user_of(account: str) -> str:
    return account.rpartition("\\")[2].partition("@")[0].casefold()


def running_as(settings: tuple[tuple[str, str], ...]) -> RunningAs:
    """Whose session or ticket it is. Blocks, and asks no KDC; runs where `fetch_ticket` does, which takes the same ticket by its name."""
    if sys.platform == "win32":
        return RunningAs(names=_of_session())
    with quiet(), _settled(settings):
        try:
            import gssapi

            credentials = gssapi.Credentials(usage="initiate", mechs=[gssapi.MechType.kerberos])
            return RunningAs(names=(str(credentials.name),))
        except ImportError:
            return RunningAs(trouble="no-library")
        except Exception:  # noqa: BLE001 - whatever the library says, there is no ticket that could be used
            return RunningAs(trouble="no-ticket")


def _of_session() -> tuple[str, ...]:
    """Names of the account of the Windows session; a local account has no second one."""
    names: list[str] = []
    if sys.platform == "win32":
        import ctypes

        for form in (2, 8):  # NameSamCompatible and NameUserPrincipal of EXTENDED_NAME_FORMAT (secext.h)
            size = ctypes.c_ulong(1024)
            name = ctypes.create_unicode_buffer(size.value)
            if ctypes.windll.secur32.GetUserNameExW(form, name, ctypes.byref(size)):
                names.append(name.value)
    return tuple(names)


def trouble_of(failed: Exception, *, has_password: bool) -> TicketResult:
    """What a library's error means, by its number."""
    native = getattr(failed, "base_error", None) or failed
    number = getattr(native, "winerror", None)
    if isinstance(number, int):
        number &= 0xFFFFFFFF
        return TicketResult(trouble=_BY_WINDOWS.get(number, "failed"), number=f"{number:#010x}")
    number = getattr(native, "err_code", None) or getattr(native, "min_code", None)
    beyond = (number & 0xFFFFFFFF) - _KRB5 if isinstance(number, int) else -1
    known: Trouble | None = _BY_KRB5.get(beyond)
    if known is None and not has_password and getattr(failed, "_error_code", None) in _NO_CREDENTIAL:
        known = "no-ticket"
    return TicketResult(trouble=known or "failed", number=str(beyond) if 0 <= beyond < 256 else type(native).__name__)
