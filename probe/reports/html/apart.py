"""What stands in a file once and is referred to from wherever it is told: rules, and lists of what holds, which mailboxes have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from probe.document.index import JsonObject
from probe.document.telling.blocks import Block


class HoldingList(NamedTuple):
    """Findings that hold, less what was seen of single mailboxes."""

    number: int
    findings: Sequence[JsonObject]
    block: Block
    """The mailboxes that it was first told of."""

    @property
    def because(self) -> list[JsonObject]:
        """What they rest on, each once."""
        return list({cited["id"]: cited for finding in self.findings for cited in finding["because"]}.values())


class ListReference(NamedTuple):
    """Where a list stands, and what one block adds to it."""

    place: str
    own: Sequence[JsonObject]
    """What was seen of its mailboxes themselves, and of their accounts."""


class Apart:
    """What is written once, at the end of the file."""

    def __init__(self, rules: Collection[str]) -> None:
        """`rules` are those whose texts there are."""
        self._texts = rules
        self._rules: dict[str, int] = {}
        self._lists: dict[tuple[tuple[str, tuple[str, ...]], ...], HoldingList] = {}

    def rule_place(self, rule: str) -> str:
        """Where a rule is told; empty for what is no rule, and for one of which there is no text, as it does not apply yet."""
        return f"#r{self._rules.setdefault(rule, len(self._rules) + 1)}" if rule in self._texts else ""

    def list_of(self, hold: Iterable[JsonObject], block: Block) -> ListReference:
        """Where what holds for a block is told."""
        own: dict[str, JsonObject] = {}
        shared: list[JsonObject] = []
        for finding in hold:
            of_all = []
            for cited in finding["because"]:
                if cited["mailbox"] is None and cited["subject"] not in block.addresses[:1]:
                    of_all.append(cited)
                elif "value" in cited:  # what is not known of one, and need not be, is told of none
                    own[cited["id"]] = cited
            shared.append({**finding, "because": of_all})
        key = tuple((finding["rule"], tuple(cited["id"] for cited in finding["because"])) for finding in shared)
        found = self._lists.get(key)
        if found is None:
            found = self._lists[key] = HoldingList(len(self._lists) + 1, shared, block)
        return ListReference(f"#h{found.number}", list(own.values()))

    def lists(self) -> list[HoldingList]:
        """Every list that was referred to."""
        return list(self._lists.values())

    def rules(self) -> list[tuple[str, int]]:
        """Every rule that was referred to, with the number of its place."""
        return sorted(self._rules.items())
