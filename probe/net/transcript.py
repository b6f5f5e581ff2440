"""Writes a conversation down word for word, less its secrets, within bounds."""

from __future__ import annotations

from typing import Literal

from probe.model.attempts import TranscriptLine
from probe.net.redact import Redactor
from probe.wire.lines import as_text

MAX_LINE_CHARACTERS = 1000
MAX_BURST_LINES = 120
"""Lines kept of what one side says before the other speaks: a capability list is whole, a web page is not."""
MAX_LINES = 2000


class Recorder:
    """The transcript of one attempt, as it grows."""

    def __init__(self, redactor: Redactor | None = None) -> None:
        self._redactor = redactor or Redactor()
        self._lines: list[TranscriptLine] = []
        self._speaker: Literal["probe", "peer"] | None = None
        self._partial = bytearray()
        self._burst = 0
        self._unwritten = 0

    def heard(self, data: bytes) -> None:
        """The peer said this."""
        self._spoken("peer", data)

    def said(self, data: bytes) -> None:
        """We said this."""
        self._spoken("probe", data)

    def note(self, text: str) -> None:
        """Something happened that is no speech."""
        self._settle()
        self._append("note", text)

    def latest(self, text: str) -> TranscriptLine | None:
        """The latest line of the peer that contains a text, as evidence."""
        self._write_partial()
        return next((line for line in reversed(self._lines) if line.speaker == "peer" and text in line.text), None)

    def latest_note(self, text: str) -> TranscriptLine | None:
        """The latest note that contains a text."""
        return next((line for line in reversed(self._lines) if line.speaker == "note" and text in line.text), None)

    def lines(self) -> tuple[TranscriptLine, ...]:
        """Everything so far."""
        self._settle()
        return tuple(self._lines)

    def _spoken(self, speaker: Literal["probe", "peer"], data: bytes) -> None:
        if speaker != self._speaker:
            self._settle()
            self._speaker = speaker
        *whole, rest = (bytes(self._partial) + data).split(b"\n") if b"\n" in data else (bytes(self._partial) + data,)
        for line in whole:
            self._write(line.removesuffix(b"\r"))
        # A line without end is held only as far as it will be shown.
        self._partial = bytearray(rest[: 4 * MAX_LINE_CHARACTERS])

    def _settle(self) -> None:
        self._write_partial()
        if self._unwritten:
            self._append("note", f"... and {self._unwritten} more lines")
        self._speaker, self._burst, self._unwritten = None, 0, 0

    def _write_partial(self) -> None:
        if self._partial:
            partial, self._partial = bytes(self._partial), bytearray()
            self._write(partial)

    def _write(self, line: bytes) -> None:
        self._burst += 1
        if self._burst > MAX_BURST_LINES or self._speaker is None:
            self._unwritten += 1
            return
        text = self._redactor.clean(as_text(line), said_by_us=self._speaker == "probe")
        if len(text) > MAX_LINE_CHARACTERS:
            text = f"{text[:MAX_LINE_CHARACTERS]}... ({len(text)} characters)"
        self._append(self._speaker, text)

    def _append(self, speaker: Literal["probe", "peer", "note"], text: str) -> None:
        if len(self._lines) < MAX_LINES:
            self._lines.append(TranscriptLine(len(self._lines) + 1, speaker, text))
