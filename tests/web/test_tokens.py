"""The tokens of the API: what is kept of them, and how they are made and taken back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from probe.memory.folder import Folder
from probe.web.tokens import PREFIX, Tokens, TokenScope, matching
from tests.command import environment, probe
from tests.runs import NOON


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(Folder(tmp_path / "state"))


def test_a_token_is_known_by_what_was_shown_once(tokens: Tokens) -> None:
    """The file holds a hash, by which the token is recognised and from which it does not follow."""
    shown = tokens.create("prometheus", TokenScope.READ, NOON)
    other = tokens.create("pipeline", TokenScope.CHECK, NOON)
    found = matching(tokens.known(), shown)
    assert found is not None
    assert (found.name, found.scope, found.created, found.used) == ("prometheus", TokenScope.READ, NOON, None)
    assert matching(tokens.known(), shown[:-1]) is None
    assert matching(tokens.known(), "") is None
    assert shown.startswith(PREFIX)
    assert len(shown) > 40
    for file in tokens._folder.path.iterdir():
        assert shown.encode() not in file.read_bytes()
        assert other.removeprefix(PREFIX).encode() not in file.read_bytes()


def test_a_token_that_is_revoked_is_none(tokens: Tokens) -> None:
    """After it is taken back nobody is known by it, and its name is free."""
    shown = tokens.create("ci", TokenScope.CHECK, NOON)
    assert tokens.revoke("ci")
    assert not tokens.revoke("ci")
    assert matching(tokens.known(), shown) is None
    assert tokens.create("ci", TokenScope.CHECK, NOON) != shown


@pytest.mark.parametrize("name", ["", " ", "-x", "a b", "a\r\nb", "ä", "x" * 65, "../x"])
def test_a_name_that_will_not_do_is_refused(tokens: Tokens, name: str) -> None:
    """A name is of letters, digits and a few signs, so that logs and lists can hold it."""
    with pytest.raises(ValueError, match="a token's name is of"):
        tokens.create(name, TokenScope.READ, NOON)


def test_two_tokens_do_not_share_a_name(tokens: Tokens) -> None:
    """Who revokes a name takes back one token."""
    tokens.create("a", TokenScope.READ, NOON)
    with pytest.raises(ValueError, match="already"):
        tokens.create("a", TokenScope.ADMIN, NOON)


def test_each_scope_includes_those_before_it() -> None:
    """Admin may check, check may read, and neither the other way round."""
    assert [[one.includes(other) for other in TokenScope] for one in TokenScope] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


def test_the_stamp_changes_with_the_file(tokens: Tokens) -> None:
    """A token that another process makes or takes back is found by the file's entry."""
    before = tokens.stamp()
    tokens.create("a", TokenScope.READ, NOON)
    between = tokens.stamp()
    assert before != between
    tokens.note_use("a", NOON)
    assert tokens.all()[0].used == NOON


def test_the_commands_make_list_and_revoke(tmp_path: Path) -> None:
    """Standard output of create is the token and nothing else; a list has no token in it."""
    state = str(tmp_path / "state")
    made = probe("token", "create", "prometheus", "--scope", "read", PROBE_STATE_DIR=state)
    assert made.returncode == 0, made.stderr
    (shown,) = made.stdout.splitlines()
    assert shown.startswith(PREFIX)
    assert shown not in made.stderr
    assert "prometheus" in made.stderr
    (listed,) = json.loads(probe("token", "list", "--json", PROBE_STATE_DIR=state).stdout)
    assert (listed["name"], listed["scope"], listed["used"]) == ("prometheus", "read", None)
    told = probe("token", "list", PROBE_STATE_DIR=state).stdout
    assert "never used" in told
    assert shown not in told
    assert probe("token", "create", "prometheus", "--scope", "read", PROBE_STATE_DIR=state).returncode == 2
    assert probe("token", "revoke", "prometheus", PROBE_STATE_DIR=state).returncode == 0
    gone = probe("token", "revoke", "prometheus", PROBE_STATE_DIR=state)
    assert gone.returncode == 2
    assert "there is no token 'prometheus'" in gone.stderr


def test_a_state_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """A file of tokens that is none ends the command with 2 and one sentence."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "tokens.sqlite").write_text("a letter\n" * 100)
    (state / "tokens.sqlite").chmod(0o600)
    done = probe("token", "list", PROBE_STATE_DIR=str(state))
    assert done.returncode == 2
    assert "file is not a database" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_token_is_made_without_the_framework(tmp_path: Path) -> None:
    """No command but `serve` waits for FastAPI and uvicorn."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "probe", "token", "create", "a", "--scope", "read"],
        env=environment(PROBE_STATE_DIR=str(tmp_path / "state")),
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "probe.web.tokens" in loaded
    assert not loaded & {"fastapi", "starlette", "uvicorn", "pydantic", "sqlalchemy"}
