"""The folder is the registry.

Every file of a catalogue folder holds exactly one entry (`PROBER`, `INFERENCE`, `RULE` or `REPORT`), whose id is
the file's name with hyphens. There is no list to keep, so none can rot; a file without its entry is refused.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Protocol, TypeVar


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


E = TypeVar("E", bound=_HasId)


class CatalogueError(Exception):
    """A file of a catalogue folder does not hold what it must."""


@cache
def load(package: str, name: str, kind: type[E]) -> dict[str, E]:
    """Every entry of a folder, by id, in the order of file names.

    `package` is the folder's import name, `name` what each file calls its entry, `kind` the entry's type.
    Raises CatalogueError for a file without its entry, or with one whose id is not the file's name.
    """
    folder = importlib.import_module(package)
    found = (entry(package, file.name, name, kind) for file in sorted(pkgutil.iter_modules(folder.__path__), key=lambda m: m.name))
    return {one.id: one for one in found}


def entry(package: str, file: str, name: str, kind: type[E]) -> E:
    """The entry of one file of a folder, where no other is wanted. Raises CatalogueError as `load` does, and ImportError where there is none."""
    module = importlib.import_module(f"{package}.{file}")
    found = getattr(module, name, None)
    if not isinstance(found, kind):
        raise CatalogueError(f"{module.__name__} defines no {name}: {kind.__name__}")
    if found.id != file.replace("_", "-"):
        raise CatalogueError(f"{module.__name__} holds {found.id!r}; the file and its entry must have one name")
    return found
