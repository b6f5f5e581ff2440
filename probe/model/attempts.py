"""An attempt: one prober tried on one endpoint, with its outcome, its readings and its transcript."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Literal, overload

from probe.model.facts import Fact, Missing, Reading, Why
from probe.model.values import dataclass


class Outcome(StrEnum):
    """How an attempt ended, named for what happened."""

    COMPLETED = "completed"
    UNRESOLVED = "unresolved"
    """The name has no address, or the resolver did not say."""
    REFUSED = "refused"
    """The connection was refused: the host is up, the port closed."""
    UNREACHABLE = "unreachable"
    """No way to the host."""
    TIMED_OUT = "timed-out"
    THROTTLED = "throttled"
    """The peer says: not now, or not so many."""
    CLOSED = "closed"
    """The peer ended the connection in the middle."""
    TLS_FAILED = "tls-failed"
    OFF_PROTOCOL = "off-protocol"
    """What came is not the protocol."""
    DENIED = "denied"
    """The peer will not serve us."""
    UNTRUSTED_PEER = "untrusted-peer"
    """Credentials were held back, because the certificate does not earn them."""
    NOT_SCHEDULED = "not-scheduled"
    INTERRUPTED = "interrupted"
    BUG = "bug"


SAYS_NOTHING_OF_THE_PEER = frozenset({Outcome.NOT_SCHEDULED, Outcome.INTERRUPTED, Outcome.BUG})
"""How attempts end that show neither that a peer answers nor that it does not."""

WHY_AFTER: dict[Outcome, Why] = {
    Outcome.COMPLETED: Why.NOT_DISCLOSED,
    Outcome.UNRESOLVED: Why.UNRESOLVED,
    Outcome.REFUSED: Why.REFUSED,
    Outcome.UNREACHABLE: Why.UNREACHABLE,
    Outcome.TIMED_OUT: Why.TIMED_OUT,
    Outcome.THROTTLED: Why.THROTTLED,
    Outcome.CLOSED: Why.CLOSED,
    Outcome.TLS_FAILED: Why.TLS_FAILED,
    Outcome.OFF_PROTOCOL: Why.OFF_PROTOCOL,
    Outcome.DENIED: Why.DENIED,
    Outcome.UNTRUSTED_PEER: Why.UNTRUSTED_PEER,
    Outcome.NOT_SCHEDULED: Why.NOT_ATTEMPTED,
    Outcome.INTERRUPTED: Why.INTERRUPTED,
    Outcome.BUG: Why.BUG,
}
"""The reason for each promised fact of which an attempt with this outcome wrote nothing."""


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One line of a conversation, with secrets struck out."""

    number: int
    """From 1."""
    speaker: Literal["probe", "peer", "note"]
    """`note` is what happened rather than what was said: a connection made, a handshake."""
    text: str
    """Printable; bytes that are not are written as `\\xNN`."""


_MARKS: dict[str, str] = {"probe": ">", "peer": "<", "note": "-"}
_SPEAKERS: dict[str, Literal["probe", "peer", "note"]] = {">": "probe", "<": "peer", "-": "note"}


def packed(lines: Sequence[TranscriptLine]) -> Sequence[TranscriptLine]:
    """The lines of an attempt that has ended, packed into bytes. They are numbered from 1."""
    if not lines or any(
        line.number != place or line.speaker not in _MARKS or "\n" in line.text for place, line in enumerate(lines, start=1)
    ):
        return tuple(lines)
    return _Packed("\n".join(f"{_MARKS[line.speaker]}{line.text}" for line in lines))


def packed_beside(lines: Sequence[TranscriptLine], others: Sequence[TranscriptLine]) -> Sequence[TranscriptLine]:
    """The lines of an attempt, kept as what they have otherwise than those of another, which are kept as long. They take longer to read."""
    if isinstance(lines, _Packed) and isinstance(others, _Packed):
        return _PackedBeside(lines, others)
    return lines


class _Packed(Sequence[TranscriptLine]):
    """A sequence that builds each line on access. As an object, a line takes 120 bytes besides its text."""

    __slots__ = ("_length", "_words")

    def __init__(self, text: str) -> None:
        """The text has a line for each, which begins with the mark of who speaks."""
        # Not as a text, which takes four bytes for each of its characters where one of them is no European letter.
        self._words = text.encode("utf-8", "surrogatepass")
        self._length = text.count("\n") + 1

    @property
    def words(self) -> bytes:
        return self._words

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[TranscriptLine]:
        for number, line in enumerate(self.words.decode("utf-8", "surrogatepass").split("\n"), start=1):
            yield TranscriptLine(number, _SPEAKERS[line[0]], line[1:])

    @overload
    def __getitem__(self, place: int) -> TranscriptLine: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[TranscriptLine, ...]: ...
    def __getitem__(self, place: int | slice) -> TranscriptLine | tuple[TranscriptLine, ...]:
        return tuple(self)[place]

    def __eq__(self, other: object) -> bool:
        return self.words == other.words if isinstance(other, _Packed) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.words)

    def __repr__(self) -> str:
        return repr(tuple(self))


class _PackedBeside(_Packed):
    """Packed once more, by the words of another conversation: of two with servers of one make a tenth differs."""

    __slots__ = ("_others",)

    def __init__(self, lines: _Packed, others: _Packed) -> None:
        import zlib  # which a look does not need

        packer = zlib.compressobj(zdict=others.words)
        self._words = packer.compress(lines.words) + packer.flush()
        self._length = len(lines)
        self._others = others

    def __reduce__(self) -> tuple[type[_Packed], tuple[str]]:
        # Whoever packs it with others has a better use for what they have in common.
        return _Packed, (self.words.decode("utf-8", "surrogatepass"),)

    @property
    def words(self) -> bytes:
        import zlib

        return zlib.decompressobj(zdict=self._others.words).decompress(self._words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One prober tried on one endpoint. A failed attempt keeps what it learnt."""

    id: str
    """`a1`, `a2`, ...: unique in a run; `a1.1`, `a1.2`, ... where it is held at each address of a name."""
    at: datetime
    """When it began; for one that was not held, when that was decided."""
    prober: str
    subject: str
    mailbox: str | None
    address: str | None
    """The address that was used, None where it did not come to that."""
    outcome: Outcome
    detail: str
    """One sentence on the outcome, empty when completed."""
    connections: int
    seconds: float
    transcript: Sequence[TranscriptLine]
    """Packed by `packed`, because a run has thousands of attempts."""
    readings: tuple[Reading, ...]
    pause_seconds: float | None = None
    """For how long the server asked to be left alone; None where it did not say. It counts from when it was said, so that no document has it."""


def reading_named_by(reading: Reading, names: Mapping[str, str]) -> Reading:
    """A reading with other names of the attempts that it comes from, by their names before."""
    if isinstance(reading, Missing):
        claims = tuple(claim for claim in (reading_named_by(claim, names) for claim in reading.claims) if isinstance(claim, Fact))
        return replace(reading, claims=claims) if reading.claims else reading
    evidence = tuple(replace(one, attempt=names.get(one.attempt, one.attempt)) for one in reading.provenance.evidence)
    attempt = None if reading.attempt is None else names.get(reading.attempt, reading.attempt)
    return replace(reading, attempt=attempt, provenance=replace(reading.provenance, evidence=evidence))
