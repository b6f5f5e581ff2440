"""The simulated estate with its organization, as an operator declares both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from probe import app
from probe.model.estate import Authentication, DynamicsAccess, Estate, OrganizationUrl, SecretReference
from probe.simulation.dynamics.demonstration import USER, Demonstration
from probe.simulation.dynamics.organization import Organization

SILENT = "support@tailspin.test"
"""Its servers say nothing, for as long as anybody waits."""


@asynccontextmanager
async def demonstrated(password: str = USER.password) -> AsyncIterator[tuple[Demonstration, Estate, app.Options]]:
    """What runs, its estate with `[dynamics]`, and how to probe it."""
    async with Demonstration.start(timeout=20) as demonstration:
        simulation = demonstration.simulation
        file = simulation.ca_file.with_name("crm-password")
        file.write_text(password)
        file.chmod(0o600)
        access = DynamicsAccess(
            url=OrganizationUrl.parse(demonstration.url),
            authentication=Authentication.NTLM,
            username=USER.name,
            password=SecretReference("file", str(file)),
            ca=str(simulation.ca_file),
        )
        options = app.Options(hosts=demonstration.hosts, ca_file=simulation.ca_file, timeout=10, tls="none")
        yield demonstration, replace(simulation.estate, dynamics=access), options


def identifier(organization: Organization, address: str) -> str:
    """A mailbox's id in Dynamics."""
    return next(one for one, row in organization.mailboxes.items() if row["emailaddress"] == address)
