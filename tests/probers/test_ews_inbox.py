"""EWS, signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from probe.model import vocabulary as v
from probe.model.attempts import Outcome, TranscriptLine
from probe.model.estate import Authentication, Endpoint, Secret
from probe.model.facts import Fact, Reading, Why
from probe.model.keys import FactKey
from probe.model.kinds import Build
from probe.model.provenance import Declared, Observed
from probe.net.dial import Dial, Network
from probe.net.ews_requests import EwsResult
from probe.net.failures import Denied, OffProtocol, PeerClosed, PeerFailure, Throttled, TlsFailed, UntrustedPeer, expected
from probe.net.killable import Children
from probe.net.limits import Deadline
from probe.net.redact import Redactor
from probe.net.transcript import Recorder
from probe.probers.ews_inbox import PROBER
from probe.probing import Account, LoginSubject, Notebook
from probe.probing.ews_results import _broken_off
from tests.net.ews_stub import MAILBOX, PASSWORD, USERNAME, EwsStub, Reply, fault, find_folder, refused, run_ews_stub
from tests.servers.certificates import ServerCertificate

MOMENT = datetime(2026, 11, 23, tzinfo=UTC)
NTLM = ("Negotiate", "NTLM")
BASIC = ('Basic realm="mail"',)


@pytest.fixture
def ews(server_certificate: ServerCertificate, tmp_path: Path) -> Iterator[EwsStub]:
    """An EWS endpoint that knows one user, by NTLM and by Basic."""
    with run_ews_stub(server_certificate, tmp_path) as stub:
        yield stub


@pytest.fixture
async def children() -> AsyncIterator[Children]:
    async with Children() as started:
        yield started


@dataclass(frozen=True)
class Attempted:
    """What came of one attempt."""

    readings: tuple[Reading, ...]
    failure: Exception | None
    transcript: tuple[TranscriptLine, ...]
    connections: int

    def value(self, key: FactKey[Any]) -> object:
        """The value of the account's only fact for a key; its Why where it is missing."""
        (reading,) = [r for r in self.readings if r.key == key and r.mailbox is not None]
        return reading.value if isinstance(reading, Fact) else reading.why

    def values(self) -> tuple[object, ...]:
        """Accepted, refusal, inbox, impersonation."""
        return tuple(self.value(key) for key in (v.AUTH_ACCEPTED, v.AUTH_REFUSAL, v.EWS_INBOX, v.EWS_IMPERSONATION))


async def attempt(
    ews: EwsStub,
    children: Children,
    *,
    password: str = PASSWORD,
    username: str = USERNAME,
    authentication: Authentication = Authentication.AUTO,
    impersonates: bool = True,
    trusted: bool = True,
    seconds: float = 30,
) -> Attempted:
    """One attempt of the prober at the stub."""
    endpoint = Endpoint.parse(ews.url)
    network = Network(ca_file=Path(ews.ca_file) if trusted else None, children=children)
    recorder = Recorder(Redactor([password]))
    notes = Notebook("a1", endpoint.url, MAILBOX, lambda: MOMENT)
    whom = Account(MAILBOX, username, Secret(password), authentication, impersonates)
    failure: Exception | None = None
    deadline = Deadline(seconds)
    dial = Dial(endpoint, network, deadline, recorder, only_address="127.0.0.1")
    try:
        async with deadline:
            await PROBER.probe(LoginSubject(endpoint, whom), dial, notes)
    except (PeerFailure, TimeoutError) as failed:
        failure = failed
    named = expected(failure) if failure is not None else None
    readings = notes.close(PROBER.collects, Why.NOT_DISCLOSED, named[1] if named else "the peer did not say")
    return Attempted(readings, failure, recorder.lines(), dial.connections)


@pytest.mark.parametrize(
    ("challenges", "authentication", "said"),
    [
        (NTLM, Authentication.AUTO, "ntlm"),
        (NTLM, Authentication.NTLM, "ntlm"),
        (("Negotiate",), Authentication.AUTO, "negotiate"),
        (NTLM, Authentication.NEGOTIATE, "negotiate"),
        (BASIC, Authentication.AUTO, "basic"),
        (BASIC + NTLM, Authentication.BASIC, "basic"),
        (BASIC + NTLM, Authentication.AUTO, "ntlm"),
    ],
)
async def test_the_inbox_is_found(
    ews: EwsStub, children: Children, challenges: tuple[str, ...], authentication: Authentication, said: str
) -> None:
    """By a scheme that is offered and that the profile allows, one logon shows the inbox, the right to it, and the build."""
    ews.challenges = challenges
    done = await attempt(ews, children, authentication=authentication)
    assert done.failure is None
    assert done.values() == (True, (), "found", "granted")
    assert done.value(v.SERVER_BUILD) == Build((15, 1, 2507, 57))
    assert done.value(v.EWS_POLICY_BLOCK) is Why.NOT_APPLICABLE
    assert ews.logons == 1
    assert any(line.text == f"signs in by {said}, in a child process, to 127.0.0.1" for line in done.transcript)


async def test_the_provenance_of_what_is_learnt(ews: EwsStub, children: Children) -> None:
    """That we were let in is observed, with the words that show it; the build is what the peer declares."""
    done = await attempt(ews, children)
    accepted, build = (next(r for r in done.readings if r.key == key) for key in (v.AUTH_ACCEPTED, v.SERVER_BUILD))
    assert isinstance(accepted, Fact)
    assert isinstance(accepted.provenance, Observed)
    assert [e.excerpt for e in accepted.provenance.evidence] == ["POST /EWS/Exchange.asmx: HTTP 200", "FindFolder: found"]
    assert isinstance(build, Fact)
    assert isinstance(build.provenance, Declared)
    assert [e.excerpt for e in build.provenance.evidence] == ["ServerVersionInfo: 15.1.2507.57"]
    assert accepted.mailbox == MAILBOX
    assert done.connections == 2


async def test_the_build_is_the_server_s_whoever_hears_it(ews: EwsStub, children: Children) -> None:
    """What EWS says of itself to one account is true of the endpoint for all, and shows that it is Exchange's."""
    done = await attempt(ews, children)
    of_server = {r.key: r.value for r in done.readings if isinstance(r, Fact) and r.mailbox is None}
    assert of_server == {v.SERVER_BUILD: Build((15, 1, 2507, 57)), v.EWS_MARKS: ("soap",)}


async def test_a_mailbox_of_its_own_impersonates_nobody(ews: EwsStub, children: Children) -> None:
    """An account that opens its own mailbox has no use for impersonation, and does not ask for it."""
    done = await attempt(ews, children, impersonates=False)
    assert done.values() == (True, (), "found", Why.NOT_APPLICABLE)
    assert b"ExchangeImpersonation" not in ews.requests[-1][1]


@pytest.mark.parametrize("headers", [(), (("Connection", "close"),), (("Connection", "close"), ("WWW-Authenticate", "NTLM"))])
@pytest.mark.parametrize("challenges", [NTLM, BASIC])
async def test_a_wrong_password_is_one_failed_logon(
    ews: EwsStub, children: Children, headers: tuple[tuple[str, str], ...], challenges: tuple[str, ...]
) -> None:
    """A refused password is sent once, and everything that a bare 401 may mean is told."""
    ews.challenges, ews.refusal = challenges, Reply(401, headers=headers)
    done = await attempt(ews, children, password="wrong")
    assert done.failure is None
    assert done.values() == (False, ("bad-credentials", "account-locked", "protocol-disabled", "oauth-required"), Why.DENIED, Why.DENIED)
    assert ews.logons == 1


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (Reply(401, b"The referenced account is currently locked out"), ("account-locked",)),
        (Reply(456), ("app-password-required", "mfa-required")),
        (
            Reply(456, headers=(("X-AutoDiscovery-Error", "LiveIdBasicAuth:AppPasswordRequired:<X>"),)),
            ("app-password-required", "mfa-required"),
        ),
        (Reply(401, headers=(("X-AutoDiscovery-Error", "LiveIdBasicAuth:BasicAuthBlocked"),)), ("basic-auth-disabled",)),
        (Reply(401, headers=(("x-ms-diagnostics", "1;BasicAuthBlockStatus - Deny"),)), ("basic-auth-disabled",)),
    ],
)
async def test_a_refusal_that_says_why(ews: EwsStub, children: Children, refusal: Reply, words: tuple[str, ...]) -> None:
    """Where a refusal says why, that is what is told, and nothing else."""
    ews.challenges, ews.refusal = BASIC, refusal
    done = await attempt(ews, children, password="wrong")
    assert done.values()[:2] == (False, words)
    assert done.failure is None


@pytest.mark.parametrize(
    ("reason", "block"),
    [
        ("EWS is disabled for this user or tenant", "disabled"),
        ("EWS is blocked by policy for this user or tenant", "blocked-by-policy"),
    ],
)
@pytest.mark.parametrize("before", [True, False], ids=["before the logon", "after the logon"])
async def test_a_policy_block(ews: EwsStub, children: Children, reason: str, block: str, before: bool) -> None:
    """A block by policy is told as such, whenever it comes, and nothing is said about the password."""
    reply = Reply(403, headers=(("X-EWS-Policy-Reason", reason),))
    ews.answer, ews.anonymous = reply, reply if before else None
    done = await attempt(ews, children)
    assert isinstance(done.failure, Denied)
    assert done.value(v.EWS_POLICY_BLOCK) == block
    assert done.values()[:2] == (Why.NOT_DISCLOSED, ("protocol-disabled",))
    assert ews.logons == (0 if before else 1)


async def test_a_refusal_without_reason(ews: EwsStub, children: Children) -> None:
    """HTTP 403 without a policy's reason leaves open what stands behind it."""
    ews.answer = Reply(403, headers=(("X-EWS-Policy-Reason", "something new"),))
    done = await attempt(ews, children)
    assert isinstance(done.failure, Denied)
    assert done.value(v.EWS_POLICY_BLOCK) is Why.NOT_DISCLOSED
    assert done.value(v.AUTH_REFUSAL) is Why.NOT_DISCLOSED


@pytest.mark.parametrize(
    ("code", "impersonation"),
    [
        ("ErrorNonExistentMailbox", Why.NOT_DISCLOSED),
        ("ErrorImpersonateUserDenied", "denied"),
        ("ErrorImpersonationDenied", "denied"),
        ("ErrorImpersonationFailed", Why.NOT_DISCLOSED),
        ("ErrorAccessDenied", Why.NOT_DISCLOSED),
        ("ErrorMailboxMoveInProgress", Why.NOT_DISCLOSED),
    ],
)
@pytest.mark.parametrize("as_fault", [True, False])
async def test_exchange_says_no(ews: EwsStub, children: Children, code: str, impersonation: object, as_fault: bool) -> None:
    """A response code of Exchange shows that the account was let in, and is told as it is."""
    ews.answer = Reply(500, fault(code)) if as_fault else Reply(200, refused(code))
    done = await attempt(ews, children)
    assert done.values() == (True, (), code, impersonation)
    assert done.value(v.SERVER_BUILD) == Build((15, 1, 2507, 57))
    assert done.failure is None


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("ErrorPasswordExpired", ("password-expired",)),
        ("ErrorPasswordChangeRequired", ("password-expired",)),
        ("ErrorAccountDisabled", ("account-disabled",)),
    ],
)
async def test_the_account_is_in_no_state_to_sign_in(ews: EwsStub, children: Children, code: str, refusal: object) -> None:
    """A code about the state of the account means that it was not let in."""
    ews.answer = Reply(500, fault(code))
    done = await attempt(ews, children)
    assert done.values()[:3] == (False, refusal, code)


@pytest.mark.parametrize(
    ("answer", "sentence", "seconds"),
    [
        (Reply(503), "the server asks for patience: HTTP 503", None),
        (
            Reply(503, headers=(("Retry-After", "30"), ("Connection", "close"))),
            "the server asks for patience: HTTP 503, Retry-After: 30",
            30,
        ),
        (Reply(429), "the server asks for patience: HTTP 429", None),
        (Reply(500, fault("ErrorServerBusy")), "Exchange answers ErrorServerBusy", None),
        (
            Reply(
                500,
                fault(
                    "ErrorServerBusy",
                    '<t:MessageXml xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">'
                    '<t:Value Name="BackOffMilliseconds">4500</t:Value></t:MessageXml>',
                ),
            ),
            "Exchange answers ErrorServerBusy, and asks for a pause of 4.5 s",
            4.5,
        ),
        (Reply(200, refused("ErrorExceededConnectionCount")), "Exchange answers ErrorExceededConnectionCount", None),
    ],
)
async def test_a_server_that_asks_for_patience(
    ews: EwsStub, children: Children, answer: Reply, sentence: str, seconds: float | None
) -> None:
    """A busy server is told as one that throttles, by Exchange's own code where it gives one, and is not asked again."""
    ews.answer = answer
    done = await attempt(ews, children)
    assert isinstance(done.failure, Throttled)
    assert str(done.failure) == sentence
    assert done.failure.pause_seconds == seconds
    assert ews.logons == 1
    code = next((word for word in sentence.replace(",", "").split() if word.startswith("Error")), Why.NOT_DISCLOSED)
    assert done.value(v.EWS_INBOX) == code


async def test_a_federation_server_that_is_down(ews: EwsStub, children: Children) -> None:
    """Where Exchange Online cannot reach the federation server, that is a passing failure and not the password's."""
    ews.answer = Reply(503, headers=(("X-AutoDiscovery-Error", "LiveIdBasicAuth:FederatedStsUnreachable:<X>"),))
    done = await attempt(ews, children)
    assert done.values()[:2] == (Why.NOT_DISCLOSED, ("temporary-failure",))


@pytest.mark.parametrize(
    ("challenges", "authentication"),
    [
        (BASIC, Authentication.NTLM),
        (BASIC, Authentication.NEGOTIATE),
        (NTLM, Authentication.BASIC),
        (("Negotiate",), Authentication.NTLM),
        ((), Authentication.AUTO),
    ],
)
async def test_a_scheme_that_is_not_offered_is_not_tried(
    ews: EwsStub, children: Children, challenges: tuple[str, ...], authentication: Authentication
) -> None:
    """Where the profile's scheme is not offered, nobody signs in, and what is offered is told."""
    ews.challenges = challenges
    done = await attempt(ews, children, authentication=authentication)
    assert done.values() == (Why.DENIED,) * 4
    assert (ews.logons, len(ews.requests)) == (0, 1)


@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("before", [True, False], ids=["before the logon", "after the logon"])
async def test_no_redirect_is_followed(
    ews: EwsStub, children: Children, server_certificate: ServerCertificate, tmp_path: Path, status: int, before: bool
) -> None:
    """A redirect to another host is told, and that host hears nothing."""
    with run_ews_stub(server_certificate, tmp_path) as other:
        reply = Reply(status, headers=(("Location", other.url),))
        ews.answer, ews.anonymous = reply, reply if before else None
        done = await attempt(ews, children)
        assert isinstance(done.failure, OffProtocol)
        assert other.connections == 0
    assert ews.logons == (0 if before else 1)


async def test_an_untrusted_certificate_gets_no_credentials(ews: EwsStub, children: Children) -> None:
    """A server whose certificate is not trusted hears nothing at all."""
    done = await attempt(ews, children, trusted=False)
    assert isinstance(done.failure, UntrustedPeer)
    assert ews.requests == []


async def test_a_drip_ends_at_the_deadline(ews: EwsStub, children: Children) -> None:
    """A server that sends one byte a second is left at the attempt's deadline."""
    ews.answer = Reply(200, drips_head=True)
    done = await attempt(ews, children, seconds=5)
    assert isinstance(done.failure, TimeoutError)
    assert done.values() == (Why.NOT_DISCLOSED,) * 4


async def test_a_refusal_with_a_dripping_body_is_still_a_refusal(ews: EwsStub, children: Children) -> None:
    """A refused password is known to be refused even where the server drags out its answer, so that nobody tries it again."""
    ews.refusal = Reply(401, drips=True)
    await children.run(abs, -1, seconds=60)  # a busy machine takes longer than the deadline to start the first child
    done = await attempt(ews, children, password="wrong", seconds=12)  # three quarters of it are the child's
    assert done.value(v.AUTH_ACCEPTED) is False


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (Reply(200, closes=True), PeerClosed),
        (Reply(200, endless=True), OffProtocol),
        (Reply(200, b"<html>"), OffProtocol),
        (Reply(500), OffProtocol),
        (Reply(404), OffProtocol),
    ],
)
async def test_what_is_no_answer_of_ews(ews: EwsStub, children: Children, answer: Reply, failure: type[Exception]) -> None:
    """What answers a logon otherwise than EWS does is told as that, and nothing is said about the password."""
    ews.answer = answer
    done = await attempt(ews, children)
    assert isinstance(done.failure, failure)
    assert done.values() == (Why.NOT_DISCLOSED,) * 4


async def test_a_server_that_asks_nobody(ews: EwsStub, children: Children) -> None:
    """A server that answers without asking for a sign-in is sent no password."""
    ews.anonymous = Reply(200, find_folder())
    done = await attempt(ews, children)
    assert done.values() == (Why.NOT_ATTEMPTED,) * 4
    assert len(ews.requests) == 1


async def test_a_challenge_that_is_not_kept_up(ews: EwsStub, children: Children) -> None:
    """A server that offers NTLM and then sends no challenge refuses us without having heard a password."""
    ews.challenge = Reply(401, headers=(("WWW-Authenticate", "NTLM"),))
    done = await attempt(ews, children)
    assert isinstance(done.failure, Denied)
    assert ews.logons == 0
    assert done.value(v.AUTH_ACCEPTED) is Why.NOT_DISCLOSED


async def test_an_answer_before_the_logon_proves_nothing(ews: EwsStub, children: Children) -> None:
    """A server that asks for a sign-in and then answers without one has let nobody in."""
    ews.anonymous, ews.anonymous_from = Reply(200, find_folder()), 1
    done = await attempt(ews, children)
    assert isinstance(done.failure, OffProtocol)
    assert done.values() == (Why.NOT_DISCLOSED,) * 4
    assert ews.logons == 0


async def test_an_answer_in_the_middle_of_the_logon_proves_nothing(ews: EwsStub, children: Children) -> None:
    """A server that answers FindFolder to the first message of NTLM has let nobody in."""
    ews.challenge = Reply(200, find_folder())
    done = await attempt(ews, children)
    assert isinstance(done.failure, Denied)
    assert done.values() == (Why.NOT_DISCLOSED,) * 4


@pytest.mark.parametrize("refusal", [Reply(401), Reply(403), Reply(200, closes=True), Reply(500, fault("ErrorAccessDenied"))])
async def test_impersonation_is_no_question_for_a_mailbox_of_its_own(ews: EwsStub, children: Children, refusal: Reply) -> None:
    """However the sign-in ends, an account that opens its own mailbox is not said to lack impersonation."""
    ews.refusal = refusal
    done = await attempt(ews, children, password="wrong", impersonates=False)
    assert done.value(v.EWS_IMPERSONATION) is Why.NOT_APPLICABLE


async def test_a_profile_that_signs_in_by_token_sends_no_password_to_exchange(ews: EwsStub, children: Children) -> None:
    """Where no Bearer challenge comes, nothing is tried, though Exchange would take the password by NTLM."""
    ews.challenges = NTLM
    done = await attempt(ews, children, authentication=Authentication.OAUTH)
    assert done.values() == (Why.DENIED,) * 4
    assert (ews.logons, len(ews.requests)) == (0, 1)
    assert ews.requests[0][0]["Authorization"] == "Bearer"
    assert ews.requests[0][0]["X-User-Identity"] == MAILBOX


@pytest.mark.parametrize(
    ("username", "password", "challenges", "why"),
    [
        ("", PASSWORD, NTLM, Why.NO_CREDENTIALS),
        (USERNAME, "", NTLM, Why.NO_CREDENTIALS),
        (USERNAME, "Пароль", BASIC, Why.NOT_ATTEMPTED),
    ],
)
async def test_credentials_that_cannot_be_sent(
    ews: EwsStub, children: Children, username: str, password: str, challenges: tuple[str, ...], why: Why
) -> None:
    """Nothing is tried with an empty credential, nor with one that Basic does not carry everywhere."""
    ews.challenges = challenges
    done = await attempt(ews, children, username=username, password=password)
    assert done.values() == (why,) * 4
    assert ews.logons == 0


async def test_no_secret_is_written_down(ews: EwsStub, children: Children) -> None:
    """The password is in no reading and no line of the transcript, even where the server repeats it."""
    ews.answer = Reply(403, headers=(("X-EWS-Policy-Reason", PASSWORD), ("Retry-After", PASSWORD)))
    done = await attempt(ews, children)
    assert PASSWORD not in repr(done)


@pytest.mark.parametrize(
    ("error", "failure", "outcome"),
    [
        ("timed-out", TimeoutError, Outcome.TIMED_OUT),
        ("closed", PeerClosed, Outcome.CLOSED),
        ("tls-failed", TlsFailed, Outcome.TLS_FAILED),
        ("untrusted", UntrustedPeer, Outcome.UNTRUSTED_PEER),
        ("too-long", OffProtocol, Outcome.OFF_PROTOCOL),
        ("second-request", OffProtocol, Outcome.OFF_PROTOCOL),
    ],
)
def test_every_trouble_has_its_outcome(error: str, failure: type[Exception], outcome: Outcome) -> None:
    """What broke off a conversation in the child is told by the words that every conversation uses."""
    seen = EwsResult(
        status=None,
        headers=(),
        folder=None,
        version=None,
        back_off_seconds=None,
        error=error,  # type: ignore[arg-type]
        logons=0,
        exchanges=(),
    )
    raised = _broken_off(seen)
    assert isinstance(raised, failure)
    named = expected(raised)
    assert named is not None
    assert named[0] is outcome
