"""Why a mailbox has its verdict, as programs read it: what its page and `check` tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from probe.model.rules import Otherwise, Readiness, Result, Support
from probe.web.forms import VerdictForm
from tests.hostile import closed_port
from tests.reports.rendering import render
from tests.runs import PRODUCT, a_checked_run, a_finding, a_mailbox, a_rule, a_run, an_assessment, an_attempt, an_estate
from tests.web.client import got
from tests.web.pages.reading import PageReader
from tests.web.world import checked, estate_at, world

ADDRESSES = tuple(assessment.mailbox for assessment in a_checked_run().assessments)


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_mailbox_is_explained_as_on_its_page(tmp_path: Path, address: str) -> None:
    """Each rule that decided it or advises, what would settle what is not known, and the remedy with its commands."""
    async with world(tmp_path) as made:
        told = await got(made.asker, f"/v1/mailboxes/{address}")
        verdict = told["verdict"]
        VerdictForm.model_validate(verdict)
        words = (await PageReader(made.asker).get(f"/m/{address}")).words
        assert verdict["words"] in words
        for one in verdict["explanations"]:
            assert one["answer"].upper() in words
            assert all(f"{told['rules'][rule]['title']} ({rule})" in words for rule in (*one["rules"], *one["also_not_listed"]))
            assert all(" ".join(text.split()) in words for text in (*one["settles"], *one["commands"], one["because"]))
            assert " ".join(one["remedy"].replace("`", "").split()) in words.replace("`", "")
            assert (one["because"] != "") is (one["answer"] == "unknown") is (one["settles"] != [])
        assert all(sentence in words for sentence in verdict["by_default"])
        decided = {finding["rule"] for finding in told["assessment"]["findings"] if finding["result"] == "fails"}
        assert decided <= {rule for one in verdict["explanations"] for rule in (*one["rules"], *one["also_not_listed"])}


async def test_advice_and_verdict_are_those_of_a_check(tmp_path: Path) -> None:
    """The text report of the same run says the same of the mailbox: the statuses, the questions and what to do about them."""
    estate = estate_at(f"pop3://localhost:{closed_port()}", f"smtp://localhost:{closed_port()}", "sales@branch.test")
    run = await checked(estate)
    report = " ".join(render(run, width=400, verbose=True).split())
    async with world(tmp_path, run) as made:
        verdict = (await got(made.asker, "/v1/mailboxes/sales@branch.test"))["verdict"]
    assert verdict["explanations"]
    for one in verdict["explanations"]:
        for text in (*one["settles"], one["because"]):
            assert " ".join(text.split()) in report
    async with world(tmp_path / "advised") as made:
        told = await got(made.asker, "/v1/mailboxes/pop@branch.test")
    (advice,) = [one for one in told["verdict"]["explanations"] if one["answer"] == "advice"]
    advised = " ".join(render(a_checked_run(), width=400, verbose=True).split())
    assert f"ADVICE: {told['rules'][advice['rules'][0]]['title']}" in advised
    assert advice["remedy"] in advised
    unknown = [one for one in verdict["explanations"] if one["answer"] == "unknown"]
    assert any("refused the connection" in one["because"] for one in unknown)


async def test_what_follows_from_another_failure_has_no_remedy_of_its_own(tmp_path: Path) -> None:
    """It names the rule whose remedy mends both."""
    expired, untrusted = (a_rule(name, Otherwise.NOT_READY) for name in ("certificate-expired", "certificate-untrusted"))
    failed = [a_finding(rule, Result.FAILS, PRODUCT) for rule in (untrusted, expired)]
    address = "sales@branch.test"
    assessment = an_assessment(address, Support.SUPPORTED, Readiness.NOT_READY, *failed)
    run = a_run(estate=an_estate(a_mailbox(address)), attempts=[an_attempt()], readings=[PRODUCT], assessments=[assessment])
    async with world(tmp_path, run) as made:
        root, consequence = (await got(made.asker, f"/v1/mailboxes/{address}"))["verdict"]["explanations"]
    assert (root["rules"], root["follows_from"], root["remedy"]) == (["certificate-expired"], None, "What to do about certificate-expired.")
    assert consequence == {
        "answer": "no", "rules": ["certificate-untrusted"], "because": "", "follows_from": "certificate-expired", "also_not_listed": [],
        "settles": [], "remedy": "", "commands": [], "endings": [],
    }  # fmt: skip
