"""Exchange in one direction, POP3 or SMTP in the other.

What counts is what the mailbox uses: a profile may name an endpoint that server-side synchronization never opens.
"""

from __future__ import annotations

from probe.model.answers import Answer, all_of, any_of, negate
from probe.model.estate import Service
from probe.model.rules import By, Case, Direction, Otherwise, Rule
from probe.rules import EMAIL_ROUTER, EMAIL_ROUTER_END, SERVED, SPEAKING, UNSUPPORTED, is_server_side, page, speaks


def _applies(case: Case) -> Answer:
    receives = any_of(is_server_side(case, Direction.INCOMING), is_server_side(case, Direction.APPOINTMENTS))
    return all_of(receives, is_server_side(case, Direction.OUTGOING))


def _holds(case: Case) -> Answer:
    incoming, outgoing = speaks(case.incoming, Service.EWS), speaks(case.outgoing, Service.EWS)
    return any_of(all_of(incoming, outgoing), all_of(negate(incoming), negate(outgoing)))


RULE = Rule(
    id="mixed-transports",
    title="Exchange mixed with POP3 or SMTP",
    statement="Exchange for incoming with SMTP for outgoing mail is not supported, nor is POP3 for incoming with Exchange for outgoing mail.",
    references=(page(UNSUPPORTED), EMAIL_ROUTER_END),
    needs=SERVED | SPEAKING,
    by=By.MICROSOFT,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.UNSUPPORTED,
    remedy=(
        "Give the mailbox a profile with the same kind of server both ways: Exchange for incoming and outgoing, or POP3 with SMTP; "
        f"then test and enable it again.\n{EMAIL_ROUTER}"
    ),
)
