"""A listing of the Web API, a page at a time: it is whole, or it is an error, never shorter than it should be.

It is whole when its last page names no next one, every page was a whole JSON object, no id came twice, and the server counted as many rows as came,
as far as it counts. What was handed out before an error does not count.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from probe.dynamics.failures import BadRecord, NotWhole
from probe.dynamics.values import Malformed, guid, integer, rows, text_or_none

MAX_PAGES = 2000
"""Of one listing; 50,000 mailboxes have a hundred."""
COUNTED = 5000
"""Where `$count` stops (learn.microsoft.com, "Query data using the Web API")."""
MAX_LINK_CHARACTERS = 16 * 1024
"""Of the address of a next page; IIS takes 16 KiB."""
_NEXT = "@odata.nextLink"
_COUNT = "@odata.count"

Fetch = Callable[[str], Awaitable[dict[str, Any]]]
"""The JSON object at a target, `/path?query`."""


async def pages(fetch: Fetch, origin: str, target: str, name: str | None) -> AsyncIterator[list[dict[str, Any]]]:
    """The rows of a listing, page by page. `name` is that of the id by which they are told apart, and the target then asks for a count.

    Without one they are metadata or sums, which have neither id nor count. Raises NotWhole and BadRecord.
    """
    path = urlsplit(target).path
    seen: set[bytes] = set()
    """Ids as 16 bytes: of 50,000 rows it takes 4 MB."""
    came, counted = 0, None
    for number in range(MAX_PAGES):
        document = await fetch(target)
        try:
            page = rows(document)
            if number == 0 and name is not None:
                counted = integer(document.get(_COUNT))
            link = text_or_none(document.get(_NEXT))
            if name is not None:
                seen.update(bytes.fromhex(guid(row.get(name)).replace("-", "")) for row in page)
        except Malformed as wrong:
            raise BadRecord(f"a page of {path.rpartition('/')[2]} holds {wrong}") from None
        came += len(page)
        if name is not None and len(seen) != came:
            raise NotWhole(f"the listing has a row twice (page {number + 1}), so another may be missing; try again")
        yield page
        if link is None:
            break
        target = _followed(link, origin, path)
    else:
        raise NotWhole(f"the listing has more than {MAX_PAGES} pages")
    if name is not None and min(came, COUNTED) != counted:
        raise NotWhole(f"the server counts {counted} rows and gives {came}; try again, because they may have changed meanwhile")


def _followed(link: str, origin: str, path: str) -> str:
    """The target of a next page, which is of the same listing at the same server. Raises NotWhole for any other."""
    try:
        parts = urlsplit(link)
        port = {"https": 443, "http": 80}.get(parts.scheme) if parts.port is None else parts.port
        wanted = urlsplit(origin)
        there = (wanted.scheme, wanted.hostname, wanted.port or {"https": 443, "http": 80}[wanted.scheme])
        is_same = (parts.scheme, parts.hostname, port) == there and parts.username is None and parts.path.casefold() == path.casefold()
    except ValueError:
        is_same = False
    if not is_same or not link.isascii() or not link.isprintable() or " " in link or "#" in link:
        raise NotWhole("the listing continues at another address than it began at, which was not requested")
    if len(link) > MAX_LINK_CHARACTERS:
        raise NotWhole("the address of the next page is too long to be asked for")
    return f"{parts.path}?{parts.query}"
