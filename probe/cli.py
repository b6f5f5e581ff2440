"""Commands and exit codes. The only room that prints.

Everything beyond the options themselves is imported when a command runs, so that `probe --help` answers at once.
Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import json
import os
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

import probe.reports
from probe import __version__

if TYPE_CHECKING:
    from probe.app import Options
    from probe.engine.select import Conversation
    from probe.model.attempts import Attempt
    from probe.model.estate import Endpoint, Estate, Mailbox
    from probe.model.runs import Run

EXIT_CODES = """\b
Exit codes:
  0    every assessed mailbox is supported and ready (look: every attempt completed)
  1    at least one is unsupported, not listed, or not ready
  2    usage or estate error: nothing was probed
  3    none is as bad as 1, and at least one is undetermined (look: an attempt did not complete)
  70   the program itself failed
  130  interrupted; what was learnt until then is still printed"""

_FORMATS = sorted(module.name for module in pkgutil.iter_modules(probe.reports.__path__))
DEMO_TIMEOUT = 8.0
"""One of the demo's servers never says a word; nobody should wait for it as long as for a real one."""
_EFFECTS = ("provokes", "logs-in", "sends-mail")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Output:
    """How and where a result is written."""

    format: str
    file: Path | None
    quiet: bool
    transcripts: bool
    colour: bool
    log_format: str

    def write(self, text: str) -> None:
        if self.file is not None:
            self.file.write_text(text, encoding="utf-8", newline="\n")
        else:
            # A pipe or console may know less than UTF-8; an answer with a few escapes beats no answer.
            encoding = sys.stdout.encoding or "utf-8"
            sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
            sys.stdout.flush()

    def log(self, text: str) -> None:
        """One message to standard error."""
        click.echo(json.dumps({"message": text}) if self.log_format == "json" else f"probe: {text}", err=True)

    def write_run(self, run: Run) -> None:
        from probe import catalogue
        from probe.document import Options as ReportOptions
        from probe.document import Report, publish

        report = catalogue.load("probe.reports", "REPORT", Report)[self.format]
        is_terminal = self.file is None and sys.stdout.isatty()
        width = min(os.get_terminal_size(sys.stdout.fileno()).columns, 120) if is_terminal else 80
        options = ReportOptions(width=width, colour=self.colour and is_terminal, transcripts=self.transcripts, quiet=self.quiet)
        self.write(report.render(publish(run), options))


def _output_options(command: Callable[..., Any]) -> Any:
    """The options that every command with a result has; they reach it as one `output`."""
    options = [
        click.option("--format", "format_", type=click.Choice(_FORMATS), default="text", show_default=True, help="Form of the result."),
        click.option("--json", "as_json", is_flag=True, help="Short for --format json."),
        click.option(
            "--output",
            "output_file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Write the result here rather than to standard output.",
        ),
        click.option("--quiet", is_flag=True, help="Verdicts only, and no progress."),
        click.option(
            "--show", type=click.Choice(["transcripts"]), multiple=True, help="Show the conversations word for word, less their secrets."
        ),
        click.option("--no-color", is_flag=True, help="No colours; NO_COLOR in the environment means the same."),
        click.option(
            "--log-format",
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            help="Form of messages on standard error.",
        ),
    ]

    def gathered(
        *,
        format_: str,
        as_json: bool,
        output_file: Path | None,
        quiet: bool,
        show: Sequence[str],
        no_color: bool,
        log_format: str,
        **rest: Any,
    ) -> Any:
        colour = not no_color and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        output = _Output(
            format="json" if as_json else format_,
            file=output_file,
            quiet=quiet,
            transcripts="transcripts" in show,
            colour=colour,
            log_format=log_format,
        )
        return command(output=output, **rest)

    return _with_options(command, gathered, options)


def _probing_options(command: Callable[..., Any], *, default_timeout: float = 30.0) -> Any:
    """The options that every command which probes has; they reach it as one `options`, given the output."""
    options = [
        click.option(
            "--timeout",
            type=click.FloatRange(min=0.1, max=3600),
            default=default_timeout,
            show_default=True,
            help="Seconds for one attempt.",
        ),
        click.option("--deadline", type=click.FloatRange(min=0.1), help="Seconds for the whole run.  [default: none]"),
        click.option(
            "--allow", default="", metavar="EFFECT,...", callback=_effects, help=f"Allow more than reading: {', '.join(_EFFECTS)}."
        ),
        click.option(
            "--ca",
            "ca_file",
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
            callback=_anchors,
            help="A PEM file of more trust anchors.",
        ),
        click.option("--all-addresses", is_flag=True, help="Probe every address of a name, not the first that answers."),
    ]

    def gathered(
        *,
        output: _Output,
        timeout: float,
        deadline: float | None,
        allow: frozenset[Any],
        ca_file: Path | None,
        all_addresses: bool,
        **rest: Any,
    ) -> Any:
        from probe.app import Options

        def report_bug(text: str) -> None:
            output.log(f"a bug: {text}")

        made = Options(timeout=timeout, deadline=deadline, allow=allow, ca_file=ca_file, all_addresses=all_addresses, report_bug=report_bug)
        return command(output=output, options=made, **rest)

    return _with_options(command, gathered, options)


def _with_options(command: Any, gathered: Any, options: Sequence[Callable[[Any], Any]]) -> Any:
    gathered.__doc__, gathered.__name__ = command.__doc__, command.__name__
    gathered.__click_params__ = list(getattr(command, "__click_params__", []))
    for option in reversed(options):
        gathered = option(gathered)
    return gathered


def _effects(_context: click.Context, _parameter: click.Parameter, value: str) -> frozenset[Any]:
    from probe.model.estate import Effect

    named = [word.strip() for word in value.split(",") if word.strip()]
    for word in named:
        if word not in _EFFECTS:
            raise click.BadParameter(f"{word!r} is none of {', '.join(_EFFECTS)}")
    return frozenset(map(Effect, named))


def _anchors(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Path | None:
    """A file without a certificate would be found out only when the first handshake wants it."""
    if value is not None:
        from cryptography import x509

        try:
            x509.load_pem_x509_certificates(value.read_bytes())
        except (OSError, ValueError):
            raise click.BadParameter(f"{value} holds no PEM certificates that can be read") from None
    return value


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="probe")
def cli() -> None:
    """Probes the mail servers behind Dynamics 365 server-side synchronization.

    It connects to the EWS, POP3 and SMTP endpoints of an estate, and says for every mailbox whether Microsoft supports
    the configuration, whether it would work now, why, and what to do. It reads only, unless you allow more.
    """


@cli.command()
@_output_options
@partial(_probing_options, default_timeout=DEMO_TIMEOUT)
def demo(output: _Output, options: Options) -> NoReturn:
    """Probe a simulated estate on this machine, for real.

    Starts mail servers on loopback, probes them over real sockets, and prints the report. Nothing outside is touched.
    """
    from probe import app

    with _progress(output, options) as options:
        run = app.complete(app.demo(options))
    output.write_run(run)
    # What is shown is meant to be bad in places; the code says that showing it worked.
    code = app.exit_code(run)
    sys.exit(code if code in (70, 130) else 0)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path), default="estate.toml")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def init(file: Path, force: bool) -> None:
    """Write a commented example estate to FILE (estate.toml)."""
    from probe.config import example_estate

    text = example_estate()
    if str(file) == "-":
        click.echo(text, nl=False)
        return
    try:
        with file.open("w" if force else "x", encoding="utf-8", newline="\n") as target:
            target.write(text)
    except FileExistsError:
        raise click.UsageError(f"{file} is there already; --force overwrites it") from None
    except OSError as failed:
        raise click.UsageError(f"{file} cannot be written: {failed.strerror}") from None
    click.echo(f"{file} is written. Make it yours, then: probe check {file} --dry-run", err=True)


@cli.command()
@click.argument("estate_file", metavar="ESTATE.toml", type=click.Path(path_type=Path))
@click.option("--mailbox", "addresses", multiple=True, metavar="ADDRESS", help="Only this mailbox; may be given again.")
@click.option("--dry-run", is_flag=True, help="List every conversation, with whom, its effect and its account; connect to nothing.")
@click.option("--accept", multiple=True, type=click.Choice(["not-listed"]), help="Let these pass in the exit code.")
@_output_options
@_probing_options
def check(output: _Output, options: Options, estate_file: Path, addresses: Sequence[str], dry_run: bool, accept: Sequence[str]) -> NoReturn:
    """Check the mailboxes of an estate."""
    from probe import app
    from probe.config import EstateError, load_estate
    from probe.model.rules import Support

    try:
        estate = load_estate(estate_file)
    except EstateError as wrong:
        for problem in wrong.problems:
            click.echo(str(problem), err=True)
        sys.exit(2)
    mailboxes = _chosen(estate, addresses)
    if dry_run:
        _write_plan(output, app.plan(estate, mailboxes, options.allow))
        sys.exit(0)
    with _progress(output, options) as options:
        run = app.complete(app.check(estate, mailboxes, options))
    output.write_run(run)
    sys.exit(app.exit_code(run, frozenset(map(Support, accept))))


@cli.command()
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@_output_options
@_probing_options
def look(output: _Output, options: Options, urls: Sequence[str]) -> NoReturn:
    """Look at one or more endpoints without an estate: facts only, nothing judged.

    \b
    A URL is one of
      pop3://host[:110]  smtp://host[:587]    upgraded by STLS or STARTTLS
      pop3s://host[:995] smtps://host[:465]   TLS at once
      https://host[:443]/EWS/Exchange.asmx    EWS
      tls://host:port                         nothing but TLS
    """
    from probe import app
    from probe.engine.select import unspoken

    endpoints = _endpoints(urls)
    for service in unspoken(endpoints, app.probers()):
        raise click.UsageError(f"this version of probe does not speak {service.upper()}")
    with _progress(output, options) as options:
        run = app.complete(app.look(endpoints, options))
    output.write_run(run)
    sys.exit(app.exit_code(run))


@cli.command()
@click.argument("rule", metavar="[ID]", required=False)
@_output_options
def rules(output: _Output, rule: str | None) -> None:
    """Show the rules, with their sources and remedies."""
    from probe import app

    known = app.rules()
    chosen = _named(rule, known, "rule")
    if output.format == "json":
        output.write(json.dumps([_rule_as_json(r) for r in chosen], indent=2, ensure_ascii=False) + "\n")
    elif rule is None:
        lines = [f"{r.id:<58} {r.otherwise:<12} {r.title}" for r in chosen]
        output.write("\n".join(lines) + "\n")
    else:
        output.write(_rule_as_text(chosen[0]))


@cli.command()
@click.argument("key", metavar="[KEY]", required=False)
@_output_options
def facts(output: _Output, key: str | None) -> None:
    """Show the vocabulary: every fact that can be known, its type and meaning."""
    from probe import app
    from probe.model.vocabulary import all_keys

    chosen = _named(key, all_keys(), "fact")
    sources = _sources(app.probers(), app.inferences())
    if output.format == "json":
        forms = [
            {
                "key": k.name,
                "type": k.kind.name,
                "schema": dict(k.kind.schema),
                "meaning": k.doc,
                "from": sources.get(k.name, []),
                "examples": [k.kind.encode(e) for e in k.examples],
            }
            for k in chosen
        ]
        output.write(json.dumps(forms, indent=2, ensure_ascii=False) + "\n")
    elif key is None:
        output.write("\n".join(f"{k.name:<36} {k.doc}" for k in chosen) + "\n")
    else:
        k = chosen[0]
        examples = "\n".join(f"  {json.dumps(k.kind.encode(e), ensure_ascii=False)}" for e in k.examples)
        learnt = ", ".join(sources.get(k.name, [])) or "the estate alone"
        output.write(f"{k.name}\n\n{k.doc}\n\nType: {k.kind.name}\nLearnt by: {learnt}\nFor example:\n{examples}\n")


@cli.command()
def schema() -> None:
    """Print the JSON schema of a run (probe.run/1)."""
    from probe.document import schema_text

    click.echo(schema_text(), nl=False)


def _endpoints(urls: Sequence[str]) -> tuple[Endpoint, ...]:
    from probe.model.estate import Endpoint

    endpoints, wrong = [], []
    for url in urls:
        try:
            endpoints.append(Endpoint.parse(url))
        except ValueError as problem:
            wrong.append(str(problem))
    if wrong:
        raise click.UsageError("\n".join(wrong))
    return tuple(endpoints)


def _chosen(estate: Estate, addresses: Sequence[str]) -> tuple[Mailbox, ...]:
    if not addresses:
        return estate.mailboxes
    by_address = {m.address.lower(): m for m in estate.mailboxes}
    unknown = [a for a in addresses if a.lower() not in by_address]
    if unknown:
        raise click.UsageError(f"the estate has no mailbox {', '.join(unknown)}")
    return tuple(by_address[a] for a in dict.fromkeys(a.lower() for a in addresses))


def _named(name: str | None, known: Mapping[str, Any], what: str) -> list[Any]:
    if name is None:
        return list(known.values())
    if name not in known:
        import difflib

        near = difflib.get_close_matches(name, known, n=1)
        raise click.UsageError(f"there is no {what} {name!r}" + (f"; did you mean {near[0]}?" if near else ""))
    return [known[name]]


def _write_plan(output: _Output, conversations: Sequence[Conversation]) -> None:
    """What a check would do. Nothing was connected to find it out."""
    if output.format == "json":
        forms = [
            {
                "prober": c.prober.id,
                "does": c.prober.title,
                "subject": c.endpoint.url,
                "effect": c.prober.effect,
                "mailbox": c.mailbox,
                "account": c.login.username if c.login else None,
                "held": not c.not_held,
                "why_not": c.not_held or None,
            }
            for c in conversations
        ]
        output.write(json.dumps({"schema": "probe.plan/1", "conversations": forms}, indent=2, ensure_ascii=False) + "\n")
        return
    lines = []
    for c in conversations:
        lines.append(f"{c.endpoint.url}" + (f" for {c.mailbox}" if c.mailbox else ""))
        lines.append(f"  {c.prober.id}: {c.prober.title}")
        lines.append(f"  effect: {c.prober.effect}; account: {c.login.username if c.login else 'none'}")
        if c.not_held:
            lines.append(f"  NOT HELD: {c.not_held}")
    held = sum(not c.not_held for c in conversations)
    lines.append(f"{held} conversations would be held, {len(conversations) - held} would not. Nothing was connected.")
    output.write("\n".join(lines) + "\n")


def _rule_as_json(rule: Any) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": rule.title,
        "statement": rule.statement,
        "otherwise": rule.otherwise,
        "references": [{"title": r.title, "url": r.url, "dated": r.dated} for r in rule.references],
        "needs": {
            part: [k.name for k in getattr(rule.needs, part)] for part in ("deployment", "profile", "mailbox", "incoming", "outgoing")
        },
        "remedy": rule.remedy,
    }


def _rule_as_text(rule: Any) -> str:
    import textwrap

    sources = "\n".join(f"  {r.title}, {r.dated}\n  {r.url}" for r in rule.references)
    needs = ", ".join(
        sorted({k.name for part in ("deployment", "profile", "mailbox", "incoming", "outgoing") for k in getattr(rule.needs, part)})
    )
    parts = (
        f"{rule.id}: {rule.title}",
        textwrap.fill(rule.statement, 80),
        f"When it does not hold: {rule.otherwise}",
        textwrap.fill(f"Remedy: {rule.remedy}", 80),
        textwrap.fill(f"Looks at: {needs}", 80, break_on_hyphens=False),
        f"Stated at:\n{sources}",
    )
    return "\n\n".join(parts) + "\n"


def _sources(probers: Mapping[str, Any], inferences: Mapping[str, Any]) -> dict[str, list[str]]:
    """Who learns each key."""
    found: dict[str, list[str]] = {}
    for prober in probers.values():
        for key in prober.collects:
            found.setdefault(key.name, []).append(prober.id)
    for inference in inferences.values():
        for key in inference.gives:
            found.setdefault(key.name, []).append(inference.id)
    return found


@contextmanager
def _progress(output: _Output, options: Options) -> Iterator[Options]:
    """The options with a progress bar on standard error, where a person looks on."""
    if output.quiet or not sys.stderr.isatty():
        yield options
        return
    from dataclasses import replace

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, no_color=not output.colour)
    columns = (TextColumn("probing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def advance(_attempt: Attempt, of: int) -> None:
            bar.update(task, total=of, advance=1)

        yield replace(options, progress=advance)


def main() -> NoReturn:
    """Run the command, and turn every way to end into its exit code."""
    try:
        code = cli.main(prog_name="probe", standalone_mode=False)
    except click.exceptions.Exit as ended:
        code = ended.exit_code
    except click.ClickException as wrong:
        wrong.show()
        code = 2
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        # The reader has seen enough; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception:  # noqa: BLE001 - the last place where a bug can be given its exit code
        traceback.print_exc()
        code = 70
    sys.exit(code if isinstance(code, int) else 0)
