"""The folder of what is remembered: who may write there, what may lie there, and whether it lasts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from probe.memory import FOLDER_VARIABLE, MemoryUnavailable, default_folder
from probe.memory.folder import Folder


def test_the_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment variable names the folder; without it there is one of the machine or of the user."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv(FOLDER_VARIABLE)
    assert default_folder().name == "probe"


def test_a_user_without_a_home_is_told_what_to_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence, with the variable that names a folder."""

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(MemoryUnavailable, match=FOLDER_VARIABLE):
        Folder(default_folder).key()


def _to_a_device(file: Path) -> None:
    file.symlink_to("/dev/zero")


def _to_a_file(file: Path) -> None:
    other = file.with_name("other")
    other.write_bytes(b"k" * 32)
    other.chmod(0o600)
    file.symlink_to(other)


def _fifo(file: Path) -> None:
    os.mkfifo(file, 0o600)


def _for_others(file: Path) -> None:
    file.write_bytes(b"k" * 32)
    file.chmod(0o644)


@pytest.mark.parametrize("name", ["key", "memory.sqlite"])
@pytest.mark.parametrize("plant", [_to_a_device, _to_a_file, _fifo, Path.mkdir, _for_others])
def test_what_is_no_file_of_one_s_own_is_not_opened(tmp_path: Path, name: str, plant: Callable[[Path], None]) -> None:
    """A device is not read without end, a FIFO not waited for, a link not followed, and what others may read holds no key."""
    plant(tmp_path / name)
    with pytest.raises(MemoryUnavailable) as told:
        Folder(tmp_path).key() if name == "key" else Folder(tmp_path).database()
    assert str(tmp_path / name) in str(told.value)


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    """Who can write there could put a key of his own there, and guess at the passwords."""
    folder = tmp_path / "state"
    folder.mkdir()
    for mode in (0o777, 0o770, 0o1777):
        folder.chmod(mode)
        with pytest.raises(MemoryUnavailable, match="chmod 700"):
            Folder(folder).key()
        assert not list(folder.iterdir())
    folder.chmod(0o755)
    assert len(Folder(folder).key()) == 32


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_trusts_the_folder_of_a_service_and_no_other_s(tmp_path: Path) -> None:
    """A folder that only root can have put there may be a service's, and what root makes in it is the service's too; a user's own is not used."""
    service, user = 65533, 65534
    folder = tmp_path / "service"
    folder.mkdir(0o700)
    os.chown(folder, service, service)
    key = Folder(folder).key()
    Folder(folder).database()
    assert {file.stat().st_uid for file in folder.iterdir()} == {service}
    assert Folder(folder).key() == key
    os.chown(folder / "key", user, user)
    with pytest.raises(MemoryUnavailable, match="another user"):
        Folder(folder).key()
    home = tmp_path / "home"
    home.mkdir(0o755)
    os.chown(home, user, user)
    (home / "state").mkdir(0o700)
    os.chown(home / "state", user, user)
    with pytest.raises(MemoryUnavailable, match="another user"):
        Folder(home / "state").key()


def test_a_folder_that_ends_with_the_machine_is_told(tmp_path: Path) -> None:
    """A wrong password would be tried anew after each start; where nothing is known against the folder, nothing is said."""
    assert Folder(tmp_path / "not" / "made" / "yet").passes_away() is None or "is not persistent" in str(Folder(tmp_path).passes_away())
    shared = Path("/dev/shm")
    if shared.is_dir():
        told = Folder(shared / "probe-state").passes_away()
        assert told is not None
        assert "tmpfs" in told
        assert FOLDER_VARIABLE in told
        assert not (shared / "probe-state").exists()
