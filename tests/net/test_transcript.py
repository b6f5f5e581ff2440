"""Tests of writing conversations down."""

from __future__ import annotations

from probe.net.redact import Redactor
from probe.net.transcript import MAX_BURST_LINES, MAX_LINES, Recorder


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
    for _ in range(MAX_LINES):
        recorder.said(b"a\n")
        recorder.heard(b"b\n")
    assert len(recorder.lines()) == MAX_LINES


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
