"""The units of systemd are read by systemd without a complaint, call commands that exist, and confine what they start."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.config_files.folder import CONFIG, assert_command, output_of

_FOLDER = CONFIG / "systemd"
_SERVICES = sorted(_FOLDER.glob("*.service"))
_UNITS = [*_SERVICES, *sorted(_FOLDER.glob("*.timer"))]
_PROGRAM = "/opt/probe/bin/probe"
_MOST_EXPOSURE = 15
"""Of 100, as `systemd-analyze security` counts: 12 with Debian 12's. What is left is the network, and the machine's own files to read."""


def _settings(unit: Path) -> dict[str, list[str]]:
    """The values of each setting of a unit."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"(?m)^(\w+)=(.*)$", unit.read_text(encoding="utf-8")):
        found.setdefault(name, []).append(value)
    return found


def _commands(unit: Path) -> list[list[str]]:
    """What a unit starts, and what its comments tell an operator to start, each as the words behind the program's name."""
    started = [shlex.split(line) for line in re.findall(rf"(?m)^.*?({re.escape(_PROGRAM)} .*)$", unit.read_text(encoding="utf-8"))]
    return [words[1 : words.index("#") if "#" in words else None] for words in started]


def _runnable(unit: Path, folder: Path) -> Path:
    """A copy of a unit that starts a program of this machine: systemd looks whether what a unit starts is there."""
    copy = folder / unit.name
    copy.write_text(unit.read_text(encoding="utf-8").replace(_PROGRAM, str(shutil.which("true"))), encoding="utf-8")
    return copy


def test_systemd_reads_the_units_without_a_complaint(systemd_analyze: Path, tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say of any unit."""
    code, said = output_of(systemd_analyze, "verify", "--man=no", *[_runnable(unit, tmp_path) for unit in _UNITS])
    assert [line for line in said.splitlines() if "probe" in line] == []
    assert code == 0, said


def test_a_misspelt_setting_would_be_found(systemd_analyze: Path, tmp_path: Path) -> None:
    """`systemd-analyze verify` names a setting that systemd does not have."""
    copy = _runnable(_FOLDER / "probe.service", tmp_path)
    copy.write_text(copy.read_text(encoding="utf-8").replace("ProtectClock=", "ProtectClok="), encoding="utf-8")
    _, said = output_of(systemd_analyze, "verify", "--man=no", copy)
    assert "ProtectClok" in said


@pytest.mark.parametrize("unit", _SERVICES, ids=lambda unit: unit.name)
def test_what_a_unit_starts_is_confined(systemd_analyze: Path, unit: Path) -> None:
    """`systemd-analyze security` counts at most 15 of 100 points of exposure."""
    code, said = output_of(systemd_analyze, "security", "--offline=yes", "--no-pager", f"--threshold={_MOST_EXPOSURE}", unit)
    assert code == 0, said


@pytest.mark.parametrize("unit", _SERVICES, ids=lambda unit: unit.name)
def test_a_unit_calls_commands_that_exist(unit: Path) -> None:
    """Each command of `probe` that a unit starts or tells of is taken by the command line with its options."""
    assert _commands(unit)
    for words in _commands(unit):
        assert_command(words)


def test_both_services_run_in_the_same_confinement() -> None:
    """The service and the timer's check share user, state, secrets and sandbox, so that one may be exchanged for the other."""
    of_service, of_check = (
        unit.read_text(encoding="utf-8").partition("DynamicUser=")[2].partition("\n[")[0].strip() for unit in _SERVICES[::-1]
    )
    assert of_service
    assert of_service == of_check


def test_the_timers_check_is_written_into_the_history() -> None:
    """The timer starts a check with `--record`, which ends before systemd would end it."""
    (command,) = (shlex.split(value) for value in _settings(_FOLDER / "probe-check.service")["ExecStart"])
    assert "--record" in command
    deadline = int(command[command.index("--deadline") + 1])
    (most,) = _settings(_FOLDER / "probe-check.service")["TimeoutStartSec"]
    assert most == "50min"
    assert deadline < 50 * 60


def test_the_service_is_watched_and_has_time_to_end() -> None:
    """systemd is notified by the service, watches it, reloads it by SIGHUP, and leaves it longer than the 10 s in which it ends."""
    settings = _settings(_FOLDER / "probe.service")
    assert settings["Type"] == ["notify"]
    assert settings["WatchdogSec"] == ["60s"]
    assert settings["ExecReload"] == ["/bin/sh -c 'kill -HUP $MAINPID'"]
    assert settings["TimeoutStopSec"] == ["20s"]


@pytest.mark.parametrize("unit", _SERVICES, ids=lambda unit: unit.name)
def test_secrets_come_as_credentials(unit: Path) -> None:
    """A unit has no secret in itself or in its environment: systemd loads the secrets, and shows them where the estate refers to them."""
    settings = _settings(unit)
    assert settings["LoadCredential"] == ["probe:/etc/probe/secrets"]
    assert settings["BindReadOnlyPaths"] == ["%d:/run/secrets"]
    assert settings["Environment"] == ["PROBE_STATE_DIR=%S/probe"]
    assert "EnvironmentFile" not in settings
