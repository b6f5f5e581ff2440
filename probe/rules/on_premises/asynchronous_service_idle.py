"""An asynchronous service that does not come round: no mailbox that is enabled was processed for an hour.

Advice, since how long a service may wait with few mailboxes is a setting of the deployment that no record shows.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import all_of, ask
from probe.model.rules import By, Needs, Otherwise, Rule
from probe.rules import SERVED, admin_page, uses, was_asked

_MINUTES = 60

RULE = Rule(
    id="asynchronous-service-idle",
    title="Asynchronous service idle",
    statement=f"The asynchronous service has processed some mailbox within the last {_MINUTES} minutes.",
    references=(
        admin_page("Troubleshoot and monitor server-side synchronization issues", "troubleshooting-monitoring-server-side-synchronization"),
    ),
    needs=SERVED | Needs(deployment=(v.DYNAMICS_IDLE_MINUTES,)),
    by=By.READINESS,
    lists=False,
    applies=lambda case: all_of(uses()(case), was_asked(case.deployment, v.DYNAMICS_IDLE_MINUTES)),
    holds=lambda case: ask(case.deployment, v.DYNAMICS_IDLE_MINUTES, lambda minutes: minutes < _MINUTES),
    otherwise=Otherwise.ADVICE,
    remedy=(
        "Check on every server of the deployment with the role that the service runs, and start it where it does not: "
        "`Start-Service -Name MSCRMAsyncService` Until it runs, Test & Enable stays pending. Then read its entries in the Windows event log."
    ),
)
