"""Every address of an endpoint refuses the connection, or has no way to it.

A connection that timed out decides nothing: it may come about a minute later.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import ask
from probe.model.rules import By, Otherwise, Rule
from probe.rules import PROFILES, SERVED, article, each, of_endpoints, uses

RULE = Rule(
    id="endpoint-unreachable",
    title="Endpoint cannot be connected to",
    statement="The server where Dynamics runs can open a TCP connection to every endpoint that is used.",
    references=(article("General mailbox access error (socket exception)", "general-mailbox-access-error-occurred"),),
    needs=SERVED | of_endpoints(v.NET_CONNECTED),
    by=By.READINESS,
    lists=False,
    applies=uses(),
    holds=each(lambda endpoint: ask(endpoint, v.NET_CONNECTED, bool)),
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Test on the server of the asynchronous service whether HOST can be reached at port PORT: `Test-NetConnection -ComputerName HOST -Port PORT` "
        f"If it cannot, start the mail service or open the firewall between the two; if host or port are wrong, correct them in the profile ({PROFILES}). "
        "If it can, the route from the machine that ran this program differs."
    ),
)
