"""`probe serve` as a user has it: a process over real sockets, whose servers come, go and change."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from probe import app
from probe.config import load_estate
from probe.history.storage import DATABASE
from probe.memory import Folder
from probe.service import CannotServe, serve
from probe.simulation import pop3
from probe.simulation import smtp as smtp_simulated
from probe.simulation.pop3 import Pop3Server
from probe.simulation.smtp import SmtpServer
from probe.web.tokens import Tokens, TokenScope
from tests.command import probe
from tests.hostile import Hostile
from tests.looking import server_context
from tests.service.accounts import ADDRESS, ESTATE, PASSWORD
from tests.service.serving import GOING_DOWN, INTERVAL, OTHER_MECHANISMS, Serving, estate_text, logged, settings_of, until, watching


@pytest.fixture
async def serving(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Serving]:
    """A service of one mailbox with two servers, once both were looked at."""
    async with watching(tmp_path, caplog) as one:
        yield one


async def test_a_server_that_goes_and_comes_back_is_told_of_once_each(serving: Serving) -> None:
    """A server that stops answering is told of once, and once when it answers again; what it hides meanwhile is not told as over."""
    serving.pop.personality = GOING_DOWN
    await serving.hears(("began", f"pop3://localhost:{serving.pop.port}"))
    serving.pop.personality = pop3.DOVECOT
    await serving.hears(("recovered", f"pop3://localhost:{serving.pop.port}"))


async def test_a_certificate_that_is_replaced_is_told_of_once(serving: Serving) -> None:
    """A certificate that is replaced by an expired one is told of once, as what it means for the mailbox."""
    serving.smtp.tls = server_context("expired")
    await serving.hears(("began", f"smtp://localhost:{serving.smtp.port}"))


async def test_another_mechanism_is_drift(serving: Serving) -> None:
    """Another mechanism that a server offers is told once, and nothing else is."""
    serving.smtp.personality = OTHER_MECHANISMS
    await serving.hears(("notice", f"smtp://localhost:{serving.smtp.port}"))


async def test_a_changed_estate_is_taken_up_and_a_wrong_one_refused(serving: Serving, caplog: pytest.LogCaptureFixture) -> None:
    """An estate that changes is taken up without anything being told anew; one with a mistake is refused with its message, and the old one stays."""
    text = serving.file.read_text()
    serving.file.write_text(text.replace("sales@", "orders@"))
    await logged(caplog, "the estate is taken up")
    serving.file.write_text(text.replace("server-side", "sideways", 1))
    serving.reload.set()
    await logged(caplog, "the estate is not taken up")
    await serving.hears()


async def test_a_second_service_on_the_same_folder_does_not_start(serving: Serving, tmp_path: Path) -> None:
    """A second service on the same state folder does not start, and says why."""
    with pytest.raises(CannotServe, match="another `probe serve` uses"):
        await serve(settings_of(tmp_path, serving.file), load_estate(serving.file), asyncio.Event(), asyncio.Event())


async def test_programs_are_answered_out_of_what_is_known(serving: Serving) -> None:
    """The API tells the state that the schedule keeps: mailboxes, endpoints, changes; and it is ready."""
    status, ready = await serving.asks("/readyz")
    assert (status, ready) == (200, {"status": "ready", "detail": "2 endpoints and 1 mailbox are watched"})
    _, mailboxes = await serving.asks("/v1/mailboxes")
    assert [(one["mailbox"], one["support"], one["readiness"]) for one in mailboxes["mailboxes"]] == [
        ("sales@contoso.test", "unsupported", "ready")
    ]
    status, endpoints = await serving.asks("/v1/endpoints")
    assert {one["subject"] for one in endpoints["endpoints"]} == {
        f"pop3://localhost:{serving.pop.port}",
        f"smtp://localhost:{serving.smtp.port}",
    }
    _, metrics = await serving.asks("/metrics")
    assert f'probe_endpoint_up{{endpoint="pop3://localhost:{serving.pop.port}"}} 1.0' in metrics


async def test_a_check_that_somebody_asks_for_is_held_now_and_kept_as_a_run(serving: Serving) -> None:
    """A check by the API looks at the mailbox's endpoints now; its run is kept, and can be read as a document."""
    token = Tokens(Folder(serving.folder / "state")).create("pipeline", TokenScope.CHECK, app.now())
    before = serving.pop.connections
    status, done = await serving.asks("/v1/checks", {"mailbox": "sales@contoso.test"}, token)
    assert status == 200, done
    assert serving.pop.connections > before
    status, run = await serving.asks(f"/v1/runs/{done['id']}")
    assert (status, run["schema"], [one["mailbox"] for one in run["assessments"]]) == (200, "probe.run/2", ["sales@contoso.test"])


async def test_a_server_that_fails_while_somebody_asks_is_looked_at_twice_at_once(serving: Serving) -> None:
    """Who asks for a check of a server that has just failed is told so, since a second look follows at once."""
    token = Tokens(Folder(serving.folder / "state")).create("pipeline", TokenScope.CHECK, app.now())
    serving.pop.personality = GOING_DOWN
    status, done = await serving.asks("/v1/checks", {"mailbox": "sales@contoso.test"}, token)
    _, run = await serving.asks(f"/v1/runs/{done['id']}")
    assert (status, run["assessments"][0]["readiness"]) == (200, "undetermined")


async def test_who_waits_for_a_check_is_told_what_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """How many conversations have ended and which has not, of a server that says nothing; so is whoever asks for the same meanwhile."""
    async with Hostile().serving() as silent, SmtpServer(smtp_simulated.POSTFIX, server_context()) as smtp:
        one = Serving(tmp_path, Pop3Server(pop3.DOVECOT, server_context()), smtp, caplog)
        one.file.write_text(estate_text(silent.port, smtp.port))
        settings, stop = settings_of(tmp_path, one.file, one.said.append), asyncio.Event()
        token = Tokens(Folder(tmp_path / "state")).create("pipeline", TokenScope.CHECK, app.now())
        async with asyncio.TaskGroup() as group:
            group.create_task(serve(settings, load_estate(one.file), stop, one.reload))
            await until(lambda: bool(one.said), 30)
            for _ in range(2):
                status, _asked = await one.asks("/v1/checks", {"mailbox": "sales@contoso.test"}, token, prefer="respond-async")
                assert status == 202
            told = f"pop3-capabilities with pop3://localhost:{silent.port} is waited for"
            for _ in range(300):
                _, page = await one.asks("/runs")
                if page.count(told) == 2:
                    break
                await asyncio.sleep(0.1)
            assert page.count(told) == 2
            assert len(re.findall(r"GOES ON</span> [1-9] of \d conversations have ended; pop3", page)) == 2
            stop.set()


async def test_who_asks_the_service_has_the_answer_of_a_sign_in_of_the_last_15_minutes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A gate by hand signs in; the API's check and gate, and the schedule's own sign-in, do not do it again, and tell the answer with its time."""
    caplog.set_level(logging.INFO, "probe")
    accounts, tls = {ADDRESS: PASSWORD}, server_context()
    async with (
        Pop3Server(pop3.DOVECOT, tls, implicit=True, accounts=accounts) as pop,
        SmtpServer(smtp_simulated.POSTFIX, tls, implicit=True, accounts=accounts) as smtp,
    ):
        one = Serving(tmp_path, pop, smtp, caplog)
        text = ESTATE.format(pop=pop.port, smtp=smtp.port, address=ADDRESS).replace("env:MAILBOX_PASSWORD", f"file:{tmp_path / 'password'}")
        one.file.write_text(text)
        (tmp_path / "password").write_text(PASSWORD)
        settings, estate, stop = settings_of(tmp_path, one.file, one.said.append), load_estate(one.file), asyncio.Event()
        by_hand = await app.gate(estate, estate.mailboxes, replace(settings.options, tls="none"))
        assert by_hand is not None
        asked_by_hand = by_hand.run.finished
        token = Tokens(Folder(tmp_path / "state")).create("pipeline", TokenScope.CHECK, app.now())
        async with asyncio.TaskGroup() as group:
            group.create_task(serve(settings, estate, stop, one.reload))
            await until(lambda: bool(one.said), 20)
            # Times are told in seconds.
            await until(lambda: app.now() > asked_by_hand + timedelta(seconds=1.1), 5)
            for path in ("/v1/checks", "/v1/gate"):
                status, done = await one.asks(path, {"mailbox": ADDRESS}, token)
                assert status == 200, done
                run = done.get("run", done)
                signed_in = [attempt for attempt in run["attempts"] if attempt["prober"] in ("pop3-login", "smtp-login")]
                assert len(signed_in) == 2
                assert all(attempt["at"] < run["started"] for attempt in signed_in), (path, run["started"], signed_in)
                assert [one["signed_in"] for one in run["assessments"]] == ["yes"]
            assert done["mailboxes"][0]["predicted"] == {"incoming": "success", "outgoing": "success", "appointments": None}
            _, detail = await one.asks(f"/v1/mailboxes/{ADDRESS}")
            at, following = (datetime.fromisoformat(detail["sign_in"][name]) for name in ("at", "next"))
            assert at <= app.now() < following
            assert following >= at + timedelta(minutes=15)
            stop.set()
        assert [*pop.logons] == [*smtp.logons] == [(ADDRESS, True)]


def test_the_day_ahead_is_shown_without_a_connection(tmp_path: Path) -> None:
    """`--dry-run` shows what a day of the schedule is and costs each server, and starts nothing."""
    (tmp_path / "estate.toml").write_text(estate_text(1, 2))
    done = probe("serve", "estate.toml", "--dry-run", cwd=tmp_path, PROBE_STATE_DIR=str(tmp_path / "state"))
    assert done.returncode == 0, done.stderr
    assert "2 endpoints, looked at, each 1s: 172,800 times" in done.stdout
    assert not (tmp_path / "state").exists()
    day = json.loads(probe("serve", "estate.toml", "--dry-run", "--json", cwd=tmp_path).stdout)
    assert (day["schema"], [one["kind"] for one in day["kinds"]]) == ("probe.day/1", ["quick"])
    assert {one["connections"] for one in day["servers"]} == {86_400}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--listen", "0.0.0.0:0"], "certificate"),
        (["--listen", "nowhere"], "is not HOST:PORT"),
        (["--certificate", "c.pem"], "a certificate wants its key"),
    ],
)
def test_a_service_that_cannot_listen_does_not_start(tmp_path: Path, arguments: list[str], message: str) -> None:
    """A service that nobody may ask safely does not start, and says why."""
    (tmp_path / "estate.toml").write_text(estate_text(1, 2))
    done = probe("serve", "estate.toml", *arguments, cwd=tmp_path, PROBE_STATE_DIR=str(tmp_path / "state"))
    assert done.returncode == 2
    assert message in done.stderr


async def test_a_history_that_cannot_be_written_for_a_while_loses_nothing(serving: Serving, caplog: pytest.LogCaptureFixture) -> None:
    """While another program holds the history, the service goes on and says so; what was found meanwhile is in the history afterwards."""
    file = serving.folder / "state" / DATABASE
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await logged(caplog, "the history cannot be written", within=40)
        serving.smtp.personality = OTHER_MECHANISMS
        before = serving.smtp.connections
        await asyncio.sleep(3 * INTERVAL)
        assert serving.smtp.connections > before
        other.execute("ROLLBACK")
    await serving.hears(("notice", f"smtp://localhost:{serving.smtp.port}"), within=40)
