"""The options that several commands share. What they gather is imported when a command runs."""

from __future__ import annotations

import os
import pkgutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

import probe.reports
from probe.cli.streams import write_messages_as
from probe.model.defaults import FIPS_CLIENT, TIMEOUT_SECONDS, TLS_DEPTH, TlsDepth
from probe.model.effects import ALLOWABLE, Effect

if TYPE_CHECKING:
    from probe.app import Options
    from probe.cli.output import Output

_FORMATS = sorted(module.name for module in pkgutil.iter_modules(probe.reports.__path__))
_LEAST_SECONDS = 0.1

ACCEPTABLE = ("not-listed", "unsupported", "support-undetermined", "not-signed-in")
"""What the gate may be told to let pass: `probe.gate.Accept`, which is not loaded for a list of options."""


def output_options(command: Callable[..., Any], *, formats: Sequence[str] = _FORMATS) -> Any:
    """The options that every command with a result has; they reach it as one `output`."""
    options = [
        click.option("--format", "format_", type=click.Choice(formats), default="text", show_default=True, help="Form of the result."),
        click.option("--json", "as_json", is_flag=True, help="Short for --format json."),
        click.option(
            "--output",
            "output_file",
            type=click.Path(path_type=Path, dir_okay=False, writable=True, allow_dash=True),
            callback=writable,
            help="Write the result here rather than to standard output.",
        ),
        click.option("--quiet", is_flag=True, help="The table of verdicts only, and no progress."),
        click.option(
            "--show",
            type=click.Choice(["transcripts"]),
            multiple=True,
            help="Show the conversations word for word, with secrets struck out.",
        ),
        click.option("--no-color", is_flag=True, help="No colours; NO_COLOR in the environment means the same."),
        click.option(
            "--log-format",
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            is_eager=True,  # what is wrong with the other options is told so too
            callback=_form_of_messages,
            help="Format of messages on standard error.",
        ),
        click.option(
            "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="Also write log messages of this level and above."
        ),
    ]

    def gathered(
        *,
        format_: str,
        as_json: bool,
        output_file: Path | None,
        quiet: bool,
        verbose: bool = False,
        show: Sequence[str],
        no_color: bool,
        log_format: str,
        log_level: str | None,
        **rest: Any,
    ) -> Any:
        from probe.cli.output import Output

        if log_level is not None:
            from probe.cli.logs import log_to_standard_error

            log_to_standard_error(log_level, log_format)
        colour = not no_color and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        output = Output(
            format="json" if as_json else format_,
            file=output_file,
            quiet=quiet,
            verbose=verbose,
            transcripts="transcripts" in show,
            colour=colour,
            log_format=log_format,
            is_logged=log_level is not None,
        )
        return command(output=output, **rest)

    return added_options(command, gathered, options)


def answer_options(command: Callable[..., Any]) -> Any:
    """The same of a command whose result is no run, so that no report of runs can tell it."""
    return output_options(command, formats=("json", "text"))


def verbose_option(command: Any) -> Any:
    """The option of commands whose report can tell more."""
    return click.option("--verbose", is_flag=True, help="Also the endpoints, every name, and what was not asked.")(command)


def accept_option(command: Any) -> Any:
    """The option of commands whose exit code is a verdict."""
    return click.option("--accept", multiple=True, type=click.Choice(["not-listed"]), help="Verdicts that do not raise the exit code.")(
        command
    )


def probing_options(command: Callable[..., Any], *, default_timeout: float = TIMEOUT_SECONDS) -> Any:
    """The options that every command which probes has; they reach it as one `options`, given the output."""
    options = [
        click.option(
            "--timeout",
            metavar="SECONDS",
            callback=partial(_seconds, most=3600),
            default=str(default_timeout),
            show_default=True,
            help="Seconds for one attempt.",
        ),
        click.option(
            "--deadline", metavar="SECONDS", callback=partial(_seconds, most=7 * 86400), help="Seconds for the whole run.  [default: none]"
        ),
        click.option(
            "--allow", default="", metavar="EFFECT,...", callback=_effects, help=f"Allow more than reading: {', '.join(ALLOWABLE)}."
        ),
        click.option(
            "--ca",
            "ca_file",
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
            callback=anchors,
            help="A PEM file with additional trust anchors.",
        ),
        click.option("--all-addresses", is_flag=True, help="Probe every address of a host name, not only the first that answers."),
        click.option(
            "--tls",
            type=click.Choice(get_args(TlsDepth)),
            default=TLS_DEPTH,
            show_default=True,
            help="Ask about TLS: whether a client in FIPS mode can work (quick), also everything the server takes (full), or nothing.",
        ),
    ]

    def gathered(
        *,
        output: Output,
        timeout: float,
        deadline: float | None,
        allow: frozenset[Any],
        ca_file: Path | None,
        all_addresses: bool,
        tls: TlsDepth,
        **rest: Any,
    ) -> Any:
        from probe.app import Options

        def report_bug(text: str) -> None:
            output.log(f"a bug: {text}")

        made = Options(
            timeout=timeout,
            deadline=deadline,
            allow=allow,
            ca_file=ca_file,
            all_addresses=all_addresses,
            tls=tls,
            report_bug=report_bug,
            warn=output.log,
        )
        return command(output=output, options=made, **rest)

    return added_options(command, gathered, options)


def now_option(command: Callable[..., Any]) -> Any:
    """The option of commands that sign in for mailboxes, to stand below those of probing, whose `options` it completes."""

    def gathered(*, options: Options, sign_in_now: bool, **rest: Any) -> Any:
        return command(options=replace(options, sign_in_now=sign_in_now), **rest)

    flag = click.option(
        "--now",
        "sign_in_now",
        is_flag=True,
        callback=_by_a_person,
        help="Sign in although the account did in the last 15 minutes, whose answer would be given; from a terminal only.",
    )
    return added_options(command, gathered, [flag])


def _by_a_person(_context: click.Context, _parameter: click.Parameter, value: bool) -> bool:
    if value and not sys.stdin.isatty():
        raise click.BadParameter(
            "it is for a person at a terminal, and standard input is none; without it, what was found at a sign-in of the last 15 minutes is told "
            "with its age"
        )
    return value


def added_options(command: Any, gathered: Any, options: Sequence[Callable[[Any], Any]]) -> Any:
    """A command with more options, which `gathered` takes and hands it together."""
    gathered.__doc__, gathered.__name__ = command.__doc__, command.__name__
    gathered.__click_params__ = list(getattr(command, "__click_params__", []))
    for option in reversed(options):
        gathered = option(gathered)
    return gathered


def profile(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """The name of a FIPS profile. The names are data, so that they are read only when one is given."""
    if value == FIPS_CLIENT:
        return value
    from probe.tables.fips import fips_profiles

    if value not in fips_profiles():
        raise click.BadParameter(f"{value!r} is none of {', '.join(fips_profiles())}")
    return value


def _form_of_messages(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    write_messages_as(value)
    return value


def _effects(_context: click.Context, _parameter: click.Parameter, value: str) -> frozenset[Any]:
    named = [word.strip() for word in value.split(",") if word.strip()]
    for word in named:
        if word not in ALLOWABLE:
            raise click.BadParameter(f"{word!r} is none of {', '.join(ALLOWABLE)}")
    return frozenset(map(Effect, named))


def writable(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Path | None:
    """That a file cannot be written is found out before anything is probed. `-` is standard output."""
    if value is not None and str(value) == "-":
        return None
    if value is not None and value.is_dir():  # an empty name too
        raise click.BadParameter(f"{value} is a folder; name a file")
    if value is not None and not os.access(value.absolute().parent, os.W_OK):
        raise click.BadParameter(f"{value} cannot be written: {value.absolute().parent} is not a folder that can be written to")
    return value


def _seconds(_context: click.Context, _parameter: click.Parameter, value: str | None, *, most: float) -> float | None:
    """A time. What is longer than the most is a mistake in the number."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not _LEAST_SECONDS <= seconds <= most:  # which is not so of nan either
        raise click.BadParameter(f"{value!r} is not a number of seconds from {_LEAST_SECONDS} to {most}")
    return seconds


def anchors(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Path | None:
    """A file that cannot be loaded would be found out only when the first handshake wants it, and the peer be blamed."""
    if value is not None:
        from probe.net.tls import check_anchors

        try:
            check_anchors(value)
        except ValueError as wrong:
            raise click.BadParameter(str(wrong)) from None
    return value


def listed_addresses(file: Path) -> list[str]:
    """The addresses of a file, one a line; a line that is empty or begins with # is none."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as failed:
        raise click.UsageError(f"{file} cannot be read: {failed.strerror}") from None
    except UnicodeDecodeError:
        raise click.UsageError(f"{file} is not UTF-8") from None
    found = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not found:
        raise click.UsageError(f"{file} names no mailbox")
    return found
