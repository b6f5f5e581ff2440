"""The commented example."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from probe.config import example_estate, read_estate
from probe.model.estate import (
    AlertSettings,
    Credentials,
    Deployment,
    DynamicsAccess,
    Mailbox,
    ScheduleSettings,
    ServerProfile,
    ServerType,
)


def test_the_example_is_the_one_that_operators_copy() -> None:
    """What `probe init` writes is config/estate.example.toml, word for word."""
    text = (Path(__file__).parents[2] / "config" / "estate.example.toml").read_text(encoding="utf-8")
    assert example_estate() == text


def test_the_example_loads() -> None:
    """The example is an estate with a profile for each kind of system, and with mailboxes for each of them."""
    estate = read_estate(example_estate(), "estate.example.toml")
    assert {profile.server_type for profile in estate.profiles} == {
        ServerType.EXCHANGE_SERVER,
        ServerType.EXCHANGE_ONLINE,
        ServerType.POP3_SMTP,
    }
    assert {mailbox.profile for mailbox in estate.mailboxes} == {profile.name for profile in estate.profiles}
    assert {mailbox.is_served for mailbox in estate.mailboxes} == {True, False}


@pytest.mark.parametrize(
    "kind", [Deployment, DynamicsAccess, ScheduleSettings, AlertSettings, ServerProfile, Mailbox], ids=lambda kind: kind.__name__
)
def test_the_example_shows_every_key(
    kind: type[Deployment | DynamicsAccess | ScheduleSettings | AlertSettings | ServerProfile | Mailbox],
) -> None:
    """Every key that an estate may hold is in the example, with a comment above it."""
    text = example_estate()
    assert not [field.name for field in fields(kind) if not re.search(rf"^#.*\n(\n?{field.name}) = ", text, re.MULTILINE)]


def test_the_example_names_the_allowed_words() -> None:
    """Every server type, and every word for whose credentials are used, is in the example's comments."""
    comments = "\n".join(line for line in example_estate().splitlines() if line.startswith("#"))
    assert not [word for word in (*ServerType, *Credentials) if f'"{word}"' not in comments]


def test_the_example_fits_a_page() -> None:
    """No line of the example is longer than 125 characters."""
    assert max(map(len, example_estate().splitlines())) <= 125
