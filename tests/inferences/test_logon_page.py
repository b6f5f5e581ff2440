"""Which log-on page an EWS request is led to."""

from __future__ import annotations

from typing import Any

import pytest

from probe.inferences.logon_page import INFERENCE
from probe.model import vocabulary as v
from tests.inferences.known import Known, settled

EWS: Known = {v.ENDPOINT_SERVICE: "ews"}
LOGON = "https://sts.contoso.test/adfs/ls/?version=1.0&action=signin"


@pytest.mark.parametrize(
    ("status", "target", "page"),
    [
        (401, None, ""),
        (404, None, ""),
        (503, None, ""),
        (302, LOGON, LOGON),
        (307, "/owa/auth/logon.aspx?replaceCurrent=1", "/owa/auth/logon.aspx?replaceCurrent=1"),
        (302, "https://other.contoso.test/EWS/Exchange.asmx", None),
        (302, "https://mail.contoso.test/owa/auth/errorFE.aspx?httpCode=500", None),
        (302, None, None),
        (200, None, None),
        (440, None, "s"),
        (None, None, None),
    ],
)
def test_the_address_that_a_request_is_sent_on_to_tells(status: int | None, target: str | None, page: Any) -> None:
    """A log-on page is told by its address, or by IIS' own status for it; a page of another address, or that is shown at once, may be any."""
    known = dict(EWS)
    if status is not None:
        known[v.HTTP_STATUS] = status
    if target is not None:
        known[v.HTTP_REDIRECT] = target
    assert settled(INFERENCE, v.EWS_LOGON_PAGE, known) == page


def test_mail_servers_have_none() -> None:
    """The question is one of EWS."""
    assert settled(INFERENCE, v.EWS_LOGON_PAGE, {v.ENDPOINT_SERVICE: "pop3", v.HTTP_STATUS: 302, v.HTTP_REDIRECT: LOGON}) is None
