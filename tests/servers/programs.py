"""Finding a server's program, starting it in the foreground, waiting until it listens, and stopping it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

MinimumTls = Literal["TLSv1.2", "TLSv1.3"]
"""The least version that a server takes. Debian's OpenSSL and GnuTLS refuse what is older."""

ADDRESS = "127.0.0.1"

UNPACKED = Path(__file__).parents[2] / ".tests" / "unpacked"
"""Where tests/run unpacks the packages that apt would not install beside each other."""

# Servers start within one second here; the rest is for a machine that is busy with something else.
_READY_WITHIN = 30.0
# Asked to stop, Dovecot may wait 5 s for a child of its own; nothing here is worth waiting for, so that it is then killed.
_STOPS_WITHIN = 1.0
# A free port may be taken by somebody else between our look and the server's bind.
_TRIES = 3


class ServerMissing(Exception):
    """A server cannot be run on this machine; the message says which and why."""


class ServerBroken(Exception):
    """A server is here and did not start, or ended before its time; the message ends with its log."""


def find_program(name: str, server: str) -> Path:
    """The program of a server, installed or unpacked. Raises ServerMissing where there is none."""
    # Debian keeps servers in sbin, which is not on every user's path.
    folders = [os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", str(UNPACKED / "usr/sbin")]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None:
        raise ServerMissing(f"{server} is not installed")
    return Path(found)


def find_unpacked(path: str, server: str) -> Path:
    """A file of a server's package, unpacked or installed. Raises ServerMissing where there is none."""
    found = next((root / path for root in (UNPACKED, Path("/")) if (root / path).exists()), None)
    if found is None:
        raise ServerMissing(f"{server} is not installed")
    return found


def library_path(root: Path) -> str:
    """Where the libraries lie that servers' packages bring with them, below a root folder; as the loader wants to be told."""
    return os.pathsep.join(str(folder) for folder in (root / "usr/lib", *sorted((root / "usr/lib").glob("*-linux-gnu*"))))


def free_ports(number: int) -> list[int]:
    """Ports of the loopback address that nobody listens on, all different."""
    listeners = [socket.create_server((ADDRESS, 0)) for _ in range(number)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


@contextmanager
def running(
    server: str,
    ports: int,
    configure: Callable[[Path, list[int]], Sequence[str]],
    *,
    environment: Mapping[str, str] | None = None,
) -> Iterator[list[int]]:
    """A server that runs for as long as the context is open, in a folder that is gone afterwards; yields its ports.

    `configure` is given the folder and as many free ports as were asked for, writes the configuration and returns
    the command, which must stay in the foreground.
    """
    # A short path of its own, not pytest's: a Unix socket's path has at most 108 bytes (unix(7)), and servers that
    # give up root must be able to enter it.
    folder = Path(tempfile.mkdtemp(prefix=f"probe-{server.lower()}-"))
    folder.chmod(0o755)
    try:
        chosen, process = _start(server, folder, ports, configure, environment or {})
        try:
            yield chosen
        finally:
            _stop(server, process, folder)
    finally:
        shutil.rmtree(folder)


def _start(
    server: str, folder: Path, number: int, configure: Callable[[Path, list[int]], Sequence[str]], environment: Mapping[str, str]
) -> tuple[list[int], subprocess.Popen[bytes]]:
    for _ in range(_TRIES):
        ports = free_ports(number)
        command = configure(folder, ports)
        with (folder / "output.log").open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # a group of its own, so that no child can be left behind
            )
        if _is_ready(process, ports):
            return ports, process
        _end_group(process)
        if "in use" not in _log(folder):
            break
    raise ServerBroken(f"{server} did not start: {_log(folder)}")


def _is_ready(process: subprocess.Popen[bytes], ports: Sequence[int]) -> bool:
    """Whether the server takes connections on every port before it ends or the deadline passes."""
    deadline = time.monotonic() + _READY_WITHIN
    waiting = list(ports)
    while time.monotonic() < deadline:
        waiting = [port for port in waiting if not listens(port)]
        try:
            process.wait(timeout=0.02)
        except subprocess.TimeoutExpired:
            if not waiting:
                return True
        else:
            return False
    return False


def listens(port: int) -> bool:
    """Whether somebody takes connections on a port of the loopback address."""
    try:
        socket.create_connection((ADDRESS, port), timeout=1).close()
    except OSError:
        return False
    return True


def _stop(server: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    died = process.poll()
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_STOPS_WITHIN)
    _end_group(process)
    if died is not None:
        raise ServerBroken(f"{server} died with {died} before it was stopped: {_log(folder)}")


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends what is left of the server's process group, and waits for the server itself."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _log(folder: Path) -> str:
    """The end of everything that the server logged."""
    logs = sorted(folder.glob("*.log"))
    return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-4000:]}" for log in logs)
