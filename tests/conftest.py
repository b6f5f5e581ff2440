"""What every test may ask for."""

from __future__ import annotations

import atexit
import os
from tempfile import TemporaryDirectory

from hypothesis import settings

from probe.memory import FOLDER_VARIABLE

pytest_plugins = ["tests.servers.fixtures"]

# What a command of a test remembers must not meet what this machine remembers, nor another test process.
_state = TemporaryDirectory(prefix="probe-state-")
atexit.register(_state.cleanup)
os.environ[FOLDER_VARIABLE] = _state.name

# How long an example takes says something of what else the machine does.
settings.register_profile("probe", deadline=None)
settings.load_profile("probe")
