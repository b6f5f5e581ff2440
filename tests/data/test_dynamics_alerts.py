"""The table of Dynamics' alerts carries its own examples, which are its test."""

from __future__ import annotations

import pytest

from probe import app
from probe.tables.alerts import DynamicsAlert, causes_of_alert, dynamics_alerts


@pytest.mark.parametrize("alert", dynamics_alerts(), ids=lambda alert: alert.words[0])
def test_an_alert_is_known_by_its_words(alert: DynamicsAlert) -> None:
    """The example of each entry leads to all of its rules, and each of these exists."""
    assert set(alert.rules) <= set(causes_of_alert(alert.example))
    assert set(alert.rules) <= set(app.rules())
    assert all(word == word.lower() for word in alert.words)


def test_case_and_spaces_of_an_alert_do_not_matter() -> None:
    """An alert is known as it was copied, whatever its case and however it was broken into lines."""
    assert causes_of_alert("HTTP server returned\n  401   Unauthorized exception.")[0] == "login-refused"


def test_an_alert_without_known_words_leads_nowhere() -> None:
    """Of words that no entry has, nothing is guessed."""
    assert causes_of_alert("Something went wrong.") == ()
