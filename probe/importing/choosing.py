"""Which rows become mailboxes of an estate, and what is said of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager

from probe.config.secrets import SecretUnavailable
from probe.dynamics import Client, EmailServerProfile, MailboxRow, Option, Organization
from probe.dynamics.found import INACTIVE, is_approved, precedence, serves
from probe.model.characters import visible
from probe.model.estate import Estate
from probe.model.values import dataclass
from probe.net.failures import Throttled, expected
from probe.probing.proofs import NotClaimed


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxSummary:
    """Of a mailbox's row what an estate can say; a listing may have 50,000 of them."""

    id: str
    name: str | None
    address: str | None
    profile: str | None
    incoming: Option | None
    outgoing: Option | None
    appointments: Option | None
    username: str | None
    password_is_set: bool | None
    ews_url: str | None
    is_active: bool
    is_approved: bool
    kinds: tuple[str, ...]
    """What else the row is: `queue`, `forward`, `service`, `inactive`."""

    @property
    def is_served(self) -> bool:
        """Whether server-side synchronization serves it in some direction, which it does not where the row is inactive."""
        return serves(is_active=self.is_active, incoming=self.incoming, outgoing=self.outgoing, appointments=self.appointments)

    @property
    def shown(self) -> str:
        """The row in a message."""
        return f"{self.id} ({visible(self.name or 'without a name')[:100]})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRecords:
    """What was read of an organization."""

    organization: Organization
    profiles: tuple[EmailServerProfile, ...]
    mailboxes: tuple[MailboxSummary, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxSelection:
    """The rows that are written, and a sentence on each that is not though somebody may look for it."""

    mailboxes: tuple[MailboxSummary, ...]
    told: tuple[str, ...]
    counts: tuple[tuple[str, int], ...]
    """How many rows there are of each kind, and how many were left out since nothing serves them."""


async def read_records(client: Client, progress: Callable[[int], None] = lambda count: None) -> ImportedRecords:
    """All profiles and mailboxes. `progress` is told how many mailboxes have come."""
    profiles = await client.profiles()
    kept: list[MailboxSummary] = []
    async for page in client.mailboxes():
        kept += map(kept_of, page)
        progress(len(kept))
    return ImportedRecords(organization=client.organization, profiles=profiles, mailboxes=tuple(kept))


def kept_of(row: MailboxRow) -> MailboxSummary:
    """What is kept of a row."""
    kinds = {
        "queue": row.regarding_table == "queue",
        "forward": row.is_forward_mailbox is True,
        "service": row.is_service_account is True,
        "inactive": row.state == INACTIVE,
    }
    return MailboxSummary(
        id=row.id,
        name=row.name,
        address=row.address,
        profile=row.profile,
        incoming=row.incoming_delivery,
        outgoing=row.outgoing_delivery,
        appointments=row.appointments_delivery,
        username=row.username,
        password_is_set=row.password_is_set,
        ews_url=row.ews_url,
        is_active=row.state != INACTIVE,
        is_approved=is_approved(row),
        kinds=tuple(kind for kind, is_one in kinds.items() if is_one),
    )


def choose(rows: Iterable[MailboxSummary], *, everything: bool, also: frozenset[str] = frozenset()) -> MailboxSelection:
    """Of the rows those that are written, by address. `everything` takes those too that nothing serves; `also` names ids and folded addresses that are taken
    for standing in an estate already.
    """
    counts: Counter[str] = Counter()
    told: list[str] = []
    by_address: dict[str, list[MailboxSummary]] = {}
    for row in rows:
        counts.update(row.kinds)
        address = (row.address or "").casefold()
        if not (everything or row.is_served or row.id in also or address in also):
            counts["not served"] += 1
        elif not row.address:
            told.append(f"mailbox {row.shown} has no address, and was left out")
        else:
            by_address.setdefault(address, []).append(row)
    chosen = []
    for _, same in sorted(by_address.items()):
        first, *others = sorted(same, key=lambda row: (*precedence(is_served=row.is_served, is_approved=row.is_approved), row.id))
        chosen.append(first)
        told += [
            f"mailbox {row.shown} has the address of {first.id} too ({visible(row.address or '')}), and was left out" for row in others
        ]
    return MailboxSelection(mailboxes=tuple(chosen), told=tuple(told), counts=tuple(sorted(counts.items())))


async def read_unlisted(estate: Estate, organization: AbstractAsyncContextManager[Client]) -> tuple[str, ...] | None:
    """What `unlisted` gives by the records of an organization; None where these could not be read. Raises Throttled where it asks to be left alone."""
    try:
        async with organization as client:
            return unlisted(estate, await read_records(client))
    except Exception as failed:
        if isinstance(failed, SecretUnavailable | NotClaimed) or (expected(failed) is not None and not isinstance(failed, Throttled)):
            return None
        raise


def unlisted(estate: Estate, records: ImportedRecords) -> tuple[str, ...]:
    """Addresses that server-side synchronization serves, and that an estate does not have."""
    addresses = {mailbox.address.casefold() for mailbox in estate.mailboxes}
    ids = {mailbox.id for mailbox in estate.mailboxes if mailbox.id is not None}
    served = choose(records.mailboxes, everything=False).mailboxes
    return tuple(row.address for row in served if row.address and row.address.casefold() not in addresses and row.id not in ids)
