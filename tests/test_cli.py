"""Tests of the commands as a user runs them: real processes, their output and exit codes."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from probe import __version__, app
from probe.cli import cli
from probe.memory import Memory
from probe.model.estate import Endpoint
from probe.model.schemas import RUN_SCHEMA
from probe.model.vocabulary import all_keys
from tests.command import COMMANDS, probe
from tests.hostile import Hostile, closed_port
from tests.looking import authority, playing
from tests.reports.rendering import may_be_wider
from tests.scripted import TRANSCRIPTS

DOVECOT = (TRANSCRIPTS / "pop3-capabilities" / "dovecot-stls.txt").read_text()


async def probe_beside(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it while servers of this process answer."""
    import asyncio

    return await asyncio.to_thread(probe, *arguments)


def test_help_names_the_commands_and_exit_codes_at_once() -> None:
    """Help costs under 200 ms of CPU and loads none of the heavy libraries."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = probe("--help", PYTHONWARNINGS="default")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    for command in ("demo", "init", "check", "gate", "look", "judge", "rules", "facts", "schema"):
        assert f"\n  {command} " in done.stdout
    assert "130  interrupted" in done.stdout
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert spent < 1.0, "far beyond what a loaded machine explains; the figure itself is measured by hand"
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "probe", "--help"], capture_output=True, text=True, timeout=60, check=True
    ).stderr
    for heavy in ("asyncio", "json", "logging", "pydantic", "cryptography", "exchangelib", "aiosmtplib", "rich", "keyring"):
        assert f" {heavy}\n" not in loaded


@pytest.mark.parametrize(("options", "of_others"), [(["--json"], {"probe.reports.text.mailboxes"}), ([], set())], ids=["json", "text"])
def test_a_look_loads_nothing_that_it_has_no_use_for(options: list[str], of_others: set[str]) -> None:
    """A look at a port where nobody listens loads no library of a conversation that is not held, no rule, and no report but its own."""
    done = subprocess.run(
        [
            sys.executable,
            "-X",
            "importtime",
            "-m",
            "probe",
            "look",
            *options,
            "--quiet",
            "--tls",
            "none",
            f"pop3://127.0.0.1:{closed_port()}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "probe.probing" in loaded
    heavy = {
        "aioimaplib", "aiosmtplib", "cryptography", "dns", "exchangelib", "h11", "keyring", "msal", "pebble", "pydantic", "pydantic_core", "requests",
        "rich", "spnego", "sqlalchemy",
    }  # fmt: skip
    ours = of_others | {"probe.rules", "probe.simulation", "probe.wire.tls.elimination", "probe.wire.tls.flight"}
    assert not loaded & (heavy | ours | {"email", "html", "importlib.resources", "multiprocessing", "pickle", "sqlite3", "zipfile"})


def test_the_version_is_told() -> None:
    """--version names the program and its version."""
    assert probe("--version").stdout == f"probe, version {__version__}\n"


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_tells_the_version(command: str) -> None:
    """Behind whichever command it stands, and whatever else that would want."""
    told = CliRunner().invoke(cli, [*command.split(), "--version"])
    assert (told.exit_code, told.stdout) == (0, f"probe, version {__version__}\n")


async def test_a_look_prints_one_json_document_and_nothing_else() -> None:
    """With --json, standard output is the document; a completed look exits 0."""
    async with playing(DOVECOT, implicit=False) as server:
        done = await probe_beside("look", "--json", "--tls", "none", "--ca", str(authority().ca_file), f"pop3://localhost:{server.port}")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["schema"] == "probe.run/2"
    values = {f["key"]: f["value"] for f in document["facts"]}
    assert values["server.product"] == "Dovecot"
    assert values["certificate.trusted"] is True
    assert document["assessments"] == []


async def test_a_look_is_readable_for_a_person() -> None:
    """The text form shows facts by name, in 80 columns and without colour when it is piped."""
    async with playing(DOVECOT, implicit=False) as server:
        done = await probe_beside("look", "--tls", "none", "--show", "transcripts", f"pop3://localhost:{server.port}")
    assert done.returncode == 0
    assert "server.product" in done.stdout or "Dovecot" in done.stdout
    assert "+OK Dovecot (Debian) ready." in done.stdout
    assert "\x1b" not in done.stdout
    assert max(len(line) for line in done.stdout.splitlines() if "://" not in line) <= 80


async def test_json_is_ascii_whatever_the_console_is() -> None:
    """The document is JSON in ASCII, also where standard output is set to another encoding."""
    import asyncio

    async with Hostile(greeting="+OK café\r\n".encode()).serving() as server:
        url = f"pop3://localhost:{server.port}"
        done = await asyncio.to_thread(probe, "look", "--json", "--timeout", "0.5", url, PYTHONIOENCODING="ascii")
    assert done.stdout.isascii()
    assert "+OK café" in json.loads(done.stdout)["attempts"][0]["transcript"][1]["text"]


async def test_a_look_that_does_not_complete_exits_three() -> None:
    """An attempt that ended otherwise than completed is exit code 3, with its outcome in the document."""
    done = await probe_beside("look", "--json", f"pop3s://127.0.0.1:{closed_port()}")
    assert done.returncode == 3
    assert json.loads(done.stdout)["attempts"][0]["outcome"] == "refused"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["look"], "Missing argument"),
        (["look", "ftp://x"], "must begin with one of"),
        (["look", "pop3://x:70000"], "a port is a number from 1 to 65535"),
        (["look", "--fips", "fips-140-4", "pop3://x"], "'fips-140-4' is none of sp800-52r2, windows-server-2012-r2"),
        (["look", "--tls", "all", "pop3://x"], "'all' is not one of 'quick', 'full', 'none'"),
        (["look", "--allow", "everything", "pop3://x"], "none of provokes, logs-in, sends-mail"),
        (["look", "--ca", "pyproject.toml", "pop3://x"], "holds no PEM certificates"),
        (["look", "--timeout", "0", "pop3://x"], "'0' is not a number of seconds from 0.1 to 3600"),
        (["look", "--timeout", "nan", "pop3://x"], "'nan' is not a number of seconds"),
        (["look", "--timeout", "0,5", "pop3://x"], "'0,5' is not a number of seconds"),
        (["look", "--timeout", "1e9", "pop3://x"], "'1e9' is not a number of seconds"),
        (["look", "--deadline", "-1", "pop3://x"], "'-1' is not a number of seconds from 0.1 to 604800"),
        (["look", "--deadline", "inf", "pop3://x"], "'inf' is not a number of seconds"),
        (["look", "--output", "/no/such/folder/x.json", "pop3://x"], "cannot be written"),
        (["look", "--output", "tests", "pop3://x"], "is a directory"),
        (["look", "--output", "", "pop3://x"], "is a folder; name a file"),
        (["look", "--ca", "no-such-file.pem", "pop3://x"], "does not exist"),
        (["look", ""], "must begin with one of pop3://"),
        (["look", "mail.contoso.test:995"], "must begin with one of pop3://"),
        (["look", "pop3:mail.contoso.test"], "must begin with one of pop3://"),
        (["look", "pop3://x y"], "must not hold spaces"),
        (["look", "pop3://bücher.example:0"], "a port is a number from 1 to 65535"),
        (["init", "tests"], "tests is a folder; name a file"),
        (["check", "tests"], "is a directory"),
        (["check", "pyproject.toml", "--dryrun"], "--dry-run"),
        (["look", "--format", "nonsense", "pop3://x"], "nonsense"),
        (["check", "no-such-file.toml"], "no-such-file.toml"),
        (["rules", "exchange-2003-or-2006"], "did you mean exchange-2003-or-2007?"),
        (["facts", "server.produkt"], "did you mean server.product?"),
        (["rules", "login-refused", "--readiness"], "not both"),
        (["worker", "x"], "No such command"),
    ],
)
def test_a_wrong_command_line_is_explained(arguments: list[str], message: str) -> None:
    """Usage errors exit 2, say what is wrong, and print nothing on standard output."""
    done = probe(*arguments, cwd=Path(__file__).parent.parent)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_the_example_estate_is_written_and_loads(tmp_path: Path) -> None:
    """init writes an estate that a dry run can read, and does not overwrite one."""
    estate = tmp_path / "estate.toml"
    assert probe("init", str(estate)).returncode == 0
    again = probe("init", str(estate))
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert probe("init", "--force", str(estate)).returncode == 0
    assert probe("init", "-").stdout == estate.read_text(encoding="utf-8")
    plan = probe("check", str(estate), "--dry-run", "--json")
    assert plan.returncode == 0
    conversations = json.loads(plan.stdout)["conversations"]
    assert {c["effect"] for c in conversations if c["held"]} >= {"reads"}
    text = probe("check", str(estate), "--dry-run")
    assert "No connection was made." in text.stdout


def test_mistakes_in_an_estate_are_told_all_at_once(tmp_path: Path) -> None:
    """Each mistake is one line with file, line and key; nothing is probed."""
    estate = tmp_path / "estate.toml"
    probe("init", str(estate))
    text = estate.read_text(encoding="utf-8").replace("fips = false", 'fips = "no"').replace("mass_email", "mass_mail")
    estate.write_text(text, encoding="utf-8")
    done = probe("check", str(estate))
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"{estate}:") for line in lines)
    assert "Traceback" not in done.stderr


def test_an_unknown_mailbox_is_a_usage_error(tmp_path: Path) -> None:
    """Asking for a mailbox that the estate does not have is exit code 2."""
    estate = tmp_path / "estate.toml"
    probe("init", str(estate))
    done = probe("check", str(estate), "--mailbox", "nobody@contoso.test")
    assert done.returncode == 2
    assert "no mailbox 'nobody@contoso.test'" in done.stderr
    assert "did you mean sales@contoso.test?" in probe("check", str(estate), "--mailbox", "sale@contoso.test").stderr


def test_the_rules_are_shown_with_source_and_remedy() -> None:
    """Every rule is listed; one is shown whole."""
    listed = probe("rules")
    assert all(rule in listed.stdout for rule in app.rules())
    one = probe("rules", "exchange-2003-or-2007").stdout
    assert "https://learn.microsoft.com/" in one
    assert "Remedy: " in one
    forms: list[dict[str, Any]] = json.loads(probe("rules", "--json").stdout)
    assert {form["id"] for form in forms} == set(app.rules())


def test_a_rule_says_whose_statement_it_is() -> None:
    """A line of the list has the rule, what a failure means, and whether Microsoft says so or it is a matter of readiness."""
    lines = {words[0]: words[1:] for line in probe("rules").stdout.splitlines() if (words := line.split())}
    assert lines["exchange-2003-or-2007"] == ["unsupported", "microsoft"]
    assert lines["impersonation-denied"] == ["not-ready", "readiness"]
    assert lines["certificate-expired"] == ["not-ready", "readiness"]


def test_rules_are_listed_by_what_they_are_about() -> None:
    """--support leaves the rules of the page on what is supported, --readiness those on what would work."""
    kinds = {option: {line.split()[1] for line in probe("rules", option).stdout.splitlines()} for option in ("--support", "--readiness")}
    assert kinds == {"--support": {"unsupported", "not-listed"}, "--readiness": {"not-ready"}}


def test_an_alert_of_dynamics_leads_to_the_rules_that_may_explain_it() -> None:
    """--alert lists what an alert may come from, the likeliest first, and says so where its words are not known."""
    listed = probe("rules", "--alert", "Email Server Error Code: Http server returned 401 Unauthorized exception.").stdout
    assert listed.startswith("login-refused ")
    assert {rule.id for rule in app.rules().values()} >= {line.split()[0] for line in listed.splitlines()}
    unknown = probe("rules", "--alert", "nothing of the kind")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "no alert with these words or codes is known" in unknown.stderr
    unseen = probe("rules", "--alert", "0x80040265")
    assert (unseen.returncode, unseen.stdout) == (0, "")
    assert "A plug-in or a workflow" in unseen.stderr


def test_a_rule_shows_its_commands_with_names_in_capitals() -> None:
    """Of one rule the remedy's commands stand on lines of their own, with the names that a report fills in."""
    one = probe("rules", "endpoint-unreachable").stdout.splitlines()
    assert "  Test-NetConnection -ComputerName HOST -Port PORT" in one
    assert "Placeholders in capitals, which the report or you fill in: HOST, PORT" in one


def test_the_vocabulary_is_shown() -> None:
    """Every fact is listed; one is shown with its type, its examples and who learns it."""
    listed = probe("facts")
    assert all(key in listed.stdout for key in all_keys())
    one = probe("facts", "server.product").stdout
    assert "greeting-product" in one
    forms = json.loads(probe("facts", "--json").stdout)
    assert {form["key"] for form in forms} == set(all_keys())


def test_the_schema_is_printed() -> None:
    """The schema of a run is one JSON document."""
    text = probe("schema").stdout
    assert json.loads(text)["title"] == RUN_SCHEMA
    assert probe("schema", RUN_SCHEMA).stdout == text
    assert probe("schema", "probe.run/1").returncode == 2


def test_a_closed_pipe_is_no_traceback() -> None:
    """A reader that has seen enough ends the program quietly."""
    done = subprocess.run(
        f"{sys.executable} -m probe rules | head -n 1", shell=True, capture_output=True, text=True, timeout=60, check=False
    )
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


async def test_an_interrupt_still_prints_what_was_learnt() -> None:
    """Ctrl-C exits 130, with the document of what is known until then."""
    import asyncio

    async with Hostile(greeting=b"+OK ready\r\n").serving() as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "probe", "look", "--json", f"pop3://localhost:{server.port}"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(30):
            # CAPA is the answer to the greeting, which is known by then.
            while b"CAPA" not in server.heard:  # noqa: ASYNC110 - the server keeps what it heard, it does not call
                await asyncio.sleep(0.01)
            process.send_signal(signal.SIGINT)
            out, _ = await process.communicate()
    assert process.returncode == 130
    document = json.loads(out)
    assert document["attempts"][0]["outcome"] == "interrupted"
    assert any(f["key"] == "protocol.greeting" for f in document["facts"])


HANGING = """
import socket, sys, time
def hang(*asked, **how):
    print("asked", file=sys.stderr, flush=True)
    time.sleep(60)
socket.getaddrinfo = hang
from probe.cli import main
main()
"""
"""The command, where the system's resolver does not answer."""


def test_an_interrupt_while_names_are_looked_up_prints_the_document() -> None:
    """Ctrl-C exits 130 with the document also before the first connection, when all addresses are asked for."""
    with subprocess.Popen(
        [sys.executable, "-c", HANGING, "look", "--json", "--all-addresses", "pop3://mail.contoso.test"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "asked\n"
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    document = json.loads(out)
    assert document["interrupted"] is True
    assert {a["outcome"] for a in document["attempts"]} == {"interrupted"}


def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    """Ctrl-C ends the demo's servers, and their folder is gone."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-m", "probe", "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, start_new_session=True
    ) as process:
        while not list(tmp_path.glob("probe-simulation-*")):
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the children too
        process.communicate(timeout=30)
    assert process.returncode == 130
    assert list(tmp_path.glob("probe-simulation-*")) == []


async def test_a_result_goes_to_a_file_when_asked(tmp_path: Path) -> None:
    """--output writes the result there, and nothing to standard output."""
    file = tmp_path / "run.json"
    done = await probe_beside("look", "--json", "--output", str(file), f"pop3s://127.0.0.1:{closed_port()}")
    assert (done.returncode, done.stdout) == (3, "")
    assert json.loads(file.read_text(encoding="utf-8"))["schema"] == "probe.run/2"


def test_a_dash_is_standard_output() -> None:
    """--output - is standard output, as elsewhere."""
    done = probe("look", "--json", "--output", "-", f"pop3s://127.0.0.1:{closed_port()}")
    assert json.loads(done.stdout)["schema"] == "probe.run/2"


def test_a_password_in_a_url_is_not_repeated() -> None:
    """A URL with a user and a password is refused without a word of it."""
    done = probe("look", "pop3://someone:hunter2@mail.contoso.test")
    assert done.returncode == 2
    assert "must not carry a user name or password" in done.stderr
    assert "hunter2" not in done.stderr


def test_forgetting_is_told(tmp_path: Path) -> None:
    """`probe forget` says how many refused logins it forgot, and of a memory out of reach why."""
    done = probe("forget", "sales@contoso.test", PROBE_STATE_DIR=str(tmp_path / "state"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "0 forgotten\n")
    (tmp_path / "file").write_text("")
    state = tmp_path / "state"
    said = {"a@contoso.test": {"dynamics.approved": True}}
    Memory(state).last_known.keep("here", datetime.now(UTC), said, is_whole=True)
    assert "Dynamics" not in probe("forget", "sales@contoso.test", PROBE_STATE_DIR=str(state)).stderr
    assert "and what Dynamics' records said last" in probe("forget", PROBE_STATE_DIR=str(state)).stderr
    assert probe("forget", PROBE_STATE_DIR=str(tmp_path / "file" / "below")).returncode == 2


def test_the_schemes_of_a_look_are_those_that_are_spoken() -> None:
    """A wrong scheme is answered with what works in this version, and with nothing else."""
    spoken = {service for prober in app.probers().values() for service in prober.services}
    schemes = re.findall(r"\w+://", probe("look", "ftp://x").stderr.partition("must begin with")[2])
    assert {Endpoint.parse(f"{scheme}x:1").service for scheme in schemes} == spoken


@pytest.mark.parametrize(
    "environment", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}]
)
def test_a_poor_console_is_answered(environment: dict[str, str]) -> None:
    """Whatever encoding standard output is set to, a report and a mistake are written to it without a traceback."""
    looked = probe("look", "--timeout", "0.5", f"pop3s://127.0.0.1:{closed_port()}", cwd=None, **environment)
    assert (looked.returncode, looked.stderr) == (3, "")
    wrong = probe("check", "ä\u2013.toml", cwd=None, **environment)
    assert wrong.returncode == 2
    assert "cannot be read: no such file or directory" in wrong.stderr


@pytest.mark.parametrize("name", ["json", "text"])
def test_the_demo_shows_every_verdict(name: str) -> None:
    """The demo completes with exit code 0, and shows at least one mailbox of every verdict."""
    done = probe("demo", "--format", name)
    assert (done.returncode, done.stderr) == (0, "")
    if name == "json":
        assessments = json.loads(done.stdout)["assessments"]
        assert {a["support"] for a in assessments} == {"supported", "not-listed", "undetermined", "unsupported", "not-assessed"}
        assert {a["readiness"] for a in assessments} == {"ready", "undetermined", "not-ready", "not-assessed"}
        assert any(a["support"] == "supported" and a["readiness"] == "ready" for a in assessments)
    else:
        assert max(len(line) for line in done.stdout.splitlines() if not may_be_wider(line)) <= 80
