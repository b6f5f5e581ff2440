"""What the probe says of the simulated estate beforehand, beside what Test & Enable of the simulated organization comes to."""

from __future__ import annotations

from probe.app import Options, check
from probe.model.rules import Readiness
from probe.simulation.dynamics.demonstration import Demonstration
from probe.simulation.dynamics.metadata import MAILBOX
from tests.simulation.dynamics.post import outcome

OUTCOME_OF = {None: 0, Readiness.READY: 1, Readiness.NOT_READY: 2}

SILENT = "support@tailspin.test"
"""Its servers say nothing, for as long as anybody waits."""


async def test_predictions_and_outcomes_agree() -> None:
    """Wherever the readiness of a direction is certain, Test & Enable, which shares no code with the probe, comes to the same."""
    async with Demonstration.start(timeout=20) as demonstration:
        estate, organization = demonstration.simulation.estate, demonstration.organization
        mailboxes = [mailbox for mailbox in estate.mailboxes if mailbox.address != SILENT]
        run = await check(estate, mailboxes, Options(hosts=demonstration.hosts, ca_file=demonstration.simulation.ca_file))
        ids = {row["emailaddress"]: identifier for identifier, row in organization.mailboxes.items()}
        for mailbox in mailboxes:
            organization.update(MAILBOX, ids[mailbox.address], {"testemailconfigurationscheduled": True})
        await demonstration.service.settled()
    compared = 0
    for assessment in run.assessments:
        found = outcome(organization.mailboxes[ids[assessment.mailbox]])
        for readiness, status in zip(assessment.directions.values(), found, strict=True):
            if readiness is not Readiness.UNDETERMINED:
                assert OUTCOME_OF[readiness] == status, (assessment.mailbox, assessment.directions, found)
                compared += 1
    assert compared == 3 * len(mailboxes) - 6  # of Exchange Online, two have no token here
