"""Tests of looking up the secrets of a run: once each, side by side, within bounds."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from probe.config.secrets import SecretUnavailable
from probe.engine import secrets
from probe.engine.secrets import Secrets
from probe.model.estate import SecretReference
from tests.config.estates import ESTATE
from tests.hostile import closed_port


class Waiting(KeyringBackend):
    """A keyring that waits for a person to unlock it, who does not come; only the user `known` it answers at once."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.unlocked = threading.Event()
        self.is_busy = threading.Event()
        """Set once as many wait as may."""
        self.asked: Counter[str] = Counter()
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    def get_password(self, service: str, username: str) -> str | None:
        with self._lock:
            self.asked[username] += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            if self.at_once == secrets.AT_ONCE:
                self.is_busy.set()
        if username != "known":
            self.unlocked.wait(60)
        with self._lock:
            self.at_once -= 1
        return "hunter2"

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    before, backend = keyring.get_keyring(), Waiting()
    keyring.set_keyring(backend)
    yield backend
    backend.unlocked.set()
    keyring.set_keyring(before)


def entry(user: str) -> SecretReference:
    return SecretReference("keyring", f"probe/{user}")


async def test_each_reference_is_looked_up_once(waiting: Waiting) -> None:
    """However many mailboxes name a secret, it is asked for once."""
    found = await Secrets.read([entry("known")] * 50)
    assert found.of(entry("known")).reveal() == "hunter2"
    assert waiting.asked == {"known": 1}
    assert [secret.reveal() for secret in found.all()] == ["hunter2"]


async def test_a_keyring_that_waits_for_a_person_costs_its_own_secrets_alone(waiting: Waiting, tmp_path: Path) -> None:
    """It is waited for as long as is said, and told in one sentence; files beside it are read."""
    (tmp_path / "secret").write_text("of a file\n")
    file = SecretReference("file", str(tmp_path / "secret"))
    locked = [entry(f"user{number}") for number in range(20)]
    found = await Secrets.read([*locked, file, entry("known")], seconds=0.2)
    assert found.of(file).reveal() == "of a file"
    assert found.of(entry("known")).reveal() == "hunter2"
    with pytest.raises(SecretUnavailable, match=r"^the keyring entry that the estate names for a secret was not read within 0\.2 s$"):
        found.of(locked[0])
    # Those that hang keep their threads, and the next of them begin as these are given up.
    assert len(waiting.asked) == 21


async def test_no_more_than_sixteen_are_looked_up_at_once(waiting: Waiting) -> None:
    """Side by side, and bounded."""
    reading = asyncio.ensure_future(Secrets.read([entry(f"user{number}") for number in range(40)]))
    assert await asyncio.to_thread(waiting.is_busy.wait, 30)
    assert waiting.most_at_once == secrets.AT_ONCE
    waiting.unlocked.set()
    found = await reading
    assert {found.of(entry(f"user{number}")).reveal() for number in range(40)} == {"hunter2"}
    assert waiting.most_at_once == secrets.AT_ONCE


async def test_all_of_them_have_a_deadline_too(waiting: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many secrets hang, the run goes on; those that had no turn are told as such."""
    monkeypatch.setattr(secrets, "SECONDS_FOR_ALL", 0.3)
    found = await Secrets.read([entry(f"user{number}") for number in range(40)])
    with pytest.raises(SecretUnavailable, match=r"was not read, since reading others took 0\.3 s$"):
        found.of(entry("user39"))
    assert waiting.most_at_once == secrets.AT_ONCE


async def test_an_interrupt_ends_the_reading_at_once(waiting: Waiting) -> None:
    """What hangs holds up neither Ctrl-C nor the deadline of the run."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await Secrets.read([entry("user")])
    assert waiting.at_once == 1


BACKEND = """
import threading
from keyring.backend import KeyringBackend
class Keyring(KeyringBackend):
    priority = 1
    def get_password(self, service, username):
        open(username, "w").close()
        threading.Event().wait()
    def set_password(self, service, username, password): ...
"""
"""Says by a FIFO that it was asked, and waits."""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither FIFO nor SIGINT for one process")
@pytest.mark.parametrize(("options", "code"), [(["--deadline", "2"], 3), ([], 130)])
def test_a_program_whose_keyring_waits_ends_when_it_is_told_to(tmp_path: Path, options: list[str], code: int) -> None:
    """By `--deadline` and by the first Ctrl-C, with a document; the thread that hangs does not hold the exit."""
    (tmp_path / "waiting_backend.py").write_text(BACKEND)
    os.mkfifo(asked := tmp_path / "asked")
    (estate := tmp_path / "estate.toml").write_text(
        ESTATE.replace("env:CRM_EWS_PASSWORD", f"keyring:probe/{asked}").replace(
            'https://mail.contoso.test/EWS/Exchange.asmx"', f'https://127.0.0.1:{closed_port()}"\nimpersonation = true'
        )
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHON_KEYRING_BACKEND": "waiting_backend.Keyring"}
    command = [sys.executable, "-m", "probe", "check", str(estate), "--json", "--allow", "logs-in", *options]
    environment["PROBE_STATE_DIR"] = str(tmp_path / "state")
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert asked.read_bytes() == b""
        if not options:
            program.send_signal(signal.SIGINT)
        document, said = program.communicate(timeout=30)
    assert program.returncode == code, said
    assert {a["outcome"] for a in json.loads(document)["attempts"]} <= {"timed-out", "interrupted", "not-scheduled"}
