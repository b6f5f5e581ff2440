"""Tests of the registry: names, numbers, and what can be asked for."""

from __future__ import annotations

import pytest

from probe.wire.tls import registry
from probe.wire.tls.offer import Version


def test_every_number_has_a_name_and_every_name_its_number() -> None:
    """Names and numbers of suites, groups and schemes go both ways, without two of the same name."""
    assert all(registry.suite_number(suite.name) == suite.number for suite in registry.suites().values())
    assert all(registry.group_number(group.name) == group.number for group in registry.groups().values())
    assert all(registry.scheme_number(scheme.name) == scheme.number for scheme in registry.schemes().values())
    assert registry.suite_name(0xC02F) == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    assert registry.group_name(0x001D) == "x25519"
    assert registry.scheme_name(0x0804) == "rsa_pss_rsae_sha256"


def test_a_number_without_a_name_is_written_in_hexadecimal() -> None:
    """A number that no table has is named by itself."""
    assert registry.suite_name(0x0A0A) == registry.group_name(0x0A0A) == registry.scheme_name(0x0A0A) == "0x0A0A"


def test_a_name_without_a_number_is_a_key_error() -> None:
    """A name that no table has raises KeyError."""
    with pytest.raises(KeyError):
        registry.suite_number("TLS_NEVER_HEARD_OF")


def test_a_suite_is_told_by_its_parts() -> None:
    """A suite has its key exchange, authentication, cipher and hash, and the versions that it belongs to."""
    suite = registry.suites()[0xC027]
    assert (suite.key_exchange, suite.authentication, suite.cipher, suite.mac) == ("ECDHE", "RSA", "AES_128_CBC", "SHA2_256")
    assert (suite.first, suite.last, suite.is_cbc) == (Version.TLS12, Version.TLS12, True)
    assert not registry.suites()[0x1301].is_cbc


@pytest.mark.parametrize("version", list(Version))
def test_what_can_be_asked_for_belongs_to_the_version(version: Version) -> None:
    """Suites, groups and schemes of a version are usable in it, each listed once."""
    suites = registry.suites_of(version)
    assert suites
    assert len(set(suites)) == len(suites)
    assert all(version <= registry.suites()[number].last for number in suites)
    assert all((registry.suites()[number].first == Version.TLS13) == (version == Version.TLS13) for number in suites)
    assert all(registry.groups()[number].first <= version <= registry.groups()[number].last for number in registry.groups_of(version))
    assert bool(registry.schemes_of(version)) == (version >= Version.TLS12)


@pytest.mark.parametrize("version", list(Version))
def test_nothing_is_asked_for_that_a_stranger_cannot_get(version: Version) -> None:
    """Signals, and suites that need a secret shared beforehand, are never asked for."""
    asked = [registry.suites()[number] for number in registry.suites_of(version)]
    assert not {0x0000, 0x00FF, 0x5600} & {suite.number for suite in asked}
    assert not [suite.name for suite in asked if any(part in suite.name for part in ("PSK", "SRP", "KRB5", "ECCPWD"))]


def test_what_servers_really_accept_comes_first() -> None:
    """The first 60 suites of TLS 1.2 hold everything that modern and older defaults have; exotic ones stand last."""
    first = {registry.suite_name(number) for number in registry.suites_of(Version.TLS12)[:60]}
    assert {
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_256_CBC_SHA256",
        "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    } <= first
    last = {registry.suite_name(number) for number in registry.suites_of(Version.TLS12)[-80:]}
    assert "OLD_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" in last
    assert registry.suites_of(Version.TLS13)[:3] == (0x1302, 0x1301, 0x1303)
    assert registry.groups_of(Version.TLS12)[:2] == (0x001D, 0x0017)
    assert registry.suites_of(Version.SSL3) == registry.suites_of(Version.TLS10)


def test_schemes_of_a_version_are_those_a_server_may_sign_with() -> None:
    """PKCS#1 signs in TLS 1.2 and not in the handshake of TLS 1.3."""
    assert 0x0401 in registry.schemes_of(Version.TLS12)
    assert 0x0401 not in registry.schemes_of(Version.TLS13)
    assert 0x0804 in registry.schemes_of(Version.TLS13)
