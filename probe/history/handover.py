"""What the service that watches a deployment leaves for the one that takes over. Each row has a kind and a key; what they say is that service's own."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, bindparam, delete, insert, select

from probe.document import is_in_packed, packed_without
from probe.history.moments import read_back, stored
from probe.history.schema import HANDOVER
from probe.model.kinds import Json
from probe.model.named_address import NamedAddress

T = TypeVar("T")


class HandoverKey(NamedTuple):
    """Which row it is."""

    kind: str
    key: str


class HandoverRow(NamedTuple):
    """What a row says."""

    at: datetime
    """Since when it is so."""
    body: bytes
    """JSON, compressed by zlib, so that a mailbox can be erased from it."""


def packed(form: Json) -> bytes:
    """A form as the body of a row."""
    return zlib.compress(json.dumps(form, separators=(",", ":")).encode("ascii"))


def unpacked(body: bytes) -> Json:
    """The form of a body that `packed` made."""
    form: Json = json.loads(zlib.decompress(body))
    return form


def _form(form: Json) -> Any:
    return form


def readable(body: bytes, read: Callable[[Json], T] = _form) -> T | None:
    """What is read of the form of a body; None where another version has written it otherwise."""
    try:
        return read(unpacked(body))
    except (KeyError, TypeError, ValueError, AttributeError, zlib.error):
        return None


def rows(connection: Connection, deployment: int, kind: str, after: str | None, limit: int | None) -> Iterator[tuple[str, HandoverRow]]:
    """Rows of a kind by key, in its order: so many at most, of those behind the key `after`; None: all."""
    wanted = select(HANDOVER.c.key, HANDOVER.c.at, HANDOVER.c.body).where(HANDOVER.c.deployment_id == deployment, HANDOVER.c.kind == kind)
    if after is not None:
        wanted = wanted.where(HANDOVER.c.key > after)
    for row in connection.execute(wanted.order_by(HANDOVER.c.key).limit(limit)):
        yield row.key, HandoverRow(read_back(row.at), bytes(row.body))


def times(connection: Connection, deployment: int, kind: str) -> dict[str, datetime]:
    """Since when what each row of a kind says is so, by key."""
    found = connection.execute(select(HANDOVER.c.key, HANDOVER.c.at).where(HANDOVER.c.deployment_id == deployment, HANDOVER.c.kind == kind))
    return {row.key: read_back(row.at) for row in found}


def hand_over(connection: Connection, deployment: int, news: Mapping[HandoverKey, HandoverRow | None]) -> None:
    """Write rows in place of those with the same keys; None drops one."""
    if news:
        meant = (HANDOVER.c.deployment_id == deployment, HANDOVER.c.kind == bindparam("of_kind"), HANDOVER.c.key == bindparam("of_key"))
        connection.execute(delete(HANDOVER).where(*meant), [{"of_kind": one.kind, "of_key": one.key} for one in news])
    made = [
        {"deployment_id": deployment, "kind": one.kind, "key": one.key, "at": stored(row.at), "body": row.body}
        for one, row in news.items()
        if row is not None
    ]
    if made:
        connection.execute(insert(HANDOVER), made)


def erase_from_handover(connection: Connection, deployment: int, address: NamedAddress) -> None:
    """Erase one person's mailbox: the rows that it is the key of, and its address in the others. What cannot be read is dropped."""
    found = connection.execute(select(HANDOVER).where(HANDOVER.c.deployment_id == deployment)).all()
    news: dict[HandoverKey, HandoverRow | None] = {}
    for row in found:
        body = bytes(row.body)
        if address.is_in(row.key):
            news[HandoverKey(row.kind, row.key)] = None
        elif is_in_packed(address, body):
            without = packed_without(body, address)
            news[HandoverKey(row.kind, row.key)] = None if without is None else HandoverRow(read_back(row.at), without)
    hand_over(connection, deployment, news)
