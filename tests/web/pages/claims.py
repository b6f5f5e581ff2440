"""Where in the API the numbers of each page are found again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from tests.runs import NOON
from tests.web.client import Asker
from tests.web.pages.numbers import Block, Claim, claim, constant

Json = Any
Match = re.Match[str]

_WAYS = ("incoming", "outgoing", "appointments")


@dataclass
class Answers:
    """The answers of the API, each asked for once."""

    asker: Asker
    known: dict[str, Json] = field(default_factory=dict)
    now: datetime = NOON

    async def ask(self, *paths: str) -> list[Json]:
        """The answers of some paths; of a list all its pages as one."""
        for path in paths:
            if path not in self.known:
                whole, after = None, ""
                while whole is None or after:
                    answer = await self.asker.ask(path + after)
                    assert answer.status == 200, (path, answer.body)
                    self.now = parsedate_to_datetime(answer.headers["date"])
                    told = answer.json()
                    (many,) = [name for name, value in told.items() if isinstance(value, list)] if "next" in told else ("",)
                    whole = told if whole is None else {**whole, many: [*whole[many], *told[many]]}
                    after = f"{'&' if '?' in path else '?'}after={quote(told['next'])}" if told.get("next") else ""
                self.known[path] = whole
        return [self.known[path] for path in paths]

    def __getitem__(self, path: str) -> Json:
        return self.known[path]


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def _only(found: Iterable[int]) -> list[int]:
    """What the API has, where it has one thing of the kind; an empty list, which equals no number, where it has several or none."""
    different = {*found}
    return [*different] if len(different) == 1 else []


def of_estate(answers: Answers) -> list[Claim]:
    """The numbers of the estate's page, searched or not."""
    summary, causes, lines = answers["/v1/summary"], answers["/v1/causes"]["causes"], answers["/v1/mailboxes"]["mailboxes"]
    endpoints = {one["id"]: one for one in answers["/v1/endpoints"]["endpoints"]}
    words = "not ready|ready as far as seen without signing in|ready|undetermined|not assessed|unsupported|not listed|supported"

    @claim(r"^(?P<n>[\d,]+) mailbox(?:es)?: .*\.$", "p")
    def total(_: Match, __: Block) -> Sequence[int]:
        return [summary["mailboxes"]]

    @claim(rf"(?<=[:,] )(?P<n>[\d,]+) (?P<words>{words})(?=[,.])", "p")
    def verdicts(match: Match, block: Block) -> Sequence[int]:
        told = match["words"]
        if block.text.startswith("Support:"):
            return [summary["support"][told.replace(" ", "-")]]
        if told == "not assessed":
            return [summary["readiness"]["not-assessed"]]
        is_seen = [one for one in lines if one["readiness"] == told.partition(" as ")[0].replace(" ", "-")]
        if told.startswith("ready"):
            is_seen = [one for one in is_seen if (one["signed_in"] == "yes") is (told == "ready")]
        return [len(is_seen)]

    @claim(r"\| (?P<n>[\d,]+) mailboxes \|", "tr")
    def cause(_: Match, block: Block) -> Sequence[int] | None:
        groups = {link.removeprefix("/?group=") for link in block.links if link.startswith("/?group=")}
        return _only(one["mailboxes"] for one in causes if one["id"] in groups and one["cause"] in block.text) if groups else None

    @claim(r"(?P<n>[\d,]+) mailbox(?:es)?\b", "tr")
    def served(_: Match, block: Block) -> Sequence[int] | None:
        at = {link.removeprefix("/?at=") for link in block.links if link.startswith("/?at=")}
        return [endpoints[one]["mailboxes"] for one in at] or None

    @claim(r"(?P<n>[\d,]+) ms$", "tr")
    def took(_: Match, block: Block) -> Sequence[int]:
        return _took(endpoints[link.removeprefix("/?at=")] for link in block.links if link.startswith("/?at="))

    @claim(r"^: .*, (?P<n>[\d,]+) mailbox(?:es)?$", "li")
    def coming(_: Match, block: Block) -> Sequence[int] | None:
        return _only(one["mailboxes"] for one in answers["/v1/coming"]["coming"] if one["words"] in block.text and one["on"] in block.times)

    return [total, verdicts, cause, served, took, coming, of_many(answers["/v1/changes"]["changes"])]


def of_search(answers: Answers, path: str) -> list[Claim]:
    """The numbers of the estate's page, searched."""

    @claim(r"^(?P<n>[\d,]+) mailbox(?:es)? found", "p")
    def found(_: Match, __: Block) -> Sequence[int]:
        return [answers[path]["total"]]

    return [found, *of_estate(answers)]


def of_rule(answers: Answers) -> list[Claim]:
    """The numbers of the page of a rule."""

    @claim(r"(?P<n>[\d,]+) mailbox(?:es)?$", "h3")
    def decided(_: Match, block: Block) -> Sequence[int]:
        return [answers[f"/v1/mailboxes{link.removeprefix('/')}"]["total"] for link in block.links if link.startswith("/?rule=")]

    return [decided]


def _took(lines: Iterable[Json]) -> list[int]:
    return [round(line["last_look"]["seconds"] * 1000) for line in lines]


def of_many(changes: Sequence[Json]) -> Claim:
    """How many subjects something befell alike."""

    @claim(r"^(?:at least )?(?P<n>[\d,]+) subjects, the first (?P<first>\S+)$", "summary")
    def alike(match: Match, _: Block) -> Sequence[int]:
        first = next(one for one in changes if one["subject"] == match["first"])
        same = [one for one in changes if all(one[part] == first[part] for part in ("key", "before", "after"))]
        return [len({(one["subject"], one["mailbox"]) for one in same})]

    return alike


def of_mailbox(answers: Answers, path: str) -> list[Claim]:
    """The numbers of a mailbox's page."""
    detail = answers[path]
    verdict, findings, rules = detail["verdict"], detail["assessment"]["findings"], detail["rules"]

    @claim(r"^UNKNOWN (?P<n>\d+) questions?, because (?P<because>.*)$", "summary")
    def questions(match: Match, _: Block) -> Sequence[int] | None:
        return _only(
            len(one["rules"]) for one in verdict["explanations"] if one["answer"] == "unknown" and one["because"] == match["because"]
        )

    @claim(r"^YES (?P<n>\d+) statements? holds?$", "summary")
    def holding(match: Match, _: Block) -> Sequence[int]:
        holds = [one["rule"] for one in findings if one["result"] == "holds"]
        of_page = [sum(rules[rule]["by"] == "microsoft" for rule in holds)]
        of_ways = [
            sum(
                rules[rule]["by"] == "readiness" and any(verdict["by_direction"][way].get(rule) == "holds" for way in ways)
                for rule in holds
            )
            for ways in _subsets([way for way in _WAYS if way in verdict["by_direction"]])
        ]
        return [number for number in {*of_page, *of_ways} if number == int(match["n"])]

    @claim(r"without effect on the verdict: (?P<n>\d+) questions?$", "summary")
    def beside(_: Match, __: Block) -> Sequence[int]:
        told = {rule for one in verdict["explanations"] for rule in one["rules"]}
        return [sum(one["result"] == "unknown" and one["rule"] not in told for one in findings)]

    @claim(r"^(?P<n>[\d,]+) messages?$", "dd")
    def pending(_: Match, __: Block) -> Sequence[int]:
        return _only(one["value"] for one in detail["facts"] if one["key"] == "dynamics.pending_send")

    @claim(r"signed in (?P<n>\d+) minutes? ago", "dd")
    def signed_in(_: Match, __: Block) -> Sequence[int]:
        return [int((answers.now - datetime.fromisoformat(detail["sign_in"]["at"])).total_seconds() // 60)]

    @claim(r"^(?P<key>[a-z0-9_]+\.[a-z0-9_]+) (?:at|of) .* = (?P<n>\d+)(?= \(|$)", "dd")
    def cited(match: Match, block: Block) -> Sequence[int]:
        return _only(one["value"] for one in detail["facts"] if one["key"] == match["key"] and one["subject"] in f"{block.text} {path}")

    often = constant(r"at most once in (?P<n>15) minutes", "dd")
    return [questions, holding, beside, pending, signed_in, cited, often, of_many(detail["timeline"])]


def _subsets(ways: Sequence[str]) -> list[list[str]]:
    return [[way for place, way in enumerate(ways) if number >> place & 1] for number in range(1, 1 << len(ways))]


def of_endpoint(answers: Answers, path: str) -> list[Claim]:
    """The numbers of an endpoint's page."""
    detail = answers[path]
    facts = [one for one in detail["facts"] if one["subject"] == detail["subject"]]

    @claim(r"^(?P<n>[\d,]+) mailbox(?:es)?$", "dd")
    def served(_: Match, __: Block) -> Sequence[int]:
        return [detail["mailboxes"]]

    @claim(r"^, (?P<n>\d+) ms$", "dd")
    def took(_: Match, __: Block) -> Sequence[int]:
        return _took([detail])

    @claim(r"^\| \| (?P<n1>\d+) \| (?P<n2>\d+) \| (?P<n3>\d+) \| (?P<n4>\d+)$", "tr")
    def latencies(_: Match, block: Block) -> Sequence[int]:
        (one,) = [one for one in detail["latencies"] if [one["from"]] == block.times]
        return [one["looks"], one["minimum"], one["median"], one["maximum"]]

    @claim(r"^(?P<n>\d+)$", "label of td")
    def drawn(match: Match, _: Block) -> Sequence[int]:
        known = {one[part] for one in detail["latencies"] for part in ("minimum", "median", "maximum")}
        return [number for number in known if number == int(match["n"])]

    @claim(r"^(?P<n>\d+) percent of the certificate's time have passed", "label of svg")
    def passed(_: Match, __: Block) -> Sequence[int]:
        begins, ends = (
            datetime.fromisoformat(next(one["value"] for one in facts if one["key"] == key))
            for key in ("certificate.not_before", "certificate.not_after")
        )
        on = datetime.fromisoformat(f"{answers['/v1/summary']['judged_at']}T00:00:00Z")
        return [round(min(max((on - begins) / (ends - begins), 0.0), 1.0) * 100)]

    @claim(r"^All that is known: (?P<n>\d+) facts?$", "summary")
    def known(_: Match, __: Block) -> Sequence[int]:
        return [len(facts)]

    @claim(r"^\| (?P<key>[a-z0-9_]+\.[a-z0-9_]+) \| (?P<n>\d+)(?= \(|$)", "tr")
    def value(match: Match, _: Block) -> Sequence[int]:
        return _only(one["value"] for one in facts if one["key"] == match["key"])

    @claim(r"^\| (?P<version>(?:TLS|SSL)v(?P<n1>\d)(?:\.(?P<n2>\d))?) \| (?P<taken>YES|NO)\b", "tr")
    def versions(match: Match, _: Block) -> Sequence[int]:
        (taken,) = [one["value"] for one in facts if one["key"] == "tls.versions"]
        return (
            [int(digit) for digit in re.findall(r"\d", match["version"])]
            if (match["version"] in taken) is (match["taken"] == "YES")
            else []
        )

    days = constant(r"each hour of the last (?P<n>14) days", "caption")
    return [served, took, latencies, drawn, passed, known, value, versions, days, of_many(detail["timeline"])]


def of_changes(answers: Answers) -> list[Claim]:
    """The numbers of the page of changes."""
    return [of_many(answers["/v1/changes"]["changes"])]


def of_calendar(answers: Answers) -> list[Claim]:
    """The numbers of the calendar."""
    told = answers["/v1/coming"]
    first, last = (date.fromisoformat(told[name]) for name in ("from", "until"))

    @claim(r"^in (?P<n>[\d,]+) days? ", "li")
    def left(_: Match, block: Block) -> Sequence[int]:
        return _only((date.fromisoformat(day) - first).days for day in block.times)

    @claim(r"^(?P<n>[\d,]+) mailboxes$", "summary")
    def befalls(match: Match, _: Block) -> Sequence[int]:
        return [number for number in {one["mailboxes"] for one in told["coming"]} if number == _number(match["n"])]

    @claim(r"^(?P<n>[\d,]+) events? on a line from", "label of svg")
    def events(_: Match, __: Block) -> Sequence[int]:
        return [told["total"]]

    @claim(r"^(?P<n1>\d{4})-(?P<n2>\d\d)$", "text")
    def ticks(match: Match, _: Block) -> Sequence[int]:
        quarter = date(int(match["n1"]), int(match["n2"]), 1)
        return [quarter.year, quarter.month] if first < quarter <= last and quarter.month % 3 == 1 else []

    return [left, befalls, events, ticks]


def of_runs(answers: Answers) -> list[Claim]:
    """The numbers of the page of runs."""

    @claim(r"^What is due longest is (?P<n>[\d,]+) seconds? late", "p")
    def late(_: Match, __: Block) -> Sequence[int]:
        return [answers["/v1/schedule"]["lag_seconds"]]

    return [late]


def of_gate(answers: Answers, path: str) -> list[Claim]:
    """The numbers of the page of an answer of the gate, or of what came of Test & Enable."""
    (will,) = [one["will"] for one in answers[path].get("mailboxes", [{"will": {}}])]

    @claim(r"^(?P<n>[\d,]+) mails? that waits? ", "li")
    def waiting(_: Match, __: Block) -> Sequence[int]:
        return [will["pending_send"]]

    @claim(r"^(?P<n>[\d,]+) messages? received since ", "li")
    def pulled_in(_: Match, __: Block) -> Sequence[int]:
        return [will["backlog"]]

    @claim(r" code (?P<n>[\d,]+)$", "li")
    def code(match: Match, _: Block) -> Sequence[int]:
        alerts = (answers[path].get("enabled") or {}).get("alerts", ())
        return [alert["code"] for alert in alerts if alert["code"] == _number(match["n"])][:1]

    return [waiting, pulled_in, code, constant(r"it may try for (?P<n>50) minutes", "p")]
