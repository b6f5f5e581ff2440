"""A run of which everything that a peer chooses is hostile to pages."""

from __future__ import annotations

from datetime import timedelta

from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.estate import Mailbox
from probe.model.kinds import Validity
from probe.model.provenance import Declared
from probe.model.rules import Readiness, Result, Support
from probe.model.runs import Run
from tests.runs import NOON, POP, REACHED, a_fact, a_finding, a_mailbox, a_run, an_assessment, an_attempt, an_estate, words

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)></code></pre>{{ 7 * 7 }}\x1b[31m\u202eevil\ud800"


def hostile_run() -> Run:
    """A run in which everything that a peer chooses is hostile."""
    box: Mailbox = a_mailbox("sales@branch.test")
    said = words("a1", 1, HOSTILE)
    greeting = a_fact(v.PROTOCOL_GREETING, HOSTILE, provenance=Declared("peer", said))
    readings = [
        greeting,
        a_fact(v.SERVER_PRODUCT, HOSTILE, provenance=Declared("peer", said)),
        a_fact(v.CERTIFICATE_SUBJECT, f"CN={HOSTILE}"),
        a_fact(v.CERTIFICATE_CHAIN, (f"CN={HOSTILE}", f"O={HOSTILE}")),
        a_fact(v.CERTIFICATE_CHAIN_DATES, tuple(Validity(f"{part}={HOSTILE}", NOON, NOON) for part in ("CN", "O"))),
        a_fact(v.CERTIFICATE_NOT_AFTER, NOON + timedelta(days=3)),
        a_fact(v.CERTIFICATE_DISTRUSTED_BECAUSE, HOSTILE),
        a_fact(v.CERTIFICATE_TRUSTED, False),
        a_fact(v.DYNAMICS_LAST_ERROR, HOSTILE, box.address, Declared("dynamics")),
        a_fact(v.DYNAMICS_ENABLED, (("incoming", True), ("outgoing", True), ("appointments", True)), box.address, Declared("dynamics")),
    ]
    return a_run(
        estate=an_estate(box),
        attempts=[
            an_attempt(1, POP, said=[HOSTILE, "+OK"]),
            an_attempt(2, POP, Outcome.CLOSED, HOSTILE, [HOSTILE], prober="pop3-login", mailbox=box.address),
        ],
        readings=readings,
        assessments=[an_assessment(box.address, Support.UNSUPPORTED, Readiness.NOT_READY, a_finding(REACHED, Result.FAILS, greeting))],
    )
