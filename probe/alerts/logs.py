"""Alerts in the logs of this machine: the Windows event log, systemd's journal, and standard error. All are written to without a reference."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from logging.handlers import NTEventLogHandler
from types import MappingProxyType

from probe.alerts.conditions import Severity
from probe.alerts.quoting import Style
from probe.alerts.targets import Log
from probe.alerts.wording import Message, body_of, title_of
from probe.model.log_lines import log_form

JOURNAL = "journal"
STANDARD_ERROR = "standard-error"
EVENT_LOG = "event-log"
EVENT_SOURCE = "probe"
"""Its name in the event log, below Application."""
MESSAGES = r"%SystemRoot%\System32\EventCreate.exe"
"""Whose table of messages the event log reads: that of Windows itself, which has a message for each id up to 1000 that is the text alone."""
EVENT_IDS: Mapping[str, int] = MappingProxyType(
    {"recovered": 100, Severity.INFORMATION: 101, Severity.WARNING: 102, Severity.CRITICAL: 103}
)
"""Event ids, by what is told: that something is over, or how much what is told matters. They stay the same in every version."""
_PRIORITIES = {Severity.CRITICAL: 3, Severity.WARNING: 4, Severity.INFORMATION: 5}
"""Syslog's priorities (RFC 5424 section 6.2.1, sd-daemon(3)): error, warning, notice."""
_LEVELS = {Severity.CRITICAL: logging.ERROR, Severity.WARNING: logging.WARNING, Severity.INFORMATION: logging.INFO}
_MOST_EVENT = 30_000
"""Characters of an event: ReportEvent takes 31,839."""
_MOST_JOURNAL = 16_000


def is_journal(environment: Mapping[str, str], descriptor: int = 2) -> bool:
    """Whether this stream goes to systemd's journal: JOURNAL_STREAM names its device and inode (systemd.exec(5))."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return environment.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def journal(write: Callable[[str], None], clock: Callable[[], datetime] | None = None) -> Log:
    """Writes each line of a message, or with a clock the whole as one line of JSON, with its priority in front. `write` takes a line without its end."""

    def log(message: Message, event: str, is_repetition: bool) -> None:
        priority = 5 if message.is_over else _PRIORITIES[message.severity]
        for line in _lines_of(message, event, clock, is_repetition=is_repetition):
            write(f"<{priority}>{line}")

    return log


def standard_error(write: Callable[[str], None], clock: Callable[[], datetime] | None = None) -> Log:
    """Writes the lines of a message as they are, or with a clock the whole as one line of JSON. `write` takes a line without its end."""

    def log(message: Message, event: str, is_repetition: bool) -> None:
        for line in _lines_of(message, event, clock, is_repetition=is_repetition):
            write(line)

    return log


def event_log() -> Log:
    """Writes each message as an event of the log Application. Windows alone has it. Raises OSError where it cannot be opened."""
    handler = _EventLogHandler()

    def log(message: Message, event: str, is_repetition: bool) -> None:
        body = body_of(message, Style.TEXT, event=event, is_repetition=is_repetition, most=_MOST_EVENT)
        level = logging.INFO if message.is_over else _LEVELS[message.severity]
        # The viewer replaces %%NUMBER by a message of Windows.
        text = f"{title_of(message, Style.TEXT)}\n{body}".replace("%%", "% %")
        record = logging.LogRecord("probe.alerts", level, "", 0, text, None, None)
        record.event_id = EVENT_IDS["recovered" if message.is_over else message.severity]
        handler.emit(record)

    return log


def logs_of_this_machine(
    environment: Mapping[str, str], write: Callable[[str], None], clock: Callable[[], datetime] | None = None
) -> dict[str, Log]:
    """The logs that alerts go to here, by name: in a terminal or a container that is standard error, for whoever looks there.

    `write` writes a line to standard error, without its end. With a clock each alert is one line of JSON there, as everything else that is logged.
    """
    found: dict[str, Log] = {}
    if is_journal(environment):
        found[JOURNAL] = journal(write, clock)
    if sys.platform == "win32":
        found[EVENT_LOG] = event_log()
    return found or {STANDARD_ERROR: standard_error(write, clock)}


class _EventLogHandler(NTEventLogHandler):
    """The standard library's handler, with our event ids, and which says that an event could not be written."""

    def __init__(self) -> None:
        try:
            import win32evtlogutil  # noqa: F401 - without it the handler prints, and does nothing
        except ImportError:
            raise OSError(0, "pywin32 is not installed") from None
        try:
            super().__init__(EVENT_SOURCE, dllname=MESSAGES)
        except Exception as failed:
            raise OSError(0, f"the source {EVENT_SOURCE} cannot be registered") from failed

    def getMessageID(self, record: logging.LogRecord) -> int:  # noqa: N802 - the standard library's name
        """The event id."""
        return int(getattr(record, "event_id"))  # noqa: B009 - no attribute of every record

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        """Raises OSError; the standard library's own prints to standard error."""
        raise OSError(0, "the event was not taken")


def _lines_of(message: Message, event: str, clock: Callable[[], datetime] | None, *, is_repetition: bool) -> list[str]:
    title = title_of(message, Style.TEXT)
    lines = body_of(message, Style.TEXT, event=event, is_repetition=is_repetition, most=_MOST_JOURNAL).splitlines()
    if clock is None:
        return [title, *lines]
    level = logging.getLevelName(logging.INFO if message.is_over else _LEVELS[message.severity]).lower()
    fields = {
        "event": event,
        "severity": message.severity.value,
        "is_over": message.is_over,
        "is_repetition": is_repetition,
        "lines": lines,
    }
    return [json.dumps(log_form(clock(), level, "probe.alerts", title, fields))]
