"""No secret of an estate is in anything that the service writes or says."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from probe import app
from probe.config import read_estate
from probe.memory import Folder
from probe.service import ServiceSettings, serve
from probe.simulation import pop3, smtp
from probe.simulation.pop3 import Pop3Server
from probe.simulation.smtp import SmtpServer
from probe.web.listener import listen_settings
from tests.looking import authority, server_context
from tests.service.accounts import ADDRESS, ESTATE

PASSWORD = "MARKED-PASSWORD-1"
TARGET = "json://MARKED-TARGET-2.contoso.test/hook"
HEARTBEAT = "https://MARKED-HEARTBEAT-3.contoso.test/"


async def test_no_secret_is_in_what_the_service_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Passwords, URLs of targets and of the heartbeat are in no database, no log at its finest, and nothing that is said, though a server repeats the password."""
    monkeypatch.setenv("MAILBOX_PASSWORD", PASSWORD)
    monkeypatch.setenv("TARGET_URL", TARGET)
    monkeypatch.setenv("HEARTBEAT_URL", HEARTBEAT)
    caplog.set_level(logging.DEBUG)
    repeats = replace(pop3.DOVECOT, refused=f"-ERR [AUTH] Authentication failed for {ADDRESS} with {PASSWORD}.")
    incoming = Pop3Server(repeats, server_context(), implicit=True, accounts={})
    outgoing = SmtpServer(smtp.POSTFIX, server_context(), implicit=True, accounts={ADDRESS: PASSWORD})
    said: list[str] = []
    async with incoming, outgoing:
        alerts = '[alerts]\nto = ["env:TARGET_URL"]\nheartbeat = "env:HEARTBEAT_URL"\n[[profile]]'
        text = ESTATE.format(pop=incoming.port, smtp=outgoing.port, address=ADDRESS).replace("[[profile]]", alerts, 1)
        file = tmp_path / "estate.toml"
        file.write_text(text)
        settings = ServiceSettings(
            estate_file=file,
            options=app.Options(timeout=5, ca_file=authority().ca_file, state=tmp_path / "state"),
            folder=Folder(tmp_path / "state"),
            database=None,
            listen=listen_settings("127.0.0.1:0"),
            say=said.append,
        )
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(serve(settings, read_estate(text, str(file)), stop, asyncio.Event()))
            for _ in range(300):
                if incoming.logons and any(getattr(one, "kind", "") == "began" for one in caplog.records):
                    break
                await asyncio.sleep(0.1)
            await asyncio.sleep(3)
            stop.set()
    assert incoming.logons == type(incoming.logons)([(ADDRESS, False)])
    assert any("login-refused" in str(vars(one)) or getattr(one, "kind", "") == "began" for one in caplog.records)
    written = b"".join(one.read_bytes() for one in (tmp_path / "state").rglob("*") if one.is_file())
    logged = "\n".join(f"{one.getMessage()} {vars(one)}" for one in caplog.records)
    for secret in (PASSWORD, "MARKED-TARGET-2", "MARKED-HEARTBEAT-3"):
        assert secret.encode() not in written
        assert secret not in logged
        assert secret not in "".join(said)
