"""Row 2 of the table, for mail."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Result
from probe.rules.on_premises.pop3_smtp_system_not_listed import RULE
from tests.cases import Known, exchange_case, gmail_case, result_of

MICROSOFT = {v.SERVER_PRODUCT: "Exchange Online", v.PROVIDER: Why.NOT_DISCLOSED}
YAHOO = {v.SERVER_PRODUCT: "Yahoo Mail", v.PROVIDER: Why.NOT_DISCLOSED}


def of(domain: str, provider: str | Why) -> Known:
    """A mailbox by its domain, and the provider that follows from it."""
    return {v.MAILBOX_DOMAIN: domain, v.PROVIDER: provider}


def test_it_holds_for_gmail() -> None:
    """Gmail is listed."""
    assert result_of(RULE, gmail_case()) is Result.HOLDS


def test_it_holds_for_a_workspace_domain_at_gmail() -> None:
    """Gmail's servers are listed whatever the domain of the address."""
    assert result_of(RULE, gmail_case(mailbox=of("contoso.test", Why.NOT_DISCLOSED))) is Result.HOLDS


@pytest.mark.parametrize(
    ("domain", "provider"),
    [("msn.com", "msn"), ("outlook.com", "outlook.com"), ("hotmail.co.uk", "outlook.com"), ("live.de", "windows-live")],
)
def test_it_holds_for_microsofts_consumers_at_shared_servers(domain: str, provider: str) -> None:
    """An address of MSN, Outlook.com or Windows Live is listed at the servers that also serve Exchange Online."""
    for product in ("Exchange Online", "Exchange"):
        case = gmail_case(endpoint={**MICROSOFT, v.SERVER_PRODUCT: product}, mailbox=of(domain, provider))
        assert result_of(RULE, case) is Result.HOLDS


def test_it_holds_for_a_consumer_with_a_domain_of_its_own() -> None:
    """A mailbox that its endpoints show to be Outlook.com's is listed whatever its domain."""
    assert result_of(RULE, gmail_case(endpoint=MICROSOFT, mailbox=of("contoso.test", "outlook.com"))) is Result.HOLDS


def test_it_holds_for_outlook_com_by_its_own_servers() -> None:
    """Outlook.com, where it shows as such, is listed."""
    case = gmail_case(endpoint={v.SERVER_PRODUCT: "Outlook.com", v.PROVIDER: "outlook.com"}, mailbox=of("contoso.test", Why.NOT_DISCLOSED))
    assert result_of(RULE, case) is Result.HOLDS


def test_it_holds_for_yahoo() -> None:
    """Yahoo! Mail is listed, by the endpoint's provider or the address's."""
    assert result_of(RULE, gmail_case(endpoint=YAHOO, mailbox=of("yahoo.com", "yahoo"))) is Result.HOLDS
    shown = {v.SERVER_PRODUCT: "Yahoo Mail", v.PROVIDER: "yahoo"}
    assert result_of(RULE, gmail_case(endpoint=shown, mailbox=of("contoso.test", Why.NOT_DISCLOSED))) is Result.HOLDS


def test_it_fails_for_aol_at_yahoos_servers() -> None:
    """AOL is not listed, although Yahoo's servers serve it."""
    assert result_of(RULE, gmail_case(endpoint=YAHOO, mailbox=of("aol.com", "aol"))) is Result.FAILS


def test_it_fails_for_exchange_online_with_a_tenants_mailbox() -> None:
    """Exchange Online over POP3/SMTP is not among the systems of the row."""
    assert result_of(RULE, gmail_case(endpoint=MICROSOFT, mailbox=of("contoso.test", "exchange-online"))) is Result.FAILS


def test_it_fails_for_some_exchange_with_a_domain_of_ones_own() -> None:
    """Whichever Exchange it is, on premises or online, it is not listed over POP3/SMTP but for consumers' addresses."""
    case = gmail_case(endpoint={**MICROSOFT, v.SERVER_PRODUCT: "Exchange"}, mailbox=of("contoso.test", Why.NOT_DISCLOSED))
    assert result_of(RULE, case) is Result.FAILS


@pytest.mark.parametrize("product", ["Dovecot", "Postfix", "Exchange Server 2016", "iCloud Mail"])
def test_it_fails_for_other_systems(product: str) -> None:
    """Any other system that shows itself was not tested."""
    case = gmail_case(endpoint={v.SERVER_PRODUCT: product, v.PROVIDER: Why.NOT_DISCLOSED}, mailbox=of("contoso.test", Why.NOT_DISCLOSED))
    assert result_of(RULE, case) is Result.FAILS


def test_it_fails_where_another_server_stands_behind_a_listed_domain() -> None:
    """A Gmail address behind a Dovecot of one's own is not Gmail."""
    assert result_of(RULE, gmail_case(incoming={v.SERVER_PRODUCT: "Dovecot", v.PROVIDER: Why.NOT_DISCLOSED})) is Result.FAILS


def test_it_is_unknown_where_nothing_shows_what_answers() -> None:
    """The address's domain alone does not tell which server answers."""
    unseen = {v.SERVER_PRODUCT: Why.NOT_DISCLOSED, v.PROVIDER: Why.NOT_DISCLOSED}
    assert result_of(RULE, gmail_case(endpoint=unseen)) is Result.UNKNOWN


@pytest.mark.parametrize("product", ["Exchange Online", "Exchange"])
def test_it_is_unknown_where_microsofts_servers_answer_and_it_is_not_known_whose_mailbox_it_is(product: str) -> None:
    """Microsoft's servers, with a mailbox that may be a consumer's or a tenant's, leave it open."""
    case = gmail_case(endpoint={**MICROSOFT, v.SERVER_PRODUCT: product}, mailbox=of("live.de", Why.NOT_DISCLOSED))
    assert result_of(RULE, case) is Result.UNKNOWN


def test_it_does_not_apply_to_ews() -> None:
    """The row says nothing of Exchange Web Services."""
    assert result_of(RULE, exchange_case()) is Result.NOT_APPLICABLE
