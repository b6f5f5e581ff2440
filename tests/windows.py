"""A stand-in for Windows: SSPI below pyspnego's own provider, and the names of the session's account. There is no Windows here.

It is asked as `sspilib` would be. A Kerberos token of it says what it was asked for, so that the server which is shown it can be asked;
its NTLM is pyspnego's, as the session's account.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import spnego
import spnego.channel_bindings

from probe.net.kerberos import RunningAs, TicketRequest, TicketResult, fetch_ticket, running_as

DELEGATE = 0x1
"""ISC_REQ_DELEGATE (sspi.h)."""


class WindowsFailure(OSError):
    """As sspilib raises it, whose numbers have a sign."""

    def __init__(self, winerror: int) -> None:
        super().__init__("words in the language of the system")
        self.winerror = winerror - (1 << 32)


@dataclass(frozen=True, slots=True)
class WindowsSession:
    """In which this program runs."""

    names: tuple[str, str] = ("CONTOSO\\svc-crm", "svc-crm@CONTOSO.TEST")
    """As NameSamCompatible and NameUserPrincipal."""
    password: str = ""
    """Which Windows keeps, and nobody else has."""
    kerberos_failure: int = 0
    """What SSPI says in the place of a ticket, as in `0x80090303`; 0 for nothing."""

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Meanwhile this process is one of Windows for whoever signs in, and for nobody else."""
        platform = SimpleNamespace(platform="win32")
        places = ("probe.net.kerberos.sys", "probe.probers.ews_inbox.sys", "probe.probing.ews.sys", "probe.dynamics.signing_in.sys")
        with contextlib.ExitStack() as patched:
            for place in places:
                patched.enter_context(patch(place, platform))
            patched.enter_context(patch.object(ctypes, "windll", SimpleNamespace(secur32=self), create=True))
            patched.enter_context(patch("spnego._sspi.HAS_SSPI", True))
            patched.enter_context(patch("spnego._sspi.NativeError", WindowsFailure))
            patched.enter_context(patch("spnego._sspi.sspilib", _sspilib(self), create=True))
            yield

    def GetUserNameExW(self, form: int, name: Any, size: Any) -> int:  # noqa: N802 - as secext.h calls it
        """One of the names; 0 for a form that there is none of."""
        given = {2: self.names[0], 8: self.names[1]}.get(form, "")
        name.value = given
        return int(bool(given))


class _Buffer:
    def __init__(self, data: Any, kind: int) -> None:
        self.data, self.kind = data, kind


class _Bindings:
    """Of the channel; SSPI takes them as one more buffer."""

    def __init__(self, **parts: Any) -> None:
        self.application_data = bytes(parts["application_data"] or b"")

    def dangerous_get_sec_buffer(self) -> _Buffer:
        return _Buffer(self.application_data, 14)  # SECBUFFER_CHANNEL_BINDINGS


class _Context:
    """One sign-in."""

    def __init__(self, session: WindowsSession, credential: Mapping[str, Any]) -> None:
        self.session, self.credential = session, credential
        self.ntlm: Any = None

    def step(self, target: str, wanted: int, given: list[_Buffer]) -> tuple[bytes, bool]:
        binding = next((bytes(buffer.data) for buffer in given if buffer.kind == 14), b"")
        token = next((bytes(buffer.data) for buffer in given if buffer.kind == 2), None)
        if self.credential["package"] == "kerberos":
            if self.session.kerberos_failure:
                raise WindowsFailure(self.session.kerberos_failure)
            asked = {"target": target, "delegates": bool(wanted & DELEGATE), "binding": binding.hex(), "as": self.credential["as"]}
            return json.dumps(asked).encode(), True
        assert self.credential["as"] == "the session"
        self.ntlm = self.ntlm or spnego.client(
            self.session.names[0],
            self.session.password,
            channel_bindings=spnego.channel_bindings.GssChannelBindings(application_data=binding) if binding else None,
            protocol="ntlm",
            options=spnego.NegotiateOptions.use_ntlm,
        )
        return self.ntlm.step(token), self.ntlm.complete


def _sspilib(session: WindowsSession) -> SimpleNamespace:
    """As much of sspilib as pyspnego's provider uses to sign in."""

    def acquire(*, package: str, auth_data: Any = None, **_: Any) -> SimpleNamespace:
        who = "the session" if auth_data is None else f"{auth_data.username}@{auth_data.domain}"
        return SimpleNamespace(credential={"package": package, "as": who})

    def initialize(
        *, credential: Any, context: Any, target_name: str, context_req: int, input_buffers: Any, output_buffers: Any, **_: Any
    ) -> SimpleNamespace:
        context = context or _Context(session, credential)
        output_buffers[0].data, is_complete = context.step(target_name, context_req, input_buffers or [])
        return SimpleNamespace(context=context, attributes=0, status=0 if is_complete else 0x90312)

    raw = SimpleNamespace(
        CredentialUse=SimpleNamespace(SECPKG_CRED_OUTBOUND=2),
        WinNTAuthIdentity=lambda **parts: SimpleNamespace(**parts),
        acquire_credentials_handle=acquire,
        initialize_security_context=initialize,
        query_context_attributes=lambda *_: SimpleNamespace(block_size=0, max_signature=0, security_trailer=0),
        SecBuffer=_Buffer,
        SecBufferDesc=list,
        SecBufferType=SimpleNamespace(SECBUFFER_TOKEN=2),
        SecPkgContextSizes=None,
        TargetDataRep=SimpleNamespace(SECURITY_NATIVE_DREP=16),
        NtStatus=SimpleNamespace(SEC_E_OK=0),
    )
    # sspi.h
    wanted = {
        "DELEGATE": DELEGATE,
        "MUTUAL_AUTH": 2,
        "REPLAY_DETECT": 4,
        "SEQUENCE_DETECT": 8,
        "CONFIDENTIALITY": 0x10,
        "ALLOCATE_MEMORY": 0x100,
    }
    wanted |= {"USE_DCE_STYLE": 0x200, "INTEGRITY": 0x10000, "IDENTIFY": 0x20000, "NO_INTEGRITY": 0x800000}
    flags = {f"ISC_REQ_{name}": value for name, value in wanted.items()}
    return SimpleNamespace(raw=raw, IscReq=SimpleNamespace(**flags), SecChannelBindings=_Bindings)


def ticket_at_windows(session: WindowsSession, request: TicketRequest) -> TicketResult:
    """As `fetch_ticket`, in a child process, which is one of Windows too."""
    with session.running():
        return fetch_ticket(request)


def names_at_windows(session: WindowsSession, settings: tuple[tuple[str, str], ...]) -> RunningAs:
    """As `running_as` likewise."""
    with session.running():
        return running_as(settings)
