"""The law over every prober: a transcript cut anywhere still ends it, with a reading for every promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from probe import app
from probe.model.attempts import Outcome
from tests.looking import look, playing
from tests.scripted import TRANSCRIPTS, steps_of

CASES = sorted(TRANSCRIPTS.glob("*/*.txt"))


def scheme_of(case: Path) -> str:
    found = re.search(r"^# scheme: (\w+)", case.read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
async def test_a_whole_transcript_completes(case: Path) -> None:
    """Played whole, a transcript ends in a completed attempt without departures."""
    scheme = scheme_of(case)
    async with playing(case.read_text(), implicit=scheme.endswith("s")) as server:
        looked = await look(f"{scheme}://localhost:{server.port}")
    assert server.departures == []
    assert (looked.attempt.outcome, looked.attempt.detail) == (Outcome.COMPLETED, "")
    promised = {key.name for key in app.probers()[case.parent.name].collects}
    assert promised <= {reading.key.name for reading in looked.run.readings}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
async def test_a_transcript_cut_after_any_line_ends_with_every_promise_kept(case: Path) -> None:
    """Wherever the server stops, the attempt ends by itself, and every promised key is known or missing with a reason."""
    scheme, steps = scheme_of(case), steps_of(case.read_text())
    promised = {key.name for key in app.probers()[case.parent.name].collects}
    last_said = max((n for n, step in enumerate(steps) if step.startswith("S")), default=-1)
    for cut in range(len(steps)):
        async with playing(steps[:cut], implicit=scheme.endswith("s")) as server:
            looked = await look(f"{scheme}://localhost:{server.port}", timeout=3)
        assert promised <= {reading.key.name for reading in looked.run.readings}
        if cut <= last_said:
            assert looked.attempt.outcome in (Outcome.CLOSED, Outcome.OFF_PROTOCOL), (cut, looked.attempt)
            assert looked.attempt.detail


def test_every_text_prober_has_a_transcript() -> None:
    """No prober of a text protocol escapes the law."""
    have = {case.parent.name for case in CASES}
    assert {"imap-capabilities", "pop3-capabilities", "smtp-extensions"} <= have <= set(app.probers())
