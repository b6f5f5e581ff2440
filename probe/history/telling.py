"""How the history is told: as lines for people, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from probe.document.telling.words import CITED_LIMIT, bounded, count, gap_in_words, provenance, value_in_words
from probe.history.entries import ASSESSMENT, OUTCOMES
from probe.history.latency import Latency
from probe.history.timelines import HistoryChange, Interval, KeptSubject, KeptTranscript
from probe.model.characters import visible
from probe.model.facts import Why
from probe.model.kinds import Json

_PARTS = {"support": "support", "readiness": "readiness", "signed_in": "signed in", "failing": "rules that fail"}
_LATENCIES = 12
"""Hours or days that are shown on a page; JSON has all of 14 days."""
_UNTOLD = (Why.NOT_ATTEMPTED, Why.NOT_APPLICABLE)


def change_as_json(change: HistoryChange) -> dict[str, Json]:
    """A change; `before` is null where it is no longer kept."""
    return {
        "id": change.id,
        "at": as_time(change.at),
        "last_seen_before": None if change.last_seen is None else as_time(change.last_seen),
        "subject": change.subject,
        "mailbox": change.mailbox,
        "key": change.key,
        "before": None if change.before is None else _public(change.before),
        "after": _public(change.after),
    }


def interval_as_json(one: Interval) -> dict[str, Json]:
    """An interval, with what was found in it."""
    return {
        "subject": one.subject,
        "mailbox": one.mailbox,
        "key": one.key,
        "first_seen": as_time(one.first_seen),
        "last_seen": as_time(one.last_seen),
        "lasts": one.is_open,
        **_public(one.form),
    }


def subject_as_json(one: KeptSubject) -> dict[str, Json]:
    """A subject, and since when it is known."""
    return {
        "subject": one.subject,
        "mailbox": one.mailbox,
        "first_seen": as_time(one.first_seen),
        "last_seen": as_time(one.last_seen),
        "milliseconds": one.milliseconds,
        "drift": one.drift,
    }


def transcript_as_json(one: KeptTranscript) -> dict[str, Json]:
    """A conversation, word for word."""
    return {"at": as_time(one.at), "prober": one.prober, "outcome": one.outcome, "transcript": list(one.lines)}


def latency_as_json(at: datetime, is_hour: bool, one: Latency) -> dict[str, Json]:
    """How long the looks of an hour or a day took, in milliseconds."""
    return {
        "from": as_time(at),
        "span": "hour" if is_hour else "day",
        "looks": one.looks,
        "minimum": one.minimum,
        "median": one.median,
        "maximum": one.maximum,
    }


def latency_lines(latencies: Sequence[tuple[datetime, bool, Latency]]) -> Iterator[str]:
    """How long the looks of the last hours or days took."""
    if latencies:
        yield "how long looks take, in milliseconds: least, median, most"
        for at, is_hour, one in latencies[-_LATENCIES:]:
            yield f"  {_shown(at)}  {'hour' if is_hour else 'day '}  {one.minimum:>6} {one.median:>6} {one.maximum:>6}"
        yield ""


def drift_lines(changes: Sequence[HistoryChange], since: datetime) -> Iterator[str]:
    """What changed, the newest first: when, of what, from what to what, and on which words."""
    above = None
    for change in changes:
        is_of_same = above == change.id  # as the parts of one assessment, which have their reasons in common
        above = change.id
        if not is_of_same:
            yield f"{_shown(change.at)}  {whose(change.subject, change.mailbox)}"
        before = f"last seen {_shown(change.last_seen)}" if change.last_seen is not None else ""
        yield f"  {named(change.key)}"
        if change.before is None:
            yield "    from  what is no longer kept"
        else:
            yield f"    from  {form_in_words(change.key, change.before)}{f'   ({before})' if before else ''}"
            yield from _words(change.before)
        yield f"    to    {form_in_words(change.key, change.after)}"
        yield from () if is_of_same else _words(change.after)
        yield ""
    yield f"{count(len(changes), 'change', 'changes')} since {_shown(since)}"


def subject_lines(subjects: Sequence[KeptSubject]) -> Iterator[str]:
    """A line for each subject: since when it is known, when it was last seen, and how often it drifted."""
    widest = max((len(whose(one.subject, one.mailbox)) for one in subjects), default=0)
    for one in subjects:
        drift = count(one.drift, "change", "changes") if one.drift else "no change"
        yield f"{whose(one.subject, one.mailbox):<{widest}}  {_span(one.first_seen, one.last_seen)}  {drift}"


def interval_lines(intervals: Iterable[Interval]) -> Iterator[str]:
    """What was so when: by subject and key, the newest first, with the words of the first look.

    A key of which nothing was ever known, nor should be, is left out.
    """
    by_subject: dict[tuple[str, str | None], dict[str, list[Interval]]] = {}
    for one in intervals:
        by_subject.setdefault((one.subject, one.mailbox), {}).setdefault(one.key, []).append(one)
    for (subject, mailbox), by_key in by_subject.items():
        yield whose(subject, mailbox)
        told = {key: of_key for key, of_key in by_key.items() if any(one.form.get("why") not in _UNTOLD for one in of_key)}
        for key in sorted(told, key=lambda name: (name != ASSESSMENT, not name.startswith(OUTCOMES), name)):
            yield f"  {named(key)}"
            for one in reversed(by_key[key]):
                yield f"    {_span(one.first_seen, one.last_seen)}  {form_in_words(key, one.form)}"
                if len(by_key[key]) > 1:
                    yield from _words(one.form)
        if left_out := len(by_key) - len(told):
            yield f"  of {count(left_out, 'other key', 'other keys')} nothing was asked or is to be known; --json has them"
        yield ""


def transcript_lines(transcripts: Iterable[KeptTranscript]) -> Iterator[str]:
    """Conversations, word for word."""
    marks = {"probe": ">", "peer": "<", "note": "-"}
    for one in transcripts:
        yield f"{_shown(one.at)}  {one.prober}: {one.outcome}"
        yield from (f"  {marks.get(line['from'], '-')} {line['text']}" for line in one.lines)
        yield ""


def form_in_words(key: str, form: Mapping[str, Json], told: Callable[[str, Json], str] | None = None) -> str:
    """What was found for a key, in one line; `told` has the words for the value of a key."""
    if "why" in form:
        return _bounded(gap_in_words({"why": form["why"], "detail": form.get("detail", "")}))
    value = form["value"]
    if key == ASSESSMENT:
        value = f"{value['support']}, {value['readiness']}" + (f"; fails: {', '.join(value['fails'])}" if value["fails"] else "")
    words = _bounded(value_in_words(value)) if told is None else told(key, value)
    detail = f" ({_bounded(form['detail'])})" if form.get("detail") else ""
    return words + detail + (provenance({"key": key, **form}) if "basis" in form else "")


def _words(form: Mapping[str, Json]) -> Iterator[str]:
    """The words off the wire that a form rests on, a line each."""
    for line in form.get("words", ()):
        yield f'          "{_bounded(line)}"'
    for rule, because in form.get("because", {}).items():
        yield f"          {rule}"
        for cited in because:
            told = f"{cited['subject']}: {cited['key']}"
            yield (
                f"            {told} is {_bounded(value_in_words(cited['value']))}"
                if "value" in cited
                else (f"            {told} is not known: {gap_in_words(cited)}")
            )
            yield from (f'              "{_bounded(line)}"' for line in cited.get("words", ()))


def _bounded(text: str) -> str:
    """What a peer may have said, as a part of one line."""
    return bounded(visible(text), CITED_LIMIT)


def named(key: str) -> str:
    """A key as people are told of it."""
    if key.startswith(OUTCOMES):
        return f"how {key.removeprefix(OUTCOMES)} ends"
    return _PARTS.get(key, key)


def whose(subject: str, mailbox: str | None) -> str:
    """Of what something was found."""
    return subject if mailbox in (None, subject) else f"{subject} for {mailbox}"


def _public(form: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in form.items() if name != "silent"}


def _shown(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _span(first: datetime, last: datetime) -> str:
    """From when to when; one time where both are the same minute."""
    return _shown(first) if _shown(first) == _shown(last) else f"{_shown(first)} to {_shown(last)}"


def as_time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
