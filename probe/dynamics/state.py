"""Dynamics' own state as facts: what its records say of the mailboxes and email server profiles of an estate, and of Dynamics itself.

Pure in the records and the estate. A value that Dynamics gives as null, or that its table does not have, does not arise; one that has no meaning
here, as a number that the server's own metadata does not know, is not disclosed. Of what was not read nothing is said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from probe.dynamics.comparing import Difference, Rows, differences
from probe.dynamics.found import is_served
from probe.dynamics.options import Option
from probe.dynamics.records import EmailServerProfile, MailboxRow, MoreThan, Organization, PendingMail, TraceLog
from probe.model import vocabulary as v
from probe.model.estate import DEPLOYMENT_SUBJECT, Estate, profile_subject
from probe.model.facts import Fact, Missing, Reading, Why
from probe.model.keys import FactKey
from probe.model.kinds import Json
from probe.model.provenance import Declared
from probe.model.rules import Direction
from probe.model.values import dataclass
from probe.tables.alerts import causes_of_alert

T = TypeVar("T")

ANOTHER_ORGANIZATION = "synchronized-with-another-organization"
"""The rule that explains an alert about that."""
TELLS_FOR = timedelta(hours=1)
"""How long what the records said tells what they would say."""

_BY_DYNAMICS = Declared("dynamics")
_STATUS = {0: "not-run", 1: "success", 2: "failure"}
_APPROVAL = {0: False, 1: True, 2: False, 3: False}
_ERROR, _FAILURE = 3, 0
_MOST_TOLD = 200
"""Letters of what Dynamics has otherwise than the estate; a URL there may have 2,084."""
_MANY_MINUTES = 120
_BY_MAIL_SERVERS = (1, 4)
"""Server types whose profiles have ports: POP3/SMTP and IMAP/SMTP."""


class AskedPause(NamedTuple):
    """That the server asked to be left alone."""

    seconds: float | None
    """For how long, counted from when it said so; None where it did not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRecords:
    """What was read of an organization in one go."""

    organization: Organization
    at: datetime
    """When they were read, in UTC."""
    profiles: Sequence[EmailServerProfile]
    asked: Collection[str]
    """Addresses of the estate's mailboxes whose rows were asked for."""
    rows: Mapping[str, MailboxRow]
    """Those that there are, by the address of the estate."""
    are_all: bool
    """Whether all mailboxes that the organization has were looked at."""
    last_attempt: datetime | None = None
    """When the asynchronous service processed any of these last."""
    alerts: Sequence[TraceLog] = ()
    pending: Sequence[PendingMail] | MoreThan | None = None
    """None where it could not be read."""
    risk: str | None = None
    """What the way to Dynamics leaves open, in a sentence."""
    notes: tuple[str, ...] = ()
    """What could not be read beside the rows, or is open about them, each in a sentence."""
    pause: AskedPause | None = None
    """That the server asked to be left alone before all of it was read; None where it did not."""


def recalled(
    of_subjects: Mapping[str, tuple[datetime, Mapping[str, Json]]], now: datetime, why: Why, detail: str, at: datetime
) -> tuple[Reading, ...]:
    """What the records said last, where they cannot be read now: as it was for an hour, and stale then; and one gap of the deployment that says so.

    `of_subjects` has the time and the values, by key, of each subject; `why` and `detail` are why they could not be read, at `at`.
    """
    found: list[Reading] = []
    keys = {key.name: key for key in v.DYNAMICS_KEYS - {v.DYNAMICS_ORGANIZATION_ID}}
    newest: datetime | None = None
    for subject, (then, facts) in of_subjects.items():
        newest = then if newest is None else max(newest, then)
        # A clock that was set back makes nothing younger.
        is_fresh = timedelta(0) <= now - then <= TELLS_FOR
        for name, form in facts.items():
            if (key := keys.get(name)) is None:
                continue
            if is_fresh:
                found.append(_fact(subject, key, key.kind.decode(form), then))
            else:
                found.append(_gap(subject, key, f"Dynamics said it on {_when(then)}, and was not read since", then, Why.STALE))
    if newest is not None:
        minutes = int((now - newest).total_seconds()) // 60
        age = (
            f"{minutes // 60} hours old"
            if minutes >= _MANY_MINUTES
            else f"{minutes} minutes old"
            if minutes >= 0
            else "of a later time than now"
        )
        tells = "counts" if timedelta(0) <= now - newest <= TELLS_FOR else "no longer tells"
        detail = f"{detail}; what it said on {_when(newest)} is {age}, and {tells}"
    return (*unread(why, detail, at), *found)


def kept_of(readings: Iterable[Reading]) -> dict[str, dict[str, Json]]:
    """The values of some readings by subject and key, as `recalled` takes them; without what was compared with the estate, which may change."""
    found: dict[str, dict[str, Json]] = {}
    for reading in readings:
        if isinstance(reading, Fact) and reading.key not in (v.DYNAMICS_DIFFERS, v.DYNAMICS_FOUND):
            found.setdefault(reading.subject, {})[reading.key.name] = reading.key.kind.encode(reading.value)
    return found


def _when(moment: datetime) -> str:
    return f"{moment.strftime('%Y-%m-%d %H:%M')} UTC"


def unread(why: Why, detail: str, at: datetime) -> tuple[Reading, ...]:
    """That the records were not read: one gap, of the deployment."""
    return (_gap(DEPLOYMENT_SUBJECT, v.DYNAMICS_ORGANIZATION_ID, detail, at, why),)


def state_readings(records: StateRecords, estate: Estate) -> tuple[Reading, ...]:
    """What the records say of the estate."""
    return (*_of_deployment(records, records.at), *_of_profiles(records, estate, records.at), *_of_mailboxes(records, estate, records.at))


def is_processed(row: MailboxRow) -> bool:
    """Whether the asynchronous service comes round to a mailbox, and has before."""
    is_enabled = row.incoming_enabled or row.outgoing_enabled or row.appointments_enabled
    return bool(is_enabled) and is_served(row) and row.last_attempt is not None


def _of_deployment(records: StateRecords, at: datetime) -> Iterator[Reading]:
    yield _fact(DEPLOYMENT_SUBJECT, v.DYNAMICS_ORGANIZATION_ID, records.organization.id, at)
    yield _fact(DEPLOYMENT_SUBJECT, v.DYNAMICS_VERSION, records.organization.version, at)
    if not records.are_all:
        return
    if (last := records.last_attempt) is not None:
        yield _fact(DEPLOYMENT_SUBJECT, v.DYNAMICS_IDLE_MINUTES, max(0, int((at - last).total_seconds()) // 60), at)
    else:
        yield _gap(DEPLOYMENT_SUBJECT, v.DYNAMICS_IDLE_MINUTES, "Dynamics has processed no mailbox that is enabled", at)


def _of_profiles(records: StateRecords, estate: Estate, at: datetime) -> Iterator[Reading]:
    rows = {row.name: row for row in records.profiles if row.name is not None}
    for name in (profile.name for profile in estate.profiles):
        if (row := rows.get(name)) is None:
            continue
        subject, said = profile_subject(name), _Said(profile_subject(name), row.absent, at)
        yield said.of(v.DYNAMICS_ACTIVE, None if row.state is None else row.state == 0, "statecode")
        is_one = row.uses_incoming_for_outgoing is not False
        to_send = row.incoming_password_is_set if is_one else row.outgoing_password_is_set
        yield said.of(v.DYNAMICS_INCOMING_PASSWORD_SET, row.incoming_password_is_set, "isincomingpasswordset")
        yield said.of(v.DYNAMICS_OUTGOING_PASSWORD_SET, to_send, "isincomingpasswordset" if is_one else "isoutgoingpasswordset")
        if _number(row.server_type) in _BY_MAIL_SERVERS:
            yield said.of(v.DYNAMICS_INCOMING_PORT, row.incoming_port, "incomingportnumber")
            yield said.of(v.DYNAMICS_OUTGOING_PORT, row.outgoing_port, "outgoingportnumber")
        else:
            for key in (v.DYNAMICS_INCOMING_PORT, v.DYNAMICS_OUTGOING_PORT):
                yield _gap(subject, key, "the profile names its endpoints by URLs", at)


def _of_mailboxes(records: StateRecords, estate: Estate, at: datetime) -> Iterator[Reading]:
    profiles = {profile.id: profile for profile in records.profiles}
    pending, asked = _pending(records.pending), frozenset(records.asked)
    elsewhere = claimed_elsewhere(records.alerts)
    for mailbox in (one for one in estate.mailboxes if one.address in asked):
        address = mailbox.address
        if (row := records.rows.get(address)) is None:
            yield _fact(address, v.DYNAMICS_FOUND, False, at)
            continue
        said, profile = _Said(address, row.absent, at), profiles.get(row.profile or "")
        rows = Rows(row, profile)
        differs = tuple(_shortened(one) for one in differences(estate, mailbox, rows) if not one.has_rule)
        yield _fact(address, v.DYNAMICS_DIFFERS, differs, at)
        name = None if profile is None else profile.name
        yield said.of(v.DYNAMICS_PROFILE, "" if row.profile is None else name, "emailserverprofile")
        enabled = {"incoming": row.incoming_enabled, "outgoing": row.outgoing_enabled, "appointments": row.appointments_enabled}
        told = {direction: flag for direction, flag in enabled.items() if flag is not None}
        yield said.of(v.DYNAMICS_ENABLED, _whole(told), "enabledforincomingemail")
        yield said.status({"incoming": row.incoming_status, "outgoing": row.outgoing_status, "appointments": row.appointments_status})
        yield said.meant(v.DYNAMICS_APPROVED, row.approval, _APPROVAL, "emailrouteraccessapproval")
        yield said.of(v.DYNAMICS_APPROVED_BY_OFFICE_365, row.approved_by_office_365_admin, "isemailaddressapprovedbyo365admin")
        has_own = None if row.password_is_set is None else row.password_is_set and row.may_use_own_credentials is not False
        yield said.of(v.DYNAMICS_PASSWORD_SET, has_own, "ispasswordset")
        yield said.of(v.DYNAMICS_EWS_URL, row.ews_url or None, "ewsurl")
        yield said.of(v.DYNAMICS_LAST_SUCCESS, row.last_success, "lastsuccessfulsynccompletedon")
        yield said.of(v.DYNAMICS_LAST_ATTEMPT, row.last_attempt, "processinglastattemptedon")
        yield said.of(v.DYNAMICS_LAST_ERROR, row.last_error or None, "lastsyncerror")
        yield said.of(v.DYNAMICS_LAST_ERROR_AT, row.last_error_at, "lastsyncerroroccurredon")
        if pending is not None:
            yield _fact(address, v.DYNAMICS_PENDING_SEND, pending.get(row.id, 0), at)
        elif isinstance(records.pending, MoreThan):
            many = f"more than {records.pending.count:,} mails wait in all, more than Dynamics sums up"
            yield _gap(address, v.DYNAMICS_PENDING_SEND, many, at, Why.NOT_DISCLOSED)
        if row.id in elsewhere:
            yield _fact(address, v.DYNAMICS_ORGANIZATION, "other", at)
        else:
            yield said.of(v.DYNAMICS_ORGANIZATION, "this" if row.is_primary_organization else None, "orgmarkedasprimaryforexchangesync")
        yield said.of(v.DYNAMICS_PROCESSES_MAIL_SINCE, rows.processes_mail_since, "")


def _shortened(difference: Difference) -> str:
    """A difference in a sentence, whatever Dynamics holds."""
    told = difference.dynamics if len(difference.dynamics) <= _MOST_TOLD else f"{difference.dynamics[: _MOST_TOLD - 1]}…"
    return str(replace(difference, dynamics=told))


def _pending(pending: Sequence[PendingMail] | MoreThan | None) -> Mapping[str | None, int] | None:
    return None if pending is None or isinstance(pending, MoreThan) else {one.mailbox: one.count for one in pending}


def claimed_elsewhere(alerts: Iterable[TraceLog]) -> frozenset[str | None]:
    """Ids of the mailboxes of which an open alert says that another organization is the primary one."""
    return frozenset(alert.regarding for alert in alerts if _is_open(alert) and ANOTHER_ORGANIZATION in causes_of_alert(*alert.texts))


def _is_open(alert: TraceLog) -> bool:
    return _number(alert.level) == _ERROR and _number(alert.status) in (None, _FAILURE)


def _whole(of_directions: Mapping[str, T]) -> tuple[tuple[str, T], ...] | None:
    """All three directions; None where one is not told."""
    return tuple(of_directions.items()) if len(of_directions) == len(Direction) else None


def _number(option: Option | None) -> int | None:
    return None if option is None else option.value


@dataclass(frozen=True, slots=True)
class _Said:
    """What one record says of its subject."""

    subject: str
    absent: frozenset[str]
    at: datetime

    def of(self, key: FactKey[T], value: T | None, attribute: str) -> Reading:
        """A value, or that there is none."""
        if value is not None:
            return _fact(self.subject, key, value, self.at)
        why = f"this Dynamics has no {attribute}" if attribute in self.absent else "Dynamics' record is empty here"
        return _gap(self.subject, key, why, self.at)

    def meant(self, key: FactKey[T], option: Option | None, meanings: Mapping[int, T], attribute: str) -> Reading:
        """What a number means; one that has no meaning here is told, not guessed at."""
        if option is not None and option.value not in meanings:
            return _gap(self.subject, key, f"{attribute} is {option}, which has no meaning here", self.at, Why.NOT_DISCLOSED)
        return self.of(key, None if option is None else meanings[option.value], attribute)

    def status(self, options: Mapping[str, Option | None]) -> Reading:
        """What came of the last test in each direction."""
        strange = next((option for option in options.values() if option is not None and option.value not in _STATUS), None)
        if strange is not None:
            return self.meant(v.DYNAMICS_STATUS, strange, {}, "a status")
        words = {direction: _STATUS[option.value] for direction, option in options.items() if option is not None}
        return self.of(v.DYNAMICS_STATUS, _whole(words), "incomingemailstatus")


def _fact(subject: str, key: FactKey[T], value: T, at: datetime) -> Fact[T]:
    return Fact(subject=subject, key=key, value=value, provenance=_BY_DYNAMICS, at=at)


def _gap(subject: str, key: FactKey[T], detail: str, at: datetime, why: Why = Why.NOT_APPLICABLE) -> Missing:
    return Missing(subject=subject, key=key, why=why, detail=detail, at=at)
