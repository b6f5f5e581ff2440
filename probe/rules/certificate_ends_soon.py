"""A certificate that ends within a month. One that has ended is told by the rule on expiry."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, ask
from probe.model.facts import Facts
from probe.model.rules import Case, Otherwise, Rule
from probe.rules import EXCHANGE_CERTIFICATE, any_served, every_served, needs_of_served, rfc, served

_WARNING_DAYS = 30
"""Authorities that renew by machine renew certificates of 90 days after 60; later than that, something has gone wrong."""


def _applies(case: Case) -> Answer:
    return any_served(served(case))


def _holds(case: Case) -> Answer:
    def has_time_left(endpoint: Facts) -> Answer:
        return ask(endpoint, v.CERTIFICATE_NOT_AFTER, lambda end: not 0 < (end.date() - case.date).days < _WARNING_DAYS)

    return every_served(served(case), has_time_left)


RULE = Rule(
    id="certificate-ends-soon",
    title="Certificate ends soon",
    statement="No certificate of an endpoint that is used ends within 30 days.",
    references=(rfc(5280, "Internet X.509 Public Key Infrastructure Certificate and CRL Profile, section 4.1.2.5 (validity)", "2008-05"),),
    needs=needs_of_served(v.CERTIFICATE_NOT_AFTER),
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.ADVICE,
    remedy=(
        "Renew the certificate now (CERTIFICATE), have the server send the new one, and find out why it was not renewed by itself.\n"
        f"{EXCHANGE_CERTIFICATE}"
    ),
)
