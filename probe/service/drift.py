"""What changed, as somebody is told of it: one notice for each subject, whatever of it changed at once. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from probe.alerts import AlertKind, Notice, Severity
from probe.document.telling.words import count
from probe.history import HistoryChange
from probe.history.telling import form_in_words, named, whose
from probe.model.estate import profile_subject
from probe.model.vocabulary import all_keys
from probe.web.places import page_of

_MOST_CHANGES = 6
"""Changes of one subject that are named; the page has all."""


def notices_of(changes: Iterable[HistoryChange], affected: Mapping[str, Collection[tuple[str, str]]]) -> list[Notice]:
    """A notice for each endpoint of which something changed that is told as drift, and one for all mailboxes of a profile of which the same did.

    `affected` has the mailboxes of each subject, each with its profile.
    """
    of_endpoints: dict[tuple[str, str | None], list[HistoryChange]] = {}
    of_mailboxes: dict[tuple[str, str], list[HistoryChange]] = {}
    for change in sorted(filter(is_told, changes), key=lambda one: one.id):
        if "://" in change.subject:
            of_endpoints.setdefault((change.subject, change.mailbox), []).append(change)
        else:
            profile = next((profile for _, profile in affected.get(change.subject, ())), "")
            of_mailboxes.setdefault((profile, _told(change)), []).append(change)
    return [
        *(_of_endpoint(*whose, of_it, affected.get(whose[0], ())) for whose, of_it in of_endpoints.items()),
        *(_of_mailboxes(profile, of_it) for (profile, _), of_it in of_mailboxes.items()),
    ]


def is_told(change: HistoryChange) -> bool:
    """Whether a change is told as drift.

    How attempts end and what is thought of a mailbox is not: conditions tell it. Nor is of a mailbox that something cannot be concluded at the moment.
    """
    is_gap = "why" in change.after or "why" in (change.before or {})
    return change.is_drift and change.key in all_keys() and ("://" in change.subject or not is_gap)


def page_of_change(change: HistoryChange) -> str:
    """The path of the page that shows a change: of what was found with an account, that of the mailbox."""
    return page_of(change.mailbox or change.subject)


def _of_endpoint(subject: str, mailbox: str | None, changes: list[HistoryChange], affected: Collection[tuple[str, str]]) -> Notice:
    mailboxes = [address for address, _ in affected] if mailbox is None else [mailbox]
    profiles = tuple(dict.fromkeys(profile for address, profile in affected if address in mailboxes))
    return _notice(subject, whose(subject, mailbox), changes, tuple(mailboxes), profiles)


def _of_mailboxes(profile: str, changes: list[HistoryChange]) -> Notice:
    """One change of one or more mailboxes of a profile, or of the profile or deployment itself."""
    subjects = tuple(dict.fromkeys(change.subject for change in changes))
    mailboxes = tuple(subject for subject in subjects if "@" in subject)
    name = subjects[0] if len(subjects) == 1 else f"{count(len(subjects), 'mailbox', 'mailboxes')} of profile {profile}"
    subject = subjects[0] if len(subjects) == 1 else profile_subject(profile)
    return _notice(subject, name, changes[:1], mailboxes, (profile,) if profile else ())


def _notice(subject: str, name: str, changes: list[HistoryChange], mailboxes: tuple[str, ...], profiles: tuple[str, ...]) -> Notice:
    told = [_told(one) for one in changes]
    more = len(told) - _MOST_CHANGES
    return Notice(
        key=f"{AlertKind.DRIFT}|{changes[-1].id}|{subject}",
        kind=AlertKind.DRIFT,
        severity=Severity.INFORMATION,
        subject=subject,
        title=f"{name}: {', '.join(dict.fromkeys(named(one.key) for one in changes))} changed",
        cause="Something that matters is not what it was before.",
        words="\n".join([*told[:_MOST_CHANGES], *([f"and {count(more, 'other change', 'other changes')}"] if more > 0 else [])]),
        remedy="If this was planned, there is nothing to do; else ask whoever runs the server what was changed.",
        path=page_of_change(changes[0]),
        mailboxes=mailboxes,
        profiles=profiles,
        since=changes[-1].at,
    )


def _told(change: HistoryChange) -> str:
    before = "" if change.before is None else f"from {form_in_words(change.key, change.before)} "
    return f"{named(change.key)}: {before}to {form_in_words(change.key, change.after)}"
