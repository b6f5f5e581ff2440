"""The table of log-on pages, held by its own examples."""

from __future__ import annotations

import pytest

from probe.tables.logon_pages import logon_page, logon_pages


@pytest.mark.parametrize(("name", "url"), [(page.name, url) for page in logon_pages() for url in page.examples])
def test_every_example_is_known_by_its_entry(name: str, url: str) -> None:
    """An address is that of the page that it stands under."""
    assert logon_page(url) == name


@pytest.mark.parametrize("url", [url for page in logon_pages() for url in page.counterexamples] + ["", "https://[x", "mailto:a@b.test"])
def test_what_only_looks_alike_is_none(url: str) -> None:
    """EWS itself, an error page, a page's part, and what is no address at all lead nobody to sign in."""
    assert logon_page(url) is None
