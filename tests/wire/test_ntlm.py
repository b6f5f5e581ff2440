"""Tests of the NTLM messages, against an independent implementation (pyspnego)."""

from __future__ import annotations

import base64
import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spnego._ntlm_raw import messages

from probe.wire.ntlm import MAX_CHALLENGE_BYTES, TYPE_1, NtlmChallenge, read_challenge

UNICODE, REQUEST_TARGET, TARGET_INFO, VERSION = 0x1, 0x4, 0x800000, 0x2000000


def contoso() -> bytes:
    info = messages.TargetInfo()
    info[messages.AvId.nb_domain_name] = "CONTOSO"
    info[messages.AvId.nb_computer_name] = "MAIL01"
    info[messages.AvId.dns_domain_name] = "contoso.test"
    info[messages.AvId.dns_computer_name] = "mail01.contoso.test"
    info[messages.AvId.dns_tree_name] = "contoso.test"
    info[messages.AvId.timestamp] = messages.FileTime(2026, 11, 23, 8, 0, 0, tzinfo=UTC)
    version = messages.Version(10, 0, 20348)
    return messages.Challenge(UNICODE, b"8 bytes.", target_name="CONTOSO", target_info=info, version=version).pack()


def handmade(info: bytes = b"", flags: int = UNICODE | TARGET_INFO, target: bytes = b"") -> bytes:
    """A challenge whose parts may be anything."""
    head = b"NTLMSSP\0" + struct.pack("<I", 2) + struct.pack("<HHI", len(target), len(target), 56)
    head += struct.pack("<I", flags) + b"8 bytes." + bytes(8) + struct.pack("<HHI", len(info), len(info), 56 + len(target))
    return head + bytes(8) + target + info


def pair(kind: int, value: bytes) -> bytes:
    return struct.pack("<HH", kind, len(value)) + value


def test_the_opening_message_is_one_that_others_understand() -> None:
    """It asks for the target's names and version in Unicode, and names neither a domain nor a workstation."""
    message = messages.Negotiate.unpack(TYPE_1)
    assert message.flags & (UNICODE | REQUEST_TARGET | VERSION) == UNICODE | REQUEST_TARGET | VERSION
    assert not message.domain_name
    assert not message.workstation
    assert base64.b64encode(TYPE_1).startswith(b"TlRMTVNTUAABAAAA")


def test_a_challenge_tells_names_version_and_time() -> None:
    """Everything that an Exchange server's Windows says of itself is read."""
    assert read_challenge(contoso()) == NtlmChallenge(
        target_name="CONTOSO",
        computer_netbios="MAIL01",
        domain_netbios="CONTOSO",
        computer_dns="mail01.contoso.test",
        domain_dns="contoso.test",
        tree_dns="contoso.test",
        timestamp=datetime(2026, 11, 23, 8, 0, tzinfo=UTC),
        windows_version="10.0.20348",
    )


def test_a_challenge_may_say_nothing() -> None:
    """Without target information and version everything is unknown, in messages of every age and length."""
    nothing = NtlmChallenge(
        target_name=None,
        computer_netbios=None,
        domain_netbios=None,
        computer_dns=None,
        domain_dns=None,
        tree_dns=None,
        timestamp=None,
        windows_version=None,
    )
    whole = handmade(flags=UNICODE)
    for length in (32, 40, 48, 56):
        assert read_challenge(whole[:length]) == nothing


def test_a_name_in_the_oem_code_page_is_read_as_far_as_it_is_ascii() -> None:
    """The code page is not told, so other bytes are escaped."""
    assert read_challenge(handmade(flags=0, target=b"B\x9aRO")).target_name == "B\\x9aRO"


def test_a_version_of_zeros_is_no_version() -> None:
    """Samba sets the flag and may leave the field empty."""
    assert read_challenge(handmade(flags=VERSION)).windows_version is None


def test_names_that_stand_where_the_version_would_are_no_version() -> None:
    """A server that sets the flag, and leaves the field out, begins its names there."""
    target = "CONTOSO".encode("utf-16-le")
    head = b"NTLMSSP\0" + struct.pack("<I", 2) + struct.pack("<HHI", len(target), len(target), 48)
    blob = head + struct.pack("<I", UNICODE | VERSION) + b"8 bytes." + bytes(8) + struct.pack("<HHI", 0, 0, 48) + target
    read = read_challenge(blob)
    assert (read.target_name, read.windows_version) == ("CONTOSO", None)


def test_of_two_pairs_with_one_id_the_first_counts() -> None:
    """What follows the end of the list is not read either."""
    info = pair(1, "A".encode("utf-16-le")) + pair(1, "B".encode("utf-16-le")) + pair(0, b"") + pair(3, "C".encode("utf-16-le"))
    read = read_challenge(handmade(info))
    assert (read.computer_netbios, read.computer_dns) == ("A", None)


def test_trailing_bytes_change_nothing() -> None:
    """What follows the message is not read."""
    assert read_challenge(contoso() + b"more") == read_challenge(contoso())


@pytest.mark.parametrize(
    ("blob", "words"),
    [
        (b"", "no NTLM message"),
        (b"NTLMSSP\0\2\0\0\0", "no NTLM message"),
        (b"x" * 64, "no NTLM message"),
        (TYPE_1, "type 1"),
        (handmade()[:44], "ends before its target information"),
        (handmade(flags=VERSION)[:50], "ends before its version"),
        (contoso()[:-10], "lies outside"),
        (handmade(target=b"AB")[:56], "lies outside"),
        (handmade(b"\1"), "cut off"),
        (handmade(struct.pack("<HH", 1, 200) + b"AB"), "cut off"),
        (handmade(pair(1, b"A")), "not UTF-16"),
        (handmade(pair(1, b"\x00\xd8")), "not UTF-16"),
        (handmade(pair(1, "a\nb".encode("utf-16-le"))), "control characters"),
        (handmade(pair(7, b"1234")), "8 bytes"),
        (handmade(pair(7, b"\xff" * 8)), "year 9999"),
        (contoso() + bytes(MAX_CHALLENGE_BYTES), "longer than"),
    ],
)
def test_a_challenge_that_lies_is_refused_in_words(blob: bytes, words: str) -> None:
    """Truncated messages, lengths and offsets beyond the message, and values that are none raise ValueError."""
    with pytest.raises(ValueError, match=words):
        read_challenge(blob)


@given(st.binary(max_size=200), st.integers(0, 0xFFFFFFFF), st.binary(max_size=30))
def test_arbitrary_contents_raise_nothing_but_value_errors(info: bytes, flags: int, target: bytes) -> None:
    """Any contents in a frame that holds give an answer or a ValueError."""
    try:
        read_challenge(handmade(info, flags, target))
    except ValueError as refused:
        assert str(refused)  # noqa: PT017 - either way is right


@given(st.integers(0, len(contoso()) - 1), st.binary(min_size=1, max_size=4), st.integers(0, 400))
def test_damaged_challenges_raise_nothing_but_value_errors(at: int, damage: bytes, length: int) -> None:
    """A real challenge with bytes changed and its end cut off gives an answer or a ValueError."""
    blob = bytearray(contoso())
    blob[at : at + len(damage)] = damage
    try:
        read_challenge(bytes(blob[:length]))
    except ValueError as refused:
        assert str(refused)  # noqa: PT017 - either way is right
