"""An Exchange whose own support has ended, which every Exchange Server that the page lists has."""

from __future__ import annotations

from datetime import date

from probe.model import vocabulary as v
from probe.model.answers import Answer, any_of, ask
from probe.model.estate import Service
from probe.model.facts import Facts
from probe.model.rules import By, Case, Otherwise, Reference, Rule
from probe.rules import SERVED, SPEAKING, every_served, is_product, of_endpoints, served, uses
from probe.tables.exchange import EXCHANGE_ONLINE, end_of_support


def _holds(case: Case) -> Answer:
    def has_support(endpoint: Facts) -> Answer:
        is_a_service = is_product(endpoint, EXCHANGE_ONLINE)
        return any_of(ask(endpoint, v.SERVER_END_OF_SUPPORT, lambda end: end >= case.date), is_a_service)

    return every_served(served(case, Service.EWS), has_support)


def _ends() -> str:
    """When support of each Exchange Server that the page lists ended, as the table has it."""
    versions: dict[date | None, list[str]] = {}
    for version in ("2010", "2013", "2016", "2019"):
        versions.setdefault(end_of_support(f"Exchange Server {version}"), []).append(version)
    return ", ".join(f"for {' and '.join(of_day)} on {day}" for day, of_day in versions.items())


RULE = Rule(
    id="end-of-support",
    title="Exchange Server out of support",
    statement=f"The Exchange Server is itself still supported. Support ended {_ends()}.",
    references=(
        Reference(
            "T-1 month: Exchange Server 2016 and Exchange Server 2019 End of Support",
            "https://techcommunity.microsoft.com/blog/exchange/t-1-month-exchange-server-2016-and-exchange-server-2019-end-of-support/4453133",
            "2025-09",
        ),
        Reference("endoflife.date: Microsoft Exchange", "https://endoflife.date/msexchange", "2026-11-23"),
    ),
    needs=SERVED | SPEAKING | of_endpoints(v.SERVER_END_OF_SUPPORT, v.SERVER_PRODUCT),
    by=By.MICROSOFT,
    lists=False,
    applies=uses(Service.EWS),
    holds=_holds,
    otherwise=Otherwise.ADVICE,
    remedy=(
        "Plan the move: Microsoft's EWS page wants a supported Exchange Server, and SE is the only one left. The page on server-side synchronization does not "
        "list SE, so ask Microsoft support about Dynamics with it first. Until then keep the server off the internet and on its last security update."
    ),
)
