"""What the history is given: of each look the whole of its subjects, of each judgement the verdicts that changed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from probe.history import Sighting, judgement, repeated, sighting
from probe.model import vocabulary as v
from probe.model.attempts import Attempt
from probe.model.estate import Estate
from probe.model.facts import Fact, Reading
from probe.model.keys import nothing
from probe.model.rules import Assessment
from probe.model.runs import Run
from probe.model.values import dataclass
from probe.model.vocabulary import all_keys
from probe.service.looks import Look, SubjectAndAccount, by_subject, hashable, whose

_PASSING = frozenset(key.name for key in all_keys().values() if key.kept is nothing)
"""Keys of which the history compares nothing, such as the time of Dynamics' last attempt."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was recorded last of one subject."""

    quickly: int
    sighting: Sighting


class Recorded:
    """What was recorded last of each subject and verdict, so that what is the same is not worked out again."""

    def __init__(self) -> None:
        self._seen: dict[SubjectAndAccount, _Seen] = {}
        self._verdicts: dict[str, tuple[int, Sighting]] = {}

    def news_of(self, run: Run, now: datetime) -> Iterator[Sighting]:
        """What of the subjects of a run is not what was recorded last."""
        for subject, (of_it, held) in by_subject(run.readings, run.attempts).items():
            quickly = _quickly(of_it, held)
            before = self._seen.get(subject)
            if before is not None and before.quickly == quickly:
                continue
            one = sighting(*subject, max((attempt.at for attempt in held), default=now), of_it, held)
            self._seen[subject] = _Seen(quickly, repeated(one, one.at, None))
            if before is None or before.sighting.digest() != one.digest():
                yield one

    def repetition(self, look: Look, now: datetime) -> Iterator[Sighting]:
        """That a look found its subjects as they were recorded last."""
        for one in dict.fromkeys(map(whose, look.attempts)):
            if (before := self._seen.get(one)) is not None:
                yield repeated(before.sighting, now, look.seconds)

    def verdicts_of(self, run: Run, *, all_of_them: bool) -> Iterator[Sighting]:
        """The assessments that are not what was recorded last; `all_of_them`: and those that are, as found again."""
        for assessment in run.assessments:
            verdict, before = _verdict(assessment), self._verdicts.get(assessment.mailbox)
            if before is not None and before[0] == verdict:
                if all_of_them:
                    yield repeated(before[1], run.finished, None)
                continue
            one = judgement(assessment, run.finished)
            self._verdicts[assessment.mailbox] = (verdict, repeated(one, one.at, None))
            yield one

    def forget(self, estate: Estate) -> None:
        """Forget what an estate does not have any more."""
        kept = {endpoint.url for endpoint in estate.endpoints} | {mailbox.address for mailbox in estate.mailboxes}
        self._seen = {of: seen for of, seen in self._seen.items() if of[0] in kept or "://" not in of[0]}
        self._verdicts = {address: verdict for address, verdict in self._verdicts.items() if address in kept}


def _quickly(readings: Iterable[Reading], attempts: Iterable[Attempt]) -> int:
    """A number that is the same as long as outcomes and values are, word for word, but for what passes."""
    of_readings = frozenset(
        (reading.key.name, hashable(reading.value) if isinstance(reading, Fact) else reading.why)
        for reading in readings
        if reading.key.name not in _PASSING
    )
    return hash((of_readings, tuple((attempt.prober, attempt.outcome) for attempt in attempts)))


def _verdict(assessment: Assessment) -> int:
    """A number that is the same as long as the assessment is, but for what it rests on."""
    return hash(
        (
            assessment.support,
            assessment.readiness,
            tuple(assessment.directions.items()),
            assessment.signed_in,
            frozenset((finding.rule.id, finding.result) for finding in assessment.findings),
        )
    )


def otherwise_in_dynamics(before: Sequence[Reading], after: Sequence[Reading]) -> set[str]:
    """The subjects of which the later reading of Dynamics' records says something else, as far as a rule goes by it."""
    # What is read a moment later says mostly the same, in the same order.
    if len(before) == len(after) and all(one is other or _says_the_same(one, other) for one, other in zip(before, after, strict=True)):
        return set()
    told, tells = _what_matters(before), _what_matters(after)
    return {subject for subject in told.keys() | tells.keys() if told.get(subject) != tells.get(subject)}


def _says_the_same(one: Reading, other: Reading) -> bool:
    return one.key is other.key and one.subject == other.subject and (one.key.name in _PASSING or _told(one) == _told(other))


def _what_matters(readings: Iterable[Reading]) -> dict[str, set[object]]:
    found: dict[str, set[object]] = {}
    for reading in readings:
        if reading.key.name not in _PASSING:
            found.setdefault(reading.subject, set()).add((reading.key.name, _told(reading)))
    return found


def _told(reading: Reading) -> object:
    if not isinstance(reading, Fact):
        return reading.why
    # Minutes that pass matter by the ten.
    return reading.value // 10 if reading.key is v.DYNAMICS_IDLE_MINUTES else hashable(reading.value)
