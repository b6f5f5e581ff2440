"""What a web page shows of itself."""

from __future__ import annotations

import pytest

from probe.wire.web_pages import logon_form


@pytest.mark.parametrize(
    ("page", "is_form"),
    [
        ('<form><input name="username"><input type="password" name="pw"></form>', True),
        ("<INPUT CLASS=field TYPE = 'Password'>", True),
        ("<input type=password>", True),
        ('<form action="https://idp.test/sso"><input type="hidden" name="SAMLRequest" value="fZ"/></form>', True),
        ("<p>Type: password</p>", False),
        ('<input type="text" name="passwordless">', False),
        ('<input type="password', True),
        ("<input " * 10_000, False),
        ("", False),
    ],
)
def test_a_field_for_a_password_makes_a_log_on_form(page: str, is_form: bool) -> None:
    """As does the form by which a browser carries a request for a sign-in to another server; words about passwords do not."""
    assert (logon_form(page) is not None) is is_form
