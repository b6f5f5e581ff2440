"""Tests of `probe outlook` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command import probe
from tests.hostile import closed_port
from tests.outlook.estates import HEAD, MAILBOX


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An estate whose one server that is used refuses connections, and which allows sign-ins."""
    text = HEAD.replace("mail.contoso.test/", f"127.0.0.1:{closed_port()}/").replace(
        "outlook_manual", 'allow = ["logs-in"]\noutlook_manual'
    )
    (tmp_path / "estate.toml").write_text(text + MAILBOX, encoding="utf-8")
    return tmp_path


def test_what_is_not_seen_is_named_and_nobody_signs_in(folder: Path) -> None:
    """An endpoint that refuses is told as not known; no secret is asked for, though the estate allows to sign in and the secret is not there."""
    done = probe("outlook", "estate.toml", "--json", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    form = json.loads(done.stdout)
    assert form["schema"] == "probe.outlook/1"
    assert any("127.0.0.1" in entry["endpoint"] and "refused" in entry["because"] for entry in form["unseen"])


def test_the_last_day_is_given_and_an_estate_that_is_wrong_is_told(folder: Path) -> None:
    """`--until` bounds what is looked at; a mistake in the estate ends with code 2 before anything is probed."""
    done = probe("outlook", "estate.toml", "--until", "2026-12-31", cwd=folder)
    assert done.returncode == 0
    assert "to 2026-12-31" in done.stdout
    far = probe("outlook", "estate.toml", "--until", "9999-12-31", cwd=folder)
    assert (far.returncode, far.stdout) == (2, "")
    assert "more than a hundred years ahead" in far.stderr
    (folder / "wrong.toml").write_text("[deployment]\n", encoding="utf-8")
    assert probe("outlook", "wrong.toml", cwd=folder).returncode == 2
