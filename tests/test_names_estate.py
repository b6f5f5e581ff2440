"""Whole runs over mailboxes and accounts whose names hold more than ASCII, or what ASCII gives a meaning to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from probe import app
from probe.model import vocabulary as v
from probe.model.attempts import Attempt, Outcome
from probe.model.estate import Authentication, Credentials, Delivery, Effect, Endpoint, Estate, Mailbox, ServerProfile, ServerType
from probe.model.facts import Fact, Missing
from probe.model.rules import Readiness
from probe.model.runs import Run
from probe.simulation import pop3, releases, smtp
from probe.simulation.ews import Account
from probe.simulation.exchange import ExchangeServer
from probe.simulation.web import Request, Response
from tests.estates import DEPLOYMENT
from tests.exchange_world import ON_PREMISES, PASSWORD, Anything, World
from tests.looking import authority, server_context
from tests.name_server import name_server
from tests.probers.mail_logins import coded, learnt, scripted

LOCAL, DOMAIN, CYRILLIC = "müller@contoso.test", "anna@müller.test", "анна@contoso.test"
SPECIAL = "o'neil+[x]&y%z/?=#{}@contoso.test"
EMOJI = "😀@straße.test"
NAMES = (LOCAL, DOMAIN, CYRILLIC, SPECIAL, EMOJI)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(stack, tmp_path)


class Hearing(ExchangeServer):
    """An Exchange that keeps what it was asked."""

    def answer(self, request: Request) -> Response:
        self.requests = [*getattr(self, "requests", ()), request]
        return super().answer(request)

    def values(self, name: str) -> set[str]:
        """The values of a header, as they came."""
        return {value for request in self.requests for header, value in request.headers if header.lower() == name.lower()}


async def check(world: World, ews: str, addresses: Sequence[str], allow: frozenset[Effect] = frozenset(), **profile: object) -> Run:
    """A run over some mailboxes of one profile, whose account acts as each; no bug in it."""
    endpoint = Endpoint.parse(ews)
    made = ServerProfile(
        **{  # type: ignore[arg-type]
            "name": "corp",
            "server_type": ServerType.EXCHANGE_SERVER,
            "incoming": endpoint,
            "outgoing": endpoint,
            "authentication": Authentication.NTLM,
            "credentials": Credentials.PROFILE,
            "impersonation": True,
            "username": "svc@contoso.test",
            "password": world.secret(PASSWORD),
            **profile,
        }
    )
    everything = Delivery.SERVER_SIDE
    mailboxes = tuple(
        Mailbox(address=address, profile="corp", incoming=everything, outgoing=everything, appointments=everything) for address in addresses
    )
    estate = Estate(deployment=replace(DEPLOYMENT, allow=frozenset({Effect.LOGS_IN}) | allow), profiles=(made,), mailboxes=mailboxes)
    bugs: list[str] = []
    options = app.Options(timeout=15, hosts=world.hosts, ca_file=authority().ca_file, report_bug=bugs.append, tls="none")
    run = await app.check(estate, mailboxes, options)
    assert not bugs, bugs[0]
    return run


@pytest.mark.parametrize("authentication", [Authentication.NTLM, Authentication.BASIC])
async def test_every_mailbox_that_an_estate_takes_is_opened_by_ews(world: World, authentication: Authentication) -> None:
    """XML carries any address; the header that is a hint carries the domain as A-labels, and is left out where that is not enough."""
    accounts = {"svc@contoso.test": Account(password=PASSWORD, may_act_as=frozenset(NAMES))}
    server = Hearing(releases.EXCHANGE_2019, ON_PREMISES, world.tls(ON_PREMISES), accounts=accounts, mailboxes=NAMES)
    run = await check(world, await world.open(ON_PREMISES, server), NAMES, authentication=authentication)
    for key, value in ((v.EWS_INBOX, "found"), (v.EWS_TASKS, "found"), (v.EWS_IMPERSONATION, "granted")):
        assert {r.mailbox: r.value for r in run.readings if isinstance(r, Fact) and r.key == key} == dict.fromkeys(NAMES, value)
    assert {a.readiness for a in run.assessments} == {Readiness.READY}
    assert server.values("X-AnchorMailbox") == {"anna@xn--mller-kva.test", SPECIAL}


@pytest.mark.parametrize(
    ("addresses", "named", "asked_for"),
    [
        ((DOMAIN,), {"anna@xn--mller-kva.test"}, "anna@xn--mller-kva.test"),
        ((LOCAL, "plain@contoso.test"), {"plain@contoso.test"}, "plain@contoso.test"),
        ((CYRILLIC, LOCAL), set(), "not-attempted"),
    ],
)
async def test_the_question_for_tokens_names_a_mailbox_that_a_header_carries(
    world: World, addresses: Sequence[str], named: set[str], asked_for: str
) -> None:
    """One of the domain that a header carries stands for all; where there is none, no mailbox is named, and that is said."""
    server = Hearing(releases.EXCHANGE_2019, ON_PREMISES, world.tls(ON_PREMISES))
    run = await check(world, await world.open(ON_PREMISES, server), addresses, credentials=Credentials.WINDOWS_INTEGRATED)
    assert server.values("X-User-Identity") == named
    (reading,) = [r for r in run.readings if r.key == v.EWS_ASKED_FOR]
    assert (reading.value if isinstance(reading, Fact) else str(reading.why)) == asked_for


@pytest.mark.parametrize(("address", "outcome"), [(LOCAL, "not-attempted"), ("anna@contoso.test", "denied")])
async def test_tokens_that_may_be_offered_to_a_named_mailbox_alone_are_not_attempted(world: World, address: str, outcome: str) -> None:
    """Where no header carries the address, it is not the server that is said to offer none."""
    refuses = Anything(world.tls(ON_PREMISES), Response(401, (("WWW-Authenticate", "NTLM"),)))
    run = await check(world, await world.open(ON_PREMISES, refuses), [address], authentication=Authentication.OAUTH)
    (gap,) = [r for r in run.readings if r.key == v.EWS_INBOX]
    assert isinstance(gap, Missing)
    assert gap.why == outcome


async def test_dns_and_autodiscover_are_asked_about_a_domain_by_its_a_labels(world: World) -> None:
    """Names of DNS are A-labels; the path of the question holds the address as percent-encoded UTF-8."""
    tells_nothing = Anything(world.tls(ON_PREMISES), Response(404))
    ews = await world.open(ON_PREMISES, tells_nothing)
    host = "autodiscover.xn--mller-kva.test"
    records: dict[tuple[str, str], list[str] | str] = {(host, "CNAME"): ["mail.contoso.test."]}
    async with name_server(records) as (server, asked):
        mailbox = Mailbox(
            address="änna@Müller.test", profile="corp", incoming=Delivery.SERVER_SIDE, outgoing=Delivery.NONE, appointments=Delivery.NONE
        )
        endpoint = Endpoint.parse(ews)
        profile = ServerProfile(
            name="corp",
            server_type=ServerType.EXCHANGE_SERVER,
            incoming=endpoint,
            outgoing=endpoint,
            credentials=Credentials.WINDOWS_INTEGRATED,
            autodiscover=True,
        )
        estate = Estate(deployment=DEPLOYMENT, profiles=(profile,), mailboxes=(mailbox,))
        options = app.Options(timeout=10, hosts=world.hosts, ca_file=authority().ca_file, name_server=server, tls="none")
        run = await app.check(estate, estate.mailboxes, options)
    assert set(asked) == {(host, "CNAME"), ("_autodiscover._tcp.xn--mller-kva.test", "SRV")}
    assert "bug" not in {a.outcome for a in run.attempts}
    (target,) = {r.target for r in tells_nothing.requests if r.path.endswith(".json")}
    assert target == "/autodiscover/autodiscover.json?Email=%C3%A4nna@M%C3%BCller.test&Protocol=EWS"
    assert [r.value for r in run.readings if isinstance(r, Fact) and r.key == v.AUTODISCOVER_ALIASES] == [("mail.contoso.test",)]


class Postbox(smtp.SmtpServer):
    """Takes messages, and keeps them with their recipients."""

    def __init__(self, personality: smtp.SmtpPersonality, address: str) -> None:
        super().__init__(personality, server_context(), implicit=True, accounts={address: PASSWORD})
        self.taken: list[tuple[str, str]] = []
        self.deliver = lambda recipient, message: self.taken.append((recipient, message))


async def round_trip(world: World, address: str, personality: smtp.SmtpPersonality) -> tuple[Attempt, Postbox]:
    """The round trip of one mailbox that signs in as itself; what is sent does not arrive."""
    async with AsyncExitStack() as stack:
        incoming = pop3.Pop3Server(pop3.DOVECOT, server_context(), implicit=True, accounts={address: PASSWORD})
        await stack.enter_async_context(incoming)
        outgoing = await stack.enter_async_context(Postbox(personality, address))
        run = await check(
            world,
            f"pop3s://localhost:{incoming.port}",
            [address],
            frozenset({Effect.SENDS_MAIL}),
            server_type=ServerType.POP3_SMTP,
            outgoing=Endpoint.parse(f"smtps://localhost:{outgoing.port}"),
            authentication=Authentication.BASIC,
            impersonation=False,
            username=address,
        )
    (attempt,) = [a for a in run.attempts if a.prober == "mail-round-trip"]
    return attempt, outgoing


@pytest.mark.parametrize("address", NAMES)
async def test_smtp_takes_any_address_where_it_lists_smtputf8(world: World, address: str) -> None:
    """Addresses and header go out in UTF-8, and MAIL says so; an address of ASCII goes out as ever."""
    attempt, outgoing = await round_trip(world, address, smtp.POSTFIX)
    ((recipient, message),) = outgoing.taken
    sent = '"o\'neil+[x]&y%z/?=#{}"@contoso.test' if address == SPECIAL else address
    assert recipient == sent
    assert message.splitlines()[:2] == [f"From: <{sent}>", f"To: <{sent}>"]
    (mail,) = [line.text for line in attempt.transcript if line.text.startswith("MAIL")]
    assert mail.endswith(" SMTPUTF8") is not address.isascii()


async def test_a_server_without_smtputf8_is_told_a_domain_by_its_a_labels(world: World) -> None:
    """Where the domain alone is beyond ASCII, the message goes out under its other form."""
    _, outgoing = await round_trip(world, DOMAIN, smtp.NAMELESS)
    assert [recipient for recipient, _ in outgoing.taken] == ["anna@xn--mller-kva.test"]


@pytest.mark.parametrize("address", [LOCAL, CYRILLIC, EMOJI])
async def test_what_a_server_without_smtputf8_cannot_be_told_is_not_attempted(world: World, address: str) -> None:
    """Nothing is sent, the reason is the address, and nobody is barred for it."""
    attempt, outgoing = await round_trip(world, address, smtp.NAMELESS)
    assert outgoing.taken == []
    assert attempt.outcome is Outcome.COMPLETED
    gaps = [r for r in attempt.readings if isinstance(r, Missing)]
    assert {str(gap.why) for gap in gaps} == {"not-attempted"}
    assert {gap.detail for gap in gaps} == {"the address has non-ASCII characters before the @, which need SMTPUTF8"}


def heard(text: str) -> str:
    """Text as a script has it that reads bytes as Latin-1."""
    return text.encode().decode("latin-1")


PROVED = ["S: +OK", "C: STAT", "S: +OK 0 0", "C: QUIT"]


@pytest.mark.parametrize(
    ("listed", "asked", "mechanism"),
    [
        (["S: USER", "S: SASL LOGIN PLAIN"], ["C: AUTH PLAIN", "S: + ", f"C: {coded(chr(0) + CYRILLIC + chr(0) + 'пароль-7')}"], "PLAIN"),
        (["S: USER", "S: UTF8 USER", "S: SASL PLAIN"], [f"C: USER {heard(CYRILLIC)}", "S: +OK", f"C: PASS {heard('пароль-7')}"], "USER"),
        (["S: USER", "S: SASL LOGIN CRAM-MD5"], [f"C: USER {heard(CYRILLIC)}", "S: +OK", f"C: PASS {heard('пароль-7')}"], "USER"),
        (["S: USER"], [f"C: USER {heard(CYRILLIC)}", "S: +OK", f"C: PASS {heard('пароль-7')}"], "USER"),
    ],
)
async def test_pop3_is_told_a_name_beyond_ascii_in_the_way_that_is_defined_for_it(
    listed: list[str], asked: list[str], mechanism: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By PLAIN, whose names are UTF-8; by USER where the server says that it takes them there, or does not offer PLAIN."""
    steps = ["S: +OK ready", "C: CAPA", "S: +OK", *listed, "S: .", *asked, *PROVED]
    attempt, _ = await scripted("pop3s", steps, monkeypatch, username=CYRILLIC, password="пароль-7")
    assert learnt(attempt)["auth.mechanism"] == mechanism
    assert learnt(attempt)["auth.accepted"] is True


async def test_imap_without_a_way_for_a_name_beyond_ascii_is_not_attempted(monkeypatch: pytest.MonkeyPatch) -> None:
    """LOGIN carries ASCII alone; where it is all there is, that is the reason, and nothing is sent."""
    steps = ["S: * OK hi", "C: A1 CAPABILITY", "S: * CAPABILITY IMAP4rev1", "S: A1 OK", "C: A0 LOGOUT"]
    attempt, _ = await scripted("imaps", steps, monkeypatch, username=CYRILLIC)
    (why,) = {str(r.why) for r in attempt.readings if isinstance(r, Missing)}
    assert why == "not-attempted"
    assert "LOGIN cannot carry a non-ASCII user name or password" in next(r.detail for r in attempt.readings if isinstance(r, Missing))
