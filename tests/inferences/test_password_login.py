"""Whether a password can work at all."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from probe.inferences.password_login import INFERENCE
from probe.model import vocabulary as v
from probe.model.keys import FactKey
from tests.inferences.known import TODAY, Known, settled


def _known(service: str, host: str, product: str | None = None, **more: Any) -> Known:
    known: Known = {v.ENDPOINT_SERVICE: service, v.ENDPOINT_HOST: host, v.PROTOCOL_GREETING: "hi"}
    if product is not None:
        known[v.SERVER_PRODUCT] = product
    keys: dict[str, FactKey[Any]] = {
        "mechanisms": v.AUTH_MECHANISMS,
        "plain": v.AUTH_MECHANISMS_PLAIN,
        "schemes": v.AUTH_SCHEMES,
        "tls": v.TLS_MODE,
    }
    return {**known, **{keys[name]: value for name, value in more.items()}}


@pytest.mark.parametrize(
    ("known", "possible"),
    [
        (_known("smtp", "smtp-mail.outlook.com", "Exchange Online", mechanisms=("LOGIN", "XOAUTH2")), False),
        (_known("pop3", "outlook.office365.com", "Exchange Online", mechanisms=("PLAIN", "XOAUTH2")), False),
        (_known("pop3", "outlook.office365.com"), False),
        (_known("smtp", "smtp.office365.com", "Exchange Online", mechanisms=("LOGIN", "XOAUTH2")), None),
        (_known("ews", "outlook.office365.com", "Exchange Online", schemes=("Bearer", "Basic")), False),
        (_known("pop3", "pop.gmail.com", "Gmail", mechanisms=("PLAIN", "XOAUTH2")), True),
        (_known("smtp", "127.0.0.1", "Yahoo Mail", mechanisms=("PLAIN", "XOAUTH2")), True),
        (_known("pop3", "pop.gmail.com", "Dovecot", mechanisms=("PLAIN",)), None),
        (_known("pop3", "pop.gmx.net", mechanisms=("PLAIN",)), True),
        (_known("pop3", "mail.contoso.test", "Dovecot", mechanisms=("PLAIN", "LOGIN")), True),
        (_known("pop3", "mail.contoso.test", mechanisms=("USER",)), True),
        (_known("pop3", "mail.contoso.test", mechanisms=("SCRAM-SHA-256",)), True),
        (_known("pop3", "mail.contoso.test", mechanisms=("XOAUTH2", "OAUTHBEARER")), False),
        (_known("smtp", "mail.contoso.test", mechanisms=("GSSAPI", "EXTERNAL")), False),
        (_known("smtp", "mail.contoso.test", mechanisms=()), False),
        (_known("pop3", "mail.contoso.test", mechanisms=()), None),
        (_known("pop3", "mail.contoso.test", plain=("PLAIN",)), None),
        (_known("pop3", "mail.contoso.test", plain=("PLAIN",), tls="none"), True),
        ({v.ENDPOINT_SERVICE: "pop3", v.ENDPOINT_HOST: "mail.contoso.test", v.AUTH_MECHANISMS: ("PLAIN",)}, None),
        (_known("ews", "mail.contoso.test", "Exchange Server 2016", schemes=("Negotiate", "NTLM")), True),
        (_known("ews", "mail.contoso.test", "Exchange Server 2016", schemes=("Basic",)), True),
        (_known("ews", "mail.contoso.test", "Exchange Server 2019", schemes=("Bearer",)), False),
        (_known("ews", "mail.contoso.test", "Exchange Server 2019", schemes=()), None),
        (_known("ews", "mail.contoso.test", "Exchange Server 2019"), None),
        (_known("ews", "mail.contoso.test", "Exchange", schemes=("Negotiate",)), True),
        (_known("ews", "mail.contoso.test", "Exchange", schemes=("Basic",)), None),
        (_known("ews", "mail.contoso.test", schemes=("NTLM",)), True),
        (_known("ews", "mail.contoso.test", schemes=("Basic",)), None),
        (_known("ews", "outlook.office365.com", schemes=("NTLM",)), False),
        (_known("tls", "mail.contoso.test"), None),
        ({v.AUTH_MECHANISMS: ("PLAIN",)}, None),
    ],
)
def test_a_password_can_work_where_it_is_offered_and_not_ended(known: Known, possible: Any) -> None:
    """What the provider ended decides before what the server offers; what is not known stays open."""
    assert settled(INFERENCE, v.PASSWORD_LOGIN_POSSIBLE, known) is possible


def test_an_ending_counts_from_its_day_on() -> None:
    """Judged for a day before the ending, what the server offers decides."""
    known = _known("smtp", "smtp-mail.outlook.com", "Exchange Online", mechanisms=("LOGIN", "XOAUTH2"))
    assert settled(INFERENCE, v.PASSWORD_LOGIN_POSSIBLE, known, on=date(2024, 9, 15)) is True
    assert settled(INFERENCE, v.PASSWORD_LOGIN_POSSIBLE, known, on=date(2024, 9, 16)) is False
    assert settled(INFERENCE, v.PASSWORD_LOGIN_POSSIBLE, known, on=TODAY) is False


def test_a_front_where_only_some_ended_is_left_open() -> None:
    """In 2023 Microsoft's POP3 front still took the passwords of consumers, and no others."""
    known = _known("pop3", "outlook.office365.com", "Exchange Online", mechanisms=("PLAIN", "XOAUTH2"))
    assert settled(INFERENCE, v.PASSWORD_LOGIN_POSSIBLE, known, on=date(2023, 6, 1)) is None
