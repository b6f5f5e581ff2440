"""Tests of the reader of WWW-Authenticate headers."""

from __future__ import annotations

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.model.kinds import Challenge
from probe.wire.http_challenge import MAX_CHALLENGES, MAX_HEADER_CHARACTERS, MAX_PARAMETERS, parse_challenges

HYBRID = (
    'Bearer client_id="00000002-0000-0ff1-ce00-000000000000", '
    'trusted_issuers="00000001-0000-0000-c000-000000000000@*, 00000002-0000-0000-c000-000000000000@contoso.test", '
    'token_types="app_asserted_user_v1 service_asserted_app_v1", '
    'authorization_uri="https://login.windows.net/common/oauth2/authorize"'
)


def schemes(*headers: str) -> list[str]:
    return [challenge.scheme for challenge in parse_challenges(headers)]


def test_several_headers_are_one_list() -> None:
    """Challenges keep the order of the headers and of their places in them."""
    assert schemes("Negotiate", "NTLM", 'Basic realm="mail.contoso.test"') == ["Negotiate", "NTLM", "Basic"]


def test_schemes_may_share_a_header() -> None:
    """Commas separate schemes as well as parameters."""
    assert parse_challenges(['Negotiate, NTLM,Basic realm="a", charset="UTF-8" , Digest nonce=x']) == (
        Challenge("Negotiate"),
        Challenge("NTLM"),
        Challenge("Basic", None, (("realm", "a"), ("charset", "UTF-8"))),
        Challenge("Digest", None, (("nonce", "x"),)),
    )


def test_a_bearer_challenge_keeps_its_commas_inside_quotes() -> None:
    """The trusted issuers of Exchange are one value, and a scheme after them is a scheme."""
    bearer, basic = parse_challenges([f'{HYBRID}, Basic Realm=""'])
    parameters = dict(bearer.parameters)
    assert bearer.scheme == "Bearer"
    assert parameters["trusted_issuers"].endswith("@*, 00000002-0000-0000-c000-000000000000@contoso.test")
    assert parameters["authorization_uri"] == "https://login.windows.net/common/oauth2/authorize"
    assert basic == Challenge("Basic", None, (("Realm", ""),))


def test_a_token_stands_by_its_scheme() -> None:
    """The blob of NTLM is its token with the padding, and what follows the comma is another scheme."""
    assert parse_challenges(["NTLM TlRMTVNTUAACAAAA==, Negotiate"])[0].scheme == "NTLM"
    assert parse_challenges(["NTLM TlRMTVNTUAACAA==, Negotiate"]) == (Challenge("NTLM", "TlRMTVNTUAACAA=="), Challenge("Negotiate"))
    assert parse_challenges(["Negotiate YII+/a.b_c~d-"]) == (Challenge("Negotiate", "YII+/a.b_c~d-"),)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Basic realm="a\\"b\\\\c"', Challenge("Basic", None, (("realm", 'a"b\\c'),))),
        ('Basic realm = "a"', Challenge("Basic", None, (("realm", "a"),))),
        ("Basic realm=a", Challenge("Basic", None, (("realm", "a"),))),
        (', ,Basic realm="a",,', Challenge("Basic", None, (("realm", "a"),))),
        ("Bearer realm=, scope=x", Challenge("Bearer", None, (("realm", ""), ("scope", "x")))),
        ('Basic realm="never closed, NTLM', Challenge("Basic", None, (("realm", "never closed, NTLM"),))),
        ('Basic realm="ends in a backslash\\', Challenge("Basic", None, (("realm", "ends in a backslash\\"),))),
        (
            "Bearer authorization_uri=https://login.test/a?b=c",
            Challenge("Bearer", None, (("authorization_uri", "https://login.test/a?b=c"),)),
        ),
        ('Bearer a="1" b="2"', Challenge("Bearer", None, (("a", "1"), ("b", "2")))),
        ('Bearer\trealm="tab"', Challenge("Bearer", None, (("realm", "tab"),))),
    ],
)
def test_what_real_servers_write_is_understood(header: str, expected: Challenge) -> None:
    """Escapes, spaces around the sign, bare values, empty elements and missing ends come out as meant."""
    assert parse_challenges([header]) == (expected,)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", []),
        (" , ,", []),
        ('realm="belongs to nothing"', []),
        ("<html>, NTLM", ["NTLM"]),
        ("Foo<bar>, NTLM", ["NTLM"]),
        ("Server: nginx, NTLM", ["NTLM"]),
        ('"Negotiate, Basic", NTLM', ["NTLM"]),
        ("=, NTLM", ["NTLM"]),
        ("\x00\x01, NTLM", ["NTLM"]),
    ],
)
def test_garbage_is_passed_over_and_never_a_scheme(header: str, expected: list[str]) -> None:
    """What is no challenge costs what stands before the next comma, and nothing else."""
    assert schemes(header) == expected


def test_a_flood_is_cut_off() -> None:
    """However much comes, a bounded number of challenges, parameters and characters is kept."""
    assert len(parse_challenges(["Basic, " * 10_000] * 3)) == MAX_CHALLENGES
    (bearer,) = parse_challenges(["Bearer " + ",".join(f"a{n}=b" for n in range(1000))])
    assert len(bearer.parameters) == MAX_PARAMETERS
    (long,) = parse_challenges(['Basic realm="' + "x" * 1_000_000])
    assert len(long.parameters[0][1]) < MAX_HEADER_CHARACTERS


@given(st.lists(st.text(max_size=200), max_size=4))
def test_nothing_makes_the_reader_fail(headers: list[str]) -> None:
    """Any text at all comes to an end, within bounds."""
    assert len(parse_challenges(headers)) <= MAX_CHALLENGES


@given(st.lists(st.text(alphabet='ab=", \\\t/+;:<', max_size=200), max_size=4))
def test_nothing_near_the_grammar_makes_the_reader_fail(headers: list[str]) -> None:
    """Text out of the grammar's own characters comes to an end, and names no scheme that was not written."""
    for challenge in parse_challenges(headers):
        assert any(challenge.scheme in header for header in headers)


WORDS = st.text(alphabet=string.ascii_letters + string.digits + "_-", min_size=1, max_size=12)
QUOTABLE = st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=30)
TOKENS = st.binary(min_size=1, max_size=40)
CHALLENGES = st.one_of(
    st.builds(Challenge, WORDS),
    st.builds(lambda scheme, raw: Challenge(scheme, _base64(raw)), WORDS, TOKENS),
    st.builds(lambda scheme, ps: Challenge(scheme, None, tuple(ps)), WORDS, st.lists(st.tuples(WORDS, QUOTABLE), min_size=1, max_size=5)),
)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _written(challenge: Challenge) -> str:
    if challenge.token is not None:
        return f"{challenge.scheme} {challenge.token}"
    quoted = (name + '="' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for name, value in challenge.parameters)
    return " ".join(filter(None, (challenge.scheme, ", ".join(quoted))))


@given(st.lists(CHALLENGES, max_size=6), st.booleans())
def test_what_is_written_by_the_grammar_is_read_back(challenges: list[Challenge], share_a_header: bool) -> None:
    """Challenges survive being written, in one header or in several."""
    written = [_written(challenge) for challenge in challenges]
    headers = [", ".join(written)] if share_a_header else written
    assert parse_challenges(headers) == tuple(challenges)
