"""`probe demo --gate`: import, gate, Test & Enable and comparison over the simulated organization."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator

from probe.document import gate_schema
from tests.command import probe

OUTCOMES = {
    "sales@contoso.test": (True, None),
    "service@contoso.test": (None, None),  # pending
    "finance@contoso.test": (True, None),
    "contoso.events@gmail.com": (True, None),
    "retail@contoso.test": (False, "The user of the mailbox lacks privileges in Dynamics"),
    "claims@contoso.test": (False, None),  # its alert leads to a rule
}
"""Whether all came as predicted, None where that is open; and what the alert means where no rule sees it."""


def test_the_answer_of_the_gate_has_no_format_of_runs() -> None:
    """It is refused before anything is started."""
    done = probe("demo", "--gate", "--format", "csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert "use json or text" in done.stderr


def test_the_demo_of_the_gate_shows_every_outcome() -> None:
    """What is predicted comes true, but for what nobody outside can see, which the alerts tell; the exit code says that it was shown."""
    # The child processes of Exchange logins start slowly on a machine that is busy.
    done = probe("demo", "--gate", "--json", "--tls", "none", "--timeout", "20")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    Draft202012Validator(gate_schema()).validate(document)
    forms = {form["mailbox"]: form for form in document["mailboxes"]}
    assert {form["answer"] for form in forms.values()} == {"go", "no-go", "cannot-tell"}
    asked = {address: form["enabled"] for address, form in forms.items() if form["enabled"] is not None}
    told = {
        address: (
            enabled["agrees"],
            next((a["meaning"].partition(", or")[0].partition(": ")[0] for a in enabled["alerts"] if a["meaning"]), None),
        )
        for address, enabled in asked.items()
    }
    assert told == OUTCOMES
    assert {address for address, enabled in asked.items() if enabled["state"] == "pending"} == {"service@contoso.test"}
    assert "synchronized-with-another-organization" in asked["claims@contoso.test"]["alerts"][-1]["causes"]
    assert all(form["answer"] == "go" for address, form in forms.items() if address in asked)
    assert all(form["not_asked"] for address, form in forms.items() if address not in asked)
    assert "imported 14 profiles and 21 mailboxes" in done.stderr
