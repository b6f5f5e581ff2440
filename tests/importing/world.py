"""The simulated organization, read as `probe import` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from probe.app import Options, read_organization
from probe.importing import ExistingEstate, ImportedRecords, access_to, choose, compared, drafted, estate_text, read_existing
from probe.importing.access import ImportAccess
from probe.importing.differing import EstateMerge
from probe.importing.tables import EstateDraft
from probe.simulation.dynamics.demonstration import USER, Demonstration

ANSWERS: Mapping[str, Any] = {
    "runs_on": "windows-server-2019",
    "fips": False,
    "mass_email": False,
    "custom_email_providers": False,
    "outlook_on_the_web_tracking": False,
    "outlook_manual_tracking": False,
}


def access(demonstration: Demonstration, folder: Path, existing: ExistingEstate | None = None) -> ImportAccess:
    """As the demonstration's user, by NTLM."""
    file = folder / "password"
    file.write_text(USER.password)
    return access_to(demonstration.url, {"authentication": "ntlm", "username": USER.name, "password": f"file:{file}"}, existing)


async def read(demonstration: Demonstration, way: ImportAccess, state: Path | None = None) -> ImportedRecords:
    """All records."""
    import asyncio

    options = Options(hosts=demonstration.hosts, ca_file=demonstration.simulation.ca_file, state=state)
    return await read_organization(way.access, way.authorities, options, lambda count: None, asyncio.Event())


def draft_of(
    records: ImportedRecords, way: ImportAccess, *, everything: bool = False, existing: ExistingEstate | None = None
) -> EstateDraft:
    """What is written of them, all questions answered."""
    seen = ExistingEstate.none() if existing is None else existing
    choice = choose(records.mailboxes, everything=everything, also=seen.mailboxes)
    return drafted(records, choice, way.written, ANSWERS, everything=everything, also=seen.profiles, taken=seen.variables)


def merged(text: str, draft: EstateDraft, *agreed: str) -> EstateMerge:
    """What a draft has otherwise than an estate."""
    return compared(read_existing(text, "estate.toml"), draft, frozenset(agreed))


__all__ = ["ANSWERS", "access", "draft_of", "estate_text", "merged", "read"]
