"""However a run is ended from outside, it takes its children along, and no proof of a password leaves after it."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.net.ews_stub import PASSWORD, EwsStub, Reply, run_ews_stub
from tests.servers.certificates import ServerCertificate

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")

MARK = "PROBE_TEST_MARK"
GONE_SECONDS = 2.0
"""Within which every process of a run has ended after its first."""

ESTATE = """
[deployment]
name = "contoso"
kind = "on-premises"
version = "9.1"
runs_on = "windows-server-2019"
fips = false
mass_email = false
custom_email_providers = false
outlook_on_the_web_tracking = false
outlook_manual_tracking = false
allow = ["logs-in"]

[[profile]]
name = "corp"
server_type = "exchange-server"
incoming = "{url}"
authentication = "{authentication}"
credentials = "profile"
username = "CONTOSO\\\\svc-crm"
password = "env:STUB_PASSWORD"
impersonation = true

[[mailbox]]
address = "sales@contoso.test"
profile = "corp"
location = "on-premises"
incoming = "server-side"
outgoing = "server-side"
appointments = "none"
"""


@pytest.fixture
def ews(server_certificate: ServerCertificate, tmp_path: Path) -> Iterator[EwsStub]:
    with run_ews_stub(server_certificate, tmp_path) as stub:
        yield stub


class Check:
    """A `probe check` under way, whose processes all carry a mark in their environment."""

    def __init__(self, process: subprocess.Popen[bytes], mark: str, folder: Path) -> None:
        self.process = process
        self._folder = folder
        self._mark = f"{MARK}={mark}".encode()

    def processes(self) -> list[int]:
        """Those that still run; what has ended has no environment left."""
        found = []
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and self._mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
            except OSError:
                continue
        return found

    def gone_after(self) -> float:
        """Seconds until none of them runs, or a little more than they may take."""
        began = time.monotonic()
        while self.processes() and time.monotonic() - began < GONE_SECONDS + 1:
            time.sleep(0.02)  # there is no event for the end of processes that one does not know
        return time.monotonic() - began

    def written(self, stream: str = "out") -> str:
        """What it has written to standard output, or to standard error."""
        return (self._folder / stream).read_text()

    def complaints(self) -> list[str]:
        """What it has written to standard error, but for the notice that a folder here does not last, where /tmp is in memory."""
        return [line for line in self.written("err").splitlines() if "which is not persistent" not in line]

    def memory_is_intact(self) -> bool:
        """Whether what is remembered can still be read."""
        for file in (self._folder / "state").glob("*.sqlite*"):
            if not file.name.endswith(("-wal", "-shm", "-journal")):
                with closing(sqlite3.connect(file)) as database:
                    if database.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                        return False
        return True


@contextmanager
def checking(ews: EwsStub, folder: Path, authentication: str = "ntlm", *before: str, out: int | None = None) -> Iterator[Check]:
    ews.challenges = ("NTLM",) if authentication == "ntlm" else ('Basic realm="mail"',)
    estate = folder / "estate.toml"
    estate.write_text(ESTATE.format(url=ews.url, authentication=authentication))
    mark = os.urandom(8).hex()
    environment = {**os.environ, MARK: mark, "STUB_PASSWORD": PASSWORD, "PROBE_STATE_DIR": str(folder / "state")}
    arguments = ["check", str(estate), "--json", "--tls", "none", "--timeout", "30", "--ca", ews.ca_file]
    with (
        (folder / "out").open("wb") as file,
        (folder / "err").open("wb") as err,
        subprocess.Popen(
            [*before, sys.executable, "-m", "probe", *arguments],
            stdout=file if out is None else out,
            stderr=err,
            env=environment,
            start_new_session=True,
        ) as process,
    ):
        check = Check(process, mark, folder)
        try:
            yield check
        finally:
            for pid in (process.pid, *check.processes()):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue


def wait_for_logon(ews: EwsStub) -> None:
    end = time.monotonic() + 30
    while not ews.logons:
        assert time.monotonic() < end, "nobody signed in"
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_the_children_end_with_the_run(ews: EwsStub, tmp_path: Path, number: signal.Signals) -> None:
    """By whatever signal a run ends while its child waits for an answer, all of its processes are gone within two seconds."""
    ews.answer = Reply(200, silent=True)
    with checking(ews, tmp_path, "basic") as check:
        wait_for_logon(ews)
        assert len(check.processes()) > 2
        check.process.send_signal(number)
        assert check.gone_after() < GONE_SECONDS
        assert check.memory_is_intact()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_no_proof_leaves_after_the_end(ews: EwsStub, tmp_path: Path, number: signal.Signals) -> None:
    """Where a run ends between the first and the third message of NTLM, the third is never sent."""
    with checking(ews, tmp_path) as check:

        def end() -> None:
            check.process.send_signal(number)
            check.process.wait(timeout=10)

        ews.before_challenge = end
        check.process.wait(timeout=60)
        assert check.gone_after() < GONE_SECONDS
    assert ews.logons == 0


@pytest.mark.parametrize("seed", range(6))
def test_at_any_moment(ews: EwsStub, tmp_path: Path, seed: int) -> None:
    """A run that is ended at any moment, be it while its fork server loads, leaves no process, and a memory that can be read."""
    chance = random.Random(seed)
    ews.answer = Reply(200, silent=True)
    with checking(ews, tmp_path) as check:
        with pytest.raises(subprocess.TimeoutExpired):
            check.process.wait(timeout=chance.uniform(0.0, 4.0))
        check.process.send_signal(chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGHUP]))
        assert check.gone_after() < GONE_SECONDS
        logons = ews.logons
        assert check.memory_is_intact()
    assert ews.logons == logons


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_asks_for_an_end_still_prints_what_was_learnt(ews: EwsStub, tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C, a service manager and a closed terminal alike: exit code 130, with the document of what is known until then."""
    ews.answer = Reply(200, silent=True)
    with checking(ews, tmp_path, "basic") as check:
        wait_for_logon(ews)
        check.process.send_signal(number)
        assert (check.process.wait(timeout=30), check.complaints()) == (130, [])
        document = json.loads(check.written())
    assert document["interrupted"] is True
    assert {a["outcome"] for a in document["attempts"] if a["prober"] == "ews-inbox"} == {"interrupted"}


def test_nobody_who_does_not_read_holds_the_end(ews: EwsStub, tmp_path: Path) -> None:
    """A run that was asked for its end leaves what it has to tell where its reader takes nothing, and is gone."""
    ews.answer = Reply(200, silent=True)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b" " * 4096)
    os.set_blocking(writer, True)
    with checking(ews, tmp_path, "basic", out=writer) as check:
        wait_for_logon(ews)
        check.process.send_signal(signal.SIGTERM)
        assert check.gone_after() < GONE_SECONDS
        assert check.process.wait() == 130
    os.close(reader)
    os.close(writer)


def test_a_signal_that_was_ignored_stays_so(ews: EwsStub, tmp_path: Path) -> None:
    """Under nohup(1) a run goes on when its terminal is closed, and its children too."""
    with checking(ews, tmp_path, "ntlm", "nohup") as check:
        ews.before_challenge = lambda: os.killpg(check.process.pid, signal.SIGHUP)
        check.process.wait(timeout=60)
        assert json.loads(check.written())["interrupted"] is False
    assert ews.logons == 1


def test_no_core_file_is_written(ews: EwsStub, tmp_path: Path) -> None:
    """Neither the program nor any of its children leaves its memory in a file when it crashes."""
    ews.answer = Reply(200, silent=True)
    with checking(ews, tmp_path, "basic") as check:
        wait_for_logon(ews)
        for pid in check.processes():
            limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
            (core,) = [line.split() for line in limits if line.startswith("Max core file size")]
            assert core[4:6] == ["0", "0"]
