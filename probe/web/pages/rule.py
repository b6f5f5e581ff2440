"""A rule as its page shows it: what is stated and where, what it looks at, and which mailboxes it decides now. Pure in the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fastapi import APIRouter, Request, Response

from probe import app
from probe.document.telling.words import spaced
from probe.model.rules import By, Otherwise, Result, Rule
from probe.model.vocabulary import all_keys
from probe.web.documents import rule_detail
from probe.web.pages.markup import answered
from probe.web.pages.routes import NameInPath
from probe.web.problems import RequestProblem
from probe.web.state import EstateState, States

_BY = {
    By.MICROSOFT: "Microsoft, about what is supported",
    By.READINESS: "this program, about whether it works now",
    By.OPERATOR: "the operator",
}
_MOST_NAMED = 200
"""Mailboxes of one result; all are found from there."""


class Decided(NamedTuple):
    """Mailboxes of which a rule decides the same."""

    result: Result
    word: str
    tone: str
    addresses: Sequence[str]


class RuleView:
    """What the page shows of one rule."""

    def __init__(self, state: EstateState, rule: Rule) -> None:
        self.rule = rule
        self.form = rule_detail(rule)
        self.by = _BY[rule.by]
        self.otherwise = spaced(rule.otherwise).upper()
        self.most = _MOST_NAMED
        advises = rule.otherwise is Otherwise.ADVICE
        self.run, self.unjudged = state.run, state.unjudged
        told = {
            Result.FAILS: (self.otherwise, "doubtful" if advises else "bad"),
            Result.UNKNOWN: ("UNKNOWN", "doubtful"),
            Result.HOLDS: ("SUPPORTED", "good"),
        }
        found: dict[str, list[str]] = {}
        for one in state.blocks:
            for name, result in one.deciding:
                if name == rule.id:
                    found.setdefault(result, []).extend(one.block.addresses)
        self.decides = [Decided(result, *words, found[result]) for result, words in told.items() if result in found]
        """By what it decides, the worst first."""

    @property
    def needs(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Of each part of a case, the keys that it reads, and what each means."""
        return {part: [(name, all_keys()[name].doc) for name in names] for part, names in self.form["needs"].items() if names}


def showing_rules(states: States) -> APIRouter:
    """The route of a rule."""
    router = APIRouter(include_in_schema=False)

    @router.get("/rules/{rule_id}")
    async def show_rule(request: Request, rule_id: NameInPath) -> Response:
        rule = app.rules().get(rule_id)
        if rule is None:
            raise RequestProblem(404, "there is no such rule")
        state = await states.newest()
        return answered(request, "rule.html", {"view": RuleView(state, rule)}, state.names)

    return router
