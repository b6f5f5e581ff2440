"""`probe import dynamics`, as a user runs it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from subprocess import CompletedProcess

import click
import pytest

from probe.cli.importing import agreed_hosts
from probe.config import load_estate
from probe.simulation.dynamics.demonstration import USER, Demonstration
from tests.command import probe
from tests.importing.records import CORP, draft

ANSWERS = (
    "runs_on=windows-server-2019",
    "fips=false",
    "mass_email=false",
    "custom_email_providers=false",
    "outlook_on_the_web_tracking=false",
    "outlook_manual_tracking=false",
)
ANSWERED = tuple(word for answer in ANSWERS for word in ("--answer", answer))


async def run(demonstration: Demonstration, state: Path, *arguments: str, password: str = USER.password) -> CompletedProcess[str]:
    """An import as the demonstration's user."""
    url = f"https://127.0.0.1:{demonstration.server.port}/Contoso"
    ca = str(demonstration.simulation.ca_file)
    signing_in = ("--authentication", "ntlm", "--username", USER.name, "--password", "env:CRM_PASSWORD", "--ca", ca)
    return await asyncio.to_thread(
        probe, "import", "dynamics", url, *signing_in, *arguments, CRM_PASSWORD=password, PROBE_STATE_DIR=str(state)
    )


async def test_an_estate_is_written_compared_and_updated(tmp_path: Path) -> None:
    """It loads once its questions are answered, and is equal when it is imported again; what differs is shown, and changed when that is asked for.

    A file that is kept elsewhere is written there, and the link to it stays.
    """
    file, state, kept = tmp_path / "estate.toml", tmp_path / "state", tmp_path / "kept.toml"
    file.symlink_to(kept)
    async with Demonstration.start() as demonstration:
        first = await run(demonstration, state, "--output", str(file))
        assert (first.returncode, first.stdout) == (0, "")
        assert "has no address" in first.stderr
        assert "runs_on, fips, mass_email" in first.stderr
        assert "ex2016.contoso.test is new to this estate" in first.stderr
        answered = await run(demonstration, state, "--output", str(file), "--update", *ANSWERED)
        assert (answered.returncode, "fips is not there, and false by Dynamics" in answered.stdout) == (0, True), answered.stderr
        estate = load_estate(file)
        assert not any(profile.has_credentials for profile in estate.profiles)
        assert not any(mailbox.has_credentials for mailbox in estate.mailboxes)
        again = await run(demonstration, state, "--output", str(file))
        assert (again.returncode, again.stdout) == (0, ""), again.stdout
        changed = file.read_text().replace("impersonation = true", "impersonation = false  # mine")
        file.write_text(changed)
        differs = await run(demonstration, state, "--output", str(file))
        assert differs.returncode == 1
        assert "impersonation is false, and true by Dynamics" in differs.stdout
        assert file.read_text() == changed
        updated = await run(demonstration, state, "--output", str(file), "--update", "--trust-host", "ex2016.contoso.test")
        assert updated.returncode == 0
        assert "impersonation = true  # mine" in file.read_text()
        trusted = {profile.name for profile in load_estate(file).profiles if profile.has_credentials}
        assert trusted == {"exchange-2016"}
        assert demonstration.server.changes_asked == []
    assert (file.readlink(), [one.name for one in tmp_path.iterdir() if one.name.endswith(".new")]) == (kept, [])


async def test_without_a_file_it_goes_to_standard_output(tmp_path: Path) -> None:
    """Nothing but the estate; that Dynamics cannot be read has a code of its own, and says why without the password."""
    async with Demonstration.start() as demonstration:
        shown = await run(demonstration, tmp_path / "state", *ANSWERED)
        assert shown.returncode == 0
        file = tmp_path / "estate.toml"
        file.write_text(shown.stdout)
        assert load_estate(file).mailboxes
        wrong = await run(demonstration, tmp_path / "state", password="Wrong-Password-1")
        assert (wrong.returncode, wrong.stdout) == (3, "")
        assert "refuses the account" in wrong.stderr
        assert "Wrong-Password-1" not in wrong.stderr
        barred = await run(demonstration, tmp_path / "state", password="Wrong-Password-1")
        assert (barred.returncode, "probe forget" in barred.stderr) == (3, True)
        assert [taken for _, taken in demonstration.server.logons].count(False) == 1


def test_what_is_wrong_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    """The address, an answer, a reference, a way to sign in that is not whole, a file that is no estate."""
    url = "https://crm.contoso.test/Contoso"
    other = tmp_path / "other.toml"
    other.write_text("a = 1\n")
    for arguments, said in (
        (("ftp://x",), "must begin with https://"),
        (("http://crm.contoso.test/Contoso",), "without TLS: write https://, or allow it by --plain-http"),
        ((url, "--answer", "fips=perhaps"), "fips"),
        ((url, "--answer", "name=x"), "KEY one of"),
        ((url, "--username", "a"), "password"),
        ((url, "--username", "a", "--password", "hunter2"), "never written here"),
        ((url, "--authentication", "oauth", "--username", "a", "--password", "env:X"), "token_url"),
        ((url, "--update"), "--output"),
        ((url, "--trust-host", "https://x/"), "--trust-host"),
        ((url, "--output", str(other)), "other.toml"),
    ):
        found = probe("import", "dynamics", *arguments)
        assert (found.returncode, found.stdout) == (2, ""), (arguments, found)
        assert said in found.stderr, (arguments, found.stderr)
        assert "hunter2" not in found.stderr


@pytest.mark.parametrize("answer", [True, False])
def test_a_person_at_the_terminal_is_asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, answer: bool) -> None:
    """Of each host that is new, with what it would be sent."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "confirm", lambda *_, **__: answer)
    assert agreed_hosts(draft(CORP), frozenset()) == ({"mail.contoso.test"} if answer else set())
    assert 'the password of profile "corp" (svc-crm@contoso.test)' in capsys.readouterr().err
