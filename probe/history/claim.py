"""Which of several services watches a deployment whose history is in one PostgreSQL: the one whose connection holds an advisory lock.

The lock is gone with the connection, so that another takes over whatever became of the first. A history in SQLite belongs to whoever has its folder.
"""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from probe.history.storage import HistoryUnavailable, Storage

# Of this schema: a database may hold the histories of several.
_TRY = text("SELECT pg_try_advisory_lock(hashtext(current_schema()), hashtext(:name))")
_STILL = text("SELECT 1")
_CLOSE_SECONDS = 0.5


class DeploymentClaim:
    """The claim to watch a deployment. `async with` it; it is given back at the end."""

    def __init__(self, storage: Storage, deployment: str) -> None:
        self._storage = storage
        self._deployment = deployment
        self._connection: AsyncConnection | None = None
        self.is_held = storage.is_sqlite

    async def __aenter__(self) -> DeploymentClaim:
        await self.renew()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._let_go()

    async def renew(self) -> bool:
        """Get it where nobody has it, and make sure of it where it is ours; whether it is. While the database is away it is as it was: nobody else can get it."""
        if self._storage.is_sqlite:
            return True
        try:
            if self._connection is not None:
                await self._storage.ask(self._connection, _STILL)
                return self.is_held
            self._connection = await self._storage.connected()
            self.is_held = bool(await self._storage.ask(self._connection, _TRY, name=self._deployment))
        except HistoryUnavailable:
            await self._let_go()
            return self.is_held
        if not self.is_held:
            await self._let_go()
        return self.is_held

    async def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # Not into the pool: the lock goes with the session. One that says nothing is cut off.
            with contextlib.suppress(SQLAlchemyError, OSError, TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await connection.invalidate()
            with contextlib.suppress(SQLAlchemyError, OSError):
                await connection.close()
