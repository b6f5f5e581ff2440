"""A Kerberos ticket, or why there is none. The tests do without a KDC; errors are told by their numbers."""

from __future__ import annotations

import sys

import pytest

from probe.net.kerberos import RunningAs, TicketRequest, TicketResult, Trouble, fetch_ticket, kerberos_settings, running_as, trouble_of
from probe.net.killable import Children
from tests.windows import WindowsSession, ticket_at_windows

REQUEST = TicketRequest(
    host="crm.contoso.test", username="svc-probe@CONTOSO.TEST", password="marked-Secret-1", binding=b"tls-server-end-point:x"
)


class Krb5Error(Exception):
    """As krb5 raises it."""

    def __init__(self, err_code: int) -> None:
        super().__init__("words in the language of the system")
        self.err_code = err_code


class GssError(Exception):
    """As gssapi raises it; its numbers have no sign."""

    def __init__(self, min_code: int) -> None:
        super().__init__("words")
        self.maj_code = 0xD0000
        self.min_code = min_code


class WindowsFailure(Exception):
    """As SSPI raises it, whose numbers have one."""

    def __init__(self, winerror: int) -> None:
        super().__init__("words")
        self.winerror = winerror


class Wrapped(Exception):
    """As pyspnego hands them on."""

    def __init__(self, base_error: Exception | None, code: int = 13) -> None:
        super().__init__("words")
        self.base_error = base_error
        self._error_code = code


@pytest.mark.parametrize(
    ("failed", "trouble", "number"),
    [
        (Krb5Error(-1765328360), "refused", "24"),
        (Krb5Error(-1765328378), "refused", "6"),
        (Krb5Error(-1765328366), "refused", "18"),
        (Krb5Error(-1765328353), "refused", "31"),
        (Krb5Error(-1765328228), "no-kdc", "156"),
        (Krb5Error(-1765328230), "no-kdc", "154"),
        (Krb5Error(-1765328347), "failed", "37"),
        (Krb5Error(2), "failed", "Krb5Error"),
        (Wrapped(GssError(2529638919)), "no-service", "7"),
        (Wrapped(GssError(2529639107)), "no-ticket", "195"),
        (Wrapped(WindowsFailure(-2146893053)), "no-service", "0x80090303"),
        (Wrapped(WindowsFailure(-2146893044)), "refused", "0x8009030c"),
        (Wrapped(WindowsFailure(-2146893039)), "no-kdc", "0x80090311"),
        (Wrapped(WindowsFailure(-2146893055)), "failed", "0x80090301"),
        (ValueError("anything"), "failed", "ValueError"),
    ],
)
def test_an_error_is_known_by_its_number(failed: Exception, trouble: Trouble, number: str) -> None:
    """What a KDC or a library says is told apart by RFC 4120's numbers, the library's own, and those of Windows."""
    assert trouble_of(failed, has_password=True) == TicketResult(trouble=trouble, number=number)


@pytest.mark.parametrize("code", [7, 10, 11])
def test_without_a_password_no_credential_is_no_ticket(code: int) -> None:
    """With one, the same is an error of which nobody knows what it means."""
    assert trouble_of(Wrapped(None, code), has_password=False).trouble == "no-ticket"
    assert trouble_of(Wrapped(None, code), has_password=True).trouble == "failed"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has a library of its own")
async def test_a_machine_without_the_library_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is an extra; in a child process as in this one, its absence is an answer."""
    monkeypatch.setitem(sys.modules, "gssapi", None)
    monkeypatch.setattr("spnego._gss.HAS_GSSAPI", False)
    assert fetch_ticket(REQUEST) == TicketResult(trouble="no-library")
    async with Children() as children:
        assert (await children.run(fetch_ticket, REQUEST, seconds=30)).token is None


def test_a_request_shows_no_password() -> None:
    """What is handed to a child is not printed by accident, nor is the ticket that comes back."""
    assert "marked" not in repr(REQUEST)
    assert "ticket!" not in repr(TicketResult(token=b"ticket!"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has a library of its own")
def test_whose_ticket_it_is_cannot_be_told_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is nobody's."""
    monkeypatch.setitem(sys.modules, "gssapi", None)
    assert running_as(()) == RunningAs(trouble="no-library")


def test_an_account_is_compared_without_case() -> None:
    """The name is given back as the system writes it; another domain or user is another account."""
    running = RunningAs(names=("CONTOSO\\svc", "svc@CONTOSO.TEST"))
    assert running.name_of("svc@contoso.test") == "svc@CONTOSO.TEST"
    assert running.name_of("contoso\\SVC") == "CONTOSO\\svc"
    assert running.name_of("svc@FABRIKAM.TEST") is None
    assert running.name_of("svc") is None


@pytest.mark.parametrize(
    ("names", "account", "may_be"),
    [
        (("svc@CONTOSO.TEST",), "CONTOSO\\SVC", True),
        (("svc@CONTOSO.TEST",), "OTHER\\svc", True),
        (("svc@CORP.CONTOSO.TEST",), "svc@contoso.test", True),
        (("svc@CONTOSO.TEST",), "CONTOSO\\other", False),
        (("svc@CONTOSO.TEST",), "other@contoso.test", False),
        (("CONTOSO\\svc", "svc@contoso.example"), "svc@contoso.test", True),
        (("CONTOSO\\svc", "svc@contoso.example"), "FABRIKAM\\svc", False),
        ((), "CONTOSO\\svc", False),
    ],
)
def test_what_only_a_directory_could_compare(names: tuple[str, ...], account: str, may_be: bool) -> None:
    """Names of one user that differ in their domain's name or suffix are neither known to be one account nor to be two, and are not taken for one."""
    running = RunningAs(names=names)
    assert (running.name_of(account), running.may_be(account)) == (None, may_be)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has a library of its own")
def test_a_child_gets_the_variables_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fork server may be older than what says where the ticket is, so that a request takes it along; what was set before is set again."""
    monkeypatch.setenv("KRB5CCNAME", "FILE:/tmp/of-the-child")
    monkeypatch.delenv("KRB5_CONFIG", raising=False)
    request = TicketRequest(host="crm.contoso.test", username=None, password=None, binding=None, settings=(("KRB5_CONFIG", "/nowhere"),))
    monkeypatch.setitem(sys.modules, "gssapi", None)
    monkeypatch.setattr("spnego._gss.HAS_GSSAPI", False)
    assert fetch_ticket(request).trouble == "no-library"
    assert kerberos_settings() == (("KRB5CCNAME", "FILE:/tmp/of-the-child"),)


def test_a_windows_session_has_two_names() -> None:
    """Those that Windows gives its account; a local account has one alone. A stand-in: there is no Windows here."""
    with WindowsSession(names=("CONTOSO\\svc", "svc@contoso.test")).running():
        assert running_as(()) == RunningAs(names=("CONTOSO\\svc", "svc@contoso.test"))
    with WindowsSession(names=("SERVER\\svc", "")).running():
        assert running_as(()) == RunningAs(names=("SERVER\\svc",))


@pytest.mark.parametrize(
    ("failure", "trouble"), [(0x80090303, "no-service"), (0x8009030C, "refused"), (0x8009030E, "no-ticket"), (0x80090311, "no-kdc")]
)
def test_what_windows_says_in_the_place_of_a_ticket(failure: int, trouble: Trouble) -> None:
    """Through pyspnego's own provider of SSPI, below which a stand-in says it."""
    session = WindowsSession(kerberos_failure=failure)
    assert ticket_at_windows(session, REQUEST) == TicketResult(trouble=trouble, number=f"{failure:#010x}")
