"""`probe gate` as a user runs it: whom it asks about, and what comes of it."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from probe.cli.options import ACCEPTABLE
from probe.document import gate_schema, gate_schema_text
from probe.gate import Accept
from tests.command import probe
from tests.hostile import closed_port

ESTATE = """
[deployment]
name = "contoso-crm"
kind = "on-premises"
version = "9.1"
runs_on = "windows-server-2019"
fips = false
mass_email = false
custom_email_providers = false
outlook_on_the_web_tracking = false
outlook_manual_tracking = false

[[profile]]
name = "corp"
server_type = "exchange-server"
incoming = "https://127.0.0.1:{port}/EWS/Exchange.asmx"
credentials = "server-to-server"

[[profile]]
name = "branch"
server_type = "exchange-server"
incoming = "https://127.0.0.1:{port}/EWS/Exchange.asmx"
credentials = "server-to-server"

[[mailbox]]
address = "sales@contoso.test"
profile = "corp"
incoming = "server-side"
outgoing = "server-side"
appointments = "none"

[[mailbox]]
address = "depot@contoso.test"
profile = "branch"
incoming = "server-side"
outgoing = "none"
appointments = "none"

[[mailbox]]
address = "news@contoso.test"
profile = "corp"
incoming = "none"
outgoing = "none"
appointments = "none"
"""


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """Mailboxes behind a port where nobody listens."""
    file = tmp_path / "estate.toml"
    file.write_text(ESTATE.format(port=closed_port()))
    return file


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name the mailboxes"),
        (["sale@contoso.test"], "did you mean sales@contoso.test?"),
        (["news@contoso.test"], "serves nothing of news@contoso.test"),
        (["--profile", "corb"], "did you mean corp?"),
        (["--from-file", "none.txt"], "none.txt cannot be read"),
        (["--from-file", "empty.txt"], "empty.txt names no mailbox"),
        (["sales@contoso.test", "--accept", "failure"], "'failure' is not one of"),
    ],
)
def test_a_wrong_call_probes_nothing(estate: Path, arguments: list[str], words: str) -> None:
    """Each mistake is told, with exit code 2 and nothing on standard output."""
    (estate.parent / "empty.txt").write_text("# nobody\n\n")
    done = probe("gate", "estate.toml", *arguments, cwd=estate.parent)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["sales@contoso.test"], ["sales@contoso.test"]),
        (["--all"], ["sales@contoso.test", "depot@contoso.test"]),
        (["--profile", "corp"], ["sales@contoso.test"]),
        (["--from-file", "some.txt"], ["depot@contoso.test"]),
        (["SALES@contoso.test", "--profile", "branch"], ["sales@contoso.test", "depot@contoso.test"]),
    ],
)
def test_the_mailboxes_that_are_meant_are_answered_for(estate: Path, arguments: list[str], asked: list[str]) -> None:
    """By address, profile, file or all; the answer is one JSON document that fits its schema, and the exit code is its worst."""
    (estate.parent / "some.txt").write_text("# the depot\n  depot@contoso.test\n")
    done = probe(
        "gate", "estate.toml", *arguments, "--json", "--tls", "none", cwd=estate.parent, PROBE_STATE_DIR=str(estate.parent / "state")
    )
    document = json.loads(done.stdout)
    Draft202012Validator(gate_schema()).validate(document)
    assert [one["mailbox"] for one in document["mailboxes"]] == asked
    assert document["run"]["asked"]["mailboxes"] == asked
    assert {one["answer"] for one in document["mailboxes"]} == {"no-go"}
    assert done.returncode == 1
    assert ("1 left out" in done.stderr) is ("--all" in arguments or "corp" in arguments)


def test_the_answer_stands_first(estate: Path) -> None:
    """Of one mailbox it is the first line, with cause and remedy on the first screen; quietly, it is all."""
    done = probe("gate", "estate.toml", "sales@contoso.test", "--tls", "none", cwd=estate.parent)
    first, *lines = done.stdout.splitlines()[:24]
    assert first == "NO-GO  sales@contoso.test"
    assert any("FAILURE  incoming, outgoing: " in line for line in lines)
    assert any("Remedy" in line for line in lines)
    assert any("Not compared with Dynamics" in line for line in lines)
    quiet = probe("gate", "estate.toml", "--all", "--quiet", "--tls", "none", cwd=estate.parent).stdout
    assert "Remedy" not in quiet
    assert quiet.startswith("2 mailboxes: 2 no-go.\n")
    assert "FINDINGS" not in done.stdout
    whole = probe("gate", "estate.toml", "sales@contoso.test", "--verbose", "--tls", "none", cwd=estate.parent).stdout
    assert "ENDPOINTS\n" in whole


def test_dynamics_that_cannot_be_reached_leaves_it_open(estate: Path) -> None:
    """The run is held all the same, and what kept Dynamics away is told."""
    organization = '[dynamics]\nurl = "https://127.0.0.1:{}/Contoso"\nauthentication = "ntlm"\nusername = "svc"\npassword = "env:CRM"\n'
    estate.write_text(estate.read_text() + organization.format(closed_port()))
    state = str(estate.parent / "state")
    done = probe("gate", "estate.toml", "sales@contoso.test", "--json", "--tls", "none", cwd=estate.parent, PROBE_STATE_DIR=state, CRM="x")
    document = json.loads(done.stdout)
    assert done.returncode == 3
    assert document["dynamics"]["read"] is False
    assert "refused" in document["dynamics"]["why_not"]
    assert document["mailboxes"][0]["predicted"]["incoming"] == "failure"


def test_the_schema_of_the_gate_on_disk_is_the_generated_one() -> None:
    """`probe schema probe.gate/1` prints what belongs there."""
    assert resources.files("probe.data").joinpath("probe.gate-1.schema.json").read_text("utf-8") == gate_schema_text()
    assert probe("schema", "probe.gate/1").stdout == gate_schema_text()


def test_what_may_be_accepted_is_what_the_gate_knows() -> None:
    """The options are listed without loading the gate, and are the same."""
    assert list(ACCEPTABLE) == list(Accept)
