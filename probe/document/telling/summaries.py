"""What a run came to in a sentence or two, and where, when and for whom it was held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from probe.document.telling.blocks import READINESS_WORDS, SUPPORT_WORDS, Block
from probe.document.telling.known import Known
from probe.document.telling.signing_in import WITHOUT, ready_in_words
from probe.document.telling.words import count, moment, spaced
from probe.model import vocabulary as v
from probe.model.estate import DEPLOYMENT_SUBJECT
from probe.model.facts import Missing
from probe.model.rules import Support

INTERRUPTED = "The run was interrupted; this is what was learnt until then."
_SUPPORT_ORDER = (Support.UNSUPPORTED, Support.NOT_LISTED, Support.UNDETERMINED, Support.SUPPORTED)


def summary_of_check(blocks: Sequence[Block]) -> list[str]:
    """The number of mailboxes by readiness, then by support."""
    if not blocks:
        return ["No mailbox was judged."]
    ready: Counter[str] = Counter()
    support: Counter[Support] = Counter()
    for block in blocks:
        support[block.support] += len(block.addresses)
        if block.readiness in READINESS_WORDS:
            words = READINESS_WORDS[block.readiness].removeprefix("readiness ")
            ready[ready_in_words(block.readiness, block.signed_in, words)] += len(block.addresses)
    order = ["not ready", "undetermined", "ready"]
    parts = [
        f"{number:,} {words}"
        for words, number in sorted(ready.items(), key=lambda of: (order.index(of[0].removesuffix(f" {WITHOUT}")), of[0]))
    ]
    unserved = support.pop(Support.NOT_ASSESSED, 0)
    parts += [f"{unserved:,} not assessed"] if unserved else []
    told = [f"{support[kind]:,} {SUPPORT_WORDS[kind].removeprefix('support ')}" for kind in _SUPPORT_ORDER if support[kind]]
    return [
        f"{count(support.total() + unserved, 'mailbox', 'mailboxes')}: {', '.join(parts)}.",
        *([f"Support: {', '.join(told)}."] if told else []),
    ]


def summary_of_look(known: Known) -> str:
    """The number of endpoints, and of attempts by outcome."""
    outcomes = Counter(a["outcome"] for a in known.all_attempts)
    endpoints = count(len(known.endpoints), "endpoint", "endpoints")
    tried = ", ".join(f"{number:,} {spaced(outcome)}" for outcome, number in sorted(outcomes.items(), key=lambda o: (-o[1], o[0])))
    return f"{endpoints}, {count(outcomes.total(), 'attempt', 'attempts')}: {tried or 'nothing was tried'}."


def circumstances(document: Mapping[str, Any]) -> list[str]:
    """From where and when it was probed, by which version; of a check, for which deployment and day it was judged."""
    told = [
        f"Probed from {document['from']}, {moment(document['started'])} to {moment(document['finished'])}, by probe {document['probe']}."
    ]
    if document["estate"] is not None:
        about = document["estate"]["deployment"]
        told.append(
            f"Deployment {about['name']}: Dynamics 365 {about['version']} {about['kind']}, {about['runs_on']}, "
            f"FIPS mode {'on' if about['fips'] else 'off'}. Judged for {document['judged_at']}."
        )
    return told


def dynamics_unread(known: Known) -> str:
    """That Dynamics' own records could not be read, where somebody asked for them; else empty. What they would say is no matter of one mailbox."""
    gap = known.of(DEPLOYMENT_SUBJECT).read(v.DYNAMICS_ORGANIZATION_ID)
    return f"Dynamics' own records were not read: {gap.detail}." if isinstance(gap, Missing) and not gap.says_nothing else ""
