"""Who reads the pages."""

from __future__ import annotations

import pytest

from tests.web.pages.reading import PageReader
from tests.web.world import World


@pytest.fixture
def reader(service: World) -> PageReader:
    """Somebody without a session."""
    return PageReader(service.asker)
