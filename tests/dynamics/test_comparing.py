"""Dynamics' rows beside the estate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from probe.dynamics import Option
from probe.dynamics.comparing import Difference, Rows, differences
from probe.model.estate import (
    Authentication,
    Credentials,
    Delivery,
    DynamicsAccess,
    Endpoint,
    OrganizationUrl,
    ServerProfile,
    ServerType,
)
from tests.estates import SERVED, ends
from tests.gate.rows import EXCHANGE, MAILBOX_ID, PROFILE_ID, an_estate_of, rows_of

POP3 = replace(
    EXCHANGE,
    server_type=ServerType.POP3_SMTP,
    incoming=Endpoint.parse("pop3s://pop.contoso.test"),
    outgoing=Endpoint.parse("smtp://smtp.contoso.test"),
    credentials=Credentials.MAILBOX,
    username=None,
    impersonation=False,
)


def told(profile: ServerProfile = EXCHANGE, **changed: Any) -> list[tuple[str, str, str]]:
    """What differs once something of the rows is changed."""
    estate = an_estate_of(profile)
    found = differences(estate, estate.mailboxes[0], rows_of(profile, estate.mailboxes[0], **changed))
    return [(one.what, one.estate, one.dynamics) for one in found]


@pytest.mark.parametrize("profile", [EXCHANGE, POP3], ids=["exchange", "pop3"])
def test_rows_that_say_the_same_do_not_differ(profile: ServerProfile) -> None:
    """Nothing differs where the rows say what the estate says."""
    assert told(profile) == []


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({"state": 1}, ("mailbox state", "active", "1 (inactive)")),
        ({"incoming_delivery": Option(1, "x")}, ("incoming delivery", "server-side", "outlook")),
        ({"outgoing_delivery": Option(0, "x")}, ("outgoing delivery", "server-side", "none")),
        ({"appointments_delivery": Option(0, "x")}, ("appointments delivery", "none", "outlook")),
        ({"appointments_delivery": Option(9, None)}, ("appointments delivery", "none", "9 (unknown to the server's own metadata)")),
        ({"approval": Option(2, "Pending Approval")}, ("approval", "approved", "2 (Pending Approval)")),
        ({"approval": None}, ("approval", "approved", "not given")),
        ({"profile_state": 1}, ("profile state", "active", "1 (inactive)")),
        ({"profile_server_type": Option(3, "x")}, ("server type", "exchange-server", "exchange-online")),
        ({"profile_uses_autodiscover": True, "ews_url": ends(EXCHANGE)[0].url}, ("autodiscover", "off", "on")),
        ({"profile_incoming_authentication": Option(3, "x")}, ("incoming authentication", "ntlm", "basic")),
        ({"profile_outgoing_authentication": Option(3, "x")}, ("outgoing authentication", "ntlm", "basic")),
        ({"profile_incoming_credentials": Option(4, "x")}, ("incoming credentials", "profile", "anonymous")),
        ({"profile_incoming_uses_impersonation": False}, ("incoming impersonation", "on", "off")),
        ({"profile_incoming_username": "CONTOSO\\other"}, ("incoming username", "svc@contoso.test", "CONTOSO\\other")),
        ({"profile_incoming_password_is_set": False}, ("password", "set", "not set")),
        (
            {"profile_incoming_location": "https://old.contoso.test/EWS/Exchange.asmx"},
            ("incoming endpoint", ends(EXCHANGE)[0].url, "https://old.contoso.test:443/EWS/Exchange.asmx"),
        ),
        ({"profile_outgoing_location": None}, ("outgoing endpoint", ends(EXCHANGE)[1].url, "not given")),
        (
            {"profile_incoming_location": "https://svc:secret@mail.contoso.test/"},
            ("incoming endpoint", ends(EXCHANGE)[0].url, "an address with an account in it"),
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_each_thing_that_differs_is_named_with_both_values(changed: dict[str, Any], difference: tuple[str, str, str]) -> None:
    """One change makes one difference, and it says what each side has."""
    assert told(**changed) == [difference]


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({"profile_incoming_port": 110}, ("incoming port", "995", "110")),
        ({"profile_incoming_location": "pop.fabrikam.test"}, ("incoming endpoint", "pop.contoso.test", "pop.fabrikam.test")),
        ({"profile_incoming_uses_ssl": False}, ("incoming TLS", "on", "off")),
        ({"username": "b@contoso.test"}, ("username", "a@contoso.test", "b@contoso.test")),
        ({"password_is_set": False}, ("password", "set", "not set")),
        ({"may_use_own_credentials": False}, ("use of the mailbox's own credentials", "allowed", "not allowed")),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_ports_tls_and_own_credentials_of_mail_servers_are_compared(changed: dict[str, Any], difference: tuple[str, str, str]) -> None:
    """What POP3 and SMTP have beside EWS, and what a mailbox with credentials of its own has."""
    assert told(POP3, **changed) == [difference]


def test_settings_that_are_shared_are_those_of_the_incoming_endpoint() -> None:
    """Where Dynamics takes the incoming settings for both, what the outgoing fields hold counts for nothing, but for a mail server's own place."""
    other: dict[str, Any] = {
        "profile_outgoing_authentication": Option(3, "x"),
        "profile_outgoing_username": "x",
        "profile_uses_incoming_for_outgoing": True,
    }
    assert told(profile_outgoing_location="https://old.contoso.test", **other) == []
    assert told(POP3, profile_outgoing_location="smtp.fabrikam.test", **other) == [
        ("outgoing endpoint", "smtp.contoso.test", "smtp.fabrikam.test")
    ]


def test_what_autodiscover_found_is_compared_once_it_was_asked() -> None:
    """The mailbox's own URL is its endpoint where Autodiscover is on; before it was found there is none to compare."""
    profile = replace(EXCHANGE, autodiscover=True)
    assert told(profile, profile_incoming_location=None, profile_outgoing_location=None) == []
    found = told(profile, profile_incoming_location=None, ews_url="https://other.contoso.test/EWS/Exchange.asmx")
    assert found == [("ews_url", ends(EXCHANGE)[0].url, "https://other.contoso.test:443/EWS/Exchange.asmx")]
    sends = an_estate_of(profile, replace(SERVED, incoming=Delivery.NONE, ews_url=ends(EXCHANGE)[0]))
    for url in ("https://other.contoso.test/EWS/Exchange.asmx", None):
        rows = rows_of(profile, sends.mailboxes[0], profile_incoming_location=None, profile_outgoing_location=None, ews_url=url)
        assert [one.what for one in differences(sends, sends.mailboxes[0], rows)] == ["ews_url"]


def test_a_mailbox_without_profile_differs_in_that_alone() -> None:
    """There is nothing further to compare, and what was probed is not in doubt."""
    estate = an_estate_of()
    rows = Rows(replace(rows_of().mailbox, profile=None), None)
    (difference,) = differences(estate, estate.mailboxes[0], rows)
    assert replace(difference, mend="") == Difference("profile", "corp", "none", is_of_what_was_probed=False)


def test_a_profile_that_the_account_does_not_see_leaves_it_open() -> None:
    """Dynamics uses one, and what it says is not known."""
    estate = an_estate_of()
    (difference,) = differences(estate, estate.mailboxes[0], Rows(rows_of().mailbox, None))
    assert (difference.what, difference.is_of_what_was_probed) == ("profile", True)
    assert PROFILE_ID in difference.dynamics


def test_a_row_with_the_id_and_another_address_differs_in_it() -> None:
    """So does one that has the address and another id."""
    assert told(address="b@contoso.test") == [("address", SERVED.address, "b@contoso.test")]
    estate = an_estate_of(mailbox=replace(SERVED, id="00000000-0000-0000-0000-000000000002"))
    (difference,) = differences(estate, estate.mailboxes[0], rows_of())
    assert (difference.what, difference.dynamics) == ("id", MAILBOX_ID)


def test_settings_of_the_estate_that_are_not_shared_are_compared_with_those_that_are() -> None:
    """Where Dynamics signs in to send as it does to receive, and the estate says otherwise, what was probed is not what Dynamics uses."""
    assert told(replace(EXCHANGE, outgoing_authentication=Authentication.BASIC), profile_uses_incoming_for_outgoing=True) == [
        ("outgoing authentication", "basic", "ntlm")
    ]


@pytest.mark.parametrize(
    ("changed", "mend"),
    [
        (
            {"profile_incoming_authentication": Option(3, "x")},
            "probe import dynamics https://crm.contoso.test/Contoso --update --output FILE",
        ),
        ({"address": "b@contoso.test"}, "probe import dynamics https://crm.contoso.test/Contoso --update --output FILE"),
        ({"profile_incoming_authentication": Option(9, None)}, "look at the record in Dynamics: what it has there cannot be imported"),
        ({"profile_incoming_location": None}, "look at the record in Dynamics: what it has there cannot be imported"),
        ({"profile_incoming_password_is_set": False}, "enter the password in Dynamics"),
        ({"approval": Option(2, "Pending Approval")}, "approve the address in Dynamics: Approve Email in the mailbox's form"),
        ({"state": 1}, "activate the mailbox in Dynamics"),
    ],
)
def test_each_difference_names_what_mends_it(changed: dict[str, Any], mend: str) -> None:
    """The import where it takes over what Dynamics has; else what somebody does in Dynamics."""
    access = DynamicsAccess(url=OrganizationUrl.parse("https://crm.contoso.test/Contoso"), authentication=Authentication.NTLM)
    estate = replace(an_estate_of(), dynamics=access)
    (difference,) = differences(estate, estate.mailboxes[0], rows_of(**changed))
    assert difference.mend == mend


@pytest.mark.parametrize(
    ("file", "word"),
    [
        ("estate.toml", "estate.toml"),
        ("/etc/probe/estate.toml", "/etc/probe/estate.toml"),
        ("C:\\Probe\\estate.toml", "C:\\Probe\\estate.toml"),
        ("C:\\Program Files\\it's.toml", "'C:\\Program Files\\it''s.toml'"),
    ],
)
def test_the_command_that_mends_a_difference_names_the_estates_file(file: str, word: str) -> None:
    """Where it is known, as one word of a command line."""
    estate = an_estate_of()
    (difference,) = differences(estate, estate.mailboxes[0], rows_of(address="b@contoso.test"), file)
    assert difference.mend == f"probe import dynamics URL --update --output {word}"


def test_what_does_not_use_a_direction_is_not_compared_in_it() -> None:
    """A mailbox that only sends has nothing to do with the incoming endpoint, but for settings that are shared."""
    estate = an_estate_of(mailbox=replace(SERVED, incoming=Delivery.NONE, appointments=Delivery.NONE))
    (mailbox,) = estate.mailboxes
    rows = rows_of(mailbox=mailbox, profile_incoming_location="https://old.contoso.test", profile_incoming_authentication=Option(3, "x"))
    assert differences(estate, mailbox, rows) == ()
    assert rows.profile is not None
    shared = Rows(rows.mailbox, replace(rows.profile, uses_incoming_for_outgoing=True))
    assert [one.what for one in differences(estate, mailbox, shared)] == ["outgoing endpoint", "outgoing authentication"]
