"""Whose hosted service an endpoint is."""

from __future__ import annotations

import pytest

from probe.inferences.endpoint_provider import INFERENCE
from probe.model import vocabulary as v
from probe.model.inferences import Unsettled
from tests.inferences.known import Known, concluded, settled


def _known(service: str, host: str, product: str | None = None) -> Known:
    known: Known = {v.ENDPOINT_SERVICE: service, v.ENDPOINT_HOST: host}
    return known if product is None else {**known, v.SERVER_PRODUCT: product}


@pytest.mark.parametrize(
    ("known", "provider"),
    [
        (_known("pop3", "pop.gmail.com", "Gmail"), "gmail"),
        (_known("pop3", "127.0.0.1", "Gmail"), "gmail"),
        (_known("smtp", "smtp.gmail.com"), "gmail"),
        (_known("smtp", "smtp.mail.yahoo.com", "Yahoo Mail"), "yahoo"),
        (_known("smtp", "smtp.aol.com", "Yahoo Mail"), "aol"),
        (_known("smtp", "smtp-mail.outlook.com", "Exchange Online"), "outlook.com"),
        (_known("smtp", "smtp.live.com", "Exchange Online"), "windows-live"),
        (_known("ews", "outlook.office365.com", "Exchange Online"), "exchange-online"),
        (_known("ews", "mail.contoso.test", "Exchange Online"), "exchange-online"),
        (_known("imap", "imap.mail.me.com", "iCloud Mail"), "icloud"),
        (_known("smtp", "mail.contoso.test", "IONOS Mail"), "ionos"),
        (_known("pop3", "mail.contoso.test", "T-Online Mail"), "t-online"),
    ],
)
def test_product_and_host_tell_the_provider(known: Known, provider: str) -> None:
    """Where both allow one provider alone, it is that."""
    assert settled(INFERENCE, v.PROVIDER, known) == provider


@pytest.mark.parametrize(
    ("known", "because"),
    [
        (_known("smtp", "smtp.office365.com", "Exchange Online"), "domain"),
        (_known("pop3", "outlook.office365.com"), "domain"),
        (_known("smtp", "127.0.0.1", "Yahoo Mail"), "yahoo, aol"),
        (_known("pop3", "pop.gmail.com", "Dovecot"), "Dovecot"),
        (_known("pop3", "mail.contoso.test", "Dovecot"), "anybody"),
        (_known("pop3", "mail.contoso.test"), "known provider"),
        (_known("ews", "mail.contoso.test", "Exchange Server 2019"), "anybody"),
        ({v.SERVER_PRODUCT: "Gmail"}, "the host of the endpoint"),
    ],
)
def test_what_is_shared_contradictory_or_anybodys_is_left_open(known: Known, because: str) -> None:
    """A front of several providers, a host and product at odds, and an own server have no provider, for a reason that is told."""
    said = concluded(INFERENCE, known)[v.PROVIDER]
    assert isinstance(said, Unsettled)
    assert because in said.because
