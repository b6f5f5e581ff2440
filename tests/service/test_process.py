"""`probe serve` as somebody starts it in a terminal or a container: what it tells on standard error without being asked."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from tests.command import environment
from tests.hostile import closed_port
from tests.service.accounts import ADDRESS, ESTATE, PASSWORD


async def _said_until(process: asyncio.subprocess.Process, words: str) -> str:
    """What it says on standard error until these words have come."""
    assert process.stderr is not None
    said = ""
    while words not in said:
        line = await asyncio.wait_for(process.stderr.readline(), 40)
        assert line, said
        said += line.decode()
    return said


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGHUP")
@pytest.mark.parametrize("options", [(), ("--log-format", "json")])
async def test_alerts_and_errors_stand_on_standard_error(tmp_path: Path, options: tuple[str, ...]) -> None:
    """With no target: that it watches, what is wrong with the servers, and why an estate is not taken up; as JSON where that is asked for, alerts too."""
    file = tmp_path / "estate.toml"
    file.write_text(ESTATE.format(pop=closed_port(), smtp=closed_port(), address=ADDRESS))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "probe", "serve", str(file), "--listen", "127.0.0.1:0", *options),
        cwd=tmp_path,
        env=environment(PROBE_STATE_DIR=str(tmp_path / "state"), MAILBOX_PASSWORD=PASSWORD),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        began = await _said_until(process, "contoso-crm is watched; http://127.0.0.1:")
        told = await _said_until(process, "Endpoint cannot be connected to")
        if options:
            assert [json.loads(line)["logger"] for line in began.splitlines()] == ["probe.service.serving"]
            alert = json.loads(told.splitlines()[-1])
            assert (alert["level"], alert["logger"], alert["severity"]) == ("error", "probe.alerts", "critical")
            assert any(line.startswith("Remedy: ") for line in alert["lines"])
        file.write_text(file.read_text().replace('server_type = "pop3-smtp"', 'server_type = "carrier-pigeon"'))
        process.send_signal(signal.SIGHUP)
        assert "profile[0].server_type" in await _said_until(process, "the estate is not taken up: ")
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 20)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0
