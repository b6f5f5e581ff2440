"""Marks beside a build."""

from __future__ import annotations

import pytest

from probe.tables import exchange_marks
from probe.tables.exchange import exchange_servers
from probe.tables.files import toml


def test_every_generation_is_a_product_of_the_life_cycles() -> None:
    """The table writes products as the table of life cycles does, each once, and no number of ActiveSync under two."""
    generations = toml("exchange_marks.toml")["generation"]
    products = [entry["product"] for entry in generations]
    assert len(set(products)) == len(products)
    assert set(products) <= exchange_servers()
    numbers = [number for entry in generations for number in entry["activesync"]]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(
    ("version", "product"),
    [("14.3", "Exchange Server 2010"), ("15.1.2507", "Exchange Server 2016"), ("15.2", None), ("15", None), ("", None)],
)
def test_activesync_tells_the_product_where_the_number_is_its_own(version: str, product: str | None) -> None:
    """The first two numbers count; 2019 and SE share theirs, which tells neither."""
    assert exchange_marks.product_of_activesync(version) == product


def test_an_exchange_answers_with_the_iis_of_a_windows_that_it_runs_on() -> None:
    """Versions compare by number; of what is not in the table nothing is known."""
    oldest = exchange_marks.oldest_iis("Exchange Server 2019")
    assert oldest == (10, 0)
    assert exchange_marks.oldest_iis("Exchange Server 2013") == (7, 5)
    assert exchange_marks.oldest_iis("Exchange Server 2003") is None
    assert exchange_marks.oldest_iis("Dovecot") is None


@pytest.mark.parametrize(
    ("product", "never"), [("Exchange Server 2010", True), ("Exchange Server 2013", False), ("Exchange Online", False), ("Dovecot", False)]
)
def test_tokens_begin_with_2013(product: str, never: bool) -> None:
    """Of what is not in the table it is not said that it never takes tokens."""
    assert exchange_marks.never_takes_tokens(product) is never


def test_servers_and_headers_are_known_in_any_case() -> None:
    """Names of headers and servers compare without case; what nobody knows is nobody's."""
    assert exchange_marks.groupware_in("Gromox/2.3") == "grommunio"
    assert exchange_marks.groupware_in("Microsoft-IIS/10.0") is None
    assert exchange_marks.groupware_of_realm("msrpc realm") == "grommunio"
    assert exchange_marks.groupware_of_realm("mail") is None
    assert exchange_marks.never_exchange("BaseHTTP/0.6 Python/3.11") == "basehttp"
    assert exchange_marks.is_windows_server("Microsoft-HTTPAPI/2.0")
    assert not exchange_marks.is_windows_server("nginx")
    assert exchange_marks.is_sharepoint(["Date", "SPRequestGuid"])
    assert not exchange_marks.is_sharepoint(exchange_marks.exchange_online_headers())


@pytest.mark.parametrize(
    ("server", "newest"),
    [
        ("Microsoft-IIS/5.0", "Exchange Server 2003"),
        ("microsoft-iis/6.0", "Exchange Server 2007"),
        ("Microsoft-IIS/7.5", None),
        ("Microsoft-IIS/60.0", None),
        ("nginx", None),
        (None, None),
    ],
)
def test_an_old_windows_bounds_the_exchange_on_it(server: str | None, newest: str | None) -> None:
    """The newest Exchange is known of a Windows that is too old for later ones, and of no other server."""
    assert exchange_marks.newest_exchange_on(server) == newest
