"""Erases one person's mailbox from what the state folder has beside the history, which erases for itself (`History.erase`), and renames a deployment there.

A service that runs meanwhile would write it again out of its memory, so that whoever does holds the service's lock.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from probe.alerts import AlertBook
from probe.memory import Folder, Memory, MemoryUnavailable
from probe.model.named_address import NamedAddress
from probe.schedule import ScheduleBook
from probe.service.keeping import KeptLooks


class Erasing(Protocol):
    """A file of the state folder, from which a mailbox can be erased."""

    def erase(self, address: NamedAddress) -> int:
        """Erase it; gives how many rows named it. Raises MemoryUnavailable."""


class ErasedRows(NamedTuple):
    """What was erased from one file."""

    what: str
    rows: int
    failed: str | None
    """Why it may name the mailbox still; None where it does not."""


def erase_from(folder: Folder, deployment: str, address: str) -> list[ErasedRows]:
    """Erase a mailbox from each file that may name it, whatever becomes of the others. The audit and the gate's books are left as they are."""
    memory, named = Memory(folder.path), NamedAddress(address)
    files: list[tuple[str, Erasing]] = [
        ("sign-ins of the last 15 minutes", memory.sign_ins),
        ("rows of what the service knows (service.sqlite)", KeptLooks(folder, deployment)),
        ("rows of alerts (alerts.sqlite)", AlertBook(folder, None)),
        ("tasks of the schedule (schedule.sqlite)", ScheduleBook(folder, deployment)),
        ("rows of what Dynamics said last (dynamics.sqlite)", memory.last_known),
        ("reasons why a server is left alone (memory.sqlite)", memory),
    ]
    return [_erased(what, file, named) for what, file in files]


def rename_in(folder: Folder, old: str, new: str) -> None:
    """Have a service go on under a new name of its deployment with what it knew, told and was to do. Raises MemoryUnavailable."""
    for book in (AlertBook(folder, None), ScheduleBook(folder, old), KeptLooks(folder, old)):
        book.rename(old, new)


def _erased(what: str, file: Erasing, address: NamedAddress) -> ErasedRows:
    try:
        return ErasedRows(what, file.erase(address), None)
    except MemoryUnavailable as unavailable:
        return ErasedRows(what, 0, str(unavailable))
