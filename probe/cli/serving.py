"""`probe serve`: an estate is watched for as long as the process lives."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from probe.cli.estates import estate_of
from probe.cli.history import data_option, place_of
from probe.cli.options import answer_options, probing_options
from probe.cli.streams import log_lines, tell
from probe.model.schemas import DAY_SCHEMA

if TYPE_CHECKING:
    import asyncio

    from probe.app import Options
    from probe.cli.output import Output
    from probe.model.estate import Estate


@click.command()
@click.argument("estate_file", metavar="ESTATE.toml", type=click.Path(path_type=Path))
@click.option(
    "--listen", metavar="HOST:PORT", default=None, help="Where programs and people may ask; 127.0.0.1:8025 where nothing is said."
)
@data_option
@click.option(
    "--certificate", type=click.Path(path_type=Path, dir_okay=False), help="PEM file with the listener's certificate and its chain."
)
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False), help="PEM file with its private key.")
@click.option("--require-token", is_flag=True, help="Readers on loopback want a token too.")
@click.option("--dry-run", is_flag=True, help="Show the day ahead, and what it costs each server; nothing is started.")
@answer_options
@probing_options
def serve(
    output: Output,
    options: Options,
    estate_file: Path,
    listen: str | None,
    data: str,
    certificate: Path | None,
    key: Path | None,
    require_token: bool,
    dry_run: bool,
) -> NoReturn:
    """Watch an estate: look on schedule, remember, notice what changes, and tell who is to know.

    The estate is taken up again when its file changes, and on SIGHUP; a wrong one is refused, and the old one stays. SIGTERM ends it.
    """
    from probe import app
    from probe.memory import Folder, default_folder
    from probe.model.estate import Secret
    from probe.service import CannotServe, ServiceSettings
    from probe.service import serve as serving
    from probe.web.listener import listen_settings

    estate = estate_of(estate_file)
    # Whole: who reads it on a page stands in no folder of this machine.
    options = replace(options, state=default_folder, estate_file=str(estate_file.absolute()))
    if dry_run:
        show_day_ahead(output, options, estate)
    try:
        where = listen_settings(listen, certificate, key, require_token=require_token)
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None
    place = place_of(data)
    if not output.is_logged:
        # What goes wrong with a service is told nowhere else.
        from probe.cli.logs import log_to_standard_error

        log_to_standard_error("warning", output.log_format)
    in_json = output.log_format == "json"
    settings = ServiceSettings(
        estate_file=estate_file,
        options=options,
        folder=Folder(default_folder),
        database=place if isinstance(place, Secret) else None,
        listen=where,
        say=log_lines if in_json else tell,
        logs_json=in_json,
        environment=dict(os.environ),
    )

    async def begun(stop: asyncio.Event) -> None:
        import asyncio

        reload, loop = asyncio.Event(), asyncio.get_running_loop()
        if hasattr(signal, "SIGHUP"):
            loop.add_signal_handler(signal.SIGHUP, reload.set)
        await serving(settings, estate, stop, reload)

    try:
        app.complete(begun)
    except CannotServe as failed:
        tell(str(failed))
        sys.exit(2)
    sys.exit(0)


def show_day_ahead(output: Output, options: Options, estate: Estate) -> NoReturn:
    """Tell what a day of the schedule is, and what it costs each server."""
    from probe import app
    from probe.schedule import day_ahead, lines_of
    from probe.service import judges

    by = judges(options)
    today = app.now().astimezone().date()
    ahead = day_ahead(by.tasks(estate, by.plan(estate, today)), estate.deployment.name, today)
    if output.format == "json":
        kinds = [
            {
                "kind": one.kind.value,
                "tasks": one.tasks,
                "interval_seconds": int(one.interval.total_seconds()),
                "runs": one.runs,
                "first": None if one.first is None else one.first.isoformat().replace("+00:00", "Z"),
                "last": None if one.last is None else one.last.isoformat().replace("+00:00", "Z"),
                "busiest_hour": one.busiest_hour,
            }
            for one in ahead.kinds
        ]
        servers = [
            {
                "server": one.url,
                "connections": one.connections,
                "busiest_hour_connections": one.most_connections,
                "sign_ins": one.sign_ins,
                "busiest_hour_sign_ins": one.most_sign_ins,
            }
            for one in ahead.servers
        ]
        output.write_form({"schema": DAY_SCHEMA, "day": ahead.day.isoformat(), "kinds": kinds, "servers": servers})
    else:
        output.write_lines(lines_of(ahead))
    sys.exit(0)
