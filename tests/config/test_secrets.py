"""Secrets are looked up when they are needed, and what is said of a failure repeats nothing."""

from __future__ import annotations

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
    monkeypatch.setenv("PROBE_TEST_SECRET", " hunter2\n")
    assert resolve(SecretReference.parse("env:PROBE_TEST_SECRET")).reveal() == " hunter2\n"


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
        (b"hunter2\n\n", "hunter2\n"),
        (b" p\xc3\xa4ss ", " päss "),
        (b"\xef\xbb\xbfhunter2\r\n", "hunter2"),
    ],
)
def test_a_secret_comes_from_a_file(tmp_path: Path, content: bytes, secret: str) -> None:
    """`file:PATH` is the text of that file less one end of line and a byte order mark."""
    (tmp_path / "secret").write_bytes(content)
    assert resolve(SecretReference.parse(f"file:{tmp_path / 'secret'}")).reveal() == secret


def test_a_file_that_holds_no_secret_is_refused(tmp_path: Path) -> None:
    """A missing, empty, foreign or oversized file, a folder and an impossible name are secrets that are not available."""
    path = tmp_path / "secret"
    assert refusal(f"file:{path}").endswith("cannot be read: no such file or directory")
    assert "cannot be read: " in refusal(f"file:{tmp_path}")
    assert refusal("file:a\0b").endswith("cannot be read: its name is not valid")
    path.write_bytes(b"\n")
    assert refusal(f"file:{path}").endswith("is not set, or is empty")
    path.write_bytes(b"hunter2\xff")
    assert refusal(f"file:{path}").endswith("does not hold UTF-8")
    path.write_bytes(b"x" * (MOST_SECRET_BYTES + 1))
    assert refusal(f"file:{path}").endswith("is larger than 64 KiB")
    path.write_bytes(b"x" * MOST_SECRET_BYTES)
    assert len(resolve(SecretReference.parse(f"file:{path}")).reveal()) == MOST_SECRET_BYTES


@pytest.mark.usefixtures("one_entry")
def test_a_secret_comes_from_the_keyring() -> None:
    """`keyring:SERVICE/USER` is that user's password for that service; the user may hold a slash."""
    assert resolve(SecretReference.parse("keyring:probe/svc/crm")).reveal() == "hunter2"


@pytest.mark.usefixtures("one_entry")
def test_a_keyring_without_the_entry_is_refused() -> None:
    """An entry that is not there, and a keyring that breaks, are secrets that are not available."""
    assert refusal("keyring:probe/nobody").endswith("is not set, or is empty")
    assert refusal("keyring:probe/broken").endswith("the keyring did not answer (KeyringLocked)")


@pytest.mark.usefixtures("one_entry")
def test_a_machine_without_a_keyring_is_refused() -> None:
    """Where there is no keyring at all, the message says so."""
    keyring.set_keyring(keyring.backends.fail.Keyring())  # type: ignore[no-untyped-call]
    assert refusal("keyring:probe/svc-crm").endswith("this machine has no keyring that can be used")


def test_reading_an_estate_resolves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An estate loads although none of its secrets can be had."""
    monkeypatch.delenv("CRM_EWS_PASSWORD", raising=False)
    estate = read_estate(ESTATE + 'password = "file:/nowhere/at/all"\n', "estate.toml")
    assert estate.mailboxes[0].password is not None
