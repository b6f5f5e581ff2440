"""What stands in a history's tables."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from probe.history import History
from probe.history.schema import METADATA


async def rows_of(history: History) -> dict[str, int]:
    """How many rows each table has."""

    def counted(connection: Connection) -> dict[str, int]:
        return {table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in METADATA.sorted_tables}

    return await history.storage.read(counted)
