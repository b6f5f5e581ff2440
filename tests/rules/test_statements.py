"""Every statement of Microsoft's page, numbered, in our words, and the rules that hold it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from probe.model.rules import Otherwise
from probe.rules import EMAIL_ROUTER, EMAIL_ROUTER_END, page
from tests.cases import all_rules


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that the page says."""

    number: int
    says: str
    rules: tuple[str, ...]


ELSEWHERE = frozenset({"exchange-online-after-end-of-support"})
"""Rules on support that stand on another page of Microsoft's."""

STATEMENTS = (
    Statement(
        1, "POP3/SMTP systems that are not listed may work, but were not tested and are not supported", ("pop3-smtp-system-not-listed",)
    ),
    Statement(2, "Outlook on the web is not supported in a hybrid with Exchange Online", ("outlook-on-the-web-in-hybrid",)),
    Statement(
        3,
        "One can have two profiles, for online and for on-premises mailboxes, and gives each mailbox the right one",
        ("one-profile-for-online-and-on-premises-mailboxes", "mailbox-lives-elsewhere"),
    ),
    Statement(
        4, "Manual tracking in Dynamics 365 for Outlook is not supported for POP/SMTP mailboxes", ("manual-tracking-over-pop3-smtp",)
    ),
    Statement(5, "Row 1, mail: yes, over EWS, with the listed Exchange versions", ("exchange-version-not-listed",)),
    Statement(6, "Row 1, appointments, contacts and tasks: yes, with the same versions", ("exchange-version-not-listed-for-appointments",)),
    Statement(
        7,
        "Row 2, mail: yes, over POP3/SMTP (and in a newer copy IMAP/SMTP), with five providers",
        ("pop3-smtp-system-not-listed", "imap-smtp-profile"),
    ),
    Statement(8, "Row 2, appointments, contacts and tasks: no", ("appointments-over-pop3-smtp",)),
    Statement(9, "Footnote 1: three of the providers may be unsupported under FIPS", ("fips-deployment-with-unvalidated-mail-server",)),
    Statement(10, "Exchange with SMTP, and POP3 with Exchange, may not be mixed", ("mixed-transports",)),
    Statement(
        11,
        "An Exchange Online profile does not do for a mailbox on-premises; the hybrid profile does",
        ("exchange-online-profile-with-on-premises-mailbox",),
    ),
    Statement(
        12,
        "An Exchange Online profile does not do for a mailbox that points elsewhere; the POP3/SMTP profile does",
        ("exchange-online-profile-with-external-mailbox",),
    ),
    Statement(13, "Mass email marketing campaigns are not supported", ("mass-email-campaigns",)),
    Statement(14, "Extended protocols and custom email providers are not supported", ("custom-email-providers",)),
    Statement(15, "Exchange Server 2003 and 2007 are not supported", ("exchange-2003-or-2007",)),
    Statement(
        16,
        "A deployment set to FIPS 140-2 needs a POP3/SMTP server that keeps to it too",
        ("fips-deployment-with-unvalidated-mail-server",),
    ),
    Statement(17, "Multi-factor authentication is not supported towards Exchange Online", ("mfa-towards-exchange-online",)),
    Statement(
        18,
        "The Email Router serves most situations that are not supported (told with the fact that it was retired)",
        tuple(name for name, rule in all_rules().items() if rule.otherwise is Otherwise.UNSUPPORTED and name not in ELSEWHERE),
    ),
    Statement(
        19,
        "Outlook synchronization and server-side synchronization of appointments should not be mixed in an organization",
        ("mixed-outlook-and-server-side-synchronization",),
    ),
)


def test_statements_are_numbered_without_a_gap() -> None:
    """The statements of the page are numbered from 1 on."""
    assert [s.number for s in STATEMENTS] == list(range(1, len(STATEMENTS) + 1))


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda s: f"statement-{s.number}")
def test_every_statement_of_the_page_has_its_rule(statement: Statement) -> None:
    """Each statement of the page is held by a rule that exists and cites the page."""
    assert statement.rules
    for name in statement.rules:
        rule = all_rules()[name]
        assert rule.references[0].url == page("").url
        assert rule.references[0].dated == "2020-05-19"


def test_every_support_rule_stands_in_the_table() -> None:
    """No rule calls anything unsupported or not listed but by a statement of the page, or of another page of Microsoft's that it cites."""
    about_support = {name for name, rule in all_rules().items() if rule.otherwise in (Otherwise.UNSUPPORTED, Otherwise.NOT_LISTED)}
    assert about_support <= {name for statement in STATEMENTS for name in statement.rules} | ELSEWHERE
    assert all(all_rules()[name].references[0].url.startswith("https://learn.microsoft.com/") for name in ELSEWHERE)


def test_every_rule_that_cites_the_page_stands_in_the_table() -> None:
    """No rule cites the page for a statement that the table does not number."""
    citing = {name for name, rule in all_rules().items() if any(r.url == page("").url for r in rule.references)}
    assert citing == {name for statement in STATEMENTS for name in statement.rules}


def test_only_rows_of_the_table_list_a_system() -> None:
    """A system is listed by the rows of the page's table and by nothing else."""
    assert {name for name, rule in all_rules().items() if rule.lists} == {
        "exchange-version-not-listed",
        "exchange-version-not-listed-for-appointments",
        "pop3-smtp-system-not-listed",
    }


def test_whatever_is_unsupported_warns_of_the_email_router() -> None:
    """Every exclusion by the page says, with its source, that the Email Router which the page points to is retired."""
    for name, rule in all_rules().items():
        if rule.otherwise is Otherwise.UNSUPPORTED and name not in ELSEWHERE:
            assert rule.remedy.endswith(EMAIL_ROUTER)
            assert EMAIL_ROUTER_END in rule.references


def test_the_headings_say_where_on_the_page_a_statement_stands() -> None:
    """A reference to the page names the heading under which the statement stands."""
    assert all_rules()["mixed-transports"].references[0].title.endswith(": Unsupported email service configurations")
