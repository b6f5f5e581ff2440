"""Tests of `probe judge` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from probe import app
from probe.document import json_pieces, publish
from probe.outlook import FAR
from tests.command import probe
from tests.runs import a_checked_run

ESTATE = """
[deployment]
name = "contoso-crm"
kind = "on-premises"
version = "9.1"
runs_on = "windows-server-2019"
fips = false
mass_email = {mass_email}
custom_email_providers = false
outlook_on_the_web_tracking = false
outlook_manual_tracking = false

[[profile]]
name = "branch"
server_type = "pop3-smtp"
incoming = "pop3s://pop.gmail.com:995"
outgoing = "smtp://smtp.gmail.com:587"
authentication = "basic"
credentials = "mailbox"

[[mailbox]]
address = "contoso.events@gmail.com"
profile = "branch"
incoming = "server-side"
outgoing = "server-side"
appointments = "none"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a stored run, an estate, and facts alone."""
    (tmp_path / "run.json").write_text("".join(json_pieces(publish(a_checked_run()))), encoding="utf-8")
    (tmp_path / "estate.toml").write_text(ESTATE.format(mass_email="false"), encoding="utf-8")
    (tmp_path / "massive.toml").write_text(ESTATE.format(mass_email="true"), encoding="utf-8")
    facts = [{"subject": "pop3s://pop.gmail.com:995", "mailbox": None, "key": "net.connected", "value": True}]
    (tmp_path / "facts.json").write_text(json.dumps({"schema": "probe.run/2", "facts": facts, "missing": []}), encoding="utf-8")
    return tmp_path


def judged(folder: Path, *arguments: str) -> dict[str, Any]:
    done = probe("judge", *arguments, "--json", cwd=folder)
    assert done.returncode in (0, 1, 3), done.stderr
    assert done.stderr == ""
    form: dict[str, Any] = json.loads(done.stdout)
    return form


def test_a_stored_run_is_judged_again(folder: Path) -> None:
    """The result is the run with today's judgement, and stays the same when that is judged again; the exit code is that of a check."""
    once = judged(folder, "run.json")
    assert [a["mailbox"] for a in once["assessments"]] == [a.mailbox for a in a_checked_run().assessments]
    (folder / "once.json").write_text(json.dumps(once), encoding="utf-16")
    assert judged(folder, "once.json") == once
    done = probe("judge", "run.json", cwd=folder)
    assert done.returncode == 1
    assert done.stdout.startswith("7 mailboxes: ")


def test_another_day_and_estate_are_judged(folder: Path) -> None:
    """What the operator declares comes from the estate that is named, and the date of judgement from the command line."""
    found = judged(folder, "facts.json", "--estate", "massive.toml", "--at", "2027-06-01")
    assert found["judged_at"] == "2027-06-01"
    assert [a["support"] for a in found["assessments"]] == ["unsupported"]
    assert [a["support"] for a in judged(folder, "facts.json", "--estate", "estate.toml")["assessments"]] != ["unsupported"]


def test_an_estate_without_the_mailboxes_of_the_run_is_refused(folder: Path) -> None:
    """A run of some mailboxes says nothing of others: that is a wrong call, and no success."""
    stored = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    stored["asked"]["mailboxes"] = ["info@contoso.test"]
    (folder / "one.json").write_text(json.dumps(stored), encoding="utf-8")
    assert [a["mailbox"] for a in judged(folder, "one.json")["assessments"]] == ["info@contoso.test"]
    done = probe("judge", "one.json", "--estate", "estate.toml", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "has none of the mailboxes that the run was asked for: info@contoso.test" in done.stderr


def test_what_is_said_of_another_estate_is_not_passed_on(folder: Path) -> None:
    """What this version does not know of the stored estate stays with that estate, be the names of the one that is judged the same."""
    stored = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    stored["estate"].update(name="contoso-crm", moon="full")
    stored["estate"]["deployment"].update(name="contoso-crm", tide="high")
    (folder / "later.json").write_text(json.dumps(stored), encoding="utf-8")
    own, other = judged(folder, "later.json"), judged(folder, "later.json", "--estate", "massive.toml")
    assert (own["estate"]["moon"], own["estate"]["deployment"]["tide"]) == ("full", "high")
    assert "moon" not in other["estate"]
    assert "tide" not in other["estate"]["deployment"]
    assert other["estate"]["deployment"]["mass_email"] is True


def test_a_conflict_with_a_word_of_a_later_version_is_passed_on(folder: Path) -> None:
    """Where one of the claims says a word that this version does not know, the conflict is kept, and nothing is made of the other."""
    stored = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    claim = {**stored["facts"][0], "key": "auth.refusal"}
    claims = [{**claim, "value": ["eclipsed"]}, {**claim, "value": ["bad-credentials"]}]
    gap = {**stored["missing"][0], "id": "m999", "subject": claim["subject"], "mailbox": None, "key": "auth.refusal", "why": "conflicting"}
    stored["missing"].append({**gap, "claims": claims})
    (folder / "later.json").write_text(json.dumps(stored), encoding="utf-8")
    found = judged(folder, "later.json")
    assert [m["claims"] for m in found["missing"] if m["key"] == "auth.refusal" and m["claims"]] == [claims]
    assert found["assessments"] == judged(folder, "run.json")["assessments"]


def test_what_a_later_version_wrote_is_passed_on(folder: Path) -> None:
    """Members, keys and words that this version does not know stay in the document, and decide nothing."""
    stored = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    stored["moon"] = {"phase": "full"}
    stored["attempts"][0]["mood"] = "good"
    stored["attempts"].append({**stored["attempts"][0], "id": "a99", "outcome": "eclipsed"})
    stored["estate"]["deployment"]["tide"] = "high"
    stored["facts"].append({**stored["facts"][0], "id": "f999", "key": "moon.phase", "value": {"full": True}})
    stored["facts"].append({**stored["facts"][0], "id": "f998", "key": "auth.refusal", "value": ["eclipsed"]})
    stored["missing"].append({**stored["missing"][0], "id": "m999", "why": "eclipsed"})
    (folder / "later.json").write_text(json.dumps(stored), encoding="utf-8")
    found, before = judged(folder, "later.json"), judged(folder, "run.json")
    assert found["moon"] == stored["moon"]
    assert found["attempts"][0]["mood"] == "good"
    assert [a["id"] for a in found["attempts"] if a["outcome"] == "eclipsed"] == ["a99"]
    assert found["estate"]["deployment"]["tide"] == "high"
    assert [f["value"] for f in found["facts"] if f["key"] == "moon.phase"] == [{"full": True}]
    assert [m["key"] for m in found["missing"] if m["why"] == "eclipsed"] == [stored["missing"][0]["key"]]
    assert [f["subject"] for f in found["facts"] if f["value"] == ["eclipsed"]] == [stored["facts"][0]["subject"]]
    ids = [form["id"] for part in ("facts", "missing") for form in found[part]]
    assert len(ids) == len(set(ids))
    assert found["assessments"] == before["assessments"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "this is not JSON"),
        ("\xff", "this is not JSON"),
        ("[" * 100_000, "this is not JSON"),
        ('{"schema": "probe.run/2", "moon": ' + "[" * 500 + "]" * 500 + "}", "it is nested too deeply"),
        ("[]", "but not a run of probe"),
        ('{"schema": "probe.run/2", "moon": NaN}', "this is not JSON: NaN is no number of it"),
        ('{"schema": "probe.run/2", "moon": [-1e999]}', "this is not JSON: -1e999 is no number of it"),
        ('{"schema": "probe.run/1"}', "not a document of the format probe.run/2, but of 'probe.run/1'"),
        ('{"schema": "probe.run/2"}', "holds no estate"),
        ('{"schema": "probe.run/2", "facts": 5}', "facts is not a list of objects"),
        ('{"schema": "probe.run/2", "facts": [{"key": "net.connected", "value": true}]}', "'subject' is missing"),
        ('{"schema": "probe.run/2", "facts": [{"subject": "x", "key": "net.connected", "value": "yes"}]}', "net.connected of x is not a"),
        ('{"schema": "probe.run/2", "judged_at": "soon"}', "document: "),
        (
            '{"schema": "probe.run/2", "estate": {}}',
            "estate: deployment: Field required; profiles: Field required; mailboxes: Field required",
        ),
        ('{"schema": "probe.run/2", "interrupted": "no"}', "document: 'no' is neither true nor false"),
        (
            '{"schema": "probe.run/2", "asked": {"all_addresses": 1}}',
            "asked: mailboxes: Field required; tls: Field required; fips: Field required; and 2 more",
        ),
        ('{"schema": "probe.run/2", "attempts": [{"outcome": "completed"}]}', "attempts: 'id' is missing"),
    ],
)
def test_what_is_no_run_is_refused(folder: Path, text: str, said: str) -> None:
    """Whatever a file holds: one sentence says what is wrong with it, and the exit code is that of a wrong call."""
    (folder / "wrong.json").write_bytes(text.encode("latin-1"))
    done = probe("judge", "wrong.json", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize(
    ("part", "spoilt"),
    [
        ("facts", {"key": 5}),
        ("facts", {"key": ["net.connected"]}),
        ("facts", {"subject": None}),
        ("facts", {"at": "0001-01-01T00:00:00+14:00"}),
        ("facts", {"evidence": 5}),
        ("missing", {"why": ["timed-out"]}),
        ("missing", {"claims": 5}),
        ("attempts", {"outcome": {"completed": True}}),
        ("attempts", {"outcome": "eclipsed", "transcript": 5}),
        ("attempts", {"transcript": [{"line": "first", "from": "peer", "text": ""}]}),
        ("attempts", {"transcript": [{"line": 1, "from": None, "text": ""}]}),
        ("facts", {"evidence": [{"attempt": {"id": "a1"}, "line": 1, "excerpt": ""}]}),
        ("facts", {"evidence": [{"attempt": "a1", "line": "first", "excerpt": ""}]}),
        ("facts", {"basis": "inferred", "inference": "i", "premises": [{"key": "net.connected"}]}),
    ],
)
def test_a_spoilt_part_of_a_run_is_refused(folder: Path, part: str, spoilt: dict[str, Any], form: str) -> None:
    """Whatever the type of a member: a sentence, and no traceback."""
    stored = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    stored[part][0].update(spoilt)
    (folder / "spoilt.json").write_text(json.dumps(stored), encoding="utf-8")
    done = probe("judge", "spoilt.json", "--format", form, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("part", "spoilt", "said"),
    [
        ("deployment", {"fips": "yes"}, "estate: deployment.fips: Input should be a valid boolean"),
        ("profiles", {"has_credentials": 1}, "estate: profiles.0.has_credentials: Input should be a valid boolean"),
        ("profiles", {"incoming": "gopher://x"}, "must begin with one of"),
        ("mailboxes", {"incoming": "by pigeon"}, "estate: mailboxes.0.incoming: Input should be 'server-side'"),
        ("mailboxes", {"profile": "none"}, "estate: there is no profile 'none'"),
        ("profiles", {"incoming": None}, "estate: there is no endpoint for "),
        ("profiles", {"incoming": None, "autodiscover": True}, "estate: there is no endpoint for "),
        ("profiles", {"outgoing": None}, "estate: there is no endpoint for "),
    ],
)
def test_a_spoilt_estate_of_a_run_is_refused(folder: Path, part: str, spoilt: dict[str, Any], said: str) -> None:
    """What the form of an estate does not allow is told with its place, and nothing that merely resembles a boolean passes for one."""
    stored = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    form = stored["estate"][part]
    (form if part == "deployment" else form[0]).update(spoilt)
    (folder / "spoilt.json").write_text(json.dumps(stored), encoding="utf-8")
    done = probe("judge", "spoilt.json", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr.replace("\n", " ")


@pytest.mark.parametrize("part", ["profiles", "mailboxes"])
def test_an_estate_of_a_run_that_lists_one_thing_twice_is_refused(folder: Path, part: str) -> None:
    """Which of the two would be meant is not known."""
    stored = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    stored["estate"][part].append(stored["estate"][part][0])
    (folder / "twice.json").write_text(json.dumps(stored), encoding="utf-8")
    done = probe("judge", "twice.json", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "listed twice" in done.stderr


@pytest.mark.parametrize("form", ["html", "text"])
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_any_day_can_be_judged_for(folder: Path, day: str, form: str) -> None:
    """Also the first and the last that there are, by a report that looks two years ahead too."""
    done = probe("judge", "run.json", "--at", day, "--format", form, cwd=folder)
    assert done.returncode == 1, done.stderr


@pytest.mark.parametrize("form", ["html", "text", "csv", "junit", "nagios", "metrics", "jsonl"])
def test_every_report_bears_what_a_later_version_wrote(folder: Path, form: str) -> None:
    """Be it a fact that is known in a new way, or one that does not say in which, a reason, a claim or an outcome without a word for it."""
    stored = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    fact, gap, attempt = (stored[part][0] for part in ("facts", "missing", "attempts"))
    of_all = {"subject": attempt["subject"], "mailbox": None, "key": "moon.phase"}
    bare = {name: value for name, value in fact.items() if name not in ("by", "inference", "premises")}
    stored["facts"] += [
        {**bare, **of_all, "value": {"full": [None, 1.5]}, "basis": basis} for basis in ("eclipsed", "declared", "inferred")
    ]
    stored["facts"].append({**of_all, "value": 1})
    stored["missing"] += [{**gap, **of_all, "why": "eclipsed"}, {**of_all, "key": "server.product", "why": "eclipsed"}]
    stored["attempts"].append({**attempt, "id": "a99", "outcome": "eclipsed"})
    (folder / "later.json").write_text(json.dumps(stored), encoding="utf-8")
    done = probe("judge", "later.json", "--format", form, "--verbose", "--show", "transcripts", cwd=folder)
    assert (done.returncode, done.stderr) == (2 if form == "nagios" else 1, "")


def test_what_is_passed_on_is_visible(folder: Path) -> None:
    """Controls and half surrogates in what is not understood are written as escapes, like all other text."""
    stored = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    stored["moon"] = "\x1b[2J\ud800"
    stored["facts"].append({"subject": "\x1b[31m", "key": "moon.phase"})
    (folder / "later.json").write_text(json.dumps(stored), encoding="utf-8")
    assert judged(folder, "later.json")["moon"] == "\\x1b[2J\\ud800"
    assert "\x1b" not in probe("judge", "later.json", "--verbose", cwd=folder).stdout


def test_files_that_cannot_be_read_are_named(folder: Path) -> None:
    """A run or an estate that is not there is a wrong call; so is a day that is none."""
    for arguments in (("gone.json",), ("run.json", "--estate", "gone.toml"), ("run.json", "--at", "tomorrow"), (".",)):
        done = probe("judge", *arguments, cwd=folder)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert "Traceback" not in done.stderr


def test_a_format_may_have_exit_codes_of_its_own(folder: Path) -> None:
    """A monitoring plugin's exit code is by its own interface; with the other formats it is the command's."""
    done = probe("judge", "run.json", "--format", "nagios", cwd=folder)
    assert (done.returncode, done.stdout.partition(":")[0]) == (2, "PROBE CRITICAL")
    assert probe("judge", "run.json", "--format", "csv", cwd=folder).returncode == 1


def test_an_answer_that_is_no_run_has_no_format_of_runs(folder: Path) -> None:
    """What tells runs cannot tell rules, and says which forms there are."""
    done = probe("rules", "--format", "nagios", cwd=folder)
    assert done.returncode == 2
    assert "'json', 'text'" in done.stderr


def test_a_report_for_people_looks_ahead(folder: Path) -> None:
    """The HTML of a run tells what comes for its mailboxes, on the days of `probe outlook`; the overview alone does not, nor that of an interrupted run."""
    written = probe("judge", "run.json", "--format", "html", "--output", "report.html", cwd=folder)
    assert written.returncode == 1, written.stderr
    report = (folder / "report.html").read_text(encoding="ascii")
    until = (app.judge(publish(a_checked_run())).judged_at + FAR).isoformat()
    assert f'until <time datetime="{until}">' in report
    assert "Certificate expired 2026-12-01" in report.partition("<h2>Calendar</h2>")[2]
    assert "Calendar" not in probe("judge", "run.json", "--format", "html", "--quiet", cwd=folder).stdout
    stopped = {**publish(a_checked_run()), "interrupted": True}
    (folder / "stopped.json").write_text("".join(json_pieces(stopped)), encoding="utf-8")
    assert "Calendar" not in probe("judge", "stopped.json", "--format", "html", cwd=folder).stdout
