"""The tasks for Windows are such as Task Scheduler takes, and call commands that exist. No Windows is asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import etree

from tests.config_files.folder import CONFIG, assert_command

_FOLDER = CONFIG / "windows"
_TASKS = sorted(_FOLDER.glob("*.xml"))
_SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).with_name("task.xsd")))
_NAMES = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}


def _text(task: Path, path: str) -> str:
    """The text of the one element of a task at a path."""
    (found,) = etree.parse(task).findall(path, _NAMES)
    return str(found.text)


@pytest.mark.parametrize("task", _TASKS, ids=lambda task: task.name)
def test_a_task_is_valid_by_task_schedulers_schema(task: Path) -> None:
    """A task has the elements of Task Scheduler's schema alone, with their values, in the order that it asks for."""
    _SCHEMA.assertValid(etree.parse(task))


@pytest.mark.parametrize("task", _TASKS, ids=lambda task: task.name)
def test_a_task_is_a_text_and_a_file_at_once(task: Path) -> None:
    """A task is ASCII and names no encoding: as a text of UTF-16, as PowerShell hands it over, and as a file it is read as the same."""
    text = task.read_bytes().decode("ascii")
    assert text.startswith('<?xml version="1.0"?>')
    assert etree.tostring(etree.fromstring(text.encode("utf-16"))) == etree.tostring(etree.fromstring(text.encode()))


@pytest.mark.parametrize("task", _TASKS, ids=lambda task: task.name)
def test_a_task_calls_a_command_that_exists(task: Path, tmp_path: Path) -> None:
    """The command of a task is taken by the command line with its options."""
    assert_command(_text(task, "t:Actions/t:Exec/t:Arguments").replace("C:\\ProgramData\\probe\\", f"{tmp_path}/").split())


@pytest.mark.parametrize("task", _TASKS, ids=lambda task: task.name)
def test_a_task_runs_once_at_a_time_without_a_privilege_or_a_password(task: Path) -> None:
    """A task runs as a managed account, which has no password to write down, with its least privileges, and never beside itself."""
    assert _text(task, "t:Principals/t:Principal/t:UserId").endswith("$")
    assert _text(task, "t:Principals/t:Principal/t:RunLevel") == "LeastPrivilege"
    assert _text(task, "t:Settings/t:MultipleInstancesPolicy") == "IgnoreNew"


def test_a_check_ends_before_task_scheduler_would_end_it() -> None:
    """The deadline of the check is shorter than the time after which Task Scheduler kills it, so that the report is written."""
    task = _FOLDER / "probe-check.xml"
    (minutes,) = re.findall(r"PT(\d+)M", _text(task, "t:Settings/t:ExecutionTimeLimit"))
    (deadline,) = re.findall(r"--deadline (\d+)", _text(task, "t:Actions/t:Exec/t:Arguments"))
    assert int(deadline) < int(minutes) * 60


def test_the_page_names_files_that_exist() -> None:
    """Each file beside the page that its commands name is there."""
    named = set(re.findall(r"\.\\([\w-]+\.(?:ps1|xml))", (_FOLDER / "README.md").read_text(encoding="utf-8")))
    assert {path.name for path in (*_TASKS, *_FOLDER.glob("*.ps1"))} >= named >= {"make-state-folder.ps1"}
