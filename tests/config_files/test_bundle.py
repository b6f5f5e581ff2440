"""The offline bundle for Windows can be made: each package that is needed there has a wheel, as uv.lock lists them.

uv.lock names every wheel that the registry has of a version, so that no network is needed. `config/bundle.sh` itself downloads 40 MB, and
is run by hand.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

from tests.config_files.folder import CONFIG, ROOT, output_of

_SCRIPT = CONFIG / "bundle.sh"
_PLATFORM = "win_amd64"
_PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_NAME: str = _PROJECT["name"]
_PYTHONS = re.findall(r"Programming Language :: Python :: (3\.\d+)\n", "\n".join([*_PROJECT["classifiers"], ""]))


@cache
def _locked() -> Mapping[str, list[dict[str, Any]]]:
    """The packages of uv.lock by name; one name may have several versions."""
    found: dict[str, list[dict[str, Any]]] = {}
    for package in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]:
        found.setdefault(package["name"], []).append(package)
    return found


def _windows(python: str) -> dict[str, str]:
    """What markers ask about a Windows with that Python, without an extra."""
    return {
        "platform_release": "",
        "platform_version": "",
        "extra": "",
        "implementation_name": "cpython",
        "os_name": "nt",
        "platform_machine": "AMD64",
        "platform_python_implementation": "CPython",
        "platform_system": "Windows",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "win32",
    }


def _is_wanted(entry: Mapping[str, Any], environment: dict[str, str]) -> bool:
    return "marker" not in entry or Marker(entry["marker"]).evaluate(environment)


def _needed(python: str) -> dict[str, dict[str, Any]]:
    """The packages that the program needs on Windows, with all its extras, by name."""
    environment, found = _windows(python), dict[str, dict[str, Any]]()
    waiting: list[tuple[str, frozenset[str]]] = [(_NAME, frozenset(_PROJECT["optional-dependencies"]))]
    done: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = wanted = waiting.pop()
        if wanted in done:
            continue
        done.add(wanted)
        (package,) = [
            one
            for one in _locked()[name]
            if "resolution-markers" not in one or any(Marker(marker).evaluate(environment) for marker in one["resolution-markers"])
        ]
        found[name] = package
        lists = [package.get("dependencies", []), *(package.get("optional-dependencies", {}).get(extra, []) for extra in extras)]
        waiting += [
            (entry["name"], frozenset(entry.get("extra", ()))) for entries in lists for entry in entries if _is_wanted(entry, environment)
        ]
    del found[_NAME]
    return found


def _tags(python: str) -> frozenset[Tag]:
    """What a wheel may be marked with, to be installed by that Python on 64-bit Windows."""
    version = tuple(map(int, python.split(".")))
    return frozenset([*cpython_tags(version, platforms=[_PLATFORM]), *compatible_tags(version, platforms=[_PLATFORM])])


def _wheels(package: Mapping[str, Any]) -> Iterator[frozenset[Tag]]:
    for wheel in package.get("wheels", ()):
        yield parse_wheel_filename(wheel["url"].rpartition("/")[2])[3]


@pytest.mark.parametrize("python", _PYTHONS)
def test_every_package_has_a_wheel_for_windows(python: str) -> None:
    """Each package that the program needs on Windows, with all its extras, has a wheel for 64-bit Windows and each supported Python."""
    needed, installable = _needed(python), _tags(python)
    assert {"sspilib", "pywin32-ctypes", "asyncpg"} <= needed.keys()
    assert [name for name, package in needed.items() if not any(tags & installable for tags in _wheels(package))] == []


def test_every_supported_python_is_bundled_for() -> None:
    """The script takes the supported Pythons from where the distribution names them, which begin with the oldest that it takes."""
    assert _PYTHONS
    assert _PROJECT["requires-python"] == f">={_PYTHONS[0]}"
    (line,) = re.findall(r"sed -nE '(.*?)' \"\$root/pyproject.toml\"", _SCRIPT.read_text(encoding="utf-8"))
    assert output_of("sed", "-nE", line, ROOT / "pyproject.toml") == (0, "\n".join([*_PYTHONS, ""]))


def test_the_bundle_names_what_is_under_the_gpl() -> None:
    """The bundle names each package in it that is under the GPL or the LGPL, and which of the two."""
    installed = [name for name in sorted({*_needed(_PYTHONS[0]), *_needed(_PYTHONS[-1])}) if _has(name)]
    under = {name: found[0] for name in installed if (found := re.findall(r"\bL?GPL", _licence(name)))}
    assert under["aioimaplib"] == "GPL"
    note = _SCRIPT.read_text(encoding="utf-8").partition("Licences:")[2]
    assert [name for name, licence in under.items() if f"{name}, which is under {licence}-" not in note] == []


def _has(name: str) -> bool:
    """Whether a package is installed here; what only Windows needs is not."""
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _licence(name: str) -> str:
    """What a package says of its licence, in each of the ways in which packages do."""
    of = metadata.metadata(name)
    return "\n".join([*(of.get_all("License-Expression") or ()), *(of.get_all("License") or ()), *(of.get_all("Classifier") or ())])


def test_a_wrong_call_makes_nothing(tmp_path: Path) -> None:
    """Without a folder, or with one that is there already, the script says how it is called and exits with 2."""
    code, said = output_of("bash", _SCRIPT)
    assert (code, "bash config/bundle.sh FOLDER" in said) == (2, True)
    code, said = output_of("bash", _SCRIPT, tmp_path)
    assert (code, "is there already" in said) == (2, True)
