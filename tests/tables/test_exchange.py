"""Builds, updates and ends of support of Exchange Server."""

from __future__ import annotations

from datetime import date

import pytest

from probe.model.kinds import Build, UpdateRange
from probe.tables import exchange
from probe.tables.exchange import ExchangeBuild


@pytest.mark.parametrize("row", exchange.exchange_builds(), ids=lambda row: str(row.build))
def test_every_build_of_the_table_is_found_exactly(row: ExchangeBuild) -> None:
    """A build that stands in the table has its row's product and its row's update, exactly."""
    place = exchange.exchange_build(row.build)
    assert (place.product, place.update, place.doubt) == (row.product, UpdateRange(exact=row.update), "")


@pytest.mark.parametrize("row", [r for r in exchange.exchange_builds() if r.build.parts[0] >= 15], ids=lambda row: str(row.build))
def test_three_numbers_of_a_modern_build_keep_its_product_and_hold_its_update_between_two(row: ExchangeBuild) -> None:
    """Three numbers tell product and cumulative update; the first update of that family is the least that runs."""
    place = exchange.exchange_build(Build(row.build.parts[:3]))
    assert place.product == row.product
    assert place.update is not None
    assert place.update.exact is None
    family = [r for r in exchange.exchange_builds() if r.build.parts[:3] == row.build.parts[:3]]
    assert place.update.at_least == family[0].update
    assert place.update.at_most in (None, family[-1].update)


def test_every_product_of_the_builds_has_a_life_cycle() -> None:
    """Both tables name the same products."""
    assert {b.product for b in exchange.exchange_builds()} == exchange.exchange_servers()


@pytest.mark.parametrize(
    ("build", "product", "update"),
    [
        ("15.2.986", "Exchange Server 2019", UpdateRange(at_least="CU11", at_most="CU11 Mar23SU")),
        ("15.1.2507", "Exchange Server 2016", UpdateRange(at_least="CU23", at_most=None)),
        ("15.0.1178.2", "Exchange Server 2013", UpdateRange(at_least=None, at_most="CU12")),
        ("15.1.2507.1", "Exchange Server 2016", UpdateRange(at_least=None, at_most="CU23")),
        ("15.2.2562.1", "Exchange Server SE", UpdateRange(at_least=None, at_most="RTM")),
        ("8.0.685.24", "Exchange Server 2007", UpdateRange(at_least=None, at_most="RTM")),
        ("8.0.595.0", "Exchange Server 2007", UpdateRange(at_least=None, at_most="RTM")),
        ("14.1.100.0", "Exchange Server 2010", UpdateRange(at_least=None, at_most="SP1")),
        ("15.1.1531.7", "Exchange Server 2016", UpdateRange(at_least="CU10 Aug18SU", at_most="CU10 Oct18SU")),
        ("15.1.2375.99", "Exchange Server 2016", UpdateRange(at_least="CU22 Nov22SU", at_most=None)),
        ("15.2.2562", "Exchange Server SE", UpdateRange(at_least="RTM", at_most=None)),
        ("15.2.2562.99", "Exchange Server SE", UpdateRange(at_least="RTM Aug26SU", at_most=None)),
        ("15.2.3000.5", "Exchange Server SE", UpdateRange(at_least="RTM Aug26SU", at_most=None)),
        ("14.3.487.0", "Exchange Server 2010", UpdateRange(at_least="SP3 RU29", at_most="SP3 RU30")),
        ("14.3.330.1", "Exchange Server 2010", UpdateRange(at_least="SP3 RU15", at_most="SP3 RU16")),
        ("14.3.520.0", "Exchange Server 2010", UpdateRange(at_least="SP3 RU32", at_most=None)),
        ("14.3.248", "Exchange Server 2010", UpdateRange(at_least="SP3 RU10", at_most="SP3 RU10")),
        ("8.3.300.0", "Exchange Server 2007", UpdateRange(at_least="SP3 RU10", at_most="SP3 RU11")),
        ("8.3.159", "Exchange Server 2007", UpdateRange(at_least="SP3 RU3", at_most="SP3 RU3 v2")),
        ("6.5.7638.1", "Exchange Server 2003", UpdateRange(exact="SP2")),
        ("6.5.7300.0", "Exchange Server 2003", UpdateRange(at_least="SP1", at_most="SP2")),
        ("6.0.6249.0", "Exchange 2000 Server", UpdateRange(exact="SP3")),
    ],
)
def test_a_build_between_updates_is_told_as_a_range(build: str, product: str, update: UpdateRange) -> None:
    """What no table has lies between its neighbours, and is never rounded to one of them."""
    place = exchange.exchange_build(Build.parse(build))
    assert (place.product, place.update) == (product, update)


@pytest.mark.parametrize(
    "build",
    ["15.0.847.4040", "15.1.2345.6789", "15.1.1240.3", "15.2.2000.1", "16.0.1.1", "9.9.9", "15.1.2600.1"],
)
def test_a_build_that_no_exchange_server_had_is_doubted(build: str) -> None:
    """Such a build has neither product nor update, and the doubt is told."""
    place = exchange.exchange_build(Build.parse(build))
    assert place.product is None
    assert place.update is None
    assert place.doubt


def test_exchange_online_is_known_by_15_20() -> None:
    """15.20 is Exchange Online, which has no updates to name."""
    place = exchange.exchange_build(Build.parse("15.20.9073.22"))
    assert (place.product, place.update) == ("Exchange Online", None)


_NEXT_TO_KNOWN = [
    (Build((*known.build.parts[:3], known.build.parts[3] + step)), known.product)
    for known in exchange.exchange_builds()
    for step in (-1, 1)
    if len(known.build.parts) == 4 and known.build.parts[3] + step >= 0
]


@pytest.mark.parametrize(("build", "product"), _NEXT_TO_KNOWN, ids=str)
def test_no_end_of_a_range_is_on_the_wrong_side_of_the_build(build: Build, product: str) -> None:
    """A build next to a known one is never said to be at least an update that is newer, nor at most one that is older."""
    update = exchange.exchange_build(build).update
    assert update is not None

    def builds_of(name: str | None) -> list[Build]:
        return [known.build for known in exchange.exchange_builds() if (known.product, known.update) == (product, name)]

    assert update.exact is None or build in builds_of(update.exact)
    assert update.at_least is None or min(builds_of(update.at_least)) < build
    assert update.at_most is None or max(builds_of(update.at_most)) > build


def test_end_of_support_is_on_record_for_exchange_alone() -> None:
    """Exchange Servers have a day, as far as sources give one; nothing else has."""
    assert exchange.end_of_support("Exchange Server 2016") == date(2025, 10, 14)
    assert exchange.end_of_support("Exchange Server 4.0") is None
    assert exchange.end_of_support("Dovecot") is None
