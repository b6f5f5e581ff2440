"""Envelopes are XML, whatever stands in them."""

from __future__ import annotations

from html import unescape

import pytest
from defusedxml import ElementTree

from probe.wire.autodiscover import federation_request, soap_request
from probe.wire.ews import find_folder, find_own_inbox
from probe.wire.soap import EWS_TYPES, escaped

_HOSTILE = "a&b<c>\"d'e@x.test"


def test_what_is_escaped_is_read_back() -> None:
    """No character of a text ends an element or an attribute."""
    assert unescape(escaped(_HOSTILE)) == _HOSTILE
    assert not set("<>\"'") & set(escaped(_HOSTILE))


@pytest.mark.parametrize(
    "request_body",
    [
        find_own_inbox("Exchange2007_SP1"),
        find_folder(_HOSTILE, "inbox", "Exchange2010_SP2", impersonates=True),
        soap_request(f"https://mail.contoso.test/{_HOSTILE}", _HOSTILE),
        federation_request("https://mail.contoso.test/autodiscover/autodiscover.svc", _HOSTILE),
    ],
)
def test_an_envelope_has_a_header_and_a_body(request_body: bytes) -> None:
    """A request is one envelope with a header, and a body with one operation."""
    header, body = ElementTree.fromstring(request_body)
    assert header.tag.endswith("}Header")
    assert body.tag.endswith("}Body")
    assert len(body) == 1


@pytest.mark.parametrize("impersonates", [True, False])
def test_an_account_impersonates_where_it_is_asked_to(impersonates: bool) -> None:
    """The header names the mailbox that is impersonated, and nobody otherwise."""
    root = ElementTree.fromstring(find_folder(_HOSTILE, "inbox", "Exchange2010_SP2", impersonates=impersonates))
    acting = root.findtext(f".//{{{EWS_TYPES}}}ConnectingSID/{{{EWS_TYPES}}}PrimarySmtpAddress")
    assert acting == (_HOSTILE if impersonates else None)
