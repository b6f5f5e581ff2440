"""What looks have in common is held once, and each look is what it was."""

from __future__ import annotations

from dataclasses import replace

from probe.model import vocabulary as v
from probe.model.attempts import Attempt, TranscriptLine, packed
from probe.model.facts import Fact, Why
from probe.model.provenance import Declared, Evidence
from probe.service.looks import Look, LookKey, Topic
from probe.service.sharing import SharedWords
from tests.runs import NOON, POP, SMTP, a_fact, a_gap, an_attempt


def look(url: str) -> Look:
    """A look that makes all of its words anew, as one off the wire does."""
    words = "".join(["+OK", " ready"])
    evidence = Declared("peer", (Evidence(attempt="a1", line=1, excerpt=words),))
    greeting = replace(a_fact(v.PROTOCOL_GREETING, words, url), provenance=evidence)
    mechanisms = replace(a_fact(v.AUTH_MECHANISMS, tuple(map(str, ("PLAIN", "LOGIN"))), url), provenance=evidence)
    gap = a_gap(v.TLS_MODE, Why.NOT_DISCLOSED, subject=url)
    transcript = packed([TranscriptLine(1, "note", f"connected to {url}"), TranscriptLine(2, "peer", words)])
    attempt: Attempt = replace(an_attempt(1, url), transcript=transcript, readings=(greeting, mechanisms, gap))
    return Look.of(LookKey(Topic.ENDPOINT, url), [attempt], NOON)


def test_a_look_is_what_it_was() -> None:
    """Whatever it shares with others, a look is equal to the one that came."""
    shared = SharedWords()
    for url in (POP, SMTP, POP):
        assert shared.look(look(url)) == look(url)


def test_what_two_servers_say_alike_is_held_once() -> None:
    """Values and words of the second are the objects that the first has."""
    shared = SharedWords()
    one, other = shared.look(look(POP)), shared.look(look(SMTP))
    facts = [[reading for reading in of.readings if isinstance(reading, Fact)] for of in (one, other)]
    for mine, theirs in zip(*facts, strict=True):
        assert mine.subject != theirs.subject
        assert mine.value is theirs.value
        assert mine.provenance.evidence[0].excerpt is theirs.provenance.evidence[0].excerpt


def test_what_rests_on_one_line_holds_it_once() -> None:
    """Facts of one look that rest on the same words go on sharing them."""
    (greeting, mechanisms, _) = SharedWords().look(look(POP)).readings
    assert isinstance(greeting, Fact)
    assert isinstance(mechanisms, Fact)
    assert greeting.provenance is mechanisms.provenance
