"""Endpoints and their URLs."""

from __future__ import annotations

import re
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.model.endpoints import EWS_PATH, Endpoint, Security, Service


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


def test_an_endpoint_is_plain_data() -> None:
    """An endpoint is equal to another with the same values, and can be a key."""
    one, two = Endpoint.parse("smtp://h"), Endpoint.parse("SMTP://H:587")
    assert {one: 1}[two] == 1
    assert asdict(one)["path"] == ""
