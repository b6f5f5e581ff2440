"""The forms in which the program writes for other programs, by name. The command line shows them before it loads anything larger."""

from __future__ import annotations

RUN_SCHEMA = "probe.run/2"
"""A run as it is published."""
GATE_SCHEMA = "probe.gate/1"
"""What the gate answered."""
PLAN_SCHEMA = "probe.plan/1"
"""What a check would do."""
HISTORY_SCHEMA = "probe.history/1"
"""What was seen before."""
DRIFT_SCHEMA = "probe.drift/1"
"""What changed."""
