"""An estate in parts that are judged by themselves: what changes at one server costs nothing for the mailboxes of another. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import takewhile
from typing import TypeVar

from probe.model.estate import Endpoint, Estate, Mailbox, profile_subject
from probe.model.facts import Reading
from probe.model.values import dataclass
from probe.service.clock import Clock
from probe.web.parts import FEW_MAILBOXES

T = TypeVar("T")

PORTION = 25
"""Parts that are judged, recorded and looked ahead of together, and looks that are kept together."""

_FEW_PARTS = 50
"""Of an estate of which all may stay as it is."""

ReadingsByPart = Mapping[int | None, Sequence[Reading]]
"""Readings by the number of the part that they are about; None: of the deployment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstatePart:
    """Profiles that share an endpoint, directly or through others, with their mailboxes."""

    number: int
    estate: Estate
    """These profiles and mailboxes; and besides, for what is inferred of the deployment, one mailbox of another part for each way to synchronize
    appointments that no mailbox of this part has."""
    mailboxes: tuple[Mailbox, ...]
    """Those of this part."""
    subjects: tuple[str, ...]
    """Its endpoints, profiles and mailboxes."""


class EstateParts:
    """The parts of an estate."""

    def __init__(self, estate: Estate) -> None:
        first: dict[str, int] = {}
        groups: dict[int, list[str]] = {}
        ends = {profile.name: _ends_of(profile.incoming, profile.outgoing) for profile in estate.profiles}
        for mailbox in estate.mailboxes:
            ends[mailbox.profile] |= _ends_of(*estate.endpoints_of(mailbox))
        for number, (name, urls) in enumerate(ends.items()):
            joined = {first[url] for url in urls if url in first}
            together = [name, *(other for group in joined for other in groups.pop(group))]
            groups[number] = together
            for other in together:
                first.update(dict.fromkeys(ends[other], number))
        by_profile: dict[str, list[Mailbox]] = {}
        for mailbox in estate.mailboxes:
            by_profile.setdefault(mailbox.profile, []).append(mailbox)
        ways = {mailbox.appointments: mailbox for mailbox in reversed(estate.mailboxes)}
        profiles = {profile.name: profile for profile in estate.profiles}
        order = {profile.name: place for place, profile in enumerate(estate.profiles)}
        self.all: list[EstatePart] = []
        """In the order of their first profile."""
        for names in sorted((sorted(group, key=order.__getitem__) for group in groups.values()), key=lambda group: order[group[0]]):
            own = tuple(mailbox for name in names for mailbox in by_profile.get(name, ()))
            has = {mailbox.appointments for mailbox in own}
            beside = tuple(mailbox for way, mailbox in ways.items() if way not in has)
            kept = {*names, *(mailbox.profile for mailbox in beside)}
            self.all.append(
                EstatePart(
                    number=len(self.all),
                    estate=replace(
                        estate, profiles=tuple(profiles[name] for name in sorted(kept, key=order.__getitem__)), mailboxes=(*own, *beside)
                    ),
                    mailboxes=own,
                    subjects=(
                        *sorted({url for name in names for url in ends[name]}),
                        *map(profile_subject, names),
                        *dict.fromkeys(mailbox.address for mailbox in own),
                    ),
                )
            )
        self._of_subject = {subject: part for part in self.all for subject in part.subjects}

    def of(self, subject: str) -> EstatePart | None:
        """The part that an endpoint, a profile or a mailbox belongs to; None for what is of the deployment."""
        return self._of_subject.get(subject)

    def rests(self, part: EstatePart) -> bool:
        """Whether what is known of a part is packed until it is asked for: there are many parts, and unpacking this one is soon done."""
        return len(self.all) > _FEW_PARTS and len(part.mailboxes) <= FEW_MAILBOXES

    def sort(self, readings: Iterable[Reading]) -> ReadingsByPart:
        """The readings by part."""
        found: dict[int | None, list[Reading]] = {}
        for reading in readings:
            part = self.of(reading.subject)
            found.setdefault(None if part is None else part.number, []).append(reading)
        return found

    def with_some(self, subjects: Iterable[str]) -> set[int]:
        """The numbers of the parts that have some subjects."""
        return {part.number for subject in subjects if (part := self.of(subject)) is not None}


def in_portions(things: Sequence[T]) -> Iterator[Sequence[T]]:
    """The things, some at a time."""
    return (things[first : first + PORTION] for first in range(0, len(things), PORTION))


def in_portions_within(things: Sequence[T], clock: Clock, span: timedelta) -> Iterator[Sequence[T]]:
    """The same, as many as begin within a span of time."""
    began = clock.now()
    return takewhile(lambda _: clock.now() - began < span, in_portions(things))


def _ends_of(*endpoints: Endpoint | None) -> set[str]:
    return {endpoint.url for endpoint in endpoints if endpoint is not None}
