"""The joint elimination against servers whose configuration is known."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.wire.tls.elimination import REFUSED, SPARE_QUESTIONS, Elimination, Listing
from probe.wire.tls.offer import Version
from probe.wire.tls.registry import group_number, groups, groups_of, scheme_number, schemes, schemes_of, suite_number, suites, suites_of
from tests.wire.tls.model_server import ModelServer, Served, leaf, listed

TLS13_SUITES = tuple(map(suite_number, ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256")))
CURVES = tuple(map(group_number, ("x25519", "secp256r1", "x448", "secp521r1", "secp384r1")))
FFDHE = tuple(map(group_number, ("ffdhe2048", "ffdhe3072", "ffdhe4096")))
PSS = tuple(map(scheme_number, ("rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512")))
PKCS1 = tuple(map(scheme_number, ("rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512")))
ECDSA = tuple(map(scheme_number, ("ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_sha1")))
MODERN = tuple(
    map(
        suite_number,
        (
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
        ),
    )
)


def asked_for(version: Version) -> tuple[int, ...]:
    """Every suite of a version that a server with RSA and ECDSA can take."""
    usable = ("ECDHE", "DHE", "RSA", "ECDH_anon", "DH_anon")
    return tuple(
        s for s in suites_of(version) if suites()[s].key_exchange in usable and suites()[s].authentication in ("RSA", "ECDSA", "anonymous")
    )


def assert_exact(listing: Listing, server: ModelServer, version: Version) -> None:
    """That a listing equals the configuration, for what the server's keys leave of it."""
    served = server.versions[version]
    assert listing.offered is True
    assert listing.suites is not None
    assert set(listing.suites) == set(served.suites)
    if server.server_order and len(served.suites) > 1:
        assert listing.suites == served.suites
        assert listing.server_order is True
    assert listing.groups is not None
    assert listing.schemes is not None
    exchanges = {suites()[s].key_exchange for s in served.suites}
    curves = {g for g in served.groups if version is Version.TLS13 or groups()[g].kind != "ffdhe"}
    if version < Version.TLS13 and {suites()[s].authentication for s in served.suites if suites()[s].key_exchange[:4] == "ECDH"} == {
        "ECDSA"
    }:
        # The curve of the key must be offered, so that no group behind it in the server's order is ever chosen.
        curves = set(served.groups[: served.groups.index(group_number("secp256r1")) + 1])
    if version is Version.TLS13 or exchanges & {"ECDHE", "ECDH_anon"}:
        assert curves <= set(listing.groups)
    if version >= Version.TLS12:
        signing = {suites()[s].authentication for s in served.suites if suites()[s].key_exchange in ("ECDHE", "DHE")}
        kinds = server.kinds if version is Version.TLS13 else signing
        assert set(listing.schemes) == {s for s in served.schemes if any(schemes()[s].key.startswith(kind) for kind in kinds)}


@pytest.mark.parametrize("server_order", [True, False], ids=["server's order", "client's order"])
@pytest.mark.parametrize("gives_up", [True, False], ids=["gives up", "goes on"])
def test_a_modern_server_takes_few_questions(server_order: bool, gives_up: bool) -> None:
    """TLS 1.2 and 1.3 with three to five suites, five to ten groups and six schemes are listed exactly by 34 questions at most."""
    server = ModelServer(
        versions={
            Version.TLS12: Served(suites=MODERN, groups=CURVES, schemes=(*PSS, *PKCS1), prime=FFDHE[0]),
            Version.TLS13: Served(suites=TLS13_SUITES, groups=(*CURVES, *FFDHE), schemes=PSS),
        },
        server_order=server_order,
        gives_up=gives_up,
    )
    total = 0
    for version in (Version.TLS12, Version.TLS13):
        listing, count, _ = listed(server, version)
        assert_exact(listing, server, version)
        total += count
    assert total <= 34


@pytest.mark.parametrize("server_order", [True, False], ids=["server's order", "client's order"])
def test_a_server_that_takes_everything_is_listed_whole(server_order: bool) -> None:
    """Every suite of three versions, with both certificates: the lists are exact, and each suite costs little more than one question."""
    server = ModelServer(
        versions={
            version: Served(suites=tuple(reversed(asked_for(version)[:70])), groups=CURVES, schemes=(*PSS, *PKCS1, *ECDSA), prime=None)
            for version in (Version.TLS12, Version.TLS11, Version.TLS10)
        },
        kinds=frozenset({"RSA", "ECDSA"}),
        server_order=server_order,
        gives_up=True,
    )
    after: Elimination | None = None
    for version in server.versions:
        listing, count, found = listed(server, version, after=after)
        after = after or found
        assert_exact(listing, server, version)
        assert count <= len(server.versions[version].suites) + 30
        assert {reply.chain[0] for reply in listing.replies} == {leaf("RSA"), leaf("ECDSA")}


def test_what_is_not_there_is_empty() -> None:
    """A server with static RSA alone has no group and no scheme, and whether it needs schemes does not arise."""
    rsa_alone = tuple(s for s in asked_for(Version.TLS12) if suites()[s].key_exchange == "RSA")[:4]
    server = ModelServer(versions={Version.TLS12: Served(suites=rsa_alone, groups=CURVES, schemes=PSS)})
    listing, _, _ = listed(server, Version.TLS12)
    assert (listing.groups, listing.schemes, listing.without_schemes) == ((), (), None)
    assert set(listing.suites or ()) == set(rsa_alone)


def test_a_version_that_is_not_there_costs_one_question() -> None:
    """Where the server says that the version is the trouble, nothing more is asked."""
    server = ModelServer(versions={Version.TLS13: Served(suites=TLS13_SUITES, groups=CURVES, schemes=PSS)})
    for version in (Version.TLS12, Version.TLS11, Version.TLS10, Version.SSL3, Version.SSL2):
        listing, count, _ = listed(server, version)
        assert (listing.offered, listing.suites, count) == (False, (), 1)


def test_a_server_that_takes_no_long_hello_is_asked_in_parts() -> None:
    """Where 279 suites at once are refused, 120 at a time are not, and the list is exact."""
    server = ModelServer(versions={Version.TLS12: Served(suites=MODERN, groups=CURVES, schemes=PSS, prime=FFDHE[0])}, longest=128)
    listing, _, _ = listed(server, Version.TLS12)
    assert_exact(listing, server, Version.TLS12)


def test_a_server_that_asks_for_no_retry_is_sent_shares() -> None:
    """A TLS 1.3 server that takes only what comes with a share is listed by its usual groups."""
    served = Served(suites=TLS13_SUITES, groups=CURVES[:2], schemes=PSS)
    listing, _, _ = listed(ModelServer(versions={Version.TLS13: served}, retries=False), Version.TLS13)
    assert set(listing.suites or ()) == set(TLS13_SUITES)
    assert set(listing.groups or ()) == set(CURVES[:2])


def test_groups_of_rfc_7919_are_found_where_they_are_heeded() -> None:
    """Before TLS 1.3 they are offered with DHE suites alone; a server with a prime of its own is asked once."""
    heeding = ModelServer(versions={Version.TLS12: Served(suites=MODERN[3:], schemes=PSS, heeds_wishes=True)})
    listing, _, _ = listed(heeding, Version.TLS12)
    assert {number for number in groups_of(Version.TLS12) if groups()[number].kind == "ffdhe"} == set(listing.groups or ())
    own = ModelServer(versions={Version.TLS12: Served(suites=MODERN[3:], schemes=PSS)})
    listing, _, found = listed(own, Version.TLS12)
    assert (listing.groups, found.has_own_prime) == ((), True)


def test_without_schemes_a_server_signs_or_refuses() -> None:
    """What a TLS 1.2 server signs with for a client that names no scheme is told by name."""
    sha1 = scheme_number("rsa_pkcs1_sha1")
    signing = ModelServer(versions={Version.TLS12: Served(suites=MODERN[:3], groups=CURVES, schemes=(*PSS, sha1))})
    assert listed(signing, Version.TLS12)[0].without_schemes == "rsa_pkcs1_sha1"
    refusing = ModelServer(versions={Version.TLS12: Served(suites=MODERN[:3], groups=CURVES, schemes=PSS)})
    assert listed(refusing, Version.TLS12)[0].without_schemes == REFUSED


def test_sslv2_lists_its_kinds_by_itself() -> None:
    """One hello is enough for SSLv2, whose server lists what it has."""
    kinds = suites_of(Version.SSL2)[:3]
    listing, count, _ = listed(ModelServer(versions={Version.SSL2: Served(suites=kinds)}), Version.SSL2)
    assert (listing.suites, listing.groups, count) == (kinds, (), 1)


@st.composite
def configurations(draw: st.DrawFn) -> tuple[ModelServer, Version]:
    version = draw(st.sampled_from([Version.TLS13, Version.TLS12, Version.TLS11, Version.TLS10]))
    kinds = draw(st.sampled_from([frozenset({"RSA"}), frozenset({"ECDSA"}), frozenset({"RSA", "ECDSA"})]))
    pool = (
        [s for s in asked_for(version) if suites()[s].authentication in (*kinds, "anonymous")]
        if version < Version.TLS13
        else suites_of(version)
    )
    chosen = draw(st.lists(st.sampled_from(list(pool)), min_size=1, max_size=25, unique=True))
    taken = draw(
        st.lists(st.sampled_from([g for g in groups_of(version) if groups()[g].kind == "ecdhe"][:8]), min_size=1, max_size=6, unique=True)
    )
    if group_number("secp256r1") not in taken and "ECDSA" in kinds:
        taken.append(group_number("secp256r1"))
    pools = [s for s in schemes_of(version) if any(schemes()[s].key == kind for kind in kinds)]
    signing = draw(st.lists(st.sampled_from(pools), min_size=1, max_size=8, unique=True)) if pools else []
    if version >= Version.TLS12:
        signing += [
            s for s in (scheme_number("rsa_pss_rsae_sha256"), ECDSA[0]) if s not in signing and any(schemes()[s].key == k for k in kinds)
        ]
    server = ModelServer(
        versions={version: Served(suites=tuple(chosen), groups=tuple(taken), schemes=tuple(signing))},
        kinds=kinds,
        server_order=draw(st.booleans()),
        gives_up=draw(st.booleans()),
    )
    return server, version


@given(configurations())
@settings(max_examples=150, deadline=None)
def test_any_configuration_is_listed_exactly(configured: tuple[ModelServer, Version]) -> None:
    """Whatever a server is configured with, the suites, groups and schemes are what it takes."""
    server, version = configured
    listing, count, _ = listed(server, version)
    assert_exact(listing, server, version)
    assert count <= len(server.versions[version].suites) * 2 + 45


@given(configurations(), st.integers(0, 2**32), st.floats(0.02, 0.5))
@settings(max_examples=100, deadline=None)
def test_what_stays_unclear_makes_no_wrong_list(configured: tuple[ModelServer, Version], seed: int, rate: float) -> None:
    """Where some questions get no answer, each list is the whole one or none."""
    server, version = configured
    chance = random.Random(seed)
    elimination = Elimination(version, None)
    questions = elimination.questions()
    try:
        question = next(questions)
        while True:
            question = questions.send(None if chance.random() < rate else server.answer(question))
    except StopIteration:
        pass
    listing, whole = elimination.listing, listed(server, version)[0]
    assert listing.offered in (True, None)
    for found, truth in ((listing.suites, whole.suites), (listing.groups, whole.groups), (listing.schemes, whole.schemes)):
        assert found is None or set(found) == set(truth or ())


@given(configurations(), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_a_server_that_contradicts_itself_is_given_up_on(configured: tuple[ModelServer, Version], seed: int) -> None:
    """One that refuses at random is asked a bounded number of questions."""
    server, version = configured
    chance = random.Random(seed)
    elimination = Elimination(version, None)
    questions = elimination.questions()
    count = 0
    try:
        question = next(questions)
        while True:
            count += 1
            empty = ModelServer(versions={version: Served(suites=())}).answer(question)
            question = questions.send(empty if chance.random() < 0.4 else server.answer(question))
    except StopIteration:
        pass
    most = len(suites_of(version)) + len(groups_of(version)) + len(schemes_of(version)) + SPARE_QUESTIONS
    assert count <= most
