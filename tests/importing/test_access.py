"""How Dynamics is signed in to for an import."""

from __future__ import annotations

import pytest

from probe.config import EstateError
from probe.importing import access_to
from tests.importing.records import CORP, URL, draft, text_of
from tests.importing.world import merged

OAUTH = {
    "authentication": "oauth",
    "username": "svc-probe@contoso.test",
    "password": "env:CRM_PASSWORD",
    "token_url": "https://adfs.contoso.test/adfs/oauth2/token",
    "client_id": "probe",
}


def test_a_token_endpoint_that_is_named_may_be_sent_the_password() -> None:
    """It becomes an authority of the deployment; the estate says all that was said."""
    access = access_to(URL, OAUTH, None)
    assert access.authorities == access.written.authorities == ("adfs.contoso.test",)
    assert {line.key: line.value for line in access.written.lines} == {"url": URL, **OAUTH}


def test_an_estate_says_how_its_own_organization_is_read() -> None:
    """What is not said is as the estate has it for the same address, the organization too; nothing of it for another address."""
    text = text_of(draft(CORP)).replace(f'url = "{URL}"', f'url = "{URL}"\nusername = "a"\npassword = "env:CRM_PASSWORD"')
    existing = merged(text, draft(CORP)).existing
    access = access_to(URL.upper().replace("HTTPS", "https"), {}, existing).access
    assert (access.username, access.password is not None, access.organization is not None) == ("a", True, True)
    other = access_to("https://crm.evil.test/Contoso", {}, existing).access
    assert (other.username, other.password, other.organization) == (None, None, None)


def test_a_password_belongs_to_its_account() -> None:
    """Somebody else's is not taken for it."""
    text = text_of(draft(CORP)).replace(f'url = "{URL}"', f'url = "{URL}"\nusername = "a"\npassword = "env:CRM_PASSWORD"')
    with pytest.raises(EstateError, match="password"):
        access_to(URL, {"username": "b"}, merged(text, draft(CORP)).existing)


def test_what_is_left_out_of_the_table_is_no_difference() -> None:
    """The default way to sign in goes without saying."""
    text = text_of(draft(CORP))
    assert 'authentication = "negotiate"' not in text
    assert merged(text, draft(CORP)).is_equal
