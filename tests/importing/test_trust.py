"""To whom the credentials of an estate go."""

from __future__ import annotations

import tomllib
from dataclasses import replace

from probe.dynamics import Option
from probe.importing import known_hosts, sent_where
from tests.importing.records import CORP, POP3, ROW, draft, text_of


def test_a_host_is_known_where_credentials_go_already() -> None:
    """Of the profile or of its mailboxes; standing in the estate is not enough."""
    assert known_hosts(tomllib.loads(text_of(draft(CORP)))) == frozenset()
    assert known_hosts(tomllib.loads(text_of(draft(CORP), "mail.contoso.test"))) == {"mail.contoso.test"}
    hosts = ("pop.contoso.test", "smtp.contoso.test")
    own = draft(POP3, rows=(replace(ROW, password_is_set=True),))
    assert known_hosts(tomllib.loads(text_of(own, *hosts))) == set(hosts)


def test_what_a_host_would_be_sent_is_told() -> None:
    """Whose password, and how many; nothing of a host that is trusted, or that is sent nothing."""
    (sent,) = sent_where(draft(CORP), frozenset())
    assert (sent.host, sent.what) == ("mail.contoso.test", ('the password of profile "corp" (svc-crm@contoso.test)',))
    assert sent_where(draft(CORP), frozenset({"mail.contoso.test"})) == ()
    assert sent_where(draft(replace(CORP, incoming_credentials=Option(2, "S2S"))), frozenset()) == ()
    own = sent_where(draft(POP3, rows=(replace(ROW, password_is_set=True),)), frozenset({"pop.contoso.test"}))
    assert [(one.host, one.what) for one in own] == [("smtp.contoso.test", ('the password of 1 mailbox of profile "corp"',))]
    (integrated,) = sent_where(draft(replace(CORP, incoming_credentials=Option(3, "Windows"))), frozenset())
    assert integrated.what == ('a sign-in as the service account, by profile "corp"',)
