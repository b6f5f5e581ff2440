"""Repeats conversations at each address of their host names, where the call asks for that."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace

from probe.engine.plan import Conversation
from probe.net.failures import NameUnresolved
from probe.net.names import Resolver


async def at_each_address(conversations: Sequence[Conversation], resolver: Resolver, timeout: float) -> tuple[Conversation, ...]:
    """The conversations, once for each address, as `a1.1`, `a1.2`.

    A conversation whose name does not resolve within the timeout stays as it is, and fails when it is held.
    """
    found: dict[str, tuple[str, ...]] = {}

    async def look_up(host: str) -> None:
        with contextlib.suppress(NameUnresolved, TimeoutError):
            async with asyncio.timeout(timeout):
                found[host] = await resolver.addresses(host)

    async with asyncio.TaskGroup() as group:
        for host in dict.fromkeys(c.endpoint.host for c in conversations):
            group.create_task(look_up(host))
    spread: list[Conversation] = []
    for conversation in conversations:
        addresses = found.get(conversation.endpoint.host, ())
        if conversation.not_held or conversation.login is not None or len(addresses) < 2:
            spread.append(conversation)
        else:
            spread += (
                replace(conversation, name=f"{conversation.name}.{number}", only_address=address)
                for number, address in enumerate(addresses, start=1)
            )
    return tuple(spread)
