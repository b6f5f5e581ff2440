"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import mkdtemp

from probe.memory import FOLDER_VARIABLE

pytest_plugins = ["tests.servers.fixtures"]

# What a command of a test remembers must not meet what this machine remembers, nor another test process.
os.environ[FOLDER_VARIABLE] = str(Path(mkdtemp(prefix="probe-state-")))
