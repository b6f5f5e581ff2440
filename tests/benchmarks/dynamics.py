"""What reading many mailboxes of Dynamics costs: `python -m tests.benchmarks.dynamics [--mailboxes 50000]`.

The organization is simulated, in a process of its own (`organization.py`), so that what is measured is `probe` alone: its peak of memory and its own CPU,
for an import of all of it, into nothing and beside the estate that came of it, and for a check of a few mailboxes, whose listing passes by all of them. The mail servers
refuse every connection. What a check of as many mailboxes costs besides is judging them: `python -m tests.benchmarks mailboxes`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.organization import PROFILES
from tests.simulation.dynamics.world import PASSWORD, READER

_PROBE = Path(sys.executable).with_name("probe")
_FEW = 20
_ANSWERS = ("fips", "mass_email", "custom_email_providers", "outlook_on_the_web_tracking", "outlook_manual_tracking")


def main() -> None:
    """Measure, and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.dynamics")
    parser.add_argument("--mailboxes", type=int, default=50_000)
    count = parser.parse_args().mailboxes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        organization = [sys.executable, "-m", "tests.benchmarks.organization", str(count), name]
        with subprocess.Popen(organization, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as serving:
            assert serving.stdout is not None
            ca_file, port = serving.stdout.readline().split()
            url = f"https://localhost:{port}/Contoso"
            access = ["--authentication", "ntlm", "--username", READER.name, "--password", "env:CRM_PASSWORD", "--ca", ca_file]
            answers = [part for key in _ANSWERS for part in ("--answer", f"{key}=false")]
            whole = folder / "whole.toml"
            imported = ("import", "dynamics", url, *access, *answers, "--answer", "runs_on=windows-server-2019", "--output", str(whole))
            _measured(f"import of {count:,} mailboxes", folder, *imported)
            few = folder / "few.toml"
            few.write_text(_first(whole.read_text("utf-8"), PROFILES, _FEW), "utf-8")
            _measured(f"import compared with an estate of {count:,}", folder, *imported)
            _measured(f"check of {_FEW} mailboxes, listing {count:,}", folder, "check", str(few), "--tls", "none", "--json")
            assert serving.stdin is not None
            serving.stdin.close()


def _first(text: str, profiles: int, mailboxes: int) -> str:
    """The estate with the first of its mailboxes alone."""
    head, *tables = text.split("\n[[mailbox]]\n")
    assert head.count("[[profile]]") == profiles
    return "\n[[mailbox]]\n".join((head, *tables[:mailboxes])) + "\n"


def _measured(what: str, folder: Path, *arguments: str) -> None:
    environment = {**os.environ, "CRM_PASSWORD": PASSWORD, "PROBE_STATE_DIR": str(folder / "state")}
    with (folder / "told").open("wb") as told, (folder / "output").open("wb") as output:
        process = subprocess.Popen([str(_PROBE), *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=told, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
    last = (folder / "told").read_text("utf-8").splitlines()[-1:]
    cpu, megabytes = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    sys.stdout.write(f"{what}: {megabytes:.0f} MB, {cpu:.1f} s CPU, exit {os.waitstatus_to_exitcode(status)} {last}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
