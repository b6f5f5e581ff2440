"""The command line, as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from probe.cli import cli
from probe.cli.pipelines import Pipeline


def _commands(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{before}{name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{before}{name} ")


COMMANDS = dict(_commands(cli))
"""Every command by its name, one within a group by both, as in `token list`."""


def environment(**more: str) -> dict[str, str]:
    """That of a command, in which a warning of Python is an error, and which no pipeline runs unless `more` says so."""
    inherited = {name: value for name, value in os.environ.items() if name not in list(Pipeline)}
    return {**inherited, "PYTHONWARNINGS": "error", **more}


def probe(*arguments: str, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "probe", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="backslashreplace",
        timeout=100,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        env=environment(**more),
        check=False,
    )
