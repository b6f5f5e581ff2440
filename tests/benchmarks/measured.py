"""Runs a program, and writes what it took: its exit code, seconds of CPU and of the clock, peak of memory in KiB.

    python -S -E tests/benchmarks/measured.py DESCRIPTOR PROGRAM ARGUMENT...

A process of its own, and a small one: the peak of a process begins with that of the one that started it.
"""

from __future__ import annotations

import os
import sys
import time


def main() -> None:
    """Run what the arguments name, and write one line to the open file that the first one is the number of."""
    told = int(sys.argv[1])
    os.set_inheritable(told, False)
    began = time.monotonic()
    child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
    _, status, used = os.wait4(child, 0)
    seconds = time.monotonic() - began
    line = f"{os.waitstatus_to_exitcode(status)} {used.ru_utime + used.ru_stime} {seconds} {used.ru_maxrss}\n"
    os.write(told, line.encode())


if __name__ == "__main__":
    main()
