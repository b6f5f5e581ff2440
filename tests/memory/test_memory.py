"""What is remembered from run to run, and what is never written down."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.memory import PAUSES, Identity, Memory, MemoryUnavailable
from probe.probing.proofs import Ending

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
URL = "pop3s://mail.contoso.test:995"
MINUTE = timedelta(minutes=1)


WHO = Identity(b"i" * 32, b"a" * 64)
"""Some account with some password; what stands for them takes its time to be worked out."""


def claimed(memory: Memory, now: datetime, ending: Ending | None, place: str = "") -> bool:
    """Claim a sign-in and end it; whether it was granted."""
    if memory.claim(WHO, URL, now, MINUTE, place) is not None:
        return False
    if ending is not None:
        memory.end(WHO, ending, now, place)
    return True


def test_refused_credentials_stay_barred_until_they_change(tmp_path: Path) -> None:
    """The refusal outlives the program; another password of the same account is free, and so is another account."""
    memory = Memory(tmp_path)
    wrong = memory.identity("Sales@contoso.test", "wrong")
    assert memory.claim(wrong, URL, NOW, MINUTE) is None
    memory.end(wrong, Ending.REFUSED, NOW)
    later = Memory(tmp_path)
    same = later.identity("sales@CONTOSO.test", "wrong")
    reason = later.claim(same, "imaps://other:993", NOW + timedelta(days=99), MINUTE)
    assert reason is not None
    assert reason == later.barred(same, NOW + timedelta(days=99))
    assert URL in reason
    assert "2026-11-24" in reason
    assert later.claim(later.identity("sales@contoso.test", "changed"), URL, NOW, MINUTE) is None
    assert later.claim(later.identity("other@contoso.test", "wrong"), URL, NOW, MINUTE) is None


@pytest.mark.parametrize(
    ("ending", "proofs"),
    [
        (Ending.UNSEEN, ["0:00", "0:30", "2:30", "26:30"]),
        (None, ["0:00", "0:30", "2:30", "26:30"]),
        (Ending.TURNED_DOWN, ["0:00", "2:00", "26:00"]),
        (Ending.REFUSED, ["0:00"]),
    ],
)
def test_what_was_not_accepted_is_tried_again_after_growing_pauses_and_then_no_more(
    tmp_path: Path, ending: Ending | None, proofs: list[str]
) -> None:
    """A program that asks every ten minutes for two days sends so many proofs; an answer that refuses leaves the first pause out."""
    given = [
        f"{minutes // 60}:{minutes % 60:02}"
        for minutes in range(0, 2 * 24 * 60, 10)
        if claimed(Memory(tmp_path), NOW + timedelta(minutes=minutes), ending)
    ]
    assert given == proofs


def test_who_was_barred_by_doubt_alone_is_told_until_when(tmp_path: Path) -> None:
    """The reason names the next time, or says that there is none by itself."""
    memory, at = Memory(tmp_path), NOW
    assert claimed(memory, at, Ending.UNSEEN)
    assert "2026-11-24 08:30 UTC" in (memory.barred(WHO, at) or "")
    for pause in PAUSES:
        at += pause
        assert claimed(memory, at, Ending.UNSEEN)
    reason = memory.barred(WHO, at + timedelta(days=999))
    assert reason is not None
    assert reason.startswith("4 sign-ins")
    assert "probe forget" in reason


def test_a_sign_in_that_was_accepted_ends_all_doubt(tmp_path: Path) -> None:
    """The pause that follows the next doubt is the first again."""
    memory = Memory(tmp_path)
    assert claimed(memory, NOW, Ending.UNSEEN)
    assert claimed(memory, NOW + PAUSES[0], Ending.ACCEPTED)
    assert claimed(memory, NOW + PAUSES[0], Ending.UNSEEN)
    assert claimed(memory, NOW + 2 * PAUSES[0], None)


def test_a_sign_in_that_ended_well_leaves_nothing(tmp_path: Path) -> None:
    """Good credentials are not remembered, and what stood in the file for them is overwritten."""
    memory = Memory(tmp_path)
    identity = memory.identity("a", "b")
    memory.claim(identity, URL, NOW, MINUTE)
    assert identity.identity in (tmp_path / "memory.sqlite").read_bytes()
    memory.end(identity, Ending.ACCEPTED, NOW)
    assert identity.identity not in (tmp_path / "memory.sqlite").read_bytes()
    assert memory.forget() == 0


def test_a_claim_after_which_no_proof_left_changes_nothing(tmp_path: Path) -> None:
    """Neither is a first one kept, nor does one after a doubt make the next pause longer."""
    memory = Memory(tmp_path)
    assert memory.claim(WHO, URL, NOW, MINUTE) is None
    memory.release(WHO)
    assert memory.forget() == 0
    assert claimed(memory, NOW, Ending.UNSEEN)
    for at in (NOW + PAUSES[0], NOW + PAUSES[0] + MINUTE):
        assert memory.claim(WHO, URL, at, MINUTE) is None
        memory.release(WHO)
    assert claimed(memory, NOW + PAUSES[0] + MINUTE, Ending.UNSEEN)
    assert not claimed(memory, NOW + PAUSES[0] + MINUTE + PAUSES[1] - MINUTE, None)


def test_a_claim_outlives_the_longest_sign_in(tmp_path: Path) -> None:
    """While one that may take an hour is under way, no other program signs in beside it."""
    one, other = Memory(tmp_path), Memory(tmp_path)
    longest = timedelta(hours=1)
    assert one.claim(WHO, URL, NOW, longest) is None
    reason = other.claim(WHO, URL, NOW + longest, longest)
    assert "was begun, and its result was not seen" in (reason or "")


def test_claims_of_one_run_stand_beside_each_other(tmp_path: Path) -> None:
    """An account that was let in opens mailboxes side by side; what comes of all of them decides, and one refusal is enough."""
    memory, other = Memory(tmp_path), Memory(tmp_path)
    for _ in range(3):
        assert memory.claim(WHO, URL, NOW, MINUTE) is None
    assert other.claim(WHO, URL, NOW, MINUTE) is not None
    memory.end(WHO, Ending.ACCEPTED, NOW)
    memory.end(WHO, Ending.ACCEPTED, NOW)
    assert other.claim(WHO, URL, NOW, MINUTE) is not None
    memory.end(WHO, Ending.ACCEPTED, NOW)
    assert other.claim(WHO, URL, NOW, MINUTE) is None
    other.end(WHO, Ending.ACCEPTED, NOW)
    for ending in (None, Ending.REFUSED, Ending.ACCEPTED):
        assert memory.claim(WHO, URL, NOW, MINUTE) is None or ending is Ending.ACCEPTED
        if ending is not None:
            memory.end(WHO, ending, NOW)
    assert "refused" in (other.claim(WHO, URL, NOW + timedelta(days=9), MINUTE) or "")


def test_a_refusal_at_one_place_bars_that_place_alone(tmp_path: Path) -> None:
    """Who was let in by EWS and refused by Autodiscover signs in to EWS as before."""
    memory, place = Memory(tmp_path), "https://mail.contoso.test:443/autodiscover"
    assert claimed(memory, NOW, Ending.REFUSED, place=place)
    assert not claimed(memory, NOW + timedelta(days=9), None, place=place)
    assert claimed(memory, NOW, Ending.REFUSED)
    assert not claimed(memory, NOW, None, place="another")


@settings(deadline=None, max_examples=50)  # each claim is synced to the disk
@given(steps=st.lists(st.tuples(st.sampled_from([*Ending, None]), st.integers(-(10**6), 10**6), st.booleans()), max_size=12))
def test_a_clock_that_jumps_lets_nobody_in_too_soon(
    steps: list[tuple[Ending | None, int, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Wherever the clock stands, no proof follows a doubtful one at once, and a refusal stays."""
    folder, at = tmp_path_factory.mktemp("memory"), NOW
    is_refused = False
    for ending, seconds, is_at_once in steps:
        at = at if is_at_once else at + timedelta(seconds=seconds)
        was_granted = claimed(Memory(folder), at, ending)
        assert not (was_granted and is_refused)
        is_refused = is_refused or (was_granted and ending is Ending.REFUSED)
        if ending is not Ending.ACCEPTED:
            assert not claimed(Memory(folder), at, None)


def test_a_clock_that_was_set_back_makes_a_pause_of_a_day_none_of_years(tmp_path: Path) -> None:
    """A doubt out of the future counts from now on; the longest wait is the longest pause."""
    memory = Memory(tmp_path)
    assert claimed(memory, NOW + timedelta(days=3650), Ending.UNSEEN)
    assert not claimed(memory, NOW, None)
    assert not claimed(memory, NOW + PAUSES[0] - MINUTE, None)
    assert claimed(memory, NOW + PAUSES[0], None)
    memory.rest(None, URL, timedelta(hours=1), "asked to be left alone", NOW + timedelta(days=3650))
    assert memory.resting(WHO, URL, NOW) is None


def test_the_operator_may_forget_one_account_or_all(tmp_path: Path) -> None:
    """Forgotten credentials are tried again."""
    memory = Memory(tmp_path)
    for name, password in (("a", "1"), ("a", "2"), ("b", "3")):
        identity = memory.identity(name, password)
        memory.claim(identity, URL, NOW, MINUTE)
        memory.end(identity, Ending.REFUSED, NOW)
    assert memory.forget("A") == 2
    assert memory.claim(memory.identity("a", "1"), URL, NOW, MINUTE) is None
    assert memory.claim(memory.identity("b", "3"), URL, NOW, MINUTE) is not None
    assert memory.forget() == 2


def test_no_password_and_no_user_name_is_written(tmp_path: Path) -> None:
    """The files hold hashes under a random key, which differ between machines, and only their owner may read them."""
    memory, other = Memory(tmp_path / "one"), Memory(tmp_path / "two")
    identity = memory.identity("sales@contoso.test", "correct horse")
    memory.claim(identity, URL, NOW, MINUTE)
    assert identity != other.identity("sales@contoso.test", "correct horse")
    for file in (tmp_path / "one").iterdir():
        assert b"correct horse" not in file.read_bytes()
        assert b"sales@" not in file.read_bytes()
        if os.name == "posix":
            assert file.stat().st_mode & 0o077 == 0
    if os.name == "posix":
        assert (tmp_path / "one").stat().st_mode & 0o077 == 0


def test_who_has_the_folder_guesses_at_a_password_slowly(tmp_path: Path) -> None:
    """What stands for it is scrypt with 16 MiB a guess, not a hash that takes a microsecond."""
    memory = Memory(tmp_path)
    memory.claim(memory.identity("anna", "Summer2026!"), URL, NOW, MINUTE)
    key, database = (tmp_path / "key").read_bytes(), (tmp_path / "memory.sqlite").read_bytes()
    guess = b"anna\0Summer2026!"
    assert hashlib.scrypt(guess, salt=key, n=2**14, r=8, p=1, dklen=32) in database
    fast = (hashlib.blake2b(guess, key=key).digest(), hashlib.sha1(key + guess).digest(), hashlib.sha256(key + guess).digest())
    assert not any(digest in database for digest in fast)


@pytest.mark.parametrize("broken", ["garbage", "other version", "short key", "long key", "folder in the way"])
def test_a_memory_that_cannot_be_used_is_told(tmp_path: Path, broken: str) -> None:
    """A file that is not ours, of another version, or out of reach is an error with words, and is left as it was."""
    memory = Memory(tmp_path)
    identity = memory.identity("a", "b")
    memory.claim(identity, URL, NOW, MINUTE)
    file = tmp_path / "memory.sqlite"
    if broken == "garbage":
        file.write_bytes(b"not a database" * 100)
    elif broken == "other version":
        with sqlite3.connect(file) as database:
            database.execute("PRAGMA user_version = 99")
        database.close()
    elif broken.endswith("key"):
        (tmp_path / "key").write_bytes(b"short" if broken == "short key" else b"k" * 33)
    else:
        (tmp_path / "file").write_text("")
        memory = Memory(tmp_path / "file" / "below")
    before = file.read_bytes()
    with pytest.raises(MemoryUnavailable):
        memory.claim(memory.identity("a", "b"), URL, NOW, MINUTE)
    assert file.read_bytes() == before


def _claim(folder: str, start: object, answers: object) -> None:
    """What each of several processes does at once."""
    memory = Memory(Path(folder))
    start.wait()  # type: ignore[attr-defined]
    answers.put(memory.claim(memory.identity("a", "b"), URL, NOW, MINUTE) is None)  # type: ignore[attr-defined]


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


def _claim_and_die(folder: str) -> None:
    """A program that is killed between a password's being sent and its answer."""
    memory = Memory(Path(folder))
    memory.claim(memory.identity("a", "b"), URL, NOW, MINUTE)
    os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)


def test_a_killed_program_leaves_its_login_in_doubt(tmp_path: Path) -> None:
    """What was claimed is on the disk before the password is sent."""
    process = multiprocessing.get_context("spawn").Process(target=_claim_and_die, args=(str(tmp_path),))
    process.start()
    process.join(60)
    memory = Memory(tmp_path)
    assert "not seen" in (memory.claim(memory.identity("a", "b"), URL, NOW, MINUTE) or "")


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


@pytest.mark.parametrize("version", [1, 2])
def test_a_file_of_an_older_version_is_begun_anew(tmp_path: Path, version: int) -> None:
    """Its hashes were fast to guess at, so that nothing of them is kept, in the file either."""
    old, file = b"\xab" * 64, tmp_path / "memory.sqlite"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE login (identity BLOB PRIMARY KEY, account BLOB, state TEXT, subject TEXT, at TEXT)")
        database.execute("INSERT INTO login VALUES (?, ?, 'refused', 'x', 'y')", (old, old))
        database.execute(f"PRAGMA user_version = {version}")
    database.close()
    file.chmod(0o600)
    assert claimed(Memory(tmp_path), NOW, Ending.REFUSED)
    assert not claimed(Memory(tmp_path), NOW, None)
    assert old not in file.read_bytes()
