"""An estate as the service takes it up: what is asked of it, in which looks and in which parts it is judged. Slow where an estate is large."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from probe.engine.observe import unheld
from probe.engine.plan import Conversation, Plan
from probe.model.attempts import Attempt
from probe.model.estate import Estate
from probe.model.runs import Run
from probe.model.values import dataclass
from probe.probing import Prober
from probe.schedule import Task
from probe.service.instruments import Judges
from probe.service.judging import bare_run, under
from probe.service.keeping import KeptLooks
from probe.service.known import BelievedLook, KnownLooks
from probe.service.looks import Look, LookKey, Topic, looks_of
from probe.service.parts import EstateParts
from probe.service.sharing import SharedWords


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenUp:
    """What follows from an estate alone."""

    plan: Plan
    bare: Run
    """A run of which nothing is known yet."""
    parts: EstateParts
    looks: Mapping[LookKey, tuple[Conversation, ...]]
    """The conversations that are held, by look."""
    unheld: Mapping[LookKey, tuple[Conversation, ...]]
    """Those that nobody holds."""

    @staticmethod
    def of(estate: Estate, judges: Judges, now: datetime) -> TakenUp:
        """An estate, as of a time."""
        plan = judges.plan(estate, now.date())
        of_looks = looks_of(plan, judges.probers)
        return TakenUp(
            plan=plan,
            bare=bare_run(plan, now, judges.host),
            parts=EstateParts(estate),
            looks=_those(of_looks, lambda one: one.not_held is None),
            unheld=_those(of_looks, lambda one: one.not_held is not None),
        )

    def unmade(self, key: LookKey, probers: Mapping[str, Prober]) -> Iterator[Attempt]:
        """The attempts of a look that nobody makes, with the reasons."""
        for one in self.unheld.get(key, ()):
            assert one.not_held is not None
            yield unheld(one, one.not_held, probers[one.prober], self.bare.started)

    def known(self, looks: Iterable[Look], before: Run, shared: SharedWords | None = None) -> KnownLooks:
        """What is known of the estate by looks that were held for another, that of the run `before`."""
        still = under(self.plan, (look for look in looks if look.key in self.looks), before)
        return KnownLooks(still, shared, rests=self.rests)

    def rests(self, key: LookKey) -> bool:
        """Whether a look is packed until it is asked for."""
        part = self.parts.of(key.subject)
        return part is not None and self.parts.rests(part)


def _those(
    of_looks: Mapping[LookKey, Iterable[Conversation]], are_meant: Callable[[Conversation], bool]
) -> dict[LookKey, tuple[Conversation, ...]]:
    meant = {key: tuple(filter(are_meant, of_look)) for key, of_look in of_looks.items()}
    return {key: of_look for key, of_look in meant.items() if of_look}


def taken_up_after(
    estate: Estate, judges: Judges, now: datetime, looks: Iterable[Look], before: Run, shared: SharedWords
) -> tuple[TakenUp, KnownLooks, list[Task]]:
    """An estate that is taken up after another, with what is known of it by the looks of that one, and its tasks."""
    made = TakenUp.of(estate, judges, now)
    return made, made.known(looks, before, shared), list(judges.tasks(estate, made.plan))


class KnownBefore(NamedTuple):
    """What is known by what was kept."""

    known: KnownLooks
    last_looks: dict[str, tuple[datetime, float]]
    """When each endpoint was found so, and what the conversation took."""
    otherwise: frozenset[LookKey]
    """Looks that say something else under the estate than they are kept to say."""

    def with_what_came(
        self, known: KnownLooks, before: Mapping[LookKey, BelievedLook], last_looks: Mapping[str, tuple[datetime, float]]
    ) -> KnownBefore:
        """The same with what is `known` now and was not `before` it was read, and what is now in `last_looks` of that."""
        since = [one.look.get() for key, one in known.believed.items() if one is not before.get(key)]
        for look in since:
            self.known.believe(look)
        newer = {look.key.subject: last_looks[look.key.subject] for look in since if look.key.subject in last_looks}
        return self._replace(last_looks={**self.last_looks, **newer})


def known_before(kept: KeptLooks, made: TakenUp, now: KnownLooks) -> KnownBefore:
    """What is kept of an estate that is taken up; what is known `now` where nothing is kept. Raises MemoryUnavailable."""
    last_looks: dict[str, tuple[datetime, float]] = {}
    said: dict[LookKey, int] = {}

    def looks(*, is_other: bool) -> Iterator[Look]:
        for look in kept.kept():
            if look.key.topic is Topic.ENDPOINT and look.key in made.looks:
                last_looks[look.key.subject] = (look.since, look.seconds or 0.0)
            if is_other:
                said[look.key] = look.quickly
            yield look

    before = kept.kept_estate()
    known = now if before is None else made.known(looks(is_other=before.estate != made.plan.estate), before, now.shared)
    known.unconfirmed = now.unconfirmed
    return KnownBefore(known, last_looks, known.otherwise_than(said))
