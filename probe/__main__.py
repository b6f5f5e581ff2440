"""Where the program begins: `probe`, and `python -m probe`, which is the same command."""

from __future__ import annotations

import gc
from typing import NoReturn


def main() -> NoReturn:
    """Run the command."""
    # What is made while the program starts lives to its end; looking through it for garbage would take a fifth of the start.
    gc.disable()
    from probe.cli import main as command

    command()


if __name__ == "__main__":
    main()
