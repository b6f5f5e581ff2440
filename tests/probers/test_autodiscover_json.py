"""Whom Autodiscover asks beside the EWS host; whole conversations are in tests/test_location_estate.py."""

from __future__ import annotations

import pytest

from probe.probers.autodiscover_json import hosts_to_ask

USUAL = "autodiscover.contoso.test"


@pytest.mark.parametrize(
    ("aliases", "services", "asked"),
    [
        ((), (), [(USUAL, 443)]),
        (("mail.contoso.test",), (), [(USUAL, 443)]),
        (("autodiscover.outlook.com", "atod-g2.tm-4.office.com"), (), [("autodiscover.outlook.com", 443)]),
        (("x.contoso.test", "autodiscover-s.outlook.com"), (), [("autodiscover-s.outlook.com", 443)]),
        (("autodiscover.outlook.com.evil.test",), (), [(USUAL, 443)]),
        ((), (("a.contoso.test", 443), ("b.contoso.test", 8443)), [(USUAL, 443), ("a.contoso.test", 443)]),
    ],
)
def test_dns_names_two_hosts_at_most(aliases: tuple[str, ...], services: tuple[tuple[str, int], ...], asked: list[tuple[str, int]]) -> None:
    """The usual name, by Exchange Online's own where it is an alias of that, and the first host of the SRV records."""
    assert hosts_to_ask(USUAL, aliases, services) == asked
