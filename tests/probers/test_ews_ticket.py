"""EWS, signed in by a Kerberos ticket. KDC, ticket cache and Windows session are stand-ins, which run in the child process as the real ones do."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from probe.model import vocabulary as v
from probe.model.estate import Authentication, Endpoint, Secret
from probe.model.facts import Fact, Reading, Why
from probe.model.keys import FactKey
from probe.net.dial import Dial, Network
from probe.net.kerberos import RunningAs, TicketRequest, TicketResult
from probe.net.killable import Children
from probe.net.limits import Deadline
from probe.net.redact import Redactor
from probe.net.transcript import Recorder
from probe.probers import ews_inbox
from probe.probers.ews_inbox import PROBER
from probe.probing import Account, Ending, LoginSubject, Notebook
from probe.simulation.autodiscover import by_soap
from probe.wire.autodiscover import SOAP_PATH, soap_request
from tests.cases import NOON
from tests.ledger import Ledger
from tests.net.ews_stub import MAILBOX, PASSWORD, EwsStub, Reply, counted, fault, find_folder, refused, run_ews_stub
from tests.servers.certificates import ServerCertificate

SERVICE = "svc-crm-async@CONTOSO.TEST"
TICKET = b"a ticket, once"
PERSON = "svc-crm@contoso.test"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are those of a machine with a ticket cache")


@pytest.fixture
def ews(server_certificate: ServerCertificate, tmp_path: Path) -> Iterator[EwsStub]:
    """An EWS endpoint that offers Negotiate, and takes one ticket."""
    with run_ews_stub(server_certificate, tmp_path) as stub:
        stub.challenges = ("Negotiate", "NTLM")
        stub.tickets = (TICKET,)
        yield stub


def runs(running: RunningAs, _: object) -> RunningAs:
    """Stands in for the ticket cache."""
    return running


def gives(seen: TicketResult, expected: tuple[str | None, str | None, str], request: TicketRequest) -> TicketResult:
    """Stands in for the KDC, which is asked for this account, with this password, for this host, over a bound channel."""
    assert (request.username, request.password, request.host) == expected
    assert request.binding is not None
    return seen


@dataclass
class Tried:
    """One attempt at the stub."""

    ews: EwsStub
    monkeypatch: pytest.MonkeyPatch
    running: RunningAs = field(default_factory=lambda: RunningAs(names=(SERVICE,)))
    ticket: TicketResult = field(default_factory=lambda: TicketResult(token=TICKET))
    service: str = SERVICE
    ledger: Ledger = field(default_factory=Ledger)
    failure: str = ""
    text: str = ""
    readings: dict[FactKey[Any], Reading] = field(default_factory=dict)

    async def run(
        self,
        *,
        person: str | None = None,
        authentication: Authentication = Authentication.NEGOTIATE,
        folders: bool = False,
        newer_than: datetime | None = None,
    ) -> Tried:
        """As the service, or as somebody with a password."""
        asked_for = (next(iter(self.running.names), None), None) if person is None else (person, PASSWORD)
        self.monkeypatch.setattr(ews_inbox, "running_as", partial(runs, self.running))
        self.monkeypatch.setattr(ews_inbox, "fetch_ticket", partial(gives, self.ticket, (*asked_for, "localhost")))
        endpoint = Endpoint.parse(self.ews.url)
        account = Account(
            MAILBOX,
            person or self.service,
            Secret(PASSWORD if person else ""),
            authentication,
            impersonates=True,
            synchronizes_appointments=folders,
            counts_newer_than=newer_than,
            is_service=person is None,
            proof=self.ledger,
        )
        recorder = Recorder(Redactor([PASSWORD]))
        notes = Notebook("a1", endpoint.url, MAILBOX, lambda: NOON)
        async with Children() as children, Deadline(30) as deadline:
            dial = Dial(endpoint, Network(ca_file=Path(self.ews.ca_file), children=children), deadline, recorder, only_address="127.0.0.1")
            try:
                await PROBER.probe(LoginSubject(endpoint, account), dial, notes)
            except Exception as failed:  # noqa: BLE001 - what it was is what the test asks
                self.failure = f"{type(failed).__name__}: {failed}"
        self.readings = {r.key: r for r in notes.close(PROBER.collects, Why.NOT_DISCLOSED, "nothing") if r.mailbox is not None}
        self.text = "\n".join(line.text for line in recorder.lines())
        return self

    def value(self, key: FactKey[Any]) -> object:
        """The value of a key; the reason where it is missing."""
        reading = self.readings[key]
        return reading.value if isinstance(reading, Fact) else reading.detail


def authorizations(ews: EwsStub) -> list[str]:
    """The schemes of the Authorization headers, in order; empty where there was none."""
    return [headers.get("Authorization", "").partition(" ")[0] for headers, _ in ews.requests]


async def test_the_service_s_ticket_opens_the_inbox(ews: EwsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the ticket is the service account's, one request that carries it shows the inbox and the build; the sign-in is claimed."""
    done = await Tried(ews, monkeypatch, service=SERVICE.lower()).run()
    assert done.failure == ""
    assert [done.value(key) for key in (v.AUTH_AS_SERVICE, v.AUTH_ACCEPTED, v.EWS_INBOX, v.EWS_IMPERSONATION)] == [
        True,
        True,
        "found",
        "granted",
    ]
    assert str(done.value(v.SERVER_BUILD)) == "15.1.2507.57"
    assert authorizations(ews) == ["", "Negotiate"]
    assert done.ledger.told == ["claimed", Ending.ACCEPTED]
    assert "YSB0aWNrZXQ" not in done.text
    assert f"signs in by a Kerberos ticket of {SERVICE} for HTTP/localhost, to 127.0.0.1" in done.text


async def test_other_folders_are_asked_for_on_the_connection(ews: EwsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that lets a connection in gets no second ticket."""
    done = await Tried(ews, monkeypatch).run(folders=True)
    assert [done.value(key) for key in (v.EWS_CALENDAR, v.EWS_CONTACTS, v.EWS_TASKS)] == ["found"] * 3
    assert authorizations(ews) == ["", "Negotiate", "", "", ""]


async def test_a_server_that_wants_a_ticket_each_time_gets_one(ews: EwsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 401 to a request after the first is answered by a fresh ticket."""
    ews.keeps_signed_in = False
    done = await Tried(ews, monkeypatch).run(folders=True)
    assert done.value(v.EWS_TASKS) == "found"
    assert authorizations(ews) == ["", "Negotiate", *["", "Negotiate"] * 3]


@pytest.mark.parametrize("keeps", [True, False])
async def test_messages_are_counted_by_the_ticket_of_the_sign_in(ews: EwsStub, monkeypatch: pytest.MonkeyPatch, keeps: bool) -> None:
    """On the connection that it signed in; a server that wants a ticket with each request gets none for a number."""
    ews.later, ews.keeps_signed_in = Reply(200, counted(14312)), keeps
    tried = await Tried(ews, monkeypatch).run(newer_than=NOON)
    assert tried.value(v.EWS_INBOX) == "found"
    assert tried.value(v.EWS_NEWER_MESSAGES) == (14312 if keeps else "Exchange gave no answer with a number")
    assert authorizations(ews).count("Negotiate") == 1


@pytest.mark.parametrize(
    ("running", "service", "said"),
    [
        (RunningAs(names=("other@CONTOSO.TEST",)), SERVICE, f"run this program as {SERVICE}, or with its Kerberos ticket (kinit); it ran as other@CONTOSO.TEST"),
        (RunningAs(trouble="no-ticket"), SERVICE, f"there is no Kerberos ticket of {SERVICE}"),
        (RunningAs(trouble="no-library"), SERVICE, "d365-mail-probe[kerberos]"),
        (RunningAs(names=(SERVICE,)), "CONTOSO\\svc-crm-async", f"if so, name the account {SERVICE}"),
        (RunningAs(names=(SERVICE,)), "svc-crm-async@contoso.example", "if not, run this program as svc-crm-async@contoso.example"),
        (RunningAs(names=(SERVICE,)), "CONTOSO\\another", "run this program as CONTOSO\\another, or with its Kerberos ticket (kinit)"),
    ],
    ids=["another", "none", "no library", "NetBIOS", "suffix", "another of NetBIOS"],
)  # fmt: skip
async def test_another_ticket_is_not_used(
    ews: EwsStub, monkeypatch: pytest.MonkeyPatch, running: RunningAs, service: str, said: str
) -> None:
    """Where the ticket is another's, or cannot be compared, nothing is connected to, and the reason says as whom to run."""
    done = await Tried(ews, monkeypatch, running=running, service=service).run()
    assert done.value(v.AUTH_AS_SERVICE) is False
    assert said in str(done.value(v.AUTH_ACCEPTED))
    assert ews.connections == 0


async def test_a_ticket_that_exchange_does_not_take(ews: EwsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was refused, and by which cause is left open: nothing is said of a password."""
    ews.tickets = ()
    done = await Tried(ews, monkeypatch).run()
    assert done.value(v.AUTH_ACCEPTED) is False
    assert "setspn -Q" in str(done.value(v.AUTH_REFUSAL))
    assert ews.logons == 1


async def test_a_service_without_a_ticket_for_the_server_goes_no_other_way(ews: EwsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """NTLM would need a password, which nobody has."""
    done = await Tried(ews, monkeypatch, ticket=TicketResult(trouble="no-service", number="7")).run()
    assert "the KDC knows no HTTP/localhost" in str(done.value(v.AUTH_ACCEPTED))
    assert ews.logons == 0


async def test_a_server_without_negotiate_is_shown_no_ticket(ews: EwsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not offered is not tried."""
    ews.challenges = ("NTLM",)
    done = await Tried(ews, monkeypatch).run()
    assert "the server offers ntlm" in str(done.value(v.AUTH_ACCEPTED))
    assert ews.logons == 0


@pytest.mark.parametrize(
    ("answer", "key", "value"),
    [
        (Reply(200, refused("ErrorAccessDenied")), v.EWS_INBOX, "ErrorAccessDenied"),
        (Reply(500, fault("ErrorImpersonateUserDenied")), v.EWS_IMPERSONATION, "denied"),
        (
            Reply(500, fault("ErrorNonExistentMailbox")),
            v.AUTODISCOVER_ACTION,
            "Autodiscover on the same host gave no readable answer",
        ),
        (Reply(200, b"<html>not EWS</html>"), v.EWS_INBOX, "nothing"),
        (Reply(403), v.EWS_INBOX, "nothing"),
        (Reply(200, find_folder(), closes=True), v.EWS_INBOX, "nothing"),
    ],
    ids=["code", "fault", "nobody", "page", "403", "cut"],
)
async def test_what_exchange_answers_to_a_ticket(
    ews: EwsStub, monkeypatch: pytest.MonkeyPatch, answer: Reply, key: FactKey[Any], value: str
) -> None:
    """Codes are read as those of any sign-in; what is no answer of EWS shows nothing, and is asked for once."""
    ews.answer = answer
    done = await Tried(ews, monkeypatch).run()
    assert done.value(key) == value
    assert ews.logons == 1


async def test_an_older_exchange_is_asked_in_its_schema(ews: EwsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the schema is not known, the older one is asked in on the same logon."""
    ews.answer, ews.later = Reply(500, fault("ErrorInvalidServerVersion")), Reply(200, find_folder())
    done = await Tried(ews, monkeypatch).run()
    assert done.value(v.EWS_INBOX) == "found"
    assert [b"Exchange2007_SP1" in body for _, body in ews.requests] == [False, False, True]


@pytest.mark.parametrize("person", [None, PERSON], ids=["service", "password"])
async def test_autodiscover_is_asked_over_the_same_connection(ews: EwsStub, monkeypatch: pytest.MonkeyPatch, person: str | None) -> None:
    """Where EWS knows no such mailbox, the connection that is signed in is asked where it is, and nothing is proved again."""
    ews.answer = Reply(500, fault("ErrorNonExistentMailbox"))
    ews.later = Reply(200, by_soap(soap_request(ews.url, MAILBOX), frozenset(), {MAILBOX: "sales@contoso.mail.onmicrosoft.com"}, ews.url))
    ews.also_at = (SOAP_PATH,)
    done = await Tried(ews, monkeypatch).run(person=person)
    assert done.value(v.AUTODISCOVER_ACTION) == "redirect-address"
    assert done.value(v.AUTODISCOVER_TARGET) == "sales@contoso.mail.onmicrosoft.com"
    assert authorizations(ews) == ["", "Negotiate", ""]
    assert ews.connections == 2


async def test_a_ticket_that_a_server_repeats_is_not_told(ews: EwsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Autodiscover says is told without the ticket that it was shown."""
    shown = base64.b64encode(TICKET).decode()
    ews.answer = Reply(500, fault("ErrorNonExistentMailbox"))
    ews.later = Reply(200, by_soap(soap_request(ews.url, MAILBOX), frozenset(), {MAILBOX: f"{shown}@contoso.test"}, ews.url))
    ews.also_at = (SOAP_PATH,)
    done = await Tried(ews, monkeypatch).run()
    assert done.value(v.AUTODISCOVER_TARGET) == "***@contoso.test"
    assert shown not in done.text


# Negotiate with a password


async def test_a_password_gets_a_ticket_first(ews: EwsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under negotiate the KDC is asked by the password, once and through the ledger; the server is shown the ticket alone."""
    done = await Tried(ews, monkeypatch).run(person=PERSON)
    assert done.value(v.EWS_INBOX) == "found"
    assert done.value(v.AUTH_AS_SERVICE) == "the profile signs in with a password or a token of its own"
    assert authorizations(ews) == ["", "Negotiate"]
    assert done.ledger.told == ["claimed", Ending.ACCEPTED]


async def test_a_password_is_shown_to_the_kdc_once(ews: EwsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that wants a ticket with each request is asked for the first folder alone; what the others hold is not known."""
    ews.keeps_signed_in = False
    done = await Tried(ews, monkeypatch).run(person=PERSON, folders=True)
    assert [done.value(key) for key in (v.EWS_INBOX, v.EWS_TASKS)] == [
        "found",
        "Exchange gave no answer for this folder, or for one before it",
    ]
    assert done.ledger.told == ["claimed", Ending.ACCEPTED]


@pytest.mark.parametrize(
    ("number", "refusal"), [("24", ("bad-credentials",)), ("23", ("password-expired",)), ("18", ("account-disabled", "account-locked"))]
)
async def test_a_kdc_that_refuses_ends_the_try(
    ews: EwsStub, monkeypatch: pytest.MonkeyPatch, number: str, refusal: tuple[str, ...]
) -> None:
    """No NTLM follows: the password would be counted twice."""
    done = await Tried(ews, monkeypatch, ticket=TicketResult(trouble="refused", number=number)).run(person=PERSON)
    assert (done.value(v.AUTH_ACCEPTED), done.value(v.AUTH_REFUSAL)) == (False, refusal)
    assert ews.logons == 0
    assert done.ledger.told == ["claimed", Ending.REFUSED]


@pytest.mark.parametrize(("trouble", "ended"), [("no-kdc", "released"), ("no-library", "released"), ("no-service", Ending.ACCEPTED)])
async def test_ntlm_follows_where_there_is_no_kerberos(ews: EwsStub, monkeypatch: pytest.MonkeyPatch, trouble: Any, ended: str) -> None:
    """As a Windows client does, and told; the proof of NTLM is claimed for itself."""
    done = await Tried(ews, monkeypatch, ticket=TicketResult(trouble=trouble)).run(person=PERSON)
    assert "no Kerberos: " in done.text
    assert done.ledger.told[:3] == ["claimed", ended, "claimed"]
    assert ews.logons == 1
