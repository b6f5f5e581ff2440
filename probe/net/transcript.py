"""Records a conversation word for word, within bounds, with secrets struck out."""

from __future__ import annotations

from typing import Literal

from probe.model.attempts import TranscriptLine
from probe.net.redact import STRUCK, Redactor

MAX_LINE_CHARACTERS = 1000
MAX_BURST_LINES = 120
"""Lines kept of what one side says before the other speaks: a capability list is whole, a web page is not."""
MAX_BYTES = 128 * 1024
"""Kept of one attempt. Twice a whole logon page of Outlook on the web (60 KB), the longest that is read."""
MAX_RUN_BYTES = 16 * 1024 * 1024
"""Kept of all attempts of a run, which holds every transcript in memory, and writes it into its document. A sign-in to a mail server takes
1 to 2 KB, so that 10,000 of them are kept whole."""
SHARE = 16
"""The share of the rest that one attempt may take, so that something is left for the next, however many talk without end."""
LINE_BYTES = 100
"""What a line takes beside its text, in memory as in the document."""


class Budget:
    """What the transcripts of a run may still take, in bytes."""

    def __init__(self, left: int = MAX_RUN_BYTES) -> None:
        self.left = left

    def share(self) -> int:
        """What an attempt that begins now may take, if no other takes it first."""
        return min(MAX_BYTES, self.left // SHARE)


class Recorder:
    """The transcript of one attempt, as it grows."""

    def __init__(self, redactor: Redactor | None = None, budget: Budget | None = None) -> None:
        self._redactor = redactor or Redactor()
        self._budget = budget or Budget()
        self._lines: list[TranscriptLine] = []
        self._speaker: Literal["probe", "peer"] | None = None
        self._partial = b""
        self._burst = 0
        self._unwritten = 0
        self._untold = 0
        self._room = self._share = self._budget.share()
        self._burst_room = 0
        self.peer_said_secret = False
        """Whether a line of the peer held a secret of the run."""

    def heard(self, data: bytes) -> None:
        """The peer said this."""
        self._spoken("peer", data)

    def said(self, data: bytes) -> None:
        """We said this."""
        self._spoken("probe", data)

    def note(self, text: str) -> TranscriptLine | None:
        """Something happened that is no speech. Gives the line, None where there is no room for it."""
        self._settle()
        if self._append("note", _cut(self._redactor.clean_sentence(text))):
            return self._lines[-1]
        self._untold += 1
        return None

    def latest(self, text: str) -> TranscriptLine | None:
        """The latest line of the peer that contains a text, as evidence."""
        self._write_partial()
        for line in reversed(self._lines):  # a generator would cost more than the search
            if line.speaker == "peer" and text in line.text:
                return line
        return None

    def latest_note(self, text: str) -> TranscriptLine | None:
        """The latest note that contains a text."""
        return next((line for line in reversed(self._lines) if line.speaker == "note" and text in line.text), None)

    def lines(self) -> tuple[TranscriptLine, ...]:
        """Everything so far."""
        self._settle()
        if not self._untold:
            return tuple(self._lines)
        end = f"... and {self._untold} more lines; at most {self._share // 1024} KiB are kept of this attempt"
        return (*self._lines, TranscriptLine(len(self._lines) + 1, "note", end))

    def _spoken(self, speaker: Literal["probe", "peer"], data: bytes) -> None:
        if speaker != self._speaker:
            self._settle()
            self._speaker = speaker
            # Never more than half of what is left, so that no flood can crowd out what comes after it.
            self._burst_room = self._room // 2
        if self._partial:
            data = self._partial + data
        *whole, rest = data.split(b"\n")
        for line in whole:
            self._write(line.removesuffix(b"\r"))
        # A line without end is held only as far as it will be shown.
        self._partial = rest[: 4 * MAX_LINE_CHARACTERS]

    def _settle(self) -> None:
        self._write_partial()
        if self._unwritten and not self._append("note", f"... and {self._unwritten} more lines"):
            self._untold += self._unwritten
        self._speaker, self._burst, self._unwritten = None, 0, 0

    def _write_partial(self) -> None:
        if self._partial:
            partial, self._partial = self._partial, b""
            self._write(partial)

    def _write(self, line: bytes) -> None:
        self._burst += 1
        if self._burst > MAX_BURST_LINES or self._speaker is None:
            self._unwritten += 1
            return
        text = _cut(self._redactor.shown(line, said_by_us=self._speaker == "probe"))
        if self._speaker == "peer" and STRUCK in text and STRUCK.encode() not in line:
            self.peer_said_secret = True
        size = _size(text)
        if size > self._burst_room or not self._append(self._speaker, text, size):
            self._unwritten += 1
            return
        self._burst_room -= size

    def _append(self, speaker: Literal["probe", "peer", "note"], text: str, size: int | None = None) -> bool:
        """Write a line down; False where there is no room for it. `size` is what it takes, where that is known already."""
        size = _size(text) if size is None else size
        if size > min(self._room, self._budget.left // SHARE):
            return False
        self._room -= size
        self._budget.left -= size
        self._lines.append(TranscriptLine(len(self._lines) + 1, speaker, text))
        return True


def _cut(text: str) -> str:
    return text if len(text) <= MAX_LINE_CHARACTERS else f"{text[:MAX_LINE_CHARACTERS]}... ({len(text)} characters)"


def _size(text: str) -> int:
    """Bytes that a line takes: four for each character unless all are ASCII, which neither UTF-8 nor Python's own form exceeds."""
    return LINE_BYTES + (1 if text.isascii() else 4) * len(text)
