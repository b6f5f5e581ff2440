"""The step before Test & Enable: what it will report of each direction of a mailbox, and whether it may be pressed.

Dynamics' rows are read first (`probe.organization`) and compared with the estate (`probe.dynamics.comparing`); a fresh run tells the rest. From both
follow, purely, the answer (`answering`) and what Test & Enable will do besides (`foretelling`). This room writes nothing in Dynamics; `probe/enabling/`
does, where it is asked to.
"""

from probe.dynamics.comparing import Difference, Rows, differences
from probe.gate.answering import Accept, GateAnswer, GateReason, GateVerdict, Predicted, verdict_on, worst
from probe.gate.disabled import Disabled, disabled_since, moment_of
from probe.gate.explaining import explained
from probe.gate.foretelling import Standing, Will, standing_of, will_do
from probe.gate.publishing import EnabledForms, Gated, gate_json, gated, published
from probe.gate.records import NOT_DECLARED, DynamicsRecords, Unread, compared, records_of
from probe.gate.telling import gate_text

__all__ = [
    "NOT_DECLARED",
    "Accept",
    "Difference",
    "Disabled",
    "DynamicsRecords",
    "EnabledForms",
    "GateAnswer",
    "GateReason",
    "GateVerdict",
    "Gated",
    "Predicted",
    "Rows",
    "Standing",
    "Unread",
    "Will",
    "compared",
    "differences",
    "disabled_since",
    "explained",
    "gate_json",
    "gate_text",
    "gated",
    "moment_of",
    "published",
    "records_of",
    "standing_of",
    "verdict_on",
    "will_do",
    "worst",
]
