"""`probe history`, `probe drift` and `probe check --record`: what was seen before, and what changed."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from probe.cli.estates import estate_of
from probe.cli.options import added_options, answer_options
from probe.cli.streams import NotWritten, tell

if TYPE_CHECKING:
    import asyncio
    from datetime import datetime

    from probe.cli.output import Output
    from probe.enabling import EnablingPast
    from probe.history import Dropped, History
    from probe.memory.folder import Folder
    from probe.model.estate import Estate, Secret
    from probe.model.runs import Run

T = TypeVar("T")

_SEE_DRIFT = ", which probe drift shows"
_STOP_FIRST = "it would write again what is erased; take the address out of the estate, stop the service, erase, and start it again"
_STOP_TO_RENAME = "it would write under the old name again; stop it, rename, and start it with the new name in the estate"
_URL = re.compile(r"postgres(?:ql)?://(?P<account>[^/?@]*@)?")


class NotRecorded(NotWritten):
    """A run that could not be written into the history, after it was held and told."""

    def __init__(self, why: str) -> None:
        click.ClickException.__init__(self, f"the run is not in the history: {why}")


class RunRecorder:
    """Writes a run into the history, where that was asked for."""

    def __init__(self, place: Folder | Secret | None) -> None:
        """`place` is None where nothing is to be written."""
        self._place = place

    def prepare(self, estate: Estate) -> None:
        """Open the history once, so that what is wrong with it is found before anything is probed. Raises UsageError."""

        async def nothing(_history: History) -> None:
            pass

        if self._place is not None:
            _with_history(self._place, estate, nothing)

    def write(self, run: Run) -> None:
        """Write a run, and say what drifted. Raises NotRecorded."""
        if (drift := self._written(run)) is not None:
            tell(f"recorded; drift since before: {drift}" + (_SEE_DRIFT if drift else ""))

    def write_beside(self, run: Run) -> None:
        """Write a run whose answer counts for more than its record: where that fails it is told, and nothing else comes of it."""
        try:
            if drift := self._written(run):
                tell(f"drift since before: {drift}{_SEE_DRIFT}")
        except NotRecorded as failed:
            tell(failed.message)
        except Exception as failure:  # noqa: BLE001 - a bug here must not turn what was answered, and perhaps done, into a failure
            tell(f"the run is not in the history: a bug in probe ({type(failure).__name__})")

    def _written(self, run: Run) -> int | None:
        """How much drifted; None where nothing is to be written. Raises NotRecorded."""
        if self._place is None or run.estate is None:
            return None
        from probe import app
        from probe.history import HistoryUnavailable, open_history

        place, estate = self._place, run.estate

        async def recorded(_stop: asyncio.Event) -> int:
            async with open_history(place, estate.deployment.name) as history:
                changes = await history.record_run(run)
                await history.sweep(estate.history, run.finished)
            return sum(change.is_drift for change in changes)

        try:
            return app.complete(recorded)
        except HistoryUnavailable as unavailable:
            raise NotRecorded(str(unavailable)) from None


def data_option(command: Any) -> Any:
    """The option that says where the history is."""
    return click.option(
        "--data",
        default="sqlite",
        show_default=True,
        metavar="PLACE",
        help="Where the history is: sqlite (in the state folder), postgresql://USER@HOST/NAME, or env:NAME, file:PATH or keyring:SERVICE/USER "
        "that holds such a URL with its password.",
    )(command)


def record_option(command: Callable[..., Any]) -> Any:
    """The options by which a run is recorded; they reach the command as one `recorder`."""

    def gathered(*, record: bool, data: str, **rest: Any) -> Any:
        if not record and data != "sqlite":
            raise click.UsageError("--data says where a run is recorded; it wants --record")
        return command(recorder=RunRecorder(place_of(data) if record else None), **rest)

    flag = click.option("--record", is_flag=True, help="Write the run into the history; see probe history and probe drift.")
    return added_options(command, gathered, [flag, data_option])


def recorded_option(command: Callable[..., Any]) -> Any:
    """The option of a command whose runs are always recorded; it reaches the command as `recorder`."""

    def gathered(*, data: str, **rest: Any) -> Any:
        return command(recorder=RunRecorder(place_of(data)), **rest)

    return added_options(command, gathered, [data_option])


def place_of(data: str) -> Folder | Secret:
    """The place that `--data` names. Raises UsageError, which repeats no password."""
    from probe.config.secrets import SecretUnavailable, resolve
    from probe.memory import default_folder
    from probe.memory.folder import Folder
    from probe.model.estate import Secret, SecretReference

    if data == "sqlite":
        return Folder(default_folder)
    if found := _URL.match(data):
        if ":" in (found["account"] or "") or "password=" in data:
            raise click.UsageError(
                "--data: a password is never written here; put the URL where env:NAME, file:PATH or keyring:SERVICE/USER find it"
            )
        return Secret(data)
    try:
        url = resolve(SecretReference.parse(data))
    except (ValueError, SecretUnavailable):
        raise click.UsageError(
            "--data is sqlite, postgresql://USER@HOST/NAME, or where such a URL is kept: env:NAME, file:PATH or keyring:SERVICE/USER"
        ) from None
    return url


@click.command()
@click.argument("estate_file", metavar="ESTATE.toml", type=click.Path(path_type=Path))
@click.argument("about", metavar="[ADDRESS or URL]", required=False)
@click.option("--erase", metavar="ADDRESS", help="Erase what is known of one person's mailbox.")
@click.option(
    "--rename", metavar="OLD NEW", nargs=2, help="Give the history of deployment OLD to the name NEW, as after a change in the estate."
)
@data_option
@answer_options
def history(output: Output, estate_file: Path, about: str | None, erase: str | None, rename: tuple[str, str] | None, data: str) -> None:
    """Show what was seen before: of the whole estate in short, of one mailbox or endpoint in full.

    Times are those of looks: something was so from the first to the last of them. It is there once runs are recorded: by probe check --record, probe gate
    or probe serve. Of a mailbox it also shows what Dynamics was asked for by --enable, and which sign-ins are barred, from this machine's state folder.
    """
    if sum(one is not None for one in (about, erase, rename)) > 1:
        raise click.UsageError("name a mailbox or endpoint, or --erase, or --rename; not several")
    estate, place = estate_of(estate_file), place_of(data)
    if erase is not None:
        _erase(place, estate, erase)
    elif rename is not None:
        _rename(place, estate, *rename)
    elif about is None:
        _show_all(output, place, estate)
    else:
        _show(output, place, estate, about)


@click.command()
@click.argument("estate_file", metavar="ESTATE.toml", type=click.Path(path_type=Path))
@click.argument("about", metavar="[ADDRESS or URL]", required=False)
@click.option(
    "--since",
    "when",
    metavar="WHEN",
    default="7d",
    show_default=True,
    help="7d, 6h, 08:30 (today), 2026-11-29 or 2026-11-29T08:30; local time.",
)
@data_option
@answer_options
def drift(output: Output, estate_file: Path, about: str | None, when: str, data: str) -> None:
    """Show what changed: when, from what to what, and on which words of the server.

    Only what matters is shown; another host of a pool or an id of a session is no change. Of a mailbox its endpoints are shown too.
    """
    from probe.cli.listings import is_json
    from probe.history.telling import as_time, change_as_json, drift_lines
    from probe.model.schemas import DRIFT_SCHEMA

    estate, place, since = estate_of(estate_file), place_of(data), _moment(when)
    name, beside = (None, ()) if about is None else _meant(estate, about)

    async def read(history: History) -> Any:
        if name is not None and not await history.knows(name):
            raise click.UsageError(f"nothing is known of {name}; see: probe history {estate_file}")
        return await history.changes(since=since, about=name, beside=beside)

    changes = _with_history(place, estate, read)
    if is_json(output):
        forms = [change_as_json(change) for change in changes]
        output.write_form(
            {"schema": DRIFT_SCHEMA, "deployment": estate.deployment.name, "since": as_time(since), "about": name, "changes": forms}
        )
    else:
        output.write_lines(drift_lines(changes, since))


def _show_all(output: Output, place: Folder | Secret, estate: Estate) -> None:
    from probe.cli.listings import is_json
    from probe.history.telling import subject_as_json, subject_lines
    from probe.model.schemas import HISTORY_SCHEMA

    subjects = _with_history(place, estate, lambda history: history.subjects())
    if is_json(output):
        forms = [subject_as_json(one) for one in subjects]
        output.write_form({"schema": HISTORY_SCHEMA, "deployment": estate.deployment.name, "about": None, "subjects": forms})
    elif subjects:
        output.write_lines(subject_lines(subjects))
    else:
        tell(f"nothing is known of deployment {estate.deployment.name} yet; run: probe check --record")


def _show(output: Output, place: Folder | Secret, estate: Estate, about: str) -> None:
    from probe.cli.listings import is_json
    from probe.enabling.telling import past_as_json, past_lines
    from probe.history.latency import HOURLY_DAYS
    from probe.history.telling import (
        interval_as_json,
        interval_lines,
        latency_as_json,
        latency_lines,
        transcript_as_json,
        transcript_lines,
    )
    from probe.model.schemas import HISTORY_SCHEMA

    name, _ = _meant(estate, about)
    since = _moment(f"{HOURLY_DAYS}d")

    async def read(history: History) -> Any:
        transcripts = await history.transcripts(name) if output.transcripts else ()
        return await history.intervals(name), await history.latencies(name, since), transcripts

    intervals, latencies, transcripts = _with_history(place, estate, read)
    kept, barred = _kept_beside(estate, name)
    if not (intervals or kept.requests or kept.comparisons or barred):
        raise click.UsageError(f"nothing is known of {name}")
    if is_json(output):
        parts = {
            "intervals": [interval_as_json(one) for one in intervals],
            "latencies": [latency_as_json(*one) for one in latencies],
            "transcripts": [transcript_as_json(one) for one in transcripts],
            **past_as_json(kept),
            "barred_sign_ins": [{"username": username, "why": why} for username, why in barred],
        }
        output.write_form({"schema": HISTORY_SCHEMA, "deployment": estate.deployment.name, "about": name, **parts})
    else:
        told = [*past_lines(kept), *_barred_lines(barred)]
        output.write_lines([*told, *interval_lines(intervals), *latency_lines(latencies), *transcript_lines(transcripts)])


def _kept_beside(estate: Estate, name: str) -> tuple[EnablingPast, list[tuple[str, str]]]:
    """What the state folder has of a mailbox beside the history: what Dynamics was asked for, and which user names may not sign in, and why.

    What cannot be read is told, and left out.
    """
    from probe import app
    from probe.enabling import EnablingPast, past_of_mailbox
    from probe.memory import Folder, Memory, MemoryUnavailable, default_folder
    from probe.model.effects import Effect

    if "://" in name:
        return EnablingPast(), []
    bound = None if estate.dynamics is None else estate.dynamics.organization
    kept, barred = EnablingPast(), []
    try:
        kept = past_of_mailbox(Folder(default_folder), None if bound is None else bound.id, name)
        mailboxes = [mailbox for mailbox in estate.mailboxes if mailbox.address == name]
        plan = app.plan_check(estate, mailboxes, app.Options(allow=frozenset({Effect.LOGS_IN})))
        usernames = dict.fromkeys(one.login.username for one in plan.conversations if one.login is not None)
        memory = Memory(default_folder)
        barred = [(username, why) for username in usernames for why in memory.bars_on(username, app.now())]
    except MemoryUnavailable as unavailable:
        tell(f"a part is left out: {unavailable}")
    return kept, barred


def _barred_lines(barred: Sequence[tuple[str, str]]) -> Iterator[str]:
    if barred:
        yield "sign-ins that are barred"
        yield from (f"  {username}: {why}" for username, why in barred)
        yield ""


def _erase(place: Folder | Secret, estate: Estate, address: str) -> None:
    from functools import partial

    from probe.memory import Folder, Locked, MemoryUnavailable, default_folder
    from probe.service import SERVICE_LOCK, erase_from

    folder = Folder(default_folder)
    try:
        with folder.locked(SERVICE_LOCK):
            dropped, failed = _with_history(place, estate, partial(_erased, address))
            if dropped is not None:
                tell(f"{dropped.intervals} intervals, {dropped.transcripts} transcripts and {dropped.runs} whole runs are erased")
            beside = erase_from(folder, estate.deployment.name, address)
    except Locked:
        raise click.UsageError(f"`probe serve` uses {folder.path}: {_STOP_FIRST}") from None
    except MemoryUnavailable as unavailable:
        raise click.UsageError(str(unavailable)) from None
    for one in beside:
        if one.rows:
            tell(f"{one.rows} {one.what} are erased")
    _tell_what_stays(folder, estate, address)
    if failed := [*failed, *(one.failed for one in beside if one.failed is not None)]:
        raise click.UsageError("; ".join([*failed, f"it may name {address} still; run this again"]))


async def _erased(address: str, history: History) -> tuple[Dropped | None, list[str]]:
    """What of the history is erased, None where that is not sure, and what kept it from being so; the other files are erased all the same."""
    from probe.history import HistoryUnavailable

    async with history.claim() as claim:
        if not claim.is_held:
            raise click.UsageError(f"another service watches this deployment: {_STOP_FIRST}")
        try:
            return await history.erase(address), []
        except HistoryUnavailable as unavailable:
            return None, [str(unavailable)]


def _tell_what_stays(folder: Folder, estate: Estate, address: str) -> None:
    """Say what keeps an address that was erased, and why; what cannot be read is told, and left out."""
    from probe import app
    from probe.enabling import Books, past_of_mailbox
    from probe.memory import Memory, MemoryUnavailable
    from probe.model.named_address import NamedAddress

    try:
        if Memory(folder.path).bars_on(address, app.now()):
            tell(
                f"memory.sqlite keeps that {address} may not sign in, under a hash that names nobody: no account is to be locked. See probe forget."
            )
        if folder.holds(Books.NAME) and Books(folder).names(NamedAddress(address)):
            tell(f"gate.sqlite keeps in which batches {address} was and how its predictions came out: the hit rate is worked out of it.")
        if past_of_mailbox(folder, None, address).requests:
            tell(f"audit.jsonl keeps when Dynamics was asked for Test & Enable of {address}: it is the record of what was changed.")
    except MemoryUnavailable as unavailable:
        tell(f"whether more keeps {address} cannot be told: {unavailable}")
    if any(mailbox.address.lower() == address.lower() for mailbox in estate.mailboxes):
        tell(f"The estate still names {address}: the next run that is recorded will know it again.")


def _rename(place: Folder | Secret, estate: Estate, old: str, new: str) -> None:
    from probe.memory import Folder, Locked, MemoryUnavailable, default_folder
    from probe.service import SERVICE_LOCK, rename_in

    async def renamed(history: History) -> bool:
        async with history.claim(old) as of_old, history.claim(new) as of_new:
            if not (of_old.is_held and of_new.is_held):
                raise click.UsageError(f"another service watches {old} or {new}: {_STOP_TO_RENAME}")
            return await history.rename(old, new)

    folder = Folder(default_folder)
    try:
        with folder.locked(SERVICE_LOCK):
            if not _with_history(place, estate, renamed):
                raise click.UsageError(f"nothing is known of deployment {old}, or {new} has a history of its own already")
            tell(f"the history of {old} is that of {new} now")
            rename_in(folder, old, new)
    except Locked:
        raise click.UsageError(f"`probe serve` uses {folder.path}: {_STOP_TO_RENAME}") from None
    except MemoryUnavailable as unavailable:
        raise click.UsageError(f"what the service of {old} told and knew keeps that name: {unavailable}") from None


def _meant(estate: Estate, about: str) -> tuple[str, tuple[str, ...]]:
    """The subject that somebody means, as the history writes it, and of a mailbox the endpoints that it uses."""
    from probe.model.estate import Endpoint

    if "://" in about:
        try:
            return Endpoint.parse(about).url, ()
        except ValueError as wrong:
            raise click.UsageError(str(wrong)) from None
    mailbox = next((one for one in estate.mailboxes if one.address.lower() == about.lower()), None)
    if mailbox is None:
        return about, ()
    ends = zip(estate.endpoints_of(mailbox), (mailbox.uses_incoming, mailbox.uses_outgoing), strict=True)
    return mailbox.address, tuple(dict.fromkeys(end.url for end, is_used in ends if is_used))


def _moment(when: str) -> datetime:
    from datetime import timedelta

    from probe import app

    try:
        if days := re.fullmatch(r"(\d{1,4})d", when):
            return app.moment_of("0h") - timedelta(days=int(days[1]))
        return app.moment_of(f"{when}T00:00" if re.fullmatch(r"\d{4}-\d\d-\d\d", when) else when)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint="--since") from None


def _with_history(place: Folder | Secret, estate: Estate, work: Callable[[History], Awaitable[T]]) -> T:
    """What a piece of work gives that is done with the history of an estate. Raises UsageError where it cannot be had."""
    from probe import app
    from probe.history import HistoryUnavailable, open_history

    async def done(_stop: asyncio.Event) -> T:
        async with open_history(place, estate.deployment.name) as history:
            return await work(history)

    try:
        return app.complete(done)
    except HistoryUnavailable as unavailable:
        raise click.UsageError(str(unavailable)) from None
