"""A file of the program is short enough to be read in one sitting."""

from __future__ import annotations

from pathlib import Path

_PROGRAM = Path(__file__).parents[2] / "probe"
_MOST_LINES = 500


def test_no_file_is_too_long() -> None:
    """No file of probe/ has more than 500 lines: one that grows beyond them holds two topics, and is split by them."""
    lengths = {file.relative_to(_PROGRAM): len(file.read_text(encoding="utf-8").splitlines()) for file in _PROGRAM.rglob("*.py")}
    assert lengths
    assert {str(file): lines for file, lines in lengths.items() if lines > _MOST_LINES} == {}
