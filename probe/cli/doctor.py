"""`probe doctor`: what is wrong with a set-up."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from probe.cli.estates import estate_of
from probe.cli.options import answer_options, probing_options
from probe.model.schemas import DOCTOR_SCHEMA

if TYPE_CHECKING:
    from probe.app import Options
    from probe.cli.output import Output


@click.command()
@click.argument("estate_file", metavar="[ESTATE.toml]", type=click.Path(path_type=Path), required=False)
@answer_options
@probing_options
def doctor(output: Output, options: Options, estate_file: Path | None) -> NoReturn:
    """Say what is wrong with a set-up: of this machine, and of an estate on it.

    Looked at are the state folder, trust anchors, secrets, alert targets, the heartbeat, names, tickets, the servers' clocks, and Dynamics where the estate has it. The
    secrets are looked up and not shown; to Dynamics somebody signs in, to mail servers nobody.

    \b
    Exit codes: 0 nothing is wrong; 1 something is; 3 nothing is, and something is not known.
    """
    from probe import app
    from probe.doctor import Health, worst
    from probe.memory import default_folder

    estate = None if estate_file is None else estate_of(estate_file)
    symptoms = app.complete(partial(app.doctor, estate, replace(options, state=default_folder)))
    if output.format == "json":
        told = [{"about": s.about, "health": s.health, "words": s.words, "remedy": s.remedy} for s in symptoms]
        output.write_form({"schema": DOCTOR_SCHEMA, "symptoms": told})
    else:
        order = list(Health)
        shown = sorted((s for s in symptoms if not (output.quiet and s.health is Health.GOOD)), key=lambda s: order.index(s.health))
        output.write_lines(
            line for s in shown for line in (f"{s.health.upper():<8} {s.about}: {s.words}", *([f"         {s.remedy}"] if s.remedy else []))
        )
    sys.exit({Health.WRONG: 1, Health.UNKNOWN: 3, Health.GOOD: 0}[worst(symptoms)])
