"""What holds for every inference of the catalogue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe import catalogue
from probe.model import vocabulary as v
from probe.model.facts import Fact, Facts, RestrictedFacts
from probe.model.inferences import Inference, InferenceScope, Premises, Unsettled
from probe.model.keys import FactKey
from probe.model.provenance import Observed
from probe.model.rules import Needs
from probe.tables.marks import fingerprints
from tests.inferences.known import TODAY, Known, case, facts

_INFERENCES = catalogue.load("probe.inferences", "INFERENCE", Inference)

_GREETINGS = [f.examples[0].text for f in fingerprints() if f.reads == "greeting"]
_MORE_VALUES: dict[FactKey[Any], list[Any]] = {
    v.PROTOCOL_GREETING: _GREETINGS,
    v.ENDPOINT_HOST: [
        *("mail.contoso.test", "192.0.2.7", "gmail.com.contoso.test"),
        *("pop.gmail.com", "smtp-mail.outlook.com", "smtp.office365.com", "SMTP.office365.com", "pop.aol.com"),
    ],
    v.SERVER_PRODUCT: ["Yahoo Mail", "Exchange Server 2019", "Outlook.com", "Postfix"],
    v.PROVIDER: ["gmail", "exchange-online", "outlook.com", "msn"],
}


def _known(keys: tuple[FactKey[Any], ...]) -> st.SearchStrategy[Known]:
    optional = {key: st.sampled_from([*key.examples, *_MORE_VALUES.get(key, [])]) for key in keys}
    return st.fixed_dictionaries({}, optional=optional)


def _check(inference: Inference, premises: Premises) -> None:
    said = list(inference.infer(premises))
    for item in said:
        if isinstance(item, Unsettled):
            assert item.because
        else:
            key, value = item
            assert key.kind.decode(key.kind.encode(value)) == value
    assert sorted(i.key.name if isinstance(i, Unsettled) else i[0].name for i in said) == sorted(k.name for k in inference.gives)


def _cases_of(inference: Inference) -> int:
    return {InferenceScope.ENDPOINT: 0, InferenceScope.MAILBOX: 1, InferenceScope.PROFILE: 2, InferenceScope.DEPLOYMENT: 2}[inference.scope]


@pytest.mark.parametrize("inference", _INFERENCES.values(), ids=_INFERENCES)
def test_an_inference_leaves_a_reading_for_every_key_where_nothing_is_known(inference: Inference) -> None:
    """Of nothing, every inference concludes nothing, and says so of every key that it promises."""
    cases = tuple(case(address=f"{n}@contoso.test") for n in range(_cases_of(inference)))
    _check(inference, Premises(facts=facts("s", {}).only(inference.needs), cases=cases, date=TODAY))
    for item in inference.infer(Premises(facts=facts("s", {}).only(inference.needs), cases=cases, date=TODAY)):
        assert isinstance(item, Unsettled)


@pytest.mark.parametrize("inference", _INFERENCES.values(), ids=_INFERENCES)
@given(data=st.data())
def test_an_inference_leaves_a_reading_for_every_key_whatever_is_known(inference: Inference, data: st.DataObject) -> None:
    """Whatever is known of what it needs, each promised key is concluded or unsettled, once, in a value of its kind."""
    known = _known(inference.needs)
    cases = tuple(
        case(data.draw(known), data.draw(known), data.draw(known), address=f"{n}@contoso.test").restricted_to(
            Needs(mailbox=inference.needs, incoming=inference.needs, outgoing=inference.needs)
        )
        for n in range(_cases_of(inference))
    )
    _check(inference, Premises(facts=facts("s", data.draw(known)).only(inference.needs), cases=cases, date=TODAY))


@pytest.mark.parametrize(
    "inference", [i for i in _INFERENCES.values() if i.scope in (InferenceScope.ENDPOINT, InferenceScope.MAILBOX)], ids=lambda i: i.id
)
@given(data=st.data())
def test_what_an_inference_says_follows_from_values_alone(inference: Inference, data: st.DataObject) -> None:
    """Who said it, when, and of which subject makes no difference, unless the subject is asked for: so it is said once of all with the same values."""

    def told(of: Facts) -> Facts:
        """The same values of another subject, seen by ourselves, later."""
        seen = [
            replace(r, subject="other", provenance=Observed(), at=r.at.replace(year=2027), attempt="a9") for r in of if isinstance(r, Fact)
        ]
        return Facts("other", seen)

    known = [facts(subject, data.draw(_known(inference.needs))) for subject in ("s", "mailbox", "in", "out")]
    asked: list[RestrictedFacts] = []

    def premises(own: Facts, *parts: Facts) -> Premises:
        shown, *others = (part.only(inference.needs) for part in (own, *parts))
        asked.extend((shown, others[0]))
        cases = [replace(case(), mailbox=others[0], incoming=others[1], outgoing=others[2]) for _ in range(_cases_of(inference))]
        return Premises(facts=shown, cases=tuple(cases), date=TODAY)

    first, again = (list(inference.infer(premises(*parts))) for parts in (known, map(told, known)))
    assert first == again or any(part.was_named for part in asked)


@pytest.mark.parametrize("inference", [i for i in _INFERENCES.values() if i.alike], ids=lambda i: i.id)
@given(data=st.data())
def test_of_values_that_are_alike_to_an_inference_it_says_the_same(inference: Inference, data: st.DataObject) -> None:
    """Where an inference goes by less than the whole of a value, another value with the same of it changes nothing."""
    known = data.draw(_known(inference.needs))
    other = dict(known)
    for key, goes_by in inference.alike.items():
        if key in known:
            values = [*key.examples, *_MORE_VALUES[key]]
            other[key] = data.draw(st.sampled_from([value for value in values if goes_by(value) == goes_by(known[key])]))
    said = [list(inference.infer(Premises(facts=facts("s", k).only(inference.needs), cases=(), date=TODAY))) for k in (known, other)]
    assert said[0] == said[1]


@pytest.mark.parametrize("inference", _INFERENCES.values(), ids=_INFERENCES)
def test_an_inference_does_not_feed_on_itself(inference: Inference) -> None:
    """What an inference gives of a subject it does not need of the same subject, the provider of an endpoint and of a mailbox apart."""
    assert set(inference.needs) & set(inference.gives) <= {v.PROVIDER}
