"""Tests of the inferences at work: in which order, how often, and what their conclusions rest on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from probe import app
from probe.engine.judge import Ruleset, judge_estate
from probe.engine.reasoning import Reasoning
from probe.model import vocabulary as v
from probe.model.facts import Fact, Facts, Missing, Reading
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled
from probe.model.keys import FactKey
from probe.model.provenance import Declared, Inferred
from tests.inferences.known import case
from tests.runs import EWS, NOON, POP, SMTP, a_fact, a_mailbox, an_estate, words

Said = Iterable[Conclusion | Unsettled]


class Follows:
    """An inference that gives one key the value of another, and counts how often it is asked."""

    def __init__(self, given: FactKey[str], needed: FactKey[str], scope: InferenceScope = InferenceScope.ENDPOINT) -> None:
        self.asked = 0
        self._given, self._needed = given, needed
        self.inference = Inference(
            id=f"{given.name}-of-{needed.name}", title="", scope=scope, needs=(needed,), gives=(given,), infer=self._infer
        )

    def _infer(self, premises: Premises) -> Said:
        self.asked += 1
        value = premises.facts.value(self._needed)
        yield Unsettled(self._given, "nothing is known") if value is None else (self._given, value)


def reasoning(*inferences: Inference) -> Reasoning:
    return Reasoning({i.id: i for i in inferences}, NOON.date(), NOON)


def found(readings: Iterable[Reading], key: FactKey[str]) -> str | None:
    """The value of a key, None where there is a gap."""
    (reading,) = [r for r in readings if r.key == key]
    return reading.value if isinstance(reading, Fact) else None


def test_an_inference_runs_when_what_it_looks_at_is_known() -> None:
    """Written in the wrong order, three that build on each other are asked once each."""
    chain = [Follows(v.PROVIDER, v.SERVER_PRODUCT), Follows(v.SERVER_PRODUCT, v.SERVER_VENDOR), Follows(v.SERVER_VENDOR, v.HTTP_SERVER)]
    readings = reasoning(*(one.inference for one in chain)).inferred(InferenceScope.ENDPOINT, Facts(EWS, [a_fact(v.HTTP_SERVER, "x", EWS)]))
    assert found(readings, v.PROVIDER) == "x"
    assert [one.asked for one in chain] == [1, 1, 1]
    assert [r.key for r in readings] == [v.PROVIDER, v.SERVER_PRODUCT, v.SERVER_VENDOR]


def test_the_same_values_are_asked_about_once() -> None:
    """Of a second endpoint with the same values the same is concluded without asking; its premises and its evidence are its own."""
    follows = Follows(v.SERVER_PRODUCT, v.HTTP_SERVER)
    at_work = reasoning(follows.inference)
    for number, url in enumerate((POP, SMTP)):
        heard = a_fact(v.HTTP_SERVER, "x", url, Declared("peer", words(f"a{number}", 1, "Server: x")))
        (reading,) = at_work.inferred(InferenceScope.ENDPOINT, Facts(url, [heard]))
        assert isinstance(reading, Fact)
        assert reading.subject == url
        assert [line.attempt for line in reading.provenance.evidence] == [f"a{number}"]
    assert follows.asked == 1


def test_values_that_are_alike_to_an_inference_are_asked_about_once() -> None:
    """Where an inference goes by less than the whole of a value, it is asked again only where that differs."""
    follows = Follows(v.SERVER_PRODUCT, v.HTTP_SERVER)
    at_work = reasoning(replace(follows.inference, alike={v.HTTP_SERVER: str.lower}))
    for name in ("x", "X", "y"):
        at_work.inferred(InferenceScope.ENDPOINT, Facts(POP, [a_fact(v.HTTP_SERVER, name)]))
    assert follows.asked == 2


def test_another_with_the_same_values_rests_on_what_it_said_itself() -> None:
    """What is told of an endpoint that is like another has, step by step, the premises, the evidence and the attempt of its own facts."""
    chain = [Follows(v.PROVIDER, v.SERVER_PRODUCT), Follows(v.SERVER_PRODUCT, v.HTTP_SERVER)]
    at_work, alone = (reasoning(*(one.inference for one in chain)) for _ in range(2))
    one, other = (
        Facts(url, [replace(a_fact(v.HTTP_SERVER, "x", url, Declared("peer", words(attempt, 1, "Server: x"))), attempt=attempt)])
        for url, attempt in ((POP, "a1"), (SMTP, "a2"))
    )
    at_work.inferred(InferenceScope.ENDPOINT, one)
    assert at_work.inferred(InferenceScope.ENDPOINT, other) == alone.inferred(InferenceScope.ENDPOINT, other)


def test_where_facts_are_drawn_together_nothing_is_told_of_another() -> None:
    """Two conclusions of one key join their evidence as far as it differs, so that each endpoint with the same values is concluded by itself."""
    pair = [Follows(v.SERVER_PRODUCT, v.HTTP_SERVER), Follows(v.SERVER_PRODUCT, v.SERVER_VENDOR), Follows(v.PROVIDER, v.SERVER_PRODUCT)]
    at_work, alone = (reasoning(*(one.inference for one in pair)) for _ in range(2))

    def known(url: str, attempt: str, line: int) -> Facts:
        said = [(v.HTTP_SERVER, 1), (v.SERVER_VENDOR, line)]
        return Facts(url, [a_fact(key, "x", url, Declared("peer", words(attempt, at, "x"))) for key, at in said])

    at_work.inferred(InferenceScope.ENDPOINT, known(POP, "a1", 1))
    other = known(SMTP, "a2", 2)
    assert at_work.inferred(InferenceScope.ENDPOINT, other) == alone.inferred(InferenceScope.ENDPOINT, other)


def test_what_names_its_subject_is_not_said_of_another() -> None:
    """A conclusion that was drawn from the subject itself holds for that subject alone, at endpoints and of mailboxes."""

    def infer(premises: Premises) -> Said:
        yield v.SERVER_PRODUCT, premises.facts.subject

    by_name = Inference(id="by-name", title="", scope=InferenceScope.ENDPOINT, needs=(), gives=(v.SERVER_PRODUCT,), infer=infer)
    at_work = reasoning(by_name)
    assert [found(at_work.inferred(InferenceScope.ENDPOINT, Facts(url)), v.SERVER_PRODUCT) for url in (POP, SMTP)] == [POP, SMTP]

    def of_case(premises: Premises) -> Said:
        yield v.SERVER_PRODUCT, premises.cases[0].mailbox.subject

    of_mailbox = reasoning(
        Inference(id="by-name", title="", scope=InferenceScope.MAILBOX, needs=(), gives=(v.SERVER_PRODUCT,), infer=of_case)
    )
    names = ("a@x.test", "b@x.test")
    assert [found(of_mailbox.of_mailbox(case(address=name), "alike"), v.SERVER_PRODUCT) for name in names] == [*names]


def test_mailboxes_that_are_alike_are_inferred_once() -> None:
    """The second of two has what the first has, about itself."""
    follows = Follows(v.PROVIDER, v.MAILBOX_DOMAIN, InferenceScope.MAILBOX)
    at_work = reasoning(follows.inference)
    readings = [at_work.of_mailbox(case({v.MAILBOX_DOMAIN: "x.test"}, address=name), "alike")[0] for name in ("a@x.test", "b@x.test")]
    assert [(r.subject, found([r], v.PROVIDER)) for r in readings] == [("a@x.test", "x.test"), ("b@x.test", "x.test")]
    assert follows.asked == 1


def test_inferences_that_undo_each_other_are_told() -> None:
    """Two that contradict each other for ever come to no end, and that is an error in them and no reading."""

    def swings(key: FactKey[str], other: FactKey[str], turn: str) -> Inference:
        def infer(premises: Premises) -> Said:
            yield key, (premises.facts.value(other) or "") + turn

        return Inference(id=turn, title="", scope=InferenceScope.ENDPOINT, needs=(other,), gives=(key,), infer=infer)

    at_work = reasoning(swings(v.SERVER_PRODUCT, v.SERVER_VENDOR, "a"), swings(v.SERVER_VENDOR, v.SERVER_PRODUCT, "b"))
    with pytest.raises(AssertionError, match=POP.replace(".", r"\.")):
        at_work.inferred(InferenceScope.ENDPOINT, Facts(POP))


def test_inferences_that_look_at_each_other_may_come_to_rest() -> None:
    """Each runs again when what it looks at has changed, until nothing does."""
    pair = [Follows(v.SERVER_PRODUCT, v.SERVER_VENDOR), Follows(v.SERVER_VENDOR, v.SERVER_PRODUCT)]
    known = Facts(POP, [a_fact(v.SERVER_VENDOR, "x")])
    readings = reasoning(*(one.inference for one in pair)).inferred(InferenceScope.ENDPOINT, known)
    assert [found(readings, key) for key in (v.SERVER_PRODUCT, v.SERVER_VENDOR)] == ["x", "x"]


def test_an_inference_sees_of_cases_what_it_needs() -> None:
    """Asking a part of a case for another key is a KeyError, of its deployment and profile for any."""

    def infer(premises: Premises) -> Said:
        yield v.PROVIDER, str(premises.cases[0].mailbox.value(v.MAILBOX_DOMAIN)) + str(premises.cases[0].incoming.value(v.HTTP_STATUS))

    nosy = Inference(id="nosy", title="", scope=InferenceScope.MAILBOX, needs=(v.MAILBOX_DOMAIN,), gives=(v.PROVIDER,), infer=infer)
    with pytest.raises(KeyError, match=r"http\.status"):
        reasoning(nosy).of_mailbox(case({v.MAILBOX_DOMAIN: "x.test"}), "own")


@pytest.mark.parametrize("number", [1, 2, 5])
def test_what_spans_mailboxes_rests_on_all_of_them(number: int) -> None:
    """However many mailboxes a profile has, what follows of it cites what it was concluded from."""
    mailboxes = [a_mailbox(f"m{n}@branch.test") for n in range(number)]
    estate = an_estate(*mailboxes)
    url = words("a1", 9, "EWS")
    told = [a_fact(v.MAILBOX_LOCATION, "on-premises", m.address, Declared("peer", url)) for m in mailboxes]
    ruleset = Ruleset(inferences=app.inferences(), rules={})
    readings = judge_estate(estate, told, (), ruleset, NOON.date(), NOON).readings
    (locations,) = [r for r in readings if r.key == v.PROFILE_LOCATIONS and r.subject == "profile:branch"]
    assert isinstance(locations, Fact)
    assert isinstance(locations.provenance, Inferred)
    assert locations.provenance.premises == ("mailbox.location", "mailbox.incoming", "mailbox.outgoing", "mailbox.appointments")
    assert locations.provenance.evidence == url


def test_a_profile_without_mailboxes_rests_on_nothing() -> None:
    """Nothing is known of where nobody lives, and nothing is cited for it."""
    readings = judge_estate(an_estate(), (), (), Ruleset(inferences=app.inferences(), rules={}), NOON.date(), NOON).readings
    for reading in readings:
        if reading.key == v.PROFILE_LOCATIONS:
            assert isinstance(reading, Missing) or reading.provenance.evidence == ()
