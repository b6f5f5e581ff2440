"""A certificate outside its time, the server's own or another that it sends and that is needed.

Judged by whole days, because the date of judgement is a day: one that ends on that day is as good as ended, since
what is enabled in the morning would fail by night.
"""

from __future__ import annotations

from datetime import date

from probe.model import vocabulary as v
from probe.model.answers import Answer, Truth, all_of, any_of, ask, negate
from probe.model.facts import Facts
from probe.model.kinds import Validity
from probe.model.rules import By, Case, Otherwise, Rule
from probe.rules import EXCHANGE_CERTIFICATE, SERVED, every_served, of_endpoints, rfc, served, told, uses, was_asked


def _holds(case: Case) -> Answer:
    def is_in_time(endpoint: Facts) -> Answer:
        has_begun = ask(endpoint, v.CERTIFICATE_NOT_BEFORE, lambda start: start.date() <= case.date)
        own = all_of(has_begun, ask(endpoint, v.CERTIFICATE_NOT_AFTER, lambda end: end.date() > case.date))
        # The server's own decides by itself, and is all that is cited.
        return own if own.truth is Truth.NO else all_of(own, _lasts(endpoint, case.date))

    return every_served(served(case), is_in_time)


def _lasts(endpoint: Facts, on: date) -> Answer:
    """Whether no certificate of the chain has ended."""

    def is_open(sent: tuple[Validity, ...]) -> Truth:
        first = endpoint.value(v.CERTIFICATE_CHAIN_ENDS)
        return Truth.UNKNOWN if first is not None and first.is_outlasted(sent, on) else Truth.NO

    return any_of(
        # A run of before there was this fact does not know of it.
        negate(was_asked(endpoint, v.CERTIFICATE_CHAIN_ENDS)),
        ask(endpoint, v.CERTIFICATE_CHAIN_ENDS, lambda first: first.not_after.date() > on),
        # A chain that is refused for something else would not be accepted in its time either, and has a rule of its own.
        ask(endpoint, v.CERTIFICATE_DISTRUSTED_BECAUSE, lambda reason: bool(reason) and not reason.startswith(v.HAS_EXPIRED)),
        # Whoever knows of the end alone, and was not told of another certificate, goes by it.
        all_of(was_asked(endpoint, v.CERTIFICATE_CHAIN_DATES), told(endpoint, v.CERTIFICATE_CHAIN_DATES, is_open)),
    )


RULE = Rule(
    id="certificate-expired",
    title="Certificate expired or not valid yet",
    statement="The certificate of every endpoint that is used, and each other that it sends and that is needed, is valid to the end of the day of judgement (UTC).",
    references=(rfc(5280, "Internet X.509 Public Key Infrastructure Certificate and CRL Profile, section 4.1.2.5 (validity)", "2008-05"),),
    needs=SERVED
    | of_endpoints(
        v.CERTIFICATE_NOT_BEFORE,
        v.CERTIFICATE_NOT_AFTER,
        v.CERTIFICATE_CHAIN_ENDS,
        v.CERTIFICATE_CHAIN_DATES,
        v.CERTIFICATE_DISTRUSTED_BECAUSE,
    ),
    by=By.READINESS,
    lists=False,
    applies=uses(),
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Renew the certificate that HOST sends (now: CERTIFICATE), and have the server send the new one. "
        "Where `certificate.chain_ends` names an issuer, it is that one's: have the server send the authority's newer certificate.\n"
        f"{EXCHANGE_CERTIFICATE}\n"
        "Elsewhere, put the new certificate where the service reads it, then reload the service. Check that the new one is sent: "
        "`probe look --tls none ENDPOINT`"
        " Where the certificate seems valid, compare the clocks of both machines."
    ),
)
