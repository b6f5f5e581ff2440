"""Whole runs in which Autodiscover says where a mailbox lives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from probe.model import vocabulary as v
from probe.model.estate import Authentication, Credentials, ServerType
from probe.model.rules import Result
from probe.model.runs import Run
from probe.simulation import releases
from probe.simulation.ews import Account
from probe.simulation.exchange import ExchangeOnline, ExchangeServer
from probe.simulation.releases import Release
from probe.simulation.web import Request, Response
from tests.exchange_world import ON_PREMISES, ONLINE, PASSWORD, USER, Anything, World, reading
from tests.name_server import name_server

ONLINE_EWS = "https://outlook.office365.com/EWS/Exchange.asmx"
HYBRID = "https://hybrid.contoso.test"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(stack, tmp_path)


async def on_premises(world: World, release: Release = releases.EXCHANGE_2019, **more: Any) -> tuple[ExchangeServer, Run]:
    """A run at an Exchange of one's own, where the estate gives nothing to sign in with."""
    server = ExchangeServer(release, ON_PREMISES, world.tls(ON_PREMISES), **more)
    ews = await world.open(ON_PREMISES, server)
    return server, await world.check(ews, credentials=Credentials.WINDOWS_INTEGRATED, server_type=ServerType.EXCHANGE_SERVER)


async def signed_in(
    world: World,
    release: Release,
    kind: type[ExchangeServer] = ExchangeServer,
    authentication: Authentication = Authentication.NTLM,
    **more: Any,
) -> tuple[ExchangeServer, Run]:
    """A run at an Exchange of one's own where an account that impersonates is let in."""
    accounts = {"svc@contoso.test": Account(password=PASSWORD, may_act_as=frozenset({USER}))}
    server = kind(release, ON_PREMISES, world.tls(ON_PREMISES), accounts=accounts, **more)
    ews = await world.open(ON_PREMISES, server)
    run = await world.check(
        ews,
        credentials=Credentials.PROFILE,
        authentication=authentication,
        impersonation=True,
        username="svc@contoso.test",
        password_of_profile=PASSWORD,
        server_type=ServerType.EXCHANGE_SERVER,
    )
    return server, run


@pytest.mark.parametrize("release", [releases.EXCHANGE_2010, releases.EXCHANGE_2013, releases.EXCHANGE_SE])
async def test_who_is_signed_in_is_told_where_the_mailbox_has_gone(world: World, release: Release) -> None:
    """EWS knows no such mailbox; Autodiscover on the same host, by a logon of its own, names the address of it in a tenant."""
    server, run = await signed_in(world, release, moved={USER: ONLINE_EWS})
    assert reading(run, v.EWS_INBOX) == "ErrorNonExistentMailbox"
    assert (reading(run, v.AUTODISCOVER_ACTION), reading(run, v.AUTODISCOVER_TARGET)) == (
        "redirect-address",
        "anna@contoso.mail.onmicrosoft.com",
    )
    assert reading(run, v.MAILBOX_LOCATION) == "exchange-online"
    assert [accepted for _, accepted in server.logons] == [True, True]


class WithoutSoap(ExchangeServer):
    """An Exchange behind a proxy that lets Autodiscover's plain form through alone."""

    def answer(self, request: Request) -> Response:
        return Response(404) if request.path.endswith(".svc") else super().answer(request)


async def test_where_soap_is_not_let_through_the_plain_form_is_asked(world: World) -> None:
    """The older request tells the same, on the logon that the SOAP request made."""
    server, run = await signed_in(world, releases.EXCHANGE_2013, kind=WithoutSoap, moved={USER: ONLINE_EWS})
    assert reading(run, v.AUTODISCOVER_TARGET) == "anna@contoso.mail.onmicrosoft.com"
    assert reading(run, v.MAILBOX_LOCATION) == "exchange-online"
    assert [accepted for _, accepted in server.logons] == [True, True]


async def test_directions_that_repeat_the_password_are_told_without_it(world: World) -> None:
    """A server that has the password, because it was given by Basic, may write it anywhere."""
    _, run = await signed_in(world, releases.EXCHANGE_2013, authentication=Authentication.BASIC, moved={USER: f"https://x.test/{PASSWORD}"})
    assert reading(run, v.AUTODISCOVER_TARGET) == "https://x.test/***"


async def test_a_mailbox_on_another_server_is_on_premises(world: World) -> None:
    """A redirect to a server of one's own is followed by nobody, and told."""
    _, run = await signed_in(world, releases.EXCHANGE_2013, moved={USER: "https://other.contoso.test/autodiscover/autodiscover.svc"})
    assert reading(run, v.AUTODISCOVER_ACTION) == "redirect-url"
    assert reading(run, v.MAILBOX_LOCATION) == "on-premises"


async def test_a_mailbox_that_nobody_knows_is_nowhere(world: World) -> None:
    """Autodiscover's error is told, and nothing is concluded."""
    _, run = await signed_in(world, releases.EXCHANGE_2016)
    assert reading(run, v.AUTODISCOVER_ACTION) == "InvalidUser"
    assert reading(run, v.MAILBOX_LOCATION) == "not-disclosed"
    assert "mailbox-not-found" in failed(run)


async def test_autodiscover_is_not_asked_about_a_mailbox_that_was_opened(world: World) -> None:
    """Where the inbox is found there is nothing to ask."""
    _, run = await signed_in(world, releases.EXCHANGE_2019, mailboxes=[USER])
    assert reading(run, v.AUTODISCOVER_ACTION) == "not-applicable"
    assert reading(run, v.MAILBOX_LOCATION) == "on-premises"


async def online(world: World, **more: Any) -> Run:
    """A run at Exchange Online, where the estate gives nothing to sign in with."""
    server = ExchangeOnline(world.tls(ONLINE), **more)
    return await world.check(await world.open(ONLINE, server), credentials=Credentials.SERVER_TO_SERVER)


def failed(run: Run) -> set[str]:
    return {f.rule.id for f in run.assessments[0].findings if f.result is Result.FAILS}


async def test_a_mailbox_that_its_own_server_keeps_is_on_premises(world: World) -> None:
    """The server's own EWS is named, and the fact says where it comes from."""
    _, run = await on_premises(world, mailboxes=[USER])
    assert reading(run, v.MAILBOX_LOCATION) == "on-premises"
    assert reading(run, v.AUTODISCOVER_REDIRECTS) is False


async def test_a_mailbox_that_has_moved_is_in_exchange_online(world: World) -> None:
    """Its old server names Exchange Online."""
    _, run = await on_premises(world, moved={USER: ONLINE_EWS})
    assert reading(run, v.AUTODISCOVER_URL) == ONLINE_EWS
    assert reading(run, v.MAILBOX_LOCATION) == "exchange-online"


async def test_exchange_online_keeps_it_or_sends_it_on(world: World) -> None:
    """What it keeps is there; what it sends on to another server is on premises, under a profile that cannot serve it."""
    assert reading(await online(world, mailboxes=[USER]), v.MAILBOX_LOCATION) == "exchange-online"
    run = await online(world, on_premises={USER: HYBRID})
    assert reading(run, v.AUTODISCOVER_REDIRECTS) is True
    assert reading(run, v.MAILBOX_LOCATION) == "on-premises"
    assert "exchange-online-profile-with-on-premises-mailbox" in failed(run)


async def test_exchange_online_that_sends_on_to_itself_tells_nothing(world: World) -> None:
    """That is what it does with addresses that it does not know."""
    assert reading(await online(world), v.MAILBOX_LOCATION) == "not-disclosed"


class SendingOn(ExchangeServer):
    """An Exchange whose Autodiscover sends everybody on to another server's."""

    def __init__(self, *args: Any, onward: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self.onward = onward

    def answer(self, request: Request) -> Response:
        if not request.path.endswith("/autodiscover.json"):
            return super().answer(request)
        return Response(302, (("Location", f"{self.onward}/autodiscover/autodiscover.json?Email={USER}&Protocol=EWS&RedirectCount=1"),))


async def sent_on(world: World, onward: str) -> Run:
    """A run at an Exchange of one's own that sends on, where the estate gives nothing to sign in with."""
    server = SendingOn(releases.EXCHANGE_2019, ON_PREMISES, world.tls(ON_PREMISES), onward=onward)
    ews = await world.open(ON_PREMISES, server)
    return await world.check(ews, credentials=Credentials.WINDOWS_INTEGRATED, server_type=ServerType.EXCHANGE_SERVER)


async def test_exchange_online_is_asked_about_who_was_sent_on_to_it(world: World) -> None:
    """One redirect to Exchange Online's own host is followed, without credentials; that it keeps the mailbox decides."""
    online = Listening(world.tls(ONLINE), mailboxes=[USER])
    origin = await world.open(ONLINE, online)
    run = await sent_on(world, origin)
    assert reading(run, v.AUTODISCOVER_URL) == f"{origin}/EWS/Exchange.asmx"
    assert reading(run, v.AUTODISCOVER_REDIRECTS) is False
    assert reading(run, v.MAILBOX_LOCATION) == "exchange-online"
    assert [request.path for request in online.requests] == ["/autodiscover/autodiscover.json"]
    assert not any(request.header("Authorization") or request.header("Cookie") for request in online.requests)


class Listening(ExchangeOnline):
    """An Exchange Online that keeps what it heard."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.requests: list[Request] = []

    def answer(self, request: Request) -> Response:
        self.requests.append(request)
        return super().answer(request)


async def test_what_exchange_online_does_not_know_it_is_sent_leaves_the_mailbox_untold(world: World) -> None:
    """An address that it sends round to itself, or back, is told by the first redirect, which decides nothing; it is asked once."""
    online = Listening(world.tls(ONLINE))
    run = await sent_on(world, await world.open(ONLINE, online))
    assert reading(run, v.AUTODISCOVER_REDIRECTS) is True
    assert reading(run, v.MAILBOX_LOCATION) == "not-disclosed"
    assert len(online.requests) == 1


async def test_an_exchange_online_that_cannot_be_trusted_is_asked_nothing(world: World) -> None:
    """A certificate for another name ends the asking, and the first redirect is what is told."""
    false = Listening(world.tls("other.contoso.test"), mailboxes=[USER])
    run = await sent_on(world, await world.open(ONLINE, false))
    assert reading(run, v.AUTODISCOVER_REDIRECTS) is True
    assert reading(run, v.MAILBOX_LOCATION) == "not-disclosed"
    assert false.requests == []


@pytest.mark.parametrize("host", ["evil.example.test", "outlook.office365.com.evil.example.test"])
async def test_no_redirect_to_somebody_else_is_followed(world: World, host: str) -> None:
    """Whoever is not Exchange Online hears nothing, however the name looks."""
    evil = Anything(world.tls(host))
    await sent_on(world, await world.open(host, evil))
    assert evil.requests == []


@pytest.mark.parametrize("release", [releases.EXCHANGE_2010, releases.EXCHANGE_2013])
async def test_an_exchange_without_the_json_tells_nothing(world: World, release: Release) -> None:
    """Older servers want somebody to be signed in; nobody is, and nothing is concluded."""
    server, run = await on_premises(world, release, mailboxes=[USER])
    assert reading(run, v.AUTODISCOVER_URL) == reading(run, v.MAILBOX_LOCATION) == "not-disclosed"
    assert not server.logons


@pytest.mark.parametrize(
    "said",
    [
        Response(200, (), b"{"),
        Response(200, (), b'{"Protocol":"EWS","Url":7}'),
        Response(200, (), b'{"Protocol":"ActiveSync","Url":"https://mail.contoso.test/x"}'),
        Response(200, (), b'{"Protocol":"EWS","Url":"http://mail.contoso.test/EWS/Exchange.asmx"}'),
        Response(302, (("Location", "http://autodiscover.contoso.test/"),)),
        Response(302, (("Location", "/elsewhere"),)),
        Response(200, (), b"[" * 100_000),
        Response(404),
    ],
    ids=["cut", "number", "protocol", "plain", "redirect in clear", "relative", "deep", "none"],
)
async def test_what_names_no_https_url_tells_nothing(world: World, said: Response) -> None:
    """Broken documents, other protocols, and addresses in clear are passed over, and none is followed."""
    odd = Anything(world.tls(ON_PREMISES), said)
    run = await world.check(await world.open(ON_PREMISES, odd), credentials=Credentials.WINDOWS_INTEGRATED)
    assert reading(run, v.AUTODISCOVER_URL) == "not-disclosed"


async def test_dns_names_who_else_may_be_asked(world: World) -> None:
    """Where the EWS host does not tell, the host of the domain's SRV record is asked too, if the profile finds its server by Autodiscover."""
    hybrid = ExchangeServer(releases.EXCHANGE_2019, "hybrid.contoso.test", world.tls("hybrid.contoso.test"), mailboxes=[USER])
    origin = await world.open("hybrid.contoso.test", hybrid)
    old = ExchangeServer(releases.EXCHANGE_2013, ON_PREMISES, world.tls(ON_PREMISES))
    ews = await world.open(ON_PREMISES, old)
    records: dict[tuple[str, str], list[str] | str] = {
        ("_autodiscover._tcp.contoso.test", "SRV"): [f"0 0 {origin.rpartition(':')[2]} hybrid.contoso.test."],
        ("autodiscover.contoso.test", "CNAME"): ["hybrid.contoso.test."],
    }
    async with name_server(records) as (server, asked):
        profile: dict[str, Any] = {"credentials": Credentials.WINDOWS_INTEGRATED, "server_type": ServerType.EXCHANGE_SERVER}
        run = await world.check(ews, name_server=server, autodiscover=True, **profile)
        assert {kind for _, kind in asked} == {"SRV", "CNAME"}
        asked.clear()
        without = await world.check(ews, name_server=server, **profile)
        assert asked == []
    assert reading(run, v.AUTODISCOVER_ALIASES) == ("hybrid.contoso.test",)
    assert reading(run, v.AUTODISCOVER_SERVICES) == (origin.removeprefix("https://"),)
    assert reading(run, v.MAILBOX_LOCATION) == "on-premises"
    assert reading(without, v.AUTODISCOVER_SERVICES) == "not-applicable"
    assert reading(without, v.MAILBOX_LOCATION) == "not-disclosed"


async def test_groupware_that_answers_for_itself_is_not_taken_for_exchange(world: World) -> None:
    """A URL of its own tells nothing where it is not known that an Exchange answers."""
    odd = Anything(world.tls(ON_PREMISES), Response(200, (), b'{"Protocol":"EWS","Url":"https://mail.contoso.test/EWS/Exchange.asmx"}'))
    run = await world.check(await world.open(ON_PREMISES, odd), credentials=Credentials.WINDOWS_INTEGRATED)
    assert reading(run, v.AUTODISCOVER_URL) == "https://mail.contoso.test/EWS/Exchange.asmx"
    assert reading(run, v.MAILBOX_LOCATION) == "not-disclosed"
