"""Tests of writing conversations down."""

from __future__ import annotations

import re
import sys

import pytest

from probe.net.redact import Redactor
from probe.net.transcript import LINE_BYTES, MAX_BURST_LINES, MAX_BYTES, Recorder


def texts(recorder: Recorder) -> list[str]:
    return [f"{line.speaker}: {line.text}" for line in recorder.lines()]


def test_both_sides_are_written_line_by_line_in_order() -> None:
    """Lines are whole however they came, and numbered from one."""
    recorder = Recorder()
    recorder.note("connected")
    recorder.heard(b"+OK re")
    recorder.heard(b"ady\r\n")
    recorder.said(b"CAPA\r\n")
    recorder.heard(b"+OK\nTOP\n.\n")
    assert texts(recorder) == ["note: connected", "peer: +OK ready", "probe: CAPA", "peer: +OK", "peer: TOP", "peer: ."]
    assert [line.number for line in recorder.lines()] == [1, 2, 3, 4, 5, 6]


def test_a_line_without_end_is_written_too() -> None:
    """What the peer had begun to say is kept."""
    recorder = Recorder()
    recorder.heard(b"+OK half")
    assert texts(recorder) == ["peer: +OK half"]


def test_floods_are_bounded_and_say_so() -> None:
    """A flood keeps its beginning, and the number of lines that it went on for."""
    recorder = Recorder()
    recorder.heard(b"x\n" * (MAX_BURST_LINES + 5))
    recorder.said(b"QUIT\r\n")
    assert texts(recorder)[MAX_BURST_LINES:] == ["note: ... and 5 more lines", "probe: QUIT"]


@pytest.mark.parametrize(
    "line", ["y" * 900, "\N{GRINNING FACE}" * 240, "\x01" * 225, "x", ""], ids=["ascii", "emoji", "escaped", "short", "empty"]
)
def test_a_transcript_stays_within_its_bytes(line: str) -> None:
    """However much is said in turn, a transcript stays within its bytes in memory and as UTF-8, and says how much was left out."""
    recorder = Recorder()
    flood = (line + "\n").encode() * 100
    for _ in range(20):
        recorder.said(b"NOOP\n")
        recorder.heard(flood)
    lines = recorder.lines()
    assert recorder.lines() == lines
    assert sum(len(entry.text.encode()) for entry in lines) <= MAX_BYTES
    assert sum(sys.getsizeof(entry.text) for entry in lines) <= 1.1 * MAX_BYTES
    assert len(lines) <= MAX_BYTES // LINE_BYTES + 1
    left_out = sum(int(found[1]) for entry in lines if (found := re.search(r"and (\d+) more lines", entry.text)))
    assert left_out + sum(entry.speaker != "note" for entry in lines) == 20 * 101


def test_a_flood_does_not_crowd_out_what_comes_after_it() -> None:
    """After floods in several turns, what is said then and what is noted is still there to be cited."""
    recorder = Recorder()
    for turn in range(5):
        recorder.said(f"COMMAND {turn}\n".encode())
        recorder.heard(("\N{GRINNING FACE}" * 500 + "\n").encode() * 500)
        assert recorder.note(f"note {turn}") is not None
    recorder.heard(b"+OK SASL PLAIN\n")
    assert recorder.latest("SASL PLAIN") is not None
    assert [line for turn in range(5) if (line := recorder.latest_note(f"note {turn}")) is None] == []


def test_a_note_for_which_there_is_no_room_is_counted() -> None:
    """Notes are cut and counted as lines are, and the last line says how many are not kept."""
    recorder = Recorder()
    long = "n" * 1500
    kept = recorder.note(long)
    assert kept is not None
    assert kept.text == "n" * 1000 + "... (1500 characters)"
    for _ in range(200):
        recorder.note(long)
    assert recorder.note(long) is None
    assert re.fullmatch(r"\.\.\. and \d+ more lines; at most 128 KiB are kept of this attempt", recorder.lines()[-1].text)


def test_a_long_line_is_cut() -> None:
    """A long line keeps its beginning and its length."""
    recorder = Recorder()
    recorder.heard(b"y" * 1500 + b"\r\n")
    assert recorder.lines()[0].text == "y" * 1000 + "... (1500 characters)"


def test_secrets_never_arrive() -> None:
    """What the redactor strikes out is not in the transcript."""
    recorder = Recorder(Redactor(["s3cret-word"]))
    recorder.said(b"PASS s3cret-word\r\n")
    assert texts(recorder) == ["probe: PASS ***"]


def test_evidence_is_the_latest_line_with_the_words() -> None:
    """The latest line of the peer that holds a text is its evidence; our own lines are none."""
    recorder = Recorder()
    recorder.heard(b"STLS\n")
    recorder.said(b"STLS\n")
    line = recorder.latest("STLS")
    assert line is not None
    assert line.number == 1
    assert recorder.latest("nothing like it") is None
    recorder.note("TLS handshake: TLSv1.3")
    assert recorder.latest_note("TLS handshake") is not None
