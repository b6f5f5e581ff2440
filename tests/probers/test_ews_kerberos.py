"""EWS signed in at real servers: MIT's KDC, and Apache with mod_auth_gssapi and gss-ntlmssp before the simulated Exchange. Proved by what they logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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
from probe.probers.ews_inbox import PROBER
from probe.probing import Account, Ending, LoginSubject, Notebook
from probe.simulation import ews, releases
from probe.simulation.exchange import ExchangeServer
from tests.cases import NOON
from tests.ledger import Ledger
from tests.looking import authority
from tests.servers.apache import PASSED_ON, Apache, ApacheBefore, Logged, Mechanism
from tests.servers.kerberos import (
    BY_NTLM,
    EXPIRED,
    FOR_TICKETS,
    FOR_WEB,
    OTHER,
    OTHER_PASSWORD,
    SERVICE,
    SERVICE_PASSWORD,
    Realm,
    set_variables,
)

MAILBOX = "sales@contoso.test"
BY_NTLM_AT_REALM = f"\\{SERVICE}"
"""gss-ntlmssp's name of an account without a domain."""
ASKED_ANONYMOUSLY = Logged("", 401, "")


@dataclass
class Tried:
    """One sign-in to EWS behind Apache, and what everybody who took part in it wrote down."""

    realm: Realm
    apache_before: ApacheBefore
    ledger: Ledger = field(default_factory=Ledger)
    failure: str = ""
    text: str = ""
    readings: dict[FactKey[Any], Reading] = field(default_factory=dict)
    at_apache: list[Logged] = field(default_factory=list)
    at_kdc: list[tuple[str, str, str, str]] = field(default_factory=list)
    at_exchange: list[tuple[str, bool]] = field(default_factory=list)
    delegated: list[str] = field(default_factory=list)

    async def run(
        self,
        username: str,
        password: str | None = None,
        *,
        mechanisms: Sequence[Mechanism] = ("krb5", "ntlmssp"),
        bound: bool = True,
        folders: bool = False,
    ) -> Tried:
        """By a password, or, without one, as the service's account."""
        known = {
            name: ews.Account(password=PASSED_ON, may_act_as=frozenset({MAILBOX})) for name in (SERVICE, BY_NTLM, BY_NTLM_AT_REALM, OTHER)
        }
        exchange = ExchangeServer(
            releases.EXCHANGE_2019, "mail.contoso.test", authority().issue("localhost", "127.0.0.1").context(), schemes=("Basic",),
            accounts=known, mailboxes=(MAILBOX,),
        )  # fmt: skip
        asked_before = len(self.realm.requests())
        async with exchange:
            apache = self.apache_before(f"https://127.0.0.1:{exchange.port}", mechanisms=mechanisms, bound=bound)
            await self._probe(apache, username, password, folders=folders)
            self.at_exchange = list(exchange.logons)
        self.at_apache, self.delegated = apache.requests(), apache.delegated
        self.at_kdc = self.realm.requests()[asked_before:]
        return self

    async def _probe(self, apache: Apache, username: str, password: str | None, *, folders: bool) -> None:
        endpoint = Endpoint.parse(f"https://localhost:{apache.port}/EWS/Exchange.asmx")
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
        async with Children() as children, Deadline(60) as deadline:
            dial = Dial(endpoint, Network(ca_file=apache.ca_file, children=children), deadline, recorder, only_address="127.0.0.1")
            try:
                await PROBER.probe(LoginSubject(endpoint, account), dial, notes)
            except Exception as failed:  # noqa: BLE001 - what it was is what the test asks
                self.failure = f"{type(failed).__name__}: {failed}"
        self.readings = {r.key: r for r in notes.close(PROBER.collects, Why.NOT_DISCLOSED, "nothing") if r.mailbox is not None}
        self.text = "\n".join(line.text for line in recorder.lines())

    def value(self, key: FactKey[Any]) -> object:
        """The value of a key; the reason where it is missing."""
        reading = self.readings[key]
        return reading.value if isinstance(reading, Fact) else reading.detail


@pytest.fixture
def tried(realm: Realm, apache_before: ApacheBefore, monkeypatch: pytest.MonkeyPatch) -> Tried:
    """Nobody has a ticket yet."""
    set_variables(monkeypatch, realm.settings())
    return Tried(realm, apache_before)


# As the service's account


async def test_the_service_s_ticket_opens_the_inbox(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    """One ticket for the server, shown once: Apache lets in the service's principal, Exchange hears its name, and nothing was delegated."""
    set_variables(monkeypatch, tried.realm.sign_in(SERVICE, SERVICE_PASSWORD, "service"))
    done = await tried.run(SERVICE.lower())
    assert done.failure == ""
    assert [done.value(key) for key in (v.AUTH_AS_SERVICE, v.AUTH_ACCEPTED, v.EWS_INBOX, v.EWS_IMPERSONATION)] == [True, True, "found", "granted"]  # fmt: skip
    assert done.at_apache == [ASKED_ANONYMOUSLY, Logged("Negotiate ticket", 200, SERVICE)]
    assert done.at_kdc[-1] == ("TGS_REQ", "ISSUE", SERVICE, FOR_WEB)
    assert [asked for asked in done.at_kdc if asked[0] == "TGS_REQ"] == [("TGS_REQ", "ISSUE", SERVICE, FOR_WEB)]
    assert done.at_exchange == [(SERVICE, True)]
    assert (done.delegated, done.ledger.told) == ([], ["claimed", Ending.ACCEPTED])


async def test_a_server_that_wants_a_ticket_each_time_gets_one(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a ticket lets in a request rather than the connection, each request carries its own."""
    set_variables(monkeypatch, tried.realm.sign_in(SERVICE, SERVICE_PASSWORD, "service"))
    done = await tried.run(SERVICE, bound=False, folders=True)
    assert done.value(v.EWS_TASKS) == "found"
    assert done.at_apache == [*[ASKED_ANONYMOUSLY, Logged("Negotiate ticket", 200, SERVICE)] * 4]
    assert done.delegated == []


async def test_another_account_s_ticket_is_not_used(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the ticket of another account, the KDC is asked for none for the server, and Apache for nothing."""
    set_variables(monkeypatch, tried.realm.sign_in(OTHER, OTHER_PASSWORD, "other"))
    done = await tried.run(SERVICE)
    assert done.value(v.AUTH_AS_SERVICE) is False
    assert f"run this program as {SERVICE}, or with its Kerberos ticket (kinit); it ran as {OTHER}" in str(done.value(v.AUTH_ACCEPTED))
    assert [asked for asked in done.at_kdc if asked[0] == "TGS_REQ"] == []
    assert (done.at_apache, done.at_exchange) == ([], [])


async def test_without_a_ticket_nothing_is_asked(tried: Tried) -> None:
    """Where nobody has signed in, neither the KDC nor Apache hears of it."""
    done = await tried.run(SERVICE)
    assert f"there is no Kerberos ticket of {SERVICE}" in str(done.value(v.AUTH_ACCEPTED))
    assert (done.at_kdc, done.at_apache) == ([], [])


async def test_a_server_without_a_principal_gets_no_ticket(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    """The KDC names what is missing; NTLM, which Apache offers, would need a password that nobody has."""
    set_variables(monkeypatch, tried.realm.sign_in(SERVICE, SERVICE_PASSWORD, "service"))
    tried.realm.forget()
    try:
        done = await tried.run(SERVICE)
    finally:
        tried.realm.register()
    assert "the KDC knows no HTTP/localhost" in str(done.value(v.AUTH_ACCEPTED))
    assert done.at_apache == [ASKED_ANONYMOUSLY]


# Negotiate with a password


async def test_a_password_gets_a_ticket_and_is_not_shown_to_the_server(tried: Tried) -> None:
    """The KDC is shown the password once, and the server the ticket alone."""
    done = await tried.run(SERVICE, SERVICE_PASSWORD)
    assert done.value(v.EWS_INBOX) == "found"
    assert done.at_kdc == [
        ("AS_REQ", "NEEDED_PREAUTH", SERVICE, FOR_TICKETS),
        ("AS_REQ", "ISSUE", SERVICE, FOR_TICKETS),
        ("TGS_REQ", "ISSUE", SERVICE, FOR_WEB),
    ]
    assert done.at_apache == [ASKED_ANONYMOUSLY, Logged("Negotiate ticket", 200, SERVICE)]
    assert done.ledger.told == ["claimed", Ending.ACCEPTED]
    assert done.delegated == []


@pytest.mark.parametrize(
    ("account", "password", "refusal", "number"),
    [
        (SERVICE, "wrong", ("bad-credentials",), "PREAUTH_FAILED"),
        ("nobody@PROBE.TEST", "wrong", ("bad-credentials",), "CLIENT_NOT_FOUND"),
        (EXPIRED, OTHER_PASSWORD, ("password-expired",), "CLIENT KEY EXPIRED"),
    ],
    ids=["password", "name", "expired"],
)
async def test_a_kdc_that_refuses_is_asked_once_and_ntlm_does_not_follow(
    tried: Tried, account: str, password: str, refusal: tuple[str, ...], number: str
) -> None:
    """A refused password was proved once: Apache, which offers NTLM, is not shown it, and the ledger hears of one refusal."""
    done = await tried.run(account, password)
    assert (done.value(v.AUTH_ACCEPTED), done.value(v.AUTH_REFUSAL)) == (False, refusal)
    assert [asked[1] for asked in done.at_kdc if asked[1] != "NEEDED_PREAUTH"] == [number]
    assert {asked[0] for asked in done.at_kdc} == {"AS_REQ"}
    assert done.at_apache == [ASKED_ANONYMOUSLY]
    assert done.ledger.told == ["claimed", Ending.REFUSED]


async def test_ntlm_follows_where_no_kdc_answers(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a KDC, gss-ntlmssp is shown one proof, which it takes: it is NTLMv2, of another make than ours."""
    set_variables(monkeypatch, tried.realm.settings(has_kdc=False))
    done = await tried.run(SERVICE, SERVICE_PASSWORD)
    assert done.value(v.EWS_INBOX) == "found"
    assert "no Kerberos: no KDC answers" in done.text
    assert done.at_kdc == []
    assert done.at_apache[2:] == [Logged("NTLM NTLM 1", 401, ""), Logged("NTLM NTLM 3", 200, BY_NTLM_AT_REALM)]
    assert done.ledger.told == ["claimed", "released", "claimed", Ending.ACCEPTED]


async def test_ntlm_follows_where_the_server_has_no_principal(tried: Tried) -> None:
    """The KDC takes the password and knows no such server; then the server is shown a proof of NTLM."""
    tried.realm.forget()
    try:
        done = await tried.run(SERVICE, SERVICE_PASSWORD)
    finally:
        tried.realm.register()
    assert done.value(v.EWS_INBOX) == "found"
    assert "the KDC knows no HTTP/localhost" in done.text
    assert [logged.carried for logged in done.at_apache] == ["", "", "NTLM NTLM 1", "NTLM NTLM 3"]
    assert done.ledger.told == ["claimed", Ending.ACCEPTED, "claimed", Ending.ACCEPTED]


async def test_a_password_that_ntlm_refuses_is_shown_once(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a KDC, a wrong password is one proof and one refusal."""
    set_variables(monkeypatch, tried.realm.settings(has_kdc=False))
    done = await tried.run(SERVICE, "wrong")
    assert done.value(v.AUTH_ACCEPTED) is False
    assert [logged.carried for logged in done.at_apache] == ["", "", "NTLM NTLM 1", "NTLM NTLM 3"]
    assert {logged.status for logged in done.at_apache} == {401}
    assert done.ledger.told == ["claimed", "released", "claimed", Ending.REFUSED]


async def test_a_netbios_name_goes_by_ntlm(tried: Tried) -> None:
    """`DOMAIN\\user` names no realm, so that no KDC is asked."""
    done = await tried.run(BY_NTLM, SERVICE_PASSWORD)
    assert done.value(v.EWS_INBOX) == "found"
    assert done.at_kdc == []
    assert [logged for logged in done.at_apache if logged.status == 200] == [Logged("NTLM NTLM 3", 200, BY_NTLM)]


async def test_a_server_without_ntlm_gets_none(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server does not offer is not tried, be it that no KDC answers."""
    set_variables(monkeypatch, tried.realm.settings(has_kdc=False))
    done = await tried.run(SERVICE, SERVICE_PASSWORD, mechanisms=("krb5",))
    assert done.value(v.EWS_INBOX) != "found"
    assert [logged.carried for logged in done.at_apache if "NTLM 3" in logged.carried] == []
