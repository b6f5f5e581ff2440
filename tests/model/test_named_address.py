"""A mail address in what is kept: where it stands, and where it is only a part of another."""

from __future__ import annotations

import pytest

from probe.model.named_address import NamedAddress

JANA = NamedAddress("Jana@contoso.test")


@pytest.mark.parametrize(
    "text",
    [
        "jana@contoso.test",
        "401 for <JANA@CONTOSO.TEST>",
        "X-User:\njana@contoso.test\r\n",
        "\tjana@contoso.test",
        "Is it jana@contoso.test?",
        "I asked jana@contoso.test.",
        "GET /autodiscover/autodiscover.json?Email=jana%40contoso.test&Protocol=EWS",
        "Location: /owa/auth/logon.aspx?url=https%3a%2f%2fmail%2fautodiscover.json%3FEmail%3Djana%40contoso.test%26Protocol%3DEWS",
        "url=%252Fautodiscover.json%253FEmail%253Djana%2540contoso.test",
    ],
)
def test_it_is_found_and_struck_wherever_it_stands_by_itself(text: str) -> None:
    """At the beginning of a line, in brackets, before a full stop, and quoted as in a URL, once or twice."""
    assert JANA.is_in(text)
    struck = JANA.struck(text)
    assert "(erased)" in struck
    assert not JANA.is_in(struck)


@pytest.mark.parametrize(
    "text",
    ["marjana@contoso.test", "x.jana@contoso.test", "jana@contoso.test.example", "jana@contoso.testing", "jana", "%jana@contoso.test", ""],
)
def test_another_address_is_left_as_it_is(text: str) -> None:
    """An address that ends, or begins, as this one does is somebody else's."""
    assert not JANA.is_in(text)
    assert JANA.struck(text) == text


def test_it_is_struck_throughout_a_value() -> None:
    """In members, their names and elements; what is no text stays."""
    value = {"jana@contoso.test": [1, None, True, {"to": "jana@contoso.test, info@contoso.test"}], "n": 2.5}
    assert JANA.is_in(value)
    assert JANA.struck(value) == {"(erased)": [1, None, True, {"to": "(erased), info@contoso.test"}], "n": 2.5}
    assert not JANA.is_in({"n": [1, None]})


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("jörg@contoso.test", "to JÖRG@contoso.test"),
        ("jörg@contoso.test", "Email=j%C3%B6rg%40contoso.test"),
        ("o'brien+sss@contoso.test", "Email=o%27brien%2Bsss%40contoso.test"),
    ],
)
def test_any_letter_and_sign_is_found_quoted_or_not(address: str, text: str) -> None:
    """Be it of English or not, and be it one that a URL quotes."""
    assert NamedAddress(address).is_in(text)
    assert NamedAddress(address).is_it(address.upper())
