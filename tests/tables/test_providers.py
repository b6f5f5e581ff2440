"""Providers by domain, host and product, and where passwords ended."""

from __future__ import annotations

from datetime import date

import pytest

from probe.model.estate import Service
from probe.tables import providers


@pytest.mark.parametrize(
    ("domain", "provider"),
    [
        ("gmail.com", "gmail"),
        ("GoogleMail.com", "gmail"),
        ("yahoo.co.uk", "yahoo"),
        ("ymail.com", "yahoo"),
        ("yahoo.co.jp", None),
        ("aol.com", "aol"),
        ("msn.com", "msn"),
        ("live.com", "windows-live"),
        ("windowslive.com", "windows-live"),
        ("hotmail.fr", "outlook.com"),
        ("outlook.com", "outlook.com"),
        ("me.com", "icloud"),
        ("contoso.test", None),
    ],
)
def test_a_domain_tells_its_provider(domain: str, provider: str | None) -> None:
    """A provider's own mail domain tells the provider; any other tells none."""
    assert providers.provider_of_domain(domain) == provider


@pytest.mark.parametrize(
    ("host", "product", "service", "candidates"),
    [
        ("pop.gmail.com", "Gmail", Service.POP3, ("gmail",)),
        ("pop.gmail.com", None, Service.POP3, ("gmail",)),
        ("pop.gmail.com", "Dovecot", Service.POP3, None),
        ("mail.contoso.test", "Gmail", Service.POP3, ("gmail",)),
        ("mail.contoso.test", "Dovecot", Service.POP3, ()),
        ("smtp.aol.com", "Yahoo Mail", Service.SMTP, ("aol",)),
        ("127.0.0.1", "Yahoo Mail", Service.SMTP, ("yahoo", "aol")),
        ("smtp.office365.com", "Exchange", Service.SMTP, ("exchange-online", "outlook.com", "msn", "windows-live")),
        ("smtp-mail.outlook.com", "Exchange Online", Service.SMTP, ("outlook.com",)),
        ("outlook.office365.com", "Exchange Online", Service.EWS, ("exchange-online",)),
        ("mail.contoso.test", "Exchange", Service.SMTP, ()),
    ],
)
def test_host_and_product_together_narrow_down_the_provider(
    host: str, product: str | None, service: Service, candidates: tuple[str, ...] | None
) -> None:
    """What both allow remains; where they contradict each other nothing does."""
    assert providers.candidate_providers(host, product, service) == candidates


def test_brands_of_one_company_are_known() -> None:
    """MSN and Outlook.com belong to one company, Gmail and Yahoo are not."""
    assert providers.same_company("outlook.com", "msn")
    assert not providers.same_company("gmail", "yahoo")


def test_passwords_ended_where_and_when_the_table_says() -> None:
    """Outlook.com takes none since 2024-09-16, Gmail takes app passwords, others are not in the table."""
    ending = providers.password_ending("outlook.com", Service.POP3)
    assert ending is not None
    assert (ending.ended, ending.remains) == (date(2024, 9, 16), "nothing")
    gmail = providers.password_ending("gmail", Service.SMTP)
    assert gmail is not None
    assert gmail.remains == "app-password"
    assert providers.password_ending("gmx", Service.POP3) is None
    assert providers.password_ending("outlook.com", Service.EWS) is None
