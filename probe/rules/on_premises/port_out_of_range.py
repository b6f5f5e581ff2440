"""A port that no server can have: Dynamics takes 0 and 65536 too."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.answers import Answer, all_of, any_of, ask, negate
from probe.model.facts import Facts
from probe.model.keys import FactKey
from probe.model.rules import By, Case, Needs, Otherwise, Rule
from probe.rules import PROFILES, SERVED, admin_page, served, was_asked

_PORTS = (v.DYNAMICS_INCOMING_PORT, v.DYNAMICS_OUTGOING_PORT)


def _applies(case: Case) -> Answer:
    return any_of(*(all_of(is_used, was_asked(case.profile, key)) for (is_used, _), key in zip(served(case), _PORTS, strict=True)))


def _holds(case: Case) -> Answer:
    used = zip(served(case), _PORTS, strict=True)
    return all_of(*(any_of(negate(is_used), _is_a_port(case.profile, key)) for (is_used, _), key in used))


def _is_a_port(profile: Facts, key: FactKey[int]) -> Answer:
    return any_of(negate(was_asked(profile, key)), ask(profile, key, lambda port: 0 < port < 65536))


RULE = Rule(
    id="port-out-of-range",
    title="Port out of range",
    statement="The ports of the email server profile lie between 1 and 65535.",
    references=(admin_page("Connect to POP3 or SMTP servers", "connect-to-pop3-or-smtp-servers"),),
    needs=SERVED | Needs(profile=_PORTS),
    by=By.READINESS,
    lists=False,
    applies=_applies,
    holds=_holds,
    otherwise=Otherwise.NOT_READY,
    remedy=(
        f"Enter the port of the server in the profile ({PROFILES}): Incoming Port most often 995 for POP3 with SSL, Outgoing Port most often 587 for SMTP. "
        "This shows what answers there: `probe look ENDPOINT`"
    ),
)
