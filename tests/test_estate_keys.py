"""An estate key stands in each place that it must stand in; `probe/README.md`, "An estate key", names them."""

from __future__ import annotations

from dataclasses import fields

import pytest

from probe.config.keys import TABLES
from probe.document.forms import DeploymentForm, Form, MailboxForm, ProfileForm
from probe.model.estate import Deployment, Mailbox, ServerProfile

Part = type[Deployment | ServerProfile | Mailbox]

OF_A_SECRET = {
    "password": "has_credentials",
    "outgoing_password": "has_outgoing_credentials",
    "client_secret": "can_ask_as_application",
    "client_certificate": "can_ask_as_application",
}
"""What the document says in place of where a secret is kept."""


@pytest.mark.parametrize(
    ("table", "kind", "form"),
    [("deployment", Deployment, DeploymentForm), ("profile", ServerProfile, ProfileForm), ("mailbox", Mailbox, MailboxForm)],
)
def test_a_key_is_read_and_published_under_one_name(table: str, kind: Part, form: type[Form]) -> None:
    """The estate file and the document have each field of the model, and no other; of a secret the document says whether there is one."""
    names = {field.name for field in fields(kind)}
    assert set(TABLES[table].model_fields) == names
    assert set(form.model_fields) == {OF_A_SECRET.get(name, name) for name in names}
