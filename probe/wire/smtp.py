"""What SMTP says: how a client names itself, and how one may sign in (RFC 5321, 4954)."""

from __future__ import annotations

from collections.abc import Iterable


def address_literal(address: str) -> str:
    """An address as a client without a name gives it to EHLO (RFC 5321 section 4.1.3)."""
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def mechanisms(extensions: Iterable[str]) -> tuple[str, ...]:
    """The mechanisms of `AUTH`, and of the old `AUTH=`, out of the lines of EHLO less their codes; each once, in order."""
    found: list[str] = []
    for line in extensions:
        words = line.upper().replace("AUTH=", "AUTH ", 1).split()
        if words[:1] == ["AUTH"]:
            found += words[1:]
    return tuple(dict.fromkeys(found))
