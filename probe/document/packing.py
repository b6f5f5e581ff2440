"""A run as a few bytes: its document as JSON, compressed by zlib."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping

from probe.document.publishing import in_sections, json_pieces
from probe.document.reading import NotADocument, read_run
from probe.model.runs import Run


def packed_run(run: Run) -> bytes:
    """The run, less what its document does not have."""
    return zlib.compress("".join(json_pieces(in_sections(run))).encode("ascii"))


def unpacked_run(body: bytes) -> Run | None:
    """The run of a body; None where it is not one of this version."""
    try:
        form: Mapping[str, object] = json.loads(zlib.decompress(body))
        return read_run(form)
    except (NotADocument, ValueError, zlib.error):
        return None


def whole_address(address: str) -> re.Pattern[str]:
    """Finds an address where it stands by itself, not as the end of a longer one."""
    return re.compile(rf"(?<![\w.+%-]){re.escape(address)}(?![\w-]|\.\w)", re.IGNORECASE)


def is_in_packed(pattern: re.Pattern[str], body: bytes) -> bool:
    """Whether something is found in JSON that zlib compressed: a run, or a part of one."""
    return pattern.search(json.dumps(json.loads(zlib.decompress(body)), ensure_ascii=False)) is not None
