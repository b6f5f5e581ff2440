"""A certificate outside its time.

Judged by whole days, because the date of judgement is a day: one that ends on that day is as good as ended, since
what is enabled in the morning would fail by night.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, ask
from probe.model.facts import Facts
from probe.model.rules import By, Case, Otherwise, Rule
from probe.rules import EXCHANGE_CERTIFICATE, SERVED, every_served, of_endpoints, rfc, served, uses


def _holds(case: Case) -> Answer:
    def is_in_time(endpoint: Facts) -> Answer:
        has_begun = ask(endpoint, v.CERTIFICATE_NOT_BEFORE, lambda start: start.date() <= case.date)
        return all_of(has_begun, ask(endpoint, v.CERTIFICATE_NOT_AFTER, lambda end: end.date() > case.date))

    return every_served(served(case), is_in_time)


RULE = Rule(
    id="certificate-expired",
    title="Certificate expired or not valid yet",
    statement="The certificate of every endpoint that is used is valid to the end of the day of judgement (UTC).",
    references=(rfc(5280, "Internet X.509 Public Key Infrastructure Certificate and CRL Profile, section 4.1.2.5 (validity)", "2008-05"),),
    needs=SERVED | of_endpoints(v.CERTIFICATE_NOT_BEFORE, v.CERTIFICATE_NOT_AFTER),
    by=By.READINESS,
    lists=False,
    applies=uses(),
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Renew the certificate that HOST sends (now: CERTIFICATE), and have the server send the new one.\n"
        f"{EXCHANGE_CERTIFICATE}\n"
        "Elsewhere, put the new certificate where the service reads it, then reload the service. Check that the new one is sent: "
        "`probe look --tls none ENDPOINT`"
        " Where the certificate seems valid, compare the clocks of both machines."
    ),
)
