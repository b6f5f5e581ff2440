"""What becomes of a server's offers at the upgrade to TLS."""

from __future__ import annotations

import pytest

from probe.inferences.starttls_hygiene import INFERENCE
from probe.model import vocabulary as v
from tests.inferences.known import Known, settled

_UPGRADED: Known = {v.ENDPOINT_SERVICE: "smtp", v.ENDPOINT_SECURITY: "starttls"}


@pytest.mark.parametrize(
    ("before", "after", "withdrawn"),
    [
        (("SIZE 1", "STARTTLS", "AUTH LOGIN"), ("SIZE 1", "AUTH PLAIN"), ()),
        (("SIZE 1", "STARTTLS", "AUTH LOGIN", "AUTH=LOGIN", "etrn"), ("SIZE 2",), ("AUTH", "ETRN")),
        (("IMAP4rev1", "LOGINDISABLED", "AUTH=PLAIN"), ("IMAP4REV1", "AUTH=LOGIN"), ()),
        ((), ("SIZE",), ()),
    ],
)
def test_what_is_listed_before_tls_and_not_under_it_is_withdrawn(
    before: tuple[str, ...], after: tuple[str, ...], withdrawn: tuple[str, ...]
) -> None:
    """Names count, not values; the upgrade's own words are meant to go."""
    known = {**_UPGRADED, v.PROTOCOL_CAPABILITIES_PLAIN: before, v.PROTOCOL_CAPABILITIES: after}
    assert settled(INFERENCE, v.STARTTLS_WITHDRAWN, known) == withdrawn


def test_nothing_is_concluded_from_one_list() -> None:
    """Of a server that was heard in clear only, nothing is known to be withdrawn."""
    assert settled(INFERENCE, v.STARTTLS_WITHDRAWN, {**_UPGRADED, v.PROTOCOL_CAPABILITIES_PLAIN: ("AUTH",)}) is None
    assert settled(INFERENCE, v.STARTTLS_WITHDRAWN, {v.ENDPOINT_SERVICE: "smtp", v.ENDPOINT_SECURITY: "implicit"}) is None


@pytest.mark.parametrize("offered", [True, False])
def test_addresses_that_agree_do_not_differ(offered: bool) -> None:
    """One answer, from one address or from all, is no difference."""
    assert settled(INFERENCE, v.STARTTLS_DIFFERS, {**_UPGRADED, v.STARTTLS_OFFERED: offered}) is False
