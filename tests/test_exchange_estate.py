"""Whole runs against simulated Exchange Servers that count every logon."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from probe import app
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.estate import (
    Authentication,
    Credentials,
    Delivery,
    Effect,
    Endpoint,
    Estate,
    Mailbox,
    SecretReference,
    ServerProfile,
    ServerType,
)
from probe.model.facts import Fact, Missing
from probe.model.rules import Readiness, Support
from probe.model.runs import Run
from probe.simulation import releases
from probe.simulation.ews import Account
from probe.simulation.exchange import ExchangeServer
from probe.simulation.web import Request, Response
from tests.estates import DEPLOYMENT
from tests.looking import authority

SERVICE, PASSWORD = "svc-crm@contoso.test", "Correct-Horse-7"
RELEASES = (releases.EXCHANGE_2013, releases.EXCHANGE_2016, releases.EXCHANGE_2019, releases.EXCHANGE_SE)


@dataclass(frozen=True)
class World:
    """Servers, the estate behind them, and how to run over it."""

    servers: tuple[ExchangeServer, ...]
    estate: Estate
    options: app.Options

    async def check(self) -> Run:
        return await app.check(self.estate, self.estate.mailboxes, self.options)

    @property
    def logons(self) -> list[bool]:
        return [accepted for server in self.servers for _, accepted in server.logons]


@asynccontextmanager
async def world(
    folder: Path,
    mailboxes_each: int,
    *,
    served_by: Iterable[releases.Release] = RELEASES,
    password: str = PASSWORD,
    authentication: Authentication = Authentication.NTLM,
    states: dict[str, str] | None = None,
    account: Account | None = None,
    protected: str = "",
    publishes_pages: bool = True,
    kind: type[ExchangeServer] = ExchangeServer,
) -> AsyncIterator[World]:
    """One service account that may act as every mailbox of every server."""
    secret = folder / "secret"
    secret.write_text(password)
    async with AsyncExitStack() as stack:
        servers, profiles, mailboxes, hosts = [], [], [], {}
        for number, release in enumerate(served_by):
            host = f"ex{number}.contoso.test"
            addresses = [f"m{number}-{n}@contoso.test" for n in range(mailboxes_each)]
            who = account or Account(password=PASSWORD, may_act_as=frozenset(addresses))
            identity = authority().issue(host)
            tls = identity.context()
            shown = {"by us": identity, "by a proxy": authority().issue("proxy.contoso.test")}.get(protected)
            bound_to = None if shown is None else x509.load_pem_x509_certificate(shown.file.read_bytes()).public_bytes(Encoding.DER)
            server = kind(
                release,
                host,
                tls,
                accounts={SERVICE: who},
                mailboxes=addresses,
                states=states,
                protected=bound_to,
                publishes_pages=publishes_pages,
            )
            servers.append(await stack.enter_async_context(server))
            hosts[host] = "127.0.0.1"
            endpoint = Endpoint.parse(f"https://{host}:{server.port}")
            profiles.append(
                ServerProfile(
                    name=f"p{number}",
                    server_type=ServerType.EXCHANGE_SERVER,
                    incoming=endpoint,
                    outgoing=endpoint,
                    authentication=authentication,
                    credentials=Credentials.PROFILE,
                    impersonation=True,
                    username=SERVICE,
                    password=SecretReference("file", str(secret)),
                )
            )
            mailboxes += [
                Mailbox(
                    address=address,
                    profile=f"p{number}",
                    incoming=Delivery.SERVER_SIDE,
                    outgoing=Delivery.SERVER_SIDE,
                    appointments=Delivery.SERVER_SIDE,
                )
                for address in addresses
            ]
        deployment = replace(DEPLOYMENT, allow=frozenset({Effect.LOGS_IN}))
        estate = Estate(deployment=deployment, profiles=tuple(profiles), mailboxes=tuple(mailboxes))
        options = app.Options(timeout=30, hosts=hosts, ca_file=authority().ca_file, state=folder / "state", tls="none")
        yield World(tuple(servers), estate, options)


def descendants(of: int | None = None) -> set[int]:
    """Processes below one, which is this one unless said otherwise."""
    below: set[int] = set()
    for listed in Path(f"/proc/{of or os.getpid()}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it has just ended
            for child in map(int, listed.read_text().split()):
                below |= {child} | descendants(child)
    return below


def found(run: Run, key: object) -> list[object]:
    """The values of a key, one for each mailbox that has one."""
    return [r.value for r in run.readings if isinstance(r, Fact) and r.key == key]


@pytest.mark.timeout(240)
async def test_three_hundred_mailboxes_of_one_account_are_signed_in(tmp_path: Path) -> None:
    """Over four servers every mailbox is opened, by one logon each three connections to a server at a time; no child is left."""
    before = descendants()
    async with world(tmp_path, 75) as there:
        run = await there.check()
        assert there.logons == [True] * 300
        # The server counts a connection until it has read the close, which may be after the next one has come.
        assert all(server.peak <= 4 for server in there.servers)
    for key in (v.EWS_INBOX, v.EWS_CALENDAR, v.EWS_CONTACTS, v.EWS_TASKS):
        assert found(run, key) == ["found"] * 300
    # The fork server and the resource tracker stay for the next run; none of the children that sign in does.
    assert len(descendants() - before) <= 2


@pytest.mark.parametrize("authentication", [Authentication.NTLM, Authentication.BASIC, Authentication.AUTO])
async def test_a_wrong_password_is_one_logon_whatever_stands_behind_it(tmp_path: Path, authentication: Authentication) -> None:
    """One account, four servers, twelve mailboxes, and a second run: one logon in all reaches a server, and its answer is told again."""
    async with world(tmp_path, 3, password="wrong", authentication=authentication) as there:
        first = await there.check()
        second = await there.check()
        assert there.logons == [False]
    assert [a.outcome for a in first.attempts if a.prober == "ews-inbox"].count(Outcome.COMPLETED) == 1
    (again,) = [a for a in second.attempts if a.prober == "ews-inbox" and a.outcome is not Outcome.NOT_SCHEDULED]
    assert (again.outcome, again.at < second.started) == (Outcome.COMPLETED, True)


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("ErrorMailboxMoveInProgress", "mailbox-unavailable-for-now"),
        ("ErrorMailboxStoreUnavailable", "mailbox-unavailable-for-now"),
        ("ErrorNoRespondingCASInDestinationSite", "exchange-server-fault"),
        ("ErrorImpersonationFailed", "exchange-server-fault"),
        ("ErrorInvalidLicense", "mailbox-access-denied"),
    ],
)
async def test_what_exchange_says_of_a_mailbox_becomes_a_finding(tmp_path: Path, code: str, rule: str) -> None:
    """The mailbox with the trouble is not ready, by the one rule that tells its remedy; the one beside it is opened."""
    async with world(tmp_path, 2, served_by=[releases.EXCHANGE_2019], states={"m0-0@contoso.test": code}) as there:
        run = await there.check()
    assert sorted(map(str, found(run, v.EWS_INBOX))) == sorted([code, "found"])
    troubled, fine = run.assessments
    assert (troubled.readiness, fine.readiness) == (Readiness.NOT_READY, Readiness.READY)
    assert [f.rule.id for f in troubled.findings if f.result == "fails" and f.rule.otherwise == "not-ready"] == [rule]


def told_busy(run: Run) -> set[str | None]:
    """The mailboxes that Exchange was too busy for."""
    return {r.mailbox for r in run.readings if isinstance(r, Fact) and r.key == v.EWS_INBOX and r.value == "ErrorServerBusy"}


async def test_a_busy_exchange_is_left_alone(tmp_path: Path) -> None:
    """Whoever signs in to a server that is busy is told to wait; nobody else tries it then, nor in the next run."""
    busy = Account(password=PASSWORD, state="ErrorServerBusy")
    async with world(tmp_path, 3, served_by=[releases.EXCHANGE_2016], account=busy) as there:
        run = await there.check()
        assert there.logons.count(True) <= 3
        (reason,) = {a.detail for a in run.attempts if a.outcome is Outcome.THROTTLED}
        assert reason == "Exchange answers ErrorServerBusy, and asks for a pause of 30 s"
        asked = [a for a, mailbox in zip(run.assessments, there.estate.mailboxes, strict=True) if mailbox.address in told_busy(run)]
        assert asked
        assert all(
            [f.rule.id for f in a.findings if f.result == "fails" and f.rule.otherwise == "not-ready"] == ["mailbox-unavailable-for-now"]
            for a in asked
        )
        so_far = len(there.logons)
        again = await there.check()
        assert len(there.logons) == so_far
    # Those that were told to wait are told so again, as of then.
    assert all(a.outcome is Outcome.NOT_SCHEDULED or a.at < again.started for a in again.attempts if a.prober == "ews-inbox")


@pytest.mark.parametrize("code", ["ErrorPasswordExpired", "ErrorPasswordChangeRequired", "ErrorAccountDisabled"])
async def test_an_account_in_no_state_to_sign_in_is_asked_once(tmp_path: Path, code: str) -> None:
    """What Exchange says of the account itself holds for every mailbox, and is not asked for again."""
    async with world(tmp_path, 3, served_by=[releases.EXCHANGE_2016], account=Account(password=PASSWORD, state=code)) as there:
        run = await there.check()
        assert len(there.logons) == 1
    assert {a.readiness for a in run.assessments} <= {Readiness.NOT_READY, Readiness.UNDETERMINED}
    assert run.assessments[0].readiness is Readiness.NOT_READY


async def test_what_ews_says_to_the_signed_in_tells_the_product(tmp_path: Path) -> None:
    """A 2016 whose pages are not published shows its build to nobody else; product, update and end of support follow from it."""
    async with world(tmp_path, 2, served_by=[releases.EXCHANGE_2016], publishes_pages=False) as there:
        run = await there.check()
    assert [str(r.value) for r in run.readings if isinstance(r, Fact) and r.key == v.SERVER_BUILD and r.mailbox is None] == [
        releases.EXCHANGE_2016.version
    ]
    assert found(run, v.SERVER_PRODUCT) == ["Exchange Server 2016"]
    assert len(found(run, v.SERVER_UPDATE)) == len(found(run, v.SERVER_END_OF_SUPPORT)) == 1


@pytest.mark.parametrize("authentication", [Authentication.NTLM, Authentication.BASIC])
async def test_exchange_2007_is_opened_in_its_own_schema(tmp_path: Path, authentication: Authentication) -> None:
    """A 2007 that shows its build to the signed in alone is known as 2007, its mailbox is opened, and it is not supported."""
    old = [releases.EXCHANGE_2007]
    async with world(tmp_path, 1, served_by=old, publishes_pages=False, authentication=authentication) as there:
        run = await there.check()
        assert all(there.logons)
    assert found(run, v.EWS_INBOX) == found(run, v.EWS_TASKS) == ["found"]
    assert found(run, v.SERVER_PRODUCT) == ["Exchange Server 2007"]
    (assessment,) = run.assessments
    assert assessment.support == "unsupported"
    assert [f.result for f in assessment.findings if f.rule.id == "exchange-2003-or-2007"] == ["fails"]


async def test_extended_protection_is_passed(tmp_path: Path) -> None:
    """A logon by NTLM is bound to the TLS channel that it goes over, as Exchange wants it where Extended Protection is on."""
    async with world(tmp_path, 1, served_by=[releases.EXCHANGE_SE], protected="by us") as there:
        run = await there.check()
        assert there.logons == [True]
    assert found(run, v.EWS_INBOX) == ["found"]


class StrippedExchange(ExchangeServer):
    """An Exchange behind a proxy that lets no header through by which it shows itself, and offers Basic alone."""

    def answer(self, request: Request) -> Response:
        told = super().answer(request)
        kept = [(name, value) for name, value in told.headers if name == "Content-Type" or value.startswith("Basic ")]
        return replace(told, headers=(("Server", "nginx"), *kept))


async def test_an_exchange_behind_a_proxy_that_strips_headers_is_some_exchange(tmp_path: Path) -> None:
    """Signed in, it tells a released build: it is called Exchange, the doubt and what settles it are told, and nothing is concluded of its support."""
    async with world(
        tmp_path,
        1,
        served_by=[releases.EXCHANGE_2019],
        authentication=Authentication.BASIC,
        publishes_pages=False,
        kind=StrippedExchange,
    ) as there:
        run = await there.check()
    assert found(run, v.EWS_INBOX) == ["found"]
    assert found(run, v.SERVER_PRODUCT) == ["Exchange"]
    (version,) = [r for r in run.readings if r.key is v.SERVER_VERSION]
    assert isinstance(version, Missing)
    assert "shown only in SOAP" in version.detail
    assert "To settle it" in version.detail
    assert run.assessments[0].support is Support.UNDETERMINED


async def test_extended_protection_behind_a_proxy_is_suspected(tmp_path: Path) -> None:
    """Where TLS ends at another certificate than Exchange's, a right password is refused as a wrong one is, and the remedy says so."""
    async with world(tmp_path, 1, served_by=[releases.EXCHANGE_SE], protected="by a proxy") as there:
        run = await there.check()
        assert there.logons == [False]
    (finding,) = [f for f in run.assessments[0].findings if f.rule.id == "login-refused"]
    assert finding.result == "fails"
    assert "Extended Protection" in finding.rule.remedy
