"""A target of alerts that does what a test says, for alerts over driven time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from probe.alerts import AlertBook, AlertCondition, AlertKind, Alerts, Notice, Recipients, Severity, Telling
from probe.alerts.wording import Message
from probe.memory.folder import Folder
from probe.model.secrets import SecretReference
from probe.model.watching import AlertSettings
from probe.net.alert_request import Delivered, DeliveryEnding

START = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
DEPLOYMENT = "contoso-crm"


@dataclass(frozen=True)
class Received:
    """What a target took."""

    target: str
    event: str
    message: Message
    is_repetition: bool
    at: datetime

    @property
    def mark(self) -> str:
        """What stands in brackets, as `CRITICAL`."""
        return self.message.title[1:].partition("]")[0]

    @property
    def about(self) -> str:
        return self.message.title.partition(f"{DEPLOYMENT}: ")[2]


@dataclass
class World:
    """Alerts in a folder, with scripted targets and a clock that a test drives."""

    folder: Path
    now: datetime = START
    settings: AlertSettings = field(default_factory=AlertSettings)
    recipients: Recipients = field(default_factory=lambda: recipients("env:A"))
    is_maintenance: bool = False
    endings: dict[str, Callable[[], DeliveryEnding]] = field(default_factory=dict)
    """How a delivery to each target ends; taken, where it is not named. One that ends unseen is taken too."""
    received: list[Received] = field(default_factory=list)
    tries: list[tuple[str, str]] = field(default_factory=list)
    """Target and event of everything that was sent, whether or not it was taken."""
    killed_copy: Path | None = None
    """Where the folder is copied to at the next sending, as a program that is killed then leaves it."""
    killed_before_it_is_taken: bool = False

    def __post_init__(self) -> None:
        self.alerts = self.opened()

    def opened(self) -> Alerts:
        return Alerts(Folder(self.folder), DEPLOYMENT, self._send, self.telling)

    @property
    def telling(self) -> Telling:
        return Telling(settings=self.settings, recipients=self.recipients, in_maintenance=lambda now: self.is_maintenance, zone=UTC)

    def reload(self) -> None:
        self.alerts.reload(self.telling)

    def pass_time(self, **time: float) -> None:
        self.now += timedelta(**time)

    def settle(self, *conditions: AlertCondition, undecided: Iterable[str] = ()) -> None:
        unknown = frozenset(undecided)
        self.alerts.settle(conditions, self.now, undecided=unknown.__contains__)

    async def told(self) -> list[Received]:
        """Delivers what is waiting; what is taken of it."""
        before = len(self.received)
        await self.alerts.deliver(self.now)
        return self.received[before:]

    async def marks(self) -> list[str]:
        return [one.mark for one in await self.told()]

    async def _send(self, target: str, message: Message, event: str, is_repetition: bool) -> Delivered:
        self.tries.append((target, event))
        if self.killed_copy is not None and not self.killed_copy.exists():
            with AlertBook(Folder(self.folder), None).opened():
                # A copy is no moment: nobody writes meanwhile.
                shutil.copytree(self.folder, self.killed_copy)
            if self.killed_before_it_is_taken:
                return Delivered(DeliveryEnding.NOT_TAKEN)
        ending = self.endings.get(target, lambda: DeliveryEnding.TAKEN)()
        if ending in (DeliveryEnding.TAKEN, DeliveryEnding.UNSEEN):
            self.received.append(Received(target, event, message, is_repetition, self.now))
        return Delivered(ending, "" if ending is DeliveryEnding.TAKEN else "so the test wants it")


def recipients(*references: str, **by_profile: str) -> Recipients:
    owners = tuple((profile, (SecretReference.parse(reference),)) for profile, reference in by_profile.items())
    return Recipients(default=tuple(map(SecretReference.parse, references)), by_profile=owners)


def condition(name: str = "mail is down", severity: Severity = Severity.CRITICAL, **more: Any) -> AlertCondition:
    return AlertCondition(
        key=f"verdict|{name}", kind=AlertKind.VERDICT, severity=severity, subject="smtp://mail.contoso.test:587", title=name, **more
    )


def notice(name: str, **more: Any) -> Notice:
    return Notice(
        key=f"drift|{name}",
        kind=AlertKind.DRIFT,
        severity=Severity.INFORMATION,
        subject="smtp://mail.contoso.test:587",
        title=name,
        **more,
    )
