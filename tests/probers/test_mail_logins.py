"""Signing in to POP3, SMTP and IMAP: one login, proved by one more command, against scripted and real servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from probe.model.estate import Authentication
from tests.looking import playing
from tests.probers.mail_logins import PASSWORD, USER, coded, learnt, scripted, sign_in
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix

NAMES = ("auth.accepted", "auth.refusal", "auth.reply", "auth.mechanism")


POP3 = ["S: +OK ready", "C: CAPA", "S: +OK", "S: USER", "S: SASL PLAIN LOGIN CRAM-MD5", "S: ."]


@pytest.mark.parametrize(
    ("scheme", "steps", "mechanism"),
    [
        ("pop3s", [*POP3, f"C: USER {USER}", "S: +OK", f"C: PASS {PASSWORD}", "S: +OK", "C: STAT", "S: +OK 0 0", "C: QUIT"], "USER"),
        (
            "pop3s",
            [
                "S: +OK",
                "C: CAPA",
                "S: +OK",
                "S: SASL PLAIN",
                "S: .",
                "C: AUTH PLAIN",
                "S: + ",
                f"C: {coded(chr(0) + USER + chr(0) + PASSWORD)}",
                "S: +OK",
                "C: STAT",
                "S: +OK 0 0",
                "C: QUIT",
            ],
            "PLAIN",
        ),
        (
            "smtps",
            [
                "S: 220 hi",
                "C: EHLO*",
                "S: 250-x",
                "S: 250 AUTH LOGIN",
                "C: AUTH LOGIN",
                f"S: 334 {coded('Username:')}",
                f"C: {coded(USER)}",
                f"S: 334 {coded('Password:')}",
                f"C: {coded(PASSWORD)}",
                "S: 235 2.7.0 ok",
                "C: NOOP",
                "S: 250 ok",
                "C: QUIT",
            ],
            "LOGIN",
        ),
        (
            "smtps",
            [
                "S: 220 hi",
                "C: EHLO*",
                "S: 250-x",
                "S: 250 AUTH PLAIN LOGIN",
                f"C: AUTH PLAIN {coded(chr(0) + USER + chr(0) + PASSWORD)}",
                "S: 235 ok",
                "C: NOOP",
                "S: 250 ok",
                "C: QUIT",
            ],
            "PLAIN",
        ),
        (
            "imaps",
            [
                "S: * OK hi",
                "C: A1 CAPABILITY",
                "S: * CAPABILITY IMAP4rev1 NAMESPACE",
                "S: A1 OK",
                f'C: A2 LOGIN "{USER}" "{PASSWORD}"',
                "S: A2 OK",
                "C: A3 EXAMINE INBOX",
                "S: * 3 EXISTS",
                "S: A3 OK",
                "C: A0 LOGOUT",
            ],
            "LOGIN",
        ),
        (
            "imaps",
            [
                "S: * OK hi",
                "C: A1 CAPABILITY",
                "S: * CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN",
                "S: A1 OK",
                "C: A2 AUTHENTICATE PLAIN",
                "S: + ",
                f"C: {coded(chr(0) + USER + chr(0) + PASSWORD)}",
                "S: A2 OK",
                "C: A3 EXAMINE INBOX",
                "S: A3 OK",
                "C: A0 LOGOUT",
            ],
            "PLAIN",
        ),
    ],
)
async def test_one_login_is_proved_by_one_more_command(
    scheme: str, steps: list[str], mechanism: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's own command or the first SASL mechanism is used, one at a time, and what follows shows that the mailbox is there."""
    attempt, _ = await scripted(scheme, steps, monkeypatch)
    known = learnt(attempt)
    assert {name: known[name] for name in NAMES} == {
        "auth.accepted": True,
        "auth.refusal": (),
        "auth.reply": "",
        "auth.mechanism": mechanism,
    }
    assert attempt.outcome == "completed"


@pytest.mark.parametrize(
    ("scheme", "steps", "reply", "causes"),
    [
        (
            "pop3s",
            [*POP3, "C: USER*", "S: +OK", "C: PASS*", "S: -ERR [AUTH] Invalid login", "C: QUIT"],
            "-ERR [AUTH] Invalid login",
            ("bad-credentials",),
        ),
        (
            "smtps",
            [
                "S: 220 hi",
                "C: EHLO*",
                "S: 250-x",
                "S: 250 AUTH PLAIN",
                "C: AUTH PLAIN*",
                "S: 534-5.7.9 Application-specific password required.",
                "S: 534 5.7.9 https://support.google.com/mail/?p=InvalidSecondFactor",
                "C: QUIT",
            ],
            "534-5.7.9 Application-specific password required.\n534 5.7.9 https://support.google.com/mail/?p=InvalidSecondFactor",
            ("app-password-required",),
        ),
        (
            "imaps",
            [
                "S: * OK hi",
                "C: A1 CAPABILITY",
                "S: * CAPABILITY IMAP4rev1",
                "S: A1 OK",
                "C: A2 LOGIN*",
                "S: A2 NO Basic authentication is disabled.",
                "C: A0 LOGOUT",
            ],
            "NO Basic authentication is disabled.",
            ("basic-auth-disabled", "oauth-required"),
        ),
        (
            "imaps",
            [
                "S: * OK hi",
                "C: A1 CAPABILITY",
                "S: * CAPABILITY IMAP4rev1 NAMESPACE",
                "S: A1 OK",
                "C: A2 LOGIN*",
                "S: A2 OK",
                "C: A3 EXAMINE INBOX",
                "S: A3 BAD User is authenticated but not connected.",
                "C: A0 LOGOUT",
            ],
            "BAD User is authenticated but not connected.",
            ("basic-auth-disabled", "protocol-disabled"),
        ),
    ],
)
async def test_a_refusal_is_kept_in_the_servers_words_and_classed(
    scheme: str, steps: list[str], reply: str, causes: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server said stays as evidence; what it may mean stands beside it; there is no second login."""
    attempt, _ = await scripted(scheme, steps, monkeypatch)
    found = learnt(attempt)
    assert (found["auth.accepted"], found["auth.reply"], found["auth.refusal"]) == (False, reply, causes)


@pytest.mark.parametrize(
    ("words", "causes"),
    [
        ("NO EXAMINE Unsafe Login. Please contact kefu@188.com for help", ("blocked-by-policy", "protocol-disabled")),
        ("NO [NONEXISTENT] Mailbox does not exist", ("protocol-disabled",)),
        ("NO [AUTHENTICATIONFAILED]", ("protocol-disabled", "account-disabled")),
        ("NO [INUSE] Mailbox in use", ("throttled", "temporary-failure")),
        ("BAD what", ("protocol-disabled",)),
    ],
)
async def test_a_login_to_imap_whose_inbox_cannot_be_opened_is_none(
    words: str, causes: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mailbox is ready once its inbox opens; that it does not is no fault of a password that was taken."""
    steps = [
        "S: * OK",
        "C: A1 CAPABILITY",
        "S: * CAPABILITY IMAP4rev1",
        "S: A1 OK",
        "C: A2 LOGIN*",
        "S: A2 OK",
        "C: A3 EXAMINE INBOX",
        f"S: A3 {words}",
    ]
    attempt, server = await scripted("imaps", [*steps, "C: A0 LOGOUT"], monkeypatch)
    found = learnt(attempt)
    assert (found["auth.accepted"], found["auth.reply"], found["auth.refusal"]) == (False, words, causes)
    assert not [departure for departure in server.departures if "EXAMINE" in departure]


@pytest.mark.parametrize(
    ("scheme", "steps"),
    [
        ("pop3s", [*POP3, "C: USER*", "S: +OK", "C: PASS*", "S: +OK", "C: STAT", "S: -ERR no such mailbox", "C: QUIT"]),
        ("smtps", ["S: 220 hi", "C: EHLO *", "S: 250-x", "S: 250 AUTH PLAIN", "C: AUTH*", "S: 235 ok", "C: NOOP", "S: 535 no", "C: QUIT"]),
    ],
)
async def test_what_is_refused_after_a_login_that_was_taken_is_no_wrong_password(
    scheme: str, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command that proves the login fails for another cause than the password."""
    attempt, _ = await scripted(scheme, steps, monkeypatch)
    causes = learnt(attempt)["auth.refusal"]
    assert isinstance(causes, tuple)
    assert causes
    assert "bad-credentials" not in causes


@pytest.mark.parametrize(
    ("scheme", "said", "causes"),
    [
        ("smtps", "535 Error: 请使用授权码登录。".encode("gbk"), ("app-password-required",)),
        ("pop3s", "-ERR Неверный логин или пароль".encode("koi8-r"), ("bad-credentials",)),
        ("pop3s", "-ERR Учётная запись заблокирована".encode("cp1251"), ("account-disabled", "account-locked", "protocol-disabled")),
        ("smtps", "535 Ungültiges Kennwort".encode("latin-1"), ("bad-credentials",)),
        ("pop3s", "-ERR POPは利用できません".encode("shift_jis"), ("protocol-disabled",)),
        ("smtps", "535 Μη έγκυρα στοιχεία".encode("iso8859-7"), ("bad-credentials", "app-password-required", "protocol-disabled")),
    ],
)
async def test_a_refusal_is_read_in_whatever_encoding_it_comes(
    scheme: str, said: bytes, causes: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where nobody can read it, it is not settled that the password is wrong."""
    line = said.decode("latin-1")
    steps = {
        "pop3s": [*POP3, "C: USER*", "S: +OK", "C: PASS*", f"S: {line}", "C: QUIT"],
        "smtps": ["S: 220 hi", "C: EHLO *", "S: 250-x", "S: 250 AUTH PLAIN", "C: AUTH*", f"S: {line}", "C: QUIT"],
    }[scheme]
    attempt, _ = await scripted(scheme, steps, monkeypatch)
    assert learnt(attempt)["auth.refusal"] == causes


@pytest.mark.parametrize("said", [PASSWORD, coded(PASSWORD)])
@pytest.mark.parametrize(
    ("scheme", "steps"),
    [
        ("pop3s", [*POP3, "C: USER*", "S: +OK", "C: PASS*", "S: -ERR what is {said}?", "C: QUIT"]),
        ("pop3s", [*POP3, "C: USER*", "S: {said}"]),
        ("smtps", ["S: 220 hi", "C: EHLO*", "S: 250-x", "S: 250 AUTH PLAIN", "C: AUTH PLAIN*", "S: 535 5.7.8 {said}", "C: QUIT"]),
        ("imaps", ["S: * OK", "C: A1*", "S: * CAPABILITY IMAP4rev1", "S: A1 OK", "C: A2 LOGIN*", "S: A2 NO {said}", "C: A0 LOGOUT"]),
        ("imaps", ["S: * OK", "C: A1*", "S: * CAPABILITY IMAP4rev1", "S: A1 OK", "C: A2 LOGIN*", "S: {said} {said}"]),
    ],
)
async def test_a_server_that_repeats_the_password_shows_it_to_nobody(
    scheme: str, steps: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a server says of a login is kept less the secret, in facts, reasons and transcript alike."""
    attempt, _ = await scripted(scheme, [step.format(said=said) for step in steps], monkeypatch)
    assert any(line.speaker == "peer" and "***" in line.text for line in attempt.transcript)
    assert learnt(attempt)["auth.accepted"] in (False, "off-protocol")


async def test_apop_is_the_last_resort(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is only a stamp in the greeting, its digest is sent."""
    steps = [
        "S: +OK <1896.697170952@dbc.mtview.ca.us>",
        "C: CAPA",
        "S: +OK",
        "S: TOP",
        "S: .",
        "C: APOP mrose c4c9334bac560ecc979e58001b3e22fb",
    ]
    attempt, _ = await scripted(
        "pop3s", [*steps, "S: +OK", "C: STAT", "S: +OK 1 2", "C: QUIT"], monkeypatch, username="mrose", password="tanstaaf"
    )
    assert (learnt(attempt)["auth.mechanism"], learnt(attempt)["auth.accepted"]) == ("APOP", True)


async def test_a_token_is_handed_over_in_two_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Microsoft's POP3 wants the mechanism and the token in lines of their own; a refused token's error is answered with nothing."""
    steps = ["S: +OK", "C: CAPA", "S: +OK", "S: SASL XOAUTH2", "S: .", "C: AUTH XOAUTH2", "S: + "]
    steps += [
        f"C: {coded(f'user={USER}{chr(1)}auth=Bearer {PASSWORD}{chr(1)}{chr(1)}')}",
        f"S: + {coded('{}')}",
        "C: ",
        "S: -ERR no",
        "C: QUIT",
    ]
    attempt, _ = await scripted("pop3s", steps, monkeypatch, authentication=Authentication.OAUTH)
    found = learnt(attempt)
    assert (found["auth.accepted"], found["auth.mechanism"]) == (False, "XOAUTH2")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"authentication": Authentication.NEGOTIATE}, "not-attempted"),
        ({"username": "a\r\nDELE 1"}, "no-credentials"),
    ],
)
async def test_what_cannot_be_said_safely_is_not_said(how: dict[str, object], why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheme that is not spoken, and words that would end a command, send no credentials."""
    steps = ["S: +OK <1.2@x>", "C: CAPA", "S: +OK", "S: USER", "S: SASL PLAIN LOGIN CRAM-MD5", "S: .", "C: QUIT"]
    attempt, server = await scripted("pop3s", steps, monkeypatch, **how)
    assert [line.text for line in attempt.transcript if line.speaker == "probe"] == ["CAPA", "QUIT"]
    assert server.connections >= 1
    assert all(learnt(attempt)[name] == why for name in NAMES)


async def test_a_password_that_would_end_a_command_is_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused where it is looked up, and no server hears that there is one."""
    attempt, _ = await scripted("pop3s", ["S: +OK"], monkeypatch, password="two\nlines")
    assert (attempt.outcome, attempt.transcript) == ("not-scheduled", ())
    assert all(learnt(attempt)[name] == "no-credentials" for name in NAMES)


async def test_no_password_goes_over_a_line_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where STLS is refused, nothing is sent."""
    async with playing(["S: +OK", "C: STLS", "S: -ERR no"], implicit=False) as server:
        (attempt,) = await sign_in(f"pop3://localhost:{server.port}", monkeypatch)
    assert all(learnt(attempt)[name] == "denied" for name in NAMES)


@pytest.mark.parametrize(
    ("scheme", "steps", "outcome"),
    [
        ("pop3s", ["S: SSH-2.0-OpenSSH"], "off-protocol"),
        ("pop3s", ["S: -ERR [IN-USE] busy"], "throttled"),
        ("pop3s", [*POP3, "C: USER*", "S: +OK", "C: PASS*"], "closed"),
        ("pop3s", ["S: +OK", "C: CAPA", "S: +OK", "S: SASL CRAM-MD5", "S: .", "C: AUTH CRAM-MD5", "S: + not base64!"], "off-protocol"),
        (
            "pop3s",
            ["S: +OK", "C: CAPA", "S: +OK", "S: SASL PLAIN", "S: .", "C: AUTH PLAIN", "S: + ", "C: *", "S: + bW9yZQ=="],
            "off-protocol",
        ),
        ("pop3s", ["S: +OK", "C: CAPA", *["S: +OK" if n == 0 else f"S: X{n}" for n in range(300)]], "off-protocol"),
        ("smtps", ["S: 421 too many"], "throttled"),
        (
            "smtps",
            ["S: 220 hi", "C: EHLO*", "S: 250-x", "S: 250 AUTH LOGIN", "C: AUTH LOGIN", "S: 334 ", "C: *", "S: 334 ", "C: *", "S: 334 "],
            "off-protocol",
        ),
        ("smtps", ["S: 220 hi", "C: EHLO*", *[f"S: 250-X{n}" for n in range(300)]], "off-protocol"),
        ("smtps", ["S: 220 hi", "C: EHLO*", "S: 250-x", "S: 250 AUTH PLAIN", "C: AUTH PLAIN*"], "closed"),
        ("imaps", ["S: * BYE too many"], "throttled"),
        ("imaps", ["S: * OK", "C: A1 CAPABILITY", "S: A9 OK what"], "off-protocol"),
        ("imaps", ["S: * OK", "C: A1 CAPABILITY", *[f"S: * X{n} 1" for n in range(300)]], "off-protocol"),
        ("imaps", ["S: * OK", "C: A1 CAPABILITY", "S: * CAPABILITY IMAP4rev1", "S: A1 OK", "C: A2 LOGIN*", "S: + go on"], "off-protocol"),
        ("imaps", ["S: * OK", "C: A1 CAPABILITY", "S: * CAPABILITY IMAP4rev1", "S: A1 OK", "C: A2 LOGIN*"], "closed"),
    ],
)
async def test_a_server_that_misbehaves_ends_the_login(
    scheme: str, steps: list[str], outcome: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each misbehaviour has a clear outcome; where the password had been sent, it is not sent again for a while."""
    attempt, _ = await scripted(scheme, steps, monkeypatch, state=tmp_path)
    assert attempt.outcome == outcome
    assert all(learnt(attempt)[name] == outcome for name in NAMES)


# --- Real servers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "steps"),
    [
        ("pop3s", [*POP3, "C: USER*", "S: +OK", "C: PASS*"]),
        ("smtps", ["S: 220 hi", "C: EHLO*", "S: 250-x", "S: 250 AUTH PLAIN", "C: AUTH PLAIN*"]),
        ("imaps", ["S: * OK", "C: A1*", "S: * CAPABILITY IMAP4rev1", "S: A1 OK", "C: A2 LOGIN*"]),
    ],
)
@pytest.mark.parametrize("then", [[], ["S~ half an ans"]], ids=["silence", "half a line"])
async def test_a_login_without_an_answer_ends_at_the_timeout(
    scheme: str, steps: list[str], then: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence after the password is no refusal: it is not known whether the account was let in."""
    attempt, _ = await scripted(scheme, [*steps, *then, "C: never said"], monkeypatch, timeout=1.5)
    assert attempt.outcome == "timed-out"
    assert attempt.seconds < 5
    assert learnt(attempt)["auth.accepted"] == "timed-out"


@pytest.mark.parametrize("scheme", ["pop3", "pop3s", "imap", "imaps"])
async def test_dovecot_lets_in_and_refuses(scheme: str, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The right password is taken over every way to it; a wrong one is told as wrong."""
    url = dovecot.url(scheme)
    (good,) = await sign_in(url, monkeypatch, username=dovecot.username, password=dovecot.password, ca_file=dovecot.ca_file)
    assert learnt(good)["auth.accepted"] is True
    (bad,) = await sign_in(url, monkeypatch, username=dovecot.username, password="wrong-one", ca_file=dovecot.ca_file)
    assert learnt(bad)["auth.accepted"] is False
    assert "bad-credentials" in str(learnt(bad)["auth.refusal"])


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_postfix_lets_in_and_refuses(scheme: str, postfix: Postfix, monkeypatch: pytest.MonkeyPatch) -> None:
    """AUTH is taken with the right password and refused with a wrong one, over both ways to TLS."""
    url = f"{scheme}://localhost:{getattr(postfix, f'{scheme}_port')}"
    (good,) = await sign_in(url, monkeypatch, username=postfix.username, password=postfix.password, ca_file=postfix.ca_file)
    assert learnt(good)["auth.accepted"] is True
    (bad,) = await sign_in(url, monkeypatch, username=postfix.username, password="wrong-one", ca_file=postfix.ca_file)
    assert (learnt(bad)["auth.accepted"], learnt(bad)["auth.refusal"]) == (False, ("bad-credentials",))


async def test_a_password_that_was_refused_is_not_tried_on_another_protocol(
    dovecot: Dovecot, postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of the two logins is made; the other is not held, and says why."""
    urls = f"pop3s://localhost:{dovecot.pop3s_port}", f"smtps://localhost:{postfix.smtps_port}"
    attempts = await sign_in(urls[0], monkeypatch, username=dovecot.username, password="wrong-one", ca_file=dovecot.ca_file, other=urls[1])
    assert sorted(attempt.outcome.value for attempt in attempts) == ["completed", "not-scheduled"]


async def test_a_wrong_password_reaches_a_server_once_in_fifty_runs(
    dovecot: Dovecot, postfix: Postfix, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever the protocols of the mailbox and however often it is checked, one login is made in all."""
    urls = (f"pop3s://localhost:{dovecot.pop3s_port}", f"imaps://localhost:{dovecot.imaps_port}")
    tried = []
    for run in range(50):
        how = {"username": dovecot.username, "password": "wrong-one", "ca_file": dovecot.ca_file, "state": tmp_path}
        attempts = await sign_in(urls[run % 2], monkeypatch, other=f"smtps://localhost:{postfix.smtps_port}", **how)  # type: ignore[arg-type]
        # Within 15 minutes the attempt is told again, with its own time.
        tried += [attempt for attempt in attempts if attempt.connections]
    assert len({attempt.at.replace(microsecond=0) for attempt in tried}) == 1
    assert learnt(tried[0])["auth.accepted"] is False
    (good,) = await sign_in(
        urls[0], monkeypatch, username=dovecot.username, password=dovecot.password, ca_file=dovecot.ca_file, state=tmp_path
    )
    assert learnt(good)["auth.accepted"] is True


async def test_without_a_memory_no_login_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where a refusal could not be remembered, nothing is risked, and the reason is told."""
    (tmp_path / "file").write_text("")
    async with playing(["S: +OK"], implicit=True) as server:
        (attempt,) = await sign_in(f"pop3s://localhost:{server.port}", monkeypatch, state=tmp_path / "file" / "below")
    assert attempt.outcome == "not-scheduled"
    assert "could not be remembered" in attempt.detail


@pytest.mark.parametrize(
    ("capa", "answers", "words"),
    [
        (["S: USER", "S: LOGIN-DELAY 300"], ["S: +OK", "C: STAT", "S: +OK 0 0", "C: QUIT"], "no login is tried until"),
        (["S: USER"], ["S: -ERR [IN-USE] mailbox is busy", "C: QUIT"], "the next is tried after"),
        (["S: USER"], ["S: -ERR [LOGIN-DELAY] minimum time between mail checks", "C: QUIT"], "the next is tried after"),
    ],
)
async def test_a_server_that_asks_for_time_is_left_alone_by_the_next_run(
    capa: list[str], answers: list[str], words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """LOGIN-DELAY after a login, [IN-USE] and [LOGIN-DELAY] in a refusal: the next check makes no login of the account, and says until when."""
    steps = ["S: +OK ready", "C: CAPA", "S: +OK", *capa, "S: .", f"C: USER {USER}", "S: +OK", f"C: PASS {PASSWORD}", *answers]
    async with playing(steps, implicit=True) as server:
        url = f"pop3s://localhost:{server.port}"
        (first,) = await sign_in(url, monkeypatch, state=tmp_path)
        (second,) = await sign_in(url, monkeypatch, state=tmp_path, username=USER, mailbox="orders@contoso.test")
    assert first.outcome.value == "completed"
    assert second.outcome.value == "not-scheduled"
    assert learnt(second)["auth.accepted"] in ("throttled", "denied")
    assert words in second.detail


async def test_421_is_remembered_for_every_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A server that says 421 to one account is left alone by the others too."""
    async with playing(["S: 421 4.7.0 too many connections"], implicit=True) as server:
        url = f"smtps://localhost:{server.port}"
        (first,) = await sign_in(url, monkeypatch, state=tmp_path)
        (second,) = await sign_in(url, monkeypatch, state=tmp_path, username="other@contoso.test")
    assert first.outcome.value == "throttled"
    assert second.outcome.value == "not-scheduled"
    assert "421" in second.detail


@pytest.mark.parametrize(
    ("answer", "authentication", "shown"),
    [
        ("235 2.7.0 Accepted", Authentication.BASIC, {"password_login.possible": True}),
        ("235 2.7.0 Accepted", Authentication.OAUTH, {"modern_auth.offered": True}),
        (
            "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
            Authentication.BASIC,
            {"password_login.possible": False},
        ),
        ("534-5.7.9 Application-specific password required.\nS: 534 5.7.9 more", Authentication.BASIC, {"password_login.possible": True}),
        ("535 5.7.8 Username and Password not accepted", Authentication.BASIC, {}),
        ("535 5.7.8 Username and Password not accepted", Authentication.OAUTH, {}),
    ],
)
async def test_the_end_of_a_login_shows_how_the_account_may_sign_in(
    answer: str, authentication: Authentication, shown: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was taken, or refused in words that fit one cause, decides before what is offered; a plain refusal shows nothing."""
    steps = ["S: 220 hi", "C: EHLO*", "S: 250-x", "S: 250 AUTH PLAIN XOAUTH2", "C: AUTH *", *(f"S: {answer}".split("\n"))]
    steps += ["C: NOOP", "S: 250 ok", "C: QUIT"] if answer.startswith("235") else ["C: QUIT"]
    attempt, _ = await scripted("smtps", steps, monkeypatch, authentication=authentication)
    known = learnt(attempt)
    assert {key: known[key] for key in ("password_login.possible", "modern_auth.offered") if key in known} == shown
