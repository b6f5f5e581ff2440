"""Which update of Exchange Server runs."""

from __future__ import annotations

import pytest

from probe.inferences.exchange_update import INFERENCE
from probe.model import vocabulary as v
from probe.model.inferences import Unsettled
from probe.model.kinds import Build, UpdateRange
from tests.inferences.known import Known, concluded, disputed, settled

BUILDS_OF_2016 = (Build.parse("15.1.2507.57"), Build.parse("15.1.2375.7"))


@pytest.mark.parametrize(
    ("product", "build", "update"),
    [
        ("Exchange Server 2016", "15.1.2507.61", UpdateRange(exact="CU23 Oct25SU")),
        ("Exchange Server 2013", "15.0.1497.46", UpdateRange(at_least="CU23 Jan23SU", at_most="CU23 Feb23SU")),
        ("Exchange Server SE", "15.2.2562.99", UpdateRange(at_least="RTM Aug26SU")),
        ("Exchange Server 2007", "8.0.685.24", UpdateRange(at_most="RTM")),
        ("Exchange Server 2016", "15.1.2507.1", UpdateRange(at_most="CU23")),
        ("Exchange Server 2019", "15.2.986", UpdateRange(at_least="CU11", at_most="CU11 Mar23SU")),
    ],
)
def test_an_update_is_told_exactly_or_between_two(product: str, build: str, update: UpdateRange) -> None:
    """A build of the table names its update, another the two that it lies between."""
    assert settled(INFERENCE, v.SERVER_UPDATE, {v.SERVER_PRODUCT: product, v.SERVER_BUILD: Build.parse(build)}) == update


@pytest.mark.parametrize(
    ("product", "build"),
    [
        ("Exchange Online", "15.1.1531.8"),
        ("Exchange", None),
        ("Dovecot", None),
        (None, "15.1.2507.61"),
        ("Exchange Server 2016", None),
        ("Exchange Server 2019", "15.1.2507.61"),
    ],
)
def test_no_update_is_told_where_the_product_is_not_known_to_have_it(product: str | None, build: str | None) -> None:
    """Only an Exchange Server of that very product has the update of a build."""
    known: Known = {v.SERVER_PRODUCT: product, v.SERVER_BUILD: None if build is None else Build.parse(build)}
    assert settled(INFERENCE, v.SERVER_UPDATE, {key: value for key, value in known.items() if value is not None}) is None


@pytest.mark.parametrize("product", ["Exchange Server 2016", "Exchange"])
def test_no_update_is_told_where_different_builds_were_shown(product: str) -> None:
    """Two builds, as of two servers behind one name, tell no update, and it is said why."""
    said = concluded(INFERENCE, {v.SERVER_PRODUCT: product, v.SERVER_BUILD: disputed(*BUILDS_OF_2016)})
    assert isinstance(said[v.SERVER_UPDATE], Unsettled)
    assert said[v.SERVER_UPDATE].because == "different builds were shown: 15.1.2507.57, 15.1.2375.7"


def test_builds_of_one_update_tell_its_range() -> None:
    """Where parts of a server, or servers of one name, differ in the fourth number alone, the update is one of its family."""
    builds = disputed(Build.parse("15.1.2375.7"), Build.parse("15.1.2375.12"))
    told = settled(INFERENCE, v.SERVER_UPDATE, {v.SERVER_PRODUCT: "Exchange Server 2016", v.SERVER_BUILD: builds})
    assert told == settled(INFERENCE, v.SERVER_UPDATE, {v.SERVER_PRODUCT: "Exchange Server 2016", v.SERVER_BUILD: Build.parse("15.1.2375")})
    assert told == UpdateRange(at_least="CU22", at_most="CU22 Nov22SU")
