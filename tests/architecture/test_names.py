"""One name, one meaning: what is found by its name is the one thing that has it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_PROGRAM = Path(__file__).parents[2] / "probe"
_SIMULATION = _PROGRAM / "simulation"
_FORMS = frozenset({_PROGRAM / "config" / "keys.py", _PROGRAM / "document" / "forms.py"})
"""A class of these may have the name of the class of probe/model whose form it is."""
_MODEL = _PROGRAM / "model"


def _types_of(file: Path) -> Iterator[str]:
    """The classes and type aliases at the top of a file, whether public or not, without the underscore."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        match node:
            case ast.ClassDef(name=name):
                yield name.lstrip("_")
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                if re.fullmatch(r"_*[A-Z]\w*[a-z]\w*", name):
                    yield name.lstrip("_")


def _shared(files: list[Path]) -> dict[str, list[str]]:
    """Names that several files give to a type, with these files."""
    places: dict[str, list[Path]] = {}
    for file in files:
        for name in _types_of(file):
            places.setdefault(name, []).append(file)
    return {
        name: [str(file.relative_to(_PROGRAM)) for file in found]
        for name, found in places.items()
        if len(found) > 1 and not _is_model_and_its_form(found)
    }


def _is_model_and_its_form(files: list[Path]) -> bool:
    return len(files) == 2 and any(one in _FORMS and _MODEL in other.parents for one, other in (files, files[::-1]))


@pytest.mark.parametrize("is_simulation", [False, True])
def test_no_two_types_share_a_name(is_simulation: bool) -> None:
    """No class or type alias of the program has the name of another; the simulation, which speaks the servers' side, is held to it alone."""
    files = [file for file in sorted(_PROGRAM.rglob("*.py")) if (_SIMULATION in file.parents) is is_simulation]
    assert files
    assert _shared(files) == {}
