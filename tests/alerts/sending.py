"""Sends one message to one target as the service does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from probe.alerts import TargetSender
from probe.alerts.wording import Message
from probe.net.alert_request import Delivered
from probe.net.killable import Children
from tests.looking import authority

EVENT = "0123456789ab"
A = TypeVar("A")
R = TypeVar("R")


class ThisProcess(Children):
    """Runs here what a child would run, which starts sooner, and which coverage sees."""

    async def run(self, function: Callable[[A], R], argument: A, *, seconds: float) -> R:
        return await asyncio.wait_for(asyncio.to_thread(function, argument), seconds)


async def sent(
    url: str,
    message: Message,
    folder: Path,
    *,
    hosts: Mapping[str, str] | None = None,
    seconds: float = 20,
    is_repetition: bool = False,
    trusts: bool = True,
    by: type[Children] = Children,
) -> Delivered:
    """How the delivery ended. The URL lies in a file of the folder; `trusts`: whether the tests' authority is trusted."""
    place = folder / "target-url"
    place.write_text(url)
    async with by(1) as children:
        targets = TargetSender(children, ca_file=str(authority().ca_file) if trusts else None, hosts=hosts, seconds=seconds)
        return await targets.send(f"file:{place}", message, EVENT, is_repetition)
