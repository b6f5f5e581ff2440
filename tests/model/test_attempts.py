"""Tests of how the transcript of an attempt is held once it has ended."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.model.attempts import TranscriptLine, packed, packed_beside

_SPEAKERS = st.sampled_from(["probe", "peer", "note"])


def lines_of(*said: tuple[Literal["probe", "peer", "note"], str]) -> tuple[TranscriptLine, ...]:
    return tuple(TranscriptLine(number, speaker, text) for number, (speaker, text) in enumerate(said, start=1))


@given(st.lists(st.tuples(_SPEAKERS, st.text() | st.sampled_from(["", "> x", "\u2028", "\ud800", "\r", "\x0b\n"]))))
def test_a_transcript_that_is_packed_has_the_same_lines(said: list[tuple[Literal["probe", "peer", "note"], str]]) -> None:
    """Whatever was said, the lines, their number and each of them are as they were, and so is what they are equal to."""
    lines = lines_of(*said)
    held = packed(lines)
    assert tuple(held) == lines
    assert len(held) == len(lines)
    assert [held[place] for place in range(-len(lines), len(lines))] == [*lines, *lines]
    assert held[1:] == lines[1:]
    assert held == packed(list(lines))
    assert hash(held) == hash(packed(lines))
    assert repr(held) == repr(lines)


@given(st.lists(st.tuples(_SPEAKERS, st.text())), st.lists(st.tuples(_SPEAKERS, st.text())))
def test_a_transcript_that_is_packed_beside_another_has_the_same_lines(
    said: list[tuple[Literal["probe", "peer", "note"], str]], others: list[tuple[Literal["probe", "peer", "note"], str]]
) -> None:
    """However much it has in common with the other, its lines are as they were, and it is equal to what is packed alone."""
    lines = lines_of(*said)
    held = packed_beside(packed(lines), packed(lines_of(*others)))
    assert tuple(held) == lines
    assert len(held) == len(lines)
    assert held == packed(lines)
    assert packed(lines) == held
    assert hash(held) == hash(packed(lines))


def test_a_transcript_beside_one_like_it_takes_little_room() -> None:
    """Of a conversation that differs from another by a line, that line is kept, and little else."""
    said = [("peer", f"250-EXTENSION-{number} {number * 7919 % 1000}") for number in range(50)]
    lines = lines_of(*said, ("peer", "221 host1 closes"))  # type: ignore[arg-type]
    held = packed_beside(packed(lines), packed(lines_of(*said, ("peer", "221 host2 closes"))))  # type: ignore[arg-type]
    assert len(held._words) < 60  # type: ignore[attr-defined]


def test_transcripts_that_differ_are_not_equal() -> None:
    """Another speaker or another word makes another transcript, and so does no transcript."""
    lines = lines_of(("peer", "+OK"), ("probe", "QUIT"))
    for other in (lines_of(("probe", "+OK"), ("probe", "QUIT")), lines_of(("peer", "+OK")), ()):
        assert packed(lines) != packed(other)
    assert packed(lines) != object()


@pytest.mark.parametrize("change", [{"number": 7}, {"speaker": "somebody"}, {"text": "two\nlines"}], ids=str)
def test_a_line_as_no_recorder_writes_it_is_kept_as_it_is(change: dict[str, object]) -> None:
    """A stored run may number its lines otherwise, name another speaker, or break a line."""
    lines = (*lines_of(("peer", "+OK")), replace(TranscriptLine(2, "probe", "QUIT"), **change))  # type: ignore[arg-type]
    assert packed(lines) == lines
