"""The footnote of the table and the bullet on FIPS: a deployment in FIPS mode wants a POP3/SMTP server that is validated.

A connection can show that two ends cannot work together under FIPS rules, which is a no; it can never show that a
module is validated, so that the yes needs the operator's word. The providers that the page names get a no whatever is
seen of them.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, ask, negate
from probe.model.estate import Service
from probe.model.facts import Facts
from probe.model.rules import By, Case, Needs, Otherwise, Reference, Rule
from probe.rules import (
    EMAIL_ROUTER,
    EMAIL_ROUTER_END,
    MICROSOFT_CONSUMERS,
    OF_DOMAIN,
    SERVED,
    SPEAKING,
    TABLE,
    UNSUPPORTED,
    WORKING_IN_FIPS_MODE,
    any_served,
    every_endpoint,
    every_served,
    has_domain_of,
    is_one_of,
    is_product,
    of_endpoints,
    of_settings,
    page,
    served,
    works_in_fips_mode,
)
from probe.tables.exchange import EXCHANGE_ONLINE


def _applies(case: Case) -> Answer:
    return all_of(ask(case.deployment, v.DEPLOYMENT_FIPS, bool), any_served(served(case, Service.POP3, Service.SMTP)))


def _holds(case: Case) -> Answer:
    used = served(case, Service.POP3, Service.SMTP)
    named_nowhere = every_served(used, lambda endpoint: negate(_is_named(case, endpoint)))
    all_work = every_served(used, works_in_fips_mode)
    # Whoever reads the estate refuses a word that names no certificate.
    are_validated = every_endpoint(
        case, lambda _, keys: ask(case.profile, keys.fips_validated, lambda word: True), Service.POP3, Service.SMTP
    )
    return all_of(negate(has_domain_of(case, *MICROSOFT_CONSUMERS)), named_nowhere, all_work, are_validated)


def _is_named(case: Case, endpoint: Facts) -> Answer:
    """Whether one of the providers answers that the page names as not compliant; Exchange Online's servers serve them too."""
    serves_them = ask(endpoint, v.SERVER_PRODUCT, lambda product: product == EXCHANGE_ONLINE)
    return any_of(is_product(endpoint, "Outlook.com"), all_of(serves_them, is_one_of(case.mailbox, v.PROVIDER, *MICROSOFT_CONSUMERS)))


RULE = Rule(
    id="fips-deployment-with-unvalidated-mail-server",
    title="A deployment in FIPS mode with a mail server whose module is not known to be validated",
    statement=(
        "A deployment that is configured for FIPS 140-2 needs a POP3/SMTP server that keeps to FIPS 140-2 too; "
        "MSN, Outlook.com and Windows Live Mail are named as ones that may not."
    ),
    references=(
        page(UNSUPPORTED),
        page(f"footnote 1 of the {TABLE}"),
        Reference(
            "Cryptographic Module Validation Program",
            "https://csrc.nist.gov/projects/cryptographic-module-validation-program",
            "2026-11-23",
        ),
        EMAIL_ROUTER_END,
    ),
    needs=SERVED
    | SPEAKING
    | OF_DOMAIN
    | WORKING_IN_FIPS_MODE
    | of_endpoints(v.SERVER_PRODUCT)
    | of_settings("fips_validated")
    | Needs(deployment=(v.DEPLOYMENT_FIPS,), mailbox=(v.PROVIDER,)),
    by=By.MICROSOFT,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.UNSUPPORTED,
    remedy=(
        "Where a reason is named why the deployment's Windows in FIPS mode gets no TLS session, the server's TLS must change first. Then ask "
        "who runs it for the CMVP certificate of its cryptographic module, since no connection can show one, and write its number as "
        "`fips_validated` in the profile; or use a server that has one, or Exchange. FIPS 140-2 certificates moved to CMVP's historical list on 2026-09-21/22: "
        f"a new system needs one of FIPS 140-3. {EMAIL_ROUTER}"
    ),
)
