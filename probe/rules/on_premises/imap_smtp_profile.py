"""IMAP/SMTP profiles, on which Microsoft's pages disagree.

The dated copy of the page knows POP3/SMTP alone. A newer copy adds IMAP/SMTP to the second row; another page of the
same guide says that such profiles do not exist on-premises; a third tells how to set one up for Gmail, from version 9.1.
So there is no yes to be had: what is not plainly listed is not listed.
"""

from __future__ import annotations

from dataclasses import replace

from probe.model import vocabulary as v
from probe.model.answers import Answer, any_of, negate
from probe.model.estate import ServerType, Service
from probe.model.rules import By, Case, Needs, Otherwise, Reference, Rule
from probe.rules import READ_ON, SERVED, SPEAKING, TABLE, admin_page, any_served, is_one_of, page, served

_PAGE = page(TABLE)


def _applies(case: Case) -> Answer:
    return any_of(is_one_of(case.profile, v.PROFILE_SERVER_TYPE, ServerType.IMAP_SMTP), any_served(served(case, Service.IMAP)))


def _holds(case: Case) -> Answer:
    return negate(_applies(case))


RULE = Rule(
    id="imap-smtp-profile",
    title="IMAP/SMTP, on which pages disagree",
    statement=(
        "The dated copy of the page lists POP3/SMTP without IMAP, and another page says that IMAP/SMTP profiles are not available "
        "on-premises; a newer copy lists IMAP/SMTP for the same providers, and a third page sets one up for Gmail from version 9.1."
    ),
    references=(
        _PAGE,
        Reference(f"{_PAGE.title}, newer copy with IMAP/SMTP in the second row", _PAGE.url, READ_ON, disagrees=True),
        replace(admin_page("Connect to IMAP servers", "connect-to-imap-servers", "2020-05-18"), disagrees=True),
        replace(admin_page("Connect Gmail accounts using OAuth 2.0", "connect-gmail-oauth2"), disagrees=True),
    ),
    needs=SERVED | SPEAKING | Needs(profile=(v.PROFILE_SERVER_TYPE,)),
    by=By.MICROSOFT,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.NOT_LISTED,
    remedy=(
        "Use a POP3/SMTP or an Exchange profile, whose support is not in doubt. To stay with IMAP (Gmail with OAuth, version 9.1 or later), "
        "ask Microsoft support for a written statement and accept it in scripts with `--accept not-listed`."
    ),
)
