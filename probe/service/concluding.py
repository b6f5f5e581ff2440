"""What is concluded of each part of an estate: judged, drawn for whoever looks, and what of it is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from probe.history import Sighting
from probe.model.runs import Run
from probe.service.bugs import log_bug
from probe.service.conditions import WhatIsWrong, what_is_wrong
from probe.service.instruments import Judges
from probe.service.judging import joined, judged
from probe.service.known import KnownLooks
from probe.service.looks import LookKey, Topic
from probe.service.parts import EstatePart, ReadingsByPart
from probe.service.recording import Recorded
from probe.service.resting import RestingPlace, RestingRun
from probe.service.taking_up import TakenUp
from probe.web.parts import PartState, PublishedPart


class Conclusions:
    """The conclusions of one estate, by the numbers of its parts. What `judge` does, it does in any one thread at a time."""

    def __init__(self, taken_up: TakenUp, judges: Judges, recorded: Recorded) -> None:
        self._parts, self._looks = taken_up.parts, taken_up.looks
        self._judges = judges
        self._recorded = recorded
        self._place = RestingPlace()
        self._runs: dict[int, RestingRun] = {}
        """What is known of each."""
        self.drawn: dict[int, PartState] = {}
        """Each as it is shown."""
        self.wrong: dict[int, WhatIsWrong] = {}

    def has(self, subject: str) -> bool:
        """Whether the part that has an endpoint or a mailbox was judged, or there is none."""
        part = self._parts.of(subject)
        return part is None or part.number in self._runs

    def run_of(self, subject: str, bare: Run) -> Run:
        """What is known of the part that has an endpoint or a mailbox, as a run of the whole estate; `bare` where nothing is."""
        part = self._parts.of(subject)
        known = None if part is None else self._runs.get(part.number)
        return bare if known is None else joined([known.run()], bare)

    def is_looked_at(self, number: int, known: KnownLooks) -> bool:
        """Whether each endpoint of a part was looked at."""
        return not self._unlooked(self._parts.all[number], known)

    def _unlooked(self, part: EstatePart, known: KnownLooks) -> set[str]:
        """The endpoints that are still to be looked at. Where they are never looked at by themselves, nothing waits for that."""
        if part.estate.schedule.quick is None:
            return set()
        ends = (LookKey(Topic.ENDPOINT, subject) for subject in part.subjects)
        return {key.subject for key in ends if key in self._looks and key not in known.believed}

    def looked_at(self, numbers: Sequence[int]) -> list[RestingRun]:
        """What is known of those of some parts of which every endpoint was looked at."""
        return [run for number in numbers if (run := self._runs.get(number)) is not None and not self.wrong[number].unlooked]

    def judge(self, numbers: Sequence[int], known: KnownLooks, of_dynamics: ReadingsByPart, bare: Run, now: datetime) -> list[Sighting]:
        """Judge some parts; gives what is to be recorded of them. Whatever becomes known meanwhile has its part judged again."""
        news: list[Sighting] = []
        for part in (self._parts.all[number] for number in numbers if number < len(self._parts.all)):
            # First: what comes meanwhile is judged the next time, and must not count as looked at now.
            unlooked = self._unlooked(part, known)
            keys = [LookKey(topic, subject) for subject in part.subjects for topic in Topic]
            looks = [look for key in keys if (look := known.look(key)) is not None]
            since = {look.key.subject: look.since for look in looks if look.key.topic in (Topic.ENDPOINT, Topic.ACCOUNT)}
            state = (*of_dynamics.get(None, ()), *of_dynamics.get(part.number, ()))
            try:
                run = judged(part, looks, state, self._judges.ruleset, bare)
                told = PublishedPart.of(run)
                wrong = what_is_wrong(told, since, unlooked)
            except Exception as failure:  # noqa: BLE001 - the other parts are judged; this one again when something of it is new, or tomorrow
                log_bug(failure, {"part": part.number})
                continue
            before = self._runs.get(part.number)
            resting = self._runs[part.number] = RestingRun(run, self._place if self._parts.rests(part) else None)
            self.wrong[part.number] = wrong
            try:
                self.drawn[part.number] = PartState(resting, told)
            except Exception as failure:  # noqa: BLE001 - what was shown of it before is shown, and it is recorded and told all the same
                log_bug(failure, {"part": part.number})
            news += self._recorded.news_of(run, now)
            looked_at = replace(run, assessments=tuple(a for a in run.assessments if a.mailbox not in wrong.unlooked))
            news += self._recorded.verdicts_of(looked_at, all_of_them=before is not None and before.judged_at != run.judged_at)
        return news
