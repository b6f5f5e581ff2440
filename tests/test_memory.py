"""What is remembered from run to run, and what is never written down."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from probe.memory import FOLDER_VARIABLE, IN_DOUBT, Memory, MemoryUnavailable, default_folder

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
URL = "pop3s://mail.contoso.test:995"


def test_refused_credentials_stay_barred_until_they_change(tmp_path: Path) -> None:
    """The refusal outlives the program; another password of the same account is free, and so is another account."""
    memory = Memory(tmp_path)
    wrong = memory.identity("Sales@contoso.test", "wrong")
    assert memory.begin(wrong, URL, NOW) is None
    memory.refused(wrong, URL, NOW)
    later = Memory(tmp_path)
    reason = later.begin(later.identity("sales@CONTOSO.test", "wrong"), "imaps://other:993", NOW + timedelta(days=99))
    assert reason is not None
    assert URL in reason
    assert "2026-11-24" in reason
    assert later.begin(later.identity("sales@contoso.test", "changed"), URL, NOW) is None
    assert later.begin(later.identity("other@contoso.test", "wrong"), URL, NOW) is None


def test_a_login_whose_end_was_not_seen_bars_the_next_for_a_while(tmp_path: Path) -> None:
    """Begun and not ended, it may have been refused; a quarter of an hour later it is tried again."""
    memory = Memory(tmp_path)
    identity = memory.identity("a", "b")
    assert memory.begin(identity, URL, NOW) is None
    assert "not seen" in (memory.begin(identity, URL, NOW + IN_DOUBT / 2) or "")
    assert memory.begin(identity, URL, NOW + IN_DOUBT + timedelta(seconds=1)) is None


def test_a_login_that_ended_well_leaves_nothing(tmp_path: Path) -> None:
    """Good credentials are not remembered."""
    memory = Memory(tmp_path)
    identity = memory.identity("a", "b")
    memory.begin(identity, URL, NOW)
    memory.ended(identity)
    assert memory.begin(identity, URL, NOW) is None
    assert memory.forget() == 1


def test_the_operator_may_forget_one_account_or_all(tmp_path: Path) -> None:
    """Forgotten credentials are tried again."""
    memory = Memory(tmp_path)
    for name, password in (("a", "1"), ("a", "2"), ("b", "3")):
        memory.refused(memory.identity(name, password), URL, NOW)
    assert memory.forget("A") == 2
    assert memory.begin(memory.identity("a", "1"), URL, NOW) is None
    assert memory.begin(memory.identity("b", "3"), URL, NOW) is not None
    assert memory.forget() == 2


def test_no_password_and_no_user_name_is_written(tmp_path: Path) -> None:
    """The files hold hashes under a random key, which differ between machines, and only their owner may read them."""
    memory, other = Memory(tmp_path / "one"), Memory(tmp_path / "two")
    identity = memory.identity("sales@contoso.test", "correct horse")
    memory.refused(identity, URL, NOW)
    assert identity != other.identity("sales@contoso.test", "correct horse")
    for file in (tmp_path / "one").iterdir():
        assert b"correct horse" not in file.read_bytes()
        assert b"sales@" not in file.read_bytes()
        if os.name == "posix":
            assert file.stat().st_mode & 0o077 == 0
    if os.name == "posix":
        assert (tmp_path / "one").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("broken", ["garbage", "other version", "short key", "folder in the way"])
def test_a_memory_that_cannot_be_used_is_told(tmp_path: Path, broken: str) -> None:
    """A file that is not ours, of another version, or out of reach is an error with words, and is left as it was."""
    memory = Memory(tmp_path)
    identity = memory.identity("a", "b")
    memory.begin(identity, URL, NOW)
    file = tmp_path / "memory.sqlite"
    if broken == "garbage":
        file.write_bytes(b"not a database" * 100)
    elif broken == "other version":
        with sqlite3.connect(file) as database:
            database.execute("PRAGMA user_version = 99")
        database.close()
    elif broken == "short key":
        (tmp_path / "key").write_bytes(b"short")
    else:
        (tmp_path / "file").write_text("")
        memory = Memory(tmp_path / "file" / "below")
    before = file.read_bytes()
    with pytest.raises(MemoryUnavailable):
        memory.begin(memory.identity("a", "b"), URL, NOW)
    assert file.read_bytes() == before


def _claim(folder: str, start: object, answers: object) -> None:
    """What each of several processes does at once."""
    memory = Memory(Path(folder))
    start.wait()  # type: ignore[attr-defined]
    answers.put(memory.begin(memory.identity("a", "b"), URL, NOW) is None)  # type: ignore[attr-defined]


def test_of_several_processes_one_gets_the_claim(tmp_path: Path) -> None:
    """A service and an administrator who check at once make one login."""
    context = multiprocessing.get_context("spawn")
    start, answers = context.Event(), context.Queue()
    processes = [context.Process(target=_claim, args=(str(tmp_path), start, answers)) for _ in range(4)]
    for process in processes:
        process.start()
    start.set()
    given = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(30)
    assert sorted(given) == [False, False, False, True]


def _begin_and_die(folder: str) -> None:
    """A program that is killed between a password's being sent and its answer."""
    memory = Memory(Path(folder))
    memory.begin(memory.identity("a", "b"), URL, NOW)
    os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)


def test_a_killed_program_leaves_its_login_in_doubt(tmp_path: Path) -> None:
    """What was begun is on the disk before the password is sent."""
    process = multiprocessing.get_context("spawn").Process(target=_begin_and_die, args=(str(tmp_path),))
    process.start()
    process.join(60)
    memory = Memory(tmp_path)
    assert "not seen" in (memory.begin(memory.identity("a", "b"), URL, NOW) or "")


def test_the_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment variable names the folder; without it there is one of the machine or of the user."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv(FOLDER_VARIABLE)
    assert default_folder().name == "probe"


def test_a_rest_ends_by_itself_is_never_shortened_and_never_endless(tmp_path: Path) -> None:
    """What a server wants is kept to the second, for the account or for all; the longer wish stands, and none lasts beyond an hour."""
    memory = Memory(tmp_path)
    one, other = memory.identity("a", "b"), memory.identity("c", "d")
    memory.rest(one, URL, timedelta(seconds=300), "the server wants 300 s", NOW)
    memory.rest(one, URL, timedelta(seconds=10), "the server wants 10 s", NOW)
    assert memory.resting(one, URL, NOW + timedelta(seconds=299)) == "the server wants 300 s; no login is tried until 08:05:00 UTC"
    assert memory.resting(one, URL, NOW + timedelta(seconds=300)) is None
    assert memory.resting(other, URL, NOW) is None
    assert memory.resting(one, "pop3s://other:995", NOW) is None
    memory.rest(None, URL, timedelta(days=365), "asked to be left alone", NOW)
    assert "asked to be left alone" in (memory.resting(other, URL, NOW + timedelta(minutes=59)) or "")
    assert memory.resting(other, URL, NOW + timedelta(minutes=61)) is None


def test_a_file_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    """What an older probe remembered still bars."""
    memory = Memory(tmp_path)
    wrong = memory.identity("a", "b")
    memory.refused(wrong, URL, NOW)
    with sqlite3.connect(tmp_path / "memory.sqlite") as database:
        database.execute("DROP TABLE rest")
        database.execute("PRAGMA user_version = 1")
    database.close()
    assert memory.resting(wrong, URL, NOW) is None
    assert memory.begin(wrong, URL, NOW) is not None
