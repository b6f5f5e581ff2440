"""The mailboxes in blocks: what does not work first, each with its verdict and what decided it; the ready ones last and in brief."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field
from datetime import date

from probe.document import ReportOptions
from probe.document.index import JsonObject
from probe.document.telling.blocks import Block
from probe.document.telling.causes import Questions, by_cause, is_not_allowed
from probe.document.telling.explanations import Consequence, Deciding, explanations_of, verdicts_by_default
from probe.document.telling.groups import Group, is_advice
from probe.document.telling.known import Known
from probe.document.telling.signing_in import about_sign_in
from probe.document.telling.words import count, some_of
from probe.model import vocabulary as v
from probe.model.facts import Fact
from probe.model.provenance import Inferred
from probe.model.rules import Support
from probe.model.values import dataclass
from probe.reports.text.endpoints import write_failed_attempts
from probe.reports.text.findings import (
    ToldSoFar,
    write_advice,
    write_finding,
    write_listing,
    write_questions,
    write_what_follows,
)
from probe.reports.text.page import BAD, DOUBTFUL, STRONG, Page, colour_of


@dataclass(frozen=True, slots=True)
class _ReportContext:
    """What all blocks share."""

    page: Page
    known: Known
    on: date
    verbose: bool
    advised: set[str] = field(default_factory=set)
    """Rules whose remedy was given as advice in any block."""

    def told(self, address: str) -> ToldSoFar:
        return ToldSoFar(address, self.advised, self.on)


def write_mailboxes(page: Page, groups: Sequence[Group], known: Known, on: date, options: ReportOptions) -> None:
    """The blocks, numbered as the lines of the table; then the statements that list the supported mailboxes."""
    report = _ReportContext(page, known, on, options.verbose)
    if groups:
        page.heading("Mailboxes")
    for group in groups:
        brief = False
        for block in group.blocks:
            if not (brief and block.is_good):
                page.blank()
            brief = block.is_good and not block.decided and not block.undecided
            _write_block(report, group.number, block)
    _listings(report, [block for group in groups for block in group.blocks])


def _write_block(report: _ReportContext, number: int, block: Block) -> None:
    page = report.page
    line = f"{number}. {block.verdict}: {count(len(block.addresses), 'mailbox', 'mailboxes')} with profile {block.profile}"
    style = f"{STRONG};{colour}" if (colour := colour_of(block)) else STRONG
    if block.is_good and not report.verbose:
        page.say(f"{line}: {_named(block.addresses)}", style=style)
    else:
        page.say(line, style=style)
        page.say(", ".join(block.addresses) if report.verbose else _named(block.addresses), indent=2, cut=True)
    if block.support is Support.NOT_ASSESSED:
        page.say("Server-side synchronization does not serve " + ("it." if len(block.addresses) == 1 else "them."), indent=2)
        return
    profile = report.known.profiles.get(block.profile)
    if profile is not None and not block.is_good:
        _profile(page, profile)
    if block.directions_in_words:
        page.say(block.directions_in_words, indent=2, label="Ways", column=10)
    _about_mailbox(report, block)
    _explanations(report, block)


def _named(addresses: Sequence[str]) -> str:
    """The first of many; all of them where everything is shown."""
    shown = some_of(addresses)
    return f"{shown} (`--verbose` names them)" if len(shown) < len(", ".join(addresses)) else shown


_FOUND = "what Autodiscover found for each mailbox"


def _profile(page: Page, profile: JsonObject) -> None:
    page.say(profile["server_type"], indent=2, label="Type", column=10)
    if profile["incoming"] == profile["outgoing"]:
        page.say(profile["incoming"] or _FOUND, indent=2, label="Endpoint", column=10)
    else:
        page.say(profile["incoming"] or _FOUND, indent=2, label="Incoming", column=10)
        page.say(profile["outgoing"] or _FOUND, indent=2, label="Outgoing", column=10)


def _about_mailbox(report: _ReportContext, block: Block) -> None:
    """Where the first mailbox lives, unless the operator declared it, and what is to be known of signing in."""
    address = block.addresses[0]
    facts = report.known.of(address)
    location, url = facts.read(v.MAILBOX_LOCATION), facts.value(v.AUTODISCOVER_URL)
    if isinstance(location, Fact) and isinstance(location.provenance, Inferred):
        report.page.say(f"{location.value}" + (f"; Autodiscover names {url}" if url else ""), indent=2, label="Lives", column=10)
    if sign_in := about_sign_in(block.addresses, block.signed_in, report.known):
        report.page.say(sign_in, indent=2, label="Sign-in", column=10)
    if report.verbose:
        write_failed_attempts(report.page, report.known, address)


def _explanations(report: _ReportContext, block: Block) -> None:
    page, told = report.page, report.told(block.addresses[0])
    for explanation in explanations_of(block):
        if not block.is_good:
            page.blank()
        match explanation:
            case Questions():
                write_questions(page, explanation)
            case Consequence(finding, root):
                write_what_follows(page, finding, root, report.known, told)
            case Deciding(finding, _) if is_advice(finding):
                write_advice(page, finding, report.known, told)
            case Deciding(finding, also_not_listed):
                write_finding(page, finding, report.known, told, also_not_listed)
    for verdict, sentence in verdicts_by_default(block):
        page.blank()
        page.say(f"{verdict}: {sentence}", indent=2, style=DOUBTFUL if verdict == "UNKNOWN" else BAD)
    if len(block.addresses) > 1 and block.addresses[0] in told.named:
        page.say(
            f"What is said of {block.addresses[0]} applies to the other {count(len(block.addresses) - 1, 'mailbox', 'mailboxes')} of "
            "this block too.",
            indent=2,
        )
    _not_known_either(report, block)


def _not_known_either(report: _ReportContext, block: Block) -> None:
    """What else is unknown without affecting the verdict: the number of questions by reason. What was not allowed is listed at the end."""
    groups, alone = by_cause(f for f in block.undecided if not is_not_allowed(f))
    if (groups or alone) and not block.is_good:
        report.page.blank()
    for questions in groups:
        _open_questions(report, questions, questions.because())
    if alone:
        _open_questions(report, Questions(frozenset(), alone), "")


def _open_questions(report: _ReportContext, questions: Questions, because: str) -> None:
    number = count(len(questions.findings), "more question", "more questions")
    report.page.say(f"{number}, because {because}" if because else number, indent=2, label="Not known", column=11)
    if report.verbose:
        for finding in questions.findings:
            report.page.say(f"{finding['title']} ({finding['rule']})", indent=13, label="-", column=2)


def _listings(report: _ReportContext, blocks: Iterable[Block]) -> None:
    """The statements that list supported systems, each once."""
    statements: dict[str, JsonObject] = {}
    profiles: dict[str, dict[str, None]] = {}
    for block in blocks:
        for finding in block.listed:
            statements.setdefault(finding["rule"], finding)
            profiles.setdefault(finding["rule"], {})[block.profile] = None
    told = report.told("")
    for rule, finding in statements.items():
        report.page.blank()
        write_listing(report.page, finding, list(profiles[rule]), told)
