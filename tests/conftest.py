"""What every test may ask for."""

from __future__ import annotations

import atexit
import os
from tempfile import TemporaryDirectory

from probe.memory import FOLDER_VARIABLE

pytest_plugins = ["tests.servers.fixtures"]

# What a command of a test remembers must not meet what this machine remembers, nor another test process.
_state = TemporaryDirectory(prefix="probe-state-")
atexit.register(_state.cleanup)
os.environ[FOLDER_VARIABLE] = _state.name
