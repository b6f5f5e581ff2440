"""Selects the address of a name to connect to: the first that answers. The next is tried before a silent one has cost much time (RFC 8305)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from itertools import zip_longest

from probe.model.values import dataclass
from probe.net.stream import TcpPipe

DELAY_SECONDS = 0.25
"""The delay after which the next address is tried beside one that has not answered (RFC 8305 section 5). Where one answers within it, no other
is tried."""

Connect = Callable[[], Awaitable[TcpPipe]]
ConnectTurn = Callable[[str, float | None], AbstractAsyncContextManager[Connect]]
"""Given an address and the seconds that it may take (None: all that is left), a turn there, within which to connect."""


@dataclass(frozen=True, slots=True)
class _Reached:
    address: str
    pipe: TcpPipe
    turn: AsyncExitStack


@dataclass(frozen=True, slots=True)
class _Failed:
    address: str
    failure: OSError


@dataclass(frozen=True, slots=True)
class _Slow:
    address: str


class Race:
    """One try at each address, as far as it takes. `run` once."""

    def __init__(self, addresses: Sequence[str], turn: ConnectTurn, remaining: Callable[[], float]) -> None:
        """`remaining` gives the seconds that are left for all of it."""
        self._addresses = addresses
        self._turn = turn
        self._remaining = remaining
        self._news: asyncio.Queue[_Reached | _Failed | _Slow] = asyncio.Queue()
        self._timers: list[asyncio.TimerHandle] = []
        self._latest = ""
        self._is_next_due = False
        """Whether the latest that was tried has failed or is silent."""
        self.failures: dict[str, OSError] = {}
        """Why an address was not reached."""
        self.silent: tuple[str, ...] = ()
        """Those that had not answered when another had."""

    @asynccontextmanager
    async def run(self) -> AsyncIterator[tuple[str, TcpPipe] | None]:
        """The connection that came about first, with its address; None where none did. Its turn lasts as long as the block."""
        try:
            winner = await self._first()
        finally:
            for timer in self._timers:
                timer.cancel()
        if winner is None:
            yield None
            return
        async with winner.turn:
            yield winner.address, winner.pipe

    async def _first(self) -> _Reached | None:
        winner: _Reached | None = None
        try:
            async with asyncio.TaskGroup() as group:
                tasks: dict[str, asyncio.Task[None]] = {}
                try:
                    winner = await self._watch(group, tasks)
                finally:
                    for task in tasks.values():
                        task.cancel()
                self.silent = tuple(a for a in tasks if a not in self.failures and winner is not None and a != winner.address)
        except BaseException:
            if winner is not None:
                await _leave(winner)
            raise
        finally:
            # One that came about in the same moment as another, or as the end.
            while not self._news.empty():
                news = self._news.get_nowait()
                if isinstance(news, _Reached):
                    await _leave(news)
        return winner

    async def _watch(self, group: asyncio.TaskGroup, tasks: dict[str, asyncio.Task[None]]) -> _Reached | None:
        left = list(enumerate(self._addresses))
        while left or len(self.failures) < len(tasks):
            if left and (not tasks or self._is_next_due):
                position, address = left.pop(0)
                self._latest, self._is_next_due = address, False
                # A dead address must leave time for the next; the last may use all that is left.
                seconds = self._remaining() / (len(self._addresses) - position) if left else None
                tasks[address] = group.create_task(self._try(address, seconds))
            news = await self._news.get()
            if isinstance(news, _Reached):
                return news
            if isinstance(news, _Failed):
                self.failures[news.address] = news.failure
            self._is_next_due = self._is_next_due or news.address == self._latest
        return None

    async def _try(self, address: str, seconds: float | None) -> None:
        async with AsyncExitStack() as stack:
            try:
                connect = await stack.enter_async_context(self._turn(address, seconds))
                # Waiting for a turn does not count as silence of the server.
                self._timers.append(asyncio.get_running_loop().call_later(DELAY_SECONDS, self._news.put_nowait, _Slow(address)))
                pipe = await connect()
            except OSError as failure:
                self._news.put_nowait(_Failed(address, failure))
            else:
                self._news.put_nowait(_Reached(address, pipe, stack.pop_all()))


async def _leave(reached: _Reached) -> None:
    reached.pipe.transport.abort()
    await reached.turn.aclose()


def interleaved(addresses: Sequence[str]) -> tuple[str, ...]:
    """Addresses of both families in turn, beginning with the first (RFC 8305 section 4), so that one family without a way costs one delay."""
    if not addresses:
        return ()
    is_first_v6 = ":" in addresses[0]
    same = [address for address in addresses if (":" in address) is is_first_v6]
    other = [address for address in addresses if (":" in address) is not is_first_v6]
    return tuple(address for pair in zip_longest(same, other) for address in pair if address is not None)
