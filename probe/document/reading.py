"""Reads a document back to the run, its estate and its readings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from probe.model.attempts import Attempt, Outcome, TranscriptLine, packed
from probe.model.estate import (
    UNTOLD_SECRET,
    BoundOrganization,
    Deployment,
    DynamicsAccess,
    Endpoint,
    Estate,
    Mailbox,
    OrganizationUrl,
    ServerProfile,
)
from probe.model.facts import Fact, Missing, Reading, Why
from probe.model.keys import FactKey
from probe.model.kinds import UnknownWord
from probe.model.provenance import Declared, Evidence, Inferred, Observed, Provenance
from probe.model.runs import Asked, Run
from probe.model.schemas import RUN_SCHEMA
from probe.model.vocabulary import all_keys

if TYPE_CHECKING:
    from pydantic import ValidationError

    from probe.document.forms import DynamicsForm, Form, MailboxForm, ProfileForm

F = TypeVar("F", bound="Form")

_WHYS = frozenset(why.value for why in Why)
_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
_NOBODY_ASKED = Asked(mailboxes=None, tls="none", fips="", allow=frozenset(), all_addresses=False)
_MAX_MISTAKES = 3
"""Most mistakes that are reported of one part of a document."""


class NotADocument(ValueError):
    """The document is not a run of this format. The message says where, and what is wrong there."""


def read_run(document: object) -> Run:
    """The run of a document, without its assessments, which follow from the rest.

    Facts and gaps alone are enough. Where the document does not say when it was made, it was made at noon of the day for which it
    is judged, or else at the beginning of 1970. Unknown parts are skipped; `carried_over` passes them on. Raises NotADocument.
    """
    if not isinstance(document, Mapping) or document.get("schema") != RUN_SCHEMA:
        said = document.get("schema") if isinstance(document, Mapping) else None
        raise NotADocument(
            f"this is not a document of the format {RUN_SCHEMA}" + (f", but of {said!r:.60}" if isinstance(said, str) else "")
        )
    part = "document"
    try:
        judged_at = date.fromisoformat(document.get("judged_at") or "1970-01-01")
        noon = datetime(judged_at.year, judged_at.month, judged_at.day, 12, tzinfo=UTC)
        started, finished = (_time(document.get(name)) or noon for name in ("started", "finished"))
        interrupted = _boolean(document.get("interrupted") or False)
        part = "estate"
        estate = _read_estate(document["estate"]) if document.get("estate") is not None else None
        part = "asked"
        asked = _read_asked(document["asked"]) if document.get("asked") is not None else _NOBODY_ASKED
        part = "attempts"
        attempts = tuple(
            attempt
            for form in _list(document, "attempts")
            # An attempt with an outcome of a later version is validated too, because reports show it.
            if (attempt := _read_attempt(form, started)) is not None
        )
        part = "facts and gaps"
        return Run(
            id=_text(document.get("id") or ""),
            probe=_text(document.get("probe") or ""),
            host=_text(document.get("from") or ""),
            started=started,
            finished=finished,
            judged_at=judged_at,
            asked=asked,
            estate=estate,
            attempts=attempts,
            readings=readings(document, finished),
            assessments=(),
            interrupted=interrupted,
        )
    except NotADocument:
        raise
    except KeyError as missing:
        raise NotADocument(f"{part}: {missing} is missing") from None
    except (AttributeError, OverflowError, TypeError, ValueError) as wrong:
        raise NotADocument(f"{part}: {wrong}") from None


def readings(document: Mapping[str, Any], otherwise: datetime | None = None) -> tuple[Reading, ...]:
    """The facts and gaps of a document, as far as this version knows their keys and reasons.

    `otherwise` is the time of readings without one. Raises NotADocument for a value that does not fit its key.
    """
    found = (
        *(_read_fact(form, otherwise) for form in _list(document, "facts")),
        *(_read_missing(form, otherwise) for form in _list(document, "missing")),
    )
    return tuple(reading for reading in found if reading is not None)


def carried_over(stored: Mapping[str, Any], document: dict[str, Any], *, has_its_estate: bool = True) -> dict[str, Any]:
    """The document with the additions of a stored one: members, keys and values of a later version that this version does not know.

    Additions to the estate are carried over only where that estate was judged (`has_its_estate`). `stored` is a
    document that `read_run` accepted.
    """
    merged = {**document, **{name: value for name, value in stored.items() if name not in document}}
    merged["attempts"] = _with_more(document["attempts"], _list(stored, "attempts"), "id")
    unknown = [form for form in _list(stored, "attempts") if not _is_one_of(form.get("outcome"), _OUTCOMES)]
    merged["attempts"] += [form for form in unknown if form["id"] not in {a["id"] for a in document["attempts"]}]
    for name, letter, knows, empty in (("facts", "f", _knows_fact, _EMPTY_FACT), ("missing", "m", _knows_gap, _EMPTY)):
        beyond = [form for form in _list(stored, name) if not knows(form)]
        first = len(document[name]) + 1
        merged[name] = [
            *document[name],
            *({**empty, **form, "id": f"{letter}{number}"} for number, form in enumerate(beyond, start=first)),
        ]
    if has_its_estate and document["estate"] is not None and stored.get("estate") is not None:
        old, new = stored["estate"], document["estate"]
        merged["estate"] = {
            **{name: value for name, value in old.items() if name not in new},
            "deployment": _with_more([new["deployment"]], [old["deployment"]], "name")[0],
            "profiles": _with_more(new["profiles"], old["profiles"], "name"),
            "mailboxes": _with_more(new["mailboxes"], old["mailboxes"], "address"),
            "dynamics": _with_more([new["dynamics"]], [old["dynamics"]], "url")[0]
            if new["dynamics"] and old.get("dynamics")
            else new["dynamics"],
        }
    return merged


def _with_more(forms: Iterable[Mapping[str, Any]], stored: Iterable[Mapping[str, Any]], name: str) -> list[dict[str, Any]]:
    """The forms with the additional members of the stored forms of the same name."""
    by_name = {form.get(name): form for form in stored}
    return [{**by_name.get(form[name], {}), **form} for form in forms]


def _list(document: Mapping[str, Any], name: str) -> Sequence[Any]:
    """A list of the document, empty where it has none. Raises NotADocument where it is not a list of objects."""
    found = document.get(name) or []
    if not isinstance(found, Sequence) or not all(isinstance(form, Mapping) for form in found):
        raise NotADocument(f"{name} is not a list of objects")
    return found


_EMPTY: Mapping[str, Any] = {"mailbox": None, "value": None, "detail": "", "attempt": None, "evidence": [], "claims": [], "at": None}
"""The members that readers of a document expect of a fact or a gap, for one of a later version that lacks some."""
_EMPTY_FACT: Mapping[str, Any] = {**_EMPTY, "basis": "observed"}
"""The same of a fact alone."""


def _is_one_of(word: object, words: frozenset[str]) -> bool:
    return isinstance(word, str) and word in words


def _key_of(form: Mapping[str, Any]) -> FactKey[Any] | None:
    """The key of a fact or a gap; None for an unknown one. Raises TypeError where the key or the subject is not a text."""
    _text(form["subject"])
    _text_or_none(form.get("mailbox"))
    return all_keys().get(_text(form["key"]))


def _knows_fact(form: Mapping[str, Any]) -> bool:
    """Whether this version knows the key of a fact and the members of a closed list in its value."""
    key = _key_of(form)
    if key is None:
        return False
    try:
        key.kind.decode(form["value"])
    except UnknownWord:
        return False
    return True


def _knows_gap(form: Mapping[str, Any]) -> bool:
    """Whether this version knows the key of a gap, its reason and its claims."""
    return _key_of(form) is not None and form["why"] in _WHYS and all(map(_knows_fact, _claims(form)))


def _claims(gap: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return ({**claim, "key": gap["key"]} for claim in gap.get("claims") or ())


def _read_missing(form: Mapping[str, Any], otherwise: datetime | None) -> Missing | None:
    """A gap; None where this version does not know its key, reason or claims."""
    key, why = _key_of(form), _text(form["why"])
    if key is None or why not in _WHYS:
        return None
    claims = [_read_fact(claim, otherwise) for claim in _claims(form)]
    known = tuple(claim for claim in claims if claim is not None)
    if len(known) < len(claims):
        return None
    return Missing(
        subject=_text(form["subject"]),
        mailbox=_text_or_none(form.get("mailbox")),
        key=key,
        why=Why(why),
        detail=_text(form.get("detail") or ""),
        claims=known,
        at=_time(form.get("at")) or otherwise,
    )


def _read_fact(form: Mapping[str, Any], otherwise: datetime | None) -> Fact[Any] | None:
    """A fact; None where this version does not know its key, or a member of a closed list in its value."""
    key = _key_of(form)
    if key is None:
        return None
    try:
        value = key.kind.decode(form["value"])
    except UnknownWord:
        return None
    except (AttributeError, KeyError, TypeError, ValueError):
        raise NotADocument(f"{key.name} of {form.get('subject')} is not a {key.kind.name}: {form.get('value')!r:.200}") from None
    at = _time(form.get("at")) or otherwise
    if at is None:
        raise NotADocument(f"{key.name} of {form.get('subject')} does not say when it was seen")
    return Fact(
        subject=_text(form["subject"]),
        mailbox=_text_or_none(form.get("mailbox")),
        key=key,
        value=value,
        provenance=_provenance(form),
        at=at,
        attempt=_text_or_none(form.get("attempt")),
    )


def _provenance(form: Mapping[str, Any]) -> Provenance:
    told = form.get("evidence") or ()
    evidence = tuple(Evidence(attempt=_text(e["attempt"]), line=int(e["line"]), excerpt=_text(e["excerpt"])) for e in told)
    match form.get("basis") or "observed":
        case "observed":
            return Observed(evidence)
        case "declared":
            by: Literal["peer", "operator", "dynamics"] = form["by"] if form["by"] in ("operator", "dynamics") else "peer"
            return Declared(by, evidence)
        case "inferred":
            return Inferred(_text(form["inference"]), tuple(map(_text, form.get("premises") or ())), evidence)
        case other:
            raise ValueError(f"a fact cannot be {other!r:.60}")


def _read_attempt(form: Mapping[str, Any], otherwise: datetime) -> Attempt | None:
    """An attempt without its readings, which the run has; None where this version does not know its outcome."""
    is_known = _text(form["outcome"]) in _OUTCOMES
    attempt = Attempt(
        id=_text(form["id"]),
        prober=_text(form["prober"]),
        subject=_text(form["subject"]),
        mailbox=_text_or_none(form["mailbox"]),
        address=_text_or_none(form["address"]),
        outcome=Outcome(form["outcome"]) if is_known else Outcome.NOT_SCHEDULED,
        detail=_text(form["detail"]),
        connections=int(form["connections"]),
        at=_time(form.get("at")) or otherwise,
        seconds=float(form["seconds"]),
        transcript=packed(
            tuple(TranscriptLine(int(line["line"]), _speaker(line["from"]), _text(line["text"])) for line in form["transcript"])
        ),
        readings=(),
    )
    return attempt if is_known else None


def _speaker(word: object) -> Literal["probe", "peer", "note"]:
    """Who speaks, or that it is a note; what a later version may have beside is one."""
    return "probe" if _text(word) == "probe" else "peer" if word == "peer" else "note"


def _read_asked(form: object) -> Asked:
    from probe.document.forms import AskedForm

    asked = _as_form(AskedForm, form)
    return Asked(mailboxes=asked.mailboxes, tls=asked.tls, fips=asked.fips, allow=frozenset(asked.allow), all_addresses=asked.all_addresses)


def _read_estate(form: object) -> Estate:
    from probe.document.forms import EstateForm

    read = _as_form(EstateForm, form)
    estate = Estate(
        deployment=Deployment(**{**dict(read.deployment), "allow": frozenset(read.deployment.allow)}),
        profiles=tuple(map(_profile, read.profiles)),
        mailboxes=tuple(map(_mailbox, read.mailboxes)),
        dynamics=None if read.dynamics is None else _dynamics(read.dynamics),
    )
    profiles = {profile.name: profile for profile in estate.profiles}
    if len(profiles) < len(estate.profiles) or len({m.address.casefold() for m in estate.mailboxes}) < len(estate.mailboxes):
        raise ValueError("a profile or a mailbox is listed twice")
    for mailbox in estate.mailboxes:
        profile = profiles.get(mailbox.profile)
        if profile is None:
            raise ValueError(f"there is no profile {mailbox.profile!r:.60} for {mailbox.address}")
        if None in (profile.incoming, profile.outgoing) and not (profile.autodiscover and mailbox.ews_url):
            raise ValueError(f"there is no endpoint for {mailbox.address}")
    return estate


def _dynamics(form: DynamicsForm) -> DynamicsAccess:
    declared = dict(form)
    has_password = declared.pop("has_credentials")
    return DynamicsAccess(
        **{
            **declared,
            "url": OrganizationUrl.parse(form.url),
            "organization": None if form.organization is None else BoundOrganization.parse(form.organization),
        },
        password=UNTOLD_SECRET if has_password else None,
    )


def _profile(form: ProfileForm) -> ServerProfile:
    declared = dict(form)
    has_password, has_application = declared.pop("has_credentials"), declared.pop("can_ask_as_application")
    has_outgoing_password = declared.pop("has_outgoing_credentials")
    return ServerProfile(
        **{**declared, "incoming": _endpoint(form.incoming), "outgoing": _endpoint(form.outgoing)},
        password=UNTOLD_SECRET if has_password else None,
        client_secret=UNTOLD_SECRET if has_application else None,
        outgoing_password=UNTOLD_SECRET if has_outgoing_password else None,
    )


def _mailbox(form: MailboxForm) -> Mailbox:
    declared = dict(form)
    has_password = declared.pop("has_credentials")
    return Mailbox(**{**declared, "ews_url": _endpoint(form.ews_url)}, password=UNTOLD_SECRET if has_password else None)


def _endpoint(url: str | None) -> Endpoint | None:
    return None if url is None else Endpoint.parse(url)


def _as_form(kind: type[F], form: object) -> F:
    """A part of the document, validated. Raises ValueError, which names the mistakes."""
    # pydantic and the forms are loaded here, for the sake of commands that read no run.
    from pydantic import ValidationError

    try:
        return kind.model_validate(form)
    except ValidationError as wrong:
        raise ValueError(_mistakes(wrong)) from None


def _mistakes(wrong: ValidationError) -> str:
    """The first mistakes that a form found, in one sentence. The values are not repeated."""
    errors = wrong.errors(include_url=False, include_input=False, include_context=False)
    told = [f"{'.'.join(map(str, error['loc'])) or 'all of it'}: {error['msg']}" for error in errors[:_MAX_MISTAKES]]
    more = len(errors) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more else "")


def _time(text: object) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(_text(text))
    return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r:.60} is neither true nor false")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.60} is not a text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)
