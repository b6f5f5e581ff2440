"""What an estate says of its mailboxes and profiles."""

from __future__ import annotations

import pytest

from probe.config import example_estate, read_estate
from probe.model.estate import Delivery, Mailbox, profile_subject


def test_an_estate_does_not_print_where_its_secrets_are() -> None:
    """Printing a whole estate shows no place of a secret."""
    estate = read_estate(example_estate(), "estate.toml")
    assert "CRM_EWS_PASSWORD" not in repr(estate)
    assert "/run/secrets" not in repr(estate)


def mailbox(incoming: Delivery, outgoing: Delivery, appointments: Delivery) -> Mailbox:
    return Mailbox(address="a@contoso.test", profile="corp", incoming=incoming, outgoing=outgoing, appointments=appointments)


@pytest.mark.parametrize("incoming", Delivery)
@pytest.mark.parametrize("outgoing", Delivery)
@pytest.mark.parametrize("appointments", Delivery)
def test_a_mailbox_is_served_by_the_endpoints_that_it_uses(incoming: Delivery, outgoing: Delivery, appointments: Delivery) -> None:
    """A mailbox is served if it uses an endpoint: incoming for mail or appointments, outgoing for mail sent."""
    box = mailbox(incoming, outgoing, appointments)
    assert box.uses_outgoing is (outgoing is Delivery.SERVER_SIDE)
    assert box.uses_incoming is (Delivery.SERVER_SIDE in (incoming, appointments))
    assert box.is_served is (box.uses_incoming or box.uses_outgoing)


def test_the_subject_of_a_profile_holds_its_name() -> None:
    """Facts about a profile have `profile:NAME` as subject."""
    assert profile_subject("corp") == "profile:corp"
