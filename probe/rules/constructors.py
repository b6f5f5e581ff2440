"""Rules that differ in their words and in a set of causes or codes alone."""

from __future__ import annotations

from typing import TypedDict, Unpack

from probe.model import vocabulary as v
from probe.model.answers import Truth
from probe.model.estate import Service
from probe.model.rules import By, Otherwise, Reference, Rule
from probe.rules.conditions import of_endpoints, opened_unless, told
from probe.rules.signing_in import OPENING_AN_INBOX, TRYING_A_LOGIN, each_login, opens_an_inbox, tries_a_login


class Words(TypedDict):
    """What such a rule says for itself; all of it must be said, as in `Rule`."""

    id: str
    title: str
    statement: str
    references: tuple[Reference, ...]
    remedy: str


def rule_on_refusals(*causes: str, **words: Unpack[Words]) -> Rule:
    """The rule that no server that is used refuses a login for these causes; words that fit others too leave it open."""

    def verdict(said: tuple[str, ...]) -> Truth:
        if not set(causes) & set(said):
            return Truth.YES
        return Truth.NO if set(causes) >= set(said) else Truth.UNKNOWN

    return Rule(
        **words,
        needs=TRYING_A_LOGIN | of_endpoints(v.AUTH_REFUSAL),
        by=By.READINESS,
        lists=False,
        applies=tries_a_login,
        holds=each_login(lambda endpoint: told(endpoint, v.AUTH_REFUSAL, verdict)),
        otherwise=Otherwise.NOT_READY,
    )


def rule_on_inbox_codes(*codes: str, **words: Unpack[Words]) -> Rule:
    """The rule that Exchange opens the inbox, and does not refuse it by one of these response codes of EWS; any other code leaves it open."""
    return Rule(
        **words,
        needs=OPENING_AN_INBOX | of_endpoints(v.EWS_INBOX),
        by=By.READINESS,
        lists=False,
        applies=opens_an_inbox,
        holds=each_login(lambda endpoint: told(endpoint, v.EWS_INBOX, opened_unless(*codes)), Service.EWS),
        otherwise=Otherwise.NOT_READY,
    )
