"""The host name of an endpoint has no address."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import ask
from probe.model.rules import By, Otherwise, Rule
from probe.rules import PROFILES, SERVED, article, each, of_endpoints, uses

RULE = Rule(
    id="name-does-not-resolve",
    title="Host name without an address",
    statement="The host of every endpoint that is used resolves to an address, from the server where Dynamics runs.",
    references=(article("Email can't be received by the mailbox (HostNotFound)", "email-cannot-be-received-mailbox"),),
    needs=SERVED | of_endpoints(v.NET_ADDRESSES),
    by=By.READINESS,
    lists=False,
    applies=uses(),
    holds=each(lambda endpoint: ask(endpoint, v.NET_ADDRESSES, lambda addresses: len(addresses) > 0)),
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Test on the server of the asynchronous service whether the name HOST resolves: `nslookup HOST` "
        f"If it does not, correct the server location in the profile ({PROFILES}), or the record in the DNS that this server asks."
    ),
)
