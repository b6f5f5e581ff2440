"""How the history is told to people and programs."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from probe.history import History, HistoryChange, Interval, judgement, open_history
from probe.history.telling import change_as_json, drift_lines, interval_as_json, interval_lines
from probe.memory.folder import Folder
from probe.model import vocabulary as v
from probe.model.estate import Secret
from probe.model.rules import Readiness, Result, Support
from tests.history.looks import look, minutes, product, unanswered
from tests.runs import OLD_PRODUCT, POP, TOO_OLD, a_finding, an_assessment

THEN = datetime(2026, 11, 1, tzinfo=UTC)


async def filled(history: History) -> tuple[HistoryChange, ...]:
    """A server that became another and went away, and a mailbox that lost its support."""
    await history.record([look(0, *product())])
    await history.record([look(5, *product("Cyrus IMAP", "+OK Cyrus POP3 ready"))])
    await history.record([unanswered(10, v.PROTOCOL_GREETING, v.SERVER_PRODUCT)])
    good = an_assessment("info@contoso.test", Support.SUPPORTED, Readiness.READY)
    bad = an_assessment("info@contoso.test", Support.UNSUPPORTED, Readiness.READY, a_finding(TOO_OLD, Result.FAILS, OLD_PRODUCT))
    await history.record([judgement(good, minutes(11)), judgement(bad, minutes(12))])
    return await history.changes()


async def test_drift_is_told_with_both_values_and_the_words_off_the_wire(place: Folder | Secret) -> None:
    """The newest stands first; parts of one assessment have their reasons once."""
    async with open_history(place, "contoso") as history:
        lines = list(drift_lines(await filled(history), THEN))
    assert lines == [
        "2026-11-01 00:12 UTC  info@contoso.test",
        "  support",
        "    from  supported   (last seen 2026-11-01 00:11 UTC)",
        "    to    unsupported",
        "          exchange-2003-or-2007",
        "            https://mail.contoso.test:443/EWS/Exchange.asmx: server.product is Exchange Server 2007",
        '              "X-OWA-Version: 8.3.485.1"',
        "",
        "  rules that fail",
        "    from  none   (last seen 2026-11-01 00:11 UTC)",
        "    to    exchange-2003-or-2007",
        "",
        "2026-11-01 00:10 UTC  pop3s://pop.branch.test:995",
        "  how pop3-capabilities ends",
        "    from  completed   (last seen 2026-11-01 00:05 UTC)",
        "    to    timed-out (it went wrong)",
        '          "+OK Dovecot ready."',
        "",
        "2026-11-01 00:05 UTC  pop3s://pop.branch.test:995",
        "  server.product",
        "    from  Dovecot (inferred)   (last seen 2026-11-01 00:00 UTC)",
        '          "+OK Dovecot ready."',
        "    to    Cyrus IMAP (inferred)",
        '          "+OK Cyrus POP3 ready"',
        "",
        "4 changes since 2026-11-01 00:00 UTC",
    ]


async def test_a_change_is_published_with_its_times(place: Folder | Secret) -> None:
    """Programs get both values, when each was seen, and the words."""
    async with open_history(place, "contoso") as history:
        (change,) = [one for one in await filled(history) if one.key == "server.product"]
    form = change_as_json(change)
    assert isinstance(form.pop("id"), int)
    assert form == {
        "at": "2026-11-01T00:05:00Z",
        "last_seen_before": "2026-11-01T00:00:00Z",
        "subject": POP,
        "mailbox": None,
        "key": "server.product",
        "before": {"value": "Dovecot", "basis": "inferred", "inference": "greeting-product", "words": ["+OK Dovecot ready."]},
        "after": {"value": "Cyrus IMAP", "basis": "inferred", "inference": "greeting-product", "words": ["+OK Cyrus POP3 ready"]},
    }


async def test_what_a_server_says_cannot_pose_as_a_line_of_ours(place: Folder | Secret) -> None:
    """Line ends in a server's words stay within the JSON, and no line of the text begins with them."""
    evil = "+OK\n2026-11-01 00:00 UTC  pop3s://pop.branch.test:995\x1b[2J"
    async with open_history(place, "contoso") as history:
        await history.record([look(0, *product(greeting=evil))])
        (greeting,) = [one for one in await history.intervals() if one.key == "protocol.greeting"]
    assert json.loads(json.dumps(interval_as_json(greeting)))["value"].startswith("+OK\n")
    assert "\x1b" not in str(interval_as_json(greeting))
    for line in interval_lines([greeting]):
        assert not re.search(r"\n", line)


def test_keys_of_which_nothing_is_to_be_known_are_counted() -> None:
    """What was not asked, or does not arise, is no line of its own."""
    one = Interval(
        id=1, subject=POP, mailbox=None, key="tls.suites", form={"why": "not-attempted", "detail": ""},
        first_seen=THEN, last_seen=THEN, is_open=True,
    )  # fmt: skip
    assert list(interval_lines([one])) == [POP, "  of 1 other key nothing was asked or is to be known; --json has them", ""]
