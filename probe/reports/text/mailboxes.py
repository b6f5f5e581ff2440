"""The mailboxes: the worst first, each with its verdict and what decided it; the ready ones last and in brief.

Mailboxes of which the same is to be said stand in one block.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from probe.document import Options
from probe.model.rules import Otherwise, Readiness, Result, Support
from probe.reports.text.causes import questions_in_common
from probe.reports.text.findings import Told, is_advice, write_advice, write_finding, write_listing, write_questions
from probe.reports.text.known import Known
from probe.reports.text.page import BAD, DOUBTFUL, GOOD, STRONG, Page
from probe.reports.text.words import Form, count, some_of

SUPPORT_WORDS = {
    Support.UNSUPPORTED: "unsupported",
    Support.UNDETERMINED: "support undetermined",
    Support.NOT_LISTED: "not listed",
    Support.SUPPORTED: "supported",
    Support.NOT_ASSESSED: "not assessed",
}
READINESS_WORDS = {
    Readiness.NOT_READY: "not ready",
    Readiness.UNDETERMINED: "readiness undetermined",
    Readiness.READY: "ready",
}
_COLOURS = {
    **dict.fromkeys((Support.SUPPORTED, Readiness.READY), GOOD),
    **dict.fromkeys((Support.UNSUPPORTED, Support.NOT_LISTED, Readiness.NOT_READY), BAD),
    **dict.fromkeys((Support.UNDETERMINED, Readiness.UNDETERMINED), DOUBTFUL),
}


@dataclass(frozen=True, slots=True)
class _Block:
    """Mailboxes of which the same is to be said; the first stands for all."""

    support: Support
    readiness: Readiness
    profile: str
    decided: list[Form]
    """Findings that decided the verdict, worst first, then advice."""
    undecided: list[Form]
    """Findings that are unknown, where the verdict is worse already."""
    listed: list[Form]
    """For a supported mailbox: the statements that list it."""
    addresses: list[str]

    @property
    def is_ready(self) -> bool:
        return self.support is Support.SUPPORTED and self.readiness is Readiness.READY


def write_mailboxes(page: Page, document: Mapping[str, Any], known: Known, options: Options) -> None:
    """Every mailbox, the worst first and the ready ones last, a line for each of their blocks; then what lists the supported ones."""
    profiles = {p["name"]: p for p in document["estate"]["profiles"]}
    blocks = _blocks(document["assessments"])
    advised: set[str] = set()
    if blocks:
        page.heading("Mailboxes")
    brief = False
    for block in blocks:
        if not (brief and block.is_ready):
            page.blank()
        brief = block.is_ready and not block.decided and not block.undecided
        _verdict(page, block, short=block.is_ready and not options.quiet)
        if options.quiet:
            continue
        if block.support is Support.NOT_ASSESSED:
            page.say("Server-side synchronization does nothing for " + ("it." if len(block.addresses) == 1 else "them."), indent=2)
            continue
        profile = profiles.get(block.profile)
        if profile is not None and not block.is_ready:
            _profile(page, profile)
        _explanations(page, block, known, Told(block.addresses[0], advised))
    if not options.quiet:
        _listings(page, blocks, advised)


def _verdict(page: Page, block: _Block, *, short: bool) -> None:
    words = ", ".join(filter(None, [SUPPORT_WORDS[block.support].upper(), READINESS_WORDS.get(block.readiness, "")]))
    line = f"{words}: {count(len(block.addresses), 'mailbox', 'mailboxes')} with profile {block.profile}"
    if short:
        page.say(f"{line}: {some_of(block.addresses)}", style=_verdict_style(block))
    else:
        page.say(line, style=_verdict_style(block))
        page.say(some_of(block.addresses), indent=2)


def _profile(page: Page, profile: Form) -> None:
    page.say(profile["server_type"], indent=2, label="Type", column=10)
    if profile["incoming"] == profile["outgoing"]:
        page.say(profile["incoming"], indent=2, label="Endpoint", column=10)
    else:
        page.say(profile["incoming"], indent=2, label="Incoming", column=10)
        page.say(profile["outgoing"], indent=2, label="Outgoing", column=10)


def _verdict_style(block: _Block) -> str:
    colours = (_COLOURS.get(block.support, ""), _COLOURS.get(block.readiness, ""))
    return next((f"{STRONG};{c}" for c in (BAD, DOUBTFUL, GOOD) if c in colours), STRONG)


def _explanations(page: Page, block: _Block, known: Known, told: Told) -> None:
    collapsed = questions_in_common(f for f in block.decided if f["result"] == Result.UNKNOWN)
    not_listed_either = _not_listed_either(block.decided)
    also = [f["rule"] for findings in not_listed_either.values() for f in findings]
    written: set[str] = set()
    for finding in block.decided:
        if finding["rule"] in also or finding["rule"] in written:
            continue
        if not block.is_ready:
            page.blank()
        questions = next((q for q in collapsed if finding in q.findings), None)
        if questions is not None:
            write_questions(page, questions)
            written.update(f["rule"] for f in questions.findings)
        elif is_advice(finding):
            write_advice(page, finding, told)
        else:
            write_finding(page, finding, known, told, not_listed_either.get(finding["rule"], ()))
    if block.support is Support.NOT_LISTED and not any(f["otherwise"] == Otherwise.NOT_LISTED for f in block.decided):
        page.blank()
        page.say("NOT LISTED: no row of Microsoft's table of supported systems is met.", indent=2, style=BAD)
    if block.readiness is Readiness.UNDETERMINED and not any(f["otherwise"] == Otherwise.NOT_READY for f in block.decided):
        page.blank()
        page.say("UNKNOWN: nothing was found that shows it ready.", indent=2, style=DOUBTFUL)
    if block.undecided:
        if not block.is_ready:
            page.blank()
        page.say("; ".join(f["title"] for f in block.undecided) + ".", indent=2, label="Not known either: ", column=18)


def _not_listed_either(decided: Iterable[Form]) -> dict[str, list[Form]]:
    """By an unsupported finding's rule, the weaker ones that the same facts decided."""
    failed = [f for f in decided if f["result"] == Result.FAILS]
    stronger = [f for f in failed if f["otherwise"] == Otherwise.UNSUPPORTED]
    weaker: dict[str, list[Form]] = {}
    for finding in failed:
        if finding["otherwise"] == Otherwise.NOT_LISTED:
            same = next((s for s in stronger if all(cited in s["because"] for cited in finding["because"])), None)
            if same is not None:
                weaker.setdefault(same["rule"], []).append(finding)
    return weaker


def _listings(page: Page, blocks: Iterable[_Block], advised: set[str]) -> None:
    """The statements that list the supported systems, each once."""
    statements: dict[str, Form] = {}
    profiles: dict[str, dict[str, None]] = {}
    for block in blocks:
        for finding in block.listed:
            statements.setdefault(finding["rule"], finding)
            profiles.setdefault(finding["rule"], {})[block.profile] = None
    told = Told("", advised)
    for rule, finding in statements.items():
        page.blank()
        write_listing(page, finding, list(profiles[rule]), told)


def _blocks(assessments: Iterable[Form]) -> list[_Block]:
    blocks: dict[tuple[Any, ...], _Block] = {}
    for assessment in assessments:
        support, readiness = Support(assessment["support"]), Readiness(assessment["readiness"])
        decided, undecided, listed = _sorted_out(assessment["findings"], support, readiness)
        same = tuple(_likeness(f, assessment["mailbox"]) for f in (*decided, *undecided, *listed))
        block = blocks.setdefault(
            (support, readiness, assessment["profile"], same),
            _Block(support, readiness, assessment["profile"], decided, undecided, listed, []),
        )
        block.addresses.append(assessment["mailbox"])
    return sorted(blocks.values(), key=_urgency)


def _urgency(block: _Block) -> tuple[int, int, int, str, int]:
    """The order of the exit codes: what is bad, what is undetermined, what is ready."""
    if Support.NOT_ASSESSED is block.support:
        place = 3
    elif block.support in (Support.UNSUPPORTED, Support.NOT_LISTED) or block.readiness is Readiness.NOT_READY:
        place = 0
    else:
        place = 2 if block.is_ready else 1
    return place, list(Support).index(block.support), list(Readiness).index(block.readiness), block.profile, -len(block.addresses)


def _sorted_out(findings: Iterable[Form], support: Support, readiness: Readiness) -> tuple[list[Form], list[Form], list[Form]]:
    """What decided, what is unknown besides, and what lists the system."""
    decided: list[Form] = []
    undecided: list[Form] = []
    listed: list[Form] = []
    for finding in findings:
        otherwise = finding["otherwise"]
        if finding["result"] == Result.FAILS:
            decided.append(finding)
        elif finding["result"] == Result.UNKNOWN:
            verdict: object = {Otherwise.NOT_READY: readiness, Otherwise.ADVICE: None}.get(otherwise, support)
            matters = verdict in (Support.UNDETERMINED, Readiness.UNDETERMINED)
            (decided if matters else undecided).append(finding)
        elif finding["result"] == Result.HOLDS and finding["lists"] and support is Support.SUPPORTED:
            listed.append(finding)
    return sorted(decided, key=_severity), undecided, listed


def _severity(finding: Form) -> tuple[int, bool, int]:
    otherwise = list(Otherwise).index(Otherwise(finding["otherwise"]))
    about = {Otherwise.NOT_READY: 1, Otherwise.ADVICE: 2}.get(Otherwise(finding["otherwise"]), 0)
    return about, finding["result"] != Result.FAILS, otherwise


def _likeness(finding: Form, mailbox: str) -> tuple[Any, ...]:
    """What makes two mailboxes' findings the same to a reader: all but whose they are."""
    cited = tuple(
        (
            None if c["subject"] == mailbox else c["subject"],
            c["mailbox"] is None,
            c["key"],
            repr(c["value"]) if "value" in c else (c["why"], c["detail"]),
        )
        for c in finding["because"]
    )
    return finding["rule"], finding["result"], cited
