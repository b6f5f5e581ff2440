"""Tests of the published form of a run."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.document import Index, in_sections, json_pieces, parse, publish, publishing, shown
from probe.document.reading import read_run
from probe.model import vocabulary as v
from probe.model.attempts import Outcome, TranscriptLine
from probe.model.estate import UNTOLD_SECRET
from probe.model.facts import Facts, Reading, Why
from probe.model.provenance import Declared, Inferred, Observed
from probe.model.rules import Direction, Otherwise, Readiness, Result, Support
from probe.model.runs import Run
from tests.runs import (
    EWS,
    POP,
    PRODUCT,
    SECRET_PLACES,
    SMTP,
    TOO_LATE,
    a_checked_run,
    a_fact,
    a_finding,
    a_gap,
    a_mailbox,
    a_rule,
    a_run,
    an_assessment,
    an_attempt,
    an_estate,
    words,
)


def test_a_document_says_who_ran_when() -> None:
    """A document names its form, the run, the program's version, the host, the times to the second in UTC and the date of judgement."""
    document = publish(a_run())
    assert {name: document[name] for name in ("schema", "id", "probe", "from", "started", "finished", "judged_at", "interrupted")} == {
        "schema": "probe.run/2",
        "id": "run-1",
        "probe": "0.1.0",
        "from": "crm01",
        "started": "2026-11-23T12:00:00Z",
        "finished": "2026-11-23T12:00:07Z",
        "judged_at": "2026-11-23",
        "interrupted": False,
    }


def test_a_look_has_no_estate() -> None:
    """A run without an estate publishes null for it, and judges nobody."""
    document = publish(a_run(readings=[PRODUCT]))
    assert document["estate"] is None
    assert document["assessments"] == []


def test_an_interrupted_run_says_so() -> None:
    """A run that was interrupted is published as such."""
    assert publish(a_run(interrupted=True))["interrupted"] is True


def test_the_estate_is_published_in_the_words_of_its_file() -> None:
    """Deployment, profiles and mailboxes carry what the operator declared, endpoints as URLs."""
    estate = publish(a_run(estate=an_estate(a_mailbox("sales@branch.test"))))["estate"]
    assert estate["deployment"]["kind"] == "on-premises"
    assert estate["deployment"]["allow"] == ["logs-in", "provokes"]
    assert estate["deployment"]["authorities"] == ["adfs.contoso.test"]
    assert estate["profiles"][1] == {
        "name": "branch",
        "server_type": "pop3-smtp",
        "incoming": POP,
        "outgoing": SMTP,
        "autodiscover": False,
        "authentication": "auto",
        "credentials": "mailbox",
        "impersonation": False,
        "product": None,
        "outgoing_product": None,
        "outgoing_authentication": None,
        "outgoing_credentials": None,
        "outgoing_impersonation": None,
        "outgoing_username": None,
        "has_outgoing_credentials": False,
        "outgoing_fips_validated": None,
        "password_ends": None,
        "username": None,
        "has_credentials": False,
        "client_id": None,
        "tenant": None,
        "can_ask_as_application": False,
        "fips_validated": None,
    }
    assert estate["mailboxes"] == [
        {
            "address": "sales@branch.test",
            "profile": "branch",
            "incoming": "server-side",
            "outgoing": "server-side",
            "appointments": "none",
            "username": "sales@branch.test",
            "has_credentials": True,
            "location": None,
            "mfa": None,
            "ews_url": None,
            "id": None,
        }
    ]


def test_no_secret_and_no_place_of_one_is_published() -> None:
    """Neither a secret's reference nor any part of it stands anywhere in a document."""
    text = json.dumps(publish(a_checked_run()))
    assert "svc-crm@contoso.test" in text
    assert "MARKED_SECRET" not in text
    assert not re.search('password(?!_ends")', text)
    for place in SECRET_PLACES:
        assert place not in text


def test_where_dynamics_is_read_is_published_without_its_secret() -> None:
    """The access to Dynamics is published as declared, with whether there is a password; it is read back, and null where there is none."""
    published = publish(a_run(estate=an_estate(a_mailbox("sales@branch.test"))))
    assert published["estate"]["dynamics"] == {
        "url": "https://crm.contoso.test/Contoso",
        "authentication": "oauth",
        "username": "svc-probe@contoso.test",
        "has_credentials": True,
        "token_url": "https://adfs.contoso.test/adfs/oauth2/token",
        "client_id": "6731de76-14a6-49ae-97bc-6eba6914391e",
        "organization": "5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11 Contoso",
        "ca": "/etc/ssl/contoso.pem",
        "plain_http": False,
    }
    without = replace(an_estate(a_mailbox("sales@branch.test")), dynamics=None)
    for estate in (an_estate(a_mailbox("sales@branch.test")), without):
        document = publish(a_run(estate=estate))
        read = read_run(document).estate
        assert read is not None
        assert read.dynamics == (estate.dynamics and replace(estate.dynamics, password=UNTOLD_SECRET))
        assert publish(a_run(estate=read))["estate"] == document["estate"]
    assert parse(publish(a_run(estate=without))).estate is not None


def test_an_attempt_carries_its_conversation() -> None:
    """An attempt is published with its outcome, its cost and its transcript, line by line with the speaker."""
    attempt = replace(an_attempt(said=["+OK ready"]), transcript=(TranscriptLine(1, "note", "connected"), TranscriptLine(2, "peer", "+OK")))
    assert publish(a_run(attempts=[attempt]))["attempts"] == [
        {
            "id": "a1",
            "prober": "pop3-capabilities",
            "subject": POP,
            "mailbox": None,
            "address": "192.0.2.7",
            "outcome": "completed",
            "detail": "",
            "connections": 1,
            "at": "2026-11-23T12:00:00Z",
            "seconds": 0.031,
            "transcript": [{"line": 1, "from": "note", "text": "connected"}, {"line": 2, "from": "peer", "text": "+OK"}],
        }
    ]


@pytest.mark.parametrize(
    ("provenance", "basis"),
    [
        (Observed(), {"basis": "observed"}),
        (Declared("peer"), {"basis": "declared", "by": "peer"}),
        (Declared("operator"), {"basis": "declared", "by": "operator"}),
        (
            Inferred("greeting-product", ("protocol.greeting",)),
            {"basis": "inferred", "inference": "greeting-product", "premises": ["protocol.greeting"]},
        ),
    ],
)
def test_a_fact_says_how_it_is_known(provenance: Any, basis: dict[str, Any]) -> None:
    """A fact is observed, or declared by somebody, or inferred by a named inference from named premises."""
    [fact] = publish(a_run(readings=[a_fact(v.SERVER_PRODUCT, "Dovecot", provenance=provenance)]))["facts"]
    assert fact == {
        "id": "f1",
        "subject": POP,
        "mailbox": None,
        "key": "server.product",
        "value": "Dovecot",
        **basis,
        "attempt": "a1",
        "evidence": [],
        "at": "2026-11-23T12:00:00Z",
    }


def test_a_fact_carries_the_words_that_support_it() -> None:
    """Evidence names the attempt and the line, and repeats the words."""
    [fact] = publish(a_run(readings=[a_fact(v.SERVER_PRODUCT, "Dovecot", provenance=Observed(words("a1", 3, "+OK Dovecot")))]))["facts"]
    assert fact["evidence"] == [{"attempt": "a1", "line": 3, "excerpt": "+OK Dovecot"}]


def test_what_is_missing_says_why() -> None:
    """A thing not known is published with its reason, apart from the facts."""
    document = publish(a_run(readings=[a_gap(v.AUTH_ACCEPTED, Why.NO_CREDENTIALS, "none were given", EWS, "a@x.test")]))
    assert document["facts"] == []
    assert document["missing"] == [
        {
            "id": "m1",
            "subject": EWS,
            "mailbox": "a@x.test",
            "key": "auth.accepted",
            "why": "no-credentials",
            "detail": "none were given",
            "claims": [],
            "at": "2026-11-23T12:00:07Z",
        }
    ]


def test_what_conflicts_is_published_with_what_each_source_says() -> None:
    """Sources that contradict each other are no fact: the gap carries each one's value and words, and whoever cites the gap need not."""
    said = [a_fact(v.SERVER_PRODUCT, name, provenance=Declared("peer", words("a1", 1, name))) for name in ("Exim", "Postfix")]
    conflict = Facts(POP, said).read(v.SERVER_PRODUCT)
    cited = a_finding(a_rule("r", Otherwise.ADVICE), Result.UNKNOWN, conflict)
    assessment = an_assessment("sales@branch.test", Support.UNDETERMINED, Readiness.UNDETERMINED, cited)
    document = publish(a_run(readings=[conflict], estate=an_estate(), assessments=[assessment]))
    assert document["facts"] == []
    [gap] = document["missing"]
    assert (gap["why"], gap["detail"]) == ("conflicting", "sources disagree: Exim (a1 line 1) and Postfix (a1 line 1)")
    assert [(c["value"], c["basis"], c["evidence"][0]["excerpt"]) for c in gap["claims"]] == [
        ("Exim", "declared", "Exim"),
        ("Postfix", "declared", "Postfix"),
    ]
    assert document["assessments"][0]["findings"][0]["because"] == [gap["id"]]


def test_readings_stand_in_one_order() -> None:
    """The order of facts and gaps depends on what they are, not on which conversation ended first."""
    readings = a_checked_run().readings
    there, back = publish(a_run(readings=readings)), publish(a_run(readings=reversed(readings)))
    assert there["facts"] == back["facts"]
    assert there["missing"] == back["missing"]


def cited_run(*because: Reading, readings: tuple[Reading, ...] = ()) -> Run:
    """A run in which one rule is unknown for two mailboxes, because of these readings."""
    rule = a_rule("tls-fails", Otherwise.NOT_READY, title="TLS fails")
    rule = replace(rule, references=(*rule.references, replace(rule.references[0], url="https://learn.example/other")))
    found = (a_finding(rule, Result.UNKNOWN, *because), a_finding(a_rule("other", Otherwise.ADVICE), Result.NOT_APPLICABLE))
    names = ("sales@branch.test", "team@branch.test")
    return a_run(
        estate=an_estate(*map(a_mailbox, names)),
        readings=readings,
        assessments=[an_assessment(name, Support.SUPPORTED, Readiness.UNDETERMINED, *found) for name in names],
    )


def test_a_finding_cites_what_decided_it() -> None:
    """A finding names its rule, what came of it, and the ids of the readings that decided it; one that is not applicable is left out."""
    document = publish(cited_run(PRODUCT, TOO_LATE, readings=(TOO_LATE, PRODUCT)))
    assert [assessment["findings"] for assessment in document["assessments"]] == [
        [{"rule": "tls-fails", "result": "unknown", "because": ["f1", "m1"]}]
    ] * 2
    assert [(form["id"], form["key"]) for form in (*document["facts"], *document["missing"])] == [
        ("f1", "server.product"),
        ("m1", "tls.negotiated"),
    ]


@pytest.mark.parametrize(
    ("directions", "told"),
    [
        ({Direction.INCOMING: Result.FAILS, Direction.OUTGOING: Result.FAILS}, None),
        ({Direction.INCOMING: Result.FAILS, Direction.OUTGOING: Result.NOT_APPLICABLE}, {"outgoing": "not-applicable"}),
        ({Direction.INCOMING: Result.FAILS}, {"outgoing": None}),
        ({}, {"incoming": None, "outgoing": None}),
    ],
    ids=str,
)
def test_a_finding_says_in_which_directions_it_came_to_something_else(
    directions: Mapping[Direction, Result], told: Mapping[str, str | None] | None
) -> None:
    """Of a rule of readiness: a reader knows what came of it in each direction that is served; of other rules there is none."""
    finding = replace(a_finding(a_rule("tls-fails", Otherwise.NOT_READY), Result.FAILS, PRODUCT), directions=directions)
    advice = a_finding(a_rule("ends-soon", Otherwise.ADVICE), Result.FAILS, PRODUCT)
    assessment = an_assessment("sales@branch.test", Support.SUPPORTED, Readiness.NOT_READY, finding, advice)
    document = publish(a_run(estate=an_estate(a_mailbox("sales@branch.test")), readings=[PRODUCT], assessments=[assessment]))
    of_readiness, other = document["assessments"][0]["findings"]
    assert of_readiness.get("directions") == told
    assert "directions" not in other
    parse(document)
    read = [found["directions"] for found in Index(document).findings(document["assessments"][0])]
    assert read == [directions, {}]


def test_the_words_of_a_rule_stand_once() -> None:
    """A rule that findings name is told with its statement, its sources, its remedy, and whose statement it is; another is not."""
    page = "https://learn.example/tls-fails"
    first = {"title": "Supported configurations, tls-fails", "url": page, "dated": "2023-03", "disagrees": False}
    document = publish(cited_run(PRODUCT))
    assert document["rules"] == {
        "tls-fails": {
            "title": "TLS fails",
            "by": "readiness",
            "lists": False,
            "otherwise": "not-ready",
            "statement": document["rules"]["tls-fails"]["statement"],
            "references": [first, {**first, "url": "https://learn.example/other"}],
            "remedy": "What to do about tls-fails.",
        }
    }
    assert document["rules"]["tls-fails"]["statement"].startswith("What the page states about tls-fails")


def test_what_a_finding_rests_on_is_a_reading_of_the_document() -> None:
    """Where nobody was asked there is no reading; the finding that rests on that cites a gap all the same, once for all who rest on it."""
    untried = [Facts(POP).read(v.TLS_COMPLETED) for _ in range(2)]
    document = publish(cited_run(*untried))
    [gap] = document["missing"]
    assert (gap["key"], gap["why"]) == ("tls.completed", "not-attempted")
    assert {tuple(f["because"]) for a in document["assessments"] for f in a["findings"]} == {(gap["id"],)}


def test_a_document_is_made_as_it_is_read() -> None:
    """Its lists can be read again and again, by place too, and are the same as those of the document that is made at once."""
    run = a_checked_run()
    sections, document = in_sections(run), publish(run)
    for name in ("attempts", "facts", "missing", "assessments"):
        assert list(sections[name]) == list(sections[name]) == document[name]
        assert (len(sections[name]), sections[name][-1], sections[name][1:3]) == (
            len(document[name]),
            document[name][-1],
            document[name][1:3],
        )
    assert "".join(json_pieces(sections)) == "".join(json_pieces(document))


def by_each_encoder(form: Any) -> tuple[str, str]:
    """A form as the first pieces of a process are written, and as the later ones are."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(publishing, "_encodings", itertools.repeat(0))
        first = "".join(json_pieces(shown(form)))
        patched.setattr(publishing, "_encodings", itertools.repeat(publishing._FEW))
        return first, "".join(json_pieces(shown(form)))


FORMS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(-(10**9), 10**9).map(lambda number: number / 1000) | st.text(st.characters()),
    lambda forms: st.lists(forms) | st.dictionaries(st.text(st.characters()), forms),
)
"""What a run holds: its numbers are whole, or seconds to the millisecond. The texts have half surrogates too."""


@given(st.lists(FORMS) | st.dictionaries(st.text(st.characters()), FORMS))
def test_the_first_pieces_are_written_as_the_later_ones(form: Any) -> None:
    """The standard library's encoder and pydantic's write a form to the same letter."""
    first, later = by_each_encoder(form)
    assert first == later


def test_a_run_is_written_alike_by_both_encoders() -> None:
    """The document of a run is the same, whichever encoder its pieces come from."""
    first, later = by_each_encoder(publish(a_checked_run()))
    assert first == later
    assert json.loads(first) == publish(a_checked_run())


def test_a_mailbox_that_is_not_served_has_no_findings() -> None:
    """A mailbox that server-side synchronization does not serve is published as not assessed, with no findings."""
    [assessment] = [a for a in publish(a_checked_run())["assessments"] if a["mailbox"] == "unserved@branch.test"]
    assert (assessment["support"], assessment["readiness"], assessment["findings"]) == ("not-assessed", "not-assessed", [])


def strings(form: Any) -> list[str]:
    """Every text in a document, the names of its fields included."""
    if isinstance(form, dict):
        return [text for pair in form.items() for part in pair for text in strings(part)]
    return [text for part in form for text in strings(part)] if isinstance(form, list) else [form] if isinstance(form, str) else []


def test_a_document_can_always_be_written() -> None:
    """Lone surrogates and controls, wherever they come from, are written as escapes; letters stay as they are."""
    hostile = "caf\u00e9 \ud800\x1b[31m"
    run = a_run(
        host=hostile,
        attempts=[an_attempt(subject=f"https://h.test:443/{hostile}", outcome=Outcome.OFF_PROTOCOL, detail=hostile, said=[hostile])],
        readings=[
            a_fact(v.SERVER_PRODUCT, hostile, provenance=Declared("peer", words("a1", 1, hostile))),
            a_fact(v.AUTH_MECHANISMS, (hostile,)),
            a_gap(v.SERVER_VERSION, Why.NOT_DISCLOSED, hostile),
        ],
        estate=an_estate(),
        assessments=[
            an_assessment(
                hostile,
                Support.UNDETERMINED,
                Readiness.UNDETERMINED,
                a_finding(a_rule("r", Otherwise.ADVICE), Result.UNKNOWN, a_fact(v.SERVER_PRODUCT, hostile)),
            )
        ],
    )
    document = publish(run)
    assert json.loads(json.dumps(document, ensure_ascii=False).encode("utf-8")) == document
    assert document["from"] == "caf\u00e9 \\ud800\\x1b[31m"
    assert all(text.isprintable() for text in strings(document))


def test_what_is_published_is_the_form_that_the_models_describe() -> None:
    """A published run, read by the models and written again, comes out the same."""
    document = publish(a_checked_run())
    assert parse(document).model_dump(mode="json", exclude_unset=True) == document
