"""An estate key stands in each place that it must stand in; `probe/README.md`, "An estate key", names them."""

from __future__ import annotations

from dataclasses import fields

import pytest

from probe.config.keys import TABLES
from probe.config.watching import AlertTable, ScheduleTable
from probe.document.forms import DeploymentForm, DynamicsForm, Form, MailboxForm, ProfileForm
from probe.model.estate import AlertSettings, Deployment, DynamicsAccess, Mailbox, ScheduleSettings, ServerProfile

Part = type[Deployment | ServerProfile | Mailbox | DynamicsAccess]

OF_A_SECRET = {
    "password": "has_credentials",
    "outgoing_password": "has_outgoing_credentials",
    "client_secret": "can_ask_as_application",
    "client_certificate": "can_ask_as_application",
}
"""What the document says in place of where a secret is kept."""
OF_THE_SERVICE = {"canary", "alerts_to", "enable_from_page"}
"""What only `probe serve` goes by; no document has it."""


@pytest.mark.parametrize(
    ("table", "kind", "form"),
    [
        ("deployment", Deployment, DeploymentForm),
        ("profile", ServerProfile, ProfileForm),
        ("mailbox", Mailbox, MailboxForm),
        ("dynamics", DynamicsAccess, DynamicsForm),
    ],
)
def test_a_key_is_read_and_published_under_one_name(table: str, kind: Part, form: type[Form]) -> None:
    """The estate file has each field of the model, and so has the document, save what only the service goes by; of a secret it says whether there is one."""
    names = {field.name for field in fields(kind)}
    assert set(TABLES[table].model_fields) == names
    assert set(form.model_fields) == {OF_A_SECRET.get(name, name) for name in names - OF_THE_SERVICE}


@pytest.mark.parametrize(("table", "kind"), [(ScheduleTable, ScheduleSettings), (AlertTable, AlertSettings)])
def test_a_key_of_the_service_is_read_under_its_name(
    table: type[ScheduleTable | AlertTable], kind: type[ScheduleSettings | AlertSettings]
) -> None:
    """The estate file has each setting of the schedule and of the alerts, and no other, and the same values where they are left out."""
    assert list(table.model_fields) == [field.name for field in fields(kind)]
    assert table().settings == kind()
