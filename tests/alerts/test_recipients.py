"""Tests of who is told, by an estate."""

from __future__ import annotations

from dataclasses import replace

from probe.alerts import alert_references, name_of, recipients_of
from probe.model.secrets import SecretReference
from probe.model.watching import AlertSettings
from tests.outlook.estates import an_estate

_TO, _OWNER = SecretReference("env", "TEAMS"), SecretReference("file", "/run/secrets/owner")


def test_an_estate_says_who_is_told() -> None:
    """What concerns a profile with owners goes to them, all else to the default; every log of the machine gets everything; each target once."""
    estate = an_estate(("a@contoso.test", "corp"), ("b@contoso.test", "online"))
    profiles = tuple(replace(profile, alerts_to=(_OWNER, _TO)) if profile.name == "corp" else profile for profile in estate.profiles)
    estate = replace(estate, profiles=profiles, alerts=AlertSettings(to=(_TO,)))
    recipients = recipients_of(estate, logs=["journal"])
    assert recipients.of(()) == ("env:TEAMS", "journal")
    assert recipients.of(["corp"]) == ("file:/run/secrets/owner", "env:TEAMS", "journal")
    assert recipients.of(["online", "corp"]) == ("env:TEAMS", "file:/run/secrets/owner", "journal")
    assert recipients.everybody == ("env:TEAMS", "file:/run/secrets/owner", "journal")
    assert tuple(map(name_of, alert_references(estate))) == ("env:TEAMS", "file:/run/secrets/owner")


def test_an_estate_without_targets_tells_the_logs_alone() -> None:
    """An estate that names no target has none but the logs of the machine."""
    recipients = recipients_of(an_estate(("a@contoso.test", "corp")), logs=["event-log"])
    assert recipients.everybody == ("event-log",)
