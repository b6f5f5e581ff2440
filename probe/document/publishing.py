"""Makes the document of a run. It does so without pydantic, because a large estate has tens of thousands of findings."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, overload

from probe.model.attempts import Attempt
from probe.model.characters import visible
from probe.model.estate import BoundOrganization, Deployment, DynamicsAccess, Endpoint, Estate, Mailbox, OrganizationUrl, ServerProfile
from probe.model.facts import Fact, Missing, Reading
from probe.model.kinds import Json
from probe.model.provenance import Declared, Inferred, Observed, Provenance
from probe.model.rules import Assessment, Direction, Finding, Result, Rule, decides_readiness
from probe.model.runs import Asked, Run
from probe.model.schemas import RUN_SCHEMA
from probe.model.vocabulary import all_keys

if TYPE_CHECKING:
    from probe.document.forms import Form

T = TypeVar("T")


class Section(Sequence[Any]):
    """A list of the document that is made lazily, element by element, so that it is never in memory as a whole."""

    def __init__(self, items: Sequence[T], form: Callable[[int, T], Any], written: Callable[[int, T], str] | None = None) -> None:
        """`form` makes an element from its index and the item. Control characters in it are escaped when it is read. `written` makes the JSON of the
        same, where that is cheaper than to write the form."""
        self._items = items
        self._form: Callable[[int, Any], Any] = form
        self._written: Callable[[int, Any], str] = written or (lambda place, item: _shown_json(form(place, item)))

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return (shown(self._form(place, item)) for place, item in enumerate(self._items))

    @overload
    def __getitem__(self, place: int) -> Any: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Any]: ...
    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        return shown(self._form(range(len(self))[place], self._items[place]))

    def in_json(self) -> Iterator[str]:
        """Its elements as JSON in ASCII. The JSON is written once, and searched as text for characters that must be escaped."""
        return (self._written(place, item) for place, item in enumerate(self._items))


def publish(run: Run) -> dict[str, Any]:
    """The document of a run, as plain values that the json module accepts. Equal parts are shared, so it must not be changed."""
    return {name: list(value) if isinstance(value, Section) else value for name, value in in_sections(run).items()}


def in_sections(run: Run) -> dict[str, Any]:
    """The document of a run, with lists that are made lazily."""
    cited = _Cited(run)
    return {
        "schema": RUN_SCHEMA,
        "id": run.id,
        "probe": run.probe,
        "from": shown(run.host),
        "started": _time(run.started),
        "finished": _time(run.finished),
        "judged_at": run.judged_at.isoformat(),
        "asked": shown(_asked(run.asked)),
        "interrupted": run.interrupted,
        "estate": None if run.estate is None else _estate(run.estate),
        "attempts": Section(run.attempts, lambda _, attempt: _attempt(attempt)),
        "facts": Section(cited.facts, lambda place, fact: _fact(fact, id=_fact_id(place))),
        "missing": Section(cited.gaps, lambda place, gap: _missing(gap, run.finished, id=_gap_id(place))),
        "rules": {rule.id: shown(rule_form(rule)) for rule in cited.rules},
        "assessments": Section(
            run.assessments,
            lambda _, assessment: _assessment(assessment, cited),
            lambda _, assessment: _assessment_json(assessment, cited),
        ),
    }


class _Cited:
    """The readings of a run in their order, the gaps that findings rest on beside them, and the ids of what a finding cites."""

    def __init__(self, run: Run) -> None:
        cited: dict[int, Reading] = {}
        rules: dict[int, Rule] = {}
        seen: set[int] = set()
        self._shared: set[int] = set()
        """Findings of several mailboxes, by identity: mailboxes with the same result share them."""
        for assessment in run.assessments:
            for finding in assessment.findings:
                # By identity first: nearly all findings of a large estate are shared.
                if id(finding) in seen:
                    self._shared.add(id(finding))
                    continue
                seen.add(id(finding))
                if finding.result is Result.NOT_APPLICABLE:
                    continue
                rules.setdefault(id(finding.rule), finding.rule)
                # Kept alive, because an id() is unique only as long as its object lives.
                cited.update((id(reading), reading) for reading in finding.because)
        self.rules = tuple(rules.values())
        self._by_key: dict[tuple[str, str], list[Reading]] = {(reading.subject, reading.key.name): [] for reading in cited.values()}
        for reading in run.readings if cited else ():
            if (of_key := self._by_key.get((reading.subject, reading.key.name))) is not None:
                of_key.append(reading)
        beside: list[Reading] = []
        for reading in cited.values():
            if not self._standing_for(reading):
                # Nothing was asked: there is no reading, and the finding rests on that.
                self._by_key[reading.subject, reading.key.name].append(reading)
                beside.append(reading)
        readings = _in_order((*run.readings, *beside))
        self.facts = [r for r in readings if isinstance(r, Fact)]
        self.gaps = [r for r in readings if isinstance(r, Missing)]
        standing = {name: self._standing_for(reading) for name, reading in cited.items()}
        wanted = {id(reading) for readings in standing.values() for reading in readings}
        own = {id(fact): _fact_id(place) for place, fact in enumerate(self.facts) if id(fact) in wanted}
        own.update((id(gap), _gap_id(place)) for place, gap in enumerate(self.gaps) if id(gap) in wanted)
        self._ids = {name: tuple(own[id(r)] for r in readings) for name, readings in standing.items()}
        """The ids in the document, by the identity of the cited reading."""
        self._forms: dict[int, dict[str, Json]] = {}
        self._written: dict[int, str] = {}

    def form_of(self, finding: Finding, served: Sequence[Direction]) -> dict[str, Json]:
        """A finding as it is published, made once where several mailboxes share it, which then have the same directions served."""
        form = self._forms.get(id(finding))
        if form is None:
            because: list[Json] = [*dict.fromkeys([one for reading in finding.because for one in self._ids[id(reading)]])]
            form = {"rule": finding.rule.id, "result": finding.result.value, "because": because}
            if apart := _apart(finding, served):
                form["directions"] = apart
            if id(finding) in self._shared:
                self._forms[id(finding)] = form
        return form

    def json_of(self, finding: Finding, served: Sequence[Direction]) -> str:
        """The same as JSON, written once where several mailboxes share it."""
        written = self._written.get(id(finding))
        if written is None:
            written = _shown_json(self.form_of(finding, served))
            if id(finding) in self._shared:
                self._written[id(finding)] = written
        return written

    def _standing_for(self, cited: Reading) -> list[Reading]:
        """The readings of the run behind a cited one: the reading itself, or those of an endpoint and of an account there that it combines."""
        of_key = self._by_key.get((cited.subject, cited.key.name), [])
        if any(reading is cited for reading in of_key):
            return [cited]
        return [reading for reading in of_key if reading.mailbox in (None, cited.mailbox)]


def _in_order(readings: Iterable[Reading]) -> list[Reading]:
    """Readings by subject, those of everybody before those of an account, and by key as the vocabulary has them."""
    by_subject: dict[str, list[Reading]] = {}
    for reading in readings:
        by_subject.setdefault(reading.subject, []).append(reading)
    order = {name: place for place, name in enumerate(all_keys())}
    ordered: list[Reading] = []
    for subject in sorted(by_subject):
        # One subject at a time, which keeps the number of sort keys small.
        ordered += sorted(by_subject.pop(subject), key=lambda r: (r.mailbox or "", order.get(r.key.name, len(order))))
    return ordered


def _fact_id(place: int) -> str:
    return f"f{place + 1}"


def _gap_id(place: int) -> str:
    return f"m{place + 1}"


def json_pieces(form: Mapping[str, Any] | Sequence[Any]) -> Iterator[str]:
    """A form as JSON in ASCII, piece by piece: a line for each element of an array at the top, or of an array of the object at the top.

    So a large document is never in memory as text, and line-based tools can process it.
    """
    if not isinstance(form, Mapping):
        yield from _json_array(form)
        yield "\n"
        return
    before = "{"
    for name, value in form.items():
        yield f"{before}{_json(name)}:"
        yield from _json_array(value) if isinstance(value, list | tuple | Section) else (_json(value),)
        before = ",\n"
    yield "}\n" if form else "{}\n"


def _json_array(elements: Sequence[Any]) -> Iterator[str]:
    before = "[\n"
    for element in elements.in_json() if isinstance(elements, Section) else map(_json, elements):
        yield before + element
        before = ",\n"
    yield "\n]" if elements else "[]"


def _json(form: Any) -> str:
    return _encoded(form).decode("ascii").replace("\x7f", "\\u007f")  # DEL is ASCII too, and a control


_FEW = 3_000
"""Pieces of JSON, more than a look at some endpoints has: pydantic's encoder takes three times less for each, and as long to load as some thousands
take of the standard library's."""
_encodings = itertools.count()
_encoded_slowly = json.JSONEncoder(separators=(",", ":")).encode


def _encoded(form: Any) -> bytes:
    """JSON in ASCII; the first pieces by the standard library, so that a small run does without pydantic. Both write what a run holds to the same letter."""
    if next(_encodings) < _FEW:
        return _encoded_slowly(form).encode("ascii")
    from pydantic_core import to_json

    return to_json(form, ensure_ascii=True)


@lru_cache(1024)  # of an estate that is declared in one moment
def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def shown(form: Json) -> Json:
    """The form with the control characters of every text escaped, because programs print what they read.

    Text from peers is escaped where it is received. This is the last guard, for text from elsewhere, such as the name of this machine.
    Line ends are kept: they separate the lines of a greeting, which the codecs joined.
    """
    return _shown(form) if _visible_json(form) is None else form


def _shown_json(form: Json) -> str:
    """The result of `shown`, as JSON in ASCII."""
    written = _visible_json(form)
    return _json(_shown(form)) if written is None else written.decode("ascii")


def _visible_json(form: Json) -> bytes | None:
    """The form as JSON in ASCII; None where a text in it may need escapes."""
    # Nearly always there is nothing to escape. The JSON of the whole shows that several times faster than a search in each text.
    try:
        written = _encoded(form)
    except ValueError:
        return None  # half a surrogate, which is one of those characters
    # A search for one byte is ten times faster than a regular expression, and most texts match neither.
    is_doubtful = (b"\\" in written or b"\x7f" in written) and _TO_BE_SHOWN.search(written) is not None
    return None if is_doubtful else written


_TO_BE_SHOWN = re.compile(rb'\\[^nt"\\]|\x7f')
"""How ASCII JSON writes a character that may need an escape: all but printable ASCII, line end and tab."""


def _shown(form: Json) -> Json:
    if isinstance(form, str):
        return form if form.isprintable() else visible(form, keep="\t\n")
    if isinstance(form, dict):
        return {_shown(name): _shown(value) if isinstance(value, str | dict | list) else value for name, value in form.items()}
    if isinstance(form, list):
        return [_shown(value) for value in form]
    return form


def _asked(asked: Asked) -> dict[str, Json]:
    return {
        "mailboxes": None if asked.mailboxes is None else list(asked.mailboxes),
        "tls": asked.tls,
        "fips": asked.fips,
        "allow": sorted(map(str, asked.allow)),
        "all_addresses": asked.all_addresses,
    }


def _estate(estate: Estate) -> dict[str, Any]:
    # The forms load pydantic, which a look needs for nothing else.
    from probe.document.forms import DeploymentForm, DynamicsForm, MailboxForm, ProfileForm

    return {
        "deployment": shown(_as_declared(estate.deployment, DeploymentForm)),
        "profiles": [shown(_as_declared(p, ProfileForm)) for p in estate.profiles],
        "mailboxes": [shown(_as_declared(m, MailboxForm)) for m in estate.mailboxes],
        "dynamics": None if estate.dynamics is None else shown(_as_declared(estate.dynamics, DynamicsForm)),
    }


def _as_declared(declared: Deployment | DynamicsAccess | ServerProfile | Mailbox, form: type[Form]) -> dict[str, Json]:
    """The fields that the form has, and no others: no form has a field for the reference to a secret."""
    return {name: _estate_value(getattr(declared, name)) for name in form.model_fields}


def _estate_value(value: object) -> Json:
    match value:
        case StrEnum():
            return value.value
        case Endpoint():
            return value.url
        case OrganizationUrl() | BoundOrganization():
            return str(value)
        case date():
            return value.isoformat()
        case frozenset():
            return sorted(map(str, value))
        case tuple():
            return list(value)
        case _:
            return value


def _attempt(attempt: Attempt) -> dict[str, Json]:
    return {
        "id": attempt.id,
        "prober": attempt.prober,
        "subject": attempt.subject,
        "mailbox": attempt.mailbox,
        "address": attempt.address,
        "outcome": attempt.outcome.value,
        "detail": attempt.detail,
        "connections": attempt.connections,
        "at": _time(attempt.at),
        "seconds": round(attempt.seconds, 3),
        "transcript": [{"line": t.number, "from": t.speaker, "text": t.text} for t in attempt.transcript],
    }


def _fact(fact: Fact[Any], **named: str) -> dict[str, Json]:
    """`named` is the id, which a claim has not."""
    return {
        **named,
        "subject": fact.subject,
        "mailbox": fact.mailbox,
        "key": fact.key.name,
        "value": fact.key.kind.encode(fact.value),
        **_basis(fact.provenance),
        "attempt": fact.attempt,
        "evidence": [{"attempt": e.attempt, "line": e.line, "excerpt": e.excerpt} for e in fact.provenance.evidence],
        "at": _time(fact.at),
    }


def _basis(provenance: Provenance) -> dict[str, Json]:
    match provenance:
        case Observed():
            return {"basis": "observed"}
        case Declared(by=by):
            return {"basis": "declared", "by": by}
        case Inferred(inference=inference, premises=premises):
            return {"basis": "inferred", "inference": inference, "premises": list(premises)}


def _missing(gap: Missing, otherwise: datetime, **named: str) -> dict[str, Json]:
    return {
        **named,
        "subject": gap.subject,
        "mailbox": gap.mailbox,
        "key": gap.key.name,
        "why": gap.why.value,
        "detail": gap.detail,
        "claims": [_fact(claim) for claim in gap.claims],
        "at": _time(gap.at or otherwise),
    }


def _assessment(assessment: Assessment, cited: _Cited) -> dict[str, Json]:
    """The document of one mailbox; what does not concern it is left out."""
    served = _served(assessment)
    return {**conclusion_form(assessment), "findings": [cited.form_of(finding, served) for finding in _applying(assessment)]}


def _assessment_json(assessment: Assessment, cited: _Cited) -> str:
    """The same as JSON. Of the findings, which are nearly all of it, most are shared and so are written already."""
    served = _served(assessment)
    findings = ",".join([cited.json_of(finding, served) for finding in _applying(assessment)])
    return f'{_shown_json(conclusion_form(assessment)).removesuffix("}")},"findings":[{findings}]}}'


def _applying(assessment: Assessment) -> list[Finding]:
    not_applicable = Result.NOT_APPLICABLE
    return [finding for finding in assessment.findings if finding.result is not not_applicable]


def _served(assessment: Assessment) -> list[Direction]:
    return [direction for direction, ready in assessment.directions.items() if ready is not None]


def _apart(finding: Finding, served: Sequence[Direction]) -> dict[str, Json]:
    """What came of a rule of readiness in those directions where that is not its result; none where nothing is drawn from it there."""
    if not decides_readiness(finding.rule):
        return {}
    of_each = ((direction, finding.directions.get(direction)) for direction in served)
    return {direction.value: part and part.value for direction, part in of_each if part is not finding.result}


def conclusion_form(assessment: Assessment) -> dict[str, Json]:
    """What is drawn of the findings of a mailbox."""
    return {
        "mailbox": assessment.mailbox,
        "profile": assessment.profile,
        "support": assessment.support.value,
        "readiness": assessment.readiness.value,
        "signed_in": None if assessment.signed_in is None else assessment.signed_in.value,
        "directions": {name.value: None if how is None else how.value for name, how in assessment.directions.items()},
    }


def rule_form(rule: Rule) -> dict[str, Json]:
    """The texts of a rule."""
    return {
        "title": rule.title,
        "by": rule.by.value,
        "lists": rule.lists,
        "otherwise": rule.otherwise.value,
        "statement": rule.statement,
        "references": [{"title": r.title, "url": r.url, "dated": r.dated, "disagrees": r.disagrees} for r in rule.references],
        "remedy": rule.remedy,
    }
