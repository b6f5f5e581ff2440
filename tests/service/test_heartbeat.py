"""The heartbeat of a service: whoever waits for it hears nothing while the schedule is not kept."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from probe import app
from probe.alerts import TargetSender
from probe.memory import Folder
from probe.net.killable import Children
from probe.schedule import Ended
from probe.service import serving
from probe.service.enabling import PageEnabling
from probe.service.view import View
from probe.web import Standby
from tests.alerts.peers import https_target
from tests.looking import authority
from tests.service.driven import START, driven
from tests.service.hooks import until
from tests.service.world import estate_text


class AskedView(View):
    """The service as its heart sees it."""

    asked = 0
    """How often it was asked whether the schedule is kept."""

    def standby(self) -> Standby:
        self.asked += 1
        return super().standby()


async def test_it_is_silent_while_the_schedule_is_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The URL is called while the schedule is kept, not while what is due waits for more than two minutes, and again once that is done."""
    monkeypatch.setattr(serving, "AT_MOST_EVERY", timedelta(milliseconds=10))
    probing = app.Probing(app.Options())
    with https_target() as target:
        (tmp_path / "url").write_text(f"https://localhost:{target.port}/beat")
        service = driven(tmp_path, estate_text(1, 1, f'[alerts]\nheartbeat = "file:{tmp_path}/url"\n'))
        async with service.begun() as watcher, Children(1) as children:
            view = AskedView(watcher, service.schedule, probing, PageEnabling(Folder(tmp_path), probing, service.clock))
            sender = TargetSender(children, ca_file=str(authority().ca_file))
            beating = asyncio.ensure_future(serving.beating(sender, view, service.clock))
            await until(lambda: len(target.arrived) == 1)
            await service.clock.sleep(START + timedelta(minutes=20), asyncio.Event())
            assert view.lag() > timedelta(minutes=10)
            asked = view.asked
            await until(lambda: view.asked > asked + 5)
            assert len(target.arrived) == 1
            for task in service.schedule.due(service.clock.now()):
                service.schedule.ended(task, service.clock.now(), Ended.AS_EXPECTED)
            assert view.lag() == timedelta(0)
            await until(lambda: len(target.arrived) == 2)
            beating.cancel()
    assert {request.method for request in target.arrived} == {"GET"}
