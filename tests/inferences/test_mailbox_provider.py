"""Whose hosted mailbox it is."""

from __future__ import annotations

import pytest

from probe.inferences.mailbox_provider import INFERENCE
from probe.model import vocabulary as v
from tests.inferences.known import Known, case, settled

_SERVED: Known = {v.MAILBOX_INCOMING: "server-side", v.MAILBOX_OUTGOING: "server-side", v.MAILBOX_APPOINTMENTS: "none"}


def _endpoint(host: str, product: str | None = None, provider: str | None = None, service: str = "pop3") -> Known:
    known: Known = {v.ENDPOINT_SERVICE: service, v.ENDPOINT_HOST: host}
    if product is not None:
        known[v.SERVER_PRODUCT] = product
    if provider is not None:
        known[v.PROVIDER] = provider
    return known


_FRONT_IN = _endpoint("outlook.office365.com", "Exchange Online")
_FRONT_OUT = _endpoint("smtp.office365.com", "Exchange Online", service="smtp")
_GMAIL = _endpoint("pop.gmail.com", "Gmail", "gmail")


def _provider(domain: str, incoming: Known, outgoing: Known, served: Known = _SERVED) -> object:
    return settled(INFERENCE, v.PROVIDER, {}, case({**served, v.MAILBOX_DOMAIN: domain}, incoming, outgoing))


@pytest.mark.parametrize(
    ("domain", "incoming", "outgoing", "provider"),
    [
        ("msn.com", _FRONT_IN, _FRONT_OUT, "msn"),
        ("hotmail.com", _FRONT_IN, _FRONT_OUT, "outlook.com"),
        ("live.com", _FRONT_IN, _FRONT_OUT, "windows-live"),
        ("contoso.test", _FRONT_IN, _FRONT_OUT, "exchange-online"),
        ("msn.com", _FRONT_IN, _endpoint("smtp-mail.outlook.com", "Exchange Online", "outlook.com", "smtp"), "msn"),
        ("gmail.com", _GMAIL, _GMAIL, "gmail"),
        ("contoso.test", _GMAIL, _GMAIL, "gmail"),
        ("yahoo.com", _endpoint("127.0.0.1", "Yahoo Mail"), _endpoint("127.0.0.1", "Yahoo Mail"), "yahoo"),
        ("aol.com", _endpoint("127.0.0.1", "Yahoo Mail"), _endpoint("127.0.0.1", "Yahoo Mail"), "aol"),
        ("aol.com", _endpoint("pop.mail.yahoo.com", "Yahoo Mail", "yahoo"), _endpoint("smtp.aol.com", provider="aol"), "aol"),
    ],
)
def test_the_domain_tells_between_those_whom_the_endpoints_serve(domain: str, incoming: Known, outgoing: Known, provider: str) -> None:
    """A shared front leaves the choice to the domain; a provider of its own does not, its brands apart."""
    assert _provider(domain, incoming, outgoing) == provider


@pytest.mark.parametrize(
    ("domain", "incoming", "outgoing"),
    [
        ("gmail.com", _endpoint("mail.contoso.test", "Dovecot"), _endpoint("mail.contoso.test", "Dovecot")),
        ("gmail.com", _endpoint("mail.contoso.test"), _endpoint("mail.contoso.test")),
        ("gmail.com", _endpoint("pop.gmail.com", "Dovecot"), _GMAIL),
        ("gmail.com", _FRONT_IN, _FRONT_OUT),
        ("contoso.test", _endpoint("127.0.0.1", "Yahoo Mail"), _endpoint("127.0.0.1", "Yahoo Mail")),
        ("gmail.com", _GMAIL, _endpoint("mail.contoso.test", "Postfix", service="smtp")),
        ("gmail.com", _GMAIL, _endpoint("smtp.mail.yahoo.com", "Yahoo Mail", "yahoo", "smtp")),
        ("gmail.com", _GMAIL, {}),
    ],
)
def test_the_domain_alone_proves_nothing(domain: str, incoming: Known, outgoing: Known) -> None:
    """An endpoint that is not known to be the provider's leaves the mailbox's provider open."""
    assert _provider(domain, incoming, outgoing) is None


def test_an_endpoint_that_the_mailbox_does_not_use_is_not_asked() -> None:
    """Where nothing is sent, only the incoming endpoint counts; where nothing is served, none does."""
    only_in: Known = {v.MAILBOX_INCOMING: "server-side", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}
    only_out: Known = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "server-side", v.MAILBOX_APPOINTMENTS: "none"}
    nothing: Known = {v.MAILBOX_INCOMING: "none", v.MAILBOX_OUTGOING: "none", v.MAILBOX_APPOINTMENTS: "none"}
    postfix = _endpoint("mail.contoso.test", "Postfix", service="smtp")
    assert _provider("gmail.com", _GMAIL, postfix, only_in) == "gmail"
    assert _provider("gmail.com", postfix, _GMAIL, only_out) == "gmail"
    assert _provider("gmail.com", _GMAIL, _GMAIL, nothing) is None
