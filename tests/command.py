"""The command line, as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from probe.cli.pipelines import Pipeline


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
