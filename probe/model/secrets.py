"""Secrets in memory, and the places where they are kept."""

from __future__ import annotations

import re
from typing import NoReturn

from probe.model.values import dataclass


class Secret:
    """A password or token in memory, which cannot be printed, compared, pickled or serialised by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself. To be called where it is sent, and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret is to be found when it is needed: `env:NAME`, `file:PATH` or `keyring:SERVICE/USER`."""

    kind: str
    """`env`, `file` or `keyring`."""
    locator: str
    is_pem: bool = False
    """Whether what lies there is PEM, which alone has several lines."""

    @classmethod
    def parse(cls, text: str) -> SecretReference:
        """The reference that a text names. Raises ValueError, which never repeats the text: it may be a password."""
        kind, colon, locator = text.partition(":")
        if not colon or kind not in ("env", "file", "keyring") or not locator:
            raise ValueError("a secret is never written here; refer to it as env:NAME, file:PATH or keyring:SERVICE/USER")
        if kind == "env" and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_()]*", locator):
            raise ValueError("after `env:` stands the name of an environment variable, as in env:CRM_EWS_PASSWORD")
        if kind == "keyring" and not all(locator.partition("/")):
            raise ValueError("after `keyring:` stand a service and a user, as in keyring:probe/svc-crm")
        return cls(kind, locator)

    def __repr__(self) -> str:
        return f"SecretReference({self.kind}:...)"


UNTOLD_SECRET = SecretReference("untold", "")
"""Stands for a reference that a stored run does not name. The secret cannot be read."""
