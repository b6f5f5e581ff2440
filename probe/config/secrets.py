"""Secrets, resolved when they are needed. No message repeats one, or where it is kept."""

from __future__ import annotations

import logging
import os
import stat
import unicodedata

from probe.config.problems import why_unreadable
from probe.model.estate import UNTOLD_SECRET, Secret, SecretReference

MOST_SECRET_BYTES = 64 * 1024
"""Passwords and tokens are a few kilobytes at most; what is larger is some other file."""


class SecretUnavailable(Exception):
    """A secret is not where the estate says. The message holds neither the secret nor its place."""


def resolve(reference: SecretReference) -> Secret:
    """The secret that a reference names, looked up now. Blocks. Raises SecretUnavailable, which repeats nothing of it."""
    if reference == UNTOLD_SECRET:
        raise SecretUnavailable("a stored run does not say where a secret is kept")
    value = {"env": _from_environment, "file": _from_file, "keyring": _from_keyring}[reference.kind](reference.locator)
    if reference.kind == "file":
        # A byte order mark is what PowerShell writes, and the last end of line what every editor does: neither is part of a password.
        value = value.removeprefix("\ufeff").removesuffix("\n").removesuffix("\r")
    place = place_of(reference)
    if not value:
        raise SecretUnavailable(f"{place} is not set, or is empty")
    if len(value) > MOST_SECRET_BYTES:
        raise SecretUnavailable(f"{place} is larger than {MOST_SECRET_BYTES // 1024} KiB")
    if any("\ud800" <= character <= "\udfff" for character in value):  # what `surrogateescape` makes of bytes that are not UTF-8
        raise SecretUnavailable(f"{place} does not hold UTF-8")
    if not reference.is_pem and any(end in value for end in "\r\n"):
        raise SecretUnavailable(f"{place} holds more than one line, or an end of line")
    if any(unicodedata.category(character) == "Cc" for character in value if not (reference.is_pem and character in "\r\n\t")):
        raise SecretUnavailable(f"{place} holds a control character, which no server is sent as part of a password")
    return Secret(value)


def place_of(reference: SecretReference) -> str:
    """What a reference points at, in words that do not say where that is."""
    return f"the {_PLACES[reference.kind]} that the estate names for a secret"


_PLACES = {"env": "environment variable", "file": "file", "keyring": "keyring entry"}


def _from_environment(name: str) -> str:
    return os.environ.get(name, "")


# What a file may be that is not regular, and is therefore not opened: a FIFO waits for a writer, and opening a device may do something.
_IRREGULAR = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_OPENING = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"))


def _from_file(name: str) -> str:
    place = place_of(SecretReference("file", name))
    try:
        if _size(os.stat(name)) == 0:  # noqa: PTH116 - also of what the kernel makes up as it is read, such as /proc/kmsg
            return ""
        with os.fdopen(os.open(name, _OPENING), "rb") as file:
            _size(os.fstat(file.fileno()))
            content = file.read(MOST_SECRET_BYTES + 1)
    except _IrregularFile as irregular:
        raise SecretUnavailable(f"{place} cannot be read: it is {irregular.kind}, and not a regular file") from None
    except (OSError, ValueError) as wrong:
        raise SecretUnavailable(f"{place} cannot be read: {why_unreadable(wrong)}") from None
    if len(content) > MOST_SECRET_BYTES:
        raise SecretUnavailable(f"{place} is larger than {MOST_SECRET_BYTES // 1024} KiB")
    # Not strictly: a UnicodeDecodeError would carry the content along.
    return content.decode("utf-8", "surrogateescape")


class _IrregularFile(Exception):
    """What a name leads to is not a regular file."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


def _size(found: os.stat_result) -> int:
    """The size of a regular file. Raises _IrregularFile for any other; a link counts as what it leads to."""
    if not stat.S_ISREG(found.st_mode):
        raise _IrregularFile(_IRREGULAR.get(stat.S_IFMT(found.st_mode), "something else"))
    return found.st_size


# What the library has to say of backends that do not load would go to standard error, with their words.
logging.getLogger("keyring").addHandler(logging.NullHandler())


def _from_keyring(locator: str) -> str:
    service, _, user = locator.partition("/")
    try:
        import keyring  # it looks for its backends when it is first asked

        value = keyring.get_password(service, user)
        if value is not None and not isinstance(value, str):
            raise TypeError
    except BaseException as wrong:  # noqa: BLE001 - a backend is anybody's code, and leaves by SystemExit too
        name = type(wrong).__name__
        no_keyring = name == "NoKeyringError"
        reason = "this machine has no keyring that can be used" if no_keyring else f"the keyring did not answer ({name})"
        raise SecretUnavailable(f"{place_of(SecretReference('keyring', locator))} cannot be read: {reason}") from None
    return value or ""
