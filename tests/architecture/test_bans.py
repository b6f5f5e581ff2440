"""Every ban of the house holds: ruff reports a use of each name that pyproject.toml bans, and of what else is kept to one room."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[2]
_CONFIGURATION: dict[str, Any] = tomllib.loads((_ROOT / "pyproject.toml").read_text())
_DOOR = next(c for c in _CONFIGURATION["tool"]["importlinter"]["contracts"] if c["name"] == "There is one door to the network")
_DIALS = frozenset(
    {
        *("create_connection", "create_datagram_endpoint", "create_server", "create_unix_connection", "create_unix_server"),
        *("open_connection", "open_unix_connection", "start_server", "start_unix_server"),
        *("getaddrinfo", "getnameinfo", "sock_accept", "sock_connect", "sock_recv", "sock_sendall"),
    }
)
"""Methods of asyncio and of its loops that reach the network; ruff's bans know no methods."""
_BANNED: dict[str, dict[str, str]] = _CONFIGURATION["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]


def _broken_rules(code: str, file: str) -> set[str]:
    """The codes of the rules that ruff reports for a text, were it that file."""
    finished = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=json", f"--stdin-filename={file}", "-"],
        input=code,
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.stdout, finished.stderr
    return {found["code"] for found in json.loads(finished.stdout)}


def _use(name: str) -> str:
    module = name.partition(".")[0]
    return f'"""Uses what is banned."""\n\nimport {module}\n\nused = {name}\n'


@pytest.mark.parametrize("name", _BANNED)
def test_banned_name_is_reported(name: str) -> None:
    """A banned name is reported wherever it is used in the program."""
    assert "TID251" in _broken_rules(_use(name), "probe/net/breach.py")


@pytest.mark.parametrize("name", _BANNED)
def test_ban_gives_its_reason(name: str) -> None:
    """A ban says in a whole sentence why, or what to use instead."""
    assert _BANNED[name]["msg"].endswith(".")


def test_only_one_room_has_a_clock() -> None:
    """The time of day may be read in probe/app.py, and in no other room."""
    assert "TID251" not in _broken_rules(_use("datetime.datetime.now"), "probe/app.py")
    assert "TID251" in _broken_rules(_use("datetime.datetime.now"), "probe/engine/breach.py")


def test_only_one_room_prints() -> None:
    """Printing is for probe/cli, and for no other room."""
    code = '"""Prints."""\n\nprint("said")\n'
    assert "T201" not in _broken_rules(code, "probe/cli/__init__.py")
    assert "T201" in _broken_rules(code, "probe/reports/breach.py")


def _dialling(code: str) -> set[str]:
    """Names in a text by which a loop reaches the network."""
    named = {node.attr for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Attribute)}
    return named & _DIALS


@pytest.mark.parametrize("name", sorted(_DIALS))
def test_a_loop_that_reaches_the_network_is_found(name: str) -> None:
    """However the loop is got, the method is found by its name."""
    assert _dialling(f"import asyncio\n\nasync def dial():\n    await asyncio.get_running_loop().{name}()\n") == {name}


@pytest.mark.parametrize("room", _DOOR["source_modules"])
def test_no_loop_reaches_the_network_past_the_door(room: str) -> None:
    """No room that the wall "There is one door to the network" keeps from sockets reaches the network by a loop of asyncio."""
    path = _ROOT / room.replace(".", "/")
    files = [*path.rglob("*.py"), path.with_suffix(".py")]
    found = {str(file.relative_to(_ROOT)): _dialling(file.read_text(encoding="utf-8")) for file in files if file.exists()}
    assert found
    assert {file: names for file, names in found.items() if names} == {}
