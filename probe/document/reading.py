"""From a document back to the run, its estate and its readings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from probe.document.publishing import SCHEMA
from probe.model.attempts import Attempt, Outcome, TranscriptLine
from probe.model.estate import (
    UNTOLD_SECRET,
    Authentication,
    BoundOrganization,
    Cloud,
    Credentials,
    Delivery,
    Deployment,
    DeploymentKind,
    DynamicsAccess,
    Effect,
    Endpoint,
    Estate,
    Location,
    Mailbox,
    OrganizationUrl,
    ServerProfile,
    ServerType,
)
from probe.model.facts import Declared, Evidence, Fact, FactKey, Inferred, Missing, Observed, Provenance, Reading, UnknownWord, Why
from probe.model.runs import Asked, Run
from probe.model.vocabulary import all_keys

_WHYS = frozenset(why.value for why in Why)
_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
_NOBODY_ASKED = Asked(mailboxes=None, tls="none", fips="", allow=frozenset(), all_addresses=False)


class NotADocument(ValueError):
    """What was read is no run of this form. The message says where, and what is wrong there."""


def read_run(document: object) -> Run:
    """The run that a document tells of, its assessments left out: they follow from the rest.

    Facts and gaps alone are enough. Where the document does not say when it was made, it was made at noon of the day for which it
    is judged, or else at the beginning of 1970. What this version does not know is passed over; `carried_over` passes it on. Raises NotADocument.
    """
    if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
        said = document.get("schema") if isinstance(document, Mapping) else None
        raise NotADocument(f"this is no document of the form {SCHEMA}" + (f", but of {said!r:.60}" if isinstance(said, str) else ""))
    part = "document"
    try:
        judged_at = date.fromisoformat(document.get("judged_at") or "1970-01-01")
        noon = datetime(judged_at.year, judged_at.month, judged_at.day, 12, tzinfo=UTC)
        started, finished = (_time(document.get(name)) or noon for name in ("started", "finished"))
        part = "estate"
        estate = _read_estate(document["estate"]) if document.get("estate") is not None else None
        part = "asked"
        asked = _read_asked(document["asked"]) if document.get("asked") is not None else _NOBODY_ASKED
        part = "attempts"
        attempts = tuple(
            attempt
            for form in _list(document, "attempts")
            # One that ended in a way of a later version is looked through all the same, since reports tell of it.
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
            interrupted=bool(document.get("interrupted", False)),
        )
    except NotADocument:
        raise
    except KeyError as missing:
        raise NotADocument(f"{part}: {missing} is missing") from None
    except (AttributeError, OverflowError, TypeError, ValueError) as wrong:
        raise NotADocument(f"{part}: {wrong}") from None


def readings(document: Mapping[str, Any], otherwise: datetime | None = None) -> tuple[Reading, ...]:
    """Everything known or missing in a document, as far as this version knows the keys and the reasons.

    `otherwise` is the time of what says none. Raises NotADocument for a value that is not of its key's form.
    """
    keys = all_keys()
    facts = [_read_fact(form, keys[form["key"]], otherwise) for form in _list(document, "facts") if _knows_fact(form)]
    gaps = [_read_missing(form, keys[form["key"]], otherwise) for form in _list(document, "missing") if _knows_gap(form)]
    return (*facts, *gaps)


def carried_over(stored: Mapping[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """The document with what a stored one says beyond it: the members, keys and words of a later version, which this one does not understand.

    An estate's are carried over where it is the same deployment, profile or mailbox by name.
    """
    merged = {**document, **{name: value for name, value in stored.items() if name not in document}}
    merged["attempts"] = _with_more(document["attempts"], _list(stored, "attempts"), "id")
    unknown = [form for form in _list(stored, "attempts") if not _is_one_of(form.get("outcome"), _OUTCOMES)]
    merged["attempts"] += [form for form in unknown if form["id"] not in {a["id"] for a in document["attempts"]}]
    for name, letter, knows in (("facts", "f", _knows_fact), ("missing", "m", _knows_gap)):
        beyond = [form for form in _list(stored, name) if not knows(form)]
        first = len(document[name]) + 1
        merged[name] = [
            *document[name],
            *({**_EMPTY, **form, "id": f"{letter}{number}"} for number, form in enumerate(beyond, start=first)),
        ]
    if document["estate"] is not None and stored.get("estate") is not None:
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
    """The forms with the members that the stored ones of the same name have beyond them."""
    by_name = {form.get(name): form for form in stored}
    return [{**by_name.get(form[name], {}), **form} for form in forms]


def _list(document: Mapping[str, Any], name: str) -> Sequence[Any]:
    """A list of the document, empty where it has none. Raises NotADocument where it is none of objects."""
    found = document.get(name) or []
    if not isinstance(found, Sequence) or not all(isinstance(form, Mapping) for form in found):
        raise NotADocument(f"{name} is no list of objects")
    return found


_EMPTY: Mapping[str, Any] = {"mailbox": None, "value": None, "detail": "", "attempt": None, "evidence": [], "claims": [], "at": None}
"""What those who read a document ask of a fact or a gap, for one of a later version that says less."""


def _is_one_of(word: object, words: frozenset[str]) -> bool:
    return isinstance(word, str) and word in words


def _key_of(form: Mapping[str, Any]) -> FactKey[Any] | None:
    """The key of a fact or a gap, None for one that this version does not know. Raises TypeError where it, or the subject, is no text."""
    _text(form["subject"])
    _text_or_none(form.get("mailbox"))
    return all_keys().get(_text(form["key"]))


def _knows_fact(form: Mapping[str, Any]) -> bool:
    """Whether this version knows the key, and the words of a closed list."""
    key = _key_of(form)
    if key is None:
        return False
    try:
        key.kind.decode(form.get("value"))
    except UnknownWord:
        return False
    except (AttributeError, KeyError, TypeError, ValueError):  # told as a mistake when it is read
        return True
    return True


def _knows_gap(form: Mapping[str, Any]) -> bool:
    return _key_of(form) is not None and _text(form["why"]) in _WHYS


def _read_missing(form: Mapping[str, Any], key: FactKey[Any], otherwise: datetime | None) -> Missing:
    claims = tuple(_read_fact(claim, key, otherwise) for claim in form.get("claims") or ())
    return Missing(
        subject=_text(form["subject"]),
        mailbox=_text_or_none(form.get("mailbox")),
        key=key,
        why=Why(form["why"]),
        detail=_text(form.get("detail") or ""),
        claims=claims,
        at=_time(form.get("at")) or otherwise,
    )


def _read_fact(form: Mapping[str, Any], key: FactKey[Any], otherwise: datetime | None) -> Fact[Any]:
    try:
        value = key.kind.decode(form["value"])
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
    evidence = tuple(Evidence(attempt=e["attempt"], line=e["line"], excerpt=e["excerpt"]) for e in form.get("evidence") or ())
    match form.get("basis") or "observed":
        case "observed":
            return Observed(evidence)
        case "declared":
            return Declared("operator" if form["by"] == "operator" else "peer", evidence)
        case "inferred":
            return Inferred(form["inference"], tuple(form.get("premises") or ()), evidence)
        case other:
            raise ValueError(f"a fact cannot be {other!r:.60}")


def _read_attempt(form: Mapping[str, Any], otherwise: datetime) -> Attempt | None:
    """An attempt without its readings, which stand in the run; None where it ended in a way that this version does not know."""
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
        transcript=tuple(TranscriptLine(int(line["line"]), line["from"], _text(line["text"])) for line in form["transcript"]),
        readings=(),
    )
    return attempt if is_known else None


def _read_asked(form: Mapping[str, Any]) -> Asked:
    return Asked(
        mailboxes=None if form["mailboxes"] is None else tuple(map(_text, form["mailboxes"])),
        tls=_text(form["tls"]),
        fips=_text(form["fips"]),
        allow=frozenset(map(Effect, form["allow"])),
        all_addresses=bool(form["all_addresses"]),
    )


def _read_estate(form: Mapping[str, Any]) -> Estate:
    deployment = form["deployment"]
    estate = Estate(
        deployment=Deployment(
            name=_text(deployment["name"]),
            kind=DeploymentKind(deployment["kind"]),
            version=_text(deployment["version"]),
            runs_on=_text(deployment["runs_on"]),
            fips=_boolean(deployment["fips"]),
            mass_email=_boolean(deployment["mass_email"]),
            custom_email_providers=_boolean(deployment["custom_email_providers"]),
            outlook_on_the_web_tracking=_boolean(deployment["outlook_on_the_web_tracking"]),
            outlook_manual_tracking=_boolean(deployment["outlook_manual_tracking"]),
            allow=frozenset(map(Effect, deployment["allow"])),
            authorities=tuple(map(_text, deployment["authorities"])),
            cloud=Cloud(deployment["cloud"]),
        ),
        profiles=tuple(map(_read_profile, form["profiles"])),
        mailboxes=tuple(map(_read_mailbox, form["mailboxes"])),
        dynamics=None if form.get("dynamics") is None else _read_dynamics(form["dynamics"]),
    )
    names = {profile.name for profile in estate.profiles}
    for mailbox in estate.mailboxes:
        if mailbox.profile not in names:
            raise ValueError(f"there is no profile {mailbox.profile!r:.60} for {mailbox.address}")
    return estate


def _read_dynamics(form: Mapping[str, Any]) -> DynamicsAccess:
    bound = _text_or_none(form["organization"])
    return DynamicsAccess(
        url=OrganizationUrl.parse(_text(form["url"])),
        authentication=Authentication(form["authentication"]),
        username=_text_or_none(form["username"]),
        password=UNTOLD_SECRET if _boolean(form["has_credentials"]) else None,
        token_url=_text_or_none(form["token_url"]),
        client_id=_text_or_none(form["client_id"]),
        organization=None if bound is None else BoundOrganization.parse(bound),
        ca=_text_or_none(form["ca"]),
        plain_http=_boolean(form["plain_http"]),
    )


def _read_profile(form: Mapping[str, Any]) -> ServerProfile:
    return ServerProfile(
        name=_text(form["name"]),
        server_type=ServerType(form["server_type"]),
        incoming=Endpoint.parse(form["incoming"]),
        outgoing=Endpoint.parse(form["outgoing"]),
        autodiscover=_boolean(form["autodiscover"]),
        authentication=Authentication(form["authentication"]),
        credentials=Credentials(form["credentials"]),
        impersonation=_boolean(form["impersonation"]),
        product=_text_or_none(form["product"]),
        outgoing_product=_text_or_none(form["outgoing_product"]),
        username=_text_or_none(form["username"]),
        password=UNTOLD_SECRET if _boolean(form["has_credentials"]) else None,
        client_id=_text_or_none(form["client_id"]),
        tenant=_text_or_none(form["tenant"]),
        client_secret=UNTOLD_SECRET if _boolean(form["can_ask_as_application"]) else None,
        fips_validated=_text_or_none(form["fips_validated"]),
    )


def _read_mailbox(form: Mapping[str, Any]) -> Mailbox:
    return Mailbox(
        address=_text(form["address"]),
        profile=_text(form["profile"]),
        incoming=Delivery(form["incoming"]),
        outgoing=Delivery(form["outgoing"]),
        appointments=Delivery(form["appointments"]),
        username=_text_or_none(form["username"]),
        password=UNTOLD_SECRET if _boolean(form["has_credentials"]) else None,
        location=None if form["location"] is None else Location(form["location"]),
        mfa=None if form["mfa"] is None else _boolean(form["mfa"]),
    )


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
        raise TypeError(f"{value!r:.60} is no text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)
