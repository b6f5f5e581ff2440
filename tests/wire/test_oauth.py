"""What authorities are named as, and what they answer."""

from __future__ import annotations

import json

import pytest

from probe.model.facts import Challenge
from probe.tables.authorities import authority_errors, entra_resources
from probe.wire.oauth import (
    Authority,
    authority_of,
    named_authority,
    password_grant,
    read_discovery,
    read_realm,
    read_token_answer,
    trusted_tenant,
)

TENANT = "0b5b4ad3-4a6c-4b5e-8f5e-2f7f0b0d1c11"


def bearer(**parameters: str) -> tuple[Challenge, ...]:
    return (Challenge("NTLM"), Challenge("bearer", None, tuple(parameters.items())))


@pytest.mark.parametrize(
    ("named", "authority"),
    [
        ("https://login.microsoftonline.com/common/oauth2/authorize", Authority("login.microsoftonline.com", 443, False)),
        ("HTTPS://ADFS.contoso.test:8443/adfs/oauth2/authorize", Authority("adfs.contoso.test", 8443, True)),
        ("http://login.microsoftonline.com/common", None),
        ("https://login.microsoftonline.com@evil.test/common", None),
        ("https://evil.test:99999/", None),
        ("https:///common", None),
        ("https://[::1", None),
        ("//login.microsoftonline.com/", None),
        ("https://login.microsoftonline.com\u200b.evil.test/\n", None),
        ("", None),
    ],
)
def test_an_authority_is_an_https_url_with_a_host(named: str, authority: Authority | None) -> None:
    """Whatever else is named is none, and a host is what it is, not what it looks like."""
    assert authority_of(named) == authority


def test_a_host_that_only_looks_like_entra_id_is_not_on_the_list() -> None:
    """The list is of whole names."""
    looks = authority_of("https://login.microsoftonline.com.evil.test/common")
    assert looks is not None
    assert looks.host not in entra_resources()
    assert "login.microsoftonline.com" in entra_resources()


def test_challenges_name_authority_and_tenant() -> None:
    """The first that is named counts; a tenant is told only where it is the only one."""
    one = bearer(authorization_uri="https://a.test/x", trusted_issuers=f"00000001-0000-0000-c000-000000000000@{TENANT}")
    assert named_authority(one) == "https://a.test/x"
    assert trusted_tenant(one) == TENANT
    assert trusted_tenant(bearer(trusted_issuers="00000001-0000-0000-c000-000000000000@*")) is None
    assert trusted_tenant(bearer(trusted_issuers=f"x@{TENANT},y@{TENANT.replace('0b5b', '1c6c')}")) is None
    assert named_authority(bearer(error="invalid_token")) is None


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"[]", b'"x"', b"[" * 100_000, b'{"issuer": 7, "NameSpaceType": [], "access_token": {}, "error_codes": "x"}', b"\xff\xfe"],
)
def test_documents_that_are_none_say_nothing(document: bytes) -> None:
    """Cut, deep, foreign and mistyped documents read as nothing, and raise nothing."""
    assert read_discovery(document) is None
    assert read_realm(document) is None
    answer = read_token_answer(document)
    assert (answer.token, answer.error, answer.codes) == (None, "", ())


def test_the_codes_are_read_from_the_list_else_from_the_words() -> None:
    """Entra ID lists its numbers; where it does not, the sentence names one. What is no number is passed over."""
    listed = {"error": "invalid_grant", "error_codes": [50076, True, -1, "7", 50076], "error_description": "AADSTS50126: no"}
    assert read_token_answer(json.dumps(listed).encode()).codes == (50076,)
    assert read_token_answer(b'{"error": "invalid_grant", "error_description": "AADSTS50034: no such user"}').codes == (50034,)


def test_a_token_is_not_shown() -> None:
    """The answer's own text never holds it, and what no header carries is no token."""
    assert "s3cret" not in repr(read_token_answer(b'{"access_token": "s3cret"}'))
    assert read_token_answer(b'{"access_token": "a\\r\\nb"}').token is None


def test_what_an_authority_says_is_visible() -> None:
    """Controls, marks of direction and line ends in an authority's texts are escapes; a description of several lines is one line."""
    evil = "a\x9b\u202e\u2028\x85\nb"
    said = {
        "error": evil,
        "issuer": f"https://a.test/{evil}",
        "NameSpaceType": "Managed",
        "AuthURL": evil,
        "error_description": "one\r\ntwo\x1b",
    }
    document = json.dumps(said).encode()
    shown = r"a\x9b\u202e\u2028\x85\x0ab"
    answer, found, realm = read_token_answer(document), read_discovery(document), read_realm(document)
    assert found is not None
    assert realm is not None
    assert (answer.error, answer.description) == (shown, r"one two\x1b")
    assert (found.issuer, realm.federation_url) == (f"https://a.test/{shown}", shown)


def test_a_tenant_is_the_issuer_s_guid() -> None:
    """An issuer without one names no tenant."""
    found = read_discovery(json.dumps({"issuer": f"https://sts.windows.net/{TENANT}/"}).encode())
    assert found is not None
    assert found.tenant == TENANT
    other = read_discovery(b'{"issuer": "https://adfs.contoso.test/adfs"}')
    assert other is not None
    assert other.tenant is None


def test_passwords_are_written_so_that_they_stay_what_they_are() -> None:
    """What a form would take for its own is escaped."""
    form = password_grant(Authority("a.test", 443, False), client="c", username="a@b", password="p&w=1 +é", resource=None, ews="x")
    assert b"password=p%26w%3D1+%2B%C3%A9" in form


def test_every_code_has_one_meaning() -> None:
    """The table gives each number a meaning, and refusals only in the words that there are."""
    assert len(authority_errors()) >= 35
    assert all(
        error.meaning and error.about in ("account", "application", "tenant", "request", "later") for error in authority_errors().values()
    )


REFERENCE = {
    ("mfa-required",): [50076, 50079, 50072, 50074, 50078, 50158],
    ("blocked-by-policy",): [53003, 53004, 53000, 53001, 53002, 50097, 50131, 530032, 530034, 530035],
    ("bad-credentials",): [50126, 50034, 50056],
    ("account-locked",): [50053],
    ("password-expired",): [50055, 50144, 50173],
    ("account-disabled",): [50057],
}


@pytest.mark.parametrize(("refusal", "codes"), REFERENCE.items())
def test_numbers_about_the_account_say_what_is_the_matter_with_it(refusal: tuple[str, ...], codes: list[int]) -> None:
    """Each number of Entra ID's table that is about an account means one word of `auth.refusal`."""
    for code in codes:
        assert (authority_errors()[code].about, authority_errors()[code].refusal) == ("account", refusal)


@pytest.mark.parametrize(
    ("about", "codes"),
    [
        ("application", [65001, 90094, 65002, 50105, 700016, 7000112, 7000215, 7000222, 7000218]),
        ("tenant", [50128, 90002]),
        ("request", [90014, 900144, 9001023, 70011, 500011]),
        ("later", [80001, 80002]),
    ],
)
def test_numbers_about_something_else_are_not_held_against_the_account(about: str, codes: list[int]) -> None:
    """The application, the tenant, the request and the way on premises have numbers of their own."""
    assert {authority_errors()[code].about for code in codes} == {about}
