"""Tests of HELP and of taking leave: words on which nothing depends, and by which a hidden server may be known."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.keys import FactKey
from tests.looking import look, playing

HIDDEN = ["S: 220 mail.example.test ESMTP", "C: EHLO *", "S: 250 mail.example.test"]


@pytest.mark.parametrize(
    ("scheme", "steps", "key", "said", "product"),
    [
        ("smtps", [*HIDDEN, "C: HELP", "S: 214-2.0.0 This is sendmail version 8.17.1.9", "S: 214 2.0.0 End of HELP info", "C: QUIT"],
         v.SMTP_HELP, "214-2.0.0 This is sendmail version 8.17.1.9\n214 2.0.0 End of HELP info", "Sendmail"),
        ("smtps", [*HIDDEN, "C: HELP", "S: 502 5.5.2 Error: command not recognized", "C: QUIT"],
         v.SMTP_HELP, "502 5.5.2 Error: command not recognized", "Postfix"),
        ("smtps", [*HIDDEN, "C: HELP", "S: 214 no help", "C: QUIT", "S: 221 mail closing connection. Have a jolly good day."],
         v.PROTOCOL_FAREWELL, "221 mail closing connection. Have a jolly good day.", "Haraka"),
        ("pop3s", ["S: +OK hi", "C: CAPA", "S: +OK", "S: USER", "S: .", "C: QUIT", "S: +OK Better luck next time."],
         v.PROTOCOL_FAREWELL, "+OK Better luck next time.", "Courier"),
        ("imaps", ["S: * OK hi", "C: * CAPABILITY", "S: * CAPABILITY IMAP4rev1", "S: a1 OK done", "C: * ID NIL", "S: a2 BAD what", "C: * LOGOUT",
                   "S: * BYE Logging out", "S: a3 OK Logout completed (0.001 + 0.000 secs)."],
         v.PROTOCOL_FAREWELL, "* BYE Logging out\na3 OK Logout completed (0.001 + 0.000 secs).", "Dovecot"),
    ],
)  # fmt: skip
async def test_a_hidden_server_is_known_by_its_last_words(
    scheme: str, steps: list[str], key: FactKey[str], said: str, product: str
) -> None:
    """Help, its refusal, and the farewell are kept as said, and their wording names the product where the greeting does not."""
    async with playing(steps, implicit=True) as server:
        looked = await look(f"{scheme}://localhost:{server.port}")
    assert server.departures == []
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(key) == said
    assert looked.value(v.SERVER_PRODUCT) == product


async def test_help_is_not_asked_of_a_server_that_names_itself() -> None:
    """A greeting that is a product's mark leaves nothing to ask."""
    async with playing(["S: 220 mail ESMTP Postfix", "C: EHLO *", "S: 250 mail", "C: QUIT", "S: 221 2.0.0 Bye"], implicit=True) as server:
        looked = await look(f"smtps://localhost:{server.port}")
    assert server.departures == []
    assert looked.why(v.SMTP_HELP) == "not-applicable"
    assert looked.value(v.PROTOCOL_FAREWELL) == "221 2.0.0 Bye"


@pytest.mark.parametrize(
    ("scheme", "before", "key"),
    [
        ("smtps", [*HIDDEN, "C: HELP"], v.SMTP_HELP),
        ("pop3s", ["S: +OK hi", "C: CAPA", "S: +OK", "S: .", "C: QUIT"], v.PROTOCOL_FAREWELL),
        ("imaps", ["S: * OK hi", "C: *", "S: * CAPABILITY IMAP4rev1", "S: a1 OK", "C: *", "S: a2 BAD", "C: *"], v.PROTOCOL_FAREWELL),
    ],
)
@pytest.mark.parametrize(
    "after", [[], ["C: something that never comes"], ["S~ garbage without an end", "C: never"]], ids=["closes", "silent", "unfinished"]
)
async def test_last_words_that_do_not_come_spoil_nothing(scheme: str, before: list[str], key: FactKey[str], after: list[str]) -> None:
    """A server that hangs up, falls silent or ends in the middle of a line where nothing depends on it leaves a completed attempt, and a gap."""
    async with playing([*before, *after], implicit=True) as server:
        looked = await look(f"{scheme}://localhost:{server.port}")
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.why(key) == "not-disclosed"
