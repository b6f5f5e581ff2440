"""`probe serve` as a process over servers that come, go and change: each change is told once, with its cause, within two intervals, and nothing else.

Time is counted in the looks that the servers see, so that a busy machine makes nothing late.
"""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from probe.simulation import pop3, smtp
from tests.alerts.peers import HttpsTarget, https_target
from tests.looking import server_context
from tests.service.hooks import Told, Wanted, serving, told_by, until
from tests.service.seen import UNLISTED, Seen, SeenPop3, SeenSmtp, certificate, estate_text, unlisted, url_of

LOOKS = 3
"""That a server may see until a change is told: the one that finds it, the one that confirms it, and one that begins while that is written down. From the
first to the third are two intervals."""
EXPIRED = "Certificate expired or not valid yet"


@dataclass(frozen=True)
class Change:
    """What is to be told of a change, when that came, and the server whose looks count."""

    wanted: Wanted
    at: float
    seen_by: Seen


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM")
async def test_each_change_is_told_once_with_its_cause_within_two_intervals(tmp_path: Path) -> None:
    """Servers go, come back, come for the first time, and change certificate, greeting and mechanisms: that is told, and nothing that did not happen."""
    dovecot = [SeenPop3(pop3.DOVECOT) for _ in range(3)]
    postfix = [SeenSmtp(smtp.POSTFIX) for _ in range(3)]
    going, offering, steady = dovecot
    renewing, expiring, coming = postfix
    changes: list[Change] = []

    async def change(server: Seen, do: Callable[[], None], *words: str, mark: str, about: str = "", seen_by: Seen | None = None) -> None:
        at = await server.change(do)
        changes.append(Change(Wanted(mark, about or url_of(server), words), at, seen_by or server))

    async with going, offering, steady, renewing, expiring, coming:
        with https_target() as target:
            await coming.go()
            (tmp_path / "hook").write_text(f"jsons://localhost:{target.port}/")
            (tmp_path / "estate.toml").write_text(estate_text(tmp_path / "hook", (going, renewing), (offering, expiring), (steady, coming)))
            async with serving(tmp_path) as process:
                first = [unlisted("p0"), unlisted("p1"), Wanted("CRITICAL", url_of(coming), ("Cause: Endpoint cannot be connected to",))]
                await _told(target, len(first))

                await going.go()
                await change(going, lambda: None, "Cause: the server refused the connection", mark="WARNING", seen_by=steady)
                renewed = "certificate.not_after changed", f"to {datetime.now(UTC) + timedelta(days=200):%Y-%m-%d}"
                await change(renewing, lambda: setattr(renewing, "tls", certificate(200)), *renewed, mark="INFORMATION")
                await change(expiring, lambda: setattr(expiring, "tls", server_context("expired")), f"Cause: {EXPIRED}", mark="CRITICAL")
                other = tuple("SASL PLAIN" if "SASL" in line else line for line in pop3.DOVECOT.capabilities_secure)
                fewer = replace(pop3.DOVECOT, capabilities_secure=other)
                await change(
                    offering,
                    lambda: setattr(offering, "personality", fewer),
                    "auth.mechanisms changed",
                    "from USER, PLAIN, LOGIN",
                    "to USER, PLAIN (",
                    mark="INFORMATION",
                )
                # What a server says of itself otherwise each time is no change.
                noise = replace(pop3.DOVECOT, greeting="+OK Dovecot (Debian) ready. [17a4.3c1]")
                await steady.change(lambda: setattr(steady, "personality", noise))
                await _told(target, len(first) + len(changes))

                await going.come()
                await change(going, lambda: None, mark="RECOVERED")
                await change(expiring, lambda: setattr(expiring, "tls", certificate(250)), mark="RECOVERED")
                exim = replace(smtp.POSTFIX, greeting="220 mail.fabrikam.test ESMTP Exim 4.96 Mon, 30 Nov 2026 12:00:00 +0000")
                await change(renewing, lambda: setattr(renewing, "personality", exim), "Exim", mark="INFORMATION")
                await coming.come()
                await change(coming, lambda: None, mark="RECOVERED")
                await change(coming, lambda: None, "Server profiles: p2", mark="WARNING", about=UNLISTED)
                await _told(target, len(first) + len(changes))

                seen = {server: len(server.looks) for server in (*dovecot, *postfix)}
                await until(lambda: all(len(server.looks) >= before + LOOKS for server, before in seen.items()))
                process.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(process.wait(), 40) == 0
            told = told_by(target)
    _assert_told(first, changes, told, tmp_path / "state" / "alerts.sqlite")


async def _told(target: HttpsTarget, count: int) -> None:
    """Wait until so much was told."""
    try:
        await until(lambda: len(told_by(target)) >= count)
    except TimeoutError:
        raise AssertionError([one.title for one in told_by(target)]) from None


def _assert_told(first: list[Wanted], changes: list[Change], told: list[Told], book: Path) -> None:
    """What was told is what stood at the beginning and the changes, one for one, each in time."""
    with closing(sqlite3.connect(book)) as database:
        at = {event: datetime.fromisoformat(moment).timestamp() for event, moment in database.execute("SELECT id, at FROM event")}
    assert len(at) == len(told)
    left = list(told)
    for wanted in (*first, *(change.wanted for change in changes)):
        assert sum(map(wanted.is_told_by, left)) == 1, (wanted, left)
        left = [one for one in left if not wanted.is_told_by(one)]
    assert left == []
    for change in changes:
        (event,) = [one.event for one in told if change.wanted.is_told_by(one)]
        assert change.at < at[event]
        looks = [look for look in change.seen_by.looks if change.at < look < at[event]]
        assert len(looks) <= LOOKS, (change.wanted, looks)
