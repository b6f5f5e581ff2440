"""Until when extended security updates come out."""

from __future__ import annotations

from datetime import date

import pytest

from probe.inferences.extended_updates import INFERENCE
from probe.model import vocabulary as v
from probe.model.kinds import UpdateRange
from tests.inferences.known import Known, settled

_2016, _2019 = "Exchange Server 2016", "Exchange Server 2019"


@pytest.mark.parametrize(
    ("known", "day"),
    [
        ({v.SERVER_PRODUCT: _2016, v.SERVER_UPDATE: UpdateRange(exact="CU23 Oct25SU")}, date(2026, 10, 31)),
        ({v.SERVER_PRODUCT: _2019, v.SERVER_UPDATE: UpdateRange(at_least="CU14 May25HU", at_most="CU14 Aug25SU")}, date(2026, 10, 31)),
        ({v.SERVER_PRODUCT: _2019, v.SERVER_UPDATE: UpdateRange(exact="CU13 Nov23SU")}, None),
        ({v.SERVER_PRODUCT: _2016, v.SERVER_UPDATE: UpdateRange(exact="CU22")}, None),
        ({v.SERVER_PRODUCT: _2016}, None),
        ({v.SERVER_PRODUCT: "Exchange Server SE", v.SERVER_UPDATE: UpdateRange(exact="RTM")}, None),
        ({v.SERVER_PRODUCT: "Exchange"}, None),
        ({}, None),
    ],
)
def test_they_come_out_for_some_cumulative_updates_alone(known: Known, day: date | None) -> None:
    """2016 CU23 and 2019 CU14 and CU15 get them; older ones, other products, and what is not known do not count."""
    assert settled(INFERENCE, v.SERVER_EXTENDED_UPDATES_END, known) == day
