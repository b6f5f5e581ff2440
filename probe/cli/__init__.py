"""Commands and exit codes. The only room that prints.

Everything beyond the options themselves is imported when a command runs, so that `probe --help` answers at once.
Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from probe import __version__
from probe.cli.alerts import alert
from probe.cli.doctor import doctor
from probe.cli.enabling import EnableRequest, enabling_options, round_of, show_gate, write_score
from probe.cli.estates import estate_of
from probe.cli.exit_codes import EXIT_CODES, gate_exit_code
from probe.cli.history import RunRecorder, drift, history, record_option, recorded_option
from probe.cli.importing import import_
from probe.cli.mailboxes import chosen, narrowed_to_outage, near, to_be_gated
from probe.cli.options import (
    ACCEPTABLE,
    accept_option,
    answer_options,
    now_option,
    output_options,
    probing_options,
    profile,
    verbose_option,
)
from probe.cli.outlook import outlook
from probe.cli.serving import serve
from probe.cli.streams import (
    NotWritten,
    WrongArguments,
    discard_output,
    explain,
    is_of_echo,
    replace_closed_streams,
    settle_errors,
    tell,
    write_result,
)
from probe.cli.tokens import token
from probe.model.defaults import FIPS_CLIENT
from probe.model.schemas import GATE_SCHEMA, RUN_SCHEMA

if TYPE_CHECKING:
    from datetime import datetime

    from probe.app import Options
    from probe.cli.output import Output
    from probe.model.estate import Endpoint
    from probe.model.rules import Otherwise, Rule

DEMO_TIMEOUT = 8.0
"""One of the demo's servers never says a word; nobody should wait for it as long as for a real one."""


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="probe")
def cli() -> None:
    """Probes the mail servers behind Dynamics 365 server-side synchronization.

    It connects to the EWS, POP3, IMAP and SMTP endpoints of an estate, and says for every mailbox whether Microsoft
    supports the configuration, whether it would work now, why, and what to do. It reads only, unless you allow more.
    """


@cli.command()
@click.option("--gate", "is_gate", is_flag=True, help="The gate over a simulated organization: import, gate, Test & Enable, compare.")
@verbose_option
@output_options
@partial(probing_options, default_timeout=DEMO_TIMEOUT)
def demo(output: Output, options: Options, is_gate: bool) -> NoReturn:
    """Probe a simulated estate on this machine, for real.

    Starts mail servers on loopback, probes them over real sockets, and prints the report. Nothing outside is touched.
    """
    from probe import app

    if is_gate:
        from probe.cli.listings import is_json

        is_json(output)  # the gate's answer is no run either, so that no report of runs can tell it
        show_gate(output, options)
    with output.progress(options) as options:
        run = app.complete(partial(app.demo, options))
    code = output.write_run(run)
    # What is shown is meant to be bad in places; the code says that showing it worked.
    sys.exit(code if code in (70, 130) else 0)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path), default="estate.toml")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def init(file: Path, force: bool) -> None:
    """Write a commented example estate to FILE (estate.toml)."""
    from probe.config import example_estate

    text = example_estate()
    if str(file) == "-":
        write_result([text], is_utf8=True)
        return
    if file.is_dir():
        raise click.UsageError(f"{file} is a folder; name a file")
    try:
        with file.open("w" if force else "x", encoding="utf-8", newline="\n") as target:
            target.write(text)
    except FileExistsError:
        raise click.UsageError(f"{file} already exists; --force overwrites it") from None
    except OSError as failed:
        raise click.UsageError(f"{file} cannot be written: {failed.strerror}") from None
    tell(f"{file} is written. Adapt it, then run: probe check {file} --dry-run")


@cli.command()
@click.argument("estate_file", metavar="ESTATE.toml", type=click.Path(path_type=Path))
@click.option("--mailbox", "addresses", multiple=True, metavar="ADDRESS", help="Only this mailbox; may be repeated.")
@click.option("--dry-run", is_flag=True, help="List every conversation with its endpoint, effect and account, without connecting.")
@record_option
@accept_option
@verbose_option
@output_options
@probing_options
@now_option
def check(
    output: Output,
    options: Options,
    recorder: RunRecorder,
    estate_file: Path,
    addresses: Sequence[str],
    dry_run: bool,
    accept: Sequence[str],
) -> NoReturn:
    """Check the mailboxes of an estate."""
    from probe import app
    from probe.cli.listings import held_now, write_plan
    from probe.memory import default_folder
    from probe.model.rules import Support

    estate = estate_of(estate_file)
    mailboxes = chosen(estate, addresses)
    if dry_run:
        write_plan(output, held_now(app.plan_check(estate, mailboxes, options), options), app.probers())
        sys.exit(0)
    recorder.prepare(estate)
    with output.progress(options) as options:
        run = app.complete(partial(app.check, estate, mailboxes, replace(options, state=default_folder)))
    code = replace(output, accept=frozenset(map(Support, accept))).write_run(run)
    recorder.write(run)
    sys.exit(code)


@cli.command()
@click.argument("estate_file", metavar="ESTATE.toml", type=click.Path(path_type=Path), required=False)
@click.argument("addresses", metavar="[ADDRESS]...", nargs=-1)
@click.option("--all", "everyone", is_flag=True, help="Every mailbox of the estate that server-side synchronization serves.")
@click.option("--profile", "profiles", multiple=True, metavar="NAME", help="The mailboxes of this profile; may be given again.")
@click.option(
    "--from-file", "list_file", metavar="FILE", type=click.Path(path_type=Path), help="The mailboxes of a file, an address a line."
)
@click.option(
    "--disabled-since",
    "when",
    metavar="WHEN",
    help="Of these, or of all: those that were disabled by an outage at 08:30 (today), 2026-11-29T08:30 or 6h ago; local time.",
)
@click.option("--accept", multiple=True, type=click.Choice(ACCEPTABLE), help="Let this pass; may be given again.")
@enabling_options
@click.option(
    "--score", is_flag=True, help="Show how often predictions came true, by direction, and where they did not; nothing is probed."
)
@recorded_option
@verbose_option
@answer_options
@probing_options
@now_option
def gate(
    output: Output,
    options: Options,
    estate_file: Path | None,
    addresses: Sequence[str],
    everyone: bool,
    profiles: Sequence[str],
    list_file: Path | None,
    when: str | None,
    accept: Sequence[str],
    request: EnableRequest,
    score: bool,
    recorder: RunRecorder,
) -> NoReturn:
    """Say before Test & Enable what it will report, and whether to press it.

    Reads the mailboxes' rows in Dynamics ([dynamics] of the estate) and compares them with the estate, probes the mailboxes, and answers go, no-go
    or cannot-tell for each. Without --enable it writes nothing but into the state folder: the run is recorded, as probe history shows.
    """
    from probe import app
    from probe.gate import Accept
    from probe.memory import default_folder

    if score:
        write_score(output, None if estate_file is None else estate_of(estate_file))
        sys.exit(0)
    if estate_file is None:
        raise click.UsageError("Missing argument 'ESTATE.toml'.")
    estate = estate_of(estate_file)
    everyone = everyone or (when is not None and not (addresses or profiles or list_file))
    mailboxes = to_be_gated(estate, addresses, everyone=everyone, profiles=profiles, list_file=list_file)
    narrow = None if when is None else narrowed_to_outage(estate, when)
    accepted = frozenset(map(Accept, accept))
    options = replace(options, state=default_folder, estate_file=str(estate_file))
    named = [mailbox.address for mailbox in mailboxes]
    with round_of(request, estate, are_named=not (everyone or profiles or when)) as enabling:
        if enabling is not None:
            mailboxes, narrow = enabling.joined(mailboxes), enabling.joined_after(narrow)
        with output.progress(options) as shown:
            gated = app.complete(partial(app.gate, estate, mailboxes, shown, accepted, narrow))
        if gated is None:
            raise click.UsageError(f"no mailbox was disabled by an outage at {when}; nothing was probed")
        pressed = None if enabling is None else enabling.press(gated, named, options, output)
        output.write_gate(gated, pressed)
        if enabling is not None:
            enabling.told()
    if not gated.run.interrupted:  # who wanted it to end does not wait
        recorder.write_beside(gated.run)
    sys.exit(gate_exit_code(gated, pressed))


@cli.command()
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@verbose_option
@output_options
@probing_options
@click.option(
    "--fips",
    "fips_client",
    metavar="PROFILE",
    default=FIPS_CLIENT,
    show_default=True,
    callback=profile,
    help="The client whose FIPS mode is asked about.",
)
def look(output: Output, options: Options, urls: Sequence[str], fips_client: str) -> NoReturn:
    """Look at one or more endpoints without an estate: facts only, nothing judged.

    \b
    A URL is one of
      pop3://host[:110]  smtp://host[:587]  imap://host[:143]   upgraded by STLS or STARTTLS
      pop3s://host[:995] smtps://host[:465] imaps://host[:993]  TLS at once
      https://host[:443]/EWS/Exchange.asmx                      EWS
      tls://host:port                                           nothing but TLS
    """
    from probe import app
    from probe.engine.select import unspoken

    endpoints = _endpoints(urls)
    for service in unspoken(endpoints, app.probers()):
        raise click.UsageError(f"this version of probe does not speak {service.upper()}")
    with output.progress(options) as options:
        run = app.complete(partial(app.look, endpoints, replace(options, fips_client=fips_client)))
    sys.exit(output.write_run(run))


@cli.command()
@click.argument("run_file", metavar="RUN.json", type=click.Path(path_type=Path))
@click.option(
    "--estate", "estate_file", metavar="ESTATE.toml", type=click.Path(path_type=Path), help="The estate to judge; default: the run's own."
)
@click.option("--at", "day", metavar="DATE", type=click.DateTime(["%Y-%m-%d"]), help="The date of judgement; default: that of the run.")
@accept_option
@verbose_option
@output_options
def judge(output: Output, run_file: Path, estate_file: Path | None, day: datetime | None, accept: Sequence[str]) -> NoReturn:
    """Judge a stored run again, under the rules of this version; nothing is connected to.

    RUN.json is what `--json` wrote. With --estate, what the operator declares is taken from there, as after a correction.
    """
    from probe import app
    from probe.document import NotADocument, carried_over, load_document, publish
    from probe.model.rules import Support

    estate = None if estate_file is None else estate_of(estate_file)
    try:
        stored = load_document(run_file)
        run = app.judge(stored, estate, None if day is None else day.date())
    except OSError as failed:
        raise click.UsageError(f"{run_file} cannot be read: {failed.strerror}") from None
    except NotADocument as wrong:
        raise click.UsageError(f"{run_file}: {wrong}") from None
    document = carried_over(stored, publish(run), has_its_estate=estate is None)
    sys.exit(replace(output, accept=frozenset(map(Support, accept))).write_document(document, run))


@cli.command()
@click.argument("username", metavar="[USERNAME]", required=False)
def forget(username: str | None) -> None:
    """Forget refused logins: those of one user name, or all.

    Credentials that a server refused as wrong are not tried again, in any run on this machine, until they change. Say so here when
    they are right after all, as once an account is unlocked. What its sign-ins of the last 15 minutes found is forgotten with them. Without a user name
    everything else that is remembered is forgotten too: what Dynamics' records said last, which names mailboxes.
    """
    from probe.memory import Memory, MemoryUnavailable, default_folder

    try:
        memory = Memory(default_folder)
        count = memory.forget(username)
        signed_in = memory.sign_ins.forget(None if username is None else memory.account(username))
        knew_dynamics = username is None and memory.last_known.forget() > 0
    except MemoryUnavailable as unavailable:
        raise click.UsageError(str(unavailable)) from None
    more = [f"{signed_in} sign-ins of the last 15 minutes"] if signed_in else []
    more += ["what Dynamics' records said last"] if knew_dynamics else []
    tell("".join([f"{count} forgotten", *(f", and {what}" for what in more)]))


@cli.command()
@click.argument("rule", metavar="[ID]", required=False)
@click.option(
    "--alert", metavar="TEXT", help="Only those that may explain an alert of Dynamics, by its words or a code in it, the likeliest first."
)
@click.option("--support", is_flag=True, help="Only those that say what is supported.")
@click.option("--readiness", is_flag=True, help="Only those that say what would work.")
@answer_options
def rules(output: Output, rule: str | None, alert: str | None, support: bool, readiness: bool) -> None:
    """Show the rules, with their sources and remedies.

    A line of the list says what a failure means, and whose statement it is: of Microsoft's page on what is supported (microsoft), or of what would
    work (readiness).
    """
    from probe import app
    from probe.cli.listings import write_rules

    if rule is not None and (alert is not None or support or readiness):
        raise click.UsageError("name a rule, or say which rules are wanted; not both")
    chosen = _named(rule, app.rules(), "rule")
    if alert is not None:
        chosen = _explaining(alert, app.rules())
    if support or readiness:
        kept = _otherwise_of(support=support, readiness=readiness)
        chosen = [one for one in chosen if one.otherwise in kept]
    write_rules(output, chosen, whole=rule is not None)


@cli.command()
@click.argument("key", metavar="[KEY]", required=False)
@answer_options
def facts(output: Output, key: str | None) -> None:
    """Show the vocabulary: every fact that can be known, its type and meaning."""
    from probe import app
    from probe.cli.listings import learners, write_facts
    from probe.model.vocabulary import all_keys

    chosen = _named(key, all_keys(), "fact")
    write_facts(output, chosen, learners(app.probers(), app.inferences()), whole=key is not None)


@cli.command()
@click.argument("name", metavar="[NAME]", type=click.Choice([RUN_SCHEMA, GATE_SCHEMA]), default=RUN_SCHEMA)
def schema(name: str) -> None:
    """Print the JSON schema of a document: of a run (probe.run/2), or of the gate's answer (probe.gate/1)."""
    from probe.document import gate_schema_text, schema_text

    write_result([gate_schema_text() if name == GATE_SCHEMA else schema_text()], is_utf8=True)


cli.add_command(import_)
cli.add_command(outlook)
cli.add_command(alert)
cli.add_command(doctor)
cli.add_command(history)
cli.add_command(drift)
cli.add_command(serve)
cli.add_command(token)


def _tell_version(group: click.Group) -> None:
    """Give each command of a group, and of the groups in it, the option that tells the version."""
    for command in group.commands.values():
        click.version_option(__version__, prog_name="probe")(command)
        if isinstance(command, click.Group):
            _tell_version(command)


_tell_version(cli)


def _endpoints(urls: Sequence[str]) -> tuple[Endpoint, ...]:
    from probe.model.estate import Endpoint

    endpoints, wrong = [], []
    for url in urls:
        try:
            endpoints.append(Endpoint.parse(url))
        except ValueError as problem:
            wrong.append(str(problem))
    if wrong:
        raise WrongArguments(wrong)
    return tuple(endpoints)


def _named(name: str | None, known: Mapping[str, Any], what: str) -> list[Any]:
    if name is None:
        return list(known.values())
    if name not in known:
        raise click.UsageError(f"there is no {what} {name!r}{near(name, known)}")
    return [known[name]]


def _explaining(alert: str, known: Mapping[str, Rule]) -> list[Rule]:
    from probe.tables.alerts import alerts_like, causes_of_alert

    alerts = alerts_like(alert)
    if not alerts:
        raise click.UsageError("no alert with these words or codes is known; `probe rules` lists every rule")
    tell(*(one.meaning for one in alerts if one.meaning))
    return [known[name] for name in causes_of_alert(alert)]


def _otherwise_of(*, support: bool, readiness: bool) -> set[Otherwise]:
    """What a failure of the wanted rules means."""
    from probe.model.rules import Otherwise

    return ({Otherwise.UNSUPPORTED, Otherwise.NOT_LISTED} if support else set()) | ({Otherwise.NOT_READY} if readiness else set())


def _leave_no_core() -> None:
    """Have no core file written of this process, nor of its children: it would hold the secrets of its memory."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> NoReturn:
    """Run the command, and turn every way to end into its exit code."""
    _leave_no_core()
    replace_closed_streams()
    try:
        code = cli.main(prog_name="probe", standalone_mode=False)
    except click.exceptions.Exit as ended:
        code = ended.exit_code
    except click.ClickException as wrong:
        explain(wrong)
        code = wrong.exit_code if isinstance(wrong, NotWritten) else 2
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except Exception as failed:  # noqa: BLE001 - the last place where a bug can be given its exit code
        if isinstance(failed, OSError) and is_of_echo(failed):
            discard_output()
            tell(f"Error: {NotWritten(failed)}")
        else:
            import traceback

            tell(*"".join(traceback.format_exception(failed)).rstrip().split("\n"))
        code = 70
    finally:
        settle_errors()
        gc.freeze()  # nor need it be looked through once more before it goes
    sys.exit(code if isinstance(code, int) else 0)
