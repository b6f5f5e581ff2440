"""Groups of mailboxes with the same result, sorted for a reader: what does not work comes first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import Any

from probe.document.index import JsonObject
from probe.document.telling.known import Known
from probe.document.telling.roots import root_of
from probe.document.telling.signing_in import ready_in_words
from probe.model.facts import Why
from probe.model.rules import Grade, Otherwise, Readiness, Result, Support, grade
from probe.model.values import dataclass
from probe.model.vocabulary import DYNAMICS_KEYS

SUPPORT_WORDS = {
    Support.UNSUPPORTED: "unsupported",
    Support.UNDETERMINED: "support undetermined",
    Support.NOT_LISTED: "not listed",
    Support.SUPPORTED: "supported",
    Support.NOT_ASSESSED: "not assessed",
}
_OF_DYNAMICS = frozenset(key.name for key in DYNAMICS_KEYS)
READINESS_WORDS = {
    Readiness.NOT_READY: "not ready",
    Readiness.UNDETERMINED: "readiness undetermined",
    Readiness.READY: "ready",
}
STATUSES = ("NOT READY", "UNSUPPORTED", "NOT LISTED", "UNKNOWN", "READY", "NOT SERVED")
"""What the status of mailboxes may be, the most urgent first: what is known to be bad comes before what is not known."""
_OF_READINESS = {Readiness.NOT_READY: "NOT READY", Readiness.UNDETERMINED: "UNKNOWN", Readiness.READY: "READY"}
_OF_SUPPORT = {
    Support.UNSUPPORTED: "UNSUPPORTED",
    Support.NOT_LISTED: "NOT LISTED",
    Support.UNDETERMINED: "UNKNOWN",
    Support.SUPPORTED: "READY",
}


@dataclass(frozen=True, slots=True)
class Block:
    """Mailboxes with the same result; the first stands for all."""

    support: Support
    readiness: Readiness
    signed_in: str
    profile: str
    decided: list[JsonObject]
    """Findings that decided the verdict, the most urgent first, then advice."""
    undecided: list[JsonObject]
    """Unknown findings that could not make the verdict worse."""
    listed: list[JsonObject]
    """For a supported mailbox: the statements that list it."""
    addresses: list[str]
    directions: tuple[tuple[str, Readiness], ...] = ()
    """Readiness of each direction that is served."""
    held: list[JsonObject] = field(default_factory=list)
    """What holds for all of them, as an assessment has it, with what that rests on in all of them."""

    @property
    def directions_in_words(self) -> str:
        """Each direction with its readiness where they differ; empty where the verdict applies to all."""
        if len({how for _, how in self.directions}) < 2:
            return ""
        return ", ".join(f"{direction} {READINESS_WORDS[how].removeprefix('readiness ')}" for direction, how in self.directions)

    @property
    def is_good(self) -> bool:
        return self.support is Support.SUPPORTED and self.readiness is Readiness.READY

    def grade(self, accept: frozenset[Support] = frozenset()) -> Grade:
        """How its mailboxes stand, where these verdicts on support are accepted."""
        return grade(self.support, self.readiness, accept)

    @property
    def status(self) -> str:
        """What is more urgent of both verdicts."""
        if self.support is Support.NOT_ASSESSED:
            return "NOT SERVED"
        return min(_OF_READINESS[self.readiness], _OF_SUPPORT[self.support], key=STATUSES.index)

    @property
    def hangs_on_readiness(self) -> bool:
        """Whether its status is what its readiness comes to, rather than its support; nothing hangs on a readiness that is good."""
        return self.readiness in (Readiness.NOT_READY, Readiness.UNDETERMINED) and self.status == _OF_READINESS[self.readiness]

    @property
    def verdict(self) -> str:
        """Both verdicts, the more urgent one in capitals."""
        if self.support is Support.NOT_ASSESSED:
            return SUPPORT_WORDS[self.support].upper()
        ready = ready_in_words(self.readiness, self.signed_in, READINESS_WORDS[self.readiness])
        support = SUPPORT_WORDS[self.support]
        if self.hangs_on_readiness:
            return f"{ready.upper()}, {support}"
        return f"READY{ready.removeprefix('ready')}, {support}" if self.is_good else f"{support.upper()}, {ready}"

    @property
    def urgency(self) -> int:
        """Its place in the order of what mailboxes are told in: less is more urgent."""
        return STATUSES.index(self.status)


def blocks_of(assessments: Iterable[JsonObject], known: Known) -> list[Block]:
    """The mailboxes in blocks, the most urgent first, then the largest first."""
    blocks: dict[tuple[Any, ...], Block] = {}
    for assessment in assessments:
        support, readiness, address = Support(assessment["support"]), Readiness(assessment["readiness"]), assessment["mailbox"]
        how = assessment["signed_in"] or "not-tried"
        decided, undecided, listed = _sorted_out(known.findings(assessment), support, readiness)
        directions = tuple((name, Readiness(told)) for name, told in assessment["directions"].items() if told is not None)
        held = [finding for finding in assessment["findings"] if finding["result"] == Result.HOLDS]
        same = tuple(_likeness(f, address) for f in (*decided, *undecided, *listed))
        block = blocks.setdefault(
            (support, readiness, directions, how, assessment["profile"], same),
            Block(support, readiness, how, assessment["profile"], decided, undecided, listed, [], directions),
        )
        if block.addresses:
            block.held[:] = _in_common(block.held, held)
        else:
            block.held[:] = held
        block.addresses.append(address)
    return in_order(blocks.values())


def _in_common(some: list[JsonObject], others: list[JsonObject]) -> list[JsonObject]:
    """What holds for mailboxes and for another too, with what it rests on in both."""
    if some == others:
        return some
    by_rule = {finding["rule"]: finding for finding in others}
    both = ((one, by_rule.get(one["rule"])) for one in some)
    alike = [(one, other) for one, other in both if other is not None and one.get("directions") == other.get("directions")]
    return [
        one if one == other else {**one, "because": [cited for cited in one["because"] if cited in other["because"]]}
        for one, other in alike
    ]


def in_order(blocks: Iterable[Block]) -> list[Block]:
    """The blocks, the most urgent first, then the largest first."""
    return sorted(blocks, key=lambda block: (block.urgency, -len(block.addresses), block.profile, block.addresses[0]))


def matters(finding: JsonObject, support: Support, readiness: Readiness) -> bool:
    """Whether an unknown finding leaves the verdict open, rather than not affecting it."""
    if finding["otherwise"] == Otherwise.NOT_READY and rests_on_old_state(finding):
        return False
    verdict: object = {Otherwise.NOT_READY: readiness, Otherwise.ADVICE: None}.get(finding["otherwise"], support)
    return verdict in (Support.UNDETERMINED, Readiness.UNDETERMINED)


def rests_on_old_state(finding: JsonObject) -> bool:
    """Whether a finding is unknown for Dynamics' own state alone, which could not be read for too long; no readiness hangs on it then."""
    gaps = [cited for cited in finding["because"] if "why" in cited]
    return any(gap["why"] == Why.STALE for gap in gaps) and all(gap["key"] in _OF_DYNAMICS for gap in gaps)


def _sorted_out(
    findings: Iterable[JsonObject], support: Support, readiness: Readiness
) -> tuple[list[JsonObject], list[JsonObject], list[JsonObject]]:
    """What decided the verdict, what else is unknown, and what lists the system."""
    decided: list[JsonObject] = []
    undecided: list[JsonObject] = []
    listed: list[JsonObject] = []
    for finding in findings:
        if finding["result"] == Result.FAILS:
            decided.append(finding)
        elif finding["result"] == Result.UNKNOWN:
            (decided if matters(finding, support, readiness) else undecided).append(finding)
        elif finding["result"] == Result.HOLDS and finding["lists"] and support is Support.SUPPORTED:
            listed.append(finding)
    return sorted(decided, key=lambda finding: _severity(finding, decided)), undecided, listed


def _severity(finding: JsonObject, among: list[JsonObject]) -> tuple[bool, bool, bool, bool, int]:
    """Advice last, failed before unknown, readiness before support, and roots before consequences."""
    otherwise = Otherwise(finding["otherwise"])
    last, unknown, of_support = otherwise is Otherwise.ADVICE, finding["result"] != Result.FAILS, otherwise is not Otherwise.NOT_READY
    return last, unknown, of_support, root_of(finding, among) is not None, list(Otherwise).index(otherwise)


def _likeness(finding: JsonObject, mailbox: str) -> tuple[Any, ...]:
    """What must be equal for two mailboxes' findings to be shown as one: everything but the mailbox."""
    cited = tuple(
        (
            None if c["subject"] == mailbox else c["subject"],
            c["mailbox"] is None,
            c["key"],
            repr(c["value"]) if "value" in c else (c["why"], c["detail"]),
        )
        for c in finding["because"]
    )
    return finding["rule"], finding["result"], tuple(finding["directions"].items()), cited
