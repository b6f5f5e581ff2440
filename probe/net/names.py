"""Names to addresses, by the system's resolver, on threads of our own.

A hung lookup cannot be cancelled, and asyncio's own threads would hold the program's exit until it ends. These
are daemons: the attempt goes on without them, and so does the exit.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Mapping

from probe.net.failures import NameUnresolved

MAX_LOOKUPS = 128
"""Lookups under way at once; each is a thread, and a hung resolver may hold all of them."""

_UNKNOWN = {getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)}


class Resolver:
    """Resolves each name once in a run."""

    def __init__(self, hosts: Mapping[str, str] | None = None) -> None:
        self._hosts = dict(hosts or {})
        """Names with an address of their own, as a hosts file would have them."""
        self._answers: dict[str, asyncio.Future[tuple[str, ...]]] = {}
        self._slots = asyncio.Semaphore(MAX_LOOKUPS)

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Every address of a name, in the resolver's order, each once. Raises NameUnresolved."""
        if host in self._hosts:
            return (self._hosts[host],)
        try:
            return (str(ipaddress.ip_address(host)),)
        except ValueError:
            pass
        answer = self._answers.get(host)
        if answer is None:
            async with self._slots:
                answer = self._answers.setdefault(host, self._look_up(host))
        # Shielded: one attempt's deadline must not end the lookup that others wait for.
        return await asyncio.shield(answer)

    def _look_up(self, host: str) -> asyncio.Future[tuple[str, ...]]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[tuple[str, ...]] = loop.create_future()
        # Nobody may be left to hear of a failure once the deadlines have passed.
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())

        def settle(result: tuple[str, ...] | NameUnresolved) -> None:
            if answer.done():
                return
            if isinstance(result, NameUnresolved):
                answer.set_exception(result)
            else:
                answer.set_result(result)

        def ask() -> None:
            result = _ask_system(host)
            with contextlib.suppress(RuntimeError):  # the run may have ended while the resolver hung
                loop.call_soon_threadsafe(settle, result)

        threading.Thread(target=ask, name=f"resolve {host}", daemon=True).start()
        return answer


def _ask_system(host: str) -> tuple[str, ...] | NameUnresolved:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except socket.gaierror as failed:
        if failed.errno in _UNKNOWN:
            return NameUnresolved(f"the name {host} does not exist", is_unknown=True)
        return NameUnresolved(f"the resolver gave no answer for {host}: {failed.strerror}", is_unknown=False)
    except (OSError, UnicodeError) as failed:
        return NameUnresolved(f"{host} could not be looked up: {failed}", is_unknown=False)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
