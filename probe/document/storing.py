"""A stored document, read from a file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from probe.document.publishing import shown
from probe.document.reading import NotADocument


def load_document(file: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises NotADocument, which says what is wrong, and OSError."""
    from pydantic_core import PydanticSerializationError, to_json

    try:
        # PowerShell may have written it, with a byte order mark, in UTF-8 or UTF-16.
        document = json.loads(file.read_bytes(), parse_constant=_finite, parse_float=_finite)
        # Unknown parts are passed on, so they must be such that they can be written.
        document = shown(document)
        to_json(document)
    except (RecursionError, PydanticSerializationError):
        raise NotADocument("this is not JSON of a run: it is nested too deeply") from None
    except NotADocument:
        raise
    except ValueError as wrong:
        detail = str(wrong) if isinstance(wrong, json.JSONDecodeError) else type(wrong).__name__
        raise NotADocument(f"this is not JSON: {detail}") from None
    if not isinstance(document, dict):
        raise NotADocument("this is JSON, but not a run of probe")
    return document


def _finite(number: str) -> float:
    """A number that JSON can write again: what is beyond the range of a float would come out as a word that is none."""
    if not math.isfinite(found := float(number)):
        raise NotADocument(f"this is not JSON: {number:.20} is no number of it")
    return found
