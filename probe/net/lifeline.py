"""Ends a child as soon as its parent ends, and keeps it silent until then.

The parent holds one end of a pipe, which nobody else has, and every child reads from the other. However the parent ends, the pipe is closed.
Where the system has it (Linux), a signal at the parent's death comes first, because it does not need the interpreter.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Never

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a process gets when the thread that made it ends. A fork clears it."""

PARENT_VARIABLE = "PROBE_PARENT"
"""Environment variable with the parent's process identifier, a space and the file of its main module; set while the fork server is started, not after."""

ORPHANED = 125
"""Exit code of a child whose parent is gone, where it cannot be killed by a signal."""

_line: Connection | None = None
_parent = 0


def hold(line: Connection) -> None:
    """Bind this child to its parent, who holds the other end of the pipe. What runs first in a child."""
    global _line, _parent
    silence()
    # The fork server under POSIX; where that is gone, so is the parent, or it cannot reach its children any more.
    _line, _parent = line, os.getppid()
    die_with(_parent)
    threading.Thread(target=_watch, args=(line,), name="probe-lifeline", daemon=True).start()


def require_parent() -> None:
    """End this child if its parent is gone; for the moment before a secret leaves. Nothing happens outside of children."""
    if _line is not None and (_is_cut(_line, 0) or os.getppid() != _parent):
        _end()


def die_with(parent: int) -> None:
    """Have the system kill this process when the thread that made it ends; at once where its parent is another already."""
    if sys.platform == "linux":
        import ctypes

        # Where it is refused, as in some sandboxes, the pipe remains.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        _end()


def silence() -> None:
    """Let nothing that is printed, logged or warned of here reach the parent's terminal or log: it may hold a peer's words, or a secret."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    if nowhere > 2:
        os.close(nowhere)
    if logging.root.manager.disable < logging.CRITICAL:  # looks through all loggers, whose memory a child shares
        logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")


def _watch(line: Connection) -> None:
    if _is_cut(line, None):
        _end()


def _is_cut(line: Connection, seconds: float | None) -> bool:
    """Whether the parent's end is closed by then. Nothing is ever sent, so that what can be read is the end."""
    try:
        return line.poll(seconds)
    except OSError:  # how Windows tells it
        return True


def _end() -> Never:
    if sys.platform != "win32":
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(ORPHANED)
