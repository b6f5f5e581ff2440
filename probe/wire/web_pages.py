"""Reads what matters here from a web page. Input may have any length and any content: every pattern is bounded."""

from __future__ import annotations

import re

# A field for a password, or the form by which a browser carries SAML or WS-Federation to whoever asks for the password.
_LOGON_FIELD = r"(?i)<input\b[^<>]{0,500}?\b(?:type\s{0,5}=\s{0,5}[\"']?password\b|name\s{0,5}=\s{0,5}[\"']?(?:samlrequest|wresult)\b)"


def logon_form(page: str) -> str | None:
    """The beginning of a field that asks for a sign-in; None where the page has none."""
    field = re.search(_LOGON_FIELD, page)
    return None if field is None else field[0]
