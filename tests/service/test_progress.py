"""Tests of how far conversations are, in words."""

from __future__ import annotations

import pytest

from probe.engine.plan import Conversation
from probe.model.endpoints import Endpoint
from probe.probing import EndpointSubject
from probe.service.progress import how_far

POP = Endpoint.parse("pop3s://pop.branch.test:995")


def talk(prober: str, endpoint: Endpoint = POP) -> Conversation:
    return Conversation(prober=prober, subject=EndpointSubject(endpoint))


@pytest.mark.parametrize(
    ("left", "of", "told"),
    [
        ([], 1, "1 of 1 conversation has ended"),
        ([], 1200, "1,200 of 1,200 conversations have ended"),
        (["pop3-capabilities"], 3, f"2 of 3 conversations have ended; pop3-capabilities with {POP.url} is waited for"),
        (["a", "b"], 2, f"0 of 2 conversations have ended; a with {POP.url}, b with {POP.url} are waited for"),
        (["a"] * 9, 9, f"0 of 9 conversations have ended; {', '.join([f'a with {POP.url}'] * 3)}, 6 more are waited for"),
    ],
)
def test_it_is_told_how_many_have_ended_and_what_is_waited_for(left: list[str], of: int, told: str) -> None:
    """With the first few of those that have not, and how many more there are."""
    assert how_far([talk(prober) for prober in left], of) == told


def test_the_names_of_servers_are_bounded() -> None:
    """However long the names are, it stays a line."""
    long = Endpoint.parse(f"pop3s://{'long-label.' * 20}test:995")
    assert len(how_far([talk("pop3-capabilities", long)] * 20, 20)) < 600
