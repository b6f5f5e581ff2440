"""Every wall of the house stands: import-linter reports a deliberate breach of each contract, and none in the code as it is.

The breaches are made in a house of stubs, whose rooms are those that pyproject.toml names; so they prove the contracts,
whatever the code happens to import today.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[2]
_CONFIGURATION: dict[str, Any] = tomllib.loads((_ROOT / "pyproject.toml").read_text())
_CONTRACTS: dict[str, dict[str, Any]] = {contract["name"]: contract for contract in _CONFIGURATION["tool"]["importlinter"]["contracts"]}
_CATALOGUE_FOLDERS = ("probers", "inferences", "rules.on_premises", "reports")

Breach = tuple[str, str]
"""The module that imports, and what it imports."""


def _layers(container: str) -> list[str]:
    """The floors of a package as its contract writes them, from the top."""
    contract = next(c for c in _CONTRACTS.values() if c["type"] == "layers" and c["containers"] == [container])
    return [*contract["layers"]]


def _floors(container: str = "probe") -> list[list[str]]:
    """The rooms of each floor of a package, from the top."""
    return [re.findall(r"\w+", floor) for floor in _layers(container)]


def _upwards(container: str = "probe") -> list[Breach]:
    """From each floor an import of the floor above it, and of a neighbour on the same floor where they do not know each other."""
    floors = _floors(container)
    up = [(f"{container}.{lower[0]}", f"{container}.{upper[0]}") for upper, lower in itertools.pairwise(floors)]
    apart = [floor for floor, layer in zip(floors, _layers(container), strict=True) if ":" not in layer]
    aside = [(f"{container}.{first}", f"{container}.{second}") for floor in apart for first, second in itertools.pairwise(floor)]
    return up + aside


def _each(rooms: str, imported: str) -> list[Breach]:
    return [(f"probe.{room}", name) for room in rooms.split() for name in imported.split()]


def _all_but(*exceptions: str) -> str:
    """Every room, but for some, so that a new room is asked too. Rooms that are not built yet stand in parentheses."""
    built = [
        room for floor in _floors() for room in floor if (_ROOT / "probe" / room).exists() or (_ROOT / "probe" / f"{room}.py").exists()
    ]
    return " ".join(room for room in built if room not in exceptions)


# What each wall must stop, told again in words of their own rather than read from the contract: a contract that
# loses a room from its list is found out here.
_BREACHES: dict[str, list[Breach]] = {
    "Imports only ever point down": _upwards(),
    "Model, codecs, rules and inferences know nothing of sockets, clocks or loops": _each(
        "model wire rules inferences", "asyncio socket ssl time"
    ),
    "There is one door to the network": _each(
        _all_but("net", "simulation"), "socket ssl aioimaplib aiosmtplib apprise dns exchangelib msal requests urllib3"
    ),
    "Rules, inferences and reports see facts, never the wire": _each(
        "rules inferences reports", "probe.net probe.wire probe.probing probe.probers"
    ),
    "Probers do not know each other": [("probe.probers.one", "probe.probers.two")],
    "Rules do not know each other": [("probe.rules.on_premises.one", "probe.rules.on_premises.two")],
    "What rules share knows no rule": _upwards("probe.rules"),
    "What pages and API share knows no page": _upwards("probe.web"),
    "Inferences do not know each other": [("probe.inferences.one", "probe.inferences.two")],
    "Reports do not know each other": [("probe.reports.one", "probe.reports.two")],
    "The simulation shares no codec, fingerprint or rule with what it tests": _each(
        "simulation", "probe.wire probe.net probe.probers probe.inferences probe.rules probe.tables"
    ),
    "Only the edges know pydantic": _each(_all_but("config", "document", "web"), "pydantic"),
    "Only the history knows SQLAlchemy": _each(_all_but("history"), "sqlalchemy alembic aiosqlite asyncpg"),
    "Only the web knows its framework and its server": _each(_all_but("web"), "fastapi starlette uvicorn"),
}


def _lint(folder: Path, configuration: Path, *arguments: str) -> tuple[int, str]:
    """What import-linter says of the package `probe` in a folder: exit code and text."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    finished = subprocess.run(
        [*command, "--config", str(configuration), "--no-cache", "--no-logo", *arguments],
        cwd=folder,
        env={"COLUMNS": "400", "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return finished.returncode, finished.stdout + finished.stderr


def _build(folder: Path, breaches: Sequence[Breach] = ()) -> Path:
    """A house of empty rooms, with these imports in it; returns its configuration."""
    configuration = folder / "pyproject.toml"
    configuration.write_text((_ROOT / "pyproject.toml").read_text())
    named = {f"{container}.{room}" for container in ("probe", "probe.rules", "probe.web") for floor in _floors(container) for room in floor}
    named |= {f"probe.{room}.{name}" for room in _CATALOGUE_FOLDERS for name in ("one", "two")}
    text = dict.fromkeys(sorted(named), "")
    for importer, imported in breaches:
        text[importer] = text.get(importer, "") + f"import {imported}\n"
    (folder / "probe").mkdir()
    (folder / "probe/__init__.py").touch()
    for name, lines in text.items():
        stem = folder / Path(*name.split("."))
        if any(other.startswith(f"{name}.") for other in text):
            stem.mkdir(exist_ok=True)
            (stem / "__init__.py").write_text(lines)
        else:
            stem.with_suffix(".py").write_text(lines)
    return configuration


def test_house_of_stubs_stands(tmp_path: Path) -> None:
    """Rooms that import nothing keep every contract, so that a breach is what breaks one."""
    code, said = _lint(tmp_path, _build(tmp_path))
    assert code == 0, said


@pytest.mark.parametrize("name", _CONTRACTS)
def test_breach_is_reported(tmp_path: Path, name: str) -> None:
    """Each breach of a wall is reported under the wall's name."""
    assert name in _BREACHES, f"a new wall needs a breach that proves it: {name}"
    _, said = _lint(tmp_path, _build(tmp_path, _BREACHES[name]))
    verdicts = re.search(rf"^{re.escape(name)} (\w+)", said, re.MULTILINE)
    assert verdicts, said
    assert verdicts[1] == "BROKEN", said
    reported = said.partition(f"\n{name}\n---")[2]
    missing = [
        (importer, imported) for importer, imported in _BREACHES[name] if not re.search(rf"{importer} -> {imported} \(l\.\d+", reported)
    ]
    assert not missing, said


def test_every_breach_has_its_wall() -> None:
    """The walls that are proved are the walls that there are."""
    assert set(_BREACHES) == set(_CONTRACTS)


def test_room_on_no_floor_is_reported(tmp_path: Path) -> None:
    """A room that stands on no floor breaks the floors' contract."""
    configuration = _build(tmp_path, [("probe.helpers", "json")])
    code, said = _lint(tmp_path, configuration)
    assert code != 0
    assert "probe.helpers" in said


def test_code_keeps_every_wall() -> None:
    """The code as it is keeps every contract."""
    code, said = _lint(_ROOT, _ROOT / "pyproject.toml")
    assert code == 0, said
