"""Tests of `probe alert` as a user runs it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from probe.alerts import Alerts, Delivered, DeliveryEnding
from probe.alerts.wording import Message
from probe.app import now
from probe.memory.folder import Folder
from tests.alerts.peers import https_target
from tests.alerts.scripted import World, condition
from tests.command import probe
from tests.looking import authority
from tests.outlook.estates import HEAD, MAILBOX

_SECRET = "s3cret-of-the-hook"


def _estate(folder: Path, alerts: str) -> None:
    (folder / "estate.toml").write_text(HEAD + MAILBOX + alerts)


def test_a_test_reaches_every_target_and_says_how_it_ended(tmp_path: Path) -> None:
    """`probe alert test` sends a marked message to each target, names each by its reference, and exits 1 where one did not take it. Standard error is one of them."""
    _estate(tmp_path, f'[alerts]\nto = ["env:HOOK", "file:{tmp_path}/other", "env:CLEAR"]\n')
    with https_target(answers=lambda request: (404, {}, b"") if "no" in request.path else (200, {}, b"")) as target:
        (tmp_path / "other").write_text(f"jsons://localhost:{target.port}/no/{_SECRET}\n")
        urls = {"HOOK": f"jsons://localhost:{target.port}/{_SECRET}", "CLEAR": f"json://localhost/{_SECRET}"}
        done = probe("alert", "test", "estate.toml", "--ca", str(authority().ca_file), cwd=tmp_path, **urls)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "TAKEN      env:HOOK",
        f"REFUSED    file:{tmp_path}/other: it answered with HTTP status 404",
        "REFUSED    env:CLEAR: json:// goes in clear; use jsons://",
        "TAKEN      standard-error",
    ]
    assert "Nothing has happened." in done.stderr
    assert "[TEST]" in target.texts
    assert "Nothing has happened." in target.texts
    assert _SECRET not in done.stdout + done.stderr


def test_a_test_that_everybody_takes_exits_0(tmp_path: Path) -> None:
    """Where every target took the test the exit code is 0, also as JSON."""
    _estate(tmp_path, '[alerts]\nto = ["env:HOOK"]\n')
    with https_target() as target:
        url = f"jsons://localhost:{target.port}/{_SECRET}"
        done = probe("alert", "test", "estate.toml", "--json", "--ca", str(authority().ca_file), cwd=tmp_path, HOOK=url)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "schema": "probe.alerts/1",
        "tested": [{"target": name, "taken": True, "ending": "taken", "why": ""} for name in ("env:HOOK", "standard-error")],
    }


def test_where_the_log_is_json_the_test_is_a_line_of_it(tmp_path: Path) -> None:
    """Standard error is one of the targets: with `--log-format json` the alert there is one object, as every line of the log."""
    _estate(tmp_path, '[alerts]\nto = ["env:HOOK"]\n')
    done = probe("alert", "test", "estate.toml", "--log-format", "json", cwd=tmp_path, HOOK="json://localhost/")
    (line,) = map(json.loads, done.stderr.splitlines())
    assert (line["level"], line["logger"], line["severity"]) == ("info", "probe.alerts", "information")
    assert line["message"] == "[TEST] contoso-crm: test of an alert target"
    assert line["at"].endswith("Z")


def test_an_estate_without_targets_is_a_usage_error(tmp_path: Path) -> None:
    """An estate that names no target cannot be tested."""
    _estate(tmp_path, "")
    done = probe("alert", "test", "estate.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert "names no target" in done.stderr


async def _refused(target: str, message: Message, event: str, is_repetition: bool) -> Delivered:
    return Delivered(DeliveryEnding.NOT_TAKEN, "no connection to it")


@pytest.fixture
def state(tmp_path: Path) -> str:
    """A state folder with one incident, whose alert was not delivered."""
    folder = tmp_path / "state"
    alerts = Alerts(Folder(folder), "contoso-crm", _refused, World(tmp_path / "unused").telling)
    alerts.settle([condition("mail.contoso.test refuses\x1b[31m", mailboxes=("a@contoso.test",), words="421 \x1b]0;x")], now())
    asyncio.run(alerts.deliver(now()))
    return str(folder)


def test_what_is_open_and_what_was_not_delivered_is_listed(state: str) -> None:
    """`probe alert list` shows open incidents with their ids, and alerts that were not delivered with the reason; escapes are shown as such."""
    done = probe("alert", "list", PROBE_STATE_DIR=state)
    assert done.returncode == 0, done.stderr
    first, second, third = done.stdout.splitlines()
    assert first == "1    CRITICAL    mail.contoso.test refuses\\x1b[31m"
    assert second.startswith("     contoso-crm, open, since ")
    assert second.endswith(", 1 mailbox")
    assert third == "WAITING    env:A: [CRITICAL] contoso-crm: mail.contoso.test refuses\\x1b[31m; tried 1 time: no connection to it"
    form = json.loads(probe("alert", "list", "--json", PROBE_STATE_DIR=state).stdout)
    assert [(one["id"], one["severity"], one["mailboxes"], one["acknowledged"]) for one in form["incidents"]] == [(1, "critical", 1, None)]
    assert all(one["since"].endswith("Z") for one in form["incidents"]), "as every time in a document"
    assert [(one["target"], one["state"], one["why"]) for one in form["undelivered"]] == [("env:A", "waiting", "no connection to it")]


def test_an_incident_is_acknowledged_by_its_id(state: str) -> None:
    """`probe alert ack ID` acknowledges an open incident; another id is a usage error."""
    assert probe("alert", "ack", "1", PROBE_STATE_DIR=state).returncode == 0
    assert "contoso-crm, acknowledged, since" in probe("alert", "list", PROBE_STATE_DIR=state).stdout
    for wrong in ("2", "0", "x"):
        assert probe("alert", "ack", wrong, PROBE_STATE_DIR=state).returncode == 2


def test_nothing_to_list_is_said(tmp_path: Path) -> None:
    """Where no incident is open, `probe alert list` says so on standard error and exits 0."""
    done = probe("alert", "list", PROBE_STATE_DIR=str(tmp_path / "state"))
    assert (done.returncode, done.stdout) == (0, "")
    assert "no incident is open" in done.stderr
