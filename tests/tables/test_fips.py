"""FIPS profiles by name; `tests/wire/tls/test_fips.py` plays each of them."""

from __future__ import annotations

from probe.model.defaults import FIPS_CLIENT
from probe.tables.fips import fips_profiles


def test_the_client_of_a_look_has_a_profile() -> None:
    """The FIPS profile that a look takes by default is one of the table: the command line takes it without looking there."""
    assert FIPS_CLIENT in fips_profiles()
