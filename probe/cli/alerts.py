"""`probe alert`: what is told of, whether it arrives, and that somebody knows."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from probe.cli.estates import estate_of
from probe.cli.options import answer_options
from probe.cli.streams import log_lines, tell
from probe.model.kinds import MOMENT
from probe.model.schemas import ALERTS_SCHEMA

if TYPE_CHECKING:
    import asyncio
    from datetime import datetime

    from probe.alerts import AlertDelivery, Delivered, Incident
    from probe.cli.output import Output


@click.group()
def alert() -> None:
    """Alerts of `probe serve`: test the targets, list what is open, acknowledge."""


@alert.command()
@click.argument("estate_file", metavar="ESTATE.toml", type=click.Path(path_type=Path))
@click.option(
    "--ca",
    "ca_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A PEM file with additional trust anchors.",
)
@answer_options
def test(output: Output, estate_file: Path, ca_file: Path | None) -> NoReturn:
    """Send a message that is marked as a test to every target of an estate, and to this machine's logs.

    \b
    Exit codes: 0 every target took it; 1 one did not; 2 the estate names no target.
    """
    from probe import app
    from probe.alerts import DeliveryEnding, TargetSender, logs_of_this_machine, recipients_of, send_trial
    from probe.alerts.targets import AT_ONCE
    from probe.cli.listings import is_json
    from probe.net.killable import Children

    estate = estate_of(estate_file)
    as_json = is_json(output)
    in_json = output.log_format == "json"
    logs = logs_of_this_machine(os.environ, log_lines if in_json else tell, app.now if in_json else None)
    if not recipients_of(estate).everybody:
        raise click.UsageError(f"{estate_file} names no target: [alerts] to, or alerts_to of a profile")
    names = recipients_of(estate, logs).everybody

    async def sent(_stop: asyncio.Event) -> list[tuple[str, Delivered]]:
        async with Children(AT_ONCE) as children:
            targets = TargetSender(children, logs=logs, ca_file=None if ca_file is None else str(ca_file))
            return await send_trial(targets, names, estate, app.now().astimezone())

    ended = app.complete(sent)
    if as_json:
        told = [{"target": name, "taken": one.ending is DeliveryEnding.TAKEN, "ending": one.ending, "why": one.why} for name, one in ended]
        output.write_form({"schema": ALERTS_SCHEMA, "tested": told})
    else:
        output.write_lines(f"{_OF_A_TEST[one.ending]:<10} {name}{f': {one.why}' if one.why else ''}" for name, one in ended)
    sys.exit(0 if all(one.ending is DeliveryEnding.TAKEN for _, one in ended) else 1)


@alert.command("list")
@answer_options
def list_(output: Output) -> None:
    """List the incidents that are open, and the alerts that were not delivered. Read from the state folder of this machine."""
    from probe import app
    from probe.cli.listings import is_json
    from probe.document.telling.words import count
    from probe.model.characters import visible

    as_json = is_json(output)
    incidents, unsent = _read()
    if as_json:
        forms = {"incidents": [_incident_form(one) for one in incidents], "undelivered": [_delivery_form(one) for one in unsent]}
        output.write_form({"schema": ALERTS_SCHEMA, **forms})
        return
    now = app.now()
    lines = [line for one in incidents for line in _incident_lines(one, now)]
    lines += [
        f"{one.state.upper():<10} {one.target}: {one.message.title}; tried {count(one.tries, 'time', 'times')}{f': {one.why}' if one.why else ''}"
        for one in unsent
    ]
    if lines:
        output.write_lines(map(visible, lines))
    else:
        tell("no incident is open, and every alert was delivered")


@alert.command()
@click.argument("number", metavar="ID", type=click.IntRange(min=1))
def ack(number: int) -> None:
    """Acknowledge the incident with this ID: it is not told again while it lasts, unless it becomes worse. Its end is told."""
    from probe import app
    from probe.alerts import AlertBook
    from probe.memory import MemoryUnavailable, default_folder
    from probe.memory.folder import Folder

    try:
        with AlertBook(Folder(default_folder), None).opened() as page:
            is_open = page.acknowledge(number, app.now())
    except MemoryUnavailable as unavailable:
        raise click.UsageError(str(unavailable)) from None
    if not is_open:
        raise click.UsageError(f"no incident {number} is open; see: probe alert list")
    tell(f"incident {number} is acknowledged")


_OF_A_TEST = {"taken": "TAKEN", "not-taken": "NOT TAKEN", "unseen": "UNKNOWN", "partly": "IN PART", "refused": "REFUSED"}


def _read() -> tuple[list[Incident], list[AlertDelivery]]:
    from probe.alerts import AlertBook
    from probe.memory import MemoryUnavailable, default_folder
    from probe.memory.folder import Folder

    try:
        with AlertBook(Folder(default_folder), None).opened() as page:
            return page.incidents(), page.unsent()
    except MemoryUnavailable as unavailable:
        raise click.UsageError(str(unavailable)) from None


def _incident_lines(incident: Incident, now: datetime) -> list[str]:
    from probe.document.telling.words import count

    about = incident.condition
    state = "acknowledged" if incident.acknowledged is not None else "unsteady" if incident.told == "unsteady" else "open"
    affected = len(about.mailboxes) + about.more_mailboxes
    since = incident.began.astimezone(now.astimezone().tzinfo).isoformat(sep=" ", timespec="minutes")
    counted = f", {count(affected, 'mailbox', 'mailboxes')}" if affected else ""
    return [
        f"{incident.id:<4} {about.severity.upper():<11} {about.title}",
        f"     {incident.deployment}, {state}, since {since}{counted}",
    ]


def _incident_form(incident: Incident) -> dict[str, Any]:
    about = incident.condition
    return {
        "id": incident.id,
        "deployment": incident.deployment,
        "key": about.key,
        "kind": about.kind,
        "severity": about.severity,
        "subject": about.subject,
        "title": about.title,
        "cause": about.cause,
        "words": about.words,
        "remedy": about.remedy,
        "mailboxes": len(about.mailboxes) + about.more_mailboxes,
        "profiles": list(about.profiles),
        "since": MOMENT.encode(incident.began),
        "told": incident.told,
        "acknowledged": None if incident.acknowledged is None else MOMENT.encode(incident.acknowledged),
    }


def _delivery_form(delivery: AlertDelivery) -> dict[str, Any]:
    return {
        "event": delivery.event_id,
        "kind": delivery.kind,
        "at": MOMENT.encode(delivery.event_at),
        "target": delivery.target,
        "state": delivery.state,
        "tries": delivery.tries,
        "due": MOMENT.encode(delivery.due) if delivery.state == "waiting" else None,
        "why": delivery.why,
        "title": delivery.message.title,
    }
