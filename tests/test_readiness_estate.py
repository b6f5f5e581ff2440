"""Whole runs in which everything answers, and the mailbox is not ready all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from probe import app
from probe.engine.judge import Ruleset, judge_estate
from probe.model import vocabulary as v
from probe.model.estate import Authentication, Credentials, Delivery, Effect, Endpoint, Location, ServerType
from probe.model.facts import Fact
from probe.model.rules import Assessment, Result
from probe.model.runs import Run
from probe.simulation import pop3, releases, smtp
from probe.simulation.ews import Account
from probe.simulation.exchange import ExchangeOnline, ExchangeServer
from probe.simulation.web import Request, Response
from tests.exchange_world import ON_PREMISES, ONLINE, PASSWORD, USER, Anything, World, reading

ONLINE_EWS = "https://outlook.office365.com/EWS/Exchange.asmx"
BEFORE, DURING, AFTER = date(2026, 9, 30), date(2026, 11, 28), date(2027, 4, 1)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(stack, tmp_path)


def judged(run: Run, on: date = DURING) -> Assessment:
    """What the run's readings come to on a day: its own would change as the years pass."""
    assert run.estate is not None
    ruleset = Ruleset(inferences=app.inferences(), rules=app.rules())
    observed = [r for attempt in run.attempts for r in attempt.readings]
    (assessment,) = judge_estate(run.estate, observed, run.estate.mailboxes, ruleset, on, run.finished, run.asked.allow).assessments
    return assessment


def results(run: Run, result: Result, on: date = DURING) -> set[str]:
    """The rules of which that came."""
    return {f.rule.id for f in judged(run, on).findings if f.result is result}


WINDOWS: dict[str, Any] = {"credentials": Credentials.WINDOWS_INTEGRATED, "authentication": Authentication.NEGOTIATE, "impersonation": True}
SERVICE: dict[str, Any] = {
    "credentials": Credentials.PROFILE,
    "authentication": Authentication.NTLM,
    "impersonation": True,
    "username": "svc@contoso.test",
    "password_of_profile": PASSWORD,
}


async def at_exchange(
    world: World,
    settings: dict[str, Any],
    server_type: ServerType = ServerType.EXCHANGE_SERVER,
    location: Location | None = None,
    **more: Any,
) -> Run:
    """A run at an Exchange Server 2019 of one's own."""
    accounts = {"svc@contoso.test": Account(password=PASSWORD, may_act_as=frozenset({USER}))}
    server = ExchangeServer(releases.EXCHANGE_2019, ON_PREMISES, world.tls(ON_PREMISES), accounts=accounts, **more)
    ews = await world.open(ON_PREMISES, server)
    return await world.check(ews, server_type=server_type, location=location, **settings)


@pytest.mark.parametrize("server_type", [ServerType.EXCHANGE_SERVER, ServerType.EXCHANGE_SERVER_HYBRID])
@pytest.mark.parametrize("location", [None, Location.EXCHANGE_ONLINE])
async def test_a_mailbox_that_has_moved_is_not_ready(world: World, server_type: ServerType, location: Location | None) -> None:
    """The server that it left answers as before, and names where it went; nobody signs in."""
    run = await at_exchange(world, WINDOWS, server_type, location, moved={USER: ONLINE_EWS})
    assert judged(run).readiness == "not-ready"
    assert "mailbox-lives-elsewhere" in results(run, Result.FAILS)
    assert judged(run).signed_in == "impossible"


async def test_a_word_that_autodiscover_contradicts_leaves_readiness_open(world: World) -> None:
    """It is asked although the estate says where the mailbox lives, and both are named."""
    run = await at_exchange(world, WINDOWS, location=Location.ON_PREMISES, moved={USER: ONLINE_EWS})
    assert judged(run).readiness == "undetermined", results(run, Result.FAILS)
    assert "mailbox-lives-elsewhere" in results(run, Result.UNKNOWN)
    assert reading(run, v.MAILBOX_LOCATION) == "conflicting"
    (gap,) = [r for r in run.readings if r.key == v.MAILBOX_LOCATION and not isinstance(r, Fact)]
    assert "on-premises (the estate)" in gap.detail
    assert "exchange-online (a" in gap.detail


async def test_a_word_that_autodiscover_bears_out_is_ready(world: World) -> None:
    """Here both say that it is here."""
    run = await at_exchange(world, WINDOWS, location=Location.ON_PREMISES, mailboxes=[USER])
    assert reading(run, v.AUTODISCOVER_REDIRECTS) is False
    assert judged(run).readiness == "ready", results(run, Result.FAILS) | results(run, Result.UNKNOWN)


@pytest.mark.parametrize("location", [None, Location.ON_PREMISES, Location.EXCHANGE_ONLINE, Location.ELSEWHERE])
async def test_a_mailbox_that_was_opened_is_ready_whatever_is_said(world: World, location: Location | None) -> None:
    """A sign-in that opened it beats the operator's word."""
    run = await at_exchange(world, SERVICE, location=location, mailboxes=[USER])
    assert reading(run, v.MAILBOX_LOCATION) == "on-premises"
    assert (judged(run).readiness, judged(run).signed_in) == ("ready", "yes")


async def test_a_wrong_password_is_told_as_refused(world: World) -> None:
    """Signed in is what the server says of it."""
    run = await at_exchange(world, {**SERVICE, "password_of_profile": "marked-Wrong"}, mailboxes=[USER])
    assert (judged(run).readiness, judged(run).signed_in) == ("not-ready", "refused")


async def test_without_permission_nobody_signs_in(world: World) -> None:
    """Then readiness is what shows without, and the assessment says that nobody allowed it."""
    run = await at_exchange(world, {**SERVICE, "allow": frozenset()}, mailboxes=[USER])
    assert (judged(run).readiness, judged(run).signed_in) == ("ready", "not-allowed")


async def at_exchange_online(world: World, settings: dict[str, Any], location: Location | None = None, **more: Any) -> Run:
    """A run at Exchange Online."""
    server = ExchangeOnline(world.tls(ONLINE), **more)
    return await world.check(await world.open(ONLINE, server), location=location, **settings)


BY_SERVER: dict[str, Any] = {"credentials": Credentials.SERVER_TO_SERVER}


async def test_a_mailbox_on_premises_under_an_exchange_online_profile_is_not_ready(world: World) -> None:
    """Exchange Online sends it on to its own server."""
    run = await at_exchange_online(world, BY_SERVER, on_premises={USER: "https://hybrid.contoso.test"})
    assert judged(run, BEFORE).readiness == "not-ready"
    assert "mailbox-lives-elsewhere" in results(run, Result.FAILS, BEFORE)


async def test_an_exchange_server_profile_that_leads_to_exchange_online_is_not_ready(world: World) -> None:
    """Whether the mailbox is there or not."""
    run = await at_exchange_online(world, {**WINDOWS, "server_type": ServerType.EXCHANGE_SERVER}, mailboxes=[USER])
    assert "mailbox-lives-elsewhere" in results(run, Result.FAILS, BEFORE)


@pytest.mark.parametrize(
    ("on", "support", "readiness"),
    [(BEFORE, "supported", "ready"), (DURING, "supported", "undetermined"), (AFTER, "unsupported", "not-ready")],
)
async def test_exchange_online_is_judged_by_the_day(world: World, on: date, support: str, readiness: str) -> None:
    """One run, judged for the day before tenants are shut, for one while they are, and for the day of the end."""
    run = await at_exchange_online(world, BY_SERVER, Location.EXCHANGE_ONLINE, mailboxes=[USER])
    assert (judged(run, on).support, judged(run, on).readiness) == (support, readiness)


async def test_a_user_does_not_sign_in_to_exchange_online(world: World) -> None:
    """An Exchange Online profile has Server to Server alone."""
    run = await at_exchange_online(world, {"credentials": Credentials.MAILBOX}, Location.EXCHANGE_ONLINE, mailboxes=[USER])
    assert judged(run, BEFORE).readiness == "not-ready"
    assert "credentials-the-profile-cannot-use" in results(run, Result.FAILS, BEFORE)


class Hidden(ExchangeServer):
    """An Exchange whose headers, pages and SOAP show no number, as a proxy may leave it."""

    def answer(self, request: Request) -> Response:
        said = super().answer(request)
        kept = tuple((name, value) for name, value in said.headers if name not in ("X-OWA-Version", "MS-Server-ActiveSync"))
        return Response(said.status, kept, b"" if b"15.2" in said.body else said.body)


async def test_an_exchange_that_hides_its_number_and_offers_ntlm_goes_on(world: World) -> None:
    """It is some Exchange, and none that is being switched off."""
    server = Hidden(releases.EXCHANGE_2019, ON_PREMISES, world.tls(ON_PREMISES), mailboxes=[USER])
    ews = await world.open(ON_PREMISES, server)
    run = await world.check(ews, server_type=ServerType.EXCHANGE_SERVER, location=Location.ON_PREMISES, **WINDOWS)
    assert reading_of(run, ews, v.SERVER_PRODUCT) == "Exchange"
    for on in (BEFORE, DURING, AFTER):
        assert (judged(run, on).support, judged(run, on).readiness) == ("undetermined", "ready")


def reading_of(run: Run, ews: str, key: Any) -> Any:
    """The value of a key of the endpoint."""
    values = [r.value for r in run.readings if r.key == key and isinstance(r, Fact) and r.subject.startswith(ews)]
    return values[0] if values else None


class TwoServers(ExchangeServer):
    """A name behind which one Exchange answers all but the pages of Outlook on the web, and another those."""

    def __init__(self, *args: Any, other: ExchangeServer, **more: Any) -> None:
        super().__init__(*args, **more)
        self._other = other

    def answer(self, request: Request) -> Response:
        return self._other.answer(request) if request.path.startswith("/owa") else super().answer(request)


@pytest.mark.parametrize(
    ("other", "second_product", "support"),
    [(releases.EXCHANGE_2019, "Exchange Server 2019", "supported"), (releases.EXCHANGE_SE, "Exchange Server SE", "undetermined")],
)
async def test_two_servers_of_one_name_are_supported_where_both_are_listed(
    world: World, other: releases.Release, second_product: str, support: str
) -> None:
    """The build of each shows in another place."""
    second = ExchangeServer(other, ON_PREMISES, world.tls(ON_PREMISES), mailboxes=[USER])
    first = TwoServers(releases.EXCHANGE_2016, ON_PREMISES, world.tls(ON_PREMISES), other=second, mailboxes=[USER])
    ews = await world.open(ON_PREMISES, first)
    accounts: dict[str, Any] = {**WINDOWS, "server_type": ServerType.EXCHANGE_SERVER}
    run = await world.check(ews, location=Location.ON_PREMISES, **accounts)
    assert set(reading_of(run, ews, v.SERVER_PRODUCTS) or ()) == {"Exchange Server 2016", second_product}
    assert judged(run).support == support


@pytest.mark.parametrize(
    ("headers", "product"),
    [
        ((("WWW-Authenticate", 'Basic realm="msrpc realm"'),), "grommunio"),
        ((("WWW-Authenticate", "NTLM"), ("MicrosoftSharePointTeamServices", "16.0.0.10417")), "SharePoint"),
        ((("WWW-Authenticate", 'Basic realm="EWS"'), ("Server", "Kerio Connect 10.0.2")), "Kerio Connect"),
    ],
)
async def test_what_is_known_not_to_be_exchange_is_not_listed(world: World, headers: Any, product: str) -> None:
    """It is called by its name."""
    ews = await world.open(ON_PREMISES, Anything(world.tls(ON_PREMISES), Response(401, headers)))
    run = await world.check(ews, server_type=ServerType.EXCHANGE_SERVER, **WINDOWS)
    assert reading_of(run, ews, v.SERVER_PRODUCT) == product
    assert judged(run).support == "not-listed"


FORM = b'<html><body><form method="post" action="/check"><input name="user"><input type="password" name="pw"></form></body></html>'
ADFS_PAGE = "https://sts.contoso.test/adfs/ls/?version=1.0&action=signin"


@pytest.mark.parametrize(
    ("said", "page"),
    [
        (Response(302, (("Location", ADFS_PAGE),)), ADFS_PAGE),
        (Response(302, (("Location", "/my.policy"),)), "/my.policy"),
        (Response(200, (("Content-Type", "text/html"),), FORM), None),
    ],
    ids=["AD FS", "gateway", "form"],
)
async def test_a_log_on_page_in_place_of_ews_is_not_ready(world: World, said: Response, page: str | None) -> None:
    """Where a proxy sends everybody, or shows its page at once, the page is named."""
    ews = await world.open(ON_PREMISES, Anything(world.tls(ON_PREMISES), said))
    run = await world.check(ews, server_type=ServerType.EXCHANGE_SERVER, **WINDOWS)
    assert judged(run).readiness == "not-ready"
    (finding,) = [f for f in judged(run).findings if f.rule.id == "logon-page-in-place-of-ews"]
    assert finding.result is Result.FAILS
    assert {getattr(r, "value", None) for r in finding.because} == {page or f"{ews}/EWS/Exchange.asmx"}


async def test_a_location_that_is_outlook_on_the_webs_is_not_ready(world: World) -> None:
    """The commonest typing error: the address that people open in their browser."""
    server = ExchangeServer(releases.EXCHANGE_2016, ON_PREMISES, world.tls(ON_PREMISES), mailboxes=[USER])
    origin = await world.open(ON_PREMISES, server)
    run = await world.check(f"{origin}/owa/", server_type=ServerType.EXCHANGE_SERVER, location=Location.ON_PREMISES, **WINDOWS)
    assert (judged(run).support, judged(run).readiness) == ("supported", "not-ready")
    assert "logon-page-in-place-of-ews" in results(run, Result.FAILS)


async def test_an_error_page_of_exchange_is_no_log_on_page(world: World) -> None:
    """A front end that cannot reach its back end sends to its error page: that may pass, and decides nothing."""
    error = Response(302, (("Location", "https://mail.contoso.test/owa/auth/errorFE.aspx?httpCode=500"), ("X-FEServer", "EX01")))
    ews = await world.open(ON_PREMISES, Anything(world.tls(ON_PREMISES), error))
    run = await world.check(ews, server_type=ServerType.EXCHANGE_SERVER, **WINDOWS)
    assert judged(run).readiness == "undetermined", results(run, Result.FAILS)


async def test_an_application_counts_only_where_tokens_are_asked_for(world: World) -> None:
    """An application beside another authentication than OAuth signs in nowhere, so that no sign-in is waited for."""
    application: dict[str, Any] = {"tenant": "contoso.test", "client_id": "6731de76", "client_secret": world.secret("marked-x")}
    settings = {**BY_SERVER, **application, "authentication": Authentication.AUTO}
    run = await at_exchange_online(world, settings, Location.EXCHANGE_ONLINE, mailboxes=[USER])
    assert (judged(run, BEFORE).readiness, judged(run, BEFORE).signed_in) == ("ready", "impossible")
    assert run.estate is not None
    assert Effect.LOGS_IN in run.estate.deployment.allow


def lost(recipient: str, message: str) -> None:
    """Takes a message, and it is never seen again."""


async def sent_from_itself(
    world: World, incoming: str, credentials: Credentials, deliver: smtp.Deliver | None, appointments: Delivery = Delivery.NONE
) -> Run:
    """A run in which a test message may be sent; where nothing is to be delivered, the server takes no message."""
    exchange = ExchangeServer(
        releases.EXCHANGE_2019,
        ON_PREMISES,
        world.tls(ON_PREMISES),
        accounts={USER: Account(password=PASSWORD, mailbox=USER)},
        mailboxes=[USER],
    )
    inbox = pop3.Pop3Server(pop3.DOVECOT, world.tls(ON_PREMISES), implicit=True, accounts={USER: PASSWORD})
    out = smtp.SmtpServer(smtp.GMAIL, world.tls(ON_PREMISES), implicit=True, accounts={USER: PASSWORD})
    out.deliver = deliver
    await world.open(ON_PREMISES, out)
    ews = await world.open(ON_PREMISES, exchange)
    await world.open(ON_PREMISES, inbox)
    return await world.check(
        ews,
        server_type=ServerType.POP3_SMTP,
        incoming=Endpoint.parse(ews if incoming == "ews" else f"pop3s://{ON_PREMISES}:{inbox.port}"),
        outgoing=Endpoint.parse(f"smtps://{ON_PREMISES}:{out.port}"),
        authentication=Authentication.BASIC,
        credentials=credentials,
        username=USER if credentials is Credentials.PROFILE else None,
        password_of_profile=PASSWORD,
        allow=frozenset({Effect.LOGS_IN, Effect.SENDS_MAIL}),
        appointments=appointments,
        timeout=20 if deliver is lost else 40,  # of which a message that is lost takes all
    )


@pytest.mark.parametrize("deliver", [None, lost], ids=["refused", "lost"])
@pytest.mark.parametrize("credentials", [Credentials.MAILBOX, Credentials.PROFILE])
@pytest.mark.parametrize("incoming", ["pop3", "ews"])
async def test_a_message_that_is_refused_or_lost_is_not_ready(
    world: World, incoming: str, credentials: Credentials, deliver: smtp.Deliver | None
) -> None:
    """Whoever's account it is, as long as it is the mailbox's own, and by whatever the mailbox is opened."""
    run = await sent_from_itself(world, incoming, credentials, deliver)
    assert reading(run, v.ROUNDTRIP_SENT) is (deliver is not None)
    assert reading(run, v.ROUNDTRIP_RETURNED) == ("not-applicable" if deliver is None else False)
    assert "message-not-returned" in results(run, Result.FAILS)
    assert (judged(run).readiness, judged(run).signed_in) == ("not-ready", "yes")
