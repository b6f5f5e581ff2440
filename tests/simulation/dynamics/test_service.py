"""Test & Enable as the simulated asynchronous service runs it, against simulated mail servers."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from probe.simulation import releases
from probe.simulation.authority import Authority
from probe.simulation.broken import BrokenServer, Silent, closing, tls_alert
from probe.simulation.dynamics.alerts import ERROR, INFORMATION, WARNING, Failure, Words, Workload
from probe.simulation.dynamics.candidates import AsynchronousServer, Candidate
from probe.simulation.dynamics.mail_sessions import SUBJECT
from probe.simulation.dynamics.metadata import GERMAN
from probe.simulation.dynamics.organization import Oddity, WaitingMail
from probe.simulation.ews import Account
from probe.simulation.exchange import EWS_DISABLED, ExchangeOnline, ExchangeServer
from probe.simulation.web import Request, Response, WebServer
from tests.simulation.dynamics.caller import ROOT
from tests.simulation.dynamics.post import (
    EXCHANGE,
    ORDERS,
    PASSWORD,
    POP3,
    SALES,
    SERVICE,
    SERVICE_PASSWORD,
    SMTP,
    WINDOWS,
    Post,
    outcome,
    posting,
)
from tests.simulation.dynamics.world import asked, server

SUCCESS = (1, 1, 1)
UNUSED_PORT = 1
"""Nothing listens there."""

_CHECK_CREDENTIALS = f"the mailbox {ORDERS}. Make sure that the credentials are correct and have sufficient permissions."


@pytest.fixture
async def post(authority: Authority) -> AsyncIterator[Post]:
    """An organization, and mail servers as a test opens them."""
    async with posting(authority) as opened:
        yield opened


async def test_a_mailbox_that_is_in_order(post: Post) -> None:
    """After the PATCH the service tests each direction for real, enables it, clears the flag, and says so in an alert."""
    exchange = await post.exchange()
    mailbox = post.sales(post.exchange_profile(exchange))
    async with server(post.organization) as site, post.service() as service:
        path = f"{ROOT}/mailboxes({mailbox})"
        patch = await asked(site, lambda caller: caller.call("PATCH", path, {"If-Match": "*"}, {"testemailconfigurationscheduled": True}))
        await service.settled(mailbox)
        row = await asked(site, lambda caller: caller.get(f"mailboxes({mailbox})").document)
    assert patch.status == 204
    assert (row["testemailconfigurationscheduled"], row["mailboxstatus"], outcome(row)) == (False, 1, SUCCESS)
    assert [row[f"enabledfor{each}"] for each in ("incomingemail", "outgoingemail", "act")] == [True] * 3
    assert row["testmailboxaccesscompletedon"] is not None
    assert row["orgmarkedasprimaryforexchangesync"] is row["isactsyncorgflagset"] is True
    assert exchange.inboxes == {SALES: [SUBJECT]}
    assert list(exchange.logons) == [(SERVICE, True)] * 3
    (alert,) = post.organization.alerts(mailbox)
    assert (alert["level"], alert["tracestatus"], alert["machinename"]) == (INFORMATION, 1, "CRMASYNC01")


@pytest.mark.parametrize("protocol", [0, 1, 2, 3], ids=["auto", "negotiate", "ntlm", "basic"])
async def test_how_it_signs_in_to_exchange(protocol: int, post: Post) -> None:
    """It signs in by the protocol of the profile, and takes the strongest that is offered where that says to detect it."""
    exchange = await post.exchange(schemes=("Basic",) if protocol == 3 else ("Negotiate", "NTLM", "Basic"))
    mailbox = post.sales(post.exchange_profile(exchange, incomingauthenticationprotocol=protocol))
    assert outcome(await post.test_and_enable(mailbox)) == SUCCESS


async def test_a_protocol_that_the_server_does_not_offer(post: Post) -> None:
    """A protocol that Exchange does not offer ends as a wrong password does, and no password is sent."""
    exchange = await post.exchange(schemes=("Negotiate", "NTLM"))
    mailbox = post.sales(post.exchange_profile(exchange, incomingauthenticationprotocol=3))
    assert outcome(await post.test_and_enable(mailbox)) == (2, 2, 2)
    assert post.told(mailbox) == ["Http server returned 401 Unauthorized exception."] * 3
    assert list(exchange.logons) == []


async def test_windows_integrated_authentication(post: Post) -> None:
    """Windows integrated authentication is the account that the service runs as."""
    exchange = await post.exchange()
    mailbox = post.sales(post.exchange_profile(exchange, incomingcredentialretrieval=3))
    assert outcome(await post.test_and_enable(mailbox)) == SUCCESS
    assert {name for name, _ in exchange.logons} == {WINDOWS}


async def test_extended_protection(post: Post) -> None:
    """Its NTLM is bound to the channel, so that Exchange with Extended Protection takes it."""
    identity = post.authority.issue(EXCHANGE)
    pem = "-----BEGIN CERTIFICATE-----" + identity.file.read_text().split("-----BEGIN CERTIFICATE-----")[1]
    exchange = await post.exchange(identity, protected=ssl.PEM_cert_to_DER_cert(pem))
    mailbox = post.sales(post.exchange_profile(exchange))
    assert outcome(await post.test_and_enable(mailbox)) == SUCCESS


async def test_credentials_of_the_mailbox(post: Post) -> None:
    """A mailbox's own account needs no impersonation; unless the mailbox lets the service use its credentials, there are none."""
    exchange = await post.exchange()
    profile = post.exchange_profile(exchange, incomingcredentialretrieval=0, incominguseimpersonation=False)
    own = {"username": SALES, "password": PASSWORD}
    mailbox = post.sales(profile, allowemailconnectortousecredentials=True, **own)
    assert outcome(await post.test_and_enable(mailbox)) == SUCCESS
    kept = post.sales(profile, mailboxid="11111111-1111-1111-1111-111111111111", **own)
    assert outcome(await post.test_and_enable(kept)) == (2, 2, 2)
    assert post.told(kept) == ["Http server returned 401 Unauthorized exception."] * 3


async def test_directions_of_their_own(post: Post) -> None:
    """Where the profile has other settings for outgoing mail, sending goes by them; what is not server-side is not tested."""
    exchange = await post.exchange()
    outgoing = {
        "usesamesettingsforoutgoingconnections": False,
        "outgoingserverlocation": f"https://{EXCHANGE}:{exchange.port}/EWS/Exchange.asmx",
        "outgoingcredentialretrieval": 1,
        "outgoingusername": SERVICE,
        "outgoingpassword": "wrong",
        "outgoinguseimpersonation": True,
    }
    mailbox = post.sales(post.exchange_profile(exchange, **outgoing), actdeliverymethod=2)
    row = await post.test_and_enable(mailbox)
    assert outcome(row) == (1, 2, 0)
    assert (row["enabledforincomingemail"], row["enabledforoutgoingemail"], row.get("enabledforact", False)) == (True, False, False)
    assert row["mailboxstatus"] == 2


async def test_a_wrong_password(post: Post) -> None:
    """A wrong password disables at once: one try for each direction, and the same alert as for a dozen other causes."""
    exchange = await post.exchange()
    mailbox = post.sales(post.exchange_profile(exchange, incomingpassword="wrong"), enabledforincomingemail=True)
    row = await post.test_and_enable(mailbox)
    assert outcome(row) == (2, 2, 2)
    assert (row["enabledforincomingemail"], row["lastsyncerrormachinename"], row["lastsyncerrorcount"]) == (False, "CRMASYNC01", 3)
    assert list(exchange.logons) == [(SERVICE, False)] * 3
    assert post.told(mailbox) == ["Http server returned 401 Unauthorized exception."] * 3
    alert = post.organization.alerts(mailbox)[0]
    assert "The remote server returned an error: (401) Unauthorized." in alert["errordetails"]
    assert "401 Unauthorized" in alert["traceparameterxml"]


@pytest.mark.parametrize(
    ("address", "settings", "code"),
    [
        ("nobody@contoso.test", {}, "ErrorNonExistentMailbox"),
        ("board@contoso.test", {}, "ErrorImpersonateUserDenied"),
        (SALES, {"incominguseimpersonation": False}, "ErrorAccessDenied"),
    ],
)
async def test_what_exchange_refuses(address: str, settings: dict[str, Any], code: str, post: Post) -> None:
    """What Exchange refuses stands in the alert by its code."""
    exchange = await post.exchange()
    mailbox = post.organization.add_mailbox(address, post.exchange_profile(exchange, **settings), actdeliverymethod=1)
    await post.test_and_enable(mailbox)
    assert f"Exchange server returned {code} exception." in post.told(mailbox)
    assert exchange.inboxes == {}


async def test_a_transient_error_is_tried_again(post: Post) -> None:
    """A busy store is tried again five minutes apart, with warnings, until the last try makes it permanent."""
    exchange = await post.exchange(states={SALES: "ErrorMailboxStoreUnavailable"})
    mailbox = post.sales(post.exchange_profile(exchange), actdeliverymethod=2)
    row = await post.test_and_enable(mailbox, tries=10)
    assert outcome(row) == (2, 2, 0)
    assert len(exchange.logons) == 20
    assert (
        post.told(mailbox, WARNING) == post.told(mailbox, ERROR) == ["Exchange server returned ErrorMailboxStoreUnavailable exception."] * 2
    )
    assert (row["testemailconfigurationretrycount"], row["postponetestemailconfigurationuntil"]) == (0, None)


async def test_between_tries(post: Post) -> None:
    """While it is tried again the flag stands with the number of tries and the time of the next; a direction that passed is not tested twice."""
    exchange = await post.exchange()
    profile = post.exchange_profile(
        exchange,
        usesamesettingsforoutgoingconnections=False,
        outgoingserverlocation=f"https://{EXCHANGE}:{UNUSED_PORT}/EWS/Exchange.asmx",
    )
    mailbox = post.sales(profile, actdeliverymethod=2)
    async with post.service(tries=1000) as service:
        post.schedule(mailbox)
        await service.tried(mailbox, 2)
        states = dict(post.organization.mailboxes[mailbox])
        post.organization.profiles[profile]["usesamesettingsforoutgoingconnections"] = True
        await service.settled(mailbox)
    assert states["testemailconfigurationscheduled"] is True
    assert states["testemailconfigurationretrycount"] >= 2
    assert states["postponetestemailconfigurationuntil"] > "2026"
    assert outcome(states) == (1, 0, 0)
    row = post.organization.mailboxes[mailbox]
    assert (outcome(row), row["mailboxstatus"], row["testemailconfigurationscheduled"]) == ((1, 1, 0), 1, False)
    assert len(exchange.logons) == 2
    assert post.told(mailbox, WARNING) == ["Web server returned ConnectFailure exception."]


async def test_mails_that_wait_go_out(post: Post) -> None:
    """Once a mailbox may send, the mails that wait are sent; those of a mailbox that failed go on waiting."""
    exchange = await post.exchange()
    good = post.sales(post.exchange_profile(exchange))
    bad = post.organization.add_mailbox("nobody@contoso.test", post.organization.mailboxes[good]["emailserverprofile"])
    moment = post.organization.clock()
    post.organization.pending = {good: WaitingMail(3, moment, moment), bad: WaitingMail(4, moment, moment)}
    await post.test_and_enable(good)
    await post.test_and_enable(bad)
    assert list(post.organization.pending) == [bad]


async def test_a_second_test_ends_at_another_time(post: Post) -> None:
    """The time of completion differs from that of the test before, however soon after it."""
    exchange = await post.exchange()
    post.organization.clock = lambda: datetime(2026, 11, 28, tzinfo=UTC)
    mailbox = post.sales(post.exchange_profile(exchange))
    first = (await post.test_and_enable(mailbox))["testmailboxaccesscompletedon"]
    second = (await post.test_and_enable(mailbox))["testmailboxaccesscompletedon"]
    assert (first, second) == ("2026-11-28T00:00:00Z", "2026-11-28T00:00:01Z")
    assert len(post.organization.alerts(mailbox)) == 1


async def test_a_service_that_comes_later(post: Post) -> None:
    """Nothing is tested while the service does not run; once it does, it picks up what waits."""
    exchange = await post.exchange()
    mailbox = post.sales(post.exchange_profile(exchange))
    post.schedule(mailbox)
    assert list(post.organization.waiting()) == [mailbox]
    async with post.service() as service:
        await service.settled()
    assert outcome(post.organization.mailboxes[mailbox]) == SUCCESS


async def test_exchange_with_an_expired_certificate(post: Post) -> None:
    """A certificate that is not trusted ends before any password is sent, and disables."""
    exchange = await post.exchange(post.authority.expired(EXCHANGE))
    mailbox = post.sales(post.exchange_profile(exchange))
    assert outcome(await post.test_and_enable(mailbox)) == (2, 2, 2)
    assert post.told(mailbox) == ["Web server returned TrustFailure exception."] * 3
    assert list(exchange.logons) == []


@pytest.mark.parametrize(
    ("kind", "code", "level"),
    [
        (tls_alert(), "SecureChannelFailure", ERROR),
        (closing(b"", on_first_words=True), "SecureChannelFailure", ERROR),
        (Silent, "Timeout", WARNING),
    ],
    ids=["alert", "end", "silence"],
)
async def test_connections_to_exchange_that_fail(kind: Any, code: str, level: int, post: Post) -> None:
    """What happens to a connection is told by the names of .NET; what may pass is tried again."""
    post.timeout = 0.1 if kind is Silent else 5
    broken = await post.open(EXCHANGE, BrokenServer(kind))
    mailbox = post.sales(post.exchange_profile(broken), outgoingemaildeliverymethod=0, actdeliverymethod=2)
    await post.test_and_enable(mailbox, tries=2)
    assert post.told(mailbox) == [f"Web server returned {code} exception."]
    assert len(post.told(mailbox, WARNING)) == (1 if level == WARNING else 0)


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("https://nowhere.contoso.test/EWS/Exchange.asmx", "Web server returned NameResolutionFailure exception."),
        ("https://127.0.0.1:99999/EWS/Exchange.asmx", "InvalidIncomingEmailServerProfileConfiguration"),
        ("mail.contoso.test", "InvalidIncomingEmailServerProfileConfiguration"),
    ],
)
async def test_locations_that_lead_nowhere(location: str, code: str, post: Post) -> None:
    """A location that does not resolve, or is no URL, is told."""
    mailbox = post.sales(post.exchange_profile(443, incomingserverlocation=location))
    assert outcome(await post.test_and_enable(mailbox)) == (2, 2, 2)
    assert set(post.told(mailbox)) == {code}


class _Fixed(WebServer):
    """Answers everything in one way."""

    def __init__(self, tls: ssl.SSLContext, response: Response) -> None:
        super().__init__(tls)
        self._response = response

    def answer(self, request: Request) -> Response:
        return self._response


@pytest.mark.parametrize(
    ("response", "code", "level"),
    [
        (Response(404), "Http server returned NotFound exception.", ERROR),
        (Response(503), "Http server returned ServiceUnavailable exception.", WARNING),
        (Response(302), "Http server returned Redirect exception.", ERROR),
        (Response(200, (), b"<html>"), "Web server returned ProtocolError exception.", WARNING),
        (Response(200, (), b"<html/>"), "Exchange server returned ErrorInvalidResponse exception.", ERROR),
        (Response(200, (), b"<html/>", withheld=3), "Web server returned SendFailure exception.", WARNING),
    ],
    ids=["not found", "unavailable", "redirect", "no XML", "no EWS", "cut short"],
)
async def test_what_is_no_exchange(response: Response, code: str, level: int, post: Post) -> None:
    """What does not answer as EWS does is told by its status or by what it lacks; what may pass is tried again."""
    other = await post.open(EXCHANGE, _Fixed(post.authority.issue(EXCHANGE).context(), response))
    mailbox = post.sales(post.exchange_profile(other), outgoingemaildeliverymethod=0, actdeliverymethod=2)
    await post.test_and_enable(mailbox, tries=2)
    assert post.told(mailbox) == [code]
    assert post.told(mailbox, WARNING) == ([code] if level == WARNING else [])


async def test_many_mailboxes(post: Post) -> None:
    """Many mailboxes at once are all got through, each once; how a direction is tested may be another way than by connections."""
    mailboxes = [post.organization.add_mailbox(f"user{number}@contoso.test", None) for number in range(200)]
    tested = []

    def test(candidate: Candidate, workload: Workload, server: AsynchronousServer) -> dict[str, Any]:
        tested.append((candidate.address, workload))
        if candidate.address == "user7@contoso.test":
            raise Failure(Words.ACCESS, "Web server returned SendFailure exception.")
        return {}

    async with post.service(test=test) as service:
        for mailbox in mailboxes:
            post.schedule(mailbox)
        await service.settled()
    assert len(tested) == len(set(tested)) == 400
    outcomes = [outcome(post.organization.mailboxes[mailbox]) for mailbox in mailboxes]
    assert (outcomes.count((1, 1, 0)), outcomes[7]) == (199, (2, 2, 0))


async def test_ews_in_clear_where_that_is_allowed(post: Post) -> None:
    """A deployment that allows channels without TLS signs in over them."""
    accounts = {SERVICE: Account(password=SERVICE_PASSWORD, may_act_as=frozenset({SALES}))}
    exchange = await post.open(EXCHANGE, ExchangeServer(releases.EXCHANGE_2019, EXCHANGE, accounts=accounts, mailboxes=[SALES]))
    post.settings["allows_clear"] = True
    mailbox = post.sales(post.exchange_profile(443, incomingserverlocation=f"http://{EXCHANGE}:{exchange.port}/EWS/Exchange.asmx"))
    assert outcome(await post.test_and_enable(mailbox)) == SUCCESS


async def test_exchange_online(post: Post) -> None:
    """Server-to-server authentication signs in with its token; without the administrator's approval nothing is tried; a tenant may have closed EWS."""
    host = "outlook.office365.com"
    account = Account(password="", may_act_as=frozenset({SALES}))
    tls = post.authority.issue(host).context()
    online = await post.open(
        host,
        ExchangeOnline(tls, token_holder=lambda token: "app" if token == "right" else None, accounts={"app": account}, mailboxes=[SALES]),
    )
    closed = ExchangeOnline(tls, policy_reason=EWS_DISABLED)
    await post.stack.enter_async_context(closed)
    post.settings["token"] = "right"
    settings = {
        "servertype": 3,
        "incomingcredentialretrieval": 2,
        "incomingserverlocation": f"https://{host}:{online.port}/EWS/Exchange.asmx",
    }
    mailbox = post.sales(post.exchange_profile(online, **settings))
    assert outcome(await post.test_and_enable(mailbox)) == (2, 2, 2)
    assert post.told(mailbox) == ["IncomingEmailS2SApprovalNeeded", "OutgoingEmailS2SApprovalNeeded", "IncomingEmailS2SApprovalNeeded"]
    post.organization.mailboxes[mailbox]["isemailaddressapprovedbyo365admin"] = True
    assert outcome(await post.test_and_enable(mailbox)) == SUCCESS
    profile = post.organization.profiles[post.organization.mailboxes[mailbox]["emailserverprofile"]]
    profile["incomingserverlocation"] = f"https://{host}:{closed.port}/EWS/Exchange.asmx"
    assert outcome(await post.test_and_enable(mailbox)) == (2, 2, 2)
    assert "Http server returned Forbidden exception." in post.told(mailbox)


async def test_autodiscover(post: Post) -> None:
    """With Autodiscover the URL is found by the address's domain and kept in the record; where it is not found, that is told."""
    exchange = await post.exchange()
    tls = post.authority.issue("autodiscover.contoso.test").context()
    exchange.tls = tls
    post.hosts["autodiscover.contoso.test"] = post.hosts[EXCHANGE]
    post.ports["autodiscover.contoso.test", 443] = exchange.port
    mailbox = post.sales(post.exchange_profile(443, useautodiscover=True, incomingserverlocation=None))
    row = await post.test_and_enable(mailbox)
    assert row["ewsurl"] == "https://autodiscover.contoso.test/EWS/Exchange.asmx"
    assert outcome(row) == SUCCESS
    del post.hosts["autodiscover.contoso.test"]
    lost = post.sales(row["emailserverprofile"], mailboxid="11111111-1111-1111-1111-111111111111")
    assert outcome(await post.test_and_enable(lost)) == (2, 2, 2)
    assert (
        post.told(lost)[0] == f"Email cannot be received: the mailbox location could not be determined. Mailbox {SALES} didn't synchronize."
    )


@pytest.mark.parametrize("implicit", [True, False], ids=["TLS at once", "upgrade"])
async def test_pop3_and_smtp(implicit: bool, post: Post) -> None:
    """POP3 and SMTP are tested with TLS at once or by an upgrade; one mail goes from the mailbox to itself."""
    incoming, outgoing = await post.providers(implicit=implicit)
    mailbox = post.orders(post.pop3_profile(incoming, outgoing))
    assert outcome(await post.test_and_enable(mailbox)) == (1, 1, 0)
    assert list(incoming.logons) == list(outgoing.logons) == [(ORDERS, True)]
    ((recipient, message),) = post.delivered
    assert recipient == ORDERS
    assert f"From: {ORDERS}" in message
    assert f"Subject: {SUBJECT}" in message


async def test_mail_in_clear(post: Post) -> None:
    """A profile without TLS is refused unless the deployment allows it."""
    incoming, outgoing = await post.providers(implicit=False, secure=False)
    mailbox = post.orders(post.pop3_profile(incoming, outgoing, incomingusessl=False, outgoingusessl=False))
    assert outcome(await post.test_and_enable(mailbox)) == (2, 2, 0)
    assert all("AllowNonSSLEmail" in alert["errordetails"] for alert in post.organization.alerts(mailbox))
    assert list(incoming.logons) == list(outgoing.logons) == []
    post.settings["allows_clear"] = True
    assert outcome(await post.test_and_enable(mailbox)) == (1, 1, 0)


async def test_a_wrong_password_of_a_provider(post: Post) -> None:
    """A wrong password is tried once on each server; of SMTP, the alert is the one that a bad certificate gets too, and its details tell them apart."""
    incoming, outgoing = await post.providers(implicit=True)
    mailbox = post.orders(post.pop3_profile(incoming, outgoing), password="wrong")
    assert outcome(await post.test_and_enable(mailbox)) == (2, 2, 0)
    assert list(incoming.logons) == list(outgoing.logons) == [(ORDERS, False)]
    assert post.told(mailbox) == [f"Email cannot be received for {_CHECK_CREDENTIALS}", "OutgoingEmailAuthenticationError"]
    sending, receiving = post.organization.alerts(mailbox)
    assert "MailKit.Security.AuthenticationException: 535: " in sending["errordetails"]
    assert "-ERR [AUTH]" in receiving["errordetails"]


async def test_a_provider_with_another_name_in_its_certificate(post: Post) -> None:
    """A certificate of another name ends both directions before a password is sent."""
    incoming, outgoing = await post.providers(implicit=True)
    for name in ("other-in.test", "other-out.test"):
        post.hosts[name] = "127.0.0.1"
    locations = {"incomingserverlocation": "other-in.test", "outgoingserverlocation": "other-out.test"}
    mailbox = post.orders(post.pop3_profile(incoming, outgoing, **locations))
    assert outcome(await post.test_and_enable(mailbox)) == (2, 2, 0)
    assert list(incoming.logons) == list(outgoing.logons) == []
    receiving, sending = post.told(mailbox)
    assert "an error occurred while establishing a secure connection" in receiving
    assert sending == "OutgoingEmailAuthenticationError"
    details = [alert["errordetails"] for alert in post.organization.alerts(mailbox)]
    assert all("The remote certificate is invalid according to the validation procedure." in each for each in details)


async def test_providers_that_cannot_be_reached(post: Post) -> None:
    """A name that does not resolve is the profile's error; a refused or a silent port may pass."""
    nowhere = post.orders(post.pop3_profile(995, 587))
    assert outcome(await post.test_and_enable(nowhere)) == (2, 2, 0)
    assert post.told(nowhere) == [
        "Socket returned exception InvalidIncomingEmailServerProfileConfiguration HostNotFound.",
        "Socket returned exception InvalidOutgoingEmailServerProfileConfiguration HostNotFound.",
    ]
    silent = await post.open(POP3, BrokenServer(Silent))
    post.hosts[SMTP] = post.hosts[POP3]
    post.timeout = 0.1
    quiet = post.organization.add_mailbox("quiet@fabrikam.test", post.pop3_profile(silent, silent))
    await post.test_and_enable(quiet, tries=2)
    assert post.told(quiet, WARNING) == post.told(quiet) == ["Socket returned exception TimedOut."] * 2
    post.timeout = 5
    closed = post.organization.add_mailbox("closed@fabrikam.test", post.pop3_profile(UNUSED_PORT, UNUSED_PORT))
    await post.test_and_enable(closed, tries=2)
    assert post.told(closed, WARNING) == ["Socket returned exception ConnectionRefused."] * 2
    ended = await post.open(POP3, BrokenServer(closing()))
    cut = post.organization.add_mailbox("cut@fabrikam.test", post.pop3_profile(ended, ended))
    await post.test_and_enable(cut, tries=1)
    assert len(post.told(cut)) == 2


@pytest.mark.parametrize("port", [0, 65536])
async def test_ports_that_are_none(port: int, post: Post) -> None:
    """The bounds of the port fields allow two that no socket has."""
    await post.providers(implicit=True)
    mailbox = post.orders(post.pop3_profile(port, port))
    await post.test_and_enable(mailbox)
    assert post.told(mailbox) == ["InvalidIncomingEmailServerProfileConfiguration", "InvalidOutgoingEmailServerProfileConfiguration"]


async def test_an_smtp_server_that_does_not_take_the_mail(post: Post) -> None:
    """A server without room is tried again."""
    incoming, outgoing = await post.providers(implicit=True)
    outgoing.deliver = None
    mailbox = post.orders(post.pop3_profile(incoming, outgoing))
    assert outcome(await post.test_and_enable(mailbox, tries=2)) == (1, 2, 0)
    assert len(post.told(mailbox, WARNING)) == 1
    assert "452: 4.3.1 Insufficient system storage" in post.organization.alerts(mailbox)[0]["errordetails"]


async def test_a_mailbox_that_is_in_use(post: Post) -> None:
    """A POP3 server that says that the mailbox is in use is tried again."""
    incoming, outgoing = await post.providers(implicit=True)
    incoming.personality = replace(incoming.personality, welcome="-ERR [IN-USE] locked")
    mailbox = post.orders(post.pop3_profile(incoming, outgoing), outgoingemaildeliverymethod=0)
    await post.test_and_enable(mailbox, tries=2)
    assert post.told(mailbox, WARNING) == post.told(mailbox) == [f"Email cannot be received for {_CHECK_CREDENTIALS}"]


async def test_an_smtp_server_without_passwords(post: Post) -> None:
    """An SMTP server that offers no mechanism for a password, or only other ones, refuses as it refuses a wrong one."""
    incoming, outgoing = await post.providers(implicit=True)
    outgoing.personality = replace(outgoing.personality, extensions=("AUTH XOAUTH2",), extensions_secure=("AUTH XOAUTH2",))
    mailbox = post.orders(post.pop3_profile(incoming, outgoing), incomingemaildeliverymethod=0)
    await post.test_and_enable(mailbox)
    assert post.told(mailbox) == ["OutgoingEmailAuthenticationError"]
    assert list(outgoing.logons) == []


async def test_imap_that_cannot_be_reached(post: Post) -> None:
    """IMAP meets what POP3 meets: silence, an end, a channel without TLS."""
    post.timeout = 0.1
    silent = await post.open(POP3, BrokenServer(Silent))
    profile = post.pop3_profile(silent, silent, servertype=4)
    quiet = post.orders(profile, outgoingemaildeliverymethod=0)
    await post.test_and_enable(quiet, tries=1)
    assert post.told(quiet) == ["Socket returned exception TimedOut."]
    post.organization.profiles[profile].update(incomingusessl=False)
    await post.test_and_enable(quiet, tries=1)
    assert post.organization.alerts(quiet)[0]["errordetails"] == "Error : AllowNonSSLEmail is false."
    post.settings["allows_clear"] = True
    await post.test_and_enable(quiet, tries=1)
    post.timeout = 5
    ended = await post.open(POP3, BrokenServer(closing()))
    post.organization.profiles[profile].update(incomingportnumber=ended.port)
    cut = post.organization.add_mailbox("cut@fabrikam.test", profile, outgoingemaildeliverymethod=0)
    await post.test_and_enable(cut, tries=1)
    assert post.told(cut) == ["Socket returned exception ConnectionReset."]


async def test_appointments_through_pop3(post: Post) -> None:
    """Appointments through a POP3 profile fail, and its mail does not."""
    incoming, outgoing = await post.providers(implicit=True)
    mailbox = post.orders(post.pop3_profile(incoming, outgoing), actdeliverymethod=1)
    assert outcome(await post.test_and_enable(mailbox)) == (1, 1, 2)


async def test_windows_integrated_authentication_on_pop3(post: Post) -> None:
    """Windows integrated authentication is none for POP3."""
    incoming, outgoing = await post.providers(implicit=True)
    mailbox = post.orders(post.pop3_profile(incoming, outgoing, incomingcredentialretrieval=3), outgoingemaildeliverymethod=0)
    assert outcome(await post.test_and_enable(mailbox)) == (2, 0, 0)
    assert list(incoming.logons) == []


async def test_records_that_no_server_is_asked_about(post: Post) -> None:
    """A mailbox without a profile, with an inactive one, or whose address is not approved, fails before any server is called."""
    exchange = await post.exchange()
    active = post.exchange_profile(exchange)
    without = post.sales(None)
    await post.test_and_enable(without)
    invalid = ["InvalidIncomingEmailServerProfile", "InvalidOutgoingEmailServerProfile", "InvalidIncomingEmailServerProfile"]
    assert post.told(without) == invalid
    post.organization.profiles[active]["statecode"] = 1
    mailbox = post.sales(active, mailboxid="11111111-1111-1111-1111-111111111111")
    await post.test_and_enable(mailbox)
    assert post.told(mailbox) == invalid
    post.organization.profiles[active]["statecode"] = 0
    pending = post.sales(active, mailboxid="22222222-2222-2222-2222-222222222222", emailrouteraccessapproval=2)
    await post.test_and_enable(pending)
    assert "is not approved" in post.organization.alerts(pending)[0]["text"]
    assert exchange.connections == 0


async def test_another_organization(post: Post) -> None:
    """Appointments of a mailbox that is another organization's fail; with the mark of the primary organization they are taken over."""
    exchange = await post.exchange()
    post.organization.claimed_elsewhere.add(SALES)
    mailbox = post.sales(post.exchange_profile(exchange))
    assert outcome(await post.test_and_enable(mailbox)) == (1, 1, 2)
    assert "is configured with another organization" in post.organization.alerts(mailbox)[0]["text"]
    post.organization.mailboxes[mailbox]["orgmarkedasprimaryforexchangesync"] = True
    assert outcome(await post.test_and_enable(mailbox)) == SUCCESS
    assert post.organization.claimed_elsewhere == set()


async def test_what_nobody_outside_can_see(post: Post) -> None:
    """A plug-in that aborts fails incoming mail, an owner without privileges appointments alone."""
    exchange = await post.exchange()
    mailbox = post.sales(post.exchange_profile(exchange))
    post.organization.oddities[SALES] = Oddity.PLUG_IN_ABORTS
    assert outcome(await post.test_and_enable(mailbox)) == (2, 1, 1)
    assert post.told(mailbox) == ["Exchange server returned UnknownIncomingEmailIntegrationError -2147220891 exception."]
    post.organization.oddities[SALES] = Oddity.OWNER_LACKS_PRIVILEGES
    assert outcome(await post.test_and_enable(mailbox)) == (1, 1, 2)
    assert post.told(mailbox)[-1].startswith("Crm.80048306.")


async def test_a_mailbox_that_a_stopped_server_holds(post: Post) -> None:
    """It stays scheduled, and nobody tests it, while the others are got through."""
    held, free = (post.organization.add_mailbox(f"{name}@contoso.test", None) for name in ("held", "free"))
    post.organization.oddities["held@contoso.test"] = Oddity.HELD_BY_A_STOPPED_SERVER
    async with post.service(test=lambda candidate, workload, server: {}) as service:
        for mailbox in (held, free):
            post.schedule(mailbox)
        await service.settled(free)
        assert held not in service.tries
    assert list(post.organization.waiting()) == [held]
    assert outcome(post.organization.mailboxes[free]) == (1, 1, 0)


async def test_alerts_in_another_language(post: Post) -> None:
    """An alert in German has the same codes in it."""
    exchange = await post.exchange()
    mailbox = post.sales(post.exchange_profile(exchange, incomingpassword="wrong"), outgoingemaildeliverymethod=0, actdeliverymethod=2)
    await post.test_and_enable(mailbox, language=GERMAN)
    (alert,) = post.organization.alerts(mailbox)
    assert alert["text"].startswith("E-Mails können nicht empfangen werden")
    assert alert["text"].endswith("E-Mail-Serverfehlercode: Http server returned 401 Unauthorized exception.")
    assert alert["errortypedisplay"] == "Fehler"
