"""What Dynamics says of the mailboxes of an estate, changed as a test says."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from probe.model import vocabulary as v
from probe.model.estate import DEPLOYMENT_SUBJECT, Estate
from probe.model.facts import Fact, Missing, Reading, Why
from probe.model.keys import FactKey
from probe.model.provenance import Declared
from tests.service.driven import Driven, driven
from tests.service.world import estate_text

DYNAMICS = '[dynamics]\nurl = "https://crm.contoso.test/Contoso"\n'
ALL, NONE = (tuple((way, flag) for way in ("incoming", "outgoing", "appointments")) for flag in (True, False))
SUCCESS, FAILURE = (tuple((way, word) for way in ("incoming", "outgoing", "appointments")) for word in ("success", "failure"))


def told(subject: str, key: FactKey[Any], value: Any, at: datetime) -> Fact[Any]:
    return Fact(subject=subject, key=key, value=value, provenance=Declared("dynamics"), at=at)


class Records:
    """What Dynamics says of every mailbox of an estate."""

    def __init__(self, service: Driven) -> None:
        self._service = service
        self.disabled_at: datetime | None = None
        self.pending = 0
        self.idle_minutes = 3
        self.unread = False

    def __call__(self, estate: Estate) -> tuple[Reading, ...]:
        now = self._service.clock.now()
        if self.unread:
            detail = "the sign-in was refused"
            return (Missing(subject=DEPLOYMENT_SUBJECT, key=v.DYNAMICS_ORGANIZATION_ID, why=Why.DENIED, detail=detail, at=now),)
        found: list[Reading] = [
            told(DEPLOYMENT_SUBJECT, v.DYNAMICS_ORGANIZATION_ID, "5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11", now),
            told(DEPLOYMENT_SUBJECT, v.DYNAMICS_VERSION, "9.1.18.22", now),
            told(DEPLOYMENT_SUBJECT, v.DYNAMICS_IDLE_MINUTES, self.idle_minutes, now),
        ]
        for mailbox in estate.mailboxes:
            is_on = self.disabled_at is None
            found += [
                told(mailbox.address, v.DYNAMICS_DIFFERS, (), now),
                told(mailbox.address, v.DYNAMICS_PROFILE, mailbox.profile, now),
                told(mailbox.address, v.DYNAMICS_ENABLED, ALL if is_on else NONE, now),
                told(mailbox.address, v.DYNAMICS_STATUS, SUCCESS if is_on else FAILURE, now),
                told(mailbox.address, v.DYNAMICS_APPROVED, True, now),
                told(mailbox.address, v.DYNAMICS_LAST_ATTEMPT, now, now),
                told(mailbox.address, v.DYNAMICS_PENDING_SEND, self.pending, now),
                told(mailbox.address, v.DYNAMICS_ORGANIZATION, "this", now),
            ]
            if self.disabled_at is not None:
                found += [
                    told(mailbox.address, v.DYNAMICS_LAST_ERROR, "Http server returned 401 Unauthorized exception.", now),
                    told(mailbox.address, v.DYNAMICS_LAST_ERROR_AT, self.disabled_at, now),
                ]
        return tuple(found)


def service_of(folder: Path, mailboxes: int = 3) -> tuple[Driven, Records]:
    service = driven(folder, estate_text(1, mailboxes, DYNAMICS))
    records = Records(service)
    service.world.of_dynamics = records
    return service, records
