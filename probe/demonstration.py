"""The whole path of the gate over the simulated organization, for `probe demo --gate`: import, gate, Test & Enable, compare. Nothing outside is touched."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from probe import app
from probe.config import read_estate
from probe.enabling import Audit, Books, Job, Patience, Pressed, Wish
from probe.enabling import choose as choose_whom
from probe.gate import Gated
from probe.importing import access_to, choose, drafted, estate_text, sent_where
from probe.memory import Folder
from probe.model.estate import Effect, Estate
from probe.simulation.dynamics.demonstration import USER, Demonstration
from probe.simulation.dynamics.organization import Oddity

_ANSWERS: Mapping[str, str | bool | list[str]] = {
    "runs_on": "windows-server-2019",
    "fips": False,
    "mass_email": False,
    "custom_email_providers": False,
    "outlook_on_the_web_tracking": False,
    "outlook_manual_tracking": False,
}
"""What no record of Dynamics tells."""
_PATIENCE = Patience(wait=20, pause=0, stop_at=100, first_read=0.2, last_read=2)
_HELD = "service@contoso.test"
"""Whose Test & Enable comes to no end, so that this outcome is shown too."""


async def demonstrate_gate(options: app.Options, say: Callable[[str], None], stop: asyncio.Event) -> tuple[Gated, Pressed | None]:
    """Import the simulated organization, ask the gate about all of it, run Test & Enable of what may go, and compare. `say` is told each step.

    What came of Test & Enable is None where it was interrupted before.
    """
    async with Demonstration.start(timeout=options.timeout) as demonstration:
        simulation = demonstration.simulation
        demonstration.organization.oddities[_HELD] = Oddity.HELD_BY_A_STOPPED_SERVER
        with TemporaryDirectory(prefix="probe-demo-") as folder:
            simulated = replace(
                options, hosts=demonstration.hosts, ca_file=simulation.ca_file, allow=options.allow | {Effect.LOGS_IN}, state=None
            )
            estate = await _imported(demonstration, simulated, Path(folder), stop)
            say(f"imported {len(estate.profiles)} profiles and {len(estate.mailboxes)} mailboxes from {demonstration.url}")
            gated = await app.gate(estate, estate.mailboxes, simulated, stop=stop)
            assert gated is not None
            if gated.run.interrupted:
                return gated, None
            wish, state = Wish(takes_over=True), Folder(Path(folder) / "state")
            assert estate.dynamics is not None
            assert estate.dynamics.organization is not None
            job = Job(
                estate=estate,
                choice=choose_whom(estate, gated, {}, wish),
                wish=wish,
                patience=_PATIENCE,
                batch="demo",
                organization=estate.dynamics.organization.id,
                who="demo",
                host=platform.node() or "unknown",
            )
            with Audit(state, app.now) as audit:
                return gated, await app.enable(job, simulated, audit, Books(state), say, stop)


async def _imported(demonstration: Demonstration, options: app.Options, folder: Path, stop: asyncio.Event) -> Estate:
    """The estate as `probe import` writes it and a person completes it: with the questions answered, and the secrets where they are."""
    simulation = demonstration.simulation
    password = folder / "password"
    password.touch(mode=0o600)
    password.write_text(USER.password, encoding="utf-8")
    given = {"authentication": "ntlm", "username": USER.name, "password": f"file:{password}", "ca": str(simulation.ca_file)}
    way = access_to(demonstration.url, given, None)
    records = await app.read_organization(way.access, way.authorities, options, lambda count: None, stop)
    draft = drafted(records, choose(records.mailboxes, everything=False), way.written, _ANSWERS, everything=False)
    hosts = frozenset(sent.host for sent in sent_where(draft, frozenset()))
    estate = read_estate(estate_text(draft, hosts, demonstration.url), "estate.toml")
    # Dynamics gives no password back, and the variables that the import names are nobody's to set here.
    of_profiles = {profile.name: profile.password for profile in simulation.estate.profiles}
    of_mailboxes = {mailbox.address: mailbox.password for mailbox in simulation.estate.mailboxes}
    return replace(
        estate,
        profiles=tuple(replace(one, password=of_profiles.get(one.name)) for one in estate.profiles),
        mailboxes=tuple(replace(one, password=of_mailboxes.get(one.address)) for one in estate.mailboxes),
    )
