"""Estates and readings by the number of a throw: of every kind of mailbox, alike and not, behind few endpoints of which much or little is known."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from probe import app
from probe.model import vocabulary as v
from probe.model.estate import Delivery, Estate, Location, Mailbox
from probe.model.facts import Missing, Reading, Why
from probe.model.keys import FactKey
from probe.model.provenance import Declared, Observed, Provenance
from tests.runs import EWS, POP, SMTP, a_fact, an_estate, words

_OF_ENDPOINTS = sorted(
    {key for rule in app.rules().values() for key in (*rule.needs.incoming, *rule.needs.outgoing)}
    | {key for inference in app.inferences().values() for key in inference.needs if not key.name.startswith(("mailbox.", "deployment."))},
    key=lambda key: key.name,
)
_OF_ACCOUNTS = (
    v.AUTH_ACCEPTED, v.AUTH_REFUSAL, v.AUTHORITY_GRANTED, v.EWS_INBOX, v.AUTODISCOVER_ACTION, v.AUTODISCOVER_TARGET, v.HTTP_STATUS
)  # fmt: skip
_OF_MAILBOXES = (v.AUTODISCOVER_URL, v.AUTODISCOVER_REDIRECTS)
_TELLING: dict[FactKey[Any], tuple[Any, ...]] = {
    v.SERVER_PRODUCT: ("Exchange Server 2019", "Exchange Online", "Dovecot", "Gmail"),
    v.PROTOCOL_GREETING: ("+OK Dovecot ready.", "220 mail.contoso.test ESMTP Postfix", "+OK Gpop ready for requests from 192.0.2.1 x"),
    v.AUTODISCOVER_URL: ("https://outlook.office365.com/EWS/Exchange.asmx", "https://mail.contoso.test/EWS/Exchange.asmx"),
}
_GAPS = (Why.NOT_ATTEMPTED, Why.TIMED_OUT, Why.NOT_APPLICABLE, Why.NOT_DISCLOSED)


def thrown(seed: int) -> tuple[Estate, tuple[Reading, ...]]:
    """An estate of up to twelve mailboxes, and what was observed of it."""
    chance = Random(seed)
    mailboxes = [_mailbox(number, chance) for number in range(chance.randint(1, 12))]
    estate = an_estate(*mailboxes)
    readings: list[Reading] = []
    for url in (EWS, POP, SMTP):
        readings += _readings(chance, url, None, _OF_ENDPOINTS, chance.random())
    for mailbox in mailboxes:
        share = chance.choice((0.0, 0.0, 0.5, 0.9))
        for url in dict.fromkeys(endpoint.url for endpoint in estate.endpoints_of(mailbox)):
            readings += _readings(chance, url, mailbox.address, _OF_ACCOUNTS, share)
        readings += _readings(chance, mailbox.address, None, _OF_MAILBOXES, share)
    return estate, tuple(readings)


def _mailbox(number: int, chance: Random) -> Mailbox:
    ways = (Delivery.SERVER_SIDE, Delivery.SERVER_SIDE, Delivery.SERVER_SIDE, Delivery.NONE, Delivery.OUTLOOK)
    return Mailbox(
        address=f"m{number}@{chance.choice(('contoso.test', 'gmail.com'))}",
        profile=chance.choice(("corp", "branch", "branch")),
        incoming=chance.choice(ways),
        outgoing=chance.choice(ways),
        appointments=chance.choice(ways),
        location=chance.choice((None, None, *Location)),
        mfa=chance.choice((None, None, True)),
    )


def _readings(chance: Random, subject: str, mailbox: str | None, keys: Any, share: float) -> Iterator[Reading]:
    """For a share of the keys a gap, a fact, or two facts that may contradict each other."""
    for key in keys:
        if chance.random() > share:
            continue
        if chance.random() < 0.3:
            yield Missing(subject=subject, mailbox=mailbox, key=key, why=chance.choice(_GAPS), detail=chance.choice(("", "no answer")))
            continue
        for _ in range(chance.choice((1, 1, 1, 2))):
            value = chance.choice((*key.examples, *_TELLING.get(key, ())))
            line = words(f"a{chance.randint(1, 9)}", chance.randint(1, 40), "what was said")
            provenance: Provenance = chance.choice((Observed(line), Observed(), Declared("peer", line)))
            yield a_fact(key, value, subject, provenance, mailbox)
