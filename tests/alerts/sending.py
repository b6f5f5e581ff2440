"""Sends one message to one target as the service does, by a child process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from probe.alerts import TargetSender
from probe.alerts.wording import Message
from probe.net.alert_request import Delivered
from probe.net.killable import Children
from tests.looking import authority

EVENT = "0123456789ab"


async def sent(
    url: str,
    message: Message,
    folder: Path,
    *,
    hosts: Mapping[str, str] | None = None,
    seconds: float = 20,
    is_repetition: bool = False,
    trusts: bool = True,
) -> Delivered:
    """How the delivery ended. The URL lies in a file of the folder; `trusts`: whether the tests' authority is trusted."""
    place = folder / "target-url"
    place.write_text(url)
    async with Children(1) as children:
        targets = TargetSender(children, ca_file=str(authority().ca_file) if trusts else None, hosts=hosts, seconds=seconds)
        return await targets.send(f"file:{place}", message, EVENT, is_repetition)
