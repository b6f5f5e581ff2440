"""Whole runs in which tokens are wanted: against an Exchange Online, an Entra ID, an Exchange with modern authentication and an AD FS, all simulated."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from probe.model import vocabulary as v
from probe.model.estate import Credentials, ServerType
from probe.model.facts import Missing
from probe.model.rules import Readiness
from probe.simulation import releases
from probe.simulation.authorities import AdfsAuthority, Client, EntraAuthority, User
from probe.simulation.ews import Account
from probe.simulation.exchange import ExchangeServer, ModernAuth
from probe.simulation.web import Request, Response
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
    assert run.assessments[0].readiness is (Readiness.UNDETERMINED if passes else Readiness.NOT_READY)


@pytest.mark.parametrize("code", [50105, 65001])
async def test_what_is_the_application_s_fault_is_not_held_against_the_account(world: World, code: int) -> None:
    """An application that is not set up leaves open whether the password is right, and does not bar the account."""
    entra, origin = await world.entra(state=code)
    _, ews = await world.online(origin, entra)
    run = await world.check(ews, state=world.folder / "state")
    assert reading(run, v.AUTH_ACCEPTED) == reading(run, v.AUTH_REFUSAL) == "denied"
    await world.check(ews, state=world.folder / "state")
    assert len(entra.passwords) == 2


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
    for _ in range(9):
        await world.check(ews, password="wrong", state=world.folder / "state")
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


def self_signed_client() -> tuple[str, bytes]:
    """An application's certificate with its key, as PEM, and the certificate alone."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "crm-client")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return (pem + private).decode(), pem
