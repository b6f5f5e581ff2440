"""What a look or a run found, as the history keeps it: an entry for each key of a subject. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from probe.document import shown
from probe.model.attempts import Attempt, Outcome
from probe.model.facts import Fact, Facts, Missing, Reading, Why
from probe.model.kinds import Json
from probe.model.provenance import Declared, Evidence, Inferred
from probe.model.rules import Assessment, Finding, Result
from probe.model.runs import Run
from probe.model.values import dataclass
from probe.model.vocabulary import all_keys

SEEN = "seen"
"""Topic of what is known of a subject: readings, and how attempts ended."""
JUDGED = "judged"
"""Topic of what was thought of a mailbox."""
ASSESSMENT = "assessment"
"""The key under which an assessment is kept."""
OUTCOMES = "attempt:"
"""What the keys of outcomes begin with; the prober's id follows."""
_TELLING_GAPS = frozenset({Why.NOT_DISCLOSED, Why.NOT_APPLICABLE, Why.CONFLICTING})
"""Reasons of gaps that say something of the subject. Any other says that it could not be asked."""
_SAYS_NOTHING = frozenset({Outcome.NOT_SCHEDULED, Outcome.INTERRUPTED})
_MOST_WORDS = 6
_MOST_CHARACTERS = 1000
"""Of one line that is quoted; a line of a mail protocol has at most 512 (RFC 5321 section 4.5.3.1)."""
_VERDICT = ("support", "readiness", "directions", "fails")
"""The parts of an assessment whose change is drift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What was found for one key."""

    key: str
    form: Mapping[str, Json]
    """`value` or `why`, how it is known, and the words off the wire."""
    lasting: Json
    """What of it is compared over time."""
    says: bool = True
    """Whether it says anything of the subject; what could not be asked does not end what was known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What was found of one subject at one time."""

    subject: str
    mailbox: str | None
    topic: str
    """`seen` or `judged`."""
    at: datetime
    entries: tuple[Entry, ...]
    seconds: float | None = None
    """What its conversation took; None where that says nothing of the server."""
    attempts: tuple[Attempt, ...] = ()
    """Whose transcripts are kept where something changed."""
    known_digest: int | None = None
    """Its digest, where that was worked out before, and nothing else of it is kept: it counts only where nothing else was found since."""

    def digest(self) -> int:
        """64 bits that are the same as long as nothing changes, signed as databases want them."""
        if self.known_digest is not None:
            return self.known_digest
        told = {entry.key: [entry.lasting] if entry.says else [] for entry in self.entries}
        return int.from_bytes(hashlib.blake2b(_canonical(told).encode(), digest_size=8).digest(), "big", signed=True)


def sighting(
    subject: str,
    mailbox: str | None,
    at: datetime,
    readings: Iterable[Reading],
    attempts: Sequence[Attempt] = (),
    *,
    seconds: float | None = None,
) -> Sighting:
    """What some readings and attempts say of one subject, or of one account there. `seconds` are those of the look, where they say something of the server."""
    is_whole = bool(attempts) and all(attempt.outcome is Outcome.COMPLETED for attempt in attempts)
    by_key: dict[str, list[Reading]] = {}
    for reading in readings:
        by_key.setdefault(reading.key.name, []).append(reading)
    drawn = (of_key[0] if len(of_key) == 1 else Facts(subject, of_key).read(of_key[0].key) for of_key in by_key.values())
    entries = [_of_reading(reading, is_whole=is_whole) for reading in drawn]
    by_prober: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        by_prober.setdefault(attempt.prober, []).append(attempt)
    entries += [_of_attempts(prober, held) for prober, held in by_prober.items()]
    return Sighting(subject=subject, mailbox=mailbox, topic=SEEN, at=at, entries=tuple(entries), seconds=seconds, attempts=tuple(attempts))


def repeated(one: Sighting, at: datetime, seconds: float | None) -> Sighting:
    """The same found again at another time. Nothing of it is worked out anew."""
    return replace(one, at=at, seconds=seconds, entries=(), attempts=(), known_digest=one.digest())


def judgement(assessment: Assessment, at: datetime) -> Sighting:
    """What is thought of one mailbox."""
    of = {result: sorted(f.rule.id for f in assessment.findings if f.result is result) for result in (Result.FAILS, Result.UNKNOWN)}
    value = {
        "support": assessment.support.value,
        "readiness": assessment.readiness.value,
        "directions": {way.value: None if ready is None else ready.value for way, ready in assessment.directions.items()},
        "signed_in": None if assessment.signed_in is None else assessment.signed_in.value,
        "fails": of[Result.FAILS],
        "unknown": of[Result.UNKNOWN],
    }
    because = {finding.rule.id: list(_because(finding)) for finding in assessment.findings if finding.result is Result.FAILS}
    entry = Entry(key=ASSESSMENT, form={"value": value, "because": shown(because)}, lasting=value)
    return Sighting(subject=assessment.mailbox, mailbox=None, topic=JUDGED, at=at, entries=(entry,))


def sightings_of(run: Run) -> Iterator[Sighting]:
    """What a run saw and thought, subject by subject. Of one that was interrupted nothing: what it lacks says nothing."""
    if run.interrupted:
        return
    readings: dict[tuple[str, str | None], list[Reading]] = {}
    attempts: dict[tuple[str, str | None], list[Attempt]] = {}
    for reading in run.readings:
        readings.setdefault((reading.subject, reading.mailbox), []).append(reading)
    for attempt in run.attempts:
        attempts.setdefault((attempt.subject, attempt.mailbox), []).append(attempt)
    for subject, mailbox in sorted({*readings, *attempts}, key=lambda of: (of[0], of[1] or "")):
        held = attempts.get((subject, mailbox), [])
        at = max((attempt.at for attempt in held), default=run.finished)
        # The first conversation of a plan is that of the protocol; those about TLS, which take as long as they have hellos, come after it.
        seconds = held[0].seconds if held and held[0].outcome is Outcome.COMPLETED else None
        yield sighting(subject, mailbox, at, readings.get((subject, mailbox), ()), held, seconds=seconds)
    for assessment in run.assessments:
        yield judgement(assessment, run.finished)


def body_of(entry: Entry) -> str:
    """An entry as it is stored: JSON in ASCII, the same for what is equal."""
    return _canonical({"key": entry.key, **entry.form})


def continues(before: Mapping[str, Json], entry: Entry) -> bool:
    """Whether an entry says what a stored form of its key says, noise apart."""
    if not (entry.says or tells(before)):
        return True
    if "why" in before or "why" in entry.form:
        return before.get("why") == entry.form.get("why") and tells(before) == entry.says
    key = all_keys().get(entry.key)
    if key is None:
        return _canonical(before["value"]) == _canonical(entry.lasting)
    try:
        one, other = key.kind.decode(before["value"]), key.kind.decode(entry.form["value"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return False  # of a version that wrote it otherwise
    return _canonical(key.lasting(one)) == _canonical(entry.lasting) or key.reconcile(one, other) is not None


def says_again(key: str, before: Mapping[str, Json], after: Mapping[str, Json]) -> bool:
    """Whether of two stored forms of a key of the vocabulary the later says what the earlier does, noise apart."""
    known = all_keys()[key]
    try:
        lasting = after.get("why") if "why" in after else shown(known.lasting(known.kind.decode(after["value"])))
    except (KeyError, TypeError, ValueError, AttributeError):
        return False  # of a version that wrote it otherwise
    return continues(before, Entry(key=key, form=after, lasting=lasting, says=tells(after)))


def says_more(before: Mapping[str, Json], entry: Entry) -> bool:
    """Whether an entry that continues a stored form tells more, as the longer of two builds does."""
    key = all_keys().get(entry.key)
    if key is None or "why" in entry.form or "why" in before:
        return False
    one, other = key.kind.decode(before["value"]), key.kind.decode(entry.form["value"])
    return bool(key.lasting(one) != entry.lasting and key.reconcile(one, other) == other)


def tells(form: Mapping[str, Json]) -> bool:
    """Whether a stored form says something of its subject."""
    return "silent" not in form


def is_drift(before: Mapping[str, Json], entry: Entry) -> bool:
    """Whether it is told as drift that an entry follows a stored form."""
    if not (entry.says and tells(before)):
        return False
    if entry.key == ASSESSMENT:
        return any(before["value"].get(part) != entry.form["value"][part] for part in _VERDICT)
    key = all_keys().get(entry.key)
    return entry.key.startswith(OUTCOMES) if key is None else key.is_drift


def _of_reading(reading: Reading, *, is_whole: bool) -> Entry:
    if isinstance(reading, Fact):
        form: dict[str, Json] = {"value": reading.key.kind.encode(reading.value), **_source(reading)}
        return Entry(key=reading.key.name, form=shown(form), lasting=shown(reading.key.lasting(reading.value)))
    # What an inference does not conclude may be so because somebody was not reached; it has no time of its own.
    says = reading.why in _TELLING_GAPS and (reading.at is not None or is_whole)
    claims = [{"value": claim.key.kind.encode(claim.value), **_source(claim)} for claim in reading.claims]
    form = {
        "why": reading.why.value,
        "detail": reading.detail,
        **({"claims": claims} if claims else {}),
        **({} if says else {"silent": True}),
    }
    return Entry(key=reading.key.name, form=shown(form), lasting=reading.why.value, says=says)


def _source(fact: Fact[Any]) -> dict[str, Json]:
    words = _quoted(fact.provenance.evidence)
    match fact.provenance:
        case Declared(by=by):
            return {"basis": "declared", "by": by, "words": words}
        case Inferred(inference=inference):
            return {"basis": "inferred", "inference": inference, "words": words}
        case _:
            return {"basis": "observed", "words": words}


def _quoted(evidence: Iterable[Evidence]) -> list[str]:
    return [one.excerpt[:_MOST_CHARACTERS] for one in evidence][:_MOST_WORDS]


def _of_attempts(prober: str, attempts: Sequence[Attempt]) -> Entry:
    """How the attempts of one prober ended; of several, at several addresses, the first that did not complete."""
    told = next((attempt for attempt in attempts if attempt.outcome is not Outcome.COMPLETED), attempts[0])
    last = [line.text for line in told.transcript if line.speaker == "peer"][-1:]
    words = [] if told.outcome is Outcome.COMPLETED else [text[:_MOST_CHARACTERS] for text in last]
    says = told.outcome not in _SAYS_NOTHING
    form = {"value": told.outcome.value, "detail": told.detail, "words": words, **({} if says else {"silent": True})}
    return Entry(key=f"{OUTCOMES}{prober}", form=shown(form), lasting=told.outcome.value, says=says)


def _because(finding: Finding) -> Iterator[Mapping[str, Json]]:
    for reading in finding.because[:_MOST_WORDS]:
        where = {"subject": reading.subject, "key": reading.key.name}
        if isinstance(reading, Missing):
            yield {**where, "why": reading.why.value, "detail": reading.detail}
        else:
            yield {**where, "value": reading.key.kind.encode(reading.value), "words": _quoted(reading.provenance.evidence)}


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
"""A form as JSON in ASCII, the same for what is equal. `json.dumps` would make this encoder anew each time, which takes as long as a look's digest."""
