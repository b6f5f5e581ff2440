"""Headers by which a web server tells what answers."""

from __future__ import annotations

from collections.abc import Iterable

EXCHANGE_ONLINE_HEADERS = frozenset({"x-nanoproxy", "x-feproxyinfo", "x-feefzinfo", "x-firsthopcafeefz", "x-rum-validated", "x-besku"})
"""Headers that Exchange Online sends and no Exchange on premises, in small letters; seen in its answers 2020 to 2025. X-FEServer is not among them."""


def is_sharepoint(headers: Iterable[str]) -> bool:
    """Whether one of these headers, by name, is SharePoint's, which takes others from Exchange Online's front ends: X-FEServer, X-NanoProxy."""
    return any(header.lower().startswith(("microsoftsharepoint", "x-sharepoint", "sprequest")) for header in headers)


def is_windows_server(name: str) -> bool:
    """Whether a Server header is that of Windows' own web server, with which Exchange answers."""
    return name.lower().startswith(("microsoft-iis", "microsoft-httpapi"))
