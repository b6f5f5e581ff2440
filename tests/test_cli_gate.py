"""`probe gate` as a user runs it: whom it asks about, and what comes of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from importlib import resources
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from probe.cli.options import ACCEPTABLE
from probe.document import gate_schema, gate_schema_text
from probe.gate import Accept
from tests.command import probe
from tests.config.estates import DEPLOYMENT
from tests.hostile import Hostile, closed_port

ESTATE = (
    DEPLOYMENT
    + """
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
)


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
        (["--disabled-since", "yesterday"], "'yesterday' is no moment"),
        (["--disabled-since", "6h"], "needs [dynamics]"),
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
    unknown = probe("gate", "estate.toml", "--disabled-since", "6h", cwd=estate.parent, PROBE_STATE_DIR=state, CRM="x")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "Dynamics could not be read" in unknown.stderr


async def test_an_interrupted_gate_tells_what_it_learnt(tmp_path: Path) -> None:
    """While Dynamics is read or the mailboxes are probed: it ends at once, leaves everything open, and exits with 130."""
    async with Hostile().serving() as silent:
        organization = f'[dynamics]\nurl = "https://127.0.0.1:{silent.port}/Contoso"\nauthentication = "ntlm"\n'
        organization += 'username = "svc"\npassword = "env:CRM"\n'
        for estate in (ESTATE, ESTATE + organization):
            (tmp_path / "estate.toml").write_text(estate.replace("{port}", str(silent.port)))
            before = silent.connections
            arguments = ("gate", "estate.toml", "--profile", "branch", "--json", "--tls", "none")
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "probe", *arguments),
                cwd=tmp_path,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, "PROBE_STATE_DIR": str(tmp_path / "state"), "CRM": "x"},
            )
            while silent.connections == before:  # noqa: ASYNC110 - the server counts, it does not call
                await asyncio.sleep(0.05)
            process.send_signal(signal.SIGINT)
            told, _ = await process.communicate()
            document = json.loads(told)
            assert process.returncode == 130
            assert document["run"]["interrupted"]
            assert [one["answer"] for one in document["mailboxes"]] == ["cannot-tell"]
            assert document["mailboxes"][0]["settle"]


def test_the_schema_of_the_gate_on_disk_is_the_generated_one() -> None:
    """`probe schema probe.gate/1` prints what belongs there."""
    assert resources.files("probe.data").joinpath("probe.gate-1.schema.json").read_text("utf-8") == gate_schema_text()
    assert probe("schema", "probe.gate/1").stdout == gate_schema_text()


def test_what_may_be_accepted_is_what_the_gate_knows() -> None:
    """The options are listed without loading the gate, and are the same."""
    assert list(ACCEPTABLE) == list(Accept)
