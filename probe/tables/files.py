"""Reads the files under probe/data as text, rows and TOML."""

from __future__ import annotations

import csv
import pkgutil
import tomllib
from typing import Any


def text(name: str) -> str:
    """A file, whole."""
    data = pkgutil.get_data("probe.data", name)
    if data is None:
        raise FileNotFoundError(name)
    return data.decode("utf-8")


def rows(name: str) -> list[dict[str, str]]:
    """A CSV table by column, comments left out."""
    return list(csv.DictReader(line for line in text(name).splitlines() if not line.startswith("#")))


def toml(name: str) -> dict[str, Any]:
    """A TOML table."""
    return tomllib.loads(text(name))
