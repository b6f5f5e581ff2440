"""Tests of the ClientHello as bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.wire.tls.hello import first_records, hello_message
from probe.wire.tls.offer import Offer, Version
from probe.wire.tls.parsing import ByteReader
from probe.wire.tls.registry import groups_of, schemes_of, suites_of
from probe.wire.tls.shares import can_share, share_of

RANDOM = bytes(range(32))


def offer_of(*versions: Version, suites: Sequence[int] = (), **more: object) -> Offer:
    return Offer(versions=versions, suites=tuple(suites) or suites_of(versions[0])[:20], **more)  # type: ignore[arg-type]


def client_hello(offer: Offer, *, random: bytes, session_id: bytes, shares: Mapping[int, bytes]) -> bytes:
    """A first hello as it is sent."""
    return first_records(offer, hello_message(offer, random=random, session_id=session_id, shares=shares))


def parts_of(message: bytes) -> tuple[int, bytes, tuple[int, ...], list[tuple[int, bytes]]]:
    """Legacy version, session id, suites and extensions of a ClientHello."""
    outer = ByteReader(message, "message")
    assert outer.number(1) == 1
    reader = ByteReader(outer.vector(3), "hello")
    outer.end()
    version, random, session = reader.number(2), reader.take(32), reader.vector(1)
    assert random == RANDOM
    listed = reader.vector(2)
    suites = tuple(int.from_bytes(listed[at : at + 2], "big") for at in range(0, len(listed), 2))
    assert reader.vector(1) == b"\0"
    extensions = []
    if reader.has_more():
        inner = ByteReader(reader.vector(2), "extensions")
        while inner.has_more():
            extensions.append((inner.number(2), inner.vector(2)))
    reader.end()
    return version, session, suites, extensions


def extensions_of(offer: Offer, cookie: bytes = b"") -> list[tuple[int, bytes]]:
    shares = {group: share_of(group) for group in offer.shares}
    return parts_of(hello_message(offer, random=RANDOM, session_id=b"s" * 32, shares=shares, cookie=cookie))[3]


@given(
    st.lists(st.sampled_from([Version.TLS13, Version.TLS12, Version.TLS11, Version.TLS10]), min_size=1, unique=True),
    st.integers(1, 120),
    st.integers(0, 20),
    st.integers(0, 16),
    st.one_of(st.none(), st.text("abc.", min_size=1, max_size=60)),
    st.booleans(),
)
def test_no_hello_has_the_length_that_hangs_old_load_balancers(
    versions: list[Version], suites: int, groups: int, schemes: int, name: str | None, ems: bool
) -> None:
    """No ClientHello message has 256 to 511 bytes, whatever is offered, and what is offered stands in it."""
    offer = Offer(
        versions=tuple(sorted(versions, reverse=True)),
        suites=suites_of(Version.TLS12)[:suites],
        groups=groups_of(Version.TLS12)[:groups],
        schemes=schemes_of(Version.TLS12)[:schemes],
        server_name=name,
        extended_master_secret=ems,
    )
    message = hello_message(offer, random=RANDOM, session_id=b"", shares={})
    assert not 256 <= len(message) < 512
    _, _, written, extensions = parts_of(message)
    assert written == offer.suites
    assert len({number for number, _ in extensions}) == len(extensions)


def test_a_hello_of_every_version_up_to_1_3_has_its_extensions_in_the_usual_order() -> None:
    """Name, master secret, renegotiation, groups, points, encrypt-then-MAC, schemes, versions, key exchange modes, shares, padding."""
    offer = offer_of(
        *(Version.TLS13, Version.TLS12),
        suites=(0x1301, 0xC013),
        groups=(0x001D, 0x0018),
        schemes=(0x0804,),
        certificate_schemes=(0x0401,),
        shares=(0x0018,),
        server_name="mail.contoso.test.",
    )
    extensions = extensions_of(offer)
    assert [number for number, _ in extensions] == [0, 23, 0xFF01, 10, 11, 22, 13, 50, 43, 45, 51, 21]
    contents = dict(extensions)
    assert contents[0] == bytes.fromhex("0014 00 0011") + b"mail.contoso.test"
    assert contents[43] == bytes.fromhex("04 0304 0303")
    assert contents[51] == bytes.fromhex("0065 0018 0061") + share_of(0x0018)


def test_tls_1_3_wears_the_clothes_of_1_2() -> None:
    """A hello with TLS 1.3 has the legacy version 1.2, the session id given, and a record of TLS 1.0."""
    hello = client_hello(offer_of(Version.TLS13), random=RANDOM, session_id=b"s" * 32, shares={})
    assert hello[:3] == b"\x16\x03\x01"
    version, session, _, extensions = parts_of(hello[5:])
    assert (version, session) == (0x0303, b"s" * 32)
    assert dict(extensions)[51] == bytes(2)


def test_an_older_hello_is_of_its_own_version() -> None:
    """Without TLS 1.3 the first version is the hello's own, and neither versions nor shares nor schemes before 1.2 are sent."""
    hello = client_hello(offer_of(Version.TLS11, groups=(0x0017,), schemes=(0x0804,)), random=RANDOM, session_id=b"", shares={})
    version, session, _, extensions = parts_of(hello[5:])
    assert (version, session) == (0x0302, b"")
    assert [number for number, _ in extensions if number != 21] == [23, 0xFF01, 10, 11, 22]


def test_sslv3_has_no_extensions() -> None:
    """A hello of SSLv3 has a record of SSLv3 and ends after the compression methods."""
    hello = client_hello(offer_of(Version.SSL3, server_name="mail.test"), random=RANDOM, session_id=b"", shares={})
    assert hello[:3] == b"\x16\x03\x00"
    assert parts_of(hello[5:])[3] == []


def test_sslv2_has_a_hello_of_its_own() -> None:
    """A hello of SSLv2 lists cipher kinds of three bytes and a challenge of 16."""
    hello = client_hello(offer_of(Version.SSL2, suites=(0x010080, 0x0700C0)), random=RANDOM, session_id=b"", shares={})
    assert hello == bytes.fromhex("801f 01 0002 0006 0000 0010 010080 0700c0") + RANDOM[:16]


@pytest.mark.parametrize("name", ["192.0.2.7", "2001:db8::1", "[2001:db8::1]", "a" * 64 + ".test", None])
def test_only_a_host_name_is_sent_as_server_name(name: str | None) -> None:
    """No address and nothing that cannot be a host name goes into server_name."""
    assert 0 not in dict(extensions_of(offer_of(Version.TLS12, server_name=name)))


def test_a_name_beyond_ascii_is_sent_as_the_dns_has_it() -> None:
    """An internationalized name is sent in its A-label form."""
    assert dict(extensions_of(offer_of(Version.TLS12, server_name="bücher.test")))[0].endswith(b"xn--bcher-kva.test")


def test_what_an_offer_leaves_out_is_not_sent() -> None:
    """Without groups, schemes, master secret, renegotiation and CBC suites there is no extension at all."""
    offer = offer_of(Version.TLS12, suites=(0xC02F,), extended_master_secret=False, secure_renegotiation=False)
    assert extensions_of(offer) == []


def test_a_cookie_goes_back_as_it_came() -> None:
    """The cookie of a HelloRetryRequest stands in the second hello."""
    assert dict(extensions_of(offer_of(Version.TLS13), b"biscuit"))[44] == b"\0\7biscuit"


def test_a_long_hello_goes_into_several_records() -> None:
    """No record has more than 16384 bytes."""
    shares = {group: share_of(group) * 4 for group in groups_of(Version.TLS13) if can_share(group)}
    hello = client_hello(offer_of(Version.TLS13), random=RANDOM, session_id=b"", shares=shares)
    first = int.from_bytes(hello[3:5], "big")
    assert first == 2**14
    assert hello[5 + first : 8 + first] == b"\x16\x03\x01"
