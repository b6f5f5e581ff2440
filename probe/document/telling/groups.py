"""Mailboxes that share status and cause: what a first screen, a line of a pager and a row of a table tell of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from probe.document.index import JsonObject
from probe.document.telling.blocks import READINESS_WORDS, SUPPORT_WORDS, Block
from probe.document.telling.known import Known
from probe.document.telling.names import remedy_for
from probe.document.telling.signing_in import WITHOUT, YES
from probe.document.telling.words import CITED_LIMIT, WHAT_TO_DO, WHY_IN_WORDS, bounded, endpoints_of, reason_in_words, value_in_words
from probe.model import vocabulary as v
from probe.model.estate import Endpoint
from probe.model.facts import Why
from probe.model.remedies import first_sentence
from probe.model.rules import Otherwise, Readiness, Result, Support
from probe.model.values import dataclass

_TELLING = frozenset(
    key.name
    for key in (
        v.CERTIFICATE_DISTRUSTED_BECAUSE,
        v.AUTH_REFUSAL,
        v.EWS_INBOX,
        v.EWS_POLICY_BLOCK,
        v.PROFILE_PASSWORD_ENDS,
        v.SERVER_PRODUCT,
        v.TLS_FAILURE,
    )
)
"""Facts whose value says more about a failure than the title."""


@dataclass(frozen=True, slots=True)
class Group:
    """Blocks of mailboxes with one cause: a line of the table."""

    number: int
    cause: tuple[str, ...]
    """The cause, from the longest text to the shortest; a reader takes the first that fits."""
    beside: str
    """The other verdict, where it is bad too, or leaves open whether it works."""
    blocks: list[Block]

    @property
    def first(self) -> Block:
        return self.blocks[0]

    @property
    def addresses(self) -> list[str]:
        return [address for block in self.blocks for address in block.addresses]


def groups_of(blocks: Iterable[Block], on: date) -> list[Group]:
    """The blocks by status and cause, the most urgent first; within one status, the cause with most mailboxes first."""
    return grouped((block, *cause_of(block, on)) for block in blocks)


def cause_of(block: Block, on: date) -> tuple[tuple[str, ...], str]:
    """Why a block has its status, from the longest text to the shortest; and its other verdict, where that is bad too, or leaves open whether it works."""
    if not block.hangs_on_readiness:
        return _cause(block, on), READINESS_WORDS[block.readiness] if block.readiness is Readiness.UNDETERMINED else ""
    return _cause(block, on), SUPPORT_WORDS[block.support] if block.support in (Support.UNSUPPORTED, Support.NOT_LISTED) else ""


def grouped(blocks: Iterable[tuple[Block, tuple[str, ...], str]]) -> list[Group]:
    """The groups of some blocks, each with what `cause_of` says of it."""
    alike: dict[tuple[str, tuple[str, ...], str], list[Block]] = {}
    for block, cause, beside in blocks:
        alike.setdefault((block.status, cause, beside), []).append(block)
    ordered = sorted(alike.items(), key=lambda group: (group[1][0].urgency, -sum(len(block.addresses) for block in group[1])))
    return [Group(number, cause, beside, of_it) for number, ((_, cause, beside), of_it) in enumerate(ordered, start=1)]


def is_advice(finding: JsonObject) -> bool:
    """Whether a finding advises, and decides nothing."""
    return bool(finding["otherwise"] == Otherwise.ADVICE and finding["result"] == Result.FAILS)


def advice_of(groups: Iterable[Group], on: date) -> dict[tuple[str, ...], list[str]]:
    """The mailboxes by kind of advice; the words from the longest text to the shortest."""
    return advised((block, advice_in(block, on)) for group in groups for block in group.blocks)


def advice_in(block: Block, on: date) -> list[tuple[str, str]]:
    """The advice that a block has: each title, and the title with what was seen."""
    return [(finding["title"], with_what_was_seen(finding, on)) for finding in filter(is_advice, block.decided)]


def advised(blocks: Iterable[tuple[Block, Iterable[tuple[str, str]]]]) -> dict[tuple[str, ...], list[str]]:
    """The mailboxes of some blocks, each with what `advice_in` says of it, by kind of advice."""
    told: dict[str, tuple[dict[str, None], list[str]]] = {}
    for block, advice in blocks:
        for title, with_what in advice:
            seen, addresses = told.setdefault(title, ({}, []))
            seen[with_what] = None
            addresses += block.addresses
    return {((*seen, title) if len(seen) == 1 else (title,)): addresses for title, (seen, addresses) in told.items()}


def step_for(block: Block, address: str, known: Known, on: date) -> str:
    """The first thing to do about a mailbox of a block that is not well: that it works, then that it is supported."""
    about = _about(block, is_readiness=block.readiness is not Readiness.READY)
    failed = [f for f in about if f["result"] == Result.FAILS and not is_advice(f)]
    if failed:
        return first_sentence(remedy_for(failed[0], address, known, on))
    why, hosts = _befell(about or block.decided)
    if why is not None:
        return f"{', '.join(hosts)}: {WHAT_TO_DO[why]}"
    return first_sentence(remedy_for(about[0], address, known, on)) if about else WHAT_TO_DO[Why.NOT_ATTEMPTED]


def _about(block: Block, *, is_readiness: bool) -> list[JsonObject]:
    """The findings that its readiness hangs on, or its support."""
    return [f for f in block.decided if (f["otherwise"] == Otherwise.NOT_READY) is is_readiness]


def _cause(block: Block, on: date) -> tuple[str, ...]:
    """Why the block has its status, from the longest text to the shortest."""
    if block.support is Support.NOT_ASSESSED:
        return ("not synchronized by the server",)
    if block.is_good:
        return ("signed in" if block.signed_in == YES else WITHOUT,)
    about = _about(block, is_readiness=block.hangs_on_readiness)
    failed = [f for f in about if f["result"] == Result.FAILS and not is_advice(f)]
    if failed:
        return headline(failed[0], on)
    unknown = [f for f in about or block.decided if f["result"] == Result.UNKNOWN]
    if unknown:
        return _left_open(unknown)
    return ("no row of Microsoft's table is met" if block.support is Support.NOT_LISTED else "nothing was found that shows it ready",)


def headline(finding: JsonObject, on: date) -> tuple[str, ...]:
    """What failed, what was seen, and where."""
    hosts = ", ".join(dict.fromkeys(map(_host, endpoints_of(finding))))
    seen = with_what_was_seen(finding, on)
    return tuple(dict.fromkeys((", ".join(filter(None, (seen, hosts))), seen, finding["title"])))


def with_what_was_seen(finding: JsonObject, on: date) -> str:
    """The title with the most informative value; of a certificate, only its end."""
    for cited in finding["because"]:
        value = cited.get("value")
        if cited["key"] == v.CERTIFICATE_NOT_AFTER.name and value:
            return f"Certificate {_ends_or_ended(value, on)}"
        if cited["key"] == v.CERTIFICATE_CHAIN_ENDS.name and value:
            return f"Certificate of {bounded(value['subject'], CITED_LIMIT)} {_ends_or_ended(value['not_after'], on)}"
        if cited["key"] in _TELLING and value and (words := value_in_words(value)) not in finding["title"]:
            return f"{finding['title']}: {words}"
    return str(finding["title"])


def _ends_or_ended(moment: str, on: date) -> str:
    day = moment.partition("T")[0]
    return f"{'ends' if day > on.isoformat() else 'expired'} {day}"


def _left_open(unknown: Sequence[JsonObject]) -> tuple[str, ...]:
    """What happened at the endpoints that left it open; else what is not known."""
    why, hosts = _befell(unknown)
    if why is None:
        return (f"Not known: {unknown[0]['title']}",)
    return reason_in_words(why, hosts, ""), reason_in_words(why, hosts[:1], ""), WHY_IN_WORDS[why]


def _befell(unknown: Iterable[JsonObject]) -> tuple[Why | None, list[str]]:
    """The commonest reason for what endpoints left open, with their hosts."""
    gaps = [cited for f in unknown for cited in f["because"] if "why" in cited and "://" in cited["subject"]]
    if not gaps:
        return None, []
    why = Counter(gap["why"] for gap in gaps).most_common(1)[0][0]
    return Why(why), list(dict.fromkeys(_host(gap["subject"]) for gap in gaps if gap["why"] == why))


def _host(url: str) -> str:
    return Endpoint.parse(url).host
