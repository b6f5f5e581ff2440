"""The simulated estate, checked whole: the verdict of every mailbox, and what must never show."""

from __future__ import annotations

import base64
import json

import pytest

from probe import app, catalogue
from probe.document import Report, ReportOptions
from probe.probing import STRUCK
from tests.demonstrated import checked
from tests.judged_again import assert_judged_again_to_the_same

VERDICTS = {  # for DAY: what Exchange Online lets in depends on it
    "sales@contoso.test": ("supported", "ready"),
    "service@contoso.test": ("supported", "ready"),
    "finance@contoso.test": ("supported", "ready"),
    "board@contoso.test": ("supported", "not-ready"),
    "newsletter@contoso.test": ("not-assessed", "not-assessed"),
    "pilot@contoso.test": ("not-listed", "ready"),
    "depot@contoso.test": ("supported", "not-ready"),
    "warehouse@contoso.test": ("supported", "ready"),
    "archive@contoso.test": ("unsupported", "ready"),
    "anna@contoso.test": ("supported", "undetermined"),
    "ben@contoso.test": ("supported", "undetermined"),
    "branch@contoso.test": ("supported", "not-ready"),
    "contoso.events@gmail.com": ("supported", "ready"),
    "contoso.parts@yahoo.com": ("supported", "ready"),
    "contoso.jobs@gmail.com": ("unsupported", "not-ready"),
    "contoso.fairs@outlook.com": ("supported", "not-ready"),
    "orders@fabrikam.test": ("unsupported", "ready"),
    "support@tailspin.test": ("undetermined", "undetermined"),
}


@pytest.mark.parametrize("mailbox", VERDICTS)
def test_a_mailbox_has_the_verdict_that_it_was_made_for(mailbox: str) -> None:
    """Every mailbox of the simulated estate is judged as its servers and settings deserve."""
    found = {a["mailbox"]: a for a in checked().document["assessments"]}
    verdict = (found[mailbox]["support"], found[mailbox]["readiness"])
    decided = [(f["rule"], f["result"]) for f in found[mailbox]["findings"] if f["result"] in ("fails", "unknown")]
    assert verdict == VERDICTS[mailbox], decided


def test_every_mailbox_has_a_verdict_that_it_was_made_for() -> None:
    """None of the simulated estate is left out above."""
    assert {a["mailbox"] for a in checked().document["assessments"]} == set(VERDICTS)


def test_no_attempt_is_a_bug() -> None:
    """The whole estate, broken servers included, is probed without a bug."""
    assert checked().bugs == ()
    assert "bug" not in {a["outcome"] for a in checked().document["attempts"]}


def test_each_exchange_is_told_from_the_others() -> None:
    """Seven kinds of Exchange answer, and each is called by its name."""
    products = {f["value"] for f in checked().document["facts"] if f["key"] == "server.product"}
    assert {f"Exchange Server {n}" for n in ("2007", "2010", "2013", "2016", "2019", "SE")} | {"Exchange Online"} <= products


def test_every_promise_of_every_scheduled_prober_is_kept() -> None:
    """Each key that a prober promises is known or missing with a reason, for each subject that it was tried on."""
    document = checked().document
    answered = {(r["subject"], r["mailbox"], r["key"]) for part in ("facts", "missing") for r in document[part]}
    for attempt in document["attempts"]:
        prober = app.probers()[attempt["prober"]]
        mailbox = None if prober.scope == "mailbox" else attempt["mailbox"]  # then it is the subject
        assert {(attempt["subject"], mailbox, key.name) for key in prober.collects} <= answered


def test_every_promise_of_every_inference_is_kept() -> None:
    """Each key that an endpoint's inference promises is known or missing, for every endpoint of the estate."""
    document = checked().document
    answered = {(r["subject"], r["key"]) for part in ("facts", "missing") for r in document[part]}
    subjects = {r["subject"] for r in document["facts"] if r["key"] == "endpoint.host"}
    promised = {key.name for i in app.inferences().values() if i.scope == "endpoint" for key in i.gives}
    assert {(s, k) for s in subjects for k in promised} <= answered


def test_each_key_is_known_or_missing_once() -> None:
    """Of each key there is one reading for a subject and mailbox, so that whoever looks a fact up finds the one that counts."""
    document = checked().document
    names = [(r["subject"], r["mailbox"], r["key"]) for part in ("facts", "missing") for r in document[part]]
    assert len(names) == len(set(names))


def test_the_document_is_judged_again_to_the_same() -> None:
    """Judged again from its document, without a connection, the whole estate has the same readings and assessments."""
    assert STRUCK not in json.dumps(checked().document["facts"])
    assert_judged_again_to_the_same(checked().run)


def test_no_secret_shows_anywhere() -> None:
    """No password, in clear or in base64, is in the document or in any report, transcripts included."""
    reports = catalogue.load("probe.reports", "REPORT", Report)
    shown = ["".join(report.render(checked().document, ReportOptions(transcripts=True))) for report in reports.values()]
    shown += [json.dumps(checked().document), repr(checked().run)]
    assert checked().secrets
    for secret in checked().secrets:
        encoded = base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]
        for text in shown:
            assert secret not in text
            assert encoded not in text


def test_a_fact_can_be_traced_to_the_words_on_the_wire() -> None:
    """Evidence names a line of a transcript that stands there word for word."""
    document = checked().document
    lines = {(a["id"], line["line"]): line["text"] for a in document["attempts"] for line in a["transcript"]}
    evidence = [e for f in document["facts"] for e in f["evidence"]]
    assert len(evidence) > 100
    assert all(lines[e["attempt"], e["line"]] == e["excerpt"] for e in evidence)


def test_an_endpoint_is_probed_once_for_all_its_mailboxes() -> None:
    """No reading conversation is held twice with one endpoint."""
    held = [(a["prober"], a["subject"]) for a in checked().document["attempts"] if a["mailbox"] is None]
    assert len(held) == len(set(held))


def test_each_account_signs_in_once_for_each_mailbox() -> None:
    """Signing in is one attempt per mailbox and endpoint."""
    held = [(a["prober"], a["subject"], a["mailbox"]) for a in checked().document["attempts"] if a["mailbox"] is not None]
    assert held
    assert len(held) == len(set(held))
