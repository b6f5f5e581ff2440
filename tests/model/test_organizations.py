"""How an organization of Dynamics is named."""

from __future__ import annotations

import re

import pytest

from probe.model.endpoints import Service
from probe.model.organizations import BoundOrganization, OrganizationUrl


@pytest.mark.parametrize(
    ("url", "shown", "host", "port", "path", "is_plain"),
    [
        ("https://crm.contoso.test/Contoso", "https://crm.contoso.test/Contoso", "crm.contoso.test", 443, "/Contoso", False),
        ("HTTPS://CRM.contoso.test:5555/Contoso/", "https://crm.contoso.test:5555/Contoso", "crm.contoso.test", 5555, "/Contoso", False),
        ("https://contoso.crm.test/", "https://contoso.crm.test", "contoso.crm.test", 443, "", False),
        ("http://[::1]/Contoso", "http://[::1]/Contoso", "::1", 80, "/Contoso", True),
        ("http://crm:5555", "http://crm:5555", "crm", 5555, "", True),
    ],
)
def test_an_organization_has_one_address(url: str, shown: str, host: str, port: int, path: str, is_plain: bool) -> None:
    """An organization's URL has one form, whichever way it was written, and is read back to the same."""
    read = OrganizationUrl.parse(url)
    assert (read.endpoint.service, read.endpoint.host, read.endpoint.port) == (Service.DYNAMICS, host, port)
    assert (read.endpoint.path, read.is_plain, str(read)) == (path, is_plain, shown)
    assert OrganizationUrl.parse(shown) == read


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("crm.contoso.test", "must begin with https://"),
        ("pop3s://crm.contoso.test", "must begin with https://"),
        ("https://u:p@crm.contoso.test/Contoso", "must not carry a user name or password"),
        ("http://u:p@crm.contoso.test/Contoso", "must not carry a user name or password"),
        ("https://crm.contoso.test/Contoso/main.aspx", "must be the organization's address alone"),
        ("https://crm.contoso.test/Contoso/api/data/v9.1", "must be the organization's address alone"),
        ("https://crm.contoso.test//Contoso", "must be the organization's address alone"),
        ("https://crm.contoso.test/Con'toso", "must be the organization's address alone"),
        ("https://crm.contoso.test/Contoso?x", "must not have a query or a fragment"),
        ("http:///Contoso", "names no host"),
        ("http://crm:0/Contoso", "names port 0"),
    ],
)
def test_what_is_no_organizations_address_is_refused(url: str, said: str) -> None:
    """What an organization cannot be reached by is refused with a sentence."""
    with pytest.raises(ValueError, match=re.escape(said)):
        OrganizationUrl.parse(url)


@pytest.mark.parametrize("text", ["", "Contoso", "5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11", "{5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11} Contoso"])
def test_an_organization_is_bound_by_id_and_name(text: str) -> None:
    """Both are needed."""
    with pytest.raises(ValueError, match="id of the organization and its unique name"):
        BoundOrganization.parse(text)
    assert str(BoundOrganization.parse("5D1B0F8C-3C55-4D0F-9A57-0B9D7C3F2A11 Contoso")) == "5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11 Contoso"
