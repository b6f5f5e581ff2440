"""Tests of what one attempt learns, as it is written down."""

from __future__ import annotations

from datetime import timedelta

from probe.model import vocabulary as v
from probe.model.facts import Fact, Why
from probe.probing import Notebook
from tests.runs import NOON, POP


def test_what_is_learnt_within_a_second_holds_one_moment() -> None:
    """A fact has the time at which it was learnt, to the second as it is published; those of one second hold the same object."""
    times = iter(NOON + timedelta(seconds=seconds) for seconds in (0.0, 0.2, 0.9, 1.1, 0.5))
    notes = Notebook("a1", POP, None, lambda: next(times))
    for key in (v.PROTOCOL_GREETING, v.PROTOCOL_FAREWELL, v.SMTP_EHLO_NAME, v.SERVER_PRODUCT):
        notes.declared(key, "x")
    moments = [fact.at for fact in notes.close((), Why.NOT_DISCLOSED, "") if isinstance(fact, Fact)]
    assert moments[0] is moments[1] is notes.began
    # A clock that is set back in between is believed.
    assert moments[2:] == [NOON + timedelta(seconds=1.1), NOON + timedelta(seconds=0.5)]
