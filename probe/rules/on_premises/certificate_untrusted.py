"""A certificate that this machine's trust anchors do not vouch for.

Expiry of the certificate itself is another rule's matter, and no second finding is made of it here.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, ask
from probe.model.facts import Facts
from probe.model.rules import By, Case, Otherwise, Rule
from probe.rules import SERVED, article, every_served, of_endpoints, rfc, served, uses


def _holds(case: Case) -> Answer:
    def is_trusted_but_for_age(endpoint: Facts) -> Answer:
        says_expired = ask(endpoint, v.CERTIFICATE_DISTRUSTED_BECAUSE, lambda reason: reason == v.HAS_EXPIRED)
        is_itself_expired = ask(endpoint, v.CERTIFICATE_NOT_AFTER, lambda end: end.date() <= case.date)
        return any_of(ask(endpoint, v.CERTIFICATE_TRUSTED, bool), all_of(says_expired, is_itself_expired))

    return every_served(served(case), is_trusted_but_for_age)


RULE = Rule(
    id="certificate-untrusted",
    title="Certificate not trusted",
    statement="The certificate of every endpoint that is used leads to an authority that the probing machine trusts.",
    references=(
        rfc(5280, "Internet X.509 Public Key Infrastructure Certificate and CRL Profile, section 6 (path validation)", "2008-05"),
        article(
            "Outgoing email authentication error shows in the mailbox alert", "outgoingemailauthenticationerror-shows-in-mailbox-alert"
        ),
    ),
    needs=SERVED | of_endpoints(v.CERTIFICATE_TRUSTED, v.CERTIFICATE_DISTRUSTED_BECAUSE, v.CERTIFICATE_NOT_AFTER),
    by=By.READINESS,
    lists=False,
    applies=uses(),
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        "Have HOST send its whole chain from a known authority, or trust the authority on every server of the asynchronous service. For an authority of your own, run there, "
        "as an administrator, with its root certificate: `certutil.exe -addstore Root FILE` "
        "and give it to this program with `--ca FILE`. Windows fetches a root that Microsoft trusts only when it first needs it, and this program sees only those that are there already. "
        "If the authority is a public one, open a site with a certificate of it in a browser there once, and check again."
    ),
)
