"""The mailboxes: verdict, what decided it, in what words, by which statement, and what to do.

Mailboxes of which the same is to be said stand in one block.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from probe.document import Options
from probe.model.rules import Otherwise, Readiness, Result, Support
from probe.reports.text.known import Known
from probe.reports.text.page import BAD, DOUBTFUL, GOOD, STRONG, Page
from probe.reports.text.words import EXCERPT_LIMIT, Form, bounded, count, gap_in_words, provenance, some_of, spaced, value_in_words

_EXCERPTS_SHOWN = 3

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


def write_mailboxes(page: Page, document: Mapping[str, Any], known: Known, options: Options) -> None:
    profiles = {p["name"]: p for p in document["estate"]["profiles"]}
    blocks = _blocks(document["assessments"])
    if blocks:
        page.heading("Mailboxes")
    for block in blocks:
        page.blank()
        words = [SUPPORT_WORDS[block.support].upper(), READINESS_WORDS.get(block.readiness, "")]
        number = len(block.addresses)
        who = some_of(block.addresses)
        page.say(
            ": ".join([", ".join(filter(None, words)), count(number, "mailbox", "mailboxes")]) + f" with profile {block.profile}",
            style=_verdict_style(block),
        )
        page.say(who, indent=2)
        if options.quiet:
            continue
        if block.support is Support.NOT_ASSESSED:
            page.say("Server-side synchronization does nothing for " + ("it." if number == 1 else "them."), indent=2)
            continue
        profile = profiles.get(block.profile)
        if profile is not None:
            page.say(spaced(profile["server_type"]), indent=2, label="Type", column=10)
            page.say(profile["incoming"], indent=2, label="Incoming", column=10)
            page.say(profile["outgoing"], indent=2, label="Outgoing", column=10)
        _explanations(page, block, known)


def _verdict_style(block: _Block) -> str:
    colours = (_COLOURS.get(block.support, ""), _COLOURS.get(block.readiness, ""))
    return next((f"{STRONG};{c}" for c in (BAD, DOUBTFUL, GOOD) if c in colours), STRONG)


def _explanations(page: Page, block: _Block, known: Known) -> None:
    for finding in block.decided:
        page.blank()
        _finding(page, finding, known, block.addresses[0])
    if block.support is Support.NOT_LISTED and not any(f["otherwise"] == Otherwise.NOT_LISTED for f in block.decided):
        page.blank()
        page.say("NOT LISTED: no row of Microsoft's table of supported systems is met.", indent=2, style=BAD)
    if block.readiness is Readiness.UNDETERMINED and not any(f["otherwise"] == Otherwise.NOT_READY for f in block.decided):
        page.blank()
        page.say("UNKNOWN: nothing was found that shows it ready.", indent=2, style=DOUBTFUL)
    if block.listed:
        page.blank()
    for finding in block.listed:
        page.say(f"LISTED: {finding['statement']}", indent=2, style=GOOD)  # the title names what it is not
        _references(page, finding)
    if block.undecided:
        page.blank()
        page.say("; ".join(f["title"] for f in block.undecided) + ".", indent=2, label="Not known either: ", column=18)


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
    order = (list(Support), list(Readiness))
    return sorted(blocks.values(), key=lambda b: (order[0].index(b.support), order[1].index(b.readiness), b.profile, -len(b.addresses)))


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


def _finding(page: Page, finding: Form, known: Known, mailbox: str) -> None:
    fails = finding["result"] == Result.FAILS
    advice = finding["otherwise"] == Otherwise.ADVICE
    word = spaced(finding["otherwise"]).upper() if fails else "UNKNOWN"
    page.say(f"{word}: {finding['title']}", indent=2, style=BAD if fails and not advice else DOUBTFUL)
    shown: set[str] = set()
    for cited in finding["because"]:
        _cited(page, cited, known, mailbox, shown)
    _stated(page, finding)
    page.say(finding["remedy"], indent=4, label="Remedy" if fails else "If so", column=8)


def _cited(page: Page, cited: Form, known: Known, mailbox: str, shown: set[str]) -> None:
    where = _whose(cited["subject"], mailbox) + (" for this account" if cited["mailbox"] is not None else "")
    if "why" in cited:
        page.say(
            f"{cited['key']} {where}: {gap_in_words(cited)}", indent=4, label="Unknown", column=8, cut=len(cited["detail"]) > EXCERPT_LIMIT
        )
        return
    facts = known.behind(cited)
    page.say(f"{cited['key']} {where}", indent=4, label="Seen", column=8)
    page.say(
        bounded(value_in_words(cited["value"]), EXCERPT_LIMIT) + "".join(map(provenance, facts[:1])),
        indent=12,
        label="= ",
        column=2,
        cut=True,
    )
    excerpts = [e["excerpt"] for f in facts for e in f["evidence"] if e["excerpt"] not in shown]
    for excerpt in list(dict.fromkeys(excerpts))[:_EXCERPTS_SHOWN]:
        shown.add(excerpt)
        page.quote(bounded(excerpt, EXCERPT_LIMIT), indent=12, label="| ", column=2)


def _stated(page: Page, finding: Form) -> None:
    page.say(finding["statement"], indent=4, label="Stated", column=8)
    _references(page, finding)


def _references(page: Page, finding: Form) -> None:
    for reference in finding["references"]:
        page.say(f"{reference['title']} ({reference['dated']})", indent=12)
        page.say(reference["url"], indent=12)


def _whose(subject: str, mailbox: str) -> str:
    if subject == mailbox:
        return "of the mailbox"
    return f"at {subject}" if "://" in subject else f"of {subject}"
