"""What servers are known to say otherwise than the RFCs have it, each in that server's words, and what is made of it."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from tests.looking import look, playing
from tests.probers.mail_logins import learnt, scripted

IMAP_END = ["C: * ID NIL", "S: a2 BAD", "C: * LOGOUT", "S: * BYE", "S: a3 OK"]


async def test_lower_case_capabilities_of_imap() -> None:
    """`* capability imap4rev1 starttls login`, all in lower case, is a list as any other."""
    steps = ["S: * ok hi", "C: a1 CAPABILITY", "S: * capability imap4rev1 idle auth=plain", "S: a1 ok completed", *IMAP_END]
    async with playing(steps, implicit=True) as server:
        looked = await look(f"imaps://localhost:{server.port}")
    assert looked.value(v.PROTOCOL_CAPABILITIES) == ("imap4rev1", "idle", "auth=plain")
    assert "PLAIN" in (looked.value(v.AUTH_MECHANISMS) or ())


async def test_zimbra_writes_the_keys_of_its_id_in_capitals() -> None:
    """`"NAME" "Zimbra" "VERSION" ...` names product and version all the same."""
    steps = [
        "S: * OK hi",
        "C: a1 CAPABILITY",
        "S: * CAPABILITY IMAP4rev1 ID",
        "S: a1 OK",
        "C: a2 ID NIL",
        'S: * ID ("NAME" "Zimbra" "VERSION" "8.6.0_GA_1153" "RELEASE" "20141215151110")',
        "S: a2 OK ID completed",
        "C: a3 LOGOUT",
    ]
    async with playing(steps, implicit=True) as server:
        looked = await look(f"imaps://localhost:{server.port}")
    assert looked.value(v.SERVER_PRODUCT) == "Zimbra Collaboration"
    assert looked.value(v.SERVER_VERSION) == "8.6.0_GA_1153"


async def test_icloud_answers_capability_without_a_list() -> None:
    """`OK !!` with no untagged line leaves the capabilities unknown, and the conversation goes on."""
    async with playing(["S: * OK hi", "C: a1 CAPABILITY", "S: a1 OK !!", *IMAP_END], implicit=True) as server:
        looked = await look(f"imaps://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.why(v.PROTOCOL_CAPABILITIES) == "not-disclosed"


async def test_the_tab_in_the_greeting_of_cyrus_on_os_x() -> None:
    """A tab amid a greeting is kept, and hides neither product nor version."""
    said = "+OK 192.0.2.1 Cyrus POP3 v2.3.8-OS X Server 10.5: \t9A562 server ready <1999107648.1324502155@192.0.2.1>"
    async with playing([f"S: {said}", "C: CAPA", "S: -ERR", "C: AUTH", "S: -ERR", "C: QUIT"], implicit=True) as server:
        looked = await look(f"pop3s://localhost:{server.port}")
    assert looked.value(v.PROTOCOL_GREETING) == said
    assert (looked.value(v.SERVER_PRODUCT), looked.value(v.SERVER_VERSION)) == ("Cyrus IMAP", "2.3.8")


async def test_the_lost_umlaut_of_the_german_exchange() -> None:
    """Eight-bit bytes in a greeting of Exchange 2003 are no bar to product and build."""
    said = "+OK Der Microsoft Exchange Server 2003 POP3-Server, Version 6.5.7638.1 (mail01.example.test), steht zur Verf\xfcgung."
    async with playing([f"S: {said}", "C: CAPA", "S: +OK", "S: TOP", "S: .", "C: QUIT"], implicit=True) as server:
        looked = await look(f"pop3s://localhost:{server.port}")
    assert looked.value(v.PROTOCOL_GREETING) == said.replace("\xfc", "\\xfc")
    assert (looked.value(v.SERVER_PRODUCT), looked.value(v.SERVER_VERSION)) == ("Exchange Server 2003", "6.5.7638.1")


@pytest.mark.parametrize(
    ("listed", "mechanisms"),
    [
        (["S: SASL", "S: STLS"], ()),
        (["S: EXPIRENEVER", "S: USER"], ("USER",)),
        (["S: TOP", "S: UIDL", "S: SASL PLAIN", "S: USER"], ("PLAIN", "USER")),
    ],
    ids=["dovecot lists SASL with no mechanism", "mailutils writes EXPIRENEVER in one word", "exchange begins with a bare +OK"],
)
async def test_lists_of_pop3(listed: list[str], mechanisms: tuple[str, ...]) -> None:
    """What stands in a list is kept as said, and what it offers is read from it."""
    async with playing(["S: +OK hi", "C: CAPA", "S: +OK", *listed, "S: .", "C: QUIT"], implicit=True) as server:
        looked = await look(f"pop3s://localhost:{server.port}")
    assert looked.value(v.PROTOCOL_CAPABILITIES) == tuple(line.removeprefix("S: ") for line in listed)
    assert looked.value(v.AUTH_MECHANISMS) == mechanisms


@pytest.mark.parametrize(
    ("listed", "mechanisms"),
    [
        (["S: 250-AUTH=LOGIN", "S: 250-AUTH LOGIN PLAIN", "S: 250 SIZE 1"], ("LOGIN", "PLAIN")),
        (["S: 250AUTH LOGIN PLAIN"], ("LOGIN", "PLAIN")),
    ],
    ids=["old and new style side by side", "gmx was logged once without the space"],
)
async def test_lists_of_smtp(listed: list[str], mechanisms: tuple[str, ...]) -> None:
    """Mechanisms are read from every line that names them."""
    async with playing(
        ["S: 220 hi", "C: EHLO *", "S: 250-mail.example.test", *listed, "C: HELP", "S: 500", "C: QUIT"], implicit=True
    ) as server:
        looked = await look(f"smtps://localhost:{server.port}")
    assert looked.value(v.AUTH_MECHANISMS) == mechanisms


@pytest.mark.parametrize(
    ("scheme", "steps", "outcome"),
    [
        ("smtps", ["S: 554 mail.example.test"], Outcome.DENIED),
        ("smtps", ["S: 421 Service not available, closing transmission channel"], Outcome.THROTTLED),
        ("imaps", ["S: * BYE Too many connections"], Outcome.THROTTLED),
        ("pop3s", ["S: -ERR This IP is not configured for POP3 service."], Outcome.DENIED),
        ("pop3s", ["S: -ERR sorry, POP server too busy right now.  Try again later."], Outcome.THROTTLED),
    ],
)
async def test_greetings_that_refuse(scheme: str, steps: list[str], outcome: Outcome) -> None:
    """A server that greets with a refusal spoke its protocol, and its words are kept."""
    async with playing(steps, implicit=True) as server:
        looked = await look(f"{scheme}://localhost:{server.port}")
    assert looked.attempt.outcome is outcome
    assert looked.value(v.PROTOCOL_GREETING) == steps[0].removeprefix("S: ")


async def test_zoho_lists_capabilities_before_it_says_that_the_login_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """`* CAPABILITY` between LOGIN and its OK is no answer to anything, and spoils none."""
    steps = [
        "S: * OK svwall.zoho.com IMAP4 Server (Zoho Mail IMAP4rev1 Server version 1.0)",
        "C: A1 CAPABILITY",
        "S: * CAPABILITY IMAP4rev1 UNSELECT CHILDREN XLIST NAMESPACE IDLE",
        "S: A1 OK CAPABILITY completed",
        "C: A2 LOGIN*",
        "S: * CAPABILITY IMAP4rev1 UNSELECT CHILDREN XLIST NAMESPACE IDLE MOVE ID SASL-IR",
        "S: A2 OK Success",
        "C: A3 EXAMINE INBOX",
        "S: * 3 EXISTS",
        "S: A3 OK Success",
        "C: A0 LOGOUT",
    ]
    attempt, _ = await scripted("imaps", steps, monkeypatch)
    assert learnt(attempt)["auth.accepted"] is True


async def test_icloud_is_signed_in_to_by_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """iCloud was seen to refuse AUTHENTICATE PLAIN, which it offers, and to take LOGIN: LOGIN is what is tried."""
    steps = [
        "S: * OK [CAPABILITY st11p00mm-iscream009 1Q49 XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR AUTH=ATOKEN AUTH=PLAIN] iSCREAM ready to rumble",
        "C: A1 CAPABILITY",
        "S: * CAPABILITY XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR AUTH=ATOKEN AUTH=PLAIN NAMESPACE",
        "S: A1 OK !!",
        "C: A2 LOGIN*",
        "S: A2 OK user logged in",
        "C: A3 EXAMINE INBOX",
        "S: * 3 EXISTS",
        "S: A3 OK !!",
        "C: A0 LOGOUT",
    ]
    attempt, _ = await scripted("imaps", steps, monkeypatch)
    assert (learnt(attempt)["auth.accepted"], learnt(attempt)["auth.mechanism"]) == (True, "LOGIN")
