"""Signing in to mail servers by NTLM: the messages against pyspnego as the server, the wire forms of the three protocols against scripts."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import spnego
from spnego._ntlm_raw import messages

from probe.model.estate import Authentication
from probe.wire.lines import WireError
from probe.wire.sasl import NtlmMechanism
from tests.probers.mail_logins import USER, learnt, scripted


def challenge() -> str:
    """A server's challenge, in base64."""
    info = messages.TargetInfo()
    info[messages.AvId.nb_domain_name] = "CONTOSO"
    info[messages.AvId.nb_computer_name] = "MAIL01"
    flags = messages.NegotiateFlags.unicode | messages.NegotiateFlags.ntlm | messages.NegotiateFlags.target_info
    return base64.b64encode(messages.Challenge(flags, b"8 bytes.", target_name="CONTOSO", target_info=info).pack()).decode()


@pytest.mark.parametrize("username", ["CONTOSO\\sales", "sales@contoso.test"])
@pytest.mark.parametrize(("password", "is_let_in"), [("right", True), ("wrong", False)])
def test_a_server_of_another_make_takes_the_right_password_and_no_other(
    username: str, password: str, is_let_in: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pyspnego's server lets in who knows the password, under both forms of the user name."""
    domain, _, name = username.rpartition("\\")
    (tmp_path / "users").write_text(f"{domain}:{name}:right\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(tmp_path / "users"))
    server = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
    client = NtlmMechanism(username, password)
    asked = server.step(client.first)
    assert asked is not None
    answer = client.respond(asked)
    try:
        server.step(answer)
    except spnego.exceptions.SpnegoError:
        assert not is_let_in
    else:
        assert server.complete is is_let_in


@pytest.mark.parametrize("said", [b"", b"NTLM supported", b"NTLMSSP\0\1\0\0\0", b"NTLMSSP\0\2\0\0\0", b"NTLMSSP\0\2\0\0\0" + b"\xff" * 60])
def test_what_is_no_challenge_gets_no_answer(said: bytes) -> None:
    """Garbage, a message of another type, and one that ends too early or points beyond its end."""
    with pytest.raises(WireError):
        NtlmMechanism("a", "b").respond(said)


FIRST = "TlRMTVNTUAABAAAA*"
THIRD = "TlRMTVNTUAADAAAA*"


@pytest.mark.parametrize(
    ("scheme", "steps"),
    [
        ("pop3s", ["S: +OK", "C: CAPA", "S: +OK", "S: SASL NTLM", "S: .", "C: AUTH NTLM", "S: +", f"C: {FIRST}", f"S: + {challenge()}",
                   f"C: {THIRD}", "S: +OK", "C: STAT", "S: +OK 0 0", "C: QUIT"]),
        ("pop3s", ["S: +OK", "C: CAPA", "S: +OK", "S: SASL NTLM", "S: .", "C: AUTH NTLM", "S: +OK", f"C: {FIRST}", f"S: + {challenge()}",
                   f"C: {THIRD}", "S: +OK", "C: STAT", "S: +OK 0 0", "C: QUIT"]),
        ("smtps", ["S: 220 hi", "C: EHLO *", "S: 250-hi", "S: 250 AUTH NTLM", f"C: AUTH NTLM {FIRST}", f"S: 334 {challenge()}", f"C: {THIRD}",
                   "S: 235 in", "C: NOOP", "S: 250 ok", "C: QUIT"]),
        ("imaps", ["S: * OK", "C: A1 CAPABILITY", "S: * CAPABILITY IMAP4rev1 AUTH=NTLM LOGINDISABLED NAMESPACE", "S: A1 OK", "C: A2 AUTHENTICATE NTLM",
                   "S: + ", f"C: {FIRST}", f"S: + {challenge()}", f"C: {THIRD}", "S: A2 OK", "C: A3 EXAMINE INBOX", "S: A3 OK", "C: A0 LOGOUT"]),
    ],
    ids=["pop3", "pop3 of exchange 2003", "smtp", "imap"],
)  # fmt: skip
@pytest.mark.parametrize("authentication", [Authentication.NTLM, Authentication.AUTO])
async def test_the_wire_forms(scheme: str, steps: list[str], authentication: Authentication, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first message goes when it is asked for (with AUTH at SMTP), the third in answer to the challenge, and one more command proves it."""
    attempt, server = await scripted(scheme, steps, monkeypatch, authentication=authentication, username=USER)
    known = learnt(attempt)
    assert (known["auth.accepted"], known["auth.mechanism"]) == (True, "NTLM"), (attempt, server.departures)
    assert "TlRMTVNTUAAD" not in repr(attempt.transcript)


async def test_a_refusal_is_one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong password ends it: no other mechanism is tried."""
    steps = ["S: +OK", "C: CAPA", "S: +OK", "S: SASL NTLM CRAM-MD5", "S: .", "C: AUTH NTLM", "S: +", f"C: {FIRST}", f"S: + {challenge()}"]
    refused = [*steps, f"C: {THIRD}", "S: -ERR [AUTH] wrong password", "C: QUIT"]
    attempt, _ = await scripted("pop3s", refused, monkeypatch, authentication=Authentication.NTLM)
    known = learnt(attempt)
    assert known["auth.accepted"] is False
    assert known["auth.refusal"] == ("bad-credentials",)
