"""Tests of the commands where standard output and standard error are not what one would wish: real processes."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import shlex
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from probe.cli.streams import NotWritten, write_file
from probe.simulation.dynamics.organization import Organization
from tests.config.estates import DEPLOYMENT
from tests.hostile import closed_port
from tests.simulation.dynamics.world import PASSWORD, READER, server

PROBE = f"{shlex.quote(sys.executable)} -m probe"
CANNOT = "Error: the result cannot be written: "


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it by the shell, which can close what a process is given; its streams are buffered, as they are for most people."""
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        ["/bin/sh", "-c", command],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=100,
        stdin=subprocess.DEVNULL,
        env={**buffered, **environment},
        check=False,
    )


def refused() -> str:
    return f"pop3://127.0.0.1:{closed_port()}"


@pytest.mark.parametrize(
    ("command", "redirected"),
    [
        ("look URL", ">&-"),
        ("look URL", "<&- >&-"),
        ("look URL", ">/dev/full"),
        ("look --json URL", ">/dev/full"),
        ("rules", ">/dev/full"),
        ("schema", ">&-"),
        ("init -", ">/dev/full"),
        ("--help", ">&-"),
        ("--help", ">/dev/full"),
        ("--version", ">/dev/full"),
    ],
)
def test_a_result_that_cannot_be_written_is_a_failure_in_words(command: str, redirected: str) -> None:
    """Where standard output is closed or full, one line says so, and the exit code is 70: something was probed."""
    done = shell(f"{PROBE} {command.replace('URL', refused())} {redirected}")
    assert done.returncode == 70
    assert done.stderr.startswith(CANNOT)
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_cannot_be_written_is_told_so() -> None:
    """A result that does not fit on the disk is exit code 70 too."""
    done = shell(f"{PROBE} look {refused()} --output /dev/full")
    assert (done.returncode, done.stderr) == (70, f"{CANNOT}No space left on device\n")


@pytest.mark.parametrize("redirected", ["2>&-", "2>/dev/full"])
@pytest.mark.parametrize(("command", "code"), [("look URL", 3), ("rules", 0), ("look ftp://x", 2), ("check no-such-file", 2)])
def test_nothing_needs_standard_error(command: str, code: int, redirected: str) -> None:
    """Where standard error is closed or full, the result and the exit code are as ever."""
    done = shell(f"{PROBE} {command.replace('URL', refused())} {redirected}")
    assert done.returncode == code
    assert bool(done.stdout) is (code != 2)
    assert "Traceback" not in done.stdout


def test_with_both_closed_the_exit_code_still_tells() -> None:
    """With nowhere to say anything, the exit code alone says that the result is lost."""
    assert shell(f"{PROBE} look {refused()} >&- 2>&-").returncode == 70


@pytest.mark.parametrize(("command", "code"), [("look --json URL", 3), ("rules", 0), ("schema", 0)])
def test_a_reader_that_has_seen_enough_changes_no_verdict(command: str, code: int) -> None:
    """A closed pipe is quiet, and the exit code is the one that the result calls for."""
    reader, writer = os.pipe()
    os.close(reader)
    arguments = command.replace("URL", refused()).split()
    done = subprocess.run(
        [sys.executable, "-m", "probe", *arguments],
        stdout=writer,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        timeout=100,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (code, b"")


def on_terminal(command: str, columns: int, code: int = 3, **environment: str) -> str:
    """What a terminal is given, standard output and standard error together."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    process = subprocess.Popen(
        [sys.executable, "-m", "probe", *shlex.split(command)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**clean, "TERM": "xterm", **environment},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not more:
            break
        shown += more
    os.close(ours)
    assert process.wait(60) == code
    return shown.decode()


def test_a_terminal_has_colours_unless_somebody_objects() -> None:
    """NO_COLOR counts where it is not empty, as its definition says; a dumb terminal gets neither colours nor progress."""
    bold = "\x1b[1m"
    assert bold in on_terminal(f"look {refused()}", 80, NO_COLOR="")
    assert bold not in on_terminal(f"look {refused()}", 80, NO_COLOR="1")
    dumb = on_terminal(f"look {refused()}", 80, TERM="dumb")
    assert "\x1b" not in dumb
    assert dumb.startswith("1 endpoint")


ESTATE_OF_DYNAMICS = (
    DEPLOYMENT
    + """
[dynamics]
url = "http://127.0.0.1:{port}/Contoso"
plain_http = true
authentication = "ntlm"
username = '{username}'
password = "env:CRM"

[[profile]]
name = "corp"
server_type = "exchange-server"
incoming = "https://127.0.0.1:{closed}/EWS/Exchange.asmx"
credentials = "server-to-server"

[[mailbox]]
address = "sales@contoso.test"
profile = "corp"
incoming = "server-side"
outgoing = "none"
appointments = "none"
"""
)


async def test_a_terminal_shows_how_many_mailboxes_of_dynamics_have_come(tmp_path: Path) -> None:
    """While a check lists them; where nobody looks on, nothing of it is written."""
    organization = Organization()
    for number in range(3):
        organization.add_mailbox(f"box{number}@contoso.test")
    async with server(organization) as site:
        file = tmp_path / "estate.toml"
        file.write_text(ESTATE_OF_DYNAMICS.format(port=site.port, username=READER.name, closed=closed_port()), "utf-8")
        ours = {"CRM": PASSWORD, "PROBE_STATE_DIR": str(tmp_path / "state")}
        command = f"check {file} --tls none"
        shown = await asyncio.to_thread(on_terminal, command, 80, 1, **ours)
        quiet = await asyncio.to_thread(on_terminal, f"{command} --quiet", 80, 1, **ours)
    assert "mailboxes of Dynamics" in shown
    assert "3/?" in shown
    assert "mailboxes of Dynamics" not in quiet


def test_a_terminal_that_does_not_know_its_width_counts_as_80_columns() -> None:
    """Some consoles say that they have no columns at all; the report is then made for 80."""
    wide = on_terminal(f"look --quiet {refused()} --show transcripts --no-color", 0)
    assert "=" * 80 in wide.splitlines()
    assert "=" * 60 in on_terminal(f"look --quiet {refused()} --show transcripts --no-color", 40).splitlines()


def test_a_file_is_seen_whole_or_as_it_was(tmp_path: Path) -> None:
    """node_exporter reads at any moment: until the last word of a result is there, the file has what it had; it keeps its mode, and a link to it stays one."""
    file, link = tmp_path / "probe.prom", tmp_path / "link.prom"
    file.write_text("old\n", encoding="utf-8")
    file.chmod(0o640)
    link.symlink_to(file.name)
    meanwhile: list[str] = []

    def pieces() -> Iterator[str]:
        yield "new\n"
        meanwhile.append(file.read_text(encoding="utf-8"))
        assert [path.name for path in tmp_path.glob("*.prom") if path not in (file, link)] == []
        yield "newer\n"

    write_file(link, pieces())
    assert meanwhile == ["old\n"]
    assert file.read_text(encoding="utf-8") == "new\nnewer\n"
    assert (link.is_symlink(), file.stat().st_mode & 0o777) == (True, 0o640)
    assert {path.name for path in tmp_path.iterdir()} == {"probe.prom", "link.prom"}


@pytest.mark.parametrize(
    ("failure", "raised"), [(OSError(28, "No space left on device"), NotWritten), (KeyboardInterrupt(), KeyboardInterrupt)]
)
def test_a_file_that_cannot_be_written_to_its_end_stays_as_it_was(
    tmp_path: Path, failure: BaseException, raised: type[BaseException]
) -> None:
    """On a full disk, say, the last result stays, and nothing lies beside it."""
    file = tmp_path / "probe.prom"
    file.write_text("old\n", encoding="utf-8")

    def pieces() -> Iterator[str]:
        yield "new\n"
        raise failure

    with pytest.raises(raised):
        write_file(file, pieces())
    assert file.read_text(encoding="utf-8") == "old\n"
    assert list(tmp_path.iterdir()) == [file]


def test_what_is_no_regular_file_is_written_as_it_comes(tmp_path: Path) -> None:
    """A FIFO has its reader, and stays one."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(fifo, ["new\n"])
        assert os.read(reader, 100) == b"new\n"
    finally:
        os.close(reader)
    assert fifo.is_fifo()
