"""Signing in to an organization at real servers: MIT's KDC, and Apache with mod_auth_gssapi and gss-ntlmssp before the simulated Web API. Proved by what they logged."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from probe.dynamics import SignInFailed
from probe.model.estate import Authentication
from probe.net.failures import PeerFailure
from probe.probing import Ending
from probe.simulation.dynamics.organization import Organization, SystemUser
from probe.simulation.dynamics.signing_in import Claims
from probe.simulation.dynamics.web_api import DynamicsServer
from tests.dynamics.peer import Peer, Way
from tests.ledger import Ledger
from tests.looking import authority
from tests.servers.apache import ApacheBefore, Logged, Mechanism
from tests.servers.kerberos import BY_NTLM, FOR_TICKETS, FOR_WEB, OTHER, OTHER_PASSWORD, SERVICE, SERVICE_PASSWORD, Realm, set_variables

TICKET_FOR_WEB = ("TGS_REQ", "ISSUE", SERVICE, FOR_WEB)


def told_by_apache(token: str) -> str | None:
    """The name that Apache let in, out of what it passes on in the place of a token."""
    return base64.b64decode(token).decode().removeprefix("\\")


@dataclass
class Tried:
    """One sign-in to an organization behind Apache, and what everybody who took part in it wrote down."""

    realm: Realm
    apache_before: ApacheBefore
    ledger: Ledger = field(default_factory=Ledger)
    failure: str = ""
    by: str = ""
    text: str = ""
    at_apache: list[Logged] = field(default_factory=list)
    at_kdc: list[tuple[str, str, str, str]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    delegated: list[str] = field(default_factory=list)

    async def run(
        self,
        username: str | None = None,
        password: str = "",
        *,
        mechanisms: Sequence[Mechanism] = ("krb5", "ntlmssp"),
        bound: bool = True,
    ) -> Tried:
        """By a password, or, without a name, as the account that runs this program."""
        users = [SystemUser(name=name) for name in (SERVICE, BY_NTLM)]
        context = authority().issue("localhost", "127.0.0.1").context()
        site = DynamicsServer(Organization(), context, users=users, claims=Claims(holder=told_by_apache, resource="unused"))
        asked_before = len(self.realm.requests())
        async with site:
            apache = self.apache_before(f"https://127.0.0.1:{site.port}", mechanisms=mechanisms, tells="Bearer", bound=bound)
            way = Way(
                username=username,
                password=password,
                authentication=Authentication.NEGOTIATE,
                proof=self.ledger,
                url=f"https://localhost:{apache.port}/{site.organization.name}",
                ca_file=apache.ca_file,
            )
            try:
                async with way.to(Peer()) as client:
                    self.by = client.signed_in_by
            except PeerFailure as failed:
                self.failure = f"{type(failed).__name__}: {failed}"
            self.asked = site.asked
        self.text = "\n".join(way.lines)
        self.at_apache, self.delegated = apache.requests(), apache.delegated
        self.at_kdc = self.realm.requests()[asked_before:]
        return self

    @property
    def carried(self) -> list[str]:
        """What the requests signed in by, in order, as Apache logged them."""
        return [logged.carried for logged in self.at_apache]


@pytest.fixture
def tried(realm: Realm, apache_before: ApacheBefore, monkeypatch: pytest.MonkeyPatch) -> Tried:
    """Nobody has a ticket yet."""
    set_variables(monkeypatch, realm.settings())
    return Tried(realm, apache_before)


async def test_a_ticket_lets_in_a_connection(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    """The running account's ticket is shown once; Apache lets in its principal for what follows, and nothing was delegated."""
    set_variables(monkeypatch, tried.realm.sign_in(SERVICE, SERVICE_PASSWORD, "service"))
    done = await tried.run()
    assert (done.failure, done.by) == ("", "kerberos")
    assert done.carried == ["", "Negotiate ticket", "", ""]
    assert [logged.who for logged in done.at_apache] == ["", SERVICE, SERVICE, SERVICE]
    assert [asked for asked in done.at_kdc if asked[0] == "TGS_REQ"] == [TICKET_FOR_WEB]
    assert [path.rpartition("/")[2] for _, path in done.asked][:1] == ["WhoAmI"]
    assert (done.delegated, done.ledger.told) == ([], [])


async def test_a_server_that_wants_a_ticket_each_time_gets_one(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a ticket lets in a request alone, each request carries its own."""
    set_variables(monkeypatch, tried.realm.sign_in(SERVICE, SERVICE_PASSWORD, "service"))
    done = await tried.run(bound=False)
    assert done.carried == ["", "Negotiate ticket", "", "Negotiate ticket", "Negotiate ticket"]
    assert done.delegated == []


async def test_without_a_ticket_the_try_ends(tried: Tried) -> None:
    """The sentence says what to do, and neither the KDC nor the server hears of anything."""
    done = await tried.run()
    assert "get one by kinit" in done.failure
    assert (done.at_kdc, done.carried) == ([], [""])


async def test_a_password_gets_a_ticket_and_is_not_shown_to_the_server(tried: Tried) -> None:
    """The KDC is shown the password once, and the server the ticket alone."""
    done = await tried.run(SERVICE, SERVICE_PASSWORD)
    assert (done.failure, done.by) == ("", "kerberos")
    assert done.at_kdc == [("AS_REQ", "NEEDED_PREAUTH", SERVICE, FOR_TICKETS), ("AS_REQ", "ISSUE", SERVICE, FOR_TICKETS), TICKET_FOR_WEB]
    assert done.carried == ["", "Negotiate ticket", "", ""]
    assert done.ledger.told == ["claimed", Ending.ACCEPTED]
    assert done.delegated == []


async def test_a_kdc_that_refuses_is_asked_once_and_ntlm_does_not_follow(tried: Tried) -> None:
    """A wrong password is proved once: Apache, which offers NTLM, is not shown it."""
    done = await tried.run(SERVICE, "wrong")
    assert done.failure.startswith(f"{SignInFailed.__name__}: no Kerberos: the KDC refuses the account {SERVICE}")
    assert [asked[:2] for asked in done.at_kdc] == [("AS_REQ", "NEEDED_PREAUTH"), ("AS_REQ", "PREAUTH_FAILED")]
    assert done.carried == [""]
    assert done.ledger.told == ["claimed", Ending.REFUSED]


async def test_ntlm_follows_where_no_kdc_answers(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a KDC, gss-ntlmssp is shown one proof of NTLMv2, which it takes."""
    set_variables(monkeypatch, tried.realm.settings(has_kdc=False))
    done = await tried.run(SERVICE, SERVICE_PASSWORD)
    assert (done.failure, done.by, done.at_kdc) == ("", "ntlm", [])
    assert done.carried == ["", "NTLM NTLM 1", "NTLM NTLM 3", "", ""]
    assert done.ledger.told == ["claimed", "released", "claimed", Ending.ACCEPTED]


async def test_ntlm_follows_where_the_server_has_no_principal(tried: Tried) -> None:
    """The KDC takes the password and knows no such server; then the server is shown a proof of NTLM."""
    tried.realm.forget()
    try:
        done = await tried.run(SERVICE, SERVICE_PASSWORD)
    finally:
        tried.realm.register()
    assert (done.failure, done.by) == ("", "ntlm")
    assert "the KDC knows no HTTP/localhost" in done.text
    assert done.carried == ["", "NTLM NTLM 1", "NTLM NTLM 3", "", ""]
    assert done.ledger.told == ["claimed", Ending.ACCEPTED, "claimed", Ending.ACCEPTED]


async def test_a_netbios_name_goes_by_ntlm(tried: Tried) -> None:
    """`DOMAIN\\user` names no realm, so that no KDC is asked."""
    done = await tried.run(BY_NTLM, SERVICE_PASSWORD)
    assert (done.failure, done.by, done.at_kdc) == ("", "ntlm", [])
    assert done.at_apache[2] == Logged("NTLM NTLM 3", 200, BY_NTLM)


async def test_a_password_that_ntlm_refuses_is_shown_once(tried: Tried) -> None:
    """A wrong password is one proof, and one refusal."""
    done = await tried.run(BY_NTLM, "wrong")
    assert "Dynamics refuses the account" in done.failure
    assert done.carried == ["", "NTLM NTLM 1", "NTLM NTLM 3"]
    assert done.ledger.told == ["claimed", Ending.REFUSED]


async def test_a_ticket_of_somebody_who_is_no_user_is_shown_once(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the organization does not know whom Apache let in, no second ticket is asked for, and NTLM does not follow."""
    set_variables(monkeypatch, tried.realm.sign_in(OTHER, OTHER_PASSWORD, "other"))
    done = await tried.run()
    assert "Dynamics refuses the Kerberos ticket" in done.failure
    assert done.carried == ["", "Negotiate ticket"]
    assert [asked for asked in done.at_kdc if asked[0] == "TGS_REQ"] == [("TGS_REQ", "ISSUE", OTHER, FOR_WEB)]
