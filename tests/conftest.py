"""What every test may ask for."""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
from tempfile import TemporaryDirectory

from hypothesis import settings

from probe import app
from probe.engine.plan import Plan
from probe.memory import FOLDER_VARIABLE
from probe.model.runs import Run
from tests.judged_again import assert_judged_again_to_the_same

# Who starts the tests may ignore a signal (nohup, or a script's background), and every command of a test would inherit that.
# A handler that does nothing spares the tests as well, and is not inherited.
for _name in ("SIGINT", "SIGQUIT", "SIGHUP"):
    _signal = getattr(signal, _name, None)  # Windows has but the first
    if _signal is not None and signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, lambda *_: None)

pytest_plugins = ["tests.servers.fixtures"]

# What a command of a test remembers must not meet what this machine remembers, nor another test process.
_state = TemporaryDirectory(prefix="probe-state-")
atexit.register(_state.cleanup)
os.environ[FOLDER_VARIABLE] = _state.name

_check = app.Probing.check


async def _check_and_judge_again(self: app.Probing, plan: Plan, stop: asyncio.Event | None = None) -> Run:
    run = await _check(self, plan, stop)
    if run.estate is not None:
        assert_judged_again_to_the_same(run)
    return run


app.Probing.check = _check_and_judge_again  # type: ignore[method-assign]

# How long an example takes says something of what else the machine does.
settings.register_profile("probe", deadline=None)
settings.load_profile("probe")
