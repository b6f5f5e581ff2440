"""Tests of what the commands write when a command line, a file name or an estate holds what a terminal obeys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from probe.cli.output import Output
from probe.cli.streams import tell
from tests.command import probe
from tests.config.estates import ESTATE

EVIL = "a\x1b[2J\x9b31m\x7f\u202egnp\u200b\u2028\x85\r\nFAKE: \U000e0041"
SHOWN = r"a\x1b[2J\x9b31m\x7f\u202egnp\u200b\u2028\x85\x0d\x0aFAKE: \U000e0041"


@pytest.mark.parametrize(
    "arguments",
    [
        (EVIL,),
        ("check",),
        ("check", f"{EVIL}.toml"),
        ("check", "estate.toml", EVIL),
        ("check", "estate.toml", "--dry-run", "--mailbox", EVIL),
        ("check", "estate.toml", f"--{EVIL}"),
        ("check", "estate.toml", f"--dry-run={EVIL}"),
        ("check", "estate.toml", "--accept", EVIL),
        ("check", "broken.toml"),
        ("look", EVIL),
        ("look", f"https://{EVIL}/"),
        ("look", f"pop3://x/{EVIL}", f"https://x:{EVIL}/", f"{EVIL}@x"),
        ("look", "--ca", EVIL, "pop3s://x"),
        ("look", "--ca", f"here/{EVIL}", "pop3s://x"),
        ("look", "--fips", EVIL, "pop3s://x"),
        ("look", "--tls", EVIL, "pop3s://x"),
        ("look", "--allow", EVIL, "pop3s://x"),
        ("look", "--timeout", EVIL, "pop3s://x"),
        ("look", "--format", EVIL, "pop3s://x"),
        ("look", "--output", f"no-such-folder/{EVIL}", "pop3s://x"),
        ("rules", EVIL),
        ("facts", EVIL),
        ("facts", "server.product", EVIL),
        ("init", f"here/{EVIL}"),
        ("init", f"no-such-folder/{EVIL}"),
    ],
    ids=lambda arguments: " ".join(arguments).replace(EVIL, "EVIL"),
)
def test_no_mistake_of_a_command_line_steers_the_terminal(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Whichever argument holds them, controls and line ends come back as escapes, on the one line that tells of the mistake."""
    (tmp_path / "estate.toml").write_text(ESTATE, encoding="utf-8")
    (tmp_path / "broken.toml").write_text(ESTATE.replace("crm", EVIL.replace("\r\n", " ")), encoding="utf-8", newline="\n")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / EVIL).write_text("x", encoding="utf-8")
    done = probe(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.removesuffix("\n").split("\n")
    assert all(line.isprintable() and not line.startswith("FAKE") for line in lines), done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_was_written_is_named_visibly(tmp_path: Path) -> None:
    """A message that is no mistake is one line too."""
    done = probe("init", EVIL, cwd=tmp_path)
    assert (done.returncode, (tmp_path / EVIL).is_file()) == (0, True)
    assert done.stderr == f"{SHOWN} is written. Adapt it, then run: probe check {SHOWN} --dry-run\n"


def test_a_bug_is_told_visibly_in_as_many_lines_as_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    """A message of several lines keeps them on standard error, and is one line of ASCII where messages are JSON."""
    for log_format in ("text", "json"):
        Output(format="text", file=None, quiet=False, verbose=False, transcripts=False, colour=False, log_format=log_format).log(
            "a bug:\nцена \x9b\x7f"
        )
    tell("a\nb")
    first, second, *rest = capsys.readouterr().err.split("\n")
    assert (first, second) == ("probe: a bug:", r"цена \x9b\x7f")
    assert json.loads(rest[0]) == {"message": "a bug:\nцена \\x9b\\x7f"}
    assert rest[0].isascii()
    assert rest[1:] == [r"a\x0ab", ""]


def test_listings_are_visible(capsys: pytest.CaptureFixture[str]) -> None:
    """A line of a listing is one line, whatever it holds; as JSON it is ASCII, and so is visible what a program reads in it."""
    for form in ("text", "json"):
        output = Output(format=form, file=None, quiet=False, verbose=False, transcripts=False, colour=False, log_format="text")
        output.write_lines(["цена", EVIL]) if form == "text" else output.write_form([{EVIL: "цена"}])
    first, second, rest = capsys.readouterr().out.split("\n", 2)
    assert (first, second) == ("цена", SHOWN)
    assert rest.isascii()
    assert json.loads(rest) == [{SHOWN.replace(r"\x0a", "\n"): "цена"}]


def test_a_plan_shows_letters_to_people_and_ascii_to_programs(tmp_path: Path) -> None:
    """Names in any script stand in the plan as written; as JSON they are escapes that read back the same."""
    (tmp_path / "estate.toml").write_text(ESTATE.replace("svc-crm@contoso.test", "КОНТОСО"), encoding="utf-8")
    shown = probe("check", "estate.toml", "--dry-run", "--allow", "logs-in", cwd=tmp_path)
    assert "account: КОНТОСО\n" in shown.stdout
    read = probe("check", "estate.toml", "--dry-run", "--allow", "logs-in", "--json", cwd=tmp_path)
    assert read.stdout.isascii()
    assert "КОНТОСО" in {c["account"] for c in json.loads(read.stdout)["conversations"]}


@pytest.mark.parametrize("command", [("rules", "--json"), ("facts", "--json"), ("schema",)], ids=" ".join)
def test_every_json_is_ascii(command: tuple[str, ...]) -> None:
    """What a command lists for programs is JSON in ASCII."""
    done = probe(*command)
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert json.loads(done.stdout)
