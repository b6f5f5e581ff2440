"""The profiles, what they make of an answer, and how the first thing in the way is found."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.config import keys
from probe.tables.fips import fips_profiles
from probe.wire.tls import fips
from probe.wire.tls.fips import SettledAnswer
from probe.wire.tls.offer import Offer, TlsRefusal, TlsReply, Version
from probe.wire.tls.registry import group_number, scheme_number, suite_number, suites
from tests.wire.certificates import broken, rsa_key

PROFILES = tuple(fips_profiles())
WINDOWS = tuple(name for name in PROFILES if name.startswith("windows"))
GCM = suite_number("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
GCM13 = suite_number("TLS_AES_128_GCM_SHA256")
P256, X25519 = group_number("secp256r1"), group_number("x25519")
PSS = scheme_number("rsa_pss_rsae_sha256")


@cache
def certificate(kind: str, issuer: str = "localhost") -> bytes:
    """A certificate, DER, with a key of a kind, issued by itself unless another issuer is named."""
    keys: dict[str, Callable[[], rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey]] = {
        "rsa-1024": lambda: rsa.generate_private_key(65537, 1024),
        "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
        "p224": lambda: ec.generate_private_key(ec.SECP224R1()),
        "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
    }
    key = keys[kind]()
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=900))
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.DER)


def reply(chain: tuple[bytes, ...], *, ems: bool = True, bits: int | None = None, version: Version = Version.TLS12) -> TlsReply:
    """An answer that is fine but for what is said."""
    return TlsReply(version=version, suite=GCM, group=P256, scheme=PSS, chain=chain, extended_master_secret=ems, finite_field_bits=bits)


# --- The table ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_can_be_played(name: str) -> None:
    """Each profile names what the registries have, and no client in FIPS mode allows Curve25519, Curve448, ChaCha20, RC4 or SHA-1 signatures."""
    profile = fips.profile_named(name)
    entry = fips_profiles()[name]
    for offer in (fips.hello_of(profile, server_name="a.test"), fips.hello_of(profile, server_name=None, by_default=True)):
        assert offer.versions
        assert offer.suites
        assert offer.groups
        assert offer.schemes
    assert not {"x25519", "x448"} & set(entry.allowed.groups)
    assert not any(word in suite for suite in entry.allowed.suites for word in ("CHACHA20", "RC4", "NULL", "EXPORT", "_DES_CBC", "MD5"))
    assert not any(scheme.endswith("sha1") for scheme in entry.allowed.schemes)


def test_nist_lists_sixty_suites() -> None:
    """SP 800-52 revision 2 has sixty suites in section 3.3.1, none with RSA key transport, and wants the extended master secret."""
    entry = fips_profiles()["sp800-52r2"]
    assert len(set(entry.allowed.suites)) == 60
    assert not any(suite.startswith("TLS_RSA_WITH") for suite in entry.allowed.suites)
    assert entry.requires_extended_master_secret
    assert entry.allowed.versions == ("TLSv1.3", "TLSv1.2")


def test_each_windows_has_its_own_list() -> None:
    """2012 R2 has no GCM with ECDHE_RSA; TLS 1.3 comes with 2022; 2025 offers no DHE and no 3DES, and 2016 and later drop Curve25519 in FIPS mode."""
    table = fips_profiles()
    assert not any(suite.startswith("TLS_ECDHE_RSA") and "GCM" in suite for suite in table["windows-server-2012-r2"].allowed.suites)
    assert [name for name in WINDOWS if "TLSv1.3" in table[name].allowed.versions] == ["windows-server-2022", "windows-server-2025"]
    assert not any(("DHE_RSA" in s and "ECDHE" not in s) or "3DES" in s for s in table["windows-server-2025"].offered.suites)
    for name in WINDOWS:
        entry = table[name]
        assert set(entry.offered.suites) <= set(entry.allowed.suites)
        assert set(entry.offered.groups) <= set(entry.allowed.groups)
        assert ("x25519" in entry.offered_without_fips.groups) is (name != "windows-server-2012-r2")
        assert not entry.requires_extended_master_secret


def test_go_is_listed_as_its_sources_have_it() -> None:
    """Go 1.27 in FIPS mode has eight suites, wants the extended master secret, and takes RSA keys of 2048 to 8192 bits."""
    entry = fips_profiles()["go-fips140"]
    assert len(entry.allowed.suites) == 8
    assert entry.requires_extended_master_secret
    assert (entry.rsa_bits, entry.most_rsa_bits) == (2048, 8192)
    assert entry.allowed.certificate_schemes == entry.allowed.schemes


def test_a_hello_plays_the_whole_client() -> None:
    """One hello has all versions, suites, groups and schemes of the client, the name, and a share of P-256 where there is TLS 1.3."""
    go = fips.hello_of(fips.profile_named("go-fips140"), server_name="mail.test")
    assert (go.versions, go.shares, go.server_name) == ((Version.TLS13, Version.TLS12), (P256,), "mail.test")
    windows = fips.profile_named("windows-server-2019")
    assert fips.hello_of(windows, server_name=None).shares == ()
    assert X25519 in fips.hello_of(windows, server_name=None, fips=False, by_default=True).groups
    assert X25519 not in fips.hello_of(windows, server_name=None, fips=True, by_default=True).groups


# --- What a client makes of an answer -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown", "word"),
    [
        ("go-fips140", reply((certificate("rsa-2048"),)), ""),
        ("go-fips140", reply((certificate("ed25519"),)), ""),
        ("windows-server-2019", reply((certificate("ed25519"),)), "ed25519"),
        ("go-fips140", reply((certificate("rsa-1024"),)), "1024 bits"),
        ("sp800-52r2", reply((certificate("p224"),)), ""),
        ("go-fips140", reply((certificate("p224"),)), "ecdsa-p224"),
        ("go-fips140", reply((certificate("p256"),), ems=False), "extended master secret"),
        ("windows-server-2019", reply((certificate("p256"),), ems=False), ""),
        ("go-fips140", reply((certificate("p256"),), ems=False, version=Version.TLS13), ""),
        ("openssl-fips", reply((certificate("p256"),), bits=1024), "prime has 1024 bits"),
        ("openssl-fips", reply((certificate("p256"),), bits=2048), ""),
        ("go-fips140", reply((b"garbage",)), "cannot be read"),
        (
            "go-fips140",
            reply((certificate("rsa-2048"), certificate("rsa-1024", "another"))),
            "certificate 2 of its chain has an RSA key of 1024",
        ),
        ("go-fips140", reply((certificate("rsa-2048"), certificate("rsa-1024"))), ""),
    ],
)
def test_a_client_ends_what_is_below_its_bar(name: str, shown: TlsReply, word: str) -> None:
    """Keys, primes, signatures and the extended master secret are judged by the client's own bar; a root's are not."""
    reasons = fips.verdict(fips.profile_named(name), shown)
    assert bool(reasons) is bool(word)
    assert word in "; ".join(reasons)


@pytest.mark.parametrize(
    ("name", "shown", "word"),
    [
        ("windows-server-2019", reply((certificate("rsa-1024"),)), ""),
        ("windows-server-2019", reply((broken(key=rsa_key(512)),)), "RSA key of 512 bits, and the client takes no less than 1024"),
        ("windows-server-2019", reply((certificate("p256"), broken(key=rsa_key(768)))), "certificate 2 of its chain has an RSA key of 768"),
        ("windows-server-2019", reply((certificate("p256"),), bits=768), "prime has 768 bits, and the client takes no less than 1024"),
        ("windows-server-2019", reply((certificate("p256"),), bits=1024), ""),
        ("windows-server-2019", reply((b"garbage",)), ""),
        ("go-fips140", reply((certificate("p256"),), ems=False), ""),
    ],
)
def test_with_its_policy_off_a_client_has_a_lower_bar(name: str, shown: TlsReply, word: str) -> None:
    """Windows without FIPS mode takes keys and primes of 1024 bits, and what cannot be read is no reason."""
    reasons = fips.verdict(fips.profile_named(name), shown, fips=False)
    assert bool(reasons) is bool(word)
    assert word in "; ".join(reasons)


@pytest.mark.parametrize("name", PROFILES)
def test_what_runs_a_deployment_is_told_from_other_clients(name: str) -> None:
    """A profile is a Windows exactly where an estate can name it."""
    assert fips.profile_named(name).is_windows is (name in keys.WINDOWS)


# --- What is in the way -------------------------------------------------------------------------------------


def server(version: Version, taken: tuple[int, ...], groups: tuple[int, ...], schemes: tuple[int, ...]) -> Callable[[Offer], SettledAnswer]:
    """A server of one version that takes these, each in its own order."""

    def answer(offer: Offer) -> SettledAnswer:
        if version not in offer.versions:
            return TlsRefusal(70)
        suite = next((s for s in taken if s in offer.suites), None)
        group = next((g for g in groups if g in offer.groups), None)
        scheme = next((s for s in schemes if s in offer.schemes), None)
        if suite is None:
            return TlsRefusal(40)
        if suites()[suite].key_exchange == "RSA":
            return TlsReply(version=version, suite=suite, chain=(certificate("rsa-2048"),), extended_master_secret=True)
        if group is None or (scheme is None and version >= Version.TLS12):
            return TlsRefusal(40)
        return TlsReply(
            version=version, suite=suite, group=group, scheme=scheme, chain=(certificate("rsa-2048"),), extended_master_secret=True
        )

    return answer


def diagnosed(name: str, answer: Callable[[Offer], SettledAnswer]) -> tuple[tuple[str, ...], int]:
    """What is found to be in the way, and by how many questions beyond those of `beyond`."""
    profile = fips.profile_named(name)
    heard = {one: answer(one.offer) for one in fips.non_fips_hellos(profile, None)}
    questions = fips.diagnosis(profile, heard, None)
    count = 0
    try:
        offer = next(questions)
        while True:
            count += 1
            offer = questions.send(answer(offer))
    except StopIteration as found:
        return found.value, count


RC4 = suite_number("TLS_RSA_WITH_RC4_128_SHA")
OLD = suite_number("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA")
SHA1 = scheme_number("rsa_pkcs1_sha1")


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        (
            "sp800-52r2",
            server(Version.TLS12, (RC4,), (), ()),
            "none of the client's cipher suites; offered others, it chose TLS_RSA_WITH_RC4_128_SHA",
        ),
        ("sp800-52r2", server(Version.TLS12, (GCM,), (X25519,), (PSS,)), "none of the client's groups; offered others, it chose x25519"),
        ("go-fips140", server(Version.TLS13, (GCM13,), (X25519,), (PSS,)), "none of the client's groups; offered others, it chose x25519"),
        (
            "sp800-52r2",
            server(Version.TLS12, (GCM,), (P256,), (SHA1,)),
            "none of the client's signature schemes; offered others, it chose rsa_pkcs1_sha1",
        ),
        ("sp800-52r2", server(Version.TLS12, (GCM,), (X25519, P256), (SHA1,)), "none of the client's signature schemes"),
        ("sp800-52r2", server(Version.TLS11, (OLD,), (P256,), ()), "no version above TLSv1.1, and the client none below TLSv1.2"),
        (
            "windows-server-2019",
            server(Version.TLS13, (GCM13,), (P256,), (PSS,)),
            "no version below TLSv1.3, and the client none above TLSv1.2",
        ),
        ("sp800-52r2", lambda offer: TlsRefusal(40), "refuses it, and everything else"),
    ],
)
def test_the_first_thing_in_the_way_is_named(name: str, answer: Callable[[Offer], SettledAnswer], words: str) -> None:
    """Suite, group, scheme or version: what is missing is told in words, by two questions at most."""
    reasons, count = diagnosed(name, answer)
    assert words in reasons[0]
    assert count <= 2


@given(st.sampled_from(PROFILES), st.lists(st.sampled_from(["no", "unclear"]), min_size=12, max_size=12))
@settings(deadline=None)
def test_what_is_unclear_is_not_made_a_reason(name: str, told: list[str]) -> None:
    """Where questions stay open, nothing is claimed of suites, groups, schemes or versions."""
    answers = iter(told)
    reasons, count = diagnosed(name, lambda offer: None if next(answers) == "unclear" else TlsRefusal(40))
    assert count <= 3
    assert not any(word in reason for reason in reasons for word in ("none of the client's", "no version"))


# --- What it would refuse -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROFILES)
def test_what_is_refused_is_asked_for_and_nothing_else(name: str) -> None:
    """At most four hellos: each offers, in one part, nothing that the client allows."""
    profile = fips.profile_named(name)
    asked = fips.non_fips_hellos(profile, None)
    assert 3 <= len(asked) <= 4
    for one in asked:
        match one.part:
            case "version":
                assert all(version < profile.versions[-1] for version in one.offer.versions)
            case "suite":
                assert not set(one.offer.suites) & set(profile.suites)
            case "group":
                assert not set(one.offer.groups) & set(profile.groups)


@pytest.mark.parametrize("name", PROFILES)
def test_what_is_asked_for_comes_with_usual_shares(name: str) -> None:
    """In TLS 1.3 a share of each usual group goes with an offer that has it, in the order of its groups; other groups are named first."""
    profile = fips.profile_named(name)
    for one in fips.non_fips_hellos(profile, None):
        usual = {group_number("x25519"), group_number("secp256r1")} if one.offer.versions == (Version.TLS13,) else set()
        assert one.offer.shares == tuple(group for group in one.offer.groups if group in usual)
        if one.part == "suite":
            assert list(one.offer.groups) == sorted(one.offer.groups, key=lambda group: group in profile.groups)


def test_what_a_server_took_is_told_by_name() -> None:
    """A version, a suite or a group, by what was asked for."""
    version, *_, group = fips.non_fips_hellos(fips.profile_named("sp800-52r2"), None)
    assert fips.accepted_outside_fips(version, TlsReply(version=Version.TLS11, suite=OLD)) == "TLSv1.1"
    assert fips.accepted_outside_fips(group, TlsReply(version=Version.TLS13, suite=GCM13, group=X25519)) == "TLSv1.3 with x25519"
    suite = next(one for one in fips.non_fips_hellos(fips.profile_named("sp800-52r2"), None) if one.part == "suite")
    assert fips.accepted_outside_fips(suite, TlsReply(version=Version.TLS12, suite=RC4)) == "TLSv1.2 with TLS_RSA_WITH_RC4_128_SHA"


def test_only_versions_below_the_clients_are_refused() -> None:
    """TLS 1.3 is unknown to Windows Server 2019, which is no refusal."""
    windows = fips.profile_named("windows-server-2019")
    assert not fips.refuses_version(windows, Version.TLS13)
    assert fips.refuses_version(windows, Version.SSL3)
