"""Which exit code a run and an answer of the gate call for. Precedence: 130, 70, 2, 1, 3, 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from probe.enabling import Pressed
    from probe.gate import Gated
    from probe.model.rules import Support
    from probe.model.runs import Run

EXIT_CODES = """\b
Exit codes:
  0    every assessed mailbox is supported and ready (look: every attempt completed)
  1    at least one is unsupported, not listed, or not ready
  2    usage or estate error: nothing was probed
  3    none is as bad as 1, and at least one is undetermined (look: an attempt did not complete)
  70   the program itself failed
  130  interrupted; what was learnt until then is still printed"""


def exit_code(run: Run, accept: frozenset[Support] = frozenset()) -> int:
    """The exit code that a run calls for, by the precedence 130, 70, 1, 3, 0."""
    from probe.model.attempts import Outcome
    from probe.model.rules import Grade, grade

    if run.interrupted:
        return 130
    if any(a.outcome is Outcome.BUG for a in run.attempts):
        return 70
    if run.estate is None:
        is_complete = all(a.outcome in (Outcome.COMPLETED, Outcome.NOT_SCHEDULED) for a in run.attempts)
        return 0 if is_complete else 3
    grades = {grade(a.support, a.readiness, accept) for a in run.assessments}
    return 1 if Grade.BAD in grades else 3 if Grade.OPEN in grades else 0


def gate_exit_code(gated: Gated, pressed: Pressed | None = None) -> int:
    """The exit code that an answer of the gate calls for, with what came of Test & Enable where that was asked for, by the same precedence."""
    from probe.gate import GateAnswer, worst

    code = exit_code(gated.run)
    if code in (130, 70):
        return code
    if pressed is None:
        return {GateAnswer.GO: 0, GateAnswer.NO_GO: 1, GateAnswer.CANNOT_TELL: 3}[worst(gated.verdicts)]
    if pressed.is_interrupted:
        return 130
    codes = {pressed.exit_code_of(verdict) for verdict in gated.verdicts}
    return next((code for code in (1, 3) if code in codes), 0)
