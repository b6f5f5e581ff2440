"""The law over every prober: a transcript cut anywhere still ends it, with a reading for every promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from probe import app
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from tests.looking import look, playing
from tests.scripted import TRANSCRIPTS, steps_of

CASES = sorted(TRANSCRIPTS.glob("*/*.txt"))


def told_by(case: Path, name: str) -> str | None:
    """What the head of a transcript says of it: `# name: ...`."""
    found = re.search(rf"^# {name}:[ ]?(.*)$", case.read_text(), re.MULTILINE)
    return None if found is None else found[1]


def scheme_of(case: Path) -> str:
    scheme = told_by(case, "scheme")
    assert scheme is not None
    return scheme


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


@pytest.mark.parametrize("case", [case for case in CASES if told_by(case, "product")], ids=lambda case: f"{case.parent.name}/{case.stem}")
async def test_the_words_of_a_release_are_read_on_every_other(case: Path) -> None:
    """Whatever release of the server runs here, the words of the others name the same product, and the mechanisms that they offer."""
    scheme = scheme_of(case)
    async with playing(case.read_text(), implicit=scheme.endswith("s")) as server:
        looked = await look(f"{scheme}://localhost:{server.port}")
    key = v.AUTH_MECHANISMS if looked.value(v.TLS_COMPLETED) else v.AUTH_MECHANISMS_PLAIN
    assert looked.value(v.SERVER_PRODUCT) == told_by(case, "product")
    assert looked.value(key) == tuple((told_by(case, "mechanisms") or "").split())


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
