"""What Dynamics' own records say of the mailboxes of an estate, changed as a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from probe.model import vocabulary as v
from probe.model.estate import DEPLOYMENT_SUBJECT, Estate, Mailbox
from probe.model.facts import Fact, Missing, Reading, Why
from probe.model.keys import FactKey
from probe.model.provenance import Declared
from tests.service.driven import Driven, driven
from tests.service.world import estate_text

DYNAMICS = '[dynamics]\nurl = "https://crm.contoso.test/Contoso"\n'
REFUSAL = "Http server returned 401 Unauthorized exception."
_ALL, _NONE = (tuple((way, flag) for way in ("incoming", "outgoing", "appointments")) for flag in (True, False))
_SUCCESS, _FAILURE = (tuple((way, word) for way in ("incoming", "outgoing", "appointments")) for word in ("success", "failure"))


class Records:
    """What Dynamics says of every mailbox of an estate. `World.of_dynamics` may be one."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._disabled: dict[str, datetime] = {}
        self._told: dict[str, tuple[Reading, ...]] = {}
        """Of each mailbox what stays as it is from one reading of the records to the next."""
        self._pending: dict[str, Fact[int]] = {}
        self.gone: set[str] = set()
        """Addresses that no row has."""
        self.pending = 0
        """Mails of each mailbox that wait to be sent."""
        self.idle_minutes = 3
        self.organization = "this"
        self.unread = False

    def disable(self, addresses: Iterable[str], at: datetime) -> None:
        """From now on these are disabled after an error at that time."""
        self._disabled |= dict.fromkeys(addresses, at)
        self._told.clear()

    def enable(self, addresses: Iterable[str]) -> None:
        """Somebody enables these again."""
        for address in addresses:
            del self._disabled[address]
        self._told.clear()

    def __call__(self, estate: Estate) -> tuple[Reading, ...]:
        now = self._now()
        if self.unread:
            detail = "the sign-in was refused"
            return (Missing(subject=DEPLOYMENT_SUBJECT, key=v.DYNAMICS_ORGANIZATION_ID, why=Why.DENIED, detail=detail, at=now),)
        found: list[Reading] = [
            _said(DEPLOYMENT_SUBJECT, v.DYNAMICS_ORGANIZATION_ID, "5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11", now),
            _said(DEPLOYMENT_SUBJECT, v.DYNAMICS_VERSION, "9.1.18.22", now),
            _said(DEPLOYMENT_SUBJECT, v.DYNAMICS_IDLE_MINUTES, self.idle_minutes, now),
        ]
        for mailbox in estate.mailboxes:
            address = mailbox.address
            if address in self.gone:
                found.append(_said(address, v.DYNAMICS_FOUND, False, now))
                continue
            if address not in self._told:
                self._told[address] = tuple(self._row(mailbox, now))
            found += self._told[address]
            found.append(_said(address, v.DYNAMICS_LAST_ATTEMPT, now, now))
            found.append(self._pending_of(address, now))
        return tuple(found)

    def _pending_of(self, address: str, now: datetime) -> Reading:
        known = self._pending.get(address)
        if known is None or known.value != self.pending:
            known = self._pending[address] = _said(address, v.DYNAMICS_PENDING_SEND, self.pending, now)
        return known

    def _row(self, mailbox: Mailbox, now: datetime) -> Iterable[Reading]:
        address, disabled_at = mailbox.address, self._disabled.get(mailbox.address)
        yield _said(address, v.DYNAMICS_DIFFERS, (), now)
        yield _said(address, v.DYNAMICS_PROFILE, mailbox.profile, now)
        yield _said(address, v.DYNAMICS_ENABLED, _ALL if disabled_at is None else _NONE, now)
        yield _said(address, v.DYNAMICS_STATUS, _SUCCESS if disabled_at is None else _FAILURE, now)
        yield _said(address, v.DYNAMICS_APPROVED, True, now)
        yield _said(address, v.DYNAMICS_ORGANIZATION, self.organization, now)
        if disabled_at is not None:
            yield _said(address, v.DYNAMICS_LAST_ERROR, REFUSAL, now)
            yield _said(address, v.DYNAMICS_LAST_ERROR_AT, disabled_at, now)


def _said(subject: str, key: FactKey[Any], value: Any, at: datetime) -> Fact[Any]:
    return Fact(subject=subject, key=key, value=value, provenance=Declared("dynamics"), at=at)


def service_of(folder: Path, mailboxes: int = 3, endpoints: int = 1) -> tuple[Driven, Records]:
    """A service that is driven, whose estate names Dynamics and has so many mailboxes behind each endpoint, and what Dynamics says."""
    service = driven(folder, estate_text(endpoints, mailboxes, DYNAMICS))
    records = Records(service.clock.now)
    service.world.of_dynamics = records
    return service, records
