"""`probe outlook`: what ends or changes, when, for how many mailboxes."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from probe.cli.estates import estate_of
from probe.cli.exit_codes import exit_code
from probe.cli.options import answer_options, probing_options

if TYPE_CHECKING:
    from probe.app import Options
    from probe.cli.output import Output

_DAYS = 365
_MOST_DAYS = 36500
"""How far ahead may be looked: the run is judged again for each change, and no table knows of what comes then."""


@click.command()
@click.argument("estate_file", metavar="ESTATE.toml", type=click.Path(path_type=Path))
@click.option("--until", metavar="DATE", type=click.DateTime(["%Y-%m-%d"]), help="The last day that is looked at.  [default: in a year]")
@answer_options
@probing_options
def outlook(output: Output, options: Options, estate_file: Path, until: datetime | None) -> NoReturn:
    """Say what ends or changes, when, for how many mailboxes.

    The endpoints are looked at as by `probe check`, and nobody signs in. Certificates that end, support that ends, and services that are
    switched off are told on the day from which they make a difference.
    """
    from probe import app
    from probe.outlook import outlook_form, outlook_text

    if until is not None and (until.date() - app.today()).days > _MOST_DAYS:
        raise click.BadParameter(f"{until.date()} is more than a hundred years ahead", param_hint="--until")
    estate = estate_of(estate_file)
    # What comes shows without a sign-in: none is held, whatever the estate allows, and Dynamics' records are not read.
    unsigned = replace(estate, deployment=replace(estate.deployment, allow=frozenset()), dynamics=None)
    with output.progress(options) as options:
        run = app.complete(partial(app.check, unsigned, unsigned.mailboxes, options))
    last = until.date() if until else run.judged_at + timedelta(days=_DAYS)
    coming = app.outlook(run, last)
    if output.format == "json":
        output.write_form(outlook_form(run, coming, last))
    else:
        output.write([outlook_text(run, coming, last, output.report_options())], "text/plain; charset=utf-8")
    code = exit_code(run)
    sys.exit(code if code in (70, 130) else 0)
