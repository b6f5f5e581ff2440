"""What the fork server loads, and all that it loads: bound to its parent and silent first, then everything that its children share.

Nothing else imports this: what it does, it does to the process that it is loaded into.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys

from probe.net import lifeline
from probe.net.heap import keep_small

SHARED = (
    "pebble.pool.process",
    "probe.net.killable",
    "probe.net.ews_session",
    "probe.net.ews_protocol",
    "probe.net.app_token",
    "probe.net.msal_protocol",
)
"""What children run, with all that it draws in."""


def _become() -> None:
    # Kept from the children's environment; where there is none, this is no fork server of ours.
    parent, _, main = os.environ.pop(lifeline.PARENT_VARIABLE, "").partition(" ")
    if not parent:
        return
    lifeline.die_with(int(parent))
    lifeline.silence()
    keep_small()
    # Each child would else run the program's main module once more, with all that it imports, and needs nothing of it.
    sys.modules["__main__"].__file__ = main
    for module in SHARED:
        importlib.import_module(module)
    sys.modules["probe.net.ews_protocol"].rehearse()
    # The collector writes into what it looks through, so that a child would get a copy of its own of every page.
    gc.collect()
    gc.freeze()


_become()
