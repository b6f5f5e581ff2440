"""Mail addresses in the ASCII form that older protocols need, and in the form of SMTP (RFC 5321, 6531).

The domain has a form in ASCII, the part before the @ has none: only a server that takes UTF-8 can be told it.
"""

from __future__ import annotations

import re

from probe.model.host_names import ascii_name

# RFC 5321 section 4.1.2, and RFC 6531 section 3.3: what stands before the @ without quotes.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_DOT_STRING = rf"{_ATOM}(?:\.{_ATOM})*"
"""Compiled when an address is first asked about: it takes as long as three hundred lines of others."""


def ascii_domain(address: str) -> str:
    """The domain of an address or of a user name, lower-case, in ASCII. Raises ValueError where it has no such form."""
    return ascii_name(address.rpartition("@")[2])


def ascii_address(address: str) -> str | None:
    """An address in ASCII, its domain by A-labels; None where it has no such form. One of ASCII stays as it is."""
    if address.isascii():
        return address
    local = address.rpartition("@")[0]
    try:
        return f"{local}@{ascii_domain(address)}" if local.isascii() else None
    except ValueError:
        return None


def quoted_where_needed(address: str) -> str:
    """An address as a path of SMTP and a header of a message have it: what no atom may hold before the @ stands in quotes."""
    local, _, domain = address.rpartition("@")
    if re.fullmatch(_DOT_STRING, local):
        return address
    escaped = re.sub(r'(["\\])', r"\\\1", local)
    return f'"{escaped}"@{domain}'


def smtp_address(address: str, *, takes_utf8: bool) -> str | None:
    """An address for a server that lists SMTPUTF8 or does not; None where the server cannot be told it. Beyond ASCII only where it is listed."""
    carried = address if takes_utf8 else ascii_address(address)
    return None if carried is None else quoted_where_needed(carried)
