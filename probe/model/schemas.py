"""The forms in which the program writes for other programs, by name. The command line shows them before it loads anything larger."""

from __future__ import annotations

RUN_SCHEMA = "probe.run/2"
"""A run as it is published."""
GATE_SCHEMA = "probe.gate/1"
"""What the gate answered."""
PLAN_SCHEMA = "probe.plan/1"
"""What a check would do."""
OUTLOOK_SCHEMA = "probe.outlook/1"
"""What comes."""
DOCTOR_SCHEMA = "probe.doctor/1"
"""What is wrong with a set-up."""
HISTORY_SCHEMA = "probe.history/1"
"""What was seen before."""
DRIFT_SCHEMA = "probe.drift/1"
"""What changed."""
