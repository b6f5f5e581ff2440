"""What judging alone costs, without reading, probing and publishing: `python -m tests.benchmarks.judging ESTATE`.

Writes one line of JSON: seconds of CPU for the whole estate, megabytes of memory that it added, and seconds for one mailbox where each rule is asked
of it by itself, as the mean of some.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from probe import app
from probe.config import load_estate
from probe.engine.judge import Ruleset, judge_estate
from probe.model.estate import DEPLOYMENT_SUBJECT, profile_subject
from probe.model.facts import Facts, Missing, Reading, Why
from probe.model.rules import Case, judge

_SOME = 50
_REFUSED = Why.REFUSED


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure, and say it."""
    estate, at = load_estate(Path(sys.argv[1])), datetime.now(UTC)
    ruleset = Ruleset(inferences=app.inferences(), rules=app.rules())
    probers = app.probers()
    conversations = [c for c in app.plan_check(estate, estate.mailboxes, app.Options()).conversations if not c.not_held]
    observed = [
        Missing(subject=c.told_of, key=key, why=_REFUSED, detail="nobody listens")
        for c in conversations
        for key in probers[c.prober].collects
    ]
    before, began = _memory(), time.process_time()
    judgement = judge_estate(estate, observed, estate.mailboxes, ruleset, at.date(), at)
    judging, added = time.process_time() - began, _memory() - before

    by_subject: dict[str, list[Reading]] = {}
    for reading in judgement.readings:
        by_subject.setdefault(reading.subject, []).append(reading)
    began = time.process_time()
    for mailbox in estate.mailboxes[:_SOME]:
        profile = estate.profile_of(mailbox)
        case = Case(
            deployment=Facts(DEPLOYMENT_SUBJECT, by_subject[DEPLOYMENT_SUBJECT]),
            profile=Facts(profile_subject(profile.name), by_subject[profile_subject(profile.name)]),
            mailbox=Facts(mailbox.address, by_subject[mailbox.address]),
            incoming=Facts(profile.incoming.url, by_subject[profile.incoming.url]),
            outgoing=Facts(profile.outgoing.url, by_subject[profile.outgoing.url]),
            date=at.date(),
        )
        for rule in ruleset.rules.values():
            judge(rule, case)
    apart = (time.process_time() - began) / min(_SOME, len(estate.mailboxes))
    sys.stdout.write(json.dumps({"judging": judging, "megabytes": added, "apart": apart}) + "\n")


if __name__ == "__main__":
    main()
