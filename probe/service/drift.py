"""What changed, as somebody is told of it: one notice for each subject, whatever of it changed at once. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from probe.alerts import AlertKind, Notice, Severity
from probe.document.telling.words import count
from probe.history import HistoryChange
from probe.history.telling import form_in_words, named, whose
from probe.model.vocabulary import all_keys
from probe.service.conditions import page_of

_MOST_CHANGES = 6
"""Changes of one subject that are named; the page has all."""


def notices_of(changes: Iterable[HistoryChange], affected: Mapping[str, Collection[tuple[str, str]]]) -> list[Notice]:
    """A notice for each subject of which something changed that is told as drift.

    How attempts end and what is thought of a mailbox is left out: conditions tell it. `affected` has the mailboxes of each subject, each with its profile.
    """
    by_subject: dict[tuple[str, str | None], list[HistoryChange]] = {}
    for change in sorted(changes, key=lambda one: one.id):
        if change.is_drift and change.key in all_keys():
            by_subject.setdefault((change.subject, change.mailbox), []).append(change)
    return [_notice(subject, mailbox, of_it, affected.get(subject, ())) for (subject, mailbox), of_it in by_subject.items()]


def _notice(subject: str, mailbox: str | None, changes: list[HistoryChange], affected: Collection[tuple[str, str]]) -> Notice:
    told = [
        f"{named(one.key)}: {'' if one.before is None else f'from {form_in_words(one.key, one.before)} '}to {form_in_words(one.key, one.after)}"
        for one in changes
    ]
    more = len(told) - _MOST_CHANGES
    mailboxes = [address for address, _ in affected] if mailbox is None else [mailbox]
    return Notice(
        key=f"{AlertKind.DRIFT}|{subject}|{mailbox or ''}|{changes[-1].id}",
        kind=AlertKind.DRIFT,
        severity=Severity.INFORMATION,
        subject=subject,
        title=f"{whose(subject, mailbox)}: {', '.join(dict.fromkeys(named(one.key) for one in changes))} changed",
        cause="Something that matters is not what it was before.",
        words="\n".join([*told[:_MOST_CHANGES], *([f"and {count(more, 'other change', 'other changes')}"] if more > 0 else [])]),
        remedy="If this was planned, there is nothing to do; else ask whoever runs the server what was changed.",
        path=page_of(subject),
        mailboxes=tuple(mailboxes),
        profiles=tuple(dict.fromkeys(profile for _, profile in affected)),
        since=changes[-1].at,
    )
