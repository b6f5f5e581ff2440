"""Memory that is given back is the system's again, whichever thread had it."""

from __future__ import annotations

import subprocess
import sys

import pytest

SIX_GUESSES = """
import hashlib, sys, threading
from probe.net.heap import keep_small

def held():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) >> 10 for line in status if line.startswith("RssAnon"))

if sys.argv[1] == "small":
    keep_small()
before = held()
done = threading.Event()
def guess():
    hashlib.scrypt(b"password", salt=b"salt", n=1 << 14, r=8, p=1)
    hashlib.scrypt(b"password", salt=b"salt", n=1 << 14, r=8, p=1)
    ready.release()
    done.wait()
ready = threading.Semaphore(0)
for _ in range(6):
    threading.Thread(target=guess, daemon=True).start()
for _ in range(6):
    ready.acquire()
print(held() - before)
done.set()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the C library is asked where it is glibc, and measured by /proc")
def test_what_six_threads_gave_back_is_not_held() -> None:
    """Six threads that each hashed a password, and now wait, hold less memory together than one hash takes."""
    program = [sys.executable, "-c", SIX_GUESSES]
    held = int(subprocess.run([*program, "small"], check=True, capture_output=True, text=True).stdout)
    assert held < 8
