"""An account signs in for one mailbox at one endpoint once in 15 minutes, whoever asks: runs, gates and processes over one state folder."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from probe import app
from probe.config import load_estate
from probe.document import ReportOptions, publish
from probe.engine.accounts import Accounts, Locks
from probe.gate import gate_text, published
from probe.memory import MailboxSignIn, Memory
from probe.model import vocabulary as v
from probe.model.attempts import Attempt, Outcome
from probe.model.estate import Effect, SecretReference
from probe.model.facts import Fact, Missing, Why
from probe.model.named_address import NamedAddress
from probe.probing.proofs import Ending, NotClaimed
from probe.reports.html import REPORT as HTML
from probe.reports.text import REPORT as TEXT
from probe.simulation.estate import Simulation
from probe.simulation.listening import Conversation
from tests.command import environment, probe
from tests.judged_again import assert_judged_again_to_the_same
from tests.looking import authority, server_context
from tests.refusing import Refusing
from tests.sign_ins import ADDRESS, BEGIN, TwoServers, logins, two_servers


def told(attempt: Attempt) -> list[tuple[str, object]]:
    """What it learnt, by key."""
    return sorted((r.key.name, r.value if isinstance(r, Fact) else r.why) for r in attempt.readings)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[TwoServers]:
    async with two_servers(tmp_path) as one:
        yield one


async def test_a_second_run_has_the_answer_of_the_first(world: TwoServers) -> None:
    """One account at two endpoints signs in at both; a run within 15 minutes takes both attempts, with their own time and transcript; the next signs in."""
    first = await world.check()
    assert world.logons == (1, 1)
    world.wait(minutes=14.9)
    second = await world.check()
    assert world.logons == (1, 1)
    for before, after in zip(logins(first), logins(second), strict=True):
        assert (after.outcome, after.at, list(after.transcript)) == (Outcome.COMPLETED, before.at, list(before.transcript))
        assert told(after) == told(before)
        assert after.at < second.started
    assert_judged_again_to_the_same(second)
    assert second.assessments[0].signed_in == "yes"
    world.wait(minutes=0.2)
    await world.check()
    assert world.logons == (2, 2)


async def test_the_gate_takes_it_and_says_how_old_it_is(world: TwoServers) -> None:
    """A sign-in of a check counts for the gate as one of its own run, and text, HTML and gate tell its age beside what rests on it, and once at their head."""
    await world.check()
    world.wait(minutes=7)
    gated = await world.gate()
    assert world.logons == (1, 1)
    assert set(gated.verdicts[0].predicted.values()) == {"success", None}
    text = " ".join("".join(gate_text(published(gated), ReportOptions(width=200))).split())
    assert "SUCCESS incoming, outgoing: signed in 7 minutes ago" in text
    assert text.count("2 answers are older than the run") == 1
    document = publish(gated.run)
    for report in (TEXT, HTML):
        text = " ".join("".join(report.render(document, ReportOptions(width=200))).split())
        assert text.count("2 answers are older than the run, of sign-ins up to 7 minutes ago") == 1
        assert "Sign-in signed in 7 minutes ago" in text.replace("<dt>", "").replace("</dt><dd>", " ")


async def test_what_is_of_the_run_is_told_without_an_age(world: TwoServers) -> None:
    """A run that signs in itself says nothing of ages."""
    gated = await world.gate()
    text = "".join((*gate_text(published(gated), ReportOptions()), *TEXT.render(publish(gated.run), ReportOptions())))
    assert "ago" not in text
    assert "older than the run" not in text


async def test_a_changed_credential_signs_in(world: TwoServers) -> None:
    """The answer of another password is none; a refusal is an answer too, and is given with its reason in place of a second proof."""
    await world.check()
    world.set_password("marked-Wrong-2")
    refused = await world.check()
    assert sum(world.logons) == 3
    again = await world.check()
    assert sum(world.logons) == 3
    for run in (refused, again):
        assert [r.value for r in run.readings if r.key == v.AUTH_ACCEPTED and isinstance(r, Fact)] == [False]
        assert run.assessments[0].signed_in == "refused"


async def test_each_mailbox_of_one_account_is_signed_in_for(world: TwoServers) -> None:
    """The rule is for one mailbox: another of the same account signs in, and each has its own answer."""
    await world.check()
    world.mailboxes.append("orders@contoso.test")
    world.wait(minutes=1)
    run = await world.check()
    assert world.logons == (2, 2)
    assert {(a.mailbox, a.at < run.started) for a in logins(run)} == {(ADDRESS, True), ("orders@contoso.test", False)}


async def test_now_signs_in_regardless(world: TwoServers) -> None:
    """A person's `--now` signs in, and what it finds is the answer from then on."""
    await world.check()
    world.wait(minutes=5)
    await world.check(sign_in_now=True)
    assert world.logons == (2, 2)
    world.wait(minutes=12)
    run = await world.check()
    assert world.logons == (2, 2)
    assert {a.at for a in logins(run)} == {BEGIN + timedelta(minutes=5)}


async def test_another_way_to_sign_in_has_no_answer_of_this_one(world: TwoServers) -> None:
    """What was found in one way says nothing of another: it is unknown, with the reason, until the account may sign in again."""
    await world.check()
    world.wait(minutes=3)
    world.authentication = "ntlm"
    run = await world.check()
    assert world.logons == (1, 1)
    gaps = [r for r in run.readings if r.key == v.AUTH_ACCEPTED and isinstance(r, Missing)]
    assert {gap.why for gap in gaps} == {Why.NOT_ATTEMPTED}
    assert "3 minutes ago, in another way" in gaps[0].detail
    assert "after 08:15:00 UTC" in gaps[0].detail
    assert "`--now`" in gaps[0].detail


async def test_a_round_trip_goes_with_the_sign_in_of_its_run(world: TwoServers) -> None:
    """It follows the logins of its run; a run that has their answers of before has its answer of before, or none."""
    both = frozenset({Effect.LOGS_IN, Effect.SENDS_MAIL})

    async def trip() -> tuple[str, str]:
        run = await world.check(allow=both, timeout=8)
        (attempt,) = [one for one in run.attempts if one.prober == "mail-round-trip"]
        return attempt.outcome, attempt.detail

    await world.check()
    outcome, detail = await trip()
    assert (world.logons, outcome) == ((1, 1), Outcome.NOT_SCHEDULED)
    assert "and this was not done then" in detail
    world.wait(minutes=20)
    outcome, _ = await trip()
    before = world.logons
    assert min(before) >= 3
    assert outcome != Outcome.NOT_SCHEDULED
    world.wait(minutes=10)
    assert (await trip())[0] == outcome
    assert world.logons == before


async def test_a_connection_that_sends_no_proof_is_no_sign_in(world: TwoServers) -> None:
    """A server that is not trusted was not signed in to: once it is, the account signs in at once."""
    run = await world.check(ca_file=None)
    assert {a.outcome for a in logins(run)} == {Outcome.UNTRUSTED_PEER}
    await world.check()
    assert world.logons == (1, 1)


async def test_without_a_state_folder_nothing_is_held_back(world: TwoServers) -> None:
    """The demo, which has none, signs in each time."""
    for _ in range(2):
        await world.check(state=None)
    assert world.logons == (2, 2)


async def test_nobody_signs_in_where_that_cannot_be_written_down(world: TwoServers) -> None:
    """A file that cannot be written is a reason, and no password leaves."""
    await world.check()
    world.wait(minutes=20)
    file = world.folder / "state" / "signins.sqlite"
    file.unlink()
    file.mkdir()
    run = await world.check()
    assert world.logons == (1, 1)
    assert {a.outcome for a in logins(run)} == {Outcome.NOT_SCHEDULED}
    assert all("no login is tried" in a.detail for a in logins(run))


async def test_no_secret_is_kept_and_nothing_older_than_15_minutes(world: TwoServers) -> None:
    """Neither the password nor what is made of it stands in the file; after 15 minutes whatever opens it leaves nothing of a transcript."""
    await world.check()
    file = world.folder / "state" / "signins.sqlite"
    with closing(sqlite3.connect(file)) as database:
        answers = [zlib.decompress(row[0]).decode() for row in database.execute("SELECT answer FROM sign_in")]
    assert len(answers) == 2
    assert not any("marked-" in answer for answer in answers)
    assert b"marked-" not in file.read_bytes()
    kept = zlib.compress(answers[0].encode())[:40]
    assert kept in file.read_bytes()
    world.wait(minutes=15)
    assert Memory(world.folder / "state").sign_ins.times(world.now) == {}
    assert kept not in file.read_bytes()


async def test_a_secret_of_a_later_run_is_struck_out_of_the_answer_of_before(world: TwoServers) -> None:
    """What an earlier run did not know as a secret is one of this run, and shows nowhere in it."""
    await world.check()
    world.mailboxes.append("other@contoso.test")
    estate = load_estate(world.estate_file)
    file = world.folder / "other"
    file.write_text("Dovecot")
    other = replace(estate.mailboxes[1], password=SecretReference("file", str(file)), username="other")
    estate = replace(estate, mailboxes=(estate.mailboxes[0], other))
    run = await app.check(estate, estate.mailboxes, world.options())
    (taken,) = [a for a in logins(run) if a.mailbox == ADDRESS and a.prober == "pop3-login"]
    assert taken.at <= run.started
    assert "Dovecot" not in repr(list(taken.transcript))


async def test_a_whole_estate_comes_to_the_same_without_signing_in_again(tmp_path: Path) -> None:
    """Every kind of server and account of the simulated estate, service accounts that impersonate too: five minutes later all that signed in is told again."""
    async with Simulation.start() as simulation:
        options = app.Options(
            timeout=20, hosts=simulation.hosts, ca_file=simulation.ca_file, state=tmp_path / "state", tls="none", clock=lambda: BEGIN
        )
        # Not those behind a server that never says a word.
        mailboxes = [one for one in simulation.estate.mailboxes if not one.address.endswith("@tailspin.test")]
        assert mailboxes != list(simulation.estate.mailboxes)
        first = await app.check(simulation.estate, mailboxes, options)
        later = replace(options, clock=lambda: BEGIN + timedelta(minutes=5))
        second = await app.check(simulation.estate, mailboxes, later)
    signed_in = {
        (one.prober, one.subject, one.mailbox)
        for one in first.attempts
        if any(r.key == v.AUTH_ACCEPTED and isinstance(r, Fact) for r in one.readings)
    }
    again = {(one.prober, one.subject, one.mailbox): one for one in second.attempts}
    assert len({mailbox for _, subject, mailbox in signed_in if "EWS" in subject}) > 3
    assert {again[key].at for key in signed_in} == {BEGIN}
    assert [(one.mailbox, one.support, one.directions, one.signed_in) for one in second.assessments] == [
        (one.mailbox, one.support, one.directions, one.signed_in) for one in first.assessments
    ]
    assert_judged_again_to_the_same(second)


# --- processes ------------------------------------------------------------------------------------------------------------


class Holding(Refusing):
    """A POP3 server that lets in, and holds its answer to a password back until a test says so."""

    def __init__(self) -> None:
        super().__init__("pop3", server_context(), self._answer, mechanisms="PLAIN")
        self.proved = asyncio.Event()
        self.thrice = asyncio.Event()
        """Set once there were three connections."""
        self.go = asyncio.Event()

    def arrived(self, conversation: Conversation) -> None:
        super().arrived(conversation)
        if self.connections == 3:
            self.thrice.set()

    def _answer(self, conversation: Conversation) -> None:
        self.proved.set()

        async def answer() -> None:
            await self.go.wait()
            if conversation.is_open:
                conversation.send(b"+OK\r\n")

        self._task = asyncio.ensure_future(answer())


@pytest.fixture
async def holding(tmp_path: Path) -> AsyncIterator[tuple[Holding, TwoServers]]:
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(two_servers(tmp_path))
        one = Holding()
        await stack.enter_async_context(one)
        world.pop_port = one.port
        yield one, world


def _arguments(world: TwoServers, *more: str) -> list[str]:
    return ["check", str(world.estate_file), "--json", "--tls", "none", "--ca", str(authority().ca_file), *more]


async def _begun(world: TwoServers, *more: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "probe", *_arguments(world, *more)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(PROBE_STATE_DIR=str(world.folder / "state")),
    )


async def _accepted(process: asyncio.subprocess.Process) -> set[tuple[str, bool]]:
    out, err = await process.communicate()
    assert process.returncode in (0, 1), err.decode()
    return {(one["subject"], one["value"]) for one in json.loads(out)["facts"] if one["key"] == "auth.accepted"}


async def test_of_two_processes_one_signs_in_and_the_other_has_its_answer(holding: tuple[Holding, TwoServers]) -> None:
    """Both begin before the server has answered either; each account signs in once at each endpoint, and both processes know it."""
    one, world = holding
    both = [await _begun(world) for _ in range(2)]
    await one.proved.wait()
    # Each reads from the server without an account; the one that signs in connects once more.
    await one.thrice.wait()
    one.go.set()
    found = [await _accepted(process) for process in both]
    assert found[0] == found[1]
    assert len(found[0]) == 2
    assert (len(one.proofs), len(world.smtp.logons)) == (1, 1)


async def test_a_sign_in_that_was_killed_counts_and_now_settles_it(holding: tuple[Holding, TwoServers]) -> None:
    """After a kill between the proof and its answer nobody signs in again, the reason is told, and a person's `--now` finds out."""
    one, world = holding
    process = await _begun(world, "--timeout", "3")
    await one.proved.wait()
    process.kill()
    await process.wait()
    one.go.set()
    run = await world.check(clock=app.now)
    (attempt,) = [a for a in logins(run) if a.prober == "pop3-login"]
    assert attempt.outcome is Outcome.NOT_SCHEDULED
    assert "its answer was not kept" in attempt.detail
    assert "`--now` signs in at once" in attempt.detail
    assert len(one.proofs) == 1
    run = await world.check(clock=app.now, timeout=3, sign_in_now=True)
    assert {r.value for r in run.readings if r.key == v.AUTH_ACCEPTED and isinstance(r, Fact)} == {True}
    assert len(one.proofs) == 2


# --- the command line -------------------------------------------------------------------------------------------------------


async def _probe(world: TwoServers, *arguments: str) -> tuple[int, str, str]:
    done = await asyncio.to_thread(probe, *arguments, PROBE_STATE_DIR=str(world.folder / "state"))
    return done.returncode, done.stdout, done.stderr


async def test_the_command_line_gives_the_answer_of_before(world: TwoServers) -> None:
    """`check`, then `gate`: one sign-in; a dry run says which would not be held; `forget` and `history --erase` let the next one sign in."""
    estate, ca = str(world.estate_file), ("--ca", str(authority().ca_file), "--tls", "none")
    code, dry, _ = await _probe(world, "check", estate, "--dry-run")
    assert (code, "NOT HELD: the account signed in" in dry, (world.folder / "state").exists()) == (0, False, False)
    await _probe(world, "check", estate, *ca)
    await asyncio.sleep(1)  # a document's times are whole seconds: a sign-in of the second in which the gate began is not told as older
    _, answer, _ = await _probe(world, "gate", estate, ADDRESS, *ca)
    assert world.logons == (1, 1)
    assert "signed in less than a minute ago" in " ".join(answer.split())
    _, dry, _ = await _probe(world, "check", estate, "--dry-run")
    assert dry.count("NOT HELD: the account signed in here for this mailbox less than a minute ago") == 2
    _, _, said = await _probe(world, "forget", ADDRESS)
    assert said == "0 forgotten, and 2 sign-ins of the last 15 minutes\n"
    await _probe(world, "check", estate, *ca)
    assert world.logons == (2, 2)
    _, _, said = await _probe(world, "history", estate, "--erase", ADDRESS.upper())
    assert "2 sign-ins of the last 15 minutes are erased" in said
    await _probe(world, "check", estate, *ca)
    assert world.logons == (3, 3)


async def test_now_is_refused_where_there_is_no_terminal(world: TwoServers) -> None:
    """No schedule can say `--now`: without a terminal it is a wrong call, of which the reason is told, and nothing is probed."""
    for command in (["check"], ["gate", "--all"]):
        code, _, said = await _probe(world, command[0], str(world.estate_file), *command[1:], "--now")
        assert code == 2
        assert "a person at a terminal" in " ".join(said.split())
    assert (world.pop.connections, world.smtp.connections) == (0, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
async def test_now_is_taken_from_a_terminal(world: TwoServers) -> None:
    """With a terminal as standard input the account signs in again."""
    await _probe(world, *_arguments(world))
    ours, theirs = os.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "probe", *_arguments(world, "--now")),
            stdin=theirs,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment(PROBE_STATE_DIR=str(world.folder / "state")),
        )
        await _accepted(process)
    finally:
        os.close(ours)
        os.close(theirs)
    assert world.logons == (2, 2)


async def test_what_is_erased_is_erased_from_the_words_of_others_too(world: TwoServers) -> None:
    """An answer for another mailbox that names the address is gone, though not when that account signed in."""
    world.mailboxes.append("orders@contoso.test")
    await world.check()
    sign_ins = Memory(world.folder / "state").sign_ins
    assert sign_ins.erase(NamedAddress("orders@contoso.test")) >= 2
    with closing(sqlite3.connect(world.folder / "state" / "signins.sqlite")) as database:
        rows = database.execute("SELECT mailbox, answer FROM sign_in").fetchall()
    assert {mailbox for mailbox, _ in rows} == {ADDRESS}
    assert not any(answer and b"orders@" in zlib.decompress(answer) for _, answer in rows)


@pytest.mark.parametrize("has_refused_ledger", [False, True])
async def test_what_a_person_wanted_and_did_not_send_leaves_no_gap(tmp_path: Path, has_refused_ledger: bool) -> None:
    """Where `--now` sends no proof after all, be it that the server or the ledger was against it, the sign-in before it counts on."""
    at = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
    (tmp_path / "state").mkdir(mode=0o700)
    sign_in = MailboxSignIn(mailbox="a@contoso.test", endpoints=("imaps://localhost:993",), prober="imap-login", way=b"w")
    account = ("a@contoso.test", "Correct-Horse-7")

    def accounts(*, regardless: bool = False) -> Accounts:
        return Accounts(Memory(tmp_path / "state"), lambda: at, timedelta(seconds=30), Locks(), regardless=regardless)

    first = accounts()
    proof = first.proof(account, "imaps://localhost:993", sign_in)
    await proof.claim()
    if not has_refused_ledger:
        await proof.end(Ending.ACCEPTED)
    at += timedelta(minutes=2) if not has_refused_ledger else timedelta(seconds=1)
    wanted = accounts(regardless=True).proof(account, "imaps://localhost:993", sign_in)
    if has_refused_ledger:
        with pytest.raises(NotClaimed):
            await wanted.claim()
        await proof.end(Ending.ACCEPTED)
    else:
        await wanted.claim()
        await wanted.release()
    at += timedelta(minutes=1)
    assert await accounts().last_sign_in(account, sign_in) is not None


@pytest.mark.parametrize("ending", [Ending.ACCEPTED, Ending.REFUSED, None], ids=["accepted", "refused", "killed"])
async def test_an_account_without_a_password_signs_in_once_and_is_never_barred(tmp_path: Path, ending: Ending | None) -> None:
    """By a ticket or the session of Windows: the 15 minutes hold for it however that ended, and no password is in doubt that the ledger would bar."""
    (tmp_path / "state").mkdir(mode=0o700)
    ews = "https://mail.contoso.test:443/EWS/Exchange.asmx"
    sign_in = MailboxSignIn(mailbox="a@contoso.test", endpoints=(ews,), prober="ews-inbox", way=b"w")
    account, at = ("contoso\\svc-crm", ""), datetime(2026, 11, 30, 8, 0, tzinfo=UTC)

    def accounts() -> Accounts:
        return Accounts(Memory(tmp_path / "state"), lambda: at, timedelta(seconds=30), Locks())

    proof = accounts().proof(account, ews, sign_in, has_password=False)
    await proof.claim()
    assert proof.is_sign_in
    if ending is not None:
        await proof.end(ending)
    proof.close()
    at += timedelta(minutes=14)
    assert await accounts().last_sign_in(account, sign_in) is not None
    assert await accounts().barred(account, ews) is None
    at += timedelta(minutes=2)
    assert await accounts().last_sign_in(account, sign_in) is None


async def test_a_ticket_that_was_not_had_is_no_sign_in(tmp_path: Path) -> None:
    """Where no proof left, the next run may sign in at once."""
    (tmp_path / "state").mkdir(mode=0o700)
    sign_in = MailboxSignIn(mailbox="a@contoso.test", endpoints=("https://mail.contoso.test:443/",), prober="ews-inbox", way=b"w")
    accounts = Accounts(Memory(tmp_path / "state"), lambda: datetime(2026, 11, 30, 8, 0, tzinfo=UTC), timedelta(seconds=30), Locks())
    proof = accounts.proof(("svc", ""), "https://mail.contoso.test:443/", sign_in, has_password=False)
    await proof.claim()
    await proof.release()
    assert not proof.is_sign_in
    assert await accounts.last_sign_in(("svc", ""), sign_in) is None
