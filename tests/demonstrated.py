"""The simulated estate, checked once for all tests of a process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from probe import app
from probe.document import publish
from probe.model.estate import Effect
from probe.model.runs import Run
from probe.simulation.estate import Simulation
from tests.cases import DAY


@dataclass(frozen=True)
class Checked:
    run: Run
    document: dict[str, Any]
    secrets: tuple[str, ...]
    bugs: tuple[str, ...]


@cache
def checked() -> Checked:
    """One check of the simulated estate, with everything allowed that the estate allows, and NTLM challenges."""

    async def work() -> Checked:
        bugs: list[str] = []
        async with Simulation.start() as simulation:
            estate = simulation.estate
            options = app.Options(
                timeout=10,
                hosts=simulation.hosts,
                ca_file=simulation.ca_file,
                report_bug=bugs.append,
                allow=frozenset({Effect.PROVOKES}),
                tls="none",
            )
            references = [p.password for p in estate.profiles] + [m.password for m in estate.mailboxes]
            secrets = tuple({Path(reference.locator).read_text().strip() for reference in references if reference is not None})
            async with app.Probing(options) as probing:
                run = await probing.check(app.plan_check(estate, estate.mailboxes, options, on=DAY))
        return Checked(run, publish(run), secrets, tuple(bugs))

    return asyncio.run(work())
