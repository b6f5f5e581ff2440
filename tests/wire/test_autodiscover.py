"""Autodiscover's answers to those who are signed in."""

from __future__ import annotations

import pytest

from probe.simulation.autodiscover import by_pox, by_soap
from probe.wire.autodiscover import Directions, pox_request, read_pox, read_soap, soap_request

SALES, EWS = "sales@contoso.test", "https://mail.contoso.test/EWS/Exchange.asmx?a=1&b=2"
CASES = [
    ({}, Directions("settings", EWS)),
    ({SALES: "sales@contoso.mail.onmicrosoft.com"}, Directions("redirect-address", "sales@contoso.mail.onmicrosoft.com")),
    ({SALES: "https://other.test/autodiscover.svc"}, Directions("redirect-url", "https://other.test/autodiscover.svc")),
]


@pytest.mark.parametrize(("moved", "expected"), CASES)
def test_both_forms_say_the_same(moved: dict[str, str], expected: Directions) -> None:
    """Settings and redirects are read alike out of SOAP and of plain XML."""
    assert read_soap(by_soap(soap_request("https://x/y", SALES), frozenset({SALES}), moved, EWS)) == expected
    assert read_pox(by_pox(pox_request(SALES), frozenset({SALES}), moved, EWS)) == expected


def test_who_is_not_known_is_told_by_the_server_s_code() -> None:
    """An error of the user is its code, whatever the form."""
    assert read_soap(by_soap(soap_request("https://x/y", SALES), frozenset(), {}, EWS)) == Directions("InvalidUser", "")
    assert read_pox(by_pox(pox_request(SALES), frozenset(), {}, EWS)) == Directions("500", "")


def test_an_address_is_written_so_that_it_stays_one() -> None:
    """What XML would take for markup is escaped."""
    assert b"<d:Mailbox>a&amp;b&lt;@x</d:Mailbox>" in soap_request("https://x/y", "a&b<@x")
    assert b"<EMailAddress>a&amp;b&lt;@x</EMailAddress>" in pox_request("a&b<@x")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"<UserResponse>",
        b"<UserResponse><ErrorCode>RedirectAddress</ErrorCode></UserResponse>",
        b"<Account><Action>redirectUrl</Action></Account>",
        b"<Account><Action>elsewhere</Action></Account>",
        b"<Account>" * 5000,
        b"<a" * 100_000,
        b"<UserResponse><ErrorCode>RedirectUrl</ErrorCode><RedirectTarget>" + b"x" * 5000 + b"</RedirectTarget></UserResponse>",
        "<Account><Action>redirectAddr</Action><RedirectAddr>\u202ea@b\x01</RedirectAddr></Account>".encode(),
    ],
)
def test_what_is_broken_or_hostile_says_nothing(answer: bytes) -> None:
    """Cut, endless, over-long and unprintable answers give no directions."""
    assert read_pox(answer) is None
    assert read_soap(answer) in (None, Directions("settings", ""))
