"""Exchange Server: its products, their builds and updates, and the end of support for each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache

from probe.model.kinds import Build, UpdateRange
from probe.model.values import dataclass
from probe.tables.files import rows

EXCHANGE_ONLINE = "Exchange Online"
"""The product's name as in tables and facts."""


@dataclass(frozen=True, slots=True)
class ExchangeBuild:
    """One update of Exchange Server and its build."""

    product: str
    update: str
    """`CU23 Oct25SU`, `SP3 RU10`, `RTM`, ..."""
    released: str
    """`2025-10-14`, or `2025-10` where the day is not known."""
    build: Build
    is_disputed: bool
    """Documented once and out of order: matched exactly, never used as a neighbour."""


@dataclass(frozen=True, slots=True)
class BuildPlace:
    """The place of a build among the known ones."""

    product: str | None = None
    update: UpdateRange | None = None
    doubt: str = ""
    """Why there is no product or no update, in words; empty where both are there."""


@cache
def exchange_builds() -> tuple[ExchangeBuild, ...]:
    """Every known build of Exchange Server, in ascending order."""
    builds = (
        ExchangeBuild(row["product"], row["update"], row["released"], Build.parse(row["build"]), row["note"] == "disputed")
        for row in rows("exchange_builds.csv")
    )
    return tuple(sorted(builds, key=lambda b: b.build))


LARGEST_FOURTH_NUMBER = 999
"""Exchange writes the fourth number with three digits (`15.02.2562.046`); grommunio, for one, sends 15.0.847.4040."""


def exchange_build(build: Build) -> BuildPlace:
    """The product and update of a build: exact, or between its neighbours, never rounded to one of them.

    From 2013 on, the third number is that of the cumulative update, so it alone identifies the family. The fourth
    number may be that of a component, which no table has and which may be lower than the first of its family.
    """
    if build.parts[:2] == (15, 20):
        return BuildPlace(EXCHANGE_ONLINE, doubt="Exchange Online has no updates of its own")
    family = [b for b in exchange_builds() if b.build.parts[:2] == build.parts[:2]]
    if not family:
        return BuildPlace(doubt=f"no Exchange Server has builds that begin with {build.parts[0]}.{build.parts[1]}")
    if len(build.parts) == 4 and build.parts[3] > LARGEST_FOURTH_NUMBER:
        return BuildPlace(doubt=f"build {build} has a fourth number that no Exchange has")
    exact = next((b for b in family if b.build == build or b.build.parts == build.parts[:3]), None)
    if exact is not None:
        return BuildPlace(exact.product, UpdateRange(exact=exact.update))
    trusted = [b for b in family if not b.is_disputed]
    of_third = [b for b in trusted if b.build.parts[2] == build.parts[2]]
    if build.parts[0] < 15:
        return _among_rollups(build, trusted, of_third)
    return _among_cumulative_updates(build, trusted, of_third)


def _among_rollups(build: Build, family: list[ExchangeBuild], of_third: list[ExchangeBuild]) -> BuildPlace:
    """Up to 2010, each update raised the third number, and components have numbers between those of two updates."""
    product = family[0].product
    if of_third and len(build.parts) == 3:
        return BuildPlace(product, _range(of_third[0], of_third[-1]))
    return BuildPlace(product, _range(*_neighbours(build, family)))


def _among_cumulative_updates(build: Build, family: list[ExchangeBuild], of_third: list[ExchangeBuild]) -> BuildPlace:
    newest = family[-1]
    if not of_third:
        # Only updates of the newest product use higher third numbers.
        if newest.product == exchange_builds()[-1].product and build > newest.build:
            return BuildPlace(newest.product, _range(newest, None))
        return BuildPlace(doubt=f"no released Exchange Server has build {build}")
    product = of_third[0].product
    if len(build.parts) == 3:
        # An update that is still serviced may be newer than the table.
        return BuildPlace(product, _range(of_third[0], None if of_third[-1].released == _newest_release() else of_third[-1]))
    return BuildPlace(product, _range(*_neighbours(build, of_third)))


def _neighbours(build: Build, candidates: list[ExchangeBuild]) -> tuple[ExchangeBuild | None, ExchangeBuild | None]:
    below = [b for b in candidates if b.build < build]
    above = [b for b in candidates if b.build > build]
    return (below[-1] if below else None), (above[0] if above else None)


def _range(lower: ExchangeBuild | None, higher: ExchangeBuild | None) -> UpdateRange:
    """The range is open where no build is known: below the first of a family, and above the last."""
    return UpdateRange(at_least=None if lower is None else lower.update, at_most=None if higher is None else higher.update)


@cache
def _newest_release() -> str:
    return max(b.released for b in exchange_builds())


@cache
def _lifecycle() -> Mapping[str, date | None]:
    lifecycle = rows("exchange_lifecycle.csv")
    return {row["product"]: date.fromisoformat(row["end_of_support"]) if row["end_of_support"] else None for row in lifecycle}


def exchange_servers() -> frozenset[str]:
    """Names of every Exchange Server product."""
    return frozenset(_lifecycle())


UNTOLD_EXCHANGE = ("Exchange", "Exchange Server")
"""Products of which the version is not known: Exchange, online or not; Exchange Server of some year."""


def end_of_support(product: str) -> date | None:
    """The day on which support for a product ended or ends; None where there is no source."""
    return _lifecycle().get(product)


@cache
def extended_updates(product: str) -> tuple[date, tuple[str, ...]] | None:
    """The last day of extended security updates, and the cumulative updates that get them; None for a product that has none."""
    row = next((row for row in rows("exchange_lifecycle.csv") if row["product"] == product and row["extended_updates_end"]), None)
    return None if row is None else (date.fromisoformat(row["extended_updates_end"]), tuple(row["extended_updates_for"].split()))
