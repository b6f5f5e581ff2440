"""Whole runs in which tokens are wanted: against an Exchange Online, an Entra ID, an Exchange with modern authentication and an AD FS, all simulated."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from probe import app
from probe.model import vocabulary as v
from probe.model.estate import Cloud, Credentials, ServerType
from probe.model.facts import Missing
from probe.model.rules import Readiness, Result
from probe.model.runs import Run
from probe.simulation import releases
from probe.simulation.authorities import AdfsAuthority, Client, EntraAuthority, User
from probe.simulation.ews import Account
from probe.simulation.exchange import ExchangeServer, ModernAuth
from probe.simulation.web import Request, Response
from tests.applications import self_signed_client
from tests.exchange_world import ADFS, AZURE_CLI, ENTRA, ON_PREMISES, OURS, PASSWORD, TENANT, USER, Anything, World, login, reading
from tests.looking import authority


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(stack, tmp_path)


CODES = {
    50076: (("mfa-required",), True),
    50079: (("mfa-required",), True),
    50158: (("mfa-required",), True),
    53003: (("blocked-by-policy",), "not-disclosed"),
    530035: (("blocked-by-policy",), "not-disclosed"),
    50034: (("bad-credentials",), "not-disclosed"),
    50053: (("account-locked",), "not-disclosed"),
    50055: (("password-expired",), "not-disclosed"),
    50056: (("bad-credentials",), "not-disclosed"),
    50057: (("account-disabled",), "not-disclosed"),
    80002: (("temporary-failure",), "not-disclosed"),
}


@pytest.mark.parametrize(("code", "refusal", "mfa"), [(code, *expected) for code, expected in CODES.items()])
async def test_what_entra_id_refuses_a_right_password_for(world: World, code: int, refusal: Any, mfa: Any) -> None:
    """Each number means what it means for the account; multi-factor authentication is a fact where it was asked for."""
    entra, origin = await world.entra(state=code)
    _, ews = await world.online(origin, entra)
    run = await world.check(ews)
    assert (reading(run, v.AUTH_ACCEPTED), reading(run, v.AUTH_REFUSAL)) == (False, refusal)
    assert reading(run, v.MFA_REQUIRED) == mfa
    assert reading(run, v.AUTHORITY_ERRORS) == ("invalid_grant", f"AADSTS{code}")
    assert list(entra.passwords) == [(USER, code)]
    assert reading(run, v.AUTHORITY_TENANT) == TENANT
    assert reading(run, v.AUTHORITY_REALM) == "managed"
    # What passes by itself decides nothing; all else keeps the mailbox from being ready.
    passes = refusal == ("temporary-failure",)
    (login_refused,) = [f for f in run.assessments[0].findings if f.rule.id == "login-refused"]
    assert login_refused.result is (Result.UNKNOWN if passes else Result.FAILS)


@pytest.mark.parametrize("code", [50105, 65001])
async def test_what_is_the_application_s_fault_is_not_held_against_the_account(world: World, code: int) -> None:
    """An application that is not set up leaves open whether the password is right: it is tried again, but not at once."""
    entra, origin = await world.entra(state=code)
    _, ews = await world.online(origin, entra)
    run = await world.check(ews, state=world.folder / "state")
    assert reading(run, v.AUTH_ACCEPTED) == reading(run, v.AUTH_REFUSAL) == "denied"
    again = await world.check(ews, state=world.folder / "state", clock=lambda: app.now() + timedelta(minutes=16))
    assert len(entra.passwords) == 1
    assert "the next is tried after" in next(a.detail for a in again.attempts if a.prober == "ews-inbox")


async def test_a_password_that_is_enough_shows_that_no_second_factor_is_wanted(world: World) -> None:
    """Without an application of the estate's own the token opens no mailbox, but answers whether the password alone does."""
    entra, origin = await world.entra()
    online, ews = await world.online(origin, entra)
    run = await world.check(ews)
    assert (reading(run, v.AUTH_ACCEPTED), reading(run, v.MFA_REQUIRED)) == (True, False)
    assert reading(run, v.EWS_INBOX) == "not-attempted"
    assert not online.logons
    assert [form["client_id"] for form in entra.forms] == [AZURE_CLI]


async def test_a_user_s_token_opens_the_mailbox(world: World) -> None:
    """With an application of the estate's own, the password's token goes to EWS, for inbox, calendar, contacts and tasks."""
    entra, origin = await world.entra()
    entra._clients[OURS] = Client()
    online, ews = await world.online(origin, entra)
    run = await world.check(ews, client_id=OURS, tenant="contoso.test")
    assert (reading(run, v.AUTH_ACCEPTED), reading(run, v.EWS_INBOX), reading(run, v.EWS_TASKS)) == (True, "found", "found")
    assert online.logons[0] == (USER, True)
    assert entra.forms[0]["scope"] == "https://outlook.office365.com/EWS.AccessAsUser.All"


async def test_one_wrong_password_in_a_hundred_runs_reaches_the_authority_once(world: World) -> None:
    """The refusal is remembered across runs."""
    entra, origin = await world.entra()
    _, ews = await world.online(origin, entra)
    run = await world.check(ews, password="wrong", state=world.folder / "state")
    assert reading(run, v.AUTH_REFUSAL) == ("bad-credentials",)
    for hours in range(9):
        later = timedelta(hours=hours)
        await world.check(ews, password="wrong", state=world.folder / "state", clock=lambda later=later: app.now() + later)  # type: ignore[misc]
    assert list(entra.passwords) == [(USER, 50126)]


async def test_a_federated_account_s_password_is_not_sent(world: World) -> None:
    """Entra ID says that another checks it; where, is a fact, and nothing is sent to either."""
    elsewhere = "https://sts.fabrikam.test/adfs/ls/?wa=wsignin1.0"
    entra, origin = await world.entra(federated_to=elsewhere)
    sts = Anything(world.tls("sts.fabrikam.test"))
    await world.open("sts.fabrikam.test", sts)
    _, ews = await world.online(origin, entra)
    run = await world.check(ews)
    assert (reading(run, v.AUTHORITY_REALM), reading(run, v.AUTHORITY_FEDERATION)) == ("federated", elsewhere)
    assert reading(run, v.AUTH_ACCEPTED) == "not-attempted"
    assert not entra.passwords
    assert sts.connections == 0


async def test_a_domain_without_a_tenant_ends_before_the_password(world: World) -> None:
    """What the authority does not know is told, and no password is sent to it."""
    entra, origin = await world.entra()
    entra._tenants.clear()
    _, ews = await world.online(origin, entra)
    run = await world.check(ews)
    assert reading(run, v.AUTH_ACCEPTED) == "denied"
    assert "no tenant with the domain contoso.test" in next(
        r.detail for r in run.readings if isinstance(r, Missing) and r.key == v.AUTH_ACCEPTED and r.mailbox == USER
    )
    assert not entra.forms


@pytest.mark.parametrize("by", ["secret", "certificate"])
async def test_an_application_by_itself_opens_the_mailbox(world: World, by: str) -> None:
    """By its secret or its certificate the estate's application gets a token, and acts as the mailbox."""
    entra, origin = await world.entra()
    online, ews = await world.online(origin, entra)
    if by == "secret":
        proof: dict[str, Any] = {"client_secret": world.secret("marked-Secret-1")}
    else:
        pem, certificate = self_signed_client()
        entra._clients[OURS] = Client(certificate=certificate)
        proof = {"client_certificate": world.secret(pem)}
    run = await world.check(ews, credentials=Credentials.SERVER_TO_SERVER, client_id=OURS, tenant="contoso.test", **proof)
    assert (reading(run, v.AUTH_ACCEPTED), reading(run, v.EWS_INBOX), reading(run, v.EWS_IMPERSONATION)) == (True, "found", "granted")
    assert {name for name, _ in online.logons} == {OURS}
    assert entra.forms[-1]["scope"].startswith("https://outlook.office365.com/.default")


@pytest.mark.parametrize(
    ("state", "secret", "refusal"),
    [(0, "marked-wrong", ("bad-credentials",)), (7000222, "marked-Secret-1", ("password-expired",)), (700016, "marked-Secret-1", "denied")],
)
async def test_an_application_that_gets_no_token(world: World, state: int, secret: str, refusal: Any) -> None:
    """A wrong and an expired secret are the application's own; one that the tenant does not know is no matter of credentials."""
    entra, origin = await world.entra()
    entra._clients[OURS] = Client(secret="marked-Secret-1", state=state)
    online, ews = await world.online(origin, entra)
    run = await world.check(
        ews, credentials=Credentials.SERVER_TO_SERVER, client_id=OURS, tenant="contoso.test", client_secret=world.secret(secret)
    )
    assert reading(run, v.AUTH_REFUSAL) == refusal
    assert not online.logons


async def test_a_tenant_that_has_closed_ews_is_told_before_any_token(world: World) -> None:
    """The policy's reason is a fact and makes the mailbox not ready; no password is sent."""
    entra, origin = await world.entra()
    _, ews = await world.online(origin, entra, policy_reason="EWS is disabled for this user or tenant")
    run = await world.check(ews)
    assert reading(run, v.EWS_POLICY_BLOCK) == "disabled"
    assert run.assessments[0].readiness is Readiness.NOT_READY
    assert not entra.passwords


@pytest.mark.parametrize(
    "named",
    [
        "https://{evil}/common/oauth2/authorize",
        "https://{evil}/adfs/oauth2/authorize",
        "http://{entra}/common",
        "https://user@{entra}/x",
        "",
    ],
)
async def test_a_peer_that_names_its_own_authority_gets_nothing(world: World, named: str) -> None:
    """Who is on no list is told in the report, and not so much as connected to."""
    entra, origin = await world.entra()
    evil = Anything(world.tls("login.microsoftonline.com.evil.test"))
    address = (await world.open("login.microsoftonline.com.evil.test", evil)).removeprefix("https://")
    uri = named.format(evil=address, entra=origin.removeprefix("https://"))
    auth = ModernAuth(uri, TENANT, frozenset({"contoso.test"}))
    server = ExchangeServer(releases.EXCHANGE_SE, ON_PREMISES, world.tls(ON_PREMISES), schemes=["NTLM"], modern_auth=auth)
    run = await world.check(await world.open(ON_PREMISES, server))
    assert reading(run, v.AUTH_ACCEPTED) in ("not-attempted", "off-protocol", "not-disclosed")
    assert (evil.connections, entra.connections, len(server.logons)) == (0, 0, 0)


async def test_an_authority_with_an_untrusted_certificate_gets_nothing(world: World) -> None:
    """The name of Entra ID is not enough; the certificate must be for it, by an issuer that is trusted."""
    entra = EntraAuthority(authority().self_signed(ENTRA).context(), tenants={"contoso.test": TENANT}, users={}, clients={})
    _, ews = await world.online(await world.open_at_443(ENTRA, entra))
    run = await world.check(ews)
    assert reading(run, v.AUTH_ACCEPTED) == "untrusted-peer"
    assert not entra.forms
    assert not entra.lines


@pytest.mark.parametrize("status", [302, 307, 200, 500])
async def test_an_authority_that_answers_otherwise_sends_nobody_elsewhere(world: World, status: int) -> None:
    """Redirects and documents that are none end the attempt; the password stays here."""
    evil = Anything(world.tls("evil.test"))
    where = await world.open("evil.test", evil)
    odd = Anything(world.tls(ENTRA), Response(status, (("Location", f"{where}/token"),), b"{}"))
    _, ews = await world.online(await world.open_at_443(ENTRA, odd))
    run = await world.check(ews)
    assert login(run).outcome == "off-protocol"
    assert evil.connections == 0
    assert not any(b"marked" in request.body for request in odd.requests)


async def test_an_authority_that_repeats_the_password_is_not_quoted(world: World) -> None:
    """What it says is told without the secret, in facts, in transcripts and in the attempt's detail."""

    class Parrot(EntraAuthority):
        def answer(self, request: Request) -> Response:
            if request.method != "POST":
                return super().answer(request)
            said = {"error": PASSWORD, "error_description": f"AADSTS50126: no, not {PASSWORD}", "error_codes": [50126]}
            return Response(400, (("Content-Type", "application/json"),), json.dumps(said).encode())

    parrot = Parrot(world.tls(ENTRA), tenants={"contoso.test": TENANT}, users={USER: User(PASSWORD)}, clients={AZURE_CLI: Client()})
    _, ews = await world.online(await world.open_at_443(ENTRA, parrot))
    run = await world.check(ews)  # which looks for every secret in the document
    assert reading(run, v.AUTHORITY_ERRORS) == ("***", "AADSTS50126")
    assert PASSWORD not in repr(run)


@pytest.mark.parametrize("by", ["password", "application"])
async def test_what_an_authority_repeats_is_struck_out_before_it_is_folded(world: World, by: str) -> None:
    """A secret with several blanks together, and one at the place where a long text is cut, is found in what was said, not in what is shown."""
    secret = "marked-a  b   c-Horse"

    def parrot(body: str) -> Response:
        said = {"error": f"no {secret} no", "error_description": "x" * 290 + secret + "\n" + secret}
        return Response(400, (), json.dumps(said).encode())

    entra = Answering(world, parrot)
    _, ews = await world.online(await world.open_at_443(ENTRA, entra))
    profile = by_application(world) | {"client_secret": world.secret(secret)} if by == "application" else {}
    run = await world.check(ews, password=secret, **profile)  # which looks for every secret in the document
    assert reading(run, v.AUTHORITY_ERRORS) == ("no *** no",)
    assert "marked" not in repr(run)


async def test_an_application_s_secret_follows_no_configuration_elsewhere(world: World) -> None:
    """A token endpoint that the authority's configuration puts on another host is sent nothing."""
    evil = Anything(world.tls("evil.test"))
    where = await world.open("evil.test", evil)
    configuration = {"issuer": f"https://{ENTRA}/x", "authorization_endpoint": f"{where}/a", "token_endpoint": f"{where}/t"}
    odd = Anything(world.tls(ENTRA), Response(200, (("Content-Type", "application/json"),), json.dumps(configuration).encode()))
    _, ews = await world.online(await world.open_at_443(ENTRA, odd))
    run = await world.check(
        ews, credentials=Credentials.SERVER_TO_SERVER, client_id=OURS, tenant="contoso.test", client_secret=world.secret("marked-Secret-1")
    )
    assert reading(run, v.AUTH_ACCEPTED) == "untrusted-peer"
    assert evil.connections == 0
    assert not any(b"marked" in request.body for request in odd.requests)


@pytest.mark.parametrize(("password", "inbox", "refusal"), [(PASSWORD, "found", ()), ("wrong", "denied", ("bad-credentials",))])
async def test_an_ad_fs_that_the_estate_names_gives_tokens_for_exchange(world: World, password: str, inbox: str, refusal: Any) -> None:
    """One attempt at the AD FS that Exchange sends to, because the operator named it; its token opens the mailbox."""
    adfs = AdfsAuthority(world.tls(ADFS), users={USER: User(PASSWORD)})
    origin = await world.open(ADFS, adfs)
    auth = ModernAuth(f"{origin}/adfs/oauth2/authorize", TENANT, frozenset({"contoso.test"}))
    server = ExchangeServer(
        releases.EXCHANGE_SE,
        ON_PREMISES,
        world.tls(ON_PREMISES),
        modern_auth=auth,
        accounts={USER: Account(password="never", mailbox=USER)},
        mailboxes=[USER],
        token_holder=adfs.holder,
    )
    run = await world.check(
        await world.open(ON_PREMISES, server),
        authorities=(origin.removeprefix("https://"),),
        password=password,
        server_type=ServerType.EXCHANGE_SERVER,
    )
    assert list(adfs.passwords) == [(USER, password == PASSWORD)]
    assert (reading(run, v.EWS_INBOX), reading(run, v.AUTH_REFUSAL)) == (inbox, refusal)


def on_premises(world: World, uri: str, holder: Any = lambda token: None) -> ExchangeServer:
    """An Exchange in the operator's own house that wants a token, and names an authority for it."""
    return ExchangeServer(
        releases.EXCHANGE_SE,
        ON_PREMISES,
        world.tls(ON_PREMISES),
        schemes=(),
        modern_auth=ModernAuth(uri, TENANT, frozenset({"contoso.test"})),
        accounts={USER: Account(password="never", mailbox=USER), OURS: Account(password="", may_act_as=frozenset({USER}))},
        mailboxes=[USER],
        token_holder=holder,
    )


def why_no_token(run: Run) -> str:
    """Why the mailbox was not signed in to."""
    return next(r.detail for r in run.readings if isinstance(r, Missing) and r.key == v.AUTH_ACCEPTED and r.mailbox == USER)


def by_application(world: World) -> dict[str, Any]:
    """A profile whose application signs in by itself."""
    secret = world.secret("marked-Secret-1")
    return {"credentials": Credentials.SERVER_TO_SERVER, "client_id": OURS, "tenant": "contoso.test", "client_secret": secret}


@pytest.mark.parametrize(("by", "right"), [("password", "EWS.AccessAsUser.All"), ("application", ".default")])
async def test_an_exchange_of_one_s_own_gets_a_token_for_itself_alone(world: World, by: str, right: str) -> None:
    """An Exchange that sends to Entra ID gets a token for its own origin, port included, which opens nothing in Exchange Online."""
    entra, origin = await world.entra()
    entra._clients[OURS] = Client(secret="marked-Secret-1") if by == "application" else Client()
    ews = await world.open(ON_PREMISES, on_premises(world, f"{origin}/common/oauth2/authorize", entra.holder))
    profile = by_application(world) if by == "application" else {"client_id": OURS, "tenant": "contoso.test"}
    run = await world.check(ews, server_type=ServerType.EXCHANGE_SERVER_HYBRID, **profile)
    assert reading(run, v.EWS_INBOX) == "found"
    assert [form["scope"].split()[0] for form in entra.forms] == [f"{ews}/{right}"]


@pytest.mark.parametrize(
    ("cloud", "login", "online", "resource"),
    [
        (Cloud.US_GOVERNMENT, "login.microsoftonline.us", "outlook.office365.us", "https://outlook.office365.us"),
        (Cloud.US_DOD, "login.microsoftonline.us", "webmail.apps.mil", "https://outlook-dod.office365.us"),
        (Cloud.CHINA, "login.chinacloudapi.cn", "partner.outlook.cn", "https://partner.outlook.cn"),
    ],
)
async def test_the_cloud_of_the_estate_gives_its_tokens(world: World, cloud: Cloud, login: str, online: str, resource: str) -> None:
    """In a national cloud its own Entra ID is asked, for its own Exchange Online."""
    entra, origin = await world.entra_at(login)
    entra._clients[OURS] = Client()
    _, ews = await world.online(origin, entra, host=online)
    run = await world.check(ews, cloud=cloud, client_id=OURS, tenant="contoso.test")
    assert reading(run, v.EWS_INBOX) == "found"
    assert entra.forms[0]["scope"] == f"{resource}/EWS.AccessAsUser.All"


@pytest.mark.parametrize("by", ["password", "application"])
@pytest.mark.parametrize(
    ("cloud", "theirs"),
    [
        (Cloud.WORLDWIDE, "login.chinacloudapi.cn"),
        (Cloud.WORLDWIDE, "login.partner.microsoftonline.cn"),
        (Cloud.WORLDWIDE, "login.microsoftonline.us"),
        (Cloud.WORLDWIDE, "login.microsoftonline.de"),
        (Cloud.CHINA, "login.microsoftonline.com"),
        (Cloud.US_DOD, "sts.windows.net"),
    ],
)
async def test_a_server_does_not_choose_the_cloud(world: World, cloud: Cloud, theirs: str, by: str) -> None:
    """An Entra ID of another cloud than the estate's is not so much as connected to, even where the estate lists its host; the reason is told."""
    other = Anything(world.tls(theirs))
    origin = await world.open_at_443(theirs, other)
    ews = await world.open(ON_PREMISES, on_premises(world, f"{origin}/common/oauth2/authorize"))
    profile = by_application(world) if by == "application" else {}
    run = await world.check(ews, cloud=cloud, authorities=(theirs,), server_type=ServerType.EXCHANGE_SERVER_HYBRID, **profile)
    assert reading(run, v.AUTH_ACCEPTED) == "not-attempted"
    assert "another cloud" in why_no_token(run)
    assert other.connections == 0


@pytest.mark.parametrize("by", ["password", "application"])
async def test_an_exchange_online_of_another_cloud_gets_no_token(world: World, by: str) -> None:
    """Where endpoint and cloud do not agree nobody is asked for a token, whatever authority is named."""
    entra, origin = await world.entra()
    online, ews = await world.online(origin, entra, host="partner.outlook.cn")
    run = await world.check(ews, **(by_application(world) if by == "application" else {}))
    assert reading(run, v.AUTH_ACCEPTED) == "not-attempted"
    assert "partner.outlook.cn is Exchange Online of another cloud" in why_no_token(run)
    assert (entra.connections, len(online.logons)) == (0, 0)


@pytest.mark.parametrize("uri", ["https://{entra}/adfs/oauth2/authorize", "https://{entra}:8443/adfs/x", "https://{entra}:1"])
async def test_entra_id_is_asked_by_its_own_rules_whatever_is_named(world: World, uri: str) -> None:
    """Path and port that a server names for Entra ID change nothing: the realm is asked at 443, and a federated account's password stays."""
    entra, _ = await world.entra(federated_to="https://sts.fabrikam.test/adfs/ls/")
    ews = await world.open(ON_PREMISES, on_premises(world, uri.format(entra=ENTRA)))
    run = await world.check(ews, server_type=ServerType.EXCHANGE_SERVER_HYBRID)
    assert reading(run, v.AUTHORITY_REALM) == "federated"
    assert not entra.forms


@pytest.mark.parametrize("realm", [Response(200, (), b"{}"), Response(404), Response(200, (), b'{"NameSpaceType": "Unknown"}')])
async def test_a_password_waits_for_who_checks_it(world: World, realm: Response) -> None:
    """Where Entra ID does not say that it checks the password itself, it is not sent."""

    class Silent(EntraAuthority):
        def answer(self, request: Request) -> Response:
            return realm if request.path == "/getuserrealm.srf" else super().answer(request)

    silent = Silent(world.tls(ENTRA), tenants={"contoso.test": TENANT}, users={USER: User(PASSWORD)}, clients={AZURE_CLI: Client()})
    _, ews = await world.online(await world.open_at_443(ENTRA, silent))
    run = await world.check(ews)
    assert reading(run, v.AUTH_ACCEPTED) in ("off-protocol", "not-attempted")
    assert not silent.forms


@pytest.mark.parametrize("listed", ["{host}", "{host}:1", "{host}:8443"])
async def test_an_authority_is_asked_at_the_port_of_the_estate_alone(world: World, listed: str) -> None:
    """Another port on a host that the estate names is not so much as connected to, and the reason is told."""
    adfs = AdfsAuthority(world.tls(ADFS), users={USER: User(PASSWORD)})
    origin = await world.open(ADFS, adfs)
    ews = await world.open(ON_PREMISES, on_premises(world, f"{origin}/adfs/oauth2/authorize"))
    run = await world.check(ews, authorities=(listed.format(host=ADFS),), server_type=ServerType.EXCHANGE_SERVER)
    assert reading(run, v.AUTH_ACCEPTED) == "not-attempted"
    assert "another port of that host" in why_no_token(run)
    assert adfs.connections == 0


async def test_an_authority_of_the_estate_is_ad_fs_whatever_path_is_named(world: World) -> None:
    """Its own token endpoint is asked, for the origin of the host that gets the token."""
    asked: list[Request] = []

    class Remembering(AdfsAuthority):
        def answer(self, request: Request) -> Response:
            asked.append(request)
            return super().answer(request)

    adfs = Remembering(world.tls(ADFS), users={USER: User(PASSWORD)})
    origin = await world.open(ADFS, adfs)
    ews = await world.open(ON_PREMISES, on_premises(world, f"{origin}/common/oauth2/authorize", adfs.holder))
    run = await world.check(ews, authorities=(origin.removeprefix("https://"),), server_type=ServerType.EXCHANGE_SERVER)
    assert reading(run, v.EWS_INBOX) == "found"
    (request,) = asked
    assert parse_qs(request.body.decode())["resource"] == [ews]


@pytest.mark.parametrize("by", ["password", "application"])
async def test_more_anchors_do_not_vouch_for_entra_id(world: World, by: str) -> None:
    """`--ca` is for the mail servers; for Entra ID only the system's own anchors vouch."""
    entra, origin = await world.entra()
    _, ews = await world.online(origin, entra)
    run = await world.check(ews, trusts_entra=False, **(by_application(world) if by == "application" else {}))
    assert reading(run, v.AUTH_ACCEPTED) == "untrusted-peer"
    assert not entra.lines


class Answering(EntraAuthority):
    """An Entra ID whose token endpoint answers anything."""

    def __init__(self, world: World, said: Callable[[str], Response]) -> None:
        super().__init__(world.tls(ENTRA), tenants={"contoso.test": TENANT}, users={USER: User(PASSWORD)}, clients={})
        self._said = said

    def answer(self, request: Request) -> Response:
        if request.method != "POST":
            return super().answer(request)
        self.forms.append({name: values[0] for name, values in parse_qs(request.body.decode()).items()})
        return self._said(request.body.decode())


BROKEN = {
    "500": (Response(500, (), b"oops"), "off-protocol", "HTTP 500"),
    "500 with an error": (Response(500, (), b'{"error": "invalid_grant"}'), "off-protocol", "HTTP 500"),
    "502": (Response(502), "off-protocol", "HTTP 502"),
    "503": (Response(503, (("Retry-After", "30"),), b"busy"), "throttled", "Retry-After: 30"),
    "503 without an hour": (Response(503), "throttled", "HTTP 503"),
    "429": (Response(429, (("Retry-After", "7"),), b'{"error": "invalid_grant"}'), "throttled", "Retry-After: 7"),
    "302": (Response(302, (("Location", "https://[x"),)), "off-protocol", "HTTP 302"),
    "list": (Response(200, (), b"[]"), "off-protocol", "neither a token nor an error"),
    "deep": (Response(200, (), b"[" * 100_000), "off-protocol", "neither a token nor an error"),
    "page": (Response(200, (), b"<html>marked-Secret-1"), "off-protocol", "neither a token nor an error"),
    "403 page": (Response(403, (), b"<html>"), "off-protocol", "HTTP 403"),
}


@pytest.mark.parametrize("by", ["password", "application"])
@pytest.mark.parametrize(("answer", "outcome", "words"), BROKEN.values(), ids=BROKEN)
async def test_an_authority_that_fails_is_the_peer_s_failure(world: World, by: str, answer: Response, outcome: str, words: str) -> None:
    """What a token endpoint answers is never a bug: 429 and 503 are throttled, with the time told, and all else that is no answer off-protocol."""
    entra = Answering(world, lambda body: answer)
    _, ews = await world.online(await world.open_at_443(ENTRA, entra))
    run = await world.check(ews, **(by_application(world) if by == "application" else {}))
    assert login(run).outcome == outcome
    assert words in login(run).detail
    assert len(entra.forms) == 1
