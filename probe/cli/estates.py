"""Estates as commands read them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from probe.cli.streams import tell

if TYPE_CHECKING:
    from probe.model.estate import Estate


def estate_of(file: Path) -> Estate:
    """The estate of a file; where something is wrong with it, every mistake is told, and the command ends as of a usage error."""
    from probe.config import EstateError, load_estate

    try:
        return load_estate(file)
    except EstateError as wrong:
        tell(*map(str, wrong.problems))
        sys.exit(2)
