"""The numbers of TLS and their names in the IANA registries."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

from probe.tables.files import rows


def tls_registry(table: Literal["suites", "sslv2_kinds", "groups", "schemes"]) -> list[dict[str, str]]:
    """The rows of one of the tables of TLS numbers, by column; `probe.wire.tls.registry` gives them their types."""
    return rows(f"tls_{table}.csv")


@cache
def suites() -> Mapping[int, str]:
    """IANA names of cipher suites by number."""
    return {int(row["id"], 16): row["name"] for row in tls_registry("suites")}


def suite_name(number: int) -> str | None:
    """IANA name of a cipher suite, None where the registry has none."""
    return suites().get(number)
