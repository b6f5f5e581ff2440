"""Runs a function in a child process that can be killed, for libraries that cannot be stopped otherwise.

A thread that hangs in a library cannot be ended, and would hold a slot, a connection and the program's exit. A
child can. Each child has a pebble pool of its own, with one worker: killing it then disturbs no other, as it would
where several share one pipe and its locks. Children are started when first needed, used again while they behave,
and killed when a task overruns, is cancelled, or fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from probe.model.values import dataclass
from probe.net import lifeline
from probe.net.failures import ChildKilled
from probe.net.lifeline import PARENT_VARIABLE
from probe.net.threads import in_thread, settle

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

_log = logging.getLogger(__name__)

A = TypeVar("A")
R = TypeVar("R")

LIMIT = 7
"""Children at a time. With seven that hang in a sign-in the whole program was measured at 164 MB, 11 MB for each (PSS, Python 3.11, 2026-11);
more would not be faster on two cores."""
KILL_SECONDS = 5.0
"""How long a kill is waited for: pebble waits 3 s after SIGTERM before it sends SIGKILL. Past that, the exit of the program does it."""
UNSTARTED_SECONDS = 0.2
"""The same for a child that there is not yet: it is killed as it comes, and holds nothing. The exit of the program takes the fork server along."""
GRACE_SECONDS = 5.0
"""How long after its deadline a child ends itself, should nobody be left to kill it."""
PRELOADED = "probe.net.fork_server"
"""What the fork server loads once, so that its children share the memory. The program's own main module is left out: Python would load it
first, before the server is bound to its parent."""

OVERSTAYED = 124
"""Exit code of a child that ended itself, as of timeout(1)."""

_OURS = {getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)}
"""What a terminal sends to every process that it has. It is for the parent, which then ends its children."""

_CRASHES = {
    getattr(signal, name) for name in ("SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP") if hasattr(signal, name)
}
"""Signals that a process brings upon itself by what it does."""


class ChildDied(Exception):
    """The child ended without a result, or the function raised what it should not. Never holds words of the function: they may hold secrets.

    It counts as a bug, because what runs in a child is ours: it crashed, it left by itself, or it raised what it should have
    told. A child that was killed from outside is no bug, and is ChildKilled; Windows does not tell the two apart, so there both are this.
    """


@dataclass(frozen=True, slots=True)
class _Raised:
    """The function raised something: only its type's name crosses over."""

    type_name: str


class Children:
    """At most so many child processes at a time. `async with` it: leaving kills them all."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._turns = asyncio.Semaphore(limit)
        self._idle: list[_Child] = []
        self._dying: set[asyncio.Future[None]] = set()

    async def run(self, function: Callable[[A], R], argument: A, *, seconds: float) -> R:
        """The result of a module-level function for an argument, in a child. The time begins when a child is free.

        Both the argument and the result are pickled. Raises TimeoutError once the time is over, ChildKilled where
        somebody else killed the child, and ChildDied where there is no result for another reason. By then the child has been
        killed, as it is when the caller is cancelled.
        """
        async with self.turn() as turn:
            return await turn.run(function, argument, seconds=seconds)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[ChildLease]:
        """Waits until a child is free. For callers whose clock must stand still meanwhile."""
        if self._turns.locked():
            _log.debug("waits for a child process")
        async with self._turns:
            yield ChildLease(self)

    async def __aenter__(self) -> Children:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        while self._idle:
            self._begin_to_kill(self._idle.pop())
        if self._dying:
            # If this is cancelled meanwhile, the threads go on killing.
            await asyncio.wait(self._dying, timeout=KILL_SECONDS)

    async def _run(self, payload: bytes, seconds: float) -> Any:
        _ensure_fork_server()
        is_new = not self._idle
        child = _Child() if is_new else self._idle.pop()
        _log.info("child process starts" if is_new else "child process is used again", extra={"seconds": round(seconds, 3)})
        try:
            async with asyncio.timeout(seconds):
                result = await child.call(payload, seconds)
        except BaseException as failed:
            _log.info("child process is killed", extra={"after": type(failed).__name__})
            await asyncio.wait({self._begin_to_kill(child)}, timeout=KILL_SECONDS if child.is_started else UNSTARTED_SECONDS)
            if isinstance(failed, TimeoutError):
                raise TimeoutError(f"no result within {seconds:.3g} s") from None
            raise
        self._idle.append(child)
        return result

    def _begin_to_kill(self, child: _Child) -> asyncio.Future[None]:
        # Held here rather than by the caller, who may be cancelled while it waits.
        dying = in_thread(child.kill, "probe-child")
        if child.is_started:
            self._dying.add(dying)
            dying.add_done_callback(self._dying.discard)
        return dying


class ChildLease:
    """The right to use one child."""

    def __init__(self, children: Children) -> None:
        self._children = children

    async def run(self, function: Callable[[A], R], argument: A, *, seconds: float) -> R:
        """As `Children.run`."""
        import pickle  # here and below, as multiprocessing is: most runs want no child

        # Pickled here, so that what cannot be pickled is told to the caller, and nothing of it to anybody else.
        payload = pickle.dumps((function, argument))
        return cast("R", await self._children._run(payload, seconds))


class _Child:
    """One child process, not started before its first call."""

    def __init__(self) -> None:
        self.is_started = False
        """Whether there is a process, which the fork server makes once it has loaded its modules."""
        # Imported when a child is first wanted: most runs want none.
        from pebble import ProcessPool

        context = _context()
        # Closed with the child at the latest, and by the system with this process.
        self._their_end, self._our_end = context.Pipe(duplex=False)
        self._pool = ProcessPool(max_workers=1, context=context, initializer=lifeline.hold, initargs=(self._their_end,))

    async def call(self, payload: bytes, seconds: float) -> Any:
        """What the function in the payload returns. Raises ChildDied and ChildKilled."""
        import pickle

        from pebble import ProcessExpired

        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()
        # Not `asyncio.wrap_future`: it would cancel the pool's future, whose result may be on its way at that moment.
        # In a thread of its own, since the first one waits a second or two for the fork server to load its modules.
        job = await in_thread(lambda: cast("Future[bytes]", self._pool.schedule(_answer, args=(payload, seconds))), "probe-child")
        self.is_started = True
        job.add_done_callback(lambda done: settle(loop, answer, done))
        try:
            # This is what our own child has just pickled; what it read from a peer is plain data within.
            result = pickle.loads(await answer)  # noqa: S301
        except ProcessExpired as expired:
            # Told to end by SIGTERM, pebble's child leaves with that signal's number.
            code = -signal.SIGTERM if expired.exitcode == signal.SIGTERM else expired.exitcode
            was_killed = code < 0 and -code not in _CRASHES
            raise (ChildKilled if was_killed else ChildDied)(f"the child process {_ending(code)}") from None
        except Exception as failed:  # noqa: BLE001 - pebble's own kinds of failure, of which only the name is told
            raise ChildDied(f"the child process gave no result: {type(failed).__name__}") from None
        if isinstance(result, _Raised):
            raise ChildDied(f"the child process ran into {result.type_name}")
        return result

    def kill(self) -> None:
        """End the child, and the threads that watch it. Blocks."""
        with contextlib.suppress(RuntimeError):  # not even SIGKILL ended it; there is no more to be done
            self._pool.stop()  # type: ignore[no-untyped-call]
            # At once, where SIGTERM is given three seconds.
            self._our_end.close()
            self._pool.join()
        self._their_end.close()


def _answer(payload: bytes, seconds: float) -> bytes:
    """What runs in the child: calls the function, and pickles what it returned."""
    import pickle

    # The parent's deadline normally comes first. This is for a parent that is stopped, or hangs.
    watch = threading.Timer(seconds + GRACE_SECONDS, os._exit, (OVERSTAYED,))
    watch.daemon = True
    watch.start()
    try:
        function, argument = pickle.loads(payload)  # noqa: S301 - from our own parent
        return pickle.dumps(function(argument))
    except BaseException as raised:  # noqa: BLE001 - whatever it is, its words stay here
        return pickle.dumps(_Raised(type(raised).__name__))
    finally:
        watch.cancel()


def _context() -> BaseContext:
    """How children are started. Never by fork: it copies the threads' locks, and other connections, into the child."""
    import multiprocessing

    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOADED])
    return context


def _ensure_fork_server() -> None:
    """Start the fork server if it does not run: from the loop's own thread, since the server ends with the thread that started it."""
    if sys.platform == "win32":
        return
    from multiprocessing import forkserver, resource_tracker

    _context()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OURS)
    try:
        # It would take the block of SIGINT away again, so it comes first.
        resource_tracker.ensure_running()
        _leave_alone(resource_tracker._resource_tracker)
        signal.pthread_sigmask(signal.SIG_BLOCK, _OURS)
        with _named_parent():
            forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _leave_alone(tracker: object) -> None:
    """Have Python not wait at exit for its resource tracker to end, as it does from 3.13 on (bpo-88887, and in 3.12's later releases).

    The tracker ends with the last child, and the children end with this process: each would wait for the other, at worst until a
    child's own deadline. Python knows trackers that another process started, and leaves them alone.
    """
    if hasattr(tracker, "_pid"):
        tracker._pid = None


@contextlib.contextmanager
def _named_parent() -> Iterator[None]:
    """Tells a process that is started meanwhile whose it is, and by which file the program began."""
    from multiprocessing import spawn

    main = spawn.get_preparation_data("").get("init_main_from_path", "")
    os.environ[PARENT_VARIABLE] = f"{os.getpid()} {main}"
    try:
        yield
    finally:
        del os.environ[PARENT_VARIABLE]


def _ending(exit_code: int) -> str:
    """How a process ended, in words."""
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-exit_code).name}"
    return f"was ended by signal {-exit_code}"
