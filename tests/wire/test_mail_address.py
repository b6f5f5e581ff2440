"""Mail addresses as protocols carry them."""

from __future__ import annotations

import pytest

from probe.wire.mail_address import ascii_address, ascii_domain, smtp_address


@pytest.mark.parametrize(
    ("address", "in_ascii"),
    [
        ("Sales@Contoso.test", "Sales@Contoso.test"),
        ("anna@müller.test", "anna@xn--mller-kva.test"),
        ("müller@contoso.test", None),
        ("анна@müller.test", None),
        ("anna@☃.test", None),
    ],
)
def test_only_the_domain_has_a_form_in_ascii(address: str, in_ascii: str | None) -> None:
    """Nothing stands for a letter beyond ASCII before the @, nor for what is no host name."""
    assert ascii_address(address) == in_ascii


def test_a_user_name_has_a_domain_too() -> None:
    """Of an address or a user name alike, lower-case; what is no name has none."""
    assert ascii_domain("Anna@Müller.test") == "xn--mller-kva.test"
    with pytest.raises(ValueError, match=r".+"):
        ascii_domain("anna@☃.test")


@pytest.mark.parametrize(
    ("address", "with_utf8", "without"),
    [
        ("o'neil+a{b}#%/?=@contoso.test", "o'neil+a{b}#%/?=@contoso.test", "o'neil+a{b}#%/?=@contoso.test"),
        ("a..b@contoso.test", '"a..b"@contoso.test', '"a..b"@contoso.test'),
        (".a@contoso.test", '".a"@contoso.test', '".a"@contoso.test'),
        ("a[b]@contoso.test", '"a[b]"@contoso.test', '"a[b]"@contoso.test'),
        ('a "b"\\@contoso.test', '"a \\"b\\"\\\\"@contoso.test', '"a \\"b\\"\\\\"@contoso.test'),
        ("anna@müller.test", "anna@müller.test", "anna@xn--mller-kva.test"),
        ("müller@contoso.test", "müller@contoso.test", None),
        ("mül..ler@müller.test", '"mül..ler"@müller.test', None),
    ],
)
def test_smtp_is_told_an_address_as_it_takes_it(address: str, with_utf8: str, without: str | None) -> None:
    """As it is where UTF-8 is taken, by A-labels where that is enough; what no atom holds stands in quotes."""
    assert smtp_address(address, takes_utf8=True) == with_utf8
    assert smtp_address(address, takes_utf8=False) == without
