"""Host names that tell whose they are."""

from __future__ import annotations

import pytest

from probe.tables import hosts


@pytest.mark.parametrize(
    ("host", "providers"),
    [
        ("pop.gmail.com", ("gmail",)),
        ("smtp-mail.outlook.com", ("outlook.com",)),
        ("smtp.live.com", ("windows-live",)),
        ("outlook.office365.com", ("exchange-online", "outlook.com", "msn", "windows-live")),
        ("outlook.office365.us", ("exchange-online",)),
        ("smtp.partner.outlook.cn", ("exchange-online",)),
        ("pop.aol.com", ("aol",)),
        ("pop.gmail.com.", ("gmail",)),
        ("pop.gmail.com.example.com", ()),
        ("mail.contoso.test", ()),
    ],
)
def test_a_host_name_tells_whom_it_serves(host: str, providers: tuple[str, ...]) -> None:
    """A provider's host name tells whom it serves; a name that merely contains it tells nothing."""
    assert hosts.providers_of_host(host) == providers


@pytest.mark.parametrize(
    ("host", "is_online"),
    [
        ("outlook.office365.com", True),
        ("eur.outlook.com", True),
        ("outlook.office365.us", True),
        ("partner.outlook.cn", True),
        ("outlook.contoso.test", False),
        ("notoutlook.com", False),
    ],
)
def test_exchange_online_is_known_by_its_host_names(host: str, is_online: bool) -> None:
    """The names of Exchange Online and its national clouds, and no name that resembles them."""
    assert hosts.is_exchange_online_host(host) is is_online


@pytest.mark.parametrize(
    ("domain", "is_tenant"),
    [("contoso.mail.onmicrosoft.com", True), ("contoso.partner.onmschina.cn", True), ("onmicrosoft.com", False), ("contoso.test", False)],
)
def test_domains_of_tenants_are_known_by_their_ends(domain: str, is_tenant: bool) -> None:
    """What Microsoft gives to a tenant ends as the table says, in each of its clouds."""
    assert hosts.is_tenant_domain(domain) is is_tenant
