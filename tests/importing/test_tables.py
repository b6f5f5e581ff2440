"""Records as the tables of an estate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from probe.config import EstateError, read_estate
from probe.dynamics import EmailServerProfile, Option
from probe.importing import QUESTIONS, MailboxSummary
from probe.importing.tables import EstateLine
from tests.importing.records import CORP, ORGANIZATION, POP3, ROW, URL, draft, text_of


def line(profile: EmailServerProfile, key: str, row: MailboxSummary = ROW) -> EstateLine:
    """A key of a profile."""
    return next(one for one in draft(profile, rows=(row,)).profiles[0].lines if one.key == key)


def test_what_records_say_is_an_estate() -> None:
    """Deployment, the bound organization, the profile and the mailbox, with its id and its delivery methods."""
    estate = read_estate(text_of(draft(CORP), "mail.contoso.test"), "estate.toml")
    assert (estate.deployment.name, estate.deployment.version) == ("Contoso", "9.1.18.22")
    assert estate.dynamics is not None
    assert str(estate.dynamics.organization) == f"{ORGANIZATION.id} Contoso"
    (profile,), (mailbox,) = estate.profiles, estate.mailboxes
    assert (profile.name, profile.server_type, profile.authentication, profile.credentials) == (
        "corp",
        "exchange-server",
        "ntlm",
        "profile",
    )
    assert profile.impersonation
    assert profile.incoming == profile.outgoing
    assert profile.password is not None
    assert (profile.password.kind, profile.password.locator) == ("env", "PROBE_CORP_PASSWORD")
    assert (mailbox.address, mailbox.profile, mailbox.id) == ("sales@contoso.test", "corp", ROW.id)
    assert (mailbox.incoming, mailbox.outgoing, mailbox.appointments) == ("server-side", "none", "none")


def test_what_no_record_answers_is_left_out() -> None:
    """Each with a comment, and nothing else is missing."""
    text = text_of(draft(CORP, answers={}))
    with pytest.raises(EstateError) as wrong:
        read_estate(text, "estate.toml")
    assert [problem.key for problem in wrong.value.problems] == [f"deployment.{key}" for key in QUESTIONS]
    assert all(f"\n# {key}: No record of Dynamics answers it: " in text for key in QUESTIONS)


def test_credentials_wait_until_their_host_is_trusted() -> None:
    """Until then the estate refers to no secret, and shows how it would."""
    waiting = text_of(draft(CORP))
    assert read_estate(waiting, "estate.toml").profiles[0].password is None
    assert "mail.contoso.test is new to this estate" in waiting
    assert '\n# password = "env:PROBE_CORP_PASSWORD"\n' in waiting
    served = replace(ROW, password_is_set=True)
    of_mailbox = draft(POP3, rows=(served,))
    assert read_estate(text_of(of_mailbox, "pop.contoso.test"), "e").mailboxes[0].password is None  # smtp.contoso.test would be sent it too
    agreed = read_estate(text_of(of_mailbox, "pop.contoso.test", "smtp.contoso.test"), "e").mailboxes[0].password
    assert agreed is not None
    assert agreed.locator == "PROBE_SALES_CONTOSO_TEST_PASSWORD"


@pytest.mark.parametrize(
    ("changed", "incoming"),
    [
        ({}, "pop3s://pop.contoso.test:995"),
        ({"incoming_port": None}, "pop3s://pop.contoso.test:995"),
        ({"incoming_port": 110}, "pop3://pop.contoso.test:110"),
        ({"incoming_port": 1995}, "pop3s://pop.contoso.test:1995"),
        ({"incoming_uses_ssl": False, "incoming_port": None}, "pop3://pop.contoso.test:110"),
        ({"server_type": Option(4, "IMAP/SMTP"), "incoming_port": 993}, "imaps://pop.contoso.test:993"),
        ({"server_type": Option(4, "IMAP/SMTP"), "incoming_port": 143}, "imap://pop.contoso.test:143"),
        ({"incoming_port": 0}, None),
        ({"incoming_port": 65536}, None),
        ({"incoming_location": None}, None),
        ({"incoming_location": "not a host"}, None),
        ({"server_type": Option(9, None)}, None),
    ],
)
def test_where_mail_is_collected(changed: dict[str, Any], incoming: str | None) -> None:
    """Host, port and TLS are one URL; what is none is left out, with what Dynamics has."""
    found = line(replace(POP3, **changed), "incoming")
    assert found.value == incoming
    assert found.comment or incoming


@pytest.mark.parametrize(("port", "outgoing"), [(465, "smtps"), (587, "smtp"), (25, "smtp"), (2525, "smtp")])
def test_where_mail_is_sent(port: int, outgoing: str) -> None:
    """TLS at once on its own port, else by an upgrade."""
    assert line(replace(POP3, outgoing_port=port), "outgoing").value == f"{outgoing}://smtp.contoso.test:{port}"


@pytest.mark.parametrize(
    ("attribute", "key", "option"),
    [("server_type", "server_type", 7), ("incoming_credentials", "credentials", 6), ("incoming_authentication", "authentication", 9)],
)
def test_a_number_without_a_word_is_left_out(attribute: str, key: str, option: int) -> None:
    """It is told as Dynamics has it, and never guessed."""
    changed: dict[str, Any] = {attribute: Option(option, "Something newer")}
    found = line(replace(CORP, **changed), key)
    assert found.value is None
    assert f"{option} (Something newer)" in found.comment


def test_an_address_that_is_not_spoken_to_is_left_out() -> None:
    """EWS in clear, say."""
    found = line(replace(CORP, incoming_location="http://mail.contoso.test/EWS/Exchange.asmx"), "incoming")
    assert found.value is None
    assert "http://mail.contoso.test" in found.comment


def test_what_autodiscover_found_is_the_mailboxs() -> None:
    """A profile without an address loads where each of its mailboxes has one."""
    url = "https://found.contoso.test/EWS/Exchange.asmx"
    made = draft(replace(CORP, uses_autodiscover=True, incoming_location=None), rows=(replace(ROW, ews_url=url),))
    estate = read_estate(text_of(made), "estate.toml")
    assert estate.profiles[0].incoming is None
    assert [endpoint.host for endpoint in estate.endpoints_of(estate.mailboxes[0])] == ["found.contoso.test"] * 2
    assert made.profiles[0].hosts == {"found.contoso.test"}


def test_profiles_of_one_name_are_told_apart() -> None:
    """By the beginning of their ids; and two records never have one variable."""
    other = replace(CORP, id="99999999-0000-0000-0000-000000000900")
    made = draft(CORP, other, rows=(ROW, replace(ROW, id=other.id, address="b@contoso.test", profile=other.id)))
    assert [profile.name for profile in made.profiles] == ["corp (00000000)", "corp (99999999)"]
    similar = draft(
        replace(CORP, name="corp a"), replace(other, name="corp-a"), rows=(ROW, replace(ROW, address="b@c.test", profile=other.id))
    )
    assert len({profile.value("password") for profile in similar.profiles}) == 2


def test_a_row_that_cannot_be_a_mailbox_is_told() -> None:
    """It has no profile, or one that cannot be read, or no address that is one."""
    rows = (
        replace(ROW, profile=None),
        replace(ROW, address="b@contoso.test", profile=ORGANIZATION.id),
        replace(ROW, address="recent:c@contoso.test"),
    )
    made = draft(CORP, rows=rows)
    assert made.mailboxes == ()
    assert len(made.told) == 3
    assert all("was left out" in sentence for sentence in made.told)


def test_no_word_of_a_server_leaves_its_place() -> None:
    """Names with quotes, line ends and TOML in them stay what they are."""
    name = 'a"\n[dynamics]\nurl = "http://x"\x1b[0m'
    text = text_of(draft(replace(CORP, name=name, incoming_username='x"\\'), rows=(replace(ROW, name=name),)))
    estate = read_estate(text, "estate.toml")
    assert estate.profiles[0].username == 'x"\\'
    assert estate.dynamics is not None
    assert str(estate.dynamics.url) == URL


def test_a_version_without_rules_is_asked_for() -> None:
    """The estate would not load with it."""
    made = draft(CORP, version="8.2.3.8")
    assert made.deployment.value("version") is None
    assert "8.2.3.8" in text_of(made)


def test_the_outgoing_endpoint_has_settings_of_its_own() -> None:
    """Where Dynamics has them apart; those that are alike go without saying."""
    apart = replace(
        POP3,
        incoming_credentials=Option(1, "Profile"),
        uses_incoming_for_outgoing=False,
        outgoing_authentication=Option(3, "Basic"),
        outgoing_credentials=Option(1, "Profile"),
        outgoing_uses_impersonation=False,
        outgoing_username="sender@contoso.test",
        outgoing_password_is_set=True,
    )
    hosts = ("pop.contoso.test", "smtp.contoso.test")
    text = text_of(draft(apart), *hosts)
    (profile,) = read_estate(text, "e").profiles
    assert "outgoing_authentication" not in text
    assert profile.outgoing_impersonation is False
    assert (profile.outgoing_username, profile.outgoing_password is not None) == ("sender@contoso.test", True)
    alike = text_of(draft(replace(apart, outgoing_username=apart.incoming_username, outgoing_uses_impersonation=True)), *hosts)
    assert "outgoing_" not in alike
    assert read_estate(alike, "e").profiles[0].signs_in_alike
