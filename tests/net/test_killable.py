"""Functions in child processes that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import time
import warnings
from pathlib import Path

import pytest

from probe.model.attempts import Outcome
from probe.model.estate import Secret
from probe.net import lifeline
from probe.net.failures import ChildKilled, expected
from probe.net.killable import GRACE_SECONDS, OVERSTAYED, ChildDied, Children, _answer

SECONDS = 30.0
"""Ample, since the first child waits for its libraries."""


def double(number: int) -> int:
    return 2 * number


def own_pid(_: None) -> int:
    return os.getpid()


def hang(port: int) -> None:
    """Reports for duty, and never comes back."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(struct.pack("!I", os.getpid()))
        while True:
            time.sleep(60)


def hang_deaf(port: int) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hang(port)


def wait_for_leave(port: int) -> None:
    """Reports for duty, and comes back when it is let go."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(struct.pack("!I", os.getpid()))
        line.recv(1)


def raise_secret(secret: str) -> None:
    raise KeyError(secret)


def return_function(_: None) -> object:
    return lambda: None


def exit_with(code: int) -> None:
    os._exit(code)


def die_by(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(60)


def raise_exit(code: int) -> None:
    sys.exit(code)


def blocked_signals(_: None) -> list[int]:
    return sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ()))


def is_running(pid: int) -> bool:
    """Whether a process exists, be it as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class RollCall:
    """Where children report for duty. `async with` it."""

    def __init__(self, together: int = 1) -> None:
        self._together = asyncio.Barrier(together)
        self._present = 0
        self.pids: asyncio.Queue[int] = asyncio.Queue()
        self.most = 0
        """How many were there at the same time."""

    async def __aenter__(self) -> RollCall:
        self._server = await asyncio.start_server(self._reported, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _reported(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (pid,) = struct.unpack("!I", await reader.readexactly(4))
        self._present += 1
        self.most = max(self.most, self._present)
        self.pids.put_nowait(pid)
        await self._together.wait()
        self._present -= 1
        writer.close()


async def test_a_result_comes_back() -> None:
    """What the function returns in its child is what the caller gets."""
    async with Children() as children:
        assert await children.run(double, 21, seconds=SECONDS) == 42


async def test_nothing_is_started_unused() -> None:
    """Children that are never asked for are never started."""
    async with Children() as children:
        assert children is not None
    assert not [p for p in multiprocessing.active_children() if p.name.startswith("pebble")]


async def test_a_child_is_used_again_and_gone_at_the_end() -> None:
    """A child that behaved serves the next call, and has ended when the block has."""
    async with Children() as children:
        first = await children.run(own_pid, None, seconds=SECONDS)
        assert await children.run(own_pid, None, seconds=SECONDS) == first != os.getpid()
    assert not is_running(first)


async def test_no_more_than_the_limit_at_once() -> None:
    """As many calls as the limit says have a child at the same time, and no more."""
    async with RollCall(together=2) as roll, Children(limit=2) as children, asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(children.run(wait_for_leave, roll.port, seconds=SECONDS))
    assert roll.most == 2


async def test_the_deadline_kills() -> None:
    """A call that is not done by its deadline raises TimeoutError, and its child is gone by then."""
    async with RollCall() as roll, Children() as children:
        await children.run(double, 1, seconds=SECONDS)
        with pytest.raises(TimeoutError, match=r"no result within 0\.5 s"):
            await children.run(hang, roll.port, seconds=0.5)
        assert not is_running(roll.pids.get_nowait())
        assert await children.run(double, 2, seconds=SECONDS) == 4


async def test_the_deadline_kills_the_deaf() -> None:
    """A child that ignores the polite signal is killed all the same."""
    async with RollCall() as roll, Children() as children:
        await children.run(double, 1, seconds=SECONDS)
        with pytest.raises(TimeoutError):
            await children.run(hang_deaf, roll.port, seconds=0.5)
        assert not is_running(roll.pids.get_nowait())


async def test_waiting_for_a_turn_costs_no_time() -> None:
    """A call that waits longer for its turn than it may take still comes to its result."""
    async with Children(limit=1) as children:
        await children.run(double, 1, seconds=SECONDS)
        async with children.turn():
            waiting = asyncio.ensure_future(children.run(double, 4, seconds=2.0))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(waiting), timeout=2.2)
        assert await waiting == 8


async def test_cancelling_kills() -> None:
    """When the caller is cancelled, the child is gone as soon as the caller is."""
    async with RollCall() as roll, Children() as children:
        call = asyncio.ensure_future(children.run(hang, roll.port, seconds=SECONDS))
        pid = await roll.pids.get()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not is_running(pid)


async def test_cancelling_while_the_child_starts() -> None:
    """A caller who is cancelled before the child is up leaves nothing behind."""
    async with Children() as children:
        call = asyncio.ensure_future(children.run(double, 1, seconds=SECONDS))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert not [p for p in multiprocessing.active_children() if p.name.startswith("pebble")]


async def test_a_child_that_exits_is_told_in_words() -> None:
    """A child that ends without a result is told with its exit code."""
    async with Children() as children:
        with pytest.raises(ChildDied, match="ended with exit code 3"):
            await children.run(exit_with, 3, seconds=SECONDS)


@pytest.mark.parametrize(
    ("number", "words"), [(signal.SIGKILL, "ended by SIGKILL"), (signal.SIGTERM, "ended by SIGTERM"), (40, "signal 40")]
)
async def test_a_child_that_is_killed_from_outside_is_no_bug(number: int, words: str) -> None:
    """A child that the system or an administrator ends was interrupted; the signal is told by its name where it has one."""
    async with Children() as children:
        with pytest.raises(ChildKilled, match=words) as killed:
            await children.run(die_by, int(number), seconds=SECONDS)
    named = expected(killed.value)
    assert named is not None
    assert named[0] is Outcome.INTERRUPTED


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
async def test_a_child_that_crashes_is_a_bug(number: int) -> None:
    """A signal that a process brings upon itself is ours to answer for."""
    async with Children() as children:
        with pytest.raises(ChildDied, match=f"ended by {signal.Signals(number).name}") as died:
            await children.run(die_by, int(number), seconds=SECONDS)
    assert expected(died.value) is None


async def test_an_exception_keeps_its_words_to_itself() -> None:
    """Of an exception in the child only the type's name comes over, neither its words nor its traceback."""
    async with Children() as children:
        with pytest.raises(ChildDied) as died:
            await children.run(raise_secret, "marked-secret", seconds=SECONDS)
    assert str(died.value) == "the child process ran into KeyError"
    assert died.value.__cause__ is None
    assert "marked-secret" not in repr(died.value.__context__)


async def test_an_exit_in_the_function_is_no_result() -> None:
    """A function that asks for the program's exit is told as one that failed."""
    async with Children() as children:
        with pytest.raises(ChildDied, match="SystemExit"):
            await children.run(raise_exit, 0, seconds=SECONDS)


async def test_a_result_that_cannot_be_pickled_is_no_result() -> None:
    """A function that returns what cannot be pickled is told as one that failed."""
    async with Children() as children:
        with pytest.raises(ChildDied, match="the child process ran into"):
            await children.run(return_function, None, seconds=SECONDS)


async def test_an_argument_that_cannot_be_pickled_is_told_at_once() -> None:
    """A secret in its wrapping does not cross over, and no child is started for it."""
    async with Children() as children:
        with pytest.raises(TypeError, match="a secret cannot be pickled"):
            await children.run(double, Secret("s"), seconds=SECONDS)  # type: ignore[arg-type]


def test_what_runs_in_the_child_returns_bytes() -> None:
    """A result crosses over pickled, and of an exception no more than its type's name does."""
    assert pickle.loads(_answer(pickle.dumps((double, 4)), SECONDS)) == 8
    assert b"marked-secret" not in _answer(pickle.dumps((raise_secret, "marked-secret")), SECONDS)


def test_a_child_outlives_its_deadline_by_little() -> None:
    """A child whose parent is gone ends itself a little after its deadline."""
    program = (
        "import pickle, sys, time; from probe.net.killable import _answer; _answer(pickle.dumps((time.sleep, 100)), float(sys.argv[1]))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(0.1 - GRACE_SECONDS)], timeout=60, check=False)
    assert done.returncode == OVERSTAYED


PROGRAM = """
    import asyncio
    from probe.net.killable import Children
    from tests.net.test_killable import RollCall, hang

    async def main():
        async with RollCall() as roll:
            children = Children()
            call = asyncio.ensure_future(children.run(hang, roll.port, seconds=100))
            print(await roll.pids.get(), flush=True)
            {ending}

    if __name__ == "__main__":
        asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("ending", "code"),
    [("call.cancel()", 0), ("raise SystemExit(5)", 5), ("asyncio.get_running_loop().stop(); await asyncio.sleep(100)", 1)],
    ids=["cancelled", "exit", "loop stopped"],
)
def test_a_hung_child_does_not_hold_the_exit(ending: str, code: int, tmp_path: Path) -> None:
    """A program that ends while a child hangs ends soon, and takes the child along, even where the block was not left."""
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM.format(ending=ending)))
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", program],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "ResourceWarning" not in done.stderr
    assert "leaked" not in done.stderr
    assert not is_running(int(done.stdout))


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="Windows has no such masks, nor a fork server")
async def test_the_terminals_interrupt_is_not_for_the_children() -> None:
    """Ctrl-C reaches every process of the terminal; the fork server and the children do not see it, and print nothing of it."""
    async with Children() as children:
        assert signal.SIGINT in await children.run(blocked_signals, None, seconds=SECONDS)


def say_much(secret: str) -> None:
    """Says it by every way that a library has."""
    sys.stdout.write(secret)
    sys.stdout.flush()
    sys.stderr.write(secret)
    sys.stderr.flush()
    os.write(1, secret.encode())
    os.write(2, secret.encode())
    logging.getLogger("some.library").critical(secret)
    warnings.warn(secret, stacklevel=1)


async def test_children_are_silent(capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing that is printed, logged or warned of in a child reaches the parent's standard output or standard error."""
    async with Children() as children:
        await children.run(say_much, "marked-secret", seconds=SECONDS)
    assert capfd.readouterr() == ("", "")


def pipes_of(pid: int | str) -> set[str]:
    """The pipes that a process may write to."""
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # the one that this very listing used
            flags = int(Path(f"/proc/{pid}/fdinfo/{entry.name}").read_text().partition("flags:")[2].split()[0], 8)
            if entry.readlink().name.startswith("pipe:") and flags & os.O_ACCMODE == os.O_WRONLY:
                found.add(entry.readlink().name)
    return found


def lifeline_pipe(_: None) -> tuple[int, str]:
    """This child's process identifier, and the pipe by which it is held."""
    assert lifeline._line is not None
    return os.getpid(), Path(f"/proc/self/fd/{lifeline._line.fileno()}").readlink().name


@pytest.mark.skipif(sys.platform != "linux", reason="open files are looked up in /proc")
async def test_the_parent_alone_holds_the_lifelines() -> None:
    """The end of the pipe whose closing ends a child is open in the parent, and neither in the fork server nor in any child."""
    async with RollCall() as roll, Children() as children:
        call = asyncio.ensure_future(children.run(hang, roll.port, seconds=SECONDS))
        other = await roll.pids.get()
        pid, pipe = await children.run(lifeline_pipe, None, seconds=SECONDS)
        server = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        assert pipe in pipes_of("self")
        for process in (pid, other, server):
            assert pipe not in pipes_of(process)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork server")
async def test_a_child_ends_with_its_fork_server() -> None:
    """A child whose fork server is killed is gone with it, and was ended from outside."""
    async with RollCall() as roll, Children() as children:
        call = asyncio.ensure_future(children.run(hang, roll.port, seconds=SECONDS))
        pid = await roll.pids.get()
        os.kill(int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)
        with pytest.raises((ChildKilled, ChildDied)):
            await call
        assert await children.run(double, 2, seconds=SECONDS) == 4
