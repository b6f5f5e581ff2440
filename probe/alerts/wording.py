"""The words of an alert: a title and lines, the same for every target, and how a target's text is made of them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from probe.alerts.conditions import AlertCondition, AlertKind, Severity
from probe.alerts.quoting import MOST_KEPT, Style, as_styled, inert, own
from probe.model.values import dataclass

MOST_NAMED = 20
"""Mailboxes, and entries of each part of a digest, that are named."""
MOST_TITLE = 200
MOST_LINE = 1000
_CUT = "(cut here; the rest is on the page, and in: probe alert list)"
REPETITION = "Possibly a repetition: it is not known whether this alert arrived when it was sent before."
_UNWATCHED = "NO LONGER WATCHED"
"""In the place of *recovered* where nobody knows whether it is over."""
TESTING = "A test of this target. Nothing has happened."


class EventKind(StrEnum):
    """What an event tells."""

    BEGAN = "began"
    WORSE = "worse"
    REMINDER = "reminder"
    UNSTEADY = "unsteady"
    STEADY = "steady"
    """It was unsteady, and lasts now."""
    RECOVERED = "recovered"
    NOTICE = "notice"
    DIGEST = "digest"
    TEST = "test"


class Part(StrEnum):
    """What a line is, which decides how it is quoted."""

    OURS = "ours"
    WORDS = "words"
    LINK = "link"
    """An address to follow, from the estate; it stays as it is."""


@dataclass(frozen=True, slots=True)
class MessageLine:
    """One line of an alert."""

    part: Part
    text: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What an event tells. It is written once, when it is known; each target gets it in its own form."""

    title: str
    severity: Severity
    is_over: bool
    lines: tuple[MessageLine, ...]
    thread: str = ""
    """What the messages of one incident have in common, for targets that keep incidents of their own; empty where it is none."""


def message_text(message: Message) -> str:
    """A message as it is kept: JSON."""
    lines = [[line.part, line.text[:MOST_KEPT] if line.part is Part.WORDS else line.text, line.label] for line in message.lines]
    return json.dumps(
        {"title": message.title, "severity": message.severity, "is_over": message.is_over, "lines": lines, "thread": message.thread}
    )


def message_of(text: str) -> Message:
    """The message that is kept as a text. Raises KeyError, TypeError or ValueError where another version has written it otherwise."""
    form = json.loads(text)
    lines = tuple(MessageLine(Part(part), words, label) for part, words, label in form["lines"])
    return Message(title=form["title"], severity=Severity(form["severity"]), is_over=form["is_over"], lines=lines, thread=form["thread"])


def new_event_id() -> str:
    """The id of an event, as it stands in its message."""
    return secrets.token_hex(6)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPlace:
    """What an alert says beside what it is about."""

    deployment: str
    link: str | None
    """What links to the page begin with; None where there is no page to be reached."""


def message(kind: EventKind, about: AlertCondition, place: AlertPlace, *, incident: int | None, began: datetime, now: datetime) -> Message:
    """The message for a condition or notice. `began` and `now` in the time zone in which they are told."""
    is_over = kind is EventKind.RECOVERED
    is_unwatched = is_over and about.is_unwatched
    of_kind = [f"It is not watched any more. It began on {_time(began)}."] if is_unwatched else _of_kind(kind, began, now)
    lines = [MessageLine(Part.OURS, text) for text in of_kind]
    lines += [
        MessageLine(Part.OURS, about.cause, "Cause"),
        # Values that were found otherwise are told by us, and may be what a server said all the same.
        MessageLine(Part.WORDS, about.words, "What changed" if about.kind is AlertKind.DRIFT else "In the server's words"),
        MessageLine(Part.OURS, "" if is_over else about.remedy, "Remedy"),
        _where(about, place),
        MessageLine(Part.OURS, _mailboxes(about), "Mailboxes"),
        MessageLine(Part.OURS, ", ".join(sorted(about.profiles)), "Server profiles"),
    ]
    if incident is not None and not is_over:
        lines.append(MessageLine(Part.OURS, f"{incident}; no more reminders of it after: probe alert ack {incident}", "Incident"))
    elif incident is not None:
        lines.append(MessageLine(Part.OURS, str(incident), "Incident"))
    return Message(
        title=f"[{_UNWATCHED if is_unwatched else _mark(kind, about.severity)}] {place.deployment}: {about.title}",
        severity=about.severity,
        is_over=is_over,
        lines=tuple(line for line in lines if line.text),
        thread="" if incident is None else f"probe/{place.deployment}/{incident}",
    )


def digest(place: AlertPlace, parts: Sequence[tuple[str, Sequence[str]]], since: datetime, now: datetime) -> Message:
    """What changed since a time: titles under headings."""
    lines = [MessageLine(Part.OURS, f"From {_time(since)} to {_time(now)}.")]
    for heading, titles in parts:
        if titles:
            lines.append(MessageLine(Part.OURS, str(len(titles)), heading))
            lines += [MessageLine(Part.OURS, f"- {title}") for title in titles[:MOST_NAMED]]
            if len(titles) > MOST_NAMED:
                lines.append(MessageLine(Part.OURS, f"and {len(titles) - MOST_NAMED} more"))
    if place.link is not None:
        lines.append(MessageLine(Part.LINK, f"{place.link}/changes", "Where to look"))
    return Message(title=f"[DIGEST] {place.deployment}: what changed", severity=Severity.INFORMATION, is_over=False, lines=tuple(lines))


def trial_message(place: AlertPlace, now: datetime) -> Message:
    """What `probe alert test` sends."""
    lines = (MessageLine(Part.OURS, TESTING), MessageLine(Part.OURS, _time(now), "Sent"))
    return Message(title=f"[TEST] {place.deployment}: test of an alert target", severity=Severity.INFORMATION, is_over=False, lines=lines)


def title_of(message: Message, style: Style) -> str:
    """The title for a target of this style."""
    return as_styled(_short(own(message.title), MOST_TITLE), style)


def body_of(message: Message, style: Style, *, event: str, is_repetition: bool, most: int, line_end: str = "\n") -> str:
    """The body for a target of this style, of at most so many characters."""
    shown = [as_styled(REPETITION, style)] if is_repetition else []
    shown += [_shown(line, style) for line in message.lines]
    last = as_styled(f"Event: {event}", style)
    whole = line_end.join([*shown, last])
    if len(whole) <= most:
        return whole
    left = most - len(_CUT) - len(last) - 2 * len(line_end)
    kept: list[str] = []
    for line in shown:
        if len(line) + len(line_end) > left:
            break
        kept.append(line)
        left -= len(line) + len(line_end)
    return line_end.join([*kept, _CUT, last])


def _shown(line: MessageLine, style: Style) -> str:
    label = f"{line.label}: " if line.label else ""
    match line.part:
        case Part.LINK:
            return label + own(line.text)
        case Part.WORDS:
            return as_styled(f"{label}«{inert(line.text)}»", style)
    return as_styled(_short(own(label + line.text), MOST_LINE), style)


def _of_kind(kind: EventKind, began: datetime, now: datetime) -> list[str]:
    match kind:
        case EventKind.BEGAN | EventKind.WORSE:
            return [f"Since {_time(began)}."]
        case EventKind.REMINDER:
            return [f"It has lasted since {_time(began)}, for {_duration(now - began)}."]
        case EventKind.UNSTEADY:
            return ["It has begun and ended several times within an hour. Nothing more is told of it until it stays as it is."]
        case EventKind.STEADY:
            return [f"It no longer begins and ends: it lasts since {_time(began)}."]
        case EventKind.RECOVERED:
            return [f"It is over. It began on {_time(began)}, and lasted for {_duration(now - began)}."]
    return [f"Seen on {_time(began)}."]


def _mark(kind: EventKind, severity: Severity) -> str:
    match kind:
        case EventKind.RECOVERED:
            return "RECOVERED"
        case EventKind.REMINDER | EventKind.UNSTEADY:
            return f"{kind.upper()}, {severity.upper()}"
        case EventKind.WORSE:
            return f"WORSE, {severity.upper()}"
    return severity.upper()


def _where(about: AlertCondition, place: AlertPlace) -> MessageLine:
    if place.link is not None and about.path:
        return MessageLine(Part.LINK, place.link + about.path, "Where to look")
    return MessageLine(Part.OURS, f"probe history ESTATE.toml {about.subject}", "Where to look")


def _mailboxes(about: AlertCondition) -> str:
    named = about.mailboxes[:MOST_NAMED]
    total = len(about.mailboxes) + about.more_mailboxes
    more = f", and {total - len(named)} more" if total > len(named) else ""
    return f"{total}: {', '.join(named)}{more}" if total > 1 else ", ".join(named)


def _time(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="minutes")


def _duration(time: timedelta) -> str:
    minutes = max(0, round(time.total_seconds() / 60))
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
