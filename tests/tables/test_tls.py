"""The names of TLS numbers."""

from __future__ import annotations

from probe.tables import tls


def test_suites_go_by_their_iana_names() -> None:
    """A registered number has its IANA name, another has none."""
    assert tls.suite_name(0xC02F) == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    assert tls.suite_name(0x1301) == "TLS_AES_128_GCM_SHA256"
    assert tls.suite_name(0xFAFA) is None
    assert len(tls.suites()) == 418
