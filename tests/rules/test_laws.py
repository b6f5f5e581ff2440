"""Laws over the whole catalogue of rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from probe.model import vocabulary as v
from probe.model.answers import NO, YES, Answer, ask
from probe.model.facts import Fact, Facts, Missing, Reading, Why
from probe.model.keys import FactKey
from probe.model.kinds import Validity
from probe.model.provenance import Observed
from probe.model.rules import (
    DELIVERY,
    By,
    Case,
    Direction,
    Finding,
    Needs,
    Otherwise,
    Readiness,
    Reference,
    Result,
    Rule,
    Support,
    directions,
    judge,
    readiness,
    support,
)
from probe.rules import ALIKE
from tests.cases import ALWAYS_DECLARED, DAY, NOON, all_rules, exchange_case, gmail_case, online_case, result_of

RULES = all_rules()
PARTS = tuple(part.name for part in fields(Needs))

# Beside the vocabulary's own examples: what the rules tell apart.
TELLING: dict[FactKey[Any], tuple[Any, ...]] = {
    v.ENDPOINT_HOST: ("outlook.office365.us",),
    v.SERVER_PRODUCT: ("Exchange Server 2003", "Exchange Server 2010", "Outlook.com", "Yahoo Mail", "Postfix", "Exchange Server"),
    v.MAILBOX_DOMAIN: ("aol.com", "yahoo.com", "hotmail.co.uk"),
    v.HTTP_STATUS: (404, 503),
    v.AUTH_SCHEMES: (("Bearer",), ("Basic",), ()),
    v.AUTH_MECHANISMS: (("XOAUTH2",), ("CRAM-MD5",), ()),
    v.AUTH_MECHANISMS_PLAIN: (("PLAIN", "LOGIN"), ()),
    v.AUTH_REFUSAL: (("throttled",), ("bad-credentials", "temporary-failure")),
    v.EWS_INBOX: ("ErrorAccessDenied", "ErrorServerBusy"),
    v.CERTIFICATE_NOT_AFTER: (datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 11, 23, 18, tzinfo=UTC)),
    v.CERTIFICATE_CHAIN_DATES: (
        (
            Validity("CN=Contoso Issuing CA", datetime(2020, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
            Validity("CN=Contoso Issuing CA", datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)),
        ),
    ),
    v.SERVER_END_OF_SUPPORT: (date(2026, 11, 23),),
    v.PROFILE_PASSWORD_ENDS: (date(2026, 11, 22), date(2026, 12, 1)),
}


def needed(part: str, rules: dict[str, Rule]) -> tuple[FactKey[Any], ...]:
    """Every key that some rule needs of a part of the case, in the order of their names."""
    keys = {key for rule in rules.values() for key in getattr(rule.needs, part)}
    return tuple(sorted(keys, key=lambda key: key.name))


def values_of(key: FactKey[Any]) -> tuple[Any, ...]:
    return (*key.examples, *TELLING.get(key, ()))


def _fates(key: FactKey[Any]) -> list[tuple[Any, bool, bool]]:
    """What may become of a key: a value, whether it is known at first, and whether it is known later. One draw each, for speed."""
    known = [(value, True, True) for value in values_of(key)]
    if key in ALWAYS_DECLARED:
        return known
    return known + [(value, False, True) for value in values_of(key)] + [(values_of(key)[0], False, False)]


def _less_and_more(part: str, rules: dict[str, Rule]) -> st.SearchStrategy[tuple[Facts, Facts]]:
    """Facts of a part with gaps, and the same with some of the gaps filled."""
    by_name = {key.name: key for key in needed(part, rules)}
    choices = {name: st.sampled_from(_fates(key)) for name, key in by_name.items()}

    def build(drawn: dict[str, tuple[Any, bool, bool]]) -> tuple[Facts, Facts]:
        def facts(index: int) -> Facts:
            readings = [
                Fact(subject=part, key=by_name[name], value=entry[0], provenance=Observed(), at=NOON)
                if entry[index]
                else Missing(subject=part, key=by_name[name], why=Why.TIMED_OUT)
                for name, entry in drawn.items()
            ]
            return Facts(part, readings)

        return facts(1), facts(2)

    return st.fixed_dictionaries(choices).map(build)


def _cases(rules: dict[str, Rule]) -> st.SearchStrategy[tuple[Case, Case]]:
    """A case with gaps, and one of the same mailbox in which more is known."""
    parts = [_less_and_more(part, rules) for part in PARTS]
    days = st.sampled_from((DAY, date(2026, 9, 30), date(2027, 4, 1), date(2019, 1, 1)))

    def build(drawn: tuple[Any, ...]) -> tuple[Case, Case]:
        *pairs, day = drawn
        less, more = (Case(**dict(zip(PARTS, facts, strict=True)), date=day) for facts in zip(*pairs, strict=True))
        return less, more

    return st.tuples(*parts, days).map(build)


def flips(rule: Rule, less: Case, more: Case) -> bool:
    """Whether a definite result of the rule becomes another when more is known."""
    return _flipped(judge(rule, less), judge(rule, more))


def _flipped(before: Finding, after: Finding) -> bool:
    """Whether something definite, of the mailbox or of a direction, became another."""
    pairs = [(before.result, after.result), *((result, after.directions[d]) for d, result in before.directions.items())]
    return any(was not in (Result.UNKNOWN, became) for was, became in pairs)


@settings(max_examples=300, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(_cases(RULES))
def test_learning_more_never_flips_a_definite_answer(pair: tuple[Case, Case]) -> None:
    """Whatever gaps are filled, a definite result, support or readiness stays as it was."""
    less, more = pair
    before = [judge(rule, less) for rule in RULES.values()]
    after = [judge(rule, more) for rule in RULES.values()]
    assert [b.rule.id for b, a in zip(before, after, strict=True) if _flipped(b, a)] == []
    if support(before) is not Support.UNDETERMINED:
        assert support(after) is support(before)
    of_directions = {d: (of_less, directions(after, more)[d]) for d, of_less in directions(before, less).items()}
    assert [d for d, (of_less, of_more) in of_directions.items() if of_less not in (Readiness.UNDETERMINED, of_more)] == []


@pytest.mark.parametrize("day", [date.min, date.max])
def test_every_rule_can_be_asked_about_any_day(day: date) -> None:
    """Be it the first or the last that there is, with a value for each key that a rule looks at."""
    known: dict[str, Any] = {
        part: Facts(part, [Fact(subject=part, key=k, value=k.examples[0], provenance=Observed(), at=NOON) for k in needed(part, RULES)])
        for part in PARTS
    }
    assert len([judge(rule, Case(**known, date=day)) for rule in RULES.values()]) == len(RULES)


WORST_FIRST = (Result.FAILS, Result.UNKNOWN, Result.HOLDS, Result.NOT_APPLICABLE)


@settings(max_examples=300, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(_cases(RULES))
def test_a_mailbox_is_as_ready_as_its_worst_direction(pair: tuple[Case, Case]) -> None:
    """Whatever is known of a mailbox, what comes of a rule of readiness is the worst of what comes of it in the directions that are served."""
    for case in pair:
        findings = [f for rule in RULES.values() if (f := judge(rule, case)).directions]
        worst = {f.rule.id: next(result for result in WORST_FIRST if result in f.directions.values()) for f in findings}
        assert {f.rule.id: f.result for f in findings} == worst
        assert {direction for f in findings for direction in f.directions} == {d for d in Direction if case.serves(d)}
        results = {f.result for f in findings}
        as_a_whole = {Result.FAILS: Readiness.NOT_READY, Result.UNKNOWN: Readiness.UNDETERMINED, Result.HOLDS: Readiness.READY}
        told = next((as_a_whole[result] for result in WORST_FIRST if result in results), Readiness.NOT_ASSESSED)
        assert readiness(directions(findings, case)) is told


@settings(max_examples=300, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(_cases(RULES))
def test_a_direction_is_as_ready_as_a_mailbox_that_is_served_in_it_alone(pair: tuple[Case, Case]) -> None:
    """What comes of a rule in one direction does not hang on the others, but for a message that is sent through both."""
    for case in pair:
        alone = {d: replace(case, mailbox=Facts(case.mailbox.subject, _served_in(d, case.mailbox))) for d in Direction if case.serves(d)}
        for name, rule in RULES.items():
            if name != "message-not-returned":
                told = judge(rule, case).directions
                assert told == {d: judge(rule, only).result for d, only in alone.items() if d in told}, name


def _served_in(direction: Direction, mailbox: Facts) -> Iterator[Reading]:
    """The readings of a mailbox, less what is served in other directions."""
    others = [key for d, key in DELIVERY.items() if d is not direction]
    for reading in mailbox:
        yield replace(reading, value="none") if isinstance(reading, Fact) and reading.key in others else reading


@pytest.mark.parametrize("name", RULES)
def test_each_rule_by_itself_never_flips(name: str) -> None:
    """No example of a rule's own keys is found in which learning more flips its result."""
    rule = RULES[name]
    alone = {name: rule}
    with pytest.raises(NoSuchExample):
        find(_cases(alone), lambda pair: flips(rule, *pair), settings=settings(max_examples=100, deadline=None, database=None))


def _reference() -> Reference:
    return Reference("a test", "https://example.test/", "2026-11-23")


def _unsound(applies: Any, holds: Any) -> Rule:
    return Rule(
        id="unsound",
        title="unsound",
        statement="unsound",
        references=(_reference(),),
        needs=Needs(mailbox=(v.MFA_REQUIRED,), incoming=(v.NET_CONNECTED, v.TLS_COMPLETED)),
        by=By.READINESS,
        lists=False,
        applies=applies,
        holds=holds,
        otherwise=Otherwise.NOT_READY,
        remedy="none",
    )


def _gap_is_no(case: Case) -> Answer:
    return YES if case.incoming.value(v.NET_CONNECTED) else NO


def _asks_what_is_observed(case: Case) -> Answer:
    return ask(case.incoming, v.TLS_COMPLETED, bool)


@pytest.mark.parametrize(
    ("applies", "holds"),
    [
        pytest.param(lambda case: YES, _gap_is_no, id="takes a gap for a no"),
        pytest.param(_gap_is_no, lambda case: NO, id="takes a gap for not applicable"),
        pytest.param(_asks_what_is_observed, lambda case: YES, id="holds where it may turn out not to apply"),
    ],
)
def test_the_law_finds_an_unsound_rule(applies: Any, holds: Any) -> None:
    """A rule that takes a gap for an answer is caught by the law on learning more."""
    rule = _unsound(applies, holds)
    less, more = find(_cases({"unsound": rule}), lambda pair: flips(rule, *pair), settings=settings(database=None, deadline=None))
    assert judge(rule, less).result is not judge(rule, more).result


def test_reading_what_is_not_needed_is_an_error() -> None:
    """A rule that reads a key beyond its needs ends in a KeyError."""
    rule = _unsound(lambda case: YES, lambda case: ask(case.incoming, v.NET_ADDRESSES, bool))
    with pytest.raises(KeyError, match=r"net\.addresses"):
        judge(rule, exchange_case())


class _Recorded(Facts):
    """Facts that remember which keys they were asked for."""

    def __init__(self, facts: Facts, part: str, reads: set[tuple[str, FactKey[Any]]]) -> None:
        super().__init__(facts.subject, facts)
        self._part = part
        self._reads = reads

    def read(self, key: FactKey[Any]) -> Fact[Any] | Missing:
        self._reads.add((self._part, key))
        return super().read(key)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_needs_what_it_reads_and_nothing_else(name: str) -> None:
    """A rule's needs are exactly the keys that it reads in one case or another."""
    rule = RULES[name]
    reads: set[tuple[str, FactKey[Any]]] = set()
    upgraded = {v.ENDPOINT_SECURITY: "starttls"}
    imap = {**upgraded, v.ENDPOINT_SERVICE: "imap"}
    cases = (exchange_case(), gmail_case(), gmail_case(endpoint=upgraded), gmail_case(endpoint=imap), online_case())
    for case in cases:
        parts: dict[str, Any] = {part: _Recorded(getattr(case, part), part, reads) for part in PARTS}
        recorded = Case(**parts, date=case.date)
        rule.applies(recorded)
        rule.holds(recorded)
    assert reads == {(part, key) for part in PARTS for key in getattr(rule.needs, part)}


def test_no_need_is_named_twice() -> None:
    """A rule names each key that it needs of a part once."""
    twice = [name for name, rule in RULES.items() for part in PARTS if len(set(keys := getattr(rule.needs, part))) != len(keys)]
    assert twice == []


@pytest.mark.parametrize("name", RULES)
def test_whose_a_rule_is_goes_with_what_it_decides(name: str) -> None:
    """What decides support is a statement of Microsoft's, what decides readiness is not, and only a statement of Microsoft's lists a system."""
    rule = RULES[name]
    decided_by = {Otherwise.UNSUPPORTED: By.MICROSOFT, Otherwise.NOT_LISTED: By.MICROSOFT, Otherwise.NOT_READY: By.READINESS}
    assert rule.by is decided_by.get(rule.otherwise, rule.by)
    assert rule.by in (By.MICROSOFT, By.READINESS)
    assert rule.by is By.MICROSOFT or not rule.lists


@pytest.mark.parametrize("name", RULES)
def test_every_rule_says_what_why_where_and_what_to_do(name: str) -> None:
    """Every rule has a title, a statement, a remedy and dated references, each a sentence or an address."""
    rule = RULES[name]
    assert rule.title
    assert rule.statement.endswith(".")
    assert rule.remedy.endswith((".", "`"))  # a command ends as it is to be pasted
    assert rule.references
    for reference in rule.references:
        assert reference.title
        assert reference.url.startswith("https://")
        assert date.fromisoformat(reference.dated if len(reference.dated) == 10 else f"{reference.dated}-01")


@pytest.mark.parametrize("name", RULES)
def test_no_rule_calls_what_it_saw_fips_compliant(name: str) -> None:
    """No text calls anything FIPS compliant, because no connection can show that."""
    rule = RULES[name]
    assert "fips compliant" not in f"{rule.title} {rule.statement} {rule.remedy}".lower()


def test_every_rule_has_a_test_of_its_name_and_no_test_is_left_over() -> None:
    """Each rule is tested in a file of its own name."""
    here = Path(__file__).parent / "on_premises"
    assert {f"test_{name.replace('-', '_')}" for name in RULES} == {path.stem for path in here.glob("test_*.py")}


def test_a_rule_that_holds_whatever_applies_holds() -> None:
    """Where it is unknown whether a rule applies, it holds if it would hold anyway, and else is unknown."""
    unsettled = exchange_case(incoming={v.TLS_COMPLETED: Why.TIMED_OUT})
    assert result_of(_unsound(_asks_what_is_observed, lambda case: YES), unsettled) is Result.HOLDS
    assert result_of(_unsound(_asks_what_is_observed, lambda case: NO), unsettled) is Result.UNKNOWN


def test_every_finding_cites_a_reading_that_decided_it() -> None:
    """In a healthy case and in a case of gaps, every finding says which readings decided it, but for what the date decides.

    One that does not apply because nobody asked has no reading to cite.
    """
    gaps = dict.fromkeys((key for key in needed("incoming", RULES) if key not in ALWAYS_DECLARED), Why.TIMED_OUT)
    by_the_date = {"exchange-online-ews-ended", "exchange-online-after-end-of-support"}
    for case, (name, rule) in product((exchange_case(), exchange_case(endpoint=gaps)), RULES.items()):
        finding = judge(rule, case)
        if not finding.because and name not in by_the_date:
            assert finding.result is Result.NOT_APPLICABLE
            applies = rule.applies(case)
            assert applies.because
            assert all(isinstance(reading, Missing) and reading.says_nothing for reading in applies.because)


@pytest.mark.parametrize("key", list(ALIKE), ids=str)
def test_values_that_rules_take_for_alike_decide_alike(key: FactKey[Any]) -> None:
    """Of values that are alike by `ALIKE`, each rule says the same, in every kind of case."""
    for make, (one, other) in product((exchange_case, online_case, gmail_case), _ALIKE_VALUES[key.name]):
        assert ALIKE[key](one) == ALIKE[key](other)
        cases = [make(endpoint={key: value}) for value in (one, other)]
        for rule in all_rules().values():
            assert result_of(rule, cases[0]) is result_of(rule, cases[1]), rule.id


_ALIKE_VALUES = {v.ENDPOINT_HOST.name: [("mail.contoso.test", "192.0.2.1"), ("a.example", "outlook.office365.com.example")]}
