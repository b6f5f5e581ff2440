"""How the service tells of a bug of its own, and goes on."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping

_log = logging.getLogger(__name__)


def log_bug(failure: Exception, what: Mapping[str, object]) -> None:
    """Log what nobody expected; `what` says during what."""
    # The text of the exception may hold what it was given; the places cannot.
    places = "".join(traceback.format_tb(failure.__traceback__))
    _log.error("bug", extra={**what, "error": type(failure).__name__, "places": places})
