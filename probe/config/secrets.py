"""Secrets, resolved when they are needed. No message repeats one, or where it is kept."""

from __future__ import annotations

import os
from pathlib import Path

from probe.config.problems import why_unreadable
from probe.model.estate import Secret, SecretReference

MOST_SECRET_BYTES = 64 * 1024
"""Passwords and tokens are a few kilobytes at most; what is larger is some other file."""


class SecretUnavailable(Exception):
    """A secret is not where the estate says. The message holds neither the secret nor its place."""


def resolve(reference: SecretReference) -> Secret:
    """The secret that a reference names, looked up now. Raises SecretUnavailable, which repeats nothing of it."""
    value = {"env": _from_environment, "file": _from_file, "keyring": _from_keyring}[reference.kind](reference.locator)
    if not value:
        raise SecretUnavailable(f"the {_PLACES[reference.kind]} that the estate names for a secret is not set, or is empty")
    if any("\ud800" <= character <= "\udfff" for character in value):  # what os.environ makes of bytes that are not UTF-8
        raise SecretUnavailable(f"the {_PLACES[reference.kind]} that the estate names for a secret does not hold UTF-8")
    return Secret(value)


_PLACES = {"env": "environment variable", "file": "file", "keyring": "keyring entry"}


def _from_environment(name: str) -> str:
    return os.environ.get(name, "")


def _from_file(name: str) -> str:
    try:
        with Path(name).open("rb") as file:
            content = file.read(MOST_SECRET_BYTES + 1)
    except (OSError, ValueError) as wrong:
        raise SecretUnavailable(f"the file that the estate names for a secret cannot be read: {why_unreadable(wrong)}") from None
    if len(content) > MOST_SECRET_BYTES:
        raise SecretUnavailable(f"the file that the estate names for a secret is larger than {MOST_SECRET_BYTES // 1024} KiB")
    # A byte order mark is what PowerShell writes, and no part of a password. What is not UTF-8 becomes surrogates, refused
    # above: a UnicodeDecodeError would carry the content along.
    return content.decode("utf-8-sig", "surrogateescape").removesuffix("\n").removesuffix("\r")


def _from_keyring(locator: str) -> str:
    import keyring  # it looks for its backends when it is imported
    import keyring.errors

    service, _, user = locator.partition("/")
    try:
        return keyring.get_password(service, user) or ""
    except keyring.errors.NoKeyringError:
        reason = "this machine has no keyring that can be used"
    except keyring.errors.KeyringError as wrong:
        reason = f"the keyring did not answer ({type(wrong).__name__})"
    raise SecretUnavailable(f"the keyring entry that the estate names for a secret cannot be read: {reason}")
