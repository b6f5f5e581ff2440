"""A certificate that ends within a month, the server's own or another that it sends and that is needed. One that has ended is told by the rule on expiry."""

from __future__ import annotations

from datetime import datetime

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, ask, negate
from probe.model.facts import Facts
from probe.model.rules import By, Case, Otherwise, Rule
from probe.rules import EXCHANGE_CERTIFICATE, SERVED, every_served, of_endpoints, rfc, served, uses, was_asked

_WARNING_DAYS = 30
"""Authorities that renew by machine renew certificates of 90 days after 60; later than that, something has gone wrong."""


def _holds(case: Case) -> Answer:
    def is_far(end: datetime) -> bool:
        return not 0 < (end.date() - case.date).days < _WARNING_DAYS

    def has_time_left(endpoint: Facts) -> Answer:
        # A run of before there was this fact does not know of it.
        of_chain = any_of(
            negate(was_asked(endpoint, v.CERTIFICATE_CHAIN_ENDS)),
            ask(endpoint, v.CERTIFICATE_CHAIN_ENDS, lambda first: is_far(first.not_after)),
        )
        return all_of(ask(endpoint, v.CERTIFICATE_NOT_AFTER, is_far), of_chain)

    return every_served(served(case), has_time_left)


RULE = Rule(
    id="certificate-ends-soon",
    title="Certificate ends soon",
    statement="No certificate of an endpoint that is used, nor one that it sends and that is needed, ends within 30 days.",
    references=(rfc(5280, "Internet X.509 Public Key Infrastructure Certificate and CRL Profile, section 4.1.2.5 (validity)", "2008-05"),),
    needs=SERVED | of_endpoints(v.CERTIFICATE_NOT_AFTER, v.CERTIFICATE_CHAIN_ENDS),
    by=By.READINESS,
    lists=False,
    applies=uses(),
    holds=_holds,
    otherwise=Otherwise.ADVICE,
    remedy=(
        "Renew the certificate now (CERTIFICATE), have the server send the new one, and find out why it was not renewed automatically. "
        "Where `certificate.chain_ends` names an issuer, have the server send that authority's newer certificate too.\n"
        f"{EXCHANGE_CERTIFICATE}"
    ),
)
