"""Silences libraries: what they log or warn of may hold what they were given, or what a peer answered."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing is logged or warned of meanwhile.

    exchangelib logs request headers when something fails, which hold the password; msal logs whole answers that are not JSON, which may
    repeat a secret. Where nobody set up logging, Python writes such lines to standard error as they are.
    """
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
