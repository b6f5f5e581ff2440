"""`probe gate --enable` and `--score`: what a person is told and asked before Dynamics is changed, and how well predictions came out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import click

from probe.cli.exit_codes import gate_exit_code
from probe.cli.options import added_options
from probe.cli.streams import tell
from probe.model.values import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from probe.app import Narrow, Options
    from probe.cli.output import Output
    from probe.enabling import Audit, Books, Choice, Job, OpenBatch, Pressed
    from probe.gate import DynamicsRecords, Gated, Unread
    from probe.model.estate import Estate, Mailbox


@dataclass(frozen=True, slots=True, kw_only=True)
class EnableRequest:
    """What was said on the command line of asking Dynamics for Test & Enable."""

    enable: bool
    yes: bool
    again: bool
    take_over: bool
    new: bool
    wait: float
    batch: int
    pause: float
    stop_at: float
    ticket: str | None


class _Number(click.FloatRange):
    """A number within bounds, which `nan` is not."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        return self.fail(f"{value!r} is not a number", param, ctx) if number != number else number


def enabling_options(command: Callable[..., Any]) -> Any:
    """The options of asking for Test & Enable; they reach the command as one `request`."""
    options = [
        click.option("--enable", is_flag=True, help="Run Test & Enable of those that are a go and not enabled yet, wait, and compare."),
        click.option("--yes", is_flag=True, help="With --enable: do not ask."),
        click.option("--again", is_flag=True, help="With --enable: also where a mailbox, named by its address, is enabled already."),
        click.option(
            "--take-over", is_flag=True, help="With --enable: this organization may become the one that synchronizes appointments."
        ),
        click.option("--new", is_flag=True, help="With --enable: begin a new batch, and leave one that is open."),
        click.option("--wait", type=_Number(1, 86400), metavar="SECONDS", default=900, show_default=True, help="For each outcome."),
        click.option("--batch", type=click.IntRange(1, 1000), metavar="N", default=10, show_default=True, help="Mailboxes at a time."),
        click.option("--pause", type=_Number(0, 86400), metavar="SECONDS", default=60, show_default=True, help="After each N."),
        click.option(
            "--stop-at",
            type=_Number(0, 100),
            metavar="PERCENT",
            default=20,
            show_default=True,
            help="Ask for nothing more where more of at least 5 finished mailboxes failed.",
        ),
        click.option("--ticket", metavar="TEXT", help="With --enable: written into the audit, such as the number of a change."),
    ]

    def gathered(
        *,
        enable: bool,
        yes: bool,
        again: bool,
        take_over: bool,
        new: bool,
        wait: float,
        batch: int,
        pause: float,
        stop_at: float,
        ticket: str | None,
        **rest: Any,
    ) -> Any:
        alone = {"--yes": yes, "--again": again, "--take-over": take_over, "--new": new, "--ticket": ticket is not None}
        if not enable and (said := [name for name, is_said in alone.items() if is_said]):
            raise click.UsageError(f"{', '.join(said)} without --enable says nothing")
        request = EnableRequest(
            enable=enable,
            yes=yes,
            again=again,
            take_over=take_over,
            new=new,
            wait=wait,
            batch=batch,
            pause=pause,
            stop_at=stop_at,
            ticket=ticket,
        )
        return command(request=request, **rest)

    return added_options(command, gathered, options)


class Round:
    """One `probe gate --enable`: the lock is held, and it is known what an earlier one left open."""

    def __init__(self, request: EnableRequest, estate: Estate, audit: Audit, books: Books, left: OpenBatch | None) -> None:
        self._request = request
        self._estate = estate
        self._audit = audit
        self._books = books
        self._left = left

    def joined(self, mailboxes: Sequence[Mailbox]) -> tuple[Mailbox, ...]:
        """These mailboxes, and those of the open batch, in the order of the estate."""
        wanted = {mailbox.address for mailbox in mailboxes} | self._open_ones()
        return tuple(mailbox for mailbox in self._estate.mailboxes if mailbox.address in wanted and mailbox.is_served)

    def joined_after(self, narrow: Narrow | None) -> Narrow | None:
        """What leaves the same mailboxes, and those of the open batch."""
        if narrow is None or self._left is None:
            return narrow
        opened = self._open_ones()

        def narrowed(mailboxes: Sequence[Mailbox], records: DynamicsRecords | Unread) -> Sequence[Mailbox]:
            meant = {mailbox.address for mailbox in narrow(mailboxes, records)} | opened
            return [mailbox for mailbox in mailboxes if mailbox.address in meant]

        return narrowed

    def press(self, gated: Gated, addresses: Sequence[str], options: Options, output: Output) -> Pressed:
        """Ask Dynamics, once a person has said yes; wait, and tell what came of it."""
        from probe import app
        from probe.enabling import DECLINED, NOBODY_TO_ASK, Choice, Pressed, Wish, choose

        wish = Wish(again=frozenset(addresses) if self._request.again else frozenset(), takes_over=self._request.take_over)
        choice = choose(self._estate, gated, {} if self._left is None else self._left.past, wish)
        if gated.run.interrupted:
            choice = Choice(done=choice.done, not_asked=choice.not_asked)
        if choice.done:
            tell(f"{len(choice.done):,} of these have their outcome in this batch already; it is told, and --new asks again.")
        is_interrupted = gated.run.interrupted
        try:
            agreed = self._is_agreed(choice, gated)
        except click.Abort:
            agreed, is_interrupted = False, True
        if agreed is not True:
            why = {candidate.mailbox.address: DECLINED if agreed is False else NOBODY_TO_ASK for candidate in choice.ask}
            choice = Choice(done=choice.done, not_asked={**choice.not_asked, **why})
        if choice.is_empty:
            return replace(Pressed.of(choice), is_interrupted=is_interrupted)
        if self._request.new:
            self._books.leave(self._organization)
        job = self._job(choice, wish)
        return app.complete(partial(app.enable, job, options, self._audit, self._books, _said(output)))

    def told(self) -> None:
        """What came of it has been told: a batch that is done is closed."""
        from probe import app
        from probe.enabling import close_told
        from probe.memory import MemoryUnavailable

        try:
            close_told(self._audit, self._books, self._organization, app.now())
        except MemoryUnavailable as unavailable:
            tell(f"The batch stays open: {unavailable}")

    @property
    def _organization(self) -> str:
        assert self._estate.dynamics is not None
        assert self._estate.dynamics.organization is not None
        return self._estate.dynamics.organization.id

    def _open_ones(self) -> set[str]:
        if self._left is None:
            return set()
        left = {address.lower() for address in self._left.left}
        return {mailbox.address for mailbox in self._estate.mailboxes if mailbox.address.lower() in left}

    def _job(self, choice: Choice, wish: Any) -> Job:
        import platform
        import secrets

        from probe.enabling import Job, Patience

        request = self._request
        return Job(
            estate=self._estate,
            choice=choice,
            wish=wish,
            patience=Patience(wait=request.wait, portion=request.batch, pause=request.pause, stop_at=request.stop_at),
            batch=secrets.token_hex(8) if self._left is None else self._left.batch.id,
            organization=self._organization,
            who=_who(),
            host=platform.node() or "unknown",
            ticket=request.ticket,
        )

    def _is_agreed(self, choice: Choice, gated: Gated) -> bool | None:
        """Whether a person lets it be asked for; None where nobody can be asked."""
        if not choice.ask:
            return True
        from collections import Counter

        from probe.document.telling.words import count, some_of

        addresses = [candidate.mailbox.address for candidate in choice.ask]
        tell(f"Dynamics is asked for Test & Enable of {count(len(addresses), 'mailbox', 'mailboxes')}: {some_of(addresses)}.")
        will = [gated.will[address] for address in addresses]
        mails = sum(one.pending_send or 0 for one in will)
        tell(
            f"It sends a test mail from {sum(one.sends_test_mail for one in will):,} of them to itself, and {mails:,} that wait to be sent; "
            "it disables a mailbox whose test fails."
        )
        for reason, number in Counter(choice.not_asked.values()).items():
            tell(f"Not asked for: {count(number, 'mailbox', 'mailboxes')}, since {reason}.")
        if self._request.take_over:
            tell("This organization becomes the one that synchronizes their appointments, where it is not yet (--take-over).")
        if self._request.yes:
            return True
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            tell("There is no terminal to say yes on, and no --yes: nothing is written.")
            return None
        return click.confirm("Shall Dynamics be asked?", default=False, err=True)


@contextmanager
def round_of(request: EnableRequest, estate: Estate, *, are_named: bool) -> Iterator[Round | None]:
    """What `--enable` needs, for as long as it lasts; None without it. `are_named`: whether every mailbox is named by its address."""
    if not request.enable:
        yield None
        return
    from probe import app
    from probe.enabling import AlreadyEnabling, Audit, Books, open_batch
    from probe.memory import Folder, MemoryUnavailable, default_folder

    if estate.dynamics is None:
        raise click.UsageError("--enable needs [dynamics] in the estate; nothing was probed")
    bound = estate.dynamics.organization
    if bound is None:
        url = estate.dynamics.url
        raise click.UsageError(
            "the estate binds no organization, so that nothing is asked of Dynamics: `probe import dynamics "
            f"{url} --update --output ESTATE.toml` writes `organization` of [dynamics]; nothing was probed"
        )
    if request.again and not are_named:
        raise click.UsageError("--again wants the addresses of the mailboxes, and nothing beside them")
    folder = Folder(default_folder)
    try:
        with Audit(folder, app.now) as audit:
            books, now = Books(folder), app.now()
            left = open_batch(audit, books, bound.id, now)
            if left is not None:
                _tell_open(left, estate, now, is_left=request.new)
            yield Round(request, estate, audit, books, None if request.new else left)
    except (AlreadyEnabling, MemoryUnavailable) as unavailable:
        raise click.UsageError(str(unavailable)) from None


def _tell_open(left: OpenBatch, estate: Estate, now: datetime, *, is_left: bool) -> None:
    from probe.document.telling.words import count

    known = {mailbox.address.lower() for mailbox in estate.mailboxes}
    many = f"{count(len(left.left), 'mailbox', 'mailboxes')} of {len(left.batch.members)} without an outcome"
    if not left.left:
        many = "each mailbox has its outcome, which nobody was told"
    age = f"{(now - left.batch.began).total_seconds() / 60:.0f} minutes old"
    what = "it is left, since --new begins another" if is_left else "it is taken up; --new leaves it and begins another"
    tell(f"Batch {left.batch.id} of this organization is open ({age}): {many}; {what}.")
    if gone := [address for address in left.left if address.lower() not in known]:
        tell(f"{', '.join(gone[:10])} of it: not in this estate any more, and left alone.")


def write_score(output: Output, estate: Estate | None) -> None:
    """Write how well predictions came out: of the estate's organization, or of all. Raises NotWritten."""
    from probe.document.telling.words import count
    from probe.enabling import Books, scores
    from probe.memory import Folder, MemoryUnavailable, default_folder

    bound = None if estate is None or estate.dynamics is None else estate.dynamics.organization
    try:
        compared = Books(Folder(default_folder)).comparisons(None if bound is None else bound.id)
    except MemoryUnavailable as unavailable:
        raise click.UsageError(str(unavailable)) from None
    found, disagreements = scores(compared), [one for one in compared if one.agrees is False]
    if output.format == "json":
        directions = {
            one.direction: {
                "compared": one.compared,
                "agreed": one.agreed,
                "rate": round(one.agreed / one.compared, 4) if one.compared else None,
                "undecided": one.undecided,
            }
            for one in found
        }
        told = [
            {"mailbox": one.mailbox, "direction": one.direction, "at": one.at, "predicted": one.predicted, "outcome": one.outcome}
            for one in disagreements
        ]
        output.write_form({"directions": directions, "disagreements": told})
        return
    lines = [f"{count(len(compared), 'outcome', 'outcomes')} of Test & Enable compared with what was predicted."]
    for one in found:
        rate = f"{one.agreed / one.compared:.1%} of {one.compared:,} came as predicted" if one.compared else "nothing to compare"
        lines.append(f"{one.direction:<13} {rate}{f'; of {one.undecided:,} more nothing was predicted' if one.undecided else ''}")
    lines += [f"{one.at} {one.mailbox} {one.direction}: predicted {one.predicted}, came {one.outcome}" for one in disagreements]
    output.write_lines(lines)


def show_gate(output: Output, options: Options) -> NoReturn:
    """Show the gate's whole path over the simulated organization. It exits with 0 where that was shown, whatever came of it."""
    from probe import app
    from probe.demonstration import demonstrate_gate

    with output.progress(options) as shown:
        gated, pressed = app.complete(partial(demonstrate_gate, shown, _said(output)))
    output.write_gate(gated, pressed)
    code = gate_exit_code(gated, pressed)
    sys.exit(code if code in (70, 130) else 0)


def _said(output: Output) -> Callable[[str], None]:
    """Tells of each step, unless nobody wants to hear it."""
    return (lambda sentence: None) if output.quiet else output.log


def _who() -> str:
    import getpass
    import os

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return f"uid {os.getuid()}" if sys.platform != "win32" else "unknown"
