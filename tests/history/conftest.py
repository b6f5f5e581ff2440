"""A place for a history on each database: SQLite in a folder, and a real PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from probe.memory.folder import Folder
from probe.model.estate import Secret


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Folder | Secret:
    """Where a history can be opened that holds nothing."""
    if request.param == "sqlite":
        return Folder(tmp_path / "state")
    if request.config.getoption("--no-servers"):
        pytest.skip("it needs a real server")
    return Secret(request.getfixturevalue("postgresql").new_schema())
