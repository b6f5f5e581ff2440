"""Registered names of SMTP."""

from __future__ import annotations

from functools import cache

from probe.tables.files import rows


@cache
def smtp_keywords() -> frozenset[str]:
    """Keywords of extensions that EHLO may list, upper-case."""
    return frozenset(row["keyword"] for row in rows("smtp_keywords.csv"))
