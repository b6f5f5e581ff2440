"""The second row of the table: which POP3/SMTP systems Microsoft tested.

What answers must have been seen: the address's domain alone does not tell, because any server may stand behind a
profile. Yahoo's servers serve AOL too, which is not listed, and Microsoft's serve tenants as well as consumers; there
it counts whose mailbox it is.
"""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, ask, negate
from probe.model.estate import Service
from probe.model.facts import Facts
from probe.model.rules import By, Case, Needs, Otherwise, Rule
from probe.rules import (
    EMAIL_ROUTER,
    EMAIL_ROUTER_END,
    MICROSOFT_CONSUMERS,
    NOTES,
    OF_DOMAIN,
    SERVED_FOR_MAIL,
    SPEAKING,
    TABLE,
    every_served,
    has_domain_of,
    is_one_of,
    is_product,
    of_endpoints,
    page,
    served,
    uses,
)
from probe.tables.exchange import EXCHANGE_ONLINE


def _holds(case: Case) -> Answer:
    return every_served(served(case, Service.POP3, Service.SMTP, for_mail=True), lambda endpoint: _is_listed(case, endpoint))


def _is_listed(case: Case, endpoint: Facts) -> Answer:
    is_of_yahoo = any_of(is_one_of(endpoint, v.PROVIDER, "yahoo"), has_domain_of(case, "yahoo"))
    is_of_consumer = is_one_of(case.mailbox, v.PROVIDER, *MICROSOFT_CONSUMERS)
    return any_of(
        is_product(endpoint, "Gmail", "Outlook.com"),
        all_of(is_product(endpoint, "Yahoo Mail"), negate(has_domain_of(case, "aol")), is_of_yahoo),
        all_of(_answers(endpoint, EXCHANGE_ONLINE), is_of_consumer),
        all_of(_answers(endpoint, "Exchange"), has_domain_of(case, *MICROSOFT_CONSUMERS), is_of_consumer),
    )


def _answers(endpoint: Facts, name: str) -> Answer:
    """Whether the product is called so; `Exchange` is the name where it does not show which."""
    return ask(endpoint, v.SERVER_PRODUCT, lambda product: product == name)


RULE = Rule(
    id="pop3-smtp-system-not-listed",
    title="POP3/SMTP system that is not listed",
    statement=(
        "Over POP3 and SMTP, mail is synchronized with Gmail, Yahoo! Mail, MSN, Outlook.com and Windows Live Mail; "
        "other systems may work, but were not tested and are not supported."
    ),
    references=(page(TABLE), page(NOTES), EMAIL_ROUTER_END),
    needs=SERVED_FOR_MAIL | SPEAKING | OF_DOMAIN | of_endpoints(v.SERVER_PRODUCT, v.PROVIDER) | Needs(mailbox=(v.PROVIDER,)),
    by=By.MICROSOFT,
    lists=True,
    applies=uses(Service.POP3, Service.SMTP, for_mail=True),
    holds=_holds,
    otherwise=Otherwise.UNSUPPORTED,
    remedy=(
        "Move the mailbox to Exchange (Exchange Web Services) or to one of the listed providers; "
        f"if you stay, be ready to solve faults without Microsoft's help.\n{EMAIL_ROUTER}"
    ),
)
