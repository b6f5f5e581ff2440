"""Which mailboxes of an estate a command is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from probe.cli.options import listed_addresses
from probe.cli.streams import WrongArguments, tell

if TYPE_CHECKING:
    from probe.app import Narrow
    from probe.gate import DynamicsRecords, Unread
    from probe.model.estate import Estate, Mailbox


def chosen(estate: Estate, addresses: Sequence[str]) -> tuple[Mailbox, ...]:
    """The mailboxes of an estate with these addresses, or all. Raises WrongArguments."""
    if not addresses:
        return estate.mailboxes
    by_address = {m.address.lower(): m for m in estate.mailboxes}
    unknown = [a for a in addresses if a.lower() not in by_address]
    if unknown:
        raise WrongArguments(f"the estate has no mailbox {a!r}{near(a.lower(), by_address)}" for a in unknown)
    return tuple(by_address[a] for a in dict.fromkeys(a.lower() for a in addresses))


def to_be_gated(
    estate: Estate, addresses: Sequence[str], *, everyone: bool, profiles: Sequence[str], list_file: Path | None
) -> tuple[Mailbox, ...]:
    """The mailboxes that are meant, in the order of the estate. Those that nothing is synchronized of have nothing to be tested."""
    if not (addresses or everyone or profiles or list_file):
        raise click.UsageError("name the mailboxes: by ADDRESS, --all, --profile NAME, --from-file FILE or --disabled-since WHEN")
    known = {profile.name: profile for profile in estate.profiles}
    unknown = [f"the estate has no profile {name!r}{near(name, known)}" for name in profiles if name not in known]
    if unknown:
        raise WrongArguments(unknown)
    named = [*addresses, *([] if list_file is None else listed_addresses(list_file))]
    by_name = {mailbox.address for mailbox in (chosen(estate, named) if named else ())}
    meant = [mailbox for mailbox in estate.mailboxes if everyone or mailbox.profile in profiles or mailbox.address in by_name]
    unserved = [mailbox.address for mailbox in meant if not mailbox.is_served]
    if wrong := [address for address in unserved if address in by_name]:
        raise WrongArguments(
            f"server-side synchronization serves nothing of {address}, so that there is nothing to test" for address in wrong
        )
    if unserved:
        tell(f"{len(unserved)} left out, since server-side synchronization serves nothing of them")
    if len(unserved) == len(meant):
        raise click.UsageError("server-side synchronization serves none of these mailboxes")
    return tuple(mailbox for mailbox in meant if mailbox.is_served)


def narrowed_to_outage(estate: Estate, when: str) -> Narrow:
    """Leaves those that an outage disabled, and shows them first; what fits in part is named, and left out."""
    from probe import app
    from probe.gate import Unread, disabled_since

    try:
        moment = app.moment_of(when)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint="--disabled-since") from None
    if estate.dynamics is None:
        raise click.UsageError("--disabled-since needs [dynamics] in the estate: Dynamics knows what is disabled")

    def narrowed(mailboxes: Sequence[Mailbox], records: DynamicsRecords | Unread) -> Sequence[Mailbox]:
        if isinstance(records, Unread):
            raise click.UsageError(f"Dynamics could not be read, so that it is not known what is disabled: {records.reason}")
        found = disabled_since(mailboxes, records, moment)
        meant = [one for one in found if not one.lacks]
        tell(f"{len(meant)} disabled by an outage at {moment:%Y-%m-%d %H:%M}{':' if meant else ''}")
        for one in found:
            times = (("last success", one.last_success), ("last error", one.last_error))
            told = ", ".join(f"{what} {'never' if at is None else f'{at.astimezone():%Y-%m-%d %H:%M:%S}'}" for what, at in times)
            left_out = f" LEFT OUT: {'; '.join(one.lacks)}" if one.lacks else ""
            tell(f"  {one.mailbox.address} ({', '.join(one.directions)}): {told}{left_out}")
        return [one.mailbox for one in meant]

    return narrowed


def near(name: str, known: Iterable[str]) -> str:
    """The question whether a name like it was meant; empty where none is."""
    import difflib

    alike = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {alike[0]}?" if alike else ""
