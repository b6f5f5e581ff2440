"""An organization's records, as its database holds them."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from probe.simulation.dynamics.metadata import MAILBOX, ORGANIZATION, PROFILE, TRACE_LOG, Entity, made_id

LOGS_KEPT = 100_000
SERVER_SIDE = 2
"""The delivery method of incoming and of outgoing mail that is this service's."""
ACT_SERVER_SIDE = 1
"""The same for appointments, contacts and tasks, which are numbered otherwise."""


def now() -> datetime:
    """This moment."""
    return datetime.fromtimestamp(time.time(), UTC)


def written(moment: datetime) -> str:
    """A moment as records hold it, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Oddity(Enum):
    """Properties of a mailbox that cannot be seen from outside and affect only the service."""

    PLUG_IN_ABORTS = "plug-in-aborts"
    """A plug-in or workflow of the organization aborts the processing of received mail."""
    OWNER_LACKS_PRIVILEGES = "owner-lacks-privileges"
    """The mailbox's user lacks privileges that synchronization needs."""
    HELD_BY_A_STOPPED_SERVER = "held-by-a-stopped-server"
    """Another server of the asynchronous service took the mailbox up and stopped: nobody tests it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemUser:
    """A user who signs in to Dynamics."""

    name: str
    """`DOMAIN\\user`, or the name that a token is given for."""
    password: str = ""
    principal_name: str = ""
    """Another name of the same account."""
    lacks: frozenset[str] = frozenset()
    """Privileges that no role of theirs has."""
    member: bool = True
    """Whether they are a user of this organization, rather than of Windows alone."""

    @property
    def id(self) -> str:
        return made_id("systemuser", self.name.lower())


@dataclass(frozen=True, slots=True)
class WaitingMail:
    """The mails of one sender that wait to be sent."""

    count: int
    oldest: datetime
    newest: datetime


@dataclass(frozen=True, slots=True)
class Write:
    """A change of a record that came through the Web API."""

    identifier: str
    changes: Mapping[str, Any]
    if_match: str
    status: int
    """The status of the answer; 204 where it was executed."""
    user: str


@dataclass
class Organization:
    """One organization with its records; those that a test makes get ids out of their names."""

    name: str = "Contoso"
    """Its unique name, which its record has too, and its path on a server of several."""
    id: str = ""
    version: str = "9.1.17.29"
    """As RetrieveVersion gives it."""
    clock: Callable[[], datetime] = now
    claimed_elsewhere: set[str] = field(default_factory=set)
    """Addresses whose Exchange mailbox is marked as that of another organization."""
    oddities: dict[str, Oddity] = field(default_factory=dict)
    """By address."""
    queues: set[str] = field(default_factory=set)
    """The ids of the mailboxes that belong to a queue, rather than to a user."""
    pending: dict[str | None, WaitingMail] = field(default_factory=dict)
    """By mailbox id; None for mails whose sender has no mailbox."""

    def __post_init__(self) -> None:
        self.id = self.id or made_id("organization", self.name)
        self.records: dict[str, dict[str, dict[str, Any]]] = {entity.name: {} for entity in (PROFILE, MAILBOX, TRACE_LOG)}
        self.records[ORGANIZATION.name] = {self.id: {"organizationid": self.id, "name": self.name, "createdon": written(self.clock())}}
        self.writes: deque[Write] = deque(maxlen=LOGS_KEPT)
        """Every change that was requested through the Web API, executed or not."""
        self.revision = 0
        """Grows with every change."""
        self.scheduled = asyncio.Event()
        """Set when Test & Enable is scheduled for a mailbox; the service clears it."""

    @property
    def numbers(self) -> tuple[int, int]:
        """Major and minor version."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)

    @property
    def profiles(self) -> dict[str, dict[str, Any]]:
        return self.records[PROFILE.name]

    @property
    def mailboxes(self) -> dict[str, dict[str, Any]]:
        return self.records[MAILBOX.name]

    @property
    def trace_logs(self) -> dict[str, dict[str, Any]]:
        return self.records[TRACE_LOG.name]

    def add_profile(self, name: str, **values: Any) -> str:
        """An email server profile; its id."""
        passwords = {f"is{side}passwordset": True for side in ("incoming", "outgoing") if values.get(f"{side}password")}
        return self._add(PROFILE, made_id(self.id, "profile", name), {"name": name, **passwords, **values})

    def add_mailbox(self, address: str | None, profile: str | None = None, **values: Any) -> str:
        """A mailbox with an address, and with the id of its profile; its id. `mailboxid` may be among the values."""
        identifier = values.pop("mailboxid", None) or made_id(self.id, "mailbox", address or str(len(self.mailboxes)))
        about = {
            "name": address or "without address",
            "emailaddress": address,
            "emailserverprofile": profile,
            "regardingobjectid": made_id(self.id, "systemuser", address or ""),
            "ownerid": made_id(self.id, "systemuser", address or ""),
            "ispasswordset": bool(values.get("password")),
        }
        return self._add(MAILBOX, identifier, {**about, **values})

    def add_trace_log(self, regarding: str, **values: Any) -> str:
        """An alert about a record; its id."""
        return self._add(TRACE_LOG, str(uuid.uuid4()), {"regardingobjectid": regarding, **values})

    def update(self, entity: Entity, identifier: str, changes: Mapping[str, Any]) -> None:
        """Changes a record, with the time and the version of it."""
        row = self.records[entity.name][identifier]
        row.update(changes)
        self._touch(row)
        if entity is MAILBOX and changes.get("testemailconfigurationscheduled"):
            self.scheduled.set()

    def alerts(self, regarding: str) -> list[dict[str, Any]]:
        """The alerts about a record, newest first."""
        found = [row for row in self.trace_logs.values() if row["regardingobjectid"] == regarding]
        return sorted(found, key=lambda row: (row["modifiedon"], row["versionnumber"]), reverse=True)

    def waiting(self) -> Iterator[str]:
        """The ids of the mailboxes that are scheduled for Test & Enable."""
        for identifier, row in self.mailboxes.items():
            if row.get("testemailconfigurationscheduled"):
                yield identifier

    def _add(self, entity: Entity, identifier: str, values: dict[str, Any]) -> str:
        known = {attribute.name for attribute in entity.attributes}
        if unknown := values.keys() - known:
            raise ValueError(f"a {entity.name} has no {', '.join(sorted(unknown))}")
        row = {entity.key: identifier, "createdon": written(self.clock()), **values}
        self.records[entity.name][identifier] = row
        self._touch(row)
        return identifier

    def _touch(self, row: dict[str, Any]) -> None:
        self.revision += 1
        row["versionnumber"] = 1_000_000 + self.revision
        row["modifiedon"] = written(self.clock())
