"""The history as a user has it: `probe check --record`, `probe history`, `probe drift`."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from probe.history.storage import DATABASE
from probe.memory import Folder, Memory
from probe.probing.proofs import Ending
from probe.service import SERVICE_LOCK
from tests.command import probe
from tests.looking import authority, playing
from tests.scripted import TRANSCRIPTS

DOVECOT = (TRANSCRIPTS / "pop3-capabilities" / "dovecot-stls.txt").read_text()
ADDRESS = "sales@contoso.test"


class User:
    """Somebody with an estate of one mailbox, whose incoming server is played and whose outgoing one is not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"PROBE_STATE_DIR": str(folder / "state")}

    def declare(self, port: int, name: str = "contoso-crm") -> None:
        (self.folder / "estate.toml").write_text(
            f'[deployment]\nname = "{name}"\nkind = "on-premises"\nversion = "9.1"\nruns_on = "windows-server-2019"\nfips = false\n'
            "mass_email = false\ncustom_email_providers = false\noutlook_on_the_web_tracking = false\noutlook_manual_tracking = false\n"
            '[[profile]]\nname = "branch"\nserver_type = "pop3-smtp"\ncredentials = "mailbox"\n'
            f'incoming = "pop3://localhost:{port}"\noutgoing = "smtp://localhost:1"\n'
            f'[[mailbox]]\naddress = "{ADDRESS}"\nprofile = "branch"\nincoming = "server-side"\noutgoing = "server-side"\nappointments = "none"\n'
        )

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return probe(command, "estate.toml", *arguments, cwd=self.folder, **self.environment)

    async def check(self) -> subprocess.CompletedProcess[str]:
        """One recorded run while the server answers."""
        async with playing(DOVECOT, implicit=False) as server:
            self.declare(server.port)
            return await asyncio.to_thread(self.run, "check", "--record", "--quiet", "--tls", "none", "--ca", str(authority().ca_file))

    def json(self, command: str, *arguments: str) -> Any:
        done = self.run(command, "--json", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path)


async def test_what_changed_is_told_with_the_words_of_the_server(user: User) -> None:
    """A server that is gone in the second run is drift of its endpoint, and of the mailbox behind it."""
    first = await user.check()
    assert "recorded; drift since before: 0" in first.stderr
    second = await asyncio.to_thread(user.run, "check", "--record", "--quiet", "--tls", "none", "--timeout", "5")
    assert "which probe drift shows" in second.stderr
    drift = user.json("drift", ADDRESS)
    assert drift["schema"] == "probe.drift/1"
    by_key = {change["key"]: change for change in drift["changes"]}
    ended = by_key["attempt:pop3-capabilities"]
    assert (ended["before"]["value"], ended["after"]["value"]) == ("completed", "refused")
    assert by_key["readiness.incoming"]["after"]["value"] == "not-ready"
    assert "endpoint-unreachable" in by_key["readiness.incoming"]["after"]["because"]
    text = user.run("drift", ADDRESS).stdout
    assert "how pop3-capabilities ends\n    from  completed" in text
    assert max(map(len, text.splitlines())) < 400
    history = user.json("history", ADDRESS.upper())
    assert history["about"] == ADDRESS
    assert [one["value"]["readiness"] for one in history["intervals"] if one["key"] == "assessment"] == ["not-ready", "not-ready"]


async def test_the_history_of_an_estate_and_of_an_endpoint(user: User) -> None:
    """Without a name each subject has a line; an endpoint has its intervals, and its transcripts where they are asked for."""
    await user.check()
    text = user.run("history").stdout
    assert any(line.startswith("smtp://localhost:1 ") for line in text.splitlines())
    url = next(one["subject"] for one in user.json("history")["subjects"] if one["subject"].startswith("pop3:"))
    told = user.run("history", url).stdout
    assert "server.product\n" in told
    assert "Dovecot" in told
    assert "tls.suites" not in told, "nothing was asked of it"
    assert user.json("history", url, "--show", "transcripts")["transcripts"] == [], "nothing failed there"
    (latency,) = user.json("history", url)["latencies"]
    assert (latency["span"], latency["looks"], latency["minimum"]) == ("hour", 1, latency["maximum"])
    assert "how long looks take" in told
    failed = user.json("history", "smtp://localhost:1", "--show", "transcripts")["transcripts"]
    assert failed[0]["outcome"] == "refused"


async def test_a_person_is_erased_and_a_deployment_renamed(user: User) -> None:
    """What is erased is known no more; what is renamed is known under the new name alone."""
    await user.check()
    erased = user.run("history", "--erase", ADDRESS)
    assert "1 whole runs are erased" in erased.stderr
    assert f"The estate still names {ADDRESS}" in erased.stderr
    assert user.run("history", ADDRESS).returncode == 2
    renamed = user.run("history", "--rename", "contoso-crm", "fabrikam")
    assert renamed.returncode == 0
    assert "nothing is known of deployment contoso-crm yet" in user.run("history").stderr
    assert user.run("history", "--rename", "contoso-crm", "fabrikam").returncode == 2


async def test_a_deployment_whose_service_runs_is_not_renamed(user: User) -> None:
    """A service would write under the old name again: renaming is refused while one has the state folder, and says what to do."""
    await user.check()
    with Folder(user.folder / "state").locked(SERVICE_LOCK):
        refused = await asyncio.to_thread(user.run, "history", "--rename", "contoso-crm", "fabrikam")
    assert refused.returncode == 2
    assert "stop it, rename, and start it with the new name" in " ".join(refused.stderr.split())
    assert user.run("history", "--rename", "contoso-crm", "fabrikam").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("drift", "--since", "tomorrow"), "'tomorrow' is no moment"),
        (("drift", "nobody@contoso.test"), "nothing is known of nobody@contoso.test"),
        (("drift", "--data", "postgresql://probe:hunter2@localhost/history"), "a password is never written here"),
        (("drift", "--data", "mysql://localhost/history"), "--data is sqlite, postgresql://USER@HOST/NAME"),
        (("drift", "--format", "text", "--data", "env:HISTORY_URL"), "does not begin with postgresql://"),
        (("history", ADDRESS, "--erase", ADDRESS), "not several"),
        (("check", "--data", "env:HISTORY_URL"), "it wants --record"),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else None,
)
def test_what_cannot_be_meant_is_refused(user: User, arguments: tuple[str, ...], said: str) -> None:
    """A mistake ends the command with 2, in one sentence, and repeats no password."""
    user.declare(1)
    user.environment["HISTORY_URL"] = "mysql://probe:hunter2@localhost/history"
    done = user.run(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_history_that_cannot_be_opened_is_found_before_anything_is_probed(user: User) -> None:
    """Nothing is probed where it could not be recorded."""
    user.declare(1)
    (user.folder / "state").mkdir(mode=0o700)
    (user.folder / "state" / DATABASE).write_text("a letter\n" * 100)
    (user.folder / "state" / DATABASE).chmod(0o600)
    done = user.run("check", "--record")
    assert (done.returncode, done.stdout) == (2, "")
    assert "file is not a database" in done.stderr


def test_the_history_is_in_postgresql_by_its_url(user: User, postgresql: Any) -> None:
    """The URL may lie in the environment; nothing is then written into the state folder but the memory."""
    user.declare(1)
    user.environment["HISTORY_URL"] = postgresql.new_schema()
    done = user.run("check", "--record", "--data", "env:HISTORY_URL", "--tls", "none")
    assert "recorded" in done.stderr, done.stderr
    assert not (user.folder / "state" / DATABASE).exists()
    assert any(one["subject"] == ADDRESS for one in user.json("history", "--data", "env:HISTORY_URL")["subjects"])


@pytest.mark.parametrize(
    "arguments", [("check", "estate.toml"), ("gate", "--score", "estate.toml"), ("history", "--help")], ids=lambda a: a[0]
)
def test_no_other_command_waits_for_the_history_s_library(user: User, arguments: tuple[str, ...]) -> None:
    """SQLAlchemy, which takes half a second to load, is loaded where the history is read or written alone."""
    user.declare(1)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "probe", *arguments],
        cwd=user.folder,
        env={**os.environ, **user.environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "probe.cli.history" in loaded
    assert not loaded & {"sqlalchemy", "alembic", "aiosqlite", "asyncpg", "probe.history"}


def test_a_gate_is_recorded_and_never_waits_for_that(user: User) -> None:
    """Its run is in the history without being asked; a history that cannot be written takes nothing from the answer, which stands before it."""
    user.declare(1)
    first = user.run("gate", ADDRESS, "--json", "--timeout", "5")
    document = json.loads(first.stdout)
    assert (first.returncode, document["mailboxes"][0]["answer"]) == (1, "no-go"), first.stderr
    assert any(one["subject"] == ADDRESS for one in user.json("history")["subjects"])
    (user.folder / "state" / DATABASE).write_bytes(b"no database" * 1000)
    second = user.run("gate", ADDRESS, "--json", "--timeout", "5")
    assert (second.returncode, json.loads(second.stdout)["mailboxes"][0]["answer"]) == (1, "no-go")
    assert "the run is not in the history: " in second.stderr


def test_sign_ins_that_are_barred_are_told(user: User) -> None:
    """Of the account that signs in for a mailbox, with the words of every other place; of nobody else."""
    user.declare(1)
    estate = user.folder / "estate.toml"
    estate.write_text(estate.read_text().replace('profile = "branch"\n', 'profile = "branch"\npassword = "env:SALES"\n'))
    now = datetime.now(UTC)
    memory = Memory(user.folder / "state")
    for username in (ADDRESS, "somebody@contoso.test"):
        identity = memory.identity(username, "Correct-Horse-7")
        assert memory.claim(identity, "pop3://localhost:110", now, timedelta(minutes=1)) is None
        memory.end(identity, Ending.REFUSED, now)
    memory.rest(memory.identity(ADDRESS, "Correct-Horse-7"), "smtp://localhost:1", timedelta(minutes=20), "it wants a pause", now)
    told = user.json("history", ADDRESS)["barred_sign_ins"]
    assert [one["username"] for one in told] == [ADDRESS] * 2
    assert "were refused by pop3://localhost:110" in told[0]["why"]
    assert told[1]["why"].startswith("it wants a pause; no login at smtp://localhost:1 is tried until ")
    text = user.run("history", ADDRESS).stdout
    assert f"sign-ins that are barred\n  {ADDRESS}: these credentials were refused" in text


@pytest.mark.parametrize("command", [("serve", "--listen", "127.0.0.1:0"), ("history",), ("check", "--record", "--quiet", "--tls", "none")])
def test_who_lacks_the_library_of_postgresql_is_told_which_extra_has_it(user: User, command: tuple[str, ...]) -> None:
    """Without asyncpg a command with a PostgreSQL ends with 2 before anything is probed, in one sentence that can be pasted; with SQLite none misses it."""
    user.declare(1)
    without = "import runpy, sys; sys.modules['asyncpg'] = None; runpy.run_module('probe', run_name='__main__', alter_sys=True)"
    arguments = [command[0], "estate.toml", *command[1:], "--data", "postgresql://probe@localhost/history"]
    done = subprocess.run(
        [sys.executable, "-c", without, *arguments],
        cwd=user.folder,
        env={**os.environ, **user.environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=100,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "PostgreSQL needs a library that is not installed: pip install 'd365-mail-probe[postgresql]'" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
