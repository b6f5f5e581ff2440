"""A stored run judged again: what was seen then, under the estate, the rules and the date of now. No connection is made.

What the operator declares comes from the estate that is judged, never from the stored run. Where the estate names another account, or another
Windows, than the stored run asked for, what was learnt for the old one is not known of the new one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from probe.engine.judge import Ruleset, judge_estate
from probe.engine.run import about, was_seen
from probe.model import vocabulary as v
from probe.model.estate import DEPLOYMENT_SUBJECT, PROFILE_SUBJECTS, Authentication, Credentials, Delivery, Estate, Mailbox, SignInSettings
from probe.model.facts import Fact, Missing, Reading, Why
from probe.model.keys import FactKey
from probe.model.runs import Run

_OF_THE_WINDOWS: tuple[FactKey[Any], ...] = (
    v.FIPS_PROFILE,
    v.FIPS_CAN_WORK,
    v.FIPS_REASONS,
    v.FIPS_NEGOTIATES,
    v.FIPS_ALSO_ACCEPTS,
    v.TLS_DEPLOYMENT_GETS,
)
_OF_ITS_POLICY = (v.FIPS_NEGOTIATES, v.TLS_DEPLOYMENT_GETS)
_OF_APPOINTMENTS = (v.EWS_CALENDAR, v.EWS_CONTACTS, v.EWS_TASKS)
_OF_THE_ESTATE = (v.DYNAMICS_DIFFERS, v.DYNAMICS_FOUND)
_OF_SERVERS_FOUND = (v.AUTODISCOVER_ALIASES, v.AUTODISCOVER_SERVICES)


def judge_again(stored: Run, estate: Estate, ruleset: Ruleset, on: date) -> Run:
    """The run as judged under this estate, ruleset and date. Its mailboxes are those that were asked for and that the estate has."""
    chosen = stored.asked.mailboxes
    mailboxes = [mailbox for mailbox in estate.mailboxes if chosen is None or mailbox.address in chosen]
    judgement = about(
        judge_estate(estate, still_known(stored, estate), mailboxes, ruleset, on, stored.finished, stored.asked.allow), estate, mailboxes
    )
    return replace(stored, judged_at=on, estate=estate, readings=judgement.readings, assessments=judgement.assessments)


def still_known(stored: Run, estate: Estate) -> Iterator[Reading]:
    """What was seen in a stored run, less what was asked for another account or Windows than this estate names, of which a gap says so."""
    return StillKnown(stored.estate, estate).of(stored.readings)


def _seen(readings: Iterable[Reading]) -> Iterator[Reading]:
    """The readings of conversations, and of Dynamics' records: neither what the operator declared, nor what was inferred, nor that nobody was asked."""
    for reading in readings:
        is_of_estate = reading.subject == DEPLOYMENT_SUBJECT or reading.subject.startswith(PROFILE_SUBJECTS)
        if is_of_estate and reading.key not in v.DYNAMICS_KEYS:
            continue
        if isinstance(reading, Missing) and not reading.claims:
            if not reading.says_nothing:
                yield reading
        else:
            for fact in (reading,) if isinstance(reading, Fact) else reading.claims:
                if was_seen(fact):
                    yield fact


class StillKnown:
    """What counts under an estate of what was seen under another. What follows from the two alone is worked out once."""

    def __init__(self, before: Estate | None, now: Estate) -> None:
        self._now = now
        self._others = _of_other_accounts(before, now)
        self._changed = _declared_otherwise(before, now)
        self._mailboxes = {mailbox.address: mailbox for mailbox in now.mailboxes}
        self._before = None if before is None else before.deployment

    def of(self, readings: Collection[Reading]) -> Iterator[Reading]:
        """The readings that were seen, with gaps in place of those that were asked for another account or Windows."""
        asked_for = {r.subject: r.value for r in readings if isinstance(r, Fact) and r.key == v.FIPS_PROFILE}
        windows, before = self._now.deployment, self._before
        for reading in _seen(readings):
            if reading.mailbox in self._others:
                yield _stale(reading, "another account, or another way to sign in, was tried than the estate now names")
            elif reading.key in _OF_THE_ESTATE and reading.subject in self._changed:
                yield _stale(reading, "Dynamics' records were compared with what the estate said then")
            elif reading.key in _OF_THE_WINDOWS and asked_for.get(reading.subject, windows.runs_on) != windows.runs_on:
                yield _stale(reading, f"{asked_for[reading.subject]} was asked about, and the deployment runs on {windows.runs_on}")
            elif (detail := _was_no_question(reading, self._mailboxes, self._now)) is not None:
                yield _stale(reading, detail)
            elif reading.key in _OF_ITS_POLICY and before is not None and before.fips != windows.fips:
                yield _stale(reading, f"the question was asked with the FIPS policy {'on' if before.fips else 'off'}")
            else:
                yield reading


def _was_no_question(reading: Reading, mailboxes: Mapping[str, Mailbox], now: Estate) -> str | None:
    """The reason for a gap where a question that did not arise in the stored run arises now; None for every other reading."""
    if isinstance(reading, Fact) or reading.why is not Why.NOT_APPLICABLE:
        return None
    address = reading.mailbox or reading.subject
    mailbox = mailboxes.get(address)
    if mailbox is not None and reading.key in _OF_APPOINTMENTS and mailbox.appointments is Delivery.SERVER_SIDE:
        return "appointments, contacts and tasks were not synchronized then"
    if mailbox is not None and reading.key in _OF_SERVERS_FOUND and now.profile_of(mailbox).autodiscover:
        return "the profile did not find its server by Autodiscover then"
    return None


def _of_other_accounts(before: Estate | None, now: Estate) -> frozenset[str | None]:
    """Addresses of the mailboxes for which the estate now names another account, or signs in otherwise."""
    if before is None:
        return frozenset()
    then = {mailbox.address: _way_in(before, mailbox) for mailbox in before.mailboxes}
    return frozenset(m.address for m in now.mailboxes if m.address in then and then[m.address] != _way_in(now, m))


def _declared_otherwise(before: Estate | None, now: Estate) -> frozenset[str]:
    """Addresses of the mailboxes of which the estate now says something else that Dynamics' records are compared with."""
    if before is None:
        return frozenset()
    then = {mailbox.address: _compared(before, mailbox) for mailbox in before.mailboxes}
    return frozenset(m.address for m in now.mailboxes if m.address in then and then[m.address] != _compared(now, m))


def _compared(estate: Estate, mailbox: Mailbox) -> tuple[object, ...]:
    profile = estate.profile_of(mailbox)
    settings = (profile.incoming_settings, profile.outgoing_settings)
    return (
        *(_way(one, mailbox) for one in settings),
        *(mailbox.id, mailbox.incoming, mailbox.outgoing, mailbox.appointments, mailbox.username),
        *(profile.name, profile.server_type, profile.autodiscover, profile.endpoints_of(mailbox)),
    )


def _way_in(estate: Estate, mailbox: Mailbox) -> tuple[object, ...]:
    """The account that signs in for a mailbox, and how. Where a secret is kept does not count, only whether that is known."""
    profile = estate.profile_of(mailbox)
    settings = (profile.incoming_settings, profile.outgoing_settings)
    is_service = any(one.credentials is Credentials.WINDOWS_INTEGRATED for one in settings)
    asks_for_tokens = any(one.authentication in (Authentication.OAUTH, Authentication.AUTO) for one in settings)
    return (
        *(_way(one, mailbox) for one in settings),
        profile.client_id,
        profile.tenant,
        (estate.deployment.cloud, estate.deployment.authorities) if asks_for_tokens else None,
        estate.deployment.service_account if is_service else None,
    )


def _way(settings: SignInSettings, mailbox: Mailbox) -> tuple[object, ...]:
    account = settings.account_of(mailbox)
    username = account and account[0].lower()
    return (settings.credentials, settings.authentication, settings.impersonation, username, settings.has_application)


def _stale(reading: Reading, detail: str) -> Missing:
    return Missing(subject=reading.subject, mailbox=reading.mailbox, key=reading.key, why=Why.STALE, detail=detail, at=reading.at)
