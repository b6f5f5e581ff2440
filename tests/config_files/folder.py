"""Where the files for operators are."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from probe.cli import cli

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config"


def output_of(*command: str | Path) -> tuple[int, str]:
    """The exit code of a program, and what it wrote to both outputs."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", timeout=100, check=False)
    return done.returncode, done.stdout


def assert_command(words: Sequence[str]) -> None:
    """Objects where the command line has no such command, or does not take its options; `words` are those behind `probe`."""
    name, *arguments = words
    cli.commands[name].make_context(name, arguments)
