"""Tests of striking secrets out."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.net.redact import Redactor

SECRET = "Tr0ub4dor&3-marked"


@pytest.mark.parametrize(
    "line",
    [
        f"PASS {SECRET}",
        f"AUTH PLAIN {base64.b64encode(f'.user.{SECRET}'.encode()).decode()}",
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(SECRET.encode("utf-16-le")).decode(),
        f"Authorization: Basic {base64.b64encode(f'svc:{SECRET}'.encode()).decode()}",
        f"-ERR I do not like {SECRET}",
    ],
)
def test_a_secret_is_struck_out_in_every_form(line: str) -> None:
    """In clear, in base64 and in UTF-16, said by us or echoed by the peer."""
    for said_by_us in (True, False):
        cleaned = Redactor([SECRET]).clean(line, said_by_us=said_by_us)
        assert SECRET not in cleaned
        assert base64.b64encode(SECRET.encode()).decode().rstrip("=")[:-2] not in cleaned


@given(
    st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=6, max_size=30), st.binary(max_size=20), st.binary(max_size=20)
)
def test_a_secret_is_found_inside_any_base64(secret: str, before: bytes, after: bytes) -> None:
    """Whatever stands before and after it, a secret inside base64 is struck out."""
    encoded = base64.b64encode(before + secret.encode() + after).decode()
    assert "***" in Redactor([secret]).clean(encoded, said_by_us=False)


def test_what_stands_where_secrets_stand_is_struck_out_unknown() -> None:
    """Even a secret that nobody told of is struck out of the commands that carry one."""
    assert Redactor().clean("PASS hunter2", said_by_us=True) == "PASS ***"
    assert Redactor().clean("AUTH XOAUTH2 dXNlcj0=", said_by_us=True) == "AUTH XOAUTH2 ***"
    assert Redactor().clean("AUTH", said_by_us=True) == "AUTH"


def test_the_words_of_a_peer_are_kept() -> None:
    """What holds no secret stays as it was said."""
    assert Redactor([SECRET]).clean("PASS is not known here", said_by_us=False) == "PASS is not known here"
