"""Host names beyond ASCII."""

from __future__ import annotations

import pytest

from probe.model.estate import Endpoint
from probe.model.host_names import ascii_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Mail.Contoso.test", "mail.contoso.test"),
        ("müller.test", "xn--mller-kva.test"),
        ("MÜLLER.Test", "xn--mller-kva.test"),
        ("mu\u0308ller.test", "xn--mller-kva.test"),
        ("почта.contoso.test", "xn--80a1acny.contoso.test"),
        ("日本語。test", "xn--wgv71a119e.test"),
        ("a_b.müller.test", "a_b.xn--mller-kva.test"),
        ("müller.test.", "xn--mller-kva.test."),
    ],
)
def test_labels_beyond_ascii_become_a_labels(name: str, expected: str) -> None:
    """Each label by itself, however its letters are composed, written large, or divided."""
    assert ascii_name(name) == expected


@pytest.mark.parametrize(("name", "expected"), [("straße.test", "xn--strae-oqa.test"), ("βόλος.test", "xn--nxasmm1c.test")])
def test_letters_that_the_old_idna_took_for_others_stay_what_they_are(name: str, expected: str) -> None:
    """A sharp s and a final sigma are letters of their own: the name without them is another host."""
    assert ascii_name(name) == expected
    assert Endpoint.parse(f"tls://{name}:443").host == expected


@pytest.mark.parametrize("name", ["☃.test", "ü" * 60 + ".test", "-ü.test", "a\u0301\u200d.test", "xn--ü.test"])
def test_what_is_no_valid_idna_is_refused(name: str) -> None:
    """Symbols, overlong labels, and what looks encoded and is not, have no form in ASCII; an estate with one is refused."""
    with pytest.raises(ValueError, match=r".+"):
        ascii_name(name)
    with pytest.raises(ValueError, match=r"names no valid host|must not hold"):
        Endpoint.parse(f"tls://{name}:443")
