"""EWS, signed in as the account of the Windows session. Windows is a stand-in below pyspnego's own SSPI provider."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from probe.model import vocabulary as v
from probe.model.estate import Authentication, Endpoint, Secret
from probe.model.facts import Fact, Reading, Why
from probe.model.keys import FactKey
from probe.net.dial import Dial, Network
from probe.net.killable import Children
from probe.net.limits import Deadline
from probe.net.redact import Redactor
from probe.net.transcript import Recorder
from probe.probers import ews_inbox
from probe.probers.ews_inbox import PROBER
from probe.probing import Account, Ending, LoginSubject, Notebook
from probe.wire.channel_binding import end_point_binding
from tests.cases import NOON
from tests.ledger import Ledger
from tests.net.ews_stub import MAILBOX, PASSWORD, USERNAME, EwsStub, run_ews_stub
from tests.servers.certificates import ServerCertificate
from tests.windows import WindowsSession, names_at_windows, ticket_at_windows

NO_SERVICE, NO_KDC, NO_CREDENTIALS = 0x80090303, 0x80090311, 0x8009030E


@pytest.fixture
def ews(server_certificate: ServerCertificate, tmp_path: Path) -> Iterator[EwsStub]:
    """An EWS endpoint as IIS shows it, with one user."""
    with run_ews_stub(server_certificate, tmp_path) as stub:
        stub.challenges = ("Negotiate", "NTLM")
        yield stub


def binding_of(certificate: ServerCertificate) -> bytes:
    """What ties a sign-in to the channel of the server with this certificate."""
    import ssl

    pem = certificate.chain_file.read_text().partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----"
    return end_point_binding(ssl.PEM_cert_to_DER_cert(pem)) or b""


def ticket(certificate: ServerCertificate, *, who: str = "the session") -> bytes:
    """The token of the stand-in that was asked for in the right way."""
    return json.dumps({"target": "HTTP/localhost", "delegates": False, "binding": binding_of(certificate).hex(), "as": who}).encode()


class Tried:
    """One attempt at the stub."""

    def __init__(self, ews: EwsStub, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ews, self._monkeypatch = ews, monkeypatch
        self.ledger = Ledger()
        self.text = ""
        self._readings: dict[FactKey[Any], Reading] = {}

    async def run(self, session: WindowsSession, *, username: str = USERNAME, password: str | None = None, folders: bool = False) -> Tried:
        """As the service's account, or, with a password, as somebody under `negotiate`."""
        self._monkeypatch.setattr(ews_inbox, "running_as", partial(names_at_windows, session))
        self._monkeypatch.setattr(ews_inbox, "fetch_ticket", partial(ticket_at_windows, session))
        endpoint = Endpoint.parse(self._ews.url)
        account = Account(
            MAILBOX,
            username,
            Secret(password or ""),
            Authentication.NEGOTIATE,
            impersonates=True,
            synchronizes_appointments=folders,
            is_service=password is None,
            proof=self.ledger,
        )
        recorder = Recorder(Redactor([password] if password else []))
        notes = Notebook("a1", endpoint.url, MAILBOX, lambda: NOON)
        async with Children() as children, Deadline(30) as deadline:
            dial = Dial(endpoint, Network(ca_file=Path(self._ews.ca_file), children=children), deadline, recorder, only_address="127.0.0.1")
            with session.running():
                await PROBER.probe(LoginSubject(endpoint, account), dial, notes)
        self._readings = {r.key: r for r in notes.close(PROBER.collects, Why.NOT_DISCLOSED, "nothing") if r.mailbox is not None}
        self.text = "\n".join(line.text for line in recorder.lines())
        return self

    def value(self, key: FactKey[Any]) -> object:
        """The value of a key; the reason where it is missing."""
        reading = self._readings[key]
        return reading.value if isinstance(reading, Fact) else reading.detail

    @property
    def schemes(self) -> list[str]:
        """Of the Authorization headers, in order; empty where there was none."""
        return [headers.get("Authorization", "").partition(" ")[0] for headers, _ in self._ews.requests]


@pytest.fixture
def tried(ews: EwsStub, monkeypatch: pytest.MonkeyPatch) -> Tried:
    """Nothing was tried yet."""
    return Tried(ews, monkeypatch)


@pytest.mark.parametrize("username", ["contoso\\SVC-CRM", "svc-crm@contoso.test"])
async def test_the_session_s_ticket_opens_the_inbox(
    tried: Tried, ews: EwsStub, server_certificate: ServerCertificate, username: str
) -> None:
    """By either of the session's names: SSPI is asked for a ticket for the host, bound to its certificate, not delegated, and with no password."""
    ews.tickets = (ticket(server_certificate),)
    done = await tried.run(WindowsSession(), username=username, folders=True)
    assert [done.value(key) for key in (v.AUTH_AS_SERVICE, v.AUTH_ACCEPTED, v.EWS_INBOX, v.EWS_TASKS)] == [True, True, "found", "found"]
    assert done.schemes == ["", "Negotiate", "", "", ""]
    assert done.ledger.told == ["claimed", Ending.ACCEPTED]


async def test_a_session_of_another_account_is_not_used(tried: Tried, ews: EwsStub) -> None:
    """Nothing is connected to, and the report says as whom to run it."""
    done = await tried.run(WindowsSession(), username="CONTOSO\\svc-crm-async")
    assert done.value(v.AUTH_AS_SERVICE) is False
    assert "run this program as CONTOSO\\svc-crm-async" in str(done.value(v.AUTH_ACCEPTED))
    assert "it ran as CONTOSO\\svc-crm or svc-crm@CONTOSO.TEST" in str(done.value(v.AUTH_ACCEPTED))
    assert ews.connections == 0


@pytest.mark.parametrize(("failure", "at_kdc"), [(NO_SERVICE, Ending.ACCEPTED), (NO_KDC, "released")])
async def test_ntlm_of_the_session_follows_where_there_is_no_kerberos(
    tried: Tried, ews: EwsStub, failure: int, at_kdc: Ending | str
) -> None:
    """Windows proves its own account, over the connection that is bound; the password is nobody's to have, and the sign-in is claimed."""
    done = await tried.run(WindowsSession(password=PASSWORD, kerberos_failure=failure), folders=True)
    assert [done.value(key) for key in (v.AUTH_ACCEPTED, v.EWS_INBOX, v.EWS_TASKS)] == [True, "found", "found"]
    assert done.schemes == ["", "NTLM", "NTLM", "", "", ""]
    assert (ews.logons, done.ledger.told) == (1, ["claimed", at_kdc, "claimed", Ending.ACCEPTED])
    assert "no Kerberos: " in done.text
    assert "NTLM of the Windows session" in done.text


async def test_a_server_with_ntlm_alone_gets_that_of_the_session(tried: Tried, ews: EwsStub) -> None:
    """What is not offered is not asked for at the KDC."""
    ews.challenges = ("NTLM",)
    done = await tried.run(WindowsSession(password=PASSWORD, kerberos_failure=NO_CREDENTIALS))
    assert done.value(v.EWS_INBOX) == "found"
    assert done.schemes == ["", "NTLM", "NTLM"]


async def test_ntlm_of_the_session_that_exchange_does_not_take(tried: Tried, ews: EwsStub) -> None:
    """It is shown once, and what it was is not put on a password."""
    done = await tried.run(WindowsSession(password="another", kerberos_failure=NO_SERVICE))
    assert done.value(v.AUTH_ACCEPTED) is False
    assert "Exchange refuses NTLM of the account that runs this program" in str(done.value(v.AUTH_REFUSAL))
    assert done.schemes == ["", "NTLM", "NTLM"]


async def test_no_ntlm_follows_another_failure(tried: Tried, ews: EwsStub) -> None:
    """Where the session has no credentials, NTLM of it would be somebody else's, or nobody's."""
    done = await tried.run(WindowsSession(password=PASSWORD, kerberos_failure=NO_CREDENTIALS))
    assert "there is no Kerberos ticket" in str(done.value(v.AUTH_ACCEPTED))
    assert done.schemes == [""]


async def test_a_password_gets_a_ticket_of_its_own(tried: Tried, ews: EwsStub, server_certificate: ServerCertificate) -> None:
    """Under negotiate SSPI is given the account and its password, and the session's ticket is left alone; a NetBIOS name has a KDC here."""
    ews.tickets = (ticket(server_certificate, who="svc-crm@CONTOSO"),)
    done = await tried.run(WindowsSession(), password=PASSWORD)
    assert done.value(v.EWS_INBOX) == "found"
    assert done.ledger.told == ["claimed", Ending.ACCEPTED]
