"""Endpoints and their URLs, and secrets that cannot get out by accident."""

from __future__ import annotations

import copy
import json
import pickle
import re
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.config import example_estate, read_estate
from probe.model.estate import (
    EWS_PATH,
    BoundOrganization,
    Delivery,
    Endpoint,
    Mailbox,
    OrganizationUrl,
    Secret,
    SecretReference,
    Security,
    Service,
    profile_subject,
)


@pytest.mark.parametrize(
    ("url", "service", "security", "port"),
    [
        ("pop3://mail.contoso.test", Service.POP3, Security.UPGRADE, 110),
        ("pop3s://mail.contoso.test", Service.POP3, Security.IMPLICIT, 995),
        ("smtp://mail.contoso.test", Service.SMTP, Security.UPGRADE, 587),
        ("smtps://mail.contoso.test", Service.SMTP, Security.IMPLICIT, 465),
        ("imap://mail.contoso.test", Service.IMAP, Security.UPGRADE, 143),
        ("imaps://mail.contoso.test", Service.IMAP, Security.IMPLICIT, 993),
        ("https://mail.contoso.test", Service.EWS, Security.IMPLICIT, 443),
        ("tls://mail.contoso.test:8443", Service.TLS, Security.IMPLICIT, 8443),
    ],
)
def test_a_scheme_names_service_security_and_port(url: str, service: Service, security: Security, port: int) -> None:
    """Each scheme stands for a service, for how TLS comes about, and for the port where none is named."""
    endpoint = Endpoint.parse(url)
    assert (endpoint.service, endpoint.security, endpoint.port, endpoint.host) == (service, security, port, "mail.contoso.test")


@pytest.mark.parametrize(
    ("url", "subject"),
    [
        ("POP3S://Mail.Contoso.TEST", "pop3s://mail.contoso.test:995"),
        ("smtp://mail.contoso.test:25/", "smtp://mail.contoso.test:25"),
        ("smtp://mail.contoso.test:", "smtp://mail.contoso.test:587"),
        ("https://mail.contoso.test", f"https://mail.contoso.test:443{EWS_PATH}"),
        ("https://mail.contoso.test/", f"https://mail.contoso.test:443{EWS_PATH}"),
        ("https://mail.contoso.test/ews/Custom.asmx", "https://mail.contoso.test:443/ews/Custom.asmx"),
        ("imap://[2001:DB8:0:0::1]", "imap://[2001:db8::1]:143"),
        ("imap://[::1]:1143", "imap://[::1]:1143"),
        ("tls://192.0.2.7:443", "tls://192.0.2.7:443"),
        ("smtp://mail", "smtp://mail:587"),
        ("smtp://münchen.test", "smtp://xn--mnchen-3ya.test:587"),
        ("smtp://ex_01.corp.contoso.test:1", "smtp://ex_01.corp.contoso.test:1"),
        ("smtp://mail.contoso.test:65535", "smtp://mail.contoso.test:65535"),
    ],
)
def test_a_subject_is_the_url_in_one_form(url: str, subject: str) -> None:
    """A subject has a lower-case host, an IPv6 address in short form and brackets, and always the port."""
    assert Endpoint.parse(url).url == subject
    assert Endpoint.parse(subject).url == subject


@pytest.mark.parametrize(
    ("url", "shown", "host", "port", "path", "is_plain"),
    [
        ("https://crm.contoso.test/Contoso", "https://crm.contoso.test/Contoso", "crm.contoso.test", 443, "/Contoso", False),
        ("HTTPS://CRM.contoso.test:5555/Contoso/", "https://crm.contoso.test:5555/Contoso", "crm.contoso.test", 5555, "/Contoso", False),
        ("https://contoso.crm.test/", "https://contoso.crm.test", "contoso.crm.test", 443, "", False),
        ("http://[::1]/Contoso", "http://[::1]/Contoso", "::1", 80, "/Contoso", True),
        ("http://crm:5555", "http://crm:5555", "crm", 5555, "", True),
    ],
)
def test_an_organization_has_one_address(url: str, shown: str, host: str, port: int, path: str, is_plain: bool) -> None:
    """An organization's URL has one form, whichever way it was written, and is read back to the same."""
    read = OrganizationUrl.parse(url)
    assert (read.endpoint.service, read.endpoint.host, read.endpoint.port) == (Service.DYNAMICS, host, port)
    assert (read.endpoint.path, read.is_plain, str(read)) == (path, is_plain, shown)
    assert OrganizationUrl.parse(shown) == read


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("crm.contoso.test", "must begin with https://"),
        ("pop3s://crm.contoso.test", "must begin with https://"),
        ("https://u:p@crm.contoso.test/Contoso", "must not carry a user name or password"),
        ("http://u:p@crm.contoso.test/Contoso", "must not carry a user name or password"),
        ("https://crm.contoso.test/Contoso/main.aspx", "must be the organization's address alone"),
        ("https://crm.contoso.test/Contoso/api/data/v9.1", "must be the organization's address alone"),
        ("https://crm.contoso.test//Contoso", "must be the organization's address alone"),
        ("https://crm.contoso.test/Con'toso", "must be the organization's address alone"),
        ("https://crm.contoso.test/Contoso?x", "must not have a query or a fragment"),
        ("http:///Contoso", "names no host"),
        ("http://crm:0/Contoso", "names port 0"),
    ],
)
def test_what_is_no_organizations_address_is_refused(url: str, said: str) -> None:
    """What an organization cannot be reached by is refused with a sentence."""
    with pytest.raises(ValueError, match=re.escape(said)):
        OrganizationUrl.parse(url)


@pytest.mark.parametrize("text", ["", "Contoso", "5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11", "{5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11} Contoso"])
def test_an_organization_is_bound_by_id_and_name(text: str) -> None:
    """Both are needed."""
    with pytest.raises(ValueError, match="id of the organization and its unique name"):
        BoundOrganization.parse(text)
    assert str(BoundOrganization.parse("5D1B0F8C-3C55-4D0F-9A57-0B9D7C3F2A11 Contoso")) == "5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11 Contoso"


def test_an_ipv6_host_has_no_brackets() -> None:
    """The host of an endpoint is what is dialled, so it has no brackets."""
    assert Endpoint.parse("imap://[::1]").host == "::1"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "must begin with one of pop3://, pop3s://,"),
        ("mail.contoso.test", "must begin with one of"),
        ("mail.contoso.test:995", "must begin with one of"),
        ("http://mail.contoso.test", "must begin with one of"),
        ("pop3s:mail.contoso.test", "must begin with one of"),
        ("pop3s//mail.contoso.test", "must begin with one of"),
        ("https://", "names no host"),
        ("https:///EWS/Exchange.asmx", "names no host"),
        ("smtp://:25", "names no host"),
        ("tls://mail.contoso.test", "needs a port, as in tls://mail.contoso.test:443"),
        ("smtp://mail.contoso.test:0", "names port 0; a port is a number from 1 to 65535"),
        ("smtp://mail.contoso.test:65536", "names no valid port"),
        ("smtp://mail.contoso.test:-1", "names no valid port"),
        ("smtp://mail.contoso.test:smtp", "names no valid port"),
        ("smtp://[::1", "is not a URL"),
        ("smtp://::1", "names no valid port"),
        ("smtp://a..b", "names no valid host"),
        ("smtp://-a.test", "names no valid host"),
        ("smtp://a b.test", "must not hold spaces"),
        ("smtp://" + "a" * 64 + ".test", "names no valid host"),
        ("smtp://" + "a." * 130 + "test", "names no valid host"),
        ("smtp://1.2.3", "names no valid address"),
        ("smtp://999.1.1.1", "names no valid address"),
        ("https://127.1/", "names no valid address"),
        ("https://127.1./", "names no valid address"),
        ("https://2130706433/", "names no valid address"),
        ("https://0177.0.0.1/", "names no valid address"),
        ("https://0x7f.1/", "names no valid address"),
        ("https://0X7F000001/", "names no valid address"),
        ("https://\uff10x7f.1/", "names no valid address"),
        ("https://\uff11\uff12\uff17.0.0.1/", "names no valid address"),
        ("https://127\u30020\u30020\u30021/", "names no valid address"),
        ("https://\u2460\u2461\u2466.1/", "names no valid address"),
        ("smtp://mail.contoso.test/inbox", "must not have a path"),
        ("https://mail.contoso.test/EWS?wsdl", "must not have a query or a fragment"),
        ("https://mail.contoso.test/EWS#top", "must not have a query or a fragment"),
    ],
)
def test_what_is_no_endpoint_is_refused_with_what_would_be_right(url: str, said: str) -> None:
    """A URL that names no endpoint draws one sentence, of bounded length."""
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        Endpoint.parse(url)
    assert len(str(refused.value)) < 700


@pytest.mark.parametrize("url", ["https://svc:hunter2@mail.contoso.test", "smtp://hunter2@mail.contoso.test", "smtp://:hunter2@h:25"])
def test_a_url_with_an_account_is_refused_without_repeating_it(url: str) -> None:
    """A user name or password in a URL is refused, and not repeated."""
    with pytest.raises(ValueError, match="must not carry a user name or password") as refused:
        Endpoint.parse(url)
    assert "hunter2" not in str(refused.value)


_labels = st.from_regex(r"[a-z][a-z0-9_-]{0,20}[a-z0-9]", fullmatch=True)
_hosts = st.one_of(
    st.lists(_labels, min_size=1, max_size=4).map(".".join),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
)


@given(st.sampled_from(["pop3", "pop3s", "smtp", "smtps", "imap", "imaps", "https", "tls"]), _hosts, st.integers(1, 65535))
def test_an_endpoint_is_the_same_read_back_from_its_subject(scheme: str, host: str, port: int) -> None:
    """The subject of an endpoint names the same endpoint."""
    endpoint = Endpoint.parse(f"{scheme}://{host}:{port}")
    assert Endpoint.parse(endpoint.url) == endpoint
    assert endpoint.url.startswith(f"{scheme}://{host}:{port}")


@given(st.text(max_size=40) | st.text(max_size=30).map(lambda rest: f"https://{rest}"))
def test_any_text_is_an_endpoint_or_refused(text: str) -> None:
    """Whatever the text, it names an endpoint with a port, or is refused with a ValueError."""
    try:
        endpoint = Endpoint.parse(text)
    except ValueError:
        return
    assert 1 <= endpoint.port <= 65535
    assert endpoint.host


SECRET = Secret("hunter2")
REFERENCE = SecretReference.parse("env:CRM_HUNTER2")


def test_a_secret_does_not_print() -> None:
    """However a secret is put into text, the text does not hold it."""
    shown = [str(SECRET), repr(SECRET), f"{SECRET}", f"{SECRET:>40}", f"{SECRET!r}", "%s" % SECRET, str([SECRET]), str({"a": SECRET})]  # noqa: UP031
    assert not [text for text in shown if "hunter2" in text]
    assert SECRET.reveal() == "hunter2"


def test_a_secret_is_not_copied_pickled_or_serialised() -> None:
    """A secret leaves the process neither by pickle nor by JSON, and is not copied."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            pickle.dumps(SECRET, protocol)
    for duplicate in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            duplicate(SECRET)
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(SECRET)
    assert not hasattr(SECRET, "__dict__")


def test_secrets_are_not_compared_by_value() -> None:
    """Whether two secrets are equal cannot be asked by accident."""
    assert Secret("hunter2") != Secret("hunter2")


@pytest.mark.parametrize(
    ("text", "kind", "locator"),
    [
        ("env:CRM_EWS_PASSWORD", "env", "CRM_EWS_PASSWORD"),
        ("env:ProgramFiles(x86)", "env", "ProgramFiles(x86)"),
        ("file:/run/secrets/sales", "file", "/run/secrets/sales"),
        (r"file:C:\secrets\crm", "file", r"C:\secrets\crm"),
        ("keyring:probe/svc-crm@contoso.test", "keyring", "probe/svc-crm@contoso.test"),
    ],
)
def test_a_reference_is_a_kind_and_a_place(text: str, kind: str, locator: str) -> None:
    """A reference names where a secret is kept, up to the first colon by kind."""
    reference = SecretReference.parse(text)
    assert (reference.kind, reference.locator) == (kind, locator)


@pytest.mark.parametrize(
    "text",
    ["", "hunter2", ":hunter2", "env:", "file:", "env:hunter 2", "env:2hunter2", "keyring:hunter2", "keyring:/hunter2", "ENV:hunter2"],
)
def test_what_is_no_reference_is_refused_and_not_repeated(text: str) -> None:
    """A text that is no reference may be the secret itself, so the refusal does not repeat it."""
    with pytest.raises(ValueError, match=r"as env:|after `(env|keyring):`") as refused:
        SecretReference.parse(text)
    assert "hunter" not in str(refused.value)


def test_a_reference_does_not_print_or_serialise() -> None:
    """The place of a secret is not printed, nor put into JSON by accident."""
    assert "HUNTER2" not in f"{REFERENCE} {REFERENCE!r} {[REFERENCE]}"
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(REFERENCE)


def test_an_estate_does_not_print_where_its_secrets_are() -> None:
    """Printing a whole estate shows no place of a secret."""
    estate = read_estate(example_estate(), "estate.toml")
    assert "CRM_EWS_PASSWORD" not in repr(estate)
    assert "/run/secrets" not in repr(estate)


def mailbox(incoming: Delivery, outgoing: Delivery, appointments: Delivery) -> Mailbox:
    return Mailbox(address="a@contoso.test", profile="corp", incoming=incoming, outgoing=outgoing, appointments=appointments)


@pytest.mark.parametrize("incoming", Delivery)
@pytest.mark.parametrize("outgoing", Delivery)
@pytest.mark.parametrize("appointments", Delivery)
def test_a_mailbox_is_served_by_the_endpoints_that_it_uses(incoming: Delivery, outgoing: Delivery, appointments: Delivery) -> None:
    """A mailbox is served if it uses an endpoint: incoming for mail or appointments, outgoing for mail sent."""
    box = mailbox(incoming, outgoing, appointments)
    assert box.uses_outgoing is (outgoing is Delivery.SERVER_SIDE)
    assert box.uses_incoming is (Delivery.SERVER_SIDE in (incoming, appointments))
    assert box.is_served is (box.uses_incoming or box.uses_outgoing)


def test_the_subject_of_a_profile_holds_its_name() -> None:
    """Facts about a profile have `profile:NAME` as subject."""
    assert profile_subject("corp") == "profile:corp"


def test_an_endpoint_is_plain_data() -> None:
    """An endpoint is equal to another with the same values, and can be a key."""
    one, two = Endpoint.parse("smtp://h"), Endpoint.parse("SMTP://H:587")
    assert {one: 1}[two] == 1
    assert asdict(one)["path"] == ""
