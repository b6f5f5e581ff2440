"""The second row of the table: which POP3/SMTP systems Microsoft tested.

What answers must have been seen: the address's domain alone does not tell, because any server may stand behind a
profile. Where Yahoo's servers answer, or Microsoft's, which serve several brands, the domain tells them apart.
"""

from __future__ import annotations

import re

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, ask
from probe.model.estate import Service
from probe.model.facts import Facts
from probe.model.rules import Case, Otherwise, Rule
from probe.rules import (
    EMAIL_ROUTER,
    EMAIL_ROUTER_END,
    EXCHANGE_ONLINE,
    NOTES,
    TABLE,
    any_served,
    every_served,
    has_microsoft_consumer_domain,
    is_one_of,
    is_product,
    needs_of_served,
    page,
    served,
)

_MICROSOFT = ("outlook.com", "msn", "windows-live")

# AOL's mail is served by Yahoo's servers, and AOL is not listed (domains of thunderbird/autoconfig, aol.com.xml).
_AOL = re.compile(r"aol(\.com|(\.com?)?\.[a-z]{2})|aim\.com|netscape\.net|verizon\.net")


def _applies(case: Case) -> Answer:
    return any_served(served(case, Service.POP3, Service.SMTP, for_mail=True))


def _holds(case: Case) -> Answer:
    return every_served(served(case, Service.POP3, Service.SMTP, for_mail=True), lambda endpoint: _is_listed(case, endpoint))


def _is_listed(case: Case, endpoint: Facts) -> Answer:
    return any_of(
        is_product(endpoint, "Gmail", "Outlook.com"),
        all_of(
            is_product(endpoint, "Yahoo Mail"),
            ask(case.mailbox, v.MAILBOX_DOMAIN, lambda domain: _AOL.fullmatch(domain) is None),
            _is_of(case, endpoint, "yahoo"),
        ),
        all_of(_may_be_microsofts(endpoint), has_microsoft_consumer_domain(case), _is_of(case, endpoint, *_MICROSOFT)),
    )


def _may_be_microsofts(endpoint: Facts) -> Answer:
    """Whether what answers may be Exchange Online, whose servers serve Microsoft's consumers as well as tenants."""
    return ask(endpoint, v.SERVER_PRODUCT, lambda product: product in (EXCHANGE_ONLINE, "Exchange"))


def _is_of(case: Case, endpoint: Facts, *providers: str) -> Answer:
    return any_of(*(is_one_of(facts, v.PROVIDER, *providers) for facts in (endpoint, case.mailbox)))


RULE = Rule(
    id="pop3-smtp-system-not-listed",
    title="Mail through a POP3/SMTP system that Microsoft did not test",
    statement=(
        "Over POP3 and SMTP, mail is synchronized with Gmail, Yahoo! Mail, MSN, Outlook.com and Windows Live Mail; "
        "other systems may work, but were not tested and are not supported."
    ),
    references=(page(TABLE), page(NOTES), EMAIL_ROUTER_END),
    needs=needs_of_served(v.ENDPOINT_SERVICE, v.SERVER_PRODUCT, v.PROVIDER, mailbox=(v.MAILBOX_DOMAIN, v.PROVIDER), for_mail=True),
    lists=True,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.UNSUPPORTED,
    remedy=(
        "Move the mailbox to Exchange (Exchange Web Services) or to one of the listed providers; "
        f"if you stay, be ready to solve faults without Microsoft's help. {EMAIL_ROUTER}"
    ),
)
