"""One person's mailbox is erased from all that a service keeps."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sqlite3
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from probe import app
from probe.alerts import AlertBook
from probe.config import read_estate
from probe.enabling import Audit, Books
from probe.history import open_history
from probe.memory import Folder, MailboxSignIn, Memory
from probe.model.estate import Secret
from probe.model.named_address import NamedAddress
from probe.schedule import ScheduleBook
from probe.service import SERVICE_LOCK
from probe.service.keeping import KeptLooks
from tests.command import probe
from tests.servers.postgresql import PostgreSql
from tests.service.driven import START, Driven, driven, run_now
from tests.service.kept import texts_of
from tests.service.world import down, estate_text, url_of

TEXT = estate_text(1, 2)
GONE, OTHER = "m0@p0.contoso.test", "m1@p0.contoso.test"
NAMED = NamedAddress(GONE)
HOUR = timedelta(hours=1)
WITHOUT = re.sub(rf'\[\[mailbox\]\]\naddress = "{GONE}"\n(?:.+\n)+', "", TEXT)
KEEPING = {"audit.jsonl", "gate.sqlite"}
"""Files that are left as they are."""


def naming(folder: Path) -> set[str]:
    """The files of a folder that name the mailbox."""
    return {file.name for file in folder.iterdir() if any(NAMED.is_in(text) or GONE in text for text in texts_of(file))}


def rows(file: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as database:
        return list(database.execute(query))


async def _made(folder: Path) -> Driven:
    """A service that has watched two mailboxes, whose server is down now, and all that other commands keep of one of them beside it."""
    service = driven(folder, TEXT)
    # All mailboxes are signed in to at night.
    service.clock.at(START + 20 * HOUR, lambda: service.world.change(url_of(0), down()))
    await service.run(START + 21 * HOUR)
    assert service.told
    now, state, memory = service.clock.now(), Folder(folder), Memory(folder)
    memory.last_known.keep(
        "here", now, {mailbox: {"dynamics.last_error": f"no mail for {GONE}"} for mailbox in (GONE, OTHER)}, is_whole=True
    )
    identity = memory.identity(GONE, "a password of nobody")
    for mailbox in (GONE, OTHER):
        sign_in = MailboxSignIn(mailbox=mailbox, endpoints=(url_of(0),), prober="ews-inbox")
        assert memory.sign_ins.begin(identity.identity, identity.account, sign_in, b"run", app.now(), timedelta(seconds=30)) is None
        answer = zlib.compress(json.dumps({"said": [f"\n{GONE} is let in"]}).encode())
        memory.sign_ins.keep(identity.identity, sign_in, b"run", answer, app.now())
    memory.rest(None, url_of(0), HOUR, f"the server asked to be left alone: too many connections of {GONE}", app.now())
    Books(state).add("batch", "organization", {"1": GONE, "2": OTHER}, now)
    with Audit(state, service.clock.now) as audit:
        request = {"who": "admin", "host": "here", "organization": "organization", "mailbox": GONE, "id": "1", "batch": "batch"}
        audit.write({**request, "predicted": {"incoming": "success"}, "accepted": [], "ticket": None, "take_over": False, "before": None})
    return service


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Driven]:
    """That folder, made once, and the service."""
    folder = tmp_path_factory.mktemp("watched") / "state"
    with ThreadPoolExecutor(1) as pool:  # where no loop runs yet
        return folder, pool.submit(lambda: asyncio.run(_made(folder))).result()


@pytest.fixture
def state(once: tuple[Path, Driven], tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(once[0], tmp_path / "state"))


def _erase(folder: Path, *more: str, **environment: str) -> tuple[int, str]:
    (folder / "estate.toml").write_text(WITHOUT)
    done = probe("history", "estate.toml", "--erase", GONE.upper(), *more, cwd=folder, PROBE_STATE_DIR=str(folder / "state"), **environment)
    return done.returncode, " ".join(done.stderr.split())


def test_nothing_of_the_folder_names_who_was_erased(tmp_path: Path, state: Path) -> None:
    """No byte of any file, packed, escaped, deleted or beside it, but of the audit and the gate's books, of which the command says so and why."""
    assert naming(state) == KEEPING | {
        *("history.sqlite", "service.sqlite", "alerts.sqlite", "schedule.sqlite"),
        *("dynamics.sqlite", "signins.sqlite", "memory.sqlite"),
    }
    code, said = _erase(tmp_path)
    assert code == 0, said
    assert naming(state) == KEEPING
    assert "audit.jsonl keeps when Dynamics was asked for Test & Enable of" in said
    assert "gate.sqlite keeps in which batches" in said
    assert "2 sign-ins of the last 15 minutes are erased" in said


async def test_who_is_beside_them_is_known_as_before(tmp_path: Path, state: Path, once: tuple[Path, Driven]) -> None:
    """After a restart without the mailbox, the other's verdict is there before anything is looked at, nothing is told anew, and the server's end is told."""
    before = once[1]
    (verdict,) = [one for one in run_now(before.watcher).assessments if one.mailbox == OTHER]
    code, said = await asyncio.to_thread(_erase, tmp_path)
    assert code == 0, said
    held = before.world.held.total()
    service = Driven(state, read_estate(WITHOUT, "estate.toml"), before.clock, before.world)
    service.clock.until = service.clock.now()
    async with service.begun() as watcher:
        service.clock.stop.set()
        await watcher.run(service.clock.stop)
    (now,) = run_now(watcher).assessments
    assert (now.mailbox, now.support, now.readiness, now.signed_in) == (OTHER, verdict.support, verdict.readiness, verdict.signed_in)
    assert service.world.held.total() == held
    service.world.restore(url_of(0))
    await service.run(service.clock.now() + HOUR)
    assert [title.partition("]")[0] for title in service.titles()] == ["[RECOVERED"]
    subjects = Counter(subject for (subject,) in rows(state / "schedule.sqlite", "SELECT subject FROM task"))
    assert subjects[OTHER] > 0
    assert naming(state) == KEEPING


def test_what_is_about_the_mailbox_alone_is_not_sent_any_more(state: Path) -> None:
    """Of alerts that wait, those about it are dropped, and those that name it beside others are sent without its address."""
    insert = "INSERT INTO event (id, deployment, kind, at, subject, heading, message) VALUES (?, 'contoso-crm', 'notice', ?, ?, ?, ?)"
    message = json.dumps({"title": f"Jörg and {GONE}", "severity": "warning", "is_over": False, "lines": [], "thread": ""})
    with closing(sqlite3.connect(state / "alerts.sqlite", isolation_level=None)) as database:
        for event, subject in (("alone", GONE.upper()), ("beside", "profile:p0")):
            number = database.execute(insert, (event, "2026-11-30T13:00:00", subject, f"of {GONE}", message)).lastrowid
            database.execute(
                "INSERT INTO delivery VALUES (?, 'log', 'waiting', 0, '2026-11-30T13:00:00', 0, ?, '')",
                (number, f"550 no such user {GONE}"),
            )
        database.execute("INSERT INTO told VALUES ('contoso-crm', ?, '')", (f"drift|7|{GONE}",))
    assert AlertBook(Folder(state), None).erase(NAMED) > 0
    waiting = rows(
        state / "alerts.sqlite", "SELECT id, heading, why, message FROM delivery JOIN event ON event = number WHERE state = 'waiting'"
    )
    assert [(event, heading, why) for event, heading, why, _ in waiting] == [("beside", "of (erased)", "550 no such user (erased)")]
    assert json.loads(str(waiting[0][3]))["title"] == "Jörg and (erased)"
    assert rows(state / "alerts.sqlite", "SELECT count(*) FROM delivery WHERE event NOT IN (SELECT number FROM event)") == [(0,)]
    assert "alerts.sqlite" not in naming(state)


def test_looks_that_cannot_be_read_are_gone(state: Path) -> None:
    """What is damaged, or of another version, may name anybody; the rest stays."""
    with closing(sqlite3.connect(state / "service.sqlite", isolation_level=None)) as database:
        database.execute("INSERT INTO look VALUES ('contoso-crm', 'account', 'x@contoso.test', '2026-11-30T13:00:00', ?)", (b"damaged",))
        database.execute("INSERT INTO estate VALUES ('fabrikam', ?)", (zlib.compress(b"{}"),))
        database.execute("INSERT INTO estate VALUES ('adatum', ?)", (b"damaged",))
        database.execute("INSERT INTO cohort VALUES ('contoso-crm', 'key', 9, '2026-11-30T13:00:00', ?)", (json.dumps([GONE]),))
    KeptLooks(Folder(state), "contoso-crm").erase(NAMED)
    assert {subject for (subject,) in rows(state / "service.sqlite", "SELECT subject FROM look")} == {OTHER, url_of(0)}
    assert {name for (name,) in rows(state / "service.sqlite", "SELECT deployment FROM estate")} == {"contoso-crm", "fabrikam"}
    assert GONE not in str(rows(state / "service.sqlite", "SELECT mailboxes FROM cohort"))
    assert KeptLooks(Folder(state), "contoso-crm").kept_estate() is not None


def test_nobody_is_erased_while_a_service_would_write_it_again(tmp_path: Path, state: Path) -> None:
    """With `probe serve` on the folder the command does nothing, ends with 2, and says what to do."""
    before = {file.name: file.read_bytes() for file in state.iterdir()}
    with Folder(state).locked(SERVICE_LOCK):
        code, said = _erase(tmp_path)
    assert code == 2
    assert f"`probe serve` uses {state}: " in said
    assert "take the address out of the estate, stop the service, erase, and start it again" in said
    assert {file.name: file.read_bytes() for file in state.iterdir() if file.name in before} == before


async def test_nobody_is_erased_while_a_service_elsewhere_would_write_it_again(tmp_path: Path, postgresql: PostgreSql) -> None:
    """With a service on another machine, whose history is in the same PostgreSQL, likewise; once it has ended, the mailbox is erased."""
    url = postgresql.new_schema()
    async with open_history(Secret(url), "contoso-crm") as history, history.claim() as claim:
        assert claim.is_held
        code, said = await asyncio.to_thread(_erase, tmp_path, "--data", "env:HISTORY", HISTORY=url)
        assert code == 2
        assert "another service watches this deployment" in said
    code, said = await asyncio.to_thread(_erase, tmp_path, "--data", "env:HISTORY", HISTORY=url)
    assert code == 0, said


def test_one_file_that_cannot_be_used_keeps_no_other_from_being_erased(tmp_path: Path, state: Path) -> None:
    """What is wrong with it is told, the others are erased, and the command ends with 2."""
    (state / "alerts.sqlite").write_bytes(b"no database " * 1000)
    code, said = _erase(tmp_path)
    assert code == 2
    assert f"{state / 'alerts.sqlite'} cannot be used: " in said
    assert f"it may name {GONE.upper()} still; run this again" in said
    assert naming(state) == KEEPING


def test_nothing_is_made_where_nothing_was_kept(tmp_path: Path) -> None:
    """Erasing makes no file beside the history and the lock."""
    code, said = _erase(tmp_path)
    assert (code, said) == (0, "0 intervals, 0 transcripts and 0 whole runs are erased")
    assert {file.name for file in (tmp_path / "state").iterdir()} == {"history.sqlite", SERVICE_LOCK}
    assert ScheduleBook(Folder(tmp_path / "state"), "contoso-crm").erase(NAMED) == 0
    assert not (tmp_path / "state" / "schedule.sqlite").exists()


def test_every_file_of_the_state_folder_is_erased_from_or_keeps_what_it_has() -> None:
    """A file that comes to the state folder is thought of here: whether it names mailboxes, and what erases them."""
    source = "\n".join(file.read_text("utf-8") for file in Path(app.__file__).parent.rglob("*.py"))
    files = set(re.findall(r'^\s*name="([\w.]+\.sqlite)",', source, re.MULTILINE)) | set(re.findall(r'StateFile\(name="([\w.]+)"', source))
    erased = {"service.sqlite", "alerts.sqlite", "schedule.sqlite", "dynamics.sqlite", "signins.sqlite", "memory.sqlite"}
    names_no_mailbox = {"tokens.sqlite"}
    assert files == erased | {"gate.sqlite"} | names_no_mailbox
