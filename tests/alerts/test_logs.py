"""Tests of alerts in systemd's journal and in the Windows event log."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from probe.alerts import Delivered, DeliveryEnding, TargetSender
from probe.alerts.conditions import Severity
from probe.alerts.logs import EVENT_IDS, event_log, is_journal, journal, logs_of_this_machine, standard_error
from probe.alerts.targets import Log
from probe.alerts.wording import REPETITION, Message, MessageLine, Part
from probe.net.killable import Children


def _message(severity: Severity = Severity.CRITICAL, *, is_over: bool = False, words: str = "421 bye") -> Message:
    lines = (MessageLine(Part.OURS, "The server closes.", "Cause"), MessageLine(Part.WORDS, words, "In the server's words"))
    return Message(title="[CRITICAL] contoso: down", severity=severity, is_over=is_over, lines=lines)


def test_each_line_has_its_priority() -> None:
    """Every line of an alert stands in the journal with the priority of its severity in front; words of a server make no line of their own."""
    lines: list[str] = []
    journal(lines.append)(_message(words="421 bye\n<0>panic"), "e1", False)
    assert lines == [
        "<3>[CRITICAL] contoso: down",
        "<3>Cause: The server closes.",
        "<3>In the server's words: «421 bye\\x0a<0>panic»",
        "<3>Event: e1",
    ]


@pytest.mark.parametrize(("log_of", "before"), [(standard_error, ""), (journal, "<3>")])
def test_with_a_clock_an_alert_is_one_line_of_json(log_of: Callable[..., Log], before: str) -> None:
    """Where the log is JSON, an alert is a line of it as every other: when, level, logger and message, and its own lines beside."""
    lines: list[str] = []
    log_of(lines.append, lambda: datetime(2026, 11, 30, 12, tzinfo=UTC))(_message(words="421 bye\n<0>panic"), "e1", True)
    (line,) = lines
    assert line.startswith(f"{before}{{")
    told = json.loads(line.removeprefix(before))
    assert list(told)[:4] == ["at", "level", "logger", "message"]
    assert (told["at"], told["level"], told["logger"]) == ("2026-11-30T12:00:00.000Z", "error", "probe.alerts")
    assert told["message"] == "[CRITICAL] contoso: down"
    assert (told["event"], told["severity"], told["is_over"], told["is_repetition"]) == ("e1", "critical", False, True)
    assert told["lines"] == [REPETITION, "Cause: The server closes.", "In the server's words: «421 bye\\x0a<0>panic»", "Event: e1"]


@pytest.mark.parametrize(
    ("severity", "is_over", "priority"),
    [(Severity.CRITICAL, False, 3), (Severity.WARNING, False, 4), (Severity.INFORMATION, False, 5), (Severity.CRITICAL, True, 5)],
)
def test_the_priority_is_that_of_the_severity(severity: Severity, is_over: bool, priority: int) -> None:
    """What is critical is an error, a warning a warning, everything else, and what is over, a notice."""
    lines: list[str] = []
    journal(lines.append)(_message(severity, is_over=is_over), "e1", False)
    assert all(line.startswith(f"<{priority}>") for line in lines)


def test_the_journal_is_known_by_its_stream(tmp_path: Path) -> None:
    """A stream is the journal where JOURNAL_STREAM names its device and inode, as systemd sets it; a service's child that is redirected is not fooled."""
    with (tmp_path / "stream").open("w") as stream:
        found = os.fstat(stream.fileno())
        assert is_journal({"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}, stream.fileno())
        assert not is_journal({"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino + 1}"}, stream.fileno())
        assert not is_journal({}, stream.fileno())
    assert list(logs_of_this_machine({}, print)) == ["standard-error"]
    errors = os.fstat(2)
    assert list(logs_of_this_machine({"JOURNAL_STREAM": f"{errors.st_dev}:{errors.st_ino}"}, print)) == ["journal"]
    assert not is_journal({"JOURNAL_STREAM": "1:1"}, 10_000)


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the event log was told, by a stand-in of pywin32, which exists on Windows alone. The first entry is the source as it was registered."""
    told: list[tuple[Any, ...]] = []
    utility, log = ModuleType("win32evtlogutil"), ModuleType("win32evtlog")
    utility.AddSourceToRegistry = lambda *source: told.append(source)  # type: ignore[attr-defined]
    utility.ReportEvent = lambda *event: told.append(event)  # type: ignore[attr-defined]
    for number, name in enumerate(("ERROR", "WARNING", "INFORMATION")):
        setattr(log, f"EVENTLOG_{name}_TYPE", 2**number)
    monkeypatch.setitem(sys.modules, "win32evtlogutil", utility)
    monkeypatch.setitem(sys.modules, "win32evtlog", log)
    return told


@pytest.mark.parametrize(
    ("severity", "is_over", "number", "kind"),
    [
        (Severity.CRITICAL, False, 103, 1),
        (Severity.WARNING, False, 102, 2),
        (Severity.INFORMATION, False, 101, 4),
        (Severity.WARNING, True, 100, 4),
    ],
)
def test_an_event_has_its_documented_id(reported: list[tuple[Any, ...]], severity: Severity, is_over: bool, number: int, kind: int) -> None:
    """Each alert is one event of the source `probe`, with the id that the contract names, a type by severity, and its whole text."""
    event_log()(_message(severity, is_over=is_over, words="%%4711 %1"), "e1", False)
    source, event = reported
    assert source == ("probe", r"%SystemRoot%\System32\EventCreate.exe", "Application")
    name, event_id, _, event_type, (text,) = event
    assert (name, event_id, event_type) == ("probe", number, kind)
    assert text.startswith("[CRITICAL] contoso: down\nCause: The server closes.\n")
    assert "%%" not in text
    assert number in EVENT_IDS.values()


def test_the_event_ids_stand_in_the_contract() -> None:
    """Every event id is documented in CONTRACT.md, and lies where Windows has a message for it."""
    contract = (Path(__file__).parents[2] / "probe" / "CONTRACT.md").read_text()
    for number in EVENT_IDS.values():
        assert 1 <= number <= 1000
        assert f"| {number} |" in contract


def test_an_event_that_is_not_taken_is_said(reported: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Windows does not take an event, that is an error and nothing is printed."""
    log = event_log()
    monkeypatch.delattr(sys.modules["win32evtlogutil"], "ReportEvent")
    with pytest.raises(OSError, match="not taken"):
        log(_message(), "e1", False)


def test_without_pywin32_there_is_no_event_log() -> None:
    """Where pywin32 is missing, that is said, in place of an event log that drops everything."""
    with pytest.raises(OSError, match="pywin32"):
        event_log()


async def test_a_log_is_a_target_by_its_name() -> None:
    """An alert is delivered to a log of this machine under the log's name; where it cannot be written to, it is tried again."""
    lines: list[str] = []

    def broken(line: str) -> None:
        raise OSError(5, "Input/output error")

    logs = {"journal": journal(lines.append), "broken": journal(broken)}
    async with Children(1) as children:
        sender = TargetSender(children, logs=logs)
        assert sender.logs == ("journal", "broken")
        assert await sender.send("journal", _message(), "e1", False) == Delivered(DeliveryEnding.TAKEN)
        ended = await sender.send("broken", _message(), "e1", False)
    assert (ended.ending, ended.why) == (DeliveryEnding.NOT_TAKEN, "it cannot be written to: Input/output error")
    assert lines[0] == "<3>[CRITICAL] contoso: down"
