"""A mailbox that Dynamics has switched off in some direction after an error, which it keeps: the outage may be over, and nobody has enabled it again."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, ask, negate
from probe.model.kinds import Flags, Outcomes
from probe.model.rules import By, Case, Direction, Needs, Otherwise, Rule
from probe.rules import MAILBOXES, SERVED, admin_page, is_server_side, uses, was_asked


def _applies(case: Case) -> Answer:
    return all_of(uses()(case), was_asked(case.mailbox, v.DYNAMICS_ENABLED), was_asked(case.mailbox, v.DYNAMICS_STATUS))


def _holds(case: Case) -> Answer:
    is_disabled = any_of(*(_is_disabled(case, direction) for direction in Direction))
    # Decided by the first alone; of a no, the last error is cited too.
    with_error = all_of(is_disabled, ask(case.mailbox, v.DYNAMICS_LAST_ERROR, bool))
    return negate(any_of(is_disabled, with_error))


def _is_disabled(case: Case, direction: Direction) -> Answer:
    def is_off(enabled: Flags) -> bool:
        return not dict(enabled)[direction]

    def has_failed(status: Outcomes) -> bool:
        return dict(status)[direction] == "failure"

    enabled, status = ask(case.mailbox, v.DYNAMICS_ENABLED, is_off), ask(case.mailbox, v.DYNAMICS_STATUS, has_failed)
    return all_of(is_server_side(case, direction), enabled, status)


RULE = Rule(
    id="disabled-by-an-error",
    title="Disabled by an error",
    statement="Dynamics has not disabled the mailbox after an error in a direction that it serves.",
    references=(
        admin_page("Troubleshoot and monitor server-side synchronization issues", "troubleshooting-monitoring-server-side-synchronization"),
    ),
    needs=SERVED | Needs(mailbox=(v.DYNAMICS_ENABLED, v.DYNAMICS_STATUS, v.DYNAMICS_LAST_ERROR)),
    by=By.READINESS,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.ADVICE,
    remedy=(
        "Read first what this run found of its servers. If something is not ready, correct that. If everything is ready, the cause is gone, and the mailbox ADDRESS can be enabled again "
        f"({MAILBOXES} > Test & Enable Mailbox). `probe rules --alert` lists possible causes of the last error."
    ),
)
