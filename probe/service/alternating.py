"""What changes back and forth, as where servers of two builds stand behind one name: told once, and once when it stays as it is. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from probe.alerts import FLAP_TIME, AlertCondition, AlertKind, Severity
from probe.document.telling.words import count
from probe.history import HistoryChange, says_again
from probe.history.telling import form_in_words, named, whose
from probe.model.estate import profile_subject
from probe.model.kinds import Json
from probe.service.drift import is_told, page_of_change

ALTERNATES = "changes-back-and-forth"
"""What a condition is called of which some value alternates."""
_LOOKS = 3
"""Quick looks that must find the same until it is over: a pool shows each of its servers by chance."""
_MOST_VALUES = 6
"""Values of one key that are named."""


_CourseKey = tuple[str, str | None, str]
"""Subject, account and key."""


class _KeyCourse:
    """The changes of one key of one subject, each within a time of the one before."""

    __slots__ = ("forms", "is_back_and_forth", "last", "number", "since")

    def __init__(self, first: HistoryChange) -> None:
        self.since = first.at
        self.last = first
        self.number = 1
        self.forms: list[Mapping[str, Json]] = [form for form in (first.before, first.after) if form is not None]
        """What was found, each once."""
        self.is_back_and_forth = False

    def goes_on(self, change: HistoryChange) -> bool:
        """Take in the next change; whether it leads back to what was found before."""
        self.last = change
        self.number += 1
        if any(says_again(change.key, form, change.after) for form in self.forms):
            self.is_back_and_forth = True
            return True
        self.forms.append(change.after)
        return False

    @property
    def words(self) -> str:
        """From what to what, how often, since when."""
        values = [form_in_words(self.last.key, {**form, "basis": "observed"}) for form in self.forms[:_MOST_VALUES]]
        since = f"{self.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return f"{named(self.last.key)}: has changed between {' and '.join(values)} {count(self.number, 'time', 'times')} since {since}"


class Alternations:
    """What changed lately, and what of it leads back to what was there before."""

    def __init__(self) -> None:
        self._courses: dict[_CourseKey, _KeyCourse] = {}
        self._taken = 0
        """Id of the last change that was taken in."""
        self._back: set[int] = set()
        """Ids of changes that lead back."""

    def take(self, changes: Iterable[HistoryChange], quick: timedelta | None) -> None:
        """Take in what changed, each change once however often it is handed in. `quick` is the time between two looks at an endpoint, where there are any."""
        for change in sorted(changes, key=lambda one: one.id):
            if change.id <= self._taken or not is_told(change):
                continue
            self._taken = change.id
            key = (change.subject, change.mailbox, change.key)
            course = self._courses.get(key)
            if course is None or change.at - course.last.at >= steady_after(quick):
                self._courses[key] = _KeyCourse(change)
            elif course.goes_on(change):
                self._back.add(change.id)

    def lead_back(self, change: HistoryChange) -> bool:
        """Whether a change leads back to what was found lately, so that it is told with the others of its kind alone."""
        return change.id in self._back

    def pass_over(self, changes: Iterable[HistoryChange]) -> None:
        """Forget the courses that these changes began: they were told with their cause."""
        for change in changes:
            key = (change.subject, change.mailbox, change.key)
            course = self._courses.get(key)
            if course is not None and course.last.id == change.id and not course.is_back_and_forth:
                del self._courses[key]

    def drop_untold(self, told: Collection[str], affected: Mapping[str, Collection[tuple[str, str]]]) -> None:
        """Drop what led back and was told otherwise, before a restart: all of which there is no incident. `told` are keys of conditions."""
        for (holder, mailbox), keys in self._holders(affected).items():
            if _key_of(holder, mailbox) not in told:
                for key in keys:
                    del self._courses[key]

    def forget(self, until: int) -> None:
        """Drop what was said of changes up to this id, which are told."""
        self._back = {number for number in self._back if number > until}

    def drop_what_stays(self, now: datetime, quick: timedelta | None) -> None:
        """Drop what has stayed as it is for long enough."""
        self._courses = {key: course for key, course in self._courses.items() if now - course.last.at < steady_after(quick)}

    @property
    def subjects(self) -> set[str]:
        """What has a value that alternates."""
        return {subject for (subject, _, _), course in self._courses.items() if course.is_back_and_forth}

    def next_end(self, quick: timedelta | None) -> datetime | None:
        """When the first that alternates now has stayed as it is for long enough; None where none does."""
        times = (course.last.at for course in self._courses.values() if course.is_back_and_forth)
        return min((at + steady_after(quick) for at in times), default=None)

    def conditions(self, affected: Mapping[str, Collection[tuple[str, str]]]) -> list[AlertCondition]:
        """A condition for each endpoint, or each profile with mailboxes, of which something alternates. `affected` is as of `notices_of`."""
        return [
            _condition(holder, mailbox, [self._courses[key] for key in keys], affected)
            for (holder, mailbox), keys in self._holders(affected).items()
        ]

    def _holders(self, affected: Mapping[str, Collection[tuple[str, str]]]) -> dict[tuple[str, str | None], list[_CourseKey]]:
        """What alternates, by the endpoint or profile that it is told of, and the account there."""
        found: dict[tuple[str, str | None], list[_CourseKey]] = {}
        for key, course in self._courses.items():
            if course.is_back_and_forth:
                subject, mailbox, _ = key
                profile = next((name for _, name in affected.get(subject, ())), None)
                holder = subject if "://" in subject or profile is None else profile_subject(profile)
                found.setdefault((holder, mailbox), []).append(key)
        return found


def steady_after(quick: timedelta | None) -> timedelta:
    """How long a value must stay as it is until it no longer alternates."""
    return FLAP_TIME if quick is None else max(FLAP_TIME, _LOOKS * quick)


def _key_of(holder: str, mailbox: str | None) -> str:
    return "|".join(filter(None, (AlertKind.DRIFT, ALTERNATES, mailbox, holder)))


def _condition(
    holder: str, mailbox: str | None, courses: list[_KeyCourse], affected: Mapping[str, Collection[tuple[str, str]]]
) -> AlertCondition:
    concerned = dict.fromkeys(pair for course in courses for pair in affected.get(course.last.subject, ()) if mailbox in (None, pair[0]))
    # Of many mailboxes that do the same, the one that did it most often is quoted.
    told = {course.last.key: course for course in sorted(courses, key=lambda one: one.number)}
    return AlertCondition(
        key=_key_of(holder, mailbox),
        kind=AlertKind.DRIFT,
        severity=Severity.INFORMATION,
        subject=holder,
        title=f"{whose(holder, mailbox)}: {', '.join(map(named, told))} changed back and forth",
        cause="Servers that are not alike may answer under one name, or one that does is started with other settings again and again.",
        words="\n".join(course.words for course in told.values()),
        remedy="See whether several servers answer here, and make them alike. Of these changes nothing more is told until it stays as it is.",
        path=page_of_change(courses[0].last),
        mailboxes=tuple(address for address, _ in concerned),
        profiles=tuple(dict.fromkeys(profile for _, profile in concerned)),
        since=min(course.since for course in courses),
    )
