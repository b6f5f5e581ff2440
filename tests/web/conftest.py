"""The service that most tests of the listener ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.world import World, world


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[World]:
    """One that knows the run of `a_checked_run`."""
    async with world(tmp_path) as made:
        yield made
