"""A run as a few bytes: its document as JSON, compressed by zlib."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from probe.document.publishing import in_sections, json_pieces
from probe.document.reading import NotADocument, read_run
from probe.model.named_address import NamedAddress
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


def is_in_packed(address: NamedAddress, body: bytes) -> bool:
    """Whether an address is named in JSON that zlib compressed: a run, or a part of one. What cannot be read may name anybody."""
    try:
        return address.is_in(json.loads(zlib.decompress(body)))
    except (ValueError, zlib.error):
        return True


def packed_without(body: bytes, address: NamedAddress) -> bytes | None:
    """A packed run whose estate does not have a mailbox any more, and in which its address stands nowhere else; None where it cannot be read."""
    try:
        form: dict[str, Any] = json.loads(zlib.decompress(body))
        if (estate := form.get("estate")) is not None:
            estate["mailboxes"] = [one for one in estate["mailboxes"] if not address.is_it(one["address"])]
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error):
        return None
    return zlib.compress(json.dumps(address.struck(form)).encode("ascii"))
