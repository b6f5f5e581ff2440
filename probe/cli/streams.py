"""Standard output and standard error as they may be: full, closed, or read by somebody who has seen enough."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import click

from probe.cli.pipelines import defused_line, pipeline
from probe.model.characters import visible


class NotWritten(click.ClickException):
    """A result that could not be written: something was probed, so this is no usage error."""

    exit_code = 70

    def __init__(self, failed: OSError) -> None:
        super().__init__(f"the result cannot be written: {failed.strerror or failed}")


class WrongArguments(click.UsageError):
    """Several arguments that are wrong, a line each."""

    def __init__(self, sentences: Iterable[str]) -> None:
        super().__init__("\n".join(map(visible, sentences)))


def replace_closed_streams() -> None:
    """Put something in the place of standard streams that are closed.

    Their numbers would else be given to the next sockets, into which some library might then write its warnings.
    """
    for number, how in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, how), True)  # the lowest free number, so this one
    if sys.stdout is None:
        # Open for reading alone: a result written here fails, as on the closed stream itself.
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)


INTERRUPTED_SECONDS = 1.0
"""How long the reader of an interrupted run's result may take nothing of it: who asked for an end does not wait for one who does not read."""
_ALWAYS_FITS = 512
"""Bytes that a pipe takes at once when it says that it takes any (POSIX: PIPE_BUF is at least that)."""


def write_result(pieces: Iterable[str], *, is_utf8: bool = False, patience: float | None = None) -> None:
    """Write to standard output, and leave the rest where its reader takes nothing for so many seconds. Raises NotWritten.

    A reader that has seen enough, such as `head`, is no failure: what the command found still decides its exit code.
    """
    # A pipe or console may know less than UTF-8; an answer with a few escapes beats no answer.
    encoding = "utf-8" if is_utf8 else sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.flush()
        for piece in pieces:
            data = piece.encode(encoding, "backslashreplace")
            if patience is not None and os.name != "nt":  # Windows cannot wait for a pipe
                if not _is_written_patiently(data, patience):
                    break
            elif is_utf8:
                sys.stdout.buffer.write(data)
            else:
                sys.stdout.write(data.decode(encoding))
        sys.stdout.flush()
    except OSError as failed:
        discard_output()
        if not isinstance(failed, BrokenPipeError):
            raise NotWritten(failed) from None


def write_file(file: Path, pieces: Iterable[str]) -> None:
    """Write a file as a whole: nobody reads it half written, and what was there stays where the disk is full. A link to it stays one. Raises NotWritten.

    What is no regular file, such as a FIFO, is written as it comes, and so is what a link leads to in a folder that nothing may be made in.
    """
    target = file.resolve()
    # Not ending as the file does: node_exporter reads each *.prom of its folder.
    beside = target.with_name(f".probe-{os.getpid()}.new")
    try:
        if file.exists() and not (file.is_file() and os.access(target.parent, os.W_OK)):
            with file.open("w", encoding="utf-8", newline="\n") as opened:
                opened.writelines(pieces)
            return
        beside.unlink(missing_ok=True)
        with beside.open("x", encoding="utf-8", newline="\n") as opened:
            if sys.platform != "win32" and target.exists():
                _give_as(target, opened.fileno())
            opened.writelines(pieces)
        beside.replace(target)
    except BaseException as failed:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        if isinstance(failed, OSError):
            raise NotWritten(failed) from None
        raise


def _give_as(file: Path, descriptor: int) -> None:
    """Give a new file the mode of one that is there, and its owner where that is allowed. By its descriptor: its name may lead elsewhere by now."""
    found = file.stat()
    os.fchmod(descriptor, found.st_mode & 0o777)
    with contextlib.suppress(OSError):
        os.fchown(descriptor, found.st_uid, found.st_gid)


def _is_written_patiently(data: bytes, patience: float) -> bool:
    import select

    stream, left = sys.stdout.fileno(), memoryview(data)
    waiting = select.poll()  # unlike select() it knows no highest number
    waiting.register(stream, select.POLLOUT)
    while left and waiting.poll(patience * 1000):
        left = left[os.write(stream, left[:_ALWAYS_FITS]) :]
    return not left


class _Messages:
    """How messages are written; there is one of it, as there is one standard error."""

    are_json = False


def write_messages_as(log_format: str) -> None:
    """Write messages from now on as lines of `text`, or each as an object of `json`, as the log beside them is."""
    _Messages.are_json = log_format == "json"


def tell(*lines: str) -> None:
    """Write messages to standard error, where that can be written to. Each is one line and visible, whatever it repeats."""
    shown = map(visible, lines)
    if _Messages.are_json:
        log_lines(*map(message_in_json, shown))
    else:
        log_lines(*shown)


def message_in_json(text: str) -> str:
    """A message as a line of a log in JSON."""
    import json

    return json.dumps({"message": text})


def log_lines(*lines: str) -> None:
    """Write lines to standard error as they are, where that can be written to."""
    with contextlib.suppress(OSError):
        click.echo("\n".join(lines if pipeline() is None else map(defused_line, lines)), err=True)


def annotate(lines: Iterable[str]) -> None:
    """Write commands for a pipeline to standard error, where that can be written to."""
    with contextlib.suppress(OSError):
        for line in lines:
            click.echo(line, err=True, color=True)


def explain(wrong: click.ClickException) -> None:
    """Write to standard error what is wrong, as click would, and no character of an argument or a file name that steers the terminal."""
    if _Messages.are_json:
        tell(*wrong.format_message().split("\n"))
        return
    if not isinstance(wrong, WrongArguments | click.exceptions.NoArgsIsHelpError):  # the others say one thing
        setattr(wrong, "message", visible(wrong.message))  # noqa: B010 - final for type checkers, and by none of our doing
    shown = io.StringIO()
    wrong.show(file=shown)
    tell(*shown.getvalue().removesuffix("\n").split("\n"))


def is_of_echo(failed: BaseException) -> bool:
    """Whether click itself could not write, which it does for `--help` and `--version`."""
    import traceback

    frames = [frame for frame, _ in traceback.walk_tb(failed.__traceback__)]
    return isinstance(failed, OSError) and frames[-1].f_code is click.echo.__code__


def discard_output() -> None:
    """Let what was not written go; Python would complain of it once more when it flushes at exit."""
    _lead_nowhere(sys.stdout)


def settle_errors() -> None:
    """Let what standard error did not take go; Python would turn the exit code into 120 when it flushes at exit and cannot."""
    try:
        sys.stderr.flush()
    except OSError:
        _lead_nowhere(sys.stderr)


def _lead_nowhere(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
