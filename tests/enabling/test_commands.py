"""`probe gate --enable` as a user runs it, against a simulated organization that counts what reaches it."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from probe.document import gate_schema
from probe.simulation.dynamics.errors import missing_privilege
from probe.simulation.dynamics.faults import Fault, is_throttled, is_unavailable, loses_answer
from probe.simulation.dynamics.metadata import MAILBOX, PROFILE
from probe.simulation.dynamics.organization import written
from tests.enabling.world import AT_ONCE, GO, USER, World, address, organized

ENABLED = dict.fromkeys(("enabledforincomingemail", "enabledforoutgoingemail", "enabledforact"), True)
FLAG = "testemailconfigurationscheduled"


def lines_of(world: World) -> list[dict[str, Any]]:
    """The audit; the file is whole."""
    assert world.audit.endswith("\n")
    assert (world.state / "audit.jsonl").stat().st_mode & 0o777 == 0o600
    return [json.loads(line) for line in world.audit.splitlines()]


def kinds_of(world: World, number: int) -> list[str]:
    """What the audit has of a mailbox, in order."""
    found = [line for line in lines_of(world) if line["mailbox"] == address(number)]
    return ["outcome" if "outcome" in line else line.get("answered", "request") for line in found]


def mailboxes_of(told: str) -> Mapping[str, dict[str, Any]]:
    """The mailboxes of a document that fits its schema, by address."""
    document = json.loads(told)
    Draft202012Validator(gate_schema()).validate(document)
    return {form["mailbox"]: form for form in document["mailboxes"]}


async def test_each_is_asked_for_once_and_compared(tmp_path: Path) -> None:
    """One change a mailbox, in portions; the audit has each before it left, and the document what came of it."""
    async with organized(tmp_path, 5) as world:
        world.failing.add(address(3))
        done = await world.gate("--all", *GO, *AT_ONCE, "--batch", "2", "--ticket", "CHG-7", "--json")
        assert done.code == 1
        assert world.sent == [world.id_of(number) for number in range(5)]
        forms = mailboxes_of(done.out)
        assert [form["enabled"]["outcome"]["outgoing"] for form in forms.values()] == ["success"] * 3 + ["failure", "success"]
        failed = forms[address(3)]["enabled"]
        assert failed["state"] == "done"
        (alert,) = [alert for alert in failed["alerts"] if alert["level"] == "error"]
        assert "login-refused" in alert["causes"]
        assert "password-login-ended-by-provider" not in alert["causes"]  # the run has seen that it is not
        lines = lines_of(world)
        assert [kinds_of(world, number) for number in range(5)] == [["request", "sent", "outcome"]] * 5
        assert {line["batch"] for line in lines} == {json.loads(done.out)["enabling"]["batch"]}
        request = lines[0]
        assert {"at", "who", "host", "organization", "mailbox", "id", "predicted", "accepted", "ticket", "batch"} <= request.keys()
        assert (request["ticket"], request["accepted"], request["organization"]) == ("CHG-7", ["not-signed-in"], world.organization.id)
        assert "asked Dynamics for 2 of 2, 3 to follow" in done.err
        score = json.loads((await world.gate("--score", "--json")).out)
        assert score["directions"]["outgoing"] == {"compared": 0, "agreed": 0, "rate": None, "undecided": 5}


async def test_what_mends_a_difference_names_the_estates_file(tmp_path: Path) -> None:
    """The command that takes over what Dynamics has can be pasted as it stands, in the document and in the text."""
    async with organized(tmp_path, 1) as world:
        for profile in world.organization.profiles.values():
            profile["incomingusername"] = "other@contoso.test"
        mend = f"probe import dynamics http://127.0.0.1:{world.server.port}/Contoso --update --output estate.toml"
        form = mailboxes_of((await world.gate("--all", *GO, "--json")).out)[address(0)]
        assert {one["mend"] for one in form["differs"]} == {mend}
        assert mend in " ".join((await world.gate("--all", *GO)).out.split())


async def test_the_history_tells_what_was_asked_for(tmp_path: Path) -> None:
    """Of one mailbox: by whom, what was predicted and what came, out of the audit; the gate's own run is in it too. What is torn or gone takes nothing else away."""
    async with organized(tmp_path, 2) as world:
        world.failing.add(address(1))
        for _ in range(2):
            await world.gate(address(1), *GO, *AT_ONCE, "--again", "--ticket", "CHG-7")
        with (world.state / "audit.jsonl").open("a") as audit:
            audit.write('{"at": "2026-')
        told = json.loads((await world.history(address(1), "--json")).out)
        newest, oldest = told["test_and_enable"]
        assert newest["at"] >= oldest["at"]
        assert (newest["ticket"], newest["answered"], newest["enabled"]["outcome"]["outgoing"]) == ("CHG-7", "sent", "failure")
        assert told["intervals"], "the gate's run is recorded"
        text = (await world.history(address(1))).out
        assert text.count("asked for by") == 2
        assert "came       incoming success, outgoing failure (" in text
        assert "(it may be login-refused, " in text
        await world.gate(address(0))
        assert json.loads((await world.history(address(0), "--json")).out)["test_and_enable"] == []
        assert "audit.jsonl keeps when Dynamics was asked" in (await world.history("--erase", address(1))).err
        with (world.state / "audit.jsonl").open("a") as audit:
            audit.write("\n")
        broken = await world.history(address(0))
        assert broken.code == 0
        assert "a part is left out: line 7 of " in broken.err


async def test_a_healthy_estate_is_left_alone(tmp_path: Path) -> None:
    """All are enabled: nothing is asked, nothing written, and nobody has to say yes. Named with --again, one is asked for."""
    async with organized(tmp_path, 3, appointments=[1]) as world:
        for row in world.organization.mailboxes:
            world.organization.update(MAILBOX, row, ENABLED)
        done = await world.gate("--all", *GO, "--enable", "--json")
        assert done.code == 0, done.err
        assert {form["not_asked"] for form in mailboxes_of(done.out).values()} == {"it is enabled already in every direction that is used"}
        assert world.server.changes_asked == []
        assert world.audit == ""
        refused = await world.gate("--all", *GO, *AT_ONCE, "--again")
        assert (refused.code, refused.out) == (2, "")
        assert (await world.gate(address(0), *GO, *AT_ONCE, "--again")).code == 0
        assert world.sent == [world.id_of(0)]


async def test_nothing_is_written_without_a_yes_or_without_enable(tmp_path: Path) -> None:
    """No terminal and no --yes: a sentence says so, and the exit code is no success."""
    async with organized(tmp_path, 1) as world:
        assert (await world.gate("--all", *GO)).code == 0
        done = await world.gate("--all", *GO, "--enable")
        assert done.code == 3
        assert "There is no terminal to say yes on, and no --yes: nothing is written." in done.err
        assert "Nothing was written" in done.out
        assert (await world.gate("--all", *GO, "--yes")).code == 2
        assert world.server.changes_asked == []


@pytest.mark.parametrize(("answer", "code", "sent"), [(b"y\n", 0, 1), (b"n\n", 3, 0), (b"", 130, 0)])
async def test_a_person_is_asked(tmp_path: Path, answer: bytes, code: int, sent: int) -> None:
    """After a yes it is done; after a no, or Ctrl-C, the answer is told, and nothing is written."""
    async with organized(tmp_path, 1) as world:
        mine, theirs = pty.openpty()
        process = await world.begun("--all", *GO, "--enable", "--json", terminal=theirs, TERM="dumb")
        os.close(theirs)
        said = b""
        while b"Shall Dynamics be asked?" not in said:
            said += await asyncio.to_thread(os.read, mine, 1024)
        assert b"asked for Test & Enable of 1 mailbox: m000@contoso.test" in said
        if answer:
            os.write(mine, answer)
        else:
            process.send_signal(signal.SIGINT)
        ended = asyncio.create_task(process.communicate())
        # A signal that comes just before Python begins to read a line is told only once the line is there: a person presses Ctrl-C once more.
        while not answer and not (await asyncio.wait([ended], timeout=10))[0]:
            process.send_signal(signal.SIGINT)
        out, _ = await ended
        os.close(mine)
        assert process.returncode == code
        assert (mailboxes_of(out.decode())[address(0)]["not_asked"] is None) is bool(sent)
        assert len(world.sent) == sent


async def test_those_that_an_outage_disabled_are_enabled_again(tmp_path: Path) -> None:
    """One command: who fits wholly is asked for, who fits in part is named, the others are not looked at."""
    async with organized(tmp_path, 3) as world:
        now = datetime.now(UTC).replace(microsecond=0)
        after = {"lastsyncerroroccurredon": written(now - timedelta(hours=1))}
        world.organization.update(MAILBOX, world.id_of(0), {**after, "lastsuccessfulsynccompletedon": written(now - timedelta(hours=3))})
        world.organization.update(MAILBOX, world.id_of(1), {**after, "lastsuccessfulsynccompletedon": written(now - timedelta(days=9))})
        done = await world.gate("--disabled-since", "2h", *GO, *AT_ONCE, "--json")
        assert done.code == 0, done.err
        assert world.sent == [world.id_of(0)]
        assert f"{address(1)} (incoming, outgoing)" in done.err
        assert mailboxes_of(done.out).keys() == {address(0)}


async def test_only_a_go_is_asked_for(tmp_path: Path) -> None:
    """Rows that differ, an answer that is none, and a primary organization that would change: told, and not written."""
    async with organized(tmp_path, 4, appointments=[1]) as world:
        world.organization.update(MAILBOX, world.id_of(2), {"emailrouteraccessapproval": 2})
        done = await world.gate("--all", *GO, *AT_ONCE, "--json")
        forms = mailboxes_of(done.out)
        assert world.sent == [world.id_of(0), world.id_of(3)]
        assert done.code == 1  # an address that is not approved is no go
        assert "--take-over" in forms[address(1)]["not_asked"]
        assert "approval" in forms[address(2)]["not_asked"]
        assert (await world.gate(address(1), *GO, *AT_ONCE, "--take-over")).code == 0
        assert world.sent[2:] == [world.id_of(1)]
        profile = next(iter(world.organization.profiles))
        world.organization.update(PROFILE, profile, {"incomingauthenticationprotocol": 3})
        changed = await world.gate(address(0), *GO, *AT_ONCE, "--again")
        assert (changed.code, len(world.sent)) == (3, 3)
        assert "correct whichever is wrong" in " ".join(changed.out.split())


@pytest.mark.parametrize(("bound", "code"), [(None, 2), ("5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11 Contoso", 3), ("copy", 3)])
async def test_another_organization_is_not_changed(tmp_path: Path, bound: str | None, code: int) -> None:
    """Where the estate binds none, or another than the server's, or a copy has another name, nothing is asked of it."""
    async with organized(tmp_path, 1, bound=bound if bound != "copy" else "") as world:
        if bound == "copy":
            world.organization.records["organization"][world.organization.id]["name"] = "Contoso-Test"
        done = await world.gate("--all", *GO, *AT_ONCE)
        assert done.code == code, done.err
        assert world.server.changes_asked == []
        assert ("binds no organization" in done.err) is (bound is None)


async def test_what_somebody_else_asked_for_is_waited_for(tmp_path: Path) -> None:
    """A row whose flag is set already is not written, and told as another's."""
    async with organized(tmp_path, 2, pace=0.2) as world:
        world.organization.update(MAILBOX, world.id_of(1), {FLAG: True})
        done = await world.gate("--all", *GO, *AT_ONCE, "--json")
        assert done.code == 0
        assert world.sent == [world.id_of(0)]
        theirs = mailboxes_of(done.out)[address(1)]["enabled"]
        assert (theirs["requested"], theirs["scheduled_by_another"], theirs["state"]) == (None, True, "done")
        assert kinds_of(world, 1) == ["scheduled", "outcome"]


async def test_not_now_is_obeyed_and_the_change_is_sent_again(tmp_path: Path) -> None:
    """After 429 and 503 it is sent once more, each time on the record; after nothing else."""
    async with organized(tmp_path, 2) as world:
        world.server.faults += [_of_patch(is_throttled("mailboxes(")), _of_patch(is_unavailable("mailboxes(", retry_after="1"))]
        done = await world.gate("--all", *GO, *AT_ONCE)
        assert done.code == 0
        assert len(world.server.changes_asked) == 4
        assert world.sent == [world.id_of(0), world.id_of(1)]
        assert kinds_of(world, 0) == ["request", "request", "request", "sent", "outcome"]


async def test_a_lost_answer_is_settled_by_the_row(tmp_path: Path) -> None:
    """The change arrived and its answer did not: it is not sent again, and its outcome is told."""
    async with organized(tmp_path, 2) as world:
        world.server.faults.append(loses_answer("mailboxes(", method="PATCH"))
        done = await world.gate("--all", *GO, *AT_ONCE)
        assert done.code == 0
        assert len(world.server.changes_asked) == 2
        assert kinds_of(world, 0) == ["request", "unknown", "outcome"]


async def test_what_dynamics_refuses_is_told(tmp_path: Path) -> None:
    """An account that may not write: one refusal ends it, the others are not tried, and the batch stays open."""
    async with organized(tmp_path, 3) as world:
        world.server.faults.append(Fault("mailboxes(", "PATCH", instead=lambda _: missing_privilege("prvWriteMailbox", USER.id, MAILBOX)))
        done = await world.gate("--all", *GO, *AT_ONCE, "--json")
        assert done.code == 3
        assert "prvWriteMailbox" in mailboxes_of(done.out)[address(0)]["not_asked"]
        assert len(world.server.changes_asked) == 1
        assert kinds_of(world, 0) == ["request", "refused"]
        again = await world.gate(address(0), *GO, *AT_ONCE)
        assert again.code == 0
        assert "3 mailboxes of 3 without an outcome; it is taken up" in again.err
        assert len(world.sent) == 3


async def test_pending_at_the_deadline_is_taken_up_later(tmp_path: Path) -> None:
    """A test that Dynamics tries again is pending once the wait is over; the next call waits on, and asks for nothing twice."""
    async with organized(tmp_path, 2, pace=0.02, tries=3) as world:
        world.failing.add(address(1))
        done = await world.gate("--all", *GO, *AT_ONCE, "--wait", "3", "--json")
        assert done.code == 3
        forms = mailboxes_of(done.out)
        assert (forms[address(0)]["enabled"]["state"], forms[address(1)]["enabled"]["state"]) == ("done", "pending")
        again = await world.gate("--all", *GO, *AT_ONCE, "--json")
        assert again.code == 1
        assert "1 mailbox of 2 without an outcome; it is taken up" in again.err
        assert "1 of these have their outcome in this batch already" in again.err
        forms = mailboxes_of(again.out)
        assert [forms[address(n)]["enabled"]["outcome"]["outgoing"] for n in range(2)] == ["success", "failure"]
        assert len(world.sent) == 2
        assert kinds_of(world, 1) == ["request", "sent", "outcome"]
        third = await world.gate("--all", *GO, "--enable", "--yes")
        assert "open" not in third.err
        assert len(world.sent) == 3  # the one that failed, in a batch of its own


async def test_too_many_failures_end_it(tmp_path: Path) -> None:
    """Once more of five than the bound have failed, nothing more is asked for; a new call goes on, or with --new begins anew."""
    async with organized(tmp_path, 9) as world:
        world.failing.update(address(number) for number in (1, 3))
        done = await world.gate("--all", *GO, *AT_ONCE, "--batch", "5")
        assert done.code == 1
        assert len(world.sent) == 5
        assert "2 of 5 finished mailboxes failed" in " ".join(done.out.split())
        again = await world.gate("--all", *GO, *AT_ONCE, "--batch", "5")
        assert (again.code, len(world.sent)) == (1, 9)
        assert len(set(world.sent)) == 9
        anew = await world.gate("--all", *GO, *AT_ONCE, "--new", "--stop-at", "100")
        assert (anew.code, world.sent[9:]) == (1, [world.id_of(1), world.id_of(3)])


async def test_two_at_once_do_not_both_ask(tmp_path: Path) -> None:
    """The second one ends before it probes anything, while the first goes on."""
    async with organized(tmp_path, 2, pace=0.05) as world:
        first = await world.begun("--all", *GO, *AT_ONCE)
        while not world.sent:  # noqa: ASYNC110 - the server counts, it does not call
            await asyncio.sleep(0.02)
        second = await world.gate("--all", *GO, *AT_ONCE)
        assert (second.code, second.out) == (2, "")
        assert "another `probe gate --enable` is under way" in second.err
        await first.communicate()
        assert (first.returncode, len(world.sent)) == (0, 2)


async def test_an_interrupted_one_tells_how_far_it_is(tmp_path: Path) -> None:
    """Ctrl-C while it waits: the document is whole, with what is pending, and the exit code is 130."""
    async with organized(tmp_path, 2, pace=1) as world:
        process = await world.begun("--all", *GO, *AT_ONCE, "--json")
        while len(world.sent) < 2:  # noqa: ASYNC110 - the server counts, it does not call
            await asyncio.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, _ = await process.communicate()
        assert process.returncode == 130
        assert {form["enabled"]["state"] for form in mailboxes_of(out.decode()).values()} == {"pending"}
        assert lines_of(world)[-1]["mailbox"] == address(1)


async def test_a_torn_line_is_kept_as_text(tmp_path: Path) -> None:
    """A crash of the machine in the middle of a line: the next call mends the file before it writes."""
    async with organized(tmp_path, 1) as world:
        assert (await world.gate("--all", *GO, *AT_ONCE)).code == 0
        file = world.state / "audit.jsonl"
        before = file.read_text()
        with file.open("a") as audit:
            audit.write('{"at": "2026-11-29T03:0')
        assert (await world.gate("--all", *GO, *AT_ONCE)).code == 0
        last = json.loads(file.read_text().removeprefix(before))
        assert last["torn"] == '{"at": "2026-11-29T03:0'
        with closing(sqlite3.connect(world.state / "gate.sqlite")) as books, books:
            books.execute("UPDATE batch SET is_left = 0")
        file.write_text("not JSON\n")
        refused = await world.gate("--all", *GO, *AT_ONCE)
        assert (refused.code, refused.out) == (2, "")
        assert "line 1 of" in refused.err


@pytest.mark.parametrize(
    "words", [["--wait", "nan"], ["--batch", "0"], ["--pause", "-1"], ["--stop-at", "101"], ["--take-over"], ["--again"]]
)
async def test_a_wrong_call_changes_nothing(tmp_path: Path, words: list[str]) -> None:
    """It ends before anything is read."""
    enable = [] if words in (["--take-over"], ["--again"]) else ["--enable"]
    async with organized(tmp_path, 1) as world:
        done = await world.gate("--all", *enable, *words)
        assert (done.code, done.out) == (2, "")
        assert list(world.server.requests) == []


def _of_patch(fault: Fault) -> Fault:
    fault.method = "PATCH"
    return fault
