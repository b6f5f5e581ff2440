"""What few ask for, held packed: of the thousands of parts of a large estate nearly all are looked at again and again without anything new.

Nothing is packed that came from elsewhere, and what is packed stays in memory.
"""

from __future__ import annotations

import io
import logging
import pickle
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from probe.model.keys import FactKey
from probe.model.rules import Rule
from probe.model.runs import Run
from probe.service.dynamics import states

T = TypeVar("T")

_MOST_AWAKE = 64
"""Values of a place that are as they are."""
_MOST_ALIKE = 32 * 1024
"""Bytes that zlib looks back, and so of a value beside which others are packed."""
_POORLY = 0.06
"""Of its size, to which what is much like another is packed."""
_AT_LEAST = 64
"""Values that are packed beside the same one: it is kept as long as they are, and takes as much room as some of them."""

_log = logging.getLogger(__name__)


class Resting(Generic[T]):
    """A value that may be packed meanwhile."""

    __slots__ = ("_alike", "_body", "_place", "_value")

    def __init__(self, value: T, place: RestingPlace | None = None) -> None:
        """Without a `place` it stays as it is."""
        self._value: T | None = value
        self._place = place
        self._body, self._alike = (b"", b"") if place is None else place.packed(value)
        if place is not None:
            place.keep_awake(self)

    def get(self) -> T:
        """The value, which may be another object each time."""
        value = self._value  # which another thread may let go of meanwhile
        if value is None:
            assert self._place is not None
            value = self._value = unpacked(self._body, self._alike)
            self._place.keep_awake(self)
        return value

    def rest(self) -> None:
        """Let go of the value, which is packed."""
        if self._body:
            self._value = None


class RestingPlace:
    """Packs values, and keeps those as they are that were put there or unpacked last. Any thread may use it."""

    def __init__(self, most_awake: int = _MOST_AWAKE) -> None:
        self._most = most_awake
        self._awake: OrderedDict[int, Resting[Any]] = OrderedDict()
        self._lock = threading.Lock()
        self._alike, self._beside = b"", _AT_LEAST
        """A value that was packed before, as bytes, and how many were packed beside it."""

    def packed(self, value: object) -> tuple[bytes, bytes]:
        """The bytes of a value, and those beside which it is packed; none where it cannot be packed, for a bug, and stays as it is."""
        stream = io.BytesIO()
        try:
            _Packer(stream, pickle.HIGHEST_PROTOCOL).dump(value)
        except Exception:  # noqa: BLE001 - it takes more room, and nothing else is wrong
            _log.exception("a bug in probe: what is known cannot be packed")
            return b"", b""
        words, alike = stream.getvalue(), self._alike
        packer = zlib.compressobj(zdict=alike)
        body = packer.compress(words) + packer.flush()
        self._beside += 1
        if self._beside >= _AT_LEAST and len(body) > len(words) * _POORLY:
            # What comes next is more like what came last.
            self._alike, self._beside = words[-_MOST_ALIKE:], 0
        return body, alike

    def keep_awake(self, one: Resting[Any]) -> None:
        """Note that a value is not packed only; of too many the one is let go of that was put there, or unpacked, first."""
        with self._lock:
            self._awake[id(one)] = one
            self._awake.move_to_end(id(one))
            if len(self._awake) > self._most:
                self._awake.popitem(last=False)[1].rest()


def unpacked(body: bytes, alike: bytes) -> Any:
    """The value that was packed beside another."""
    return pickle.loads(zlib.decompressobj(zdict=alike).decompress(body))  # noqa: S301 - this process packed it


class RestingRun:
    """What is known of a part of an estate; the part of a `WatchedState` that the page is shown."""

    __slots__ = ("_bare", "_found", "in_dynamics")

    def __init__(self, run: Run, place: RestingPlace | None = None) -> None:
        self._bare = replace(run, attempts=(), readings=(), assessments=())
        self.in_dynamics = states(run)
        self._found = Resting((run.attempts, run.readings, run.assessments), place)

    @property
    def finished(self) -> datetime:
        return self._bare.finished

    @property
    def judged_at(self) -> date:
        return self._bare.judged_at

    def run(self) -> Run:
        """The run, which may be another object each time."""
        attempts, readings, assessments = self._found.get()
        return replace(self._bare, attempts=attempts, readings=readings, assessments=assessments)


class _Packer(pickle.Pickler):
    """Keys and rules are not packed: they are what this program has one of."""

    dispatch_table = {}  # noqa: RUF012 - as `pickle` wants it


_ONES: list[object] = []
_NUMBERS: dict[int, int] = {}
_NUMBERING = threading.Lock()


def _one_of_its_kind(value: object) -> tuple[Callable[[int], object], tuple[int]]:
    number = _NUMBERS.get(id(value))
    if number is None:
        with _NUMBERING:
            number = _NUMBERS.setdefault(id(value), len(_ONES))
            if number == len(_ONES):
                _ONES.append(value)
    return _numbered, (number,)


def _numbered(number: int) -> object:
    return _ONES[number]


_Packer.dispatch_table.update({FactKey: _one_of_its_kind, Rule: _one_of_its_kind})
