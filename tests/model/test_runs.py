"""Tests of runs as values."""

from __future__ import annotations

from tests.runs import a_checked_run


def test_a_run_is_printed_without_what_it_holds() -> None:
    """The text of a run is short however much was learnt: asyncio prints the result of a task that ends."""
    run = a_checked_run()
    assert run.readings
    assert run.id in repr(run)
    assert len(repr(run)) < 1000
