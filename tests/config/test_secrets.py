"""Secrets are looked up when they are needed, and what is said of a failure repeats nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backends.fail
import keyring.errors
import pytest
from keyring.backend import KeyringBackend

from probe.config import SecretUnavailable, read_estate, resolve
from probe.config.secrets import MOST_SECRET_BYTES
from probe.model.estate import SecretReference
from tests.config.estates import ESTATE


class OneEntry(KeyringBackend):
    """A keyring with one entry, which breaks when it is asked for the user `broken`."""

    priority = 1.0

    def get_password(self, service: str, username: str) -> str | None:
        if username == "broken":
            raise keyring.errors.KeyringLocked("locked, near hunter2")
        if username == "gone":
            raise SystemExit("hunter2")
        if username == "bytes":
            return b"hunter2"  # type: ignore[return-value]
        return "hunter2" if (service, username) == ("probe", "svc/crm") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


@pytest.fixture
def one_entry() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(OneEntry())  # type: ignore[no-untyped-call]
    yield
    keyring.set_keyring(before)


def refusal(reference: str) -> str:
    """What is said of a secret that is not there; its place is not repeated."""
    with pytest.raises(SecretUnavailable) as unavailable:
        resolve(SecretReference.parse(reference))
    assert "hunter2" not in str(unavailable.value)
    assert reference.partition(":")[2] not in str(unavailable.value)
    assert unavailable.value.__cause__ is None
    return str(unavailable.value)


def test_a_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`env:NAME` is the value of that variable, as it is."""
    monkeypatch.setenv("PROBE_TEST_SECRET", " hunter2 ")
    assert resolve(SecretReference.parse("env:PROBE_TEST_SECRET")).reveal() == " hunter2 "


def test_a_variable_that_is_unset_or_empty_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not set, or empty, is a secret that is not available."""
    monkeypatch.delenv("PROBE_TEST_SECRET", raising=False)
    said = "the environment variable that the estate names for a secret is not set, or is empty"
    assert refusal("env:PROBE_TEST_SECRET") == said
    monkeypatch.setenv("PROBE_TEST_SECRET", "")
    assert refusal("env:PROBE_TEST_SECRET") == said


@pytest.mark.skipif(sys.platform == "win32", reason="the environment of Windows is Unicode")
def test_a_variable_that_is_not_utf8_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are no text in the environment are not sent as a password."""
    monkeypatch.setenv("PROBE_TEST_SECRET", "hunter2\udcff")
    assert refusal("env:PROBE_TEST_SECRET").endswith("does not hold UTF-8")


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"hunter2", "hunter2"),
        (b"hunter2\n", "hunter2"),
        (b"hunter2\r\n", "hunter2"),
        (b" p\xc3\xa4ss ", " päss "),
        (b"\xef\xbb\xbfhunter2\r\n", "hunter2"),
    ],
)
def test_a_secret_comes_from_a_file(tmp_path: Path, content: bytes, secret: str) -> None:
    """`file:PATH` is the text of that file less one end of line and a byte order mark."""
    (tmp_path / "secret").write_bytes(content)
    assert resolve(SecretReference.parse(f"file:{tmp_path / 'secret'}")).reveal() == secret


def test_a_file_that_holds_no_secret_is_refused(tmp_path: Path) -> None:
    """A missing, empty, foreign or oversized file and an impossible name are secrets that are not available."""
    path = tmp_path / "secret"
    assert refusal(f"file:{path}").endswith("cannot be read: no such file or directory")
    assert refusal("file:a\0b").endswith("cannot be read: its name is not valid")
    path.write_bytes(b"\n")
    assert refusal(f"file:{path}").endswith("is not set, or is empty")
    path.write_bytes(b"hunter2\xff")
    assert refusal(f"file:{path}").endswith("does not hold UTF-8")
    path.write_bytes(b"x" * (MOST_SECRET_BYTES + 1))
    assert refusal(f"file:{path}").endswith("is larger than 64 KiB")
    path.write_bytes(b"x" * MOST_SECRET_BYTES)
    assert len(resolve(SecretReference.parse(f"file:{path}")).reveal()) == MOST_SECRET_BYTES


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps none of these in a folder")
def test_what_is_no_regular_file_is_refused_unopened(tmp_path: Path) -> None:
    """A FIFO, a socket, a device and a folder are named as what they are, at once, by a link too; a link to a file is that file."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("fifo")
    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        kinds = {"fifo": "a FIFO", "link": "a FIFO", "socket": "a socket", ".": "a folder", "/dev/zero": "a device"}
        for name, kind in kinds.items():
            assert refusal(f"file:{tmp_path / name}").endswith(f"cannot be read: it is {kind}, and not a regular file")
    assert "cannot be read: too many levels" in refusal(f"file:{tmp_path / 'loop'}")
    (tmp_path / "secret").write_text("hunter2\n")
    (tmp_path / "mounted").symlink_to("secret")
    assert resolve(SecretReference.parse(f"file:{tmp_path / 'mounted'}")).reveal() == "hunter2"


@pytest.mark.skipif(not Path("/proc/kmsg").exists(), reason="the kernel's log is a file on Linux alone")
def test_a_file_that_the_kernel_makes_up_holds_no_secret() -> None:
    """Such a file has no size, and is not opened: reading /proc/kmsg would wait, and take its lines from whoever collects them."""
    assert refusal("file:/proc/kmsg").endswith("is not set, or is empty")


@pytest.mark.parametrize("content", [b"hunter2\n\n", b"hunter2\nof svc\n", b"hunter2\rof svc", b"\nhunter2"])
def test_a_file_of_several_lines_is_refused(tmp_path: Path, content: bytes) -> None:
    """A password is one line: a file with more is another file, such as /etc/shadow, and nothing of it is sent."""
    (tmp_path / "secret").write_bytes(content)
    assert "holds more than one line" in refusal(f"file:{tmp_path / 'secret'}")


@pytest.mark.parametrize("character", ["\t", "\x00", "\x1b", "\x7f", "\x85", "\x9b"])
def test_a_secret_with_a_control_character_is_refused(tmp_path: Path, character: str) -> None:
    """Controls of ASCII and of Latin-1 stand in no password that a server takes."""
    (tmp_path / "secret").write_text(f"hunter2{character}x", encoding="utf-8")
    assert "holds a control character" in refusal(f"file:{tmp_path / 'secret'}")


def test_a_variable_of_several_lines_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An end of line in a variable is no part of a password, not even the last: whether it was meant is not known."""
    monkeypatch.setenv("PROBE_TEST_SECRET", "hunter2\n")
    assert "or an end of line" in refusal("env:PROBE_TEST_SECRET")


def test_pem_has_several_lines(tmp_path: Path) -> None:
    """A certificate with its key keeps its lines; other controls are refused there too."""
    (tmp_path / "pem").write_bytes(b"\xef\xbb\xbf-----BEGIN X-----\r\n\tMIIB\r\n-----END X-----\r\n")
    reference = SecretReference("file", str(tmp_path / "pem"), is_pem=True)
    assert resolve(reference).reveal() == "-----BEGIN X-----\r\n\tMIIB\r\n-----END X-----"
    (tmp_path / "pem").write_bytes(b"-----BEGIN X-----\n\x1b[2J\n")
    with pytest.raises(SecretUnavailable, match="holds a control character"):
        resolve(reference)


@pytest.mark.usefixtures("one_entry")
def test_a_secret_comes_from_the_keyring() -> None:
    """`keyring:SERVICE/USER` is that user's password for that service; the user may hold a slash."""
    assert resolve(SecretReference.parse("keyring:probe/svc/crm")).reveal() == "hunter2"


@pytest.mark.usefixtures("one_entry")
def test_a_keyring_without_the_entry_is_refused() -> None:
    """An entry that is not there, and a keyring that breaks, are secrets that are not available."""
    assert refusal("keyring:probe/nobody").endswith("is not set, or is empty")
    assert refusal("keyring:probe/broken").endswith("the keyring did not answer (KeyringLocked)")
    assert refusal("keyring:probe/gone").endswith("the keyring did not answer (SystemExit)")
    assert refusal("keyring:probe/bytes").endswith("the keyring did not answer (TypeError)")


@pytest.mark.usefixtures("one_entry")
def test_a_machine_without_a_keyring_is_refused() -> None:
    """Where there is no keyring at all, the message says so."""
    keyring.set_keyring(keyring.backends.fail.Keyring())  # type: ignore[no-untyped-call]
    assert refusal("keyring:probe/svc-crm").endswith("this machine has no keyring that can be used")


@pytest.mark.parametrize("backend", ["no.such.Backend", "keyring.backends.NoSuch", "hunter2", ""])
def test_a_keyring_that_cannot_be_loaded_is_refused_without_a_word_of_its_own(backend: str) -> None:
    """A backend that is not there, named by a variable, costs its secret alone; nothing is written to standard error."""
    code = (
        "from probe.config.secrets import *\n"
        "try: resolve(SecretReference.parse('keyring:probe/hunter2'))\n"
        "except SecretUnavailable as unavailable: print(unavailable)\n"
    )
    environment = {**os.environ, "PYTHON_KEYRING_BACKEND": backend}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert "cannot be read: the keyring did not answer (" in ended.stdout
    assert ended.stderr == ""
    assert "hunter2" not in ended.stdout


def test_reading_an_estate_resolves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An estate loads although none of its secrets can be had."""
    monkeypatch.delenv("CRM_EWS_PASSWORD", raising=False)
    estate = read_estate(ESTATE + 'password = "file:/nowhere/at/all"\n', "estate.toml")
    assert estate.mailboxes[0].password is not None
