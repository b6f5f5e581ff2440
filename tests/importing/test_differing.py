"""An estate that is there, beside what Dynamics has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from probe.config import EstateError, read_estate
from probe.dynamics import Option
from probe.importing import NotUpdated, read_existing
from tests.importing.records import CORP, POP3, ROW, draft, text_of
from tests.importing.world import merged

HOST = "mail.contoso.test"
EVIL = replace(CORP, incoming_location="https://mail.evil.test/EWS/Exchange.asmx")
SECOND = replace(ROW, id="00000000-0000-0000-0000-000000000006", address="b@contoso.test")


def test_an_import_again_is_equal() -> None:
    """Whether hosts were trusted or not."""
    for text in (text_of(draft(CORP)), text_of(draft(CORP), HOST)):
        assert merged(text, draft(CORP)).is_equal
        assert list(merged(text, draft(CORP)).lines()) == []


def test_an_estate_may_say_the_same_in_other_words() -> None:
    """Defaults left out, the edition for the build, a port, the case of an address, and how TLS begins."""
    text = text_of(draft(CORP), HOST).replace('version = "9.1.18.22"', 'version = "9.1"').replace("autodiscover = false\n", "")
    text = text.replace("https://mail.contoso.test/", "https://MAIL.contoso.test:443/").replace("sales@contoso.test", "Sales@contoso.test")
    assert list(merged(text, draft(CORP)).lines()) == []
    made = draft(replace(POP3, incoming_port=1995))
    assert merged(text_of(made).replace("pop3s://", "pop3://"), made).is_equal


def test_an_update_keeps_comments_and_keys() -> None:
    """What Dynamics has otherwise is changed, a new row is added, and all else stays as it was."""
    text = text_of(draft(CORP), HOST).replace("impersonation = true\n", 'impersonation = true  # ask Anna\nfips_validated = "CMVP #4985"\n')
    text = text.replace('appointments = "none"\n', 'appointments = "none"\nmfa = false  # since May\n')
    merge = merged(text, draft(replace(CORP, incoming_uses_impersonation=False), rows=(ROW, SECOND)))
    assert list(merge.lines()) == [
        'profile "corp": impersonation is true, and false by Dynamics',
        'mailbox "b@contoso.test": is not there, and Dynamics has it',
    ]
    updated = merge.text()
    assert updated.startswith(text.replace("impersonation = true  #", "impersonation = false  #"))
    assert [mailbox.address for mailbox in read_estate(updated, "e").mailboxes] == ["sales@contoso.test", "b@contoso.test"]
    assert merged(updated, draft(replace(CORP, incoming_uses_impersonation=False), rows=(ROW, SECOND))).is_equal


def test_what_dynamics_does_not_have_stays_and_is_told() -> None:
    """Nobody's table is taken away."""
    text = text_of(draft(CORP, rows=(ROW, SECOND)), HOST)
    merge = merged(text, draft(CORP))
    assert merge.is_equal
    assert list(merge.lines()) == ['mailbox "b@contoso.test": Dynamics has none that would be written']


def test_a_mailbox_is_the_same_by_its_id() -> None:
    """Its address may have changed."""
    merge = merged(text_of(draft(CORP), HOST), draft(CORP, rows=(replace(ROW, address="new@contoso.test"),)))
    assert list(merge.lines()) == ['mailbox "new@contoso.test": address is "sales@contoso.test", and "new@contoso.test" by Dynamics']
    assert read_estate(merge.text(), "e").mailboxes[0].address == "new@contoso.test"


def test_credentials_do_not_follow_a_profile_to_a_new_host() -> None:
    """Its address is held back until somebody agrees."""
    text = text_of(draft(CORP), HOST)
    held = merged(text, draft(EVIL))
    assert held.holds_back
    assert "mail.evil.test" not in held.text()
    assert "mail.evil.test" in merged(text, draft(EVIL), "mail.evil.test").text()


def test_a_profile_without_credentials_follows() -> None:
    """It is read there; nothing is sent."""
    updated = merged(text_of(draft(CORP)), draft(EVIL)).text()
    estate = read_estate(updated, "e")
    assert estate.profiles[0].password is None
    assert {endpoint.host for endpoint in estate.endpoints} == {"mail.evil.test"}


def test_credentials_do_not_follow_a_mailbox_to_a_new_host() -> None:
    """Neither by what Autodiscover found, nor for a new row, nor by another profile."""
    found = replace(CORP, uses_autodiscover=True)
    there = text_of(draft(found, rows=(replace(ROW, ews_url=f"https://{HOST}/EWS/Exchange.asmx"),)), HOST)
    evil = "https://mail.evil.test/EWS/Exchange.asmx"
    merge = merged(there, draft(found, rows=(replace(ROW, ews_url=evil), replace(SECOND, ews_url=evil))))
    assert merge.holds_back
    assert merge.text() == there
    other = replace(EVIL, id="00000000-0000-0000-0000-000000000901", name="other", incoming_credentials=Option(0, "User"))
    of_user = replace(CORP, incoming_credentials=Option(0, "User"))
    served = replace(ROW, password_is_set=True)
    text = text_of(draft(of_user, rows=(served,)), HOST)
    moved = merged(text, draft(of_user, other, rows=(replace(served, profile=other.id),)))
    assert moved.holds_back
    assert read_estate(moved.text(), "e").mailboxes[0].profile == "corp"


def test_a_sign_in_as_the_service_waits_too() -> None:
    """A new profile of Windows integrated credentials needs no password of the estate, and is left out with its mailboxes."""
    other = replace(EVIL, id="00000000-0000-0000-0000-000000000901", name="other", incoming_credentials=Option(3, "Windows"))
    rows = (ROW, replace(SECOND, profile=other.id))
    merge = merged(text_of(draft(CORP), HOST), draft(CORP, other, rows=rows))
    assert len(merge.held) == 2
    assert not merge.new
    agreed = merged(text_of(draft(CORP), HOST), draft(CORP, other, rows=rows), "mail.evil.test")
    assert len(read_estate(agreed.text(), "e").profiles) == 2


def test_a_host_that_was_agreed_to_gets_the_reference() -> None:
    """A profile that waited for it has it then; one that somebody took away elsewhere stays away."""
    waiting = text_of(draft(CORP))
    updated = merged(waiting, draft(CORP), HOST).text()
    assert read_estate(updated, "e").profiles[0].password is not None
    assert merged(updated, draft(CORP), HOST).is_equal


def test_questions_are_answered_by_an_update() -> None:
    """The file loads then."""
    merge = merged(text_of(draft(CORP, answers={})), draft(CORP))
    assert read_estate(merge.text(), "e").deployment.fips is False


def test_an_estate_without_dynamics_gets_the_table() -> None:
    """With the organization that it is bound to from then on."""
    text = text_of(draft(CORP), HOST)
    begin, end = text.index("[dynamics]"), text.index("[[profile]]")
    estate = read_estate(merged(text[:begin] + text[end:], draft(CORP)).text(), "e")
    assert estate.dynamics is not None
    assert estate.dynamics.organization is not None


def test_another_file_is_not_taken_for_an_estate() -> None:
    """Nor is one with mistakes."""
    with pytest.raises(EstateError):
        read_existing("a = 1\n", "other.toml")
    with pytest.raises(EstateError):
        read_existing("", "empty.toml")


def test_tables_that_stand_among_each_other_are_not_changed() -> None:
    """The library would put them together, and comments with the wrong ones."""
    text = text_of(draft(CORP), HOST)
    begin, end = text.index("[[profile]]"), text.index("[[mailbox]]")
    other = text[begin:end].replace('"corp"', '"other"')
    merge = merged(text + "\n# about other\n" + other, draft(replace(CORP, incoming_uses_impersonation=False)))
    with pytest.raises(NotUpdated, match="are mixed"):
        merge.text()
