"""The record of what one attempt learns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from probe.model.attempts import TranscriptLine
from probe.model.facts import Fact, Missing, Reading, Why
from probe.model.keys import FactKey
from probe.model.provenance import Declared, Evidence, Observed, Provenance

T = TypeVar("T")

_A_SECOND = timedelta(seconds=1)


class Notebook:
    """What one attempt learns, as it learns it. Written again, a key takes its last value."""

    def __init__(
        self,
        attempt: str,
        subject: str,
        mailbox: str | None,
        clock: Callable[[], datetime],
        clean: Callable[[str], str] = lambda text: text,
    ) -> None:
        """`clean` strikes the attempt's secrets out of what a peer said, which may repeat them."""
        self._clean = clean
        self._attempt = attempt
        self._subject = subject
        self._mailbox = mailbox
        self._clock = clock
        self.began = clock()
        """When the attempt began, by the clock of the run."""
        self._latest = self.began
        self._readings: dict[tuple[str, str], Reading] = {}
        """By the name of the key, and the source."""
        self._written: set[str] = set()
        self._facts: set[str] = set()
        self._observed: dict[tuple[int, ...], Observed] = {}
        self._declared: dict[tuple[int, ...], Declared] = {}
        """By the numbers of the lines that show it: a dozen facts rest on one handshake, and hold its line once."""

    def now(self) -> datetime:
        """The time by the clock of the run."""
        return self._clock()

    def clean(self, text: str) -> str:
        """What a peer said, without the attempt's secrets. To be done before it is folded, cut or escaped, since they are not found after that."""
        return self._clean(text)

    def observed(self, key: FactKey[T], value: T, *lines: TranscriptLine, of_server: bool = False) -> None:
        """We took part in it; `lines` are the words that show it. `of_server` as in `declared`."""
        cited = tuple([line.number for line in lines])
        if (provenance := self._observed.get(cited)) is None:
            provenance = self._observed[cited] = Observed(self._evidence(lines))
        self._write(key, value, provenance, of_server=of_server)

    def declared(self, key: FactKey[T], value: T, *lines: TranscriptLine, source: str = "", of_server: bool = False) -> None:
        """The peer says so. A `source` keeps readings of one key apart, which are reconciled when the key is asked for.

        What is `of_server` is true of the endpoint for everybody, though it took an account to hear it.
        """
        cited = tuple([line.number for line in lines])
        if (provenance := self._declared.get(cited)) is None:
            provenance = self._declared[cited] = Declared("peer", self._evidence(lines))
        self._write(key, value, provenance, source, of_server=of_server)

    def heard(self, key: FactKey[str], words: str, *lines: TranscriptLine) -> None:
        """The peer said just these words to us, who had told it a secret."""
        self.observed(key, self._clean(words), *lines)

    def missing(self, key: FactKey[Any], why: Why, detail: str) -> None:
        """It is not known, and why; not written where there is a fact already."""
        if key.name not in self._facts:
            self._written.add(key.name)
            self._readings[key.name, ""] = Missing(
                subject=self._subject, mailbox=self._mailbox, key=key, why=why, detail=self._clean(detail), at=self.began
            )

    def knows(self, key: FactKey[Any]) -> bool:
        """Whether something was written for a key."""
        return key.name in self._written

    def close(self, collects: Iterable[FactKey[Any]], why: Why, detail: str) -> tuple[Reading, ...]:
        """Everything written, and a missing for every promised key of which nothing was."""
        for key in collects:
            if not self.knows(key):
                self.missing(key, why, detail)
        return tuple(self._readings.values())

    def _write(self, key: FactKey[T], value: T, provenance: Provenance, source: str = "", *, of_server: bool = False) -> None:
        name = key.name
        if name not in self._facts:
            self._facts.add(name)
            if name in self._written:  # as missing
                del self._readings[name, ""]
            else:
                self._written.add(name)
        self._readings[name, source] = Fact(
            subject=self._subject,
            mailbox=None if of_server else self._mailbox,
            key=key,
            value=value,
            provenance=provenance,
            at=self._moment(),
            attempt=self._attempt,
        )

    def _moment(self) -> datetime:
        """Now, to the second, as it is published: what is written within one second holds the same moment, and not each a copy of its own."""
        now = self._clock()
        if now.second != self._latest.second or abs(now - self._latest) >= _A_SECOND:
            self._latest = now
        return self._latest

    def _evidence(self, lines: Sequence[TranscriptLine]) -> tuple[Evidence, ...]:
        return tuple(Evidence(attempt=self._attempt, line=line.number, excerpt=line.text) for line in lines)


MAX_TOLD_LINES = 100
MAX_TOLD_CHARACTERS = 8192
"""Most that is kept of a greeting or a list. Real lists have about 20 lines of 20 characters; one line may have 512 octets (RFC 2449, RFC 5321)."""


def refuse_overlong(notes: Notebook, told: Sequence[str], *keys: FactKey[Any]) -> bool:
    """Whether what a peer told, given line by line, is more than is kept; then the keys that are drawn from it are missing.

    A list that was cut short would be another list, and what it leaves out would count as not offered.
    """
    if len(told) <= MAX_TOLD_LINES and sum(map(len, told)) <= MAX_TOLD_CHARACTERS:
        return False
    for key in keys:
        notes.missing(key, Why.OFF_PROTOCOL, f"the text has more than {MAX_TOLD_LINES} lines or {MAX_TOLD_CHARACTERS} characters")
    return True
