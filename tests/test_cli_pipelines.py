"""What pipelines read in the output of a command: the verdicts that they are told, and no command of anybody else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import defusedxml.ElementTree
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.cli.pipelines import Annotation, Pipeline, annotations_of, defused, defused_line, told_to
from probe.document import publish
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.rules import Support
from probe.model.runs import Run
from tests.command import probe
from tests.runs import POP, SMTP, a_checked_run, a_fact, a_mailbox, a_run, an_attempt, an_estate

_COMMAND = re.compile(r"(?m)^\s*::\w|##\[|##vso\[")
"""What a runner takes for a command: GitHub's in both of its spellings, and Azure DevOps'."""
_HOSTILE = "##vso[task.setvariable variable=PATH]/tmp ##[error]x"


def _stored(folder: Path, run: Run) -> Path:
    file = folder / "run.json"
    file.write_text(json.dumps(publish(run)), encoding="utf-8")
    return file


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A run, stored as a document, whose servers say what pipelines would obey."""
    run = a_run(
        estate=an_estate(),
        attempts=[an_attempt(1, POP, said=[f"::error::{_HOSTILE}"])],
        readings=[a_fact(v.PROTOCOL_GREETING, f"::stop-commands::x\n  ::add-mask::{_HOSTILE}")],
    )
    document = {
        key: list(value) if key in ("attempts", "facts", "missing", "assessments") else value for key, value in publish(run).items()
    }
    file = tmp_path / "run.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


def test_each_group_that_is_not_well_is_an_annotation() -> None:
    """What is bad is an error, what is not known a warning, advice a notice, each with cause and step; what is well is not told."""
    told = list(annotations_of(publish(a_checked_run()), frozenset()))
    assert {(one.level, one.title) for one in told} == {
        ("error", "not ready: 2 mailboxes"),
        ("warning", "unknown: silent@branch.test"),
        ("error", "unsupported: pop@branch.test"),
        ("error", "not listed: new@contoso.test"),
        ("notice", "advice: pop@branch.test"),
    }
    (refused,) = [one for one in told if one.title == "not ready: 2 mailboxes"]
    assert refused.text == "An endpoint that cannot be used: bad-credentials, mail.contoso.test; unsupported\nWhat to do about unreachable."


def test_what_is_accepted_is_no_error() -> None:
    """A verdict that the call lets pass is no annotation, as it is no failure of the exit code."""
    told = annotations_of(publish(a_checked_run()), frozenset({Support.NOT_LISTED}))
    assert "not listed: new@contoso.test" not in {one.title for one in told}


def test_an_interrupted_run_is_told() -> None:
    """A run that was interrupted is never silent."""
    (one,) = annotations_of(publish(a_run(estate=an_estate(), interrupted=True)), frozenset())
    assert one.level == "warning"


def test_of_a_look_each_endpoint_that_did_not_complete_is_told() -> None:
    """A look judges nothing, so what did not complete is a warning."""
    run = a_run(attempts=[an_attempt(1, POP), an_attempt(2, SMTP, Outcome.TIMED_OUT, "no greeting within 30 s")])
    assert list(annotations_of(publish(run), frozenset())) == [
        Annotation("warning", SMTP, "pop3-capabilities timed out: no greeting within 30 s")
    ]


def test_an_annotation_of_github_is_one_line_whatever_it_holds() -> None:
    """Percent signs, ends of lines, colons and commas are written by their number where GitHub would read them as its own."""
    (line,) = told_to(Pipeline.GITHUB, [Annotation("error", "a: b, c::d%", "100%\r\n::warning::x\x1b")], colour=True)
    assert line == "::error title=a%3A b%2C c%3A%3Ad%25::100%25\\x0d%0A::warning::x\\x1b"


def test_an_annotation_of_gitlab_is_a_line_of_the_log() -> None:
    """GitLab shows colours in the log of a job; what servers said steers it in no way."""
    annotation = Annotation("warning", "unknown: a@b.test", "no\nanswer\x1b[0Ksection_start:1:x\r")
    assert list(told_to(Pipeline.GITLAB, [annotation], colour=False)) == [
        "WARNING unknown: a@b.test: no answer\\x1b[0Ksection_start:1:x\\x0d"
    ]
    (coloured,) = told_to(Pipeline.GITLAB, [annotation], colour=True)
    assert coloured.startswith("\x1b[33mWARNING\x1b[0m unknown")


@pytest.mark.parametrize("which", [Pipeline.GITHUB, Pipeline.AZURE])
@pytest.mark.parametrize("form", ["text", "json", "jsonl", "html", "csv", "junit", "nagios"])
def test_servers_command_no_pipeline(stored: Path, form: str, which: Pipeline) -> None:
    """In no format does a line that a pipeline reads hold a command that a server said."""
    done = probe("judge", str(stored), "--format", form, "--verbose", "--show", "transcripts", cwd=None, **{which.value: "True"})
    assert done.returncode in (0, 1, 2, 3), done.stderr
    assert not _COMMAND.search(done.stdout)
    assert not _COMMAND.search(
        "\n".join(line for line in done.stderr.splitlines() if not line.startswith(("::error title=", "::warning title=")))
    )


@pytest.mark.parametrize(("which", "beginning"), [("GITHUB_ACTIONS", "::warning title=unknown%3A "), ("GITLAB_CI", "WARNING unknown: ")])
def test_a_command_tells_its_pipeline_beside_the_result(tmp_path: Path, which: str, beginning: str) -> None:
    """Annotations go to standard error, and the result is the same document with them and without."""
    file = _stored(tmp_path, a_run(estate=an_estate(a_mailbox("sales@branch.test"))))
    plain = probe("judge", str(file), "--json")
    told = probe("judge", str(file), "--json", cwd=None, **{which: "true"}, NO_COLOR="1")
    assert (plain.returncode, plain.stderr) == (told.returncode, "")
    assert told.stdout == plain.stdout
    assert [line for line in told.stderr.splitlines() if line.startswith(beginning)]


_SAID = st.text(alphabet=":#[]vso \tx%\n", max_size=60)


@given(_SAID, st.integers(1, 7))
def test_a_document_says_the_same_without_its_commands(said: str, size: int) -> None:
    """Whatever is said, and however a result comes in pieces: no command is left, and JSON and XML are read as before."""

    def through(text: str, media_type: str) -> str:
        return "".join(defused((text[at : at + size] for at in range(0, len(text), size)), media_type))

    form: dict[str, Any] = {"said": said}
    written = through(json.dumps(form) + "\n", "application/json")
    assert not _COMMAND.search(written)
    assert json.loads(written) == form
    element = defusedxml.ElementTree.fromstring(f"<a>{said}</a>")
    marked = through(f"<a>{said}</a>", "application/xml")
    assert not _COMMAND.search(marked)
    assert defusedxml.ElementTree.fromstring(marked).text == element.text
    assert not _COMMAND.search(through(said, "text/plain; charset=utf-8"))
    assert not _COMMAND.search(defused_line(said))
