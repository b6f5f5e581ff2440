"""What authorities are named as, and what they answer."""

from __future__ import annotations

import json

import pytest

from probe.model.estate import Cloud, Endpoint, authority_endpoint
from probe.model.kinds import Challenge
from probe.tables.authorities import authority_errors, entra_clouds, entra_hosts, token_resource
from probe.wire.oauth import (
    authority_of,
    folded,
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
        ("https://login.microsoftonline.com/common/oauth2/authorize", authority_endpoint("login.microsoftonline.com")),
        ("HTTPS://ADFS.contoso.test:8443/adfs/oauth2/authorize", authority_endpoint("adfs.contoso.test:8443")),
        ("https://[0:0::1]:8443", authority_endpoint("[::1]:8443")),
        ("https://login.microsoftonline.com./adfs/", authority_endpoint("login.microsoftonline.com")),
        ("https://login.microsoftonline.com\\@adfs.contoso.test/adfs/", None),
        ("https://login.microsoftonline.com\\.adfs.contoso.test/adfs/", None),
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
def test_an_authority_is_an_https_url_with_a_host(named: str, authority: Endpoint | None) -> None:
    """Whatever else is named is none, and a host is what it is, not what it looks like."""
    assert authority_of(named) == authority


def test_a_host_that_only_looks_like_entra_id_is_not_on_the_list() -> None:
    """The list is of whole names."""
    looks = authority_of("https://login.microsoftonline.com.evil.test/common")
    assert looks is not None
    assert not entra_clouds(looks.host)
    assert entra_clouds("login.microsoftonline.com") == {"worldwide"}


def test_each_cloud_has_an_entra_id_of_its_own_name() -> None:
    """A cloud that an estate can name has hosts, the first of which is asked by default; the two of the United States share theirs."""
    assert {cloud: entra_hosts(cloud)[0] for cloud in Cloud} == {
        Cloud.WORLDWIDE: "login.microsoftonline.com",
        Cloud.US_GOVERNMENT: "login.microsoftonline.us",
        Cloud.US_DOD: "login.microsoftonline.us",
        Cloud.CHINA: "login.partner.microsoftonline.cn",
    }
    assert all(cloud in entra_clouds(host) for cloud in Cloud for host in entra_hosts(cloud))


@pytest.mark.parametrize(
    ("url", "cloud", "resource"),
    [
        ("https://mail.contoso.test/EWS/Exchange.asmx", Cloud.WORLDWIDE, "https://mail.contoso.test"),
        ("https://mail.contoso.test./EWS/Exchange.asmx", Cloud.CHINA, "https://mail.contoso.test"),
        ("https://mail.contoso.test:4443/", Cloud.WORLDWIDE, "https://mail.contoso.test:4443"),
        ("https://[::1]/", Cloud.WORLDWIDE, "https://[::1]"),
        ("https://outlook.office365.com/", Cloud.WORLDWIDE, "https://outlook.office365.com"),
        ("https://OUTLOOK.office.com:8443/", Cloud.WORLDWIDE, "https://outlook.office365.com"),
        ("https://outlook.office365.com./", Cloud.CHINA, None),
        ("https://outlook.office365.us/", Cloud.US_GOVERNMENT, "https://outlook.office365.us"),
        ("https://outlook.office365.us/", Cloud.US_DOD, None),
        ("https://outlook-dod.office365.us/", Cloud.US_DOD, "https://outlook-dod.office365.us"),
        ("https://webmail.apps.mil/", Cloud.US_DOD, "https://outlook-dod.office365.us"),
        ("https://outlook-dod.office365.us/", Cloud.US_GOVERNMENT, None),
        ("https://partner.outlook.cn/", Cloud.CHINA, "https://partner.outlook.cn"),
        ("https://partner.outlook.cn/", Cloud.WORLDWIDE, None),
        ("https://outlook.office.de/", Cloud.WORLDWIDE, None),
    ],
)
def test_a_token_is_asked_for_the_host_that_gets_it(url: str, cloud: Cloud, resource: str | None) -> None:
    """An endpoint's own origin, or the resource of the estate's Exchange Online; for another cloud's host there is none."""
    assert token_resource(Endpoint.parse(url), cloud) == resource


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
    form = password_grant(client="c", username="a@b", password="p&w=1 +é", scope="https://a.test/.default")
    assert b"password=p%26w%3D1+%2B%C3%A9&scope=https%3A%2F%2Fa.test%2F.default" in form
    assert b"resource" not in form


def test_texts_are_kept_as_they_came_and_shown_on_one_printable_line() -> None:
    """Folding makes one line of at most 300 characters, without what a terminal would obey; reading changes nothing but half characters."""
    said = {"error": "a\u0085b\u2028c\x1b[2J", "error_description": "x" * 1000 + " \t \ud800"}
    answer = read_token_answer(json.dumps(said).encode())
    assert answer.error == "a\u0085b\u2028c\x1b[2J"
    assert answer.description == "x" * 1000 + " \t ?"
    assert folded(answer.error) == r"a b c\x1b[2J"
    assert folded("a\u202eb") == r"a\u202eb"
    assert folded(answer.description) == "x" * 300


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
