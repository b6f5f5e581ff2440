"""When support for the product ended or ends."""

from __future__ import annotations

from datetime import date

import pytest

from probe.inferences.end_of_support import INFERENCE
from probe.model import vocabulary as v
from tests.inferences.known import settled


@pytest.mark.parametrize(
    ("product", "day"),
    [
        ("Exchange Server 2007", date(2017, 4, 11)),
        ("Exchange Server 2019", date(2025, 10, 14)),
        ("Exchange Server SE", date(2035, 12, 31)),
        ("Exchange Server 4.0", None),
        ("Exchange Online", None),
        ("Exchange", None),
        ("Dovecot", None),
    ],
)
def test_an_exchange_server_has_an_end_of_support(product: str, day: date | None) -> None:
    """The day of the life cycle table, and none for what is not in it."""
    assert settled(INFERENCE, v.SERVER_END_OF_SUPPORT, {v.SERVER_PRODUCT: product}) == day
